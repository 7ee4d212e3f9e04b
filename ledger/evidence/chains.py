"""Finding the grants that lead from a root to a key, among those at hand.

This only finds; whether a grant stands is judged by `ledger.facts.authority`. The fewest links are best: less
to send, less to explain. The search ends because depth falls with each link (docs/spec/authority.md).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ledger.facts.authority import ROOT_DEPTH, Right
from ledger.facts.decisions import Granted
from ledger.facts.units import covers
from ledger.log.keys import VerifyKey


@dataclass(frozen=True)
class Link:
    """One grant: who gave what to whom. fact: its words; raw: its segment, sealed alone."""

    issuer: bytes
    subject: VerifyKey
    fact: Granted
    raw: bytes

    def carries(self, right: int, territory: str | None, at_s: int | None) -> bool:
        """True when this alone gives the right there and then. None: its own territory; at any time."""
        fact = self.fact
        return (
            fact.classes & right == right
            and (territory is None or covers(fact.territory, territory))
            and (at_s is None or fact.not_before <= at_s <= fact.not_after)
        )

    def admits(self, below: Granted) -> bool:
        """True when this alone carries the grant `below` it."""
        held, needed = self.fact, Right.GRANT | below.classes
        return (
            held.classes & needed == needed
            and covers(held.territory, below.territory)
            and held.not_before <= below.not_before
            and below.not_after <= held.not_after
            and below.depth < held.depth
        )


Chain: TypeAlias = tuple[Link, ...]


def shortest_chain(
    links: Sequence[Link],
    roots: Collection[bytes],
    key_id: bytes,
    right: int,
    territory: str | None,
    at_s: int | None,
) -> Chain | None:
    """The fewest links, root's first, that give the key the right there and then; None when none do.

    Empty for a root. roots: key ids.
    """
    if key_id in roots:
        return ()
    ends = [link for link in links if link.subject.key_id == key_id and link.carries(right, territory, at_s)]
    return _fewest([chain_to(links, roots, link) for link in ends])


def chain_to(links: Sequence[Link], roots: Collection[bytes], link: Link) -> Chain | None:
    """The fewest links from a root down to this one, itself included; None when none lead to it."""
    if link.issuer in roots:
        return (link,) if link.fact.depth < ROOT_DEPTH else None
    above = [held for held in links if held.subject.key_id == link.issuer and held.admits(link.fact)]
    best = _fewest([chain_to(links, roots, held) for held in above])
    return None if best is None else (*best, link)


def _fewest(chains: Sequence[Chain | None]) -> Chain | None:
    return min((chain for chain in chains if chain is not None), key=len, default=None)
