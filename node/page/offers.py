"""Offers: what was put on the plan below priority, by the province or the commune, and what people here say.

    offers_of(office)                  the coming week, one row for each series
    offer_of(office, series)           one of them, day by day, with who answered what
    check_move(office, slot, minute)   what would come of it, before anybody signs
    accept, move, decline              signed by the person's key; day None: all days of the series

Nobody has to answer: what is not answered plays when it was ordered, for it was approved and ordered so. What
is too late, no offer, or would stay silent at its new time is refused before it is signed, because a
signature that has no effect misleads the one who gave it.

Bound: acts and reads, each one short call on the station's loop. The rule itself is `ledger.facts.offers`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ledger.content import accept_line
from ledger.facts import (
    DECIDES,
    OVERRULED,
    REASON_CHARS_MAX,
    Answer,
    Detail,
    OfferAnswered,
    Outcome,
    Scheduled,
    Slot,
    Standing,
    Verdict,
    answers_to,
    at,
    calendar,
    clashes,
    is_offer,
    local_day,
    order_of,
    slots,
    verdict,
)
from ledger.log import NotAllowed
from node.page.dayplan import signer_of
from node.page.office import Office, Person

DAYS_SHOWN: Final = 8  # today and a week
CLASHES_SHOWN: Final = 3


@dataclass(frozen=True)
class Said:
    """One answer. worth: why it does not decide for this slot, "" when it does."""

    answer: Answer
    minute: int | None
    all_days: bool
    by: str
    at_s: int
    reason: str
    worth: str


@dataclass(frozen=True)
class Day:
    """One slot on offer. said: oldest first. open: it may be answered. problem: why it stays silent."""

    slot: Slot
    said: tuple[Said, ...]
    open: bool
    problem: Verdict | None

    @property
    def decided(self) -> Said | None:
        return next((one for one in self.said if not one.worth), None)


@dataclass(frozen=True)
class Offer:
    """A series on offer. own: the commune ordered it itself. ordered_by: a name. days: one at least."""

    series: int
    title: str
    klass: int
    own: bool
    ordered_by: str
    manifest: bytes
    length_s: int
    minute: int
    days: tuple[Day, ...]

    @property
    def unanswered(self) -> int:
        return sum(day.open and day.decided is None for day in self.days)


@dataclass(frozen=True)
class Check:
    """What a move would come to. start_s: the new one. refused: why it cannot be, as `move` would refuse.

    clashes: what may play then, of its class or above. begins_s: when it would begin after what is on air
    then; None: too late, it would be lost. cut_s: when something of a higher class takes the air from it.
    """

    slot: Slot
    start_s: int
    refused: NotAllowed | None
    clashes: tuple[Slot, ...]
    begins_s: int | None
    cut_s: int | None


def offers_of(office: Office) -> list[Offer]:
    """The coming week's, by their first day's start; those that wait for an answer before the rest."""
    by_series: dict[int, list[Day]] = {}
    for slot in _coming(office):
        by_series.setdefault(slot.series, []).append(_day(office, slot))
    found = [offer for days in by_series.values() if (offer := _offer(office, days)) is not None]
    return sorted(found, key=lambda one: (not one.unanswered, one.days[0].slot.start_s, one.series))


def offer_of(office: Office, series: int) -> Offer:
    """NotAllowed("offer-unknown")."""
    days = [_day(office, slot) for slot in _coming(office) if slot.series == series]
    offer = _offer(office, days)
    if offer is None:
        raise NotAllowed("offer-unknown", f"series {series} is on offer no more", hint="look at the list")
    return offer


def waiting(office: Office) -> int:
    """How many series of the coming week nobody here has answered."""
    return sum(offer.unanswered > 0 and not offer.own for offer in offers_of(office))


def check_move(office: Office, slot: Slot, minute: int) -> Check:
    """What would come of it if this slot began at `minute` of its day."""
    facts = office.station.facts
    moved = _at(slot, minute)
    others = [
        one
        for one in clashes(
            facts, office.unit, days=[slot.day], minute=minute, length_s=slot.length_s, klass=slot.klass
        )
        if one.key != slot.key
    ]
    begins_s = max((one.end_s for one in others if one.start_s <= moved.start_s), default=moved.start_s)
    cuts = [one.start_s for one in others if one.klass > slot.klass and one.start_s > begins_s]
    in_time = begins_s < moved.begin_until_s
    return Check(
        slot, moved.start_s, _refusal(office, moved), tuple(others[:CLASHES_SHOWN]),
        begins_s if in_time else None, min(cuts, default=None) if in_time else None,
    )  # fmt: skip


def accept(office: Office, person: Person, series: int, day: int | None) -> None:
    """NotAllowed: offer-unknown, offer-too-late, move-past, and what `office.sign` refuses with."""
    _answer(office, person, series, day, Answer.ACCEPTED, None, "")


def move(office: Office, person: Person, series: int, day: int | None, minute: int) -> None:
    """NotAllowed: as `accept`; minute-range, quiet-hours, move-silent."""
    if not 0 <= minute < calendar.DAY_MINUTES:
        raise NotAllowed("minute-range", f"{minute} is no minute of a day", hint="from 00:00 to 23:59")
    _answer(office, person, series, day, Answer.MOVED, minute, "")


def decline(office: Office, person: Person, series: int, day: int | None, reason: str) -> None:
    """NotAllowed: as `accept`; text-empty, for the province reads why; text-…"""
    said = accept_line(reason, what="reason", chars_max=REASON_CHARS_MAX)
    _answer(office, person, series, day, Answer.DECLINED, None, said)


# -- how -----------------------------------------------------------------------------------------------------


def _coming(office: Office) -> list[Slot]:
    """Offers of the coming days that have not had their moment, by start."""
    station, now_s = office.station, office.now().utc_s
    until_s = at(local_day(now_s) + DAYS_SHOWN)
    return [
        slot
        for slot in slots(station.facts, office.unit, now_s, until_s)
        if not slot.emergency and slot.key not in station.plays and is_offer(_order(office, slot).fact)
    ]


def _order(office: Office, slot: Slot) -> Standing[Scheduled]:
    order = order_of(office.station.facts, slot)
    assert order is not None, "a slot of the plan has its order"
    return order  # type: ignore[return-value]  # the slot is no emergency


def _day(office: Office, slot: Slot) -> Day:
    facts = office.station.facts
    said = tuple(
        Said(
            Answer(one.fact.answer), one.fact.minute, one.fact.day is None,
            signer_of(office, one.key_id), one.fact.ts, one.fact.reason, worth,
        )
        for one, worth in answers_to(facts, _order(office, slot), slot.day, office.unit)
    )  # fmt: skip
    found = verdict(facts, slot, slot.start_s)
    problem = None if found is not None and found.outcome is Outcome.DECLINED else found
    return Day(slot, said, _may_answer(problem), problem)


def _may_answer(problem: Verdict | None) -> bool:
    """What cannot play anyway has nothing to be answered; what quiet hours keep silent can be moved."""
    return problem is None or problem.detail is Detail.QUIET


def _offer(office: Office, days: list[Day]) -> Offer | None:
    shown = [day for day in days if day.open]
    if not shown:
        return None
    slot = shown[0].slot
    order = _order(office, slot)
    return Offer(
        slot.series, slot.title or f"#{slot.series}", slot.klass, order.fact.territory == office.unit,
        signer_of(office, order.key_id), slot.manifest, slot.length_s, order.fact.minute, tuple(shown),
    )  # fmt: skip


def _answer(
    office: Office,
    person: Person,
    series: int,
    day: int | None,
    said: Answer,
    minute: int | None,
    reason: str,
) -> None:
    offer = offer_of(office, series)
    meant = [one for one in offer.days if day in (None, one.slot.day)]
    if not meant:
        raise NotAllowed("offer-too-late", "its time has come", hint="answer for another day")
    # It answers what stands, by whichever clock that was ordered; of two answers the later act decides.
    before = [one.at_s + 1 for day_ in meant for one in day_.said if one.worth in (DECIDES, OVERRULED)]
    ts = max(office.now().ts, *(_order(office, one.slot).fact.ts for one in meant), *before)
    if all(one.slot.start_s <= ts for one in meant):
        raise NotAllowed("offer-too-late", "its time has come", hint="answer for another day")
    named = {Answer.ACCEPTED: offer.minute, Answer.MOVED: minute}.get(said)
    if named is not None:
        refusals = [_refusal(office, _at(one.slot, named)) for one in meant]
        if all(refusals):  # of all days those that can be are moved: for today's it may be too late
            found = [one for one in refusals if one is not None]
            raise next((one for one in found if one.code != "move-past"), found[0])
    office.sign(person, OfferAnswered(ts, series, day, said, minute, office.unit, reason))


def _at(slot: Slot, minute: int) -> Slot:
    """The slot if it began at this minute of its day."""
    return replace(slot, start_s=at(slot.day, minute), declined=False)


def _refusal(office: Office, moved: Slot) -> NotAllowed | None:
    """Why this slot would stay silent at its new start."""
    if moved.start_s <= office.now().utc_s:
        return NotAllowed("move-past", "that minute has passed", hint="choose a later one")
    found = verdict(office.station.facts, moved, moved.start_s)
    if found is None:
        return None
    if found.detail is Detail.QUIET:
        first, last = office.station.facts.quiet_hours(office.unit)
        return NotAllowed(
            "quiet-hours", "it would touch the quiet hours", hint=f"quiet from {_hm(first)} to {_hm(last)}"
        )
    return NotAllowed(
        "move-silent", f"it would not play then: {found.say('en')}", hint="choose another minute"
    )


def _hm(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
