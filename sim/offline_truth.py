"""What really happened in a month without a line, and whether what the station said of it is true.

The record is made by the simulated box and its loudspeaker; nothing the station says of itself goes into it.
A reason that the station cannot know better is true when the record does not contradict it, and each such
leniency is said where it is given.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ledger.facts import Acknowledged, Detail, Outcome, Slot, at, day_from_iso, owed, read, slots

if TYPE_CHECKING:
    from sim.offline import Month

UNIT = "vn.yb.04630"
FIRST_DAY = day_from_iso("2022-11-09")
HERE_S = 60.0  # a box that comes up seconds before a window closes may not begin any more


@dataclass
class Sound:
    """What the loudspeaker did. until_s: when it fell silent. whole: it came to its end by itself."""

    series: int
    day: int
    from_s: float
    offset_ds: int
    until_s: float = 0.0
    whole: bool = False


@dataclass
class Truth:
    """powered, knowing: intervals in which the box had power, and in which it knew the time besides."""

    powered: list[tuple[float, float]] = field(default_factory=list)
    knowing: list[tuple[float, float]] = field(default_factory=list)
    sounds: list[Sound] = field(default_factory=list)
    cuts: int = 0
    cuts_inside: int = 0


@dataclass
class Told:
    """What the month came to. problems: one line each; empty when everything held."""

    seed: int
    clock: str
    slots: int
    outcomes: dict[str, int]
    cuts: int
    cuts_inside: int
    problems: list[str]


def judge(month: Month) -> Told:
    """Holds every owed slot's acknowledgment against what really happened."""
    problems: list[str] = []
    acks = [
        signed.fact
        for stored in month.ledger.since(0)
        for signed in read(stored)
        if signed.key_id == month.keys["node"].key_id and isinstance(signed.fact, Acknowledged)
    ]
    count = Counter((ack.series, ack.day) for ack in acks)
    problems += [f"slot {key} was acknowledged {n} times" for key, n in count.items() if n != 1]
    said = {(ack.series, ack.day): ack for ack in acks}
    wanted = [
        slot
        for slot in slots(month.facts, UNIT, at(FIRST_DAY), at(FIRST_DAY + month.days))
        if owed(month.facts, slot) and slot.begin_until_s > at(FIRST_DAY, 5 * 60)
    ]
    for slot in wanted:
        ack = said.pop(slot.key, None)
        why = "it was never answered for" if ack is None else _untrue(slot, ack, month.truth)
        if why:
            problems.append(f"slot {slot.key}: {why}")
    problems += [f"slot {key} was answered for and never owed" for key in said]
    assert month.station is not None
    key_id = month.keys["node"].key_id
    if month.station.ledger.unreceipted(key_id) or month.station.ledger.pending_count(key_id):
        problems.append("something is still on its way to the hub")
    for ledger in (month.ledger, month.station.ledger):
        problems += [*ledger.verify().problems, *(f"a fork: {one.log}" for one in ledger.forks())]
    if month.ledger.branches():
        problems.append("a history went on twice")
    outcomes = dict(Counter(_words(ack) for ack in acks).most_common())
    truth = month.truth
    return Told(month.seed, month.clock_kind, len(wanted), outcomes, truth.cuts, truth.cuts_inside, problems)


def _words(ack: Acknowledged) -> str:
    detail = Detail(ack.detail)
    name = Outcome(ack.outcome).name.lower()
    return name if detail is Detail.NONE else f"{name} ({detail.name.lower().replace('_', '-')})"


def _untrue(slot: Slot, ack: Acknowledged, truth: Truth) -> str:
    """Why this acknowledgment is not what happened; "" when it is."""
    mine = [one for one in truth.sounds if (one.series, one.day) == slot.key]
    outcome, detail = Outcome(ack.outcome), Detail(ack.detail)
    if sum(one.offset_ds == 0 for one in mine) > 1:
        return "it was begun more than once"
    if outcome in (Outcome.PLAYED, Outcome.PLAYED_LATE):
        return "" if mine and mine[-1].whole else "it did not come to its end"
    if outcome is Outcome.PARTIAL and detail is Detail.POWER:
        return "" if _was_cut(slot, mine, truth) else "the power was not cut in it"
    if outcome is Outcome.INTERRUPTED:
        return "" if mine and not mine[-1].whole else "it was not interrupted"
    if outcome is Outcome.SUPPRESSED and detail in (Detail.BY_EMERGENCY, Detail.BY_HIGHER, Detail.BY_EARLIER):
        others = [one for one in truth.sounds if (one.series, one.day) != slot.key]
        beside = any(one.from_s < slot.begin_until_s and one.until_s > slot.start_s for one in others)
        return "" if beside and not mine else "nothing else had the air"
    if outcome is Outcome.MISSED and detail in (Detail.POWER, Detail.CLOCK_UNKNOWN):
        return _not_away(slot, detail, mine, truth)
    if outcome is Outcome.DECLINED:
        return "" if slot.declined and not mine else "nobody declined it"
    return f"{_words(ack)} is no reason for what happened in this month"


def _was_cut(slot: Slot, mine: list[Sound], truth: Truth) -> bool:
    """In its sound, or while it waited to go on, or between its row and its sound: a row cannot tell."""
    from_s = mine[0].from_s if mine else float(slot.start_s)
    until_s = float(max(slot.begin_until_s, slot.end_s) + slot.length_s)
    if mine and mine[-1].whole:  # in the moment of its end, before that was written
        from_s = until_s = mine[-1].until_s
    return any(from_s - 1 <= end_s <= until_s + 1 for _, end_s in truth.powered)


def _not_away(slot: Slot, detail: Detail, mine: list[Sound], truth: Truth) -> str:
    """Why it is not true that the box was away, or did not know the time; "" when it is."""
    window = (slot.start_s, slot.begin_until_s)
    here_s = _overlap(truth.knowing, *window)
    if mine or here_s > HERE_S:
        return f"it was there for {here_s:.0f} s and knew the time, and began {len(mine)} times"
    powered_s = _overlap(truth.powered, *window)
    # Between two lives that knew the time nobody can say when those were that did not.
    gap = _gap(truth.knowing, slot.start_s)
    mostly_here = 2 * _overlap(truth.powered, *gap) >= gap[1] - gap[0]
    if detail is Detail.POWER:
        return "" if powered_s < window[1] - window[0] or not mostly_here else "it had power"
    return "" if powered_s > here_s or mostly_here else "it had no power"


def _gap(intervals: list[tuple[float, float]], at_s: float) -> tuple[float, float]:
    """The time around an instant in which none of them is."""
    before = max((end_s for _, end_s in intervals if end_s <= at_s), default=at_s)
    after = min((begin_s for begin_s, _ in intervals if begin_s > at_s), default=at_s)
    return before, max(before, after)


def _overlap(intervals: list[tuple[float, float]], from_s: float, until_s: float) -> float:
    return sum(max(0.0, min(until_s, end_s) - max(from_s, begin_s)) for begin_s, end_s in intervals)
