"""Transit forms: what the hub knows is left out; whatever comes back wrong is noticed and sent in full."""

from __future__ import annotations

from dataclasses import replace

import pytest
import zstandard
from helpers import ACK, HUB_KEY, NODE_KEY, OTHER_KEY, LedgerPair, ack
from hypothesis import given
from hypothesis import strategies as st

from ledger.log import merkle, varint
from ledger.log.codec import encode
from ledger.log.errors import CodecError, SegmentError
from ledger.log.keys import SEGMENT
from ledger.log.messages import Claim, Request
from ledger.log.segment import Segment, SegmentHead, read_own, seal
from ledger.log.sync import answer, make_request
from ledger.log.transit import (
    BY_MEANING,
    FRAMED,
    FRAMED_ZSTD,
    PACKED_BYTES_MAX,
    fold,
    inflate,
    is_folded,
    read,
    unfold,
)

LOG = b"a log id"
PREV = b"p" * 32


class Upside:
    """A coder for tests: each event's bytes reversed, behind its length."""

    def __init__(self, salt: bytes = b"") -> None:
        self.salt = salt

    def pack(self, events: list[bytes]) -> bytes | None:
        if any(len(event) > 200 for event in events):
            return None
        return self.salt + b"".join(bytes((len(event),)) + event[::-1] for event in events)

    def unpack(self, packed: bytes, count: int) -> list[bytes]:
        packed = packed.removeprefix(self.salt)
        events, at = [], 0
        for _ in range(count):
            if at >= len(packed):
                raise CodecError("upside-short", "the bytes end early")
            size = packed[at]
            events.append(packed[at + 1 : at + 1 + size][::-1])
            at += 1 + size
        return events


def whole(
    segment: Segment, item: bytes, *, prev: bytes | None = None, coder: Upside | None = None
) -> Segment:
    return unfold(
        read(item, 1), log_id=segment.head.log_id, prev=segment.head.prev if prev is None else prev,
        key=NODE_KEY.verify_key, coder=coder,
    )  # fmt: skip


events = st.lists(st.integers(0, 2**40).map(ack), min_size=1, max_size=40)


@given(events, st.integers(1, 2**50), st.booleans())
def test_what_was_folded_comes_back_as_it_was_signed(
    signed: list[bytes], first_seq: int, by_meaning: bool
) -> None:
    segment = seal(NODE_KEY, LOG, first_seq, PREV, signed)
    coder = Upside() if by_meaning else None
    back = whole(segment, fold(segment, 0, coder), coder=coder)
    assert (back.head, back.signature, back.events) == (segment.head, segment.signature, segment.events)
    assert back.raw == segment.raw


def test_a_lone_event_saves_the_head() -> None:
    segment = seal(NODE_KEY, LOG, 7, PREV, [ack(1)])
    item = fold(segment, 0, None)
    assert len(item) == 1 + 3 + 64 + 1 + 1 + len(ack(1))
    assert len(segment.raw) - len(item) > 100


def test_the_shortest_coder_is_taken() -> None:
    many = seal(NODE_KEY, LOG, 0, bytes(32), [ack(7)] * 50)
    assert read(fold(many, 0, None), 1).coder == FRAMED_ZSTD
    one = seal(NODE_KEY, LOG, 0, bytes(32), [ack(7)])
    assert read(fold(one, 0, None), 1).coder == FRAMED

    class Nothing(Upside):
        def pack(self, events: list[bytes]) -> bytes | None:
            return b""

    assert read(fold(one, 0, Nothing()), 1).coder == BY_MEANING


def test_nobody_is_believed_who_left_out_something_else() -> None:
    segment = seal(NODE_KEY, LOG, 7, PREV, [ack(1), ack(2)])
    item = fold(segment, 0, None)
    with pytest.raises(SegmentError, match="transit-mismatch"):
        whole(segment, item, prev=b"q" * 32)
    with pytest.raises(SegmentError, match="transit-mismatch"):
        unfold(read(item, 1), log_id=b"another.", prev=PREV, key=NODE_KEY.verify_key, coder=None)
    with pytest.raises(SegmentError, match="transit-mismatch"):
        unfold(read(item, 1), log_id=LOG, prev=PREV, key=OTHER_KEY.verify_key, coder=None)


@given(events, st.data())
def test_any_changed_bit_gives_the_signed_events_or_is_refused(
    signed: list[bytes], data: st.DataObject
) -> None:
    segment = seal(NODE_KEY, LOG, 3, PREV, signed)
    item = bytearray(fold(segment, 0, None))
    at = data.draw(st.integers(1, len(item) - 1))
    item[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        back = whole(segment, bytes(item))
    except SegmentError:
        return
    assert back.events == segment.events


@given(st.binary(max_size=300))
def test_any_bytes_are_a_transit_form_or_refused(junk: bytes) -> None:
    try:
        found = read(b"\x01" + junk, 3)
        unfold(found, log_id=LOG, prev=PREV, key=NODE_KEY.verify_key, coder=Upside())
    except SegmentError:
        pass


def frame(
    *, log: int = 0, first_seq: int = 1, count: int = 1, coder: int = FRAMED, packed: bytes = b""
) -> bytes:
    out = bytearray(b"\x01")
    for number in (log, first_seq, count):
        varint.put(out, number)
    return bytes(out) + bytes(64) + bytes((coder,)) + packed


BOMB = zstandard.ZstdCompressor().compress(bytes(64 << 20))


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (b"\x01", "transit-form"),
        (b"\x01\x00\x00", "transit-form"),
        (b"\x01\x80\x00" + bytes(70), "transit-form"),
        (frame()[:-1], "transit-form"),
        (frame(log=1), "transit-log"),
        (frame(count=0), "transit-count"),
        (frame(count=4097), "transit-count"),
        (frame(first_seq=2**63 - 1), "transit-count"),
        (frame(packed=bytes(PACKED_BYTES_MAX + 1)), "transit-long"),
        (frame(coder=3), "transit-coder"),
        (frame(coder=BY_MEANING), "transit-coder"),
        (frame(), "transit-packed"),
        (frame(packed=b"\x02ab"), "transit-packed"),
        (frame(packed=b"\x03abc\x00"), "transit-packed"),
        (frame(packed=b"\x83\x00abc"), "transit-packed"),
        (frame(packed=b"\x81\x40" + bytes(8193)), "transit-packed"),
        (frame(coder=FRAMED_ZSTD, packed=b"\x03abc"), "transit-packed"),
        (frame(coder=FRAMED_ZSTD, packed=BOMB), "transit-packed"),
        (frame(count=2, packed=b"\x03abc\x03abc"), "transit-mismatch"),
    ],
)
def test_a_form_that_nobody_folds_is_refused_by_name(item: bytes, code: str) -> None:
    with pytest.raises(SegmentError) as refused:
        unfold(read(item, 1), log_id=LOG, prev=PREV, key=NODE_KEY.verify_key, coder=None)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("log_id", "prev", "event"),
    [
        (bytes(8), PREV, ack(1)),  # a log without an id
        (LOG, bytes(32), ack(1)),  # nothing before, and yet not the beginning
        (LOG, PREV, b"ab"),  # fewer bytes than an event has
    ],
)
def test_a_head_that_nobody_may_sign_is_a_mismatch_though_the_key_signed_it(
    log_id: bytes, prev: bytes, event: bytes
) -> None:
    root = merkle.root(merkle.leaves(NODE_KEY.key_id, log_id, 1, [event]))
    head = SegmentHead(NODE_KEY.key_id, log_id, 1, 1, len(event), prev, root)
    signed = NODE_KEY.sign(SEGMENT, head.encode())
    item = bytearray(frame(coder=BY_MEANING, packed=bytes((len(event),)) + event[::-1]))
    item[4:68] = signed
    with pytest.raises(SegmentError) as refused:
        unfold(read(bytes(item), 1), log_id=log_id, prev=prev, key=NODE_KEY.verify_key, coder=Upside())
    assert refused.value.code == "transit-mismatch"


@pytest.mark.parametrize("coder", [None, Upside(), Upside(b"salt")], ids=["framed", "by meaning", "salted"])
def test_events_beyond_the_room_that_is_left_are_refused_to_the_byte(coder: Upside | None) -> None:
    signed = [ack(number) for number in range(30)]
    segment = seal(NODE_KEY, LOG, 7, PREV, signed)
    found = read(fold(segment, 0, coder), 1)
    size = sum(map(len, signed))

    def within(room: int) -> Segment:
        return unfold(found, log_id=LOG, prev=PREV, key=NODE_KEY.verify_key, coder=coder, room=room)

    assert within(size).raw == segment.raw
    with pytest.raises(SegmentError, match="transit-size"):
        within(size - 1)


def test_a_request_unpacks_to_a_bounded_size() -> None:
    segment = seal(NODE_KEY, LOG, 0, bytes(32), [encode((ACK, 0, bytes(8000)))] * 100)
    item = fold(segment, 0, None)
    assert len(item) < 2000
    with pytest.raises(SegmentError):
        unfold(read(item, 1), log_id=LOG, prev=bytes(32), key=NODE_KEY.verify_key, coder=None, room=700_000)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "zstd-frame"),
        (b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd", "zstd-"),  # a skippable frame
        (zstandard.ZstdCompressor().compress(b"x" * 9) + b"more", "zstd-frame"),
        (zstandard.ZstdCompressor().compress(b"x" * 101), "zstd-size"),
        (zstandard.ZstdCompressor(write_content_size=False).compress(b"x" * 9), "zstd-size"),
    ],
)
def test_a_frame_that_is_not_plain_and_small_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(CodecError) as refused:
        inflate(data, 100)
    assert refused.value.code.startswith(code)


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_numbers_come_back_and_have_one_form(numbers: list[int]) -> None:
    out = bytearray()
    for number in numbers:
        varint.put(out, number)
    take = varint.Taker(bytes(out))
    assert [take.number() for _ in numbers] == numbers
    take.end()


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_come_back(number: int) -> None:
    assert varint.unzigzag(varint.zigzag(number)) == number


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "varint-truncated"), (b"\x80", "varint-truncated"), (b"\x80\x00", "varint-not-shortest"),
     (b"\xff" * 10 + b"\x01", "varint-long"), (b"\xff" * 9 + b"\x7f", "varint-range")],
)  # fmt: skip
def test_a_number_in_another_form_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(CodecError) as refused:
        varint.Taker(data).number()
    assert refused.value.code == code


# -- in a round ----------------------------------------------------------------------------------------------


@pytest.fixture
def pair() -> LedgerPair:
    return LedgerPair()


def opened(request: bytes) -> Request:
    return Request.open(request, {NODE_KEY.key_id: NODE_KEY.verify_key}.get)[1]


def ask(pair: LedgerPair, coder: Upside | None = None) -> bytes:
    return make_request(pair.node.ledger, NODE_KEY, nonce=bytes(8), now=pair.now(), coder=coder)


def test_a_round_sends_transit_forms_and_the_hub_stores_the_segments_themselves(pair: LedgerPair) -> None:
    for n in range(300):
        pair.node.ledger.append(NODE_KEY, ack(n))
    request = ask(pair)
    assert [is_folded(item) for item in opened(request).segments] == [True, True]
    pair.accept(request, pair.answer(request).reply)
    pair.assert_agreed()


def test_segments_behind_others_of_the_same_request_are_followed(pair: LedgerPair) -> None:
    for n in range(5):
        pair.node.ledger.append(NODE_KEY, ack(n))
        pair.node.ledger.seal(NODE_KEY)
    request = ask(pair)
    assert len(opened(request).segments) == 5
    assert pair.accept(request, pair.answer(request).reply).refused == []
    pair.node.ledger.append(NODE_KEY, ack(6))
    assert pair.round().refused == []
    pair.assert_agreed()


def test_a_coder_that_both_sides_have_is_used(pair: LedgerPair) -> None:
    pair.node.ledger.append(NODE_KEY, ack(1))
    pair.node.ledger.seal(NODE_KEY)

    class Short(Upside):
        """Knows everything that a test ever says."""

        def pack(self, events: list[bytes]) -> bytes | None:
            self.known = list(events)
            return b"."

        def unpack(self, packed: bytes, count: int) -> list[bytes]:
            return self.known[:count]

    coder = Short()
    request = ask(pair, coder)
    assert read(opened(request).segments[0], 1).coder == BY_MEANING
    said = answer(
        pair.hub.ledger, HUB_KEY, request,
        now=pair.now(), audiences_of=lambda key_id: (), coder_of=lambda key_id: coder,
    )  # fmt: skip
    assert pair.accept(request, said.reply).refused == []
    pair.assert_agreed()


def test_what_the_hub_cannot_follow_is_sent_in_full_with_the_next_request(pair: LedgerPair) -> None:
    pair.node.ledger.append(NODE_KEY, ack(1))

    class Riddle(Upside):
        def pack(self, events: list[bytes]) -> bytes | None:
            return b"?"

    request = ask(pair, Riddle())
    before = pair.hub.dump()
    accepted = pair.accept(request, pair.answer(request).reply)
    assert [code for _, _, code in accepted.refused] == ["transit-coder"]
    assert accepted.more, "there is something to send at once"
    assert pair.hub.dump() == before
    again = ask(pair, Riddle())
    assert not is_folded(opened(again).segments[0])
    assert pair.accept(again, pair.answer(again).reply).refused == []
    pair.assert_agreed()
    assert read_own(opened(again).segments[0]).events[-1] == ack(1)


def test_a_form_behind_a_head_that_the_hub_does_not_hold_is_refused(pair: LedgerPair) -> None:
    segment = seal(NODE_KEY, LOG, 5, PREV, [ack(2)])
    forged = replace(
        opened(ask(pair)), segments=(fold(segment, 0, None),), claims=(Claim(LOG, 6, segment.head.hash),)
    ).sign(NODE_KEY)
    before = pair.hub.dump()
    answered = pair.answer(forged)
    assert [error.code for error in answered.refused] == ["transit-prev"]
    assert pair.hub.dump() == before


def test_after_a_lost_reply_the_same_forms_are_followed_again_and_known(pair: LedgerPair) -> None:
    for n in range(3):
        pair.node.ledger.append(NODE_KEY, ack(n))
        pair.node.ledger.seal(NODE_KEY)
    pair.answer(ask(pair))
    request = ask(pair)
    answered = pair.answer(request)
    assert (answered.admitted, answered.refused) == (0, [])
    pair.accept(request, answered.reply)
    pair.assert_agreed()
