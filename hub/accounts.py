"""Who may sit at the hub's desk, and whose key signs what they do.

An officer has a password and an Ed25519 key. The key's seed rests sealed under a key derived from the
password, so a stolen `accounts.db` signs nothing. It is opened for a person who typed the password, and by
that person's session. Approving and ordering an emergency need a password typed recently
(`Officer.proved_at`).

A name that does not exist costs the same work and gets the same answer as a wrong password, delays
included. The delay grows with each failure and is bounded: there is no permanent lock-out, because that
would let anyone keep the person on duty from ordering an emergency. Proving a password inside a session
counts apart from logging in, so that somebody who tries passwords from outside cannot delay an approver who
already sits at work.

Bound: people and keys. What a key may sign is a grant in the ledger; this database never travels.
"""

from __future__ import annotations

import hashlib
import sqlite3
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

from sqlite_utils import Database

from hub import sessions
from hub.config import HubConfig
from hub.media import accept_line
from hub.vault import Locked, Vault
from ledger.facts import NAME_CHARS_MAX
from ledger.log import (
    NotAllowed,
    SigningKey,
    StoreError,
)

ROLES = ("editor", "approver", "admin")
ACCOUNT_CHARS_MAX = 32
FREE_TRIES = 3  # a person mistypes
DELAY_S_MAX = 30  # long enough against guessing (3,000 tries a day), short enough for the person on duty
FORGET_TRIES_S = 86_400
TRIES_ROWS_MAX = 10_000  # names tried, real or not; the oldest go first

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (account TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
  territory TEXT NOT NULL, key_id BLOB NOT NULL, login TEXT NOT NULL, salt BLOB NOT NULL,
  sealed BLOB NOT NULL, enabled INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS keys (key_id BLOB PRIMARY KEY, account TEXT NOT NULL, since INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tries (who BLOB PRIMARY KEY, failures INTEGER NOT NULL, last_at INTEGER NOT NULL,
  wait_until INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Officer:
    """A person at the desk with the key unlocked. proved_at: when the password was last typed."""

    account: str
    name: str
    role: str
    territory: str
    key: SigningKey
    proved_at: int


@dataclass(frozen=True)
class Person:
    """Who holds a key, as far as this hub knows: account and name are "" for keys of elsewhere."""

    key_id: str
    account: str
    name: str


@dataclass(frozen=True)
class AccountRow:
    account: str
    name: str
    role: str
    territory: str
    key_id: str
    enabled: bool
    created_at: int


class Accounts:
    """db: the connection to accounts.db (autocommit). entropy: bytes from the operating system."""

    def __init__(self, db: sqlite3.Connection, *, config: HubConfig, entropy: Callable[[int], bytes]) -> None:
        db.executescript(_SCHEMA + sessions.SCHEMA)
        self._db = Database(db, recursive_triggers=False, execute_plugins=False)
        self._lock = RLock()  # around the database only: hashing a password takes long and needs no lock
        self._entropy = entropy
        self._vault = Vault(config.kdf, entropy)
        self._sessions = sessions.Sessions(self._db, self._lock, self._vault, config, entropy)

    # -- people ----------------------------------------------------------------------------------------------

    def add(
        self, account: str, *, name: str, role: str, territory: str, password: str, now: int
    ) -> SigningKey:
        """A new account with a new key. NotAllowed: account-exists, role-unknown, password-weak, text-…."""
        account = _account_name(account)
        name = accept_line(name, what="name", chars_max=NAME_CHARS_MAX)
        if role not in ROLES:
            raise NotAllowed("role-unknown", f"there is no role {role!r}", hint=f"one of {', '.join(ROLES)}")
        key = SigningKey.from_seed(self._entropy(32))
        locked = self._vault.lock(key, password, account)
        with self._lock, self._db.atomic():
            if self._find(account) is not None:
                raise NotAllowed(
                    "account-exists", f"the account {account!r} exists", hint="choose another name"
                )
            self._db.table("accounts").insert(
                {
                    "account": account,
                    "name": name,
                    "role": role,
                    "territory": territory,
                    "key_id": key.key_id,
                    "enabled": 1,
                    "created_at": now,
                    **vars(locked),
                }
            )
            self._db.table("keys").insert({"key_id": key.key_id, "account": account, "since": now})
        return key

    def set_enabled(self, account: str, enabled: bool) -> None:
        """A disabled account cannot log in and its sessions end at once. NotAllowed("account-unknown")."""
        with self._lock, self._db.atomic():
            if self._find(account) is None:
                raise NotAllowed(
                    "account-unknown", f"there is no account {account!r}", hint="look at the list of accounts"
                )
            self._db.table("accounts").update(account, {"enabled": int(enabled)})
            if not enabled:
                self._sessions.end_all(account)

    def change_password(self, account: str, old: str, new: str, *, now: int) -> None:
        """The key stays, sealed anew; every session ends. NotAllowed as `unlock`, or "password-weak"."""
        locked = self._vault.lock(self.unlock(account, old, now=now), new, account)
        with self._lock, self._db.atomic():
            self._db.table("accounts").update(account, vars(locked))
            self._sessions.end_all(account)

    def rows(self) -> list[AccountRow]:
        with self._lock:
            return [_row(found) for found in self._db.query("SELECT * FROM accounts ORDER BY account")]

    def row(self, account: str) -> AccountRow | None:
        with self._lock:
            found = self._find(account)
        return None if found is None else _row(found)

    def holder(self, key_id: bytes) -> Person:
        """Who holds this key. A key this hub never gave out has no account and no name."""
        with self._lock:
            row = self._db.execute(
                "SELECT a.account, a.name FROM keys k JOIN accounts a USING (account) WHERE k.key_id = ?",
                [key_id],
            ).fetchone()
        return Person(key_id.hex(), "", "") if row is None else Person(key_id.hex(), str(row[0]), str(row[1]))

    # -- passwords -------------------------------------------------------------------------------------------

    def login(self, account: str, password: str, *, now: int) -> Officer | None:
        """The officer, or None (unknown, wrong, disabled: not told apart). NotAllowed("login-delayed")."""
        return self._tried(b"login", account, password, now)

    def unlock(self, account: str, password: str, *, now: int) -> SigningKey:
        """The key, for one act. NotAllowed("wrong-password" | "login-delayed")."""
        officer = self._tried(b"unlock", account, password, now)
        if officer is None:
            raise NotAllowed("wrong-password", "the password is not right", hint="type it again")
        return officer.key

    def prove(self, officer: Officer, password: str, *, now: int) -> Officer:
        """The same officer, having typed the password now. NotAllowed as `unlock`."""
        return replace(officer, key=self.unlock(officer.account, password, now=now), proved_at=now)

    def _tried(self, door: bytes, account: str, password: str, now: int) -> Officer | None:
        name = unicodedata.normalize("NFC", account).strip().lower()[:ACCOUNT_CHARS_MAX]
        who = hashlib.sha256(door + b"\0" + name.encode(errors="replace")).digest()[:16]
        with self._lock:
            wait_s = self._wait_s(who, now)
            found = self._find(name)
        if wait_s > 0:
            raise NotAllowed(
                "login-delayed",
                "too many wrong passwords in a row",
                where=name,
                hint=f"wait {wait_s} s, then try again",
            )
        if found is None or not found["enabled"]:
            self._vault.is_password(self._vault.nobody, password)
            self._note_failure(who, now)
            return None
        if not self._vault.is_password(str(found["login"]), password):
            self._note_failure(who, now)
            return None
        with self._lock:
            self._db.execute("DELETE FROM tries WHERE who = ?", [who])
        locked = Locked(str(found["login"]), bytes(found["salt"]), bytes(found["sealed"]))
        key = self._vault.open(locked, password, name)
        if key.key_id != bytes(found["key_id"]):
            raise StoreError("account-damaged", "the sealed key is not the account's", where=name)
        return _officer(found, key, now)

    def _wait_s(self, who: bytes, now: int) -> int:
        row = self._db.execute("SELECT wait_until FROM tries WHERE who = ?", [who]).fetchone()
        return 0 if row is None else max(0, int(row[0]) - now)

    def _note_failure(self, who: bytes, now: int) -> None:
        with self._lock, self._db.atomic():
            row = self._db.execute("SELECT failures, last_at FROM tries WHERE who = ?", [who]).fetchone()
            fresh = row is None or now - int(row[1]) > FORGET_TRIES_S
            failures = 1 if fresh else int(row[0]) + 1
            self._db.table("tries").upsert(
                {"who": who, "failures": failures, "last_at": now, "wait_until": now + delay_s(failures)},
                pk="who",
            )
            self._db.execute(
                "DELETE FROM tries WHERE who IN "
                "(SELECT who FROM tries ORDER BY last_at DESC, who LIMIT -1 OFFSET ?)",
                [TRIES_ROWS_MAX],
            )

    # -- sessions --------------------------------------------------------------------------------------------

    def start_session(self, officer: Officer, *, now: int) -> str:
        """A token for the cookie, new at every login. now: of the same clock as in `session`."""
        return self._sessions.start(officer.account, officer.key, proved_at=officer.proved_at, now=now)

    def session(self, token: str, *, now: int, seen: bool = True) -> Officer | None:
        """Whose session this is; None when unknown, idle too long, too old, or the account was disabled.

        seen: False when the page asked by itself and not its reader.
        """
        live = self._sessions.get(token, now=now, seen=seen)
        if live is None:
            return None
        with self._lock:
            found = self._find(live.account)
        if found is None or not found["enabled"]:
            return None
        return _officer(found, live.key, live.proved_at)

    def at_work(self, *, now: int, within_s: int) -> frozenset[str]:
        """Accounts that did something in a session lately. now: of the same clock as in `session`."""
        return self._sessions.at_work(now=now, within_s=within_s)

    def note_proof(self, token: str, *, now: int) -> None:
        """The person of this session has just typed the password (`prove`)."""
        self._sessions.note_proof(token, now=now)

    def end_session(self, token: str) -> None:
        self._sessions.end(token)

    def _find(self, account: str) -> dict[str, Any] | None:
        return next(iter(self._db.query("SELECT * FROM accounts WHERE account = ?", [account])), None)


def delay_s(failures: int) -> int:
    """Seconds to wait after so many failures in a row: 0, 0, 0, 1, 2, 4, … at most DELAY_S_MAX."""
    return 0 if failures <= FREE_TRIES else min(DELAY_S_MAX, 1 << min(failures - FREE_TRIES - 1, 10))


def _account_name(account: str) -> str:
    name = accept_line(account, what="account", chars_max=ACCOUNT_CHARS_MAX).lower()
    if not all(c.isalnum() or c in "._-" for c in name):
        raise NotAllowed("text-not-allowed", "an account is letters, digits, dot and dash", where="account")
    return name


def _officer(found: dict[str, Any], key: SigningKey, proved_at: int) -> Officer:
    account, name, role = str(found["account"]), str(found["name"]), str(found["role"])
    return Officer(account, name, role, str(found["territory"]), key, proved_at)


def _row(found: dict[str, Any]) -> AccountRow:
    return AccountRow(
        str(found["account"]),
        str(found["name"]),
        str(found["role"]),
        str(found["territory"]),
        bytes(found["key_id"]).hex(),
        bool(found["enabled"]),
        int(found["created_at"]),
    )
