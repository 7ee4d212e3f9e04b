"""Words of documents, found without typing a diacritic, and the place where they stand.

    index.put(sha256, text)            once for each file, by whoever reads files
    index.find("phong chay")           {word: files in which something begins with it}
    index.snippet(sha256, "phong …")   the place, as (before, found, after), with its diacritics

SQLite's full-text index over text folded by `folded`: its own remover of diacritics does not know that đ is a
d. A syllable is a word there, as it is in Vietnamese writing. The index is a database of its own, made from
files and nothing else: it is thrown away when the disk refuses or damages it, and grows again.

Bound: thread-safe; one lock. `put` may take half a second on a worn card, so nobody whose time is a
loudspeaker's calls it.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from ledger.content.texts import folded
from ledger.log import Store, StoreError

logger = logging.getLogger("loa.texts")

TEXTS_DB: Final = "texts.db"
FORM: Final = 1  # raised when what is kept changes: then everything is read again
WORDS_MAX: Final = 12  # of one question
AROUND_CHARS: Final = 70  # of a snippet, on either side
HITS_MAX: Final = 2_000
_FORGET: Final = "INSERT INTO words (words, rowid, body) VALUES ('delete', ?, ?)"
_WORD: Final = re.compile(r"\w+")


class TextIndex:
    """Over one store. Without FTS5, or when its file cannot be used, it is off: it finds nothing, says so."""

    def __init__(self, store: Store) -> None:
        self._store: Final = store
        self._lock: Final = threading.Lock()
        self._db: sqlite3.Connection | None = None
        for _ in range(2):  # a damaged file is thrown away and made again, once
            try:
                self._db = _opened(store)
                break
            except (sqlite3.Error, StoreError) as error:
                logger.warning("the index of documents' words cannot be opened: %s", error)
                self._throw_away()

    @property
    def is_on(self) -> bool:
        return self._db is not None

    def known(self) -> set[bytes]:
        """The files that were read, with words in them or without."""
        with self._lock:
            return {row[0] for row in self._all("SELECT sha256 FROM texts")}

    def put(self, sha256: bytes, text: str) -> None:
        """Keeps the words of a file. A disk that refuses switches the index off."""
        with self._lock:
            if self._all("SELECT 1 FROM texts WHERE sha256 = ?", sha256):
                return
            flat = folded(text)
            self._write(
                ("INSERT INTO texts (sha256, text, flat) VALUES (?, ?, ?)", (sha256, text, flat)),
                ("INSERT INTO words (rowid, body) VALUES (last_insert_rowid(), ?)", (flat,)),
            )

    def keep_only(self, wanted: Iterable[bytes]) -> None:
        """Forgets every other file."""
        kept = set(wanted)
        with self._lock:
            gone = [row for row in self._all("SELECT id, sha256 FROM texts") if row[1] not in kept]
            for number, _ in gone:
                for (flat,) in self._all("SELECT flat FROM texts WHERE id = ?", number):
                    self._write(
                        (_FORGET, (number, flat)),
                        ("DELETE FROM texts WHERE id = ?", (number,)),
                    )

    def find(self, words: str) -> dict[str, set[bytes]]:
        """For each folded word asked for, the files in which something begins with it."""
        asked = list(dict.fromkeys(folded(words).split()))[:WORDS_MAX]
        with self._lock:
            return {word: self._having(word) for word in asked}

    def snippet(self, sha256: bytes, words: str) -> tuple[str, str, str] | None:
        """(before, found, after) of the first place where the words stand together, else of one of them."""
        with self._lock:
            found = self._all("SELECT text, flat FROM texts WHERE sha256 = ?", sha256)
        return snippet_of(found[0][0], found[0][1], words) if found else None

    # -- inside ----------------------------------------------------------------------------------------------

    def _having(self, word: str) -> set[bytes]:
        parts = _WORD.findall(word)
        if not parts:
            return set()  # a dash alone is no word
        asked = f'"{" ".join(parts)}"*'
        rows = self._all(
            "SELECT sha256 FROM texts WHERE id IN (SELECT rowid FROM words WHERE words MATCH ? LIMIT ?)",
            asked, HITS_MAX,
        )  # fmt: skip
        return {row[0] for row in rows}

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        if self._db is None:
            return []
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self._fail(error)
            return []

    def _write(self, *steps: tuple[str, tuple[object, ...]]) -> None:
        if self._db is None:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for sql, values in steps:
                self._db.execute(sql, values)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(error)

    def _fail(self, error: sqlite3.Error) -> None:
        if isinstance(error, sqlite3.ProgrammingError):
            self._db = None  # its store was closed: this life is over
            return
        logger.warning("the index of documents' words failed and is thrown away: %s", error)
        self._throw_away()

    def _throw_away(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        for end in ("", "-wal", "-shm"):
            with suppress(StoreError):
                self._store.delete(TEXTS_DB + end)


def snippet_of(text: str, whole: str, words: str) -> tuple[str, str, str] | None:
    """Where the words stand in a text, with what is around them; None when none of them begins a word.

    whole: the text, folded.
    """
    # Nearly always single letters stay single letters, and a place in the one is that place in the other.
    flat, places = (whole, range(len(text))) if len(whole) == len(text) else _flat(text)
    wanted = folded(words)
    for one in (wanted, *sorted(wanted.split(), key=len, reverse=True)):
        found = re.search(r"(?<!\w)" + re.escape(one), flat) if one else None
        if found is None:
            continue
        end_flat = found.end()
        while end_flat < len(flat) and flat[end_flat].isalnum():
            end_flat += 1
        begin = places[found.start()]
        end = places[end_flat] if end_flat < len(places) else len(text)
        before = text[max(0, begin - AROUND_CHARS) : begin]
        after = text[end : end + AROUND_CHARS]
        if begin > AROUND_CHARS:
            before = "…" + before.partition(" ")[2]
        if end + AROUND_CHARS < len(text):
            after = after.rpartition(" ")[0] + "…"
        return before, text[begin:end], after
    return None


def _flat(text: str) -> tuple[str, Sequence[int]]:
    """The text folded letter by letter, and for each letter of that the place it came from."""
    flat: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        for one in _letter(letter):
            flat.append(one)
            places.append(place)
    return "".join(flat), places


@lru_cache(maxsize=4_096)
def _letter(letter: str) -> str:
    return " " if letter.isspace() else folded(letter)


def _opened(store: Store) -> sqlite3.Connection:
    db = store.open_db(TEXTS_DB)
    if db.execute("PRAGMA user_version").fetchone()[0] != FORM:
        db.execute("DROP TABLE IF EXISTS words")
        db.execute("DROP TABLE IF EXISTS texts")
        db.execute(
            "CREATE TABLE texts (id INTEGER PRIMARY KEY, sha256 BLOB UNIQUE NOT NULL, text TEXT NOT NULL,"
            " flat TEXT NOT NULL)"
        )
        db.execute("CREATE VIRTUAL TABLE words USING fts5 (body, content='', tokenize='unicode61')")
        db.execute(f"PRAGMA user_version = {FORM}")
    return db
