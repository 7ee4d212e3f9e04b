"""Mẫu: bulletins that are written again and again, with blanks, kept at this hub.

A sample is never broadcast and never signed: it is a help for writing, as a drawer with forms is. What is
made from it is a bulletin like any other and takes its own approval. So samples stay in `writing.db`, which
travels nowhere and whose loss loses no decision.

Bound: rows. What a blank is, is `hub.patterns`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.patterns import blanks
from ledger.log import NotAllowed

SAMPLES_MAX: Final = 200  # one screen of a list; a newsroom has thirty
NAME_CHARS_MAX: Final = 120
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS samples (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, title TEXT NOT NULL, category TEXT NOT NULL,
  klass INTEGER NOT NULL, text TEXT NOT NULL, territory TEXT NOT NULL, account TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True)
class Sample:
    """territory: of whoever wrote it; officers of it and below may use it. at: UTC s of the last change."""

    id: str
    name: str
    title: str
    category: str
    klass: int
    text: str
    territory: str
    account: str
    at: int

    @property
    def blanks(self) -> tuple[str, ...]:
        return blanks(self.title, self.text)


class Samples:
    """db: autocommit connection to writing.db."""

    def __init__(self, db: sqlite3.Connection, *, entropy: Callable[[int], bytes]) -> None:
        db.execute(_SCHEMA)
        self._db: Final = db
        self._entropy: Final = entropy

    def rows(self) -> list[Sample]:
        return [Sample(*row) for row in self._db.execute("SELECT * FROM samples ORDER BY name, id")]

    def find(self, id_: str) -> Sample:
        """NotAllowed("sample-unknown")."""
        row = self._db.execute("SELECT * FROM samples WHERE id = ?", [id_]).fetchone()
        if row is None:
            raise NotAllowed("sample-unknown", "there is no such sample", hint="look at the list")
        return Sample(*row)

    def save(
        self, id_: str, *, name: str, title: str, category: str, klass: int, text: str, territory: str,
        account: str, now: int,
    ) -> Sample:  # fmt: skip
        """A new one (id_ "") or over an old one. NotAllowed: sample-unknown, samples-many, pattern-…"""
        blanks(title, text)
        if id_:
            self.find(id_)
        elif self._db.execute("SELECT count(*) FROM samples").fetchone()[0] >= SAMPLES_MAX:
            raise NotAllowed("samples-many", f"{SAMPLES_MAX} samples", hint="delete those that nobody uses")
        made = Sample(
            id_ or self._entropy(8).hex(), name, title, category, klass, text, territory, account, now
        )
        self._db.execute(
            "INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(vars(made).values())
        )
        return made

    def delete(self, id_: str) -> None:
        """NotAllowed("sample-unknown")."""
        self.find(id_)
        self._db.execute("DELETE FROM samples WHERE id = ?", [id_])
