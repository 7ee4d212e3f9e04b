"""Báo cáo: a period, a territory or group, a category; then the figures, on the screen and as files.

The form asks by GET, so an address is a report that can be sent to a colleague. Files are asked for with the
digest of what is on the screen: as long as this process remembers that report, the file is the very one, even
if stations reported something in between.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date
from typing import Any, Final, cast

from flask import Blueprint, Response, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from hub.report_rows import Ask, Report
from hub.reporting import ask_for, report
from hub.web import auth, choices, forms
from hub.web.refusals import errors_of
from hub.web.report_files import csv_bytes, xlsx_bytes
from hub.web.report_meanings import definitions
from hub.web.report_words import about, anchors, bar, file_stem, sheets
from hub.web.targets import group_members
from hub.web.tongue import gettext
from hub.web.words import EPOCH, date_of, dmy
from ledger.facts import local_day
from ledger.log import NotAllowed

reports = Blueprint("reports", __name__)

KEPT_MAX: Final = 8  # reports remembered; one of a province is well below a megabyte
SCREEN_ROWS_MAX: Final = 400  # of one table on the screen; the files have all of them
QUARTERS: Final = 8
MONTHS: Final = 3
FIELDS: Final = ("ky", "tu", "den", "diaban", "linhvuc", "dot")
GROUP: Final = "nhom:"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Kept:
    """The last reports, by what was asked and by digest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reports: OrderedDict[tuple[Ask, int], Report] = OrderedDict()

    def find(self, ask: Ask, *, position: int | None = None, digest: str = "") -> Report | None:
        with self._lock:
            if position is not None:
                return self._reports.get((ask, position))
            for (asked, _), kept in reversed(self._reports.items()):
                if asked == ask and kept.digest == digest:
                    return kept
        return None

    def keep(self, made: Report) -> None:
        with self._lock:
            self._reports[made.ask, made.position] = made
            if len(self._reports) > KEPT_MAX:
                self._reports.popitem(last=False)


@reports.get("/bao-cao")
def page() -> ResponseReturnValue:
    """The form; with a period in the address, the report below it."""
    values = {name: request.args.get(name, "").strip()[: forms.LINE_CHARS_MAX] for name in FIELDS}
    asked = bool(values["ky"] or values["tu"] or values["den"])
    if not asked:
        values["ky"] = periods()[0][0]
        return shown(values, {}, None)
    errors: dict[str, str] = {}
    ask = read_ask(values, errors)
    if ask is None:
        return shown(values, errors, None, 422)
    return shown(values, {}, made(ask))


@reports.get("/bao-cao/tep.<form>")
def file(form: str) -> ResponseReturnValue:
    """The report as xlsx, csv or txt (the canonical text that the digest is over)."""
    if form not in ("xlsx", "csv", "txt"):
        abort(404)
    values = {name: request.args.get(name, "").strip()[: forms.LINE_CHARS_MAX] for name in FIELDS}
    ask = read_ask(values, {})
    if ask is None:
        abort(400)
    found = kept().find(ask, digest=request.args.get("ma", "")) or made(ask)
    if form == "xlsx":
        data, kind = xlsx_bytes(found), XLSX
    elif form == "csv":
        data, kind = csv_bytes(found), "text/csv; charset=utf-8"
    else:
        data, kind = found.canonical(), "text/plain; charset=utf-8"
    name = f"{file_stem(found.ask)}-{found.digest[:8]}.{form}"
    return Response(
        data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


# -- asking --------------------------------------------------------------------------------------------------


def kept() -> Kept:
    return cast(Kept, current_app.extensions.setdefault("loa_reports", Kept()))


def made(ask: Ask) -> Report:
    """From memory while the ledger stands where it stood."""
    hub = auth.the_hub()
    found = kept().find(ask, position=hub.ledger.position())
    if found is None:
        found = report(hub, ask)
        kept().keep(found)
    return found


def read_ask(values: dict[str, str], errors: dict[str, str]) -> Ask | None:
    """What the form asks; None with a sentence for each field that is wrong."""
    hub, officer = auth.the_hub(), auth.officer()
    if values["ky"] and values["ky"] not in {name for name, _ in periods()}:
        errors["ky"] = gettext("Hãy chọn một mục trong danh sách.")
    span = span_of(values["ky"]) if values["ky"] and not errors else None
    if not values["ky"]:
        found = [forms.day_of(values[name]) for name in ("tu", "den")]
        for name, day in zip(("tu", "den"), found, strict=True):
            if day is None or day < 0:
                errors[name] = gettext("Hãy nhập ngày dạng 09/11/2022.")
        span = (found[0] or 0, found[1] or 0)
    values["diaban"] = values["diaban"] or officer.territory
    if values["diaban"] not in {unit for unit, _ in places()}:
        errors["diaban"] = gettext("Hãy chọn một mục trong danh sách.")
    if values["dot"] and values["dot"] not in {name for name, _ in hub.queries.campaigns()}:
        errors["dot"] = gettext("Hãy chọn một mục trong danh sách.")
    if values["linhvuc"] and values["linhvuc"] not in {slug for slug, _ in choices.categories()}:
        errors["linhvuc"] = gettext("Hãy chọn một mục trong danh sách.")
    if errors or span is None:
        return None
    try:
        return ask_for(
            hub, first_day=span[0], last_day=span[1], now=auth.now(), category=values["linhvuc"],
            campaign=values["dot"], bulletins=hub.queries.of_campaign(values["dot"]) if values["dot"] else (),
            **place_of(values["diaban"]),
        )  # fmt: skip
    except NotAllowed as refusal:
        errors["ky" if values["ky"] else "tu"] = next(iter(errors_of(refusal).values()))
        return None


def places() -> list[tuple[str, str]]:
    """(value, word): the territory, its groups of stations, and each station."""
    own = auth.officer().territory
    whole, *stations = choices.territories(own)
    groups = [
        (f"{GROUP}{one.id}", gettext("Nhóm: %(name)s", name=one.name))
        for one in auth.the_hub().choices.groups.all(own)
    ]
    return [whole, *groups, *stations]


def place_of(value: str) -> dict[str, Any]:
    """A choice of `places` as what a report asks: a group by the stations it is made of now."""
    if not value.startswith(GROUP):
        return {"territory": value}
    group = auth.the_hub().choices.groups.one(int(value.removeprefix(GROUP)))
    return {"territory": group.territory, "group": group.name, "units": group_members(group)}


def periods() -> list[tuple[str, str]]:
    """(value, word): quarters, the latest with a whole day behind it first; then months, then years."""
    last = date_of(local_day(auth.now()) - 1)
    found = []
    year, quarter = last.year, (last.month - 1) // 3 + 1
    for _ in range(QUARTERS):
        found.append((f"{year}-q{quarter}", gettext("Quý %(quarter)d/%(year)d", quarter=quarter, year=year)))
        year, quarter = (year, quarter - 1) if quarter > 1 else (year - 1, 4)
    year, month = last.year, last.month
    for _ in range(MONTHS):
        found.append((f"{year}-{month:02d}", gettext("Tháng %(month)d/%(year)d", month=month, year=year)))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    for back in range(2):
        found.append((str(last.year - back), gettext("Năm %(year)d", year=last.year - back)))
    return found


def span_of(name: str) -> tuple[int, int]:
    """First and last day of a period as `periods` names it."""
    year, _, part = name.partition("-")
    first, months = 1, 12
    if part.startswith("q"):
        first, months = 3 * int(part[1:]) - 2, 3
    elif part:
        first, months = int(part), 1
    begin = date(int(year), first, 1)
    after = first + months
    end = date(int(year) + (after - 1) // 12, (after - 1) % 12 + 1, 1)
    return (begin - EPOCH).days, (end - EPOCH).days - 1


# -- showing -------------------------------------------------------------------------------------------------


def shown(
    values: dict[str, str], errors: dict[str, str], found: Report | None, status: int = 200
) -> ResponseReturnValue:
    printing = request.args.get("in") == "1"
    return render_template(
        "report.html", values=values, errors=errors, report=found, periods=periods(),
        territories=places(), categories=choices.categories(),
        campaigns=[name for name, _ in auth.the_hub().queries.campaigns()],
        sheets=sheets(found) if found else [], about=about(found.ask) if found else [],
        anchors=anchors(found) if found else [], definitions=definitions() if found else [],
        printing=printing, rows_max=None if printing else SCREEN_ROWS_MAX,
        asked={name: value for name, value in values.items() if value},
        through=dmy(found.ask.last_day) if found else "",
        bar=bar(found) if found else [],
        more=found.table("totals").figure("missed_more", "count") if found else 0,
    ), status  # fmt: skip
