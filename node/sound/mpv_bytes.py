"""How many bytes a live relay has brought: by mpv's own counters, for whoever pays for the line.

    stream-pos            the byte up to which the decoder has got; exact, and behind by what is buffered
    demuxer-cache-state   how far is buffered ahead (seconds), and what the line brings (bytes/s)

A plain stream has a position: the bytes decoded, and as many more as the buffered seconds weigh at the same
rate. A stream in pieces (HLS) has none: there the rate is added up. Each attempt counts from nothing, and
what it brought stays counted. Measured against a line whose bytes are known, it is right within some percent.

Bound: numbers in, a number out. Housekeeping: nothing is claimed or signed from it.
"""

from __future__ import annotations

from typing import Any, Final

ASKED: Final = ("stream-pos", "demuxer-cache-state")
# Of one attempt: an estimate from less of it would weigh the head of the file, not the stream.
PLAYED_MIN_S: Final = 2.0
# mpv renews its rate about once a second; an older one says nothing.
RATE_OLD_S: Final = 2.0
BYTES_MAX: Final = 1 << 40  # mpv counts in 64 bits; more than that is no relay


class StreamBytes:
    """Of all the streams of one player."""

    def __init__(self) -> None:
        self._before = 0  # of attempts that are over
        self._here = 0.0
        self.begins()

    def begins(self) -> None:
        """A stream is opened, for the first time or again."""
        self._before = self.total
        self._here = 0.0
        self._position = 0
        self._added = 0.0
        self._asked_s: float | None = None
        self._from_s: float | None = None

    @property
    def total(self) -> int:
        """Since the player was made."""
        return self._before + int(self._here)

    def take(self, name: str, data: Any, now_mono_s: float) -> None:
        """An answer of mpv's to one of ASKED; anything else than numbers says nothing."""
        if name == "stream-pos":
            position = _number(data)
            if position is not None and position > self._position:
                self._position = int(position)
        elif isinstance(data, dict):
            self._state(data, now_mono_s)
        self._here = max(self._here, self._position, self._added if not self._position else 0.0)

    def _state(self, data: dict[str, Any], now_mono_s: float) -> None:
        rate = _number(data.get("raw-input-rate"))
        if self._asked_s is not None and rate is not None:
            self._added += rate * min(max(0.0, now_mono_s - self._asked_s), RATE_OLD_S)
            self._added = min(self._added, float(BYTES_MAX))
        self._asked_s = now_mono_s
        at_s, end_s = _number(data.get("reader-pts")), _number(data.get("cache-end"))
        if at_s is None or end_s is None:
            return
        self._from_s = at_s if self._from_s is None else min(self._from_s, at_s)
        played_s = at_s - self._from_s
        if self._position and played_s >= PLAYED_MIN_S and end_s > at_s:
            ahead = self._position / played_s * (end_s - at_s)
            self._here = max(self._here, min(self._position + ahead, float(BYTES_MAX)))


def _number(data: Any) -> float | None:
    """A number from 0 on; mpv's own words for "not known" are none."""
    good = isinstance(data, int | float) and not isinstance(data, bool) and 0 <= data <= BYTES_MAX
    return data if good else None
