"""Keys: purposes do not mix, weak keys are refused, and the list of weak keys is complete."""

from __future__ import annotations

from hashlib import sha512

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log import keys
from ledger.log.errors import KeyRefused, SignatureError
from ledger.log.keys import LOG_PREFIXES, SEGMENT, SMALL_ORDER, L, P, SigningKey, VerifyKey

seeds = st.binary(min_size=32, max_size=32)
Point = tuple[int, int]

# The curve again, in affine coordinates straight from RFC 8032 §5.1, so that the tests share no arithmetic
# with what they test.
D = -121665 * pow(121666, -1, P) % P
BASE_Y = 4 * pow(5, -1, P) % P


def x_for(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if x * x % P == square else None


def add(one: Point, two: Point) -> Point:
    (x1, y1), (x2, y2) = one, two
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P


def times(scalar: int, point: Point) -> Point:
    out = (0, 1)
    while scalar:
        if scalar & 1:
            out = add(out, point)
        point, scalar = add(point, point), scalar >> 1
    return out


def encoded(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def base() -> Point:
    x = x_for(BASE_Y)
    assert x is not None
    return (x if x % 2 == 0 else P - x), BASE_Y


def eight_torsion_points() -> set[Point]:
    """L · Q has small order for any point Q; the multiples of one of full order 8 are all of them."""
    y = 2
    while True:
        x = x_for(y)
        if x is not None:
            generator = times(L, (x, y))
            if times(4, generator) != (0, 1):
                return {times(n, generator) for n in range(8)}
        y += 1


def test_the_small_order_list_is_every_encoding_of_every_small_order_point() -> None:
    found = set()
    for x, y in eight_torsion_points():
        for y_written in (y, y + P):
            for sign in (0, 1):
                # A lax reader takes the sign bit of x = 0 as it comes; a strict one has x decide it.
                if y_written < 2**255 and (x == 0 or sign == x & 1):
                    found.add((y_written | sign << 255).to_bytes(32, "little"))
    assert len(eight_torsion_points()) == 8
    assert len(found) == 14
    assert found == SMALL_ORDER


def test_under_a_small_order_key_one_signature_would_fit_every_message() -> None:
    """Why the list exists: the library alone accepts this."""
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)
    for message in (b"approved", b"not approved"):
        Ed25519PublicKey.from_public_bytes(identity).verify(forged, message)
    with pytest.raises(KeyRefused) as caught:
        VerifyKey(identity)
    assert caught.value.code == "key-small-order"


@pytest.mark.parametrize("y", [P + n for n in range(19)])
def test_a_key_that_is_not_canonical_is_refused(y: int) -> None:
    for sign in (0, 1):
        with pytest.raises(KeyRefused):
            VerifyKey((y | sign << 255).to_bytes(32, "little"))


@given(st.binary(max_size=70).filter(lambda raw: len(raw) != 32))
def test_a_key_or_seed_of_another_length_is_refused(raw: bytes) -> None:
    for make in (VerifyKey, SigningKey.from_seed):
        with pytest.raises(KeyRefused) as caught:
            make(raw)
        assert caught.value.code == "key-length"


@given(seeds)
def test_every_generated_key_lies_in_the_prime_order_group(seed: bytes) -> None:
    SigningKey.from_seed(seed).verify_key.prove_order()


def test_a_key_with_a_small_order_part_is_refused_at_enrolment() -> None:
    scalar = int.from_bytes(sha512(b"anything").digest(), "little") % L
    good = times(scalar, base())
    VerifyKey(encoded(good)).prove_order()
    for torsion in eight_torsion_points() - {(0, 1)}:
        mixed = VerifyKey(encoded(add(good, torsion)))
        with pytest.raises(KeyRefused) as caught:
            mixed.prove_order()
        assert caught.value.code == "key-mixed-order"


@given(seeds)
def test_bytes_that_are_no_point_are_refused_at_enrolment_and_verify_nothing(raw: bytes) -> None:
    y = int.from_bytes(raw, "little") & (1 << 255) - 1
    if y >= P or raw in SMALL_ORDER or x_for(y) is not None:
        return
    key = VerifyKey(raw)
    with pytest.raises(KeyRefused) as refused:
        key.prove_order()
    assert refused.value.code == "key-not-a-point"
    with pytest.raises(SignatureError):
        key.verify(SEGMENT, b"m", bytes(64))


@settings(deadline=None)  # nine purposes by nine
@given(seeds, st.binary(max_size=200))
def test_a_signature_serves_one_purpose_only(seed: bytes, message: bytes) -> None:
    key = SigningKey.from_seed(seed)
    for prefix in LOG_PREFIXES:
        signature = key.sign(prefix, message)
        for other in LOG_PREFIXES:
            if other == prefix:
                key.verify_key.verify(other, message, signature)
            else:
                with pytest.raises(SignatureError):
                    key.verify_key.verify(other, message, signature)


def test_no_purpose_is_the_beginning_of_another() -> None:
    assert len(LOG_PREFIXES) == 10
    assert not any(a != b and a.startswith(b) for a in LOG_PREFIXES for b in LOG_PREFIXES)
    assert all(prefix.endswith(b"\0") and prefix.count(b"\0") == 1 for prefix in LOG_PREFIXES)


@given(seeds, st.binary(max_size=50), st.integers(0, 511))
def test_every_bit_of_a_signature_counts(seed: bytes, message: bytes, bit: int) -> None:
    key = SigningKey.from_seed(seed)
    signature = bytearray(key.sign(SEGMENT, message))
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        key.verify_key.verify(SEGMENT, message, bytes(signature))


@given(seeds, st.binary(max_size=50), st.integers(1, 15))
def test_a_signature_has_one_s(seed: bytes, message: bytes, multiple: int) -> None:
    """S + k·L fits the same equation: a verifier that takes it lets anybody make a second signature."""
    key = SigningKey.from_seed(seed)
    signature = key.sign(SEGMENT, message)
    s = int.from_bytes(signature[32:], "little") + multiple * L
    if s < 2**256:
        with pytest.raises(SignatureError):
            key.verify_key.verify(SEGMENT, message, signature[:32] + s.to_bytes(32, "little"))


@given(seeds, st.binary(max_size=130).filter(lambda raw: len(raw) != 64))
def test_a_signature_of_another_length_is_only_refused(seed: bytes, signature: bytes) -> None:
    with pytest.raises(SignatureError) as caught:
        SigningKey.from_seed(seed).verify_key.verify(SEGMENT, b"m", signature)
    assert caught.value.code == "signature-bad"


def test_keys_are_equal_by_their_bytes_and_never_show_the_secret() -> None:
    one, same, other = (SigningKey.from_seed(bytes([n]) * 32) for n in (1, 1, 2))
    assert one.verify_key == same.verify_key == VerifyKey(one.verify_key.raw)
    assert one.verify_key != other.verify_key
    assert one.verify_key != one.verify_key.raw
    assert len({one.verify_key, same.verify_key, other.verify_key}) == 2
    assert one.key_id == one.verify_key.key_id == keys.key_id(one.verify_key.raw)
    assert len(one.key_id) == 8
    assert one.seed.hex() not in repr(one)
    assert repr(one) == f"SigningKey({one.key_id.hex()})"
