"""Time at a station: the port, the system's clock, accelerated clocks, and how far any of them is trusted.

A clock answers three things at once: wall time, monotonic time and how much the wall time deserves belief.
`TrustedTime` joins that with what the hub signs: every good reply carries the hub's time bound to our own
nonce, so it cannot be older than our question. A commune box often has no battery clock and wakes up years
wrong; then it plays nothing by the clock until a reply, an NTP daemon or a real RTC tells it better.

Nothing here reads the operating system: the shell passes the functions in, and the simulator passes its own.
Wall times are UTC seconds since 1970 as float, monotonic times are seconds from an arbitrary zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from ledger.tempo import TempoReader

# The box cannot be older than its software: a wall clock before this is a lost clock, whatever it claims.
SOFTWARE_EPOCH_S = 1_640_995_200  # 2022-01-01T00:00:00Z
# A wall clock may be this much behind the newest signed time (rounding to whole seconds, the reply's way).
BEHIND_TOLERANCE_S = 5.0
# An RTC farther than this from a live signed time is wrong; NTP is believed even then (it has many
# witnesses).
RTC_TOLERANCE_S = 120.0
# A reply that took longer than this says little about *now*: it still gives a lower bound.
ROUND_TRIP_MAX_S = 120.0
# Signed time plus a 200 ppm crystal stays within two minutes for this long; then it needs to be learnt again.
SIGNED_LIFE_S = 7 * 86400.0
# Cheap crystals lie within ±100 ppm; twice that keeps the bounds sound in a hot cabinet.
DRIFT = 200e-6


class Confidence(IntEnum):
    """How far wall time may be believed, lowest first."""

    UNKNOWN = 0
    SIGNED = 1
    RTC = 2
    NTP = 3


@dataclass(frozen=True)
class Now:
    """One reading: `wall_s` UTC, `mono_s` never goes back within a process, `confidence` of the wall time."""

    wall_s: float
    mono_s: float
    confidence: Confidence


class Clock(Protocol):
    """Where a station gets its time from."""

    def now(self) -> Now: ...


class SystemClock:
    """The operating system's clocks, handed in by the shell."""

    def __init__(
        self, wall: Callable[[], float], mono: Callable[[], float], trust: Callable[[], Confidence]
    ) -> None:
        self._wall = wall
        self._mono = mono
        self._trust = trust

    def now(self) -> Now:
        wall_s = self._wall()
        confidence = self._trust() if wall_s >= SOFTWARE_EPOCH_S else Confidence.UNKNOWN
        return Now(wall_s, self._mono(), confidence)

    def real_wait_s(self, wait_s: float) -> float:
        """Real seconds that pass while this clock advances by `wait_s`."""
        return wait_s


class TempoClock:
    """Accelerated time shared by several processes of one machine; believed as a synchronised clock is."""

    def __init__(self, tempo: TempoReader) -> None:
        self._tempo = tempo

    def now(self) -> Now:
        utc_s = self._tempo.utc()
        return Now(utc_s, utc_s, Confidence.NTP)

    def real_wait_s(self, wait_s: float) -> float:
        """Real seconds that pass while this clock advances by `wait_s`."""
        return self._tempo.real_wait_s(wait_s)


class TrustedTime:
    """UTC as a station may use it: the clock's word, corrected and bounded by signed time.

    low_s: newest signed time known from before this process (0 = none), UTC seconds.
    """

    def __init__(self, low_s: float = 0.0) -> None:
        self._low_s = max(low_s, float(SOFTWARE_EPOCH_S))
        self._low_mono_s: float | None = None
        self._live: tuple[float, float, float] | None = None  # (UTC, monotonic, ± s) of the best reply
        self._high: tuple[float, float] | None = None  # the latest it could have been, and when

    def learn(self, hub_time_s: float, asked_mono_s: float, answered_mono_s: float) -> None:
        """Takes the time of a reply to our own nonce: it was true at some moment between the two."""
        round_trip_s = max(0.0, answered_mono_s - asked_mono_s)
        if hub_time_s > self.low(answered_mono_s):
            self._low_s, self._low_mono_s = hub_time_s, answered_mono_s
        self._high = (hub_time_s + 1 + round_trip_s, answered_mono_s)
        if round_trip_s > ROUND_TRIP_MAX_S:
            return
        # Whole seconds are cut, not rounded, hence the 1: it was between hub_time and that plus the round
        # trip.
        error_s = (1 + round_trip_s) / 2
        known_s = self._live_at(answered_mono_s)
        if self._live is not None and known_s is not None:
            known_error_s = self._live[2] + (answered_mono_s - self._live[1]) * DRIFT
            agrees = hub_time_s <= known_s <= hub_time_s + 2 * error_s
            if agrees and known_error_s <= error_s:
                return  # a slow reply must not blur what a quick one said
        self._live = (hub_time_s + error_s, answered_mono_s, error_s)

    def at(self, now: Now) -> tuple[float, Confidence]:
        """UTC seconds and how far to believe them; never below the newest signed time."""
        low_s = self.low(now.mono_s)
        live_s = self._live_at(now.mono_s)
        if now.confidence >= Confidence.RTC and now.wall_s >= low_s - BEHIND_TOLERANCE_S:
            wrong_rtc = (
                now.confidence == Confidence.RTC
                and live_s is not None
                and abs(now.wall_s - live_s) > RTC_TOLERANCE_S
            )
            if not wrong_rtc:
                return max(now.wall_s, low_s), now.confidence
        if live_s is not None:
            return max(live_s, low_s), Confidence.SIGNED
        return max(now.wall_s, low_s), Confidence.UNKNOWN

    def low(self, mono_s: float) -> float:
        """A sound lower bound of UTC: the newest signed time plus what the crystal surely counted."""
        if self._low_mono_s is None:
            self._low_mono_s = mono_s
        return self._low_s + max(0.0, mono_s - self._low_mono_s) * (1 - DRIFT)

    def high(self, mono_s: float) -> float:
        """The latest it can be by the last live exchange; inf when there was none."""
        if self._high is None:
            return float("inf")
        utc_s, at_s = self._high
        return utc_s + max(0.0, mono_s - at_s) * (1 + DRIFT)

    def _live_at(self, mono_s: float) -> float | None:
        if self._live is None:
            return None
        utc_s, at_s, _ = self._live
        age_s = mono_s - at_s
        return utc_s + age_s if 0 <= age_s <= SIGNED_LIFE_S else None
