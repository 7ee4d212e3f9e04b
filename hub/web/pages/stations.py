"""Trạm: the wall, one station with what it played lately, registering a station, and its enrolment code.

The code is shown once, on paper-like page, and never again: it is the right to become that station. An FM
station has no return path and so no code; it stands on the wall as FM, never as an alarm.
"""

from __future__ import annotations

from collections import Counter

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.keys import station_keys
from hub.web import auth, forms
from hub.web.acts import once
from hub.web.refusals import errors_of, say
from hub.web.tongue import gettext
from hub.web.wall import in_order, touch
from hub.web.words import nfc
from ledger.facts import NAME_CHARS_MAX, UNIT_CHARS_MAX, covers
from ledger.log import NotAllowed

stations = Blueprint("stations", __name__)

KINDS = ("it", "fm")
RUNS_MAX = 30


@stations.get("/tram")
def page() -> ResponseReturnValue:
    hub, now, officer = auth.the_hub(), auth.now(), auth.officer()
    text = nfc(request.args.get("chu", "")).strip()[: forms.LINE_CHARS_MAX]
    kind = request.args.get("loai", "")
    rows = [
        row
        for row in hub.queries.stations(text=text, kind=kind if kind in KINDS else "", now=now)
        if covers(officer.territory, row.unit)
    ]
    return render_template(
        "stations.html",
        rows=[(row, touch(row, now)) for row in in_order(rows, now)],
        tally=Counter(touch(row, now) for row in rows),
        values={"chu": text, "loai": kind},
        filtered=bool(text or kind),
        noticed=hub.queries.noticed(now),
    )


@stations.get("/tram/<unit>")
def one(unit: str) -> ResponseReturnValue:
    return shown(unit)


def shown(unit: str, errors: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    if not covers(auth.officer().territory, unit):
        abort(404)
    hub, now = auth.the_hub(), auth.now()
    row = hub.queries.station(unit, now=now)
    return (
        render_template(
            "station.html",
            row=row,
            touch=touch(row, now),
            runs=hub.queries.as_run(unit=unit, limit=RUNS_MAX),
            clusters=hub.queries.clusters(unit),
            errors=errors or {},
            six_words=hub.enrolment.words(unit),
            histories=hub.queries.histories(unit),
            keys=station_keys(hub, unit) if auth.officer().role == "admin" else [],
        ),
        status,
    )


@stations.post("/tram/<unit>/ma")
def token(unit: str) -> ResponseReturnValue:
    """A new one-time code, shown on this page only: it is not kept, and a reload asks for another one."""
    officer = auth.needs("admin")
    if not covers(officer.territory, unit):
        abort(404)
    hub = auth.the_hub()
    try:
        made = hub.commands.new_station_token(officer, unit, now=auth.now())
    except NotAllowed as refusal:
        return shown(unit, {"": say(refusal)}, 422)
    row = hub.queries.station(unit, now=auth.now())
    return render_template("token.html", row=row, token=made)


@stations.get("/tram/moi")
def new() -> ResponseReturnValue:
    auth.needs("admin")
    return register_form({"kind": "it", "unit": auth.the_hub().config.province + "."}, {})


def register_form(
    values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    return render_template("register.html", values=values, errors=errors), status


@stations.post("/tram/moi")
def new_post() -> ResponseReturnValue:
    officer = auth.needs("admin")
    reader = forms.Reader(request.form, ("unit", "name", "kind"))
    unit = reader.line("unit", chars_max=UNIT_CHARS_MAX)
    name = reader.line("name", chars_max=NAME_CHARS_MAX)
    kind = reader.choice("kind", KINDS)
    if reader.errors:
        return register_form(reader.values, reader.errors, 422)

    def act() -> str:
        auth.the_hub().commands.register_station(officer, unit, name, kind, now=auth.now())
        flash(gettext("Đã đăng ký %(name)s.", name=name), "ok")
        return url_for("stations.one", unit=unit)

    try:
        return once(act)
    except NotAllowed as refusal:
        errors = errors_of(refusal)
        where = "unit" if refusal.code == "territory-unknown" else ""
        return register_form(reader.values, {where: next(iter(errors.values()))}, 422)
