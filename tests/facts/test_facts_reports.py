"""Two readers of acknowledgments, the strict one and the fast one: the same verdict on any bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.facts import Acknowledged, Malformed, acknowledgments, parse
from ledger.log import encode

GOOD = (16, 1_793_600_000, 77, 20_728, b"c" * 16, -250, 6_000, 1, 0, 3, 80, None)

WHOLE = st.one_of(
    st.integers(-300, 300), st.sampled_from([65_535, 65_536, 2**31 - 1, 2**31, 2**40 - 1, 2**40, 2**63 - 1]),
    st.sampled_from([-(2**31) + 1, -(2**31), -(2**63), 864_000, 864_001]),
)  # fmt: skip
ANYTHING = st.one_of(
    WHOLE, st.none(), st.booleans(), st.binary(max_size=70), st.text(max_size=6), st.just(b"c" * 16)
)


@st.composite
def near_misses(draw: st.DrawFn) -> bytes:
    """An acknowledgment with some of its items changed to whatever."""
    items: list[Any] = list(GOOD)
    for place in draw(st.lists(st.integers(1, 11), max_size=3)):
        items[place] = draw(ANYTHING)
    return encode(items)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An acknowledgment's bytes, cut, doubled, or with one byte another."""
    data = bytearray(draw(near_misses()))
    at = draw(st.integers(0, len(data) - 1))
    how = draw(st.sampled_from(["flip", "cut", "more", "swap"]))
    if how == "flip":
        data[at] ^= draw(st.integers(1, 255))
    elif how == "cut":
        del data[at:]
    elif how == "more":
        data[at:at] = draw(st.binary(min_size=1, max_size=4))
    else:
        data = data[at:] + data[:at]
    return bytes(data)


EVENTS = st.one_of(near_misses(), near_misses(), damaged(), st.binary(max_size=40))


def the_same(events: Sequence[bytes]) -> None:
    found = acknowledgments(events)
    facts = [parse(event) for event in events]
    assert list(found.nth) == [n for n, fact in enumerate(facts) if isinstance(fact, Acknowledged)]
    for n, items in zip(found.nth, found.items, strict=True):
        fact = facts[n]
        assert isinstance(fact, Acknowledged)
        assert items == fact.values()
        assert list(map(type, items)) == list(map(type, fact.values()))
    assert len(found.columns) == len(GOOD)
    assert list(zip(*found.columns, strict=True)) == list(found.items)


@given(st.lists(EVENTS, max_size=8))
@settings(max_examples=400)
@example([encode(GOOD), encode(GOOD)])
@example([encode(GOOD)[:20], encode(GOOD)[20:], encode(GOOD)])
@example([encode(GOOD) + encode(GOOD), b"\x9c\x10", encode(GOOD)])
def test_the_fast_reader_takes_exactly_what_the_strict_one_takes(events: list[bytes]) -> None:
    the_same(events)


@pytest.mark.parametrize(
    "odd",
    [
        {}, [1], [[1]], 1.5, msgpack.ExtType(5, b""), msgpack.Timestamp(1), {"a": 1}, True, False,
        b"", b"x" * 65, "chuỗi", -1, 2**63,
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", range(1, 12))
def test_an_odd_item_in_any_place_spoils_that_event_and_no_other(odd: object, place: int) -> None:
    spoiled = msgpack.packb([*GOOD[:place], odd, *GOOD[place + 1 :]])
    the_same([encode(GOOD), spoiled, encode(GOOD)])
    assert len(acknowledgments([encode(GOOD), spoiled, encode(GOOD)]).nth) >= 2


@pytest.mark.parametrize(
    ("place", "least", "most"),
    [
        (1, 0, 2**40 - 1), (2, 1, 2**31 - 1), (3, 0, 65_535), (5, -(2**31) + 1, 2**31 - 1), (6, 0, 864_000),
        (7, 0, 9), (8, 0, 255), (9, 0, 5), (10, 0, 100),
    ],
)  # fmt: skip
def test_the_least_and_the_greatest_number_are_taken_and_the_next_ones_not(
    place: int, least: int, most: int
) -> None:
    events = [encode([*GOOD[:place], n, *GOOD[place + 1 :]]) for n in (least - 1, least, most, most + 1)]
    assert list(acknowledgments(events).nth) == [1, 2]
    the_same(events)


def test_a_number_in_a_longer_form_than_needed_is_no_acknowledgment() -> None:
    long = encode(GOOD)[:-2] + b"\xcc\x50" + encode(GOOD)[-1:]
    assert acknowledgments([long]).nth == []
    assert isinstance(parse(long), Malformed)


def test_an_event_that_reaches_into_the_next_one_is_none() -> None:
    """Together their bytes are three good acknowledgments; none of the events is one."""
    data = encode(GOOD) * 3
    cut = len(encode(GOOD))
    events = [data[: cut + 5], data[cut + 5 : 2 * cut + 3], data[2 * cut + 3 :]]
    assert acknowledgments(events).nth == []
    the_same(events)


def test_those_among_some_are_those_and_in_their_order() -> None:
    events = [encode([*GOOD[:2], series, *GOOD[3:]]) for series in (5, 6, 7)]
    found = acknowledgments([events[0], b"\xc0", events[1], events[2]])
    assert list(found.nth) == [0, 2, 3]
    kept = found.among({0, 3})
    assert (list(kept.nth), [items[2] for items in kept.items]) == ([0, 3], [5, 7])
    assert kept.columns[2] == (5, 7)
    assert found.among(set()).columns[2] == ()
