"""Time at a station: the port, the system's clock, accelerated clocks, and how far any of them is trusted.

A clock answers three things at once: wall time, monotonic time and how much the wall time deserves belief.
`TrustedTime` joins that with what the hub signs: every good reply carries the hub's time bound to our own
nonce, so it cannot be older than our question. A commune box often has no battery clock and wakes up years
wrong; then it plays nothing by the clock until a reply, an NTP daemon or a real RTC tells it better.

There are three witnesses: the wall clock, the hub's newest reply, and the reply before it carried on by the
monotonic clock. Whoever stands alone against two is not believed. Where two stand against each other and no
third can tell, nothing is played by the clock: silence is repaired by a person, a wrong hour is not.

Nothing here reads the operating system: the shell passes the functions in, and the simulator passes its own.
Wall times are UTC seconds since 1970 as float, monotonic times are seconds from an arbitrary zero.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple, Protocol

from ledger.tempo import TempoReader

logger = logging.getLogger("loa.node")

# The box cannot be older than its software: a wall clock before this is a lost clock, whatever it claims.
SOFTWARE_EPOCH_S = 1_640_995_200  # 2022-01-01T00:00:00Z
# A wall clock may be this much behind the newest signed time (rounding to whole seconds, the reply's way).
BEHIND_TOLERANCE_S = 5.0
# A wall clock and a signed time that lie farther apart than this, and the crystal's drift, contradict each
# other.
AGREE_S = 120.0
# A battery clock farther than this ahead of the newest signed time is not believed by itself: its registers
# are lost more often than a station stays away for so long.
RTC_AHEAD_MAX_S = 400 * 86400.0
# A machine that was paused finds both its clocks behind by so much at most; a hub farther ahead is wrong.
PAUSE_MAX_S = 86400.0
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


class Now(NamedTuple):
    """One reading: `wall_s` UTC, `mono_s` never goes back within a process, `confidence` of the wall time.

    boot: names the life of the machine that `mono_s` counts; "" when it cannot be told from another.
    """

    wall_s: float
    mono_s: float
    confidence: Confidence
    boot: str = ""


class Clock(Protocol):
    """Where a station gets its time from."""

    def now(self) -> Now: ...


class SystemClock:
    """The operating system's clocks, handed in by the shell."""

    def __init__(
        self,
        wall: Callable[[], float],
        mono: Callable[[], float],
        trust: Callable[[], Confidence],
        boot: str = "",
    ) -> None:
        self._wall = wall
        self._mono = mono
        self._trust = trust
        self._boot = boot

    def now(self) -> Now:
        wall_s = self._wall()
        confidence = self._trust() if wall_s >= SOFTWARE_EPOCH_S else Confidence.UNKNOWN
        return Now(wall_s, self._mono(), confidence, self._boot)

    def real_wait_s(self, wait_s: float) -> float:
        """Real seconds that pass while this clock advances by `wait_s`."""
        return wait_s


class TempoClock:
    """Accelerated time shared by several processes of one machine; believed as a synchronised clock is."""

    def __init__(self, tempo: TempoReader, boot: str = "") -> None:
        self._tempo = tempo
        self._boot = boot

    def now(self) -> Now:
        utc_s = self._tempo.utc()
        return Now(utc_s, utc_s, Confidence.NTP, self._boot)

    def real_wait_s(self, wait_s: float) -> float:
        """Real seconds that pass while this clock advances by `wait_s`."""
        return self._tempo.real_wait_s(wait_s)


class TrustedTime:
    """UTC as a station may use it: the clock's word, corrected and bounded by signed time.

    low_s: newest signed time known from before this process (0 = none). floor_s: the newest that a wall clock
    confirmed (0 = none): the hub may correct itself down to there and no further. UTC seconds.
    """

    def __init__(self, low_s: float = 0.0, floor_s: float = 0.0) -> None:
        self.floor_s = max(floor_s, float(SOFTWARE_EPOCH_S))
        self._low_s = max(low_s, self.floor_s)
        self._low_mono_s: float | None = None
        self._live: tuple[float, float, float] | None = None  # (UTC, monotonic, ± s) of the best reply
        self._high: tuple[float, float] | None = None  # the latest it could have been, and when
        self._seen: Now | None = None  # the clock at the last look
        self._ahead_s = 0.0  # how far the wall clock ran ahead of the monotonic one since the hub last spoke
        self._agreed = False  # the wall clock and the hub have agreed while the live time lasted
        self.in_doubt = False  # we were suspended, or the clock was set: the hub must be asked

    def learn(self, hub_time_s: float, asked_mono_s: float, answered_mono_s: float) -> bool:
        """Takes the time of a reply to our own nonce: it was true at some moment between the two.

        False when two witnesses, or what two once confirmed, speak against it: then nothing is learnt.
        """
        round_trip_s = max(0.0, answered_mono_s - asked_mono_s)
        latest_s = hub_time_s + 1 + round_trip_s
        wall_s = self._wall_at(answered_mono_s)
        known_s = self._live_at(answered_mono_s)
        slack_s = AGREE_S + self._drift_s(answered_mono_s)
        wall_agrees = wall_s is not None and hub_time_s - slack_s <= wall_s <= latest_s + slack_s
        known_agrees = known_s is not None and hub_time_s - slack_s <= known_s <= latest_s + slack_s
        alone = (
            wall_s is not None
            and known_s is not None
            and not (wall_agrees or known_agrees)
            and abs(wall_s - known_s) <= slack_s
        )
        paused = alone and wall_s is not None and 0 < hub_time_s - wall_s <= PAUSE_MAX_S
        if latest_s < self.floor_s - AGREE_S or (alone and not paused):
            logger.warning("the hub's time %d is contradicted, and not used", hub_time_s)
            return False
        if paused:
            self._agreed = False  # both our clocks may have stood still: they are one witness now
        if wall_agrees:
            self.floor_s = max(self.floor_s, hub_time_s)
        self._bound(hub_time_s, latest_s, answered_mono_s)
        if round_trip_s > ROUND_TRIP_MAX_S:
            return True
        self._ahead_s = 0.0
        self.in_doubt = False
        # Whole seconds are cut, not rounded, hence the 1: it was between hub_time and that plus the round
        # trip.
        error_s = (1 + round_trip_s) / 2
        if self._live is not None and known_s is not None:
            known_error_s = self._live[2] + (answered_mono_s - self._live[1]) * DRIFT
            agrees = hub_time_s <= known_s <= hub_time_s + 2 * error_s
            if agrees and known_error_s <= error_s:
                return True  # a slow reply must not blur what a quick one said
        self._live = (hub_time_s + error_s, answered_mono_s, error_s)
        return True

    def at(self, now: Now) -> tuple[float, Confidence]:
        """UTC seconds and how far to believe them; never below the newest signed time."""
        if self._seen is not None:
            # Suspensions add up, and a clock that is set back between two of them takes none of them back.
            self._ahead_s += _step_ahead(self._seen, now)
        self._seen = now
        low_s = self.low(now.mono_s)
        live_s = self._live_at(now.mono_s)
        usable = now.confidence >= Confidence.RTC and now.wall_s >= low_s - BEHIND_TOLERANCE_S
        if live_s is None:
            self._agreed = self.in_doubt = False
            if usable and not (now.confidence == Confidence.RTC and self._is_far_ahead(now.wall_s)):
                return max(now.wall_s, low_s), now.confidence
            return max(now.wall_s, low_s), Confidence.UNKNOWN
        slack_s = AGREE_S + self._drift_s(now.mono_s)
        if abs(now.wall_s - live_s) <= slack_s:
            if usable:  # a clock that nobody vouches for may agree with a time that stood still by chance
                self.in_doubt = False
                self._agreed = True
                return max(now.wall_s, low_s), now.confidence
        elif self._ahead_s > slack_s:
            # The wall clock ran ahead of the monotonic one: it was set, or we were suspended and the carried
            # on time is behind. A crystal that runs fast does not exist, so the other way round is clear.
            self.in_doubt = True
        if self.in_doubt or self._disputed(now):
            return max(live_s, low_s), Confidence.UNKNOWN
        return max(live_s, low_s), Confidence.SIGNED

    def low(self, mono_s: float) -> float:
        """A sound lower bound of UTC: the newest signed time plus what the crystal surely counted."""
        if self._low_mono_s is None:
            self._low_mono_s = mono_s
        return self._low_s + max(0.0, mono_s - self._low_mono_s) * (1 - DRIFT)

    def high(self, mono_s: float) -> float:
        """The latest it can be by the last live exchange; inf when there was none, or it is in doubt."""
        if self._high is None or self.in_doubt:
            return float("inf")
        utc_s, at_s = self._high
        return utc_s + max(0.0, mono_s - at_s) * (1 + DRIFT)

    def raise_low(self, signed_s: float, mono_s: float) -> None:
        """A signed time that came without our question, by stick: a lower bound, and never the time."""
        if signed_s > self.low(mono_s):
            self._low_s, self._low_mono_s = signed_s, mono_s

    def is_live(self, mono_s: float) -> bool:
        """True while the hub's own word on the time, given to this process, is good."""
        return self._live_at(mono_s) is not None

    def is_behind(self, now: Now) -> bool:
        """True when the wall clock is surely wrong: it stands before the newest signed time."""
        return now.wall_s < self.low(now.mono_s) - BEHIND_TOLERANCE_S

    # -- inside ----------------------------------------------------------------------------------------------

    def _bound(self, hub_time_s: float, latest_s: float, mono_s: float) -> None:
        """Moves the bounds: up, or down when the hub takes back what it signed."""
        low_s = self.low(mono_s)
        if hub_time_s > low_s:
            self._low_s, self._low_mono_s = hub_time_s, mono_s
        elif latest_s < low_s - AGREE_S:
            # It signed a time that was too late, and now one that is right: a reply to our own nonce.
            logger.warning("the hub corrects its time from %d down to %d", low_s, hub_time_s)
            self._low_s, self._low_mono_s = max(hub_time_s, self.floor_s), mono_s
        self._high = (latest_s, mono_s)

    def _disputed(self, now: Now) -> bool:
        """A synchronised clock and the hub contradict each other and never agreed: nobody can tell."""
        return now.confidence >= Confidence.NTP and now.wall_s >= self.floor_s and not self._agreed

    def _is_far_ahead(self, wall_s: float) -> bool:
        """Years beyond the newest signed time, if there ever was one."""
        return SOFTWARE_EPOCH_S < self._low_s < wall_s - RTC_AHEAD_MAX_S

    def _wall_at(self, mono_s: float) -> float | None:
        """The wall clock at this moment, if it is worth anything."""
        seen = self._seen
        if seen is None or seen.confidence < Confidence.RTC or seen.wall_s < SOFTWARE_EPOCH_S:
            return None
        return seen.wall_s + mono_s - seen.mono_s

    def _drift_s(self, mono_s: float) -> float:
        """By how much the monotonic clock may be off since the last reply."""
        return 0.0 if self._live is None else max(0.0, mono_s - self._live[1]) * DRIFT + self._live[2]

    def _live_at(self, mono_s: float) -> float | None:
        if self._live is None:
            return None
        utc_s, at_s, _ = self._live
        age_s = mono_s - at_s
        return utc_s + age_s if 0 <= age_s <= SIGNED_LIFE_S else None


def _step_ahead(before: Now, now: Now) -> float:
    """Seconds by which the wall clock ran ahead of the monotonic one; 0 for what their crystals explain."""
    step_s = (now.wall_s - now.mono_s) - (before.wall_s - before.mono_s)
    return step_s if step_s > 1.0 + (now.mono_s - before.mono_s) * 2 * DRIFT else 0.0
