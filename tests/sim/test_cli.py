"""`loa sim run`: what it prints, how it ends, and that a typing error is not a crash."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from sim import cli
from sim.run import CRASHED, HELD, VIOLATED

KEYS = {
    "seed", "stations", "it", "fm", "converged", "slots", "unapproved_played", "played_twice", "events",
    "segments", "signatures", "bytes", "emergency", "invariants", "sometimes", "trace", "replay",
}  # fmt: skip


def loa(*words: str) -> Result:
    return CliRunner().invoke(cli.sim, ["run", "--scenario", "plain", *words])


def test_json_is_one_object_with_the_figures_the_checks_and_the_trace() -> None:
    result = loa("--stations", "2", "--seed", "5", "--json")
    assert result.exit_code == HELD, result.output
    said = json.loads(result.stdout)
    assert set(said) >= KEYS
    assert said["it"] == 2
    assert said["invariants"]["violations"] == []
    assert all(said["invariants"]["checks"][name] > 0 for name in ("I1", "I2", "I3", "I4", "I6", "I7", "I9"))
    assert len(said["trace"]) == 64


def test_a_person_reads_sentences_and_the_command_that_replays_the_run() -> None:
    result = loa("--stations", "2", "--seed", "5", "--twice")
    assert result.exit_code == HELD, result.output
    assert "Every promise held." in result.stdout
    assert "the same seed gave the same trace in another process" in result.stdout
    assert "replay: loa sim run --seed 5 --days 1 --scenario plain --stations 2" in result.stdout


def test_a_broken_promise_is_named_with_seed_and_time_and_ends_with_1() -> None:
    result = loa("--stations", "3", "--plant", "unapproved")
    assert result.exit_code == VIOLATED
    assert "BROKEN I4" in result.stdout
    assert "seed 1, virtual time 2022-11-0" in result.stdout
    assert "--plant unapproved" in result.stdout


def test_a_crash_ends_with_3_and_says_how_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def falls(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(cli, "run", falls)
    result = loa("--stations", "2", "--seed", "8")
    assert result.exit_code == CRASHED
    assert "ZeroDivisionError" in result.stderr
    assert "--seed 8" in result.stderr


@pytest.mark.parametrize(
    "words", [("--only", "vn.yb.99999"), ("--plant", "nothing"), ("--stations", "0"), ("--seed", "x")]
)
def test_what_cannot_be_run_is_a_usage_error(words: tuple[str, ...]) -> None:
    result = loa(*words)
    assert result.exit_code == 2
    assert "Error" in result.stderr


def test_a_group_shows_the_demo_without_loading_it() -> None:
    assert {"run", "demo"} <= set(cli.sim.list_commands(None))  # type: ignore[arg-type]
