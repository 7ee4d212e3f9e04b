"""Accelerated time for real processes: one file that says which instant it is at which monotonic second.

Every process of a machine reads the same CLOCK_MONOTONIC, so a file of anchors
`{"anchors": [[mono_s, utc_s], …]}` is enough for a hub and a dozen nodes to agree on a made-up time without
talking: between two anchors time runs on a straight line, outside them at the speed of the wall. A conductor
writes the file; the shells of hub and node read it when `LOA_TEMPO` names it, and look again as they go.

The file may change ahead of everybody only: the past and the next moment stay as they were, so time neither
jumps nor steps back. A reader that looks late sees the old speed a little longer; if it was ahead by then,
its clock stands still for that little while.

    >>> tempo = Tempo(((0.0, 1_000.0), (10.0, 4_600.0)))
    >>> tempo.utc(5.0), tempo.mono(2_800.0), tempo.utc(11.0)
    (2800.0, 5.0, 4601.0)

Bound: the map and one reader of it. The machine's clock and the file's bytes are handed in by a shell.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from ledger.log import StoreError

ANCHORS_MAX = 4096
"""A day needs about 30; a file with more than this was not written by us."""
LOOK_AGAIN_S = 0.05
"""A reader looks at the file at most this often (real seconds)."""
HOLD_MAX_S = 3_600.0
"""A hold that nobody ends would last so long; a conductor waits for nothing longer than a minute."""


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


class TempoReader:
    """Tells the time by a tempo that may be rewritten meanwhile; never goes back.

    read: the file's bytes (OSError becomes StoreError). mono: seconds of CLOCK_MONOTONIC. Raises
    StoreError("tempo-malformed") at once, or from any question later, when the bytes are not a tempo.
    """

    def __init__(self, read: Callable[[], bytes], mono: Callable[[], float]) -> None:
        self._read, self._mono = read, mono
        self._bytes: bytes | None = None
        self._newest_s = float("-inf")
        self._look(mono())

    def utc(self) -> float:
        """UTC seconds of the story now."""
        mono_s = self._mono()
        if mono_s - self._looked_s >= LOOK_AGAIN_S:
            self._look(mono_s)
        self._newest_s = max(self._newest_s, self._tempo.utc(mono_s))
        return self._newest_s

    def real_wait_s(self, wait_s: float) -> float:
        """Real seconds until the story will have advanced by `wait_s`."""
        mono_s = self._mono()
        return max(0.0, self._tempo.mono(self._tempo.utc(mono_s) + wait_s) - mono_s)

    def _look(self, mono_s: float) -> None:
        self._looked_s = mono_s
        try:
            found = self._read()
        except OSError as error:
            raise StoreError("tempo-malformed", f"the tempo file cannot be read: {error}") from error
        if found != self._bytes:
            self._tempo = Tempo.decode(found)
            self._bytes = found


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
