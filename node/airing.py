"""Which slot should have the air now: the plan's winner among those whose content is here.

The plan decides rank, in one function that the hub calls as well; circumstances are added here. A lower
item gives way at once, equals wait for one another, and of two emergencies the plan's first takes the air
while the other waits and goes on afterwards.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from ledger.facts import Facts, Slot, due
from node.agenda import Agenda
from node.contents import Contents
from node.diary import Diary
from node.items import Items
from node.onair import OnAir
from node.plays import Plays
from node.presence import Moment, Presence
from node.stick.vouch import Vouch

# One look begins at most this many sounds (each may fail at once for want of a device).
BEGINS_MAX: Final = 8
# An emergency's recording is better than a voice that reads, and minutes late it is worse: a chunk of it on
# the slowest line takes this long.
RECORDING_WAIT_S: Final = 30.0


class Airing:
    """Chooses; `OnAir` acts."""

    def __init__(
        self, facts: Facts, unit: str, plays: Plays, agenda: Agenda, contents: Contents, diary: Diary,
        presence: Presence, onair: OnAir, vouch: Vouch, items: Items,
    ) -> None:  # fmt: skip
        self._facts = facts
        self._unit = unit
        self._plays = plays
        self._agenda = agenda
        self._contents = contents
        self._diary = diary
        self._presence = presence
        self._onair = onair
        self._vouch = vouch
        self._items = items
        # Emergencies whose recording is not here: since when we wait for it, monotonic seconds.
        self._awaited: dict[tuple[int, int], float] = {}

    def choose(self, moment: Moment) -> tuple[bool, bool]:
        """Puts the right thing on air. Returns (something was acknowledged, an emergency began)."""
        answered = urgent = False
        for _ in range(BEGINS_MAX):
            slot = self._candidate(moment)
            running = self._onair.running
            if running is not None:
                if slot is None or not self._outranks(slot, running.slot, moment):
                    break
                self._onair.interrupt(slot, moment)
                answered = True
            held = self._onair.next_held(moment) if self._onair.waiting else None
            if held is not None and (slot is None or not self._outranks(slot, held, moment)):
                self._onair.resume(held, moment)
                continue
            if slot is None:
                break
            if self._onair.begin(slot, moment):
                urgent |= slot.emergency
                answered |= self._onair.running is None
        return answered, urgent

    def _candidate(self, moment: Moment) -> Slot | None:
        """What the plan puts first among what could begin now and whose content is here."""
        if not self._agenda.could_begin(moment):
            self._awaited.clear()
            return None
        unready: set[tuple[int, int]] = set()
        while True:
            slot = due(self._facts, self._unit, _second(moment), _Either(self._plays, unready))
            if slot is None:
                return None
            if self._may_begin(slot, moment) and self._can_sound(slot, moment):
                # Its turn among neighbours comes in some seconds: nothing lesser begins just before it.
                return slot if moment.utc_s >= self._agenda.begins_s(slot) else None
            unready.add(slot.key)

    def wait_s(self, moment: Moment) -> float:
        """Seconds until an emergency is read out because its recording has not come; inf for none."""
        waits = [since_s + RECORDING_WAIT_S - moment.mono_s for since_s in self._awaited.values()]
        return min((wait_s for wait_s in waits if wait_s > 0), default=float("inf"))

    def prepare(self, moment: Moment) -> None:
        """In silence: the words of one text that will be read out, so that its beginning costs nothing."""
        if self._onair.running is None:
            next((slot for slot in self._agenda.open_slots(moment) if self._items.prepare(slot)), None)

    def _can_sound(self, slot: Slot, moment: Moment) -> bool:
        """Its content is here; or an emergency's has not come in time and its order says what to say."""
        if self._contents.is_ready(slot.manifest):
            return True
        if not self._items.speaks_for(slot):
            return False
        since_s = self._awaited.setdefault(slot.key, moment.mono_s)
        return moment.mono_s - since_s >= RECORDING_WAIT_S

    def _may_begin(self, slot: Slot, moment: Moment) -> bool:
        """Without a trusted clock nothing begins but an emergency that is surely not over yet.

        One that came by stick begins when somebody besides this box says what time it is.
        """
        if not self._diary.owes(slot) or self._presence.may_have_begun(slot):
            return False
        if slot.emergency and self._vouch.by_stick(slot.decision):
            return self._vouch.may_begin(slot.decision, moment)
        if moment.trusted:
            return True
        return slot.emergency and self._presence.time.high(moment.mono_s) < slot.begin_until_s

    def _outranks(self, slot: Slot, other: Slot, moment: Moment) -> bool:
        """Does `slot` take the air from what sounds or waits? Equals wait, except a newer emergency."""
        if slot.klass != other.klass:
            return slot.klass > other.klass
        if not slot.emergency:
            return False
        if moment.utc_s >= other.begin_until_s:
            # What began in time is heard to its end: the plan has no opinion on it any more.
            return slot.level > other.level
        first = due(self._facts, self._unit, _second(moment), _Only(slot.key, other.key))
        return first is not None and first.key == slot.key


def _second(moment: Moment) -> int:
    """The plan thinks in whole seconds: a slot asked for some milliseconds after its minute is on time."""
    return int(moment.utc_s)


class _Either:
    """In one or the other."""

    def __init__(self, first: Container[object], second: Container[object]) -> None:
        self._first = first
        self._second = second

    def __contains__(self, key: object) -> bool:
        return key in self._first or key in self._second


class _Only:
    """Everything except these: the plan is asked about two slots alone."""

    def __init__(self, *keys: tuple[int, int]) -> None:
        self._keys = keys

    def __contains__(self, key: object) -> bool:
        return key not in self._keys
