"""The real process on a real disk that has no room, or turns read-only under it.

A file system of its own, so only where mounting is allowed (root on Linux); elsewhere the same is tested with
a disk that says no by order (`test_ground.py`).
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from loopback_hub import TOKEN, serving
from station_world import MORNING
from test_station_process import FastClock, environment

from ledger.facts import Outcome, read_condition
from ledger.log import DiskStore
from node import load_key
from node.cli import node

REPO = Path(__file__).parents[2]
LIMIT_S = 60.0


def ran(*words: str) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


class Card:
    """A real ext4 of 64 MiB in a file."""

    def __init__(self, image: Path, path: Path) -> None:
        self.image, self.path = image, path

    def insert(self) -> bool:
        return ran("mount", "-o", "loop,errors=remount-ro", str(self.image), str(self.path))

    def fail(self) -> None:
        """As the kernel does after an error of the card: read-only under the open files."""
        assert ran("mount", "-o", "remount,abort", str(self.path)) or not os.access(self.path, os.W_OK)
        with pytest.raises(OSError, match="Read-only"):
            (self.path / "x").write_bytes(b"x")

    def mend(self) -> None:
        assert ran("umount", str(self.path)), "somebody still holds a file on a disk that cannot be written"
        subprocess.run(["e2fsck", "-fy", str(self.image)], capture_output=True, check=False)
        assert self.insert()


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Card]:
    image, path = tmp_path / "card.img", tmp_path / "card"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    path.mkdir()
    found = Card(image, path)
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("mounting is not allowed here")
    if not ran("mkfs.ext4", "-q", "-m", "0", str(image)) or not found.insert():
        pytest.skip("no loop device here")
    try:
        yield found
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def until(found: Callable[[], bool], what: str) -> None:
    ends_s = time.monotonic() + LIMIT_S
    while not found():
        assert time.monotonic() < ends_s, what
        time.sleep(0.1)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 4_096, 512):
            try:
                while True:
                    ballast.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 — the loop ends by it


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_real_station_goes_on_in_memory_and_comes_home(card: Card, tmp_path: Path, how: str) -> None:
    folder, tempo = card.path / "station", tmp_path / "tempo.json"
    began_s = time.monotonic()
    tempo.write_text(json.dumps({"anchors": [[began_s, MORNING], [began_s + 600, MORNING + 36_000]]}))
    env = environment(tempo) | {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
    (tmp_path / "run").mkdir(mode=0o700)
    with serving(FastClock(began_s)) as (hub, url, lock):
        with lock:
            for minute in (346, 352, 358, 364):
                hub.programme(minute, seconds=40, late_s=900)
        done = subprocess.run(
            [sys.executable, "-m", "node", "init", "--dir", str(folder), "--hub", url, "--token", TOKEN.text],
            env=environment(None), cwd=REPO, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        key = load_key(DiskStore(folder, readonly=True))
        text = (folder / "station.toml").read_text().replace("sync_period_s = 900", "sync_period_s = 60")
        (folder / "station.toml").write_text(text + "boot_spread_s = 0.0\n")
        process = subprocess.Popen(
            [sys.executable, "-m", "node", "run", "--dir", str(folder), "--player", "null"], env=env,
            cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

        def storage() -> int:
            with lock:
                return read_condition(hub.answered[-1]).storage if hub.answered else -1

        def acked() -> set[int]:
            with lock:
                return {ack.series for ack in hub.acks(key)}

        try:
            until(lambda: 1 in acked(), "the first slot was not played")
            if how == "full":
                fill(card.path / "ballast")
                with lock:  # as long as nothing grows, a full disk disturbs nobody
                    for minute in range(600, 700):
                        hub.programme(minute, seconds=20)
            else:
                card.fail()
            until(lambda: storage() in (1, 2), "the hub was not told that the disk takes nothing")
            assert storage() == (1 if how == "full" else 2)
            until(lambda: {2, 3} <= acked(), "it did not play on")
            seen = CliRunner(env={"RUNTIME_DIRECTORY": str(tmp_path / "run")}).invoke(
                node, ["doctor", "--dir", str(folder)]
            )
            assert "lies in memory" in seen.output, seen.output
            if how == "full":
                (card.path / "ballast").unlink()
            else:
                card.mend()
            until(lambda: storage() == 0, "it did not come home")
            until(lambda: 4 in acked(), "it did not play on at home")
            process.terminate()
            out, err = process.communicate(timeout=20)
            assert process.returncode == 0, err
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate(timeout=20)
        assert "the station goes on in memory" in out
        assert "what was kept in memory is on the disk" in out
        with lock:
            acks = [(ack.series, ack.outcome) for ack in hub.acks(key)]
            assert len({series for series, _ in acks}) == len(acks)
            assert {1, 2, 3, 4} <= {series for series, _ in acks}
            assert {outcome for _, outcome in acks} <= {Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL}
            assert hub.ledger.forks() == []
            assert hub.ledger.branches() == []
        seen = CliRunner().invoke(node, ["doctor", "--dir", str(folder)])
        assert seen.exit_code == 0, seen.output


def test_the_commands_look_and_mend_and_never_put_an_old_copy_over_a_good_database(tmp_path: Path) -> None:
    import random

    from test_mending import die, night, world_on, wreck

    folder = tmp_path / "station"
    world = world_on(folder)
    world.run_to(350)
    night(world)
    die(world)
    looked = CliRunner().invoke(node, ["doctor", "--dir", str(folder)])
    assert looked.exit_code == 0, looked.output
    assert "copy of" in looked.output
    refused = CliRunner().invoke(node, ["restore", "--dir", str(folder)])
    assert (refused.exit_code, refused.stderr.split(":")[0]) == (20, "nothing-damaged")
    (folder / "station.key").write_text("damaged")
    only_key = CliRunner().invoke(node, ["restore", "--dir", str(folder)])
    assert only_key.output.splitlines() == ["RESTORED station.key from its copy"]
    wreck(folder / "ledger.db", random.Random(4), 12)
    looked = CliRunner().invoke(node, ["doctor", "--dir", str(folder)])
    assert looked.exit_code == 21
    assert "BAD database" in looked.output
    mended = CliRunner().invoke(node, ["restore", "--dir", str(folder)])
    assert mended.exit_code == 0, mended.output
    assert "from its own copy" in mended.output
    assert CliRunner().invoke(node, ["doctor", "--dir", str(folder)]).exit_code == 0
    said = CliRunner().invoke(node, ["status", "--dir", str(folder)])
    assert "last copy of the database" in said.output
