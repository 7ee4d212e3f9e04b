"""The small parts of a station: its files, its courier, its timed player, its enrolment, its downloads."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st
from station_world import DAY, HUB, ROOT, UNIT, World

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import (
    CHUNK,
    Blobs,
    KeyRefused,
    MemoryStore,
    NotAllowed,
    PlayerError,
    ProtocolError,
    SigningKey,
    StoreError,
    Token,
    TransportError,
    make_enrolment_reply,
)
from node import (
    Done,
    FetchJob,
    InlineCourier,
    Meter,
    NullPlayer,
    PlayItem,
    StationConfig,
    SyncJob,
    ThreadCourier,
    begin,
    finish,
    load_config,
    load_key,
    save_config,
    save_key,
)

CONFIG = StationConfig(
    unit=UNIT, name='Tú "Lệ"', hub_url="http://hub:8080", hub_key=HUB.verify_key.raw,
    roots=(ROOT.verify_key.raw, HUB.verify_key.raw),
)  # fmt: skip


# -- files ---------------------------------------------------------------------------------------------------


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.integers(1, 86_400),
    st.integers(0, 100),
    st.floats(1, 3_600),
)
def test_a_configuration_reads_back_as_written(name: str, period_s: int, volume: int, cap_s: float) -> None:
    config = replace(CONFIG, name=name, sync_period_s=period_s, volume=volume, idle_cap_s=cap_s)
    assert StationConfig.from_toml(config.to_toml()) == config


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("volume = 80", "volume = 101", "config-range"),
        ("volume = 80", "volume = true", "config-type"),
        ("volume = 80", 'volume = "80"', "config-type"),
        ("volume = 80", "loudness = 80", "config-unknown"),
        ("volume = 80", "volume = ", "config-format"),
        (f'unit = "{UNIT}"', 'unit = "Tú Lệ"', "config-unit"),
        (f'unit = "{UNIT}"\n', "", "config-missing"),
        (HUB.verify_key.raw.hex(), "zz", "config-type"),
        (HUB.verify_key.raw.hex(), "00" * 32, "key-small-order"),
        ("sync_period_s = 900", "sync_period_s = 0", "config-range"),
    ],
)
def test_a_misspelt_configuration_is_refused_by_name(old: str, new: str, code: str) -> None:
    text = CONFIG.to_toml()
    assert old in text
    with pytest.raises((StoreError, KeyRefused)) as caught:
        StationConfig.from_toml(text.replace(old, new))
    assert caught.value.code == code


def test_a_folder_without_a_station_says_how_to_enrol() -> None:
    for load in (load_config, load_key):
        with pytest.raises(StoreError, match="not-enrolled") as caught:
            load(MemoryStore())  # type: ignore[operator]
        assert "loa node init" in caught.value.hint


def test_a_damaged_key_is_refused() -> None:
    store = MemoryStore()
    store.write("station.key", b"not hex")
    with pytest.raises(StoreError, match="key-damaged"):
        load_key(store)


# -- courier -------------------------------------------------------------------------------------------------


class Echo:
    """A transport that answers with what it was asked, or fails."""

    def __init__(self) -> None:
        self.meter = Meter()
        self.error: Exception | None = None

    def exchange(self, body: bytes) -> bytes:
        if self.error is not None:
            raise self.error
        return body

    def fetch(self, sha256: bytes, offset: int, length: int) -> bytes:
        return sha256[offset : offset + length]

    def enrol(self, body: bytes) -> bytes:
        return body


def test_a_courier_brings_the_answer_or_the_failure() -> None:
    echo = Echo()
    courier = InlineCourier(echo)
    assert courier.collect() is None
    courier.post(FetchJob(b"abcdef", 2, 3))
    assert courier.collect() == Done(FetchJob(b"abcdef", 2, 3), b"cde", None)
    echo.error = TransportError("link", "cut")
    courier.post(SyncJob(b"hello"))
    done = courier.collect()
    assert done is not None
    assert (done.data, done.error) == (None, echo.error)
    assert courier.collect() is None


def test_a_courier_on_a_thread_wakes_its_owner() -> None:
    woken = Event()
    with ThreadPoolExecutor(1) as executor:
        courier = ThreadCourier(Echo(), executor, woken.set)
        courier.post(SyncJob(b"hello"))
        assert woken.wait(5)
        assert courier.collect() == Done(SyncJob(b"hello"), b"hello", None)


def test_a_bug_on_the_network_thread_is_not_mistaken_for_the_link() -> None:
    echo = Echo()
    echo.error = ZeroDivisionError("a bug")
    woken = Event()
    with ThreadPoolExecutor(1) as executor:
        courier = ThreadCourier(echo, executor, woken.set)
        courier.post(SyncJob(b"hello"))
        assert woken.wait(5)
        with pytest.raises(ZeroDivisionError):
            courier.collect()


# -- timed player --------------------------------------------------------------------------------------------


def item(duration_ms: int, **more: object) -> PlayItem:
    return PlayItem(
        1, DAY, bytes(32), bytes(32), "audio/ogg", duration_ms, 80, "", "vi", **more,  # type: ignore[arg-type]
    )  # fmt: skip


@given(st.integers(100, 3_600_000), st.integers(1, 5), st.floats(0, 1e9), st.integers(1, 30))
def test_the_timed_player_takes_exactly_as_long_as_the_content(
    duration_ms: int, repeat: int, start_s: float, looks: int
) -> None:
    player = NullPlayer()
    what = item(duration_ms, repeat=repeat)
    player.start(what, start_s)
    total_s = what.planned_ds / 10
    for look in range(looks):
        at_s = start_s + total_s * look / looks * 0.99
        assert player.poll(at_s) is None
    report = player.poll(start_s + total_s + 1e-3)
    assert report is not None
    assert (report.outcome, report.detail, report.evidence) == (
        Outcome.PLAYED,
        Detail.NONE,
        Evidence.DELIVERED,
    )
    assert report.played_ds == min(duration_ms * repeat, 6 * 3_600_000) // 100


def test_the_timed_player_stops_where_it_is_and_refuses_two_items_at_once() -> None:
    player = NullPlayer()
    player.start(item(60_000), 10.0)
    with pytest.raises(PlayerError):
        player.start(item(60_000), 11.0)
    report = player.stop(22.5)
    assert (report.outcome, report.played_ds) == (Outcome.INTERRUPTED, 125)
    player.start(item(60_000, offset_ds=125), 30.0)
    assert player.wait_s(30.0) == pytest.approx(47.5)


def test_a_stop_after_the_end_reports_the_end() -> None:
    player = NullPlayer()
    player.start(item(1_000), 0.0)
    assert player.stop(5.0).outcome is Outcome.PLAYED


# -- enrolment -----------------------------------------------------------------------------------------------


TOKEN = Token.new(random.Random(3).randbytes)


def reply_to(request: bytes, token: Token = TOKEN) -> bytes:
    return make_enrolment_reply(
        token.record, request, roots=[ROOT.verify_key], hub=HUB.verify_key, unit=UNIT, name="Tú Lệ",
        province="Yên Bái", hub_time=1,
    )  # fmt: skip


def test_enrolment_makes_a_station_of_a_folder() -> None:
    store = MemoryStore()
    request = begin(store, TOKEN.text, entropy=random.Random(1).randbytes)
    config = finish(store, request, reply_to(request), token=TOKEN.text, hub_url="http://hub")
    assert load_config(store) == config
    assert (config.unit, config.hub_key, config.roots) == (UNIT, HUB.verify_key.raw, (ROOT.verify_key.raw,))
    assert store.names("enrolment") == []
    with pytest.raises(NotAllowed, match="already-enrolled"):
        begin(store, TOKEN.text, entropy=random.Random(2).randbytes)


def test_a_repeated_enrolment_sends_the_same_bytes_under_the_same_key() -> None:
    store = MemoryStore()
    first = begin(store, TOKEN.text, entropy=random.Random(1).randbytes)
    key = load_key(store)
    assert begin(store, TOKEN.text.lower(), entropy=random.Random(2).randbytes) == first
    assert load_key(store).seed == key.seed


def test_a_false_hub_cannot_enrol_a_station() -> None:
    store = MemoryStore()
    request = begin(store, TOKEN.text, entropy=random.Random(1).randbytes)
    false = reply_to(request, Token.new(random.Random(9).randbytes))
    for reply in (false, b"<html>welcome</html>", b"", reply_to(request)[:-1]):
        with pytest.raises(ProtocolError):
            finish(store, request, reply, token=TOKEN.text, hub_url="http://hub")
    assert store.read("station.toml") is None


# -- downloads -----------------------------------------------------------------------------------------------


def test_content_is_fetched_in_chunks_and_goes_on_after_a_restart() -> None:
    world = World()
    manifest = world.hub.content(60, size=3 * CHUNK + 100)
    world.hub.approve(manifest)
    world.hub.schedule(manifest, 360)
    passed = 0

    def power_cut_at_third() -> None:
        nonlocal passed
        passed += 1
        if passed == 4:  # sync, manifest, first chunk, and now the second
            raise ConnectionAbortedError

    world.line.hook = power_cut_at_third
    with pytest.raises(ConnectionAbortedError):
        world.run(60)
    world.line.hook = lambda: None
    world.off(5)
    world.run_to(370)
    offsets = [offset for _, offset, length in world.line.fetched if length > 100]
    assert offsets.count(0) == 2, "the manifest and the first chunk, each once"
    assert CHUNK in offsets
    assert len(world.speaker.sounds) == 1


def test_a_chunk_that_is_not_what_was_approved_never_reaches_the_disk() -> None:
    world = World()
    manifest = world.hub.content(60, size=CHUNK + 5)
    world.hub.approve(manifest)
    series = world.hub.schedule(manifest, 360, late_s=300)
    sound = next(sha for sha in world.hub.blobs.held() if (world.hub.blobs.size(sha) or 0) > CHUNK)
    world.hub.store.write(f"blobs/{sound.hex()[:2]}/{sound.hex()}", bytes(CHUNK + 5))
    world.run_to(380)
    assert world.speaker.sounds == []
    assert not Blobs(world.store).has(sound)
    assert world.outcomes()[series, DAY] == ("MISSED", "NOT_DELIVERED")


def test_an_emergencys_content_goes_before_everything_else() -> None:
    world = World(sync_period_s=60)
    world.run(120)
    world.hub.programme(400, seconds=600)
    warning = world.hub.emergency()
    world.line.fetched.clear()
    world.run(120)
    assert [sound.series for sound in world.speaker.sounds] == [warning]
    first = world.line.fetched[0][0]
    order = world.station.facts.emergencies[warning][0].fact
    assert first == order.manifest


def test_a_metered_line_keeps_to_its_daily_bytes_except_for_emergencies() -> None:
    world = World(fetch_day_bytes=5_000, sync_period_s=300)
    world.run(60)
    for minute in (400, 410, 420):
        world.hub.programme(minute)
    world.run(600)
    fetched = sum(length for _, _, length in world.line.fetched if length <= CHUNK)
    assert 0 < fetched <= 5_000 + CHUNK
    assert len(world.station.status().outcomes) == 0
    missing = world.station.status().live
    assert missing is not None
    assert missing.missing > 0
    warning = world.hub.emergency()
    world.run(400)
    assert [sound.series for sound in world.speaker.sounds] == [warning]


def test_a_full_card_fetches_emergencies_only_and_drops_what_no_slot_needs() -> None:
    world = World(sync_period_s=300)
    world.hub.programme(340, seconds=10)
    world.run_to(350)
    kept = len(Blobs(world.store).held())
    world.store.free = 1_000_000
    world.hub.programme(400)
    world.run_to(365)
    assert len(Blobs(world.store).held()) <= kept
    warning = world.hub.emergency()
    world.run(400)
    assert warning in [sound.series for sound in world.speaker.sounds]


def test_the_stations_key_stays_the_same_over_restarts() -> None:
    store = MemoryStore()
    save_config(store, CONFIG)
    save_key(store, SigningKey.from_seed(b"k" * 32))
    assert load_key(store).seed == b"k" * 32
