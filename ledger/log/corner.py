"""A corner of a store as a store of its own: everything under one folder's name, seen from inside.

What reads and writes a stick wants a `Store`. A file that was handed in, or that is to be fetched, lies in a
folder of the owner's own store; this shows that folder as such a stick, on a real disk and in memory alike.

Bound: names. No file is opened here.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from ledger.log.disk import Store, checked_name
from ledger.log.errors import StoreError


class Corner:
    """folder: one name without a slash at its end, such as `desk/in`. Raises StoreError("name")."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store: Final = store
        self._begin: Final = checked_name(folder) + "/"

    def open_db(self, name: str) -> sqlite3.Connection:
        """A corner holds no databases: StoreError("name")."""
        raise StoreError("name", f"no database in a corner of a store: {name}")

    def read(self, name: str) -> bytes | None:
        return self._store.read(self._named(name))

    def write(self, name: str, data: bytes, *, private: bool = False) -> None:
        self._store.write(self._named(name), data, private=private)

    def append(self, name: str, data: bytes, at: int) -> None:
        self._store.append(self._named(name), data, at)

    def move(self, name: str, to: str) -> None:
        self._store.move(self._named(name), self._named(to))

    def size(self, name: str) -> int | None:
        return self._store.size(self._named(name))

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        return self._store.read_at(self._named(name), offset, length)

    def delete(self, name: str) -> None:
        self._store.delete(self._named(name))

    def names(self, prefix: str) -> list[str]:
        return [name[len(self._begin) :] for name in self._store.names(self._begin + prefix)]

    def free_bytes(self) -> int:
        return self._store.free_bytes()

    def clear(self) -> None:
        """Deletes everything in it."""
        for name in self.names(""):
            self.delete(name)

    def _named(self, name: str) -> str:
        return self._begin + checked_name(name)
