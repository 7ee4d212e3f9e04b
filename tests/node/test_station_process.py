"""A station as a real process: enrolled by its command, killed with SIGKILL again and again, asked how it is.

Time runs sixty times faster through a tempo file, so that half an hour of broadcasting fits a test. Only
processes started here are ended, by their own ids.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from loopback_hub import TOKEN, Hub, serving
from station_world import DAY, MORNING, UNIT, TestClock

from ledger.facts import expected, owed
from ledger.log import DiskStore
from node import load_config, load_key

SPEED = 60.0
REPO = Path(__file__).parents[2]


class FastClock(TestClock):
    """The hub's share of the same accelerated time."""

    def __init__(self, started_s: float) -> None:
        super().__init__(MORNING)
        self.started_s = started_s

    @property
    def utc_s(self) -> float:
        return MORNING + (time.monotonic() - self.started_s) * SPEED

    @utc_s.setter
    def utc_s(self, value: float) -> None:
        pass  # the base class sets the start; this one runs by itself


def loa_node(*words: str) -> list[str]:
    return [sys.executable, "-m", "node", *words]


def environment(tempo: Path | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "LOA_TEMPO"}
    kept["PYTHONPATH"] = str(REPO)
    if tempo is not None:
        kept["LOA_TEMPO"] = str(tempo)
    return kept


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        loa_node(*words),
        env=environment(None),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=REPO,
    )


@contextmanager
def station(folder: Path, tempo: Path | None) -> Iterator[subprocess.Popen[str]]:
    """`loa node run`, ready. Ended at the latest here, by its own id."""
    process = subprocess.Popen(
        loa_node("run", "--dir", str(folder), "--player", "null"),
        env=environment(tempo), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPO,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert line.startswith(f"READY {UNIT}"), (line, process.stderr and process.stderr.read())
        assert "`delivered`" in line
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[tuple[Hub, str, threading.RLock, Path]]:
    started_s = time.monotonic()
    tempo = tmp_path / "tempo.json"
    tempo.write_text(
        json.dumps({"anchors": [[started_s, MORNING], [started_s + 600, MORNING + 600 * SPEED]]})
    )
    with serving(FastClock(started_s)) as (hub, url, lock):
        yield hub, url, lock, tempo


def enrol(folder: Path, url: str) -> None:
    done = run("init", "--dir", str(folder), "--hub", url, "--token", TOKEN.text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"ENROLLED {UNIT} Tú Lệ")


def test_a_station_killed_again_and_again_answers_once_for_every_slot(
    tmp_path: Path, fast: tuple[Hub, str, threading.RLock, Path]
) -> None:
    hub, url, lock, tempo = fast
    folder = tmp_path / "station"
    with lock:
        for minute in range(345, 360, 3):
            hub.programme(minute, seconds=50, late_s=900)
    enrol(folder, url)
    key = load_key(DiskStore(folder, readonly=True))
    text = (folder / "station.toml").read_text().replace("sync_period_s = 900", "sync_period_s = 60")
    (folder / "station.toml").write_text(text)
    dice = random.Random(11)
    kills = 0
    deadline_s = time.monotonic() + 100
    while True:
        with station(folder, tempo) as process:
            time.sleep(dice.uniform(0.3, 2.5))
            process.send_signal(signal.SIGKILL)
            assert process.wait(10) == -signal.SIGKILL
        kills += 1
        with lock:
            owing = {slot.key for slot in expected(hub.facts, [UNIT], DAY) if owed(hub.facts, slot)}
            acks = [(ack.series, ack.day) for ack in hub.acks(key)]
        assert len(acks) == len(set(acks))
        if owing <= set(acks) and kills >= 5:
            break
        assert time.monotonic() < deadline_s, (owing - set(acks), kills)
    with lock:
        assert hub.ledger.verify().failed == 0
        assert hub.ledger.forks() == []
    seen = run("status", "--dir", str(folder), "--json")
    assert seen.returncode == 0, seen.stderr
    status = json.loads(seen.stdout)
    assert status["unit"] == UNIT
    assert sum(status["outcomes"].values()) == len(acks)
    assert (status["means"]["ceiling"], status["means"]["why"]) == ("delivered", "no-loudspeaker")


def test_sigterm_ends_a_station_cleanly_and_status_can_be_read_beside_it(
    tmp_path: Path, fast: tuple[Hub, str, threading.RLock, Path]
) -> None:
    _, url, _, tempo = fast
    folder = tmp_path / "station"
    enrol(folder, url)
    with station(folder, tempo) as process:
        time.sleep(0.5)
        beside = run("status", "--dir", str(folder))
        assert beside.returncode == 0, beside.stderr
        assert beside.stdout.startswith(f"Tú Lệ ({UNIT})")
        second = run("run", "--dir", str(folder), "--player", "null")
        assert second.returncode == 21
        assert second.stderr.startswith("store-busy")
        assert "Traceback" not in second.stderr
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert f"STOPPED {UNIT}" in out


def test_the_key_is_readable_by_the_owner_alone(
    tmp_path: Path, fast: tuple[Hub, str, threading.RLock, Path]
) -> None:
    _, url, _, _ = fast
    folder = tmp_path / "station"
    enrol(folder, url)
    assert (folder / "station.key").stat().st_mode & 0o777 == 0o600
    assert load_config(DiskStore(folder, readonly=True)).unit == UNIT
    again = run("init", "--dir", str(folder), "--hub", url, "--token", TOKEN.text)
    assert again.returncode == 20
    assert again.stderr.startswith("already-enrolled")


@pytest.mark.parametrize(
    ("words", "code", "slug"),
    [
        (("status", "--dir", "{dir}/nothing"), 21, "no-store"),
        (("run", "--dir", "{dir}/empty"), 21, "not-enrolled"),
        (("init", "--dir", "{dir}/a", "--hub", "http://127.0.0.1:9", "--token", "rubbish"), 19, "token-form"),
        (("init", "--dir", "{dir}/b", "--hub", "http://127.0.0.1:9", "--token", TOKEN.text), 24, "link"),
        (
            ("init", "--dir", "/proc/nope", "--hub", "http://127.0.0.1:9", "--token", TOKEN.text),
            21,
            "disk-failed",
        ),
    ],
    ids=["no folder", "not enrolled", "no token", "no hub", "no disk"],
)
def test_a_refused_command_says_why_in_two_lines_with_its_own_exit_code(
    tmp_path: Path, words: tuple[str, ...], code: int, slug: str
) -> None:
    done = run(*(word.replace("{dir}", str(tmp_path)) for word in words))
    assert (done.returncode, done.stderr.split(":")[0]) == (code, slug), done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
    assert "Traceback" not in done.stderr
