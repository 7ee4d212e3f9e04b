"""What would happen if this were signed: what a slot would displace, what would displace it, where and when.

The answer is the stations' own. The order is put into a copy of the facts as if it had been signed, and then
`plan.explain` is asked, at every instant that matters, once with it and once without. What won without the
order and yields with it is displaced; where something wins over the order, the order is displaced.

A province's stations mostly hear the same. Stations for which nobody ever decided anything apart (no order,
no answer, no quiet hours, no approval and no cancellation of exactly that unit) have one plan, that of the
unit above; it is asked once and the answer counts for all of them. Days on which nothing is ordered near the
slot need no look. `Outlook` says how many plans and days were looked at: where too much is in the way the
first days are checked for every station, never some stations for all days, and nobody is told more than was
looked at.

Bound: a pure function over facts. It speaks of the plan as signed; power, delivery and sound are the
station's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final

from ledger.facts.calendar import DAY_S, at, has_day, local_day
from ledger.facts.decisions import Approved, EmergencyOrdered, Scheduled
from ledger.facts.index import index_of
from ledger.facts.outcome import Verdict
from ledger.facts.plan import explain, slots, verdict
from ledger.facts.signed import Signed
from ledger.facts.slot import Slot
from ledger.facts.standing import Standing
from ledger.facts.state import Facts

LOOKS_MAX: Final = 4_000  # (plan, day) pairs asked in one answer: a second or two on a small machine
MEETINGS_MAX: Final = 2_000  # kept in one answer; beyond that the count alone
_AFTER_ALL: Final = 1 << 62  # a position after everything that arrived


@dataclass(frozen=True)
class Meeting:
    """The slot meets another on `day` at every one of `units`. wins: the new one does, and `other` yields.

    at_s: UTC s of the instant asked about. why: what the plan says of the one that yields.
    """

    units: tuple[str, ...]
    day: int
    at_s: int
    other: Slot
    wins: bool
    why: Verdict


@dataclass(frozen=True)
class Outlook:
    """silent: units where a rule keeps the slot from playing, whatever else is planned, and the rule.

    units, plans: how many stations, with how many different plans. days_looked of days were looked at: all of
    them, or the first. left_out: meetings beyond those listed.
    """

    meetings: tuple[Meeting, ...]
    silent: tuple[tuple[tuple[str, ...], Verdict], ...]
    units: int
    plans: int
    days: int
    days_looked: int
    left_out: int = 0

    @property
    def yields(self) -> tuple[Meeting, ...]:
        """Where the new slot would have to yield."""
        return tuple(one for one in self.meetings if not one.wins)

    @property
    def displaces(self) -> tuple[Meeting, ...]:
        """Where another would have to yield to it."""
        return tuple(one for one in self.meetings if one.wins)


def suppose(
    facts: Facts, orders: Iterable[Scheduled], signer: bytes, approved: Approved | None = None
) -> Facts:
    """A copy of the facts in which these orders (and this approval) count as signed by `signer`, after all.

    The facts given are not changed. The copy is for asking; nothing more is to be admitted to it.
    """
    new = copy(facts)
    new.indexes = {}
    new.touched = list(facts.touched)
    new.orders, new.schedules = dict(facts.orders), dict(facts.schedules)
    new.series_of = dict(facts.series_of)
    for fact in orders:
        standing = Standing(fact, _signed(fact, signer))
        new.orders[fact.series] = [*new.orders.get(fact.series, ()), standing]
        new.schedules[fact.series] = [*new.schedules.get(fact.series, ()), standing]
        new.series_of[fact.territory] = new.series_of.get(fact.territory, set()) | {fact.series}
    if approved is not None:
        standings = [
            *facts.approvals.get(approved.bulletin, ()),
            Standing(approved, _signed(approved, signer)),
        ]
        new.approvals = {**facts.approvals, approved.bulletin: standings}
    return new


def foresee(
    facts: Facts,
    orders: Sequence[Scheduled],
    units: Sequence[str],
    signer: bytes,
    approved: Approved | None = None,
) -> Outlook:
    """What these orders would meet at these stations. orders: of one series, alike but for their territories,
    which hold the units.
    """
    first = orders[0]
    span = range(first.first_day, first.first_day + 8 * len(first.days))
    days = [day for day in span if has_day(first.first_day, first.days, day)]
    supposed = suppose(facts, orders, signer, approved)
    alike = _by_plan(facts, units)
    silent: list[tuple[tuple[str, ...], Verdict]] = []
    open_: list[tuple[str, ...]] = []
    for same in alike:
        why = _refusal(supposed, same[0], first, days[0])
        if why is None:
            open_.append(same)
        else:
            silent.append((same, why))
    busy = _Busy(facts, first)
    found: list[Meeting] = []
    looked = asked = left_out = 0
    for day in days:
        met_here = [same for same in open_ if busy.on(same[0], day)]
        if looked and asked + len(met_here) > LOOKS_MAX:
            break
        for same in met_here:
            for one in _meetings(facts, supposed, same, day, first):
                if len(found) < MEETINGS_MAX:
                    found.append(one)
                else:
                    left_out += 1
        looked += 1
        asked += len(met_here)
    found.sort(key=lambda one: (one.day, one.at_s, one.other.series, one.units))
    return Outlook(tuple(found), tuple(silent), len(units), len(alike), len(days), looked, left_out)


def _refusal(supposed: Facts, unit: str, order: Scheduled, day: int) -> Verdict | None:
    """The rule that keeps the slot silent at this unit, whatever else is planned."""
    start_s = at(day, order.minute)
    own = next(
        (one for one in slots(supposed, unit, start_s, start_s + 1) if one.series == order.series), None
    )
    return None if own is None else verdict(supposed, own, own.start_s)


class _Busy:
    """On which days anything may share time with the order: never too few, so that the others need no look.

    Orders are read once for each name under which they were given, as sets of days in one integer; what a
    unit moved within its days counts for all of the day.
    """

    def __init__(self, facts: Facts, order: Scheduled) -> None:
        self._facts = facts
        self._base = order.first_day - 1
        self._begin_s = order.minute * 60
        self._end_s = self._begin_s + order.length_s
        self._by_name: dict[str, int] = {}
        self._by_unit: dict[str, int] = {}

    def on(self, unit: str, day: int) -> bool:
        days = self._by_unit.get(unit)
        if days is None:
            days = self._answered(unit)
            for name in self._facts.lineages.names(unit):
                days |= self._named(name)
            self._by_unit[unit] = days
        return bool(days >> (day - self._base) & 1)

    def _named(self, name: str) -> int:
        days = self._by_name.get(name)
        if days is None:
            days = 0
            for series in self._facts.series_of.get(name, ()):
                for order in self._facts.orders.get(series, ()):
                    if order.fact.territory == name:
                        days |= self._of(order.fact)
            self._by_name[name] = days
        return days

    def _answered(self, unit: str) -> int:
        days = 0
        for series in self._facts.answered.get(unit, ()):
            for order in self._facts.orders.get(series, ()):
                if isinstance(order.fact, Scheduled):
                    named = int.from_bytes(order.fact.days, "little")
                    first = order.fact.first_day
                    days |= self._moved(named, first) | self._moved(named, first + 1)
        return days

    def _of(self, fact: Scheduled | EmergencyOrdered) -> int:
        if isinstance(fact, EmergencyOrdered):
            first, last = local_day(fact.not_before) - 1, local_day(fact.expires_at)
            return self._moved((1 << (last - first + 1)) - 1, first)
        days, named = 0, int.from_bytes(fact.days, "little")
        for later in (-1, 0, 1):  # it begins so many days before ours
            begin_s = fact.minute * 60 - later * DAY_S
            if begin_s < self._end_s and self._begin_s < begin_s + fact.length_s:
                days |= self._moved(named, fact.first_day + later)
        return days

    def _moved(self, named: int, first_day: int) -> int:
        """Bits counted from `first_day` as bits counted from our base; what lies before it falls out."""
        shift = first_day - self._base
        return named << shift if shift >= 0 else named >> -shift


def _meetings(
    facts: Facts, supposed: Facts, same: tuple[str, ...], day: int, order: Scheduled
) -> list[Meeting]:
    unit, start_s = same[0], at(day, order.minute)
    end_s = start_s + order.length_s
    index = index_of(facts, unit)
    begins = {
        max(start_s, one.start_s)
        for near in range(day - 1, local_day(end_s) + 1)
        for one in index.outlines(near)
        if one.start_s < end_s and start_s < one.start_s + one.length_s
    }
    found: dict[tuple[int, int], Meeting] = {}
    for at_s in sorted(begins):
        before = explain(facts, unit, at_s).winner
        if before is None or before.key in found:
            continue
        after = explain(supposed, unit, at_s)
        if after.winner is None or after.winner.key == before.key:
            yielding = [why for slot, why in after.losers if slot.series == order.series]
            if yielding:
                found[before.key] = Meeting(same, day, at_s, before, False, yielding[0])
        else:
            why_lost = [why for slot, why in after.losers if slot.key == before.key]
            if why_lost:
                found[before.key] = Meeting(same, day, at_s, before, True, why_lost[0])
    return list(found.values())


def _by_plan(facts: Facts, units: Sequence[str]) -> list[tuple[str, ...]]:
    """The units in groups of one plan: those below the same units for which anything was decided apart."""
    apart = set(facts.series_of) | set(facts.answered) | set(facts.quiet)
    apart |= {unit for unit, _day in facts.arrangements}
    apart |= {one.fact.territory for shelf in facts.cancels.values() for one in shelf}
    apart |= {one.fact.territory for shelf in facts.approvals.values() for one in shelf}
    found: dict[tuple[object, ...], list[str]] = {}
    for unit in units:
        names = facts.lineages.names(unit)  # of the units above it, and of what was merged into them
        found.setdefault(tuple(one for one in names.items() if one[0] in apart), []).append(unit)
    return [tuple(group) for group in found.values()]


def _signed(fact: Scheduled | Approved, signer: bytes) -> Signed:
    return Signed(fact, fact.encode(), signer, bytes(8), 0, _AFTER_ALL)
