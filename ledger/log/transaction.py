"""One writing transaction at a time over one connection, joined by everybody who calls inside it.

Nesting does not nest: an inner block joins the outer one, and an error that leaves an inner block dooms the
whole, even when somebody outside catches it, for half of a block is never committed. Transactions begin with
BEGIN IMMEDIATE, so that what was read inside is still true at COMMIT. After an error of the disk nothing is
tried again: the connection refuses further writing until somebody opens the store anew and verifies it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Final

from ledger.log.errors import StoreError

# What the disk can do to us, by SQLite's primary code. Any other error is a mistake in a statement of ours.
_HARMLESS: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_INTERRUPT})
_STOPPING: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_LOCKED,
    }
)  # fmt: skip


class Transactions:
    """`transaction()` and what happens when it fails; the ledger's foundation."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self._depth = 0
        self._doomed = False
        self._stopped = ""
        self._inner = _Inner(self)

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """BEGIN IMMEDIATE … COMMIT, or everything rolled back; joins the outer one when there is one.

        Durable when the outermost block is left without an error. Raises StoreError when the disk fails.
        """
        return self._inner if self._depth else self._outermost()

    @contextmanager
    def _outermost(self) -> Iterator[sqlite3.Connection]:
        if self._stopped:
            raise StoreError("store-stopped", f"no writing after an error of the disk: {self._stopped}")
        self._depth, self._doomed = 1, False
        try:
            self._run("BEGIN IMMEDIATE")
            yield self.db
            if self._doomed:
                raise StoreError("transaction-doomed", "a part of this transaction failed: all is undone")
            self._run("COMMIT")
            self._committed()
        except BaseException as error:
            self._undo()
            if self._is_disk(error):
                raise StoreError("db-failed", f"the database failed: {error}") from error
            raise
        finally:
            self._depth = 0

    def _run(self, statement: str) -> None:
        self.db.execute(statement)

    def _undo(self) -> None:
        try:
            if self.db.in_transaction:
                self.db.rollback()
        except sqlite3.Error as error:
            self._stopped = str(error)
        finally:
            self._rolled_back()

    def _is_disk(self, error: BaseException) -> bool:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _STOPPING:
            self._stopped = str(error)
        return code in _STOPPING or code in _HARMLESS

    def _committed(self) -> None:
        """Called after every commit."""

    def _rolled_back(self) -> None:
        """Called after every rollback; the heir drops what it remembered of the undone."""


class _Inner:
    """A block inside another one: nine of ten, each small value among them, so it costs next to nothing."""

    __slots__ = ("_outer",)

    def __init__(self, outer: Transactions) -> None:
        self._outer = outer

    def __enter__(self) -> sqlite3.Connection:
        self._outer._depth += 1
        return self._outer.db

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._outer._depth -= 1
        if kind is not None:
            self._outer._doomed = True
