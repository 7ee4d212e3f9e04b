"""What a database that is left behind still knows, taken over into the one that goes on.

A station's database is left behind when it is damaged and a copy takes its place, or when it lay in memory
and the disk was written by somebody else meanwhile. What only it knows must not be lost: reports that nobody
else has, decisions that came since, and which slots had begun.

Nothing is believed that cannot be checked. Segments are opened and verified again; pending events must be
reports in their proper form; rows must hold what the program could have written. The station's own events go
into `pending` and are sealed into the log of the process that goes on: no log of before is ever continued, so
nothing here can fork. An event that two logs hold counts once for every reader.

A damaged table is read from both ends up to the damage. Bound: one pass, in one transaction of the caller.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ledger.facts import Acknowledged, Detail, Evidence, Outcome, parse
from ledger.facts import Report as AnyReport
from ledger.log import Ledger, LoaError, SigningKey, open_segment
from node.page.people_carry import carry_people
from node.plays import DONE, HELD, STARTED
from node.stick.vouch import BY_STICK

_STATES: Final = (STARTED, HELD, DONE)
_PLAYS: Final = "series, day, state, planned_s, started_s, played_ds, outcome, detail, klass, content"
_LOST: Final = (sqlite3.DatabaseError, OverflowError, UnicodeDecodeError)


@dataclass
class Carried:
    """How much was taken over. unreadable: tables of which a part could not be read."""

    segments: int = 0
    events: int = 0
    plays: int = 0
    unreadable: int = 0


def carry_over(source: sqlite3.Connection, ledger: Ledger, key: SigningKey, *, volume: int) -> Carried:
    """Takes over what `ledger` lacks, inside its transaction, its node tables made. Raises StoreError."""
    assert ledger.in_transaction
    done = Carried()
    rows = _Rows(source, done)
    own: list[bytes] = []
    for (raw,) in rows.of("SELECT raw FROM ledger_segments", "position"):
        if isinstance(raw, bytes):
            _segment(raw, ledger, key, own, done)
    for key_id, event in rows.of("SELECT key_id, event FROM ledger_pending", "n"):
        if key_id == key.key_id and isinstance(event, bytes):
            own.append(event)
    known = _own_events(ledger, key)
    for event in own:
        if event not in known and isinstance(parse(event), AnyReport):
            known.add(event)
            ledger.append(key, event)
            done.events += 1
    acked = {(fact.series, fact.day) for fact in map(parse, known) if isinstance(fact, Acknowledged)}
    for row in rows.of(f"SELECT {_PLAYS} FROM node_plays", "day"):  # noqa: S608 — our own column names
        if _is_play(row):
            _play(row, ledger, key, acked, volume, done)
    for (event,) in rows.of("SELECT event FROM node_told", "event"):
        if isinstance(event, bytes) and len(event) <= 64:
            ledger.db.execute("INSERT OR IGNORE INTO node_told VALUES (?)", (event,))
    for (name,) in rows.of("SELECT name FROM ledger_named", "name"):
        if isinstance(name, str) and name.startswith(BY_STICK):
            ledger.put(name, 1)
    carry_people(rows.of, ledger)
    return done


class _Rows:
    """Rows of a table that may be damaged."""

    def __init__(self, db: sqlite3.Connection, done: Carried) -> None:
        self._db = db
        self._done = done

    def of(self, sql: str, order: str) -> Iterator[tuple[Any, ...]]:
        """In order up to the damage, then from the end back to it: each row once."""
        seen = 0
        try:
            for row in self._db.execute(f"{sql} ORDER BY {order}"):
                seen += 1
                yield row
        except _LOST as error:
            if "no such table" in str(error):
                return
            self._done.unreadable += 1
        else:
            return
        try:
            yield from self._db.execute(f"{sql} ORDER BY {order} DESC")
        except _LOST:
            return


def _segment(raw: bytes, ledger: Ledger, key: SigningKey, own: list[bytes], done: Carried) -> None:
    """A segment as it was stored: others' are taken in, of ours the events."""
    try:
        segment = open_segment(raw, ledger.key_of)
        if segment.head.key_id == key.key_id:
            own.extend(segment.events)
            return
        before = ledger.position()
        ledger.ingest(raw, source="carried", feed=True)
        done.segments += ledger.position() - before
    except LoaError:
        return  # damaged, or by somebody whom nobody introduced: the hub has it


def _own_events(ledger: Ledger, key: SigningKey) -> set[bytes]:
    found = {event for (event,) in ledger.db.execute("SELECT event FROM ledger_pending")}
    for log in ledger.frontier(key.key_id):
        for stored in ledger.segments_of(log, 0):
            found.update(stored.segment.events)
    return found


def _is_play(row: tuple[Any, ...]) -> bool:
    """Could this program have written the row?"""
    series, day, state, planned_s, started_s, played_ds, outcome, detail, klass, content = row
    numbers = (series, day, planned_s, played_ds, outcome, detail, klass)
    if not all(type(one) is int and 0 <= one < 1 << 40 for one in numbers) or state not in _STATES:
        return False
    if started_s is not None and type(started_s) is not float:
        return False
    return (
        isinstance(content, bytes)
        and len(content) == 32
        and _is_in(Outcome, outcome)
        and _is_in(Detail, detail)
    )


def _is_in(kind: Callable[[int], object], number: int) -> bool:
    try:
        kind(number)
    except ValueError:
        return False
    return True


def _play(
    row: tuple[Any, ...],
    ledger: Ledger,
    key: SigningKey,
    acked: set[tuple[int, int]],
    volume: int,
    done: Carried,
) -> None:
    """A slot that began or was answered for: never again, and never without its answer."""
    series, day, state, planned_s, started_s, played_ds, outcome, detail, _, content = row
    before = ledger.db.execute(
        "SELECT state FROM node_plays WHERE series = ? AND day = ?", (series, day)
    ).fetchone()
    if before is not None and (before[0] == DONE or state != DONE):
        return
    ledger.db.execute(f"INSERT OR REPLACE INTO node_plays ({_PLAYS}) VALUES (?,?,?,?,?,?,?,?,?,?)", row)  # noqa: S608
    done.plays += 1
    if state == DONE and (series, day) not in acked:
        acked.add((series, day))
        evidence = Evidence.PLANNED if started_s is None else Evidence.DELIVERED
        at_s = planned_s if started_s is None else int(started_s)
        ledger.append(
            key,
            Acknowledged(
                at_s, series, day, content[:16], (at_s - planned_s) * 100, min(played_ds, 864_000), outcome,
                detail, int(evidence), volume, None,
            ).encode(),
        )  # fmt: skip
        done.events += 1
