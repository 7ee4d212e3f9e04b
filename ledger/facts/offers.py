"""What a commune makes of what it is offered: takes it, moves it within its day, declines it; and its ties.

An offer is a scheduled slot below priority, whoever ordered it. It was approved by four eyes before it was
offered; the commune chooses whether and when. Silence approves nothing: what nobody answers plays at the time
at which it was ordered, because that is what was approved and ordered. Priority items and emergencies are no
offers, and an answer to them changes nothing.

Answers are read in the order of their `ts`, then of their event ids, and never in order of arrival: a station
may learn them before an order of the hub, the hub after it, and both must have one plan.

An answer counts for a slot when it was given to the order that stands (not before that order's `ts`), before
the start that stood until then, and names a start that was still to come. Word on one day weighs more than
word on all days, whichever came first.

Bound: which start stands, and the place among equals. What may play is `judge.py`, what wins `plan.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.facts.calendar import at
from ledger.facts.commune import ARRANGED_MAX, Answer, OfferAnswered, ProgrammeArranged
from ledger.facts.decisions import Klass, Scheduled
from ledger.facts.standing import Order, Standing

if TYPE_CHECKING:
    from ledger.facts.state import Facts

# What an answer is worth for one slot.
DECIDES: Final = ""
NO_OFFER: Final = "no-offer"  # priority or emergency: the commune has no say
OTHER_ORDER: Final = "other-order"  # the series was ordered anew since
TOO_LATE: Final = "too-late"  # the slot had its moment, or the start that it names had
OVERRULED: Final = "overruled"  # another answer decides

PLACE_LAST: Final = ARRANGED_MAX  # of a series that the commune did not put in order


@dataclass(frozen=True)
class Stand:
    """How an offer stands. start_s: UTC s, as answered. by: the answer that decides, None when none does."""

    start_s: int
    declined: bool = False
    by: Standing[OfferAnswered] | None = None


def is_offer(fact: Scheduled | object) -> bool:
    """True when a commune may decline or move what this orders."""
    return isinstance(fact, Scheduled) and fact.klass <= Klass.NORMAL


def stand_of(facts: Facts, order: Standing[Order], day: int, unit: str) -> Stand:
    """How the slot that `order`, a schedule, makes at `unit` on `day` stands."""
    return _read(facts, order, day, unit)[0]


def answers_to(
    facts: Facts, order: Standing[Order], day: int, unit: str
) -> list[tuple[Standing[OfferAnswered], str]]:
    """Every answer of the unit that speaks of this slot, oldest first, and what it is worth (`DECIDES` …)."""
    return _read(facts, order, day, unit)[1]


def arranged(facts: Facts, unit: str, day: int, at_s: float) -> tuple[int, ...]:
    """The series of a day in the order that the unit wished until `at_s`, first first; () when none."""
    wishes = [one for one in facts.arrangements.get((unit, day), ()) if one.fact.ts <= at_s]
    return max(wishes, key=_when).fact.series() if wishes else ()


def _read(
    facts: Facts, order: Standing[Order], day: int, unit: str
) -> tuple[Stand, list[tuple[Standing[OfferAnswered], str]]]:
    fact = order.fact
    if not isinstance(fact, Scheduled):
        return Stand(fact.not_before), []
    stand = Stand(at(day, fact.minute))
    answers = facts.answered.get(unit, {}).get(fact.series)
    if not answers:
        return stand, []
    told: list[tuple[Standing[OfferAnswered], str]] = []
    by_day = False
    for answer in sorted(answers, key=_when):
        said = answer.fact
        if said.day is not None and said.day != day:
            continue
        worth = DECIDES
        named_s = _named(fact, said, day, stand)
        if not is_offer(fact):
            worth = NO_OFFER
        elif said.ts < fact.ts:
            worth = OTHER_ORDER
        elif said.ts >= stand.start_s or said.ts >= named_s:
            worth = TOO_LATE
        elif said.day is None and by_day:
            worth = OVERRULED
        else:
            stand = Stand(named_s, said.answer == Answer.DECLINED, answer)
            by_day = said.day is not None
            told = [(one, OVERRULED if was == DECIDES else was) for one, was in told]
        told.append((answer, worth))
    return stand, told


def _named(fact: Scheduled, said: OfferAnswered, day: int, stand: Stand) -> int:
    """The start that an answer names; one that declines leaves it where it is."""
    if said.answer == Answer.DECLINED:
        return stand.start_s
    return at(day, fact.minute if said.minute is None else said.minute)


def _when(one: Standing[OfferAnswered] | Standing[ProgrammeArranged]) -> tuple[int, bytes]:
    return one.fact.ts, one.signed.id
