"""Khẩn cấp: write, look at what it will reach, confirm with the password, watch the answers come in, give
the all-clear.

Two steps, because the second shows numbers that the first cannot: how many stations are meant, how many of
them are out of touch at this moment, how many have no return path at all. A real order asks for a typed
word beside the password, a drill does not. There is no order without an expiry. The list of answers is a
small piece of page of its own with an ETag, which the script asks for again and which a link fetches
without one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.web import auth, forms
from hub.web.acts import once
from hub.web.choices import emergency_kinds, territories
from hub.web.refusals import errors_of
from hub.web.sounds import taken
from hub.web.tongue import gettext
from hub.web.wall import touch
from hub.web.words import HOUR_S
from ledger.facts import REASON_CHARS_MAX, TEXT_CHARS_MAX, covers
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.queries import AsRunRow, SeriesRow, StationRow

emergency = Blueprint("emergency", __name__)

ANSWERS_MAX: Final = 400
HISTORY_MAX: Final = 20


def real_word() -> str:
    """What a person types to say that this is no drill."""
    return gettext("PHÁT THẬT")


@dataclass(frozen=True)
class Reach:
    """Whom an order is meant for, and who cannot hear it now."""

    it: tuple[StationRow, ...]
    out_of_touch: tuple[StationRow, ...]
    fm: tuple[StationRow, ...]


def reach(territory: str) -> Reach:
    now = auth.now()
    rows = [row for row in auth.the_hub().queries.stations(now=now) if covers(territory, row.unit)]
    it = tuple(row for row in rows if row.kind == "it")
    return Reach(
        it=it,
        out_of_touch=tuple(row for row in it if touch(row, now) != "fresh"),
        fm=tuple(row for row in rows if row.kind == "fm"),
    )


@emergency.get("/khan-cap")
def page() -> ResponseReturnValue:
    values: dict[str, object] = {
        "level": "2",
        "mode": "drill",
        "hours": str(forms.EXPIRY_HOURS_DEFAULT),
        "territory": auth.officer().territory,
    }
    return written(values, {})


def written(values: dict[str, object], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    """The first step, with what is in force above it."""
    now, officer = auth.now(), auth.officer()
    orders = [
        row
        for row in auth.the_hub().queries.all_series()
        if row.kind == "emergency" and auth.in_sight(row.territory)
    ]
    orders.sort(key=lambda row: -row.at)
    active = [row for row in orders if row.state == "active" and row.expires_at > now]
    return (
        render_template(
            "emergency.html",
            active=active,
            past=[row for row in orders if row not in active][:HISTORY_MAX],
            values=values,
            errors=errors,
            kinds=emergency_kinds(),
            territories=territories(officer.territory),
            text_chars_max=TEXT_CHARS_MAX,
            hours_max=forms.EXPIRY_HOURS_MAX,
        ),
        status,
    )


@emergency.post("/khan-cap")
def confirm() -> ResponseReturnValue:
    """Second step: the same values, the counts, and the confirmation. Nothing is signed yet."""
    auth.needs("approver")
    reader = forms.Reader(request.form, forms.EMERGENCY_FIELDS)
    filled = read(reader)
    if reader.errors or request.form.get("do") == "edit":
        return written(reader.values, reader.errors, 422 if reader.errors else 200)
    return asked(filled, reader.values, {})


def asked(
    filled: forms.EmergencyIn, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    return (
        render_template(
            "emergency_confirm.html",
            filled=filled,
            values=values,
            errors=errors,
            reach=reach(filled.territory),
            kind_word=dict(emergency_kinds())[filled.kind],
            real_word=real_word(),
            until=auth.now() + filled.hours * HOUR_S,
        ),
        status,
    )


@emergency.post("/khan-cap/ra-lenh")
def order() -> ResponseReturnValue:
    """Sign it: the password proven now, and for a real order the typed word."""
    auth.needs("approver")
    reader = forms.Reader(request.form, forms.EMERGENCY_FIELDS)
    filled = read(reader)
    if reader.errors:
        return written(reader.values, reader.errors, 422)
    password = reader.secret("password")
    if not filled.drill and reader.line("word", required=False).casefold() != real_word().casefold():
        reader.errors["word"] = gettext("Hãy gõ đúng: %(word)s", word=real_word())
    if reader.errors:
        return asked(filled, reader.values, reader.errors, 422)
    try:
        sound = taken()
    except NotAllowed as refusal:
        return asked(filled, reader.values, errors_of(refusal, {"audio"}.__contains__), 422)

    def act() -> str:
        proven = auth.prove_again(password)
        series = auth.the_hub().commands.order_emergency(
            proven,
            kind=filled.kind,
            level=filled.level,
            text=filled.text,
            audio=sound.upload,
            territory=filled.territory,
            expires_at=auth.now() + filled.hours * HOUR_S,
            drill=filled.drill,
            now=auth.now(),
        )
        sound.tell()
        flash(gettext("Đã ký lệnh. Danh sách dưới đây đầy dần khi các trạm trả lời."), "ok")
        return url_for("emergency.one", series=series)

    try:
        return once(act)
    except NotAllowed as refusal:
        errors = errors_of(refusal, {*forms.EMERGENCY_FIELDS, "audio"}.__contains__)
        if set(errors) <= {"password", "word", "audio", ""}:
            return asked(filled, reader.values, errors, 422)
        return written(reader.values, errors, 422)


def read(reader: forms.Reader) -> forms.EmergencyIn:
    return forms.emergency(
        reader,
        kinds=dict(emergency_kinds()),
        territories=dict(territories(auth.officer().territory)),
        chars_max=TEXT_CHARS_MAX,
    )


def load(series: int) -> SeriesRow:
    found = auth.the_hub().queries.series(series)
    if found.kind != "emergency" or not auth.in_sight(found.territory):
        abort(404)
    return found


@dataclass(frozen=True)
class Answers:
    """Who has answered an order, who has it, who has not."""

    ran: tuple[tuple[StationRow, AsRunRow], ...]
    has: tuple[StationRow, ...]  # in touch and up to date, no answer yet
    lacks: tuple[StationRow, ...]  # in touch, the order has not been fetched
    out_of_touch: tuple[StationRow, ...]
    fm: tuple[StationRow, ...]
    as_of: int


def answers(row: SeriesRow) -> Answers:
    now, hub = auth.now(), auth.the_hub()
    meant = reach(row.territory)
    ran = {run.unit: run for run in hub.queries.as_run(series=row.series, limit=ANSWERS_MAX)}
    silent = {station.unit for station in meant.out_of_touch}
    rest = [station for station in meant.it if station.unit not in ran]
    return Answers(
        ran=tuple((station, ran[station.unit]) for station in meant.it if station.unit in ran),
        has=tuple(s for s in rest if s.unit not in silent and s.behind == 0),
        lacks=tuple(s for s in rest if s.unit not in silent and s.behind > 0),
        out_of_touch=tuple(s for s in rest if s.unit in silent),
        fm=meant.fm,
        as_of=now,
    )


@emergency.get("/khan-cap/<int(max=2147483647):series>")
def one(series: int) -> ResponseReturnValue:
    return shown(load(series))


def shown(row: SeriesRow, errors: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    return (
        render_template(
            "emergency_one.html",
            row=row,
            answers=answers(row),
            in_force=row.state == "active" and row.expires_at > auth.now(),
            boards=auth.the_hub().queries.boards_of_order(row.series),
            errors=errors or {},
        ),
        status,
    )


@emergency.get("/khan-cap/<int(max=2147483647):series>/tra-loi")
def live(series: int) -> ResponseReturnValue:
    """The answers alone. Unchanged answers cost a 304."""
    found = answers(load(series))
    body = render_template("_answers.html", answers=found)
    tag = hashlib.sha256(
        repr((found.ran, len(found.has), len(found.lacks), len(found.out_of_touch))).encode()
    )
    answer = Response(body, content_type="text/html; charset=utf-8")
    answer.set_etag(tag.hexdigest()[:16])
    answer.headers["Cache-Control"] = "no-cache, private"
    return answer.make_conditional(request)


@emergency.post("/khan-cap/<int(max=2147483647):series>/bao-yen")
def all_clear(series: int) -> ResponseReturnValue:
    officer, row = auth.needs("approver"), load(series)
    reader = forms.Reader(request.form, ("reason",))
    reason = reader.text("reason", chars_max=REASON_CHARS_MAX)
    if reader.errors:
        return shown(row, reader.errors, 422)

    def act() -> str:
        auth.the_hub().commands.cancel_emergency(officer, series, reason=reason, now=auth.now())
        flash(gettext("Đã ký lệnh báo yên. Trạm dừng phát lệnh này khi nhận được."), "ok")
        return url_for("emergency.one", series=series)

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(row, errors_of(refusal, lambda _name: False), 422)
