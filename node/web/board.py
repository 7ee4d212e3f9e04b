"""Boards (bảng thông tin điện tử): the page a screen shows by itself, and the screen for people about them.

`/board/<name>` is for a machine nobody sits at: no sign-in, nothing to press. With JavaScript the page asks
this station every few seconds, shows, takes down what has ended by itself, computes the hash of what it shows
and tells it. Without JavaScript it is drawn anew every few seconds and tells nothing.

Bound: what is on a board is `node.boards.board`; what its screen said of it `node.boards.board_rows`.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from ledger.log import NotAllowed
from node.boards.board import IMAGE, Face, View
from node.boards.board_rows import CLAIMS_MAX, Claim
from node.page.office import Office
from node.page.phrases import Words
from node.web.parts import ask, csrf, public

PAGE = Blueprint("board", __name__)
MENU = Words("Bảng tin", "Boards")
REFUSALS = {
    "board-unknown": Words("Trạm này không có bảng tên như vậy.", "This station has no board of that name."),
}

TURN_S: Final = 10  # how long each thing stands on a page without JavaScript
CLAIM_MS_MAX: Final = 86_400_000
# How large without JavaScript: by the longest line and the number of lines, which a stylesheet cannot count.
SIZES: Final = ((40, 3, "few"), (160, 6, "some"), (500, 14, "many"))


@PAGE.get("/bang-tin")
def page() -> ResponseReturnValue:
    """For people: the boards of this station, what is on them, and when their screens last spoke."""

    def look(office: Office) -> dict[str, Any]:
        moment, boards = office.now(), office.station.boards
        rows = [
            (
                name,
                boards.view(name, moment),
                boards.silent_s(name, moment),
                boards.shown_today_s(name, moment),
            )
            for name in boards.names
        ]
        return {"rows": rows, "kinds": {"image": IMAGE}}

    return render_template("boards.html", **ask(look))


@PAGE.get("/board/<name>")
@public
def board(name: str) -> ResponseReturnValue:
    view = _view(name)
    turn = int((view.utc_s or 0) // TURN_S) % len(view.faces) if view.faces else 0
    face = view.faces[turn] if view.faces else None
    return render_template(
        "board.html", view=view, face=face, lines=face.text.split("\n") if face else [], size=_size(face),
        turn_s=TURN_S, version=_version(), image=IMAGE,
    )  # fmt: skip


@PAGE.get("/board/<name>/now")
@public
def now(name: str) -> ResponseReturnValue:
    """What the page's script asks for. `left`: seconds; after them the thing must not be seen any more."""
    view = _view(name)
    faces = [
        {
            "bulletin": face.bulletin.hex(),
            "shown": face.shown.hex(),
            "kind": face.kind,
            "text": face.text,
            "left": round(left_s, 3),
            "alarm": face.emergency,
            "drill": face.drill,
        }
        for face, left_s in zip(view.faces, view.left_s, strict=True)
    ]
    return jsonify({"version": _version(), "csrf": csrf(), "utc": view.utc_s, "faces": faces})


@PAGE.get("/board/<name>/<shown>")
@public
def content(name: str, shown: str) -> ResponseReturnValue:
    """An image that is on this board now."""
    raw = _hash(shown)
    found = None if raw is None else ask(lambda office: _image(office, name, raw))
    if found is None:
        abort(404)
    return Response(found[1], mimetype=found[0])


@PAGE.post("/board/<name>/seen")
@public
def seen(name: str) -> ResponseReturnValue:
    """What a screen says it showed: fields `seen` = bulletin, hash and milliseconds, joined by colons."""
    claims = [claim for text in request.form.getlist("seen")[:CLAIMS_MAX] if (claim := _claim(text))]
    ask(lambda office: _take(office, name, claims))
    return "", 204


# -- asked on the station's loop -----------------------------------------------------------------------------


def _view(name: str) -> View:
    try:
        return ask(lambda office: office.station.boards.view(name, office.now()))
    except NotAllowed as refusal:
        if refusal.code == "board-unknown":
            abort(404)
        raise


def _image(office: Office, name: str, shown: bytes) -> tuple[str, bytes] | None:
    boards = office.station.boards
    return boards.image(shown, office.now()) if name in boards.names else None


def _take(office: Office, name: str, claims: list[Claim]) -> None:
    station, moment = office.station, office.now()
    if station.boards.seen(name, claims, moment):
        station.agent.hurry(moment.mono_s, station.config.ack_delay_s)
        station.look_soon()


# -- small things --------------------------------------------------------------------------------------------


def _claim(text: str) -> Claim | None:
    """None for what is no claim; a screen is a stranger."""
    parts = text.split(":")
    if len(parts) != 3 or len(parts[0]) != 32 or not (parts[2].isascii() and parts[2].isdigit()):
        return None
    shown = _hash(parts[1])
    try:
        bulletin = bytes.fromhex(parts[0])
    except ValueError:
        return None
    if shown is None or len(bulletin) != 16 or len(parts[2]) > 9:
        return None
    return Claim(bulletin, shown, min(int(parts[2]), CLAIM_MS_MAX) / 1000)


def _hash(text: str) -> bytes | None:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return None
    return raw if len(raw) == 32 else None


def _size(face: Face | None) -> str:
    lines = face.text.split("\n") if face is not None else []
    for chars, count, size in SIZES:
        if sum(map(len, lines)) <= chars and len(lines) <= count:
            return size
    return "most"


def _version() -> str:
    """Of the page's own script: a screen that runs for years loads the page anew after an upgrade."""
    asset = current_app.jinja_env.globals["asset"]
    assert callable(asset)
    return str(asset("board.js"))
