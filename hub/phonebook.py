"""Whom to telephone at a commune, and in which order: the hub's own list, outside the log.

A signed log keeps everything for ever and hands it on; a name with a number must be corrected on the day
somebody changes their post, and erased when they leave. So the list stands in `phones.db`, travels nowhere,
and what is deleted is overwritten in the file. Nothing is decided by it.

Bound: names and numbers of a unit. Who may look and write is asked by the pages.
"""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from threading import RLock
from typing import Final

from sqlite_utils import Database

from hub.media import accept_line
from ledger.log import NotAllowed

NAME_CHARS_MAX: Final = 120
TELEPHONE_CHARS_MAX: Final = 32
PER_UNIT_MAX: Final = 9  # who has called nine people has called everybody
ROWS_MAX: Final = 30_000  # of one file: nine for each of 3,321 communes
FILE_BYTES_MAX: Final = 4 << 20
COLUMNS: Final = ("unit", "name", "role", "telephone")
_TELEPHONE: Final = re.compile(r"\+?[0-9][0-9 ().-]{1,30}", re.ASCII)
DIGITS_MIN, DIGITS_MAX = 3, 15  # 113 is a number; E.164 ends at 15

_SCHEMA = """
CREATE TABLE IF NOT EXISTS contacts (unit TEXT, rank INTEGER, name TEXT NOT NULL, role TEXT NOT NULL,
  telephone TEXT NOT NULL, PRIMARY KEY (unit, rank)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Contact:
    """One person to telephone. rank: 1 is called first."""

    unit: str
    rank: int
    name: str
    role: str
    telephone: str

    @property
    def dial(self) -> str:
        """The number as a telephone wants it: digits, and a + in front."""
        return ("+" if self.telephone.startswith("+") else "") + re.sub(r"\D", "", self.telephone)


class Phonebook:
    """db: the connection to phones.db (autocommit)."""

    def __init__(self, db: sqlite3.Connection) -> None:
        db.execute("PRAGMA secure_delete = ON")
        db.executescript(_SCHEMA)
        self._db = Database(db, recursive_triggers=False, execute_plugins=False)
        self._lock = RLock()

    def of(self, unit: str) -> list[Contact]:
        """In the order in which to call."""
        return self.all([unit]).get(unit, [])

    def all(self, units: Iterable[str] | None = None) -> dict[str, list[Contact]]:
        """Unit → contacts, in order; only units that have any."""
        wanted = None if units is None else set(units)
        found: dict[str, list[Contact]] = {}
        with self._lock:
            for row in self._db.query("SELECT * FROM contacts ORDER BY unit, rank"):
                if wanted is None or row["unit"] in wanted:
                    found.setdefault(row["unit"], []).append(Contact(**row))
        return found

    def put(self, unit: str, people: Iterable[tuple[str, str, str]]) -> None:
        """Replaces a unit's contacts by (name, role, telephone), the first to be called first; () erases.

        NotAllowed: text-…, telephone-bad, contacts-many.
        """
        self.put_all({unit: list(people)})

    def put_all(self, people: dict[str, list[tuple[str, str, str]]]) -> None:
        """All of them or none."""
        ready = {unit: _checked(unit, listed) for unit, listed in people.items()}
        with self._lock, self._db.atomic():
            for unit, contacts in ready.items():
                self._db.execute("DELETE FROM contacts WHERE unit = ?", [unit])
                self._db.conn.executemany(
                    "INSERT INTO contacts VALUES (?, ?, ?, ?, ?)",
                    [(c.unit, c.rank, c.name, c.role, c.telephone) for c in contacts],
                )


def read_list(data: bytes, units: Collection[str]) -> dict[str, list[tuple[str, str, str]]]:
    """A CSV file as `put_all` takes it: UTF-8, comma or semicolon, a head line unit, name, role, telephone.

    The lines of a unit stand in the order of calls. units: those that may be named. NotAllowed:
    list-large, list-not-text, list-columns, list-row (its line in `where`), and those of `put_all`.
    """
    if len(data) > FILE_BYTES_MAX:
        raise NotAllowed("list-large", f"{len(data)} bytes", hint=f"at most {FILE_BYTES_MAX}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotAllowed("list-not-text", "not UTF-8", hint="save it as CSV UTF-8") from error
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",")
    try:
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            raise NotAllowed("list-columns", f"the head line is {head[:80]!r}", hint=", ".join(COLUMNS))
        found: dict[str, list[tuple[str, str, str]]] = {}
        for count, row in enumerate(reader):
            where = str(reader.line_num)
            unit, *rest = ((row[name] or "").strip() for name in COLUMNS)
            if count >= ROWS_MAX:
                raise NotAllowed("list-large", f"more than {ROWS_MAX} lines", hint="split the file")
            if unit not in units:
                raise NotAllowed(
                    "list-row", f"{unit[:40]!r} is no unit of yours", where=where, hint="correct it"
                )
            name, role, telephone = rest
            found.setdefault(unit, []).append((name, role, telephone))
            try:
                _checked(unit, found[unit][-1:])
            except NotAllowed as refusal:
                raise NotAllowed("list-row", refusal.what, where=where, hint=refusal.hint) from refusal
    except csv.Error as error:
        raise NotAllowed("list-row", str(error), where=str(reader.line_num), hint="save it anew") from error
    return found


def _checked(unit: str, people: Iterable[tuple[str, str, str]]) -> list[Contact]:
    found = []
    for rank, (name, role, telephone) in enumerate(people, 1):
        number = telephone.strip()
        digits = sum(c.isdigit() for c in number)
        if not _TELEPHONE.fullmatch(number) or not DIGITS_MIN <= digits <= DIGITS_MAX:
            raise NotAllowed(
                "telephone-bad",
                f"{number[:40]!r} is no telephone number",
                where="telephone",
                hint="as 0912 345 678",
            )
        said = accept_line(name, what="name", chars_max=NAME_CHARS_MAX)
        post = accept_line(role, what="role", chars_max=NAME_CHARS_MAX) if role.strip() else ""
        found.append(Contact(unit, rank, said, post, number))
    if len(found) > PER_UNIT_MAX:
        raise NotAllowed("contacts-many", f"{len(found)} people", where=unit, hint=f"at most {PER_UNIT_MAX}")
    return found
