"""What a peer is to the bench, and the child process that its server is.

A peer is measured as its users would run it: its own server at the station keeps the events while there is
no line, its own server at the hub takes them in when there is one, and no client stands between the two. The
servers are programs of their own, found on this machine or not; what is not here is said in one line and
leaves the other columns standing.

Bound: processes, their ports and their processor time. They listen on loopback, write into a temporary
directory, are ended by their own process id, and die with this process should it be killed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sim.bench.line import Line

START_S = 15.0
"""A server that does not listen by then, is not coming."""
WORK_S = 120.0
"""No step of a peer may take longer: it is given up and said to be."""
STOP_S = 10.0
"""SIGTERM first, time to write its files; SIGKILL after this."""
POLL_S = 0.005

_CPUCLOCK_SCHED = 2
"""Linux names the processor clock of another process by its id and this (clock_getcpuclockid(3))."""
_PR_SET_PDEATHSIG = 1
# Runs in the child before the program: the kernel ends it should this process die without ending it.
_BOOT = (
    "import ctypes, os, signal, sys\n"
    f"ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, signal.SIGKILL)\n"
    "os.getppid() == int(sys.argv[1]) or os._exit(0)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)

Said = tuple[str, bytes]
"""(unit of the station, event), in the order in which they are said."""


class PeerFailed(Exception):
    """A peer's server did not do what it should: there is no figure, and the words say why."""


@dataclass(frozen=True)
class Replicated:
    """What it took until the hub's server held every event; processor time of the servers alone.

    wall_s: from when the hub's server may begin until its durable store says it has them. stored_bytes: the
    files of that store.
    """

    events: int
    wall_s: float
    receiver_cpu_s: float
    both_cpu_s: float
    stored_bytes: int


class Peer(Protocol):
    """One other system. `missing` is "" when it can be measured here, else what to do about it."""

    title: str
    durability: str
    keepalive_default_s: float

    def missing(self) -> str: ...

    def version(self) -> str: ...

    def replicate(self, folder: Path, said: Sequence[Said]) -> Replicated: ...

    def month(self, folder: Path, said: Sequence[Said]) -> int:
        """Every byte on the socket, both ways, from connecting until the hub has what was said."""
        ...

    def hold(self, folder: Path, keepalive_s: float | None) -> AbstractContextManager[Line]:
        """A line over which everything is set up and nothing is said; None is the peer's own keepalive."""
        ...


def program(name: str) -> str | None:
    """Where a server is. Debian keeps servers where a person's PATH does not look."""
    return shutil.which(name) or next(
        (found for folder in ("/usr/sbin", "/usr/local/sbin") if (found := shutil.which(f"{folder}/{name}"))),
        None,
    )


def missing(server: str, package: str, module: str, distribution: str) -> str:
    """One plain line, or "" when the server and the client library are both here."""
    if program(server) is None:
        return f"not here: apt install {package}"
    try:
        here = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the parent package is not here either
        here = False
    return "" if here else f"not here: pip install {distribution}"


def said_of_itself(server: str, flag: str) -> str:
    """The version in the first line that a server prints, without its name."""
    path = program(server)
    if path is None:
        return ""
    done = subprocess.run((path, flag), capture_output=True, timeout=START_S, check=False)
    words = done.stdout.decode("utf-8", "replace").split("\n")[0].split()
    return words[-1].lstrip("v") if words else ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(done: Callable[[], bool], what: str, within_s: float = WORK_S) -> None:
    """Raises PeerFailed with `what` when it is not done in time."""
    give_up = time.monotonic() + within_s
    while not done():
        if time.monotonic() > give_up:
            raise PeerFailed(f"gave up after {within_s:g} s: {what}")
        time.sleep(POLL_S)


class Server:
    """A running child. Made by `serving`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process, self._log = process, log

    def cpu_s(self) -> float:
        """Processor seconds of all its threads so far, ended ones included."""
        return time.clock_gettime(~self._process.pid << 3 | _CPUCLOCK_SCHED)

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def check(self) -> None:
        """Raises PeerFailed with its last words when it has ended."""
        code = self._process.poll()
        if code is not None:
            words = self._log.read_text("utf-8", "replace").strip().splitlines()[-1:]
            raise PeerFailed(f"its server ended with {code}: {' '.join(words)[:200]}")


@contextmanager
def serving(argv: Sequence[str], port: int, log: Path) -> Iterator[Server]:
    """The server while it listens on `port`; ended when left, whatever happened."""
    with log.open("ab") as words:
        process = subprocess.Popen(
            (sys.executable, "-c", _BOOT, str(os.getpid()), *argv),
            stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT,
        )  # fmt: skip
    server = Server(process, log)
    try:
        wait_until(lambda: _listens(server, port), f"{Path(argv[0]).name} does not listen", START_S)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(server: Server, port: int) -> bool:
    server.check()
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def must_hold(read: Sequence[bytes], said: Sequence[Said]) -> None:
    """Raises PeerFailed unless a store gave back every event, in order."""
    if read != [event for _, event in said]:
        raise PeerFailed(f"the store gave back {len(read)} of {len(said)} events")


def size_of(folder: Path) -> int:
    """Bytes of all files below, as their lengths say."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def settle(line: Line, quiet_s: float, within_s: float = 10.0) -> None:
    """Waits until nothing has crossed the line for `quiet_s`, at most `within_s`."""
    give_up = time.monotonic() + within_s
    seen, since = -1, time.monotonic()
    while time.monotonic() < give_up and time.monotonic() - since < quiet_s:
        now = line.up + line.down
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(POLL_S)
