"""The stations that have no process of their own: real `Station` objects, one thread that ticks them all.

Sixty-seven Python processes would not fit a small machine, and would show nothing that three do not. So the
other stations of the province run here: the same code, the same HTTP over their own port of the fault proxy,
a disk in memory instead of a card. A power cut drops the object without a word and rolls back what was not
committed; later a new object starts on the same disk.

Network jobs run on a small pool, as they would beside a station's loop; everything a station does itself
happens in this one thread. Bound: when the cuts come is said by the caller, in story time.
"""

from __future__ import annotations

import heapq
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from ledger.log import MemoryStore
from node import Confidence, HttpTransport, Now, NullPlayer, Station, StationConfig, ThreadCourier
from sim.tempo import Metronome

CARRIERS = 6
"""Threads of the pool: a few exchanges at once keep two cores busy; more would only stand in line."""
WAIT_LEAST_S = 0.002
WAIT_IDLE_S = 0.05
IDLE_FROM_S = 30.0
"""Real pauses between two ticks of a station: at least the first; at least the second when the station itself
sees nothing to do for this many story seconds, so that a fast clock does not make a busy loop."""
NAP_S = 0.02
RETHINK_S = 0.5
"""No station sleeps longer: the clock may have been made faster meanwhile."""
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Cut:
    """One power cut, in UTC seconds of the story."""

    from_s: float
    until_s: float


class StoryClock:
    """A station's clock on the demo's tempo: synchronised, as a box with NTP is."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def now(self) -> Now:
        utc_s = self._now()
        return Now(utc_s, utc_s, Confidence.NTP)


class Member:
    """One station's place: its disk, which outlives it, and the station while it has power."""

    def __init__(self, config: StationConfig, store: MemoryStore, cuts: Sequence[Cut]) -> None:
        self.config, self.store = config, store
        self.cuts = sorted(cuts, key=lambda cut: cut.from_s)
        self.station: Station | None = None
        self.transport: HttpTransport | None = None
        self.starts = 0


class Carriers(ThreadPoolExecutor):
    """The pool, which knows how many jobs are waiting or under way."""

    def __init__(self) -> None:
        super().__init__(CARRIERS, thread_name_prefix="carrier")
        self.out = 0
        self._count = threading.Lock()

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        with self._count:
            self.out += 1
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._back)
        return future

    def _back(self, _: Future[Any]) -> None:
        with self._count:
            self.out -= 1


class Crowd:
    """Start it when the boxes are switched on; stop it at the end. One thread, one pool."""

    def __init__(self, metronome: Metronome, seed: int) -> None:
        self._metronome, self._seed = metronome, seed
        self._clock = StoryClock(metronome.now)
        self._pool = Carriers()
        self._woken: SimpleQueue[str] = SimpleQueue()
        self._questions: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._bell = threading.Event()
        self._stopping = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)
        self.members: dict[str, Member] = {}
        self.late_s = 0.0  # real seconds by which the latest ticks came too late: the machine cannot keep up

    def add(self, config: StationConfig, store: MemoryStore, cuts: Sequence[Cut] = ()) -> None:
        """Before start(): a station that is enrolled and has no power yet."""
        self.members[config.unit] = Member(config, store, cuts)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends every station cleanly; raises what went wrong in their thread, if anything did."""
        self._stopping = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for member in self.members.values():
            if member.transport is not None:
                member.transport.close()
        self.check()

    def check(self) -> None:
        """Raises what ended the stations' thread before its time."""
        if self._error is not None:
            raise self._error

    @property
    def jobs_out(self) -> int:
        """Exchanges that wait for a carrier or are under way."""
        return self._pool.out

    def powered(self) -> set[str]:
        return {unit for unit, member in self.members.items() if member.station is not None}

    def ask(self, look: Callable[[Member], T]) -> dict[str, T]:
        """What `look` says of each member, asked in the stations' own thread between two ticks."""
        answer: Future[dict[str, T]] = Future()

        def work() -> None:
            try:
                answer.set_result({unit: look(member) for unit, member in self.members.items()})
            except BaseException as error:
                answer.set_exception(error)
                raise

        self._questions.put(work)
        self._bell.set()
        while True:
            try:
                return answer.result(NAP_S)
            except TimeoutError:
                self.check()  # a thread that died answers nothing

    # ---- the stations' thread ----

    def _run(self) -> None:
        try:
            self._live()
            for member in self.members.values():
                if member.station is not None:
                    member.station.close()
        except BaseException as error:
            self._error = error
            raise

    def _live(self) -> None:
        due: list[tuple[float, int, str]] = []
        planned: dict[str, float] = {}
        count = 0
        for unit in self.members:
            count += 1
            planned[unit] = 0.0
            due.append((0.0, count, unit))
        heapq.heapify(due)
        while not self._stopping:
            for question in _drain(self._questions):
                question()
            for unit in _drain(self._woken):
                planned[unit] = 0.0
                count += 1
                heapq.heappush(due, (0.0, count, unit))
            at, _, unit = due[0] if due else (float("inf"), 0, "")
            wait_s = at - time.monotonic()
            if wait_s > 0:
                self._bell.wait(min(wait_s, NAP_S))
                self._bell.clear()
                continue
            heapq.heappop(due)
            if planned[unit] != at:
                continue  # woken earlier meanwhile; that entry counts
            if at:
                self.late_s = max(self.late_s * 0.98, -wait_s)
            next_at = time.monotonic() + self._turn(self.members[unit])
            planned[unit] = next_at
            count += 1
            heapq.heappush(due, (next_at, count, unit))

    def _turn(self, member: Member) -> float:
        """One tick, or a power cut, or the wait for power to come back; the real pause until the next."""
        now = self._metronome.now()
        while member.cuts and now >= member.cuts[0].until_s:
            if member.station is not None:  # the clock ran past the whole cut between two turns
                self._cut_power(member)
            member.cuts.pop(0)
        if member.cuts and now >= member.cuts[0].from_s:
            if member.station is not None:
                self._cut_power(member)
            return min(max(self._metronome.real_until(member.cuts[0].until_s), WAIT_LEAST_S), RETHINK_S)
        station = member.station or self._switch_on(member)
        delay_s = station.tick()
        real_s = self._metronome.real_until(self._metronome.now() + delay_s)
        pause_s = max(real_s, WAIT_IDLE_S if delay_s >= IDLE_FROM_S else WAIT_LEAST_S)
        if member.cuts:
            pause_s = min(pause_s, max(self._metronome.real_until(member.cuts[0].from_s), WAIT_LEAST_S))
        return min(pause_s, RETHINK_S)

    def _switch_on(self, member: Member) -> Station:
        unit = member.config.unit
        member.starts += 1
        member.transport = HttpTransport(member.config.hub_url, mono=time.monotonic)
        member.station = Station(
            member.config,
            member.store,
            self._clock,
            ThreadCourier(member.transport, self._pool, lambda: self._wake(unit)),
            NullPlayer(),
            entropy=os.urandom,
            rng=random.Random(f"{self._seed}/{unit}/{member.starts}"),  # noqa: S311 — jitter, not secrets
        )
        return member.station

    def _cut_power(self, member: Member) -> None:
        """No goodbye: the object is dropped, open transactions are gone, the connection dies."""
        member.station = None
        member.store.crash()
        if member.transport is not None:
            self._pool.submit(member.transport.close)
            member.transport = None

    def _wake(self, unit: str) -> None:
        self._woken.put(unit)
        self._bell.set()


def _drain(waiting: SimpleQueue[T]) -> list[T]:
    found = []
    while True:
        try:
            found.append(waiting.get_nowait())
        except Empty:
            return found
