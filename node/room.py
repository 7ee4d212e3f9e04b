"""Room on the card: content that no plan needs goes, what a plan still needs stays, and logs keep a reserve.

Needed is what any order that concerns the station names until it is over (`ledger.facts.keeping`). Once a day
what has been over for a month is dropped; when the card is full, what was over yesterday. Nothing is dropped
without a trusted clock: a box that believes it is next year would throw its whole plan away.

Before the first byte of a content is asked for, all of it must fit beside the reserve; so a manifest that
claims 64 MiB costs a full card nothing. Emergencies may use the reserve up to the little that the log needs.

Bound: no network. What is fetched, and in which order, is `fetch.py`.
"""

from __future__ import annotations

from typing import Final

from ledger.facts import Facts, library_manifests, needed_manifests
from ledger.log import Blobs, Ledger, Store
from node.boards.board import Boards
from node.contents import Contents
from node.page.drafts import draft_manifests
from node.plays import Memories
from node.presence import Moment

# A slot of yesterday may still begin late, or go on after an interruption.
BEHIND_S: Final = 86_400
# Repeats are ordered weeks after the first broadcast; their content is then still here.
KEEP_S: Final = 30 * 86_400
# Below this much free space only emergencies are fetched: logs and acknowledgments need the rest.
RESERVE_BYTES: Final = 32 * 1024 * 1024
# Below this nothing is: it is some thousand acknowledgments.
LOG_RESERVE_BYTES: Final = 512 * 1024
SWEEP_EVERY_S: Final = 86_400.0
# On a full card the oldest goes first: what was over so long ago, until there is room enough.
STEPS_S: Final = (KEEP_S, 14 * 86_400, 7 * 86_400, 3 * 86_400, BEHIND_S)
LOOK_EVERY_S: Final = 60.0
# A full card is looked through again after this, or when the plan has changed.
FULL_SWEEP_EVERY_S: Final = 600.0


class Room:
    """What fits on the card of one station."""

    def __init__(
        self, ledger: Ledger, blobs: Blobs, contents: Contents, store: Store, memories: Memories,
        facts: Facts, unit: str,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._blobs = blobs
        self._contents = contents
        self._store = store
        self._memories = memories
        self._facts = facts
        self._unit = unit
        self.boards: Boards | None = None
        self._swept_mono_s: float | None = None
        self._look_mono_s = float("-inf")
        self._full: tuple[int, float] | None = None  # (version of the facts, monotonic) of a sweep in need

    def has_for(self, length: int, moment: Moment, *, urgent: bool) -> bool:
        """True when so many bytes fit beside the reserve; makes room when they do not."""
        reserve = LOG_RESERVE_BYTES if urgent else RESERVE_BYTES
        if self._store.free_bytes() - length >= reserve:
            return True
        last = self._full
        soon = last is not None and 0 <= moment.mono_s - last[1] < FULL_SWEEP_EVERY_S
        if not moment.trusted or (soon and last is not None and last[0] == self._facts.version):
            return False
        return self._relieve(moment, reserve + length)

    def tidy(self, moment: Moment) -> None:
        """Once a day, with a trusted clock: drops what nothing has named for a month."""
        last = self._swept_mono_s
        if moment.trusted and (last is None or moment.mono_s - last >= SWEEP_EVERY_S):
            self._swept_mono_s = moment.mono_s
            self.sweep(moment, KEEP_S)
        if moment.trusted and moment.mono_s >= self._look_mono_s:
            # Other programs fill a card as well, and then our log has no room.
            self._look_mono_s = moment.mono_s + LOOK_EVERY_S
            if self._store.free_bytes() < RESERVE_BYTES:
                self._look_mono_s = moment.mono_s + FULL_SWEEP_EVERY_S
                self._relieve(moment, RESERVE_BYTES)

    def _relieve(self, moment: Moment, wanted: int) -> bool:
        """Drops what no plan needs, the oldest first, until so many bytes are free. True when they are."""
        self._full = (self._facts.version, moment.mono_s)
        for behind_s in STEPS_S:
            if self._store.free_bytes() >= wanted:
                break
            self.sweep(moment, behind_s)
        return self._store.free_bytes() >= wanted

    def sweep(self, moment: Moment, behind_s: float) -> list[bytes]:
        """Drops all content of which no order was standing `behind_s` seconds ago; returns its hashes."""
        keep = needed_manifests(self._facts, moment.utc_s - behind_s, self._unit)
        keep |= library_manifests(self._facts, self._unit)
        keep |= draft_manifests(self._ledger, moment.utc_s - behind_s)
        lists = [self._contents.manifest(name) for name in keep]
        if not keep.isdisjoint(self._contents.lost):
            return []  # the disk lost a list: what it names may be here and cannot be told apart
        keep.update(one.sha256 for manifest in lists if manifest for one in manifest.renditions)
        if self.boards is not None:
            keep |= self.boards.kept(moment.utc_s - behind_s)
        dropped = self._blobs.sweep(keep)
        if dropped:
            with self._ledger.transaction():
                for name in dropped:
                    self._memories.lost(name)
        for name in dropped:
            self._contents.forget(name)
        return dropped
