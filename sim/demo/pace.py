"""How the story waits for the machine: the clock slows down where real work needs real seconds.

The pace of the day is planned (`day`), but a hub that starts, an officer who writes and seventy stations
that fetch their recordings take as long as the machine takes, and in a fast hour a second is half an hour of
the story. So the story waits for them; and when the stations' own ticks come too late all the same, whatever
is left of the day is stretched. On a quiet machine none of this is noticed, on a busy one the day is longer.

Bound: the clock alone is touched. What the stations are late with is never hidden, only given time.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from ledger.log import LoaError
from sim.demo.crowd import Crowd
from sim.demo.day import BUSY_WINDOWS, Stage
from sim.demo.site import HUB
from sim.processes import Supervisor
from sim.tempo import Metronome

HUB_AWAY_SPEED = 60.0
OFFICE_SPEED = 600.0
BUSY_SPEED = 10.0
BUSY_JOBS = 12
"""Lines are busy when more exchanges are out than two for each carrier."""
BUSY_WAIT_S = 15.0
"""Real seconds that the day waits for busy lines in all: a bound, should they never be quiet."""
LATE_S = 1.5
"""A tick that comes later than this (real seconds) shows a machine that cannot keep up at all."""
SLOW_SPEED, LATE_STORY_S = 100.0, 15.0
"""While something begins (the story is slow then), a tick later than this in the story risks a late start."""
STRETCH, STRETCH_MAX, STRETCH_PAUSE_S = 1.25, 2.5, 2.0
KNOCK_TIMEOUT_S = 0.05


class Pacer:
    """Call `step` often. stretched: how much longer the day was made; waited_s: real seconds, for lines."""

    def __init__(
        self,
        metronome: Metronome,
        crowd: Crowd,
        family: Supervisor,
        stage: Stage,
        on_stretch: Callable[[], None],
    ) -> None:
        self._metronome, self._crowd, self._family, self._on_stretch = metronome, crowd, family, on_stretch
        self._windows = [(stage.at(start), stage.at(end)) for start, end in BUSY_WINDOWS]
        self._hub_away = False
        self._looked_at = self._stretched_at = time.monotonic()
        self.hub_port = 0
        self.stretched = 1.0
        self.waited_s = 0.0

    def step(self, *, writing: bool = False) -> None:
        """Holds the story or lets it go. writing: an officer is at work. LoaError: the hub is gone."""
        now = time.monotonic()
        since_s, self._looked_at = now - self._looked_at, now
        if self._is_hub_away():
            self._metronome.hold(HUB_AWAY_SPEED)
        elif writing:
            self._metronome.hold(OFFICE_SPEED)
        elif self._are_lines_busy() and self.waited_s < BUSY_WAIT_S:
            self.waited_s += since_s
            self._metronome.hold(BUSY_SPEED)
        else:
            self._metronome.release()
        if now - self._stretched_at > STRETCH_PAUSE_S and self._is_late():
            self._stretched_at = now
            self._stretch()

    def _is_hub_away(self) -> bool:
        """From its death, whoever caused it, until it takes calls again."""
        hub = self._family.state(HUB)
        if hub.gave_up:
            raise LoaError("hub-gone", "the hub does not start any more", hint="read logs/hub.log")
        if not hub.pid:
            self._hub_away = True
        elif self._hub_away:
            try:
                socket.create_connection(("127.0.0.1", self.hub_port), timeout=KNOCK_TIMEOUT_S).close()
                self._hub_away = False
            except OSError:
                pass
        return self._hub_away

    def _are_lines_busy(self) -> bool:
        """Many stations still fetch, and a programme is near."""
        story = self._metronome.now()
        near = any(start <= story < end for start, end in self._windows)
        return near and self._crowd.jobs_out > BUSY_JOBS

    def _is_late(self) -> bool:
        late_s, speed = self._crowd.late_s, self._metronome.speed()
        return late_s > LATE_S or (speed <= SLOW_SPEED and late_s * speed > LATE_STORY_S)

    def _stretch(self) -> None:
        if self.stretched * STRETCH <= STRETCH_MAX and not self._metronome.is_holding:
            self.stretched *= STRETCH
            self._metronome.slow_down(STRETCH)
            self._on_stretch()
