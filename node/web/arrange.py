"""Thứ tự: which of a day's items of one class comes first where they fall together. Up, down, and sign.

The order is tried out in the address (`thu_tu`) and signed once, when it is right: a step up or down is only
a look at what would come of it.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from ledger.facts import local_day
from node.page import ordering
from node.page.dayplan import CLASSES
from node.page.office import Office
from node.page.phrases import Words
from node.web.parts import ask, attempt, back, field, person

PAGE = Blueprint("arrange", __name__)
MENU = None  # beside the offers
DAYS_AHEAD_MAX: Final = 7


@PAGE.get("/thu-tu")
def page() -> ResponseReturnValue:
    text = request.args.get("ngay", "0")
    shift = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else -1
    if not 0 <= shift <= DAYS_AHEAD_MAX:
        abort(404)
    wished = _series(request.args.get("thu_tu", ""))

    def look(office: Office) -> dict[str, Any]:
        day = local_day(office.now().utc_s) + shift
        ties = ordering.ties_of(office, day, wished or None)
        steps = {
            (series, down): _joined(ordering.swapped(ties, series, down))
            for series in ties.order
            for down in (False, True)
        }
        return {"ties": ties, "day": day, "shift": shift, "steps": steps, "order": _joined(ties.order)}

    return render_template("arrange.html", classes=CLASSES, days=DAYS_AHEAD_MAX, **ask(look))


@PAGE.post("/thu-tu")
def sign() -> ResponseReturnValue:
    who, order, text = person(), _series(field("thu_tu", 1_000)), field("day", 6)
    if not order or not text.isascii() or not text.isdigit():
        abort(400)
    day = int(text)
    attempt(
        lambda office: ordering.arrange(office, who, day, order),
        Words("Đã ký thứ tự của ngày này.", "The order of this day is signed."),
    )
    today = ask(lambda office: local_day(office.now().utc_s))
    return back("arrange.page", ngay=min(max(day - today, 0), DAYS_AHEAD_MAX))


def _series(text: str) -> tuple[int, ...]:
    """`41.17.5`; () when it is anything else."""
    parts = text.split(".")
    if len(parts) > ordering.ARRANGED_MAX or not all(
        one.isascii() and one.isdigit() and len(one) <= 10 for one in parts
    ):
        return ()
    return tuple(int(one) for one in parts)


def _joined(order: tuple[int, ...]) -> str:
    return ".".join(str(series) for series in order)
