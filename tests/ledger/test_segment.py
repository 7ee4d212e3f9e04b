"""Segments: what is sealed opens, what was touched does not, and no bytes at all do harm."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence

import msgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ledger.log import codec, keys, merkle
from ledger.log.errors import LimitError, LoaError, SegmentError, SignatureError, UnknownKeyError
from ledger.log.keys import SigningKey
from ledger.log.segment import (
    BODY_BYTES_MAX,
    FIXED_BYTES,
    RAW_BYTES_MAX,
    SEGMENT_BYTES_MAX,
    Segment,
    SegmentHead,
    cut,
    open_segment,
    read_head,
    seal,
)

KEY = SigningKey.from_seed(b"a station's seed for these tests")
OTHER = SigningKey.from_seed(b"another key, trusted all the sam")
TRUSTED = {key.key_id: key.verify_key for key in (KEY, OTHER)}.get
LOG = b"log-id-8"

events_lists = st.lists(st.binary(min_size=3, max_size=400), min_size=1, max_size=30)


def acks(count: int) -> list[bytes]:
    """Events shaped like acknowledgments: fixed slots, few contents, scattered jitter."""
    made: list[list[codec.Value]] = []
    for n in range(count):
        content, jitter_cs = merkle.node(b"content", bytes([n % 5]))[:16], n * 7919 % 350
        ts = 1667955600 + n * 5400 + jitter_cs // 100
        made.append([16, ts, 41 + n % 8, 19305 + n // 8, content, jitter_cs, 8990, 0, 0, 2, 80, None])
    return [codec.encode(event) for event in made]


def sealed(events: Sequence[bytes], first_seq: int = 0) -> Segment:
    return seal(KEY, LOG, first_seq, bytes(32) if first_seq == 0 else b"\1" * 32, events)


def code_of(raw: bytes) -> str:
    with pytest.raises(SegmentError) as caught:
        open_segment(raw, TRUSTED)
    return caught.value.code


# --- what is sealed opens ---------------------------------------------------------------------------------


@given(events_lists, st.integers(0, 2**62))
def test_a_sealed_segment_opens_to_the_same_events(events: list[bytes], first_seq: int) -> None:
    segment = sealed(events, first_seq)
    assert open_segment(segment.raw, TRUSTED) == segment
    assert list(segment.events) == events
    assert segment.head.next_seq == first_seq + len(events)
    assert read_head(segment.raw) == (segment.head, segment.signature)
    assert SegmentHead.decode(segment.head.encode()) == segment.head


@given(events_lists)
def test_the_body_is_the_canonical_array_of_the_events(events: list[bytes]) -> None:
    raw = sealed(events).raw
    body = raw[FIXED_BYTES:]
    assert raw[168] in (0, 1)
    plain = body if raw[168] == 0 else zstandard.ZstdDecompressor().decompress(body)
    assert plain == msgpack.packb(events)
    assert len(body) <= len(plain)


def test_a_lone_event_costs_177_bytes_and_a_hundred_cost_less_than_three_each() -> None:
    lone = acks(1)
    assert len(sealed(lone).raw) == FIXED_BYTES + 3 + len(lone[0])
    assert len(sealed(acks(100)).raw) < 100 * 22


def test_a_signed_event_that_is_no_event_is_kept() -> None:
    """A poison event must not wedge its log: meaning is judged after admission."""
    events = [b"\xc1\xc1\xc1", b"<html>", codec.encode([9999, 0, "unknown"]), b"", b"\x92\x00\xcb" + bytes(8)]
    assert list(open_segment(sealed(events).raw, TRUSTED).events) == events


def test_the_body_may_be_compressed_anew_and_the_segment_stays_the_same() -> None:
    segment = sealed(acks(100))
    plain = msgpack.packb(list(segment.events))
    for codec_no, body in (
        (0, plain),
        (1, zstandard.ZstdCompressor(level=19, write_checksum=True).compress(plain)),
    ):
        again = segment.raw[:168] + struct.pack(">BII", codec_no, 0, len(body)) + body
        opened = open_segment(again, TRUSTED)
        assert (opened.head, opened.events) == (segment.head, segment.events)
        assert opened.head.hash == segment.head.hash


def test_the_largest_segments_open() -> None:
    many = sealed([b"\x92\0\0"] * 4096)
    assert len(open_segment(many.raw, TRUSTED).events) == 4096
    heavy = sealed([b"x" * 8192] * 128)
    assert heavy.head.raw_len == RAW_BYTES_MAX
    assert open_segment(heavy.raw, TRUSTED) == heavy


@pytest.mark.parametrize("level", [-5, 1, 3, 9, 22])
def test_every_zstd_level_stays_within_the_window_a_reader_allows(level: int) -> None:
    events = [bytes([n % 251]) * 8192 for n in range(128)]
    segment = sealed(events)
    body = zstandard.ZstdCompressor(level=level).compress(msgpack.packb(events))
    raw = segment.raw[:168] + struct.pack(">BII", 1, 0, len(body)) + body
    assert list(open_segment(raw, TRUSTED).events) == events


# --- what cannot be sealed --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([], "head-count"),
        ([b"\x92\0\0"] * 4097, "head-count"),
        ([b"x" * 8193], "event-size"),
        ([b"x" * 8192] * 129, "head-raw-len"),
        ([b"xx"], "head-raw-len"),
    ],
)
def test_what_would_not_open_is_not_sealed(events: list[bytes], code: str) -> None:
    with pytest.raises(LimitError) as caught:
        sealed(events)
    assert caught.value.code == code


def test_a_body_that_does_not_compress_below_its_limit_is_not_sealed() -> None:
    with pytest.raises(LimitError) as caught:
        sealed([_stream(n, 8192) for n in range(33)])
    assert caught.value.code == "segment-long"


def _stream(seed: int, size: int) -> bytes:
    """Bytes that no compressor shortens, the same on every run."""
    return b"".join(merkle.node(seed.to_bytes(4, "big"), n.to_bytes(4, "big")) for n in range(size // 32))


@given(st.lists(st.integers(0, 8192), max_size=400), st.integers(1, 300))
def test_cutting_loses_nothing_and_every_run_fits(sizes: list[int], count_max: int) -> None:
    events = [bytes(size) for size in sizes]
    runs = list(cut(events, count_max))
    assert [event for run in runs for event in run] == events
    for run in runs:
        assert 1 <= len(run) <= count_max
        assert len(msgpack.packb(run)) <= BODY_BYTES_MAX


def test_an_event_larger_than_any_body_makes_no_empty_run() -> None:
    small, huge = b"\x92\0\0", bytes(BODY_BYTES_MAX)
    assert list(cut([huge])) == [[huge]]
    assert list(cut([small, huge, small])) == [[small], [huge], [small]]


def test_a_number_below_zero_is_not_sealed() -> None:
    with pytest.raises(LimitError) as caught:
        seal(KEY, LOG, -1, b"\1" * 32, acks(1))
    assert caught.value.code == "head-seq"


def test_a_run_of_events_that_do_not_compress_seals_and_opens() -> None:
    runs = list(cut([_stream(n, 8192) for n in range(40)]))
    assert len(runs) == 2
    for run in runs:
        segment = sealed(run)
        assert segment.raw[168] == 0
        assert open_segment(segment.raw, TRUSTED) == segment


# --- what was touched does not open -------------------------------------------------------------------------


@pytest.mark.parametrize("events", [acks(2), acks(40)], ids=["plain", "zstd"])
def test_a_bit_flipped_anywhere_never_gives_other_events(events: list[bytes]) -> None:
    """Every single bit. Some bits of a zstd frame carry nothing: the same events, or none at all."""
    segment = sealed(events)
    assert segment.raw[168] == (0 if len(events) == 2 else 1)
    opened = 0
    for bit in range(8 * len(segment.raw)):
        flipped = bytearray(segment.raw)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            again = open_segment(bytes(flipped), TRUSTED)
        except LoaError:
            continue
        opened += 1
        assert (again.head, again.signature, again.events) == (
            segment.head,
            segment.signature,
            segment.events,
        )
        assert bit >= 8 * 168
    assert opened <= (0 if len(events) == 2 else 20)


@pytest.mark.parametrize("events", [acks(2), acks(40)], ids=["plain", "zstd"])
def test_a_segment_cut_short_anywhere_does_not_open(events: list[bytes]) -> None:
    raw = sealed(events).raw
    for end in range(len(raw)):
        assert code_of(raw[:end]) == ("segment-short" if end < FIXED_BYTES else "tail-length")


def test_anything_behind_a_segment_is_refused() -> None:
    raw = sealed(acks(3)).raw
    assert code_of(raw + b"\0") == "tail-length"
    assert code_of(raw + raw) == "tail-length"


def test_an_oversized_segment_is_refused_before_its_head_is_read() -> None:
    assert code_of(b"\xff" * (SEGMENT_BYTES_MAX + 1)) == "segment-long"
    assert code_of(b"\xff" * SEGMENT_BYTES_MAX) == "head-magic"


def test_an_unsigned_segment_is_refused() -> None:
    raw = sealed(acks(3)).raw
    assert code_of(raw[:104] + bytes(64) + raw[168:]) == "signature-bad"


def test_a_segment_of_a_strangers_key_is_refused_before_its_signature_is_tried() -> None:
    asked: list[bytes] = []
    with pytest.raises(UnknownKeyError) as caught:
        open_segment(sealed(acks(1)).raw, lambda key_id: asked.append(key_id))
    assert caught.value.code == "key-unknown"
    assert asked == [KEY.key_id]
    assert caught.value.retry


def test_a_segment_signed_by_another_trusted_key_is_refused() -> None:
    raw = sealed(acks(3)).raw
    with pytest.raises(SignatureError):
        open_segment(raw[:104] + OTHER.sign(keys.SEGMENT, raw[:104]) + raw[168:], TRUSTED)
    with pytest.raises(SignatureError):  # nor can a head be re-labelled with the other's key id
        open_segment(raw[:8] + OTHER.key_id + raw[16:], TRUSTED)


def test_events_recut_by_anybody_else_do_not_open() -> None:
    """The same events in two segments instead of one: heads cannot be made without the key."""
    whole = sealed(acks(4))
    first = dataclasses.replace(whole.head, count=2, raw_len=sum(map(len, whole.events[:2])))
    body = msgpack.packb(list(whole.events[:2]))
    raw = first.encode() + whole.signature + struct.pack(">BII", 0, 0, len(body)) + body
    assert code_of(raw) == "signature-bad"


def test_a_signature_for_another_purpose_does_not_open_a_segment() -> None:
    raw = sealed(acks(1)).raw
    for prefix in keys.LOG_PREFIXES - {keys.SEGMENT}:
        assert code_of(raw[:104] + KEY.sign(prefix, raw[:104]) + raw[168:]) == "signature-bad"


def test_a_refusal_names_the_log_and_the_number() -> None:
    segment = sealed(acks(3), first_seq=77)
    with pytest.raises(SegmentError) as caught:
        open_segment(segment.raw[:-1], TRUSTED)
    assert caught.value.where == f"{KEY.key_id.hex()}/{LOG.hex()}#77" == str(segment.head)
    assert caught.value.status == 422
