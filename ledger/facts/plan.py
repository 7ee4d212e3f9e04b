"""What plays here at this instant, and why not the others. One answer, at the hub and at the station.

Everything is a pure function of `Facts`, a unit and an instant. `judge.py` says which slots may play; among
those the first of `rank` wins. Only decisions whose territory holds the unit are looked at, so a hub and a
station that know different amounts agree on the station.

Two questions share one search. Without `done`, `explain` speaks of the plan as signed: whose planned time
holds the instant. With `done` (the (series, day) pairs that began, ended, or cannot begin because their
content is not here), it speaks of what could begin now, late starts included; `due` is its winner.

What a commune answered to an offer is part of its slots (`offers.py`): declined ones never play, moved ones
begin at the minute it chose. Among slots of one class it chooses the order too, and never across classes.

Bound: circumstances (power, delivery, device, clock, what is on air) are the station's.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ledger.facts.calendar import has_day, local_day
from ledger.facts.decisions import Cancelled, EmergencyOrdered, Scheduled
from ledger.facts.index import Row, UnitIndex, index_of, occurrence
from ledger.facts.judge import Judged, judge, suppressed, taken_back_at
from ledger.facts.offers import PLACE_LAST, arranged
from ledger.facts.outcome import Detail, Verdict
from ledger.facts.slot import Slot
from ledger.facts.standing import NO_AUTHORITY, Order, Standing
from ledger.facts.state import Facts

Rank: TypeAlias = tuple[int, int, int, int, int, int, int]
Done: TypeAlias = Container[tuple[int, int]]


@dataclass(frozen=True)
class Explanation:
    """What plays at a unit at an instant, and each other candidate with what kept it silent."""

    unit: str
    instant_s: float
    winner: Slot | None
    losers: tuple[tuple[Slot, Verdict], ...]


@dataclass(frozen=True)
class Withdrawal:
    """A cancellation that counts at a unit, and the series there whose slots it takes away."""

    cancel: Standing[Cancelled]
    series: tuple[int, ...]


def slots(facts: Facts, unit: str, from_s: float, until_s: float) -> list[Slot]:
    """Every occurrence planned for the unit with from_s ≤ start < until_s, whether it may play or not."""
    index = index_of(facts, unit)
    return [
        slot
        for day in range(local_day(from_s), local_day(until_s) + 1)
        for slot in index.day(day)
        if from_s <= slot.start_s < until_s
    ]


def verdict(facts: Facts, slot: Slot, at_s: float) -> Verdict | None:
    """Why the slot must not begin at `at_s`; None when it may. Late windows and rank are not its business."""
    return judge(facts, index_of(facts, slot.unit), slot, at_s).verdict


def due(facts: Facts, unit: str, now_s: float, done: Done) -> Slot | None:
    """The slot that should begin now, or None.

    done: (series, day) of slots that must not be considered: begun, ended, or without their content here.
    """
    index = index_of(facts, unit)
    rows = _could_begin(index, now_s, done)
    if not rows:
        return None
    winner = _winner(facts, unit, now_s, [judge(facts, index, row.slot, now_s) for row in rows])
    return winner.slot if winner else None


def explain(facts: Facts, unit: str, instant_s: float, done: Done | None = None) -> Explanation:
    """Winner and losers at an instant: of the plan as signed, or (with `done`) of what could begin now."""
    index = index_of(facts, unit)
    if done is None:
        rows = [row for row in index.window(local_day(instant_s)) if row.start_s <= instant_s < row.end_s]
    else:
        rows = _could_begin(index, instant_s, done)
    judged = []
    for row in rows:
        # In the plan as signed a scheduled slot begins at its minute; an emergency is judged where we stand.
        at_s = row.start_s if done is None and not row.slot.emergency else instant_s
        judged.append(judge(facts, index, row.slot, at_s))
    winner = _winner(facts, unit, instant_s, judged)
    # A rightful order's words signed again by somebody else are not a second candidate.
    rightful = [row.slot for row in rows]
    losers = [one for one in _refused_here(facts, index, unit, instant_s) if one[0] not in rightful]
    if done is None:
        losers += _moved_away(index, instant_s, rightful)
    for one in judged:
        if one.verdict is not None:
            losers.append((one.slot, one.verdict))
        elif winner is not None and one is not winner:
            losers.append((one.slot, _lost_to(winner.slot, one.slot)))
    losers.sort(key=_loser_order)
    return Explanation(unit, instant_s, winner.slot if winner else None, tuple(losers))


def rank(judged: Judged, place: int = PLACE_LAST) -> Rank:
    """Class, then the commune's order, then planned start, approval, series; between emergencies level, then
    the newest. place: that of its series in the commune's order of its day.
    """
    slot = judged.slot
    if slot.emergency:
        return -slot.klass, -slot.level, -judged.position, 0, slot.start_s, 0, slot.series
    return -slot.klass, 0, 0, place, slot.start_s, judged.position, slot.series


def order_of(facts: Facts, slot: Slot) -> Standing[Order] | None:
    """The order that made this slot, as long as it speaks for its day."""
    order = index_of(facts, slot.unit).line(slot.series).on(slot.day)
    return order if order is not None and order.signed.id == slot.decision else None


def among_equals(facts: Facts, slot: Slot) -> tuple[int, int, int]:
    """How scheduled slots of one class stand when nobody arranged them, first first: as `rank` has it."""
    _, _, _, _, *rest = rank(judge(facts, index_of(facts, slot.unit), slot, slot.start_s))
    return rest[0], rest[1], rest[2]


def expected(facts: Facts, units: Iterable[str], day: int) -> list[Slot]:
    """Every slot of a local day for which these stations owe an acknowledgment, by unit, then start."""
    return [slot for unit in sorted(units) for slot in index_of(facts, unit).day(day) if owed(facts, slot)]


def owed(facts: Facts, slot: Slot) -> bool:
    """True unless the slot was taken back before its start (its withdrawal is acknowledged instead), or could
    no longer begin when the unit's first station key was granted. Without a key, as at an FM station, an
    operator owes it.
    """
    since_s = facts.authority.answers_from(slot.unit)
    if since_s is not None and slot.begin_until_s <= since_s:
        return False
    taken_back_s = taken_back_at(facts, index_of(facts, slot.unit), slot)
    return taken_back_s is None or taken_back_s >= slot.start_s


def withdrawals(facts: Facts, unit: str) -> tuple[Withdrawal, ...]:
    """The cancellations a station answers for with WithdrawalSeen, in order.

    A cancellation that takes nothing back here, because what it names was decided above its signer, is left
    out; one that names nothing known here is listed, with the series it would silence, if any.
    """
    index = index_of(facts, unit)
    found = []
    for cancels in facts.cancels.values():
        for cancel in cancels:
            series = _taken_back_by(facts, index, cancel, unit)
            if series is not None:
                found.append(Withdrawal(cancel, series))
    return tuple(sorted(found, key=lambda one: one.cancel.position))


# --- how ---------------------------------------------------------------------------------------------------


def _could_begin(index: UnitIndex, now_s: float, done: Done) -> list[Row]:
    return [row for row in index.could_begin(now_s) if row.key not in done]


def _winner(facts: Facts, unit: str, at_s: float, judged: Iterable[Judged]) -> Judged | None:
    places: dict[int, tuple[int, ...]] = {}

    def place(slot: Slot) -> int:
        wished = places.get(slot.day)
        if wished is None:
            wished = places[slot.day] = arranged(facts, unit, slot.day, at_s)
        return wished.index(slot.series) if slot.series in wished else PLACE_LAST

    able = (one for one in judged if one.verdict is None)
    return min(able, key=lambda one: rank(one, place(one.slot)), default=None)


def _moved_away(index: UnitIndex, at_s: float, present: list[Slot]) -> list[tuple[Slot, Verdict]]:
    """Offers that were ordered for this instant and that the commune moved: operators ask for these too."""
    return [
        (row.slot, suppressed(Detail.REPLACED))
        for row in index.window(local_day(at_s))
        if row.slot.moved_from_s is not None
        and row.slot.moved_from_s <= at_s < row.slot.moved_from_s + row.slot.length_s
        and row.slot not in present
    ]


def _lost_to(winner: Slot, slot: Slot) -> Verdict:
    if winner.emergency and not slot.emergency:
        return suppressed(Detail.BY_EMERGENCY)
    if (winner.klass, winner.level) > (slot.klass, slot.level):
        return suppressed(Detail.BY_HIGHER)
    return suppressed(Detail.BY_NEWER if winner.emergency else Detail.BY_EARLIER)


def _loser_order(loser: tuple[Slot, Verdict]) -> tuple[int, int, int, int, bytes]:
    slot = loser[0]
    return slot.start_s, -slot.klass, slot.series, slot.day, slot.decision


def _refused_here(facts: Facts, index: UnitIndex, unit: str, at_s: float) -> list[tuple[Slot, Verdict]]:
    """Orders for this unit and instant that their signers had no right to give: operators ask for these."""
    orders: list[Standing[Order]] = [order for _, line in index.lines() for order in line.lost]
    for signed, reason in facts.refused:
        fact = signed.fact
        if (
            reason == NO_AUTHORITY
            and isinstance(fact, Scheduled | EmergencyOrdered)
            and facts.hears(unit, fact, local_day(at_s))
        ):
            orders.append(Standing(fact, signed))
    found = []
    for order in orders:
        for day in (local_day(at_s) - 1, local_day(at_s)):
            if _names_day(order.fact, day):
                slot = occurrence(facts, order, day, unit)
                if slot.start_s <= at_s < slot.end_s:
                    found.append((slot, suppressed(Detail.NO_AUTHORITY)))
    return found


def _names_day(order: Order, day: int) -> bool:
    if isinstance(order, Scheduled):
        return has_day(order.first_day, order.days, day)
    return local_day(order.not_before) == day


def _taken_back_by(
    facts: Facts, index: UnitIndex, cancel: Standing[Cancelled], unit: str
) -> tuple[int, ...] | None:
    """The series at `unit` that this cancellation silences, or None when it does not count there."""
    fact = cancel.fact
    if not facts.hears(unit, fact):
        return None
    if fact.bulletin is not None:
        approvals = facts.approvals.get(fact.bulletin, ())
        known = [facts.withdraws(cancel, one, unit) for one in approvals if facts.hears(unit, one.fact)]
        series = tuple(
            sorted(
                number
                for number, line in index.lines()
                for order in line.standing[-1:]
                if isinstance(order.fact, Scheduled) and order.fact.bulletin == fact.bulletin
            )
        )
    else:
        assert fact.series is not None, "parse names exactly one target"
        known = [facts.withdraws(cancel, order, unit) for order in index.line(fact.series).standing]
        series = (fact.series,) if known else ()
    return series if any(known) or not known else None
