"""Reading along: what the hub's ledger says while the day goes on, and whether everybody has everything.

The picture on the screen and the question "has it converged?" are answered from the ledger files alone,
opened read-only beside their owners: each segment is verified again as it is read. What the conductor
knows of its own doings is not asked.

Converged means, for a station: nothing waits to be sealed, each of its logs ends at the hub where it ends at
home, and each decision the hub has for it has arrived.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ledger.facts import (
    Acknowledged,
    Approved,
    Cancelled,
    EmergencyOrdered,
    Evidence,
    Facts,
    Outcome,
    Refused,
    Right,
    Scheduled,
    WithdrawalSeen,
    read,
    units,
)
from ledger.log import DiskStore, Head, Ledger, LogRef, SigningKey, VerifyKey
from sim.demo.crowd import Member

LEDGER_DB = "ledger.db"
KEY_NAME = "station.key"
ROOM_BYTES = 1 << 20
HEARD = (Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.INTERRUPTED)


def open_ledger(store: DiskStore) -> Ledger:
    """A ledger for reading. Nothing is signed or stored by it."""
    return Ledger(store.open_db(LEDGER_DB), entropy=os.urandom, now=lambda: 0)


@dataclass
class StationTally:
    """What one station has acknowledged so far."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    last_at_s: int = 0
    last_outcome: Outcome | None = None


@dataclass
class Reading:
    """The state of the hub's ledger. decided: counts by name of decision."""

    stations: dict[str, StationTally] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    decided: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    events: int = 0
    emergency_series: set[int] = field(default_factory=set)
    emergency_heard: set[str] = field(default_factory=set)
    evidence: Counter[Evidence] = field(default_factory=Counter)
    withdrawals_seen: int = 0
    refusals: int = 0


_DECISIONS = {
    Approved: "approved",
    Scheduled: "scheduled",
    EmergencyOrdered: "emergency",
    Cancelled: "cancelled",
}


class HubWatch:
    """Follows a hub's ledger. folder: the hub's directory; roots: the keys whose authority nobody granted."""

    def __init__(self, folder: Path, roots: Iterable[VerifyKey]) -> None:
        self._store = DiskStore(folder, readonly=True)
        self.ledger = open_ledger(self._store)
        self._facts = Facts(roots)
        self._position = 0
        self.reading = Reading()

    def close(self) -> None:
        self._store.close()

    def poll(self) -> Reading:
        """Takes in what is new; the same object, further on."""
        seen = self.reading
        for stored in self.ledger.since(self._position):
            self._position = stored.position
            seen.segments += 1
            seen.events += len(stored.segment.events)
            self._facts.admit(stored)
            for signed in read(stored):
                self._note(signed.fact, signed.key_id)
        return seen

    def _note(self, fact: object, key_id: bytes) -> None:
        seen = self.reading
        if isinstance(fact, Acknowledged):
            outcome = Outcome(fact.outcome)
            seen.outcomes[outcome] += 1
            if outcome in HEARD:
                seen.evidence[Evidence(fact.evidence)] += 1
            for unit in self._facts.authority.units_of(key_id, Right.ACK):
                tally = seen.stations.setdefault(unit, StationTally())
                tally.outcomes[outcome] += 1
                tally.last_at_s, tally.last_outcome = fact.ts, outcome
                if fact.series in seen.emergency_series and outcome in HEARD:
                    seen.emergency_heard.add(unit)
        elif isinstance(fact, Refused):
            seen.refusals += 1
        elif isinstance(fact, WithdrawalSeen):
            seen.withdrawals_seen += 1
        elif (name := _DECISIONS.get(type(fact))) is not None:
            seen.decided[name] += 1
            if isinstance(fact, EmergencyOrdered):
                seen.emergency_series.add(fact.series)


@dataclass(frozen=True)
class HubState:
    """What the hub holds of everybody and has for everybody, at one moment."""

    frontier: dict[LogRef, Head]
    feeds: dict[str, list[tuple[LogRef, int]]]  # unit → (log, next_seq) of every decision meant for it

    @classmethod
    def of(cls, hub: Ledger, stations: Iterable[str]) -> HubState:
        ends: dict[str, list[tuple[LogRef, int]]] = {}
        for audience in {name for unit in stations for name in units.ancestors(unit)}:
            position, more, found = 0, True, []
            while more:
                stored, position, more = hub.for_audience((audience,), position, ROOM_BYTES)
                heads = [one.segment.head for one in stored]
                found += [(LogRef(head.key_id, head.log_id), head.next_seq) for head in heads]
            ends[audience] = found
        feeds = {unit: [end for name in units.ancestors(unit) for end in ends[name]] for unit in stations}
        return cls(hub.frontier(), feeds)

    def lacks(self, unit: str, key_id: bytes, station: Ledger) -> str:
        """Why this station has not converged, or "" when it has."""
        if station.pending_count(key_id):
            return "events wait to be sealed"
        held = station.frontier()
        for log, head in held.items():
            if log.key_id == key_id and (at_hub := self.frontier.get(log)) != head:
                return f"its log ends at {head.next_seq}, at the hub at {at_hub.next_seq if at_hub else 0}"
        for log, next_seq in self.feeds[unit]:
            if log not in held or held[log].next_seq < next_seq:
                return "a decision has not arrived"
        return ""

    def member_lacks(self, member: Member) -> str:
        if member.station is None:
            return "no power"
        station = member.station
        return self.lacks(member.config.unit, station.key.verify_key.key_id, station.ledger)

    def process_lacks(self, unit: str, folder: Path) -> str:
        """The same for a node that is a process of its own, from its folder."""
        store = DiskStore(folder, readonly=True)
        try:
            seed = store.read(KEY_NAME)
            if seed is None:
                return "not enrolled"
            key_id = SigningKey.from_seed(bytes.fromhex(seed.decode().strip())).verify_key.key_id
            return self.lacks(unit, key_id, open_ledger(store))
        finally:
            store.close()
