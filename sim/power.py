"""A disk whose power can go between any two of its operations.

`Fuse` counts what a process does to its store (statements and file writes) and, once armed, raises `PowerCut`
at the n-th, and again at everything after, so that no clean-up code of the dead process can still write. The
owner then calls `MemoryStore.crash()`: what was not committed is gone. That is a cut *inside* a tick or a
request; a cut between two of them needs no fuse.

`PowerCut` is not an `Exception`: code that swallowed it would be hiding a power cut, which no code can.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ledger.log import Image, KeptConnection, MemoryStore


class PowerCut(BaseException):
    """The machine is dead. Only the simulator's world catches it."""


class Fuse:
    """`arm(n)`: the power goes before the n-th operation from now (n ≥ 1). `reset()`: power is back."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._looking = 0
        self.operations = 0

    def arm(self, operations: int) -> None:
        self._left = operations

    @property
    def armed(self) -> bool:
        return self._left is not None

    def reset(self) -> None:
        self._left = None

    @contextmanager
    def looking(self) -> Iterator[None]:
        """The simulator reads the disk: that is no operation of the machine, and no power can go in it."""
        self._looking += 1
        try:
            yield
        finally:
            self._looking -= 1

    def burn(self) -> None:
        if self._looking:
            return
        self.operations += 1
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise PowerCut


class _FusedCursor(sqlite3.Cursor):
    fuse: Fuse

    def execute(self, *args: Any) -> _FusedCursor:
        self.fuse.burn()
        super().execute(*args)
        return self

    def executemany(self, *args: Any) -> _FusedCursor:
        self.fuse.burn()
        super().executemany(*args)
        return self


class _FusedConnection(KeptConnection):
    fuse: Fuse
    made: type[_FusedCursor]

    def execute(self, *args: Any) -> sqlite3.Cursor:
        self.fuse.burn()
        return super().execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        self.fuse.burn()
        return super().executemany(*args)

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(self.made if factory is None else factory)


class PoweredStore(MemoryStore):
    """A `MemoryStore` behind a fuse."""

    def __init__(self) -> None:
        self.fuse = Fuse()
        cursor = type("FusedCursor", (_FusedCursor,), {"fuse": self.fuse})
        super().__init__(
            connection=type("FusedConnection", (_FusedConnection,), {"fuse": self.fuse, "made": cursor})
        )

    def snapshot(self) -> Image:
        with self.fuse.looking():
            return super().snapshot()

    def write(self, name: str, data: bytes, *, private: bool = False) -> None:
        self.fuse.burn()
        super().write(name, data, private=private)

    def append(self, name: str, data: bytes, at: int) -> None:
        self.fuse.burn()
        super().append(name, data, at)

    def move(self, name: str, to: str) -> None:
        self.fuse.burn()
        super().move(name, to)

    def delete(self, name: str) -> None:
        self.fuse.burn()
        super().delete(name)
