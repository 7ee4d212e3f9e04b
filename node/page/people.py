"""The people of a station: who they are, what locks their keys, how often somebody tried, and what was noted.

A person has a name, a role, and an Ed25519 key that is born together with their PIN: whoever is entered here
gets a one-time code, and with it chooses the PIN that seals the key's seed. So nobody ever knows another
one's PIN, there is no PIN to begin with, and a forgotten one costs a new key and a new grant.

Tries are counted before the work and struck out when the PIN was right, so that neither tries side by side
nor a power cut make any of them free. They are counted for each person and for each address. The wait grows
and is bounded: nobody can be locked out for good by somebody else's tries. It is never longer than the last
wait that was imposed, whatever the clock does: this box has no battery clock.

Bound: rows in `node_*` tables of the ledger's file, written in its transactions. Sessions and signing are
`office`; no right comes from here, rights are grants in the ledger.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from itertools import pairwise
from typing import Any, Final

from ledger.facts import Right, acceptable_text
from ledger.log import Ledger, NotAllowed, VerifyKey
from ledger.vault import Cost

OFFICER: Final = "officer"
APPROVER: Final = "approver"
# What each role asks for. It has nothing of it until the province grants it.
ROLES: Final = {
    OFFICER: Right.DRAFT | Right.SCHEDULE | Right.PROGRAMME | Right.ATTEST | Right.CORRESPOND | Right.CANCEL,
    APPROVER: Right.APPROVE | Right.CANCEL | Right.CORRESPOND,
}
NAME_CHARS_MAX: Final = 60
PEOPLE_MAX: Final = 40  # a commune's office, many times over
CODE_DIGITS: Final = 10
CODE_LIFE_S: Final = 7 * 86_400
PIN_CHARS_MIN: Final = 6
FREE_TRIES: Final = 3  # a person mistypes
WAIT_PERSON_MAX_S: Final = 300
WAIT_ADDRESS_MAX_S: Final = 900
FORGET_TRIES_S: Final = 86_400
TRIES_ROWS_MAX: Final = 1_000
AUDIT_ROWS_MAX: Final = 5_000

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS node_people (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
        enabled INTEGER NOT NULL, made_s INTEGER NOT NULL, pub BLOB, salt BLOB, sealed BLOB,
        n INTEGER, r INTEGER, p INTEGER, code BLOB, code_until_s INTEGER) STRICT""",
    """CREATE TABLE IF NOT EXISTS node_people_keys (
        key_id BLOB PRIMARY KEY, person INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS node_audit (
        n INTEGER PRIMARY KEY AUTOINCREMENT, at_s INTEGER NOT NULL, sure INTEGER NOT NULL,
        person INTEGER NOT NULL, address TEXT NOT NULL, act TEXT NOT NULL, detail TEXT NOT NULL) STRICT""",
    """CREATE TABLE IF NOT EXISTS node_tries (
        who TEXT PRIMARY KEY, failures INTEGER NOT NULL, last_s INTEGER NOT NULL) STRICT, WITHOUT ROWID""",
)


@dataclass(frozen=True)
class Row:
    """A person as stored. pub, salt, sealed, cost: None until they chose a PIN. code: a hash, while open."""

    id: int
    name: str
    role: str
    enabled: bool
    made_s: int
    pub: bytes | None
    salt: bytes | None
    sealed: bytes | None
    cost: Cost
    code: bytes | None
    code_until_s: int

    @property
    def owner(self) -> str:
        """What the seal is bound to."""
        return f"person {self.id}"

    @property
    def key_id(self) -> bytes:
        """Of their key; empty until they chose a PIN."""
        return b"" if self.pub is None else VerifyKey(self.pub).key_id


@dataclass(frozen=True)
class Note:
    """One row of the audit. sure: the clock was trusted. person: 0 for nobody known."""

    at_s: int
    sure: bool
    person: int
    address: str
    act: str
    detail: str


class People:
    """Over one ledger, which this process owns."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        with ledger.transaction() as db:
            for statement in _TABLES:
                db.execute(statement)

    # -- rows ------------------------------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """Everybody, in the order in which they were entered."""
        return [_row(found) for found in self._ledger.db.execute(f"{_SELECT} ORDER BY id")]

    def row(self, person: int) -> Row | None:
        found = self._ledger.db.execute(f"{_SELECT} WHERE id = ?", (person,)).fetchone()
        return None if found is None else _row(found)

    def named(self, name: str) -> Row | None:
        found = self._ledger.db.execute(f"{_SELECT} WHERE name = ?", (tidy_name(name),)).fetchone()
        return None if found is None else _row(found)

    def holder(self, key_id: bytes) -> Row | None:
        """Whose key this is, or was."""
        found = self._ledger.db.execute(
            "SELECT person FROM node_people_keys WHERE key_id = ?", (key_id,)
        ).fetchone()
        return None if found is None else self.row(found[0])

    def every_key(self) -> list[tuple[bytes, int]]:
        """(key id, person) of every key that was made here."""
        found = self._ledger.db.execute("SELECT key_id, person FROM node_people_keys ORDER BY key_id")
        return [(bytes(key_id), person) for key_id, person in found]

    def add(self, name: str, role: str, now_s: int) -> Row:
        """NotAllowed: person-name, person-exists, role-unknown, people-full."""
        name = tidy_name(name)
        if role not in ROLES:
            raise NotAllowed("role-unknown", f"there is no role {role!r}", hint="officer or approver")
        with self._ledger.transaction() as db:
            if self.named(name) is not None:
                raise NotAllowed(
                    "person-exists", f"{name} is entered already", hint="give a new code, or another name"
                )
            if db.execute("SELECT count(*) FROM node_people").fetchone()[0] >= PEOPLE_MAX:
                raise NotAllowed("people-full", f"at most {PEOPLE_MAX} people", hint="enter no more")
            made = db.execute(
                "INSERT INTO node_people (name, role, enabled, made_s) VALUES (?, ?, 1, ?)",
                (name, role, now_s),
            )
            found = self.row(int(made.lastrowid or 0))
        assert found is not None
        return found

    def set_code(self, person: int, code: bytes, until_s: int) -> None:
        """code: `code_hash` of what the person will type. The PIN that is in use stays until it is used."""
        with self._ledger.transaction() as db:
            db.execute(
                "UPDATE node_people SET code = ?, code_until_s = ? WHERE id = ?", (code, until_s, person)
            )

    def set_enabled(self, person: int, enabled: bool) -> None:
        with self._ledger.transaction() as db:
            db.execute("UPDATE node_people SET enabled = ? WHERE id = ?", (int(enabled), person))

    def set_key(self, person: int, pub: bytes, salt: bytes, sealed: bytes, cost: Cost) -> None:
        """A key, new or sealed anew. Uses up an open code."""
        with self._ledger.transaction() as db:
            db.execute(
                "UPDATE node_people SET pub = ?, salt = ?, sealed = ?, n = ?, r = ?, p = ?, code = NULL, "
                "code_until_s = NULL WHERE id = ?",
                (pub, salt, sealed, cost.n, cost.r, cost.p, person),
            )
            db.execute(
                "INSERT OR IGNORE INTO node_people_keys VALUES (?, ?)", (VerifyKey(pub).key_id, person)
            )

    # -- tries -----------------------------------------------------------------------------------------------

    def try_now(self, person: int, address: str, now_s: int, *, inside: bool = False) -> None:
        """Counts a try before it is made. NotAllowed("login-delayed"), then nothing was counted.

        inside: by somebody who is signed in. Counted apart, so that nobody who tries from outside can keep a
        person who sits at work from signing.
        """
        tried = _of_person(person, inside), _of_address(address)
        self._must_wait(tried, now_s)
        with self._ledger.transaction() as db:
            for who in tried:
                failures, _ = self._tries(who, now_s)
                db.execute(
                    "INSERT INTO node_tries VALUES (?, ?, ?) ON CONFLICT (who) DO UPDATE SET "
                    "failures = excluded.failures, last_s = excluded.last_s",
                    (who, failures + 1, now_s),
                )
            db.execute(
                "DELETE FROM node_tries WHERE who IN "
                "(SELECT who FROM node_tries ORDER BY last_s DESC, who LIMIT -1 OFFSET ?)",
                (TRIES_ROWS_MAX,),
            )

    def _must_wait(self, tried: tuple[str, str], now_s: int) -> None:
        person, address = tried
        wait_s = max(
            self._wait_s(person, now_s, WAIT_PERSON_MAX_S), self._wait_s(address, now_s, WAIT_ADDRESS_MAX_S)
        )
        if wait_s > 0:
            raise NotAllowed(
                "login-delayed", "too many wrong tries in a row", hint=f"wait {wait_s} s, then try again"
            )

    def was_right(self, person: int, address: str) -> None:
        """The last try was no guess: nothing is counted any more."""
        with self._ledger.transaction() as db:
            db.execute(
                "DELETE FROM node_tries WHERE who IN (?, ?, ?)",
                (_of_person(person, False), _of_person(person, True), _of_address(address)),
            )

    def _tries(self, who: str, now_s: int) -> tuple[int, int]:
        found = self._ledger.db.execute(
            "SELECT failures, last_s FROM node_tries WHERE who = ?", (who,)
        ).fetchone()
        if found is None or now_s - found[1] > FORGET_TRIES_S:
            return 0, now_s
        return found[0], found[1]

    def _wait_s(self, who: str, now_s: int, most_s: int) -> int:
        failures, last_s = self._tries(who, now_s)
        whole_s = wait_after(failures, most_s)
        return min(whole_s, max(0, last_s + whole_s - now_s))

    # -- what was noted --------------------------------------------------------------------------------------

    def note(self, note: Note) -> None:
        """Keeps the newest rows only."""
        with self._ledger.transaction() as db:
            db.execute(
                "INSERT INTO node_audit (at_s, sure, person, address, act, detail) VALUES (?, ?, ?, ?, ?, ?)",
                (note.at_s, int(note.sure), note.person, note.address[:64], note.act, note.detail[:200]),
            )
            db.execute(
                "DELETE FROM node_audit WHERE n <= (SELECT max(n) FROM node_audit) - ?", (AUDIT_ROWS_MAX,)
            )

    def notes(self, limit: int) -> list[Note]:
        """Newest first."""
        found = self._ledger.db.execute(
            "SELECT at_s, sure, person, address, act, detail FROM node_audit ORDER BY n DESC LIMIT ?",
            (limit,),
        )
        return [Note(at_s, bool(sure), *rest) for at_s, sure, *rest in found]


def wait_after(failures: int, most_s: int) -> int:
    """Seconds to wait after so many wrong tries in a row: 0, 0, 0, 2, 4, 8, … at most most_s."""
    return 0 if failures < FREE_TRIES else min(most_s, 2 << min(failures - FREE_TRIES, 20))


def tidy_name(name: str) -> str:
    """One line, NFC, single blanks. NotAllowed("person-name")."""
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    if acceptable_text(tidy, NAME_CHARS_MAX) is not None:
        raise NotAllowed("person-name", "not a name", hint=f"1 to {NAME_CHARS_MAX} characters on one line")
    return tidy


def check_pin(pin: str, name: str = "") -> None:
    """NotAllowed("pin-weak") for one that is among the first that anybody tries."""
    plain = unicodedata.normalize("NFC", pin)
    steps = {ord(b) - ord(a) for a, b in pairwise(plain)}
    too_plain = len(set(plain)) < 3 or steps in ({1}, {-1})
    if len(plain) < PIN_CHARS_MIN or too_plain or plain.casefold() in name.casefold():
        raise NotAllowed(
            "pin-weak", "too short or too easy to guess",
            hint=f"{PIN_CHARS_MIN} digits or letters or more, not 111111 and not 123456",
        )  # fmt: skip


def code_hash(code: str) -> bytes:
    """What is kept of a one-time code. Blanks and dashes do not count."""
    digits = "".join(letter for letter in code if letter.isdigit())[:CODE_DIGITS]
    return sha256(b"loa-person-code\0" + digits.encode()).digest()


def new_code(entropy: Callable[[int], bytes]) -> str:
    """Ten digits in two groups, as one reads them out."""
    number = int.from_bytes(entropy(8), "big") % 10**CODE_DIGITS
    text = f"{number:0{CODE_DIGITS}d}"
    return f"{text[:5]} {text[5:]}"


def is_code(row: Row, code: str, now_s: int) -> bool:
    """True for the code that was given, in its time."""
    if row.code is None or now_s > row.code_until_s:
        return False
    return compare_digest(row.code, code_hash(code))


def asked_rights(role: str) -> Right:
    """What this role asks the province for."""
    return ROLES.get(role, Right(0))


_SELECT: Final = (
    "SELECT id, name, role, enabled, made_s, pub, salt, sealed, n, r, p, code, code_until_s FROM node_people"
)


def _row(found: Iterable[Any]) -> Row:
    id_, name, role, enabled, made_s, pub, salt, sealed, n, r, p, code, until_s = found
    cost = Cost() if n is None else Cost(n, r, p)
    return Row(id_, name, role, bool(enabled), made_s, pub, salt, sealed, cost, code, until_s or 0)


def _of_person(person: int, inside: bool) -> str:
    return f"{'u' if inside else 'p'}:{person}"


def _of_address(address: str) -> str:
    return f"a:{address[:64]}"
