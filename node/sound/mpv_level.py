"""How much of the time there was a signal: levels from mpv's own audio metadata, as numbers, never as sound.

    0.5 s at −18 dBFS, 0.3 s at −70 dBFS      share 0.62 of 0.8 s: a signal was present
    all of it below −50 dBFS                  share 0: silent

A level is the RMS that mpv's `astats` filter measured over about half a second of decoded sound, in dB of
full scale, before the volume. It stands for the time since the level before it. One click in ten minutes of
nothing is no bulletin, and a bulletin has pauses; so a share of the time counts, not the loudest moment.
"""

from __future__ import annotations

import math
from typing import Any, Final

# A normalised bulletin lies near −16 dBFS; the hiss of a bad microphone that nobody speaks into, below this.
SIGNAL_DB: Final = -50.0
# Speech with its pauses is above SIGNAL_DB for at least this share of the time.
SIGNAL_SHARE: Final = 0.5
# Below this share nobody heard a bulletin, whatever clicked.
SILENT_SHARE: Final = 0.05
# A level says nothing about what was before this time.
WEIGHT_MAX_S: Final = 1.0
_WEIGHT_MIN_S: Final = 0.02
_FIELD: Final = "lavfi.astats.Overall.RMS_level"


class Meter:
    """Levels over the time of one item."""

    def __init__(self) -> None:
        self._loud_s = 0.0
        self._quiet_s = 0.0
        self._muted_s = 0.0
        self._last_s: float | None = None

    def begin(self, now_mono_s: float) -> None:
        """The sound begins, or goes on: nothing is known of the time before."""
        self._last_s = now_mono_s

    def take(self, metadata: Any, now_mono_s: float, *, muted: bool) -> None:
        """One answer with mpv's metadata; one without a level is passed over."""
        level_db = level_of(metadata)
        if level_db is None or self._last_s is None:
            return
        weight_s = min(max(now_mono_s - self._last_s, _WEIGHT_MIN_S), WEIGHT_MAX_S)
        self._last_s = now_mono_s
        if level_db > SIGNAL_DB and not muted:
            self._loud_s += weight_s
            return
        self._quiet_s += weight_s
        if muted:
            self._muted_s += weight_s

    @property
    def measured_s(self) -> float:
        """Seconds for which a level is known."""
        return self._loud_s + self._quiet_s

    @property
    def share(self) -> float:
        """Share of the measured time with a signal, 0 to 1; 0 when nothing was measured."""
        return self._loud_s / self.measured_s if self.measured_s else 0.0

    @property
    def present(self) -> bool:
        """True when a signal was there for long enough."""
        return self.measured_s > 0 and self.share >= SIGNAL_SHARE

    @property
    def silent(self) -> bool:
        """True when levels are known and none of them is worth a word."""
        return self.measured_s > 0 and self.share < SILENT_SHARE

    @property
    def muted(self) -> bool:
        """True when it was the output that was shut, for most of the quiet time."""
        return self._muted_s > self._quiet_s / 2


def level_of(metadata: Any) -> float | None:
    """RMS in dBFS (−inf for digital silence); None when the metadata holds none."""
    if not isinstance(metadata, dict):
        return None
    try:
        level_db = float(metadata[_FIELD])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(level_db) else level_db
