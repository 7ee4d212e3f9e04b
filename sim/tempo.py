"""The one hand that moves accelerated time (`ledger.tempo`): plans a day, slows it down, holds it, resumes.

Only what lies ahead of every reader is changed, so time neither jumps nor steps back for anybody.

Bound: the file and who may move it. Who follows it, and what happens when, is said elsewhere.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.tempo import Tempo

LEAD_S = 0.3
"""Changes begin this far ahead: longer than the slowest awake reader needs to look again."""


@dataclass(frozen=True)
class Beat:
    """One stretch of the day: until this UTC second of the story, taking this many real seconds."""

    until_s: float
    real_s: float


def planned(start_mono_s: float, start_utc_s: float, beats: Sequence[Beat]) -> Tempo:
    """The tempo of a day that starts at this anchor and goes through `beats` in order."""
    anchors = [(start_mono_s, start_utc_s)]
    for beat in beats:
        anchors.append((anchors[-1][0] + beat.real_s, float(beat.until_s)))
    return Tempo(tuple(anchors))


def write(tempo: Tempo, path: Path) -> None:
    """Replaces the file at once, so that a reader sees the old tempo or the new one, never half of it."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(tempo.encode())
    os.replace(fresh, path)


class Metronome:
    """Holds the tempo and writes its file, tells the time to this process, slows down what lies ahead.

    Any thread may ask the time; only the conductor moves the tempo.
    """

    def __init__(self, path: Path, tempo: Tempo, mono: Callable[[], float] = time.monotonic) -> None:
        self._path, self._mono, self._lock = path, mono, threading.Lock()
        self._newest_s = float("-inf")
        self._plan: Tempo | None = None  # what is to be resumed after a hold
        self.set(tempo)

    @property
    def tempo(self) -> Tempo:
        return self._tempo

    def set(self, tempo: Tempo) -> None:
        """A new tempo; it has to agree with the old one about the past, or time stands still for a while."""
        write(tempo, self._path)
        self._tempo = tempo

    def now(self) -> float:
        """UTC seconds of the story; never goes back."""
        with self._lock:
            self._newest_s = max(self._newest_s, self._tempo.utc(self._mono()))
            return self._newest_s

    def real_until(self, utc_s: float) -> float:
        """Real seconds until the story reaches this instant; negative when it is past."""
        return self._tempo.mono(utc_s) - self._mono()

    def speed(self) -> float:
        return self._tempo.speed(self._mono())

    @property
    def is_holding(self) -> bool:
        return self._plan is not None

    def slow_down(self, factor: float) -> None:
        """What lies ahead takes `factor` times as long. Not during a hold."""
        if self._plan is None:
            self.set(self._tempo.stretched(self._mono() + LEAD_S, factor))

    def hold(self, speed: float) -> None:
        """The story goes on at this speed, if it is faster now, until `release`."""
        at_s = self._mono() + LEAD_S
        if self._tempo.speed(at_s) > speed:
            self._plan = self._plan or self._tempo
            self.set(self._tempo.held(at_s, speed))

    def release(self) -> None:
        if self._plan is not None:
            plan, self._plan = self._plan, None
            self.set(self._tempo.resumed(plan, self._mono() + LEAD_S))

    def settle(self) -> None:
        """From the next moment on, the speed of the wall."""
        self._plan = None
        self.set(self._tempo.settled(self._mono() + LEAD_S))
