"""A province in one process: promises hold under faults, and the same seed is the same run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from sim.checkers import WITHIN_A_RUN
from sim.planted import PLANTED
from sim.run import HELD, SOMETIMES, Setting, run

SMALL = Setting(seed=5, stations=3, days=1, scenario="plain")


def trace_elsewhere(setting: Setting, hash_seed: int) -> str:
    child = subprocess.run(
        [sys.executable, "-c", "import sys; from sim.cli import trace_of; print(trace_of(sys.stdin.read()))"],
        input=json.dumps(vars(setting)),
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return child.stdout.split()[-1]


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_every_promise_holds_under_faults_and_each_was_put_to_the_test(seed: int) -> None:
    report = run(Setting(seed=seed, stations=4, days=1, scenario="plain"))
    assert report.broken is None, report.broken
    assert report.exit_code == HELD
    assert all(report.checks[name] > 0 for name in WITHIN_A_RUN)
    assert set(SOMETIMES) <= set(report.sometimes)


def test_without_faults_every_approved_slot_is_heard() -> None:
    said = run(replace(SMALL, faults=0.0)).summary
    slots = said["slots"]
    assert isinstance(slots, dict)
    heard = slots["played"] + slots["played_late"]
    assert heard + slots["suppressed"] + slots["withdrawn"] == slots["planned"]
    assert heard > 0
    assert said["emergency"] == {"targets": 3, "reached": 3}
    assert said["unapproved_played"] == said["played_twice"] == said["unplanned"] == 0
    assert said["signatures"] == {"verified": said["segments"], "failed": 0}
    assert said["converged"] is True


def test_the_same_seed_gives_the_same_run_bit_for_bit_and_another_seed_another() -> None:
    one, again = run(SMALL), run(SMALL)
    assert one.trace == again.trace
    assert json.dumps(one.summary) == json.dumps(again.summary)
    assert run(replace(SMALL, seed=6)).trace != one.trace


def test_the_trace_does_not_depend_on_how_this_process_hashes() -> None:
    assert trace_elsewhere(SMALL, 1) == trace_elsewhere(SMALL, 4242) == run(SMALL).trace


def test_a_planted_iteration_order_leak_changes_the_trace_with_the_hash_seed() -> None:
    """I18 can see: events that pass through a set come out in another order in another process."""
    assert PLANTED["order-leak"].breaks == {"I18"}
    leaking = replace(SMALL, seed=1, planted="order-leak")
    traces = {trace_elsewhere(leaking, hash_seed) for hash_seed in (1, 2)}
    assert len(traces) > 1


def test_taking_a_station_out_leaves_the_others_faults_where_they_were() -> None:
    """Promised by the keyed rolls: the same station alone meets the same weather."""
    alone = run(replace(SMALL, stations=3, only=("vn.mau.00002",)))
    assert alone.broken is None
    assert alone.summary["it"] == 1
    without = run(replace(SMALL, without=("drop_reply", "hang", "deaf")))
    assert without.sometimes["reply lost"] == 0


def test_the_command_in_a_report_names_everything_the_run_depends_on() -> None:
    setting = Setting(
        seed=9, stations=4, days=2, scenario="plain", planted="accept-fork", only=("vn.mau.00001",),
        without=("portal",), faults=0.5, swarm=False, sync_period_s=1800,
    )  # fmt: skip
    assert setting.command() == (
        "loa sim run --seed 9 --days 2 --scenario plain --stations 4 --plant accept-fork --only vn.mau.00001 "
        "--without portal --faults 0.5 --no-swarm --sync-period 1800"
    )
