"""The ledger's tables, with the answers remembered that every round asks for again.

Whoever owns the file is alone in writing it, and writes through this object: so what was asked stays true
until something is written here. A station that has nothing to say asks thirty such questions in a round, and
sixty times a day: is anything pending, which log does the hub lack, how far was the feed read. An undone
transaction forgets everything. An auditor looks while the owner goes on writing, so nothing is remembered on
a read-only connection.

Bound: questions about what was asked for, never the bytes of a segment; `trail_at` stays with the disk,
because it is how damage is found. Each memory is emptied when it is full.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from ledger.log.chain import Head
from ledger.log.forks import Evidence
from ledger.log.schema import LogRow
from ledger.log.tables import Tables

REMEMBERED_MAX: Final = 1024  # answers of one kind; the longest are a station's few logs, under 1 MiB

Answered = TypeVar("Answered")


class RecallingTables(Tables):
    """As `Tables`. A value that is written is remembered as written; a log that changes, by forgetting."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self._named: dict[str, bytes | int | str | None] = {}
        self._pending: dict[bytes, int] = {}
        self._trails: dict[int, bytes | None] = {}
        self._of_logs: dict[tuple[object, ...], Any] = {}
        self._last_fork: int | None = None  # no evidence has a higher number
        self._no_news: dict[tuple[str, ...], int] = {}  # audiences → after this position there is nothing

    def forget(self) -> None:
        super().forget()
        for memory in (self._named, self._pending, self._trails, self._of_logs, self._no_news):
            memory.clear()
        self._last_fork = None

    # -- small values and pending events ---------------------------------------------------------------------

    def named(self, name: str) -> bytes | int | str | None:
        return self._recalled(self._named, name, super().named)

    def set_named(self, name: str, value: bytes | int | str) -> None:
        super().set_named(name, value)
        self._named[name] = value

    def is_named(self, name: str, value: bytes | int | str) -> bool:
        """True when exactly this value is kept already, so that it need not be written."""
        kept = self.named(name)
        return kept == value and type(kept) is type(value)

    def pending_count(self, key_id: bytes) -> int:
        return self._recalled(self._pending, key_id, super().pending_count)

    def add_pending(self, key_id: bytes, event: bytes) -> None:
        self._pending.pop(key_id, None)
        super().add_pending(key_id, event)

    def clear_pending(self, key_id: bytes) -> None:
        super().clear_pending(key_id)
        self._pending[key_id] = 0

    # -- how logs stand --------------------------------------------------------------------------------------

    def unreceipted(self, key_id: bytes, limit: int = 1 << 30) -> list[LogRow]:
        return list(
            self._recalled(
                self._of_logs,
                ("unreceipted", key_id, limit),
                lambda _: Tables.unreceipted(self, key_id, limit),
            )
        )

    def companions(self, key_id: bytes, *, waiting: bool) -> list[LogRow]:
        return list(
            self._recalled(
                self._of_logs, ("companions", key_id, waiting),
                lambda _: Tables.companions(self, key_id, waiting=waiting),
            )
        )  # fmt: skip

    def owns_more_logs_than(self, key_id: bytes, count: int) -> bool:
        return self._recalled(
            self._of_logs, ("owns", key_id, count), lambda _: Tables.owns_more_logs_than(self, key_id, count)
        )

    def add_log(self, head: Head, *, own: bool, sparse: bool) -> LogRow:
        self._of_logs.clear()
        return super().add_log(head, own=own, sparse=sparse)

    def forgive(self, key_id: bytes) -> None:
        self._of_logs.clear()
        super().forgive(key_id)

    def _changed(self, log: LogRow, **fields: object) -> None:
        self._of_logs.clear()
        super()._changed(log, **fields)

    # -- arrivals --------------------------------------------------------------------------------------------

    def cursor_trail(self, position: int) -> bytes | None:
        """The trail at a reader's cursor. What arrived is never changed, so the answer is not either."""
        if position > self.end()[0]:
            return None
        return self._recalled(self._trails, position, self.trail_at)

    def told_after(self, audiences: Iterable[str], position: int, limit: int) -> list[tuple[int, int]]:
        names = tuple(audiences)
        known = self._no_news.get(names)
        if known is not None and position >= known:
            return []  # this reader has everything, as most have in most rounds
        found = super().told_after(names, position, limit)
        if not found and not self.readonly:
            if len(self._no_news) >= REMEMBERED_MAX:
                self._no_news.clear()
            self._no_news[names] = position
        return found

    def add_segment(
        self, log: LogRow, first_seq: int, next_seq: int, hash_: bytes, audience: str | None, raw: bytes
    ) -> int:
        if audience is not None:
            self._no_news.clear()
        return super().add_segment(log, first_seq, next_seq, hash_, audience, raw)

    def set_audience(self, position: int, audience: str) -> None:
        self._no_news.clear()
        super().set_audience(position, audience)

    def forks(self, after: int = 0) -> list[Evidence]:
        if self._last_fork is not None and after >= self._last_fork and not self.readonly:
            return []
        found = super().forks(after)
        self._last_fork = found[-1].number if found else after
        return found

    def add_fork(self, *args: Any, **named: Any) -> None:
        self._last_fork = None
        super().add_fork(*args, **named)

    # -- the one way to remember -----------------------------------------------------------------------------

    def _recalled(self, memory: dict[Any, Any], name: Any, ask: Callable[[Any], Answered]) -> Answered:
        found: Answered
        try:
            if not self.readonly:
                found = memory[name]
                return found
        except KeyError:
            pass
        found = ask(name)
        if not self.readonly:
            if len(memory) >= REMEMBERED_MAX:
                memory.clear()
            memory[name] = found
        return found
