"""The hub under a service manager: a real datagram socket hears the real process, and the unit is judged by
systemd's own tools where they are installed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hub_house import House

from hub import serving
from hub.cli import hub
from hub.service import Pulse, called_at, status_line, unit_text
from hub.serving import _answers, _upkeep
from hub.web import create_app, listen
from ledger.log import NotAllowed
from ledger.service import Manager, version_here

ANALYZE = shutil.which("systemd-analyze")
EXPOSURE_MAX = 1.4  # of 10, "OK": what is left is the network and reading the clock


class Ear:
    """What a service manager hears, line by line."""

    def __init__(self, path: Path) -> None:
        self.address = str(path)
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind(self.address)

    def within(self, seconds: float) -> list[str]:
        """Everything that is said from now until so much later."""
        ends_s, heard = time.monotonic() + seconds, list[str]()
        while (left_s := ends_s - time.monotonic()) > 0:
            self.line.settimeout(left_s)
            try:
                heard += self.line.recv(4096).decode().splitlines()
            except TimeoutError:
                break
        return heard

    def until(self, word: str, *, limit_s: float = 60) -> list[str]:
        """Everything up to the first datagram with this line."""
        self.line.settimeout(limit_s)
        heard: list[str] = []
        while word not in heard:
            heard += self.line.recv(4096).decode().splitlines()
        return heard


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    found = Ear(tmp_path / "notify")
    yield found
    found.line.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "hub"
    done = CliRunner().invoke(hub, ["init", "--dir", str(made), "--demo-accounts", "--cheap-kdf"])
    assert done.exit_code == 0, done.output
    return made


@pytest.mark.parametrize("secure", [False, True])
def test_a_hub_is_ready_when_it_answers_signs_its_life_and_says_that_it_stops(
    folder: Path, ear: Ear, secure: bool
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve", "--dir", str(folder), "--port", "0",
         *(["--secure"] if secure else [])],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "900000"},
    )  # fmt: skip
    try:
        assert ear.until("READY=1") == ["READY=1"]
        first = ear.until("WATCHDOG=1")
        first += ear.within(0.3)
        assert any(said.startswith("STATUS=Yên Bái (vn.yb): ") for said in first), first
        for _ in range(3):
            assert "READY=1" not in ear.until("WATCHDOG=1", limit_s=20)
        process.send_signal(signal.SIGTERM)
        ear.until("STOPPING=1")
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=20)


def test_a_hub_that_does_not_answer_is_neither_ready_nor_alive(ear: Ear) -> None:
    answers = [False]
    pulse = Pulse(Manager(ear.address, 0.02, time.monotonic), lambda: answers[0], lambda: "x")
    pulse.turned()
    pulse.turned()
    assert ear.within(0.1) == []
    answers[0] = True
    pulse.turned()
    assert ear.within(0.1) == ["READY=1", "WATCHDOG=1", "STATUS=x"]
    answers[0] = False
    for _ in range(5):
        pulse.turned()
        time.sleep(0.01)
    assert ear.within(0.1) == []
    answers[0] = True
    pulse.turned()
    assert ear.within(0.1) == ["WATCHDOG=1"]


def test_a_deadlock_on_the_hubs_lock_starves_the_watchdog(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "TICK_S", 0.01)
    house, stop = House(), threading.Event()
    pulse = Pulse(Manager(ear.address, 0.06, time.monotonic), lambda: True, lambda: "x")
    upkeep = threading.Thread(target=_upkeep, args=(house.hub, stop, lambda: None, pulse.turned))
    upkeep.start()
    try:
        ear.until("READY=1")
        ear.until("WATCHDOG=1")
        with house.hub.lock:
            ear.within(0.2)
            assert ear.within(0.3) == []
        ear.until("WATCHDOG=1")
    finally:
        stop.set()
        upkeep.join(20)


def test_nobody_who_asks_means_no_call_to_itself() -> None:
    calls: list[int] = []
    pulse = Pulse(Manager("", 0.0, time.monotonic), lambda: bool(calls.append(1)), lambda: "x")
    for _ in range(10):
        pulse.turned()
    assert calls == []


def test_the_call_to_itself_is_answered_by_the_web_server_and_by_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "OWN_CALL_S", 0.2)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        assert not _answers("127.0.0.1", mute.getsockname()[1])  # takes the call and says nothing
        gone = mute.getsockname()[1]
    assert not _answers("127.0.0.1", gone)
    monkeypatch.setattr(serving, "OWN_CALL_S", 20.0)
    sockets: dict[int, Any] = {}
    server = listen(
        create_app(House().hub, ticks=time.monotonic, secure=True), host="127.0.0.1", port=0, sockets=sockets
    )
    ends = threading.Event()

    def loop() -> None:
        while not ends.is_set():
            server.asyncore.poll(0.05, sockets)

    turning = threading.Thread(target=loop)
    turning.start()
    try:
        assert _answers("127.0.0.1", server.effective_port)
    finally:
        ends.set()
        turning.join(20)
        server.task_dispatcher.shutdown()
        server.close()


@pytest.mark.parametrize(
    ("host", "called"),
    [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.1.2.3", "10.1.2.3"),
        ("hub.example", "hub.example"), ("", "127.0.0.1"),
    ],
)  # fmt: skip
def test_it_calls_itself_where_it_listens(host: str, called: str) -> None:
    assert called_at(host) == called


def test_the_line_for_people_names_each_doubt() -> None:
    doubts = ["clock-unsynchronised: the kernel says that no NTP daemon keeps this clock. …"]
    assert status_line("Yên Bái", "vn.yb", 7, doubts) == (
        "Yên Bái (vn.yb): 7 segments in the ledger, clock-unsynchronised"
    )


# -- the unit ------------------------------------------------------------------------------------------------


def unit_of(**more: Any) -> str:
    given = {
        "folder": "/var/lib/loa-hub", "user": "loa-hub", "name": "Yên Bái (vn.yb)", "systemd": version_here(),
        "command": [sys.executable, "hub", "serve", "--dir", "/var/lib/loa-hub"],
    }  # fmt: skip
    return unit_text(**(given | more))


def settings(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_the_hubs_unit_gives_it_its_folder_and_no_device() -> None:
    found = settings(unit_of())
    assert found["Type"] == ["notify"]
    assert found["Restart"] == ["always"]
    assert found["ReadWritePaths"] == ["/var/lib/loa-hub"]
    assert found["PrivateDevices"] == ["yes"]
    assert found["CapabilityBoundingSet"] == [""]
    assert "ProtectClock" not in found  # it would forbid to ask whether NTP keeps the clock
    assert "clock_adjtime" in found["SystemCallFilter"][-1]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"user": "root"}, "unit-root"),
        ({"folder": "var/lib/loa-hub"}, "unit-path"),
        ({"command": ["loa", "hub"]}, "unit-path"),
        ({"name": "Yên Bái\n[Service]"}, "unit-text"),
    ],
)
def test_what_cannot_stand_in_the_hubs_unit_is_refused(more: dict[str, Any], code: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        unit_of(**more)
    assert refused.value.code == code


def test_the_command_prints_the_unit_of_a_founded_hub_only(folder: Path, tmp_path: Path) -> None:
    words = ["unit", "--dir", str(folder), "--user", "nobody", "--host", "10.1.2.3", "--port", "8090"]
    done = CliRunner().invoke(hub, [*words, "--secure", "--doorbell-port", "8081"])
    assert done.exit_code == 0, done.output
    found = settings(done.stdout)
    assert found["Description"] == ["Loa hub Yên Bái (vn.yb)"]
    assert found["ExecStart"][0].endswith(
        f"hub serve --dir {folder.resolve()} --host 10.1.2.3 --port 8090 --doorbell-port 8081 --secure"
    )
    assert f"chown -R nobody {folder.resolve()}" in done.stderr
    (tmp_path / "empty").mkdir()
    refused = CliRunner().invoke(hub, ["unit", "--dir", str(tmp_path / "empty")])
    assert refused.exit_code == 21
    assert "[Unit]" not in refused.output


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run(
        [ANALYZE, *words], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")
@pytest.mark.parametrize("folder", ["/var/lib/loa-hub", '/srv/tỉnh "hub" 100% $HOME\\x; y'])
def test_systemd_takes_the_hubs_unit_without_a_complaint(tmp_path: Path, folder: str) -> None:
    path = tmp_path / "loa-hub.service"
    path.write_text(unit_of(folder=folder, command=[sys.executable, "hub", "serve", "--dir", folder]))
    done = analyze("verify", "--man=no", "--recursive-errors=no", str(path))
    assert [line for line in done.stderr.splitlines() if "loa-hub.service" in line] == [], done.stderr


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")
def test_systemd_finds_the_hubs_unit_hardly_exposed(tmp_path: Path) -> None:
    path = tmp_path / "loa-hub.service"
    path.write_text(unit_of())
    done = analyze("security", "--offline=true", "--no-pager", str(path))
    found = re.search(r"Overall exposure level for loa-hub\.service: ([0-9.]+)", done.stdout)
    if found is None:
        pytest.skip(f"systemd-analyze cannot judge a file here: {done.stderr.strip()[-200:]}")
    assert float(found[1]) <= EXPOSURE_MAX, done.stdout
