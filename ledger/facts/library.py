"""The documents of a place: what was sent down, which word about each stands, who has read it.

A document is known by its `directive`, the same through all its versions. The latest word about it stands:
a newer version, or (manifest nil) that it was taken back. A word counts over an earlier one when its signer
signed that too, or may ISSUE over that one's whole territory: a district cannot replace what the province
issued. Only words whose territory covers the unit are looked at, as everywhere.

A receipt is for the version it names. The reader of version one has not read version two.

Bound: a pure function of `Facts`. Fetching, searching and showing are the station's and the hub's.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.facts.commune import DirectiveIssued, DirectiveRead
from ledger.facts.rights import Right
from ledger.facts.standing import Standing
from ledger.facts.state import Facts


@dataclass(frozen=True)
class Paper:
    """One document as it stands at a unit. first_ts: of its first version; versions: how many so far."""

    latest: Standing[DirectiveIssued]
    first_ts: int
    versions: int

    @property
    def fact(self) -> DirectiveIssued:
        return self.latest.fact

    @property
    def manifest(self) -> bytes:
        found = self.latest.fact.manifest
        assert found is not None, "what was taken back is no paper"
        return found

    @property
    def asks_receipt(self) -> bool:
        return self.latest.fact.kind == "directive"


def papers(facts: Facts, unit: str) -> list[Paper]:
    """What a unit has in its bookcase, newest first; what was taken back is not in it."""
    found = [paper for name in facts.directives if (paper := paper_of(facts, unit, name)) is not None]
    return sorted(found, key=lambda one: (-one.latest.position, one.fact.directive))


def paper_of(facts: Facts, unit: str, directive: bytes) -> Paper | None:
    """One document at a unit; None when it was never sent there or was taken back."""
    here = [one for one in facts.directives.get(directive, ()) if facts.hears(unit, one.fact)]
    standing: list[Standing[DirectiveIssued]] = []
    for word in here:
        if all(_may_replace(facts, word, one) for one in standing):
            standing.append(word)
    if not standing or standing[-1].fact.manifest is None:
        return None
    return Paper(standing[-1], standing[0].fact.ts, len(standing))


def receipts(facts: Facts, unit: str, paper: Paper) -> list[Standing[DirectiveRead]]:
    """Who of this unit has read this version, in order of arrival, each person once."""
    found: dict[bytes, Standing[DirectiveRead]] = {}
    for read in facts.reads.get((paper.fact.directive, unit), ()):
        if read.fact.manifest == paper.manifest:
            found.setdefault(read.key_id, read)
    return list(found.values())


def library_manifests(facts: Facts, unit: str | None = None) -> set[bytes]:
    """The manifests of all that stands at one unit, or (None) of every word that was not taken back."""
    if unit is not None:
        return {paper.manifest for paper in papers(facts, unit)}
    words = (word.fact for line in facts.directives.values() for word in line)
    return {fact.manifest for fact in words if fact.manifest is not None}


def _may_replace(facts: Facts, later: Standing[DirectiveIssued], earlier: Standing[DirectiveIssued]) -> bool:
    return later.key_id == earlier.key_id or facts.authority.may(
        later.key_id, Right.ISSUE, earlier.fact.territory, later.fact.ts, later.signed.place
    )
