"""When was this station here, and did it know the time? What may be said of a slot that passed in silence.

An alive mark is written at the start, at most every ten minutes, and together with anything that is written
anyway. From it and the trusted time of the next start follows when the station was *off*; from the moment it
started until time was trusted it was *blind*. Both are kept as gaps: a slot inside one was missed for want of
power or of a clock, and not for want of content. The mark is older than the true end by up to ten minutes; a
slot whose window ended while the station was up was answered for at that moment, so only silence is guessed.
While time is not known, the seconds of being here are counted instead of the mark: when a station without a
clock lives several times before it learns the time, nobody can say when it was here in between. Then all of
it was for want of a clock if there was power for most of it, and for want of power if not.

A database may be older than what this station did: it lived in memory and lost it with the power, or was put
back from a backup. Then slots that could have begun before this start are in doubt. They are not begun, for a
slot plays at most once, and nobody says that they were silent.

Bound: this file measures; `reckoning.py` draws the conclusion.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ledger.facts import ClockStepped, Slot
from ledger.log import Ledger
from node.clock import Confidence, Now, TrustedTime
from node.plays import Memories

ALIVE_EVERY_S: Final = 600.0
# A wall clock that moved this much against the monotonic one was set, it did not drift.
STEP_S: Final = 30.0

ALIVE: Final = "node.alive_s"
LOW: Final = "node.low_s"
FLOOR: Final = "node.floor_s"
BOOT: Final = "node.boot"  # the life of the machine in which the last mark was written
BLIND_S: Final = "node.blind_s"  # seconds of power since the last mark, in which time was not known
DOUBT: Final = "node.doubt"  # 1 until time is trusted, then the instant before which anything may have begun
DOUBT_FROM: Final = "node.doubt_from_s"  # the last sign of life of before
_PENDING: Final = 1

OFF: Final = "off"
BLIND: Final = "blind"


class Moment(NamedTuple):
    """Now, as the station may use it. utc_s is worth `confidence`; `trusted` when timed items may play.

    synced: somebody besides this box keeps the time, an NTP daemon or the hub in this process. boot: as in
    `Now`.
    """

    utc_s: float
    mono_s: float
    confidence: Confidence
    synced: bool = False
    boot: str = ""

    @property
    def trusted(self) -> bool:
        return self.confidence >= Confidence.SIGNED

    @property
    def ts(self) -> int:
        """Whole UTC seconds, for events."""
        return max(0, int(self.utc_s))


def moment_of(time: TrustedTime, now: Now) -> Moment:
    """What this reading of the clock is worth."""
    utc_s, confidence = time.at(now)
    kept = confidence >= Confidence.NTP or time.is_live(now.mono_s)
    return Moment(utc_s, now.mono_s, confidence, kept and confidence >= Confidence.SIGNED, now.boot)


class Presence:
    """Follows the clock over one life of the process. stall_s: a longer silence means stopped."""

    def __init__(self, ledger: Ledger, memories: Memories, *, stall_s: float) -> None:
        self._ledger = ledger
        self._memories = memories
        self._stall_s = stall_s
        low_s = ledger.get(LOW, 0)
        floor_s = ledger.get(FLOOR, 0)
        alive_s = ledger.get(ALIVE, 0)
        assert isinstance(low_s, int)
        assert isinstance(floor_s, int)
        assert isinstance(alive_s, int)
        self.time: Final = TrustedTime(low_s, floor_s)
        self.alive_s = alive_s
        self._boot_mono_s: float | None = None
        self._last: Moment | None = None  # the last call
        self._trusted: Moment | None = None  # the last call at which time was trusted
        self._marked_mono_s: float | None = None
        self.boot_s: float | None = None  # UTC of this start, once time is trusted
        self._boot = ledger.get(BOOT, "")
        self._blind_before_s = self._blind_said_s = _whole(ledger, BLIND_S)
        self._doubt = _whole(ledger, DOUBT)
        self._doubt_from_s = _whole(ledger, DOUBT_FROM)

    def observe(self, now: Now) -> tuple[Moment, ClockStepped | None]:
        """The moment, and a step of the clock if there was one. Gaps that came to light are written here."""
        moment = moment_of(self.time, now)
        if self._boot_mono_s is None:
            self._boot_mono_s = now.mono_s
        step = self._step(moment)
        if moment.trusted:
            gaps = self._gaps(moment)
            was_ahead = self._turned_back(moment) and self._memories.gaps(moment.utc_s, float("inf"))
            if gaps or was_ahead or self._doubt == _PENDING:
                with self._ledger.transaction():
                    self._settle_doubt()
                    self._memories.cut_gaps(moment.utc_s)
                    for kind, from_s, until_s in gaps:
                        self._memories.add_gap(kind, from_s, until_s)
                    self.mark(moment)
            self._trusted = moment
        self._last = moment
        return moment, step

    def mark(self, moment: Moment) -> None:
        """Writes the alive mark into the open transaction. Only a trusted time is a mark."""
        assert self._ledger.in_transaction
        self._ledger.put(LOW, int(self.time.low(moment.mono_s)))
        self._ledger.put(FLOOR, int(self.time.floor_s))
        if moment.boot != self._boot:
            self._boot = moment.boot
            self._ledger.put(BOOT, moment.boot)
        if moment.trusted:
            self.alive_s = moment.ts
            self._ledger.put(ALIVE, moment.ts)
            self._blind_before_s = 0
        blind_s = self._blind_before_s + int(self._blind_s(moment))
        if blind_s != self._blind_said_s:
            self._blind_said_s = blind_s
            self._ledger.put(BLIND_S, blind_s)
        self._marked_mono_s = moment.mono_s

    def mark_due_in(self, moment: Moment) -> float:
        """Seconds until the next alive mark should be written."""
        if self._marked_mono_s is None:
            return 0.0 if moment.trusted else max(0.0, ALIVE_EVERY_S - self._blind_s(moment))
        return max(0.0, self._marked_mono_s + ALIVE_EVERY_S - moment.mono_s)

    def may_have_begun(self, slot: Slot) -> bool:
        """True when this slot may have sounded in a life that this database does not know.

        An emergency that was ordered to be heard more than once may be heard once more.
        """
        if not self._doubt or (slot.emergency and slot.plays_max > 1):
            return False
        return self._doubt == _PENDING or slot.start_s < self._doubt

    def is_in_doubt(self, slot: Slot) -> bool:
        """True when nobody here can say whether this slot was silent."""
        lost = self._doubt_from_s < slot.begin_until_s and slot.start_s < self._doubt
        return self._doubt > _PENDING and lost

    def _settle_doubt(self) -> None:
        if self._doubt == _PENDING and self.boot_s is not None:
            self._doubt, self._doubt_from_s = int(self.boot_s) + 1, self.alive_s
            self._ledger.put(DOUBT, self._doubt)
            self._ledger.put(DOUBT_FROM, self._doubt_from_s)

    def _gaps(self, moment: Moment) -> list[tuple[str, float, float]]:
        """What lies between the last trusted moment and this one."""
        found: list[tuple[str, float, float]] = []
        before = self._trusted
        if before is None:
            assert self._boot_mono_s is not None
            boot_s = self.boot_s = moment.utc_s - (moment.mono_s - self._boot_mono_s)
            if 0 < self.alive_s < boot_s:
                mostly_here = 2 * self._blind_before_s >= boot_s - self.alive_s
                found.append((BLIND if mostly_here else OFF, float(self.alive_s), boot_s))
            if moment.utc_s > boot_s:
                found.append((BLIND, boot_s, moment.utc_s))
            return found
        assert self._last is not None
        if not self._last.trusted:
            return [(BLIND, before.utc_s, moment.utc_s)] if moment.utc_s > before.utc_s else []
        passed_s = moment.mono_s - before.mono_s
        jumped_s = moment.utc_s - before.utc_s - passed_s
        if passed_s > self._stall_s:
            found.append((OFF, before.utc_s, before.utc_s + passed_s))
        if jumped_s > STEP_S:
            # We lived at the wrong time: nothing planned for the hours that were skipped was ever "now".
            found.append((BLIND, before.utc_s + passed_s, moment.utc_s))
        return found

    def _blind_s(self, moment: Moment) -> float:
        """Seconds since this life last knew the time, or began."""
        if moment.trusted:
            return 0.0
        since = self._trusted.mono_s if self._trusted is not None else self._boot_mono_s
        return 0.0 if since is None else max(0.0, moment.mono_s - since)

    def _turned_back(self, moment: Moment) -> bool:
        """True when the trusted time of before may have been ahead of this one."""
        before = self._trusted
        return before is None or moment.utc_s < before.utc_s

    def _step(self, moment: Moment) -> ClockStepped | None:
        before = self._last
        if before is None:
            return None
        expected_s = before.utc_s + (moment.mono_s - before.mono_s)
        if abs(moment.utc_s - expected_s) <= STEP_S:
            return None
        return ClockStepped(moment.ts, max(0, int(expected_s)), moment.ts, moment.confidence.name.lower())


def _whole(ledger: Ledger, name: str) -> int:
    value = ledger.get(name, 0)
    return value if isinstance(value, int) else 0
