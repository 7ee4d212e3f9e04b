"""Evidence of a fork: what convinces a stranger, and how it travels from whoever found it to everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from helpers import HERE, HUB_KEY, NODE_KEY, OFFICER_KEY, OTHER_KEY, Desk, LedgerPair, ack, decision, type_of
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.codec import encode
from ledger.log.errors import ForkError, LoaError
from ledger.log.forks import EVERYBODY, HEARD, TAKEN_UP_MAX, check
from ledger.log.journal import NO_HASH, ForkFound
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.segment import Segment, seal
from ledger.log.store import Ledger

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "forks.json").read_text("utf-8"))
TRUSTED = {key.key_id: key for key in (VerifyKey(bytes.fromhex(raw)) for raw in VECTORS["trusted"])}
THIEF_LOG = b"thiefs-1"


def cases(part: str) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS[part]])


@contextmanager
def undone(desk: Desk) -> Iterator[None]:
    """What happens inside is rolled back."""
    with suppress(ZeroDivisionError), desk.ledger.transaction():
        yield
        raise ZeroDivisionError


@pytest.fixture
def pair() -> LedgerPair:
    return LedgerPair()


def two_histories(key: SigningKey = OTHER_KEY, log_id: bytes = THIEF_LOG) -> tuple[Segment, Segment]:
    return seal(key, log_id, 0, NO_HASH, [ack(1)]), seal(key, log_id, 0, NO_HASH, [ack(666)])


def evidence(key: SigningKey = OTHER_KEY, log_id: bytes = THIEF_LOG) -> bytes:
    return b"".join(segment.raw[:168] for segment in two_histories(key, log_id))


def told(desk: Desk, by: SigningKey) -> list[bytes]:
    """The evidence that stands in the logs of one author here."""
    return [ForkFound.decode(event).evidence for event in of_type_81(desk, by)]


def of_type_81(desk: Desk, by: SigningKey) -> list[bytes]:
    stored = [s.segment for s in desk.ledger.since(0) if s.segment.head.key_id == by.key_id]
    return [event for segment in stored for event in segment.events if type_of(event) == 81]


def fork_at(desk: Desk, key: SigningKey = OTHER_KEY, log_id: bytes = THIEF_LOG) -> None:
    """Both histories of a log come to one end, the second on a stick."""
    one, two = two_histories(key, log_id)
    desk.ledger.ingest(one.raw, source="stick")
    with pytest.raises(ForkError):
        desk.ledger.ingest(two.raw, source="stick")


def is_frozen(ledger: Ledger, key: SigningKey, log_id: bytes, next_seq: int, prev: bytes) -> bool:
    try:
        ledger.ingest(seal(key, log_id, next_seq, prev, [ack(999)]).raw, source="test")
    except ForkError as error:
        return error.code == "log-frozen"
    return False


# -- the 336 bytes -------------------------------------------------------------------------------------------


@cases("accepts")
def test_two_heads_that_contradict_each_other_convince_a_stranger(case: Any) -> None:
    pair = bytes.fromhex(case["bytes"])
    assert check(pair, TRUSTED.get) == case["code"]
    assert ForkFound.decode(bytes.fromhex(case["event"])).evidence == pair


@cases("rejects")
def test_what_is_no_evidence_is_refused(case: Any) -> None:
    with pytest.raises(LoaError) as refused:
        check(bytes.fromhex(case["bytes"]), TRUSTED.get)
    assert refused.value.code == case["code"]


@given(st.integers(0, 336 * 8 - 1))
def test_no_evidence_survives_a_changed_bit(bit: int) -> None:
    pair = bytearray.fromhex(VECTORS["accepts"][0]["bytes"])
    pair[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LoaError):
        check(bytes(pair), TRUSTED.get)


@cases("branches")
def test_the_order_of_arrival_shows_the_branches_of_the_vectors(case: Any) -> None:
    desk = LedgerPair().hub
    for key in TRUSTED.values():
        desk.ledger.trust(key)
    for raw in case["arrivals"]:
        desk.ledger.ingest(bytes.fromhex(raw), source="test")
    found = [
        {"log": branch.log.log_id.hex(), "ways": branch.ways, "cloned": branch.cloned}
        for branch in desk.ledger.branches()
    ]
    assert found == case["branches"]
    assert desk.ledger.forks() == []


# -- up ------------------------------------------------------------------------------------------------------


def test_what_a_station_finds_goes_up_in_its_own_log_and_convinces_the_hub(pair: LedgerPair) -> None:
    one, _ = two_histories()
    pair.hub.ledger.ingest(one.raw, source="stick")
    fork_at(pair.node)
    pair.drain()
    assert told(pair.node, NODE_KEY) == [evidence()]
    (kept,) = pair.hub.ledger.forks()
    assert kept.pair == evidence()
    assert kept.source == HEARD + NODE_KEY.key_id.hex()
    assert is_frozen(pair.hub.ledger, OTHER_KEY, THIEF_LOG, 1, one.head.hash)
    assert pair.hub.ledger.verify().problems == []
    pair.drain()
    assert told(pair.node, NODE_KEY) == [evidence()], "told once"


def test_a_station_finds_what_a_hub_with_two_faces_shows_it(pair: LedgerPair) -> None:
    """The feed brings a second history of an officer's log: the station keeps it, and says so upwards."""
    first = seal(OFFICER_KEY, b"officer8", 0, NO_HASH, [decision(1, HERE)])
    second = seal(OFFICER_KEY, b"officer8", 0, NO_HASH, [decision(2, HERE)])
    pair.node.ledger.ingest(first.raw, source="feed", feed=True)
    pair.hub.ledger.ingest(second.raw, source="test")
    accepted = pair.round()
    assert [error.code for error in accepted.unread] == ["fork-overlap"]
    pair.drain()
    assert told(pair.hub, NODE_KEY) == [first.raw[:168] + second.raw[:168]]
    (kept,) = pair.hub.ledger.forks()
    assert check(kept.pair, pair.hub.ledger.key_of) == "fork-overlap"


# -- down ----------------------------------------------------------------------------------------------------


def test_the_hubs_evidence_comes_down_to_every_station_and_freezes_there_too(pair: LedgerPair) -> None:
    one, _ = two_histories()
    pair.node.ledger.ingest(one.raw, source="stick")
    fork_at(pair.hub)
    pair.drain()
    pair.drain()
    assert told(pair.hub, HUB_KEY) == told(pair.node, HUB_KEY) == [evidence()]
    (kept,) = pair.node.ledger.forks()
    assert kept.source == HEARD + HUB_KEY.key_id.hex()
    assert is_frozen(pair.node.ledger, OTHER_KEY, THIEF_LOG, 1, one.head.hash)
    assert told(pair.hub, NODE_KEY) == [], "what was told is not told on"
    assert pair.node.ledger.verify().problems == []


def test_evidence_found_anywhere_reaches_the_other_stations(pair: LedgerPair) -> None:
    other = Desk(OTHER_KEY, pair.rng.randbytes, pair.now)
    one, _ = two_histories(OFFICER_KEY)
    for desk in (pair.hub, other):
        desk.ledger.ingest(one.raw, source="test")
    fork_at(pair.node, OFFICER_KEY)
    pair.drain()
    stored, _, _ = pair.hub.ledger.for_audience(("vn",), 0, 1 << 20)
    for item in stored:
        other.ledger.ingest(item.segment.raw, source="feed", feed=True)
    assert [kept.pair for kept in other.ledger.forks()] == [evidence(OFFICER_KEY)]


def test_only_the_first_evidence_against_a_key_is_sent_to_everybody(pair: LedgerPair) -> None:
    """Who has a key can make any number of forks: they must not fill the feeds of a province."""
    for n in range(5):
        fork_at(pair.hub, log_id=b"thiefs-" + str(n).encode())
    fork_at(pair.hub, OFFICER_KEY)
    pair.drain()
    assert len(told(pair.hub, HUB_KEY)) == 6
    assert told(pair.node, HUB_KEY) == [evidence(log_id=b"thiefs-0"), evidence(OFFICER_KEY)]
    feed, _, _ = pair.hub.ledger.for_audience(("vn",), 0, 1 << 20)
    assert [stored.audience for stored in feed].count(EVERYBODY) == 2


def test_another_authors_lone_evidence_goes_into_no_feed(pair: LedgerPair) -> None:
    event = ForkFound(1, evidence()).encode()
    pair.hub.ledger.ingest(seal(NODE_KEY, b"stations", 0, NO_HASH, [event]).raw, source="test")
    assert pair.hub.ledger.for_audience(("vn",), 0, 1 << 20)[0] == []


# -- who is not believed -------------------------------------------------------------------------------------


def liar_says(pair: LedgerPair, *events: bytes) -> None:
    pair.hub.ledger.ingest(seal(NODE_KEY, b"liar-log", 0, NO_HASH, list(events)).raw, source="test")


def test_a_lie_about_an_honest_log_changes_nothing(pair: LedgerPair) -> None:
    one, two = two_histories()
    pair.hub.ledger.ingest(one.raw, source="test")
    good = one.raw[:168] + two.raw[:168]
    honest = seal(OTHER_KEY, THIEF_LOG, 1, one.head.hash, [ack(2)])
    lies = [
        good[:300] + bytes([good[300] ^ 1]) + good[301:],
        one.raw[:168] * 2,
        one.raw[:168] + honest.raw[:168],
        bytes(336),
    ]
    liar_says(pair, *(ForkFound(1, lie).encode() for lie in lies), encode((81, 1, b"short")), encode((81, 1)))
    assert pair.hub.ledger.forks() == []
    pair.hub.ledger.ingest(honest.raw, source="test")
    assert pair.hub.ledger.verify().problems == []


def test_evidence_about_a_log_of_which_nothing_is_held_stays_an_event(pair: LedgerPair) -> None:
    liar_says(pair, ForkFound(1, evidence()).encode())
    assert pair.hub.ledger.forks() == []
    assert told(pair.hub, NODE_KEY) == [evidence()]
    assert pair.hub.ledger.verify().problems == []


def test_one_segment_costs_a_bounded_number_of_checks(pair: LedgerPair) -> None:
    one, _ = two_histories()
    pair.hub.ledger.ingest(one.raw, source="test")
    lie = ForkFound(1, evidence()[:-1] + b"\0").encode()
    liar_says(pair, *[lie] * TAKEN_UP_MAX, ForkFound(1, evidence()).encode())
    assert pair.hub.ledger.forks() == []


def test_evidence_against_our_own_live_log_makes_us_write_another_and_lose_nothing(pair: LedgerPair) -> None:
    pair.node.ledger.append(NODE_KEY, ack(1))
    (ours,) = pair.node.ledger.seal(NODE_KEY)
    pair.drain()
    thief = seal(NODE_KEY, ours.head.log_id, 0, NO_HASH, [ack(666)])
    with pytest.raises(ForkError):
        pair.hub.ledger.ingest(thief.raw, source="stick")
    pair.drain()  # the hub says so
    pair.node.ledger.append(NODE_KEY, ack(2))
    pair.drain()
    assert len(pair.node.ledger.forks()) == 1
    assert pair.hub.events(NODE_KEY) == [ack(1), ack(2)]
    assert len(pair.hub.ledger.frontier(NODE_KEY.key_id)) == 2
    assert pair.node.ledger.unreceipted(NODE_KEY.key_id) == []


def test_taking_evidence_up_is_undone_with_its_transaction(pair: LedgerPair) -> None:
    one, _ = two_histories()
    pair.hub.ledger.ingest(one.raw, source="test")
    with undone(pair.hub):
        liar_says(pair, ForkFound(1, evidence()).encode())
        assert len(pair.hub.ledger.forks()) == 1
    assert pair.hub.ledger.forks() == []
    assert not is_frozen(pair.hub.ledger, OTHER_KEY, THIEF_LOG, 1, one.head.hash)
