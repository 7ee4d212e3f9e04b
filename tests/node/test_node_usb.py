"""A station whose only post is a stick: what it plays, what it answers for, and what a stick may not do."""

from __future__ import annotations

import random
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner
from station_world import DAY, HUB, MORNING, NODE, UNIT, World

from ledger.facts import Outcome, WithdrawalSeen, ancestors
from ledger.log import (
    CHUNK,
    Blobs,
    DiskStore,
    MemoryStore,
    StoreError,
    bundle,
    errands,
    record_arrivals,
    stick,
)
from ledger.log.bundle import Kind
from node import Confidence, save_config, save_key
from node.cli import node
from node.presence import LOW
from node.room import RESERVE_BYTES
from node.stick import handover
from node.stick.usb import Visit, alone
from node.stick.usb_content import Received


def visit(world: World) -> Visit:
    """The station is stopped, and somebody starts the command."""
    world.cut()
    save_config(world.store, world.config)
    world.starts += 1
    return alone(
        world.store, clock=world.clock, entropy=random.Random(world.starts + 1_000).randbytes
    )


def send(world: World) -> MemoryStore:
    away = MemoryStore()
    visit(world).send(away)
    return away


def at_the_hub(world: World, away: MemoryStore) -> MemoryStore:
    """What `hub/usb.py` does, for the hub-side ledger of these tests; all content goes onto the stick."""
    hub, cargo = world.hub, stick.look(away)
    segments = [raw for sha in cargo.segments if (raw := cargo.segment(sha)) is not None]
    opened = hub.ledger.open_all(segments)
    with hub.ledger.transaction():
        record_arrivals(hub.ledger, HUB, hub.ledger.admit_all(opened, source="usb"), now=hub.ts)
    (request,) = cargo.requests
    answered = errands.answer_errand(
        hub.ledger, HUB, request, now=hub.ts, audiences_of=lambda key: ancestors(UNIT)
    )
    frames = [bundle.frame(Kind.REPLY, reply) for reply in answered.replies]
    frames += [bundle.frame(Kind.SEGMENT, hub.ledger.tables.segment_at(at)[1]) for at in answered.positions]
    for sha in hub.blobs.held():
        data = hub.blobs.read(sha)
        frames += [bundle.piece(sha, at, data[at : at + CHUNK]) for at in range(0, len(data), CHUNK)]
    back = MemoryStore()
    writer = bundle.Writer(HUB.key_id, hub.ts)
    stick.write(back, "back.loa", [writer.begin, *map(writer.add, frames), writer.end()], 1 << 20)
    return back


def receive(world: World, back: MemoryStore) -> Received:
    got = visit(world).receive(back)
    world.clock.reboot()
    world.boot()
    return got


def trip(world: World, *, on_the_road_s: float = 3_600) -> Received:
    away = send(world)
    world.clock.pass_s(on_the_road_s)
    back = at_the_hub(world, away)
    world.clock.pass_s(on_the_road_s)
    return receive(world, back)


def far(**more: object) -> World:
    world = World(utc_s=MORNING - 86_400, **more)  # type: ignore[arg-type]
    world.line.down = True
    return world


def test_a_station_without_a_network_plays_what_a_stick_brought_and_its_reports_come_back_by_stick() -> None:
    world = far()
    series = world.hub.programme(17 * 60, seconds=40)
    got = trip(world)
    assert got.is_clean
    assert (got.wanting, got.contents) == (0, 2)
    world.run_to(17 * 60 + 5)
    assert [sound.series for sound in world.speaker.sounds] == [series]
    assert world.hub.acks() == []
    trip(world)
    (ack,) = world.hub.acks()
    assert (ack.series, ack.outcome) == (series, Outcome.PLAYED)
    assert world.line.exchanges > 0, "it tried the network too"


def test_a_withdrawal_by_stick_keeps_it_silent_and_the_station_says_that_it_saw_it() -> None:
    world = far()
    series = world.hub.programme(17 * 60)
    trip(world)
    world.hub.cancel(series)
    trip(world)
    world.run_to(17 * 60 + 20)
    assert world.speaker.sounds == []
    trip(world)
    (seen,) = [one.fact for one in world.hub.facts_of(WithdrawalSeen)]
    assert isinstance(seen, WithdrawalSeen)
    assert seen.series == series
    assert all(ack.outcome is not Outcome.PLAYED for ack in world.hub.acks())


def test_content_that_came_after_its_slot_is_answered_for_as_not_delivered() -> None:
    world = far()
    series = world.hub.programme(6 * 60)
    away = send(world)
    back = at_the_hub(world, away)
    data = back.read("back.loa")
    assert data is not None
    cut = data.index(bundle.MAGIC + bytes((1, Kind.PIECE)))
    back.write("back.loa", data[:cut])
    got = receive(world, back)
    assert (got.wanting, got.cut) == (1, 1)
    world.run_to(6 * 60 + 30)
    assert world.outcomes()[series, DAY] == ("MISSED", "NOT_DELIVERED")


# -- the clock -----------------------------------------------------------------------------------------------


def test_an_emergency_from_a_stick_is_not_played_by_itself_when_the_box_does_not_know_the_time() -> None:
    world = far()
    world.clock.confidence = Confidence.UNKNOWN
    away = send(world)
    series = world.hub.emergency(life_s=86_000)
    got = receive(world, at_the_hub(world, away))
    assert got.is_clean
    assert got.wanting == 0, "its content is here"
    assert series in world.station.facts.emergencies
    world.run(4 * 3_600)
    assert world.speaker.sounds == []
    world.clock.confidence = Confidence.NTP  # somebody set the clock, or the network came
    world.run(600)
    assert [sound.series for sound in world.speaker.sounds] == [series]


def test_a_reply_by_stick_is_a_lower_bound_of_time_and_never_the_time() -> None:
    world = far()
    world.clock.confidence = Confidence.UNKNOWN
    world.clock.skew_s = -10 * 365 * 86_400.0
    away = send(world)
    written_s = world.hub.ts
    back = at_the_hub(world, away)
    world.clock.pass_s(5 * 86_400)
    receive(world, back)
    assert world.station.ledger.get(LOW) == written_s
    world.station.tick()
    assert not world.station._moment.trusted
    low_s = world.station.presence.time.low(world.clock.mono_s)
    assert written_s <= low_s <= world.clock.utc_s


def test_content_is_chosen_by_signed_time_so_a_box_years_behind_takes_it_too() -> None:
    world = far()
    world.clock.confidence = Confidence.UNKNOWN
    world.clock.skew_s = -20 * 365 * 86_400.0
    world.hub.programme(17 * 60)
    assert trip(world, on_the_road_s=60).wanting == 0
    assert len(visit(world).wanted()) == 1


def test_content_of_what_is_over_is_not_taken_from_an_old_stick() -> None:
    world = far()
    world.hub.programme(7 * 60)
    old = at_the_hub(world, send(world))
    world.clock.pass_s(40 * 86_400)
    world.hub.programme(8 * 60)
    fresh = at_the_hub(world, send(world))
    fresh_only = MemoryStore()
    data = fresh.read("back.loa")
    assert data is not None
    pieces = data.index(bundle.MAGIC + bytes((1, Kind.PIECE)))
    fresh_only.write("back.loa", data[:pieces])
    assert receive(world, fresh_only).decisions > 0
    before = Blobs(world.store).held()
    got = receive(world, old)
    assert got.refused == "reply-unawaited"
    assert got.contents == 0
    assert Blobs(world.store).held() == before == []


def test_content_of_what_was_withdrawn_is_left_on_the_stick() -> None:
    world = far()
    world.hub.cancel(world.hub.programme(17 * 60))
    got = trip(world)
    assert (got.contents, got.wanting) == (0, 0)
    assert Blobs(world.store).held() == []


# -- the card ------------------------------------------------------------------------------------------------


def test_a_full_card_leaves_content_on_the_stick_but_an_emergency_s() -> None:
    world = far()
    world.hub.programme(17 * 60)
    away = send(world)
    world.hub.emergency(life_s=86_000)
    back = at_the_hub(world, away)
    world.store.free = RESERVE_BYTES
    got = receive(world, back)
    assert got.no_room > 0
    assert got.wanting == 1
    assert not got.is_clean
    world.store.free = RESERVE_BYTES * 4
    assert receive(world, back).wanting == 0, "the decisions are here, so the same stick brings the rest"


def test_a_beginning_left_by_the_network_is_continued_by_a_stick_even_when_it_was_wrong() -> None:
    world = far()
    sound = random.Random("40/long").randbytes(3 * CHUNK)
    manifest = world.hub.content(40, text="long", size=3 * CHUNK)
    world.hub.approve(manifest)
    world.hub.schedule(manifest, 17 * 60, length_s=40)
    back = at_the_hub(world, send(world))
    name = sha256(sound).digest()
    world.store.append(f"partial/{name.hex()}", sound[:CHUNK] + b"wrong", 0)
    assert receive(world, back).wanting == 0
    assert Blobs(world.store).read(name) == sound


def test_what_is_sent_says_which_content_is_here_under_the_request_s_signature() -> None:
    world = far()
    world.hub.programme(17 * 60)
    trip(world)
    cargo = stick.look(send(world))
    (held,) = cargo.held
    (request,) = cargo.requests
    assert bundle.read_held(held) == {sha[:8] for sha in Blobs(world.store).held()}
    asked = errands.read_errand(world.hub.ledger, request)[1]
    assert asked.status.endswith(bundle.mark_of(held))
    assert asked.room == 0


def test_a_stick_that_is_full_is_refused_and_what_was_to_be_sent_is_sent_next_time() -> None:
    world = far()
    world.run(60)
    with pytest.raises(StoreError, match="stick-full"):
        visit(world).send(MemoryStore(free_bytes=100))
    assert stick.look(send(world)).requests


# -- the commands --------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = DiskStore(tmp_path / "box")
    save_key(store, NODE)
    save_config(store, World().config)
    store.close()
    return tmp_path / "box"


def run(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(node, ["usb", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_a_folder_and_a_single_file_both_do_as_a_stick(folder: Path, tmp_path: Path) -> None:
    code, said = run("export", "--dir", folder, tmp_path / "usb")
    assert code == 0
    assert (tmp_path / "usb" / f"{UNIT}.from-station.loa").exists()
    assert "It may be pulled out now" in said
    assert run("export", "--dir", folder, tmp_path / "usb" / "mine.loa")[0] == 0
    assert stick.look(DiskStore(tmp_path / "usb", readonly=True)).files == 2


def test_an_owner_that_is_no_running_station_is_not_waited_for_without_end(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "PATIENCE_S", 0.5)
    owner = DiskStore(folder)
    code, said = run("export", "--dir", folder, tmp_path / "usb")
    owner.close()
    assert code == 21
    assert "desk-silent" in said


def test_a_stick_without_an_answer_is_told_in_words_and_by_the_exit_code(
    folder: Path, tmp_path: Path
) -> None:
    run("export", "--dir", folder, tmp_path / "usb")
    code, said = run("import", "--dir", folder, tmp_path / "usb")
    assert code == 20
    assert "no answer of the hub" in said
    (tmp_path / "empty").mkdir()
    code, said = run("import", "--dir", folder, tmp_path / "empty")
    assert code != 0
    assert "stick-empty" in said
    (tmp_path / "usb" / "bản tin.loa").write_bytes(b"x")
    code, said = run("import", "--dir", folder, tmp_path / "usb" / "bản tin.loa")
    assert code != 0
    assert "stick-name" in said


def test_a_read_only_stick_is_two_lines_and_no_traceback(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    code, said = run("export", "--dir", folder, tmp_path / "file" / "below")
    assert code != 0
    assert "stick-lost" in said
