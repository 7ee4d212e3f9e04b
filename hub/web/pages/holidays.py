"""Ngày lễ: the table that "not on holidays" means, year by year, with the source of every day.

Anybody at the desk reads it; an administrator adds what was decided since, or strikes a day out. No signed
schedule moves when the table does.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.web import auth, forms
from hub.web.acts import once
from hub.web.refusals import errors_of
from hub.web.tongue import gettext
from hub.web.words import date_of, dmy
from ledger.facts import NAME_CHARS_MAX, local_day
from ledger.log import NotAllowed

holidays = Blueprint("holidays", __name__)

FIELDS = ("day", "name", "source")
YEAR_MIN, YEAR_MAX = 2000, 2100


@holidays.get("/ngay-le")
def page() -> ResponseReturnValue:
    return shown({"day": "", "name": "", "source": ""}, {})


def shown(values: dict[str, object], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    this_year = date_of(local_day(auth.now())).year
    year = min(max(request.args.get("nam", this_year, int), YEAR_MIN), YEAR_MAX)
    table = auth.the_hub().choices.holidays
    return (
        render_template(
            "holidays.html",
            year=year,
            rows=table.of_year(year),
            struck=table.struck(year),
            incomplete=dict(table.incomplete([year])).get(year, ()),
            values=values,
            errors=errors,
        ),
        status,
    )


@holidays.post("/ngay-le")
def add() -> ResponseReturnValue:
    officer = auth.needs("admin")
    reader = forms.Reader(request.form, FIELDS)
    day = reader.day("day")
    name = reader.line("name", chars_max=NAME_CHARS_MAX)
    source = reader.line("source", chars_max=NAME_CHARS_MAX)
    if reader.errors:
        return shown(reader.values, reader.errors, 422)

    def act() -> str:
        auth.the_hub().choices.holidays.add(day, name, source, account=officer.account, now=auth.now())
        flash(gettext("Đã thêm ngày %(day)s vào bảng ngày lễ.", day=dmy(day)), "ok")
        return url_for("holidays.page", nam=date_of(day).year)

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(reader.values, errors_of(refusal, FIELDS.__contains__), 422)


@holidays.post("/ngay-le/<int(max=65535):day>/bo")
def strike(day: int) -> ResponseReturnValue:
    officer = auth.needs("admin")
    auth.the_hub().choices.holidays.strike(day, account=officer.account, now=auth.now())
    flash(gettext("Đã bỏ ngày %(day)s khỏi bảng ngày lễ. Lịch đã ký không đổi.", day=dmy(day)), "ok")
    return redirect(url_for("holidays.page", nam=date_of(day).year), code=303)


@holidays.post("/ngay-le/<int(max=65535):day>/khoi-phuc")
def restore(day: int) -> ResponseReturnValue:
    auth.needs("admin")
    auth.the_hub().choices.holidays.restore(day)
    flash(gettext("Đã khôi phục ngày %(day)s.", day=dmy(day)), "ok")
    return redirect(url_for("holidays.page", nam=date_of(day).year), code=303)
