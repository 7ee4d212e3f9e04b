"""Passwords and what they lock: one hash to recognise a password, one key derived from it to seal a seed.

Two argon2id runs with two salts on purpose: the login hash can be stolen with the database and tells
nothing about the key that seals. A sealed seed is bound to its account's name, so that moving it to another
row opens nothing.

Bound: cryptography only; what is kept where is `accounts` and `sessions`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from hub.config import KdfCost
from ledger.log import (
    NotAllowed,
    SigningKey,
    StoreError,
)

PASSWORD_CHARS_MIN = 10
PASSWORD_BYTES_MAX = 256  # more only costs the server work
NONCE_BYTES = 12


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
        typed = _typed(password)
        if len(password) < PASSWORD_CHARS_MIN or len(typed) > PASSWORD_BYTES_MAX:
            raise NotAllowed(
                "password-weak",
                "the password is too short or too long",
                hint=f"{PASSWORD_CHARS_MIN} characters or more, at most {PASSWORD_BYTES_MAX} bytes",
            )
        salt = self._entropy(16)
        login = self._hasher.hash(typed, salt=self._entropy(16))
        return Locked(login, salt, self.seal(self._derived(typed, salt), key.seed, account))

    def is_password(self, login: str, password: str) -> bool:
        try:
            return self._hasher.verify(login, _typed(password))
        except VerifyMismatchError:
            return False

    def open(self, locked: Locked, password: str, account: str) -> SigningKey:
        """The key. StoreError("account-damaged") when the right password does not open it."""
        return SigningKey.from_seed(
            self.unseal(self._derived(_typed(password), locked.salt), locked.sealed, account)
        )

    def seal(self, wrap: bytes, seed: bytes, account: str) -> bytes:
        nonce = self._entropy(NONCE_BYTES)
        return nonce + ChaCha20Poly1305(wrap).encrypt(nonce, seed, account.encode())

    def unseal(self, wrap: bytes, sealed: bytes, account: str) -> bytes:
        try:
            return ChaCha20Poly1305(wrap).decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], account.encode()
            )
        except InvalidTag as error:
            raise StoreError(
                "account-damaged", "the sealed key does not open", where=account, hint="restore accounts.db"
            ) from error

    def _derived(self, typed: bytes, salt: bytes) -> bytes:
        return hash_secret_raw(
            secret=typed,
            salt=salt,
            time_cost=self._cost.passes,
            memory_cost=self._cost.memory_kib,
            parallelism=self._cost.lanes,
            hash_len=32,
            type=Type.ID,
        )


def _typed(password: str) -> bytes:
    """NFC, because keyboards differ in how they compose Vietnamese; bounded before any hashing."""
    return unicodedata.normalize("NFC", password[: PASSWORD_BYTES_MAX + 1]).encode(errors="surrogatepass")
