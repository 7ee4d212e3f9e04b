"""What the hub shows of a station whose key told two histories, or whose device was restored or cloned."""

from __future__ import annotations

import pytest
from test_web_house import House, build
from test_web_machine import Field, enrol

from hub.station_queries import NOTICE_S
from ledger.log import ForkError, Head, LogOpened, LogRef, Segment, encode, seal

UNIT = "vn.yb.04630"
NOTHING = (bytes(8), 0, bytes(32))
PAGE, WALL = f"/tram/{UNIT}", "/tram"
RESTORED, CLONED = "máy được khôi phục hay nhân bản?", "hai máy chung một khóa?"


@pytest.fixture
def house() -> House:
    return build("histories")


@pytest.fixture
def station(house: House) -> Field:
    found = enrol(house, UNIT)
    found.sync()
    return found


def begin(house: House, station: Field, log_id: bytes, before: Head | None = None) -> Head:
    """A process of a device with this key begins a log and is heard of."""
    house.later(60)
    prev = NOTHING if before is None else (before.log.log_id, before.next_seq, before.hash)
    opened = LogOpened(house.hub.now(), 0, *prev, 1, "loa/test").encode()
    return hear(house, seal(station.key, log_id, 0, bytes(32), [opened]))


def go_on(house: House, station: Field, head: Head) -> Head:
    house.later(60)
    event = encode((99, house.hub.now()))
    return hear(house, seal(station.key, head.log.log_id, head.next_seq, head.hash, [event]))


def hear(house: House, segment: Segment) -> Head:
    house.hub.ledger.ingest(segment.raw, source="test")
    head = segment.head
    return Head(LogRef(head.key_id, head.log_id), head.next_seq, head.hash)


def test_an_ordinary_restart_is_shown_nowhere(house: House, station: Field) -> None:
    first = begin(house, station, b"log-id-1")
    begin(house, station, b"log-id-2", go_on(house, station, first))
    desk = house.browser("bientap")
    assert house.hub.queries.noticed() == {}
    for words in (desk.get(PAGE).words, desk.get(WALL).words):
        assert "rẽ thành" not in words
        assert RESTORED not in words
        assert CLONED not in words


def test_a_restored_station_is_a_question_on_its_page_and_for_a_while_on_the_wall(
    house: House, station: Field
) -> None:
    first = begin(house, station, b"log-id-1")
    begin(house, station, b"log-id-2", first)
    begin(house, station, b"log-id-3", first)
    desk = house.browser("bientap")
    assert house.hub.queries.noticed() == {UNIT: "branched"}
    assert RESTORED in desk.get(WALL).words
    assert "rẽ thành 2 ngả" in desk.get(PAGE).words
    assert "thay nhau báo về" not in desk.words
    house.later(NOTICE_S + 60)
    assert house.hub.queries.noticed() == {}
    desk = house.browser("bientap")
    assert RESTORED not in desk.get(WALL).words
    assert "rẽ thành 2 ngả" in desk.get(PAGE).words, "the page does not forget"


def test_two_devices_with_one_key_are_an_alarm_with_what_to_do(house: House, station: Field) -> None:
    first = begin(house, station, b"log-id-1")
    one = begin(house, station, b"log-id-2", first)
    begin(house, station, b"log-id-3", first)
    go_on(house, station, one)
    desk = house.browser("bientap")
    assert house.hub.queries.noticed() == {UNIT: "cloned"}
    assert CLONED in desk.get(WALL).words
    assert "Tắt một máy, rồi ghi danh lại máy còn lại" in desk.get(PAGE).words
    assert not house.hub.queries.station(UNIT).forked


def test_evidence_of_a_fork_stands_on_the_stations_page_with_its_bytes_and_what_to_do(
    house: House, station: Field
) -> None:
    one, two = (seal(station.key, b"forklog1", 0, bytes(32), [encode((99, n))]) for n in (1, 2))
    hear(house, one)
    with pytest.raises(ForkError):
        hear(house, two)
    desk = house.browser("bientap").get(PAGE)
    assert "Bằng chứng hai lịch sử" in desk.words
    assert "thu hồi khóa này" in desk.words
    assert (one.raw[:168] + two.raw[:168]).hex() in desk.html
    assert b"forklog1".hex() in desk.words
    assert "hai lịch sử ký" in desk.get(WALL).words


def test_the_hub_seals_what_it_found_and_its_stations_hear_of_it(house: House, station: Field) -> None:
    one, two = (seal(station.key, b"forklog1", 0, bytes(32), [encode((99, n))]) for n in (1, 2))
    hear(house, one)
    with pytest.raises(ForkError):
        hear(house, two)
    station.sync()
    house.hub.tick()
    assert house.hub.queries.counts()["forks"] == 1
    feed, _, _ = house.hub.ledger.for_audience(("vn",), 0, 1 << 20)
    told = [stored for stored in feed if stored.segment.head.key_id == house.hub.key.key_id]
    events = [event for stored in told for event in stored.segment.events]
    assert [event for event in events if event[1] == 81]
    station.sync()
    assert house.hub.queries.station(UNIT).behind == 0
