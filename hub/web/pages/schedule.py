"""Lịch: the week, one series with what came back from each station, scheduling an approved bulletin,
cancelling.

The form speaks an operator's rule (first day, last day, weekdays, one minute); what is signed is the flat
list of days, and the page shows that list. A minute inside quiet hours is refused by the command and said
in plain words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.web import auth, forms
from hub.web.acts import once
from hub.web.choices import territories
from hub.web.pages.bulletins import load
from hub.web.refusals import errors_of, say
from hub.web.tally import apart, pieces, split
from hub.web.tongue import gettext, ngettext
from hub.web.words import dm, dmy, hm
from ledger.facts import REASON_CHARS_MAX, UNIT_CHARS_MAX, at, covers, local_day
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.queries import BulletinPage, SeriesRow, WeekCell

schedule = Blueprint("schedule", __name__)

WEEK: int = 7
DATES_SHOWN = 5
RUNS_MAX = 400  # stations of one occurrence on one page; a province has under 200


@schedule.get("/lich")
def page() -> ResponseReturnValue:
    hub, today = auth.the_hub(), local_day(auth.now())
    asked = forms.day_of(request.args.get("tuan", ""))
    day = today if asked is None or not 0 <= asked < 65_000 else asked
    monday = day - forms.weekday_of(day)
    unit = request.args.get("tram", "")
    known = dict(territories(auth.officer().territory))
    cells = [
        cell
        for cell in hub.queries.week(
            monday, unit=unit if unit in known and unit != hub.config.province else ""
        )
        if auth.in_sight(cell.territory)
    ]
    return render_template(
        "week.html",
        monday=monday,
        days=range(monday, monday + WEEK),
        grid=grid(cells),
        listed=by_series(cells),
        values={"tram": unit, "tuan": dmy(day)},
        territories=list(known.items()),
        unread=bool(request.args.get("tuan")) and day != asked,
    )


def grid(cells: list[WeekCell]) -> list[tuple[int, dict[int, list[WeekCell]]]]:
    """Rows of the week table: minute → day → what stands there."""
    rows: dict[int, dict[int, list[WeekCell]]] = {}
    for cell in cells:
        rows.setdefault(cell.minute, {}).setdefault(cell.day, []).append(cell)
    return sorted(rows.items())


def by_series(cells: list[WeekCell]) -> list[tuple[WeekCell, list[int]]]:
    """Each series of the week once for each time it has, with its days, in the order of the clock."""
    days: dict[tuple[int, int, bool], list[int]] = {}
    for cell in cells:
        days.setdefault((cell.series, cell.minute, cell.declined), []).append(cell.day)
    first = {(cell.series, cell.minute, cell.declined): cell for cell in reversed(cells)}
    return [
        (cell, sorted(days[cell.series, cell.minute, cell.declined]))
        for cell in sorted(first.values(), key=lambda cell: (cell.minute, -cell.klass, cell.series))
    ]


def load_series(series: int) -> SeriesRow:
    # Two communes may come to one number: `xa` says whose.
    found = auth.the_hub().queries.series(series, unit=request.args.get("xa", "")[:UNIT_CHARS_MAX])
    if not auth.in_sight(found.territory):
        abort(404)
    return found


@schedule.get("/lich/<int(max=2147483647):series>")
def one(series: int) -> ResponseReturnValue:
    row = load_series(series)
    if row.kind == "emergency":
        return redirect(url_for("emergency.one", series=series))
    return shown(row)


def shown(row: SeriesRow, errors: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    today = local_day(auth.now())
    asked = forms.day_of(request.args.get("ngay", ""))
    past = [day for day in row.days if day <= today]
    day = asked if asked in row.days else past[-1] if past else None
    runs = (
        auth.the_hub().queries.as_run(series=row.series, day=day, limit=RUNS_MAX) if day is not None else []
    )
    sight = (auth.officer().territory, row.territory)
    runs = [run for run in runs if all(covers(territory, run.unit) for territory in sight)]
    look, heard = split(runs)
    own, words = apart(runs)
    asked_of = day if day is not None else row.days[0] if row.days else 0
    offer = auth.the_hub().queries.offer(row.series, asked_of, territory=max(sight, key=len))
    later = set() if offer is None else {
        said.unit for said in offer.answers if not said.worth and said.start_s + row.late_s > auth.now()
    }
    mute = silent(row, day, later | {run.unit for run in runs}) if day is not None else []
    return (
        render_template(
            "series.html",
            row=row,
            day=day,
            look=look,
            heard=heard,
            mute=mute,
            offer=offer,
            offer_day=asked_of,
            pieces=pieces(own, attested=words, unknown=len(mute)),
            errors=errors or {},
            dates_shown=DATES_SHOWN,
        ),
        status,
    )


def silent(row: SeriesRow, day: int, reported: set[str]) -> list[str]:
    """IT stations that owe a report for this day and have not sent one; none before the slot is over."""
    if row.state != "active" or at(day, row.minute) + row.late_s > auth.now():
        return []
    own = auth.officer().territory
    return sorted(
        unit
        for unit, one in list(auth.the_hub().facts.stations.items())
        if one.fact.kind == "it"
        and covers(row.territory, unit)
        and covers(own, unit)
        and unit not in reported
    )


@schedule.get("/ban-tin/<bulletin>/xep-lich")
def new(bulletin: str) -> ResponseReturnValue:
    auth.needs("editor", "approver")
    found, today = load(bulletin), local_day(auth.now())
    values: dict[str, object] = {
        "territory": found.row.territory,
        "from": dmy(max(today, found.row.valid_from_day)),
        "until": dmy(found.row.valid_until_day),
        "weekdays": list(forms.WEEKDAYS),
        "at": "17:00",
        "late": "15",
        "resume": "0",
    }
    return form(found, values, {})


@schedule.post("/ban-tin/<bulletin>/xep-lich")
def new_post(bulletin: str) -> ResponseReturnValue:
    officer, found = auth.needs("editor", "approver"), load(bulletin)
    reader = forms.Reader(request.form, forms.SCHEDULE_FIELDS)
    filled = forms.schedule(reader, territories=dict(territories(officer.territory)))
    if reader.errors:
        return form(found, reader.values, reader.errors, 422)

    def act() -> str:
        series = auth.the_hub().commands.schedule(
            officer,
            bulletin,
            territory=filled.territory,
            days=filled.days,
            minute=filled.minute,
            late_s=filled.late_s,
            on_interrupt=filled.on_interrupt,
            now=auth.now(),
        )
        count = len(filled.days)
        flash(
            ngettext(
                "Đã ký lịch phát %(num)d ngày: %(dates)s.",
                "Đã ký lịch phát %(num)d ngày: %(dates)s.",
                count,
                dates=", ".join(map(dm, filled.days[:DATES_SHOWN])) + (" …" if count > DATES_SHOWN else ""),
            ),
            "ok",
        )
        return url_for("schedule.one", series=series)

    try:
        return once(act)
    except NotAllowed as refusal:
        errors = errors_of(refusal, forms.SCHEDULE_FIELDS.__contains__)
        if refusal.code == "quiet-hours":
            errors = {"at": f"{say(refusal)} {quiet_words(refusal.where or filled.territory)}"}
        return form(found, reader.values, errors, 422)


def quiet_words(unit: str) -> str:
    """The hours themselves, so that nobody has to guess a minute that will do."""
    first, last = auth.the_hub().facts.quiet_hours(unit)
    return gettext("Giờ yên tĩnh: %(first)s–%(last)s.", first=hm(first), last=hm(last))


def form(
    found: BulletinPage, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    return (
        render_template(
            "schedule_form.html",
            page=found,
            row=found.row,
            values=values,
            errors=errors,
            quiet=quiet_words(found.row.territory),
            territories=[
                t for t in territories(auth.officer().territory) if covers(found.row.territory, t[0])
            ],
            lates=[("0", gettext("không phát trễ"))]
            + [(n, gettext("trễ tối đa %(n)s phút", n=n)) for n in forms.LATE_MINUTES[1:]],
        ),
        status,
    )


@schedule.post("/lich/<int(max=2147483647):series>/huy")
def cancel(series: int) -> ResponseReturnValue:
    officer, row = auth.needs("approver"), load_series(series)
    reader = forms.Reader(request.form, ("reason",))
    reason = reader.text("reason", chars_max=REASON_CHARS_MAX)
    if reader.errors:
        return shown(row, reader.errors, 422)

    def act() -> str:
        auth.the_hub().commands.cancel_schedule(
            officer, series, reason=reason, territory=row.territory, now=auth.now()
        )
        flash(gettext("Đã ký lệnh hủy lịch. Trạm nhận lệnh ở lần liên lạc tới."), "ok")
        return url_for("schedule.one", series=series, xa=request.args.get("xa"))

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(row, errors_of(refusal, lambda _name: False), 422)
