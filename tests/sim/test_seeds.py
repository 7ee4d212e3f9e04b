"""Every failure that was ever found stays here as a seed: it must hold now, and for ever."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sim.run import Setting, run

SEEDS = sorted((Path(__file__).parent / "seeds").glob("*.toml"))


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_a_failure_once_found_does_not_come_back(path: Path) -> None:
    told = tomllib.loads(path.read_text("utf-8"))
    what, broke = told.pop("what"), told.pop("broke")
    for name in ("only", "without"):
        told[name] = tuple(told.get(name, ()))
    report = run(Setting(**told))
    assert report.broken is None, f"{what} (broke {broke} when it was found)"


def test_there_is_something_to_replay() -> None:
    assert SEEDS, "tests/sim/seeds is empty: then this file proves nothing"
