"""One order: the roll of its stations as it fills, whom to telephone, and the all-clear.

The roll is a small piece of page of its own with an ETag, which the script asks for again; without a script
the page refreshes itself, which it can because it holds no form. The all-clear has a page of its own: a
reason that stands there already, the password, one press.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from flask import abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.emergencies import how_ordered
from hub.roll import Clear, Reply, Roll
from hub.web import auth, forms
from hub.web.acts import once
from hub.web.pages.emergency import emergency
from hub.web.pages.second import piece
from hub.web.refusals import errors_of
from hub.web.tongue import gettext
from hub.web.words import lang
from ledger.facts import REASON_CHARS_MAX, covers, local_day, slot_at, slot_code
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.queries import SeriesRow

__all__ = ["emergency"]

LISTED_MAX: Final = 100  # rows of one list on the page, those to look at first; the call list holds all
CALLS_MAX: Final = 400  # of one page of the call list: twelve sheets of paper
REFRESH_S: Final = 10
SERIES: Final = "<int(max=2147483647):series>"


def load(series: int) -> SeriesRow:
    found = auth.the_hub().queries.series(series)
    if found.kind != "emergency" or not auth.in_sight(found.territory):
        abort(404)
    return found


def in_force(row: SeriesRow) -> bool:
    return row.state == "active" and row.expires_at > auth.now()


@emergency.get(f"/khan-cap/{SERIES}")
def one(series: int) -> ResponseReturnValue:
    hub, row = auth.the_hub(), load(series)
    with hub.lock:
        consent = how_ordered(hub.facts, series)
    proposed = consent.proposed
    return render_template(
        "emergency_one.html",
        row=row,
        in_force=in_force(row),
        consent=consent,
        proposer=None if proposed is None else hub.queries.person(proposed.key_id),
        boards=hub.queries.boards_of_order(row.series),
        refresh_s=REFRESH_S,
        auto=auth.REFRESHED,
        **roll_of(series),
    )


@emergency.get(f"/khan-cap/{SERIES}/tra-loi")
def live(series: int) -> ResponseReturnValue:
    """The roll alone. Unchanged answers cost a 304."""
    load(series)
    shown = roll_of(series)
    roll = cast(Roll, shown["roll"])
    tag = repr([(one.station.unit, one.reply, one.clear, one.refusal, one.run) for one in roll.lines])
    return piece("_answers.html", shown, tag=f"{lang()} {tag}")


def roll_of(series: int) -> dict[str, object]:
    roll = auth.the_hub().queries.roll(series, now=auth.now())
    return {"roll": roll, "Reply": Reply, "Clear": Clear, "listed_max": LISTED_MAX, "series": series}


@emergency.get(f"/khan-cap/{SERIES}/goi-dien")
def call_list(series: int) -> ResponseReturnValue:
    """Whom to telephone, in order, with numbers: to print and to tick off."""
    hub, row, own = auth.the_hub(), load(series), auth.officer().territory
    everybody = [
        line for line in hub.queries.roll(series, now=auth.now()).to_call if covers(own, line.station.unit)
    ]
    asked = request.args.get("tu", "")
    first = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0
    to_call = everybody[first : first + CALLS_MAX]
    codes: dict[str, str] = {}
    with hub.lock:
        for line in to_call:
            unit = line.station.unit
            slot = slot_at(hub.facts, unit, series, day_of(row)) if line.reply == Reply.FM else None
            if slot is not None:
                codes[unit] = slot_code(slot)
    return render_template(
        "emergency_calls.html", row=row, to_call=to_call, first=first, total=len(everybody), codes=codes,
        in_force=in_force(row), Reply=Reply,
        people=hub.phonebook.all(line.station.unit for line in to_call),
    )  # fmt: skip


def day_of(row: SeriesRow) -> int:
    """The local day an order speaks for: that of its beginning."""
    return local_day(row.not_before)


@emergency.get(f"/khan-cap/{SERIES}/bao-yen")
def clear(series: int) -> ResponseReturnValue:
    auth.needs("approver")
    return asked(load(series), {"reason": gettext("Hết nguy hiểm")}, {})


def asked(
    row: SeriesRow, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    return render_template(
        "emergency_clear.html", row=row, values=values, errors=errors, in_force=in_force(row),
        roll=auth.the_hub().queries.roll(row.series, now=auth.now()),
    ), status  # fmt: skip


@emergency.post(f"/khan-cap/{SERIES}/bao-yen")
def all_clear(series: int) -> ResponseReturnValue:
    auth.needs("approver")
    row = load(series)
    reader = forms.Reader(request.form, ("reason", "password"))
    reason = reader.text("reason", chars_max=REASON_CHARS_MAX)
    password = reader.secret("password")
    if reader.errors:
        return asked(row, reader.values, reader.errors, 422)

    def act() -> str:
        proven = auth.prove_again(password)
        auth.the_hub().commands.cancel_emergency(proven, series, reason=reason, now=auth.now())
        flash(gettext("Đã ký lệnh báo yên. Trạm dừng phát lệnh này khi nhận được."), "ok")
        return url_for("emergency.one", series=series)

    try:
        return once(act)
    except NotAllowed as refusal:
        return asked(row, reader.values, errors_of(refusal, {"reason", "password"}.__contains__), 422)
