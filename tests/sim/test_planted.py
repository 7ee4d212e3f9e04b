"""Each planted bug is caught by the promise it breaks, within a few seeds; the same seeds hold without it."""

from __future__ import annotations

import pytest

from ledger.log import Ledger
from sim.planted import PLANTED, plant
from sim.run import VIOLATED, Setting, run

SEEDS = 6
WITHIN_ONE_RUN = sorted(name for name, bug in PLANTED.items() if bug.breaks != {"I18"})


def setting(seed: int, planted: str = "") -> Setting:
    return Setting(seed=seed, stations=4, days=1, scenario="plain", planted=planted)


@pytest.mark.parametrize("name", WITHIN_ONE_RUN)
def test_a_planted_bug_is_caught_within_a_few_seeds(name: str) -> None:
    for seed in range(1, SEEDS + 1):
        broken = run(setting(seed, name)).broken
        if broken is not None:
            assert broken.invariant in PLANTED[name].breaks, f"{name} showed as {broken}"
            return
    pytest.fail(f"{name} went unseen through {SEEDS} seeds")


def test_a_broken_promise_ends_the_run_there_with_its_number_time_and_replay() -> None:
    report = run(setting(1, "unapproved"))
    assert report.exit_code == VIOLATED
    assert report.broken is not None
    assert report.broken.invariant == "I4"
    assert report.broken.virtual.startswith("2022-11-09 ")
    assert report.summary["converged"] is False
    assert report.summary["replay"] == report.setting.command()


def test_a_plant_leaves_the_product_as_it_was() -> None:
    before = {name: getattr(Ledger, name) for name in ("_run", "seal", "note_receipt")}
    for name in PLANTED:
        with plant(name):
            pass
    assert {name: getattr(Ledger, name) for name in before} == before
    assert run(setting(1)).broken is None


def test_every_promise_has_a_bug_that_breaks_it() -> None:
    broken = {number for bug in PLANTED.values() for number in bug.breaks}
    assert broken >= {"I1", "I2", "I3", "I4", "I6", "I7", "I9", "I17", "I18"}
