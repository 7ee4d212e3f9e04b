"""Enrolment at the hub: a token is spent once, by one device, for one station."""

from __future__ import annotations

import hashlib

import pytest
from hub_house import TU_LE, XUAN_AI, YEN_THINH, Box, House, entropy_from, error_of

from hub.enrolment import TOKENS_PER_UNIT_MAX
from ledger.facts import Granted, Right, parse
from ledger.log import (
    SigningKey,
    Token,
    make_enrolment,
    pack,
    read_enrolment_reply,
    unpack,
)
from ledger.log.keys import ENROL, SMALL_ORDER, L, P, VerifyKey, _decoded, _times
from sim.power import PowerCut, PoweredStore

KEY = SigningKey.from_seed(b"k" * 32)
NONCE = b"nonce-08"


@pytest.fixture
def house() -> House:
    return House()


def a_token(house: House, unit: str = TU_LE) -> Token:
    return Token.parse(house.hub.commands.new_station_token(house.admin, unit, now=house.now).text)


def ask(token: Token, *, key: SigningKey = KEY, unit: str = "", nonce: bytes = NONCE) -> bytes:
    return make_enrolment(token, key, unit=unit, nonce=nonce)


def refused(house: House, body: bytes) -> tuple[int, str]:
    position = house.segments()
    status, answer = house.hub.enrol(body)
    assert house.segments() == position, "a refusal writes nothing"
    return status, error_of(answer)[0]


def test_a_station_with_its_token_is_enrolled_and_granted_to_acknowledge_for_itself_only(
    house: House,
) -> None:
    token = a_token(house)
    status, reply = house.hub.enrol(ask(token, unit=TU_LE))
    assert status == 200
    enrolled = read_enrolment_reply(token, KEY, ask(token, unit=TU_LE), reply)
    assert enrolled.hub == house.hub.key.verify_key
    assert enrolled.roots == house.config.root_keys
    assert (enrolled.unit, enrolled.name, enrolled.province) == (TU_LE, "Xã Tú Lệ", "Yên Bái")
    assert enrolled.hub_time == house.now
    authority = house.hub.facts.authority
    assert authority.may(KEY.key_id, Right.ACK, TU_LE, house.now)
    assert not authority.may(KEY.key_id, Right.ACK, XUAN_AI, house.now)
    assert not authority.may(KEY.key_id, Right.APPROVE, TU_LE, house.now)
    assert house.hub.ledger.key_of(KEY.key_id) == KEY.verify_key
    assert house.hub.queries.station(TU_LE).enrolled


def test_an_unknown_token_and_a_wrong_one_get_the_same_answer(house: House) -> None:
    token = a_token(house)
    unknown = house.hub.enrol(ask(Token.new(entropy_from("stranger"))))
    good = unpack(ask(token), bytes_max=1024)
    assert isinstance(good, tuple)
    body = [*good[:5]]
    possession = KEY.sign(ENROL, b"possession\0" + pack(body))
    forged = Token.new(entropy_from("thief")).key.sign(ENROL, b"holding\0" + pack([*body, possession]))
    wrong = house.hub.enrol(pack([*body, possession, forged]))
    assert unknown == wrong
    assert unknown[0] == 403
    assert error_of(unknown[1])[0] == "token-refused"


def test_a_lost_reply_costs_nothing(house: House) -> None:
    token = a_token(house)
    first = house.hub.enrol(ask(token))
    position = house.segments()
    assert house.hub.enrol(ask(token)) == first
    assert house.restart().enrol(ask(token)) == first, "also after a restart"
    assert house.segments() == position, "one grant"


def test_the_same_request_after_the_station_was_heard_from_is_a_replay(house: House) -> None:
    token = house.hub.commands.new_station_token(house.admin, TU_LE, now=house.now).text
    box = Box(house, token)
    box.sync()
    request = make_enrolment(Token.parse(token), box.key, unit="", nonce=box_nonce(token))
    assert refused(house, request) == (403, "enrol-replayed")


def box_nonce(token: str) -> bytes:
    """The second draw of the box's own entropy: what it sent at first."""
    entropy = entropy_from(f"box/{token}/")
    entropy(32)
    return entropy(8)


def test_a_used_token_enrols_no_second_device(house: House) -> None:
    token = a_token(house)
    assert house.hub.enrol(ask(token))[0] == 200
    other = SigningKey.from_seed(b"2" * 32)
    assert refused(house, ask(token, key=other)) == (403, "token-used")
    assert refused(house, ask(token, nonce=b"other-08")) == (403, "token-used")


def test_a_token_expires(house: House) -> None:
    token = a_token(house)
    house.later(house.config.token_life_s + 1)
    assert refused(house, ask(token)) == (403, "token-expired")


def test_a_token_of_another_station_is_refused_and_stays_good(house: House) -> None:
    token = a_token(house, XUAN_AI)
    assert refused(house, ask(token, unit=TU_LE)) == (403, "enrol-unit")
    assert house.hub.enrol(ask(token, unit=XUAN_AI))[0] == 200


@pytest.mark.parametrize("raw", sorted(SMALL_ORDER)[:3])
def test_a_small_order_key_is_refused(house: House, raw: bytes) -> None:
    token = a_token(house)
    body = [1, token.id, TU_LE, raw, NONCE]
    possession = bytes(64)
    holding = token.key.sign(ENROL, b"holding\0" + pack([*body, possession]))
    assert refused(house, pack([*body, possession, holding])) == (400, "key-small-order")
    assert house.hub.enrol(ask(token))[0] == 200, "the token was not spent"


def mixed_order_request(token: Token) -> bytes:
    """A key outside the prime-order group with a possession signature that a verifier without the check
    accepts.

    A' = A + T with T of order 8; a signature verifies whenever its hash is a multiple of 8: try nonces
    until it is.
    """
    seed = hashlib.sha512(b"mixed").digest()
    a = int.from_bytes(seed[:32], "little") % L
    order_8 = next(p for raw in sorted(SMALL_ORDER) if (p := _decoded(raw)) and _times(4, p)[1:] != (1, 1))
    raw = encoded(added(affine(_times(a, BASE)), order_8))
    body = [1, token.id, "", raw, NONCE]
    message = ENROL + b"possession\0" + pack(body)
    for n in range(1, 1_000):
        point = encoded(affine(_times(n, BASE)))
        h = int.from_bytes(hashlib.sha512(point + raw + message).digest(), "little") % L
        if h % 8 == 0:
            possession = point + ((n + h * a) % L).to_bytes(32, "little")
            VerifyKey(raw).verify(ENROL, message[len(ENROL) :], possession)
            return pack([*body, possession, token.key.sign(ENROL, b"holding\0" + pack([*body, possession]))])
    raise AssertionError("no nonce found")


Point = tuple[int, int]
BASE: Point = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def affine(point: tuple[int, int, int]) -> Point:
    x, y, z = point
    return x * pow(z, -1, P) % P, y * pow(z, -1, P) % P


def added(p: Point, q: Point) -> Point:
    d = -121665 * pow(121666, -1, P) % P
    k = d * p[0] * q[0] * p[1] * q[1] % P
    x = (p[0] * q[1] + q[0] * p[1]) * pow(1 + k, -1, P) % P
    return x, (p[1] * q[1] + p[0] * q[0]) * pow(1 - k, -1, P) % P


def encoded(p: Point) -> bytes:
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def test_a_key_outside_the_prime_order_group_is_refused_although_its_signature_verifies(house: House) -> None:
    token = a_token(house)
    assert refused(house, mixed_order_request(token)) == (400, "key-mixed-order")
    assert house.hub.enrol(ask(token))[0] == 200, "the token was not spent"


@pytest.mark.parametrize("body", [b"", b"<html>login</html>", b"\x93\x01\x02\x03", bytes(5_000)])
def test_bytes_that_are_no_request_are_the_peers_fault(house: House, body: bytes) -> None:
    status, code = refused(house, body)
    assert (status, code) == (400, "enrol-form")


def test_a_body_larger_than_any_request_is_not_even_read(house: House) -> None:
    status, code = refused(house, bytes((1 << 20) + 1))
    assert (status, code) == (413, "request-size")


def test_an_officers_key_cannot_become_a_station(house: House) -> None:
    token = a_token(house)
    assert refused(house, ask(token, key=house.editor.key)) == (403, "enrol-key-taken")
    assert refused(house, ask(token, key=house.hub.key)) == (403, "enrol-key-taken")


def test_a_device_enrolled_anew_keeps_its_key_and_gets_no_second_grant_meaning(house: House) -> None:
    assert house.hub.enrol(ask(a_token(house)))[0] == 200
    assert house.hub.enrol(ask(a_token(house), nonce=b"second-8"))[0] == 200
    assert house.hub.facts.authority.units_of(KEY.key_id) == (TU_LE,)
    assert refused(house, ask(a_token(house, XUAN_AI)))[1] == "enrol-key-taken"


def test_a_station_keeps_only_a_few_open_tokens(house: House) -> None:
    tokens = [a_token(house) for _ in range(TOKENS_PER_UNIT_MAX + 1)]
    open_ = house.hub.ledger.db.execute(
        "SELECT count(*) FROM enrol_tokens WHERE spent_by IS NULL"
    ).fetchone()[0]
    assert open_ == TOKENS_PER_UNIT_MAX
    answers = [house.hub.enrol(ask(token, nonce=bytes([n] * 8)))[0] for n, token in enumerate(tokens)]
    assert answers.count(403) == 1


def test_what_the_hub_keeps_of_a_token_does_not_enrol(house: House) -> None:
    token = a_token(house)
    image = house.store.snapshot().databases["ledger.db"]
    assert token.secret not in image
    assert token.key.seed not in image
    assert token.id in image


def test_a_station_made_fm_meanwhile_gets_no_new_token_but_its_old_one_still_counts(house: House) -> None:
    token = a_token(house)
    house.hub.commands.register_station(house.admin, TU_LE, "Xã Tú Lệ", "fm", now=house.now)
    assert house.hub.enrol(ask(token))[0] == 200
    assert house.hub.queries.station(YEN_THINH).enrolled is False


def test_a_power_cut_at_any_operation_leaves_the_token_unspent_or_the_station_enrolled() -> None:
    for operation in range(1, 400):
        store = PoweredStore()
        house = House(store=store)
        token = a_token(house)
        store.fuse.arm(operation)
        try:
            status, _ = house.hub.enrol(ask(token))
        except PowerCut:
            status = 0
        store.fuse.reset()
        store.crash()
        house.restart()
        granted = [
            fact
            for stored in house.hub.ledger.since(0)
            for event in stored.segment.events
            if isinstance(fact := parse(event), Granted) and fact.subject_pub == KEY.verify_key.raw
        ]
        spent = house.hub.ledger.db.execute("SELECT count(*) FROM enrol_tokens WHERE spent_by IS NOT NULL")
        assert len(granted) == spent.fetchone()[0]
        assert house.hub.enrol(ask(token))[0] == 200, "the device simply asks again"
        if status == 200:
            assert operation > 9, "BEGIN, four writes, COMMIT, and what is read between them: each was cut"
            return
    raise AssertionError("the sweep never reached the end of the enrolment")
