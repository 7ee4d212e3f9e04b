"""A proposal of an emergency: asked of a second person, ordered alone with a reason, or dropped.

It is an aggregate of its own beside the series that may follow from it, under the same number: a proposal
that nobody takes up leaves no series behind, and an order stands in its series whether proposed or not.
Nothing here becomes an order by waiting: each way out of an open proposal is somebody's press.

Bound: rules of one proposal. Who is asked, and how long one waits, is `hub.emergencies`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID, uuid5

from ledger.facts import EmergencyOrdered, EmergencyProposed, Step, proposed_content
from ledger.log import NotAllowed
from ledger.recorder import DecisionAggregate

_NAMESPACE = UUID("c1f6a7d8-2b9e-5f0c-9d56-1e7a04b3c842")  # of our ids derived from names; never changes


def proposal_id(series: int) -> UUID:
    return uuid5(_NAMESPACE, f"proposal/{series}")


class Proposal(DecisionAggregate):
    """One EmergencyProposed that asks, and perhaps one that ends it."""

    class Asked(DecisionAggregate.Opened):
        TOPIC: ClassVar[str] = "proposal.asked"

    class Alone(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "proposal.alone"

    class Dropped(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "proposal.dropped"

    def __init__(self) -> None:
        self.fact: EmergencyProposed | None = None
        self.by = b""
        self.step = Step.ASKED

    @classmethod
    def ask(cls, fact: EmergencyProposed, signer: bytes) -> Proposal:
        return cls.opened(cls.Asked, proposal_id(fact.series), fact, signer)

    def when(self, fact: Any, signer: bytes) -> None:
        if self.fact is None:
            self.fact, self.by = fact, signer
        else:
            self.step = Step(fact.step)

    @property
    def asked(self) -> EmergencyProposed:
        assert self.fact is not None, "a proposal begins with what is asked"
        return self.fact

    def taken_up(self, ts: int, signer: bytes, content: bytes) -> EmergencyOrdered:
        """The order that a second person signs. content: of what that person was shown.

        NotAllowed: proposal-closed, second-self, content-changed.
        """
        self._still_open(ts)
        if signer == self.by:
            raise NotAllowed(
                "second-self", "who proposes is not the second person", hint="somebody else signs"
            )
        if content != proposed_content(self.asked):
            raise NotAllowed("content-changed", "this is not what was proposed", hint="read it again")
        return self.asked.order(ts)

    def alone(self, ts: int, signer: bytes, reason: str) -> EmergencyOrdered:
        """The order that its author signs after all, and why. NotAllowed: proposal-closed, not-yours."""
        self._still_open(ts)
        self._own(signer)
        self.decide(self.Alone, replace(self.asked, ts=ts, step=int(Step.ALONE), reason=reason), signer)
        return self.asked.order(ts)

    def drop(self, ts: int, signer: bytes) -> None:
        """Its author takes it away. NotAllowed: proposal-closed, not-yours."""
        self._still_open(ts)
        self._own(signer)
        self.decide(self.Dropped, replace(self.asked, ts=ts, step=int(Step.DROPPED)), signer)

    def _still_open(self, ts: int) -> None:
        if self.step != Step.ASKED or ts > self.asked.open_until:
            raise NotAllowed(
                "proposal-closed", "this proposal is not open any more", hint="write the order anew"
            )

    def _own(self, signer: bytes) -> None:
        if signer != self.by:
            raise NotAllowed("not-yours", "somebody else proposed this", hint="sign it as the second person")
