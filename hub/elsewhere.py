"""What the province takes back that was made elsewhere: a bulletin or a series that a commune decided itself.

A commune's decisions come by sync and have no aggregate at this desk: nothing here edits or approves them.
A withdrawal is the one act of the province upon them. It is an aggregate of its own, with one event, so that
two officers who withdraw at the same instant collide in the store as everywhere else.

Bound: the one decision. Whether the officer may is asked by `hub.commands`; what it silences is
`ledger.facts`.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid5

from ledger.facts import Approved, Facts, Scheduled, Standing, decisions
from ledger.log import NotAllowed
from ledger.recorder import DecisionAggregate

_NAMESPACE = UUID("0f6a3c62-6f0e-5d0b-8a53-6b1f4f7d9c20")  # of our ids derived from names; never changes


class TakenBack(DecisionAggregate):
    """One Cancelled for what a commune decided."""

    class Cancelled(DecisionAggregate.Opened):
        TOPIC: ClassVar[str] = "elsewhere.cancelled"

    def __init__(self) -> None:
        self.fact: decisions.Cancelled | None = None

    @classmethod
    def take_back(cls, fact: decisions.Cancelled, signer: bytes) -> TakenBack:
        return cls.opened(cls.Cancelled, taken_back_id(fact), fact, signer)

    def when(self, fact: Any, signer: bytes) -> None:
        self.fact = fact


def taken_back_id(fact: decisions.Cancelled) -> UUID:
    """One for each bulletin, and for each series of a commune."""
    target = fact.bulletin.hex() if fact.bulletin is not None else f"{fact.series}/{fact.territory}"
    return uuid5(_NAMESPACE, f"elsewhere/{target}")


def approved_elsewhere(facts: Facts, bulletin: bytes) -> Approved | None:
    """The latest approval of a bulletin that no desk here made; None when nothing of it was approved."""
    approvals = facts.approvals.get(bulletin, ())
    return approvals[-1].fact if approvals else None


def scheduled_elsewhere(facts: Facts, series: int, territory: str) -> Standing[Scheduled]:
    """The order of a series that no desk here gave. territory: whose, when several communes have the number.

    NotAllowed("series-unknown").
    """
    orders = [one for one in facts.schedules.get(series, ()) if territory in ("", one.fact.territory)]
    if len({one.fact.territory for one in orders}) != 1:
        raise NotAllowed("series-unknown", f"there is no series {series}", hint="look at the plan")
    return orders[-1]
