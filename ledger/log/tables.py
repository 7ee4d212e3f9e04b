"""Every SQL statement of the log, one method each, and no rule at all.

Rules are in `store` and `admission`, the shape of the tables in `schema`, checking what lies here in `audit`.
Log rows are cached, because each arriving segment asks for its log's end; a rollback drops the cache.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from ledger.log.chain import Head, LogRef
from ledger.log.errors import StoreError
from ledger.log.forks import Evidence
from ledger.log.schema import (
    NO_TRAIL,
    SCHEMA,
    SCHEMA_VERSION,
    LogRow,
    ParkedRow,
    SegmentRow,
    log_row,
    next_trail,
)
from ledger.log.segment import SegmentHead

LOGS_CACHED_MAX: Final = 4096  # rows; a province's live logs many times over, about 1 MiB

_LOG = "SELECT n, key_id, log_id, next_seq, hash, own, sparse, frozen, held, refused FROM ledger_logs"
_SEGMENT = "SELECT position, first_seq, next_seq, hash, raw FROM ledger_segments"


class Tables:
    """Statements over one connection. Writers must be called inside a transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        # An auditor looks while the owner goes on writing: nothing read is remembered then.
        self.readonly = bool(db.execute("PRAGMA query_only").fetchone()[0])
        self._logs: dict[LogRef, LogRow] = {}
        self._end: tuple[int, bytes] | None = None

    def prepare(self) -> None:
        """Make the tables in a new file. Raises StoreError for a file of another version."""
        if self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_named'").fetchone() is None:
            if self.readonly:
                raise StoreError("no-ledger", "this database holds no ledger")
            self.db.execute("BEGIN IMMEDIATE")
            for statement in SCHEMA:
                self.db.execute(statement)
            self.db.execute("COMMIT")
        version = self.named("ledger.schema")
        if version != SCHEMA_VERSION:
            raise StoreError(
                "schema-version",
                f"the ledger's tables are of version {version!r}, this program knows {SCHEMA_VERSION}",
                hint="run the version of Loa that wrote this file, or a newer one",
            )

    def forget(self) -> None:
        """Drop what is cached: a transaction was rolled back."""
        self._logs.clear()
        self._end = None

    # -- arrivals --------------------------------------------------------------------------------------------

    def end(self) -> tuple[int, bytes]:
        """The last position and its trail; (0, zeros) when nothing arrived yet."""
        if self._end is None or self.readonly:
            row = self.db.execute(
                "SELECT position, trail FROM ledger_segments ORDER BY position DESC LIMIT 1"
            ).fetchone()
            self._end = row if row is not None else (0, NO_TRAIL)
        return self._end

    def add_segment(
        self, log: LogRow, first_seq: int, next_seq: int, hash_: bytes, audience: str | None, raw: bytes
    ) -> int:
        """Store at the next position, and return it."""
        last, trail = self.end()
        position, trail = last + 1, next_trail(trail, hash_)
        values = (position, log.n, first_seq, next_seq, hash_, audience, trail, raw)
        self.db.execute("INSERT INTO ledger_segments VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        self._end = (position, trail)
        return position

    def trail_at(self, position: int) -> bytes | None:
        if position == 0:
            return NO_TRAIL
        row = self.db.execute("SELECT trail FROM ledger_segments WHERE position = ?", (position,)).fetchone()
        return None if row is None else row[0]

    def segments_after(
        self, position: int, limit: int, *, told_only: bool
    ) -> list[tuple[int, str | None, bytes]]:
        """(position, audience, raw) in order of arrival; told_only: those that have an audience."""
        only = "AND audience IS NOT NULL " if told_only else ""
        return self.db.execute(
            f"SELECT position, audience, raw FROM ledger_segments WHERE position > ? {only}"  # noqa: S608
            "ORDER BY position LIMIT ?",
            (position, limit),
        ).fetchall()

    def told_after(self, audiences: Iterable[str], position: int, limit: int) -> list[tuple[int, int]]:
        """(position, bytes) of segments for any of these audiences, in order of arrival."""
        names = tuple(audiences)
        marks = ",".join("?" * len(names))
        # The index alone finds the positions; only the rows of this round are touched for their length.
        wanted = f"audience IN ({marks}) AND position > ? ORDER BY position LIMIT ?"
        return self.db.execute(
            "SELECT position, length(raw) FROM ledger_segments WHERE position IN "  # noqa: S608
            f"(SELECT position FROM ledger_segments WHERE {wanted}) ORDER BY position",
            (*names, position, limit),
        ).fetchall()

    def segment_at(self, position: int) -> tuple[str | None, bytes]:
        """(audience, raw)."""
        row: tuple[str | None, bytes] = self.db.execute(
            "SELECT audience, raw FROM ledger_segments WHERE position = ?", (position,)
        ).fetchone()
        return row

    def untold_alone(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """(position, raw) of segments of one event that have no audience, in order of arrival."""
        return self.db.execute(
            "SELECT position, raw FROM ledger_segments WHERE position > ? AND audience IS NULL "
            "AND next_seq = first_seq + 1 ORDER BY position LIMIT ?",
            (after, limit),
        ).fetchall()

    def set_audience(self, position: int, audience: str) -> None:
        self.db.execute("UPDATE ledger_segments SET audience = ? WHERE position = ?", (audience, position))

    # -- logs ------------------------------------------------------------------------------------------------

    def log(self, ref: LogRef) -> LogRow | None:
        row = self._logs.get(ref)
        if row is None or self.readonly:
            row = None
            found = self.db.execute(_LOG + " WHERE key_id = ? AND log_id = ?", ref).fetchone()
            if found is not None:
                row = log_row(found)
                if len(self._logs) >= LOGS_CACHED_MAX:
                    self._logs.clear()
                self._logs[ref] = row
        return row

    def logs(self, key_id: bytes | None = None) -> list[LogRow]:
        if key_id is None:
            return [log_row(r) for r in self.db.execute(_LOG + " ORDER BY n")]
        return [log_row(r) for r in self.db.execute(_LOG + " WHERE key_id = ? ORDER BY n", (key_id,))]

    def own_logs(self, key_id: bytes, after: int = 0, limit: int = 1 << 30) -> list[LogRow]:
        sql = _LOG + " WHERE key_id = ? AND own AND n > ? ORDER BY n LIMIT ?"
        return [log_row(r) for r in self.db.execute(sql, (key_id, after, limit))]

    def owns_more_logs_than(self, key_id: bytes, count: int) -> bool:
        sql = "SELECT count(*) FROM (SELECT 1 FROM ledger_logs WHERE key_id = ? AND own LIMIT ?)"
        return bool(self.db.execute(sql, (key_id, count + 1)).fetchone()[0] > count)

    def unreceipted(self, key_id: bytes, limit: int = 1 << 30) -> list[LogRow]:
        sql = _LOG + " WHERE key_id = ? AND own AND held < next_seq AND refused IS NULL ORDER BY n LIMIT ?"
        return [log_row(r) for r in self.db.execute(sql, (key_id, limit))]

    def companions(self, key_id: bytes, *, waiting: bool) -> list[LogRow]:
        """Logs sealed here for other authors. waiting: only those that the hub is not known to hold whole."""
        more = " AND held < next_seq AND refused IS NULL" if waiting else ""
        # Without its name the planner walks every log there is: a station's are thousands after some years.
        due = " INDEXED BY ledger_logs_due" if waiting else ""
        sql = f"{_LOG}{due} WHERE own AND key_id <> ?{more} ORDER BY n"
        return [log_row(r) for r in self.db.execute(sql, (key_id,))]

    def last_own_log(self, key_id: bytes) -> tuple[Head | None, int]:
        """The newest log sealed here for this author, and how many there are."""
        own, key = " WHERE key_id = ? AND own", (key_id,)
        last = self.db.execute(_LOG + own + " ORDER BY n DESC LIMIT 1", key).fetchone()
        count = self.db.execute("SELECT count(*) FROM ledger_logs" + own, key).fetchone()[0]  # noqa: S608
        return (None if last is None else log_row(last).head), count

    def add_log(self, head: Head, *, own: bool, sparse: bool) -> LogRow:
        n = self.db.execute(
            "INSERT INTO ledger_logs (key_id, log_id, next_seq, hash, own, sparse, frozen, held) "
            "VALUES (?, ?, ?, ?, ?, ?, 0, 0)",
            (*head.log, head.next_seq, head.hash, own, sparse),
        ).lastrowid
        assert n is not None
        row = self._logs[head.log] = LogRow(
            n, head.log, head.next_seq, head.hash, own, sparse, False, 0, None
        )
        return row

    def extend_log(self, log: LogRow, head: Head) -> None:
        self.db.execute(
            "UPDATE ledger_logs SET next_seq = ?, hash = ? WHERE n = ?", (head.next_seq, head.hash, log.n)
        )
        self._changed(log, next_seq=head.next_seq, hash=head.hash)

    def mark_own(self, log: LogRow) -> None:
        self.db.execute("UPDATE ledger_logs SET own = 1 WHERE n = ?", (log.n,))
        self._changed(log, own=True)

    def mark_sparse(self, log: LogRow) -> None:
        self.db.execute("UPDATE ledger_logs SET sparse = 1 WHERE n = ?", (log.n,))
        self._changed(log, sparse=True)

    def freeze(self, log: LogRow) -> None:
        self.db.execute("UPDATE ledger_logs SET frozen = 1 WHERE n = ?", (log.n,))
        self._changed(log, frozen=True)

    def set_held(self, log: LogRow, held: int) -> None:
        self.db.execute("UPDATE ledger_logs SET held = ? WHERE n = ?", (held, log.n))
        self._changed(log, held=held)

    def set_refused(self, log: LogRow, code: str) -> None:
        self.db.execute("UPDATE ledger_logs SET refused = ? WHERE n = ?", (code, log.n))
        self._changed(log, refused=code)

    def forgive(self, key_id: bytes) -> None:
        """No log of this key counts as refused any more: it will be offered again."""
        self.db.execute(
            "UPDATE ledger_logs SET refused = NULL WHERE key_id = ? AND refused IS NOT NULL", (key_id,)
        )
        self._logs.clear()

    def set_receipt(self, log: LogRow, receipt: bytes) -> None:
        self.db.execute("UPDATE ledger_logs SET receipt = ? WHERE n = ?", (receipt, log.n))

    def receipt(self, log: LogRow) -> bytes | None:
        row: tuple[bytes | None] = self.db.execute(
            "SELECT receipt FROM ledger_logs WHERE n = ?", (log.n,)
        ).fetchone()
        return row[0]

    def _changed(self, log: LogRow, **fields: object) -> None:
        cached = self._logs.get(log.ref)
        for row in (log,) if cached is None or cached is log else (log, cached):
            for name, value in fields.items():
                setattr(row, name, value)

    # -- segments of one log ---------------------------------------------------------------------------------

    def segment_from(self, log: LogRow, first_seq: int) -> SegmentRow | None:
        """The segment that begins exactly here."""
        row = self.db.execute(_SEGMENT + " WHERE log = ? AND first_seq = ?", (log.n, first_seq)).fetchone()
        return None if row is None else SegmentRow._make(row)

    def segment_before(self, log: LogRow, seq: int) -> SegmentRow | None:
        """The last segment that begins at or below `seq`."""
        row = self.db.execute(
            _SEGMENT + " WHERE log = ? AND first_seq <= ? ORDER BY first_seq DESC LIMIT 1", (log.n, seq)
        ).fetchone()
        return None if row is None else SegmentRow._make(row)

    def segment_after(self, log: LogRow, seq: int) -> SegmentRow | None:
        """The first segment that begins above `seq`."""
        row = self.db.execute(
            _SEGMENT + " WHERE log = ? AND first_seq > ? ORDER BY first_seq LIMIT 1", (log.n, seq)
        ).fetchone()
        return None if row is None else SegmentRow._make(row)

    def holds_head(self, log: LogRow, next_seq: int, hash_: bytes) -> int | None:
        """Position of the segment that ends at `next_seq` with this hash (or beginning of it), or None."""
        found = self.segment_before(log, next_seq - 1)
        same = found is not None and found.next_seq == next_seq and found.hash.startswith(hash_)
        return found.position if found is not None and same else None

    def segments_of(self, log: LogRow, from_seq: int, limit: int) -> list[SegmentRow]:
        """Segments of one log that hold anything at or above `from_seq`."""
        start = self.segment_before(log, from_seq)
        first = from_seq if start is None or start.next_seq <= from_seq else start.first_seq
        rows = self.db.execute(
            _SEGMENT + " WHERE log = ? AND first_seq >= ? ORDER BY first_seq LIMIT ?", (log.n, first, limit)
        )
        return [SegmentRow._make(row) for row in rows]

    # -- our journal of arrivals -----------------------------------------------------------------------------

    def add_journal(self, position: int, log: LogRow, seq: int) -> None:
        self.db.execute("INSERT INTO ledger_journal VALUES (?, ?, ?)", (position, log.n, seq))

    def journal(self, position: int) -> tuple[bytes, int] | None:
        """(log id, seq) of the `Ingested` event for the arrival at this position."""
        row: tuple[bytes, int] | None = self.db.execute(
            "SELECT log_id, seq FROM ledger_journal JOIN ledger_logs ON n = log WHERE position = ?",
            (position,),
        ).fetchone()
        return row

    # -- pending ---------------------------------------------------------------------------------------------

    def add_pending(self, key_id: bytes, event: bytes) -> None:
        self.db.execute("INSERT INTO ledger_pending (key_id, event) VALUES (?, ?)", (key_id, event))

    def pending(self, key_id: bytes) -> list[bytes]:
        return [
            event
            for (event,) in self.db.execute(
                "SELECT event FROM ledger_pending WHERE key_id = ? ORDER BY n", (key_id,)
            )
        ]

    def pending_count(self, key_id: bytes) -> int:
        count: int = self.db.execute(
            "SELECT count(*) FROM ledger_pending WHERE key_id = ?", (key_id,)
        ).fetchone()[0]
        return count

    def clear_pending(self, key_id: bytes) -> None:
        self.db.execute("DELETE FROM ledger_pending WHERE key_id = ?", (key_id,))

    # -- parked ----------------------------------------------------------------------------------------------

    def park(self, head: SegmentHead, *, stranger: bool, raw: bytes, source: str, at: int) -> None:
        self.db.execute(
            "INSERT INTO ledger_parked (key_id, log_id, first_seq, hash, stranger, raw, source, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (head.key_id, head.log_id, head.first_seq, head.hash, stranger, raw, source, at),
        )

    def is_parked(self, head: SegmentHead) -> bool:
        return (
            self.db.execute(
                "SELECT 1 FROM ledger_parked WHERE key_id = ? AND log_id = ? AND first_seq = ? AND hash = ?",
                (head.key_id, head.log_id, head.first_seq, head.hash),
            ).fetchone()
            is not None
        )

    def parked_weight(self, key_id: bytes | None) -> tuple[int, int]:
        """(segments, bytes) parked for one author, or for all strangers together when None."""
        which = "stranger" if key_id is None else "key_id = ? AND NOT stranger"
        row: tuple[int, int] = self.db.execute(
            f"SELECT count(*), coalesce(sum(length(raw)), 0) FROM ledger_parked WHERE {which}",  # noqa: S608
            () if key_id is None else (key_id,),
        ).fetchone()
        return row

    def parked_next(self, ref: LogRef, next_seq: int) -> ParkedRow | None:
        """The first one that begins at or below `next_seq`: it follows now, or contradicts what came."""
        row = self.db.execute(
            "SELECT n, raw, source FROM ledger_parked WHERE key_id = ? AND log_id = ? AND first_seq <= ? "
            "AND NOT stranger ORDER BY first_seq, n LIMIT 1",
            (*ref, next_seq),
        ).fetchone()
        return None if row is None else ParkedRow._make(row)

    def parked_of_stranger(self, key_id: bytes) -> ParkedRow | None:
        row = self.db.execute(
            "SELECT n, raw, source FROM ledger_parked WHERE key_id = ? AND stranger ORDER BY n LIMIT 1",
            (key_id,),
        ).fetchone()
        return None if row is None else ParkedRow._make(row)

    def parked_count(self) -> int:
        count: int = self.db.execute("SELECT count(*) FROM ledger_parked").fetchone()[0]
        return count

    def unpark(self, n: int) -> None:
        self.db.execute("DELETE FROM ledger_parked WHERE n = ?", (n,))

    def unpark_log(self, ref: LogRef) -> None:
        self.db.execute("DELETE FROM ledger_parked WHERE key_id = ? AND log_id = ?", ref)

    # -- forks, keys, named values ---------------------------------------------------------------------------

    def add_fork(
        self, log: LogRow, *, code: str, held: bytes, other: bytes, received: bytes, source: str, at: int
    ) -> None:
        self.db.execute(
            "INSERT INTO ledger_forks (log, code, held, other, received, source, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (log.n, code, held, other, received, source, at),
        )

    def forks(self, after: int = 0) -> list[Evidence]:
        rows = self.db.execute(
            "SELECT f.n, key_id, log_id, code, f.held, other, received, source, at FROM ledger_forks AS f "
            "JOIN ledger_logs AS l ON l.n = f.log WHERE f.n > ? ORDER BY f.n",
            (after,),
        )
        return [Evidence(n, LogRef(key, log), *rest) for n, key, log, *rest in rows]

    def key(self, key_id: bytes) -> bytes | None:
        row = self.db.execute("SELECT raw FROM ledger_keys WHERE key_id = ?", (key_id,)).fetchone()
        return None if row is None else row[0]

    def all_keys(self) -> list[tuple[bytes, bytes]]:
        return self.db.execute("SELECT key_id, raw FROM ledger_keys").fetchall()

    def add_key(self, key_id: bytes, raw: bytes) -> None:
        self.db.execute("INSERT INTO ledger_keys VALUES (?, ?)", (key_id, raw))

    def named(self, name: str) -> bytes | int | str | None:
        row = self.db.execute("SELECT value FROM ledger_named WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def set_named(self, name: str, value: bytes | int | str) -> None:
        self.db.execute("INSERT OR REPLACE INTO ledger_named VALUES (?, ?)", (name, value))
