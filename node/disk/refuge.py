"""A station's disk when it cannot be written: what is there is read, what is new is kept in memory.

`Refuge` is a store over two others. `base` is the disk as it is: full, or read-only after an error of the
card. `above` lies in memory and takes everything that is written: the database, begun from the disk's image,
and content that still comes. Content that no plan needs may still be deleted from a full disk, which is how
it gets its room back; on a read-only one it is only hidden.

How long what is in `above` lives is the caller's choice: a folder in the machine's memory outlives the
process and not the power. `origin` names the image it began from, so that going home can tell whether the
disk was written by somebody else meanwhile.

Bound: names and bytes. When to seek refuge and when to go home is `ground.py`.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from hashlib import sha256
from typing import Final

from ledger.log import Store, StoreError, opened, pour
from node.presence import BOOT, DOUBT

DB_NAME: Final = "ledger.db"
ORIGIN: Final = (
    "origin"  # of the refuge: SHA-256 of the image it began from, and when (UTC s, as far as known)
)
# Content in memory: an emergency's words and sound, and not the month's programme. Below what `room.py` keeps
# in reserve, so that nothing else is fetched.
ROOM_BYTES: Final = 16 * 1024 * 1024


class Refuge:
    """A `Store`. base: read, and deleted from where it allows that. above: read and written."""

    def __init__(self, base: Store, above: Store) -> None:
        self.base = base
        self.above = above
        self._gone: set[str] = set()

    def open_db(self, name: str) -> sqlite3.Connection:
        return self.above.open_db(name)

    def read(self, name: str) -> bytes | None:
        found = self.above.read(name)
        return found if found is not None or name in self._gone else self.base.read(name)

    def write(self, name: str, data: bytes, *, private: bool = False) -> None:
        self.above.write(name, data, private=private)

    def append(self, name: str, data: bytes, at: int) -> None:
        self._lift(name)
        self.above.append(name, data, at)

    def move(self, name: str, to: str) -> None:
        self._lift(name)
        self.above.move(name, to)
        self._drop(name)

    def size(self, name: str) -> int | None:
        found = self.above.size(name)
        return found if found is not None or name in self._gone else self.base.size(name)

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        here = self.above.size(name) is not None or name in self._gone
        return (self.above if here else self.base).read_at(name, offset, length)

    def delete(self, name: str) -> None:
        self.above.delete(name)
        self._drop(name)

    def names(self, prefix: str) -> list[str]:
        return sorted({*self.above.names(prefix), *self.base.names(prefix)} - self._gone)

    def free_bytes(self) -> int:
        used = sum(self.above.size(name) or 0 for name in self.above.names(""))
        return max(0, min(self.above.free_bytes(), ROOM_BYTES - used))

    def _lift(self, name: str) -> None:
        """A file that is about to change: from now on it lies above."""
        if self.above.size(name) is None and name not in self._gone:
            data = self.base.read(name)
            if data is not None:
                self.above.write(name, data)

    def _drop(self, name: str) -> None:
        if self.base.size(name) is None:
            return
        try:
            self.base.delete(name)
        except StoreError:
            self._gone.add(name)


def fingerprint(image: bytes | None) -> str:
    return sha256(image or b"").hexdigest()


def begin(base: Store, above: Store, boot: str, image: bytes | None) -> Refuge:
    """Starts a life in memory from this image of the disk's database. boot: this life of the machine.

    When the image was written in another life of the machine, somebody may have lived in memory in between
    and have lost it with the power: what began before this start is in doubt then.
    """
    source = opened(image or b"")
    try:
        db = above.open_db(DB_NAME)
        pour(source, db)
        with suppress(sqlite3.OperationalError):  # a station that never ran has nothing to doubt
            if not boot or _named(db, BOOT) != boot:
                mark_doubtful(db)
    finally:
        source.close()
    above.write(ORIGIN, fingerprint(image).encode())
    return Refuge(base, above)


def mark_doubtful(db: sqlite3.Connection) -> None:
    """What began before the next start of the process is not known in this database."""
    db.execute("INSERT OR REPLACE INTO ledger_named VALUES (?, 1)", (DOUBT,))


def is_begun(above: Store) -> bool:
    """True when a life in memory lies here."""
    return above.size(ORIGIN) is not None


def origin_of(above: Store) -> str:
    return (above.read(ORIGIN) or b"").decode("ascii", "replace")


def clear(above: Store) -> None:
    """Nothing is left of a life in memory. The mark goes first: half of one is none."""
    above.delete(ORIGIN)
    db = above.open_db(DB_NAME)
    empty = opened(b"")
    pour(empty, db)
    empty.close()
    for name in above.names(""):
        if name != DB_NAME:
            above.delete(name)


def _named(db: sqlite3.Connection, name: str) -> object:
    row = db.execute("SELECT value FROM ledger_named WHERE name = ?", (name,)).fetchone()
    return None if row is None else row[0]
