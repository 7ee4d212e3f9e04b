"""Accelerated time of a real hub process: virtual UTC as a piecewise-linear function of the machine's own
clock.

A demonstration plays a broadcast day in a minute with real processes. They share one file of anchors
`{"anchors": [[mono_s, utc_s], …]}`; CLOCK_MONOTONIC is common to all processes of a machine, so all of them
see the same virtual second. Anchors are only ever added ahead of every reader, the file is replaced by
rename, and what was once said is never taken back: time does not step.

Bound: reads one file; the shell passes the machine's clock and decides whether there is a tempo at all.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from ledger.log import StoreError

LOOK_AGAIN_S = 0.05  # how often the file's inode is looked at; a stat costs a microsecond, a parse does not


class TempoClock:
    """path: the anchors' file. mono: seconds of CLOCK_MONOTONIC. Raises StoreError("tempo-bad")."""

    def __init__(self, path: Path, mono: Callable[[], float]) -> None:
        self._path = path
        self._mono = mono
        self._seen: tuple[int, int] | None = None
        self._looked_at = float("-inf")
        self._anchors: list[tuple[float, float]] = []
        self._last = float("-inf")
        self._look(mono())

    def utc(self) -> float:
        """Virtual UTC seconds now. Never goes back."""
        mono = self._mono()
        if mono - self._looked_at >= LOOK_AGAIN_S:
            self._look(mono)
        self._last = max(self._last, virtual(self._anchors, mono))
        return self._last

    def _look(self, mono: float) -> None:
        self._looked_at = mono
        status = self._path.stat()
        mark = (status.st_ino, status.st_mtime_ns)
        if mark == self._seen:
            return
        self._seen = mark
        try:
            plain = json.loads(self._path.read_bytes())
            anchors = [(float(mono_s), float(utc_s)) for mono_s, utc_s in plain["anchors"]]
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError("tempo-bad", f"{self._path} holds no anchors: {error}") from error
        if not anchors or any(b[0] <= a[0] or b[1] < a[1] for a, b in pairwise(anchors)):
            raise StoreError("tempo-bad", f"the anchors of {self._path} are not in order of time")
        self._anchors = anchors


def virtual(anchors: list[tuple[float, float]], mono: float) -> float:
    """Virtual time at `mono`: linear between anchors, slope 1 before the first and after the last."""
    at = bisect_right(anchors, (mono, float("inf")))
    if at == 0:
        return anchors[0][1] - (anchors[0][0] - mono)
    mono_0, utc_0 = anchors[at - 1]
    if at == len(anchors):
        return utc_0 + (mono - mono_0)
    mono_1, utc_1 = anchors[at]
    return utc_0 + (mono - mono_0) * (utc_1 - utc_0) / (mono_1 - mono_0)
