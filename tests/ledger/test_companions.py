"""What people sign at a station reaches the hub with the station's rounds, whatever happens to either end."""

from __future__ import annotations

import random

import pytest
from helpers import HERE, NODE_KEY, OFFICER_KEY, OTHER_KEY, LedgerPair, ack, decision
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log.companions import adopt
from ledger.log.errands import make_errand, to_carry
from ledger.log.messages import FRAME_BYTES, Request


@pytest.fixture
def pair() -> LedgerPair:
    return LedgerPair()


def decide_here(pair: LedgerPair, *numbers: int, by: object = OFFICER_KEY) -> list[bytes]:
    events = [decision(n, HERE) for n in numbers]
    for event in events:
        pair.node.ledger.append_sealed(by, event)  # type: ignore[arg-type]
    return events


def asked(request: bytes) -> Request:
    return Request.parse(request[FRAME_BYTES:])


def assert_all_there(pair: LedgerPair) -> None:
    for key in (OFFICER_KEY, OTHER_KEY):
        mine, theirs = pair.node.segments(key), pair.hub.segments(key)
        assert mine.items() <= theirs.items()
    assert pair.node.ledger.tables.companions(NODE_KEY.key_id, waiting=True) == []
    assert pair.hub.ledger.verify().problems == []


def test_a_persons_decision_at_a_station_is_at_the_hub_with_its_signature(pair: LedgerPair) -> None:
    events = decide_here(pair, 1, 2)
    assert pair.drain() <= 2
    assert pair.hub.events(OFFICER_KEY) == events
    assert_all_there(pair)


def test_decisions_travel_before_the_acknowledgments_that_follow_from_them(pair: LedgerPair) -> None:
    decide_here(pair, 1)
    pair.node.ledger.append(NODE_KEY, ack(1))
    request = pair.ask()
    assert len(asked(request).segments) == 2  # the opening of the officer's log, and the decision
    assert pair.accept(request, pair.answer(request).reply).more
    pair.drain()
    assert pair.hub.events(NODE_KEY) == [ack(1)]
    pair.assert_agreed()


def test_once_receipted_people_cost_an_idle_round_nothing(pair: LedgerPair) -> None:
    decide_here(pair, 1)
    pair.drain()
    pair.round()
    before = pair.node.dump()
    request = pair.ask()
    assert asked(request).segments == ()
    assert not pair.accept(request, pair.answer(request).reply).more
    assert pair.node.dump() == before


def test_a_lost_reply_brings_the_same_decisions_again_and_stores_them_once(pair: LedgerPair) -> None:
    events = decide_here(pair, 1, 2)
    pair.answer(pair.ask())
    assert pair.drain() <= 2
    assert pair.hub.events(OFFICER_KEY) == events


def test_people_arrive_at_the_hub_in_the_order_in_which_they_signed_here(pair: LedgerPair) -> None:
    for number in range(6):
        decide_here(pair, number, by=(OFFICER_KEY, OTHER_KEY)[number % 2])
    pair.drain(send_max=500)
    arrived = [event for stored in pair.hub.ledger.since(0) for event in stored.segment.events]
    assert [event for event in arrived if event in {decision(n, HERE) for n in range(6)}] == [
        decision(n, HERE) for n in range(6)
    ]


def test_a_low_limit_carries_a_persons_log_piece_by_piece(pair: LedgerPair) -> None:
    events = decide_here(pair, *range(10))
    assert pair.drain(send_max=1) >= 10
    assert pair.hub.events(OFFICER_KEY) == events


def test_a_hub_restored_from_an_old_image_is_given_what_it_lost(pair: LedgerPair) -> None:
    events = decide_here(pair, 1)
    pair.drain()
    image = pair.hub.image()
    events += decide_here(pair, 2, 3, 4)
    pair.drain()
    pair.hub.restore(image)
    assert pair.hub.events(OFFICER_KEY) == events[:1]
    pair.drain()
    assert pair.hub.events(OFFICER_KEY) == events
    assert_all_there(pair)


def test_a_hub_that_lost_everything_of_a_person_is_given_everything(pair: LedgerPair) -> None:
    pair.drain()
    image = pair.hub.image()
    events = decide_here(pair, 1, 2, 3)
    pair.drain()
    pair.hub.restore(image)
    pair.drain()
    assert pair.hub.events(OFFICER_KEY) == events
    assert_all_there(pair)


def test_a_hub_that_merely_started_anew_is_shown_one_segment_of_each_log(pair: LedgerPair) -> None:
    decide_here(pair, *range(20))
    decide_here(pair, *range(20, 40), by=OTHER_KEY)
    pair.drain()
    pair.hub.boot()
    pair.round()
    assert len(asked(pair.ask()).segments) == 2
    pair.drain()
    assert_all_there(pair)


def test_a_station_restored_from_an_old_image_is_no_fork_of_its_people(pair: LedgerPair) -> None:
    decide_here(pair, 1)
    pair.drain()
    image = pair.node.image()
    decide_here(pair, 2)
    pair.drain()
    pair.node.restore(image)
    decide_here(pair, 3)
    pair.drain()
    assert set(pair.hub.events(OFFICER_KEY)) == {decision(n, HERE) for n in (1, 2, 3)}
    assert pair.hub.ledger.verify().problems == []
    assert pair.node.ledger.tables.companions(NODE_KEY.key_id, waiting=True) == []


def test_a_stick_carries_what_people_signed_beside_the_stations_own(pair: LedgerPair) -> None:
    decide_here(pair, 1)
    pair.node.ledger.append(NODE_KEY, ack(1))
    make_errand(pair.node.ledger, NODE_KEY, nonce=bytes(8), now=7)
    carried = list(to_carry(pair.node.ledger, NODE_KEY.key_id))
    for raw in carried:
        pair.hub.ledger.ingest(raw, source="stick")
    assert pair.hub.events(OFFICER_KEY) == [decision(1, HERE)]
    assert pair.hub.events(NODE_KEY) == [ack(1)]


def test_what_was_carried_over_from_a_damaged_database_goes_up_too(pair: LedgerPair) -> None:
    events = decide_here(pair, 1, 2)
    raws = [s.segment.raw for s in pair.node.ledger.since(0) if s.segment.head.key_id == OFFICER_KEY.key_id]
    anew = LedgerPair(2)
    anew.drain()
    for raw in raws:
        anew.node.ledger.ingest(raw, source="carried", feed=True)
    anew.drain()
    assert anew.hub.events(OFFICER_KEY) == [], "what others signed elsewhere is not ours to bring"
    with anew.node.ledger.transaction():
        adopt(anew.node.ledger, [OFFICER_KEY.key_id])
    anew.drain()
    assert anew.hub.events(OFFICER_KEY) == events
    assert_all_there(anew)


STEPS = st.lists(
    st.sampled_from(["officer", "other", "ack", "round", "lost", "hub-boot", "node-boot", "hub-old", "keep"]),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(steps=STEPS, seed=st.integers(0, 1 << 20))
def test_whatever_happens_all_that_people_signed_is_at_the_hub_in_the_end(
    steps: list[str], seed: int
) -> None:
    pair = LedgerPair(seed)
    rng = random.Random(seed)
    image = pair.hub.image()
    for number, step in enumerate(steps):
        if step in ("officer", "other"):
            decide_here(pair, number, by=OFFICER_KEY if step == "officer" else OTHER_KEY)
        elif step == "ack":
            pair.node.ledger.append(NODE_KEY, ack(number))
        elif step == "round":
            pair.round(send_max=rng.choice((1, 700, 262_144)))
        elif step == "lost":
            pair.answer(pair.ask())
        elif step == "hub-boot":
            pair.hub.boot()
        elif step == "node-boot":
            pair.node.boot()
        elif step == "hub-old":
            pair.hub.restore(image)
        else:
            image = pair.hub.image()
    pair.drain()
    pair.round()
    pair.drain()
    assert_all_there(pair)
    pair.assert_agreed()
