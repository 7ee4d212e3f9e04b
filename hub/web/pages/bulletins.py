"""Bản tin: the list, and one bulletin with its evidence.

An edit never changes what exists: it makes a new version, and only a new approval lets that be heard. The
page of one bulletin shows what was approved byte for byte (hashes), who signed what in which log, and what
came back.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from hub.bulletins import STATES
from hub.web import auth, forms
from hub.web.choices import categories
from hub.web.proofs import badge
from hub.web.sync_api import serve
from hub.web.tally import Piece, pieces
from hub.web.words import nfc

if TYPE_CHECKING:
    from hub.queries import AsRunRow, BulletinPage

bulletins = Blueprint("bulletins", __name__)

PAGE_ROWS = 50
HEX_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
PLAYABLE = frozenset({"audio/wav", "audio/mpeg", "audio/ogg", "audio/flac", "audio/mp4"})


@bulletins.get("/ban-tin")
def page() -> ResponseReturnValue:
    text = nfc(request.args.get("chu", "")).strip()[: forms.LINE_CHARS_MAX]
    state = request.args.get("tt", "")
    category = request.args.get("lv", "")
    offset = min(max(request.args.get("tu", 0, int), 0), 1_000_000)
    found = auth.the_hub().queries.bulletins(
        text=text,
        state=state if state in STATES else "",
        category=category if category in dict(categories()) else "",
        limit=PAGE_ROWS + 1,
        offset=offset,
    )
    return render_template(
        "bulletins.html",
        rows=[row for row in found[:PAGE_ROWS] if auth.in_sight(row.territory)],
        more=len(found) > PAGE_ROWS,
        offset=offset,
        step=PAGE_ROWS,
        values={"chu": text, "tt": state, "lv": category},
        filtered=bool(text or state or category or offset),
        states=STATES,
        categories=categories(),
    )


def load(bulletin: str) -> BulletinPage:
    """The page of one bulletin in this officer's sight, else 404 (not 403: ids of elsewhere tell nothing)."""
    if not HEX_ID.fullmatch(bulletin):
        abort(404)
    found = auth.the_hub().queries.bulletin(bulletin)
    if not auth.in_sight(found.row.territory):
        abort(404)
    return found


@bulletins.get("/ban-tin/<bulletin>")
def one(bulletin: str) -> ResponseReturnValue:
    return shown(load(bulletin))


def shown(
    found: BulletinPage, errors: dict[str, str] | None = None, status: int = 200
) -> ResponseReturnValue:
    return (
        render_template(
            "bulletin.html",
            page=found,
            row=found.row,
            badge=badge(found.deeds),
            runs=by_day(found.as_run),
            errors=errors or {},
            own=found.row.author.account == auth.officer().account,
        ),
        status,
    )


def by_day(rows: tuple[AsRunRow, ...]) -> list[tuple[tuple[int, int], list[Piece]]]:
    """(day, series) → outcomes, newest day first; the station-by-station list is the series' own page."""
    counted: dict[tuple[int, int], Counter[int]] = {}
    for row in rows:
        counted.setdefault((row.day, row.series), Counter())[row.outcome] += 1
    return [(key, pieces(counted[key])) for key in sorted(counted, reverse=True)]


@bulletins.get("/ban-tin/<bulletin>/am-thanh")
def audio(bulletin: str) -> ResponseReturnValue:
    """The recording, with ranges, so that the player can seek. Its type is one of a closed list or it is a
    download.
    """
    found = load(bulletin)
    if not found.audio_sha256:
        abort(404)
    return sound(found.audio_sha256, found.audio_media_type)


def sound(sha256: str, media_type: str) -> Response:
    """A recording as the browser's player wants it."""
    hub = auth.the_hub()
    sha = bytes.fromhex(sha256)
    size = hub.blob_size(sha)
    if size is None:
        abort(404)
    known = media_type in PLAYABLE
    answer = serve(hub, sha, size, media_type if known else "application/octet-stream")
    answer.headers["Content-Disposition"] = "inline" if known else "attachment"
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
