"""What was put before the fold: every decision once, where else its bytes stand, and why it does not count.

Equal bytes of one key are one decision, at their first arrival: an author who was restored from a backup
seals the same bytes again in another log. The other places are remembered, for an ending may let one of them
stay and not the first.

Bound: memory, and how much of it one signer may use up. What counts is `state.py`'s question.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, TypeAlias

from ledger.facts.decisions import Approved
from ledger.facts.endings import Place
from ledger.facts.signed import Signed

REFUSED_PER_KEY_MAX: Final = 512  # remembered refusals of one signer: nonsense must not eat the memory
COPIES_MAX: Final = 8  # other places of the same bytes; a restore makes one

Identity: TypeAlias = tuple[bytes, bytes]


def identity_of(signed: Signed) -> Identity:
    return signed.key_id, signed.id


class Docket:
    """grants, endings, others: what may come to count, by identity, in order of arrival."""

    def __init__(self) -> None:
        self.grants: dict[Identity, Signed] = {}
        self.endings: dict[Identity, Signed] = {}
        self.others: dict[Identity, Signed] = {}
        self.refused: dict[Identity, tuple[Signed, str]] = {}
        self._seen: set[Identity] = set()
        self._copies: dict[Identity, list[Signed]] = {}
        self._refused_by: Counter[bytes] = Counter()
        self._approvals: dict[bytes, list[tuple[Signed, Approved]]] = {}

    def is_new(self, signed: Signed) -> bool:
        """True for bytes that this key was not heard to say before. Otherwise their place is noted."""
        identity = identity_of(signed)
        if identity not in self._seen:
            self._seen.add(identity)
            return True
        copies = self._copies.setdefault(identity, [])
        if len(copies) < COPIES_MAX:
            copies.append(signed)
        return False

    def all_of(self, signed: Signed) -> tuple[Signed, ...]:
        """The decision at its first arrival, then its copies."""
        return (signed, *self._copies.get(identity_of(signed), ()))

    def with_places(self, kept: dict[Identity, Signed]) -> list[tuple[Signed, list[Place]]]:
        """Each with the places of its copies."""
        return [(one, [copy.place for copy in self.all_of(one)[1:]]) for one in kept.values()]

    def refusal_of(self, signed: Signed) -> tuple[Signed, str | None]:
        """Its first arrival with the reason why it does not count; None when it does or is not remembered."""
        return self.refused.get(identity_of(signed), (signed, None))

    def refuse(self, signed: Signed, reason: str) -> None:
        """Remembers why it does not count; drops it when its signer has used up the room."""
        identity = identity_of(signed)
        if identity not in self.refused:
            if self._refused_by[signed.key_id] >= REFUSED_PER_KEY_MAX:
                for kept in (self.grants, self.endings, self.others):
                    kept.pop(identity, None)
                return
            self._refused_by[signed.key_id] += 1
            if isinstance(signed.fact, Approved):
                self._approvals.setdefault(signed.fact.bulletin, []).append((signed, signed.fact))
        self.refused[identity] = (signed, reason)

    def allow(self, signed: Signed) -> None:
        """What was refused and now counts is no longer refused."""
        if self.refused.pop(identity_of(signed), None) is None:
            return
        self._refused_by[signed.key_id] -= 1
        if isinstance(signed.fact, Approved):
            self._approvals[signed.fact.bulletin].remove((signed, signed.fact))

    def refused_approvals(self, bulletin: bytes) -> list[tuple[Approved, str]]:
        """Approvals of this bulletin that do not count, each with its reason."""
        return [
            (fact, self.refused[identity_of(signed)][1]) for signed, fact in self._approvals.get(bulletin, ())
        ]
