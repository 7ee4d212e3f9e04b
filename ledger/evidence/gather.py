"""Making an evidence file from a ledger: the proof, the fewest grants, and every witness the ledger holds.

A hub's ledger has the journal of arrivals, a station's the receipts; whichever lies here goes into the file.
A witness whose hub holds no fitting right is left out rather than sent along to be refused. What leaves is
read back first by the same function that its reader will use.

Bound: reads a ledger, writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ledger.evidence.chains import Chain, Link, chain_to, shortest_chain
from ledger.evidence.examine import Finding, examine, needed
from ledger.evidence.file import HEADS_MAX, EvidenceFile
from ledger.facts.authority import Right
from ledger.facts.decisions import Granted
from ledger.facts.events import parse
from ledger.facts.recorded import Recorded
from ledger.facts.signed import Signed, read
from ledger.facts.standing import NO_AUTHORITY
from ledger.facts.state import Facts
from ledger.log.chain import LogRef
from ledger.log.errors import KeyRefused, NotAllowed
from ledger.log.journal import Ingested
from ledger.log.keys import VerifyKey
from ledger.log.proof import Proof, prove
from ledger.log.receipts import Receipt
from ledger.log.segment import HEAD_BYTES, open_segment
from ledger.log.store import Ledger, Stored


def gather(
    ledger: Ledger, stored: Stored, index: int, roots: Iterable[VerifyKey] = ()
) -> tuple[bytes, Finding]:
    """(the file's bytes, what they prove) for the event at `index` of a stored segment.

    roots: with none given, every key that grants something and was granted nothing, or else the author.
    Raises NotAllowed when the event does not count under these roots.
    """
    links = _grants(ledger)
    trusted = tuple(roots) or _tops(ledger, links, stored.segment.head.key_id)
    ids = frozenset(root.key_id for root in trusted)
    signed = read(stored)[index]
    right, territory, at_s = needed(signed, stored.segment.head.count)
    chain = _chain_of(links, ids, signed, right or Right(0), territory, at_s)
    if right is not None and not _stands(ledger, trusted, signed, stored, right, territory, at_s, chain):
        raise NotAllowed(
            "key-ended",
            "this ledger holds a revocation or rotation that voids the event",
            where=signed.key_id.hex(),
            hint="prove the revocation instead",
        )
    if territory is None and chain:
        territory = chain[-1].fact.territory
    chains = [chain]
    journal = _journal_of(ledger, stored)
    if journal is not None:
        proof, arrived = journal
        hub = shortest_chain(links, ids, proof.head.key_id, Right.INGEST, territory, arrived.ts)
        journal = None if hub is None else journal
        chains.append(hub or ())
    receipt, heads = _receipt_of(ledger, stored)
    if receipt is not None:
        hub = shortest_chain(links, ids, receipt.hub, Right.RECEIPT, territory, receipt.hub_time)
        receipt = None if hub is None else receipt
        chains.append(hub or ())
    file = EvidenceFile(
        prove(stored.segment, index).encode(),
        tuple(dict.fromkeys(link.raw for chain in chains for link in chain)),
        None if journal is None else journal[0].encode(),
        None if receipt is None else receipt.encode(),
        () if receipt is None else heads,
    ).encode()
    return file, examine(file, trusted)


def _chain_of(
    links: Sequence[Link],
    ids: Collection[bytes],
    signed: Signed,
    right: Right,
    territory: str | None,
    at_s: int | None,
) -> Chain:
    fact = signed.fact
    if isinstance(fact, Granted):
        whole = chain_to(links, ids, Link(signed.key_id, VerifyKey(fact.subject_pub), fact, b""))
        chain = None if whole is None else whole[:-1]
    else:
        chain = shortest_chain(links, ids, signed.key_id, right, territory, at_s)
    if chain is None:
        raise NotAllowed(
            NO_AUTHORITY,
            f"no chain of grants here gives this signer: {right.say('en') or 'anything'}",
            where=signed.key_id.hex(),
            hint="name the roots that count with --root, or prove it from the hub's ledger",
        )
    return chain


def _stands(
    ledger: Ledger, trusted: Sequence[VerifyKey], signed: Signed, stored: Stored, right: Right,
    territory: str | None, at_s: int | None, chain: Chain,
) -> bool:  # fmt: skip
    """False when an ending that this ledger knows of voids the event: no file of it shall leave here."""
    facts = Facts(trusted)
    facts.load(ledger)
    unit = territory or (chain[-1].fact.territory if chain else "")
    asked_s = chain[-1].fact.not_before if at_s is None and chain else (at_s or 0)
    if isinstance(signed.fact, Granted):
        subject = VerifyKey(signed.fact.subject_pub).key_id
        return any(held.grant.issuer == signed.key_id for held in facts.authority.held(subject))
    if facts.authority.may(signed.key_id, right, unit, asked_s, signed.place):
        return True
    if right is not Right.ACK:
        return False
    arrivals = Recorded([signed.key_id])
    for log in ledger.frontier():
        if facts.authority.may(log.key_id, Right.INGEST, unit, asked_s):
            for hub in ledger.segments_of(log, 0):
                for event in read(hub):
                    arrivals.take(event)
    head = stored.segment.head
    return facts.authority.may_report(
        signed.key_id, right, unit, signed.place, lambda cut: arrivals.had(cut, head)
    )


def _grants(ledger: Ledger) -> list[Link]:
    """Every well-formed grant of the ledger that was sealed alone, in order of arrival."""
    found = []
    for stored in ledger.since(0, decisions_only=True):
        fact = parse(stored.segment.events[0])
        if isinstance(fact, Granted) and stored.segment.head.count == 1:
            try:
                subject = VerifyKey(fact.subject_pub)
            except KeyRefused:
                continue
            found.append(Link(stored.segment.head.key_id, subject, fact, stored.segment.raw))
    return found


def _tops(ledger: Ledger, links: Sequence[Link], author: bytes) -> tuple[VerifyKey, ...]:
    """The keys that nobody here granted anything: issuers of grants, and the author when it is one."""
    granted = {link.subject.key_id for link in links}
    issuers = dict.fromkeys([*(link.issuer for link in links), author])
    keys = [ledger.key_of(issuer) for issuer in issuers if issuer not in granted]
    return tuple(key for key in keys if key is not None)


def _journal_of(ledger: Ledger, stored: Stored) -> tuple[Proof, Ingested] | None:
    """The hub's own event that recorded the arrival of this segment, when this is a hub's ledger."""
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
            return prove(segment, seq - found.first_seq), fact
    return None


def _receipt_of(ledger: Ledger, stored: Stored) -> tuple[Receipt | None, tuple[bytes, ...]]:
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
