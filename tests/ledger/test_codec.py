"""Canonical bytes: what is written can be read, nothing has two encodings, and no bytes do harm."""

from __future__ import annotations

import enum
import tracemalloc
from typing import Any

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.log import codec
from ledger.log.codec import DEPTH_MAX, EVENT_BYTES_MAX, decode, encode, pack, unpack
from ledger.log.errors import CodecError

values = (
    st.integers(-(2**63), 2**63 - 1)
    | st.integers(-40, 300)
    | st.binary(max_size=300)
    | st.text(max_size=80)
    | st.booleans()
    | st.none()
)
events = st.lists(values, min_size=2, max_size=32).filter(lambda v: len(msgpack.packb(v)) <= EVENT_BYTES_MAX)
trees = st.recursive(values, lambda inner: st.lists(inner, max_size=6), max_leaves=20)

# Bytes that look like msgpack more often than chance would: tags of every kind, few long runs.
tags = st.sampled_from(
    [0x00, 0x7F, 0x80, 0x81, 0x90, 0x91, 0x92, 0x9F, 0xA0, 0xA1, 0xBF, *range(0xC0, 0xE0), 0xE0, 0xFF]
)
shaped = st.lists(tags | st.integers(0, 255), max_size=40).map(bytes)
hostile = st.binary(max_size=60) | shaped | shaped.map(lambda tail: b"\x92" + tail)


def depth_of(tree: Any) -> int:
    return 1 + max(map(depth_of, tree), default=0) if isinstance(tree, list | tuple) else 0


def as_tuples(tree: Any) -> Any:
    return tuple(map(as_tuples, tree)) if isinstance(tree, list | tuple) else tree


def code_of(act: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(CodecError) as caught:
        act(*args, **kwargs)
    return caught.value.code


@given(events)
def test_an_event_that_was_written_reads_back_with_the_same_kinds(event: list[Any]) -> None:
    read = decode(encode(event))
    assert read == tuple(event)
    assert [type(v) for v in read] == [type(v) for v in event]  # True is not 1


@given(hostile)
@example(b"\x92\x00\xcf" + b"\xff" * 8)
@example(b"\x91" * 4000)
@example(b"\xdd\xff\xff\xff\xff")
@example(b"\x92\x00\x80")
@example(b"\x92\x00\xc7\x00\xff")
@example(b"\x92\x00\xd6\xff\x00\x00\x00\x00")
def test_any_bytes_are_the_one_encoding_of_their_values_or_refused(data: bytes) -> None:
    try:
        read = decode(data)
    except CodecError:
        return
    assert encode(read) == data


@settings(max_examples=400)
@given(hostile | events.map(encode), st.data())
def test_the_fast_reader_and_the_strict_reader_give_the_same_verdict(
    base: bytes, more: st.DataObject
) -> None:
    data = bytearray(base)
    if data and more.draw(st.booleans()):
        data[more.draw(st.integers(0, len(data) - 1))] = more.draw(st.integers(0, 255))
    verdicts: list[Any] = []
    for read in (decode, lambda raw: unpack(raw, bytes_max=EVENT_BYTES_MAX, depth_max=1, items_max=32)):
        try:
            verdicts.append(read(bytes(data)))
        except CodecError as refused:
            verdicts.append(refused.code)
    fast, strict = verdicts
    if isinstance(strict, tuple) and 2 <= len(strict) <= 32 and len(data) >= 3:
        assert fast == strict
    else:
        assert isinstance(fast, str)
        # Where both refuse, they name the same reason, unless only an event knows the rule.
        if isinstance(strict, str) and fast not in ("codec-size", "codec-arity", "codec-not-array"):
            assert fast == strict


@given(events, st.data())
def test_every_single_bit_flip_reads_as_another_event_or_is_refused(
    event: list[Any], more: st.DataObject
) -> None:
    data = encode(event)
    bit = more.draw(st.integers(0, 8 * len(data) - 1))
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        read = decode(bytes(flipped))
    except CodecError:
        return
    assert encode(read) == flipped
    assert [(type(v), v) for v in read] != [(type(v), v) for v in event]


@given(trees)
def test_a_message_that_was_written_reads_back(tree: Any) -> None:
    if depth_of(tree) > DEPTH_MAX:
        assert code_of(pack, tree) == "codec-depth"
    else:
        data = pack(tree)
        assert unpack(data, bytes_max=len(data)) == as_tuples(tree)
        assert pack(unpack(data, bytes_max=len(data))) == data


@given(hostile)
def test_any_bytes_are_the_one_encoding_of_their_message_or_refused(data: bytes) -> None:
    try:
        tree = unpack(data, bytes_max=1000)
    except CodecError:
        return
    assert pack(tree) == data


@given(st.integers(-(2**63), 2**63 - 1))
@example(0)
@example(-(2**31))
@example(2**32)
def test_an_integer_reads_back_in_its_shortest_form_only(number: int) -> None:
    shortest = encode([0, number])[2:]
    assert unpack(shortest, bytes_max=9) == number
    for tag, width, signed in ((0xCC, 1, 0), (0xCD, 2, 0), (0xCE, 4, 0), (0xCF, 8, 0),
                               (0xD0, 1, 1), (0xD1, 2, 1), (0xD2, 4, 1), (0xD3, 8, 1)):  # fmt: skip
        low, high = (-(2 ** (8 * width - 1)), 2 ** (8 * width - 1)) if signed else (0, 2 ** (8 * width))
        form = (
            bytes([tag]) + number.to_bytes(width, "big", signed=bool(signed))
            if low <= number < high
            else None
        )
        if form is not None and form != shortest:
            assert code_of(unpack, form, bytes_max=9) == "codec-not-shortest"
            assert code_of(decode, b"\x92\x00" + form) == "codec-not-shortest"


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ([], "codec-arity"),
        ([1], "codec-arity"),
        ([0] * 33, "codec-arity"),
        ([0, 1.5], "codec-kind"),
        ([0, {}], "codec-kind"),
        ([0, bytearray(b"x")], "codec-kind"),
        ([0, Colour.RED], "codec-kind"),
        ([0, [1]], "codec-depth"),
        ([0, (1,)], "codec-depth"),
        ([0, 2**63], "codec-int-range"),
        ([0, 2**64], "codec-int-range"),
        ([0, -(2**63) - 1], "codec-int-range"),
        ([0, "\ud800"], "codec-utf8"),
        ([0, b"x" * EVENT_BYTES_MAX], "codec-size"),
    ],
)
def test_an_event_that_has_no_canonical_form_is_not_written(event: Any, code: str) -> None:
    assert code_of(encode, event) == code


def test_a_message_that_has_no_canonical_form_is_not_written() -> None:
    assert code_of(pack, [1, [2.5]]) == "codec-kind"
    assert code_of(pack, [1, [2**63]]) == "codec-int-range"
    assert code_of(pack, {"a": 1}) == "codec-kind"
    assert code_of(pack, [[[[[]]]]]) == "codec-depth"
    assert code_of(pack, ["\udfff"]) == "codec-utf8"


def test_the_limits_of_an_event_are_reached_and_not_passed() -> None:
    longest = encode([0, b"x" * (EVENT_BYTES_MAX - 5)])
    assert len(longest) == EVENT_BYTES_MAX
    assert decode(longest)[0] == 0
    assert code_of(encode, [0, b"x" * (EVENT_BYTES_MAX - 4)]) == "codec-size"
    assert code_of(decode, longest + b"\0") == "codec-size"
    assert len(decode(encode([0] * 32))) == 32


def test_the_limits_of_a_message_are_the_callers() -> None:
    data = pack([1, [2, [3]]])
    assert unpack(data, bytes_max=len(data), depth_max=3, items_max=5) == (1, (2, (3,)))
    assert code_of(unpack, data, bytes_max=len(data) - 1) == "codec-size"
    assert code_of(unpack, data, bytes_max=100, depth_max=2) == "codec-depth"
    assert code_of(unpack, data, bytes_max=100, items_max=4) == "codec-items"
    assert code_of(unpack, b"", bytes_max=100) == "codec-size"


def test_a_message_of_declarations_takes_no_memory() -> None:
    """Nested arrays of 65,536 declared values each: five bytes that a naive reader answers with 512 KiB."""
    wide, wider = b"\xdc\xff\xff" * 100_000, b"\xdd\x00\x01\x00\x00" * 100_000
    tracemalloc.start()
    try:
        assert code_of(unpack, wide, bytes_max=2**20) == "codec-items"
        assert code_of(unpack, wide, bytes_max=2**20, items_max=2**20) == "codec-depth"
        assert code_of(unpack, wider, bytes_max=2**20, depth_max=32, items_max=2**30) == "codec-depth"
        assert code_of(decode, wide[:8000]) == "codec-arity"
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_refusal_says_where() -> None:
    with pytest.raises(CodecError) as caught:
        decode(b"\x92\x00\xc1")
    assert caught.value.where == "event, byte 3"
    assert str(caught.value).startswith("codec-kind: tag 0xc1")
    with pytest.raises(CodecError) as caught:
        encode([0, "x", 1.5])  # type: ignore[list-item]
    assert caught.value.where == "event[2]"


def test_array_headers_are_the_shortest() -> None:
    for count in (0, 1, 15, 16, 255, 256, 4096, 65535):
        assert codec.array_header(count) == msgpack.packb([None] * count)[: 1 if count < 16 else 3]
