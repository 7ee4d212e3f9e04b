"""Looking at what lies in the tables with the same functions that let it in.

`boot_check` is cheap and runs at every start: the library's quick check, and each log's row against the last
segment of that log. `audit` is the whole truth: every segment opened again from its bytes, every chain
walked, every running value computed anew. SQLite's own integrity check saw 29 of 100
flipped bits, the chain 81: neither replaces the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from ledger.log.chain import Head, LogRef, conflict
from ledger.log.codec import decode
from ledger.log.errors import CodecError, LoaError, StoreError
from ledger.log.forks import check as check_fork
from ledger.log.keys import VerifyKey
from ledger.log.schema import NO_TRAIL, LogRow, next_trail
from ledger.log.segment import SegmentHead, open_segment, read_head
from ledger.log.tables import Tables

PROBLEMS_MAX = 100  # lines; a broken file repeats itself


@dataclass(slots=True)
class Audit:
    """verified, failed: segments. problems: one line each, at most a hundred; `failed` counts on."""

    verified: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.failed == 0 and not self.problems

    def add(self, problem: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)


def boot_check(tables: Tables) -> None:
    """Raises StoreError("db-damaged") when the file or the end of a log is not what it should be."""
    result = [row[0] for row in tables.db.execute("PRAGMA quick_check(5)")]
    if result != ["ok"]:
        raise StoreError("db-damaged", f"the database does not pass its check: {result[0]}")
    for log, position, raw in _last_segments(tables):
        if raw is None:
            raise StoreError("db-damaged", f"a log without a segment: {log.ref}")
        try:
            head = read_head(raw)[0]
        except LoaError as error:
            raise StoreError("db-damaged", f"position {position}: {error}") from error
        if Head(LogRef(head.key_id, head.log_id), head.next_seq, head.hash) != log.head:
            raise StoreError(
                "db-damaged", f"the end of log {log.ref} is not its last segment", where=f"{position}"
            )


def _last_segments(tables: Tables) -> list[tuple[LogRow, int, bytes | None]]:
    found: list[tuple[LogRow, int, bytes | None]] = []
    for log in tables.logs():
        last = tables.segment_before(log, log.next_seq)
        found.append((log, 0, None) if last is None else (log, last.position, last.raw))
    return found


def audit(tables: Tables, key_of: Callable[[bytes], VerifyKey | None]) -> Audit:
    """Open every segment again and walk every chain. Changes nothing; raises nothing for what it finds."""
    found = Audit()
    heads: dict[LogRef, list[SegmentHead]] = {}
    trail, last = NO_TRAIL, 0
    while batch := tables.segments_after(last, 100, told_only=False):
        for position, _, raw in batch:
            if position != last + 1:
                found.add(f"position {position} follows {last}")
            last = position
            try:
                segment = open_segment(raw, key_of)
            except LoaError as error:
                found.failed += 1
                found.add(f"position {position}: {error}")
                continue
            found.verified += 1
            head = segment.head
            trail = next_trail(trail, head.hash)
            if tables.trail_at(position) != trail:
                found.add(f"position {position}: the trail of arrivals is another one")
            heads.setdefault(LogRef(head.key_id, head.log_id), []).append(head)
    rows = {log.ref: log for log in tables.logs()}
    for ref in rows.keys() | heads.keys():
        _walk(rows.get(ref), ref, heads.get(ref, []), found)
    for evidence in tables.forks():
        try:
            check_fork(evidence.pair, key_of)
        except LoaError as error:
            found.add(f"evidence {evidence.number}: {error}")
    for (event,) in tables.db.execute("SELECT event FROM ledger_pending"):
        try:
            decode(event)
        except CodecError as error:
            found.add(f"pending: {error}")
    return found


def _walk(log: LogRow | None, ref: LogRef, heads: list[SegmentHead], found: Audit) -> None:
    """One log: no contradiction between neighbours, no hole unless sparse, and its row names its end."""
    if log is None or not heads:
        found.add(f"log {ref}: {'segments without a row' if log is None else 'a row without segments'}")
        return
    heads.sort(key=lambda head: head.first_seq)
    if heads[0].first_seq != 0 and not log.sparse:
        found.add(f"{heads[0]}: the log does not begin here")
    for one, other in pairwise(heads):
        code = conflict(one, other)
        if code is not None:
            found.failed += 1
            found.add(f"{other}: {code}")
        elif other.first_seq != one.next_seq and not log.sparse:
            found.add(f"{other}: events {one.next_seq} to {other.first_seq - 1} are missing")
    if Head(ref, heads[-1].next_seq, heads[-1].hash) != log.head:
        found.add(f"log {ref}: its row names another end")
