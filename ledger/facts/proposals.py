"""A second person for an emergency: one proposes and another orders, or the first orders alone and says why.

An emergency needs no approved bulletin: whoever may order it orders it. A hub's policy may ask for a second
pair of eyes first; then what is to be ordered is written down and signed before anybody orders it, and so is
the reason of whoever did not wait (type 25). Stations see none of it: the order that follows is an
EmergencyOrdered like any other, and nothing here takes effect by itself or by time.

Bound: what the events say and how an order came about. Who is asked, and how long, is the hub's policy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

from ledger.facts.decisions import (
    EMERGENCY_LIFE_MAX_S,
    EMERGENCY_PLAYS_MAX,
    REASON_CHARS_MAX,
    TEXT_CHARS_MAX,
    EmergencyOrdered,
)
from ledger.facts.fields import SERIES_MAX, TS_MAX, Check, Kind, chars, exactly, flag, unit_path, whole
from ledger.log import codec

if TYPE_CHECKING:
    from ledger.facts.standing import Standing


class Step(IntEnum):
    """What an EmergencyProposed says: asked of a second person, ordered alone now, dropped."""

    ASKED = 0
    ALONE = 1
    DROPPED = 2


@dataclass(frozen=True)
class EmergencyProposed(Kind):
    """What an order would say, before it is one. Whoever signs the order after it signs exactly this.

    open_until: UTC s, after which nobody may take it up. reason: why its author did not wait; "" but for
    Step.ALONE, where it must be there.
    """

    TYPE: ClassVar[int] = 25

    series: int
    kind: str
    level: int
    drill: bool
    manifest: bytes
    text: str
    territory: str
    expires_at: int
    max_plays: int
    step: int
    open_until: int
    reason: str

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "series": whole(1, SERIES_MAX),
        "kind": chars(1, 32),
        "level": whole(1, 3),
        "drill": flag,
        "manifest": exactly(32),
        "text": chars(0, TEXT_CHARS_MAX),
        "territory": unit_path,
        "expires_at": whole(0, TS_MAX),
        "max_plays": whole(1, EMERGENCY_PLAYS_MAX),
        "step": whole(Step.ASKED, Step.DROPPED),
        "open_until": whole(0, TS_MAX),
        "reason": chars(0, REASON_CHARS_MAX),
    }

    def problem(self) -> str | None:
        if bool(self.reason) != (self.step == Step.ALONE):
            return "bad-reason"
        if not self.open_until <= self.expires_at:
            return "backward-validity"
        return "too-long-validity" if self.expires_at - self.open_until > EMERGENCY_LIFE_MAX_S else None

    def order(self, ts: int) -> EmergencyOrdered:
        """The order that says exactly this, beginning at `ts` (UTC s)."""
        return EmergencyOrdered(
            ts, self.series, self.kind, self.level, self.drill, self.manifest, self.text, self.territory,
            ts, self.expires_at, self.max_plays,
        )  # fmt: skip


def proposed_content(said: EmergencyProposed | EmergencyOrdered) -> bytes:
    """32 bytes over everything that is heard, where, and until when: equal for a proposal and its order."""
    return hashlib.sha256(
        codec.encode(
            (
                EmergencyProposed.TYPE, 0, said.series, said.kind, int(said.level), said.drill, said.manifest,
                said.text, said.territory, said.expires_at, said.max_plays,
            )
        )
    ).digest()  # fmt: skip


@dataclass(frozen=True)
class Consent:
    """How an order came about. second: another key had proposed just this. alone: its own key had, and said
    why it did not wait. Neither: nobody was asked.
    """

    proposed: Standing[EmergencyProposed] | None = None
    alone: Standing[EmergencyProposed] | None = None

    @property
    def second(self) -> bool:
        """Two people stand for it."""
        return self.proposed is not None and self.alone is None


def consent_of(
    order: Standing[EmergencyOrdered], proposals: Sequence[Standing[EmergencyProposed]]
) -> Consent:
    """proposals: those of the order's series that count. Only what was admitted before the order speaks."""
    content = proposed_content(order.fact)
    same = [
        one for one in proposals if one.position < order.position and proposed_content(one.fact) == content
    ]
    asked = [one for one in same if one.fact.step == Step.ASKED]
    others = [one for one in asked if one.key_id != order.key_id and order.fact.ts <= one.fact.open_until]
    if others:
        return Consent(others[0])
    own = [one for one in asked if one.key_id == order.key_id]
    alone = [one for one in same if one.fact.step == Step.ALONE and one.key_id == order.key_id]
    if own and alone:
        return Consent(own[0], alone[-1])
    return Consent()


def open_proposal(
    proposals: Sequence[Standing[EmergencyProposed]], *, ordered: bool, now: int
) -> Standing[EmergencyProposed] | None:
    """The proposal of a series that may be taken up at `now` (UTC s); None when it was taken up, dropped, or
    has run out. proposals: those of one series that count, in order of position.
    """
    if ordered or not proposals:
        return None
    asked = proposals[0]
    if asked.fact.step != Step.ASKED or now > asked.fact.open_until:
        return None
    ended = any(one.fact.step != Step.ASKED and one.key_id == asked.key_id for one in proposals)
    return None if ended else asked
