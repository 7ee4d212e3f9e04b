"""The links of authority: a grant, what ends one, and a grant as it is held in a chain.

Bound: values and comparisons of two of them. The whole of the chains is `authority.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ledger.facts.decisions import Granted
from ledger.facts.endings import Cut, Kept, Place, Revoked, Rotated, possession_message, read_pairs
from ledger.facts.rights import Right
from ledger.facts.signed import Signed
from ledger.facts.units import covers
from ledger.log.errors import KeyRefused, SignatureError
from ledger.log.keys import ROTATION, VerifyKey

Holds: TypeAlias = Callable[[str, str, float], bool]  # (outer, inner, UTC s)


def on_path(outer: str, inner: str, at_s: float) -> bool:
    """True when `inner` lies within `outer` by its name, at any instant."""
    return covers(outer, inner)


@dataclass(frozen=True)
class Grant:
    """One accepted link: what the subject holds, from whom, and when (`ts`, the issuer's clock)."""

    issuer: bytes
    subject: VerifyKey
    classes: int
    territory: str
    not_before: int
    not_after: int
    depth: int
    label: str
    ts: int

    def carries(self, right: int, territory: str, at_s: float, holds: Holds = on_path) -> bool:
        """True when this grant alone gives all bits of `right` over `territory` at that instant.

        holds: whether a unit held another at an instant; by their paths, unless mergers are to count.
        """
        return (
            self.classes & right == right
            and holds(self.territory, territory, at_s)
            and self.not_before <= at_s <= self.not_after
        )


@dataclass(frozen=True)
class Ending:
    """A revocation or rotation: grants to `subject` within `territory` carry no more than stays.

    places: where it was signed; more than one when its author sealed the same bytes again after a restore.
    """

    subject: bytes
    signer: bytes
    territory: str
    kept: Kept
    cut: Cut
    places: tuple[Place, ...]
    new_pub: bytes = b""
    possession: bytes = b""

    @property
    def is_rotation(self) -> bool:
        """True when the key ended itself."""
        return self.signer == self.subject

    def proves(self, old_pub: bytes) -> str | None:
        """Why this is no rotation of the key `old_pub`, None when it is one."""
        try:
            new = VerifyKey(self.new_pub)
            new.prove_order()
        except KeyRefused:
            return "rotation-key-refused"
        if self.new_pub == old_pub:
            return "rotation-to-itself"
        try:
            new.verify(ROTATION, possession_message(old_pub, self.new_pub), self.possession)
        except SignatureError:
            return "rotation-possession"
        return None

    def after(self, other: Ending) -> bool:
        """True when this stands behind `other` in a log that both are in."""
        return any(
            mine.log_id == theirs.log_id and mine.seq > theirs.seq
            for mine in self.places
            for theirs in other.places
        )

    def keeps(self, place: Place | None) -> bool:
        """True when what stands at this place stays."""
        return place is not None and self.kept.get(place.log_id, -1) >= place.seq


@dataclass(eq=False)
class Held:
    """A grant as it is held: what carries it, what ends it, and where it was signed (copies too)."""

    grant: Grant
    above: tuple[Held, ...]
    ends: tuple[Ending, ...] = ()
    places: tuple[Place, ...] = ()

    def carries_at(self, place: Place | None) -> bool:
        """True when nothing ended the grant for what is signed at `place` (None: signed from now on)."""
        return all(ending.keeps(place) for ending in self.ends)


REFUSALS = (
    "grant-without-right",
    "grant-wider-classes",
    "grant-wider-territory",
    "grant-wider-window",
    "grant-too-deep",
    "grant-key-ended",
)


def widenings(held: Grant, fact: Granted) -> tuple[bool, ...]:
    """In the order of `REFUSALS`: where the new grant goes beyond the one held."""
    return (
        not held.classes & Right.GRANT,
        fact.classes & ~held.classes != 0,
        not covers(held.territory, fact.territory),
        fact.not_before < held.not_before or fact.not_after > held.not_after,
        fact.depth >= held.depth,
    )


def chains_above(held: Held) -> list[Held]:
    """Every grant in every chain that leads to this one, each once."""
    found: dict[int, Held] = {}
    waiting = list(held.above)
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += one.above
    return list(found.values())


def depth_of(signed: Signed) -> int:
    return signed.fact.depth if isinstance(signed.fact, Granted) else -1


def ending_of(signed: Signed, places: tuple[Place, ...]) -> Ending:
    fact = signed.fact
    assert isinstance(fact, Rotated | Revoked), "only these end a key"
    kept = read_pairs(fact.exceptions) or {}
    if isinstance(fact, Revoked):
        return Ending(fact.subject, signed.key_id, fact.territory, kept, fact.cut, places)
    # Of its own log all of it stays that stands before this last event, whatever the list says of that log.
    return Ending(
        signed.key_id,
        signed.key_id,
        fact.territory,
        {**kept, **dict(places)},
        fact.cut,
        places,
        fact.new_pub,
        fact.possession,
    )
