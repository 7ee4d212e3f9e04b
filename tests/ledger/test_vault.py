"""What a PIN locks: the right one opens it however it was typed, and nothing else opens anything."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ledger.vault import NONCE_BYTES, SECRET_BYTES_MAX, Cost, opened, shut, stretched, typed

QUICK = Cost(2, 1, 1)
SALT = b"s" * 16
seeds = st.binary(min_size=32, max_size=32)
nonces = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)


@given(st.text(max_size=40), seeds, nonces)
def test_what_was_shut_under_a_pin_opens_under_it_in_either_way_of_composing(
    pin: str, seed: bytes, nonce: bytes
) -> None:
    sealed = shut(stretched(typed(unicodedata.normalize("NFD", pin)), SALT, QUICK), seed, "person 1", nonce)
    wrap = stretched(typed(unicodedata.normalize("NFC", pin)), SALT, QUICK)
    assert opened(wrap, sealed, "person 1") == seed


@given(seeds, nonces, st.text(max_size=20), st.text(max_size=20))
def test_another_pin_salt_or_owner_opens_nothing(seed: bytes, nonce: bytes, pin: str, other: str) -> None:
    wrap = stretched(typed(pin), SALT, QUICK)
    sealed = shut(wrap, seed, "person 1", nonce)
    assert opened(wrap, sealed, "person 2") is None
    assert opened(stretched(typed(pin), b"t" * 16, QUICK), sealed, "person 1") is None
    if typed(other) != typed(pin):
        assert opened(stretched(typed(other), SALT, QUICK), sealed, "person 1") is None


@given(seeds, nonces, st.integers(0, 8 * (NONCE_BYTES + 48) - 1))
def test_one_bit_changed_on_the_disk_opens_nothing(seed: bytes, nonce: bytes, bit: int) -> None:
    wrap = stretched(b"pin", SALT, QUICK)
    sealed = bytearray(shut(wrap, seed, "person 1", nonce))
    sealed[bit // 8] ^= 1 << bit % 8
    assert opened(wrap, bytes(sealed), "person 1") is None


@given(st.binary(max_size=80))
def test_bytes_that_are_no_seal_open_nothing(sealed: bytes) -> None:
    assert opened(b"w" * 32, sealed, "person 1") is None


def test_a_megabyte_of_pin_costs_no_more_than_a_long_one() -> None:
    assert len(typed("x" * 1_000_000)) == SECRET_BYTES_MAX + 1


def test_stretching_costs_what_is_said() -> None:
    cost = Cost()
    assert cost.n * cost.r * 128 == 16 << 20
    assert stretched(b"pin", SALT, cost) != stretched(b"pin", SALT, Cost(p=4))
