"""What can be read from a ledger without changing it.

Whatever comes back from the disk as a segment was opened and verified again by the function that let it in.
Order is the local order of arrival (`position`, 1, 2, 3 …); inside one log it is the order of the log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from ledger.log.admission import Stored
from ledger.log.audit import Audit, audit
from ledger.log.chain import Head, LogRef
from ledger.log.errors import LoaError, StoreError
from ledger.log.forks import EVERYBODY, Evidence
from ledger.log.keys import VerifyKey
from ledger.log.recall import RecallingTables
from ledger.log.receipts import Receipt
from ledger.log.schema import NO_TRAIL, next_trail
from ledger.log.segment import open_segment
from ledger.log.transaction import Transactions

READ_BATCH: Final = 100  # segments read at once while walking; at most 25 MiB
FEED_SEGMENTS_MAX: Final = 256  # per round of a downlink; decisions are few
FEED_SEGMENT_BYTES_MAX: Final = 12_288  # a decision has 8 KiB at most; larger segments go into no feed


def _kept_key(key_id: bytes, raw: bytes) -> VerifyKey:
    """A key as it was put into the table. StoreError("db-damaged") when the disk made another of it."""
    try:
        key = VerifyKey(raw)
    except LoaError as error:
        raise StoreError("db-damaged", f"a key is damaged: {error.what}", where=key_id.hex()) from error
    if key.key_id != key_id:
        raise StoreError("db-damaged", "a key is not the one of its name", where=key_id.hex())
    return key


class Shelf(Transactions):
    """The reading half of `store.Ledger`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self.tables = RecallingTables(db)
        self.tables.prepare()
        self._keys: dict[bytes, VerifyKey] = {
            key_id: _kept_key(key_id, raw) for key_id, raw in self.tables.all_keys()
        }

    def key_of(self, key_id: bytes) -> VerifyKey | None:
        """The key of this id that was introduced here, or None."""
        key = self._keys.get(key_id)
        if key is None and self.tables.readonly and (raw := self.tables.key(key_id)) is not None:
            key = self._keys[key_id] = _kept_key(key_id, raw)
        return key

    def since(
        self, position: int, *, limit: int | None = None, decisions_only: bool = False
    ) -> Iterator[Stored]:
        """Segments after `position` in order of arrival, verified again; decisions_only: with an audience.

        Raises StoreError("segment-damaged") when the disk no longer holds what was stored.
        """
        left = limit
        while left is None or left > 0:
            size = READ_BATCH if left is None else min(left, READ_BATCH)
            rows = self.tables.segments_after(position, size, told_only=decisions_only)
            for position, audience, raw in rows:
                yield self._read(position, audience, raw)
            if len(rows) < size:
                return
            left = None if left is None else left - len(rows)

    def for_audience(self, audiences: Sequence[str], since: int, room: int) -> tuple[list[Stored], int, bool]:
        """(segments for any of these units after `since`, new position, are more left). room: bytes."""
        positions, position, more = self.feed(audiences, since, room)
        return [self._read(p, *self.tables.segment_at(p)) for p in positions], position, more

    def feed(self, audiences: Sequence[str], since: int, room: int) -> tuple[list[int], int, bool]:
        """As `for_audience`, positions only. The position moves with what is delivered, and only then.

        At least one segment is given when there is room at all, so that a small room cannot wedge a reader.
        """
        if not audiences:
            return [], since, False
        rows = self.tables.told_after((*audiences, EVERYBODY), since, FEED_SEGMENTS_MAX + 1)
        taken: list[int] = []
        left, position = room, since
        for at, size in rows[:FEED_SEGMENTS_MAX]:
            if size <= FEED_SEGMENT_BYTES_MAX:
                if size > left and (taken or room <= 0):
                    return taken, position, True
                taken.append(at)
                left -= size
            position = at
        return taken, position, len(rows) > FEED_SEGMENTS_MAX

    def frontier(self, key_id: bytes | None = None) -> dict[LogRef, Head]:
        """The end of every log held, or of one author's."""
        return {log.ref: log.head for log in self.tables.logs(key_id)}

    def position(self) -> int:
        """The last position given to a segment; 0 when nothing is stored."""
        return self.tables.end()[0]

    def hash_at(self, position: int) -> bytes | None:
        """A hash over everything that arrived up to `position`, in order; None beyond the end."""
        return self.tables.cursor_trail(position)

    def segments_of(self, log: LogRef, from_seq: int) -> list[Stored]:
        """Segments of one log that hold anything at or above `from_seq`, in order."""
        row = self.tables.log(log)
        found = [] if row is None else self.tables.segments_of(row, from_seq, 1 << 30)
        return [self._read(s.position, self.tables.segment_at(s.position)[0], s.raw) for s in found]

    def end_hash(self, log: LogRef, next_seq: int) -> bytes | None:
        """The hash of the head that ends at `next_seq` in this log; None when no segment held here does."""
        row = self.tables.log(log)
        found = None if row is None else self.tables.segment_before(row, next_seq - 1)
        return None if found is None or found.next_seq != next_seq else found.hash

    def unreceipted(self, key_id: bytes) -> list[Head]:
        """Ends of this author's logs sealed here that the hub is not known to hold, oldest first."""
        return [log.head for log in self.tables.unreceipted(key_id)]

    def forks(self) -> list[Evidence]:
        """All evidence of forks, in order of discovery."""
        return self.tables.forks()

    def verify(self) -> Audit:
        """Open every stored segment again and walk every chain: the auditor's work. Changes nothing."""
        return audit(self.tables, self.key_of)

    def recheck(self, position: int, limit: int) -> int:
        """`verify` in small portions: opens so many segments after `position`, and compares their trail.

        Returns the last position looked at, the same when there was none. StoreError("segment-damaged").
        """
        trail = self.tables.trail_at(position)
        for stored in self.since(position, limit=limit):
            trail = next_trail(trail or NO_TRAIL, stored.segment.head.hash)
            if self.tables.trail_at(stored.position) != trail or stored.position != position + 1:
                where = f"position {stored.position}"
                raise StoreError("segment-damaged", "the trail of arrivals is another one", where=where)
            position = stored.position
        return position

    def _read(self, position: int, audience: str | None, raw: bytes) -> Stored:
        try:
            return Stored(position, open_segment(raw, self.key_of), audience)
        except LoaError as error:
            raise StoreError("segment-damaged", f"{error}", where=f"position {position}") from error

    def receipt(self, log: LogRef) -> Receipt | None:
        """The furthest receipt kept for this log."""
        row = self.tables.log(log)
        raw = None if row is None else self.tables.receipt(row)
        return None if raw is None else Receipt.decode(raw)

    def get(self, name: str, default: bytes | int | str | None = None) -> bytes | int | str | None:
        """A small value kept by name."""
        value = self.tables.named(name)
        return default if value is None else value
