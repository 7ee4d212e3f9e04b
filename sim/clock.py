"""Virtual time: one agenda for the whole province, and a clock per station that may be wrong.

`Agenda` is a heap of (time, order of entry, act): nothing sleeps, nothing runs beside it, and two acts of one
instant run in the order they were entered, so a run is a function of its seed. `StationClock` is what a
station's own hardware would say: wall time with an error and a drift, a monotonic counter since the last
boot, and how far the wall time may be trusted. True time exists only here; no product code ever sees it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from node import Confidence, Now

# What a board without a battery says when it comes up: its build date, years off and counting.
FACTORY_WALL_S = 1_577_836_800.0


class Agenda:
    """`now` is true time (UTC s). `at` and `after` enter an act and give a handle, which `drop` forgets."""

    def __init__(self, start_s: float) -> None:
        self.now = start_s
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._dropped: set[int] = set()

    def at(self, when_s: float, act: Callable[[], None]) -> int:
        self._order += 1
        heapq.heappush(self._heap, (max(when_s, self.now), self._order, act))
        return self._order

    def after(self, delay_s: float, act: Callable[[], None]) -> int:
        return self.at(self.now + delay_s, act)

    def drop(self, handle: int) -> None:
        self._dropped.add(handle)

    def run_until(self, end_s: float) -> None:
        """Acts in order of time up to and including `end_s`; whatever an act raises ends the run there."""
        while self._heap and self._heap[0][0] <= end_s:
            when_s, order, act = heapq.heappop(self._heap)
            if order in self._dropped:
                self._dropped.discard(order)
                continue
            self.now = when_s
            act()
        self.now = max(self.now, end_s)

    def __len__(self) -> int:
        return len(self._heap) - len(self._dropped)


class StationClock:
    """The node's `Clock` port on virtual time. skew_s: the wall clock's error; drift: its error a second."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._booted_s = agenda.now
        self._set_s = agenda.now
        self._skew_s = 0.0
        self._drift = 0.0
        self.confidence = Confidence.NTP

    def boot(self, *, confidence: Confidence, skew_s: float, drift: float) -> None:
        """Power came back: the counter starts at zero; the wall clock is right, off, or lost (UNKNOWN)."""
        self._booted_s = self._set_s = self._agenda.now
        self.confidence = confidence
        self._drift = drift
        lost = confidence is Confidence.UNKNOWN
        self._skew_s = FACTORY_WALL_S - self._agenda.now if lost else skew_s

    def discipline(self, skew_s: float) -> None:
        """NTP answered: from here the wall time is right to `skew_s`."""
        self._set_s = self._agenda.now
        self._skew_s = skew_s
        self.confidence = Confidence.NTP

    def now(self) -> Now:
        true_s = self._agenda.now
        wall_s = true_s + self._skew_s + self._drift * (true_s - self._set_s)
        return Now(wall_s=wall_s, mono_s=true_s - self._booted_s, confidence=self.confidence)
