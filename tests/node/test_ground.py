"""What a station does when its disk is full, read-only or damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from ground_world import Failing, GroundWorld
from station_world import DAY, NODE, UNIT

from ledger.facts import Acknowledged, Outcome, expected, owed, read, read_condition
from ledger.log import Blobs
from node.disk.ground import Footing
from node.room import RESERVE_BYTES
from node.service import status_line


def programme(world: GroundWorld) -> None:
    world.hub.programme(335, seconds=240, on_interrupt=1)
    world.hub.programme(341, seconds=30)
    world.hub.programme(352, seconds=30)


def check(world: GroundWorld, where: str = "") -> None:
    """Nothing lost, nothing twice, nothing forked."""
    hub = world.hub
    acks = [(ack.series, ack.day) for ack in hub.acks()]
    assert len(acks) == len(set(acks)), f"{where}: a slot was acknowledged twice"
    wanted = {slot.key for slot in expected(hub.facts, [UNIT], DAY) if owed(hub.facts, slot)}
    assert set(acks) >= wanted, f"{where}: an owed slot was not acknowledged"
    first = [(one.series, one.day) for one in world.speaker.sounds if one.offset_ds == 0]
    assert len(first) == len(set(first)), f"{where}: a slot was begun twice"
    ledger = world.station.ledger
    assert ledger.pending_count(NODE.key_id) == 0
    assert ledger.unreceipted(NODE.key_id) == []
    for one in (hub.ledger, ledger):
        assert one.verify().problems == [], where
        assert one.forks() == [], where
    own = [signed for stored in ledger.since(0) for signed in read(stored) if signed.key_id == NODE.key_id]
    kept = {signed.id for signed in own if isinstance(signed.fact, Acknowledged)}
    assert kept == {signed.id for signed in hub.facts_of(Acknowledged)}, where


def through(how: str, write: int | None) -> GroundWorld:
    """A morning with an emergency; from one write on the disk says no, for twenty minutes."""
    disk = Failing()
    disk.how = how
    world = GroundWorld(disk, sync_period_s=240, ack_delay_s=10)
    programme(world)
    world.run_to(334)  # its content is here
    booted = disk.count
    disk.at = None if write is None else booted + write
    world.run_to(336)
    world.hub.emergency(seconds=25)
    world.run_to(356)
    disk.mend()
    world.run_to(375)
    disk.writes = disk.count - booted  # type: ignore[attr-defined]
    return world


@pytest.mark.parametrize("how", ["full", "ro"])
@pytest.mark.parametrize("share", range(3))
def test_a_disk_that_says_no_at_any_write_costs_no_slot_and_no_acknowledgment(how: str, share: int) -> None:
    dry = through(how, None)
    check(dry)
    assert dry.lives == [Footing.DISK]
    writes = dry.disk.writes  # type: ignore[union-attr]
    in_memory = 0
    for write in range(1 + share * 2, writes, 6):
        world = through(how, write)
        check(world, f"write {write}")
        in_memory += len(world.lives) > 1
        assert world.lives[-1] == Footing.DISK, f"write {write}: it did not come home"
        assert world.failures <= 2, f"write {write}: {world.failures} lives ended"
        assert len(world.speaker.sounds) >= 4, f"write {write}: something was not played"
        assert world.hub.ledger.branches() == [], f"write {write}: nobody was restored or cloned"
    assert in_memory > 10, "the disk hardly ever said no"


def test_a_station_in_memory_says_so_to_its_hub_and_to_people_and_plays_what_comes() -> None:
    disk = Failing()
    disk.how = "ro"
    world = GroundWorld(disk, sync_period_s=60)
    programme(world)
    world.run_to(333)
    assert read_condition(world.hub.answered[-1]).storage == 0
    disk.at = 0
    world.run_to(336)
    assert world.lives == [Footing.DISK, Footing.BROKEN]
    assert read_condition(world.hub.answered[-1]).storage == 2
    assert "the disk cannot be written, everything is kept in memory" in status_line(world.station.status())
    assert world.told[-1] == "the disk cannot be written: the station goes on in memory"
    emergency = world.hub.emergency(seconds=20)
    far = world.hub.programme(350, seconds=20)
    world.run_to(349)
    assert emergency in [sound.series for sound in world.speaker.sounds], (
        "its content was fetched into memory"
    )
    disk.mend()
    world.run_to(375)
    assert world.lives[-1] == Footing.DISK
    assert world.told[-1] == "what was kept in memory is on the disk"
    assert far in [sound.series for sound in world.speaker.sounds]
    check(world)


def test_acknowledgments_of_a_station_without_disk_and_line_reach_the_hub_when_the_disk_is_back() -> None:
    disk = Failing()
    disk.how = "ro"
    world = GroundWorld(disk, sync_period_s=60)
    programme(world)
    world.run_to(334)
    disk.at, world.line.down = 0, True
    world.run_to(356)
    assert world.hub.acks() == []
    disk.mend()
    world.run_to(360)
    assert world.lives[-1] == Footing.DISK
    world.off(30)
    world.line.down = False
    world.run_to(375)
    check(world)
    assert {ack.outcome for ack in world.hub.acks()} == {Outcome.PLAYED}


def test_a_process_that_starts_again_in_memory_goes_on_where_the_one_before_it_was() -> None:
    disk = Failing()
    disk.how = "ro"
    world = GroundWorld(disk, sync_period_s=60)
    programme(world)
    world.run_to(334)
    disk.at = 0
    world.run_to(342)
    before = len(world.speaker.sounds)
    assert before == 2
    assert world.ground is not None
    world.ground.close()
    world.speaker.power_cut()
    world.boot()  # killed, or upgraded: the machine's memory is still there
    world.run_to(351)
    assert len(world.speaker.sounds) == before
    disk.mend()
    world.run_to(375)
    check(world)


@pytest.mark.parametrize("dead", [True, False])
def test_after_a_power_cut_a_read_only_station_begins_nothing_that_may_have_begun_in_the_lost_memory(
    dead: bool,
) -> None:
    disk = Failing()
    disk.how = "ro"
    world = GroundWorld(disk, sync_period_s=60)
    series = world.hub.programme(335, seconds=20, late_s=3_600)
    later = world.hub.programme(352, seconds=20)
    once = 0
    world.run_to(334)
    disk.at = 0
    world.run_to(336)
    assert [sound.series for sound in world.speaker.sounds] == [series]
    once = world.hub.emergency(seconds=10, max_plays=1)
    often = world.hub.emergency(seconds=10, max_plays=3, level=1)
    world.run_to(339)
    if dead:
        world.line.down = True
    world.off(30)
    world.run_to(350)
    world.line.down = False
    world.run_to(354)
    disk.mend()
    world.run_to(420)
    heard = [sound.series for sound in world.speaker.sounds]
    assert heard.count(series) == 1, "a slot plays at most once"
    assert heard.count(once) == 1
    assert 1 <= heard.count(often) <= 2, "what was ordered to be repeated may be heard again"
    assert heard.count(later) == 1
    said = {ack.series: ack.outcome for ack in reversed(world.hub.acks())}
    assert said[series] in (Outcome.PLAYED, Outcome.UNKNOWN), "nobody claims that it was silent"
    assert world.hub.ledger.forks() == []
    assert [branch.cloned for branch in world.hub.ledger.branches(NODE.key_id)] in ([], [False])


def test_a_full_disk_gives_up_the_oldest_content_that_no_plan_needs_first_and_never_the_log() -> None:
    disk = Failing()
    world = GroundWorld(disk, sync_period_s=60)
    blobs = Blobs(disk)
    past: dict[int, set[bytes]] = {}
    for days_ago in (20, 10, 2):
        before = set(world.hub.blobs.held())
        manifest = world.hub.content(20, text=f"{days_ago} ngày trước")
        bulletin = bytes([days_ago]) * 16
        world.hub.approve(manifest, bulletin=bulletin)
        world.hub.schedule(manifest, 400, bulletin=bulletin, days=(DAY - days_ago,))
        past[days_ago] = set(world.hub.blobs.held()) - before
    programme(world)
    world.run_to(333)
    for names in past.values():
        for name in names:
            blobs.put(world.hub.blobs.read(name))
    plan = set(blobs.held()) - set().union(*past.values())
    assert len(plan) >= 9
    disk.free_bytes = lambda: RESERVE_BYTES - 1 + (not past[10] & set(blobs.held()))  # type: ignore[method-assign]
    world.run_to(350)
    held = set(blobs.held())
    assert not held & past[20]
    assert not held & past[10]
    assert past[2] <= held, "no more went than was needed"
    assert plan <= held
    assert all(name.startswith(("blobs/", "partial/", "probe")) for name in disk.deleted)
    world.run_to(375)
    check(world)


def test_a_disk_that_fails_once_is_asked_again_and_nothing_is_lived_in_memory() -> None:
    disk = Failing()
    world = GroundWorld(disk, sync_period_s=240, ack_delay_s=10)
    programme(world)
    world.run_to(334)
    disk.at = disk.count + 2
    spend = disk.spend

    def once(error: object) -> None:
        try:
            spend(error)  # type: ignore[arg-type]
        except BaseException:
            disk.mend()
            raise

    disk.spend = once  # type: ignore[method-assign]
    world.run_to(375)
    assert world.lives == [Footing.DISK] * 2
    check(world)


def test_an_error_that_is_not_the_disks_ends_the_process(tmp_path: Path) -> None:
    world = GroundWorld(Failing())
    assert world.ground is not None
    with pytest.raises(ZeroDivisionError):
        world.ground.failed(ZeroDivisionError("a bug"))
