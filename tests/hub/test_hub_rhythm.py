"""A station is late by its own rhythm: two of its own expected contacts, in hours in which it speaks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.rhythm import (
    DAY_S,
    DAYS_KEPT,
    GAPS_KEPT,
    HOUR_S,
    LEAST_S,
    SLACK_S,
    Rhythm,
    expected_s,
    heard,
    is_late,
)
from ledger.facts import at, day_from_iso

DAY = day_from_iso("2022-11-09")


def followed(*instants: int) -> Rhythm:
    found: Rhythm | None = None
    for instant in instants:
        found = heard(found, instant)
    assert found is not None
    return found


def test_a_station_of_every_quarter_of_an_hour_is_late_after_two_of_them() -> None:
    start = at(DAY, 8 * 60)
    rhythm = followed(*(start + 900 * n for n in range(10)))
    last = rhythm.last_at
    assert expected_s(rhythm) == 900
    assert not is_late(rhythm, last + 1_800)
    assert is_late(rhythm, last + 1_800 + SLACK_S + 1)


def test_a_stick_of_every_second_week_is_not_late_for_a_month() -> None:
    start = at(DAY, 9 * 60)
    visits = [start + n * 14 * DAY_S + second for n in range(5) for second in (0, 5, 9)]
    rhythm = followed(*visits)
    assert expected_s(rhythm) == 14 * DAY_S - 9
    assert not is_late(rhythm, rhythm.last_at + 27 * DAY_S)
    assert is_late(rhythm, rhythm.last_at + 29 * DAY_S)


def test_a_station_without_power_at_night_is_not_late_at_night_but_in_the_morning() -> None:
    day_long = [at(day, minute) for day in range(DAY, DAY + 5) for minute in range(5 * 60, 21 * 60, 15)]
    rhythm = followed(*day_long)
    assert not is_late(rhythm, at(DAY + 4, 23 * 60))
    assert not is_late(rhythm, at(DAY + 5, 5 * 60))
    assert is_late(rhythm, at(DAY + 5, 6 * 60))


def test_calls_in_a_hurry_do_not_make_a_station_late_when_it_stops_hurrying() -> None:
    start = at(DAY, 8 * 60)
    rhythm = followed(*(start + 70 * n for n in range(20)))
    assert expected_s(rhythm) == LEAST_S


def test_a_station_that_is_new_is_given_time() -> None:
    start = at(DAY, 8 * 60)
    assert not is_late(followed(start), start + DAY_S)
    assert is_late(followed(start), start + 3 * DAY_S)


def test_one_long_outage_does_not_change_the_rhythm() -> None:
    start = at(DAY, 8 * 60)
    before = [start + 900 * n for n in range(10)]
    after = [before[-1] + 5 * HOUR_S + 900 * n for n in range(2)]
    assert expected_s(followed(*before, *after)) == 900


@given(st.lists(st.integers(0, 40 * DAY_S), min_size=1, max_size=60), st.integers(0, 60 * DAY_S))
def test_a_rhythm_is_bounded_and_once_late_is_late_until_heard(instants: list[int], wait: int) -> None:
    rhythm = followed(*(at(DAY) + one for one in instants))
    assert len(rhythm.gaps) <= GAPS_KEPT
    assert len(rhythm.days) <= DAYS_KEPT
    assert not is_late(rhythm, rhythm.last_at)
    if is_late(rhythm, rhythm.last_at + wait):
        assert is_late(rhythm, rhythm.last_at + wait + 7_200)
    assert heard(rhythm, rhythm.last_at) == rhythm
