"""Sync rounds between two real ledgers: what is lost, doubled, changed or restored, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from helpers import (
    ELSEWHERE,
    HERE,
    HUB_KEY,
    NODE_KEY,
    OFFICER_KEY,
    OTHER_KEY,
    PROVINCE,
    LedgerPair,
    PowerCut,
    ack,
    decision,
    type_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log.chain import LogRef
from ledger.log.codec import pack
from ledger.log.errors import (
    LoaError,
    ProtocolError,
    SegmentError,
    SignatureError,
    StoreError,
    UnknownKeyError,
)
from ledger.log.forks import check as check_fork
from ledger.log.journal import ForkFound, Ingested
from ledger.log.keys import REPLY, REQUEST, SigningKey
from ledger.log.messages import (
    FRAME_BYTES,
    REPLY_EXTRA_BYTES,
    REQUEST_BYTES_MAX,
    Claim,
    Refusal,
    Reply,
    Request,
)
from ledger.log.receipts import Receipt
from ledger.log.segment import Segment, seal
from ledger.log.sync import answer, make_request

STRANGER = SigningKey.from_seed(b"a stranger's key, 32 bytes long.")
PORTAL = b"<!DOCTYPE html><html><body><form action='/login'>Wi-Fi mien phi</form></body></html>"


@pytest.fixture
def pair() -> LedgerPair:
    return LedgerPair()


def write(pair: LedgerPair, *numbers: int) -> None:
    for n in numbers:
        pair.node.ledger.append(NODE_KEY, ack(n))


def body_of(reply: bytes) -> Reply:
    return Reply.parse(reply[FRAME_BYTES:], REQUEST_BYTES_MAX)


def request_with(pair: LedgerPair, *segments: bytes, claims: tuple[Claim, ...] = ()) -> bytes:
    """A request by the station that carries these segments, whoever signed them."""
    return Request(pair.rng.randbytes(8), 7, claims, 0, b"", 65536, b"", segments).sign(NODE_KEY)


# -- the good way --------------------------------------------------------------------------------------------


def test_what_a_station_wrote_is_at_the_hub_after_one_round_and_receipted(pair: LedgerPair) -> None:
    write(pair, 1, 2, 3)
    accepted = pair.round()
    assert pair.hub.events(NODE_KEY) == [ack(1), ack(2), ack(3)]
    assert len(accepted.receipts) == 1
    assert not accepted.more
    pair.assert_agreed()


def test_the_answer_tells_the_hub_who_asked_and_what_came(pair: LedgerPair) -> None:
    write(pair, 1)
    request = make_request(pair.node.ledger, NODE_KEY, nonce=b"nonce-08", now=1234, status=b"volume 7")
    answered = pair.answer(request)
    assert (answered.key_id, answered.sent_at, answered.status) == (NODE_KEY.key_id, 1234, b"volume 7")
    assert answered.admitted == 1
    assert [head.next_seq for head in answered.heads] == [2]
    assert answered.refused == []


def test_the_hubs_own_log_records_each_arrival_once(pair: LedgerPair) -> None:
    write(pair, 1)
    pair.round()
    write(pair, 2)
    pair.round()
    pair.round()
    journal = [e for s in pair.hub.ledger.since(0) for e in s.segment.events if type_of(e) == 80]
    arrivals = [Ingested.decode(e) for e in journal]
    assert [(a.first_seq, a.count) for a in arrivals] == [(0, 2), (2, 1)]
    heads = [s.segment.head for s in pair.hub.ledger.since(0) if s.segment.head.key_id == NODE_KEY.key_id]
    assert [a.head_hash for a in arrivals] == [h.hash for h in heads]


def test_a_station_gets_the_decisions_for_its_place_by_one_cursor(pair: LedgerPair) -> None:
    here = pair.decide(1, HERE)
    pair.decide(2, ELSEWHERE)
    above = pair.decide(3, PROVINCE)
    accepted = pair.round()
    assert accepted.admitted == 2
    assert pair.node.events(OFFICER_KEY) == [here, above]
    later = pair.decide(4, HERE)
    assert pair.round().admitted == 1
    assert pair.node.events(OFFICER_KEY) == [here, above, later]
    assert pair.answer(pair.ask()).cursor == pair.hub.ledger.position()


def test_a_thousand_acknowledgments_of_one_station_arrive(pair: LedgerPair) -> None:
    write(pair, *range(1000))
    rounds = pair.drain()
    assert pair.hub.events(NODE_KEY) == [ack(n) for n in range(1000)]
    assert rounds == 1
    pair.assert_agreed()


def test_a_large_backlog_goes_in_several_rounds_each_within_its_limits(pair: LedgerPair) -> None:
    for n in range(120):
        pair.node.ledger.append(NODE_KEY, ack(n, pair.rng.randbytes(5000)))
        if n % 6 == 5:
            pair.node.ledger.seal(NODE_KEY)
    rounds, more = 0, True
    while more:
        request = pair.ask(send_max=100_000)
        assert len(request) <= 100_000 + 2_000
        more = pair.accept(request, pair.answer(request).reply).more
        rounds += 1
    assert rounds == 7
    assert len(pair.hub.events(NODE_KEY)) == 120
    pair.assert_agreed()


def test_a_large_downlink_goes_in_several_rounds_each_within_the_room_given(pair: LedgerPair) -> None:
    events = [pair.decide(n) for n in range(40)]
    rounds, more = 0, True
    while more:
        request = pair.ask(room=2000)
        reply = pair.answer(request).reply
        assert sum(map(len, body_of(reply).segments)) <= 2000
        more = pair.accept(request, reply).more
        rounds += 1
    assert rounds > 3
    assert pair.node.events(OFFICER_KEY) == events


def test_a_round_that_changed_nothing_is_not_repeated_at_once(pair: LedgerPair) -> None:
    pair.round()
    pair.decide(1)
    request = pair.ask(room=0)
    reply = pair.answer(request).reply
    assert body_of(reply).more
    assert not pair.accept(request, reply).more
    assert pair.round().admitted == 1


def test_a_hub_that_takes_nothing_is_not_asked_again_at_once(pair: LedgerPair) -> None:
    pair.round()
    write(pair, 1)
    request = pair.ask()
    hub_log = pair.hub.ledger.live_log(HUB_KEY.key_id)
    (log,) = pair.node.ledger.frontier()
    full = (Refusal(log.log_id, 0, "parked-full"),)
    reply = Reply(7, hub_log, (), ((log.log_id, 0),), full, 0, b"", False, ()).sign(HUB_KEY, request)
    accepted = pair.accept(request, reply)
    assert accepted.refused == [(log, 0, "parked-full")]
    assert not accepted.more
    pair.round()
    pair.assert_agreed()


def test_a_segment_larger_than_the_limit_still_goes(pair: LedgerPair) -> None:
    for n in range(4):
        pair.node.ledger.append(NODE_KEY, ack(n, pair.rng.randbytes(8000)))
    pair.drain(send_max=1)
    assert len(pair.hub.events(NODE_KEY)) == 4


def test_many_short_logs_of_many_restarts_all_arrive_and_leave_the_request(pair: LedgerPair) -> None:
    for n in range(200):
        write(pair, n)
        pair.node.ledger.seal(NODE_KEY)
        pair.node.boot()
    pair.drain()
    assert pair.hub.events(NODE_KEY) == [ack(n) for n in range(200)]
    pair.assert_agreed()
    assert len(pair.ask()) < 120


def test_an_idle_round_writes_nothing_and_is_small(pair: LedgerPair) -> None:
    write(pair, 1)
    pair.decide(2)
    pair.drain()
    before = pair.node.writes(), pair.hub.writes(), pair.node.dump(), pair.hub.dump()
    for _ in range(3):
        request = pair.ask()
        reply = pair.answer(request).reply
        assert not pair.accept(request, reply).more
        assert len(request) <= 120
        assert len(reply) <= 110
    assert (pair.node.writes(), pair.hub.writes(), pair.node.dump(), pair.hub.dump()) == before


def test_other_stations_news_costs_a_station_nothing(pair: LedgerPair) -> None:
    pair.decide(1)
    pair.drain()
    write(pair, 1)
    pair.drain()
    pair.decide(2, ELSEWHERE)
    before = pair.node.writes()
    accepted = pair.round()
    assert accepted.admitted == 0
    assert pair.node.writes() == before


def test_a_station_may_carry_anothers_segments(pair: LedgerPair) -> None:
    other = seal(OTHER_KEY, b"log-id-8", 0, bytes(32), [ack(5)])
    answered = pair.answer(request_with(pair, other.raw))
    assert answered.admitted == 1
    assert pair.hub.events(OTHER_KEY) == [ack(5)]
    (receipt,) = body_of(answered.reply).receipts
    assert Receipt.decode(receipt).log == LogRef(OTHER_KEY.key_id, b"log-id-8")


def test_a_new_officers_decision_waits_at_the_station_for_the_key(pair: LedgerPair) -> None:
    pair.hub.ledger.trust(STRANGER.verify_key)
    pair.hub.ledger.append_sealed(STRANGER, decision(1))
    accepted = pair.round()
    assert accepted.unread == ()
    assert pair.node.events(STRANGER) == []
    pair.node.ledger.trust(STRANGER.verify_key)
    assert pair.node.events(STRANGER) == [decision(1)]
    assert not pair.round().more


# -- the wire's bad days -------------------------------------------------------------------------------------


def test_a_lost_request_changes_nothing_at_the_hub(pair: LedgerPair) -> None:
    write(pair, 1)
    before = pair.hub.dump()
    pair.ask()
    assert pair.hub.dump() == before
    pair.round()
    pair.assert_agreed()


def test_after_a_lost_reply_the_same_bytes_are_sent_again_and_known(pair: LedgerPair) -> None:
    write(pair, 1)
    pair.decide(2)
    first = pair.ask()
    pair.answer(first)
    before = pair.hub.dump()
    second = pair.ask()
    answered = pair.answer(second)
    assert answered.admitted == 0
    assert pair.hub.dump() == before
    assert (
        Request.open(first, pair.hub.ledger.key_of)[1].segments
        == Request.open(second, pair.hub.ledger.key_of)[1].segments
    )
    assert pair.accept(second, answered.reply).admitted == 1
    pair.assert_agreed()


def test_a_doubled_request_is_answered_twice_and_changes_the_hub_once(pair: LedgerPair) -> None:
    write(pair, 1)
    request = pair.ask()
    pair.answer(request)
    before = pair.hub.dump()
    again = pair.answer(request)
    assert pair.hub.dump() == before
    assert len(pair.accept(request, again.reply).receipts) == 1


def test_a_doubled_reply_is_accepted_once(pair: LedgerPair) -> None:
    write(pair, 1)
    request = pair.ask()
    reply = pair.answer(request).reply
    pair.accept(request, reply)
    assert_refused(pair, lambda: pair.accept(request, reply), "reply-unawaited")


def test_a_late_reply_to_an_earlier_request_is_no_reply(pair: LedgerPair) -> None:
    write(pair, 1)
    old = pair.ask()
    old_reply = pair.answer(old).reply
    new = pair.ask()
    assert_refused(pair, lambda: pair.accept(old, old_reply), "reply-unawaited")
    assert_refused(pair, lambda: pair.accept(new, old_reply), "reply-signature")
    pair.accept(new, pair.answer(new).reply)
    pair.assert_agreed()


def test_a_reply_to_a_process_that_died_is_no_reply(pair: LedgerPair) -> None:
    write(pair, 1)
    request = pair.ask()
    reply = pair.answer(request).reply
    pair.node.crash()
    assert_refused(pair, lambda: pair.accept(request, reply), "reply-unawaited")


def assert_refused(pair: LedgerPair, act: Callable[[], object], code: str) -> None:
    before = pair.node.dump()
    with pytest.raises(ProtocolError) as refused:
        act()
    assert refused.value.code == code
    assert pair.node.dump() == before


FALSE_REPLIES: dict[str, tuple[Callable[[bytes, bytes], bytes], str]] = {
    "nothing": (lambda q, r: b"", "reply-magic"),
    "captive-portal": (lambda q, r: PORTAL, "reply-magic"),
    "cut": (lambda q, r: r[: len(r) // 2], "reply-signature"),
    "cut-frame": (lambda q, r: r[:FRAME_BYTES], "reply-magic"),
    "longer": (lambda q, r: r + b"\0", "reply-signature"),
    "the-request-itself": (lambda q, r: q, "reply-magic"),
    "too-large": (lambda q, r: r + bytes(65536 + REPLY_EXTRA_BYTES), "reply-size"),
    "another-hub": (lambda q, r: body_of(r).sign(OTHER_KEY, q), "reply-hub"),
    "another-hub-under-our-hubs-name": (
        lambda q, r: r[:4] + HUB_KEY.key_id + body_of(r).sign(OTHER_KEY, q)[12:], "reply-signature"),
    "another-request": (lambda q, r: body_of(r).sign(HUB_KEY, q + b"\0"), "reply-signature"),
    "signed-as-a-request": (
        lambda q, r: r[:12] + HUB_KEY.sign(REQUEST, sha256(q).digest() + r[FRAME_BYTES:]) + r[FRAME_BYTES:],
        "reply-signature"),
}  # fmt: skip


@pytest.mark.parametrize("case", FALSE_REPLIES)
def test_what_is_not_the_hubs_answer_to_this_request_changes_nothing(pair: LedgerPair, case: str) -> None:
    write(pair, 1)
    pair.decide(2)
    request = pair.ask()
    reply = pair.answer(request).reply
    false, code = FALSE_REPLIES[case]
    assert_refused(pair, lambda: pair.accept(request, false(request, reply)), code)
    assert pair.accept(request, reply).admitted == 1, "the true reply is still awaited"


def test_every_flipped_bit_of_a_reply_is_noticed(pair: LedgerPair) -> None:
    write(pair, 1)
    request = pair.ask()
    reply = pair.answer(request).reply
    before = pair.node.dump()
    for bit in range(len(reply) * 8):
        changed = bytearray(reply)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ProtocolError):
            pair.accept(request, bytes(changed))
    assert pair.node.dump() == before


def signed_reply(request: bytes, body: bytes) -> bytes:
    return (
        Reply.sign.__globals__["REPLY_MAGIC"]
        + HUB_KEY.key_id
        + HUB_KEY.sign(REPLY, sha256(request).digest() + body)
        + body
    )


GOOD_REPLY = [1, 7, b"hub-log8", [], [], [], 0, b"", False, []]


@pytest.mark.parametrize(
    ("index", "value"),
    [(0, 2), (0, True), (1, -1), (1, "now"), (2, b"short"), (3, [b"no receipt"]), (3, 5),
     (4, [[b"log-id-8"]]), (4, [[b"log-id-8", -1]]), (4, [[b"short", 1]]), (4, [[b"log-id-8", 1]] * 193),
     (5, [[b"log-id-8", 0, b"code"]]), (5, [[b"log-id-8", 0, "c" * 33]]), (6, 5), (7, b"12345678"),
     (7, b"123"), (8, 1), (9, ["text"]), (9, [[]]), (9, [b""] * 257)],
)  # fmt: skip
def test_a_signed_reply_of_the_wrong_shape_is_a_protocol_error(
    pair: LedgerPair, index: int, value: object
) -> None:
    request = pair.ask()
    fields: list[object] = list(GOOD_REPLY)
    fields[index] = value
    assert_refused(
        pair,
        lambda: pair.accept(request, signed_reply(request, pack(fields))),  # type: ignore[arg-type]
        "reply-version" if index == 0 else "reply-shape",
    )


def test_a_signed_reply_that_is_not_canonical_is_a_protocol_error(pair: LedgerPair) -> None:
    request = pair.ask()
    for body in (pack(GOOD_REPLY)[:-1], pack(GOOD_REPLY) + b"\0", pack(GOOD_REPLY[:-1]), b"\xc1", pack(5)):  # type: ignore[arg-type]
        before = pair.node.dump()
        with pytest.raises(ProtocolError):
            pair.accept(request, signed_reply(request, body))
        assert pair.node.dump() == before


def test_a_false_receipt_in_a_true_reply_changes_nothing(pair: LedgerPair) -> None:
    write(pair, 1)
    request = pair.ask()
    said = body_of(pair.answer(request).reply)
    receipt = Receipt.decode(said.receipts[0])
    fields = {
        "log": receipt.log, "next_seq": receipt.next_seq, "head_hash": receipt.head_hash, "hub_time": 7,
        "hub_log": receipt.hub_log, "hub_seq": receipt.hub_seq, "nonce": receipt.nonce,
    }  # fmt: skip
    forged = Receipt.sign(OTHER_KEY, **fields).encode()  # type: ignore[arg-type]
    stale = Receipt.sign(HUB_KEY, **(fields | {"nonce": b"other-08"})).encode()  # type: ignore[arg-type]
    for false, code in (
        (forged, "receipt-signature"),
        (stale, "receipt-nonce"),
        (bytes(164), "receipt-magic"),
    ):
        reply = Reply(said.hub_time, said.hub_log, (false,), (), (), 0, b"", False, ()).sign(HUB_KEY, request)
        assert_refused(pair, lambda reply=reply: pair.accept(request, reply), code)  # type: ignore[misc]


def test_a_receipt_of_another_history_is_ignored_and_noticed(pair: LedgerPair) -> None:
    write(pair, 1)
    request = pair.ask()
    said = body_of(pair.answer(request).reply)
    r = Receipt.decode(said.receipts[0])
    strange = Receipt.sign(
        HUB_KEY, log=r.log, next_seq=r.next_seq + 5, head_hash=b"?" * 32, hub_time=7,
        hub_log=r.hub_log, hub_seq=r.hub_seq, nonce=r.nonce,
    ).encode()  # fmt: skip
    reply = Reply(said.hub_time, said.hub_log, (strange,), (), (), 0, b"", False, ()).sign(HUB_KEY, request)
    accepted = pair.accept(request, reply)
    assert accepted.strange == (r.log,)
    assert accepted.receipts == ()
    assert [head.log for head in pair.node.ledger.unreceipted(NODE_KEY.key_id)] == [r.log]
    pair.round()
    pair.assert_agreed()


# -- requests a hub must not believe -------------------------------------------------------------------------


def assert_hub_refuses(pair: LedgerPair, raw: bytes, kind: type[LoaError], code: str | None = None) -> None:
    before = pair.hub.dump()
    with pytest.raises(kind) as refused:
        pair.answer(raw)
    assert code is None or refused.value.code == code
    assert pair.hub.dump() == before


def test_a_strangers_request_is_refused_before_anything_is_read(pair: LedgerPair) -> None:
    raw = Request(b"nonce-08", 7, (), 0, b"", 0, b"", ()).sign(STRANGER)
    assert_hub_refuses(pair, raw, UnknownKeyError, "key-unknown")


def test_a_known_key_that_is_no_station_gets_no_answer(pair: LedgerPair) -> None:
    write(pair, 1)
    raw = pair.ask()
    before = pair.hub.dump()
    with pytest.raises(UnknownKeyError) as refused:
        answer(pair.hub.ledger, HUB_KEY, raw, now=7, audiences_of=lambda key_id: None)
    assert refused.value.code == "key-no-station"
    assert pair.hub.dump() == before


@pytest.mark.parametrize(
    "raw", [b"", PORTAL, b"\xd7\x4c\x51\x01", bytes(200), b"\xd7\x4c\x51\x02" + bytes(200)]
)
def test_what_is_no_request_is_a_protocol_error(pair: LedgerPair, raw: bytes) -> None:
    assert_hub_refuses(pair, raw, ProtocolError, "request-magic")


def test_an_oversized_request_is_refused_by_its_length(pair: LedgerPair) -> None:
    raw = pair.ask() + bytes(REQUEST_BYTES_MAX)
    assert_hub_refuses(pair, raw, ProtocolError, "request-size")
    with pytest.raises(ProtocolError) as refused:
        pair.answer(raw)
    assert refused.value.status == 413


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_or_cut_request_changes_nothing(data: st.DataObject) -> None:
    pair = LedgerPair()
    write(pair, 1)
    raw = bytearray(pair.ask())
    if data.draw(st.booleans()):
        raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
    else:
        bit = data.draw(st.integers(0, len(raw) * 8 - 1))
        raw[bit // 8] ^= 1 << bit % 8
    before = pair.hub.dump()
    with pytest.raises((ProtocolError, SignatureError, UnknownKeyError)):
        pair.answer(bytes(raw))
    assert pair.hub.dump() == before


GOOD_REQUEST = [1, b"nonce-08", 7, [], 0, b"", 65536, b"", []]
HASH = b"h" * 32


@pytest.mark.parametrize(
    ("index", "value"),
    [(0, 2), (1, b"short"), (2, None), (3, [[b"log-id-8", 0, HASH]]), (3, [[b"log-id-8", 1, b"h" * 9]]),
     (3, [[b"x", 1, HASH]]), (3, [[b"log-id-8", 1, HASH]] * 2),
     (3, [[b"%08d" % n, 1, HASH] for n in range(193)]), (4, -1), (4, 5), (5, b"12345678"), (6, -1),
     (6, 1 << 21), (7, b"s" * 257), (7, "text"), (8, [5]), (8, [b""] * 257), (8, b"")],
)  # fmt: skip
def test_a_signed_request_of_the_wrong_shape_is_a_protocol_error(
    pair: LedgerPair, index: int, value: object
) -> None:
    fields: list[object] = list(GOOD_REQUEST)
    fields[index] = value
    body = pack(fields)  # type: ignore[arg-type]
    raw = b"\xd7\x4c\x51\x01" + NODE_KEY.key_id + NODE_KEY.sign(REQUEST, body) + body
    assert_hub_refuses(pair, raw, ProtocolError, "request-version" if index == 0 else "request-shape")


@pytest.mark.parametrize(
    "limits", [{"room": -1}, {"room": 1 << 21}, {"status": b"s" * 257}, {"nonce": b"short"}]
)
def test_a_node_asks_nothing_that_no_hub_would_accept(pair: LedgerPair, limits: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="nonce"):
        make_request(pair.node.ledger, NODE_KEY, **({"nonce": b"nonce-08", "now": 7} | limits))  # type: ignore[arg-type]


def bomb() -> bytes:
    """A signed head over a zstd frame that declares 64 MiB."""
    import zstandard

    honest = seal(OTHER_KEY, b"log-id-8", 0, bytes(32), [ack(1)])
    frame = zstandard.ZstdCompressor(level=3).compress(bytes(1 << 26))
    return honest.raw[:168] + b"\1" + bytes(4) + len(frame).to_bytes(4, "big") + frame


def lone(key: SigningKey = OTHER_KEY) -> bytes:
    return seal(key, b"log-id-8", 0, bytes(32), [ack(1)]).raw


BAD_SEGMENTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "garbage": (lambda: b"garbage", "segment-short"),
    "unsigned": (lambda: lone()[:104] + bytes(64) + lone()[168:], "signature-bad"),
    "of a stranger": (lambda: lone(STRANGER), "key-unknown"),
    "bomb": (bomb, "body-size"),
    "cut": (lambda: lone()[:-1], "tail-length"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_SEGMENTS)
def test_a_bad_segment_is_refused_by_name_and_harms_no_other(pair: LedgerPair, case: str) -> None:
    make, code = BAD_SEGMENTS[case]
    good = seal(NODE_KEY, b"log-id-7", 0, bytes(32), [ack(1)])
    answered = pair.answer(request_with(pair, make(), good.raw))
    assert [error.code for error in answered.refused] == [code]
    assert [refusal.code for refusal in body_of(answered.reply).refused] == [code]
    assert answered.admitted == 1
    assert pair.hub.events(NODE_KEY) == [ack(1)]
    assert pair.hub.events(OTHER_KEY) == []


def test_a_malformed_but_signed_event_is_taken_and_receipted_like_any_other(pair: LedgerPair) -> None:
    poison = seal(NODE_KEY, b"log-id-7", 0, bytes(32), [b"\xc1\xc1\xc1 poison"])
    after = seal(NODE_KEY, b"log-id-7", 1, poison.head.hash, [ack(2)])
    claims = (Claim(b"log-id-7", 2, after.head.hash),)
    answered = pair.answer(request_with(pair, poison.raw, after.raw, claims=claims))
    assert answered.refused == []
    assert Receipt.decode(body_of(answered.reply).receipts[0]).next_seq == 2


def test_segments_before_a_gap_are_asked_for_and_those_behind_it_wait(pair: LedgerPair) -> None:
    write(pair, 1)
    pair.node.ledger.seal(NODE_KEY)
    write(pair, 2)
    pair.node.ledger.seal(NODE_KEY)
    (log,) = pair.node.ledger.frontier()
    pair.node.ledger.tables.set_held(pair.node.ledger.tables.log(log), 2)  # type: ignore[arg-type]
    request = pair.ask()
    answered = pair.answer(request)
    assert answered.admitted == 0
    assert body_of(answered.reply).less == ((log.log_id, 0),)
    accepted = pair.accept(request, answered.reply)
    assert accepted.more
    pair.round()
    assert pair.hub.events(NODE_KEY) == [ack(1), ack(2)]
    pair.assert_agreed()


# -- forks ---------------------------------------------------------------------------------------------------


def forked(pair: LedgerPair) -> tuple[Segment, Segment]:
    """A thief signs another history of a log that the hub holds, and sends it."""
    honest = seal(OTHER_KEY, b"log-id-8", 0, bytes(32), [ack(1)])
    other = seal(OTHER_KEY, b"log-id-8", 0, bytes(32), [ack(666)])
    pair.answer(request_with(pair, honest.raw))
    return honest, other


def test_the_hub_writes_a_fork_into_its_own_log_with_the_evidence(pair: LedgerPair) -> None:
    honest, other = forked(pair)
    answered = pair.answer(request_with(pair, other.raw))
    assert [error.code for error in answered.refused] == ["fork-overlap"]
    found = [e for s in pair.hub.ledger.since(0) for e in s.segment.events if type_of(e) == 81]
    (event,) = [ForkFound.decode(e) for e in found]
    assert event.evidence == honest.raw[:168] + other.raw[:168]
    assert check_fork(event.evidence, pair.hub.ledger.key_of) == "fork-overlap"
    assert pair.hub.ledger.forks()[0].source == f"sync {NODE_KEY.key_id.hex()}"


def test_a_fork_is_written_down_once_and_only_its_log_is_refused(pair: LedgerPair) -> None:
    honest, other = forked(pair)
    pair.answer(request_with(pair, other.raw))
    before = pair.hub.dump()
    later = seal(OTHER_KEY, b"log-id-8", 1, honest.head.hash, [ack(2)])
    answered = pair.answer(request_with(pair, other.raw, later.raw, honest.raw))
    assert [error.code for error in answered.refused] == ["log-frozen", "log-frozen"]
    assert pair.hub.dump() == before
    write(pair, 1)
    pair.drain()
    pair.assert_agreed()
    elsewhere = seal(OTHER_KEY, b"log-id-9", 0, bytes(32), [ack(3)])
    assert pair.answer(request_with(pair, elsewhere.raw)).admitted == 1


def test_a_fork_found_elsewhere_is_written_down_with_the_next_request(pair: LedgerPair) -> None:
    _, other = forked(pair)
    with pytest.raises(LoaError):
        pair.hub.ledger.ingest(other.raw, source="stick")
    pair.round()
    assert [type_of(e) for s in pair.hub.ledger.since(0) for e in s.segment.events].count(81) == 1


def test_a_station_stops_offering_a_log_that_the_hub_refuses_and_goes_on_with_others(
    pair: LedgerPair,
) -> None:
    write(pair, 1)
    (ours,) = pair.node.ledger.seal(NODE_KEY)
    thief = seal(NODE_KEY, ours.head.log_id, 0, bytes(32), [ack(666)])
    pair.answer(request_with(pair, thief.raw))  # the hub saw the thief's history first
    accepted = pair.round()
    assert [code for _, _, code in accepted.refused] == ["fork-overlap"]
    pair.drain()
    assert pair.hub.events(NODE_KEY) == [ack(666), ack(1)], "carried over into another log"
    assert len(pair.ask()) < 120
    write(pair, 2)
    pair.drain()
    assert pair.hub.events(NODE_KEY) == [ack(666), ack(1), ack(2)]


# -- power cuts in the middle --------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("side", ["node", "hub"])
def test_a_power_cut_at_any_statement_of_a_round_loses_nothing(side: str, after: bool) -> None:
    def scenario(pair: LedgerPair) -> None:
        write(pair, 1, 2)
        pair.decide(3)
        pair.round()
        write(pair, 4)
        pair.round()

    pair = LedgerPair()
    desk = pair.node if side == "node" else pair.hub
    desk.fuse.arm(-1)
    scenario(pair)
    statements = desk.fuse.disarm()
    assert statements > 30
    for at in range(1, statements + 1):
        pair = LedgerPair()
        desk = pair.node if side == "node" else pair.hub
        desk.fuse.arm(at, after=after)
        with pytest.raises(PowerCut):
            scenario(pair)
        sealed = pair.node.segments(NODE_KEY) if side == "hub" else {}
        desk.crash()
        durable = pair.node.events(NODE_KEY, pending=True)
        held = pair.hub.events(NODE_KEY)
        pair.drain()
        pair.drain()
        pair.assert_agreed()
        assert sealed.items() <= pair.hub.segments(NODE_KEY).items()
        found = pair.hub.events(NODE_KEY)
        assert {*durable, *held} <= set(found), f"cut at statement {at}"
        assert len(found) == len(set(found)), "nothing is there twice"
        assert pair.node.events(OFFICER_KEY) == [e for e in pair.hub.events(OFFICER_KEY) if type_of(e) == 1]
        assert pair.hub.ledger.forks() == []


def test_no_receipt_leaves_before_the_commit(pair: LedgerPair) -> None:
    write(pair, 1)
    request = pair.ask()
    seen: list[str] = []
    pair.hub.ledger.db.set_trace_callback(seen.append)
    signing = SigningKey.sign

    def sign(key: SigningKey, prefix: bytes, message: bytes) -> bytes:
        seen.append(prefix.decode())
        return signing(key, prefix, message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SigningKey, "sign", sign)
        pair.answer(request)
    order = [entry for entry in seen if entry in ("BEGIN IMMEDIATE", "COMMIT") or entry.startswith("loa-")]
    assert order == ["BEGIN IMMEDIATE", "loa-seg/v1\0", "COMMIT", "loa-rcpt/v1\0", "loa-rep/v1\0"]


def test_an_answer_inside_a_transaction_is_refused(pair: LedgerPair) -> None:
    request = pair.ask()
    with pytest.raises(StoreError), pair.hub.ledger.transaction():
        pair.answer(request)


# -- old images ----------------------------------------------------------------------------------------------


def test_a_restored_station_writes_a_new_log_and_loses_nothing_receipted(pair: LedgerPair) -> None:
    write(pair, 1)
    pair.drain()
    write(pair, 2)
    image = pair.node.image()  # 2 is pending in it
    write(pair, 3)
    pair.drain()
    pair.node.restore(image)
    write(pair, 4)
    pair.drain()
    assert set(pair.hub.events(NODE_KEY)) == {ack(n) for n in (1, 2, 3, 4)}
    assert len(pair.node.ledger.frontier(NODE_KEY.key_id)) == 2
    assert pair.hub.ledger.forks() == []
    pair.assert_agreed()


def test_a_restored_stations_unreceipted_segments_are_receipted_though_the_hub_holds_more(
    pair: LedgerPair,
) -> None:
    write(pair, 1)
    pair.node.ledger.seal(NODE_KEY)
    image = pair.node.image()
    write(pair, 2)
    pair.drain()
    pair.node.restore(image)
    accepted = pair.round()
    assert [r.next_seq for r in accepted.receipts] == [2]
    assert accepted.strange == ()
    pair.assert_agreed()


def test_a_process_resumed_from_a_memory_snapshot_starts_anew_and_loses_nothing(pair: LedgerPair) -> None:
    write(pair, 1)
    pair.drain()
    image, memory = pair.node.image(), dict(pair.node.ledger._live)
    write(pair, 2)
    pair.drain()
    pair.node.restore(image)
    pair.node.ledger._live = memory  # the machine's memory came back with its disk: no process start was seen
    forked = next(iter(memory.values()))
    write(pair, 3)
    accepted = pair.round()
    assert [ref.log_id for ref in accepted.strange] == [forked]
    assert accepted.more
    pair.drain()
    write(pair, 4)
    pair.drain()
    assert len(pair.hub.ledger.forks()) == 1
    at_hub = pair.hub.events(NODE_KEY)
    assert [at_hub.count(ack(n)) for n in (1, 2, 3, 4)] == [1, 1, 1, 1]
    assert pair.node.ledger.pending_count(NODE_KEY.key_id) == 0
    assert pair.node.ledger.unreceipted(NODE_KEY.key_id) == []
    assert pair.node.ledger.abandon(LogRef(NODE_KEY.key_id, forked)) == 0, "carried once"


def test_a_hub_restored_from_a_backup_gets_everything_back_from_closed_logs_too(pair: LedgerPair) -> None:
    write(pair, 1)
    pair.drain()
    image = pair.hub.image()
    for n in (2, 3, 4):
        write(pair, n)
        pair.drain()
        pair.node.boot()
    before = pair.hub.segments(NODE_KEY)
    pair.hub.restore(image)
    assert pair.hub.events(NODE_KEY) == [ack(1)]
    rounds = pair.drain()
    assert rounds <= 3
    assert pair.hub.segments(NODE_KEY) == before
    pair.assert_agreed()


def test_a_hub_restored_twice_in_silence_is_noticed_twice(pair: LedgerPair) -> None:
    """A process on a restored disk writes nothing of its own, yet must differ from the next one."""
    old = pair.hub.image()
    write(pair, 1)
    pair.drain()
    complete = pair.hub.image()
    for image in (complete, old, complete, old):
        pair.hub.restore(image)
        before = pair.hub.dump()
        pair.drain()
        assert pair.hub.events(NODE_KEY) == [ack(1)]
        assert (pair.hub.dump() == before) == (image is complete)


def test_offering_hundreds_of_closed_logs_again_goes_in_pages(pair: LedgerPair) -> None:
    image = pair.hub.image()
    for n in range(210):
        write(pair, n)
        pair.node.ledger.seal(NODE_KEY)
        if n % 70 == 69:
            pair.drain()
        pair.node.boot()
    pair.hub.restore(image)
    pair.drain()
    assert set(pair.hub.events(NODE_KEY)) == {ack(n) for n in range(210)}
    pair.assert_agreed()
    assert len(pair.ask()) < 120


def test_a_restarted_hub_that_lost_nothing_is_told_so_in_few_bytes(pair: LedgerPair) -> None:
    for n in range(10):
        write(pair, n)
        pair.drain()
        pair.node.boot()
    pair.drain()
    pair.hub.crash()
    assert pair.round().more, "the hub is another process: all logs are offered again"
    request = pair.ask()
    assert len(request) < 110 + 10 * 24
    reply = pair.answer(request).reply
    assert len(reply) < 120, "nothing is missing, so nothing is said"
    assert not pair.accept(request, reply).more


def test_a_cursor_of_a_restored_hubs_lost_history_is_recognised_and_starts_anew(pair: LedgerPair) -> None:
    kept = [pair.decide(n) for n in range(3)]
    image = pair.hub.image()
    lost = [pair.decide(n) for n in (10, 11)]
    pair.drain()
    pair.hub.restore(image)
    new = [pair.decide(n) for n in (20, 21, 22)]
    assert pair.answer(pair.ask()).cursor == 0
    pair.drain()
    assert set(pair.node.events(OFFICER_KEY)) == {*kept, *lost, *new}


def test_the_same_segment_at_the_same_place_does_not_hide_a_decision_before_it(pair: LedgerPair) -> None:
    """Why a cursor carries a hash over all arrivals: the segment at its place alone may come back there."""
    pair.decide(1)
    image = pair.hub.image()
    others = [seal(OTHER_KEY, log, 0, bytes(32), [ack(5)]) for log in (b"log-id-a", b"log-id-b")]
    told = seal(OFFICER_KEY, b"officer8", 0, bytes(32), [decision(7)])
    for segment in (*others, told):
        pair.hub.ledger.ingest(segment.raw, source="test")
    pair.drain()
    place = pair.hub.ledger.position()
    pair.hub.restore(image)
    hidden = pair.decide(9)  # with its log.open two arrivals, where the two others were
    pair.hub.ledger.ingest(told.raw, source="test")
    assert pair.hub.ledger.position() == place
    pair.drain()
    assert hidden in pair.node.events(OFFICER_KEY)


def test_a_refusal_is_forgotten_when_another_hub_process_answers(pair: LedgerPair) -> None:
    write(pair, 1)
    (ours,) = pair.node.ledger.seal(NODE_KEY)
    image = pair.hub.image()
    pair.answer(request_with(pair, seal(NODE_KEY, ours.head.log_id, 0, bytes(32), [ack(666)]).raw))
    assert pair.round().refused != []
    pair.hub.restore(image)
    pair.drain()
    # Once in the log that was refused at first, once carried over: a reader counts equal bytes once.
    assert set(pair.hub.events(NODE_KEY)) == {ack(1)}
    pair.assert_agreed()


def test_two_stations_with_one_key_write_two_logs_and_both_arrive(pair: LedgerPair) -> None:
    write(pair, 1)
    pair.drain()
    clone = LedgerPair(seed=99)
    clone.hub = pair.hub
    clone.node.restore(pair.node.image())
    for n, one in ((2, pair), (3, clone), (4, pair), (5, clone)):
        write(one, n)
        one.drain()
    assert set(pair.hub.events(NODE_KEY)) == {ack(n) for n in range(1, 6)}
    assert pair.hub.ledger.forks() == []


def test_no_segment_error_escapes_an_answer(pair: LedgerPair) -> None:
    raws = [make() for make, _ in BAD_SEGMENTS.values()]
    answered = pair.answer(request_with(pair, *raws))
    assert len(answered.refused) == len(raws)
    assert all(isinstance(error, SegmentError) for error in answered.refused)


def test_the_specification_shows_a_true_idle_request() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spec" / "sync.md").read_text("utf-8")
    block = page.split("An idle round is")[1].split("Bodies are messages")[0]
    shown = re.findall(r"^ {4,6}((?:[0-9a-f]{2})+(?:…[0-9a-f]+)?) ", block, re.MULTILINE)
    true = Request(b"nonce-08", 1_667_955_600, (), 41, b"trail-08", 65536, b"", ()).sign(NODE_KEY).hex()
    first, last = shown[2].split("…")
    assert true.startswith("".join(shown[:2]) + first)
    assert true.endswith(last + "".join(shown[3:]))
    assert block.startswith(f" {len(true) // 2} bytes up")
