"""Acknowledgments to rows of `as_run`: the one table of the many.

A province sends some thousands a day and a returning station a month at once. So they are handled by columns,
the plan is asked once for each slot however many stations report of it, and all rows of a batch go in by one
statement. They do so in order of arrival: the first acknowledgment of a slot stands.

Bound: which station a key speaks for is the caller's question.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, repeat
from operator import sub
from typing import Final

from sqlite_utils import Database

from ledger.facts import (
    COMMUNE_SERIES,
    Acks,
    ClustersListed,
    EmergencyOrdered,
    Evidence,
    Facts,
    Slot,
    at,
    stand_of,
)
from ledger.log import Stored

BY_A_PERSON: Final = -1  # in place of an event's number: a word, until the station has one of its own
_INSERT: Final = (
    f"INSERT INTO as_run VALUES ({', '.join('?' * 13)}) ON CONFLICT (place, day, series) DO UPDATE SET "  # noqa: S608 - marks only
    "planned = excluded.planned, begun = excluded.begun, played_ds = excluded.played_ds, "
    "outcome = excluded.outcome, detail = excluded.detail, evidence = excluded.evidence, "
    "volume = excluded.volume, position = excluded.position, nth = excluded.nth, "
    "clusters = excluded.clusters WHERE as_run.nth < 0"
)


class AsRun:
    """One batch's worth. facts: the fold that stands at the segment being read; see `plan_changed`."""

    def __init__(self, db: Database, facts: Facts) -> None:
        self._db = db
        self._facts = facts
        self._places: dict[str, int] = {}
        # (series, day) → planned start, in seconds of that local day and in UTC s; None: no order says. By
        # unit for who reports a commune's own series, whose number another commune may use, or one that the
        # commune answered, for its start may be another there; else under "".
        self._planned: dict[str, dict[tuple[int, int], tuple[int, int] | None]] = {}
        self._rows: list[Iterable[tuple[int | bytes | None, ...]]] = []
        self._count = 0

    def plan_changed(self) -> None:
        """A decision was admitted: what was planned is to be asked again."""
        self._planned.clear()

    def take(self, stored: Stored, unit: str, acks: Acks) -> None:
        """What one segment says for one station."""
        place, position, head = self._place(unit), stored.position, stored.segment.head
        self._db.execute(
            "INSERT OR IGNORE INTO arrivals VALUES (?, ?, ?, ?)",
            [position, head.first_seq, head.key_id, head.log_id],
        )
        _, ts, series, day, _, jitter_cs, played_ds, outcome, detail, evidence, volume, heard = acks.columns
        slots = list(zip(series, day, strict=True))
        answered = self._facts.answered.get(unit, {})
        own = max(series, default=0) >= COMMUNE_SERIES or any(number in answered for number in series)
        asked = unit if own else ""
        known = self._planned.setdefault(asked, {})
        for slot in set(slots) - known.keys():
            known[slot] = self._plan(*slot, asked)
        planned = [known[slot] for slot in slots]
        if None in planned:  # from the station's own deviation
            planned = [
                (began - late // 100 - at(on), began - late // 100) if said is None else said
                for said, began, late, on in zip(planned, ts, jitter_cs, day, strict=True)
            ]
        in_day, in_utc = zip(*planned, strict=True)
        self._rows.append(
            zip(
                repeat(place), day, series, in_day, map(sub, ts, in_utc), played_ds,
                outcome, detail, evidence, volume, repeat(position), acks.nth, heard,
            )
        )  # fmt: skip
        self._count += len(acks.nth)

    def attest(
        self, unit: str, slot: Slot, place: tuple[int, int, bytes, bytes], *, begun: int, played_ds: int,
        outcome: int, detail: int,
    ) -> None:  # fmt: skip
        """A person's word on a slot. place: position, seq, key id and log id of the decision that says it."""
        position, seq, key_id, log_id = place
        self._db.execute(
            "INSERT OR IGNORE INTO arrivals VALUES (?, ?, ?, ?)", [position, seq, key_id, log_id]
        )
        in_day = slot.start_s - at(slot.day)
        evidence = int(Evidence.OPERATOR_ATTESTED)
        self._db.execute(
            _INSERT,
            [
                self._place(unit), slot.day, slot.series, in_day, begun, played_ds, outcome, detail, evidence,
                0, position, BY_A_PERSON, None,
            ],
        )  # fmt: skip

    def listed(self, unit: str, position: int, nth: int, fact: ClustersListed) -> None:
        """A station's list of its receiver clusters: what their vectors mean from here on."""
        self._db.execute(
            "INSERT OR IGNORE INTO listings VALUES (?, ?, ?, ?, ?)",
            [self._place(unit), position, nth, fact.ts, fact.names],
        )

    def write(self) -> tuple[int, int]:
        """Writes what was taken; returns (rows that stand, repeated ones)."""
        before = self._db.conn.total_changes
        self._db.conn.executemany(_INSERT, chain.from_iterable(self._rows))
        new = self._db.conn.total_changes - before
        repeated = self._count - new
        self._rows, self._count = [], 0
        return new, repeated

    def _place(self, unit: str) -> int:
        """The station's number: the next one when it was never heard of."""
        number = self._places.get(unit)
        if number is None:
            self._db.execute("INSERT OR IGNORE INTO places (unit) VALUES (?)", [unit])
            row = self._db.execute("SELECT n FROM places WHERE unit = ?", [unit]).fetchone()
            number = self._places[unit] = int(row[0])
        return number

    def _plan(self, series: int, day: int, unit: str) -> tuple[int, int] | None:
        for order in reversed(self._facts.orders.get(series, ())):
            fact = order.fact
            if unit and not self._facts.hears(unit, fact, day):
                continue  # another commune's, of the same number
            if isinstance(fact, EmergencyOrdered):
                return fact.not_before - at(day), fact.not_before
            if fact.first_day <= day:
                start_s = stand_of(self._facts, order, day, unit).start_s
                return start_s - at(day), start_s
        return None
