"""The order of what falls together: a day's items of one class that compete for the air, and who comes first.

    ties_of(office, day)               groups of items that compete, each in the order in which it would play
    forecast(slots, first, now)        when each would begin then, None for what would be lost
    arrange(office, person, day, …)    signed: these series, first first

The commune orders priority items and offers among their equals. It never lifts a class over another: an
item of a higher class comes first whatever is signed here, and so do emergencies, which are on no list.

Bound: only what competes is named in what is signed, so that an item inserted later elsewhere in the day
stands where its own time puts it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from ledger.facts import (
    Facts,
    ProgrammeArranged,
    Slot,
    Standing,
    among_equals,
    arranged,
    at,
    slots,
    verdict,
)
from ledger.log import NotAllowed
from node.page.dayplan import signer_of
from node.page.office import Office, Person

First: TypeAlias = Callable[[Slot], tuple[int, ...]]
SERIES_BYTES: Final = 4
ARRANGED_MAX: Final = 64


@dataclass(frozen=True)
class Item:
    """begins_s: when it would begin, UTC s; None: others would keep it from the air until it is too late."""

    slot: Slot
    begins_s: int | None

    @property
    def title(self) -> str:
        return self.slot.title or f"#{self.slot.series}"


@dataclass(frozen=True)
class Tie:
    """Items of one class that compete, in the order in which they would get the air."""

    klass: int
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Ties:
    """ties: highest class first, then by time. alone: how many items of the day compete with none.

    signed_by, signed_at: of the order in force; "" and 0 when nobody arranged the day. changed: the order
    shown is not the one in force.
    """

    day: int
    ties: tuple[Tie, ...]
    alone: int
    signed_by: str
    signed_at: int
    changed: bool

    @property
    def order(self) -> tuple[int, ...]:
        """The series of all ties, first first: what would be signed."""
        return tuple(item.slot.series for tie in self.ties for item in tie.items)


def ties_of(office: Office, day: int, wished: Sequence[int] | None = None) -> Ties:
    """wished: an order to look at that nobody signed yet; series that do not compete are ignored."""
    facts = office.station.facts
    now_s = max(office.now().utc_s, at(day))
    found = [
        slot
        for slot in slots(facts, office.unit, at(day), at(day + 1))
        if not slot.emergency
        and slot.key not in office.station.plays
        and slot.begin_until_s > now_s
        and verdict(facts, slot, slot.start_s) is None
    ]
    in_force = arranged(facts, office.unit, day, max(now_s, max((s.begin_until_s for s in found), default=0)))
    as_shown, as_is = _first(facts, in_force if wished is None else wished), _first(facts, in_force)
    begins = forecast(found, as_shown, now_s)
    groups = _groups(found)
    ties = tuple(
        Tie(
            group[0].klass, tuple(Item(slot, begins.get(slot.series)) for slot in sorted(group, key=as_shown))
        )
        for group in groups
        if len(group) > 1
    )
    before = [slot.series for group in groups if len(group) > 1 for slot in sorted(group, key=as_is)]
    shown = [item.slot.series for tie in ties for item in tie.items]
    by = _in_force(office, day)
    return Ties(
        day, ties, sum(len(group) == 1 for group in groups),
        "" if by is None else signer_of(office, by.key_id), 0 if by is None else by.fact.ts, shown != before,
    )  # fmt: skip


def swapped(ties: Ties, series: int, down: bool) -> tuple[int, ...]:
    """The order with this series one place later (or earlier) among those it competes with."""
    order: list[int] = []
    for tie in ties.ties:
        row = [item.slot.series for item in tie.items]
        if series in row:
            here = row.index(series)
            there = here + 1 if down else here - 1
            if 0 <= there < len(row):
                row[here], row[there] = row[there], row[here]
        order += row
    return tuple(order)


def arrange(office: Office, person: Person, day: int, order: Sequence[int]) -> None:
    """NotAllowed: order-changed when other items compete now than those shown; and as `office.sign`."""
    ties = ties_of(office, day, order)
    if set(ties.order) != set(order) or not 1 < len(order) <= ARRANGED_MAX:
        raise NotAllowed("order-changed", "the plan has changed meanwhile", hint="look at the new list")
    named = b"".join(series.to_bytes(SERIES_BYTES, "big") for series in ties.order)
    ts = office.now().ts
    standing = _in_force(office, day)
    if standing is not None:
        ts = max(ts, standing.fact.ts + 1)  # two within a second: the later act decides
    office.sign(person, ProgrammeArranged(ts, office.unit, day, named))


def forecast(found: Sequence[Slot], first: First, from_s: float) -> dict[int, int | None]:
    """Series → when it would begin, if each played in full and nothing else came; None: never."""
    waiting, now_s = list(found), from_s
    begins: dict[int, int | None] = {}
    while waiting:
        able = [slot for slot in waiting if slot.start_s <= now_s < slot.begin_until_s]
        if able:
            chosen = min(able, key=lambda slot: (-slot.klass, first(slot)))
            begins[chosen.series] = int(now_s)
            waiting.remove(chosen)
            now_s += chosen.length_s
            continue
        later = [slot for slot in waiting if slot.start_s > now_s]
        begins |= {slot.series: None for slot in waiting if slot.begin_until_s <= now_s}
        waiting, now_s = later, min((slot.start_s for slot in later), default=now_s)
    return begins


def _groups(found: Sequence[Slot]) -> list[list[Slot]]:
    """Of one class, those whose times (until the end, or until they may no longer begin) touch."""
    groups: list[list[Slot]] = []
    until_s = 0
    for slot in sorted(found, key=lambda one: (-one.klass, one.start_s, one.series)):
        if groups and groups[-1][0].klass == slot.klass and slot.start_s < until_s:
            groups[-1].append(slot)
            until_s = max(until_s, slot.end_s)
        else:
            groups.append([slot])
            until_s = slot.end_s
    return groups


def _first(facts: Facts, order: Sequence[int]) -> First:
    """As the plan ranks equals, under this order."""
    places = {series: place for place, series in enumerate(order)}
    return lambda slot: (places.get(slot.series, ARRANGED_MAX), *among_equals(facts, slot))


def _in_force(office: Office, day: int) -> Standing[ProgrammeArranged] | None:
    wishes = office.station.facts.arrangements.get((office.unit, day), [])
    return max(wishes, key=lambda one: (one.fact.ts, one.signed.id), default=None)
