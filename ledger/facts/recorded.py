"""What a hub's signed journal had recorded at a position in it: the scale for reports of an ended key.

A hub writes an `Ingested` event into its own log for every segment it takes in, in the transaction that takes
it in. A process of the hub writes one log; its first event names the log before and how far that one went. So
the position `(log, seq)` cuts the whole history: recorded by then is what an `Ingested` of that log names at
or before `seq`, or one of an earlier log within the length that its successor gives it.

An auditor feeds this the hub's logs in any order; it remembers only the segments of the keys it is asked for.

Bound: the hub's word about arrivals. Whether a report counts is `Authority.may_report`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ledger.facts.endings import Cut, Place
from ledger.facts.signed import Signed
from ledger.log.journal import NO_LOG, Ingested, LogOpened

if TYPE_CHECKING:
    from ledger.log.segment import SegmentHead


class Recorded:
    """of: the keys whose arrivals are remembered."""

    def __init__(self, of: Iterable[bytes]) -> None:
        self._of = frozenset(of)
        self._places: dict[tuple[bytes, bytes], list[Place]] = {}
        self._before: dict[tuple[bytes, bytes], tuple[bytes, int]] = {}

    def take(self, signed: Signed) -> None:
        """One event of a verified log; all but `LogOpened` and `Ingested` are passed by."""
        fact = signed.fact
        if isinstance(fact, LogOpened) and signed.seq == 0:
            self._before[signed.key_id, signed.log_id] = (fact.prev_log, fact.prev_next_seq)
        elif isinstance(fact, Ingested) and fact.log.key_id in self._of:
            self._places.setdefault((signed.key_id, fact.head_hash), []).append(signed.place)

    def had(self, cut: Cut, head: SegmentHead) -> bool:
        """True when the hub of the cut had recorded this very segment at or before it."""
        reach = self._reach(cut)
        places = self._places.get((cut.hub_key, head.hash), ())
        return any(place.seq < reach.get(place.log_id, 0) for place in places)

    def _reach(self, cut: Cut) -> dict[bytes, int]:
        """Each log of the hub up to the cut → how many of its events stand before it or at it."""
        reach = {cut.log_id: cut.seq + 1}
        log_id = cut.log_id
        while (before := self._before.get((cut.hub_key, log_id))) is not None:
            log_id, length = before
            if log_id == NO_LOG or log_id in reach:
                break
            reach[log_id] = length
        return reach
