"""What a station's card owes the hub near the end of a run, and the hub the station: read from both, whole.

Taken one sync period before the end of calm; `checkers` asks at the end whether it arrived (I3, I9, I1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256

from ledger.facts import covers, parse
from ledger.log import Ledger, LogOpened, LogRef, open_segment, read_head
from sim.oracle import Card


@dataclass(frozen=True)
class Debt:
    """What must have arrived: taken one sync period before the end of calm.

    heads: ends of the station's own logs; events: hashes of its own events, sealed or pending; marks: head
    hashes of all its own segments; told: head hashes of the decisions it must hold; believed: its own
    segments that it takes for delivered.
    """

    heads: tuple[tuple[LogRef, int, bytes], ...]
    events: frozenset[bytes]
    marks: frozenset[bytes]
    told: frozenset[bytes]
    believed: tuple[tuple[LogRef, int, bytes], ...]


def debt_of(
    card: Card, ledger: Ledger, told: Iterable[tuple[str, bytes]], frozen: Collection[LogRef]
) -> Debt:
    """Reads the card whole; for the end of a run. told: audience and head hash of each rightful decision.

    frozen: logs of which the hub holds another history. Their ends never arrive; the events in them must, by
    another log, and so must every segment of them for which the hub once gave a receipt.
    """
    events: set[bytes] = set()
    marks: set[bytes] = set()
    believed: list[tuple[LogRef, int, bytes]] = []
    for log in ledger.tables.own_logs(card.key_id):
        forked = log.ref in frozen
        for row in ledger.tables.segments_of(log, 0, 1 << 30):
            if row.next_seq <= log.held:
                believed.append((log.ref, row.next_seq, row.hash))
            marks.add(row.hash)
            for event in open_segment(row.raw, ledger.key_of).events:
                if not (forked and isinstance(parse(event), LogOpened)):
                    events.add(sha256(event).digest())
    events.update(sha256(event).digest() for event in ledger.tables.pending(card.key_id))
    ends = ledger.frontier(card.key_id).values()
    heads = tuple((head.log, head.next_seq, head.hash) for head in ends if head.log not in frozen)
    mine = frozenset(mark for audience, mark in told if covers(audience, card.unit))
    return Debt(heads, frozenset(events), frozenset(marks), mine, tuple(believed))


def told_by(hub_ledger: Ledger, smuggled: Collection[bytes]) -> list[tuple[str, bytes]]:
    """(audience, head hash) of every decision in the hub's ledger that its signer had the right to."""
    rows = hub_ledger.tables.segments_after(0, 1 << 30, told_only=True)
    marked = [(audience, read_head(raw)[0].hash) for _, audience, raw in rows if audience is not None]
    return [(audience, mark) for audience, mark in marked if mark not in smuggled]
