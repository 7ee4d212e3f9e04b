"""The chains of grants from a root to a key, among those that an `Authority` accepted.

Whether a grant stands, and what ended it, is judged there; this only walks what it holds. The fewest links
are best: less to send, less to explain; of equals the one that was heard first. The walk ends because depth
falls with each link (docs/spec/authority.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from ledger.facts.authority import Authority
from ledger.facts.endings import Cut, Place
from ledger.facts.links import Grant, Held
from ledger.facts.units import covers

Chain: TypeAlias = tuple[Held, ...]
"""From a root's grant down to the one that gives the right; empty for a root itself."""

Recorded: TypeAlias = Callable[[Cut], bool]
"""Whether a hub's journal had recorded the segment in question at or before the cut."""


def never(cut: Cut) -> bool:
    """For everything but a station's reports the journal is not asked."""
    return False


def shortest_chain(
    authority: Authority,
    key_id: bytes,
    right: int,
    territory: str | None,
    at_s: int | None,
    place: Place | None,
    recorded: Recorded = never,
) -> Chain | None:
    """The fewest links that give the key the right there and then; None when none do.

    territory None: any grant's own; at_s None: at any time. place: where in its logs the key signed; None: it
    would sign from now on.
    """
    if authority.roots.is_root(key_id, place):
        return ()
    return _fewest(
        chain_to(held)
        for held in authority.held(key_id)
        if _gives(held.grant, right, territory, at_s)
        and all(ending.keeps(place) or recorded(ending.cut) for ending in held.ends)
    )


def only_ended(
    authority: Authority, key_id: bytes, right: int, territory: str | None, at_s: int | None
) -> bool:
    """True when nothing but an ending can have taken this right from the key."""
    return authority.roots.known(key_id) or any(
        _gives(held.grant, right, territory, at_s) for held in authority.held(key_id)
    )


def chain_to(held: Held) -> Chain:
    """The fewest links from a root down to this grant, itself included."""
    return (*(_fewest(map(chain_to, held.above)) or ()), held)


def _gives(grant: Grant, right: int, territory: str | None, at_s: int | None) -> bool:
    return (
        grant.classes & right == right
        and (territory is None or covers(grant.territory, territory))
        and (at_s is None or grant.not_before <= at_s <= grant.not_after)
    )


def _fewest(chains: Iterable[Chain]) -> Chain | None:
    return min(chains, key=len, default=None)
