"""The bench: its workload is the stated one, its figures are counted, and it says what it misses.

No test here asks how fast anything is.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.facts import Acknowledged, Outcome, parse
from sim.bench import wire
from sim.bench.cli import bench
from sim.bench.table import RATIOS, TARGETS, Target, lines
from sim.bench.workload import CATALOGUE, SLOTS_A_DAY, acknowledgments, decisions, programme

ROOT = Path(__file__).parents[2]
EVENTS = 1000


@pytest.fixture(scope="module")
def facts() -> list[Acknowledged]:
    found = [parse(event) for event in acknowledgments(programme(5, EVENTS), 5, 0)]
    assert all(isinstance(fact, Acknowledged) for fact in found)
    return found  # type: ignore[return-value]


def test_the_same_seed_gives_the_same_workload_and_another_another() -> None:
    plan = programme(5, EVENTS)
    assert plan == programme(5, EVENTS)
    assert plan != programme(6, EVENTS)
    assert acknowledgments(plan, 5, 0) == acknowledgments(plan, 5, 0)
    assert acknowledgments(plan, 5, 0) != acknowledgments(plan, 5, 1)


def test_the_workload_has_the_shares_that_its_page_states(facts: list[Acknowledged]) -> None:
    outcomes = Counter(fact.outcome for fact in facts)
    assert 940 <= outcomes[Outcome.PLAYED] <= 995
    assert len(outcomes) == 5
    deviations = sorted(fact.jitter_cs for fact in facts)
    assert 120 <= deviations[500] <= 180
    assert 300 <= deviations[840] <= 400
    assert Counter(fact.volume for fact in facts).most_common(1)[0][1] > 850
    assert len({fact.day for fact in facts}) == -(-EVENTS // SLOTS_A_DAY)
    assert len({fact.content for fact in facts}) > CATALOGUE * 0.9


def test_every_acknowledged_slot_was_decided(facts: list[Acknowledged]) -> None:
    decided = {fact.series: fact for fact in decisions(programme(5, EVENTS), "vn.yb", 0)}
    for fact in facts:
        assert decided[fact.series].manifest[:16] == fact.content


def test_the_bytes_are_those_that_crossed_and_were_read_on_the_other_side() -> None:
    found = wire.measure(5)
    assert found["verify_failed"] == 0
    assert found["w2_bytes"]["up"] > EVENTS * found["floor_bytes_per_event"]
    assert found["w2_bytes_per_event"] * EVENTS == pytest.approx(
        found["w2_bytes"]["up"] + found["w2_bytes"]["down"], abs=5
    )
    assert found["bytes_per_event"]["1"] > found["bytes_per_event"]["1000"] > found["floor_bytes_per_event"]
    assert found["held_bytes_per_event"]["100"] > found["bytes_per_event"]["100"]
    assert len(lines("wire", found)) == len(TARGETS["wire"]) + len(RATIOS["wire"])


def test_what_misses_its_target_is_printed_as_missed() -> None:
    figures = {"append_per_s": 10, "seal_per_s": 20, "verify_per_s": 30, "bytes_per_event": 40}
    assert [row[3] for row in lines("store", figures)] == ["", "", "", ""]
    assert Target("x", "x", "B", at_most=5).is_met(5)
    assert not Target("x", "x", "B", at_most=5).is_met(5.1)
    assert not Target("x", "x", "/s", at_least=5).is_met(4)


def test_the_command_prints_one_object_or_a_table() -> None:
    told = json.loads(CliRunner().invoke(bench, ["store", "--json", "--seed", "3"]).output)
    assert set(told) >= {"append_per_s", "bytes_per_event"}
    table = CliRunner().invoke(bench, ["store", "--seed", "3"]).output
    assert "held, self-contained" in table


def test_dev_bench_is_the_same_command() -> None:
    argv = ["./dev", "bench", "store", "--json"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["verify_failed"] == 0


def test_a_province_is_answered_and_viewed_whole() -> None:
    done = CliRunner().invoke(bench, ["ingest", "--json", "--stations", "2"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["events"] == 2 * EVENTS
    whole = told["bytes_self_contained_per_event_n256"]
    assert whole < told["bytes_stored_per_event_segments_n256"]
    assert whole < told["bytes_stored_per_event"] < 100
    assert told["rebuild_events_per_s"] > 0
