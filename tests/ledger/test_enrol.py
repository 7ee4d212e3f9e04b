"""Enrolment, both ends: what a token proves, what it does not, and what bytes may not do."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log.codec import pack, unpack
from ledger.log.enrol import (
    ENROL,
    Enrolled,
    Token,
    TokenRecord,
    holds_token,
    make_enrolment,
    make_enrolment_reply,
    read_enrolment,
    read_enrolment_reply,
)
from ledger.log.errors import KeyRefused, LoaError, ProtocolError, SignatureError
from ledger.log.keys import SMALL_ORDER, SigningKey

TOKEN = Token(bytes(range(16)))
OTHER = Token(bytes(range(1, 17)))
STATION = SigningKey.from_seed(b"s" * 32)
HUB = SigningKey.from_seed(b"h" * 32)
ROOT = SigningKey.from_seed(b"r" * 32)
UNIT = "vn.yb.04630"
NONCE = b"nonce-08"


def a_request(token: Token = TOKEN, unit: str = UNIT) -> bytes:
    return make_enrolment(token, STATION, unit=unit, nonce=NONCE)


def a_reply(request: bytes, record: TokenRecord = TOKEN.record) -> bytes:
    return make_enrolment_reply(
        record,
        request,
        roots=[ROOT.verify_key],
        hub=HUB.verify_key,
        unit=UNIT,
        name="Xã Tú Lệ",
        province="Yên Bái",
        hub_time=1_667_926_800,
    )


def test_a_device_with_the_token_is_enrolled_and_learns_the_roots_the_hub_and_its_name() -> None:
    request = a_request()
    read = read_enrolment(request)
    assert holds_token(read, TOKEN.record)
    assert (read.key, read.unit, read.nonce) == (STATION.verify_key, UNIT, NONCE)
    enrolled = read_enrolment_reply(TOKEN, STATION, request, a_reply(request))
    assert enrolled == Enrolled(
        (ROOT.verify_key,), HUB.verify_key, UNIT, "Xã Tú Lệ", "Yên Bái", 1_667_926_800
    )


def test_another_token_does_not_pass_even_with_the_right_id() -> None:
    read = read_enrolment(a_request(OTHER))
    assert not holds_token(read, TOKEN.record)
    forged = TokenRecord(OTHER.id, TOKEN.record.public, TOKEN.record.reply_key)
    assert not holds_token(read, forged)


def test_what_the_hub_keeps_of_a_token_is_not_enough_to_enrol() -> None:
    record = TOKEN.record
    kept = record.id + record.public + record.reply_key
    assert TOKEN.secret not in kept
    assert TOKEN.key.seed not in kept
    assert "secret" not in repr(TOKEN)
    assert TOKEN.secret.hex() not in repr(TOKEN)


def test_a_hub_that_does_not_hold_the_token_cannot_enrol_the_device() -> None:
    request = a_request()
    false_hub = TokenRecord(TOKEN.id, TOKEN.record.public, hashlib.sha256(b"guess").digest())
    with pytest.raises(ProtocolError) as refused:
        read_enrolment_reply(TOKEN, STATION, request, a_reply(request, false_hub))
    assert refused.value.code == "enrol-reply-mac"


def test_a_reply_to_another_request_is_refused() -> None:
    old = make_enrolment(TOKEN, STATION, unit=UNIT, nonce=b"elder-08")
    with pytest.raises(ProtocolError) as refused:
        read_enrolment_reply(TOKEN, STATION, a_request(), a_reply(old))
    assert refused.value.code == "enrol-reply-other"


def test_a_reply_to_another_devices_request_is_refused() -> None:
    """Two boxes on one desk, one token: the reply to the one is not the other's."""
    request = a_request()
    with pytest.raises(ProtocolError) as refused:
        read_enrolment_reply(TOKEN, SigningKey.from_seed(b"t" * 32), request, a_reply(request))
    assert refused.value.code == "enrol-reply-other"


@pytest.mark.parametrize("count", [0, 17])
def test_a_reply_without_a_root_or_with_too_many_is_not_written(count: int) -> None:
    with pytest.raises(AssertionError):
        make_enrolment_reply(
            TOKEN.record, a_request(), roots=[ROOT.verify_key] * count, hub=HUB.verify_key, unit=UNIT,
            name="", province="", hub_time=0,
        )  # fmt: skip


def test_a_request_without_possession_of_the_key_is_refused() -> None:
    thief = SigningKey.from_seed(b"t" * 32)
    tree = unpack(a_request(), bytes_max=1024)
    assert isinstance(tree, tuple)
    body = [*tree[:3], STATION.verify_key.raw, tree[4]]
    possession = thief.sign(ENROL, b"possession\0" + pack(body))
    holding = TOKEN.key.sign(ENROL, b"holding\0" + pack([*body, possession]))
    with pytest.raises(SignatureError):
        read_enrolment(pack([*body, possession, holding]))


@pytest.mark.parametrize("raw", sorted(SMALL_ORDER))
def test_a_small_order_key_cannot_be_enrolled(raw: bytes) -> None:
    body = [1, TOKEN.id, UNIT, raw, NONCE]
    possession = b"\0" * 64
    holding = TOKEN.key.sign(ENROL, b"holding\0" + pack([*body, possession]))
    with pytest.raises(KeyRefused) as refused:
        read_enrolment(pack([*body, possession, holding]))
    assert refused.value.code == "key-small-order"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "enrol-form"),
        (b"<html>Please log in</html>", "enrol-form"),
        (pack([1, 2, 3]), "enrol-form"),
        (pack([2, b"12345678", "", b"", b"12345678", b"", b""]), "enrol-version"),
        (pack([1, b"1234567", "", b"", b"12345678", b"", b""]), "enrol-form"),
        (pack([1, b"12345678", "x" * 300, b"", b"12345678", b"", b""]), "enrol-form"),
        (b"\x00" * 2000, "enrol-form"),
    ],
)
def test_bytes_that_are_no_request_are_the_peers_fault(data: bytes, code: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        read_enrolment(data)
    assert refused.value.code == code


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 7))
def test_no_flipped_bit_passes_as_a_request_of_the_token_or_as_a_reply(place: int, bit: int) -> None:
    request = a_request()
    bad = bytearray(request)
    bad[place % len(bad)] ^= 1 << bit
    with contextlib.suppress(LoaError):
        assert not holds_token(read_enrolment(bytes(bad)), TOKEN.record)
    reply = bytearray(a_reply(request))
    reply[place % len(reply)] ^= 1 << bit
    with pytest.raises(ProtocolError):
        read_enrolment_reply(TOKEN, STATION, request, bytes(reply))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_end_in_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(LoaError):
        read_enrolment(data)
    with pytest.raises(ProtocolError):
        read_enrolment_reply(TOKEN, STATION, a_request(), data)


@settings(deadline=None)
@given(st.binary(min_size=16, max_size=16))
def test_a_printed_token_is_read_back_however_a_person_types_it(secret: bytes) -> None:
    token = Token(secret)
    assert Token.parse(token.text) == token
    assert Token.parse(" " + token.text.lower().replace("-", "  ") + "\n") == token
    assert Token.parse(token.text.replace("O", "0").replace("I", "1").replace("B", "8")) == token


@pytest.mark.parametrize(
    "text", ["", "ABCD", TOKEN.text + "A", TOKEN.text[:-1], "!" * 26, TOKEN.text[:-1] + "7"]
)
def test_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        Token.parse(text)
    assert refused.value.code == "token-form"


# --- the page of the specification --------------------------------------------------------------------------


def test_the_specifications_example_is_what_the_code_writes() -> None:
    page = (Path(__file__).parents[2] / "docs/spec/enrolment.md").read_text("utf-8")
    shown = "".join(page.split())
    key = SigningKey.from_seed(bytes([7]) * 32)
    request = make_enrolment(TOKEN, key, unit=UNIT, nonce=NONCE)
    reply = make_enrolment_reply(
        TOKEN.record,
        request,
        roots=[SigningKey.from_seed(bytes([1]) * 32).verify_key],
        hub=SigningKey.from_seed(bytes([2]) * 32).verify_key,
        unit=UNIT,
        name="Xã Tú Lệ",
        province="vn.yb",
        hub_time=1_667_955_600,
    )
    record = TOKEN.record
    for part in (TOKEN.text.encode(), record.id, record.public, record.reply_key, request, reply):
        assert (part.decode() if part == TOKEN.text.encode() else part.hex()) in shown
