"""Lúc 17:00 phát gì, vì sao: for one station and one instant, the winner, and every loser with its reason.

The answer is computed by the very function that the station itself runs (`ledger.facts.plan.explain`), over
the same signed facts; so this page and the loudspeaker cannot disagree about anything but what has not
reached it yet.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from hub.web import auth, forms
from hub.web.choices import territories
from hub.web.tongue import gettext
from hub.web.words import dmy, hm
from ledger.facts import at, local_day, minute_of_day

why = Blueprint("why", __name__)


@why.get("/vi-sao")
def page() -> ResponseReturnValue:
    hub, now, officer = auth.the_hub(), auth.now(), auth.officer()
    stations = [(unit, name) for unit, name in territories(officer.territory) if unit.count(".") >= 2]
    unit = request.args.get("tram", "")
    day_text = request.args.get("ngay", dmy(local_day(now)))
    time_text = request.args.get("luc", hm(minute_of_day(now)))
    day, minute = forms.day_of(day_text), forms.minute_of(time_text)
    errors: dict[str, str] = {}
    if day is None or not 0 <= day < 65_000:
        errors["ngay"] = gettext("Hãy nhập ngày dạng 09/11/2022.")
    if minute is None:
        errors["luc"] = gettext("Hãy nhập giờ dạng 17:05, từ 00:00 đến 23:59.")
    if unit and unit not in dict(stations):
        errors["tram"] = gettext("Hãy chọn một mục trong danh sách.")
    answer = station = run = None
    if unit and not errors and day is not None and minute is not None:
        answer = hub.queries.explain(unit, at(day, minute))
        station = hub.queries.station(unit, now=now)
        if answer.winner is not None:
            slot = answer.winner
            run = next(iter(hub.queries.as_run(unit=unit, series=slot.series, day=slot.day, limit=1)), None)
    return render_template(
        "why.html",
        stations=stations,
        values={
            "tram": unit,
            "ngay": day_text if day is None or "ngay" in errors else dmy(day),
            "luc": time_text if minute is None else hm(minute),
        },
        errors=errors,
        answer=answer,
        station=station,
        run=run,
        series={row.series: row for row in hub.queries.all_series()} if answer else {},
    ), 422 if errors else 200
