"""A file that somebody handed in, as a stick: one bundle, to be read and not to be changed.

The web server has put it into a temporary file of its own, so it is read piece by piece and is never in
memory as a whole. What its name was is not asked.
"""

from __future__ import annotations

import sqlite3
from typing import BinaryIO, Final

from ledger.log import StoreError

NAME: Final = "handed.loa"


class Handed:
    """file: open for reading, and seekable. One thread."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, 2)

    def names(self, prefix: str) -> list[str]:
        return [NAME] if NAME.startswith(prefix) else []

    def size(self, name: str) -> int | None:
        return self._size if name == NAME else None

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        if name != NAME:
            raise StoreError("no-file", f"no such file: {name}")
        self._file.seek(offset)
        return self._file.read(length)

    def read(self, name: str) -> bytes | None:
        return self.read_at(name, 0, self._size) if name == NAME else None

    def free_bytes(self) -> int:
        return 0

    def open_db(self, name: str) -> sqlite3.Connection:
        raise _unchanged(name)

    def write(self, name: str, data: bytes, *, private: bool = False) -> None:
        raise _unchanged(name)

    def append(self, name: str, data: bytes, at: int) -> None:
        raise _unchanged(name)

    def move(self, name: str, to: str) -> None:
        raise _unchanged(name)

    def delete(self, name: str) -> None:
        raise _unchanged(name)


def _unchanged(name: str) -> StoreError:
    return StoreError("read-only", f"what was handed in is only read: {name}")
