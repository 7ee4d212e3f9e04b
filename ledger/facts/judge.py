"""May this slot begin now? The rules that keep a slot silent, each with its verdict.

In order: its order no longer stands, was taken back, or (an emergency) is over; the commune declined it; its
content is not approved for it; the hours are quiet. An approval serves a slot when it names exactly the
slot's content, covers the whole territory of the order, allows the class, and holds the day. When several
approvals exist, one that serves is enough; when none does, the verdict is that of the one that came nearest.

Bound: rank among slots that may play is `plan.py`; content, device and clock are the station's.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.facts.calendar import DAY_S, local_day, second_of_day
from ledger.facts.decisions import Approved, EmergencyOrdered, Scheduled
from ledger.facts.index import Line, UnitIndex
from ledger.facts.outcome import Detail, Outcome, Verdict
from ledger.facts.slot import Slot
from ledger.facts.standing import KEY_ENDED, NO_AUTHORITY, SELF_APPROVED, Order, Standing
from ledger.facts.state import Facts

WITHDRAWN = Verdict(Outcome.WITHDRAWN, Detail.NONE)
EXPIRED = Verdict(Outcome.MISSED, Detail.EXPIRED)
DECLINED = Verdict(Outcome.DECLINED, Detail.NONE)


def suppressed(detail: Detail) -> Verdict:
    """A rule kept it silent."""
    return Verdict(Outcome.SUPPRESSED, detail)


@dataclass(frozen=True)
class Judged:
    """verdict: why the slot must not begin, None when it may. position: of what allows it, for its rank."""

    slot: Slot
    verdict: Verdict | None
    position: int = 0


def judge(facts: Facts, index: UnitIndex, slot: Slot, at_s: float) -> Judged:
    """What the rules say of beginning this slot at `at_s` (UTC s)."""
    line = index.line(slot.series)
    order = line.on(slot.day)
    if order is None or order.signed.id != slot.decision:
        return Judged(slot, suppressed(Detail.REPLACED if line.standing else Detail.WRONG_TERRITORY))
    if facts.withdrawal_of(order, slot.unit) is not None:
        return Judged(slot, WITHDRAWN)
    fact = order.fact
    if isinstance(fact, EmergencyOrdered):
        if at_s >= fact.expires_at:
            return Judged(slot, EXPIRED)
        if _is_replaced(line, order, at_s):
            return Judged(slot, suppressed(Detail.REPLACED))
        return Judged(slot, None, order.position)
    if slot.declined:
        return Judged(slot, DECLINED)
    approval = _approval(facts, fact, slot, at_s)
    if isinstance(approval, Verdict):
        return Judged(slot, approval)
    hours = facts.quiet_hours(slot.unit, slot.day)
    # Planned into quiet hours stays silent even if it could begin late after them: the order was wrong. The
    # few seconds by which a beginning still counts as on time do not push its end into them.
    begins = {slot.start_s, at_s if slot.is_late(at_s) else slot.start_s}
    if any(in_quiet_hours(hours, begin_s, slot.length_s) for begin_s in begins):
        return Judged(slot, suppressed(Detail.QUIET))
    return Judged(slot, None, approval.position)


def in_quiet_hours(hours: tuple[int, int], start_s: float, length_s: float) -> bool:
    """True when a sound of `length_s` from `start_s` touches the (from, until) minutes of the day."""
    from_s, until_s = hours[0] * 60, hours[1] * 60
    if from_s == until_s:
        return False
    if until_s < from_s:
        until_s += DAY_S
    begin = second_of_day(start_s)
    end = begin + length_s
    return any(begin < until_s + shift and from_s + shift < end for shift in (-DAY_S, 0, DAY_S))


def taken_back_at(facts: Facts, index: UnitIndex, slot: Slot) -> int | None:
    """The `ts` of the cancellation that left the slot without order or approval; None when none did."""
    order = index.line(slot.series).on(slot.day)
    if order is None or order.signed.id != slot.decision:
        return None
    cancel = facts.withdrawal_of(order, slot.unit)
    if cancel is not None:
        return cancel.fact.ts
    if not isinstance(order.fact, Scheduled):
        return None
    if _approval(facts, order.fact, slot, slot.start_s) != WITHDRAWN:
        return None
    cancels = [facts.withdrawal_of(one, slot.unit) for one in _of_content(facts, order.fact, slot)]
    return max(one.fact.ts for one in cancels if one is not None)


def _is_replaced(line: Line, order: Standing[Order], at_s: float) -> bool:
    """True when a newer emergency of the same series has come into force.

    One whose own day a third has taken comes never into force: it must not silence what still runs.
    """
    newer = line.standing[line.standing.index(order) + 1 :]
    return any(
        isinstance(one.fact, EmergencyOrdered)
        and one.fact.not_before <= at_s
        and line.on(local_day(one.fact.not_before)) is one
        for one in newer
    )


def _of_content(facts: Facts, fact: Scheduled, slot: Slot) -> list[Standing[Approved]]:
    """The approvals of exactly this content that concern the slot's station on its day."""
    return [
        approval
        for approval in facts.approvals.get(fact.bulletin, ())
        if approval.fact.manifest == fact.manifest and facts.hears(slot.unit, approval.fact, slot.day)
    ]


def _approval(facts: Facts, fact: Scheduled, slot: Slot, at_s: float) -> Standing[Approved] | Verdict:
    """The first approval that serves the slot, or why none does."""
    nearest, steps = _unapproved(facts, fact, slot), 0
    for approval in _of_content(facts, fact, slot):
        passed, refusal = _refusal(facts, approval, fact, slot, at_s)
        if refusal is None:
            return approval
        if passed > steps:
            nearest, steps = refusal, passed
    return nearest


def _refusal(
    facts: Facts, approval: Standing[Approved], fact: Scheduled, slot: Slot, at_s: float
) -> tuple[int, Verdict | None]:
    """How many tests the approval passes before it fails one, and that one's verdict."""
    allowed = approval.fact
    if facts.withdrawal_of(approval, slot.unit) is not None:
        return 1, WITHDRAWN
    if not facts.hears(fact.territory, allowed, slot.day):
        return 2, suppressed(Detail.WRONG_TERRITORY)
    if fact.klass > allowed.klass:
        return 3, suppressed(Detail.WRONG_CLASS)
    if slot.day < allowed.valid_from_day:
        return 4, suppressed(Detail.NOT_YET_VALID)
    if max(slot.day, local_day(at_s)) > allowed.valid_until_day:
        return 5, EXPIRED
    return 6, None


def _unapproved(facts: Facts, fact: Scheduled, slot: Slot) -> Verdict:
    """Nobody approved this content for this unit; or somebody who could not did."""
    reasons = {
        reason
        for approval, reason in facts.refused_approvals(fact.bulletin)
        if approval.manifest == fact.manifest and facts.hears(slot.unit, approval, slot.day)
    }
    if SELF_APPROVED in reasons:
        return suppressed(Detail.SELF_APPROVED)
    return suppressed(Detail.NO_AUTHORITY if {NO_AUTHORITY, KEY_ENDED} & reasons else Detail.UNAPPROVED)
