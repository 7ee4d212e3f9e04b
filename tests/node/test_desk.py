"""A stick at a running station: the same commands, the copy at the desk, and a person asked for the time."""

from __future__ import annotations

import json
import random
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from station_world import MORNING, UNIT, World
from test_node_usb import at_the_hub
from test_station_process import run, station

from ledger.log import DiskStore, MemoryStore, StoreError, bundle, stick
from ledger.log.bundle import Kind
from node import Confidence, Now, save_config
from node.cli import plain_errors
from node.room import RESERVE_BYTES
from node.stick.desk import ANSWER, BUSY_EVERY_S, LOOK_EVERY_S, REQUEST_BYTES_MAX, Desk
from node.stick.handover import Beside
from node.stick.usb import beside
from node.stick.usb_cli import Machine, add_usb
from node.stick.usb_words import agrees, english, read_time, vietnamese


def at_once(job: Any) -> Future[Any]:
    done: Future[Any] = Future()
    try:
        done.set_result(job())
    except StoreError as error:
        done.set_exception(error)
    return done


class Running:
    """A station that runs on a real folder, its desk, and the command beside it."""

    def __init__(self, folder: Path, confidence: Confidence = Confidence.RTC) -> None:
        self.folder = folder
        self.store = DiskStore(folder)
        self.world = world = World(utc_s=MORNING - 86_400, store=self.store)  # type: ignore[arg-type]
        world.line.down = True
        world.clock.confidence = confidence
        save_config(self.store, world.config)
        self.desk: Desk | None = Desk(world.station, at_once)
        self.looks = 0
        self.drawn = random.Random(5).randbytes
        world.run(5)

    def live(self, seconds: float) -> None:
        """What the shell's loop does meanwhile."""
        if self.desk is None:
            self.world.clock.pass_s(seconds)
            return
        until_s = self.world.clock.utc_s + seconds
        while self.world.clock.utc_s < until_s:
            wait_s = min(self.desk.look(), self.world.station.tick(), until_s - self.world.clock.utc_s)
            self.looks += 1
            self.world.clock.pass_s(max(wait_s, 0.01))

    def stop(self) -> None:
        self.world.station.close()
        self.store.close()
        self.desk = None

    def run(self, *words: str | Path, typed: str | None = None) -> tuple[int, str]:
        group = click.Group()
        machine = Machine(lambda: self.world.clock, self.drawn, self.live)
        add_usb(group, plain_errors, machine)
        done = CliRunner().invoke(group, ["usb", *map(str, words)], input=typed)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    def trip(self, usb: Path) -> None:
        """The stick goes to the hub and comes back."""
        back = at_the_hub(self.world, from_folder(usb)).read("back.loa")
        assert back is not None
        for old in usb.glob("*.loa"):
            old.unlink()
        (usb / "back.loa").write_bytes(back)


def from_folder(usb: Path) -> MemoryStore:
    away = MemoryStore()
    for path in usb.glob("*.loa"):
        away.write(path.name, path.read_bytes())
    return away


@pytest.fixture
def box(tmp_path: Path) -> Running:
    return Running(tmp_path / "box")


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    (tmp_path / "usb").mkdir()
    return tmp_path / "usb"


def sounds(box: Running) -> list[int]:
    return [sound.series for sound in box.world.speaker.sounds]


# -- beside a running station --------------------------------------------------------------------------------


def test_a_running_station_takes_a_stick_and_plays_what_it_brought(box: Running, usb: Path) -> None:
    code, said = box.run("export", "--dir", box.folder, usb)
    assert (code, f"{UNIT}.from-station.loa: 0 segments" in said) == (0, True), said
    series = box.world.hub.programme(17 * 60, seconds=30)
    box.trip(usb)
    code, said = box.run("import", "--dir", box.folder, usb)
    assert code == 0, said
    assert "decisions, 0 receipts, 2 contents" in said
    assert "0 of the plan's contents are not whole yet" in said
    assert list((box.folder / "desk").glob("**/*.loa")) == [], "nothing of the copy is left"
    box.world.run_to(17 * 60 + 5)
    assert sounds(box) == [series]
    assert box.run("export", "--dir", box.folder, usb)[0] == 0
    at_the_hub(box.world, from_folder(usb))
    assert [ack.series for ack in box.world.hub.acks()] == [series]


def test_the_station_stays_in_time_while_it_unloads_a_large_stick(box: Running, usb: Path) -> None:
    assert box.run("export", "--dir", box.folder, usb)[0] == 0
    manifest = box.world.hub.content(60, text="long", size=120 * 65_536)
    box.world.hub.approve(manifest)
    box.world.hub.schedule(manifest, 17 * 60)
    box.trip(usb)
    box.looks = 0
    assert box.run("import", "--dir", box.folder, usb)[0] == 0
    assert box.looks >= 120 // 8, "it looked after itself every few pieces"
    assert BUSY_EVERY_S < LOOK_EVERY_S < 10


def test_the_commands_do_the_same_when_the_station_is_stopped(box: Running, usb: Path) -> None:
    box.stop()
    code, said = box.run("export", "--dir", box.folder, usb)
    assert (code, "It may be pulled out now" in said) == (0, True), said
    box.world.hub.programme(17 * 60, seconds=30)
    box.trip(usb)
    code, said = box.run("import", "--dir", box.folder, "--json", usb)
    assert code == 0
    done = json.loads(said)
    assert (done["wanting"], done["is_clean"], done["time"]) == (0, True, "")


def test_what_is_wrong_with_a_stick_is_said_as_if_the_station_were_stopped(box: Running, usb: Path) -> None:
    code, said = box.run("import", "--dir", box.folder, usb)
    assert (code, "stick-empty" in said) == (21, True), said
    (usb / "junk.loa").write_bytes(random.Random(1).randbytes(70_000))
    code, said = box.run("import", "--dir", box.folder, usb)
    assert (code, "There is no answer of the hub" in said) == (20, True), said
    box.run("export", "--dir", box.folder, usb)
    code, said = box.run("import", "--dir", box.folder, usb / f"{UNIT}.from-station.loa")
    assert (code, "There is no answer of the hub" in said) == (20, True), said
    code, said = box.run("import", "--dir", box.folder, "--json", usb / f"{UNIT}.from-station.loa")
    assert json.loads(said)["refused"] == "stick-no-answer"


def test_a_hostile_answer_changes_nothing_at_a_running_station(box: Running, usb: Path) -> None:
    assert box.run("export", "--dir", box.folder, usb)[0] == 0
    box.world.hub.programme(17 * 60)
    box.trip(usb)
    raw = (usb / "back.loa").read_bytes()
    found = [one for one in bundle.Scan(_Bytes(raw)).frames() if one.kind == Kind.REPLY]
    reply = bytearray(found[0].body)
    reply[-1] ^= 1
    frames = [bundle.frame(Kind.REPLY, bytes(reply)), bundle.frame(Kind.SEGMENT, b"\0" * 200)]
    writer = bundle.Writer(b"k" * 8, 0)
    (usb / "back.loa").write_bytes(writer.begin + b"".join(map(writer.add, frames)) + writer.end())
    before = box.world.station.ledger.position()
    code, said = box.run("import", "--dir", box.folder, usb)
    assert (code, "was not taken" in said) == (20, True), said
    assert box.world.station.ledger.position() == before


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def size(self) -> int:
        return len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


def test_a_card_without_room_for_the_copy_is_told_before_anything_is_copied(
    box: Running, usb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (usb / "big.loa").write_bytes(bytes(100_000))
    monkeypatch.setattr(DiskStore, "free_bytes", lambda self: RESERVE_BYTES + 99_999)
    code, said = box.run("import", "--dir", box.folder, usb)
    assert (code, "desk-full" in said) == (21, True), said
    assert not (box.folder / "desk" / "in" / "big.loa").exists()


def test_one_command_at_a_time_is_at_the_desk(box: Running, usb: Path) -> None:
    first = Beside(box.folder, entropy=box.drawn, sleep=box.live)
    code, said = box.run("export", "--dir", box.folder, usb)
    first.close()
    assert (code, "store-busy" in said) == (21, True), said
    assert box.run("export", "--dir", box.folder, usb)[0] == 0


def test_a_station_that_starts_anew_meanwhile_says_so_and_the_repeat_brings_the_rest(
    box: Running, usb: Path
) -> None:
    assert box.run("export", "--dir", box.folder, usb)[0] == 0
    manifest = box.world.hub.content(60, text="long", size=60 * 65_536)
    box.world.hub.approve(manifest)
    series = box.world.hub.schedule(manifest, 17 * 60)
    box.trip(usb)
    live, left = box.live, [6]

    def cut(seconds: float) -> None:
        left[0] -= 1
        if left[0] == 0:
            # SIGKILL and a supervisor: another process on the same folder.
            box.world.station.ledger.db.rollback()
            box.world.boot()
            box.desk = Desk(box.world.station, at_once)
        assert box.desk is not None
        box.desk.look()
        box.world.station.tick()
        box.world.clock.pass_s(0.2)

    box.live = cut  # type: ignore[method-assign]
    code, said = box.run("import", "--dir", box.folder, usb)
    assert (code, "desk-restarted" in said) == (21, True), said
    box.live = live  # type: ignore[method-assign]
    code, said = box.run("import", "--dir", box.folder, usb)
    assert "0 of the plan's contents are not whole yet" in said
    box.world.run_to(17 * 60 + 5)
    assert sounds(box) == [series]


@settings(max_examples=60, deadline=None)
@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.dictionaries(
            st.sampled_from(["id", "do", "word"]),
            st.one_of(st.none(), st.integers(), st.text(max_size=80), st.sampled_from(["yes", "import"])),
        ).map(lambda value: json.dumps(value).encode()),
        st.just(b"[" * 10_000),
        st.just(b'{"id":"a","do":"ask"}' + b" " * REQUEST_BYTES_MAX),
    )
)
def test_nothing_that_lies_at_the_desk_disturbs_the_station(data: bytes) -> None:
    world = World(utc_s=MORNING)
    desk = Desk(world.station, at_once)
    world.store.write("desk/request.json", data)
    for _ in range(30):
        desk.look()
        world.station.tick()
    position = world.station.ledger.position()
    said = world.store.read(ANSWER)
    assert said is None or json.loads(said)["state"] in ("done", "refused")
    assert world.station.ledger.position() == position
    world.store.close()


def test_a_stick_that_comes_while_an_exchange_is_under_way_costs_that_exchange_and_nothing_else() -> None:
    world = World(utc_s=MORNING, sync_period_s=300)
    world.run(60)
    away, left = MemoryStore(), [0]
    beside(world.station).send(away)
    series = world.hub.programme(360, seconds=30)
    back = at_the_hub(world, away)

    def meanwhile() -> None:
        left[0] += 1
        if left[0] == 1:
            assert beside(world.station).receive(back).is_clean

    world.line.hook = meanwhile
    world.run(3_600)
    assert left[0] > 3
    assert world.station.ledger.verify().problems == []
    assert [sound.series for sound in world.speaker.sounds] == [series]
    assert [ack.series for ack in world.hub.acks()] == [series]


# -- the person ----------------------------------------------------------------------------------------------


def with_an_emergency(box: Running, usb: Path) -> int:
    assert box.run("export", "--dir", box.folder, usb)[0] == 0
    series = box.world.hub.emergency(life_s=7_200)
    box.trip(usb)
    return series


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("typed", ["có\n", "ờ\ny\n", "ĐÚNG\n"])
def test_a_person_is_shown_the_order_and_the_time_and_says_yes(
    box: Running, usb: Path, typed: str, stopped: bool
) -> None:
    series = with_an_emergency(box, usb)
    if stopped:
        box.stop()
    code, said = box.run("import", "--dir", box.folder, usb, typed=typed)
    assert code == 0, said
    vietnamese_at = said.index("Bây giờ là 05:30, thứ ba 08-11-2022, đúng không?")
    assert vietnamese_at < said.index("It is now 05:30, Tuesday 08-11-2022")
    assert "Lũ quét" in said
    assert "đến 07:30, thứ ba 08-11-2022" in said
    assert "Đã ghi" in said
    if stopped:
        box.store = box.world.store = DiskStore(box.folder)  # type: ignore[assignment]
        box.world.boot()
    box.world.run(120)
    assert sounds(box) == [series]
    assert box.world.station.vouch.by_stick(box.world.hub.facts.emergencies[series][0].signed.id)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("không\n", ()), ("sai\n", ()), ("", ()), ("x\nx\nx\n", ()),
        (None, ("--confirm-time", "2022-11-08T05:40")),
    ],
)
def test_without_a_yes_everything_is_taken_in_and_the_emergency_waits(
    box: Running, usb: Path, typed: str | None, words: tuple[str, ...]
) -> None:
    series = with_an_emergency(box, usb)
    code, said = box.run("import", "--dir", box.folder, *words, usb, typed=typed)
    assert code == 20
    assert "0 of the plan's contents are not whole yet" in said
    assert "CHƯA phát" in said
    assert "timedatectl set-time" in said
    box.live(600)
    assert sounds(box) == []
    code, said = box.run("confirm", "--dir", box.folder, typed="y\n")
    assert (code, "Noted" in said) == (0, True), said
    box.live(60)
    assert sounds(box) == [series]
    code, said = box.run("confirm", "--dir", box.folder)
    assert (code, "Nothing waits" in said) == (0, True)


def test_a_script_must_name_the_time_and_is_never_answered_for(box: Running, usb: Path) -> None:
    series = with_an_emergency(box, usb)
    code, said = box.run("import", "--dir", box.folder, "--json", usb)
    assert (code, json.loads(said)["time"]) == (20, "open")
    box.live(300)
    assert sounds(box) == []
    code, said = box.run("confirm", "--dir", box.folder, "--json", "--confirm-time", "2022-11-08T06:35")
    assert (code, json.loads(said)["time"]) == (20, "wrong")
    now = box.world.clock.utc_s
    local = vietnamese(int(now))
    said_time = f"2022-11-08T{local[:5]}"
    code, said = box.run("confirm", "--dir", box.folder, "--json", "--confirm-time", said_time)
    assert (code, json.loads(said)["time"]) == (0, "confirmed")
    box.live(60)
    assert sounds(box) == [series]
    code, said = box.run("confirm", "--dir", box.folder, "--confirm-time", "half past five")
    assert (code, "--confirm-time" in said) == (2, True)


def test_a_clock_that_is_surely_wrong_is_not_asked_about(box: Running, usb: Path) -> None:
    with_an_emergency(box, usb)
    box.world.clock.confidence = Confidence.UNKNOWN
    box.world.clock.skew_s = -6 * 365 * 86_400.0
    code, said = box.run("import", "--dir", box.folder, usb, typed="có\n")
    assert code == 20
    assert "chắc chắn sai" in said
    assert "đúng không" not in said
    box.live(600)
    assert sounds(box) == []


def test_with_ntp_nobody_is_asked_and_it_plays(tmp_path: Path, usb: Path) -> None:
    box = Running(tmp_path / "box", Confidence.NTP)
    series = with_an_emergency(box, usb)
    code, said = box.run("import", "--dir", box.folder, usb)
    assert (code, "đúng không" in said) == (0, False), said
    box.live(60)
    assert sounds(box) == [series]


def test_times_are_said_in_words_and_read_to_the_minute() -> None:
    assert vietnamese(1_795_428_300) == "17:05, thứ hai 23-11-2026"
    assert english(1_795_428_300) == "17:05, Monday 23-11-2026"
    assert read_time("2026-11-23T17:05") == 1_795_428_300
    assert read_time("17:05") is None
    assert agrees(1_795_428_300, 1_795_428_300 + 179)
    assert not agrees(1_795_428_300, 1_795_428_300 + 181)
    assert not agrees(1_795_428_300, 1_795_428_300 - 121)


def test_a_reading_without_a_life_of_the_machine_is_never_confirmed(box: Running, usb: Path) -> None:
    with_an_emergency(box, usb)
    reading = box.world.clock.now

    def nameless() -> Now:
        now = reading()
        return Now(now.wall_s, now.mono_s, now.confidence)

    box.world.clock.now = nameless  # type: ignore[method-assign]
    code, _ = box.run("import", "--dir", box.folder, usb, typed="y\n")
    assert code == 20
    box.live(300)
    assert sounds(box) == []


def test_a_stick_is_looked_at_through_a_corner_of_the_store(tmp_path: Path) -> None:
    from ledger.log import Corner

    store = DiskStore(tmp_path)
    corner = Corner(store, "desk/in")
    corner.append("a.loa", b"x", 0)
    corner.move("a.loa", "b.loa")
    store.write("desk/other.loa", b"y")
    assert (corner.names(""), corner.size("b.loa"), corner.read("b.loa")) == (["b.loa"], 1, b"x")
    assert stick.look(corner).files == 1
    for bad in ("../x", "/x", ".x", "a//b"):
        with pytest.raises(StoreError):
            corner.read(bad)
    with pytest.raises(StoreError):
        corner.open_db("x.db")
    corner.clear()
    assert corner.names("") == []
    assert store.read("desk/other.loa") == b"y"
    store.close()


def test_the_real_process_is_visited_while_it_runs(tmp_path: Path, usb: Path) -> None:
    box = Running(tmp_path / "box")
    box.stop()
    with station(box.folder, None) as process:
        done = run("usb", "export", "--dir", str(box.folder), str(usb))
        assert done.returncode == 0, done.stderr
        box.world.hub.programme(17 * 60)
        box.trip(usb)
        done = run("usb", "import", "--dir", str(box.folder), "--json", str(usb))
        said = json.loads(done.stdout)
        assert (said["is_clean"], said["decisions"] >= 3, process.poll()) == (True, True, None), done.stderr
