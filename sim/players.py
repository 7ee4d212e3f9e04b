"""The loudspeaker of a simulated station: the node's own timed player, watched, on a device that may fail.

Every sound passes `watch` before it begins: that is where the checkers ask whether it may be heard at all and
whether it was heard before. What the device does is keyed like every fault: it refuses, or dies midway.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger.facts import Detail, Evidence, Outcome
from node import NullPlayer, PlayerError, PlayItem, PlayReport
from sim.faults import Dice


class WatchedPlayer:
    """The `Player` port. `watch(item)` runs at every start; `rate()` is how often the device fails now.

    `starts` numbers the sounds of this station over all its lives; it is the k of the device's faults.
    """

    name = "sim"
    ceiling = Evidence.DELIVERED
    chimes = False
    can_speak = False

    def __init__(
        self,
        station: str,
        dice: Dice,
        rate: Callable[[], float],
        *,
        watch: Callable[[PlayItem], None],
        first_start: int,
    ) -> None:
        self._station = station
        self._dice = dice
        self._rate = rate
        self._watch = watch
        self._inner = NullPlayer()
        self._dies_mono_s: float | None = None
        self._began_mono_s = 0.0
        self._sounding = False
        self.starts = first_start

    @property
    def sounding(self) -> bool:
        return self._sounding

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        self.starts += 1
        self._dies_mono_s = None
        if self._dice.hit(self._station, "device", self.starts, self._rate()):
            share = self._dice.roll(self._station, "device/when", self.starts)
            if share < 0.5:
                raise PlayerError("device-refused", "the sound device did not open")
            self._dies_mono_s = now_mono_s + share * item.duration_ms / 1000
        self._watch(item)
        self._began_mono_s = now_mono_s
        self._inner.start(item, now_mono_s)
        self._sounding = True

    def poll(self, now_mono_s: float) -> PlayReport | None:
        if self._dies_mono_s is not None and now_mono_s >= self._dies_mono_s:
            self._inner.stop(now_mono_s)
            heard_ds = int((self._dies_mono_s - self._began_mono_s) * 10)
            self._dies_mono_s = None
            self._sounding = False
            return PlayReport(Outcome.PARTIAL, Detail.DEVICE, heard_ds, self.ceiling)
        report = self._inner.poll(now_mono_s)
        self._sounding = report is None
        return report

    def stop(self, now_mono_s: float) -> PlayReport:
        self._sounding = False
        return self._inner.stop(now_mono_s)

    def wait_s(self, now_mono_s: float) -> float:
        wait_s = self._inner.wait_s(now_mono_s)
        return wait_s if self._dies_mono_s is None else min(wait_s, max(0.0, self._dies_mono_s - now_mono_s))

    def close(self) -> None:
        self._inner.close()
