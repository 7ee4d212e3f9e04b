"""How long a station may be left alone, and for what it is woken.

Between two things that are due it is woken for its alive mark alone, six times an hour. Then it asks itself
nothing else: a look at everything costs three times as much as the mark, and most looks of a day are these.
When the clock jumped, or somebody outside changed something, everything is looked at.

Bound: instants. What is due, and when, is the station's to say.
"""

from __future__ import annotations

from typing import Final

from node.clock import Confidence, Now

WAIT_MIN_S: Final = 0.05
EDGE_MIN_S: Final = 0.001  # up to the beginning of a slot, which is exact
# The wall clock moved against the monotonic one by more than reading them takes: look at once.
SHIFT_S: Final = 1.0


class Rest:
    """mono_s: now, monotonic; whatever is due first is due at once."""

    def __init__(self, mono_s: float) -> None:
        self._wake_s = mono_s
        self._busy_s = mono_s  # before then nothing is due but the alive mark
        self._seen = (0.0, Confidence.UNKNOWN)  # wall minus monotonic, and confidence, when it began

    def left_s(self, now: Now) -> float | None:
        """Seconds of it that are left; None when it is over."""
        if now.mono_s >= self._wake_s or self._shifted(now):
            return None
        return max(WAIT_MIN_S, self._wake_s - now.mono_s)

    def is_for_the_mark(self, now: Now) -> bool:
        """True when it ends for the alive mark, and nothing else is due."""
        return now.mono_s < self._busy_s and not self._shifted(now)

    def begin(self, now: Now, least_s: float, mark_s: float, edge_s: float) -> float:
        """Seconds to be left alone. least_s: until something is due, mark_s: the mark, edge_s: of a slot."""
        wait_s = _up_to(min(least_s, mark_s), edge_s)
        self._wake_s = now.mono_s + wait_s
        self._busy_s = now.mono_s + _up_to(least_s, edge_s)
        self._seen = (now.wall_s - now.mono_s, now.confidence)
        return wait_s

    def end(self) -> None:
        """Something changed from outside: everything is to be looked at."""
        self._wake_s = self._busy_s = float("-inf")

    def _shifted(self, now: Now) -> bool:
        offset_s, confidence = self._seen
        return now.confidence != confidence or abs(now.wall_s - now.mono_s - offset_s) > SHIFT_S


def _up_to(wait_s: float, edge_s: float) -> float:
    """Woken for something else a moment before a slot, we would let it begin late: go on to the slot."""
    wait_s = max(WAIT_MIN_S, wait_s)
    return max(EDGE_MIN_S, edge_s) if edge_s - wait_s < WAIT_MIN_S else wait_s
