"""Between a station and its clusters: which list is in force, what it reports of it, what they are told when.

The list is read once, at a start. When it differs from the one reported last, the station reports it before
anything else, because a vector in an acknowledgment is read by the latest listing before it. A list that
cannot be read silences nobody: the station plays, says why, and answers `unknown` for each cluster it had
listed.

Bound: what a tick does about clusters. Judging is `clusters`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from ledger.facts import ClustersListed, listed_names
from ledger.log import Ledger, Store, StoreError
from node.clusters.driver import ClusterDriver, Sound
from node.clusters.listing import ClusterEntry, load_clusters, names_of
from node.clusters.slots import AFTER_S, Clusters
from node.diary import Diary
from node.onair import Running
from node.presence import Moment

logger = logging.getLogger("loa.node")

MakeDriver: TypeAlias = Callable[[Sequence[ClusterEntry]], ClusterDriver]

LISTED: Final = "node.clusters.slots"  # key id ‖ line feed ‖ the names as they were reported last


class ClusterWatch:
    """What `Station` calls around each look. make: the driver for a list; None drives nobody."""

    def __init__(
        self, store: Store, ledger: Ledger, diary: Diary, key_id: bytes, make: MakeDriver | None
    ) -> None:
        self._ledger = ledger
        self._diary = diary
        self._mark = f"{key_id.hex()}\n"
        kept = ledger.get(LISTED, "")
        ours = isinstance(kept, str) and kept.startswith(self._mark)
        listed = str(kept).removeprefix(self._mark) if ours else ""
        self.problem: StoreError | None = None
        entries: tuple[ClusterEntry, ...] = ()
        try:
            entries = load_clusters(store)
        except StoreError as error:
            self.problem = error
            logger.error("clusters are not driven: %s", error)
        names = listed if self.problem is not None else names_of(entries)
        self._to_list = names if names != listed else None
        driver = make(entries) if make is not None and entries else None
        self.clusters = Clusters(entries, driver, listed=len(listed_names(names)))

    def list_clusters(self, ts: int) -> None:
        """Reports the list when it is another one. Before the first acknowledgment of this process."""
        if self._to_list is None:
            return
        with self._ledger.transaction():
            self._diary.report(ClustersListed(ts, self._to_list))
            self._ledger.put(LISTED, self._mark + self._to_list)
        self._to_list = None

    def look(self, moment: Moment) -> None:
        """Before the sound is looked after: what clusters said belongs to what sounds now."""
        self.clusters.look(moment.mono_s)

    def follow(self, run: Running | None, start_in_s: float, moment: Moment) -> None:
        """After it was decided what sounds. start_in_s: until the next slot begins."""
        if run is None:
            self.clusters.ends(moment.mono_s)
            self.clusters.comes(start_in_s, moment.mono_s)
        elif self.clusters.sounding != run.slot.key:
            sound = Sound(run.slot.manifest[:16], run.slot.length_s + AFTER_S)
            self.clusters.begins(run.slot.key, sound, moment.mono_s)

    def close(self, moment: Moment) -> None:
        """The process ends: clusters are told once. Whom that does not reach (a lost datagram, a
        connection that is not there yet) falls silent by itself when its time is over.
        """
        self.clusters.ends(moment.mono_s)
        self.clusters.close()
