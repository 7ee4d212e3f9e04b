"""Units and the calendar: names compared by label, days and minutes as Vietnam counts them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import (
    ancestors,
    at,
    covers,
    day_from_iso,
    days_of,
    has_day,
    is_unit,
    iso,
    label,
    local_day,
    minute_of_day,
    pack_days,
    parent,
)

UNITS = st.lists(st.sampled_from(["vn", "yb", "0463", "04630", "a-b", "x_1"]), min_size=1, max_size=5).map(
    ".".join
)
DAYS = st.integers(0, 60_000)


@pytest.mark.parametrize("text", ["vn", "vn.yb", "vn.yb.04630", "vn.yb.04630.c-12", "45"])
def test_a_path_of_labels_is_a_unit(text: str) -> None:
    assert is_unit(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "vn.",
        ".vn",
        "vn..yb",
        "VN",
        "vn.Yên",
        "vn yb",
        "-",
        "vn.-a",
        "vn\n",
        "a" * 33,
        "vn.٠",
        ".".join("a" * 9),
    ],
)
def test_anything_else_is_no_unit(text: str) -> None:
    assert not is_unit(text)


def test_territory_is_compared_by_whole_label() -> None:
    assert covers("vn.yb", "vn.yb")
    assert covers("vn.yb", "vn.yb.04630")
    assert not covers("vn.yb.0463", "vn.yb.04630")
    assert not covers("vn.yb.04630", "vn.yb")
    assert not covers("", "vn.yb")


@given(UNITS, UNITS)
def test_a_unit_covers_exactly_those_it_is_an_ancestor_of(outer: str, inner: str) -> None:
    assert covers(outer, inner) == (outer in ancestors(inner))


@given(UNITS)
def test_ancestors_go_from_the_outermost_unit_to_itself(unit: str) -> None:
    above = ancestors(unit)
    assert above[-1] == unit
    assert [parent(one) for one in above] == [None, *above[:-1]]
    assert ".".join(label(one) for one in above) == unit


def test_a_local_day_begins_at_seventeen_utc_of_the_day_before() -> None:
    begin = int(datetime.datetime(2022, 11, 8, 17, tzinfo=datetime.UTC).timestamp())
    law_day = day_from_iso("2022-11-09")
    assert at(law_day) == begin
    assert local_day(begin) == law_day
    assert local_day(begin - 1) == law_day - 1
    assert local_day(begin - 0.001) == law_day - 1
    assert iso(law_day) == "2022-11-09"


@given(DAYS, st.integers(0, 1439), st.integers(0, 59))
def test_day_and_minute_name_an_instant_and_back(day: int, minute: int, second: int) -> None:
    instant = at(day, minute) + second
    assert (local_day(instant), minute_of_day(instant)) == (day, minute)
    assert day_from_iso(iso(day)) == day


@given(DAYS, st.sets(st.integers(0, 365)))
def test_a_bitmap_holds_exactly_the_days_put_in(first: int, offsets: set[int]) -> None:
    days = {first + offset for offset in offsets}
    bitmap = pack_days(first, days)
    assert 1 <= len(bitmap) <= 46
    assert days_of(first, bitmap) == sorted(days)
    assert {day for day in range(first - 20, first + 400) if has_day(first, bitmap, day)} == days


def test_the_lowest_bit_of_the_first_byte_is_the_first_day() -> None:
    assert pack_days(100, [100, 101, 109]) == bytes([0b11, 0b10])


@pytest.mark.parametrize("day", [99, 466])
def test_a_day_outside_the_year_cannot_be_packed(day: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        pack_days(100, [day])
