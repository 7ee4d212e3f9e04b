"""A damaged database: found at the start, at night or while reading; mended without a second history."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from ground_world import GroundWorld
from hypothesis import given, settings
from hypothesis import strategies as st
from station_world import DAY, NODE, UNIT

from ledger.facts import Acknowledged, Outcome, expected, owed, read
from ledger.log import DiskStore, MemoryStore, StoreError, image_of, opened
from node.disk.ground import DAMAGED, Footing, restore
from node.disk.keeper import BACKUP, check_file, kept
from node.disk.refuge import DB_NAME

HEARD = {Outcome.PLAYED, Outcome.PLAYED_LATE}


def world_on(folder: Path, **config: object) -> GroundWorld:
    world = GroundWorld(folder, sync_period_s=240, ack_delay_s=10, **config)
    world.hub.programme(335, seconds=60, late_s=3_600)
    world.hub.programme(341, seconds=30, late_s=3_600)
    world.hub.programme(400, seconds=30)
    return world


def die(world: GroundWorld) -> None:
    """The process is gone; the files are as it left them."""
    assert world.ground is not None
    world.ground.close()
    world.speaker.power_cut()


def sealed_before(world: GroundWorld) -> set[bytes]:
    return {signed.id for signed in world.hub.facts_of(Acknowledged)}


def check(world: GroundWorld, before: set[bytes]) -> None:
    hub = world.hub
    assert before <= {signed.id for signed in hub.facts_of(Acknowledged)}, "what the hub had stays"
    first = [(one.series, one.day) for one in world.speaker.sounds if one.offset_ds == 0]
    assert len(first) == len(set(first)), "a slot was begun twice"
    for ledger in (hub.ledger, world.station.ledger):
        assert ledger.verify().problems == []
        assert ledger.forks() == []
    assert not any(branch.cloned for branch in hub.ledger.branches())
    wanted = {slot.key for slot in expected(hub.facts, [UNIT], DAY) if owed(hub.facts, slot)}
    assert {(ack.series, ack.day) for ack in hub.acks()} >= wanted


def wreck(path: Path, dice: random.Random, pages: int) -> None:
    """Pages of the file are another thing than what was written."""
    data = bytearray(path.read_bytes())
    for _ in range(pages):
        at = dice.randrange(len(data) // 4096) * 4096
        kind = dice.randrange(3)
        if kind == 0:
            data[at : at + 4096] = bytes(4096)
        elif kind == 1:
            data[at : at + 4096] = dice.randbytes(4096)
        else:
            data[at + dice.randrange(4096)] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(1, 12), st.booleans())
def test_whatever_becomes_of_the_file_the_station_goes_on_forks_nothing_and_begins_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, seed: int, pages: int, copied: bool
) -> None:
    folder = tmp_path_factory.mktemp("box") / "station"
    world = world_on(folder)
    world.run_to(338)
    if copied:
        world.station._keeper.kept_s = 0
        night(world)
    world.run_to(350)
    before = sealed_before(world)
    assert len(before) == 2
    die(world)
    DiskStore(folder).close()
    wreck(folder / DB_NAME, random.Random(seed), pages)
    (folder / f"{DB_NAME}-wal").unlink(missing_ok=True)
    world.boot()
    world.run_to(420)
    try:
        night(world)  # what no start looks at
    except StoreError as error:
        assert world.ground is not None
        world.ground.failed(error)
        world.speaker.power_cut()
        world.boot()
    world.run_to(430)
    check(world, before)
    assert 3 in {sound.series for sound in world.speaker.sounds}, "and it plays"


def night(world: GroundWorld) -> None:
    """The night's work, at once."""
    keeper = world.station._keeper
    for _ in keeper._night(world.station._moment):
        pass


def test_every_night_the_database_is_checked_and_then_copied(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    world = world_on(folder)
    world.run_to(420)
    assert world.station.status().kept_s, "a station that has no copy yet makes one in the first idle minutes"
    world.run_to(200, DAY + 1)
    first = world.station.status().kept_s
    assert first > 0
    image = kept(DiskStore(folder, readonly=True))
    assert image is not None
    copy = opened(image)
    check_file(copy)
    assert copy.execute("SELECT count(*) FROM node_plays").fetchone() == (3,)
    world.run_to(1_400, DAY + 1)
    assert world.station.status().kept_s == first, "once a day"
    world.run_to(200, DAY + 2)
    assert world.station.status().kept_s > first


def test_a_damaged_database_never_replaces_a_good_copy(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    world = world_on(folder)
    world.run_to(350)
    night(world)
    good = (folder / BACKUP).read_bytes()
    die(world)
    store = DiskStore(folder)
    db = store.open_db(DB_NAME)
    # One of our own, and not the end of its log: no start looks at it.
    position = db.execute("SELECT min(position) FROM ledger_segments WHERE audience IS NULL").fetchone()[0]
    db.execute("UPDATE ledger_segments SET raw = zeroblob(length(raw)) WHERE position = ?", (position,))
    store.close()
    try:
        world.boot()
        with pytest.raises(StoreError) as found:
            night(world)
        assert found.value.code == "segment-damaged"
        assert (folder / BACKUP).read_bytes() == good
        assert world.ground is not None
        world.ground.failed(found.value)
    finally:
        die(world)
    world.boot()
    assert "restored" in world.told[-1]
    world.run_to(420)
    check(world, sealed_before(world))


def test_a_station_put_back_to_an_old_copy_repeats_nothing_and_the_hubs_acknowledgments_stay(
    tmp_path: Path,
) -> None:
    """The database is gone altogether, and the copy is from before the morning."""
    folder = tmp_path / "station"
    world = world_on(folder)
    world.run_to(333)
    night(world)
    world.run_to(350)
    before = sealed_before(world)
    heard = [sound.series for sound in world.speaker.sounds]
    assert heard == [1, 2]
    die(world)
    for end in ("", "-wal", "-shm"):
        (folder / (DB_NAME + end)).unlink(missing_ok=True)
    (folder / DB_NAME).write_bytes(b"not a database" * 1_000)
    world.boot()
    assert world.lives[-1] == Footing.DISK
    assert "from its own copy" in world.told[-1]
    world.run_to(420)
    assert [sound.series for sound in world.speaker.sounds] == [1, 2, 3], "windows of an hour were still open"
    check(world, before)
    first: dict[int, int] = {}
    for ack in world.hub.acks():
        first.setdefault(ack.series, ack.outcome)
    assert {first[1], first[2], first[3]} <= HEARD, "the first acknowledgment of a slot stands"
    later = [ack for ack in world.hub.acks() if ack.series in (1, 2)][2:]
    assert {ack.outcome for ack in later} <= {Outcome.UNKNOWN}, "nobody claims that they were silent"


def test_reports_that_only_the_damaged_database_held_reach_the_hub_once(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    world = world_on(folder)
    world.run_to(334)
    night(world)
    world.line.down = True
    world.run_to(350)
    assert world.hub.acks() == []
    die(world)
    DiskStore(folder).close()
    path = folder / DB_NAME
    data = bytearray(path.read_bytes())
    store = DiskStore(folder, readonly=True)
    root = (
        store.open_db(DB_NAME)
        .execute("SELECT rootpage FROM sqlite_master WHERE name = 'ledger_segments_for'")
        .fetchone()[0]
    )
    store.close()
    data[(root - 1) * 4096 : root * 4096] = bytes(4096)  # an index: every row is still there
    path.write_bytes(data)
    world.boot()
    assert "reports" in world.told[-1], world.told
    world.line.down = False
    world.run_to(420)
    acks = [(ack.series, ack.outcome) for ack in world.hub.acks()]
    assert sorted(acks) == [(1, Outcome.PLAYED), (2, Outcome.PLAYED), (3, Outcome.PLAYED)]
    check(world, set())
    assert (folder / DAMAGED).exists()


def test_without_a_copy_a_station_begins_anew_under_its_own_key(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    world = world_on(folder)
    world.run_to(350)
    before = sealed_before(world)
    die(world)
    DiskStore(folder).close()
    (folder / DB_NAME).write_bytes(random.Random(1).randbytes(40_000))
    (folder / BACKUP).write_bytes(b"no copy either")
    world.boot()
    assert "anew" in world.told[-1]
    world.run_to(420)
    check(world, before)
    assert world.station.key.key_id == NODE.key_id


@pytest.mark.parametrize("stop", range(1, 9))
def test_a_power_cut_while_a_database_is_put_back_leaves_the_old_or_the_new(
    tmp_path: Path, stop: int
) -> None:
    folder = tmp_path / "station"
    world = world_on(folder)
    world.run_to(350)
    night(world)
    before = sealed_before(world)
    die(world)
    DiskStore(folder).close()
    wreck(folder / DB_NAME, random.Random(stop), 6)

    class Cut(BaseException):
        pass

    class Dying(DiskStore):
        left = stop

        def _tick(self) -> None:
            Dying.left -= 1
            if Dying.left == 0:
                raise Cut

        def write(self, name: str, data: bytes, *, private: bool = False) -> None:
            self._tick()
            super().write(name, data, private=private)

        def move(self, name: str, to: str) -> None:
            self._tick()
            super().move(name, to)

        def delete(self, name: str) -> None:
            self._tick()
            super().delete(name)

    store = Dying(folder)
    try:
        restore(store, entropy=random.Random(stop).randbytes)
    except Cut:
        pass
    finally:
        store.close()
    world.boot()
    world.run_to(420)
    check(world, before)


def test_a_read_only_disk_with_a_damaged_database_plays_from_its_copy() -> None:
    from ground_world import Failing

    disk = Failing()
    disk.how = "ro"
    world = GroundWorld(disk, sync_period_s=240)
    world.hub.programme(400, seconds=30)
    world.run_to(350)
    night(world)
    image = image_of(disk, DB_NAME)
    assert image is not None
    die(world)
    db = disk.open_db(DB_NAME)
    assert isinstance(disk, MemoryStore)
    db.execute("PRAGMA writable_schema=ON")
    db.execute("UPDATE sqlite_master SET rootpage = 99999 WHERE name = 'ledger_segments_for'")
    disk.crash()
    disk.at = 0
    world.boot()
    assert world.lives[-1] == Footing.BROKEN
    world.line.down = True
    world.run_to(420)
    assert [sound.series for sound in world.speaker.sounds] == [1]
    own = [signed for stored in world.station.ledger.since(0) for signed in read(stored)]
    assert own
