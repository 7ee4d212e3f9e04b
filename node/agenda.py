"""The plan around now, kept ready: what may still begin, when the next thing happens.

A station asks these questions at every look, and the plan changes a few times a day. So the slots of
yesterday to tomorrow that nobody has answered for yet are listed once, and again when a decision arrived, a
slot began or ended, or half a day has passed. The rules themselves stay in `ledger.facts.plan`; this only
says when it is worth asking them.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from ledger.facts import LATE_MAX_S, Facts, Slot, slots
from node.plays import Plays
from node.presence import Moment

AHEAD_S: Final = 86_400.0
REBUILD_S: Final = 43_200.0


class Agenda:
    """Follows the facts and plays of one unit. offset_s: ordinary slots begin so much after their minute."""

    def __init__(self, facts: Facts, unit: str, plays: Plays, offset_s: int = 0) -> None:
        self._facts = facts
        self._unit = unit
        self._plays = plays
        self._offset_s = offset_s
        self._built: tuple[int, int, float] | None = None
        self._open: list[Slot] = []
        self._edges: list[int] = []
        self._starts: list[int] = []

    def open_slots(self, moment: Moment) -> list[Slot]:
        """Slots within a day of now that nobody has begun or answered for, by start."""
        self._refresh(moment)
        return self._open

    def could_begin(self, moment: Moment) -> bool:
        """False when no slot's window is open: then the plan need not be asked."""
        now_s = moment.utc_s
        for slot in self.open_slots(moment):
            if slot.start_s > now_s:
                return False
            if now_s < slot.begin_until_s:
                return True
        return False

    def begins_s(self, slot: Slot) -> int:
        """From when on the slot begins here: neighbours take turns, an emergency waits for nobody."""
        return slot.start_s if slot.emergency else slot.start_s + self._offset_s

    def wake_in(self, moment: Moment) -> float:
        """Seconds until a slot's window opens, it begins, or closes; inf when none does within half a day."""
        self._refresh(moment)
        return _after(self._edges, moment.utc_s)

    def start_in(self, moment: Moment) -> float:
        """Seconds until the next slot begins; inf when none does within half a day."""
        self._refresh(moment)
        return _after(self._starts, moment.utc_s)

    def _refresh(self, moment: Moment) -> None:
        built = self._built
        if (
            built is not None
            and built[0] == self._facts.version
            and built[1] == self._plays.version
            and abs(moment.utc_s - built[2]) < REBUILD_S
        ):
            return
        found = slots(self._facts, self._unit, moment.utc_s - LATE_MAX_S, moment.utc_s + REBUILD_S + AHEAD_S)
        self._open = [slot for slot in found if slot.key not in self._plays]
        self._starts = [slot.start_s for slot in self._open]
        self._edges = sorted(
            {edge for slot in self._open for edge in (slot.start_s, self.begins_s(slot), slot.begin_until_s)}
        )
        self._built = (self._facts.version, self._plays.version, moment.utc_s)


def _after(instants: list[int], now_s: float) -> float:
    at = bisect_right(instants, now_s)
    return instants[at] - now_s if at < len(instants) else float("inf")
