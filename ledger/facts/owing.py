"""What stations owe an account of over many days, in short: the same answer as `plan.expected`, for reports.

A quarter of a province is some hundred thousand slots, and nearly all stations of it hear the same. So what
a station owes of a day is told as outlines, and stations that owe the same share one tuple: whoever counts
may count it once. A station is asked slot by slot only where something of its own decides: a day on which a
cancellation may have taken a slot back, or on which its first key was granted.

Bound: a pure function of `Facts` as they stand when it is made; make another when they have changed.
"""

from __future__ import annotations

from ledger.facts.calendar import at
from ledger.facts.index import index_of
from ledger.facts.plan import owed
from ledger.facts.slot import Outline
from ledger.facts.state import Facts


class Owing:
    """Asked for one day of one station after the other."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        named = set(facts.cancels)
        self._cancelled = {number for number in named if isinstance(number, int)} | {
            series
            for series, orders in facts.schedules.items()
            if any(order.fact.bulletin in named for order in orders)
        }

    def day(self, unit: str, day: int) -> tuple[Outline, ...]:
        """The slots of a local day that this station owes an account of. The same tuple where the same."""
        index = index_of(self._facts, unit)
        found = index.outlines(day)
        since_s = self._facts.authority.answers_from(unit)
        is_new = since_s is not None and since_s >= at(day)
        if not is_new and self._cancelled.isdisjoint(one.series for one in found):
            return found
        standing = {slot.series for slot in index.day(day) if owed(self._facts, slot)}
        return tuple(one for one in found if one.series in standing)
