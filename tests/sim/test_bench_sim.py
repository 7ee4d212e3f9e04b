"""The bench of the simulator: what it counts, whose time it calls whose, and that it puts back what it takes.

No test here asks how fast anything is.
"""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

import ledger.log.codec
from ledger.log import SignatureError, SigningKey, VerifyKey, forget_heads, open_segment, seal
from sim.bench import sim as bench_sim
from sim.bench.cli import bench
from sim.bench.table import TARGETS, lines

KEY = SigningKey.from_seed(b"bench" + bytes(27))


@pytest.fixture(scope="module")
def told() -> dict[str, object]:
    ran = CliRunner().invoke(bench, ["sim", "--json", "--stations", "2", "--seed", "3"])
    assert ran.exit_code == 0, ran.output
    found: dict[str, object] = json.loads(ran.output)
    return found


def test_every_figure_of_the_simulator_has_its_line(told: dict[str, object]) -> None:
    assert len(lines("sim", told)) == len(TARGETS["sim"])
    share = told["share"]
    assert isinstance(share, dict)
    assert sum(share.values()) == pytest.approx(100, abs=0.3)
    assert share["real"] > share["simulator"]
    assert told["signatures_made"] > 0 < told["signatures_verified"]  # type: ignore[operator]


def test_the_trace_is_that_of_the_run_the_figures_are_of(told: dict[str, object]) -> None:
    from sim.run import Setting, run

    assert run(Setting(seed=3, stations=2, days=3, scenario="plain")).trace == told["trace"]


def test_a_moment_belongs_to_the_innermost_of_our_files_or_to_the_library_it_called() -> None:
    owners: list[str] = []

    def look(key_id: bytes) -> VerifyKey:
        frame = sys._getframe()
        owners.append(bench_sim.owner_of(frame))  # innermost is this file, a test: neither real nor library
        owners.append(bench_sim.owner_of(frame.f_back))  # innermost is `ledger/log/segment.py`
        return KEY.verify_key

    open_segment(seal(KEY, b"some-log", 0, bytes(32), [ledger.log.codec.encode((7, 8))]).raw, look)
    assert owners == ["simulator", "real"]
    assert bench_sim._owner_of_file(pytest.__file__) == "libraries"
    assert bench_sim._owner_of_file(str(bench_sim._ROOT / "sim" / "world.py")) == "simulator"
    assert bench_sim._owner_of_file(str(bench_sim._ROOT / "sim" / "power.py")) == "", "SQLite is behind it"
    assert bench_sim._owner_of_file(json.__file__) == ""
    assert bench_sim.owner_of(None) == "simulator"


def test_the_stand_in_refuses_what_it_did_not_make_and_leaves_no_trace() -> None:
    forget_heads()
    real = seal(KEY, b"some-log", 0, bytes(32), [ledger.log.codec.encode((7, 8))]).raw
    known = {KEY.key_id: KEY.verify_key}.get
    before = SigningKey.sign, VerifyKey.verify
    with bench_sim._counting(stand_in=True) as counted:
        hashed = seal(KEY, b"some-log", 0, bytes(32), [ledger.log.codec.encode((7, 8))]).raw
        assert len(hashed) == len(real)
        open_segment(hashed, known)
        with pytest.raises(SignatureError):
            open_segment(real, known)
        assert counted["made"] == 1
    assert (SigningKey.sign, VerifyKey.verify) == before
    open_segment(real, known)
    with pytest.raises(SignatureError):
        open_segment(hashed, known)


def test_a_head_that_was_verified_before_is_not_counted_again() -> None:
    forget_heads()
    raw = seal(KEY, b"some-log", 0, bytes(32), [ledger.log.codec.encode((7, 8))]).raw
    with bench_sim._counting(stand_in=False) as counted:
        for _ in range(3):
            open_segment(raw, {KEY.key_id: KEY.verify_key}.get)
    assert counted["verified"] == 1
