"""The night watch over a station's own database: is it whole, and a copy of it beside.

Once a day, while nothing sounds and nothing is about to: SQLite's own check of the file, every stored segment
opened again some at a time, and only when both found nothing the copy, so that a damaged database never
replaces a good copy. What is found raises StoreError("db-damaged"), which ends this life of the process;
`ground.py` knows what to do then.

The copy is one compressed file, written at once: a daily copy of a database of megabytes is two writes to the
card, and not one for each page.

Bound: looks and copies. Putting a copy back is `ground.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

import zstandard

from ledger.facts import at, local_day
from ledger.log import IMAGE_BYTES_MAX, Ledger, Store, StoreError, taken
from node.presence import Moment

BACKUP: Final = "backup/ledger.zst"
KEYS: Final = (("station.key", "backup/station.key"), ("station.toml", "backup/station.toml"))
KEPT: Final = "node.kept_s"  # UTC s of the last copy

HOUR_FROM_S: Final = 3_600  # of the local day: from one o'clock on, in quiet hours
EVERY_S: Final = 20 * 3_600.0
IDLE_S: Final = 120.0  # nothing may be due sooner
SLICE: Final = 32  # segments opened in one look: a few milliseconds
BETWEEN_S: Final = 0.05
SETTLE_S: Final = 600.0  # after a start
AGAIN_S: Final = 3_600.0  # after a copy that found no room
LEVEL: Final = 3


class Keeper:
    """One station's. every_h: hours between two copies; 0 keeps none."""

    def __init__(self, ledger: Ledger, store: Store, *, every_h: int) -> None:
        self._ledger = ledger
        self._store = store
        self._every_s = every_h * 3_600.0
        kept = ledger.get(KEPT, 0)
        self.kept_s = kept if isinstance(kept, int) else 0
        self._work: Iterator[None] | None = None
        self._not_before_s: float | None = None  # monotonic

    def look(self, moment: Moment, idle_s: float) -> float:
        """A portion of the night's work, if it is time for it. idle_s: how long nothing is due.

        Returns the seconds until it wants to be called again. Raises StoreError("db-damaged").
        """
        if self._work is None:
            wait_s = self._due_in(moment)
            if wait_s > 0 or idle_s < IDLE_S:
                return max(wait_s, BETWEEN_S)
            self._work = self._night(moment)
        elif idle_s < IDLE_S / 2:
            return IDLE_S / 2
        try:
            next(self._work)
        except StopIteration:
            self._work = None
            return AGAIN_S
        return BETWEEN_S

    def _due_in(self, moment: Moment) -> float:
        if not moment.trusted or not self._every_s:
            return AGAIN_S
        if self._not_before_s is None:
            self._not_before_s = moment.mono_s + SETTLE_S  # a start has other things to do
        wait_s = max(0.0, self._not_before_s - moment.mono_s)
        since_s = moment.utc_s - self.kept_s
        if 0 <= since_s < min(EVERY_S, self._every_s):
            return max(wait_s, min(EVERY_S, self._every_s) - since_s)
        if 0 <= since_s < 2 * self._every_s:  # after two days any idle minute will do
            from_s = at(local_day(moment.utc_s)) + HOUR_FROM_S
            in_night = from_s <= moment.utc_s < from_s + 3 * 3_600
            if not in_night:
                wait_s = max(wait_s, (from_s - moment.utc_s) % 86_400)
        return wait_s

    def _night(self, moment: Moment) -> Iterator[None]:
        check_file(self._ledger.db)
        yield
        position = 0
        # Raises StoreError("segment-damaged") for what does not open any more.
        while (until := self._ledger.recheck(position, SLICE)) != position:
            position = until
            yield
        try:
            keep(self._store, self._ledger.db)
        except StoreError as error:
            if error.code != "image-size" and error.errno is None:
                raise
            self._not_before_s = moment.mono_s + AGAIN_S  # no room for a copy is no reason to stop
            return
        self.kept_s = moment.ts
        with self._ledger.transaction():
            self._ledger.put(KEPT, self.kept_s)


def check_file(db: sqlite3.Connection) -> None:
    """SQLite's whole check. Raises StoreError("db-damaged")."""
    try:
        found = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise StoreError("db-damaged", f"the database cannot be checked: {error}") from error
    if found != ["ok"]:
        raise StoreError("db-damaged", f"the database is damaged: {found[0]}")


def keep(store: Store, db: sqlite3.Connection) -> int:
    """Copies this database, and who the station is, beside it. Returns the bytes of the copy. StoreError."""
    data = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(taken(db))
    store.write(BACKUP, data)
    for name, copy in KEYS:
        now = store.read(name)
        if now is not None and now != store.read(copy):
            store.write(copy, now, private=True)
    return len(data)


def kept(store: Store) -> bytes | None:
    """The database in the copy; None when there is none that is whole."""
    data = store.read(BACKUP)
    if data is None:
        return None
    try:
        size = zstandard.frame_content_size(data)
        if not 0 < size <= IMAGE_BYTES_MAX:
            return None
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    except zstandard.ZstdError:
        return None
