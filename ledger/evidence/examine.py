"""What an evidence file proves to somebody who trusts some root keys and nothing else.

In this order: length, magic and shape; every grant as it stands in the file, each by an issuer already
introduced; the proof; the right at the event's own `ts`; then the witnesses. The first check that fails gives
the code. Rights are judged by `ledger.facts.authority`, the same code that a hub and a station run.

A witness is a hub with INGEST (its journal) or RECEIPT over the territory the event speaks for. What the
file cannot show is part of the answer: `Finding.questions`.

Bound: no file, no words. Of one file's claims all must hold: a witness that does not count refuses the file,
so that nobody reads past it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from ledger.evidence.chains import Chain, Link, chain_to, shortest_chain
from ledger.evidence.file import EvidenceFile
from ledger.facts.authority import Authority, Right
from ledger.facts.decisions import (
    Approved,
    Cancelled,
    Drafted,
    EmergencyOrdered,
    Granted,
    QuietHoursSet,
    Scheduled,
    StationRegistered,
)
from ledger.facts.endings import Revoked, RootsSet, Rotated
from ledger.facts.events import Fact, parse
from ledger.facts.fields import Malformed
from ledger.facts.reports import Acknowledged, ClockStepped, DaySummary, Refused, WithdrawalSeen
from ledger.facts.signed import Signed
from ledger.facts.standing import NO_AUTHORITY, NOT_SEALED_ALONE, asks
from ledger.log.errors import NotAllowed, SegmentError
from ledger.log.journal import ForkFound, Ingested
from ledger.log.keys import VerifyKey
from ledger.log.proof import Proof, check
from ledger.log.receipts import Receipt
from ledger.log.segment import SegmentHead, open_segment

WITNESS_NO_AUTHORITY = "witness-no-authority"
_RULED = (
    Approved,
    Scheduled,
    EmergencyOrdered,
    Cancelled,
    QuietHoursSet,
    StationRegistered,
    Drafted,
    Granted,
)
_ENDINGS = (Rotated, Revoked, RootsSet)


class Question(Enum):
    """What a file leaves open, in the order in which a reader should hear it."""

    MEANING = "meaning"  # malformed or of a newer version: signed, and without effect here
    EFFECT = "effect"  # an ending of a key: whether it takes effect hangs on statements that are not here
    TIME = "time"  # no witness: only the author's own clock says when
    SELF_WITNESS = "self-witness"  # the hub that says when is the author
    LATE = "late"  # the right had run out when a witness first saw it
    AHEAD = "ahead"  # the author's clock was later than the witness's
    CONTENT = "content"  # the content's hash is here, the content is not
    SOUND = "sound"  # the device's word, not an ear's
    LATER = "later"  # what was decided afterwards: withdrawn, replaced
    REVOKED = "revoked"  # whether the key had been stolen or revoked
    PERSON = "person"  # who held the key


@dataclass(frozen=True)
class Witness:
    """A hub's word that the segment existed. kind: journal or receipt. at_s: UTC s by the hub's clock."""

    kind: str
    hub: bytes
    at_s: int
    chain: Chain


@dataclass(frozen=True)
class Finding:
    """What a file proves. chain: from a root to the author, empty when the author is a root.

    right: what the event's type needs, or None. territory: what it speaks for, or None. root: the key id at
    the top of the chain.
    """

    author: VerifyKey
    label: str
    log_id: bytes
    seq: int
    event: bytes
    fact: Fact | Malformed
    right: Right | None
    territory: str | None
    root: bytes
    chain: Chain
    witnesses: tuple[Witness, ...]
    questions: tuple[Question, ...]

    @property
    def existed_s(self) -> int | None:
        """The earliest instant at which a witness had it (UTC s), or None."""
        return min((witness.at_s for witness in self.witnesses), default=None)


def examine(data: bytes, roots: Iterable[VerifyKey]) -> Finding:
    """The finding; raises LoaError kinds only. roots: the keys this reader trusts, from elsewhere."""
    file = EvidenceFile.decode(data)
    proof = Proof.decode(file.proof)
    journal = None if file.journal is None else Proof.decode(file.journal)
    receipt = None if file.receipt is None else Receipt.decode(file.receipt)
    heads = [SegmentHead.decode(raw) for raw in file.heads]
    court = _Court(roots)
    for raw in file.grants:
        court.accept(raw)
    check(proof, court.authority.key)
    head = proof.head
    signed = Signed(parse(proof.event), proof.event, head.key_id, head.log_id, proof.seq, 0)
    right, territory, at_s = needed(signed, head.count)
    chain = court.chain(signed, right, territory, at_s)
    if territory is None and chain:
        territory = chain[-1].fact.territory
    witnesses = []
    if journal is not None:
        witnesses.append(court.journal(journal, head, territory))
    if receipt is not None:
        witnesses.append(court.receipt(receipt, head, heads, territory))
    author = court.authority.key(signed.key_id)
    assert author is not None, "the proof was checked with this key"
    seen = min((witness.at_s for witness in witnesses), default=None)
    late = seen is not None and not court.may(signed.key_id, right, territory, seen)
    return Finding(
        author, court.authority.label_of(signed.key_id), head.log_id, proof.seq, proof.event, signed.fact,
        right, territory, chain[0].issuer if chain else signed.key_id, chain, tuple(witnesses),
        tuple(_questions(signed, witnesses, seen, late)),
    )  # fmt: skip


class _Court:
    """The accepted grants of one file and the questions put to them."""

    def __init__(self, roots: Iterable[VerifyKey]) -> None:
        trusted = tuple(roots)
        self.authority = Authority(trusted)
        self.roots = frozenset(root.key_id for root in trusted)
        self.links: list[Link] = []

    def accept(self, raw: bytes) -> None:
        """Take in the next grant of the file; its issuer is a root or was introduced by one before it."""
        where = f"grant {len(self.links)}"
        segment = open_segment(raw, self.authority.key)
        head, event = segment.head, segment.events[0]
        if head.count != 1:
            raise NotAllowed(NOT_SEALED_ALONE, "a grant is the only event of its segment", where=where)
        fact = parse(event)
        if isinstance(fact, Malformed):
            raise NotAllowed(fact.reason, "a grant of the file is malformed", where=where)
        if not isinstance(fact, Granted):
            raise SegmentError("evidence-grant", f"{type(fact).__name__} is no grant", where=where)
        signed = Signed(fact, event, head.key_id, head.log_id, head.first_seq, len(self.links) + 1)
        self.links.append(Link(head.key_id, self.authority.apply(signed), fact, raw))

    def may(self, key_id: bytes, right: Right | None, territory: str | None, at_s: int) -> bool:
        """Asked of the house's own rule; a root's event without a territory speaks for everything."""
        return self.authority.may(key_id, right or Right(0), territory or "", at_s)

    def chain(self, signed: Signed, right: Right | None, territory: str | None, at_s: int | None) -> Chain:
        """From a root to the author, with what the event needs. NotAllowed(no-authority), grant-…"""
        if isinstance(signed.fact, Granted):
            subject = self.authority.apply(signed)
            own = Link(signed.key_id, subject, signed.fact, b"")
            found = chain_to(self.links, self.roots, own)
            assert found is not None, "authority found a chain to this grant"
            return found[:-1]
        return self._chain(signed.key_id, right or Right(0), territory, at_s, NO_AUTHORITY)

    def _chain(
        self, key_id: bytes, right: Right, territory: str | None, at_s: int | None, refusal: str
    ) -> Chain:
        chain = shortest_chain(self.links, self.roots, key_id, right, territory, at_s)
        if chain is not None and chain:
            end = chain[-1].fact
            at_s = end.not_before if at_s is None else at_s
            if not self.may(key_id, right, territory or end.territory, at_s):
                chain = None
        if chain is None:
            what = f"no grant of the file gives this signer: {right.say('en') or 'anything'}"
            raise NotAllowed(refusal, what, where=f"{key_id.hex()} {territory or ''}".strip())
        return chain

    def journal(self, journal: Proof, head: SegmentHead, territory: str | None) -> Witness:
        """The hub's own record of the arrival. SegmentError kinds, NotAllowed(witness-no-authority)."""
        check(journal, self.authority.key)
        fact = parse(journal.event)
        if not isinstance(fact, Ingested):
            raise SegmentError("witness-event", "what the hub's journal shows here is no arrival")
        told = (*fact.log, fact.first_seq, fact.count, fact.head_hash)
        if told != (head.key_id, head.log_id, head.first_seq, head.count, head.hash):
            raise SegmentError("witness-other", "the hub's journal speaks of another segment")
        hub = journal.head.key_id
        chain = self._chain(hub, Right.INGEST, territory, fact.ts, WITNESS_NO_AUTHORITY)
        return Witness("journal", hub, fact.ts, chain)

    def receipt(
        self, receipt: Receipt, head: SegmentHead, heads: Sequence[SegmentHead], territory: str | None
    ) -> Witness:
        """The hub's promise for this segment or a later one of its log. As `journal`, and receipt-…"""
        key = self.authority.key(receipt.hub)
        if key is None:
            what = "no grant of the file introduces the receipt's hub"
            raise SegmentError("key-unknown", what, where=receipt.hub.hex())
        receipt.verify(key)
        for after in heads:
            joint = (head.key_id, head.log_id, head.next_seq, head.hash)
            if (after.key_id, after.log_id, after.first_seq, after.prev) != joint:
                raise SegmentError("witness-heads", "a head does not follow the one before", where=str(after))
            head = after
        end = (head.key_id, head.log_id, head.next_seq, head.hash)
        if (*receipt.log, receipt.next_seq, receipt.head_hash) != end:
            raise SegmentError("witness-other", "the receipt is for another segment", where=str(head))
        at_s = receipt.hub_time
        chain = self._chain(receipt.hub, Right.RECEIPT, territory, at_s, WITNESS_NO_AUTHORITY)
        return Witness("receipt", receipt.hub, at_s, chain)


def needed(signed: Signed, count: int) -> tuple[Right | None, str | None, int | None]:
    """(right, territory, instant) the signer must hold; None for what the event's type leaves open."""
    fact = signed.fact
    if isinstance(fact, Acknowledged | DaySummary | ClockStepped | Refused | WithdrawalSeen):
        return Right.ACK, None, fact.ts
    if isinstance(fact, Ingested | ForkFound):
        return Right.INGEST, None, fact.ts
    if not isinstance(fact, _RULED):
        return None, None, None
    if count != 1:
        raise NotAllowed(NOT_SEALED_ALONE, "a decision is the only event of its segment")
    if isinstance(fact, Granted):
        return Right.GRANT, fact.territory, fact.ts
    return asks(signed)


def _questions(
    signed: Signed, witnesses: Sequence[Witness], seen: int | None, late: bool
) -> Iterable[Question]:
    fact = signed.fact
    if isinstance(fact, Malformed):
        yield Question.MEANING
    if isinstance(fact, _ENDINGS):
        yield Question.EFFECT
    if seen is None:
        yield Question.TIME
    elif all(witness.hub == signed.key_id for witness in witnesses):
        yield Question.SELF_WITNESS
    if late:
        yield Question.LATE
    if seen is not None and not isinstance(fact, Malformed) and fact.ts > seen:
        yield Question.AHEAD
    if isinstance(fact, Approved | Drafted | Scheduled | EmergencyOrdered | Acknowledged):
        yield Question.CONTENT
    if isinstance(fact, Acknowledged):
        yield Question.SOUND
    if isinstance(fact, _RULED):
        yield Question.LATER
    yield Question.REVOKED
    yield Question.PERSON
