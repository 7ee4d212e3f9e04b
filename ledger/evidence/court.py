"""The statements of one evidence file, judged; and the witnesses that lean on them.

Statements are read in the file's order, each under a root or a key that one before it introduced. Grants and
root sets take effect as they come, so that a reader knows every key before it meets its signature. What ended
a key is judged when all are read, because an ending speaks about what stands before it and after it: then
every statement of the file must count, or the file is refused. Nobody must have to read past a false part.

Rights are judged by `ledger.facts.authority`, the same code that a hub and a station run.

Bound: of one file. What the file proves of its event is `examine`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.evidence.chains import Chain, Recorded, chain_to, never, only_ended, shortest_chain
from ledger.facts.authority import Authority, Right
from ledger.facts.decisions import Granted
from ledger.facts.endings import Place, Revoked, RootsSet, Rotated
from ledger.facts.events import parse
from ledger.facts.fields import Malformed
from ledger.facts.links import Grant
from ledger.facts.recorded import Recorded as Journal
from ledger.facts.signed import Signed
from ledger.facts.standing import KEY_ENDED, NO_AUTHORITY, NOT_SEALED_ALONE
from ledger.log.errors import NotAllowed, SegmentError
from ledger.log.journal import Ingested, LogOpened
from ledger.log.keys import VerifyKey
from ledger.log.proof import Proof, check
from ledger.log.receipts import Receipt
from ledger.log.segment import SegmentHead, open_segment

WITNESS_NO_AUTHORITY = "witness-no-authority"


@dataclass(frozen=True)
class Witness:
    """A hub's word that the segment existed. kind: journal or receipt. at_s: UTC s by the hub's clock."""

    kind: str
    hub: bytes
    at_s: int
    chain: tuple[Grant, ...]


@dataclass(frozen=True)
class Known:
    """How far the maker of a file had read a hub's journal: its event `seq` of log `log_id`, of time at_s."""

    hub: bytes
    log_id: bytes
    seq: int
    at_s: int


class Court:
    """roots: the keys this reader trusts, from elsewhere."""

    def __init__(self, roots: Iterable[VerifyKey]) -> None:
        self.authority = Authority(tuple(roots))
        self._statements: list[Signed] = []

    @property
    def endings(self) -> tuple[Signed, ...]:
        """The revocations, rotations and root sets of the file, in its order."""
        return tuple(one for one in self._statements if not isinstance(one.fact, Granted))

    def hear(self, raw: bytes) -> None:
        """Take in the next statement of the file. SegmentError kinds, NotAllowed (`grant-…`, `roots-…`)."""
        where = f"statement {len(self._statements)}"
        segment = open_segment(raw, self.authority.key)
        head, event = segment.head, segment.events[0]
        if head.count != 1:
            raise NotAllowed(NOT_SEALED_ALONE, "a decision is the only event of its segment", where=where)
        fact = parse(event)
        if isinstance(fact, Malformed):
            raise NotAllowed(fact.reason, "a statement of the file is malformed", where=where)
        signed = Signed(fact, event, head.key_id, head.log_id, head.first_seq, len(self._statements) + 1)
        if isinstance(fact, Granted):
            self.authority.apply(signed)
        elif isinstance(fact, RootsSet):
            self.authority.follow(fact)
        elif not isinstance(fact, Revoked | Rotated):
            raise SegmentError("evidence-grant", f"{type(fact).__name__} gives or ends no right", where=where)
        self._statements.append(signed)

    def judge(self) -> None:
        """With all statements known: each must count. NotAllowed: the reason of the first that does not."""
        if not self.endings:
            return
        grouped: dict[tuple[bytes, bytes], list[Signed]] = {}
        for signed in self._statements:
            grouped.setdefault((signed.key_id, signed.event), []).append(signed)
        rows = [(copies[0], [copy.place for copy in copies[1:]]) for copies in grouped.values()]
        refused = dict(
            self.authority.again(
                [row for row in rows if isinstance(row[0].fact, Revoked | Rotated)],
                [row for row in rows if isinstance(row[0].fact, Granted)],
            )
        )
        for number, signed in enumerate(self._statements):
            reason = refused.get(signed)
            if isinstance(signed.fact, Revoked | Rotated):
                reason = self.authority.refusal(signed)
            if reason is not None:
                raise NotAllowed(
                    reason, "a statement of the file does not count", where=f"statement {number}"
                )

    def chain(
        self, signed: Signed, right: Right | None, territory: str | None, at_s: int | None, recorded: Recorded
    ) -> Chain:
        """From a root to the author, with what the event needs.

        NotAllowed: `no-authority`, `key-ended`, `grant-…`.
        """
        if isinstance(signed.fact, Granted):
            subject = self.authority.apply(signed)
            own = self.authority.held(subject.key_id)[-1]
            return chain_to(own)[:-1]
        asked = (signed.key_id, right or Right(0), territory, at_s)
        found = shortest_chain(self.authority, *asked, signed.place, recorded)
        if found is None:
            ended = only_ended(self.authority, *asked)
            raise NotAllowed(
                KEY_ENDED if ended else NO_AUTHORITY,
                "the signer's key ended before this" if ended
                else f"no grant of the file gives this signer: {(right or Right(0)).say('en') or 'anything'}",
                where=f"{signed.key_id.hex()} {territory or ''}".strip(),
            )  # fmt: skip
        return found

    # -- witnesses -------------------------------------------------------------------------------------------

    def journal(self, journal: Proof, head: SegmentHead, territory: str | None) -> Witness:
        """The hub's own record of the arrival. SegmentError kinds, NotAllowed(witness-no-authority)."""
        fact = self._arrival(journal)
        told = (*fact.log, fact.first_seq, fact.count, fact.head_hash)
        if told != (head.key_id, head.log_id, head.first_seq, head.count, head.hash):
            raise SegmentError("witness-other", "the hub's journal speaks of another segment")
        return Witness("journal", journal.head.key_id, fact.ts, self._ingests(journal, fact, territory))

    def known(self, newest: Proof, territory: str | None) -> Known:
        """The last word of a journal that the maker of the file knew. As `journal`."""
        fact = self._arrival(newest)
        self._ingests(newest, fact, territory)
        return Known(newest.head.key_id, newest.head.log_id, newest.seq, fact.ts)

    def _arrival(self, proof: Proof) -> Ingested:
        check(proof, self.authority.key)
        fact = parse(proof.event)
        if not isinstance(fact, Ingested):
            raise SegmentError("witness-event", "what the hub's journal shows here is no arrival")
        return fact

    def _ingests(self, proof: Proof, fact: Ingested, territory: str | None) -> tuple[Grant, ...]:
        place = Place(proof.head.log_id, proof.seq)
        return self._witness(proof.head.key_id, Right.INGEST, territory, fact.ts, place)

    def openings(self, openings: Sequence[Proof], journal: Proof) -> None:
        """Each is the first event of a log of the journal's hub. SegmentError kinds."""
        for opening in openings:
            check(opening, self.authority.key)
            fact = parse(opening.event)
            if (
                not isinstance(fact, LogOpened)
                or opening.seq != 0
                or opening.head.key_id != journal.head.key_id
            ):
                raise SegmentError("witness-opening", "this opens no log of the journal's hub")

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
        # A receipt stands in no log: nothing of a hub's key that ended can let it stay.
        chain = self._witness(receipt.hub, Right.RECEIPT, territory, at_s, None)
        return Witness("receipt", receipt.hub, at_s, chain)

    def _witness(
        self, hub: bytes, right: Right, territory: str | None, at_s: int, place: Place | None
    ) -> tuple[Grant, ...]:
        chain = shortest_chain(self.authority, hub, right, territory, at_s, place)
        if chain is None:
            what = f"no grant of the file lets this hub: {right.say('en')}"
            raise NotAllowed(WITNESS_NO_AUTHORITY, what, where=f"{hub.hex()} {territory or ''}".strip())
        return tuple(held.grant for held in chain)


def recorded_by(
    signed: Signed, head: SegmentHead, journal: Proof | None, openings: Sequence[Proof]
) -> Recorded:
    """Whether the file's journal had recorded this segment at or before a cut, going by its own words."""
    if journal is None:
        return never
    told = Journal([signed.key_id])
    for proof in (journal, *openings):
        told.take(Signed(parse(proof.event), proof.event, proof.head.key_id, proof.head.log_id, proof.seq, 0))
    return lambda cut: told.had(cut, head)
