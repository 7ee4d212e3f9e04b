"""The supervisor with real children: killed ones come back, ended ones stay ended, none is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.log import LoaError
from sim.processes import YOUNG_DEATHS_MAX, Program, Supervisor, run_to_end

SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"


def program(folder: Path, code: str = SLEEPER, name: str = "child", **env: str) -> Program:
    return Program(name, (sys.executable, "-c", code), folder / f"{name}.log", env=env)


def until(true: Callable[[], object], timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_killed_by_others_is_started_again(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "pids.json") as family:
        first = family.start(program(tmp_path))
        family.wait_line("child", "ready", timeout_s=10)
        os.kill(first, signal.SIGKILL)
        until(lambda: family.state("child").pid not in (0, first))
        state = family.state("child")
        assert (state.starts, state.deaths) == (2, 1)
        family.wait_line("child", "ready", timeout_s=10)
        assert json.loads((tmp_path / "pids.json").read_text()) == {"child": state.pid}
    assert not is_alive(first)
    assert not is_alive(state.pid)
    assert json.loads((tmp_path / "pids.json").read_text()) == {}


def test_a_power_cut_keeps_the_child_down_for_its_time(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "pids.json") as family:
        pid = family.start(program(tmp_path))
        cut_at = time.monotonic()
        assert family.kill("child", down_s=0.4) == pid
        assert not is_alive(pid)
        assert family.state("child").pid == 0
        assert json.loads((tmp_path / "pids.json").read_text()) == {}
        until(lambda: family.state("child").pid)
        assert time.monotonic() - cut_at >= 0.4


def test_a_stopped_child_stays_stopped_and_a_deaf_one_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.processes.STOP_TIMEOUT_S", 0.3)
    deaf = "import signal; signal.signal(15, signal.SIG_IGN)\n" + SLEEPER
    with Supervisor(tmp_path / "pids.json") as family:
        pid = family.start(program(tmp_path, deaf))
        family.wait_line("child", "ready", timeout_s=10)
        family.stop("child")
        assert not is_alive(pid)
        time.sleep(0.3)
        assert (family.state("child").pid, family.state("child").starts) == (0, 1)


def test_a_program_that_cannot_run_is_given_up_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.processes.PAUSE_MAX_S", 0.05)
    monkeypatch.setattr("sim.processes.PAUSE_FIRST_S", 0.02)
    with Supervisor(tmp_path / "pids.json") as family:
        family.start(program(tmp_path, "raise SystemExit('the card is missing')"))
        with pytest.raises(LoaError, match="the card is missing"):
            family.wait_line("child", "ready", timeout_s=20)
        assert family.state("child").gave_up
        assert family.state("child").starts == YOUNG_DEATHS_MAX


def test_two_children_of_one_name_are_refused(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "pids.json") as family:
        family.start(program(tmp_path))
        with pytest.raises(LoaError, match="child-name-taken"):
            family.start(program(tmp_path))


def test_children_die_with_a_conductor_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from sim.processes import Program, Supervisor
folder = Path({str(tmp_path)!r})
with Supervisor(folder / "pids.json") as family:
    for name in ("a", "b"):
        family.start(Program(name, (sys.executable, "-c", {SLEEPER!r}), folder / (name + ".log")))
        family.wait_line(name, "ready", timeout_s=10)
    (folder / "up").touch()
    time.sleep(600)
"""
    conductor = subprocess.Popen([sys.executable, "-c", code])
    try:
        until((tmp_path / "up").exists, 20)
        pids = json.loads((tmp_path / "pids.json").read_text())
        assert all(is_alive(pid) for pid in pids.values())
    finally:
        conductor.kill()
        conductor.wait()
    until(lambda: not any(is_alive(pid) for pid in pids.values()))


def test_the_processor_time_of_earlier_lives_is_kept(tmp_path: Path) -> None:
    busy = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n" + SLEEPER
    with Supervisor(tmp_path / "pids.json") as family:
        family.start(program(tmp_path, busy))
        family.wait_line("child", "ready", timeout_s=10)
        until(lambda: family.state("child").cpu_s >= 0.2)
        family.kill("child")
        until(lambda: family.state("child").cpu_s >= 0.5)


def test_a_short_command_returns_its_words_or_its_failure(tmp_path: Path) -> None:
    python = (sys.executable, "-c")
    said = run_to_end(
        (*python, "import os; print(os.environ['X'])"), env={"X": "đài"}, cwd=tmp_path, timeout_s=20
    )
    assert said == "đài\n"
    with pytest.raises(LoaError, match="no such station"):
        run_to_end((*python, "raise SystemExit('no such station')"), env={}, cwd=tmp_path, timeout_s=20)
    with pytest.raises(LoaError, match="command-slow"):
        run_to_end((*python, "import time; time.sleep(60)"), env={}, cwd=tmp_path, timeout_s=0.3)
