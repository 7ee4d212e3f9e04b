"""When to call the hub: often enough, never in step with the neighbours, politely when it does not answer.

    nothing new        every period, ±15 %
    more to fetch      at once
    something to say   soon, so that several acknowledgments share one exchange; an emergency's within seconds
    a slot is near     once before it, when the plan is older than a period
    the hub rings      at once for an emergency, within a minute for other news; in no storm (`RINGS_BURST`)
    failure            a uniform wait up to min(cap, base · 2ⁿ): a province that lost its hub comes back
                       spread over the cap and not in one second
    the hub says when  not before that, whatever else is urgent (a sum for a province cannot be haggled over)

Content that does not come through waits by itself, in the same growing steps: a large answer may fail for
ever on a line that carries small ones, and neither decisions nor acknowledgments may wait for it. After each
good exchange it may be tried once more.

All times are monotonic seconds; randomness is the station's own. What is remembered over a restart is kept by
the caller (`remember`, `restored`): the last success, and until when the hub asked for silence.
"""

from __future__ import annotations

import random
from typing import Final

from node.config import StationConfig

# Periods are stretched and shrunk by this share, so that stations drift apart.
JITTER: Final = 0.15
# 2ⁿ is large enough for any cap long before this.
FAILURES_MAX: Final = 20
# A failed exchange is not repeated within this, whatever the dice say.
PAUSE_S: Final = 0.5
URGENT_S: Final = 2.0
# How long before a slot the plan is refreshed: an exchange, a chunk or two, and some air.
LEAD_S: Final = 120.0
# What a ring may cost: so many exchanges in a row, and one a minute. Rings beyond that wait, none is lost.
RINGS_BURST: Final = 10
RING_EVERY_S: Final = 60.0
NEWS_S: Final = 60.0  # a province that hears of a new plan together asks spread over this


class SyncAgent:
    """The next moment to call. Every method takes the monotonic now."""

    def __init__(self, config: StationConfig, rng: random.Random, mono_s: float) -> None:
        self._config = config
        self._rng = rng
        self._next_s = mono_s + rng.uniform(0, config.boot_spread_s)
        self._quiet_until_s = mono_s  # neither calls nor fetches before
        self._fetch_from_s = mono_s  # no content before
        self._asked_until_s = mono_s  # the hub asked for silence until then
        self._rung_s = float("inf")  # a ring is to be followed then
        self._rings_free_s = mono_s - RINGS_BURST * RING_EVERY_S  # each ring followed moves it on
        self._fetch_failures = 0
        self.failures = 0
        self.ok_mono_s: float | None = None
        self.ok_count = 0
        self.failed_count = 0

    def due_in(self, mono_s: float) -> float:
        """Seconds until the next call; 0 when it is due."""
        return max(0.0, max(min(self._next_s, self._rung_s), self._quiet_until_s) - mono_s)

    def called(self) -> None:
        """The hub is asked now: every ring until now is followed by that."""
        self._rung_s = float("inf")

    def rung(self, mono_s: float, *, urgent: bool) -> None:
        """The hub says that there is something to fetch. Anybody on the way may have said so."""
        soon_s = mono_s + self._rng.uniform(0.0, URGENT_S if urgent else NEWS_S)
        if self._rung_s == float("inf"):
            self._rings_free_s = max(self._rings_free_s, mono_s - RINGS_BURST * RING_EVERY_S) + RING_EVERY_S
        self._rung_s = min(self._rung_s, max(soon_s, self._rings_free_s))
        if urgent:  # it answers: our own patience is over, its wish for silence is not
            self._quiet_until_s = min(self._quiet_until_s, max(mono_s, self._asked_until_s))

    def open_in(self, mono_s: float) -> float:
        """Seconds until anything may be asked of the hub at all."""
        return max(0.0, self._quiet_until_s - mono_s)

    def succeeded(self, mono_s: float, *, more: bool) -> None:
        """A reply was accepted."""
        self.failures = 0
        self.ok_count += 1
        self.ok_mono_s = mono_s
        self._quiet_until_s = self._fetch_from_s = mono_s
        spread = self._rng.uniform(1 - JITTER, 1 + JITTER)
        self._next_s = mono_s if more else mono_s + self._config.sync_period_s * spread

    def failed(self, mono_s: float, retry_after_s: float | None = None) -> None:
        """An exchange failed. retry_after_s: what the hub asked for, if it did."""
        self.failures = min(self.failures + 1, FAILURES_MAX)
        self.failed_count += 1
        wait_s = self._back_off_s(self.failures)
        if retry_after_s is not None and retry_after_s > 0:
            # The hub computed one sum for all; a little spread keeps them from arriving in one instant.
            wait_s = retry_after_s * self._rng.uniform(1.0, 1.1)
            self._asked_until_s = mono_s + wait_s
        self._quiet_until_s = self._next_s = mono_s + wait_s

    def moved(self) -> None:
        """An exchange failed and yet brought something further: the line works, in short stretches."""
        self.failures = 0

    def fetch_in(self, mono_s: float) -> float:
        """Seconds until content may be asked for."""
        return max(0.0, max(self._fetch_from_s, self._quiet_until_s) - mono_s)

    def fetched(self) -> None:
        """Content came through."""
        self._fetch_failures = 0

    def fetch_failed(self, mono_s: float) -> None:
        """Content did not come through; the next exchange comes when it would have come anyway."""
        self._fetch_failures = min(self._fetch_failures + 1, FAILURES_MAX)
        self._fetch_from_s = mono_s + self._back_off_s(self._fetch_failures)

    def hush(self, mono_s: float, for_s: float) -> None:
        """The hub asked for silence before this process began."""
        self._quiet_until_s = self._asked_until_s = max(self._quiet_until_s, mono_s + for_s)

    def hurry(self, mono_s: float, within_s: float) -> None:
        """There is something to say: call within this time, unless the hub must be left in peace."""
        self._next_s = min(self._next_s, mono_s + self._rng.uniform(0.5, 1.0) * within_s)

    def _back_off_s(self, failures: int) -> float:
        cap_s = min(self._config.backoff_cap_s, self._config.backoff_base_s * 2.0**failures)
        return PAUSE_S + self._rng.uniform(0, cap_s)

    def stale(self, mono_s: float) -> bool:
        """True when what we know of the plan is older than a period."""
        return self.ok_mono_s is None or mono_s - self.ok_mono_s > self._config.sync_period_s
