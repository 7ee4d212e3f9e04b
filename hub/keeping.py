"""What content a hub keeps: everything a plan still needs, and every text for ever; old recordings go.

Recordings fill a disk, texts do not. So manifests and texts stay as long as anything in the ledger names
them, and the pages of old bulletins go on working. A recording stays while an order needs it, while an
approval of it may still be ordered from, while its bulletin lies on the desk, and for a time after that: a
newsroom repeats last year's forest-fire spot. What nothing names (earlier versions of a draft, an upload
whose draft was never saved) goes as well.

A hub whose clock runs ahead must not take the whole plan for history: whatever the clock says, what was in
use when the newest decision was signed stays.

Bound: called under the hub's lock, so that no draft is between its files and its signature.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hub.media import read_manifest
from hub.projections import Projections
from ledger.facts import AUDIO, BOARD_IMAGE, DOCUMENT, Facts, at, library_manifests, needed_manifests
from ledger.log import BlobError, Blobs, CodecError

KEEP_S: Final = 400 * 86_400  # a year and the weeks in which it is planned again
SWEEP_EVERY_S: Final = 86_400
LARGE: Final = frozenset({AUDIO, BOARD_IMAGE, DOCUMENT})  # kinds that go; texts and the like are small


class Keeper:
    """Sweeps once a day. keep_s: how long a recording stays after its last use, seconds."""

    def __init__(self, blobs: Blobs, facts: Facts, projections: Projections, *, keep_s: int = KEEP_S) -> None:
        self._blobs = blobs
        self._facts = facts
        self._projections = projections
        self._keep_s = keep_s
        self._swept_at: int | None = None

    def tick(self, now: int) -> list[bytes]:
        """Sweeps when a day has passed since the last time; returns the hashes that went."""
        if self._swept_at is not None and 0 <= now - self._swept_at < SWEEP_EVERY_S:
            return []
        self._swept_at = now
        return self.sweep(now)

    def sweep(self, now: int) -> list[bytes]:
        """Drops what is not needed any more; returns the hashes. Under the hub's lock, views caught up."""
        desk = {
            bytes(row["manifest"]): int(row["updated_at"])
            for row in self._projections.db.query("SELECT manifest, updated_at FROM bulletins")
        }
        approvals = [one.fact for known in self._facts.approvals.values() for one in known]
        orders = [one.fact for known in self._facts.orders.values() for one in known]
        asked = [one.fact for known in self._facts.proposals.values() for one in known]
        newest = max([0, *desk.values(), *(fact.ts for fact in (*approvals, *orders, *asked))])
        from_s = min(now - self._keep_s, newest)
        live = needed_manifests(self._facts, from_s)
        live |= library_manifests(self._facts)
        live |= {fact.manifest for fact in asked if fact.expires_at > from_s}
        live |= {fact.manifest for fact in approvals if at(fact.valid_until_day + 1) > from_s}
        live |= {manifest for manifest, updated_at in desk.items() if updated_at > from_s}
        named = live | set(desk) | {fact.manifest for fact in (*approvals, *orders, *asked)}
        keep = self._kept(live, named)
        return [] if keep is None else self._blobs.sweep(keep)

    def _kept(self, live: set[bytes], named: Iterable[bytes]) -> set[bytes] | None:
        """What must stay; None while a list is damaged, since what it names cannot be told apart."""
        keep = set(named)
        for name in named:
            try:
                renditions = read_manifest(self._blobs, name).renditions
            except (BlobError, CodecError):
                if self._blobs.has(name):
                    return None
                continue  # of a level above, and not here
            keep.update(one.sha256 for one in renditions if name in live or one.kind not in LARGE)
        return keep
