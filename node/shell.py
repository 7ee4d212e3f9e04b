"""The loop around a station on a real machine: its clocks, its network thread, its signals, its sleep.

The only part of the node that knows the operating system. It builds the ports, calls `tick`, and sleeps
until the station wants to be called, the courier has a result, or somebody asks it to stop. SIGTERM ends it
cleanly; SIGKILL needs no help from here.
"""

from __future__ import annotations

import ctypes
import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Any, Final, TypeVar

from ledger.facts import Evidence
from ledger.log import DiskStore, NotAllowed
from ledger.tempo import TempoReader
from node.clock import Confidence, SystemClock, TempoClock
from node.config import StationConfig, load_config
from node.courier import ThreadCourier
from node.player import NullPlayer, Player
from node.station import Station
from node.transport import HttpTransport, Limits

logger = logging.getLogger("loa.node")

# Under accelerated time: neither a busy loop nor a sleep through an anchor added meanwhile (real seconds).
TEMPO_SLEEP_MIN_S: Final = 0.005
TEMPO_SLEEP_MAX_S: Final = 0.5
# Accelerated seconds pass while a real exchange is under way: only real deadlines count then.
TEMPO_PATIENCE_S: Final = 30 * 86_400.0

_STA_UNSYNC: Final = 0x40
_TIME_ERROR: Final = 5
_RTC: Final = "/sys/class/rtc/rtc0"

T = TypeVar("T")


class _Timex(ctypes.Structure):
    """The head of the kernel's `struct timex`; the rest is only reserved."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def kernel_trust() -> Callable[[], Confidence]:
    """Asks the kernel whether an NTP daemon keeps its clock; else whether there is a battery clock."""
    fallback = Confidence.RTC if Path(_RTC).exists() else Confidence.UNKNOWN
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return lambda: fallback

    def trust() -> Confidence:
        timex = _Timex()
        state = adjtimex(ctypes.byref(timex))
        synchronised = state not in (-1, _TIME_ERROR) and not timex.status & _STA_UNSYNC
        return Confidence.NTP if synchronised else fallback

    return trust


class OneThread(Executor):
    """One daemon thread: a process that is told to end does not wait for a slow line."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        threading.Thread(target=self._work, name="courier", daemon=True).start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        self._jobs.put((future, lambda: fn(*args, **kwargs)))
        return future

    def _work(self) -> None:
        while True:
            future, job = self._jobs.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = job()
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            else:
                future.set_result(result)


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for. player: "null", "mpv" or "" for what the machine has."""

    player: str = ""
    ao: str = "alsa"
    tempo: str = ""


def make_player(wishes: Wishes) -> Player:
    """The player asked for, or the best there is. Raises PlayerError("mpv-missing")."""
    import shutil

    if wishes.tempo and wishes.player == "mpv":
        raise NotAllowed(
            "tempo-mpv", "a real loudspeaker cannot follow an accelerated clock", hint="use --player null"
        )
    if wishes.player == "null" or (not wishes.player and (wishes.tempo or shutil.which("mpv") is None)):
        return NullPlayer()
    from node.mpv import MpvPlayer

    return MpvPlayer(ao=wishes.ao)


def plain_words(player: Player) -> str:
    """One sentence on what this station can prove."""
    level = player.ceiling.name.lower()
    if player.ceiling <= Evidence.DELIVERED:
        return f"no loudspeaker is driven (player {player.name}): its evidence level is `{level}` at most"
    speaks = getattr(player, "can_speak", False)
    voice = "" if speaks else "; espeak-ng is not installed, so texts without a recording cannot be spoken"
    return f"player {player.name}: its evidence level is `{level}` at most{voice}"


def run(folder: Path, wishes: Wishes, say: Callable[[str], None]) -> None:
    """Runs the station of this folder until SIGTERM or SIGINT. Raises LoaError."""
    store = DiskStore(folder)
    try:
        config = load_config(store)
        player = make_player(wishes)
        wake = threading.Event()
        asked: list[int] = []

        def stop(number: int, frame: FrameType | None) -> None:
            asked.append(number)
            wake.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        clock = _clock(wishes)
        if isinstance(clock, TempoClock):
            config = replace(config, stall_s=TEMPO_PATIENCE_S, job_deadline_s=TEMPO_PATIENCE_S)
        transport = HttpTransport(config.hub_url, mono=time.monotonic, limits=Limits())
        courier = ThreadCourier(transport, OneThread(), wake.set)
        station = Station(
            config, store, clock, courier, player, entropy=os.urandom, rng=random.SystemRandom()
        )
        say(f"READY {config.unit} {config.name} → {config.hub_url}; {plain_words(player)}")
        _loop(station, clock, wake, asked, config)
        station.close()
        say(f"STOPPED {config.unit}")
    finally:
        store.close()


def _loop(
    station: Station, clock: SystemClock | TempoClock, wake: threading.Event, asked: list[int],
    config: StationConfig,
) -> None:  # fmt: skip
    while not asked:
        real_s = clock.real_wait_s(station.tick())
        if isinstance(clock, TempoClock):
            real_s = min(max(real_s, TEMPO_SLEEP_MIN_S), TEMPO_SLEEP_MAX_S)
        wake.wait(min(real_s, config.idle_cap_s))
        wake.clear()


def _clock(wishes: Wishes) -> SystemClock | TempoClock:
    if not wishes.tempo:
        return SystemClock(time.time, time.monotonic, kernel_trust())
    return TempoClock(TempoReader(Path(wishes.tempo).read_bytes, time.monotonic))
