"""Passwords and what they lock: one hash to recognise a password, one key derived from it to seal a seed.

Two argon2id runs with two salts on purpose: the login hash can be stolen with the database and tells
nothing about the key that seals. A sealed seed is bound to its account's name, so that moving it to another
row opens nothing.

The seal itself is `ledger.vault`, which a station uses too.

Bound: cryptography only; what is kept where is `accounts` and `sessions`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type, hash_secret_raw

from hub.config import KdfCost
from ledger.log import (
    NotAllowed,
    SigningKey,
    StoreError,
)
from ledger.vault import NONCE_BYTES, SECRET_BYTES_MAX, opened, shut, typed

PASSWORD_CHARS_MIN = 10


@dataclass(frozen=True)
class Locked:
    """What may rest in a database: the login hash, the salt of the sealing key, the sealed seed."""

    login: str
    salt: bytes
    sealed: bytes


class Vault:
    """cost: of one argon2id run. entropy: random bytes."""

    def __init__(self, cost: KdfCost, entropy: Callable[[int], bytes]) -> None:
        self._cost = cost
        self._entropy = entropy
        self._hasher = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes
        )
        # A name nobody has is checked against this: the same work, the same answer.
        self.nobody = self._hasher.hash(b"nobody", salt=entropy(16))

    def lock(self, key: SigningKey, password: str, account: str) -> Locked:
        """Locks a key under a password. NotAllowed("password-weak")."""
        secret = typed(password)
        if len(password) < PASSWORD_CHARS_MIN or len(secret) > SECRET_BYTES_MAX:
            raise NotAllowed(
                "password-weak",
                "the password is too short or too long",
                hint=f"{PASSWORD_CHARS_MIN} characters or more, at most {SECRET_BYTES_MAX} bytes",
            )
        salt = self._entropy(16)
        login = self._hasher.hash(secret, salt=self._entropy(16))
        return Locked(login, salt, self.seal(self._derived(secret, salt), key.seed, account))

    def is_password(self, login: str, password: str) -> bool:
        try:
            return self._hasher.verify(login, typed(password))
        except VerifyMismatchError:
            return False

    def open(self, locked: Locked, password: str, account: str) -> SigningKey:
        """The key. StoreError("account-damaged") when the right password does not open it."""
        return SigningKey.from_seed(
            self.unseal(self._derived(typed(password), locked.salt), locked.sealed, account)
        )

    def seal(self, wrap: bytes, seed: bytes, account: str) -> bytes:
        return shut(wrap, seed, account, self._entropy(NONCE_BYTES))

    def unseal(self, wrap: bytes, sealed: bytes, account: str) -> bytes:
        seed = opened(wrap, sealed, account)
        if seed is None:
            raise StoreError(
                "account-damaged", "the sealed key does not open", where=account, hint="restore accounts.db"
            )
        return seed

    def _derived(self, secret: bytes, salt: bytes) -> bytes:
        return hash_secret_raw(
            secret=secret,
            salt=salt,
            time_cost=self._cost.passes,
            memory_cost=self._cost.memory_kib,
            parallelism=self._cost.lanes,
            hash_len=32,
            type=Type.ID,
        )

