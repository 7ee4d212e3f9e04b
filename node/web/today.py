"""What plays today and why: the first screen, to be read or read aloud; another day; one slot."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from ledger.facts import local_day
from node.page import dayplan
from node.page.office import Office
from node.page.phrases import Words
from node.page.signs import signs_of
from node.page.trouble import trouble
from node.web.parts import ask

PAGE = Blueprint("today", __name__)
MENU = Words("Hôm nay phát gì", "What plays today")
DAYS_AHEAD_MAX = 14
DAYS_BACK_MAX = 30


@PAGE.get("/")
def page() -> ResponseReturnValue:
    text = request.args.get("ngay", "0")
    shift = int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() and len(text) < 5 else 0
    if not -DAYS_BACK_MAX <= shift <= DAYS_AHEAD_MAX:
        abort(404)

    def look(office: Office) -> dict[str, Any]:
        moment = office.now()
        day = local_day(moment.utc_s) + shift
        lines = dayplan.lines_of(office, day)
        return {
            "day": day, "shift": shift, "lines": lines, "moment": moment, "aloud": dayplan.aloud(lines, day),
            "trouble": trouble(signs_of(office)), "hub_s": office.station.status().sync_ok_s,
        }  # fmt: skip

    return render_template("today.html", **ask(look))


@PAGE.get("/phat/<int:day>/<int:series>")
def why(day: int, series: int) -> ResponseReturnValue:
    def look(office: Office) -> dict[str, Any] | None:
        slot = dayplan.slot_of(office, series, day)
        if slot is None:
            return None
        told = dayplan.why(office, slot)
        others = [(one, dayplan.verdict_words(lost)) for one, lost in told.losers if one.key != slot.key]
        approvals = [
            (one.fact, dayplan.signer_of(office, one.signed.key_id))
            for one in dayplan.approvals_of(office, slot)
        ]
        return {
            "line": dayplan.line_of(office, slot), "slot": slot, "told": told, "others": others,
            "approvals": approvals, "orderer": dayplan.orderer_of(office, slot), "moment": office.now(),
        }  # fmt: skip

    found = ask(look)
    if found is None:
        abort(404)
    return render_template("why.html", **found)
