"""What is to stay of a key that ends, read from a ledger: the exceptions and the cut of its last word.

Whoever ends a key says up to which position of a ledger everything was still honest. The decisions that had
arrived there by then are named log by log, because that is what every station can check by itself; for the
reports the hub's journal is cut at the same position.

Bound: reading. Who may sign the ending is `authority.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ledger.facts.decisions import Granted
from ledger.facts.endings import EXCEPTIONS_MAX, Cut
from ledger.facts.events import parse, peek_type
from ledger.facts.standing import DECISION_TYPES
from ledger.facts.units import ancestors
from ledger.log.chain import Head, LogRef
from ledger.log.errors import NotAllowed
from ledger.log.journal import NO_LOG, Ingested
from ledger.log.keys import key_id as id_of
from ledger.log.store import Stored


class Shelf(Protocol):
    """What is needed of a ledger."""

    def since(self, position: int, *, decisions_only: bool = False) -> Iterable[Stored]: ...

    def segments_of(self, log: LogRef, from_seq: int) -> list[Stored]: ...

    def frontier(self, key_id: bytes | None = None) -> Mapping[LogRef, Head]: ...


def stays(ledger: Shelf, key_id: bytes, until: int) -> dict[bytes, int]:
    """Log → the last decision of this key in it that had arrived at or before position `until`.

    Raises NotAllowed("exceptions-full") when they are more logs than an event holds.
    """
    kept: dict[bytes, int] = {}
    for stored in ledger.since(0, decisions_only=True):
        if stored.position > until:
            break
        head = stored.segment.head
        if head.key_id == key_id and peek_type(stored.segment.events[0]) in DECISION_TYPES:
            kept[head.log_id] = max(kept.get(head.log_id, 0), head.next_seq - 1)
    if len(kept) > EXCEPTIONS_MAX:
        raise NotAllowed(
            "exceptions-full",
            f"this key decided in {len(kept)} logs, a revocation holds {EXCEPTIONS_MAX}",
            where=key_id.hex(),
            hint="have a new key granted what must stay, and approve it again",
        )
    return kept


def cut_at(ledger: Shelf, hub_key: bytes, until: int) -> Cut:
    """The last event of this hub's journal at or before position `until`; zeros when there is none."""
    found = (0, NO_LOG, 0)
    for ref, head in ledger.frontier(hub_key).items():
        last = ledger.segments_of(ref, head.next_seq - 1)
        if last and last[-1].position > until:
            last = [one for one in ledger.segments_of(ref, 0) if one.position <= until]
        if last:
            found = max(found, (last[-1].position, ref.log_id, last[-1].segment.head.next_seq - 1))
    return Cut(hub_key, found[1], found[2])


def hubs_of(ledger: Shelf) -> set[bytes]:
    """The keys that journal arrivals in this ledger."""
    found: set[bytes] = set()
    for ref, head in ledger.frontier().items():
        if ref.key_id not in found:
            for stored in ledger.segments_of(ref, head.next_seq - 1):
                if any(peek_type(event) == Ingested.TYPE for event in stored.segment.events):
                    found.add(ref.key_id)
    return found


def reach_of(ledger: Shelf, key_id: bytes) -> str | None:
    """The smallest unit over everything that was ever granted to this key; None when nothing was."""
    units: list[tuple[str, ...]] = []
    for stored in ledger.since(0, decisions_only=True):
        fact = parse(stored.segment.events[0]) if len(stored.segment.events) == 1 else None
        if isinstance(fact, Granted) and id_of(fact.subject_pub) == key_id:
            units.append(ancestors(fact.territory))
    if not units:
        return None
    common: list[str] = [level[0] for level in zip(*units, strict=False) if len(set(level)) == 1]
    if not common:
        raise NotAllowed(
            "territory-apart", "what was granted to this key lies under no common unit", where=key_id.hex(),
            hint="end it for each part with --in",
        )  # fmt: skip
    return common[-1]
