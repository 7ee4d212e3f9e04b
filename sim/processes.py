"""A supervisor for real child processes: starts them, starts them again when they die, leaves none behind.

The day of the demo is honest only if its hub and its nodes may be killed at any moment, by the script or by
whoever reads `pids.json` and types `kill -9`. So a child that ends is started again with the same arguments,
after a pause that grows; each is a child of one thread here, is ended by its own process id and by nothing
else, and the kernel ends it should this process die first (parent-death signal): it leaves no orphans.
Children run in sessions of their own: Ctrl-C reaches the conductor only, who then ends them in order.

Bound: processes, their output files and their ids. What the programs do is their own affair.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from ledger.log import LoaError

POLL_S = 0.03
"""How soon a death is noticed: well below the blink in which a person would."""
SAMPLE_S = 0.5
"""How often a child's processor time is read."""
PAUSE_FIRST_S = 0.1
PAUSE_MAX_S = 2.0
"""The pause before a child is started again doubles between these while it dies young."""
YOUNG_S = 2.0
"""A child that lived longer than this starts again after the first pause."""
YOUNG_DEATHS_MAX = 8
"""So many deaths in a row before growing up mean a broken program, not bad luck: give up and say so."""
STOP_TIMEOUT_S = 5.0
"""SIGTERM first; SIGKILL for a child that is still there after this."""

# Runs in the child before the program: asks for SIGKILL at the parent's death, makes sure the parent is still
# the one that started it, and becomes the program. A preexec_fn would do the same, unsafely beside threads.
_PR_SET_PDEATHSIG = 1
_BOOT = (
    "import ctypes, os, signal, sys\n"
    f"ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, signal.SIGKILL)\n"
    "os.getppid() == int(sys.argv[1]) or os._exit(0)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Program:
    """argv with an absolute path first; env is added to ours; output (both streams) is appended to `log`."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


@dataclass(frozen=True)
class ChildState:
    """pid 0 while it is down; deaths counts ends nobody asked for with stop(); cpu_s over all its lives."""

    name: str
    pid: int
    starts: int
    deaths: int
    cpu_s: float
    gave_up: bool


class _Child:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = self.deaths = self.young_deaths = 0
        self.started_at = self.start_at = self.sample_at = 0.0
        self.cpu_before_s = self.cpu_now_s = 0.0
        self.hold_s: float | None = None  # how long the next start waits, when a kill said so
        self.wanted = True

    @property
    def gave_up(self) -> bool:
        return self.young_deaths >= YOUNG_DEATHS_MAX

    def state(self) -> ChildState:
        pid = self.process.pid if self.process is not None else 0
        cpu_s = self.cpu_before_s + self.cpu_now_s
        return ChildState(self.program.name, pid, self.starts, self.deaths, cpu_s, self.gave_up)


class Supervisor:
    """Owns its children from one thread (the parent-death signal counts threads). Use as a context manager.

    pids: a JSON file {name: pid, …} kept true; names of children that are down are left out.
    """

    def __init__(self, pids: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pids, self._clock = pids, clock
        self._children: dict[str, _Child] = {}
        self._orders: queue.SimpleQueue[tuple[Callable[[], object], Future[object]] | None] = (
            queue.SimpleQueue()
        )
        self._written: dict[str, int] | None = None
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._orders.put(None)
        self._thread.join()

    def start(self, program: Program) -> int:
        """Starts it and keeps it alive; its pid. Raises LoaError when the name is taken."""
        pid = self._order(lambda: self._start_new(program))
        assert isinstance(pid, int)
        return pid

    def revise(self, program: Program) -> None:
        """Takes effect at the child's next start, as when a free port was found and is to be kept."""
        self._children[program.name].program = program

    def kill(self, name: str, *, down_s: float = 0.0) -> int:
        """SIGKILL, as a power cut would; started again after `down_s` real seconds. Its pid, 0 if down."""
        pid = self._order(lambda: self._kill(name, down_s))
        assert isinstance(pid, int)
        return pid

    def stop(self, name: str) -> None:
        """SIGTERM, then SIGKILL; it stays ended."""
        self._order(lambda: self._end([self._children[name]]))

    def states(self) -> list[ChildState]:
        return [child.state() for child in list(self._children.values())]

    def state(self, name: str) -> ChildState:
        return self._children[name].state()

    def wait_line(self, name: str, pattern: str, *, timeout_s: float) -> re.Match[str]:
        """The first match of `pattern` in its words since its last start; LoaError at the time-out."""
        program = self._children[name].program
        until = self._clock() + timeout_s
        while True:
            text = program.log.read_text("utf-8", errors="replace") if program.log.exists() else ""
            text = text[max(text.rfind(_start_mark(program.name)), 0) :]
            if found := re.search(pattern, text):
                return found
            if self._children[name].gave_up or self._clock() > until:
                last = " | ".join(text.splitlines()[-4:])
                raise LoaError(
                    "child-not-ready", f"{name} did not say {pattern!r} within {timeout_s:g} s: {last}",
                    where=str(program.log), hint="read the child's output in that file",
                )  # fmt: skip
            time.sleep(POLL_S)

    # ---- the supervisor's thread ----

    def _order(self, work: Callable[[], object]) -> object:
        done: Future[object] = Future()
        self._orders.put((work, done))
        return done.result()

    def _run(self) -> None:
        while True:
            try:
                order = self._orders.get(timeout=POLL_S)
            except queue.Empty:
                self._watch()
                continue
            if order is None:
                break
            work, done = order
            try:
                done.set_result(work())
            except BaseException as error:
                done.set_exception(error)
                if not isinstance(error, LoaError | OSError):
                    raise
            self._watch()
        self._end(list(self._children.values()))

    def _start_new(self, program: Program) -> int:
        old = self._children.get(program.name)
        if old is not None and old.wanted:
            raise LoaError("child-name-taken", f"{program.name} is running already")
        self._children[program.name] = child = _Child(program)
        return self._spawn(child)

    def _spawn(self, child: _Child) -> int:
        program = child.program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            log.write(f"{_start_mark(program.name)} {child.starts + 1}\n".encode())
            log.flush()
            child.process = subprocess.Popen(
                (sys.executable, "-I", "-S", "-c", _BOOT, str(os.getpid()), *program.argv),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=program.cwd,
                env={**os.environ, **program.env}, start_new_session=True,
            )  # fmt: skip
        child.starts += 1
        child.started_at, child.hold_s = self._clock(), None
        self._write_pids()
        return child.process.pid

    def _watch(self) -> None:
        now = self._clock()
        for child in self._children.values():
            if child.process is not None:
                self._notice(child, now)
            elif child.wanted and not child.gave_up and now >= child.start_at:
                self._spawn(child)

    def _notice(self, child: _Child, now: float) -> None:
        assert child.process is not None
        if child.process.poll() is None:
            if now >= child.sample_at:
                child.cpu_now_s = _cpu_s(child.process.pid) or child.cpu_now_s
                child.sample_at = now + SAMPLE_S
            return
        self._bury(child)
        child.deaths += 1
        young = now - child.started_at < YOUNG_S
        child.young_deaths = child.young_deaths + 1 if young and child.hold_s is None else 0
        pause = min(PAUSE_FIRST_S * 2 ** max(child.young_deaths - 1, 0), PAUSE_MAX_S)
        child.start_at = now + (pause if child.hold_s is None else child.hold_s)

    def _bury(self, child: _Child) -> None:
        child.cpu_before_s += child.cpu_now_s
        child.cpu_now_s, child.process = 0.0, None
        self._write_pids()

    def _kill(self, name: str, down_s: float) -> int:
        child = self._children[name]
        if child.process is None:
            child.start_at = max(child.start_at, self._clock() + down_s)
            return 0
        pid = child.process.pid
        child.cpu_now_s = _cpu_s(pid) or child.cpu_now_s
        child.hold_s = down_s
        child.process.send_signal(signal.SIGKILL)
        child.process.wait()
        self._notice(child, self._clock())
        return pid

    def _end(self, children: Sequence[_Child]) -> None:
        for child in children:
            child.wanted = False
            if child.process is not None:
                child.process.send_signal(signal.SIGTERM)
        until = self._clock() + STOP_TIMEOUT_S
        for child in children:
            if child.process is None:
                continue
            child.cpu_now_s = _cpu_s(child.process.pid) or child.cpu_now_s
            try:
                child.process.wait(timeout=max(until - self._clock(), 0.01))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            self._bury(child)

    def _write_pids(self) -> None:
        pids = {c.program.name: c.process.pid for c in self._children.values() if c.process is not None}
        if pids == self._written:
            return
        fresh = self._pids.with_name(self._pids.name + ".new")
        fresh.write_text(json.dumps(pids, indent=1) + "\n", "utf-8")
        os.replace(fresh, self._pids)
        self._written = pids


def run_to_end(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout_s: float) -> str:
    """Runs a short command and returns what it printed; LoaError with its last words when it fails."""
    try:
        done = subprocess.run(
            argv, env={**os.environ, **env}, cwd=cwd, timeout=timeout_s, capture_output=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise LoaError("command-slow", f"{' '.join(argv[:6])} took more than {timeout_s:g} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise LoaError("command-failed", f"{' '.join(argv[:6])} ended with {done.returncode}: {said[-800:]}")
    return done.stdout.decode("utf-8", "replace")


def _start_mark(name: str) -> str:
    return f"== {name}: start"


def _cpu_s(pid: int) -> float:
    """User and system seconds of a living process; 0 when /proc does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
