"""Ed25519 keys: identity, purpose prefixes, and the public keys nobody may trust.

Every signature is over a purpose prefix and the message, so that a receipt can never be read as a segment.
No prefix is the beginning of another. (Ed25519ctx would do the same; common libraries do not offer it.)

Verifiers of Ed25519 disagree at the edges, so the edges are closed here instead of left to the library:
a public key must be the canonical encoding of its point and must not have small order: under the fourteen
encodings of small-order points one constant signature verifies for message after message, and the signer
could deny everything. `prove_order` additionally shows that a key lies in the group of prime order; it costs
a scalar multiplication in Python (about two milliseconds), so it is asked only when a key is introduced (by
enrolment or by a grant) and once a process for each key, never for each signature. S ≥ L in a signature is
refused by the library; a vector holds it to that.

Where private keys rest, and who may sign what, lies beyond this file.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.log.errors import KeyRefused, SignatureError

SEGMENT: Final = b"loa-seg/v1\0"
RECEIPT: Final = b"loa-rcpt/v1\0"
REQUEST: Final = b"loa-req/v1\0"
REPLY: Final = b"loa-rep/v1\0"
ENROL: Final = b"loa-enrol/v1\0"
ROTATION: Final = b"loa-rotate/v1\0"
ROOTS: Final = b"loa-roots/v1\0"
BELL: Final = b"loa-bell/v1\0"
OFFER: Final = b"loa-offer/v1\0"
CAP: Final = b"loa-cap/v1\0"  # a warning handed over as a file, its signature beside it
LOG_PREFIXES: Final = frozenset({SEGMENT, RECEIPT, REQUEST, REPLY, ENROL, ROTATION, ROOTS, BELL, OFFER, CAP})

KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8  # only looks a key up among enrolled ones; a collision cannot forge anything
SIGNATURE_BYTES: Final = 64
PROVEN_KEYS_MAX: Final = 4096  # verdicts on keys' orders remembered: a province many times over, under 1 MiB
PROVEN_HEADS_MAX: Final = 4096  # segment heads found good, with their signatures: under 2 MiB

P: Final = 2**255 - 19  # the field
L: Final = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
_D: Final = -121665 * pow(121666, -1, P) % P
_SQRT_M1: Final = pow(2, (P - 1) // 4, P)
_SIGN_BIT: Final = 1 << 255

# Every 32-byte string that decodes to one of the eight points of small order: the eight canonical encodings,
# x = 0 with its sign bit set (twice), and y + p for y = 0 and y = 1 with either sign bit (four).
SMALL_ORDER: Final = frozenset(
    map(
        bytes.fromhex,
        (
            "0100000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ),
    )
)


def key_id(raw: bytes) -> bytes:
    """The 8 bytes by which a 32-byte public key is looked up."""
    return sha256(b"loa-key/v1\0" + raw).digest()[:KEY_ID_BYTES]


class VerifyKey:
    """A public key that may be trusted. raw: 32 bytes. Raises KeyRefused. Equal and hashable by `raw`."""

    __slots__ = ("_point", "key_id", "raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise KeyRefused("key-length", f"a public key has 32 bytes, not {len(raw)}")
        if raw in SMALL_ORDER:
            raise KeyRefused("key-small-order", "under this key one signature fits many messages")
        if int.from_bytes(raw, "little") & ~_SIGN_BIT >= P:
            raise KeyRefused("key-not-canonical", "the point has another, canonical encoding")
        self.raw: Final = bytes(raw)
        self.key_id: Final = key_id(raw)
        self._point: Final = Ed25519PublicKey.from_public_bytes(raw)

    def verify(self, prefix: bytes, message: bytes, signature: bytes) -> None:
        """Returns when `signature` is this key's over prefix ‖ message; raises SignatureError otherwise."""
        assert prefix in LOG_PREFIXES, prefix
        try:
            if prefix == SEGMENT:
                _verify_head(self, message, signature)
            else:
                self._point.verify(signature, prefix + message)
        except InvalidSignature:
            raise SignatureError(
                "signature-bad", "not this key's signature over these bytes", where=self.key_id.hex()
            ) from None

    def prove_order(self) -> None:
        """Returns when the key is a point of the prime-order group; raises KeyRefused. About 2 ms, once."""
        on_curve, in_group = _order(self.raw)
        if not on_curve:
            raise KeyRefused("key-not-a-point", "no point of the curve has this encoding")
        if not in_group:
            raise KeyRefused("key-mixed-order", "the point lies outside the group of prime order")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"VerifyKey({self.key_id.hex()})"


class SigningKey:
    """A private key. Made from 32 bytes of entropy that the caller drew; never printed."""

    __slots__ = ("_private", "seed", "verify_key")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != KEY_BYTES:
            raise KeyRefused("key-length", f"a seed has 32 bytes, not {len(seed)}")
        self.seed: Final = bytes(seed)
        self._private: Final = Ed25519PrivateKey.from_private_bytes(seed)
        self.verify_key: Final = VerifyKey(self._private.public_key().public_bytes_raw())

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """seed: 32 bytes (RFC 8032's private key). Raises KeyRefused on another length."""
        return cls(seed)

    @property
    def key_id(self) -> bytes:
        return self.verify_key.key_id

    def sign(self, prefix: bytes, message: bytes) -> bytes:
        """64 bytes over prefix ‖ message; deterministic (RFC 8032). prefix: one of LOG_PREFIXES."""
        assert prefix in LOG_PREFIXES, prefix
        return self._private.sign(prefix + message)

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id.hex()})"


@lru_cache(maxsize=PROVEN_HEADS_MAX)
def _verify_head(key: VerifyKey, head: bytes, signature: bytes) -> None:
    """Raises InvalidSignature. What was good once is good for ever: key, head and signature, byte for byte.

    A process meets one segment many times: it admits it, folds it after a rollback, opens it again at night.
    Only the curve is remembered here; whoever opens a segment hashes its events against the head each time,
    so a disk that changed one byte of either is found as before. What is bad is remembered by nobody.
    """
    key._point.verify(signature, SEGMENT + head)


def forget_heads() -> None:
    """Verify every head anew: for measuring, and for whoever replaces the cryptography."""
    _verify_head.cache_clear()


# --- the curve, as much of it as one check needs (RFC 8032 §5.1) ----------------------------------------


@lru_cache(maxsize=PROVEN_KEYS_MAX)
def _order(raw: bytes) -> tuple[bool, bool]:
    """(is it a point of the curve, does it lie in the group of prime order) of a canonical encoding."""
    point = _decoded(raw)
    if point is None:
        return False, False
    x, y, z = _times(L, point)
    return True, x == 0 and y == z


def _decoded(raw: bytes) -> tuple[int, int] | None:
    """The affine point of a canonical encoding, or None."""
    number = int.from_bytes(raw, "little")
    y = number & ~_SIGN_BIT
    u, v = (y * y - 1) % P, (_D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * _SQRT_M1 % P
    if v * x * x % P != u:
        return None
    odd = number >> 255
    if x == 0 and odd:
        return None
    return (P - x if x & 1 != odd else x), y


def _times(scalar: int, point: tuple[int, int]) -> tuple[int, int, int]:
    """scalar · point as (X, Y, Z), by double-and-add in projective coordinates; public values only."""
    x2, y2 = point
    t2 = x2 * y2 % P
    x, y, z, t = 0, 1, 1, 0
    for bit in bin(scalar)[2:]:
        a, b, c = x * x, y * y, 2 * z * z
        e, g = (x + y) * (x + y) - a - b, b - a
        f, h = g - c, -a - b
        x, y, z, t = e * f % P, g * h % P, f * g % P, e * h % P
        if bit == "1":
            a, b = (y - x) * (y2 - x2), (y + x) * (y2 + x2)
            c, d = 2 * _D * t * t2, 2 * z
            e, f, g, h = b - a, d - c, d + c, b + a
            x, y, z, t = e * f % P, g * h % P, f * g % P, e * h % P
    return x, y, z
