"""What one station hears, kept ready: its slots by day, resolved from all orders that concern it.

A plan is asked many times a minute and changes a few times a day. So each unit has an index that follows
`Facts`: it re-reads just the series that were touched since, and everything after a grant. Every resolution
is made per unit and from decisions whose territory holds that unit, and from nothing else: a hub that knows
the whole province and a station that was sent only its own share come to the same slots.

A series that nobody ordered for exactly this unit is heard here as it is in the unit above. So an index holds
only the series with an order of its own, and shares the others with the index above: a hub resolves a
province's plan once and not for each of its communes. A unit that was merged has more names than the unit
above it (`lineage.py`); the series ordered under those are its own too.

Bound: which slots exist. Whether one may play is `plan.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ledger.facts.calendar import BITMAP_DAYS_MAX, at, has_day, local_day
from ledger.facts.decisions import EmergencyOrdered, Klass, Scheduled
from ledger.facts.offers import stand_of
from ledger.facts.slot import Outline, Slot
from ledger.facts.standing import Order, Standing
from ledger.facts.state import Facts
from ledger.facts.units import parent

DAYS_KEPT_MAX: Final = 64  # days of slots kept ready per unit; asking for a 65th forgets the others
_BUCKET_DAYS: Final = 32
_BUCKET_BITS: Final = (1 << _BUCKET_DAYS) - 1


class Row(NamedTuple):
    """A slot with what the search for candidates compares."""

    start_s: int
    end_s: int
    begin_until_s: int
    key: tuple[int, int]
    slot: Slot


@dataclass
class Line:
    """One series as one unit hears it: the orders that stand, in order, and those that had no right to it.

    since: the first local day of those orders that reach the unit by a merger only.
    """

    standing: list[Standing[Order]] = field(default_factory=list)
    lost: list[Standing[Order]] = field(default_factory=list)
    since: dict[bytes, int] = field(default_factory=dict)

    def on(self, day: int) -> Standing[Order] | None:
        """The order that has an occurrence on `day`, or None.

        A schedule speaks for all days from its first day on, until a later one of the series speaks; an
        emergency for its own day.
        """
        for order in reversed(self.standing):
            fact = order.fact
            if self.since and day < self.since.get(order.signed.id, 0):
                continue
            if isinstance(fact, Scheduled):
                if fact.first_day <= day:
                    return order if has_day(fact.first_day, fact.days, day) else None
            elif local_day(fact.not_before) == day:
                return order
        return None


def resolve(facts: Facts, series: int, unit: str) -> Line:
    """Who speaks for this series at this unit: later replaces earlier, when its signer has the right to.

    Later is what arrived later. What reaches the unit by a merger only is told to its station after what it
    has; so of a series with such an order, later is what says so itself.
    """
    line = Line()
    heard = [order for order in facts.orders.get(series, ()) if facts.hears(unit, order.fact)]
    if facts.lineages:
        days = {order.signed.id: facts.lineages.since(unit, order.fact.territory) for order in heard}
        line.since = {decision: day for decision, day in days.items() if day}
        if line.since:
            heard.sort(key=lambda order: (order.fact.ts, order.signed.id))
    for order in heard:
        if not line.standing or facts.may_replace(order, line.standing):
            line.standing.append(order)
        else:
            line.lost.append(order)
    return line


def occurrence(facts: Facts, order: Standing[Order], day: int, unit: str) -> Slot:
    """The slot that `order` makes at `unit` on `day`."""
    fact = order.fact
    if isinstance(fact, EmergencyOrdered):
        life_s = fact.expires_at - fact.not_before
        return Slot(
            fact.series,
            day,
            unit,
            fact.not_before,
            life_s,
            fact.manifest,
            int(Klass.EMERGENCY),
            life_s,
            None,
            fact.kind,
            emergency=True,
            decision=order.signed.id,
            level=fact.level,
            drill=fact.drill,
            plays_max=fact.max_plays,
            text=fact.text,
        )
    stand = stand_of(facts, order, day, unit)
    ordered_s = at(day, fact.minute)
    return Slot(
        fact.series,
        day,
        unit,
        stand.start_s,
        fact.length_s,
        fact.manifest,
        fact.klass,
        fact.late_s,
        fact.bulletin,
        _title(facts, fact, unit, day),
        emergency=False,
        decision=order.signed.id,
        on_interrupt=fact.on_interrupt,
        declined=stand.declined,
        moved_from_s=None if stand.start_s == ordered_s else ordered_s,
    )


def _title(facts: Facts, fact: Scheduled, unit: str, day: int) -> str:
    """The title under which this content was approved for the unit, empty when it was not."""
    titles = [
        approval.fact.title
        for approval in facts.approvals.get(fact.bulletin, ())
        if approval.fact.manifest == fact.manifest and facts.hears(unit, approval.fact, day)
    ]
    return titles[-1] if titles else ""


def outline(order: Standing[Order], day: int) -> Outline:
    """The slot that `order` makes on `day`, in short; sorts as slots do: by start, class, series."""
    fact = order.fact
    if isinstance(fact, EmergencyOrdered):
        start_s, rank, length_s = fact.not_before, -int(Klass.EMERGENCY), fact.expires_at - fact.not_before
    else:
        start_s, rank, length_s = at(day, fact.minute), -fact.klass, fact.length_s
    return Outline(start_s, rank, fact.series, day, length_s, fact.manifest[:16])


class UnitIndex:
    """The slots of one unit. Follows `facts`; call `refresh` when `facts.version` has moved."""

    _above: UnitIndex | None
    _hears: frozenset[str]  # every name under which something may be heard here
    _apart: frozenset[str]  # those of them that the unit above has not, or not for the same time

    def __init__(self, facts: Facts, unit: str) -> None:
        self._facts = facts
        self._unit = unit
        self._cursor = 0
        self._rebuild()

    def refresh(self) -> None:
        """Takes in what was touched since the last time."""
        facts = self._facts
        if self._epoch != facts.epoch:
            self._rebuild()
            return
        if self._above is not None:
            self._above = self._index_above()
        for territory, subject in facts.touched[self._cursor :]:
            if territory in self._hears:
                self._forget_days()
                if isinstance(subject, int) and (territory in self._apart or subject in self._lines):
                    self._place(subject)
        self._cursor = len(facts.touched)
        self.version = facts.version

    def _rebuild(self) -> None:
        facts = self._facts
        self._epoch = facts.epoch
        self._cursor = len(facts.touched)
        self.version = facts.version
        self._above = self._index_above()
        names = facts.lineages.names(self._unit)
        above = parent(self._unit)
        shared = {} if above is None else facts.lineages.names(above)
        self._hears = frozenset(names)
        self._apart = frozenset(name for name, span in names.items() if shared.get(name) != span)
        self._lines: dict[int, Line] = {}  # of the series with an order under a name that is not so above
        self._buckets: dict[int, set[int]] = {}
        self._forget_days()
        for name in names:
            if name in self._apart:
                for series in facts.series_of.get(name, ()):
                    self._place(series)

    def _index_above(self) -> UnitIndex | None:
        above = parent(self._unit)
        return None if above is None else index_of(self._facts, above)

    def _forget_days(self) -> None:
        self._days: dict[int, tuple[Slot, ...]] = {}
        self._outlines: dict[int, tuple[Outline, ...]] = {}
        self._orders: list[list[Standing[Order]]] = []
        self._orders_of: int | None = None  # the bucket whose days `_orders` holds
        self._window: tuple[Row, ...] = ()
        self._window_day: int | None = None
        self._open: tuple[Row, ...] = ()
        self._open_from_s = self._open_until_s = 0

    def _place(self, series: int) -> None:
        line = resolve(self._facts, series, self._unit)
        self._lines[series] = line
        for order in line.standing:
            fact = order.fact
            if isinstance(fact, Scheduled):
                first, last = fact.first_day, fact.first_day + len(fact.days) * 8 - 1
            else:
                first = last = local_day(fact.not_before)
            for bucket in range(first // _BUCKET_DAYS, last // _BUCKET_DAYS + 1):
                self._buckets.setdefault(bucket, set()).add(series)

    def line(self, series: int) -> Line:
        """The series as this unit hears it; empty when it does not concern the unit."""
        line = self._lines.get(series)
        if line is None:
            line = Line() if self._above is None else self._above.line(series)
        return line

    def lines(self) -> Iterable[tuple[int, Line]]:
        """Every series that concerns this unit."""
        if self._above is not None:
            for series, line in self._above.lines():
                if series not in self._lines:
                    yield series, line
        yield from self._lines.items()

    def day(self, day: int) -> tuple[Slot, ...]:
        """The slots of one local day, by start, then class, then series."""
        slots = self._days.get(day)
        if slots is None:
            slots = self._build(day)
            if len(self._days) >= DAYS_KEPT_MAX:
                self._days.clear()
            self._days[day] = slots
        return slots

    def _build(self, day: int) -> tuple[Slot, ...]:
        slots = [occurrence(self._facts, order, day, self._unit) for order in self._on(day)]
        return tuple(sorted(slots, key=lambda slot: (slot.start_s, -slot.klass, slot.series)))

    def outlines(self, day: int) -> tuple[Outline, ...]:
        """The slots of `day` in short, in the same order; shared by units that hear the same."""
        ordered = self._ordered(day)
        answered = self._facts.answered.get(self._unit)
        if not answered or not any(one.series in answered for one in ordered):
            return ordered
        return tuple(sorted(self._answered(one) for one in ordered))

    def _answered(self, one: Outline) -> Outline:
        """With the start that the unit itself chose."""
        order = self.line(one.series).on(one.day)
        assert order is not None, "an outline has an order"
        return one._replace(start_s=stand_of(self._facts, order, one.day, self._unit).start_s)

    def _ordered(self, day: int) -> tuple[Outline, ...]:
        """As ordered, whatever was answered: what a unit above answered is its own business."""
        found = self._outlines.get(day)
        if found is None:
            above = () if self._above is None else self._above._ordered(day)
            own = [outline(order, day) for order in self._own(day)]
            hidden = self._lines and any(one.series in self._lines for one in above)
            if own or hidden:
                found = tuple(sorted([*own, *(one for one in above if one.series not in self._lines)]))
            else:
                found = above
            if len(self._outlines) >= DAYS_KEPT_MAX:
                self._outlines.clear()
            self._outlines[day] = found
        return found

    def _on(self, day: int) -> list[Standing[Order]]:
        """The orders that have an occurrence on `day`."""
        own = self._own(day)
        if self._above is None:
            return own
        return [*own, *(order for order in self._above._on(day) if order.fact.series not in self._lines)]

    def _own(self, day: int) -> list[Standing[Order]]:
        """Those of the own series; found for a whole bucket of days at once."""
        number = day // _BUCKET_DAYS
        if self._orders_of != number:
            first = number * _BUCKET_DAYS
            self._orders = [[] for _ in range(_BUCKET_DAYS)]
            for series in self._buckets.get(number, ()):
                line = self._lines[series]
                fact = line.standing[0].fact if len(line.standing) == 1 and not line.since else None
                if isinstance(fact, Scheduled):
                    # Most series have one order: walk the days it names instead of asking for each.
                    bits = int.from_bytes(fact.days, "little") << BITMAP_DAYS_MAX
                    bits = bits >> (first - fact.first_day + BITMAP_DAYS_MAX) & _BUCKET_BITS
                    while bits:
                        lowest = bits & -bits
                        self._orders[lowest.bit_length() - 1].append(line.standing[0])
                        bits ^= lowest
                else:
                    for offset in range(_BUCKET_DAYS):
                        order = line.on(first + offset)
                        if order is not None:
                            self._orders[offset].append(order)
            self._orders_of = number
        return self._orders[day % _BUCKET_DAYS]

    def window(self, day: int) -> tuple[Row, ...]:
        """The slots of this day and the day before: none can be under way, or begin late, after longer."""
        if self._window_day != day:
            self._window = tuple(
                Row(slot.start_s, slot.end_s, slot.begin_until_s, slot.key, slot)
                for slot in (*self.day(day - 1), *self.day(day))
            )
            self._window_day = day
        return self._window

    def could_begin(self, now_s: float) -> tuple[Row, ...]:
        """The slots that could begin at `now_s`: kept until the next window opens or closes.

        A station asks at every tick, and between two edges the answer is the same.
        """
        if not self._open_from_s <= now_s < self._open_until_s:
            day = local_day(now_s)
            rows = self.window(day)
            edges = {at(day), at(day + 1)}.union(*((row.start_s, row.begin_until_s) for row in rows))
            self._open_from_s = max(edge for edge in edges if edge <= now_s)
            self._open_until_s = min(edge for edge in edges if edge > now_s)
            self._open = tuple(row for row in rows if row.start_s <= now_s < row.begin_until_s)
        return self._open


def index_of(facts: Facts, unit: str) -> UnitIndex:
    """The unit's index, up to date."""
    index = facts.indexes.get(unit)
    if index is None:
        index = facts.indexes[unit] = UnitIndex(facts, unit)
    elif index.version != facts.version:
        index.refresh()
    return index
