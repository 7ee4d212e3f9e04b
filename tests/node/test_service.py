"""A station under a service manager: a real datagram socket hears the real process, and the unit is judged
by systemd's own tools where they are installed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from loopback_hub import TOKEN, serving
from station_world import MORNING, NODE, UNIT, TestClock

from ledger.facts import Evidence
from ledger.log import NotAllowed
from ledger.service import BACKING_OFF, STATUS_CHARS_MAX, Manager, version_here, version_of
from node import Confidence, Station, StationConfig, SystemClock
from node.cli import _program, node
from node.service import status_line, unit_text
from node.shell import _loop
from node.status import Live, Status
from node.stick.desk import Desk
from node.wake import Wake

REPO = Path(__file__).parents[2]
ANALYZE = shutil.which("systemd-analyze")
EXPOSURE_MAX = 1.9  # of 10, "OK": what is left is the network, the sound card and reading the clock


class Ear:
    """What a service manager hears, datagram by datagram."""

    def __init__(self, address: str) -> None:
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind("\0" + address[1:] if address.startswith("@") else address)
        self.address = address

    def within(self, seconds: float) -> list[str]:
        """Everything that is said from now until so much later."""
        ends_s, heard = time.monotonic() + seconds, []
        while (left_s := ends_s - time.monotonic()) > 0:
            self.line.settimeout(left_s)
            try:
                heard.append(self.line.recv(4096).decode())
            except TimeoutError:
                break
        return heard

    def until(self, word: str, *, limit_s: float = 60) -> list[str]:
        """Everything up to the first datagram with this line."""
        self.line.settimeout(limit_s)
        heard: list[str] = []
        while not heard or word not in heard[-1].splitlines():
            heard.append(self.line.recv(4096).decode())
        return heard


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    found = Ear(str(tmp_path / "notify"))
    yield found
    found.line.close()


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "LOA_TEMPO"}
    return kept | {"PYTHONPATH": str(REPO)} | more


def loa_node(*words: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "node", *words], env=environment(**more), cwd=REPO, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
def planned(tmp_path: Path) -> tuple[Path, Path]:
    """(folder, tempo): a station that fetched its plan and content, and whose hub is gone since."""
    folder, tempo = tmp_path / "trạm loa", tmp_path / "tempo.json"
    began_s = time.monotonic()
    tempo.write_text(json.dumps({"anchors": [[began_s, MORNING], [began_s + 1, MORNING + 1]]}))

    class Running(TestClock):
        @property
        def utc_s(self) -> float:
            return MORNING + time.monotonic() - began_s

        @utc_s.setter
        def utc_s(self, value: float) -> None:
            pass

    with serving(Running(MORNING)) as (hub, url, lock):
        with lock:
            hub.programme(331, seconds=600, late_s=3_000)
        enrol = loa_node("init", "--dir", str(folder), "--hub", url, "--token", TOKEN.text)
        _, err = enrol.communicate(timeout=60)
        assert enrol.returncode == 0, err
        text = (folder / "station.toml").read_text() + "boot_spread_s = 0.0\n"
        (folder / "station.toml").write_text(text)
        process = loa_node("run", "--dir", str(folder), "--player", "null", LOA_TEMPO=str(tempo))
        try:
            blobs = folder / "blobs"
            ends_s = time.monotonic() + 40
            while sum(path.is_file() for path in blobs.rglob("*")) < 3:  # manifest, sound, text
                assert time.monotonic() < ends_s, [*folder.rglob("*")]
                time.sleep(0.05)
            time.sleep(0.5)
        finally:
            process.terminate()
            process.communicate(timeout=20)
    return folder, tempo


def test_a_station_without_network_is_ready_plays_signs_its_life_and_says_that_it_stops(
    planned: tuple[Path, Path], ear: Ear, tmp_path: Path
) -> None:
    folder, tempo = planned
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    began_s = time.monotonic()
    # Two minutes later: the slot of 05:31 is open, and nothing answers at the hub's address.
    tempo.write_text(json.dumps({"anchors": [[began_s, MORNING + 120], [began_s + 1, MORNING + 121]]}))
    process = loa_node(
        "run", "--dir", str(folder), "--player", "null",
        LOA_TEMPO=str(tempo), NOTIFY_SOCKET=ear.address, WATCHDOG_USEC="900000",
    )  # fmt: skip
    try:
        assert ear.until("READY=1") == ["READY=1"]
        first = ear.until("WATCHDOG=1")[-1]
        status = next(line for line in first.splitlines() if line.startswith("STATUS="))
        assert "playing “" in status, status
        assert UNIT in status
        assert "missing" not in status
        heard = [said for _ in range(5) for said in ear.until("WATCHDOG=1", limit_s=20)]
        assert not any("READY=1" in said for said in heard)
        process.send_signal(signal.SIGTERM)
        last = ear.until("STOPPING=1")
        assert all("READY" not in said for said in last)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert ear.within(0.3) == []
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=20)


class Scripted:
    """A station whose turns the test allows one by one, as a disk that hangs would."""

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)
        self.turns = 0

    def tick(self) -> float:
        assert self.allowed.acquire(timeout=30)
        self.turns += 1
        return 0.01

    def status(self) -> Status:
        return STATUS


class Quiet:
    def look(self) -> float:
        return 0.01


LIVE = Live(MORNING, Confidence.NTP, None, "", 2, 3, "null", Evidence.DELIVERED, 0)
CONFIG = StationConfig(UNIT, "Tú Lệ", "http://127.0.0.1:9", NODE.verify_key.raw, (NODE.verify_key.raw,))
STATUS = Status(UNIT, "Tú Lệ", "http://x", "00", 0, 0, 0, 0, 0, "2022-11-09", {}, 0, LIVE)


def test_ready_comes_after_the_first_look_and_a_turn_that_hangs_starves_the_watchdog(ear: Ear) -> None:
    station, wake, asked = Scripted(), Wake(), list[int]()
    manager = Manager(ear.address, 0.2, time.monotonic)
    clock = SystemClock(lambda: MORNING, time.monotonic, lambda: LIVE.confidence)
    loop = threading.Thread(
        target=_loop,
        args=(cast(Station, station), cast(Desk, Quiet()), clock, wake, asked, CONFIG, manager,
              manager.ready),
    )  # fmt: skip
    loop.start()
    try:
        assert ear.within(0.5) == []  # the first look is not over: neither ready nor alive
        station.allowed.release(100)
        assert ear.until("READY=1") == ["READY=1"]
        ear.until("WATCHDOG=1")
        ear.until("WATCHDOG=1")
        ends_s = time.monotonic() + 30
        while station.turns < 100:
            assert time.monotonic() < ends_s
            ear.within(0.05)
        ear.within(0.3)
        assert ear.within(0.6) == []  # three times what the manager allows: it would start us again
        station.allowed.release(100)
        assert ear.until("WATCHDOG=1")
    finally:
        asked.append(signal.SIGTERM)
        station.allowed.release(5_000)
        loop.join(20)


def test_an_abstract_socket_is_spoken_to_as_well() -> None:
    ear = Ear(f"@loa-test-{os.getpid()}")
    try:
        environ = {"NOTIFY_SOCKET": ear.address}
        Manager.of(environ, 7, time.monotonic).ready()
        assert ear.within(0.2) == ["READY=1"]
    finally:
        ear.line.close()


def test_children_do_not_inherit_what_is_ours_to_say() -> None:
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "7", "HOME": "/root"}
    Manager.of(environ, 7, time.monotonic)
    assert environ == {"HOME": "/root"}


def test_a_watchdog_meant_for_another_process_is_not_ours(ear: Ear) -> None:
    def of(**more: str) -> float:
        return Manager.of({"NOTIFY_SOCKET": ear.address, **more}, 7, time.monotonic).pause_s

    assert of(WATCHDOG_USEC="9000000", WATCHDOG_PID="8") == float("inf")
    assert of(WATCHDOG_USEC="9000000", WATCHDOG_PID="7") == of(WATCHDOG_USEC="9000000") == 3.0
    assert of() == of(WATCHDOG_USEC="0") == float("inf")
    assert Manager.of({"WATCHDOG_USEC": "9000000"}, 7, time.monotonic).pause_s == float("inf")


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_whatever_the_environment_holds_nothing_breaks(address: str, period: str, pid: str) -> None:
    environ = {"NOTIFY_SOCKET": "nowhere" + address, "WATCHDOG_USEC": period, "WATCHDOG_PID": pid}
    manager = Manager.of(environ, 7, lambda: 0.0)
    manager.ready()
    manager.turned(lambda: "x")
    assert manager.pause_s > 0


def test_nobody_listening_and_nobody_reading_hold_nothing_up(
    ear: Ear, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Manager(str(tmp_path / "nobody"), 1.0, time.monotonic).ready()
    full = Manager(ear.address, 1.0, time.monotonic)
    began_s = time.monotonic()
    for _ in range(2_000):  # the queue of a socket holds a few hundred
        full.ready()
    assert time.monotonic() - began_s < 20
    assert 0 < len(ear.within(0.2)) < 2_000
    assert len(caplog.records) == 2  # said once for each of them


def test_a_ready_that_was_not_heard_is_said_again(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "later"), 1.0, lambda: 0.0)
    manager.ready()
    late = Ear(str(tmp_path / "later"))
    try:
        manager.turned(lambda: "")
        assert late.within(0.2) == ["READY=1", "WATCHDOG=1\n"]
    finally:
        late.line.close()


def test_a_sign_of_life_is_not_repeated_with_every_turn(ear: Ear) -> None:
    now_s = [100.0]
    manager = Manager(ear.address, 90.0, lambda: now_s[0])
    assert manager.pause_s == 30.0
    heard = []
    for turn in range(600):  # ten minutes, a turn a second
        manager.turned(lambda: "as before")
        now_s[0] += 1
        if turn % 60 == 0:
            heard += ear.within(0.01)
    heard += ear.within(0.2)
    assert heard[0] == "WATCHDOG=1\nSTATUS=as before\n"
    assert set(heard[1:]) == {"WATCHDOG=1\n"}
    assert len(heard) == 40


def test_a_title_cannot_speak_to_the_manager(ear: Ear) -> None:
    manager = Manager(ear.address, 90.0, lambda: 0.0)
    manager.turned(lambda: "tin\nSTOPPING=1\nWATCHDOG=trigger" + "ờ" * 9_999)
    (said,) = ear.within(0.2)
    assert said.splitlines()[0] == "WATCHDOG=1"
    assert said.splitlines()[1].startswith("STATUS=tin STOPPING=1 WATCHDOG=trigger")
    assert len(said.splitlines()) == 2
    assert len(said) < STATUS_CHARS_MAX + 30


def test_the_line_for_people_says_what_is_wrong() -> None:
    assert status_line(STATUS) == (
        f"Tú Lệ ({UNIT}): silent, clock ntp, 2 pieces of content missing, 3 exchanges in a row failed, "
        "last good exchange never"
    )
    told = status_line(replace(STATUS, outcomes={"played": 3, "missed": 1}))
    assert "today 1 missed, 3 played, last good exchange" in told


# -- the unit ------------------------------------------------------------------------------------------------


def unit_of(**more: Any) -> str:
    given_ = {
        "folder": "/var/lib/loa", "user": "loa", "name": "Tú Lệ (vn.yb.04630)",
        "command": [sys.executable, "node", "run", "--dir", "/var/lib/loa"],
    }  # fmt: skip
    return unit_text(**(given_ | more))


def settings(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_gives_the_station_its_folder_and_its_sound_and_nothing_else() -> None:
    found = settings(unit_of())
    assert found["Type"] == ["notify"]
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert found["User"] == ["loa"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["ReadWritePaths"] == ["/var/lib/loa"]
    assert found["DeviceAllow"] == ["char-alsa rw"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["ProtectHome"] == ["yes"]
    assert settings(unit_of(folder="/home/pi/loa"))["ProtectHome"] == ["read-only"]


def test_the_unit_waits_for_no_network_and_may_ask_whether_ntp_keeps_the_clock() -> None:
    found = settings(unit_of())
    order = " ".join(found["After"] + found.get("Wants", []) + found.get("Requires", []))
    assert "network" not in order
    assert "time-sync" not in order  # with some NTP services that one waits for a server
    assert "time-set.target" in order
    assert "ProtectClock" not in found
    assert "ProcSubset" not in found  # the boot's name lies under /proc/sys
    assert "clock_adjtime" in found["SystemCallFilter"][-1]  # after what takes the others away


def test_a_systemd_that_can_wait_longer_each_time_is_told_to_and_an_older_one_is_told_nothing_of_it() -> None:
    for version in (0, BACKING_OFF - 1):
        found = settings(unit_of(systemd=version))
        assert (found["RestartSec"], "RestartSteps" in found) == (["10"], False)
    found = settings(unit_of(systemd=BACKING_OFF))
    assert (found["RestartSteps"], found["RestartMaxDelaySec"]) == (["6"], ["300"])


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("systemd 252 (252.39-1~deb12u2)\n+PAM +AUDIT", 252), ("systemd 257", 257),
        ("", 0), ("openrc 0.45", 0), ("systemd x", 0), ("systemd 9999999999", 0),
    ],
)  # fmt: skip
def test_the_version_of_systemd_is_what_it_says(said: str, version: int) -> None:
    assert version_of(said) == version


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"user": "root"}, "unit-root"),
        ({"user": "0"}, "unit-root"),
        ({"user": ""}, "unit-root"),
        ({"folder": "var/lib/loa"}, "unit-path"),
        ({"command": ["loa", "node"]}, "unit-path"),
        ({"folder": "/var/lib/loa\nExecStartPre=/bin/sh"}, "unit-text"),
        ({"name": "Tú Lệ\n[Service]"}, "unit-text"),
        ({"command": ["/bin/loa", "a\x7f"]}, "unit-text"),
    ],
)
def test_what_cannot_stand_in_a_unit_is_refused(more: dict[str, Any], code: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        unit_of(**more)
    assert refused.value.code == code


def test_the_command_prints_the_unit_of_an_enrolled_folder_only(planned: tuple[Path, Path]) -> None:
    folder, _ = planned
    done = CliRunner().invoke(node, ["unit", "--dir", str(folder), "--player", "null", "--user", "nobody"])
    assert done.exit_code == 0, done.output
    found = settings(done.stdout)
    assert found["Description"] == [f"Loa station Tú Lệ ({UNIT})"]
    assert found["ExecStart"][0].endswith(f'node run --dir "{folder.resolve()}" --player null')
    assert f"chown -R nobody {folder.resolve()}" in done.stderr
    (folder.parent / "empty").mkdir()
    refused = CliRunner().invoke(node, ["unit", "--dir", str(folder.parent / "empty")])
    assert (refused.exit_code, refused.stderr.split(":")[0]) == (21, "not-enrolled")


def test_the_unit_names_the_program_as_it_was_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = tmp_path / "0.1.0"
    version.mkdir()
    (version / "loa").touch()
    (tmp_path / "current").symlink_to("0.1.0")
    called = str(tmp_path / "current" / "loa")
    monkeypatch.setattr(sys, "argv", [called, "node", "unit"])
    assert _program() == [called]  # the link, so that an upgrade moves the service with it
    monkeypatch.setattr(sys, "argv", ["loa"])
    monkeypatch.setattr(sys, "executable", str(version / "python"))
    assert _program() == [str(version / "loa")]
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert _program() == ["/usr/bin/python3", "-m", "sim.main"]


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run(
        [ANALYZE, *words], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")
@pytest.mark.parametrize("folder", ["/var/lib/loa", '/srv/trạm "loa" 100% $HOME\\x; y'])
def test_systemd_takes_the_unit_without_a_complaint(tmp_path: Path, folder: str) -> None:
    path = tmp_path / "loa.service"
    command = [sys.executable, "node", "run", "--dir", folder]
    path.write_text(unit_of(folder=folder, command=command, systemd=version_here()))
    done = analyze("verify", "--man=no", "--recursive-errors=no", str(path))
    told = [line for line in done.stderr.splitlines() if "loa.service" in line]
    assert told == [], done.stderr


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")
def test_systemd_finds_the_unit_hardly_exposed(tmp_path: Path) -> None:
    path = tmp_path / "loa.service"
    path.write_text(unit_of())
    done = analyze("security", "--offline=true", "--no-pager", str(path))
    found = re.search(r"Overall exposure level for loa\.service: ([0-9.]+)", done.stdout)
    if found is None:
        pytest.skip(f"systemd-analyze cannot judge a file here: {done.stderr.strip()[-200:]}")
    assert float(found[1]) <= EXPOSURE_MAX, done.stdout
