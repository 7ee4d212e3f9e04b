"""What a ring does at a station: it asks early, as often as it may, and nothing else."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from station_world import HUB, ROOT, UNIT, World

from ledger.log import StoreError
from node import Begun, Done, InlineCourier, Meter, Station, StationConfig, SyncJob, ThreadCourier
from node.link.agent import NEWS_S, RING_EVERY_S, RINGS_BURST, URGENT_S, SyncAgent
from node.link.courier import Ring
from node.link.exchange import AGAIN_S
from node.link.portions import PORTION_BYTES, PORTION_BYTES_MAX, PORTION_BYTES_MIN, Portion
from sim.bench import emergency


def config(**more: object) -> StationConfig:
    return StationConfig(
        unit=UNIT, name="Tú Lệ", hub_url="http://hub", hub_key=HUB.verify_key.raw,
        roots=(ROOT.verify_key.raw,), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def quiet_agent(seed: int = 1) -> SyncAgent:
    """One that has just spoken and would not for a quarter of an hour."""
    one = SyncAgent(config(), random.Random(seed), 0.0)
    one.succeeded(0.0, more=False)
    return one


def test_an_emergency_is_asked_for_within_seconds_and_other_news_within_a_minute() -> None:
    urgent, news = [], []
    for seed in range(50):
        one, other = quiet_agent(seed), quiet_agent(seed)
        one.rung(0.0, urgent=True)
        other.rung(0.0, urgent=False)
        urgent.append(one.due_in(0.0))
        news.append(other.due_in(0.0))
    assert max(urgent) <= URGENT_S
    assert max(news) <= NEWS_S
    assert max(news) - min(news) > NEWS_S / 2, "a province must not ask in one instant"


def test_a_ring_during_an_exchange_is_followed_by_another() -> None:
    one = quiet_agent()
    one.rung(10.0, urgent=True)
    one.called()
    one.rung(11.0, urgent=True)
    one.succeeded(12.0, more=False)
    assert one.due_in(12.0) <= URGENT_S


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=200))
def test_whatever_rings_the_calls_stay_few_and_no_ring_is_lost(rings: list[tuple[float, bool]]) -> None:
    one, now_s, calls, waiting = quiet_agent(), 0.0, 0, False
    for gap_s, urgent in rings:
        ends_s = now_s + gap_s
        while waiting and now_s + one.due_in(now_s) <= ends_s:
            now_s += one.due_in(now_s)
            one.called()
            one.succeeded(now_s, more=False)
            calls, waiting = calls + 1, False
        now_s = ends_s
        one.rung(now_s, urgent=urgent)
        waiting = True
        assert one.due_in(now_s) <= NEWS_S + RING_EVERY_S
    assert calls <= RINGS_BURST + 1 + now_s / RING_EVERY_S + now_s / 700


def test_a_ring_ends_our_own_patience_and_not_the_hubs_wish_for_silence() -> None:
    one = quiet_agent()
    for _ in range(12):
        one.failed(0.0)
    one.rung(1.0, urgent=True)
    assert one.due_in(1.0) <= URGENT_S
    other = quiet_agent()
    other.failed(0.0, retry_after_s=300)
    other.rung(1.0, urgent=True)
    assert other.due_in(1.0) >= 299
    kept = quiet_agent()
    kept.hush(0.0, 300)
    kept.rung(1.0, urgent=True)
    assert kept.due_in(1.0) >= 299


class Ringing(InlineCourier):
    """Collects one ring when `rings` says so."""

    rings = 0

    def collect(self) -> Done | None:
        if self.rings:
            self.rings -= 1
            return Done(Ring(urgent=True), b"", None)
        return super().collect()


class RungWorld(World):
    def boot(self) -> Station:
        self.courier = Ringing(self.line)
        self.station = Station(
            self.config, self.store, self.clock, self.courier, self.speaker,
            entropy=random.Random(7).randbytes, rng=random.Random(8),
        )  # fmt: skip
        return self.station


def test_a_rung_station_asks_at_once_and_believes_only_what_it_is_told_then() -> None:
    world = RungWorld(sync_period_s=3_600)
    world.run(60)
    before = world.line.exchanges
    world.run(600)
    assert world.line.exchanges == before
    world.courier.rings = 1
    world.station.tick()
    world.run(URGENT_S + 1)
    assert world.line.exchanges == before + 1


def test_a_station_in_a_storm_of_rings_keeps_its_time() -> None:
    world = RungWorld(sync_period_s=3_600)
    world.run(60)
    before = world.line.exchanges
    for _ in range(600):
        world.courier.rings = 1
        world.run(1)
    assert before < world.line.exchanges <= before + RINGS_BURST + 1 + 600 / RING_EVERY_S


class Slow:
    """A transport whose exchange takes until it is let go."""

    def __init__(self) -> None:
        self.meter = Meter()
        self.go = Event()

    def exchange(self, body: bytes) -> bytes:
        self.go.wait(5)
        return body

    fetch = enrol = None


def test_a_ring_and_a_result_are_both_collected_and_rings_are_one() -> None:
    woken = Event()
    with ThreadPoolExecutor(1) as executor:
        slow = Slow()
        courier = ThreadCourier(slow, executor, woken.set)  # type: ignore[arg-type]
        courier.post(SyncJob(b"question"))
        for urgent in (False, True, False):
            courier.ring(urgent)
        slow.go.set()
    assert woken.is_set()
    woken.clear()
    first = courier.collect()
    assert first is not None
    assert first.job == Ring(urgent=True)
    assert woken.is_set(), "there is more"
    second = courier.collect()
    assert second is not None
    assert second.data == b"question"
    assert courier.collect() is None


# -- a request that broke off --------------------------------------------------------------------------------


def test_a_request_that_broke_off_is_brought_again_as_it_is_for_ten_minutes() -> None:
    world = World(sync_period_s=60, backoff_cap_s=30.0)
    world.run(120)
    requests: list[bytes] = []

    def broken(body: bytes) -> bytes:
        requests.append(body)
        raise Begun("5 of 9 bytes", moved=True)

    world.line.exchange = broken  # type: ignore[method-assign]
    world.station.ledger.append(world.station.key, bytes.fromhex("9200c41001") + bytes(15))
    for number in range(60):
        event = b"\x92\x18\xc4\xc8" + number.to_bytes(8, "big") + random.Random(number).randbytes(192)
        world.station.ledger.append(world.station.key, event)
    world.run(AGAIN_S / 2)
    assert len(requests) > 5
    assert len(set(requests)) == 1
    world.run(AGAIN_S)
    assert len(set(requests)) == 2


def test_a_portion_grows_on_a_good_line_and_shrinks_on_a_bad_one() -> None:
    portion = Portion()
    assert portion.bytes == PORTION_BYTES
    portion.came(300, 1.0)
    assert portion.bytes == PORTION_BYTES, "a small request says nothing of a large one"
    for _ in range(9):
        portion.came(portion.bytes, 1.0)
    assert portion.bytes == PORTION_BYTES_MAX
    portion.came(portion.bytes, 60.0)
    assert portion.bytes == PORTION_BYTES_MAX // 2
    for _ in range(9):
        portion.broke()
    assert portion.bytes == PORTION_BYTES_MIN


@pytest.mark.parametrize("good", ["", "127.0.0.1:8081", "tls:hub.yenbai.vn:8443", "[2001:db8::1]:8081"])
def test_a_doorbells_address_is_a_host_and_a_port(good: str) -> None:
    assert StationConfig.from_toml(config(doorbell=good).to_toml()).doorbell == good


@pytest.mark.parametrize("bad", ["hub", "http://hub:80", "hub:", ":80", "hub:80/x", "hub:123456", "h ub:80"])
def test_what_is_no_address_is_refused(bad: str) -> None:
    with pytest.raises(StoreError):
        config(doorbell=bad)




def test_an_emergency_sounds_at_a_held_station_long_before_its_next_call() -> None:
    took_s = emergency.measure(1)[0]
    assert took_s < config().sync_period_s / 30
