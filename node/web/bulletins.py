"""Bản tin của xã: written or recorded here, listened to, submitted, put on the plan, withdrawn.

A recording comes three ways: the browser records it (only where it may: at the box itself or over TLS, since
a browser gives no microphone to a page on plain HTTP), the telephone's own recorder opens from a file field,
or a file is chosen. All three arrive as one file of one form.

Bound: forms and pages. Rules are `node.page.bulletins`, bytes of a recording `node.page.recordings`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from ledger.content import Leveller, leveller
from ledger.facts import Rendition, Right, calendar, local_day, voice_of
from ledger.log import Blobs, LoaError
from node.page import local_views
from node.page.bulletins import LATE_S, Bulletins
from node.page.local_views import Page
from node.page.office import Office
from node.page.phrases import Words
from node.page.recordings import AUDIO_BYTES_MAX, stored_recording, take_recording
from node.sound.voice import say
from node.web.bulletin_words import DEEDS, REFUSALS, STATES, categories, category_name, hm
from node.web.parts import ask, attempt, back, field, flash_done, is_locked, number, person, refusal, t
from node.web.sending import send

__all__ = ["MENU", "PAGE", "REFUSALS"]

PAGE = Blueprint("bulletins", __name__)
MENU = Words("Bản tin của xã", "Our bulletins")
HEX_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
HEX_SHA: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
# What the browser's player is given under its own name; anything else is a download.
PLAYABLE: Final = frozenset({"audio/wav", "audio/mpeg", "audio/ogg", "audio/flac", "audio/mp4", "audio/webm"})
STEP: Final = 20
DAYS_OFFERED: Final = 14
FIELDS: Final = ("title", "category", "text", "from", "until")


@PAGE.context_processor
def _words() -> dict[str, Any]:
    return {"states": STATES, "deed_names": DEEDS, "category_name": category_name, "hm": hm}


# -- reading -------------------------------------------------------------------------------------------------


@PAGE.get("/ban-tin")
def page() -> ResponseReturnValue:
    offset = min(max(request.args.get("tu", 0, int), 0), 100_000)
    found = ask(lambda office: local_views.rows(office, limit=STEP + 1, offset=offset))
    return render_template(
        "bulletins.html", rows=found[:STEP], more=len(found) > STEP, offset=offset, step=STEP
    )


@PAGE.get("/ban-tin/<name>")
def one(name: str) -> ResponseReturnValue:
    return _shown(_id(name))


def _shown(bulletin: bytes, problem: str = "", status: int = 200) -> ResponseReturnValue:
    who = person()

    def look(office: Office) -> dict[str, Any]:
        now = office.now()
        return {
            "found": local_views.page(office, bulletin),
            "may": {
                right.name: office.may(who, right) for right in (Right.DRAFT, Right.SCHEDULE, Right.CANCEL)
            },
            "days": [local_day(now.utc_s) + n for n in range(DAYS_OFFERED)],
        }

    said_now = ask(look)
    chosen = request.form.getlist("day") if problem else []
    return (
        render_template(
            "bulletin.html", problem=problem, chosen=chosen, at=request.form.get("at", ""), late_s=LATE_S,
            **said_now,
        ),
        status,
    )  # fmt: skip


@PAGE.get("/ban-tin/<name>/am-thanh")
def audio(name: str) -> ResponseReturnValue:
    """The recording of the current version, by ranges."""
    found = _page(_id(name))
    if not found.sound:
        abort(404)
    sha = bytes.fromhex(found.sound)
    size = ask(lambda office: Blobs(office.station.store).size(sha))
    if size is None:
        abort(404)
    known = found.media_type in PLAYABLE
    media_type = found.media_type if known else "application/octet-stream"
    answer = send(
        lambda office, at, length: Blobs(office.station.store).read_range(sha, at, length),
        size=size, media_type=media_type, etag=found.sound,
    )  # fmt: skip
    answer.headers["Content-Disposition"] = "inline" if known else "attachment"
    return answer


@PAGE.get("/ban-tin/<name>/giong-doc")
def spoken(name: str) -> ResponseReturnValue:
    """The words in the station's own voice, as they will be broadcast."""
    found = _page(_id(name))
    if not found.spoken:
        abort(404)
    language = voice_of(ask(lambda office: office.station.config.language))
    answer = Response(say(found.spoken, language), mimetype="audio/wav")
    answer.headers["Cache-Control"] = "private, max-age=600"
    return answer


# -- writing -------------------------------------------------------------------------------------------------


@PAGE.get("/ban-tin/moi")
def new() -> ResponseReturnValue:
    today = ask(lambda office: local_day(office.now().utc_s))
    values = {"category": "thong-bao", "from": _iso(today), "until": _iso(today + 7)}
    return _form(values, 0, None)


@PAGE.post("/ban-tin/moi")
def write() -> ResponseReturnValue:
    return _save(None, 0)


@PAGE.get("/ban-tin/<name>/sua")
def edit(name: str) -> ResponseReturnValue:
    found = _page(_id(name))
    row = found.row
    values = {
        "title": row.title, "category": row.category, "text": found.text, "from": _iso(row.from_day),
        "until": _iso(row.until_day),
    }  # fmt: skip
    return _form(values, row.version, found)


@PAGE.post("/ban-tin/<name>/sua")
def rewrite(name: str) -> ResponseReturnValue:
    return _save(_id(name), number("version") or 0)


def _form(
    values: dict[str, str],
    version: int,
    found: Page | None,
    problem: str = "",
    kept: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    """kept: the hash of a recording that has arrived already."""
    return (
        render_template(
            "compose.html", values=values, version=version, found=found, problem=problem, kept=kept,
            categories=categories(), bytes_max=AUDIO_BYTES_MAX, levels=levels() is not None,
        ),
        status,
    )  # fmt: skip


def _save(bulletin: bytes | None, version: int) -> ResponseReturnValue:
    """Stores the recording first, so that a wrong PIN or a missing title does not lose it."""
    who = person()
    values = {name: request.form.get(name, "") for name in FIELDS}
    kept = request.form.get("kept", "")
    found = None if bulletin is None else _page(bulletin)
    try:
        sound = _recording(kept)
        kept = kept if sound is None else sound.sha256.hex()
        made = _written(bulletin, version, values, sound)
        name = ask(lambda office: made(office, who))
    except LoaError as error:
        if error.code == "logged-out":
            raise
        problem = refusal(error)
        return _form(values, version, found, problem, kept, 403 if is_locked(error) else 422)
    flash_done(
        "Đã lưu và ký bản nháp. Hãy nghe và đọc lại, rồi gửi duyệt.",
        "Saved and signed as a draft. Listen to it, read it again, then submit it.",
    )
    return back("bulletins.one", name=name.hex())


def _written(bulletin: bytes | None, version: int, values: dict[str, str], sound: Rendition | None) -> Any:
    from_day, until_day = _day(values["from"]), _day(values["until"])
    drop = request.form.get("drop") == "1"

    def made(office: Office, who: Any) -> bytes:
        fields: dict[str, Any] = {
            "title": values["title"], "category": values["category"], "text": values["text"], "sound": sound,
            "from_day": from_day, "until_day": until_day,
        }  # fmt: skip
        desk = Bulletins(office)
        if bulletin is None:
            return desk.draft(who, **fields)
        desk.revise(who, bulletin, version=version, keep_sound=not drop, **fields)
        return bulletin

    return made


def _recording(kept: str) -> Rendition | None:
    """What came with this form, else what came with it before; None when there is none."""
    for name in ("recorded", "sound"):
        file = request.files.get(name)
        if file is not None and file.filename:
            language = ask(lambda office: office.station.config.language)
            data = file.stream.read(AUDIO_BYTES_MAX + 1)
            return take_recording(ask, data, language=language, level=levels())
    if HEX_SHA.fullmatch(kept):
        return stored_recording(ask, bytes.fromhex(kept))
    return None


# -- deciding ------------------------------------------------------------------------------------------------


@PAGE.post("/ban-tin/<name>/gui")
def submit(name: str) -> ResponseReturnValue:
    who, bulletin = person(), _id(name)
    attempt(
        lambda office: Bulletins(office).submit(who, bulletin),
        Words(
            "Đã gửi duyệt. Người duyệt của xã sẽ thấy ở trang “Duyệt”.",
            "Submitted. Whoever approves here finds it on “Approve”.",
        ),
    )
    return back("bulletins.one", name=name)


@PAGE.post("/ban-tin/<name>/lich")
def plan(name: str) -> ResponseReturnValue:
    who, bulletin = person(), _id(name)
    days = [int(text) for text in request.form.getlist("day") if text.isascii() and text.isdigit()][:400]
    minute = _minute(field("at"))
    try:
        ask(lambda office: Bulletins(office).schedule(who, bulletin, days=days, minute=minute))
    except LoaError as error:
        if error.code in ("key-locked", "logged-out"):
            raise
        words = refusal(error)
        if error.code == "clash":
            words = (
                t("Giờ này đã có mục khác: ", "Something else has that time: ")
                + error.what.partition(": ")[2]
            )
        return _shown(bulletin, words, 422)
    flash_done("Đã ký lịch phát.", "The series is signed.")
    return back("bulletins.one", name=name)


@PAGE.post("/ban-tin/<name>/huy-lich")
def unplan(name: str) -> ResponseReturnValue:
    who, series, reason = person(), number("series") or 0, field("reason", 500)
    attempt(
        lambda office: Bulletins(office).cancel(who, series, reason), Words("Đã hủy lịch.", "Called off.")
    )
    return back("bulletins.one", name=name)


@PAGE.post("/ban-tin/<name>/thu-hoi")
def withdraw(name: str) -> ResponseReturnValue:
    who, bulletin, reason = person(), _id(name), field("reason", 500)
    attempt(
        lambda office: Bulletins(office).withdraw(who, bulletin, reason),
        Words("Đã thu hồi. Mọi lịch của bản tin này thôi phát.", "Withdrawn. None of its series plays."),
    )
    return back("bulletins.one", name=name)


@cache
def levels() -> Leveller | None:
    """Looked for once: ffmpeg is there or not as long as this process lives."""
    return leveller()


# -- small things --------------------------------------------------------------------------------------------


def _id(name: str) -> bytes:
    if not HEX_ID.fullmatch(name):
        abort(404)
    return bytes.fromhex(name)


def _page(bulletin: bytes) -> Page:
    return ask(lambda office: local_views.page(office, bulletin))


def _iso(day: int) -> str:
    return calendar.iso(day)


def _day(text: str) -> int:
    """A local day; −1, which no rule accepts, when it is none."""
    try:
        return calendar.day_from_iso(text)
    except ValueError:
        return -1


def _minute(text: str) -> int:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    return int(found[1]) * 60 + int(found[2]) if found else -1
