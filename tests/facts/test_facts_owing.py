"""What stations owe an account of, told in short for reports: never another answer than slot by slot."""

from __future__ import annotations

from facts_desk import LAW_DAY, OFFICER, PROVINCE, TU_LE, XUAN_AI, Room, approved, scheduled
from hypothesis import given, settings
from test_facts_plan_properties import GRANTS, HISTORIES, History

from ledger.facts import Owing, expected

UNITS = (PROVINCE, TU_LE, XUAN_AI, f"{TU_LE}.01")


@given(history=HISTORIES)
@settings(max_examples=120)
def test_what_is_owed_in_short_is_what_is_owed_slot_by_slot(history: History) -> None:
    room = Room()
    for grant in GRANTS:
        room.say("root", grant)
    for name, fact in history:
        room.say(name, fact)
    owing = Owing(room.facts)
    for unit in UNITS:
        for day in range(LAW_DAY - 1, LAW_DAY + 4):
            assert [(one.series, one.day, one.start_s) for one in owing.day(unit, day)] == [
                (slot.series, slot.day, slot.start_s) for slot in expected(room.facts, [unit], day)
            ]


def test_stations_that_owe_the_same_share_one_answer() -> None:
    room = Room()
    room.grant("root", "lead", OFFICER, PROVINCE)
    room.say("lead", approved())
    room.say("lead", scheduled(1))
    owing = Owing(room.facts)
    assert owing.day(TU_LE, LAW_DAY) is owing.day(XUAN_AI, LAW_DAY)
