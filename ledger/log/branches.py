"""Where an author's history goes on more than once: a device was restored from a backup, or cloned.

Such a device is honest and cannot contradict itself, because every process writes a log of its own. But each
log's first event names the end of the log before it, as the device remembers it. So it shows when

    two logs name the same predecessor,
    or a log went on beyond the end that its successor remembers.

Either is a *notice* to a person ("restored or cloned?") and refuses nothing. An ordinary restart is none: its
log names the very end of the one before. A notice becomes a *clone alarm* when both ways are alive: the older
way says something at a time when the younger one had begun, by the author's own clock, in whatever order they
arrive. A card that was put back once never does that; two boxes with one key do, and so do two cards in turn.

The index is kept with the segments, in their transaction, and can always be made anew from them. Bound: the
times compared are the author's own and advisory, so a box with a wrong clock may be noticed and not alarmed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ledger.log.chain import LogRef
from ledger.log.codec import decode
from ledger.log.errors import CodecError
from ledger.log.journal import NO_LOG, LogOpened
from ledger.log.segment import Segment, SegmentHead, read_own

_SCHEMA: Final = (
    """CREATE TABLE ledger_openings (
        log INTEGER PRIMARY KEY REFERENCES ledger_logs (n), key_id BLOB NOT NULL, prev_log BLOB NOT NULL,
        prev_next_seq INTEGER NOT NULL, prev_head BLOB NOT NULL, ts INTEGER NOT NULL,
        way INTEGER NOT NULL) STRICT""",
    "CREATE INDEX ledger_openings_prev ON ledger_openings (key_id, prev_log)",
    """CREATE TABLE ledger_branches (
        n INTEGER PRIMARY KEY, key_id BLOB NOT NULL, prev_log BLOB NOT NULL, ways INTEGER NOT NULL,
        latest BLOB NOT NULL, at INTEGER NOT NULL, clone_at INTEGER, UNIQUE (key_id, prev_log)) STRICT""",
)
_TRUNK: Final = 0  # the way of a log that branches off nothing known


@dataclass(frozen=True, slots=True)
class Branch:
    """A point from which one author's history goes on more than once.

    log: the log that was continued in `ways` ways; its id is zeros when several logs name none before them.
    latest: the log that showed it last. at, clone_at: UTC s here, when it showed last, and when an older way
    was last heard of beside a younger one (None: never).
    """

    log: LogRef
    ways: int
    latest: bytes
    at: int
    clone_at: int | None

    @property
    def cloned(self) -> bool:
        """Both ways are alive: one key in two devices."""
        return self.clone_at is not None


class Branches:
    """The index over one ledger's database. `take` must be called inside the transaction of the segment."""

    def __init__(self, db: sqlite3.Connection, now: Callable[[], int], *, readonly: bool) -> None:
        self._db = db
        self._now = now
        self._noticed: set[bytes] | None = None  # authors with a branch; None: not read yet
        there = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_branches'").fetchone()
        self._readable = there is not None
        if there is None and not readonly:
            self._make()

    def forget(self) -> None:
        """A transaction was undone."""
        self._noticed = None

    def found(self, key_id: bytes | None = None) -> list[Branch]:
        """All branches, or one author's, in the order in which they showed first."""
        if not self._readable:
            return []
        only, args = ("", ()) if key_id is None else (" WHERE key_id = ?", (key_id,))
        rows = self._db.execute(
            f"SELECT key_id, prev_log, ways, latest, at, clone_at FROM ledger_branches{only} ORDER BY n",  # noqa: S608
            args,
        )
        return [Branch(LogRef(key, log), *rest) for key, log, *rest in rows]

    def take(self, segment: Segment, log: int) -> None:
        """A segment was stored. log: the number of its log's row."""
        if segment.head.first_seq == 0:
            self._opened(segment, log)
        self._went_on(segment)
        if segment.head.key_id in self._authors():
            self._in_turn(segment, log)

    # -- inside ----------------------------------------------------------------------------------------------

    def _opened(self, segment: Segment, log: int) -> None:
        """A log began: does another one begin at the same place, or did that place move on?"""
        key_id = segment.head.key_id
        try:
            opened = LogOpened.decode(segment.events[0])
        except CodecError:
            return
        others = len(self._successors(key_id, opened.prev_log))
        way, went_on = _TRUNK, False
        if opened.prev_log != NO_LOG:
            before = self._db.execute(
                "SELECT next_seq, hash, frozen, coalesce(way, 0) FROM ledger_logs LEFT JOIN ledger_openings "
                "ON log = n WHERE ledger_logs.key_id = ? AND log_id = ? AND n != ?",
                (key_id, opened.prev_log, log),
            ).fetchone()
            if before is not None:
                next_seq, hash_, frozen, way = before
                # A frozen log showed two histories: its evidence says all that and more.
                went_on = not frozen and _beyond(opened.prev_next_seq, opened.prev_head, next_seq, hash_)
        if others or went_on:
            way = log
        self._db.execute(
            "INSERT INTO ledger_openings VALUES (?, ?, ?, ?, ?, ?, ?)",
            (log, key_id, opened.prev_log, opened.prev_next_seq, opened.prev_head, opened.ts, way),
        )
        if way == log:
            self._note(key_id, opened.prev_log, segment.head, others + 1 + went_on)

    def _went_on(self, segment: Segment) -> None:
        """A log grew: does a successor remember that it had ended before?"""
        head = segment.head
        after = self._successors(head.key_id, head.log_id)
        left = [o for o in after if _beyond(o[0], o[1], head.next_seq, head.hash)]
        if left:
            self._note(head.key_id, head.log_id, head, len(after) + 1)
            if any(ts <= _last_ts(segment) for _, _, ts in left):
                self._alarm(head.key_id, head.log_id)

    def _in_turn(self, segment: Segment, log: int) -> None:
        """A log of one way speaks: had a younger way of the same beginning begun by then?"""
        both = self._db.execute(
            "SELECT DISTINCT e.prev_log FROM ledger_openings AS e JOIN ledger_openings AS y "
            "ON y.key_id = e.key_id AND y.prev_log = e.prev_log AND y.way != e.way AND y.ts > e.ts "
            "WHERE e.key_id = ? AND y.ts <= ? "
            "AND e.way = coalesce((SELECT way FROM ledger_openings WHERE log = ?), 0)",
            (segment.head.key_id, _last_ts(segment), log),
        ).fetchall()
        for (prev_log,) in both:
            self._alarm(segment.head.key_id, prev_log)

    def _successors(self, key_id: bytes, log_id: bytes) -> list[tuple[int, bytes, int]]:
        """(prev_next_seq, prev_head, ts) of the logs that name this one as the one before them."""
        return self._db.execute(
            "SELECT prev_next_seq, prev_head, ts FROM ledger_openings WHERE key_id = ? AND prev_log = ?",
            (key_id, log_id),
        ).fetchall()

    def _note(self, key_id: bytes, prev_log: bytes, head: SegmentHead, ways: int) -> None:
        self._db.execute(
            "INSERT INTO ledger_branches (key_id, prev_log, ways, latest, at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET ways = max(ways, excluded.ways), latest = excluded.latest, "
            "at = excluded.at",
            (key_id, prev_log, ways, head.log_id, self._now()),
        )
        self._authors().add(key_id)

    def _alarm(self, key_id: bytes, prev_log: bytes) -> None:
        self._db.execute(
            "UPDATE ledger_branches SET clone_at = ? WHERE key_id = ? AND prev_log = ?",
            (self._now(), key_id, prev_log),
        )

    def _authors(self) -> set[bytes]:
        if self._noticed is None:
            self._noticed = {key for (key,) in self._db.execute("SELECT key_id FROM ledger_branches")}
        return self._noticed

    def _make(self) -> None:
        """The tables, and what the segments say that were there before them."""
        self._db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            self._db.execute(statement)
        beginnings = self._db.execute(
            "SELECT log, raw FROM ledger_segments WHERE first_seq = 0 ORDER BY position"
        )
        for log, raw in beginnings:
            self._opened(read_own(raw), log)
        self._db.execute("COMMIT")
        self._readable = True


def _beyond(next_seq: int, hash_: bytes, held_next_seq: int, held_hash: bytes) -> bool:
    """Does a log with this end hold what somebody who remembers the other end does not know of?"""
    return held_next_seq > next_seq or (held_next_seq == next_seq and held_hash != hash_)


def _last_ts(segment: Segment) -> int:
    """When the author says the last event was; 0 when it says nothing readable."""
    try:
        ts = decode(segment.events[-1])[1]
    except CodecError:
        return 0
    return ts if type(ts) is int else 0
