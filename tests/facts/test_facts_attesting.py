"""Rule 16: what a person on duty may say of a slot, which word stands, and codes that survive a telephone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations
from typing import Any

import pytest
from facts_desk import LAW_DAY, NOW, PROVINCE, TU_LE, XUAN_AI, Room, approved, manifest, scheduled
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import (
    Attested,
    Cancelled,
    Detail,
    Evidence,
    Means,
    Outcome,
    Right,
    Slot,
    StationRegistered,
    Target,
    at,
    attested,
    code_problem,
    slot_at,
    slot_code,
    slots_of_code,
    unattested,
    wrong_with,
)

FIVE = at(LAW_DAY, 17 * 60)
EVENING = FIVE + 7_200


@pytest.fixture
def fm(room: Room) -> Room:
    """Tú Lệ has a transmitter and nobody who reports; somebody there may attest."""
    room.say("admin", StationRegistered(NOW, TU_LE, "Tú Lệ", "fm"))
    room.grant("root", "duty", Right.ATTEST, TU_LE)
    room.say("approver", approved(1))
    room.say("approver", scheduled(41))
    return room


def slot_of(room: Room, series: int = 41, unit: str = TU_LE, day: int = LAW_DAY) -> Slot:
    found = slot_at(room.facts, unit, series, day)
    assert found is not None
    return found


def word(slot: Slot, **more: Any) -> Attested:
    values: dict[str, Any] = {
        "ts": EVENING, "territory": slot.unit, "series": slot.series, "day": slot.day,
        "content": slot.manifest[:16], "outcome": Outcome.PLAYED, "detail": Detail.NONE,
        "began_at": slot.start_s, "played_ds": 6_000, "means": Means.TELEPHONE, "said_by": "Bà Mỷ",
    }  # fmt: skip
    return Attested(**values | more)


def test_a_word_by_somebody_who_may_attest_stands_for_its_slot(fm: Room) -> None:
    slot = slot_of(fm)
    assert attested(fm.facts, slot) is None
    fm.say("duty", word(slot))
    standing = attested(fm.facts, slot)
    assert standing is not None
    assert (standing.fact.said_by, standing.fact.outcome) == ("Bà Mỷ", Outcome.PLAYED)


def test_a_word_by_a_key_without_that_right_or_for_another_commune_does_not_count(fm: Room) -> None:
    slot = slot_of(fm)
    fm.say("station", word(slot))
    fm.say("duty", word(slot_of(fm, unit=XUAN_AI)))
    assert attested(fm.facts, slot) is None
    assert attested(fm.facts, slot_of(fm, unit=XUAN_AI)) is None
    assert fm.reasons() == ["no-authority", "no-authority"]


def test_of_several_words_the_latest_stands_in_whatever_order_they_arrive(fm: Room) -> None:
    slot = slot_of(fm)
    words = [word(slot, ts=EVENING + n, played_ds=10 * (n + 1)) for n in range(3)]
    for order in permutations(words):
        room = Room()
        for stored in fm.arrived:
            room.take(stored.segment)
        for one in order:
            room.say("duty", one)
        standing = attested(room.facts, slot_of(room))
        assert standing is not None
        assert standing.fact == words[-1]


def test_a_word_on_other_content_says_nothing_of_this_slot(fm: Room) -> None:
    slot = slot_of(fm)
    fm.say("duty", word(slot, content=manifest(7)[:16]))
    assert attested(fm.facts, slot) is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, None),
        ({"began_at": None}, None),
        ({"outcome": Outcome.MISSED, "detail": Detail.POWER, "began_at": None, "played_ds": 0}, None),
        ({"outcome": Outcome.UNKNOWN, "began_at": None, "played_ds": 0}, None),
        ({"series": 42}, "slot-unknown"),
        ({"day": LAW_DAY + 1}, "slot-unknown"),
        ({"territory": XUAN_AI}, "slot-unknown"),
        ({"content": bytes(16)}, "slot-changed"),
        ({"ts": FIVE - 3_601, "began_at": None}, "slot-ahead"),
        ({"outcome": Outcome.SILENT}, "outcome-unknown"),
        ({"outcome": Outcome.SUPPRESSED}, "outcome-unknown"),
        ({"detail": Detail.CLOCK_UNKNOWN}, "outcome-unknown"),
        ({"played_ds": 0}, "length-range"),
        ({"outcome": Outcome.MISSED, "began_at": None}, "length-range"),
        ({"outcome": Outcome.MISSED, "played_ds": 0}, "length-range"),
        ({"began_at": FIVE - 3_601}, "begin-range"),
        ({"began_at": EVENING + 1}, "begin-range"),
    ],
)
def test_what_a_person_on_duty_cannot_have_seen_is_refused(
    fm: Room, more: dict[str, Any], reason: str | None
) -> None:
    slot = slot_of(fm)
    assert wrong_with(word(slot, **more), slot) == reason


def test_what_nobody_attested_is_listed_as_not_confirmed_and_is_no_alarm(fm: Room) -> None:
    slot = slot_of(fm)
    assert unattested(fm.facts, TU_LE, 7, FIVE - 1) == []
    assert unattested(fm.facts, TU_LE, 7, EVENING) == [slot]
    fm.say("duty", word(slot, outcome=Outcome.MISSED, detail=Detail.POWER, began_at=None, played_ds=0))
    assert unattested(fm.facts, TU_LE, 7, EVENING) == []


def test_a_slot_taken_back_before_its_start_is_owed_by_nobody(fm: Room) -> None:
    fm.say("approver", Cancelled(FIVE - 60, Target.SERIES, None, 41, PROVINCE, ""))
    assert unattested(fm.facts, TU_LE, 7, EVENING) == []


def test_an_operators_word_is_the_level_beside_all_that_machines_measure() -> None:
    assert Evidence.OPERATOR_ATTESTED.say("vi") == "người trực xác nhận"
    assert {Evidence.SIGNAL_PRESENT, Evidence.HEARD}.isdisjoint({Evidence.OPERATOR_ATTESTED})


# -- codes ---------------------------------------------------------------------------------------------------


def test_the_code_of_a_slot_finds_it_again_however_it_is_written(fm: Room) -> None:
    slot = slot_of(fm)
    code = slot_code(slot)
    assert len(code) == 10
    assert code[:2] == f"{LAW_DAY % 100:02d}"
    for text in (code, code.replace("-", ""), code.replace("-", " "), f"  {code.replace('-', '.')} "):
        assert slots_of_code(fm.facts, TU_LE, text, EVENING) == [slot]
    assert slots_of_code(fm.facts, XUAN_AI, code, EVENING) != [slot]


def test_a_code_of_an_old_sheet_names_nothing_after_the_plan_was_changed(fm: Room) -> None:
    code = slot_code(slot_of(fm))
    fm.say("approver", approved(2))
    fm.say("approver", scheduled(41, 2))
    assert slots_of_code(fm.facts, TU_LE, code, EVENING) == []
    assert slots_of_code(fm.facts, TU_LE, slot_code(slot_of(fm)), EVENING) == [slot_of(fm)]


def test_a_code_is_good_for_a_quarter(fm: Room) -> None:
    code = slot_code(slot_of(fm))
    assert slots_of_code(fm.facts, TU_LE, code, FIVE + 89 * 86_400) == [slot_of(fm)]
    assert slots_of_code(fm.facts, TU_LE, code, FIVE + 91 * 86_400) == []


@pytest.mark.parametrize("text", ["", "12", "05-4821-5", "05-4821-577", "05-48x1-57", "٠٥-4821-57"])
def test_what_has_not_eight_digits_is_no_code(text: str) -> None:
    assert code_problem(text) == "code-length"


SLOTS = st.builds(
    lambda series, day, content: Slot(
        series, day, TU_LE, 0, 60, bytes([content]) * 32, 2, 0, None, "", False
    ),
    st.integers(1, 2**31 - 1),
    st.integers(0, 65_535),
    st.integers(0, 255),
)


@given(SLOTS)
def test_every_code_passes_its_own_check(slot: Slot) -> None:
    assert code_problem(slot_code(slot)) is None


@given(SLOTS, st.integers(0, 7), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(slot: Slot, place: int, by: int) -> None:
    digits = slot_code(slot).replace("-", "")
    wrong = digits[:place] + str((int(digits[place]) + by) % 10) + digits[place + 1 :]
    assert code_problem(wrong) == "code-check"


@given(SLOTS)
def test_two_swapped_neighbours_are_always_noticed(slot: Slot) -> None:
    digits = slot_code(slot).replace("-", "")
    for place, (left, right) in enumerate(pairwise(digits)):
        if left != right:
            swapped = digits[:place] + right + left + digits[place + 2 :]
            assert code_problem(swapped) == "code-check"


def test_codes_of_one_day_differ_by_commune_series_and_content(fm: Room) -> None:
    slot = slot_of(fm)
    others = [
        replace(slot, unit=XUAN_AI), replace(slot, series=42), replace(slot, manifest=manifest(2)),
        replace(slot, day=LAW_DAY + 1),
    ]  # fmt: skip
    assert len({slot_code(one) for one in (slot, *others)}) == 5
