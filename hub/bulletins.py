"""The bulletin as an aggregate: one notice through all its versions, stored as it was signed.

Its states and the rules of approval are `ledger.facts.lives`, the same at a commune's station; each act here
asks them, and decides what they answer.

Bound: who may sign in which territory is asked by `hub.commands`, what follows is `ledger.facts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from ledger.content import CATEGORIES
from ledger.facts import APPROVED, DRAFT, RETURNED, SUBMITTED, WITHDRAWN, Life, decisions
from ledger.recorder import DecisionAggregate

STATES = (DRAFT, SUBMITTED, APPROVED, RETURNED, WITHDRAWN)

__all__ = ["APPROVED", "CATEGORIES", "DRAFT", "RETURNED", "STATES", "SUBMITTED", "WITHDRAWN", "Bulletin"]


class Bulletin(DecisionAggregate):
    """One notice through all its versions. Its id is the 16 bytes that stand in every fact about it."""

    class Drafted(DecisionAggregate.Opened):
        TOPIC: ClassVar[str] = "bulletin.drafted"

    class Revised(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.revised"

    class Submitted(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.submitted"

    class Approved(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.approved"

    class Returned(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.returned"

    class Withdrawn(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.withdrawn"

    def __init__(self) -> None:
        self.life = Life()

    @classmethod
    def begin(cls, fact: decisions.Drafted, signer: bytes) -> Bulletin:
        """A new bulletin with its first version."""
        assert fact.version == 1, "a bulletin begins with version 1"
        return cls.opened(cls.Drafted, UUID(bytes=fact.bulletin), fact, signer)

    @property
    def content(self) -> decisions.Drafted:
        """The current version."""
        return self.life.content

    @property
    def state(self) -> str:
        """draft, submitted, approved, returned or withdrawn."""
        return self.life.state

    @property
    def authors(self) -> tuple[bytes, ...]:
        """The keys that wrote any version."""
        return self.life.authors

    def when(self, fact: Any, signer: bytes) -> None:
        self.life = self.life.then(fact, signer)

    # -- acts: what `Life` allows, decided -------------------------------------------------------------------

    def revise(self, fact: decisions.Drafted, signer: bytes, *, seen_version: int) -> None:
        """A new version; it is a draft again. NotAllowed as `Life.check_revise`."""
        self.life.check_revise(seen_version)
        assert fact.version == self.content.version + 1, "versions have no holes"
        self.decide(self.Revised, fact, signer)

    def submit(self, ts: int, signer: bytes) -> None:
        """Hands the current version to the approvers. NotAllowed as `Life.submit`."""
        self.decide(self.Submitted, self.life.submit(ts), signer)

    def approve(
        self,
        ts: int,
        signer: bytes,
        account: str,
        *,
        version: int,
        manifest: bytes,
        account_of: Callable[[bytes], str],
    ) -> None:
        """One person, who wrote none of it, says yes to exactly this. NotAllowed as `Life.approve`."""
        fact = self.life.approve(
            ts, signer, account, version=version, manifest=manifest, account_of=account_of
        )
        self.decide(self.Approved, fact, signer)

    def send_back(self, ts: int, signer: bytes, reason: str) -> None:
        """Back to its author with the reason. NotAllowed as `Life.send_back`."""
        self.decide(self.Returned, self.life.send_back(ts, reason), signer)

    def withdraw(self, ts: int, signer: bytes, reason: str) -> None:
        """Takes every version back, for ever. NotAllowed as `Life.withdraw`."""
        self.decide(self.Withdrawn, self.life.withdraw(ts, reason), signer)
