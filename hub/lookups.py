"""What every question to the views needs: rows by name, conditions without string tricks, people by key.

Bound: no question of its own; those are `queries`, `station_queries` and `day_queries`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import RLock
from typing import Any

from hub.accounts import Accounts, Person
from hub.ingest import Ingest
from hub.media import folded
from hub.projections import Projections
from ledger.facts import Facts
from ledger.log import (
    Blobs,
    Ledger,
    StoreError,
)

ROWS_MAX = 5_000  # one answer's length; pages ask for less


class Where:
    """Conditions joined by AND, with bound values. Column names are our own words, never a caller's."""

    def __init__(self) -> None:
        self._terms = ["1"]
        self.args: list[Any] = []

    def add(self, term: str, *args: Any) -> Where:
        self._terms.append(term)
        self.args += args
        return self

    def equal(self, column: str, value: Any) -> Where:
        """column = value, unless the value is empty (None, "", 0, b"")."""
        return self.add(f"{column} = ?", value) if value else self

    def words(self, column: str, text: str) -> Where:
        """Every word of `text` occurs in a folded column."""
        for word in folded(text).split():
            self.add(f"{column} LIKE ? ESCAPE '\\'", f"%{_literal(word)}%")
        return self

    def below(self, column: str, territory: str) -> Where:
        """The unit in the column is `territory` or below it; no condition when it is ""."""
        if not territory:
            return self
        return self.add(
            f"({column} = ? OR {column} LIKE ? ESCAPE '\\')", territory, f"{_literal(territory)}.%"
        )

    def __str__(self) -> str:
        return " AND ".join(self._terms)


class Lookups:
    """now: the hub's clock, UTC s. lock: the hub's."""

    def __init__(
        self,
        *,
        projections: Projections,
        ledger: Ledger,
        facts: Facts,
        blobs: Blobs,
        accounts: Accounts,
        ingest: Ingest,
        lock: RLock,
        now: Callable[[], int],
    ) -> None:
        self._projections = projections
        self._ledger = ledger
        self._facts = facts
        self._blobs = blobs
        self._accounts = accounts
        self._ingest = ingest
        self._lock = lock
        self._now = now

    def _rows(self, sql: str, args: Iterable[Any] = ()) -> list[dict[str, Any]]:
        return list(self._projections.db.query(sql, list(args)))

    def _select(self, what: str, where: Where, order: str, *args: Any) -> list[dict[str, Any]]:
        """SELECT what WHERE … ORDER BY order; args: those of `order`."""
        sql = " ".join(("SELECT", what, "WHERE", str(where), "ORDER BY", order))
        return self._rows(sql, [*where.args, *args])

    def person(self, key_id: bytes) -> Person:
        """By account, else by what the grant of the key says."""
        person = self._accounts.holder(key_id)
        if person.name:
            return person
        return Person(person.key_id, "", self._facts.authority.label_of(key_id))

    def _verified(self, position: int, key_id: bytes, seq: int) -> bool:
        """Reads the segment from the disk and opens it: signature, hashes, everything."""
        try:
            for stored in self._ledger.since(position - 1, limit=1):
                head = stored.segment.head
                here = head.first_seq <= seq < head.next_seq
                return stored.position == position and head.key_id == key_id and here
        except StoreError:
            return False
        return False


def id_bytes(text: str) -> bytes:
    """An id as it stands in an address; b"", which is nobody's id, when it is none."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
