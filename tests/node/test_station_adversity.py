"""A station against its surroundings: a disk that fills or rots, a hub that errs, clocks that jump.

What must hold in each: nothing forbidden sounds, nothing sounds twice, whatever is owed is answered for once,
and the station goes on with what it can still do.
"""

from __future__ import annotations

import errno
import random
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from station_world import APPROVER, DAY, UNIT, World

from ledger.facts import (
    Detail,
    Manifest,
    Outcome,
    QuietHoursSet,
    Rendition,
    Scheduled,
    at,
    expected,
    owed,
    pack_days,
)
from ledger.log import Blobs, KeptConnection, MemoryStore, StoreError, TransportError
from node import Confidence


def said(world: World) -> dict[tuple[int, int], tuple[Outcome, Detail]]:
    """(series, day) → (outcome, detail) as the hub has them; each must be there once."""
    acks = world.hub.acks()
    assert len({(ack.series, ack.day) for ack in acks}) == len(acks), "a slot was acknowledged twice"
    return {(ack.series, ack.day): (Outcome(ack.outcome), Detail(ack.detail)) for ack in acks}


def again(world: World, series: int, manifest: bytes, minute: int, *, seconds: int = 60) -> None:
    """The same series is ordered anew, at another minute of the day."""
    order = Scheduled(
        world.hub.ts, series, b"B" * 16, manifest, DAY, pack_days(DAY, [DAY]), minute, seconds, "vn.yb", 2,
        600, 0, None,
    )  # fmt: skip
    world.hub.sign(APPROVER, order)


# -- content -------------------------------------------------------------------------------------------------


def test_a_manifest_that_the_disk_damaged_is_fetched_again_and_the_slot_plays() -> None:
    world = World()
    manifest = world.hub.content(30)
    world.hub.approve(manifest)
    series = world.hub.schedule(manifest, 360)
    world.run_to(350)
    name = next(name for name in world.store.names("blobs/") if name.endswith(manifest.hex()))
    world.store.write(name, b"rot")
    world.off(5)
    world.run_to(370)
    assert said(world) == {(series, DAY): (Outcome.PLAYED, Detail.NONE)}


def test_a_manifest_that_was_damaged_and_cannot_be_had_again_is_missed_for_want_of_delivery() -> None:
    world = World()
    manifest = world.hub.content(30)
    world.hub.approve(manifest)
    series = world.hub.schedule(manifest, 360, late_s=300)
    world.run_to(350)
    name = next(name for name in world.store.names("blobs/") if name.endswith(manifest.hex()))
    world.store.write(name, b"rot")
    for sha in world.hub.blobs.held():
        world.hub.blobs.delete(sha)
    world.off(5)
    world.run_to(380)
    assert world.speaker.sounds == []
    assert said(world) == {(series, DAY): (Outcome.MISSED, Detail.NOT_DELIVERED)}


def test_content_that_never_comes_through_neither_starves_the_exchange_nor_hammers_the_hub() -> None:
    world = World(sync_period_s=600)
    world.run(60)
    real, asked = world.line.fetch, []

    def broken(sha256: bytes, offset: int, length: int) -> bytes:
        asked.append(world.clock.utc_s)
        raise TransportError("http-500", "the server failed")

    world.line.fetch = broken  # type: ignore[method-assign]
    world.hub.emergency(life_s=7_200)
    before = world.line.exchanges
    world.run(1_200)
    later = world.hub.programme(400)
    world.run(2_400)
    assert world.line.exchanges - before <= 12, "the hub is asked far too often"
    assert len(asked) <= 60
    known = {slot.series for slot in world.station._agenda.open_slots(world.station._moment)}
    assert later in known, "no decision arrived while content was failing"
    world.line.fetch = real  # type: ignore[method-assign]


def test_content_with_a_false_list_of_pieces_does_not_keep_the_same_content_from_another_bulletin() -> None:
    world = World()
    sound = random.Random(5).randbytes(3_000)
    true = Rendition.of("audio", "audio/ogg", sound, duration_ms=20_000)
    false = Rendition(
        true.kind, true.language, true.media_type, true.size, true.duration_ms, true.sha256, (b"x" * 32,)
    )
    blobs = world.hub.blobs
    blobs.put(sound)
    series = []
    for minute, rendition, bulletin in ((350, false, b"F" * 16), (360, true, b"T" * 16)):
        manifest = Manifest((rendition,))
        blobs.put(manifest.encode())
        world.hub.approve(manifest.sha256, bulletin=bulletin)
        series.append(world.hub.schedule(manifest.sha256, minute, bulletin=bulletin, late_s=60))
    world.run_to(370)
    assert said(world)[series[1], DAY] == (Outcome.PLAYED, Detail.NONE)


@pytest.mark.parametrize("nonsense", [b"", b"<!doctype html>", bytes(100_000)])
def test_nonsense_in_the_place_of_content_or_of_a_reply_changes_nothing(nonsense: bytes) -> None:
    world = World(sync_period_s=120)
    series = world.hub.programme(360, late_s=900)
    exchange, fetch = world.line.exchange, world.line.fetch
    world.line.exchange = lambda body: nonsense  # type: ignore[method-assign]
    world.run(300)
    assert world.station.ledger.position() == 0
    world.line.exchange = exchange  # type: ignore[method-assign]
    world.line.fetch = lambda sha256, offset, length: nonsense  # type: ignore[method-assign]
    world.run_to(362)
    assert world.speaker.sounds == []
    assert Blobs(world.store).held() == []
    world.line.fetch = fetch  # type: ignore[method-assign]
    world.run_to(440)
    assert said(world)[series, DAY][0] in (Outcome.PLAYED_LATE, Outcome.MISSED)


# -- the plan changes ----------------------------------------------------------------------------------------


def test_a_withdrawal_stops_a_sound_whose_series_was_ordered_anew_meanwhile() -> None:
    world = World(sync_period_s=60)
    manifest = world.hub.content(900)
    world.hub.approve(manifest)
    series = world.hub.schedule(manifest, 360, length_s=900)
    world.run_to(361)
    again(world, series, manifest, 500, seconds=900)
    world.run(150)
    world.hub.cancel(series)
    world.run(200)
    assert said(world) == {(series, DAY): (Outcome.INTERRUPTED, Detail.OPERATOR)}


def test_a_series_ordered_anew_while_it_sounds_goes_on_and_is_not_repeated() -> None:
    world = World(sync_period_s=60)
    manifest = world.hub.content(600)
    world.hub.approve(manifest)
    series = world.hub.schedule(manifest, 360, length_s=600)
    world.run_to(361)
    again(world, series, manifest, 380, seconds=600)
    world.run_to(400)
    assert [sound.series for sound in world.speaker.sounds] == [series]
    assert said(world) == {(series, DAY): (Outcome.PLAYED, Detail.NONE)}


def test_an_emergency_that_expires_while_it_sounds_is_not_cut_off_by_a_lower_one() -> None:
    world = World(sync_period_s=30)
    world.run(60)
    first = world.hub.emergency(seconds=200, level=3, life_s=150)
    second = world.hub.emergency(seconds=30, level=1)
    world.run(600)
    order = [(sound.series, sound.offset_ds) for sound in world.speaker.sounds]
    assert order == [(first, 0), (second, 0)]
    assert said(world)[first, DAY][0] in (Outcome.PLAYED, Outcome.PLAYED_LATE)


# -- edges of time -------------------------------------------------------------------------------------------


def test_two_slots_of_one_minute_play_one_after_the_other() -> None:
    world = World()
    one, two = world.hub.programme(360, seconds=30), world.hub.programme(360, seconds=30)
    world.run_to(365)
    starts = [(sound.series, sound.utc_s) for sound in world.speaker.sounds]
    assert starts == [(one, at(DAY, 360)), (two, at(DAY, 360) + 30)]
    assert {outcome for outcome, _ in said(world).values()} == {Outcome.PLAYED}


def test_a_slot_that_ends_where_quiet_hours_begin_is_heard_whole_though_begun_a_moment_late() -> None:
    world = World(utc_s=at(DAY, 21 * 60))
    series = world.hub.programme(21 * 60 + 25, seconds=300)
    world.run_to(21 * 60 + 24)
    end_s = at(DAY, 21 * 60 + 35)
    while world.clock.utc_s < end_s:
        world.clock.pass_s(world.station.tick() + 0.013)
    assert said(world)[series, DAY] == (Outcome.PLAYED, Detail.NONE)


@pytest.mark.parametrize("day", [DAY, DAY + 52], ids=["any midnight", "the end of the year"])
def test_slots_around_midnight_play_once_and_count_for_the_day_they_were_planned_on(day: int) -> None:
    world = World(utc_s=at(day, 23 * 60 + 40))
    world.hub.sign(APPROVER, QuietHoursSet(world.hub.ts, "vn.yb", 120, 180))
    manifest = world.hub.content(120)
    world.hub.approve(manifest, days=90)
    before = world.hub.schedule(manifest, 23 * 60 + 59, days=(day,), length_s=120)
    after = world.hub.schedule(manifest, 0, days=(day + 1,), length_s=120)
    world.run_to(23 * 60 + 59.5, day)
    world.run_to(10, day + 1)
    starts = [(sound.series, sound.day, sound.utc_s) for sound in world.speaker.sounds]
    assert starts == [
        (before, day, at(day, 23 * 60 + 59)),
        (after, day + 1, at(day + 1, 1)),
    ]
    assert said(world) == {
        (before, day): (Outcome.PLAYED, Detail.NONE),
        (after, day + 1): (Outcome.PLAYED_LATE, Detail.NONE),
    }


def test_a_late_window_that_reaches_over_midnight_is_answered_for_once() -> None:
    world = World(utc_s=at(DAY, 23 * 60 + 30))
    world.hub.sign(APPROVER, QuietHoursSet(world.hub.ts, "vn.yb", 120, 180))
    manifest = world.hub.content(60)
    world.hub.approve(manifest)
    series = world.hub.schedule(manifest, 23 * 60 + 50, late_s=1_800)
    world.run_to(23 * 60 + 45)
    world.off(1_200)
    world.run(7_200)
    assert said(world) == {(series, DAY): (Outcome.PLAYED_LATE, Detail.NONE)}


def test_a_clock_that_jumps_while_a_sound_goes_on_changes_neither_the_sound_nor_what_is_said_of_it() -> None:
    world = World()
    series = world.hub.programme(360, seconds=300)
    world.run_to(361)
    world.clock.skew_s = 86_400.0
    world.run(30)
    world.clock.skew_s = 0.0
    world.run_to(375)
    assert [sound.series for sound in world.speaker.sounds] == [series]
    (ack,) = world.hub.acks()
    assert (ack.outcome, ack.played_ds) == (Outcome.PLAYED, 3_000)


def test_a_power_cut_after_the_clock_jumped_ahead_does_not_claim_hours_of_sound() -> None:
    world = World()
    series = world.hub.programme(360, seconds=300)
    world.run_to(361)
    world.clock.skew_s = 86_400.0
    world.run(30)
    world.clock.skew_s = 0.0
    world.off(60)
    world.run_to(400)
    (ack,) = world.hub.acks()
    assert (ack.series, ack.outcome, ack.detail) == (series, Outcome.PARTIAL, Detail.POWER)
    assert ack.played_ds <= 3_000


def test_after_a_clock_was_wrong_for_a_while_later_slots_are_still_played_or_answered_for() -> None:
    world = World()
    here = world.hub.programme(420)
    world.run_to(350)
    world.clock.skew_s = 3_600.0 * 30
    world.run(60)
    world.clock.skew_s = 0.0
    world.run(60)
    late = world.hub.programme(430)
    world.run(1_800)
    never = world.hub.programme(440, late_s=60)
    for sha in world.hub.blobs.held():
        world.hub.blobs.delete(sha)
    world.run_to(500)
    told = said(world)
    assert told[late, DAY] == (Outcome.PLAYED, Detail.NONE)
    assert told[never, DAY] == (Outcome.MISSED, Detail.NOT_DELIVERED)
    assert (here, DAY) in told


def test_without_a_trusted_clock_an_emergency_just_received_plays_and_one_of_unknown_age_does_not() -> None:
    world = World(sync_period_s=60)
    world.run(60)
    first = world.hub.emergency(seconds=120, life_s=7_200)
    second = world.hub.emergency(seconds=20, life_s=7_200, level=1)
    world.run(90)
    assert [sound.series for sound in world.speaker.sounds] == [first]
    world.cut()
    world.clock.reboot()
    world.clock.confidence, world.clock.skew_s = Confidence.UNKNOWN, -1e8
    world.line.down = True
    world.boot()
    world.run(600)
    assert [sound.series for sound in world.speaker.sounds] == [first], "nobody knows whether it is over"
    world.line.down = False
    world.run(1_200)
    assert [sound.series for sound in world.speaker.sounds] == [first, second]
    assert said(world) == {
        (first, DAY): (Outcome.PARTIAL, Detail.POWER),
        (second, DAY): (Outcome.PLAYED_LATE, Detail.NONE),
    }


# -- the disk ------------------------------------------------------------------------------------------------


class Full(MemoryStore):
    """A disk on which the n-th write, or every write of content, finds no room."""

    def __init__(self) -> None:
        store = self

        class Connection(KeptConnection):
            def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
                if sql.lstrip()[:6].upper() in ("INSERT", "UPDATE", "COMMIT", "DELETE"):
                    store.spend(_sqlite_full)
                return super().execute(sql, parameters)

        super().__init__(connection=Connection)
        self.count = 0
        self.at: int | None = None
        self.no_content = False

    def spend(self, error: Callable[[], BaseException]) -> None:
        self.count += 1
        if self.count == self.at:
            raise error()

    def write(self, name: str, data: bytes, *, private: bool = False) -> None:
        self._content(name)
        super().write(name, data, private=private)

    def append(self, name: str, data: bytes, at: int) -> None:
        self._content(name)
        super().append(name, data, at)

    def _content(self, name: str) -> None:
        self.spend(_no_room)
        if self.no_content and name.startswith(("blobs/", "partial/")):
            raise _no_room()


def _no_room() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def _sqlite_full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def test_a_disk_without_room_for_content_keeps_the_station_on_air_with_what_it_has() -> None:
    store = Full()
    world = World(store=store, sync_period_s=60)
    here = world.hub.programme(360, seconds=300)
    world.run_to(361)
    store.no_content = True
    there = world.hub.programme(365, late_s=120)
    world.run_to(375)
    assert [sound.series for sound in world.speaker.sounds] == [here]
    store.no_content = False
    later = world.hub.programme(440)
    world.run_to(450)
    assert said(world) == {
        (here, DAY): (Outcome.PLAYED, Detail.NONE),
        (there, DAY): (Outcome.MISSED, Detail.NOT_DELIVERED),
        (later, DAY): (Outcome.PLAYED, Detail.NONE),
    }


def _morning(store: Full) -> World:
    world = World(store=store, sync_period_s=240, ack_delay_s=10)
    world.hub.programme(335, seconds=240, on_interrupt=1)
    world.hub.programme(341, seconds=30)
    return world


def _through(world: World, until_minute: float) -> int:
    """Runs on; whenever the disk refuses, the process ends as the shell ends it, and a new one starts."""
    failed = 0
    while True:
        try:
            world.run_to(until_minute)
            return failed
        except (StoreError, OSError, sqlite3.Error):
            failed += 1
            world.cut()
            world.clock.pass_s(5)
            world.clock.reboot()
            world.boot()


@pytest.mark.parametrize("share", range(4))
def test_a_disk_that_is_full_at_any_write_ends_the_process_and_loses_nothing(share: int) -> None:
    dry = Full()
    world = _morning(dry)
    booted = dry.count
    world.run_to(336)
    world.hub.emergency(seconds=25)
    world.run_to(350)
    failures = 0
    for write in range(booted + 1 + share * 3, dry.count + 1, 12):
        store = Full()
        world = _morning(store)
        store.at = write
        failures += _through(world, 336)
        world.hub.emergency(seconds=25)
        failures += _through(world, 350)
        world.run(600)
        hub = world.hub
        acks = [(ack.series, ack.day) for ack in hub.acks()]
        assert len(acks) == len(set(acks)), f"write {write}: a slot was acknowledged twice"
        wanted = {slot.key for slot in expected(hub.facts, [UNIT], DAY) if owed(hub.facts, slot)}
        assert set(acks) >= wanted, f"write {write}: an owed slot was not acknowledged"
        first = [(one.series, one.day) for one in world.speaker.sounds if one.offset_ds == 0]
        assert len(first) == len(set(first)), f"write {write}: a slot was begun twice"
        assert world.station.ledger.unreceipted(world.station.key.key_id) == []
        assert world.station.ledger.verify().failed == 0
        assert hub.ledger.forks() == []
    assert failures > 5, "the disk was hardly ever full"


def test_an_order_that_came_within_its_window_is_answered_for_though_the_power_went_soon_after() -> None:
    world = World(sync_period_s=60)
    world.hub.programme(355, seconds=10)
    world.run_to(366)
    manifest = world.hub.content(30)
    for sha in world.hub.blobs.held():
        world.hub.blobs.delete(sha)
    world.hub.approve(manifest)
    series = world.hub.schedule(manifest, 352, late_s=1_800)
    world.run_to(368)
    world.off(2_400)
    world.run(600)
    assert (series, DAY) in said(world), "nobody ever learns what became of this slot"
