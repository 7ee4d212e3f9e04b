"""What became of slots that never began: one honest reason each, from what is durable.

A slot is answered for as soon as nothing can change any more: its window has closed, it was withdrawn while
it waited, or its time has come and the commune had declined it. The reasons are asked in this order:

    the order itself came after the window                     NOT_DELIVERED (an emergency: EXPIRED)
    a rule kept it silent, at its time and still at the end    that rule's verdict
    it may have played in a life that the disk does not know   UNKNOWN
    the station was off, or did not know the time, throughout  POWER, CLOCK_UNKNOWN
    the content was not complete in time                       NOT_DELIVERED, or WRONG_CONTENT
    something else had the air                                 BY_EMERGENCY, BY_HIGHER, BY_EARLIER
    it came by stick, and nobody said that the time is right   CLOCK_UNKNOWN
    none of these                                              UNKNOWN: it is never counted as played

Nothing is answered for while the clock is not trusted, and nothing from before this key was granted to the
station. A slot that was taken back before its time owes no answer: the withdrawal itself is acknowledged.
"""

from __future__ import annotations

from typing import Final

from ledger.facts import (
    LATE_MAX_S,
    Detail,
    Evidence,
    Facts,
    Outcome,
    Slot,
    Verdict,
    owed,
    slots,
    verdict,
    withdrawals,
)
from ledger.log import Ledger
from node.agenda import Agenda
from node.contents import Contents
from node.diary import Diary
from node.onair import OnAir
from node.plays import Memories, Plays
from node.presence import BLIND, OFF, Moment, Presence
from node.stick.vouch import Vouch

SETTLED: Final = "node.settled_s"
SAVE_EVERY_S: Final = 3_600
# Between two gaps the station needs this long to begin anything; less is not "here".
GRAIN_S: Final = 5.0
_WITHDRAWN: Final = Outcome.WITHDRAWN
_FINAL: Final = (Outcome.WITHDRAWN, Outcome.DECLINED)


class Reckoner:
    """Answers for what passed in silence. Keeps the instant before which everything is answered for."""

    def __init__(
        self, ledger: Ledger, facts: Facts, unit: str, plays: Plays, memories: Memories, contents: Contents,
        diary: Diary, onair: OnAir, agenda: Agenda, vouch: Vouch, presence: Presence,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._facts = facts
        self._unit = unit
        self._plays = plays
        self._memories = memories
        self._contents = contents
        self._diary = diary
        self._onair = onair
        self._agenda = agenda
        self._vouch = vouch
        self._presence = presence
        settled_s = ledger.get(SETTLED, 0)
        assert isinstance(settled_s, int)
        self._settled_s = self._saved_s = settled_s
        # Versions of facts and plays at the last full look, and until when nothing can have changed.
        self._looked: tuple[int, int, float] | None = None

    def reopen(self, from_s: float) -> None:
        """New decisions may have made slots from this instant on: look at them again.

        In the transaction that notes the decisions: a power cut must not leave them noted and unanswered.
        """
        assert self._ledger.in_transaction
        self._settled_s = min(self._settled_s, max(0, int(from_s)))
        self._looked = None
        if self._settled_s < self._saved_s:
            self._put()

    def answer_for(self, moment: Moment) -> int:
        """Acknowledges what can be answered for now; returns how many."""
        assert moment.trusted, "without a trusted clock nobody knows what has passed"
        owed_from_s = self._diary.owed_from_s
        if owed_from_s is None:
            return 0
        looked = self._looked
        if looked is not None and looked[:2] == self._versions() and moment.utc_s < looked[2]:
            return 0
        answered = 0
        open_from_s = moment.ts
        from_s = max(self._settled_s, owed_from_s - LATE_MAX_S)
        for slot in slots(self._facts, self._unit, from_s, int(moment.utc_s) + 1):
            if slot.key in self._plays or not self._diary.owes(slot):
                continue
            said = self._said(slot, moment)
            if said is not None:
                self._onair.answer(slot, said, self._evidence(slot), moment)
                answered += 1
            elif slot.begin_until_s > moment.utc_s:
                open_from_s = min(open_from_s, slot.start_s)
        self._settled_s = open_from_s
        self._looked = (*self._versions(), moment.utc_s + self._agenda.wake_in(moment))
        return answered

    def save(self) -> None:
        """Keeps how far everything is answered for, in the open transaction; an hour less costs a look."""
        if not 0 <= self._settled_s - self._saved_s < SAVE_EVERY_S:
            self._put()

    def _put(self) -> None:
        self._ledger.put(SETTLED, max(0, self._settled_s))
        self._saved_s = self._settled_s

    def _versions(self) -> tuple[int, int]:
        return self._facts.version, self._plays.version

    # -- one slot --------------------------------------------------------------------------------------------

    def _said(self, slot: Slot, moment: Moment) -> Verdict | None:
        """What to acknowledge now; None to wait, or to say nothing for good."""
        if not owed(self._facts, slot):
            return None
        if moment.utc_s < slot.begin_until_s:
            now_said = verdict(self._facts, slot, moment.utc_s)
            return now_said if now_said is not None and now_said.outcome in _FINAL else None
        return self._why(slot, moment)

    def _why(self, slot: Slot, moment: Moment) -> Verdict:
        until_s = slot.begin_until_s
        if self._known_since(slot) >= until_s:
            if self._approved_from(slot) >= until_s:
                return Verdict(Outcome.SUPPRESSED, Detail.UNAPPROVED)
            late = Detail.EXPIRED if slot.emergency else Detail.NOT_DELIVERED
            return Verdict(Outcome.MISSED, late)
        first, last = self._rule(slot, slot.start_s), self._rule(slot, until_s - 1)
        if first is not None and last is not None:
            return first
        if self._presence.is_in_doubt(slot):
            return Verdict(Outcome.UNKNOWN, Detail.NONE)  # it may have played in a life that was lost
        off_s, blind_s, here = self._away(slot.start_s, until_s)
        if not here:
            return Verdict(Outcome.MISSED, Detail.POWER if off_s >= blind_s else Detail.CLOCK_UNKNOWN)
        if self._contents.is_broken(slot.manifest):
            return Verdict(Outcome.MISSED, Detail.WRONG_CONTENT)
        complete_s = self._memories.completion(slot.manifest)
        if complete_s is None or complete_s >= here[-1][1]:
            return Verdict(Outcome.MISSED, Detail.NOT_DELIVERED)
        if last is not None:
            return last
        if slot.emergency and not self._vouch.may_begin(slot.decision, moment):
            return Verdict(Outcome.MISSED, Detail.CLOCK_UNKNOWN)
        displaced = self._displaced(slot, here)
        if displaced is None and self._vouch.by_stick(slot.decision):
            return Verdict(Outcome.MISSED, Detail.CLOCK_UNKNOWN)  # the time was learnt too late for it
        return displaced or Verdict(Outcome.UNKNOWN, Detail.NONE)

    def _rule(self, slot: Slot, at_s: float) -> Verdict | None:
        """What the rules said at that moment. A withdrawal of later does not explain an earlier silence."""
        said = verdict(self._facts, slot, at_s)
        if said is None or said.outcome is not _WITHDRAWN:
            return said
        in_time = any(
            slot.series in one.series and one.cancel.fact.ts < slot.begin_until_s
            for one in withdrawals(self._facts, self._unit)
        )
        return said if in_time else None

    def _approved_from(self, slot: Slot) -> float:
        """When this content was first approved, by the approvers' own clocks; 0 for an emergency."""
        if slot.bulletin is None:
            return 0.0
        approvals = self._facts.approvals.get(slot.bulletin, [])
        return min((one.fact.ts for one in approvals if one.fact.manifest == slot.manifest), default=0.0)

    def _known_since(self, slot: Slot) -> float:
        """When the order, and an approval for it, were known here."""
        orders = self._facts.orders.get(slot.series, [])
        positions = [order.position for order in orders if order.signed.id == slot.decision]
        known_s = max((self._memories.arrival(position) or 0 for position in positions), default=0)
        if slot.bulletin is None:
            return known_s
        approvals = [
            self._memories.arrival(approval.position) or 0
            for approval in self._facts.approvals.get(slot.bulletin, [])
            if approval.fact.manifest == slot.manifest
        ]
        return max(known_s, min(approvals, default=0))

    def _away(self, from_s: float, until_s: float) -> tuple[float, float, list[tuple[float, float]]]:
        """(seconds off, seconds blind, intervals at which the station was up and knew the time)."""
        away_s = {OFF: 0.0, BLIND: 0.0}
        here: list[tuple[float, float]] = []
        at_s = from_s
        for kind, gap_from_s, gap_until_s in self._memories.gaps(from_s, until_s):
            begin_s, end_s = max(gap_from_s, at_s), min(gap_until_s, until_s)
            if begin_s - at_s > GRAIN_S:
                here.append((at_s, begin_s))
            if end_s > begin_s:
                away_s[kind] += end_s - begin_s
                at_s = end_s
        if until_s - at_s > (GRAIN_S if at_s > from_s else 0):
            here.append((at_s, until_s))
        return away_s[OFF], away_s[BLIND], here

    def _displaced(self, slot: Slot, here: list[tuple[float, float]]) -> Verdict | None:
        """What had the air when this slot could have begun."""
        rows = [row for from_s, until_s in here for row in self._plays.between(from_s, until_s)]
        if not rows:
            return None
        highest = max(rows, key=lambda row: row.klass)
        if highest.klass > slot.klass:
            by = Detail.BY_EMERGENCY if highest.klass == _EMERGENCY else Detail.BY_HIGHER
        else:
            by = Detail.BY_EARLIER
        return Verdict(Outcome.SUPPRESSED, by)

    def _evidence(self, slot: Slot) -> Evidence:
        """A slot that never sounded proves its content was here, at most."""
        complete_s = self._memories.completion(slot.manifest)
        here = complete_s is not None and complete_s < slot.begin_until_s
        return Evidence.DELIVERED if here else Evidence.PLANNED


_EMERGENCY: Final = 4
