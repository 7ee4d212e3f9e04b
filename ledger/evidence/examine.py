"""What an evidence file proves to somebody who trusts some root keys and nothing else.

In this order: length, magic and shape; every statement as it stands in the file (`court`); the proof; the
right at the event's own `ts` and place; then the witnesses. The first check that fails gives the code. An
event that an ending in the file made void is refused with `key-ended`: signed, and worth nothing.

A witness is a hub with INGEST (its journal) or RECEIPT over the territory the event speaks for. What the
file cannot show is part of the answer: `Finding.questions`, and `Finding.known`, how far its maker had read.

Bound: no file, no words. Of one file's claims all must hold: a witness that does not count refuses the file,
so that nobody reads past it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from ledger.evidence.chains import never, shortest_chain
from ledger.evidence.court import Court, Known, Witness, recorded_by
from ledger.evidence.file import EvidenceFile
from ledger.facts.authority import Right
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
from ledger.facts.events import Fact, Report, parse
from ledger.facts.fields import Malformed
from ledger.facts.links import Grant
from ledger.facts.merging import UnitMerged
from ledger.facts.proposals import EmergencyProposed
from ledger.facts.reports import Acknowledged
from ledger.facts.signed import Signed
from ledger.facts.standing import CIVIC, NOT_SEALED_ALONE, asks
from ledger.log.errors import NotAllowed
from ledger.log.journal import ForkFound, Ingested
from ledger.log.keys import VerifyKey
from ledger.log.proof import Proof, check
from ledger.log.receipts import Receipt
from ledger.log.segment import SegmentHead

_RULED = (
    Approved,
    Scheduled,
    EmergencyOrdered,
    Cancelled,
    QuietHoursSet,
    StationRegistered,
    Drafted,
    EmergencyProposed,
    Granted,
    *CIVIC,
)
_HANGING = (Rotated, Revoked, RootsSet, UnitMerged)


class Question(Enum):
    """What a file leaves open, in the order in which a reader should hear it."""

    MEANING = "meaning"  # malformed or of a newer version: signed, and without effect here
    EFFECT = "effect"  # an ending of a key, a merger: whether it takes effect hangs on what is not here
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
class Finding:
    """What a file proves. chain: from a root to the author, empty when the author is a root.

    right: what the event's type needs, or None. territory: what it speaks for, or None. root: the key id at
    the top of the chain. endings: the revocations, rotations and root sets of the file; the event stays in
    spite of them. known: how far the maker of the file had read a hub's journal, or None.
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
    chain: tuple[Grant, ...]
    witnesses: tuple[Witness, ...]
    questions: tuple[Question, ...]
    endings: tuple[Signed, ...] = ()
    known: Known | None = None

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
    newest = None if file.newest is None else Proof.decode(file.newest)
    openings = [Proof.decode(raw) for raw in file.openings]
    court = Court(roots)
    for raw in file.statements:
        court.hear(raw)
    court.judge()
    authority = court.authority
    check(proof, authority.key)
    head = proof.head
    signed = Signed(parse(proof.event), proof.event, head.key_id, head.log_id, proof.seq, 0)
    right, territory, at_s = needed(signed, head.count)
    recorded = recorded_by(signed, head, journal, openings) if right is Right.ACK else never
    chain = court.chain(signed, right, territory, at_s, recorded)
    grants = tuple(held.grant for held in chain)
    if territory is None and grants:
        territory = grants[-1].territory
    witnesses, read = [], []
    if journal is not None:
        witnesses.append(court.journal(journal, head, territory))
        court.openings(openings, journal)
        read.append(court.known(journal, territory))
    if receipt is not None:
        witnesses.append(court.receipt(receipt, head, heads, territory))
        read.append(Known(receipt.hub, receipt.hub_log, receipt.hub_seq, receipt.hub_time))
    if newest is not None:
        read = [court.known(newest, territory)]
    known = max(read, key=lambda one: one.at_s, default=None)
    author = authority.key(signed.key_id)
    assert author is not None, "the proof was checked with this key"
    seen = min((witness.at_s for witness in witnesses), default=None)
    asked = (signed.key_id, right or Right(0), territory)
    late = seen is not None and shortest_chain(authority, *asked, seen, signed.place, recorded) is None
    return Finding(
        author, authority.label_of(signed.key_id), head.log_id, proof.seq, proof.event, signed.fact,
        right, territory, grants[0].issuer if grants else signed.key_id, grants, tuple(witnesses),
        tuple(_questions(signed, witnesses, seen, late)), court.endings, known,
    )  # fmt: skip


def needed(signed: Signed, count: int) -> tuple[Right | None, str | None, int | None]:
    """(right, territory, instant) the signer must hold; None for what the event's type leaves open."""
    fact = signed.fact
    if isinstance(fact, Report):
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
    if isinstance(fact, _HANGING):
        yield Question.EFFECT
    if seen is None:
        yield Question.TIME
    elif all(witness.hub == signed.key_id for witness in witnesses):
        yield Question.SELF_WITNESS
    if late:
        yield Question.LATE
    if seen is not None and not isinstance(fact, Malformed) and fact.ts > seen:
        yield Question.AHEAD
    if isinstance(fact, Approved | Drafted | Scheduled | EmergencyOrdered | EmergencyProposed | Acknowledged):
        yield Question.CONTENT
    if isinstance(fact, Acknowledged):
        yield Question.SOUND
    if isinstance(fact, _RULED):
        yield Question.LATER
    yield Question.REVOKED
    yield Question.PERSON
