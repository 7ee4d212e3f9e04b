"""What the hubs' journals and receipts in a ledger say of a segment, each with its proof.

Bound: looks it up. Whether a hub may say so is judged by `gather` and by the reader.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ledger.evidence.file import HEADS_MAX
from ledger.facts.authority import Authority, Right
from ledger.facts.endings import Cut, Place
from ledger.facts.events import parse, peek_type
from ledger.facts.units import covers
from ledger.log.chain import LogRef
from ledger.log.journal import NO_LOG, Ingested, LogOpened
from ledger.log.proof import Proof, prove
from ledger.log.receipts import Receipt
from ledger.log.segment import HEAD_BYTES, open_segment
from ledger.log.store import Ledger, Stored

STEPS_BACK: Final = 64  # segments of a hub's log without an arrival, before its newest one is given up


@dataclass(frozen=True)
class Arrival:
    """An `Ingested` of a hub's journal. position: of its segment here."""

    proof: Proof
    fact: Ingested
    position: int

    @property
    def hub(self) -> bytes:
        """The key id of the hub."""
        return self.proof.head.key_id

    @property
    def place(self) -> Place:
        """Where it stands in the hub's logs."""
        return Place(self.proof.head.log_id, self.proof.seq)


def arrival_of(ledger: Ledger, stored: Stored) -> Arrival | None:
    """The hub's own event that recorded this segment, when this is a hub's ledger."""
    place = ledger.tables.journal(stored.position)
    if place is None:
        return None
    log_id, seq = place
    for log in ledger.frontier():
        row = ledger.tables.log(log) if log.log_id == log_id else None
        found = None if row is None else ledger.tables.segment_before(row, seq)
        if found is None or found.next_seq <= seq:
            continue
        segment = open_segment(found.raw, ledger.key_of)
        fact = parse(segment.events[seq - found.first_seq])
        if isinstance(fact, Ingested) and fact.head_hash == stored.segment.head.hash:
            return Arrival(prove(segment, seq - found.first_seq), fact, found.position)
    return None


def newest_of(ledger: Ledger, authority: Authority, territory: str | None) -> Arrival | None:
    """The last arrival that a hub with INGEST there has recorded in this ledger."""
    found: list[Arrival] = []
    for log in ledger.frontier():
        if any(
            held.grant.classes & Right.INGEST
            and (territory is None or covers(held.grant.territory, territory))
            for held in authority.held(log.key_id)
        ):
            last = _last_arrival(ledger, log)
            found += [] if last is None else [last]
    return max(found, key=lambda one: one.position, default=None)


def _last_arrival(ledger: Ledger, log: LogRef) -> Arrival | None:
    row = ledger.tables.log(log)
    assert row is not None, "the frontier named it"
    seq = row.next_seq - 1
    for _ in range(STEPS_BACK):
        found = ledger.tables.segment_before(row, seq) if seq >= 0 else None
        if found is None:
            return None
        segment = open_segment(found.raw, ledger.key_of)
        for index in reversed(range(len(segment.events))):
            fact = parse(segment.events[index])
            if isinstance(fact, Ingested):
                return Arrival(prove(segment, index), fact, found.position)
        seq = found.first_seq - 1
    return None


def openings_between(ledger: Ledger, journal: Arrival | None, cuts: Iterable[Cut]) -> list[Proof]:
    """The first events of the hub's logs from each cut back to the log in which the arrival stands."""
    found: dict[bytes, Proof] = {}
    if journal is None:
        return []
    for cut in cuts:
        log_id = cut.log_id
        while log_id not in (journal.place.log_id, NO_LOG) and log_id not in found:
            first = ledger.segments_of(LogRef(cut.hub_key, log_id), 0)[:1]
            if not first or peek_type(first[0].segment.events[0]) != LogOpened.TYPE:
                break
            fact = parse(first[0].segment.events[0])
            if not isinstance(fact, LogOpened):
                break
            found[log_id] = prove(first[0].segment, 0)
            log_id = fact.prev_log
    return list(found.values())


def receipt_of(ledger: Ledger, stored: Stored) -> tuple[Receipt | None, tuple[bytes, ...]]:
    """The receipt that covers this segment and the heads that lead to it: what a station's ledger has."""
    head = stored.segment.head
    log = LogRef(head.key_id, head.log_id)
    receipt = ledger.receipt(log)
    row = ledger.tables.log(log)
    if receipt is None or row is None or receipt.next_seq < head.next_seq:
        return None, ()
    later = ledger.tables.segments_of(row, head.next_seq, HEADS_MAX + 1)
    heads = [found for found in later if found.first_seq < receipt.next_seq]
    if len(heads) > HEADS_MAX:
        return None, ()
    return receipt, tuple(found.raw[:HEAD_BYTES] for found in heads)
