"""What silences a sound that has begun: quiet hours, a withdrawal, an approval or a right that is gone.

Not among them are expiry, rank and a changed plan: what began by a rightful order goes on when the order is
replaced, and is not begun again; but a withdrawal reaches it all the same.

Bound: whether a sound may *begin* is `ledger.facts.plan`; who acts on it is `onair`.
"""

from __future__ import annotations

from typing import Final

from ledger.facts import (
    ON_TIME_S,
    Detail,
    Facts,
    Outcome,
    Slot,
    Verdict,
    calendar,
    in_quiet_hours,
    verdict,
)
from node.presence import Moment

STOPPING: Final = frozenset({Outcome.WITHDRAWN, Outcome.SUPPRESSED})
DAY_S: Final = 86_400
# The length of "now" when it is asked whether now is quiet.
INSTANT_S: Final = 0.1


class Rules:
    """Judges the sound of now, and held ones. began_s: UTC of the slot's first sound."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._checked_version = -1

    def begun(self) -> None:
        """A sound begins: by the plan of now it may."""
        self._checked_version = self._facts.version

    def must_stop(self, slot: Slot, began_s: float, moment: Moment, lead_s: float = 0.0) -> Verdict | None:
        """A rule that forbids the sound of now. The plan is only judged again when it changed.

        lead_s: seconds of chime before the content, which is planned without it.
        """
        if not slot.emergency and self._is_quiet(slot, _as_planned(slot, began_s, moment) - lead_s):
            return Verdict(Outcome.SUPPRESSED, Detail.QUIET)
        if self._checked_version == self._facts.version:
            return None
        self._checked_version = self._facts.version
        said = self.verdict(slot, moment)
        if said is not None and said.detail is Detail.QUIET:
            return None  # asked above, by the moment this sound has come to
        stops = said is not None and said.outcome in STOPPING and said.detail is not Detail.REPLACED
        return said if stops else None

    def quiet_in(self, slot: Slot, began_s: float, moment: Moment, lead_s: float = 0.0) -> float:
        """Seconds until quiet hours reach this sound."""
        from_s = self._facts.quiet_hours(slot.unit, slot.day)[0] * 60
        return (from_s - calendar.second_of_day(_as_planned(slot, began_s, moment) - lead_s)) % DAY_S

    def verdict(self, slot: Slot, moment: Moment, *, whole: bool = False) -> Verdict | None:
        """What the rules say of a slot that has begun; quiet hours are judged by the moment alone.

        whole: all of it is to sound from now on, so all of it must fit before them.
        """
        said = verdict(self._facts, slot, moment.utc_s)
        if said is None:
            return None
        if said.detail is Detail.REPLACED and self._taken_back(slot):
            return Verdict(Outcome.WITHDRAWN, Detail.NONE)
        length_s = slot.length_s if whole else 0
        if said.detail is Detail.QUIET and not self._is_quiet(slot, moment.utc_s, length_s):
            return None
        return said

    def _is_quiet(self, slot: Slot, utc_s: float, length_s: float = 0) -> bool:
        return in_quiet_hours(self._facts.quiet_hours(slot.unit, slot.day), utc_s, max(length_s, INSTANT_S))

    def _taken_back(self, slot: Slot) -> bool:
        """Was the order that made this slot withdrawn, or every approval of its content?"""
        orders = [one for one in self._facts.orders.get(slot.series, ()) if one.signed.id == slot.decision]
        if any(self._facts.withdrawal_of(order, slot.unit) is not None for order in orders):
            return True
        approvals = [
            one
            for one in self._facts.approvals.get(slot.bulletin or b"", ())
            if one.fact.manifest == slot.manifest and self._facts.hears(slot.unit, one.fact, slot.day)
        ]
        return bool(approvals) and all(
            self._facts.withdrawal_of(one, slot.unit) is not None for one in approvals
        )


def _as_planned(slot: Slot, began_s: float, moment: Moment) -> float:
    """The moment, less the few seconds by which the sound began late and still on time.

    So a slot that was planned to end where quiet hours begin is not robbed of its last words.
    """
    late_s = began_s - slot.start_s
    return moment.utc_s - late_s if 0 < late_s <= ON_TIME_S else moment.utc_s
