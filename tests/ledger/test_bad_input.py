"""Bad segments at each of the three doors: a stick, a station's request, a hub's reply.

Whatever comes in gets the error that the specification names, changes nothing, and stands in nobody's way:
the honest segment behind it is taken in as if nothing had happened.
"""

from __future__ import annotations

import struct
from pathlib import Path

import msgpack
import pytest
from helpers import HERE, HUB_KEY, NODE_KEY, OFFICER_KEY, OTHER_KEY, LedgerPair, ack, decision

from ledger.log import keys, merkle
from ledger.log.errors import LoaError
from ledger.log.keys import SigningKey
from ledger.log.messages import REQUEST_BYTES_MAX, Reply, Request
from ledger.log.segment import SEGMENT_BYTES_MAX, Segment, SegmentHead, seal
from ledger.log.store import Outcome

STRANGER = SigningKey.from_seed(b"a stranger's key, 32 bytes long.")
PORTAL = b"<!DOCTYPE html><html><body><form action='/login'>Wi-Fi mien phi</form></body></html>"
LOG = b"log-id-8"
FIRST = seal(OFFICER_KEY, LOG, 0, bytes(32), [decision(1)])
NEXT = seal(OFFICER_KEY, LOG, 1, FIRST.head.hash, [decision(2)])
BATCH = seal(OFFICER_KEY, b"log-id-9", 0, bytes(32), [decision(n) for n in (3, 4)])


def by_officer(body: bytes, events: list[bytes], *, codec: int = 0) -> bytes:
    """A rightly signed head over these events, and then this body."""
    root = merkle.root(merkle.leaves(OFFICER_KEY.key_id, LOG, 0, events))
    head = SegmentHead(
        OFFICER_KEY.key_id, LOG, 0, len(events), sum(map(len, events)), bytes(32), root
    ).encode()
    return head + OFFICER_KEY.sign(keys.SEGMENT, head) + struct.pack(">BII", codec, 0, len(body)) + body


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]


def recut(whole: Segment) -> bytes:
    """The first event of a batch as a segment of its own, under the signature of the whole."""
    (event, *_), head = whole.events, whole.head
    leaf = merkle.leaf(head.key_id, head.log_id, 0, event)
    cut = SegmentHead(head.key_id, head.log_id, 0, 1, len(event), bytes(32), leaf)
    body = msgpack.packb([event])
    return cut.encode() + whole.signature + struct.pack(">BII", 0, 0, len(body)) + body


EVENT = decision(1)
BOMB = b"\x28\xb5\x2f\xfd\xe0" + (1 << 26).to_bytes(8, "little") + b"".join(
    (int(n == 511) | 2 | 2**17 << 3).to_bytes(3, "little") + b"\0" for n in range(512)
)  # 64 MiB of zeros in 2 kB  # fmt: skip

BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "segment-short"),
    "a head cut short": (FIRST.raw[:100], "segment-short"),
    "a body cut short": (FIRST.raw[:-1], "tail-length"),
    "a byte too many": (FIRST.raw + b"\0", "tail-length"),
    "a bit of the head": (flipped(FIRST.raw, 80), "signature-bad"),
    "a bit of the signature": (flipped(FIRST.raw, 120), "signature-bad"),
    "a bit of the event": (flipped(FIRST.raw, len(FIRST.raw) - 2), "root-mismatch"),
    "oversized": (FIRST.raw.ljust(SEGMENT_BYTES_MAX + 1, b"\0"), "segment-long"),
    "unsigned": (FIRST.raw[:104] + bytes(64) + FIRST.raw[168:], "signature-bad"),
    "signed by another known key": (
        FIRST.raw[:104] + OTHER_KEY.sign(keys.SEGMENT, FIRST.raw[:104]) + FIRST.raw[168:],
        "signature-bad",
    ),
    "replayed at another number": (
        NEXT.raw[:24] + (7).to_bytes(8, "big") + NEXT.raw[32:],
        "signature-bad",
    ),
    "replayed into another log": (FIRST.raw[:16] + b"log-id-7" + FIRST.raw[24:], "signature-bad"),
    "recut by somebody on the way": (recut(BATCH), "signature-bad"),
    "a captive portal's page": (PORTAL, "segment-short"),
    "a captive portal's long page": (PORTAL * 9, "head-magic"),
    "a zstd bomb": (by_officer(BOMB, [EVENT], codec=1), "body-size"),
    "a body that is not canonical": (
        by_officer(b"\x91\xc5" + len(EVENT).to_bytes(2, "big") + EVENT, [EVENT]),
        "body-not-shortest",
    ),
    "a lying count": (by_officer(msgpack.packb([EVENT]), [EVENT, EVENT]), "body-count"),
    "of a stranger": (seal(STRANGER, LOG, 0, bytes(32), [EVENT]).raw, "key-unknown"),
}


def reply_with(request: bytes, *segments: bytes) -> bytes:
    """The hub's true answer to this request, with these segments in it."""
    return Reply(9, b"hub-log8", (), (), (), 2, b"trail-08", False, segments).sign(HUB_KEY, request)


EACH = pytest.mark.parametrize(("raw", "code"), BAD.values(), ids=BAD.keys())


@EACH
def test_a_bad_segment_from_a_stick_is_refused_by_name_and_changes_nothing(raw: bytes, code: str) -> None:
    desk = LedgerPair().hub
    before = desk.dump()
    with pytest.raises(LoaError) as refused:
        desk.ledger.ingest(raw, source="stick")
    assert refused.value.code == code
    assert desk.dump() == before
    for honest in (FIRST, NEXT, BATCH):
        assert desk.ledger.ingest(honest.raw, source="stick") is Outcome.ADMITTED
    assert desk.ledger.verify().problems == []


@EACH
def test_a_bad_segment_in_a_request_is_refused_by_name_and_the_rest_is_taken(raw: bytes, code: str) -> None:
    pair = LedgerPair()
    good = seal(NODE_KEY, b"log-id-7", 0, bytes(32), [ack(1)])
    request = Request(b"nonce-08", 7, (), 0, b"", 65536, b"", (raw, good.raw)).sign(NODE_KEY)
    answered = pair.answer(request)
    assert [error.code for error in answered.refused] == [code]
    assert [r.code for r in Reply.parse(answered.reply[76:], REQUEST_BYTES_MAX).refused] == [code]
    assert answered.admitted == 1
    assert set(pair.hub.ledger.frontier(OFFICER_KEY.key_id)) == set()
    assert pair.hub.events(NODE_KEY) == [ack(1)]
    assert pair.hub.ledger.verify().problems == []


@pytest.mark.parametrize("case", sorted(BAD.keys() - {"oversized", "of a stranger"}))
def test_a_bad_segment_in_a_hubs_reply_is_stepped_over_and_the_rest_is_taken(case: str) -> None:
    raw, code = BAD[case]
    pair = LedgerPair()
    request = pair.ask()
    accepted = pair.accept(request, reply_with(request, raw, NEXT.raw))
    assert [error.code for error in accepted.unread] == [code]
    assert pair.node.events(OFFICER_KEY) == [decision(2)]
    assert pair.node.ledger.verify().problems == []


def test_an_oversized_segment_fits_no_reply() -> None:
    pair = LedgerPair()
    request = pair.ask()
    before = pair.node.dump()
    with pytest.raises(LoaError) as refused:
        pair.accept(request, reply_with(request, BAD["oversized"][0], NEXT.raw))
    assert refused.value.code == "reply-size"
    assert pair.node.dump() == before


def test_from_a_hub_a_strangers_segment_waits_for_the_grant_behind_it_and_is_not_read() -> None:
    pair = LedgerPair()
    request = pair.ask()
    accepted = pair.accept(request, reply_with(request, BAD["of a stranger"][0], NEXT.raw))
    assert accepted.unread == ()
    assert pair.node.ledger.tables.parked_count() == 1
    assert pair.node.events(STRANGER) == []
    assert pair.node.events(OFFICER_KEY) == [decision(2)]


def test_a_replayed_segment_is_known_and_changes_nothing() -> None:
    pair = LedgerPair()
    for honest in (FIRST, NEXT):
        pair.hub.ledger.ingest(honest.raw, source="stick")
    before = pair.hub.dump()
    for again in (FIRST, NEXT, FIRST):
        assert pair.hub.ledger.ingest(again.raw, source="stick") is Outcome.KNOWN
        request = Request(b"nonce-08", 7, (), 0, b"", 0, b"", (again.raw,)).sign(NODE_KEY)
        answered = pair.answer(request)
        assert (answered.admitted, answered.refused) == (0, [])
    assert pair.hub.dump() == before


def test_a_replayed_reply_is_no_reply_and_changes_nothing() -> None:
    pair = LedgerPair()
    pair.decide(1, HERE)
    request = pair.ask()
    reply = pair.answer(request).reply
    pair.accept(request, reply)
    later = pair.ask()
    before = pair.node.dump()
    for asked in (request, later):
        with pytest.raises(LoaError) as refused:
            pair.accept(asked, reply)
        assert refused.value.code == ("reply-unawaited" if asked == request else "reply-signature")
    assert pair.node.dump() == before


POISON: dict[str, bytes] = {
    "not msgpack": b"<html>not an event</html>",
    "not canonical": b"\x92\x01\xcc\x05",
    "a type nobody knows": b"\x92\xcd\x03\xe7\x00",
    "the wrong number of fields": b"\x92\x10\x00",
    "a log opened in its middle": b"\x98\x00\x00\xff\xc0\xc0\xc0\xc0\xc0",
    "nothing at all": b"",
}


@pytest.mark.parametrize("send", ["batched", "alone"])
@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_a_signed_event_that_means_nothing_is_stored_receipted_and_followed(poison: bytes, send: str) -> None:
    """Through all of a round: nothing that reads events on the way stumbles, and the log goes on."""
    pair = LedgerPair()
    if send == "alone" and len(poison) < 3:
        poison = b"\xc1" * 3  # a segment has three bytes an event at least
    run = [poison] if send == "alone" else [ack(0), poison, ack(1)]
    first = seal(NODE_KEY, LOG, 0, bytes(32), run)
    second = seal(NODE_KEY, LOG, len(run), first.head.hash, [ack(2)])
    pair.node.ledger.ingest_all([first.raw, second.raw], source="an old card")
    answered = pair.answer(
        Request(b"nonce-08", 7, (), 0, b"", 0, b"", (first.raw, second.raw)).sign(NODE_KEY)
    )
    assert (answered.admitted, answered.refused) == (2, [])
    (receipt,) = Reply.parse(answered.reply[76:], REQUEST_BYTES_MAX).receipts
    assert receipt[36:68] == second.head.hash
    for desk in (pair.hub, pair.node):
        ledger = desk.crash()
        assert ledger.verify().problems == []
        kept = [e for s in ledger.since(0) if s.segment.head.log_id == LOG for e in s.segment.events]
        assert kept == [*run, ack(2)]


def test_every_refusal_here_is_one_of_the_specification() -> None:
    listed = (Path(__file__).parents[2] / "docs" / "spec" / "README.md").read_text("utf-8")
    assert {code for _, code in BAD.values() if f"| `{code}` |" not in listed} == set()
