"""Sessions of the hub's pages: a cookie that opens a key, a row that can be deleted.

The token in the cookie is the only thing that opens the session's copy of the officer's seed; the server
keeps a hash of it. So a stolen database holds no usable key, and disabling an account or changing its
password ends its sessions at once. The pages sign their cookies with a secret that is new in every process:
a restarted hub asks for the password again.

Bound: rows and limits. Cookies, CSRF and pages are `hub.web`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock

from sqlite_utils import Database

from hub.config import HubConfig
from hub.vault import Vault
from ledger.log import SigningKey

SESSIONS_MAX = 1_000  # the least recently seen go first
TOKEN_BYTES = 32

SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (token_hash BLOB PRIMARY KEY, account TEXT NOT NULL, sealed BLOB NOT NULL,
  started_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, proved_at INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Session:
    """A live session: whose, with the key open. proved_at: when the password was last typed in it."""

    account: str
    key: SigningKey
    proved_at: int


class Sessions:
    """db and lock are the accounts'. entropy: random bytes."""

    def __init__(
        self, db: Database, lock: RLock, vault: Vault, config: HubConfig, entropy: Callable[[int], bytes]
    ) -> None:
        self._db = db
        self._lock = lock
        self._vault = vault
        self._config = config
        self._entropy = entropy

    def start(self, account: str, key: SigningKey, *, proved_at: int, now: int) -> str:
        """The token for the cookie (64 hex digits), new at every login."""
        token = self._entropy(TOKEN_BYTES)
        with self._lock, self._db.atomic():
            self._db.table("sessions").insert(
                {
                    "token_hash": _hash(token),
                    "account": account,
                    "sealed": self._vault.seal(_wrap(token), key.seed, account),
                    "started_at": now,
                    "seen_at": now,
                    "proved_at": proved_at,
                }
            )
            self._db.execute(
                "DELETE FROM sessions WHERE started_at < ? OR seen_at < ? OR token_hash IN "
                "(SELECT token_hash FROM sessions ORDER BY seen_at DESC, token_hash LIMIT -1 OFFSET ?)",
                [now - self._config.session_max_s, now - self._config.session_idle_s, SESSIONS_MAX],
            )
        return token.hex()

    def get(self, token: str, *, now: int, seen: bool = True) -> Session | None:
        """The live session of this token; None when unknown, idle too long or too old.

        seen: False for what a page asks by itself: nobody is at work because a page refreshes.
        """
        secret = _secret(token)
        if secret is None:
            return None
        with self._lock:
            row = self._db.execute(
                "SELECT account, sealed, proved_at, seen_at FROM sessions "
                "WHERE token_hash = ? AND started_at >= ? AND seen_at >= ?",
                [_hash(secret), now - self._config.session_max_s, now - self._config.session_idle_s],
            ).fetchone()
            if row is None:
                return None
            if seen and now > row[3]:
                self._db.execute("UPDATE sessions SET seen_at = ? WHERE token_hash = ?", [now, _hash(secret)])
        account = str(row[0])
        key = SigningKey.from_seed(self._vault.unseal(_wrap(secret), bytes(row[1]), account))
        return Session(account, key, int(row[2]))

    def at_work(self, *, now: int, within_s: int) -> frozenset[str]:
        """Accounts whose person did something in a live session within the last `within_s` seconds."""
        with self._lock:
            rows = self._db.execute(
                "SELECT DISTINCT account FROM sessions WHERE started_at >= ? AND seen_at >= ?",
                [now - self._config.session_max_s, now - min(within_s, self._config.session_idle_s)],
            ).fetchall()
        return frozenset(str(row[0]) for row in rows)

    def note_proof(self, token: str, *, now: int) -> None:
        """The person of this session has just typed the password."""
        secret = _secret(token)
        if secret is not None:
            with self._lock:
                self._db.execute(
                    "UPDATE sessions SET proved_at = ? WHERE token_hash = ?", [now, _hash(secret)]
                )

    def end(self, token: str) -> None:
        secret = _secret(token)
        if secret is not None:
            with self._lock:
                self._db.execute("DELETE FROM sessions WHERE token_hash = ?", [_hash(secret)])

    def end_all(self, account: str) -> None:
        with self._lock:
            self._db.execute("DELETE FROM sessions WHERE account = ?", [account])


def _secret(token: str) -> bytes | None:
    try:
        secret = bytes.fromhex(token)
    except ValueError:
        return None
    return secret if len(secret) == TOKEN_BYTES else None


def _hash(token: bytes) -> bytes:
    return hashlib.sha256(b"loa-session-id\0" + token).digest()


def _wrap(token: bytes) -> bytes:
    return hashlib.sha256(b"loa-session-key\0" + token).digest()
