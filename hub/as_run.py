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

from ledger.facts import Acks, EmergencyOrdered, Facts, at
from ledger.log import Stored

_INSERT: Final = f"INSERT OR IGNORE INTO as_run VALUES ({', '.join('?' * 12)})"  # noqa: S608 - marks only


class AsRun:
    """One batch's worth. facts: the fold that stands at the segment being read; see `plan_changed`."""

    def __init__(self, db: Database, facts: Facts) -> None:
        self._db = db
        self._facts = facts
        self._places: dict[str, int] = {}
        # (series, day) → planned start, in seconds of that local day and in UTC s; None: no order says
        self._planned: dict[tuple[int, int], tuple[int, int] | None] = {}
        self._rows: list[Iterable[tuple[int, ...]]] = []
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
        _, ts, series, day, _, jitter_cs, played_ds, outcome, detail, evidence, volume, _ = acks.columns
        slots = list(zip(series, day, strict=True))
        for slot in set(slots) - self._planned.keys():
            self._planned[slot] = self._plan(*slot)
        planned = [self._planned[slot] for slot in slots]
        if None in planned:  # from the station's own deviation
            planned = [
                (began - late // 100 - at(on), began - late // 100) if known is None else known
                for known, began, late, on in zip(planned, ts, jitter_cs, day, strict=True)
            ]
        in_day, in_utc = zip(*planned, strict=True)
        self._rows.append(
            zip(
                repeat(place), day, series, in_day, map(sub, ts, in_utc), played_ds,
                outcome, detail, evidence, volume, repeat(position), acks.nth,
            )
        )  # fmt: skip
        self._count += len(acks.nth)

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

    def _plan(self, series: int, day: int) -> tuple[int, int] | None:
        for order in reversed(self._facts.orders.get(series, ())):
            fact = order.fact
            if isinstance(fact, EmergencyOrdered):
                return fact.not_before - at(day), fact.not_before
            if fact.first_day <= day:
                return fact.minute * 60, at(day, fact.minute)
        return None
