"""What a password or a PIN locks: a key stretched from it, and a seed sealed under that key.

    wrap   = stretched(typed(pin), salt, cost)         seconds of an attacker's work, milliseconds of ours
    sealed = shut(wrap, seed, "lan", nonce)            rests on a disk; bound to its owner's name
    seed   = opened(wrap, sealed, "lan")               None when the wrap is another one

The seal tells a right wrap from a wrong one by itself (its tag has 128 bits), so that beside it no hash of a
password need rest anywhere.

Bound: cryptography only. Who may try how often, and where things rest, is the callers' (`hub.accounts`,
`node.page.people`). A hub derives its wraps with argon2id instead; it shares the seal.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from hashlib import scrypt
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NONCE_BYTES: Final = 12
SALT_BYTES: Final = 16
WRAP_BYTES: Final = 32
SECRET_BYTES_MAX: Final = 256  # more only costs the machine work
_MEMORY_MAX: Final = 64 << 20


@dataclass(frozen=True)
class Cost:
    """scrypt's: n · r · 128 bytes of memory, p times over. The default: 16 MiB, 0.2 to 1 s on a small box."""

    n: int = 1 << 14
    r: int = 8
    p: int = 5


def typed(secret: str) -> bytes:
    """NFC, because keyboards differ in how they compose Vietnamese; bounded before any work."""
    return unicodedata.normalize("NFC", secret[: SECRET_BYTES_MAX + 1]).encode(errors="surrogatepass")


def stretched(secret: bytes, salt: bytes, cost: Cost) -> bytes:
    """32 bytes. Slow on purpose, and without Python's lock: do it beside a loop that must stay in time."""
    return scrypt(
        secret, salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=_MEMORY_MAX, dklen=WRAP_BYTES
    )  # fmt: skip


def shut(wrap: bytes, seed: bytes, owner: str, nonce: bytes) -> bytes:
    """nonce: 12 fresh random bytes; it stands in front of what is returned."""
    assert len(nonce) == NONCE_BYTES
    return nonce + ChaCha20Poly1305(wrap).encrypt(nonce, seed, owner.encode())


def opened(wrap: bytes, sealed: bytes, owner: str) -> bytes | None:
    """The seed; None when the wrap, the owner or the bytes are not those of the seal."""
    if len(sealed) < NONCE_BYTES:
        return None
    try:
        return ChaCha20Poly1305(wrap).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.encode())
    except InvalidTag:
        return None
