"""Accelerated time for real processes: one file that says which instant it is at which monotonic second.

Every process of a machine reads the same CLOCK_MONOTONIC, so a file of anchors `[[mono_s, utc_s], …]` is
enough for a hub and a dozen nodes to agree on a made-up time without talking: between two anchors time runs
on a straight line, outside them at the speed of the wall. The conductor writes the file; the shells of hub
and node read it when `LOA_TEMPO` names it, and look again when it was replaced.

The file may change while it is followed, ahead of everybody only: the past and the next moment stay as they
were, so time neither jumps nor steps back. A reader that looks late sees the old speed a little longer; if it
was ahead by then, its clock stands still for that little while. Sleepers look again at least twice a second.

Bound: this room holds the map, its file and the one hand that moves it (`Metronome`). Who follows it, and
what happens when, is said elsewhere.
"""

from __future__ import annotations

import json
import os
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.log import StoreError

ANCHORS_MAX = 4096
"""A day needs about 30; a file with more than this was not written by us."""
LEAD_S = 0.3
"""Changes begin this far ahead: longer than the slowest awake reader needs to look again."""
HOLD_MAX_S = 3_600.0
"""A hold that nobody ends would last so long; the conductor waits for nothing longer than a minute."""


@dataclass(frozen=True)
class Beat:
    """One stretch of the day: until this UTC second of the story, taking this many real seconds."""

    until_s: float
    real_s: float


@dataclass(frozen=True)
class Tempo:
    """A strictly growing map between monotonic seconds and UTC seconds of the story.

    anchors: at least one `(mono_s, utc_s)`, strictly increasing in both. Raises StoreError otherwise.
    """

    anchors: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.anchors) <= ANCHORS_MAX:
            raise StoreError(
                "tempo-malformed", f"a tempo has 1 to {ANCHORS_MAX} anchors, not {len(self.anchors)}"
            )
        for before, after in zip(self.anchors, self.anchors[1:], strict=False):
            if not (after[0] > before[0] and after[1] > before[1]):
                raise StoreError("tempo-malformed", f"anchor {after} does not lie after {before}")

    @classmethod
    def planned(cls, start_mono_s: float, start_utc_s: float, beats: Sequence[Beat]) -> Tempo:
        """The tempo of a day that starts at this anchor and goes through `beats` in order."""
        anchors = [(start_mono_s, start_utc_s)]
        for beat in beats:
            anchors.append((anchors[-1][0] + beat.real_s, float(beat.until_s)))
        return cls(tuple(anchors))

    def utc(self, mono_s: float) -> float:
        """UTC second of the story at a monotonic second."""
        return _along(self.anchors, mono_s, 0, 1)

    def mono(self, utc_s: float) -> float:
        """The inverse: when, in monotonic seconds, the story reaches this UTC second."""
        return _along(self.anchors, utc_s, 1, 0)

    @property
    def end_s(self) -> float:
        """UTC second of the last anchor; from there on time runs at the speed of the wall."""
        return self.anchors[-1][1]

    def speed(self, mono_s: float) -> float:
        """Seconds of the story per real second from this instant on."""
        index = bisect_right(self.anchors, mono_s, key=lambda anchor: anchor[0])
        if index in (0, len(self.anchors)):
            return 1.0
        (mono, utc), (next_mono, next_utc) = self.anchors[index - 1], self.anchors[index]
        return (next_utc - utc) / (next_mono - mono)

    def stretched(self, at_mono_s: float, factor: float) -> Tempo:
        """The same tempo up to this instant, and `factor` (≥ 1) times slower until its last anchor."""
        if factor < 1:
            raise ValueError("a tempo is slowed down, never hurried: readers may already be ahead")
        behind = tuple(anchor for anchor in self.anchors if anchor[0] < at_mono_s)
        ahead = tuple(anchor for anchor in self.anchors if anchor[0] > at_mono_s)
        if not ahead:
            return self
        here = (at_mono_s, self.utc(at_mono_s))
        slower = tuple((at_mono_s + (mono - at_mono_s) * factor, utc) for mono, utc in ahead)
        if behind and here[1] <= behind[-1][1]:
            return self  # closer than a float can tell: there is nothing to hold on to
        if here[1] >= slower[0][1] or slower[0][0] <= here[0]:
            return self
        return Tempo((*behind, here, *slower))

    def held(self, at_mono_s: float, speed: float) -> Tempo:
        """The same tempo up to this instant, and this speed from there on, for longer than anybody waits."""
        settled = self.settled(at_mono_s)
        mono, utc = settled.anchors[-1]
        return Tempo((*settled.anchors, (mono + HOLD_MAX_S, utc + HOLD_MAX_S * speed)))

    def resumed(self, plan: Tempo, at_mono_s: float) -> Tempo:
        """This tempo up to this instant; from there, what `plan` still has ahead of the story's instant."""
        settled = self.settled(at_mono_s)
        mono, utc = settled.anchors[-1]
        shift_s = mono - plan.mono(utc)
        ahead = tuple((m + shift_s, u) for m, u in plan.anchors if u > utc and m + shift_s > mono)
        return Tempo((*settled.anchors, *ahead))

    def settled(self, at_mono_s: float) -> Tempo:
        """The same tempo up to this instant, and the speed of the wall from there on."""
        behind = tuple(anchor for anchor in self.anchors if anchor[0] < at_mono_s)
        here = (at_mono_s, self.utc(at_mono_s))
        if behind and here[1] <= behind[-1][1]:
            return Tempo(behind)
        return Tempo((*behind, here))

    def encode(self) -> bytes:
        return json.dumps({"anchors": self.anchors}).encode()

    @classmethod
    def decode(cls, data: bytes) -> Tempo:
        """Raises StoreError when the bytes are not a tempo."""
        try:
            anchors = tuple((float(mono), float(utc)) for mono, utc in json.loads(data)["anchors"])
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError("tempo-malformed", f"not a tempo file: {error}") from error
        return cls(anchors)

    def write(self, path: Path) -> None:
        """Replaces the file at once, so that a reader sees the old tempo or the new one, never half of it."""
        fresh = path.with_name(path.name + ".new")
        fresh.write_bytes(self.encode())
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
        tempo.write(self._path)
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


def _along(anchors: tuple[tuple[float, float], ...], at: float, given: int, wanted: int) -> float:
    """Piecewise linear through `anchors`, slope 1 outside them."""
    index = bisect_right(anchors, at, key=lambda anchor: anchor[given])
    if index == 0:
        return anchors[0][wanted] + (at - anchors[0][given])
    if index == len(anchors):
        return anchors[-1][wanted] + (at - anchors[-1][given])
    low, high = anchors[index - 1], anchors[index]
    share = (at - low[given]) / (high[given] - low[given])
    return low[wanted] + share * (high[wanted] - low[wanted])
