"""Which statements of a ledger an evidence file needs, and in which order a stranger can read them.

For every grant in the file: the grants above it up to a root, and what ended it. For every ending: the grants
that let its signer end anything. For every root that came or left with a root set: all sets up to that one,
for a reader follows them one by one from the roots it was given.

Bound: picks from what an `Authority` accepted; judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from ledger.evidence.chains import Chain, chain_to
from ledger.evidence.file import STATEMENTS_MAX
from ledger.facts.authority import Authority
from ledger.facts.decisions import Granted
from ledger.facts.endings import Place, RootsSet
from ledger.facts.events import parse
from ledger.facts.links import Ending, Held, chains_above
from ledger.facts.roots import RootStatement
from ledger.log.chain import LogRef
from ledger.log.errors import NotAllowed
from ledger.log.keys import VerifyKey, key_id
from ledger.log.segment import Segment
from ledger.log.store import Ledger


class Picking:
    """authority: the fold of the whole ledger under the roots of the reader to come."""

    def __init__(self, ledger: Ledger, authority: Authority) -> None:
        self._ledger = ledger
        self._authority = authority
        self._grants: dict[int, Held] = {}
        self._endings: dict[int, Ending] = {}
        self._signers: set[bytes] = set()
        self._sets = 0

    def add(self, chain: Chain, signer: bytes) -> None:
        """A chain of the file and the key at its end, with everything that concerns them."""
        for held in chain:
            self._grant(held)
        self._signer(signer)

    def _grant(self, held: Held) -> None:
        if id(held) in self._grants:
            return
        self._grants[id(held)] = held
        self._signer(held.grant.issuer)
        # Who may end a grant stands above it in any of its chains.
        for one in chains_above(held) if held.ends else chain_to(held):
            self._grant(one)
        for ending in held.ends:
            if id(ending) not in self._endings:
                self._endings[id(ending)] = ending
                self._signer(ending.signer)

    def _signer(self, signer: bytes) -> None:
        """A root that came or left needs the sets that say so, and whoever brought them here."""
        if signer in self._signers:
            return
        self._signers.add(signer)
        sets = self._authority.roots.sets
        for number, (before, after) in enumerate(pairwise(sets), start=1):
            moved = {key.key_id for key in before.keys} ^ {key.key_id for key in after.keys}
            if signer in moved:
                self._sets = max(self._sets, number)

    def segments(self) -> tuple[bytes, ...]:
        """The statements, each behind those that introduce its key. NotAllowed("evidence-size")."""
        sets = self._root_sets()
        waiting: list[tuple[Segment, tuple[bytes, ...]]] = [(one, ()) for one in sets]
        for held in self._grants.values():
            above = tuple(one.grant.subject.key_id for one in held.above if id(one) in self._grants)
            waiting += [(one, above) for one in self._at(held.grant.issuer, held.places)]
        for ending in self._endings.values():
            waiting += [(one, ()) for one in self._at(ending.signer, ending.places)]
        if len(waiting) > STATEMENTS_MAX:
            raise NotAllowed(
                "evidence-size", f"{len(waiting)} statements concern this, a file holds {STATEMENTS_MAX}",
                hint="prove the grant or the revocation that matters by itself",
            )  # fmt: skip
        return _in_order(waiting, {key.key_id for key in self._authority.roots.sets[0].keys})

    def _at(self, signer: bytes, places: Iterable[Place]) -> list[Segment]:
        found = []
        for place in places:
            held = self._ledger.segments_of(LogRef(signer, place.log_id), place.seq)
            if held and held[0].segment.head.first_seq == place.seq:
                found.append(held[0].segment)
        return found

    def _root_sets(self) -> list[Segment]:
        """The sets that are needed, in order; adds the chains of those who sealed them."""
        wanted = {one.statement: n for n, one in enumerate(self._authority.roots.sets[: self._sets + 1]) if n}
        found: dict[int, Segment] = {}
        for stored in self._ledger.since(0, decisions_only=True) if wanted else ():
            segment = stored.segment
            fact = parse(segment.events[0]) if segment.head.count == 1 else None
            if isinstance(fact, RootsSet) and fact.statement in wanted:
                found.setdefault(wanted[fact.statement], segment)
        for segment in found.values():
            held = self._authority.held(segment.head.key_id)
            if held:
                self._grant(held[0])
        return [found[number] for number in sorted(found)]


def _in_order(waiting: Sequence[tuple[Segment, tuple[bytes, ...]]], known: set[bytes]) -> tuple[bytes, ...]:
    """The first that can be read, again and again. What never can is left to the reader to refuse."""
    left, found = list(waiting), []
    emitted: set[bytes] = set()
    while left:
        ready = next(
            (row for row in left if row[0].head.key_id in known and emitted.issuperset(row[1])), left[0]
        )
        left.remove(ready)
        segment = ready[0]
        if segment.raw not in found:
            found.append(segment.raw)
        introduced = introduced_by(segment.events[0])
        known |= introduced
        emitted |= introduced
    return tuple(found)


def introduced_by(event: bytes) -> set[bytes]:
    """The ids of the keys that a Granted or a RootsSet makes known."""
    fact = parse(event)
    if isinstance(fact, Granted):
        return {VerifyKey(fact.subject_pub).key_id}
    if isinstance(fact, RootsSet):
        return {key_id(raw) for raw in RootStatement.decode(fact.statement).keys}
    return set()
