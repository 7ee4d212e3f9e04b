"""Xác nhận qua điện thoại: what an FM station's operator says, found by code and signed; and run sheets.

First the code, because it guards itself against a wrong digit; then the slot in plain words, so that both at
the telephone know what they speak of; then what was said. Nothing here is an alarm: what nobody confirmed is
a list to call through.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.duty import Unsaid, by_code, unsaid
from hub.web import auth, forms
from hub.web.acts import once
from hub.web.refusals import errors_of
from hub.web.tongue import gettext
from hub.web.words import dmy
from ledger.facts import (
    REASONS,
    SAID_BY_CHARS_MAX,
    SHEET_DAYS,
    Detail,
    Means,
    Outcome,
    Slot,
    at,
    attested,
    covers,
    local_day,
    sheet_of,
    slot_at,
)
from ledger.log import NotAllowed
from ledger.sheet import CSP, sheet_html

duty = Blueprint("duty", __name__)

CODE_CHARS_MAX: Final = 16
FIELDS: Final = (
    "unit",
    "series",
    "day",
    "content",
    "code",
    "outcome",
    "detail",
    "at",
    "seconds",
    "means",
    "said_by",
)
OUTCOMES: Final = (Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.MISSED)
WHOLE: Final = (Outcome.PLAYED, Outcome.PLAYED_LATE)
NUMBER_MAX: Final = (1 << 31) - 1


@duty.get("/xac-nhan")
def page() -> ResponseReturnValue:
    """The list to call through; with a station and a code, the slot and its form."""
    auth.needs("editor", "approver")
    unit, code = request.args.get("tram", ""), request.args.get("ma", "")[:CODE_CHARS_MAX].strip()
    values: dict[str, object] = {"tram": unit, "ma": code}
    if not code:
        return listed(values, {})
    if unit not in {station for station, _ in fm_stations()}:
        return listed(values, {"tram": gettext("Hãy chọn một mục trong danh sách.")}, 422)
    try:
        found = by_code(auth.the_hub(), unit, code, auth.now())
    except NotAllowed as refusal:
        errors = errors_of(refusal)
        return listed(values, {"ma": next(iter(errors.values()))}, 422)
    return asked(found, {"code": code, "means": str(int(Means.TELEPHONE))}, {})


@duty.post("/xac-nhan")
def sign() -> ResponseReturnValue:
    """One word, signed. The slot is the one that was looked at, by its content."""
    officer = auth.needs("editor", "approver")
    reader = forms.Reader(request.form, FIELDS)
    slot = the_slot(reader)
    outcome = reader.choice("outcome", [str(int(one)) for one in OUTCOMES])
    detail = reader.choice("detail", [str(int(one)) for one in REASONS])
    means = reader.choice("means", [str(int(Means.TELEPHONE)), str(int(Means.PAPER))])
    said_by = reader.line("said_by", chars_max=SAID_BY_CHARS_MAX)
    kind = Outcome(int(outcome)) if outcome.isdigit() else Outcome.UNKNOWN
    began_at, played_ds = when_and_how_long(reader, slot, kind)
    if reader.errors:
        return asked([slot], reader.values, reader.errors, 422)

    def act() -> str:
        auth.the_hub().commands.attest(
            officer, slot.unit, series=slot.series, day=slot.day,
            content=bytes.fromhex(str(reader.values["content"])), outcome=int(kind), detail=int(detail),
            began_at=began_at, played_ds=played_ds, means=int(means), said_by=said_by, now=auth.now(),
        )  # fmt: skip
        day = dmy(slot.day)
        flash(gettext("Đã ghi lời xác nhận của %(who)s cho ngày %(day)s.", who=said_by, day=day), "ok")
        return url_for("duty.page", tram=slot.unit)

    try:
        return once(act)
    except NotAllowed as refusal:
        return asked([slot], reader.values, errors_of(refusal), 422)


@duty.get("/tram/<unit>/to-lich")
def sheet(unit: str) -> ResponseReturnValue:
    """The run sheet of a week, to print. `tuan`: a day of the week wanted; the week at hand when none."""
    hub, now = auth.the_hub(), auth.now()
    if not covers(auth.officer().territory, unit):
        abort(404)
    wanted = forms.day_of(request.args.get("tuan", ""))
    day = local_day(now) if wanted is None else wanted
    first = max(0, day - forms.weekday_of(day))
    with hub.lock:
        station = hub.facts.stations.get(unit)
        lines = sheet_of(hub.facts, unit, first)
    if station is None:
        abort(404)
    text = sheet_html(
        station.fact.name, unit, first, SHEET_DAYS, lines, made_s=now, base=hub.config.page_url
    )
    return Response(text, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": CSP})


# -- showing -------------------------------------------------------------------------------------------------


def listed(values: dict[str, object], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    hub, territory = auth.the_hub(), auth.officer().territory
    only = str(values.get("tram", ""))
    open_rows: list[Unsaid] = unsaid(hub, territory, auth.now())
    return render_template(
        "duty.html", values=values, errors=errors, stations=fm_stations(),
        rows=[row for row in open_rows if not only or row.unit == only], total=len(open_rows),
    ), status  # fmt: skip


def asked(
    slots: list[Slot], values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    """The form for a slot, or for each of two that one code happens to name."""
    hub = auth.the_hub()
    with hub.lock:
        known = [(slot, attested(hub.facts, slot)) for slot in slots]
    return render_template(
        "duty_slot.html", slots=known, values=values, errors=errors,
        outcomes=[(str(int(one)), one) for one in OUTCOMES],
        reasons=[(str(int(one)), one) for one in REASONS],
        none=int(Detail.NONE), telephone=int(Means.TELEPHONE), paper=int(Means.PAPER),
    ), status  # fmt: skip


def fm_stations() -> list[tuple[str, str]]:
    """(unit, name) of the FM stations this officer answers for, by name."""
    hub, territory = auth.the_hub(), auth.officer().territory
    with hub.lock:
        found = [
            (unit, one.fact.name)
            for unit, one in hub.facts.stations.items()
            if one.fact.kind == "fm" and covers(territory, unit)
        ]
    return sorted(found, key=lambda one: (one[1], one[0]))


# -- reading the form ----------------------------------------------------------------------------------------


def the_slot(reader: forms.Reader) -> Slot:
    """The slot the hidden fields name; 404 when there is none in the plan, or not in this officer's sight."""
    unit = reader.line("unit", chars_max=80)
    series, day = (reader.whole(name, 0, NUMBER_MAX) for name in ("series", "day"))
    content = reader.line("content", chars_max=32)
    reader.line("code", chars_max=CODE_CHARS_MAX, required=False)
    hub = auth.the_hub()
    try:
        whole = len(bytes.fromhex(content)) == 16
    except ValueError:
        whole = False
    if reader.errors or not whole or not covers(auth.officer().territory, unit):
        abort(404)
    with hub.lock:
        slot = slot_at(hub.facts, unit, series, day) if unit in hub.facts.stations else None
    if slot is None:
        abort(404)
    return slot


def when_and_how_long(reader: forms.Reader, slot: Slot, kind: Outcome) -> tuple[int | None, int]:
    """Begin (UTC s, None when nobody knows) and tenths of a second, from what the form says."""
    if kind is Outcome.MISSED:
        return None, 0
    seconds = slot.length_s
    if kind not in WHOLE:
        seconds = reader.whole("seconds", 1, slot.length_s)
    if not reader.form.get("at", "").strip():
        reader.values["at"] = ""
        return None, seconds * 10
    return at(slot.day, reader.minute("at")), seconds * 10
