"""Making an evidence file from a ledger: proof, fewest grants, what ended any of these keys, every witness.

The whole ledger is folded once, so that what is chosen stands by everything that is known here. Of endings
only those go along that concern a key in the file (`picking`). A hub's ledger has the journal of arrivals, a
station's the receipts; whichever lies here goes into the file. A witness whose hub holds no fitting right is
left out rather than sent along to be refused. What leaves is read back first by the same function that its
reader will use.

Bound: reads a ledger, writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.evidence.chains import Chain, Recorded, chain_to, never, only_ended, shortest_chain
from ledger.evidence.examine import Finding, examine, needed
from ledger.evidence.file import EVIDENCE_BYTES_MAX, OPENINGS_MAX, EvidenceFile
from ledger.evidence.hubs import Arrival, arrival_of, newest_of, openings_between, receipt_of
from ledger.evidence.picking import Picking, introduced_by
from ledger.facts.authority import Authority, Right
from ledger.facts.decisions import Granted
from ledger.facts.endings import RootsSet
from ledger.facts.events import parse
from ledger.facts.recorded import Recorded as Journal
from ledger.facts.signed import Signed, read
from ledger.facts.standing import KEY_ENDED, NO_AUTHORITY
from ledger.facts.state import Facts
from ledger.log.errors import KeyRefused, NotAllowed
from ledger.log.keys import VerifyKey, key_id
from ledger.log.proof import prove
from ledger.log.store import Ledger, Stored


def gather(
    ledger: Ledger, stored: Stored, index: int, roots: Iterable[VerifyKey] = ()
) -> tuple[bytes, Finding]:
    """(the file's bytes, what they prove) for the event at `index` of a stored segment.

    roots: those the ledger's founder or the enrolment reply named; with none given, every key that grants
    something and was granted nothing, or else the author. Raises NotAllowed: `no-authority`, `key-ended` when
    the event does not count under these roots; `roots-unnamed`; `evidence-size`.
    """
    signed = read(stored)[index]
    trusted = tuple(roots) or _tops(ledger, signed.key_id)
    facts = Facts(trusted)
    facts.load(ledger)
    authority = facts.authority
    head = stored.segment.head
    right, territory, at_s = needed(signed, head.count)
    recorded = _recorded(ledger, stored, authority, signed) if right is Right.ACK else never
    chain = _chain_of(facts, signed, right, territory, at_s, recorded)
    if territory is None and chain:
        territory = chain[-1].grant.territory
    picking = Picking(ledger, authority)
    picking.add(chain, signed.key_id)

    def hub_of(arrival: Arrival | None) -> Arrival | None:
        """The arrival when its hub may say so; then its grants go along."""
        if arrival is None:
            return None
        asked = (arrival.hub, Right.INGEST, territory, arrival.fact.ts, arrival.place)
        hub = shortest_chain(authority, *asked)
        if hub is None:
            return None
        picking.add(hub, arrival.hub)
        return arrival

    journal = hub_of(arrival_of(ledger, stored))
    receipt, heads = receipt_of(ledger, stored)
    if receipt is not None:
        hub = shortest_chain(authority, receipt.hub, Right.RECEIPT, territory, receipt.hub_time, None)
        if hub is None:
            receipt, heads = None, ()
        else:
            picking.add(hub, receipt.hub)
    newest = hub_of(newest_of(ledger, authority, territory))
    same = newest is not None and journal is not None and newest.place == journal.place
    ended_at = [ending.cut for held in chain[-1:] for ending in held.ends if not ending.keeps(signed.place)]
    openings = openings_between(ledger, journal, ended_at)[:OPENINGS_MAX]
    data = EvidenceFile(
        prove(stored.segment, index).encode(),
        picking.segments(),
        None if journal is None else journal.proof.encode(),
        None if receipt is None else receipt.encode(),
        heads,
        None if newest is None or same else newest.proof.encode(),
        tuple(one.encode() for one in openings),
    ).encode()
    if len(data) > EVIDENCE_BYTES_MAX:
        raise NotAllowed(
            "evidence-size", f"the file would have {len(data)} bytes, at most {EVIDENCE_BYTES_MAX}",
            hint="prove the grant or the revocation that matters by itself",
        )  # fmt: skip
    return data, examine(data, trusted)


def _chain_of(
    facts: Facts, signed: Signed, right: Right | None, territory: str | None, at_s: int | None,
    recorded: Recorded,
) -> Chain:  # fmt: skip
    authority = facts.authority
    asked = (signed.key_id, right or Right(0), territory, at_s)
    if isinstance(signed.fact, Granted):
        subject = introduced_by(signed.event).pop()
        chain = next(
            (
                chain_to(held)[:-1]
                for held in authority.held(subject)
                if held.grant.issuer == signed.key_id and signed.place in held.places
            ),
            None,
        )
    else:
        chain = shortest_chain(authority, *asked, signed.place, recorded)
    if chain is not None:
        return chain
    # By an ending of the key itself, or by one above it that took a grant to it along.
    voided = [one for one, why in facts.refused if why.endswith(KEY_ENDED)]
    if only_ended(authority, *asked) or any(
        one.id == signed.id
        or (isinstance(one.fact, Granted) and key_id(one.fact.subject_pub) == signed.key_id)
        for one in voided
    ):
        raise NotAllowed(
            KEY_ENDED, "this ledger holds a revocation or rotation that voids the event",
            where=signed.key_id.hex(), hint="prove the revocation instead",
        )  # fmt: skip
    raise NotAllowed(
        NO_AUTHORITY,
        f"no chain of grants here gives this signer: {(right or Right(0)).say('en') or 'anything'}",
        where=signed.key_id.hex(),
        hint="name the roots that count with --root, or prove it from the hub's ledger",
    )


def _recorded(ledger: Ledger, stored: Stored, authority: Authority, signed: Signed) -> Recorded:
    """What the hubs' journals here say of this segment and a cut; read only when some ending asks."""
    if not authority.endings_of(signed.key_id):
        return never
    arrivals = Journal([signed.key_id])
    for log in ledger.frontier():
        if any(held.grant.classes & Right.INGEST for held in authority.held(log.key_id)):
            for hub in ledger.segments_of(log, 0):
                for event in read(hub):
                    arrivals.take(event)
    return lambda cut: arrivals.had(cut, stored.segment.head)


def _tops(ledger: Ledger, author: bytes) -> tuple[VerifyKey, ...]:
    """The keys that nobody here granted anything: issuers of grants, and the author when it is one."""
    granted: set[bytes] = set()
    issuers: dict[bytes, None] = {}
    for stored in ledger.since(0, decisions_only=True):
        fact = parse(stored.segment.events[0]) if stored.segment.head.count == 1 else None
        if isinstance(fact, RootsSet):
            raise NotAllowed(
                "roots-unnamed", "this ledger holds root sets and does not say with which roots they began",
                hint="name every root of the founding with --root",
            )  # fmt: skip
        if isinstance(fact, Granted):
            try:
                granted |= introduced_by(stored.segment.events[0])
            except KeyRefused:
                continue
            issuers[stored.segment.head.key_id] = None
    issuers[author] = None
    keys = [ledger.key_of(issuer) for issuer in issuers if issuer not in granted]
    return tuple(key for key in keys if key is not None)
