"""Series: an approved bulletin on a plan, or an emergency at once. Both can be called off, once.

A series is a number that stands in every acknowledgment, so it is short, never reused, and its aggregate's
id follows from it: two officers who take the same number at the same instant collide in the store, and the
second takes the next.

An emergency needs no approved bulletin: ordering it *is* the approval, which is why it asks for its own
right, for a password typed just now, and for an end within a day.

Bound: rules of one series. Whether the bulletin is approved and the hours are quiet is asked by
`hub.commands`; what plays when, and why, is `ledger.facts.plan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID, uuid5

from hub.series_rows import nearest_above
from ledger.facts import decisions
from ledger.log import NotAllowed
from ledger.recorder import DecisionAggregate

_NAMESPACE = UUID("5b0a8b6e-8f0e-5a59-9a3a-2f8a9b3f6d11")  # of our ids derived from names; never changes

# Kinds of emergency as people say them; the event carries the code.
EMERGENCY_KINDS: tuple[tuple[str, str], ...] = (
    ("lu-quet", "Lũ quét, sạt lở đất"),
    ("bao-lu", "Bão, mưa lũ"),
    ("chay-rung", "Cháy rừng, cháy lớn"),
    ("dich-benh", "Dịch bệnh"),
    ("xa-lu", "Xả lũ hồ chứa"),
    ("an-ninh", "An ninh, quốc phòng"),
    ("dong-dat", "Động đất"),
    ("khac", "Khác"),
)
EMERGENCY_CODES = frozenset(code for code, _ in EMERGENCY_KINDS)


def series_id(series: int) -> UUID:
    return uuid5(_NAMESPACE, f"series/{series}")


class Series(DecisionAggregate):
    """One Scheduled for each unit of it, or one EmergencyOrdered; and perhaps the Cancelled of them all."""

    class Scheduled(DecisionAggregate.Opened):
        TOPIC: ClassVar[str] = "series.scheduled"

    class Ordered(DecisionAggregate.Opened):
        TOPIC: ClassVar[str] = "series.ordered"

    class Extended(DecisionAggregate.Event):
        """The same order for one more unit of the group."""

        TOPIC: ClassVar[str] = "series.extended"

    class Cancelled(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "series.cancelled"

    def __init__(self) -> None:
        self.order: decisions.Scheduled | decisions.EmergencyOrdered | None = None
        self.territories: list[str] = []
        self.cancelled = False

    @classmethod
    def plan(cls, facts: Sequence[decisions.Scheduled], signer: bytes) -> Series:
        """facts: one for each unit, alike but for the territory."""
        made = cls.opened(cls.Scheduled, series_id(facts[0].series), facts[0], signer)
        for fact in facts[1:]:
            assert replace(fact, territory=facts[0].territory) == facts[0], "one series is one order"
            made.decide(cls.Extended, fact, signer)
        return made

    @classmethod
    def command(cls, fact: decisions.EmergencyOrdered, signer: bytes) -> Series:
        return cls.opened(cls.Ordered, series_id(fact.series), fact, signer)

    @property
    def ordered(self) -> decisions.Scheduled | decisions.EmergencyOrdered:
        assert self.order is not None, "a series begins with an order"
        return self.order

    @property
    def territory(self) -> str:
        """The nearest unit above all that it was ordered for."""
        return nearest_above(self.territories)

    @property
    def is_emergency(self) -> bool:
        return isinstance(self.order, decisions.EmergencyOrdered)

    def when(self, fact: Any, signer: bytes) -> None:
        if isinstance(fact, decisions.Cancelled):
            self.cancelled = True
        else:
            assert isinstance(fact, decisions.Scheduled | decisions.EmergencyOrdered)
            self.order = fact if self.order is None else self.order
            self.territories.append(fact.territory)

    def cancel(self, ts: int, signer: bytes, reason: str) -> None:
        """Calls the series off for all its territory. NotAllowed("already-cancelled")."""
        if self.cancelled:
            raise NotAllowed("already-cancelled", "the series is called off already", hint="nothing to do")
        now = self.ordered
        fact = decisions.Cancelled(ts, int(decisions.Target.SERIES), None, now.series, self.territory, reason)
        self.decide(self.Cancelled, fact, signer)
