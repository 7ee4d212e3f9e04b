"""Receiver clusters in the simulator: a province with them keeps every promise; the bank is a true one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from node import read_clusters
from sim.cli import sim
from sim.clusters import LIE, WELL, Bank, Ill, Receiver, village
from sim.faults import Dice
from sim.run import Setting, run


@pytest.mark.parametrize("seed", [3, 4])
def test_a_province_with_clusters_keeps_its_promises_and_tells_what_they_did(seed: int) -> None:
    report = run(Setting(seed=seed, stations=3, days=1, clusters=8))
    assert report.broken is None
    assert report.sometimes["cluster vector judged"] > 5
    assert "--clusters 8" in report.setting.command()


def test_the_same_seed_gives_the_same_run_with_clusters_too() -> None:
    setting = Setting(seed=5, stations=2, days=1, clusters=3)
    assert run(setting).trace == run(setting).trace


def test_a_cluster_told_as_what_it_cannot_have_been_is_a_broken_promise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: the station takes every answer for a good one; three of these receivers are muted."""
    from node.clusters.driver import Said

    monkeypatch.setattr(Said, "audible", True)
    report = run(Setting(seed=1, stations=2, days=1, clusters=8))
    assert report.broken is not None
    assert report.broken.invariant == "I20"


def test_a_village_has_some_of_each_ailment_and_most_are_well() -> None:
    ills = [one.ill for n in range(20) for one in village(20, Dice(1), f"vn.yb.{n:05d}").receivers]
    assert sum(ill == WELL for ill in ills) > 200
    assert sum(ill.dead for ill in ills) > 5
    assert sum(ill.lying for ill in ills) > 2


def test_a_receiver_that_comes_and_goes_starts_a_new_life_each_time() -> None:
    one = Receiver(1, b"k" * 32, Dice(1).entropy("one"), Ill(flaps_s=100.0))
    lives = set()
    for now_s in (0.0, 250.0, 450.0):
        assert one.sounding(now_s) is None
        one.sounding(now_s + 100.0)  # dark
        lives.add(one.life)
    assert len(lives) == 3


def test_what_a_bank_sounds_is_what_ails_it_allows() -> None:
    bank = Bank(3, Dice(1), ills={0: Ill(dead=True), 1: Ill(muted=True), 2: Ill(lying=True)})
    for one in bank.receivers:
        one.item, one.powered, one.volume, one.until_s = b"i" * 16, True, 100, 1e9
    assert bank.sounding(5.0) == [None, None, LIE]


def test_a_bank_stands_behind_real_sockets_until_it_is_told_to_stop(tmp_path: Path) -> None:
    file = tmp_path / "clusters.toml"
    command = [sys.executable, "-m", "sim.main", "sim", "clusters", "--count", "4", "--port", "45210"]
    with subprocess.Popen(
        [*command, "--driver", "both", "--dead", "2", "--write", str(file)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("READY 4 receivers on 127.0.0.1:45210–45213 (both), 1 of")
        entries = read_clusters(file.read_text("utf-8"))
        assert file.stat().st_mode & 0o077 == 0
        node = [sys.executable, "-m", "sim.main", "node", "clusters"]
        checked = subprocess.run(
            [*node, "check", "--dir", str(tmp_path)], capture_output=True, text=True, check=False
        )
        tried = subprocess.run(
            [*node, "test", "3", "--seconds", "1", "--dir", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert [(one.number, one.driver) for one in entries] == [(1, "udp"), (2, "http"), (3, "udp"), (4, "http")]
    assert checked.returncode == 20
    assert "3/4 cụm loa trả lời" in checked.stdout
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert tried.stdout.splitlines()[0] == "3 Cụm loa 3: đang phát / sounding"


@pytest.mark.parametrize("wrong", ["0", "5", "x", "1,,9"])
def test_a_receiver_that_there_is_not_cannot_be_ill(wrong: str) -> None:
    said = CliRunner().invoke(sim, ["clusters", "--count", "4", "--dead", wrong])
    assert said.exit_code == 2
    assert "from 1 to 4" in said.output
