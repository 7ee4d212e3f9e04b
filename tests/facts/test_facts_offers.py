"""What a commune answers to its offers, and how it orders its ties: the same plan on both sides."""

from __future__ import annotations

from typing import Any

import pytest
from facts_desk import (
    LAW_DAY,
    NOW,
    PROVINCE,
    TU_LE,
    XUAN_AI,
    Room,
    approved,
    arrive,
    manifest,
    scheduled,
    share_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from test_facts_plan_properties import GRANTS, History, World, answered_start, tell

from ledger.facts import (
    Answer,
    Cancelled,
    Detail,
    EmergencyOrdered,
    OfferAnswered,
    Outcome,
    ProgrammeArranged,
    Right,
    Slot,
    Target,
    Verdict,
    answers_to,
    arranged,
    at,
    due,
    explain,
    needed_manifests,
    owed,
    parse,
    slots,
    verdict,
)
from ledger.facts.index import index_of
from ledger.facts.offers import DECIDES, NO_OFFER, OTHER_ORDER, OVERRULED, TOO_LATE

FIVE, HALF_PAST = 17 * 60, 17 * 60 + 30
START = at(LAW_DAY, FIVE)
DECLINED = Verdict(Outcome.DECLINED, Detail.NONE)
WITHDRAWN = Verdict(Outcome.WITHDRAWN, Detail.NONE)


def answer(series: int, said: Answer, minute: int | None = None, **fields: Any) -> OfferAnswered:
    values = {"ts": NOW + 10, "day": LAW_DAY, "territory": TU_LE, "reason": ""} | fields
    return OfferAnswered(series=series, answer=said, minute=minute, **values)


def arrange(*series: int, **fields: Any) -> ProgrammeArranged:
    values = {"ts": NOW + 10, "territory": TU_LE, "day": LAW_DAY} | fields
    return ProgrammeArranged(order=b"".join(one.to_bytes(4, "big") for one in series), **values)


@pytest.fixture
def offered(room: Room) -> Room:
    """Two offers (1, 2) and two priority items (3, 4) of the province, daily at 17:00."""
    room.grant("root", "culture", Right.PROGRAMME, TU_LE)
    room.grant("root", "above", Right.PROGRAMME | Right.GRANT, PROVINCE, depth=2)
    for series in (1, 2, 3, 4):
        klass = 2 if series < 3 else 3
        room.say("approver", approved(series, klass=klass))
        room.say("approver", scheduled(series, series, klass=klass, days=[LAW_DAY, LAW_DAY + 1], late_s=1800))
    return room


def one(room: Room, series: int, day: int = LAW_DAY, unit: str = TU_LE) -> Slot:
    (found,) = [slot for slot in slots(room.facts, unit, at(day), at(day + 1)) if slot.series == series]
    return found


def worth(room: Room, series: int) -> list[str]:
    order = index_of(room.facts, TU_LE).line(series).on(LAW_DAY)
    assert order is not None
    return [said for _, said in answers_to(room.facts, order, LAW_DAY, TU_LE)]


# --- answers ------------------------------------------------------------------------------------------------


def test_an_offer_that_nobody_answers_plays_when_it_was_ordered(offered: Room) -> None:
    assert (one(offered, 1).start_s, one(offered, 1).declined) == (START, False)
    assert verdict(offered.facts, one(offered, 1), START) is None


def test_a_declined_offer_never_plays_and_is_owed_as_declined(offered: Room) -> None:
    offered.say("culture", answer(1, Answer.DECLINED, reason="họp thôn"))
    slot = one(offered, 1)
    assert verdict(offered.facts, slot, START) == verdict(offered.facts, slot, START + 1700) == DECLINED
    assert owed(offered.facts, slot)
    assert due(offered.facts, TU_LE, START, {(2, LAW_DAY), (3, LAW_DAY), (4, LAW_DAY)}) is None
    assert (slot, DECLINED) in explain(offered.facts, TU_LE, START).losers
    # Another day of it, and another commune, are as they were.
    assert not one(offered, 1, LAW_DAY + 1).declined
    assert not one(offered, 1, unit=XUAN_AI).declined


def test_a_moved_offer_begins_at_its_new_minute_under_its_old_name(offered: Room) -> None:
    offered.say("culture", answer(1, Answer.MOVED, HALF_PAST))
    slot = one(offered, 1)
    assert slot.key == (1, LAW_DAY)
    assert (slot.start_s, slot.moved_from_s) == (START + 1800, START)
    assert slot.begin_until_s == START + 3600
    others = {(2, LAW_DAY), (3, LAW_DAY), (4, LAW_DAY)}
    assert due(offered.facts, TU_LE, START + 1799, others) is None
    assert due(offered.facts, TU_LE, START + 1800, others) == slot
    assert (slot, Verdict(Outcome.SUPPRESSED, Detail.REPLACED)) in explain(offered.facts, TU_LE, START).losers


def test_an_offer_moved_into_quiet_hours_stays_silent(offered: Room) -> None:
    offered.say("culture", answer(1, Answer.MOVED, 21 * 60 + 25))
    slot = one(offered, 1)
    assert verdict(offered.facts, slot, slot.start_s) == Verdict(Outcome.SUPPRESSED, Detail.QUIET)


def test_the_latest_answer_decides_and_acceptance_gives_the_ordered_start_back(offered: Room) -> None:
    offered.say("culture", answer(1, Answer.MOVED, HALF_PAST, ts=NOW + 20))
    offered.say("culture", answer(1, Answer.DECLINED, ts=NOW + 10))
    assert one(offered, 1).start_s == START + 1800
    assert worth(offered, 1) == [OVERRULED, DECIDES]
    offered.say("culture", answer(1, Answer.ACCEPTED, ts=NOW + 30))
    assert (one(offered, 1).start_s, one(offered, 1).moved_from_s) == (START, None)


def test_word_on_one_day_weighs_more_than_word_on_all_whichever_came_first(offered: Room) -> None:
    offered.say("culture", answer(1, Answer.ACCEPTED, ts=NOW + 10))
    offered.say("culture", answer(1, Answer.DECLINED, day=None, ts=NOW + 20))
    assert not one(offered, 1).declined
    assert one(offered, 1, LAW_DAY + 1).declined
    offered.say("culture", answer(2, Answer.DECLINED, day=None, ts=NOW + 20))
    offered.say("culture", answer(2, Answer.MOVED, HALF_PAST, ts=NOW + 30))
    assert one(offered, 2).start_s == START + 1800
    assert one(offered, 2, LAW_DAY + 1).declined


@pytest.mark.parametrize("said", list(Answer))
def test_an_answer_that_comes_when_the_slot_had_its_moment_changes_nothing(
    offered: Room, said: Answer
) -> None:
    before = one(offered, 1)
    offered.say("culture", answer(1, said, 19 * 60 if said is Answer.MOVED else None, ts=START))
    assert one(offered, 1) == before
    assert worth(offered, 1) == [TOO_LATE]


def test_what_was_moved_forward_cannot_be_declined_once_it_has_begun(offered: Room) -> None:
    offered.say("culture", answer(1, Answer.MOVED, 8 * 60, ts=at(LAW_DAY, 7 * 60)))
    moved = one(offered, 1)
    offered.say("culture", answer(1, Answer.DECLINED, ts=at(LAW_DAY, 9 * 60)))
    assert one(offered, 1) == moved
    # And what was moved back may still be moved until then.
    offered.say("culture", answer(2, Answer.MOVED, 19 * 60))
    offered.say("culture", answer(2, Answer.MOVED, 18 * 60, ts=START + 60))
    assert one(offered, 2).start_s == at(LAW_DAY, 18 * 60)


def test_nothing_is_moved_to_a_minute_that_has_passed(offered: Room) -> None:
    before = one(offered, 1)
    offered.say("culture", answer(1, Answer.MOVED, 8 * 60, day=None, ts=at(LAW_DAY, 9 * 60)))
    assert one(offered, 1) == before
    assert one(offered, 1, LAW_DAY + 1).start_s == at(LAW_DAY + 1, 8 * 60)


def test_an_answer_to_an_order_says_nothing_of_the_one_that_replaces_it(offered: Room) -> None:
    offered.say("culture", answer(1, Answer.DECLINED, day=None))
    offered.say(
        "approver", scheduled(1, 1, klass=2, days=[LAW_DAY, LAW_DAY + 1], minute=18 * 60, ts=NOW + 11)
    )
    assert (one(offered, 1).declined, one(offered, 1).start_s) == (False, at(LAW_DAY, 18 * 60))
    assert worth(offered, 1) == [OTHER_ORDER]


def test_a_commune_cannot_decline_a_priority_item(offered: Room) -> None:
    before = one(offered, 3)
    offered.say("culture", answer(3, Answer.DECLINED))
    offered.say("culture", answer(3, Answer.MOVED, HALF_PAST, day=None))
    assert one(offered, 3) == before
    assert verdict(offered.facts, before, START) is None
    assert worth(offered, 3) == [NO_OFFER, NO_OFFER]


def test_a_commune_cannot_decline_or_move_an_emergency(offered: Room) -> None:
    order = EmergencyOrdered(
        NOW, 9, "lũ quét", 2, False, manifest(9), "Sơ tán ngay", PROVINCE, START, START + 7200, 3
    )
    offered.say("approver", order)
    before = one(offered, 9)
    offered.say("culture", answer(9, Answer.DECLINED))
    offered.say("culture", answer(9, Answer.MOVED, HALF_PAST))
    assert one(offered, 9) == before
    assert due(offered.facts, TU_LE, START, ()) == before


@pytest.mark.parametrize("name", ["above", "root", "admin", "xuan-ai", "tu-le"])
def test_nobody_answers_or_arranges_for_a_commune_but_who_was_granted_exactly_that(
    offered: Room, name: str
) -> None:
    before = one(offered, 1)
    offered.say(name, answer(1, Answer.DECLINED))
    offered.say(name, arrange(2, 1))
    assert one(offered, 1) == before
    assert arranged(offered.facts, TU_LE, LAW_DAY, START) == ()
    assert offered.reasons() == ["no-authority", "no-authority"]


def test_what_a_unit_above_answers_for_itself_says_nothing_below(offered: Room) -> None:
    offered.say("above", answer(1, Answer.MOVED, HALF_PAST, territory=PROVINCE))
    offered.say("culture", answer(2, Answer.MOVED, 18 * 60))
    for unit in (PROVINCE, TU_LE, XUAN_AI):
        index = index_of(offered.facts, unit)
        told = [(slot.series, slot.start_s) for slot in index.day(LAW_DAY)]
        assert told == [(line.series, line.start_s) for line in index.outlines(LAW_DAY)]
        moved = {series for series, start_s in told if start_s != START}
        assert moved == {PROVINCE: {1}, TU_LE: {2}, XUAN_AI: set()}[unit]


def test_a_moved_slot_that_is_taken_back_before_its_new_start_is_not_owed(offered: Room) -> None:
    offered.say("culture", answer(1, Answer.MOVED, HALF_PAST))
    offered.say("approver", Cancelled(START + 60, Target.SERIES, None, 1, PROVINCE, ""))
    assert not owed(offered.facts, one(offered, 1))


def test_the_content_of_an_offer_is_kept_until_its_day_is_over_wherever_it_is_moved(offered: Room) -> None:
    offered.say("culture", answer(1, Answer.MOVED, 23 * 60 + 59, day=LAW_DAY + 1))
    end = one(offered, 1, LAW_DAY + 1)
    assert manifest(1) in needed_manifests(offered.facts, end.begin_until_s - 1, TU_LE)
    assert manifest(3) not in needed_manifests(offered.facts, end.begin_until_s - 1, TU_LE)


# --- order --------------------------------------------------------------------------------------------------


def order_of(room: Room, now_s: int) -> list[int]:
    """The series in the order in which they would have the air, one after the other."""
    found: list[int] = []
    while (slot := due(room.facts, TU_LE, now_s, {(series, LAW_DAY) for series in found})) is not None:
        found.append(slot.series)
    return found


def test_a_commune_orders_the_ties_of_its_day(offered: Room) -> None:
    assert order_of(offered, START) == [3, 4, 1, 2]
    offered.say("culture", arrange(4, 3))
    assert order_of(offered, START) == [4, 3, 1, 2]
    offered.say("culture", arrange(2, 1, 4, 3, ts=NOW + 20))
    assert order_of(offered, START) == [4, 3, 2, 1]
    offered.say("culture", arrange(3, ts=NOW + 15))
    assert order_of(offered, START) == [4, 3, 2, 1], "the latest by its own time decides"


def test_what_is_named_comes_before_an_earlier_start_of_its_class_and_never_before_a_higher_class(
    offered: Room,
) -> None:
    offered.say("approver", approved(5, klass=2))
    offered.say("approver", scheduled(5, 5, klass=2, minute=FIVE - 5, late_s=3600))
    assert order_of(offered, START) == [3, 4, 5, 1, 2]
    offered.say("culture", arrange(2, 1))
    assert order_of(offered, START) == [3, 4, 2, 1, 5]


def test_an_arrangement_speaks_for_its_own_day_and_from_its_own_time_on(offered: Room) -> None:
    offered.say("culture", arrange(2, 1, ts=START + 60))
    offered.say("culture", arrange(2, 1, day=LAW_DAY + 1))
    assert order_of(offered, START + 59) == [3, 4, 1, 2]
    assert order_of(offered, START + 60) == [3, 4, 2, 1]


def test_a_superior_never_reorders_a_communes_programme(offered: Room) -> None:
    offered.say("culture", arrange(4, 3, 2, 1))
    for name in ("above", "root"):
        offered.say(name, arrange(3, 4, 1, 2, ts=NOW + 60))
        offered.say(name, arrange(3, 4, 1, 2, ts=NOW + 60, territory=PROVINCE))
    assert order_of(offered, START) == [4, 3, 2, 1]
    # What a superior inserts stands where its class puts it, and changes nothing among the rest.
    offered.say("approver", approved(6))
    offered.say("approver", scheduled(6, 6, minute=FIVE - 1))
    assert order_of(offered, START) == [4, 3, 6, 2, 1]


# --- under any mix of decisions -----------------------------------------------------------------------------

MINUTES = st.sampled_from([0, 299, 420, FIVE, HALF_PAST, 1289])
GIVEN = st.sampled_from([NOW - 1, NOW, NOW + 1, NOW + 2, at(LAW_DAY, 420), START - 1, START, START + 60])
CIVIC = st.one_of(
    st.builds(
        lambda series, said, minute, day, ts: answer(
            series, said, minute if said is Answer.MOVED else None, day=day, ts=ts
        ),
        st.integers(1, 3), st.sampled_from([Answer.MOVED, *Answer]), MINUTES,
        st.sampled_from([None, LAW_DAY, LAW_DAY + 1]), GIVEN,
    ),
    st.builds(
        lambda order, day, ts: arrange(*order[:3], day=day, ts=ts),
        st.permutations([1, 2, 3, 4]), st.sampled_from([LAW_DAY, LAW_DAY + 1]), GIVEN,
    ),
)  # fmt: skip
LATER: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        lambda series, ts, minute, klass: scheduled(
            series, series, klass=klass, minute=minute, ts=ts, days=[LAW_DAY, LAW_DAY + 1], late_s=1800
        ),
        st.integers(1, 3), GIVEN, MINUTES, st.integers(1, 3),
    ),
    st.builds(
        lambda series, ts: Cancelled(ts, Target.SERIES, None, series, PROVINCE, ""), st.integers(1, 3), GIVEN
    ),
)  # fmt: skip
ON_OFFER: History = [
    pair
    for series in (1, 2, 3, 4)
    for pair in (
        ("approver", approved(series)),
        (
            "approver",
            scheduled(series, series, klass=2 if series < 3 else 3, days=[LAW_DAY, LAW_DAY + 1], late_s=1800),
        ),
    )
]
OFFERED = st.builds(
    lambda more: ON_OFFER + more,
    st.lists(
        st.tuples(st.sampled_from(["tu-le"] * 5 + ["xuan-ai", "approver"]), CIVIC)
        | st.tuples(st.just("approver"), LATER),
        max_size=10,
    ),
)


@settings(deadline=None, max_examples=150)
@given(OFFERED, st.randoms(use_true_random=False))
def test_the_hub_and_the_station_agree_on_an_answered_offer_in_whichever_order_they_learn_it(
    history: History, rng: Any
) -> None:
    world = World.of(history)
    civic = OfferAnswered | ProgrammeArranged
    answers = [one for one in world.decisions if isinstance(parse(one.events[0]), civic)]
    others = [one for one in world.decisions if one not in answers]
    hub, station = list(others), list(others)
    for segments in (hub, station):
        for said in rng.sample(answers, len(answers)):
            segments.insert(rng.randint(0, len(segments)), said)
    told = tell(arrive([*world.grants, *hub]), TU_LE)
    assert tell(arrive(share_of([*world.grants, *station], TU_LE)), TU_LE) == told


@settings(deadline=None, max_examples=150)
@given(OFFERED, st.booleans())
def test_an_offer_begins_when_the_commune_said_and_everything_else_when_it_was_ordered(
    history: History, followed: bool
) -> None:
    room = Room()
    for grant in GRANTS:
        room.say("root", grant)
    for name, fact in history:
        room.say(name, fact)
        if followed:  # an index that was asked before says the same
            slots(room.facts, TU_LE, at(LAW_DAY), at(LAW_DAY + 2))
    for slot in slots(room.facts, TU_LE, at(LAW_DAY), at(LAW_DAY + 2)):
        said = answered_start(history, slot)
        assert slot.declined == (said is None)
        assert said is None or slot.start_s == said
        assert slot.klass < 3 or slot.moved_from_s is None
        why = verdict(room.facts, slot, slot.start_s)
        assert (why is not None and why.outcome is Outcome.DECLINED) == (slot.declined and why != WITHDRAWN)
    for day in (LAW_DAY, LAW_DAY + 1):
        index = index_of(room.facts, TU_LE)
        planned = [(slot.start_s, slot.series) for slot in index.day(day)]
        assert [(line.start_s, line.series) for line in index.outlines(day)] == planned


@settings(deadline=None, max_examples=150)
@given(OFFERED, st.sampled_from([START, START + 60, START + 1800, at(LAW_DAY + 1, HALF_PAST)]))
def test_no_arrangement_lifts_a_class_over_another(history: History, now_s: int) -> None:
    plain = [one for one in history if not isinstance(one[1], ProgrammeArranged)]
    wished, ordered = (arrive(World.of(told).segments) for told in (history, plain))
    done: set[tuple[int, int]] = set()
    before = 4
    while (slot := due(wished, TU_LE, now_s, done)) is not None:
        first = due(ordered, TU_LE, now_s, done)
        assert first is not None
        assert slot.klass == first.klass <= before
        before = slot.klass
        done.add(slot.key)
    assert due(ordered, TU_LE, now_s, done) is None
