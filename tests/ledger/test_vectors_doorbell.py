"""The doorbell's vectors: what a station says, and what a hub hangs up on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.doorbell import read_hello
from ledger.log import SigningKey, VerifyKey
from node.link.doorbell import make_hello

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "doorbell.json").read_text("utf-8")
)
NONCE, HUB = bytes.fromhex(VECTORS["nonce"]), bytes.fromhex(VECTORS["hub_key_id"])
STATION = VerifyKey(bytes.fromhex(VECTORS["station"]))


def read(hello: bytes) -> int | None:
    return read_hello(hello, NONCE, HUB, {STATION.key_id: STATION}.get)


def named(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", named(VECTORS["accepts"]))
def test_a_hello_is_made_and_read(case: dict[str, Any]) -> None:
    number = case["cursor"]
    hello, cursor = bytes.fromhex(case["hello"]), int(number["int"] if isinstance(number, dict) else number)
    assert make_hello(SigningKey.from_seed(bytes.fromhex(VECTORS["seed"])), HUB, NONCE, cursor) == hello
    assert read(hello) == cursor


@pytest.mark.parametrize("case", named(VECTORS["rejects"]))
def test_a_hello_is_refused(case: dict[str, Any]) -> None:
    assert read(bytes.fromhex(case["hello"])) is None


@given(at=st.integers(0, 8 * 84 - 1))
def test_every_bit_of_a_hello_counts(at: int) -> None:
    hello = bytearray.fromhex(VECTORS["accepts"][0]["hello"])
    hello[at // 8] ^= 1 << at % 8
    assert read(bytes(hello)) is None


@given(st.binary(max_size=200))
def test_no_noise_is_a_hello(noise: bytes) -> None:
    assert read(noise) is None
