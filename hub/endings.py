"""Ending keys at the hub: what was lost or stolen is revoked, and decisions signed elsewhere are taken in.

An officer's machine, a commune's box or an administrator's own key: whoever stands above it in the chain of
grants ends it, at a position of this hub's ledger up to which everything was still honest. What came later
is void from then on, here and at every station that hears of it.

Root sets, grants by a root and other decisions that are signed away from the hub come in as files of signed
segments, through the same door as everybody's segments; the journal records them.

Bound: acts and arrivals. The rules are `ledger.facts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.accounts import Officer
from hub.desk import Desk, act, clean_reason, from_hex
from ledger.facts import (
    REVOCATION_REASON_CHARS_MAX,
    Cut,
    Facts,
    Place,
    Revoked,
    Right,
    Signed,
    cut_at,
    pack_pairs,
    parse,
    reach_of,
    read,
    stays,
)
from ledger.log import (
    Ledger,
    LogRef,
    NotAllowed,
    ProtocolError,
    Segment,
    SigningKey,
    Stored,
    read_delivery,
    record_arrivals,
)

if TYPE_CHECKING:
    from hub.hub import Hub


class Endings(Desk):
    """The administrator's act of ending a key."""

    @act
    def revoke_key(
        self, officer: Officer, key: str, *, reason: str, until: int | None = None, hub: SigningKey, now: int
    ) -> Revoked:
        """Ends a key (16 hex digits of its id); what had arrived by position `until` (None: by now) stays.

        A station's key got its right from the hub's own key; so on an administrator's word that one ends it.

        NotAllowed: `key-id-form`, `revocation-unknown-key`, `revocation-not-above`, `position-unknown`,
        `proof-needed` when the password was not typed just now.
        """
        subject = from_hex(key)
        if len(subject) != 8:
            raise NotAllowed(
                "key-id-form", f"{key!r} is no key id", hint="16 hex digits, as the lists show them"
            )
        territory = reach_of(self._ledger, subject)
        if territory is None:
            raise NotAllowed(
                "revocation-unknown-key",
                "nothing was ever granted to this key",
                where=key,
                hint="look at the list",
            )
        self._may(officer, Right.GRANT, territory, now)
        self._proven(officer, now)
        end = self._ledger.position()
        if until is not None and not 0 <= until <= end:
            raise NotAllowed(
                "position-unknown", f"the ledger ends at {end}", hint="`loa ledger show` lists them"
            )
        until = end if until is None else until
        cut = cut_at(self._ledger, hub.key_id, until)
        fact = Revoked(
            now,
            subject,
            territory,
            cut.hub_key,
            cut.log_id,
            cut.seq,
            pack_pairs(stays(self._ledger, subject, until)),
            clean_reason(reason)[:REVOCATION_REASON_CHARS_MAX],
        )
        may_end = self._facts.authority.may_end
        by_hub = not may_end(officer.key.key_id, subject) and may_end(hub.key_id, subject)
        with self._ledger.transaction():
            stored = self._ledger.append_sealed(hub if by_hub else officer.key, fact.encode())
            refusal = why_not(self._facts, stored)
            if refusal:
                raise NotAllowed(
                    refusal, "this key does not stand above the one to be ended", where=key,
                    hint="somebody of its chain of grants, or a root, has to do it",
                )  # fmt: skip
        return fact


@dataclass(frozen=True)
class Taken:
    """What became of one segment of a delivery. why: "" when it counts or needs no authority."""

    key_id: str
    kind: str
    outcome: str
    why: str


def why_not(facts: Facts, stored: Stored) -> str:
    """Why the segment's lone decision does not count, "" when it does."""
    return facts.refusal_of(read(stored)[0]) or ""


def recorded_by(ledger: Ledger, cut: Cut, position: int) -> bool:
    """True when this hub's journal had recorded the segment at `position` at or before the cut.

    From the table beside the journal; `Recorded` says the same of the journal's own events.
    """
    place = ledger.tables.journal(position)
    end = ledger.tables.log(LogRef(cut.hub_key, cut.log_id))
    if place is None or end is None:
        return False
    log = ledger.tables.log(LogRef(cut.hub_key, place[0]))
    return log is not None and (log.n, place[1]) <= (end.n, cut.seq)


def ended_and_stays(facts: Facts, segment: Segment) -> bool:
    """True for a decision of a key that ended, or of a root that left, at a place that stays nevertheless."""
    head, authority = segment.head, facts.authority
    place = Place(head.log_id, head.first_seq)
    endings = authority.endings_of(head.key_id)
    if endings:
        return any(all(ending.keeps(place) for ending in held.ends) for held in authority.held(head.key_id))
    return authority.roots.known(head.key_id) and not authority.is_root(head.key_id) and (
        authority.roots.is_root(head.key_id, place)
    )  # fmt: skip


def units_reported(ledger: Ledger, facts: Facts, signed: Signed) -> list[str]:
    """The stations for which a report counts: those its key was granted, as far as nothing made it void."""
    authority = facts.authority

    def recorded(cut: Cut) -> bool:
        return recorded_by(ledger, cut, signed.position)

    units = sorted({held.grant.territory for held in authority.held(signed.key_id)})
    return [u for u in units if authority.may_report(signed.key_id, Right.ACK, u, signed.place, recorded)]


def take_in(hub: Hub, delivery: bytes) -> list[Taken]:
    """Takes in a file of signed segments as a sync would. Raises ProtocolError("delivery-form")."""
    raws = read_delivery(delivery)
    with hub.lock:
        opened = hub.ledger.open_all(raws)
        with hub.ledger.transaction():
            admissions = hub.ledger.admit_all(opened, source="file")
            record_arrivals(hub.ledger, hub.key, admissions, now=hub.now())
        hub.tick()
        found = []
        for admission in admissions:
            if admission.error is not None:
                found.append(Taken("", "", "refused", str(admission.error)))
            for stored in admission.stored:
                kind = type(parse(stored.segment.events[-1])).__name__
                key_id = stored.segment.head.key_id.hex()
                found.append(Taken(key_id, kind, "taken in", why_not(hub.facts, stored)))
            if admission.error is None and not admission.stored:
                assert admission.outcome is not None, "an admission has one or the other"
                found.append(Taken("", "", admission.outcome.name.lower(), ""))
        if not found:
            raise ProtocolError("delivery-form", "the file holds no segment")
        return found
