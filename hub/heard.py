"""Who has listened to the machine's reading of which words, so that nobody sends on what they never heard.

A bulletin of words alone is read out by a voice that makes mistakes. Before it is handed to the approvers its
editor must have fetched that sound. This is a guard of the desk and no evidence: nothing of it is signed,
nothing of it travels, and it says that the sound was fetched, not that anybody listened.

Bound: two small tables. The words are made by `ledger.spoken`, the sound by `ledger.content.Voice`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Final

KEEP_S: Final = 30 * 86_400
SCRIPTS_MAX: Final = 500  # texts that somebody listens to before saving them

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS heard (account TEXT, words TEXT, at INTEGER, PRIMARY KEY (account, words)) "
    "STRICT",
    "CREATE TABLE IF NOT EXISTS scripts (words TEXT PRIMARY KEY, language TEXT, text TEXT, at INTEGER) "
    "STRICT",
)


def words_id(language: str, text: str) -> str:
    """What names one text in one language: 64 hex digits."""
    return hashlib.sha256(f"{language}\0{text}".encode()).hexdigest()


class Heard:
    """db: autocommit connection to writing.db."""

    def __init__(self, db: sqlite3.Connection) -> None:
        for statement in _SCHEMA:
            db.execute(statement)
        self._db: Final = db

    def put(self, language: str, text: str, *, now: int) -> str:
        """Keeps a text that is not saved yet, to be listened to; returns its id."""
        name = words_id(language, text)
        self._db.execute("INSERT OR REPLACE INTO scripts VALUES (?, ?, ?, ?)", [name, language, text, now])
        self._db.execute(
            "DELETE FROM scripts WHERE at < ? OR words NOT IN "
            "(SELECT words FROM scripts ORDER BY at DESC, words LIMIT ?)",
            [now - KEEP_S, SCRIPTS_MAX],
        )
        return name

    def script(self, name: str) -> tuple[str, str] | None:
        """(language, text) of an id; None when it is not kept any more."""
        row = self._db.execute("SELECT language, text FROM scripts WHERE words = ?", [name]).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def note(self, account: str, language: str, text: str, *, now: int) -> None:
        """This officer fetched the sound of these words."""
        self._db.execute(
            "INSERT OR REPLACE INTO heard VALUES (?, ?, ?)", [account, words_id(language, text), now]
        )
        self._db.execute("DELETE FROM heard WHERE at < ?", [now - KEEP_S])

    def has(self, account: str, language: str, text: str) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM heard WHERE account = ? AND words = ?", [account, words_id(language, text)]
        )
        return found.fetchone() is not None
