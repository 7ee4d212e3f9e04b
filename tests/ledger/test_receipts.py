"""Receipts: what a hub promises about a log, byte for byte, and what is no promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers import HUB_KEY, NODE_KEY, OTHER_KEY, LedgerPair, ack
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.chain import LogRef
from ledger.log.errors import ProtocolError, SignatureError
from ledger.log.journal import Ingested
from ledger.log.keys import RECEIPT, SigningKey
from ledger.log.receipts import RECEIPT_BYTES, Receipt

WORDS = st.integers(0, 2**63 - 1)
IDS = st.binary(min_size=8, max_size=8)


def receipt(hub: SigningKey = HUB_KEY, **changes: object) -> Receipt:
    fields: dict[str, object] = {
        "log": LogRef(NODE_KEY.key_id, b"log-id-8"), "next_seq": 7, "head_hash": bytes(range(32)),
        "hub_time": 1_667_955_600, "hub_log": b"hub-log8", "hub_seq": 3, "nonce": b"nonce-08",
    }  # fmt: skip
    return Receipt.sign(hub, **(fields | changes))  # type: ignore[arg-type]


def test_a_receipt_is_100_signed_bytes_laid_out_as_written_down() -> None:
    raw = receipt().encode()
    assert len(raw) == RECEIPT_BYTES == 164
    assert raw[:100] == (
        bytes.fromhex("d74c5201") + HUB_KEY.key_id + NODE_KEY.key_id + b"log-id-8" + (7).to_bytes(8, "big")
        + bytes(range(32)) + (1_667_955_600).to_bytes(8, "big") + b"hub-log8" + (3).to_bytes(8, "big")
        + b"nonce-08"
    )  # fmt: skip
    HUB_KEY.verify_key.verify(RECEIPT, raw[:100], raw[100:])


@given(IDS, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), WORDS, IDS, WORDS, IDS)
def test_a_receipt_survives_the_wire(
    log_id: bytes, next_seq: int, head: bytes, time: int, hub_log: bytes, hub_seq: int, nonce: bytes
) -> None:
    made = receipt(
        log=LogRef(NODE_KEY.key_id, log_id), next_seq=next_seq, head_hash=head,
        hub_time=time, hub_log=hub_log, hub_seq=hub_seq, nonce=nonce,
    )  # fmt: skip
    read = Receipt.decode(made.encode())
    assert read == made
    read.verify(HUB_KEY.verify_key)


def test_every_changed_bit_breaks_a_receipt() -> None:
    raw = receipt().encode()
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((ProtocolError, SignatureError)):
            Receipt.decode(bytes(changed)).verify(HUB_KEY.verify_key)


@pytest.mark.parametrize("raw", [b"", bytes(164), receipt().encode()[:-1], receipt().encode() + b"\0"])
def test_what_is_no_receipt_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        Receipt.decode(raw)


def test_a_receipt_of_another_hub_is_no_receipt_of_this_one() -> None:
    with pytest.raises(SignatureError):
        receipt(OTHER_KEY).verify(HUB_KEY.verify_key)


def test_a_receipt_for_nothing_is_refused() -> None:
    with pytest.raises(ProtocolError) as refused:
        Receipt.decode(receipt(next_seq=0).encode())
    assert refused.value.code == "receipt-range"


def test_a_receipt_names_the_event_of_the_hubs_journal_that_recorded_the_arrival() -> None:
    pair = LedgerPair()
    for n in range(3):
        pair.node.ledger.append(NODE_KEY, ack(n))
        pair.hub.ledger.append(
            HUB_KEY, ack(n)
        )  # what the hub had to say itself is sealed before the arrivals
        (receipt,) = pair.round().receipts
        journal = {
            s.segment.head.first_seq + i: event
            for s in pair.hub.ledger.segments_of(LogRef(HUB_KEY.key_id, receipt.hub_log), 0)
            for i, event in enumerate(s.segment.events)
        }
        event = Ingested.decode(journal[receipt.hub_seq])
        assert event.head_hash == receipt.head_hash
        assert event.first_seq + event.count == receipt.next_seq
        assert event.log == receipt.log
        assert pair.node.ledger.receipt(receipt.log) == receipt


def test_a_receipt_whose_head_is_not_of_our_history_is_ignored() -> None:
    pair = LedgerPair()
    pair.node.ledger.append(NODE_KEY, ack(1))
    (segment,) = pair.node.ledger.seal(NODE_KEY)
    log = LogRef(NODE_KEY.key_id, segment.head.log_id)
    ledger = pair.node.ledger
    for wrong in (
        receipt(log=log, next_seq=2, head_hash=bytes(32)),  # the right number, another head
        receipt(log=log, next_seq=9, head_hash=segment.head.hash),  # the right head, another number
        receipt(log=log, next_seq=1, head_hash=segment.head.hash),
        receipt(log=LogRef(NODE_KEY.key_id, b"no-log-8"), next_seq=2, head_hash=segment.head.hash),
    ):
        assert not ledger.note_receipt(wrong)
        assert ledger.receipt(log) is None
        assert [head.log for head in ledger.unreceipted(NODE_KEY.key_id)] == [log]
    right = receipt(log=log, next_seq=2, head_hash=segment.head.hash)
    assert ledger.note_receipt(right)
    assert ledger.receipt(log) == right
    assert ledger.unreceipted(NODE_KEY.key_id) == []


def test_an_older_receipt_does_not_replace_a_further_one() -> None:
    pair = LedgerPair()
    receipts = []
    for n in range(2):
        pair.node.ledger.append(NODE_KEY, ack(n))
        (segment,) = pair.node.ledger.seal(NODE_KEY)
        log = LogRef(NODE_KEY.key_id, segment.head.log_id)
        receipts.append(receipt(log=log, next_seq=segment.head.next_seq, head_hash=segment.head.hash))
    assert pair.node.ledger.note_receipt(receipts[1])
    assert pair.node.ledger.note_receipt(receipts[0])
    assert pair.node.ledger.receipt(receipts[0].log) == receipts[1]
    assert pair.node.ledger.unreceipted(NODE_KEY.key_id) == []


def test_the_specification_shows_a_true_receipt() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spec" / "receipts.md").read_text("utf-8")
    block = page.split("signed by a hub:")[1].split("A reader must refuse")[0]
    shown = re.findall(r"^    (?:\d+ +)?((?:[0-9a-f]{2}){4,})(?: |$)", block, re.MULTILINE)
    assert bytes.fromhex("".join(shown)) == receipt().encode()
