"""What an enrolled author could send: segments with a good signature over anything at all.

A stranger's bytes end at the signature; these cases begin behind it. Nothing here may open to other events
than those signed, cost more memory than the limits allow, or raise anything but a refusal.
"""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Sequence
from typing import Any

import msgpack
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.log import codec, keys, merkle
from ledger.log.errors import SegmentError
from ledger.log.keys import SigningKey
from ledger.log.segment import FIXED_BYTES, Segment, SegmentHead, open_segment, seal

KEY = SigningKey.from_seed(b"a station's seed for these tests")
TRUSTED = {KEY.key_id: KEY.verify_key}.get
LOG = b"log-id-8"


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


def signed_by_key(body: bytes, codec_no: int = 0, dictionary: int = 0, **fields: Any) -> bytes:
    """A segment of KEY's own making, true or not: what an enrolled author could send."""
    head = {"key_id": KEY.key_id, "log_id": LOG, "first_seq": 0, "count": 1, "raw_len": 3, "prev": bytes(32),
            "root": bytes(32)} | fields  # fmt: skip
    raw = SegmentHead(**head).encode()  # type: ignore[arg-type]
    return raw + KEY.sign(keys.SEGMENT, raw) + struct.pack(">BII", codec_no, dictionary, len(body)) + body


def code_of(raw: bytes) -> str:
    with pytest.raises(SegmentError) as caught:
        open_segment(raw, TRUSTED)
    return caught.value.code


def bomb(blocks: int, declared: int | None) -> bytes:
    """A zstd frame of `blocks` blocks, 4 bytes each, 128 KiB of zeros each when inflated."""
    if declared is None:
        head = b"\x28\xb5\x2f\xfd\x00\x38"  # no size declared; a window of 128 KiB
    else:
        head = b"\x28\xb5\x2f\xfd\xe0" + declared.to_bytes(8, "little")
    body = b"".join(
        (int(n == blocks - 1) | 2 | 2**17 << 3).to_bytes(3, "little") + b"\0" for n in range(blocks)
    )
    return head + body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (bomb(512, 512 * 2**17), "body-size"),
        (bomb(512, None), "zstd-no-size"),
        (bomb(512, 8), "zstd-frame"),
        (bytes.fromhex("28b52ffde06c06060663636363"), "body-size"),
        (b"\x28\xb5\x2f\xfd\x00\x88" + b"\x01\0\0", "zstd-no-size"),
        (b"\x28\xb5\x2f\xfd\x80\x88" + (3).to_bytes(4, "little") + b"\x19\0\0abc", "zstd-window"),
    ],
    ids=[
        "64 MiB declared",
        "64 MiB undeclared",
        "64 MiB declared as 8",
        "13 bytes",
        "window undeclared",
        "window",
    ],
)
def test_a_bomb_is_refused_before_it_is_inflated(body: bytes, code: str) -> None:
    raw = signed_by_key(body, codec_no=1)
    assert len(raw) < 2400
    tracemalloc.start()
    try:
        assert code_of(raw) == code
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()


def test_a_stuck_device_that_repeats_itself_is_no_bomb() -> None:
    """No ratio limit: the signed length bounds the output, and a refusal would wedge an honest log."""
    segment = sealed([acks(1)[0]] * 4096)
    assert segment.head.raw_len / (len(segment.raw) - FIXED_BYTES) > 1000
    assert open_segment(segment.raw, TRUSTED) == segment


def test_a_signed_count_that_lies_is_refused() -> None:
    events = acks(3)
    raw_len, body = sum(map(len, events)), msgpack.packb(events)
    root = merkle.root(merkle.leaves(KEY.key_id, LOG, 0, events))
    assert open_segment(signed_by_key(body, count=3, raw_len=raw_len, root=root), TRUSTED)
    for count in (1, 2, 4, 4096):
        lie = signed_by_key(body, count=count, raw_len=max(raw_len, 3 * count), root=root)
        assert code_of(lie) == "body-count"


def test_a_signed_length_that_lies_is_refused() -> None:
    events = acks(3)
    raw_len, body = sum(map(len, events)), msgpack.packb(events)
    root = merkle.root(merkle.leaves(KEY.key_id, LOG, 0, events))
    for change in (-10, -1, 1, 10):
        assert code_of(signed_by_key(body, count=3, raw_len=raw_len + change, root=root)) == "body-raw-len"
    assert code_of(signed_by_key(body, count=3, raw_len=9, root=root)) == "body-size"


def test_a_body_that_is_not_canonical_is_refused_although_it_holds_the_signed_events() -> None:
    events = [b"\x92\0\0", b"\x92\0\1"]
    root = merkle.root(merkle.leaves(KEY.key_id, LOG, 0, events))
    forms = {
        b"\x92\xc4\3\x92\0\0\xc4\3\x92\0\1": None,
        b"\xdc\0\2\xc4\3\x92\0\0\xc4\3\x92\0\1": "body-count",
        b"\xdd\0\0\0\2\xc4\3\x92\0\0\xc4\3\x92\0\1": "body-count",
        b"\x92\xc5\0\3\x92\0\0\xc4\3\x92\0\1": "body-not-shortest",
        b"\x92\xc6\0\0\0\3\x92\0\0\xc4\3\x92\0\1": "body-item",
        b"\x92\xc4\3\x92\0\0\xa3\x92\0\1": "body-item",
        b"\x92\xc4\3\x92\0\0\xc4\3\x92\0\1\xc0": "body-trailing",
        b"\x92\xc4\3\x92\0\0\xc4\4\x92\0\1": "body-truncated",
    }
    for body, code in forms.items():
        for codec_no, sent in ((0, body), (1, zstandard.ZstdCompressor().compress(body))):
            raw = signed_by_key(sent, codec_no=codec_no, count=2, raw_len=6, root=root)
            if code is None:
                assert list(open_segment(raw, TRUSTED).events) == events
            else:
                assert code_of(raw) == code


@settings(max_examples=300)
@given(st.binary(max_size=600))
@example(b"")
@example(b"\xd7\x4c\x53\x01" + bytes(173))
def test_any_bytes_from_anybody_are_refused(raw: bytes) -> None:
    assert code_of(raw)
    assert code_of(b"\xd7\x4c\x53\x01\x01\0\0\0" + KEY.key_id + raw)


bodies = st.one_of(
    st.binary(max_size=120),
    st.lists(st.binary(max_size=60), max_size=6).map(msgpack.packb),
    st.recursive(st.none() | st.binary(max_size=9), lambda x: st.lists(x, max_size=4), max_leaves=9).map(
        msgpack.packb
    ),
)
frames = bodies.map(zstandard.ZstdCompressor().compress) | st.binary(max_size=80).map(
    b"\x28\xb5\x2f\xfd".__add__
)


@settings(max_examples=400)
@given(
    body=bodies | frames,
    codec_no=st.integers(0, 3),
    dictionary=st.sampled_from([0, 0, 0, 1]),
    count=st.integers(0, 7) | st.integers(0, 2**32 - 1),
    raw_len=st.integers(0, 300) | st.integers(0, 2**32 - 1),
    first_seq=st.sampled_from([0, 0, 1, 2**63 - 2, 2**63, 2**64 - 1]),
    prev=st.sampled_from([bytes(32), b"\1" * 32]),
)
def test_whatever_an_enrolled_author_signs_opens_to_what_was_signed_or_is_refused(
    body: bytes, codec_no: int, dictionary: int, count: int, raw_len: int, first_seq: int, prev: bytes
) -> None:
    raw = signed_by_key(
        body, codec_no, dictionary, count=count, raw_len=raw_len, first_seq=first_seq, prev=prev
    )
    with pytest.raises(SegmentError):  # the root is zeros: nothing hashes to that
        open_segment(raw, TRUSTED)


@settings(max_examples=300)
@given(st.sampled_from([sealed(acks(3)), sealed(acks(40))]), st.data())
def test_a_mangled_tail_under_a_good_signature_gives_the_signed_events_or_nothing(
    segment: Segment, more: st.DataObject
) -> None:
    """Bytes 168 and on are not signed: replace, remove and insert at will."""
    tail = bytearray(segment.raw[168:])
    for _ in range(more.draw(st.integers(1, 4))):
        at = more.draw(st.integers(0, max(0, len(tail) - 1)))
        match more.draw(st.sampled_from(["replace", "remove", "insert"])):
            case "replace" if tail:
                tail[at] = more.draw(st.integers(0, 255))
            case "remove":
                del tail[at : at + more.draw(st.integers(1, 5))]
            case _:
                tail[at:at] = more.draw(st.binary(min_size=1, max_size=4))
    if len(tail) >= 9 and more.draw(st.booleans()):
        tail[5:9] = (len(tail) - 9).to_bytes(4, "big")
    try:
        opened = open_segment(segment.raw[:168] + bytes(tail), TRUSTED)
    except SegmentError:
        return
    assert (opened.head, opened.events) == (segment.head, segment.events)
