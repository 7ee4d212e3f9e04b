"""What an administrator sees of a key before ending it: who holds it, what it signed, and what would be void.

The position from which everything is void is the one hard question of a revocation. So every choice is shown
with the time at which the hub had it and with what it costs: which decisions fall, which stay, how many
reports. The counting follows the rule of `ledger.facts.stays`; the act itself is `hub.endings`.

Bound: reads the ledger; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hub.accounts import Person
from hub.hub import Hub
from hub.phrases import detail_of, what_of
from ledger.facts import (
    Decision,
    Malformed,
    Report,
    Revoked,
    Right,
    Rotated,
    Signed,
    cut_at,
    reach_of,
    read,
)
from ledger.log import LogRef, NotAllowed

LINES_MAX: Final = 20  # of what a key signed last, to choose from


@dataclass(frozen=True)
class Line:
    """One thing a key signed. position: of its segment; at_s: by the signer's clock; what: a deed's name.

    named: a revocation names its log among those that stay.
    """

    position: int
    at_s: int
    what: str
    detail: str
    counts: bool
    log_id: bytes
    named: bool


@dataclass(frozen=True)
class Ended:
    """How a key ended. at_s: by the clock of whoever ended it."""

    at_s: int
    by: Person
    reason: str


@dataclass(frozen=True)
class KeyPage:
    """A key with everything it holds. unit: the smallest over all its grants; stations: those it speaks for.

    lines: what it signed last, newest first; end: the ledger's last position.
    """

    key_id: str
    label: str
    holder: Person
    unit: str
    rights: tuple[tuple[Right, str], ...]
    stations: tuple[str, ...]
    lines: tuple[Line, ...]
    ended: tuple[Ended, ...]
    end: int


@dataclass(frozen=True)
class Effect:
    """What a revocation at position `until` leaves and takes. at_s: the hub's time there, None before all.

    void: decisions that count now and would not; kept: how many stay, in how many logs.
    """

    until: int
    at_s: int | None
    void: tuple[Line, ...]
    kept: int
    logs: int
    reports_void: int
    reports_kept: int

    @property
    def grants_void(self) -> int:
        """How many of the void decisions gave somebody a right: what these signed falls with them."""
        return sum(line.what == "granted" for line in self.void)


def key_page(hub: Hub, key: str) -> KeyPage:
    """NotAllowed("revocation-unknown-key") for a key that nothing was ever granted to."""
    subject = _key_id(key)
    with hub.lock:
        authority = hub.facts.authority
        unit = reach_of(hub.ledger, subject)
        if unit is None:
            raise NotAllowed(
                "revocation-unknown-key", "nothing was ever granted to this key", where=key,
                hint="look at the list",
            )  # fmt: skip
        lines = sorted(_lines(hub, subject), key=lambda line: -line.position)
        return KeyPage(
            key,
            authority.label_of(subject),
            hub.accounts.holder(subject),
            unit,
            tuple(
                (Right(grant.classes & sum(Right)), grant.territory) for grant in authority.grants_of(subject)
            ),
            tuple(u for u in authority.units_held(subject) if u in hub.facts.stations),
            tuple(lines[:LINES_MAX]),
            tuple(_endings(hub, subject)),
            hub.ledger.position(),
        )


def station_keys(hub: Hub, unit: str) -> list[tuple[str, bool]]:
    """(key id, has it ended) of every key that was ever granted this station's reports, newest first."""
    with hub.lock:
        authority = hub.facts.authority
        found = [
            (key.key_id.hex(), not authority.units_of(key.key_id, Right.ACK))
            for key in authority.keys()  # noqa: SIM118 — not a mapping
            if unit in authority.units_held(key.key_id) and authority.units_held(key.key_id) == (unit,)
        ]
        return found[::-1]


def effect_of(hub: Hub, key: str, until: int) -> Effect:
    """What ending this key, with everything up to position `until` kept, would do.

    NotAllowed("position-unknown").
    """
    subject = _key_id(key)
    with hub.lock:
        end = hub.ledger.position()
        if not 0 <= until <= end:
            raise NotAllowed("position-unknown", f"the ledger ends at {end}", hint="choose one of the list")
        lines = list(_lines(hub, subject))
        reports = [line for line in lines if line.what == "reports"]
        decisions = [line for line in lines if line.what != "reports"]
        kept_logs = {line.log_id for line in decisions if line.named and line.position <= until}
        return Effect(
            until,
            time_of(hub, until),
            tuple(line for line in reversed(decisions) if line.position > until and line.counts),
            sum(line.position <= until for line in decisions),
            len(kept_logs),
            sum(int(line.detail) for line in reports if line.position > until),
            sum(int(line.detail) for line in reports if line.position <= until),
        )


def time_of(hub: Hub, position: int) -> int | None:
    """When the hub had come so far (UTC s by its own clock); None before its journal begins."""
    cut = cut_at(hub.ledger, hub.key.key_id, position)
    for stored in hub.ledger.segments_of(LogRef(cut.hub_key, cut.log_id), cut.seq):
        fact = read(stored)[cut.seq - stored.segment.head.first_seq].fact
        return None if isinstance(fact, Malformed) else fact.ts
    return None


def _key_id(key: str) -> bytes:
    try:
        raw = bytes.fromhex(key)
    except ValueError:
        raw = b""
    if len(raw) != 8:
        raise NotAllowed("key-id-form", f"{key!r} is no key id", hint="16 hex digits, as the lists show them")
    return raw


def _lines(hub: Hub, subject: bytes) -> Iterator[Line]:
    """What a key signed: a line for each decision, and for a segment of reports one with their number."""
    refused = {(signed.log_id, signed.seq) for signed, _ in hub.facts.refused if signed.key_id == subject}
    for ref in hub.ledger.frontier(subject):
        for stored in hub.ledger.segments_of(ref, 0):
            reports: list[Signed] = []
            for signed in read(stored):
                fact = signed.fact
                if isinstance(fact, Report):
                    reports.append(signed)
                elif isinstance(fact, Decision):
                    counts = (signed.log_id, signed.seq) not in refused
                    named = stored.audience is not None
                    what, detail = what_of(fact), detail_of(fact)
                    yield Line(stored.position, fact.ts, what, detail, counts, ref.log_id, named)
            if reports:
                first = reports[0].fact
                assert not isinstance(first, Malformed), "reports are well formed"
                count = str(len(reports))
                yield Line(stored.position, first.ts, "reports", count, True, ref.log_id, False)


def _endings(hub: Hub, subject: bytes) -> Iterator[Ended]:
    for ending in hub.facts.authority.endings_of(subject):
        place = ending.places[0]
        for stored in hub.ledger.segments_of(LogRef(ending.signer, place.log_id), place.seq)[:1]:
            fact = read(stored)[0].fact
            if isinstance(fact, Revoked | Rotated):
                reason = fact.reason if isinstance(fact, Revoked) else ""
                yield Ended(fact.ts, hub.accounts.holder(ending.signer), reason)
