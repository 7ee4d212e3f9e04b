"""What a unit hears, kept ready and shared with its neighbours: never another plan than resolved anew."""

from __future__ import annotations

from facts_desk import LAW_DAY, OFFICER, PROVINCE, TU_LE, XUAN_AI, Room, approved, scheduled
from hypothesis import given, settings
from hypothesis import strategies as st
from test_facts_plan_properties import DAYS, GRANTS, HISTORIES, History

from ledger.facts import Facts, Slot
from ledger.facts.index import DAYS_KEPT_MAX, index_of, occurrence, resolve

UNITS = ("vn", PROVINCE, TU_LE, XUAN_AI, f"{TU_LE}.01")


def resolved_anew(facts: Facts, unit: str, day: int) -> list[Slot]:
    """The day's slots, from every series of the province, without any index."""
    orders = [resolve(facts, series, unit).on(day) for series in facts.orders]
    found = [occurrence(facts, order, day, unit) for order in orders if order is not None]
    return sorted(found, key=lambda slot: (slot.start_s, -slot.klass, slot.series))


@given(history=HISTORIES, asked=st.lists(st.tuples(st.sampled_from(UNITS), DAYS), max_size=12))
@settings(max_examples=120)
def test_an_index_that_follows_says_what_resolving_anew_says(
    history: History, asked: list[tuple[str, int]]
) -> None:
    room = Room()
    for grant in GRANTS:
        room.say("root", grant)
    questions = iter(asked)
    for name, fact in history:
        room.say(name, fact)
        for unit, day in [question for question in [next(questions, None)] if question is not None]:
            assert list(index_of(room.facts, unit).day(day)) == resolved_anew(room.facts, unit, day)
    for unit in UNITS:
        index = index_of(room.facts, unit)
        assert {series for series, line in index.lines() if line.standing or line.lost} == {
            series
            for series in room.facts.orders
            if (line := resolve(room.facts, series, unit)).standing or line.lost
        }
        for series, line in index.lines():
            fresh = resolve(room.facts, series, unit)
            assert (line.standing, line.lost) == (fresh.standing, fresh.lost)
            assert index.line(series) is line
        for day in range(LAW_DAY - 1, LAW_DAY + 4):
            assert list(index.day(day)) == resolved_anew(room.facts, unit, day)
            assert [
                (one.start_s, -one.rank, one.series, one.day, one.length_s, one.content)
                for one in index.outlines(day)
            ] == [
                (slot.start_s, slot.klass, slot.series, slot.day, slot.length_s, slot.manifest[:16])
                for slot in index.day(day)
            ]


def test_units_that_hear_the_same_share_one_outline_and_one_resolution() -> None:
    room = Room()
    room.grant("root", "lead", OFFICER, PROVINCE)
    room.say("lead", approved())
    room.say("lead", scheduled(1))
    here, there = index_of(room.facts, TU_LE), index_of(room.facts, XUAN_AI)
    assert here.outlines(LAW_DAY) is there.outlines(LAW_DAY)
    assert here.line(1) is there.line(1)
    room.say("lead", scheduled(2, minute=18 * 60, territory=TU_LE))
    here, there = index_of(room.facts, TU_LE), index_of(room.facts, XUAN_AI)
    assert [one.series for one in here.outlines(LAW_DAY)] == [1, 2]
    assert [one.series for one in there.outlines(LAW_DAY)] == [1]


def test_outlines_kept_are_bounded() -> None:
    room = Room()
    index = index_of(room.facts, TU_LE)
    for day in range(LAW_DAY, LAW_DAY + 3 * DAYS_KEPT_MAX):
        index.outlines(day)
    assert len(index._outlines) <= DAYS_KEPT_MAX
