"""What this station began, and what became of it: the durable rows behind every acknowledgment.

A row exists before the first sound and is changed to its end in the same transaction that appends the
acknowledgment. So after a power cut at any moment there are just three cases: no row (nothing was heard), a
row without an end (it was cut off: say so, never begin it again), a row with an end (said already).

    started   sound may have been made, no end known
    held      interrupted, waits to go on from `played_ds`
    done      acknowledged; also for slots that never began

Beside it stand the station's other memories: which decisions arrived when, which content was complete when,
which refusals and withdrawals were reported. All tables are `node_*` in the ledger's file and are written in
the ledger's transactions; the caller opens them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ledger.facts import Detail, Outcome, Slot
from ledger.log import Ledger

# Rows of these last days are kept in memory; older ones are looked up (a plan may arrive late, never so
# late).
DAYS_IN_MEMORY: Final = 40

STARTED: Final = "started"
HELD: Final = "held"
DONE: Final = "done"

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS node_plays (
        series INTEGER NOT NULL, day INTEGER NOT NULL, state TEXT NOT NULL,
        planned_s INTEGER NOT NULL, started_s REAL, played_ds INTEGER NOT NULL,
        outcome INTEGER NOT NULL, detail INTEGER NOT NULL, klass INTEGER NOT NULL, content BLOB NOT NULL,
        PRIMARY KEY (series, day)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS node_plays_day ON node_plays (day)",
    "CREATE TABLE IF NOT EXISTS node_arrivals (position INTEGER PRIMARY KEY, at_s INTEGER NOT NULL) STRICT",
    """CREATE TABLE IF NOT EXISTS node_contents (
        manifest BLOB PRIMARY KEY, at_s INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS node_told (event BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS node_gaps (
        n INTEGER PRIMARY KEY, kind TEXT NOT NULL, from_s REAL NOT NULL, until_s REAL NOT NULL) STRICT""",
)
_COLUMNS: Final = "series, day, state, planned_s, started_s, played_ds, outcome, detail, klass, content"


@dataclass(frozen=True)
class PlayRow:
    """One slot at this station. started_s: UTC of its first sound, None when it never began.

    played_ds: what was heard of it so far. outcome, detail: of an ended one, else UNKNOWN and the
    interruption's.
    """

    series: int
    day: int
    state: str
    planned_s: int
    started_s: float | None
    played_ds: int
    outcome: Outcome
    detail: Detail
    klass: int
    content: bytes

    @property
    def key(self) -> tuple[int, int]:
        return self.series, self.day

    @property
    def until_s(self) -> float | None:
        """When its sound ended at the latest known moment; None when it never began."""
        return None if self.started_s is None else self.started_s + self.played_ds / 10


def prepare(ledger: Ledger) -> None:
    """Makes the tables. Only in a store that this process owns."""
    with ledger.transaction() as db:
        for statement in _TABLES:
            db.execute(statement)


class Plays:
    """The rows by (series, day), as a container: a slot is in it once it began or was answered for.

    After a transaction that was undone the object is stale: make a new one (a station does, by starting
    again).
    """

    def __init__(self, ledger: Ledger, today: int) -> None:
        self._ledger = ledger
        self._from_day = today - DAYS_IN_MEMORY
        rows = ledger.db.execute(
            f"SELECT {_COLUMNS} FROM node_plays WHERE day >= ? OR state <> ?",  # noqa: S608
            (self._from_day, DONE),
        )
        self._rows = {row.key: row for row in map(_row, rows)}
        self.version = 0  # grows with every change

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and self.get((key[0], key[1])) is not None

    def get(self, key: tuple[int, int]) -> PlayRow | None:
        row = self._rows.get(key)
        if row is None and key[1] < self._from_day:
            found = self._ledger.db.execute(
                f"SELECT {_COLUMNS} FROM node_plays WHERE series = ? AND day = ?",  # noqa: S608
                key,
            ).fetchone()
            row = None if found is None else _row(found)
        return row

    def rows(self) -> list[PlayRow]:
        """Every row, by day and series."""
        found = self._ledger.db.execute(f"SELECT {_COLUMNS} FROM node_plays ORDER BY day, series")  # noqa: S608
        return [_row(row) for row in found]

    def unfinished(self) -> list[PlayRow]:
        """Rows without an end, in order of their start."""
        return sorted(
            (row for row in self._rows.values() if row.state != DONE), key=lambda row: row.started_s or 0
        )

    def of_day(self, day: int) -> list[PlayRow]:
        """The rows of one local day."""
        found = self._ledger.db.execute(f"SELECT {_COLUMNS} FROM node_plays WHERE day = ?", (day,))  # noqa: S608
        return [_row(row) for row in found]

    def between(self, from_s: float, until_s: float) -> list[PlayRow]:
        """Rows whose sound overlaps the interval, in order of their start."""
        over = [
            row
            for row in self._rows.values()
            if row.started_s is not None
            and row.started_s < until_s
            and (row.state == STARTED or (row.until_s or 0) > from_s)
        ]
        return sorted(over, key=lambda row: row.started_s or 0)

    def began(self, series: int) -> bool:
        """True when any slot of this series ever made a sound here."""
        return (
            self._ledger.db.execute(
                "SELECT 1 FROM node_plays WHERE series = ? AND started_s IS NOT NULL LIMIT 1", (series,)
            ).fetchone()
            is not None
        )

    def begin(self, slot: Slot, started_s: float) -> None:
        """Before the first sound."""
        assert self.get(slot.key) is None, f"{slot.key} was begun or answered for before"
        self._write(_of(slot, STARTED, started_s, 0, Outcome.UNKNOWN, Detail.NONE))

    def resume(self, row: PlayRow) -> None:
        """Before the sound goes on."""
        self._write(_with(row, STARTED, row.played_ds, row.outcome, row.detail))

    def hold(self, row: PlayRow, played_ds: int, detail: Detail) -> None:
        """Interrupted, to go on later. detail: by what."""
        self._write(_with(row, HELD, played_ds, Outcome.UNKNOWN, detail))

    def end(self, row: PlayRow, played_ds: int, outcome: Outcome, detail: Detail) -> None:
        """With its acknowledgment."""
        self._write(_with(row, DONE, played_ds, outcome, detail))

    def answer(self, slot: Slot, outcome: Outcome, detail: Detail) -> None:
        """With the acknowledgment of a slot that never began."""
        assert self.get(slot.key) is None, f"{slot.key} was begun or answered for before"
        self._write(_of(slot, DONE, None, 0, outcome, detail))

    def forget_before(self, day: int) -> None:
        """Drops what need not be in memory any more; the table keeps everything."""
        self._from_day = max(self._from_day, day - DAYS_IN_MEMORY)
        self._rows = {
            key: row for key, row in self._rows.items() if key[1] >= self._from_day or row.state != DONE
        }

    def _write(self, row: PlayRow) -> None:
        assert self._ledger.in_transaction, "a play's row changes with its acknowledgment or not at all"
        self._ledger.db.execute(
            f"INSERT OR REPLACE INTO node_plays ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (
                row.series, row.day, row.state, row.planned_s, row.started_s, row.played_ds,
                int(row.outcome), int(row.detail), row.klass, row.content,
            ),
        )  # fmt: skip
        self._rows[row.key] = row
        self.version += 1


class Memories:
    """When decisions arrived and contents were complete, what was told already, when the station was away."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def arrived(self, position: int, at_s: float) -> None:
        """The decision at this position is known here since then."""
        self._ledger.db.execute("INSERT OR IGNORE INTO node_arrivals VALUES (?, ?)", (position, int(at_s)))

    def arrival(self, position: int) -> int | None:
        return self._number("SELECT at_s FROM node_arrivals WHERE position = ?", position)

    def completed(self, manifest: bytes, at_s: float) -> None:
        """All that can be heard of this manifest is here since then."""
        self._ledger.db.execute("INSERT OR IGNORE INTO node_contents VALUES (?, ?)", (manifest, int(at_s)))

    def lost(self, manifest: bytes) -> None:
        """What was complete is damaged."""
        self._ledger.db.execute("DELETE FROM node_contents WHERE manifest = ?", (manifest,))

    def completion(self, manifest: bytes) -> int | None:
        return self._number("SELECT at_s FROM node_contents WHERE manifest = ?", manifest)

    def tell_once(self, event: bytes) -> bool:
        """True the first time for an event id; the caller reports it in the same transaction."""
        cursor = self._ledger.db.execute("INSERT OR IGNORE INTO node_told VALUES (?)", (event,))
        return cursor.rowcount == 1

    def told(self, event: bytes) -> bool:
        found = self._ledger.db.execute("SELECT 1 FROM node_told WHERE event = ?", (event,)).fetchone()
        return found is not None

    def add_gap(self, kind: str, from_s: float, until_s: float) -> None:
        """The station was off, or did not know the time (`off`, `blind`), UTC seconds."""
        self._ledger.db.execute(
            "INSERT INTO node_gaps (kind, from_s, until_s) VALUES (?, ?, ?)", (kind, from_s, until_s)
        )

    def cut_gaps(self, now_s: float) -> None:
        """A clock that was ahead has been set back: no gap lies in what is still to come."""
        self._ledger.db.execute("DELETE FROM node_gaps WHERE from_s >= ?", (now_s,))
        self._ledger.db.execute("UPDATE node_gaps SET until_s = ? WHERE until_s > ?", (now_s, now_s))

    def gaps(self, from_s: float, until_s: float) -> list[tuple[str, float, float]]:
        """(kind, from, until) of the gaps that touch an interval, oldest first."""
        return self._ledger.db.execute(
            "SELECT kind, from_s, until_s FROM node_gaps WHERE from_s < ? AND until_s > ? ORDER BY from_s",
            (until_s, from_s),
        ).fetchall()

    def _number(self, sql: str, key: bytes | int) -> int | None:
        found = self._ledger.db.execute(sql, (key,)).fetchone()
        return None if found is None else int(found[0])


def _of(
    slot: Slot, state: str, started_s: float | None, played_ds: int, outcome: Outcome, detail: Detail
) -> PlayRow:
    return PlayRow(
        slot.series, slot.day, state, slot.start_s, started_s, played_ds, outcome, detail, slot.klass,
        slot.manifest,
    )  # fmt: skip


def _with(row: PlayRow, state: str, played_ds: int, outcome: Outcome, detail: Detail) -> PlayRow:
    return PlayRow(
        row.series, row.day, state, row.planned_s, row.started_s, played_ds, outcome, detail, row.klass,
        row.content,
    )  # fmt: skip


def _row(values: tuple[Any, ...]) -> PlayRow:
    """A row of the table; its columns are STRICT, so the types are those written."""
    series, day, state, planned_s, started_s, played_ds, outcome, detail, klass, content = values
    return PlayRow(
        series, day, state, planned_s, started_s, played_ds, Outcome(outcome), Detail(detail), klass, content
    )
