"""The content that a stick brought: which of it this station wants, and taking it in piece by piece.

What is wanted follows from the decisions that count here, judged by the newest signed time and not by the
clock, which may be years wrong where a stick is used. Every piece is checked against what was approved before
it touches the disk; a forged one costs a look.

Bound: no decision and no clock. Each step is one piece at most, so that a running station stays in time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ledger.facts import (
    EmergencyOrdered,
    Facts,
    Manifest,
    Rendition,
    at,
    needed_manifests,
    papers,
)
from ledger.log import CHUNK, BlobError, Blobs, CodecError, Receipt, Store, stick
from node.fetch import LIST_BYTES_MAX, NO_ROOM
from node.room import RESERVE_BYTES


@dataclass
class Received:
    """What a stick brought. refused: a stable code when its answer was not believed, else "".

    missing: decisions that wait for the next stick, because one before them was damaged. contents: whole
    ones that came; wanting: named by the plan and still not whole; no_room: pieces left on the stick for want
    of space.
    """

    files: int
    damages: int
    cut: int
    refused: str = ""
    hub_time: int = 0
    decisions: int = 0
    receipts: tuple[Receipt, ...] = ()
    missing: int = 0
    unread: int = 0
    contents: int = 0
    wanting: int = 0
    no_room: int = 0
    strange: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.refused or self.damages or self.cut or self.missing or self.unread or self.no_room)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return vars(self) | {"receipts": len(self.receipts), "is_clean": self.is_clean}


class Unloading:
    """blobs: of `store`, the station's own."""

    def __init__(self, store: Store, blobs: Blobs, facts: Facts, unit: str) -> None:
        self._store = store
        self._blobs = blobs
        self._facts = facts
        self._unit = unit

    def taking(self, cargo: stick.Cargo, done: Received, low_s: int) -> Iterator[None]:
        """Takes what is wanted and lies there, one piece a step. low_s: the newest signed time."""
        for name, urgent in self.wanted(low_s):
            whole = False
            try:
                manifest = self._manifest(cargo, name)
                if manifest is not None:
                    whole = True
                    for one in manifest.renditions:  # every one, also behind one that is not whole
                        whole &= yield from self._take_rendition(cargo, one, urgent, done)
            except BlobError:
                whole = (
                    False  # the disk holds something else under this hash: a later visit or sync repairs it
                )
            done.wanting += not whole
            yield

    def _manifest(self, cargo: stick.Cargo, name: bytes) -> Manifest | None:
        """The manifest of this hash, from here or from the stick."""
        if not self._blobs.has(name):
            data = _assembled(cargo, name)
            if data is None:
                return None
            self._blobs.put(data)
        try:
            return Manifest.decode(self._blobs.read(name))
        except CodecError:
            return None

    def _take_rendition(
        self, cargo: stick.Cargo, one: Rendition, urgent: bool, done: Received
    ) -> Generator[None, None, bool]:
        """Every piece that is here and not yet held, in order, each checked against the manifest."""
        name = one.sha256
        if self._blobs.has(name):
            return True
        while (offset := self._blobs.partial(name)) < one.size and self._blobs.begun(name) < one.size:
            places = cargo.pieces.get((name, offset), ())
            if places and not urgent and self._store.free_bytes() < RESERVE_BYTES + CHUNK:
                done.no_room += 1
                return False
            # Twice: a wrong beginning of this chunk, left by a broken line, is dropped by the first try.
            if not any(self._add(one, offset, place, done) for place in (*places, *places)):
                return False
            yield
        self._blobs.finish(name, one.chunk_hashes)
        done.contents += 1
        return True

    def _add(self, one: Rendition, offset: int, place: stick.Place, done: Received) -> bool:
        if place.length != min(CHUNK, one.size - offset):
            return False
        try:
            self._blobs.add(one.sha256, offset, place.read(), one.chunk_hashes, one.size)
        except BlobError:
            return False  # not what was approved: forged, or changed since it was looked at
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            done.no_room += 1
            return False
        return True

    def wanted(self, low_s: int) -> list[tuple[bytes, bool]]:
        """(manifest, is an emergency's) of every order for this unit that may still play, most urgent first;
        then documents.

        Judged by the newest signed time, not by the clock, which may be years wrong where a stick is used.
        """
        facts, unit = self._facts, self._unit
        needed = needed_manifests(facts, low_s, unit)
        found: dict[bytes, tuple[int, int]] = {}
        for order in (order for orders in facts.orders.values() for order in orders):
            fact = order.fact
            if fact.manifest not in needed or not facts.hears(unit, fact):
                continue
            if isinstance(fact, EmergencyOrdered):
                urgency = -fact.level, fact.not_before
            elif self._is_approved(fact.bulletin, fact.manifest):
                urgency = 0, at(fact.first_day)
            else:
                continue
            if facts.withdrawal_of(order, unit) is None:
                found[fact.manifest] = min(urgency, found.get(fact.manifest, urgency))
        heard = [(name, found[name][0] < 0) for name in sorted(found, key=lambda name: (found[name], name))]
        read = [paper.manifest for paper in papers(facts, unit) if paper.manifest not in found]
        return [*heard, *((name, False) for name in read)]

    def _is_approved(self, bulletin: bytes, manifest: bytes) -> bool:
        above = self._facts.lineages.names(self._unit)
        return any(
            one.fact.manifest == manifest and one.fact.territory in above
            for one in self._facts.approvals.get(bulletin, ())
        )


def _assembled(cargo: stick.Cargo, name: bytes) -> bytes | None:
    """A small content put together from its pieces, when they give exactly this hash."""
    data = b""
    while len(data) < LIST_BYTES_MAX and len(data) % CHUNK == 0:
        places = cargo.pieces.get((name, len(data)), ())
        if not places:
            return None
        pieces = [place.read() for place in places]
        for piece in pieces:
            if sha256(data + piece).digest() == name:
                return data + piece
        data += pieces[0]
    return None
