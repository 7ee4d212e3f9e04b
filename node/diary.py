"""What a station reports besides its acknowledgments: refusals, withdrawals seen, steps of the clock, days.

Each is told once: the mark that it was told and the event itself are written in one transaction. New
decisions are noted here too, with the moment they became known, because "the order came too late" and "the
content came too late" are judged by it. Counters of a day live in memory and are saved with the alive mark:
after a power cut a day may have counted ten minutes less. They are housekeeping, not evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ledger.facts import (
    DaySummary,
    EmergencyOrdered,
    Facts,
    Granted,
    OfferAnswered,
    Outcome,
    Refused,
    Report,
    Revoked,
    RootsSet,
    Rotated,
    Scheduled,
    Signed,
    Slot,
    UnitMerged,
    WithdrawalSeen,
    WithdrawalState,
    ancestors,
    at,
    local_day,
    read,
    withdrawals,
)
from ledger.log import CodecError, Ledger, SigningKey, Stored, pack, read_again, unpack
from node.plays import Memories, Plays
from node.presence import Moment

NOTED: Final = "node.noted"
NAMES: Final = "node.names"  # the units whose decisions were asked for from the beginning
OWED_FROM: Final = "node.owed_from_s"
COUNTERS: Final = "node.counters"
SUMMED: Final = "node.summed_day"
# After a long absence only this many days are summed up; the acknowledgments tell the rest.
DAYS_SUMMED_MAX: Final = 31
# An hour after midnight everything of the day before has been answered for.
SUM_AFTER_S: Final = 3_600
REASON_CHARS_MAX: Final = 64


@dataclass
class Counters:
    """Of one local day. up, down: all that was exchanged with the hub, as on the wire; fetched: content only.

    relay: what live relays brought, from elsewhere; no report speaks of it.
    """

    day: int = 0
    syncs_ok: int = 0
    syncs_failed: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    fetched_bytes: int = 0
    relay_bytes: int = 0

    def values(self) -> tuple[int, ...]:
        return (
            self.day, self.syncs_ok, self.syncs_failed, self.up_bytes, self.down_bytes, self.fetched_bytes,
            self.relay_bytes,
        )  # fmt: skip

    def encode(self) -> bytes:
        return pack(self.values())

    @classmethod
    def decode(cls, data: bytes) -> Counters:
        """The counters in these bytes; fresh ones when they are from another version."""
        try:
            values = unpack(data, bytes_max=128)
        except CodecError:
            return cls()
        numbers = [value for value in values if isinstance(value, int)] if isinstance(values, tuple) else []
        # An older program counted no relays.
        return cls(*numbers) if len(numbers) in (6, len(cls().values())) else cls()


class Arrivals:
    """Decisions that were stored and not noted yet: told by the ledger, or read from it after a start."""

    def __init__(self) -> None:
        self._stored: list[Stored] = []
        self._read_again = True

    def add(self, stored: Stored) -> None:
        """A segment was stored, ours included: called inside the transaction."""
        if stored.audience is not None:
            self._stored.append(stored)

    def undone(self) -> None:
        """A transaction was undone: only what is stored counts."""
        self._read_again = True

    def take(self, ledger: Ledger, noted: int) -> list[Stored]:
        """What arrived after position `noted`, in order."""
        if self._read_again:
            self._stored = list(ledger.since(noted, decisions_only=True))
            self._read_again = False
        taken, self._stored = self._stored, []
        return taken


def catch_up(ledger: Ledger, vocabulary: str) -> None:
    """A newer program reads what an older one kept and could not place: it arrives now. Before the fold."""
    with ledger.transaction():
        again = ledger.reconsider(vocabulary)
        if again is not None:
            ledger.put(NOTED, min(_number(ledger, NOTED), again - 1))


class Diary:
    """One station's reports. Writes into the ledger's pending events; they travel with the next exchange."""

    def __init__(
        self, ledger: Ledger, key: SigningKey, hub_key_id: bytes, facts: Facts, unit: str, memories: Memories,
        arrivals: Arrivals,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._key = key
        self._hub_key_id = hub_key_id
        self._facts = facts
        self._unit = unit
        self._memories = memories
        self._noted = _number(ledger, NOTED)
        self._arrivals = arrivals
        self._told_version = -1
        self._told: set[bytes] = set()
        owed_from_s = ledger.get(OWED_FROM)
        self.owed_from_s: int | None = owed_from_s if isinstance(owed_from_s, int) else None
        kept = ledger.get(COUNTERS)
        self.counters = Counters.decode(kept) if isinstance(kept, bytes) else Counters()
        self._kept = self.counters.values() if isinstance(kept, bytes) else None
        self._summed = _number(ledger, SUMMED)
        self._relayed = 0

    def owes(self, slot: Slot) -> bool:
        """True when this key answers for the slot: it could still begin when the key was granted here.

        A unit that is registered as `fm` is played by hand: its box plays nothing and answers for nothing.
        """
        known = self._facts.stations.get(self._unit)
        if known is not None and known.fact.kind == "fm":
            return False
        return self.owed_from_s is not None and slot.begin_until_s > self.owed_from_s

    def report(self, fact: Report) -> None:
        """Appends one event, in the open transaction or in one of its own."""
        self._ledger.append(self._key, fact.encode())

    def note_new(self, moment: Moment, plays: Plays, reopen: Callable[[float], None]) -> None:
        """Notes decisions that arrived since the last call and tells what must be told about them.

        reopen: called inside the transaction with the earliest instant whose slots they may have changed.
        """
        arrived = self._arrivals.take(self._ledger, self._noted)
        if not arrived and self._told_version == self._facts.version:
            return
        known = withdrawals(self._facts, self._unit)
        withdrawn = [one for one in known if not self._is_told(one.cancel.signed.id)]
        refused = [(signed, why) for signed, why in self._facts.refused if not self._is_told(signed.id)]
        changed_s: float | None = None
        if arrived or withdrawn or refused:
            with self._ledger.transaction():
                for stored in arrived:
                    self._memories.arrived(stored.position, moment.utc_s)
                    for signed in read(stored):
                        from_s = self._changed_from(signed)
                        if from_s is not None:
                            changed_s = from_s if changed_s is None else min(changed_s, from_s)
                for one in withdrawn:
                    if self._memories.tell_once(one.cancel.signed.id):
                        played = any(plays.began(series) for series in one.series)
                        state = WithdrawalState.ALREADY_PLAYED if played else WithdrawalState.REMOVED
                        fact = one.cancel.fact
                        self.report(WithdrawalSeen(moment.ts, fact.series or 0, fact.bulletin, int(state)))
                for signed, why in refused:
                    self.refuse(signed.id, why, moment)
                if changed_s is not None:
                    self._follow_names()
                    reopen(changed_s)
                if arrived:
                    self._noted = arrived[-1].position
                    self._ledger.put(NOTED, self._noted)
        self._told_version = self._facts.version

    def _follow_names(self) -> None:
        """After a merger other units' decisions concern this one too: those before it were not sent here."""
        kept = self._ledger.get(NAMES, " ".join(ancestors(self._unit)))
        names = sorted(self._facts.lineages.names(self._unit))
        assert isinstance(kept, str), "names are kept as text"
        if not set(names) <= set(kept.split()):
            read_again(self._ledger)
            self._ledger.put(NAMES, " ".join(names))

    def refuse(self, event_id: bytes, reason: str, moment: Moment) -> None:
        """This station does not follow a decision: said once. In the open transaction."""
        if self._memories.tell_once(event_id):
            self.report(Refused(moment.ts, event_id, reason[:REASON_CHARS_MAX]))

    def sum_up(self, moment: Moment, plays: Plays) -> bool:
        """The summaries of days that are over and not summed yet. Only with a trusted clock."""
        today = local_day(moment.utc_s - SUM_AFTER_S)
        if self.owed_from_s is None or self._summed >= today - 1:
            return False
        first = max(self._summed + 1, local_day(self.owed_from_s), today - DAYS_SUMMED_MAX)
        with self._ledger.transaction():
            for day in range(first, today):
                self.report(self._summary(day, moment, plays))
            self._ledger.put(SUMMED, today - 1)
            if self.counters.day < today:
                self.counters = Counters(day=today)
                self.save()
        self._summed = today - 1
        return first < today

    def sum_up_in(self, moment: Moment) -> float:
        """Seconds until the next day can be summed up."""
        return at(local_day(moment.utc_s - SUM_AFTER_S) + 1) + SUM_AFTER_S - moment.utc_s

    def count_from(self, moment: Moment) -> Counters:
        """The counters of the day at hand; counting starts with the first trusted moment."""
        if self.counters.day == 0:
            self.counters.day = local_day(moment.utc_s)
        return self.counters

    def count_relays(self, total_bytes: int, moment: Moment) -> None:
        """total_bytes: what relays have brought since this process began."""
        if total_bytes > self._relayed:
            self.count_from(moment).relay_bytes += total_bytes - self._relayed
            self._relayed = total_bytes

    def save(self) -> None:
        """Keeps the counters, in the open transaction."""
        values = self.counters.values()
        if values != self._kept:
            self._ledger.put(COUNTERS, self.counters.encode())
            self._kept = values

    def _is_told(self, event_id: bytes) -> bool:
        if event_id not in self._told and self._memories.told(event_id):
            self._told.add(event_id)
        return event_id in self._told

    def _summary(self, day: int, moment: Moment, plays: Plays) -> DaySummary:
        rows = plays.of_day(day)
        counted = self.counters if self.counters.day == day else Counters()
        heads = list(self._ledger.frontier(self._hub_key_id).values())
        return DaySummary(
            moment.ts,
            day,
            sum(row.outcome.heard for row in rows),
            sum(row.outcome is Outcome.MISSED for row in rows),
            counted.syncs_ok,
            counted.syncs_failed,
            counted.up_bytes,
            counted.down_bytes,
            heads[-1].hash if heads else None,
        )

    def _changed_from(self, signed: Signed) -> float | None:
        """From when on this decision may change which slots there are."""
        fact = signed.fact
        if isinstance(fact, Scheduled):
            return at(fact.first_day)
        if isinstance(fact, EmergencyOrdered):
            return fact.not_before
        if isinstance(fact, OfferAnswered):
            return fact.ts  # it moves nothing that had begun by then, and nothing to before then
        if isinstance(fact, Granted):
            if fact.subject_pub == self._key.verify_key.raw and self.owed_from_s is None:
                # From here on this key answers for the station; what was planned before is not its business.
                self.owed_from_s = fact.ts
                self._ledger.put(OWED_FROM, fact.ts)
            # A grant may make orders count that were refused when they came.
            return 0.0
        if isinstance(fact, UnitMerged):
            return at(fact.from_day)
        if isinstance(fact, Revoked | Rotated | RootsSet):
            return 0.0  # an ending may void orders, or give back those that a void one had replaced
        return None


def _number(ledger: Ledger, name: str) -> int:
    value = ledger.get(name, 0)
    return value if isinstance(value, int) else 0
