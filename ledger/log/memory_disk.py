"""A whole disk in memory, for tests and the simulator: same face as `DiskStore`, and faults on demand.

A `MemoryStore` outlives the station or hub that runs on it, as a card outlives a power cut:
`crash()` takes back what was not committed and cuts every connection, so that an object of the dead process
cannot go on writing; `snapshot()` / `restore()` are the old card image. What it cannot show is a torn page:
SQLite's own journal is not at work here; that is tested on real files.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ledger.log.disk import checked_name, configure, connect, is_open
from ledger.log.errors import StoreError

FREE_BYTES = 1 << 30  # what the pretended disk says is free, until a test says otherwise

MEMORY_SETTINGS: tuple[tuple[str, str | int], ...] = (
    ("cell_size_check", "ON"),
    ("trusted_schema", "OFF"),
    ("foreign_keys", "ON"),
)


class KeptConnection(sqlite3.Connection):
    """Closing it only ends its transaction: the store keeps the database for the next owner."""

    def close(self) -> None:
        if self.in_transaction:
            self.rollback()

    def drop(self) -> None:
        """Really close: the database in it is gone."""
        super().close()


@dataclass(frozen=True)
class Image:
    """A disk as it was at one moment."""

    files: dict[str, bytes]
    databases: dict[str, bytes]


class MemoryStore:
    """Files in a dict, databases in memory. connection: a kind of KeptConnection, for fault injection."""

    def __init__(
        self, *, connection: type[KeptConnection] = KeptConnection, free_bytes: int = FREE_BYTES
    ) -> None:
        self._connection = connection
        self._files: dict[str, bytes] = {}
        self._open: dict[str, KeptConnection] = {}
        self.free = free_bytes

    # -- faults ------------------------------------------------------------------------------------------

    def crash(self) -> None:
        """Power cut: open transactions are gone, committed ones stay, connections are dead."""
        for name, db in list(self._open.items()):
            image = self._image(db)
            db.drop()
            self._open[name] = self._opened(image)

    def snapshot(self) -> Image:
        """The disk as a copy of the card would have it now. Raises StoreError inside a transaction."""
        if any(db.in_transaction for db in self._open.values()):
            raise StoreError("in-transaction", "an image is taken between transactions")
        return Image(dict(self._files), {name: self._image(db) for name, db in self._open.items()})

    def restore(self, image: Image) -> None:
        """Put an old image back; every connection of before is dead."""
        for db in self._open.values():
            db.drop()
        self._files = dict(image.files)
        self._open = {name: self._opened(data) for name, data in image.databases.items()}

    def close(self) -> None:
        """Throw the disk away."""
        for db in self._open.values():
            db.drop()
        self._open.clear()
        self._files.clear()

    # -- databases ---------------------------------------------------------------------------------------

    def open_db(self, name: str) -> sqlite3.Connection:
        checked_name(name)
        db = self._open.get(name)
        if db is None or not is_open(db):
            db = self._open[name] = self._opened(b"")
        elif db.in_transaction:
            db.rollback()
        return db

    def _opened(self, image: bytes) -> KeptConnection:
        db = connect(":memory:", self._connection)
        assert isinstance(db, KeptConnection)
        if image:
            db.deserialize(image)
        configure(db, MEMORY_SETTINGS)
        return db

    @staticmethod
    def _image(db: KeptConnection) -> bytes:
        if db.in_transaction:
            db.rollback()
        if db.execute("PRAGMA page_count").fetchone()[0] == 0:
            return b""  # nothing was ever written: there is no page to serialize
        return db.serialize()

    # -- files -------------------------------------------------------------------------------------------

    def read(self, name: str) -> bytes | None:
        return self._files.get(checked_name(name))

    def write(self, name: str, data: bytes, *, private: bool = False) -> None:
        self._files[checked_name(name)] = bytes(data)

    def append(self, name: str, data: bytes, at: int) -> None:
        before = self._files.get(checked_name(name), b"")
        if len(before) < at:
            raise StoreError("hole", f"{name} has {len(before)} bytes, cannot go on at {at}")
        self._files[name] = before[:at] + data

    def move(self, name: str, to: str) -> None:
        if checked_name(name) not in self._files:
            raise StoreError("no-file", f"no such file: {name}")
        self._files[checked_name(to)] = self._files.pop(name)

    def size(self, name: str) -> int | None:
        data = self._files.get(checked_name(name))
        return None if data is None else len(data)

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        data = self._files.get(checked_name(name))
        if data is None:
            raise StoreError("no-file", f"no such file: {name}")
        return data[offset : offset + length]

    def delete(self, name: str) -> None:
        self._files.pop(checked_name(name), None)

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in {*self._files, *self._open} if name.startswith(prefix))

    def free_bytes(self) -> int:
        return self.free
