"""Lịch: the week, as a table, a list and a calendar file; one series with what came back; cancelling.

Putting a bulletin on the plan is `planning`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.web import auth, forms
from hub.web.acts import once
from hub.web.choices import territories
from hub.web.ics import MEDIA_TYPE, Entry, calendar_file
from hub.web.names import class_name, unit_name
from hub.web.refusals import errors_of
from hub.web.tally import apart, pieces, split
from hub.web.tongue import gettext
from hub.web.words import dmy, hm
from ledger.facts import REASON_CHARS_MAX, UNIT_CHARS_MAX, at, calendar, covers, local_day
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.queries import SeriesRow, WeekCell

schedule = Blueprint("schedule", __name__)

WEEK: int = 7
DATES_SHOWN = 5
ICS_WEEKS = 5
RUNS_MAX = 400  # stations of one occurrence on one page; a province has under 200


@schedule.get("/lich")
def page() -> ResponseReturnValue:
    day, asked = asked_day()
    monday = day - forms.weekday_of(day)
    known = dict(territories(auth.officer().territory))
    unit = request.args.get("tram", "")
    cells = week_of(monday)
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


def asked_day() -> tuple[int, int | None]:
    """(the day whose week is shown, what was typed if it could be read)."""
    today = local_day(auth.now())
    asked = forms.day_of(request.args.get("tuan", ""))
    return (today if asked is None or not 0 <= asked < 65_000 else asked), asked


def week_of(monday: int) -> list[WeekCell]:
    """The cells of a week in the officer's sight, at the station asked for if there is one."""
    hub = auth.the_hub()
    unit = request.args.get("tram", "")
    known = dict(territories(auth.officer().territory))
    asked = unit if unit in known and unit != hub.config.province else ""
    return [cell for cell in hub.queries.week(monday, unit=asked) if in_sight(cell)]


@schedule.get("/lich.ics")
def ics() -> ResponseReturnValue:
    """Five weeks from the one shown, as a calendar file."""
    hub, (day, _) = auth.the_hub(), asked_day()
    monday = day - forms.weekday_of(day)
    unit = request.args.get("tram", "")
    at_one = unit in dict(territories(auth.officer().territory)) and unit != hub.config.province
    signed = {row.series: row.at for row in hub.queries.all_series()}
    entries = [
        Entry(
            cell.series,
            cell.day,
            unit if at_one else cell.territory,
            at(cell.day, cell.minute),
            cell.length_s,
            cell.title,
            unit_name(unit if at_one else cell.territory),
            f"{class_name(cell.klass)} · {gettext('Lịch số %(n)s', n=cell.series)}",
            signed.get(cell.series, auth.now()),
            cell.state != "active" or cell.declined,
        )
        for n in range(ICS_WEEKS)
        for cell in week_of(monday + n * WEEK)
    ]
    name = gettext("Lịch phát %(place)s", place=unit_name(unit) if at_one else hub.config.name)
    body = calendar_file(entries, name=name, host=f"{hub.config.province}.loa")
    answer = Response(body, content_type=MEDIA_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="lich-{calendar.iso(monday)}.ics"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


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


def in_sight(row: SeriesRow | WeekCell) -> bool:
    """As `auth.in_sight`; of a group, that one of its units is."""
    return any(auth.in_sight(unit) for unit in row.units or (row.territory,))


def load_series(series: int) -> SeriesRow:
    # Two communes may come to one number: `xa` says whose.
    found = auth.the_hub().queries.series(series, unit=request.args.get("xa", "")[:UNIT_CHARS_MAX])
    if not in_sight(found):
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
    runs = [run for run in runs if hears(row, run.unit) and covers(sight[0], run.unit)]
    look, heard = split(runs)
    own, words = apart(runs)
    asked_of = day if day is not None else row.days[0] if row.days else 0
    offer = auth.the_hub().queries.offer(row.series, asked_of, territory=max(sight, key=len))
    later = (
        set()
        if offer is None
        else {
            said.unit for said in offer.answers if not said.worth and said.start_s + row.late_s > auth.now()
        }
    )
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


def hears(row: SeriesRow, unit: str) -> bool:
    """True when the series was ordered for this unit, or for one above it."""
    return any(covers(territory, unit) for territory in row.units or (row.territory,))


def quiet_words(unit: str) -> str:
    """The hours themselves, so that nobody has to guess a minute that will do."""
    first, last = auth.the_hub().facts.quiet_hours(unit)
    return gettext("Giờ yên tĩnh: %(first)s–%(last)s.", first=hm(first), last=hm(last))


def silent(row: SeriesRow, day: int, reported: set[str]) -> list[str]:
    """IT stations that owe a report for this day and have not sent one; none before the slot is over."""
    if row.state != "active" or at(day, row.minute) + row.late_s > auth.now():
        return []
    own = auth.officer().territory
    return sorted(
        unit
        for unit, one in list(auth.the_hub().facts.stations.items())
        if one.fact.kind == "it" and hears(row, unit) and covers(own, unit) and unit not in reported
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
