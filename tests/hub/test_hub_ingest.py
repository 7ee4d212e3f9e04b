"""The door for stations: what is admitted, what is answered, who is sent away, and what is remembered."""

from __future__ import annotations

import threading
from functools import cache

import pytest
from hub_house import DAY, EVENING, PROVINCE, SOUND, TU_LE, VIET_THANH, XUAN_AI, Box, House, error_of
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import Overload
from hub.ingest import Door
from ledger.facts import (
    Acknowledged,
    Approved,
    Condition,
    Ingested,
    Scheduled,
    at,
    explain,
    parse,
    read_condition,
)
from ledger.log import SigningKey, accept_reply, encode, make_request, pack, seal


@pytest.fixture
def house() -> House:
    return House()


def decisions_at(box: Box) -> set[type]:
    kinds = set()
    for stored in box.ledger.since(0):
        for event in stored.segment.events:
            kinds.add(type(parse(event)))
    return kinds


def test_a_station_receives_the_decisions_for_its_units_and_no_others(house: House) -> None:
    here = house.station(TU_LE)
    house.scheduled(house.approved())
    there = house.scheduled(house.approved(territory=XUAN_AI), territory=XUAN_AI)
    accepted = here.sync()
    assert accepted.hub_time == house.now
    assert {Approved, Scheduled} <= decisions_at(here)
    assert there not in here.facts.orders
    assert len(here.facts.orders) == 1
    assert here.facts.stations.keys() == {TU_LE}
    assert here.facts.refused == []


def test_hub_and_station_answer_the_same_to_what_plays_at_five(house: House) -> None:
    box = house.station(TU_LE)
    house.scheduled(house.approved())
    house.scheduled(house.approved(klass=3), territory=TU_LE)
    box.sync()
    instant = at(DAY, EVENING) + 1
    assert explain(box.facts, TU_LE, instant) == explain(house.hub.facts, TU_LE, instant)
    assert house.hub.queries.explain(TU_LE, instant).winner is not None


def test_an_acknowledgment_is_admitted_journalled_and_receipted(house: House) -> None:
    box = house.station()
    series = house.scheduled()
    box.ack(series)
    request = box.ask()
    _, reply = house.hub.sync(request)
    (receipt,) = accept_reply(box.ledger, box.key, box.enrolled.hub, request, reply).receipts
    journal = [
        fact
        for stored in house.hub.ledger.since(0)
        for event in stored.segment.events
        if isinstance(fact := parse(event), Ingested)
    ]
    assert [fact.log.key_id for fact in journal].count(box.key.key_id) == 1
    assert journal[-1].log.key_id == box.key.key_id
    assert receipt.head_hash == journal[-1].head_hash
    assert receipt.hub_log == house.hub.ledger.live_log(house.hub.key.key_id)
    house.hub.tick()
    assert [row.unit for row in house.hub.queries.as_run(series=series)] == [TU_LE]


def test_an_idle_round_writes_nothing(house: House) -> None:
    box = house.station()
    box.sync()
    position, image = house.segments(), house.store.snapshot().databases["ledger.db"]
    for _ in range(3):
        box.sync()
    assert house.segments() == position
    assert house.store.snapshot().databases["ledger.db"] == image


def test_a_request_of_a_key_without_a_station_is_refused(house: House) -> None:
    box = house.station()
    for key, code in ((SigningKey.from_seed(b"?" * 32), "key-unknown"), (house.editor.key, "key-no-station")):
        request = make_request(box.ledger, key, nonce=bytes(8), now=house.now)
        status, body = house.hub.sync(request)
        assert (status, error_of(body)[0]) == (403, code)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_bring_the_door_down(data: bytes) -> None:
    house, _ = _shared()
    for body in (data, b"\xd7\x4c\x51\x01" + data):
        status, answer = house.hub.sync(body)
        assert 400 <= status < 500
        assert error_of(answer)[2], "every refusal has a hint"


@cache
def _shared() -> tuple[House, Box]:
    """One house for all examples: nothing they send may change it."""
    house = House("shared")
    return house, house.station()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 7))
def test_no_flipped_bit_of_a_request_is_answered_with_a_reply(place: int, bit: int) -> None:
    house, box = _shared()
    position = house.segments()
    request = bytearray(box.ask())
    request[place % len(request)] ^= 1 << bit
    status, _ = house.hub.sync(bytes(request))
    assert status in (400, 403)
    assert house.segments() == position


def test_a_body_larger_than_a_request_may_be_is_refused_unread(house: House) -> None:
    status, body = house.hub.sync(b"\xd7\x4c\x51\x01" + bytes(1 << 20))
    assert (status, error_of(body)[0]) == (413, "request-size")


def test_a_malformed_signed_event_is_kept_counted_and_stops_nothing(house: House) -> None:
    box = house.station()
    series = house.scheduled()
    ack = Acknowledged(house.now, series, DAY, bytes(16), 0, 10, 1, 0, 1, 80, None).encode()
    strange = [b"\xc1\xc1\xc1", encode([99, 1]), encode([16, house.now, "wrong", "arity"]), ack]
    segment = seal(box.key, b"strange8", 0, bytes(32), strange)
    house.hub.ledger.ingest(segment.raw, source="stick")
    house.hub.tick()
    counts = house.hub.queries.counts()
    assert counts["malformed"] == 3
    assert counts["acks"] == 1
    assert house.hub.ledger.verify().failed == 0


# -- the room
# ----------------------------------------------------------------------------------------------------


def test_the_room_is_bounded_and_those_sent_away_are_told_when_to_come_back() -> None:
    clock = [0.0]
    door = Door(
        Overload(waiting_max=4, urgent_max=6, service_ms=100, retry_min_s=1, retry_max_s=60), lambda: clock[0]
    )
    entered = [door.enter(urgent=False) for _ in range(4)]
    assert None not in entered
    assert door.enter(urgent=False) is None
    assert door.enter(urgent=True) is not None
    assert door.enter(urgent=True) is not None
    assert door.enter(urgent=True) is None, "even the larger room has walls"
    assert door.retry_after_s() == 1
    for begin in entered:
        assert begin is not None
        door.leave(begin)
    assert door.enter(urgent=False) is not None


def test_the_time_to_come_back_grows_with_what_was_measured() -> None:
    clock = [0.0]
    limits = Overload(waiting_max=100, urgent_max=100, service_ms=10, retry_min_s=1, retry_max_s=60)
    door = Door(limits, lambda: clock[0])
    for _ in range(50):
        begin = door.enter(urgent=False)
        assert begin is not None
        clock[0] += 0.5
        door.leave(begin)
    inside = [door.enter(urgent=False) for _ in range(100)]
    assert None not in inside
    assert 50 <= door.retry_after_s() <= 60


def test_a_busy_hub_answers_503_before_any_signature_is_looked_at() -> None:
    house = House(limits={"overload": Overload(waiting_max=1, urgent_max=2)})
    box = house.station()
    request = box.ask()
    house.hub.lock.acquire()
    waiting = threading.Thread(target=house.hub.sync, args=(request,))
    waiting.start()
    try:
        for _ in range(1_000):
            if house.hub.door.enter(urgent=False) is None:
                break
        status, body = house.hub.sync(b"not even a request")
        assert (status, error_of(body)[0]) == (503, "busy")
        assert house.hub.retry_after_s() >= 2
    finally:
        house.hub.lock.release()
        waiting.join()


def test_a_station_that_lacks_an_emergency_is_let_into_the_larger_room(house: House) -> None:
    here, there = house.station(TU_LE), house.station(XUAN_AI)
    for box in (here, there):
        box.sync()
    assert not house.hub.ingest.is_urgent(here.ask(), now=house.now)
    house.hub.commands.order_emergency(
        house.approver, kind="lu-quet", level=3, text="Lũ quét", territory=TU_LE, now=house.now
    )
    assert house.hub.ingest.is_urgent(here.ask(), now=house.now)
    assert not house.hub.ingest.is_urgent(there.ask(), now=house.now)
    assert not house.hub.ingest.is_urgent(here.ask(), now=house.now + 86_400), "it has expired"
    here.sync()
    here.sync()  # the second round confirms what the first brought
    assert not house.hub.ingest.is_urgent(here.ask(), now=house.now)
    assert not house.hub.ingest.is_urgent(b"", now=house.now)


# -- who came
# ----------------------------------------------------------------------------------------------------


def test_the_wall_shows_who_came_with_what_and_since_when(house: House) -> None:
    box = house.station(TU_LE)
    house.scheduled(house.approved())
    before = house.hub.queries.station(TU_LE)
    assert (before.enrolled, before.last_contact_at, before.clock) == (True, None, -1)
    assert before.behind > 0
    status = pack([1, "mpv", 3, 2, house.now - 60, 0, 1, 4, 80, "loa/0.1.0"])
    box.sync(status)
    box.ack(next(iter(house.hub.facts.orders)))
    house.later(30)
    box.sync(status)
    row = house.hub.queries.station(TU_LE)
    assert (row.last_contact_at, row.behind) == (house.now, 0)
    assert (row.player, row.ceiling, row.clock, row.pending, row.software) == ("mpv", 3, 2, 4, "loa/0.1.0")
    assert row.head.endswith(":2")
    assert row.as_of == house.now
    assert not row.forked
    other = house.hub.queries.station(VIET_THANH)
    assert (other.enrolled, other.last_contact_at) == (False, None)


def test_contacts_survive_a_restart_once_flushed_and_are_only_notes(house: House) -> None:
    box = house.station(TU_LE)
    box.sync()
    house.hub.tick()
    seen = house.hub.queries.station(TU_LE).last_contact_at
    house.restart()
    assert house.hub.queries.station(TU_LE).last_contact_at == seen == house.now
    house.store.open_db("contacts.db").execute("DELETE FROM contacts")
    house.restart()
    assert house.hub.queries.station(TU_LE).last_contact_at is None
    box.sync()
    assert house.hub.queries.station(TU_LE).last_contact_at == house.now


def test_a_decision_counts_as_delivered_when_the_station_confirms_holding_it(house: House) -> None:
    box = house.station(TU_LE)
    bulletin = house.approved()
    assert house.hub.queries.bulletin(bulletin).delivery.delivered == 0
    box.sync()
    assert house.hub.queries.bulletin(bulletin).delivery.delivered == 0, "sent is not held"
    box.sync()
    delivery = house.hub.queries.bulletin(bulletin).delivery
    assert (delivery.targets, delivery.delivered, delivery.waiting) == (3, 1, 2)
    assert (delivery.never_seen, delivery.fm) == (2, 1)


@settings(deadline=None)
@given(st.binary(max_size=256))
def test_no_status_bytes_are_refused(status: bytes) -> None:
    assert isinstance(read_condition(status), Condition)


def test_a_status_of_wrong_shape_is_unknown_and_one_of_right_shape_is_read() -> None:
    good = [1, "null", 1, 3, 1_667_926_800, 7, 0, 2, 80, "loa/0.1.0"]
    assert read_condition(pack(good)) == Condition("null", 1, 3, 1_667_926_800, 7, 0, 2, 80, "loa/0.1.0")
    assert read_condition(pack([*good, "more", "from a newer station"])) == read_condition(pack(good))
    for place, bad in ((0, 2), (1, 5), (2, "x"), (3, True), (9, 1)):
        assert read_condition(pack([*good[:place], bad, *good[place + 1 :]])) == Condition()
    assert read_condition(b"") == Condition()
    assert read_condition(pack([1, "a\u202eb\n" * 20, *good[2:]])).player.isprintable()


# -- content
# -----------------------------------------------------------------------------------------------------


def test_content_is_served_by_hash_and_in_parts(house: House) -> None:
    bulletin = house.approved()
    page = house.hub.queries.bulletin(bulletin)
    sha = bytes.fromhex(page.audio_sha256)
    assert house.hub.blob_size(sha) == len(SOUND)
    parts = [house.hub.blob_range(sha, at, 10_000) for at in range(0, len(SOUND), 10_000)]
    assert b"".join(parts) == SOUND
    assert house.hub.blob_size(bytes(32)) is None
    assert house.hub.blob_range(bytes.fromhex(page.row.manifest), 0, 1 << 20)
    assert page.row.territory == PROVINCE
