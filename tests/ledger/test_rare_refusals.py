"""Refusals that no honest peer and no vector meets: each is met here once, by its name."""

from __future__ import annotations

import pytest

from ledger.facts import Authority, Granted, Malformed, Signed, parse
from ledger.log import LoaError, NotAllowed, SigningKey, VerifyKey, encode, keys
from ledger.log.keys import REQUEST
from ledger.log.messages import Request

ROOT = SigningKey.from_seed(b"root of Yen Bai, a key for tests")
STATION = SigningKey.from_seed(b"station Tu Le, a key for tests..")
TWIN = SigningKey.from_seed(b"station Xuan Ai, key for tests..")
NOON_S = 1_667_969_100


def grant(subject: bytes) -> Signed:
    fact = Granted(
        ts=NOON_S, subject_pub=subject, classes=32, territory="vn.yb.04630", not_before=NOON_S,
        not_after=NOON_S, depth=0, label="",
    )  # fmt: skip
    return Signed(fact, fact.encode(), ROOT.key_id, b"log-id-8", 1, 1)


def test_a_second_key_with_a_taken_key_id_is_not_granted_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = keys.key_id
    twin = TWIN.verify_key.raw
    monkeypatch.setattr(keys, "key_id", lambda raw: STATION.key_id if raw == twin else honest(raw))
    authority = Authority([ROOT.verify_key])
    assert authority.apply(grant(STATION.verify_key.raw)) == STATION.verify_key
    with pytest.raises(NotAllowed) as caught:
        authority.apply(grant(twin))
    assert caught.value.code == "grant-key-id-taken"
    assert authority.key(STATION.key_id) == STATION.verify_key


@pytest.mark.parametrize("body", [b"\xcc\x05", b"\x99\x01", b"\x91" * 40])
def test_a_request_that_is_signed_and_not_canonical_is_refused_as_that(body: bytes) -> None:
    raw = b"\xd7\x4c\x51\x01" + STATION.key_id + STATION.sign(REQUEST, body) + body
    known: dict[bytes, VerifyKey] = {STATION.key_id: STATION.verify_key}
    with pytest.raises(LoaError) as caught:
        Request.open(raw, known.get)
    assert caught.value.code == "request-codec"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((0, NOON_S), "event-arity"),
        ((0, NOON_S, 0, bytes(8), 0, bytes(32), 1, "loa", 0), "event-arity"),
        ((0, NOON_S, 0, bytes(8), 0, bytes(32), 1, "l" * 41), "event-field"),
        ((0, NOON_S, -1, bytes(8), 0, bytes(32), 1, "loa"), "event-field"),
        ((0, None, 0, bytes(8), 0, bytes(32), 1, "loa"), "event-field"),
        ((80, NOON_S, bytes(8), bytes(8), 0, 1), "event-arity"),
        ((80, NOON_S, bytes(8), bytes(7), 0, 1, bytes(32)), "event-field"),
        ((80, NOON_S, bytes(8), bytes(8), True, 1, bytes(32)), "event-field"),
        ((81, NOON_S, bytes(336), 0), "event-arity"),
        ((81, NOON_S, bytes(335)), "event-field"),
    ],
)
def test_what_a_log_says_of_itself_in_another_form_is_malformed(
    values: tuple[object, ...], reason: str
) -> None:
    fact = parse(encode(values))  # type: ignore[arg-type]
    assert isinstance(fact, Malformed)
    assert fact.reason == reason
