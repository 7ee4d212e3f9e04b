"""The keys that statements of authority name, whether or not the statements count here.

A superior takes in what a hub passes on, and judges it by its own roots. Whatever it judges, it must be able
to *open* it: a journal that had to wait for every key to be allowed would wait for ever on the first grant
that is too deep or too wide here, behind which the better grant stands. So it introduces what is named. To be
introduced is not to be allowed: such a key's segments are kept, prove who signed what, and count for nothing.

Bound: names. Who may what is `authority`; who is allowed to introduce at a hub of stations is `Facts.admit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.facts.decisions import Granted
from ledger.facts.endings import RootsSet, Rotated
from ledger.facts.roots import RootStatement
from ledger.facts.signed import read
from ledger.log.errors import KeyRefused, NotAllowed
from ledger.log.keys import VerifyKey

if TYPE_CHECKING:
    from ledger.log.store import Stored


def keys_named(stored: Stored) -> list[VerifyKey]:
    """The keys that a lone, well-formed statement names and that may be trusted at all; never an error."""
    if stored.segment.head.count != 1:
        return []
    (signed,) = read(stored)
    found = []
    for raw in _raws(signed.fact):
        try:
            key = VerifyKey(raw)
            key.prove_order()
        except KeyRefused:
            continue
        found.append(key)
    return found


def _raws(fact: object) -> tuple[bytes, ...]:
    if isinstance(fact, Granted):
        return (fact.subject_pub,)
    if isinstance(fact, Rotated):
        return (fact.new_pub,)
    if isinstance(fact, RootsSet):
        try:
            return RootStatement.decode(fact.statement).keys
        except NotAllowed:
            return ()
    return ()
