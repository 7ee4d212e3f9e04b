"""Which content the station still lacks, and bringing it in: chunk by chunk, over any number of restarts.

What is needed follows from the plan alone: emergencies first, then by time to air. Of each manifest first
the list itself, then what is heard, then what is shown, then leaflets. A chunk is checked against the
manifest's hash before it touches the disk; a broken link costs one chunk. What the hub does not hold, or
holds damaged, is asked for again later without holding up the rest.

Bound: no network and no clock here; the station posts the job and hands the bytes back.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger.facts import Facts, Rendition, Slot, slots, verdict
from ledger.log import CHUNK, BlobError, Blobs, Ledger, Store
from node.contents import Contents
from node.courier import FetchJob
from node.plays import Memories, Plays
from node.presence import Moment

# Content for slots within this time is fetched; a week covers the longest outage we plan for.
AHEAD_S: Final = 7 * 86_400
# A manifest comes in one piece; longer ones are refused by everybody.
LIST_BYTES_MAX: Final = 262_144
# A slot of yesterday may still begin late.
BEHIND_S: Final = 86_400
# Below this much free space only emergencies are fetched: logs and acknowledgments need the rest.
RESERVE_BYTES: Final = 32 * 1024 * 1024
# The disk has no room for content: the station goes on with what it has. Any other error of it is fatal.
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# After a failure of one content: again after this, doubling up to the cap.
RETRY_S: Final = 60.0
RETRY_CAP_S: Final = 3_600.0
RETRY_DOUBLINGS_MAX: Final = 10
# The list of what is needed is made anew this often even when the plan stands still: slots come into view.
RELIST_S: Final = 21_600.0


@dataclass(frozen=True)
class Want:
    """One manifest the plan needs. level: of an emergency, 0 for everything else."""

    manifest: bytes
    start_s: int
    level: int

    @property
    def urgent(self) -> bool:
        return self.level > 0


class Fetcher:
    """What is missing, and the next bytes to ask for. cap_bytes: content a local day, 0 = no cap."""

    def __init__(
        self, ledger: Ledger, blobs: Blobs, contents: Contents, store: Store, memories: Memories,
        facts: Facts, unit: str, *, cap_bytes: int,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._blobs = blobs
        self._contents = contents
        self._store = store
        self._memories = memories
        self._facts = facts
        self._unit = unit
        self._cap_bytes = cap_bytes
        self._wants: list[Want] = []
        self._listed: tuple[int, float] | None = None  # (version of the facts, UTC)
        self._nothing = False  # nothing is missing until the list changes
        self._later: dict[bytes, tuple[float, int]] = {}  # sha256 → not before (monotonic), failures
        self.fetched_today = 0

    def lost(self, name: bytes, manifest: bytes) -> None:
        """The disk damaged this content: drop it, so that it is fetched again."""
        self._contents.drop(name)
        self._contents.forget(manifest)
        self._listed = None
        with self._ledger.transaction():
            self._memories.lost(manifest)

    # -- what is missing -------------------------------------------------------------------------------------

    def missing(self, moment: Moment, plays: Plays) -> list[Want]:
        """Manifests of the plan whose sound is not complete here, most urgent first."""
        listed = self._listed
        stale = listed is None or abs(moment.utc_s - listed[1]) >= RELIST_S
        if stale or (listed is not None and listed[0] != self._facts.version):
            self._wants = self._list(moment, plays)
            self._nothing = False
            self._listed = (self._facts.version, moment.utc_s)
        return (
            []
            if self._nothing
            else [want for want in self._wants if not self._contents.is_ready(want.manifest)]
        )

    def next_job(self, moment: Moment, plays: Plays, *, urgent_only: bool = False) -> FetchJob | None:
        """The next bytes to ask for, or None."""
        missing = self.missing(moment, plays)
        if self._nothing:
            return None
        for want in missing:
            if (urgent_only and not want.urgent) or not self._may(want, moment):
                continue
            job = self._job_for(want.manifest, moment)
            if job is not None:
                self._note_lost(want.manifest)
                return job
        if urgent_only:
            return None
        for want in self._wants:
            job = self._extra_job(want, moment)
            if job is not None:
                return job
        self._note_complete(moment)
        self._nothing = all(self._is_settled(want.manifest) for want in self._wants)
        return None

    def retry_in(self, mono_s: float) -> float:
        """Seconds until a content that failed may be asked for again; inf when none waits."""
        return min((at_s - mono_s for at_s, _ in self._later.values() if at_s > mono_s), default=float("inf"))

    # -- what came -------------------------------------------------------------------------------------------

    def take(self, job: FetchJob, data: bytes, moment: Moment) -> None:
        """Bytes of the hub for this job. Wrong ones are dropped and asked for again later."""
        self.fetched_today += len(data)
        try:
            if job.length == LIST_BYTES_MAX:
                if sha256(data).digest() != job.sha256:
                    raise BlobError("blob-other", "this is not the manifest that was asked for")
                self._blobs.put(data)
                self._contents.forget(job.sha256)
            else:
                self._take_chunk(job, data)
        except BlobError:
            self.failed(job, moment.mono_s)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self.failed(job, moment.mono_s)
        else:
            self._later.pop(job.sha256, None)
        self._note_complete(moment)

    def failed(self, job: FetchJob, mono_s: float) -> None:
        """This content could not be had; the link itself is fine."""
        failures = min(self._later.get(job.sha256, (0.0, 0))[1] + 1, RETRY_DOUBLINGS_MAX)
        self._later[job.sha256] = (mono_s + min(RETRY_CAP_S, RETRY_S * 2.0 ** (failures - 1)), failures)

    def _note_complete(self, moment: Moment) -> None:
        """Keeps since when a manifest can be heard here; also what a power cut left unsaid."""
        for want in self._wants:
            if self._contents.is_ready(want.manifest) and self._memories.completion(want.manifest) is None:
                with self._ledger.transaction():
                    self._memories.completed(want.manifest, moment.utc_s)

    def _note_lost(self, manifest: bytes) -> None:
        """It must be fetched: if it was complete once, the disk lost it, and since then it is not."""
        if self._memories.completion(manifest) is not None:
            with self._ledger.transaction():
                self._memories.lost(manifest)

    # -- inside ----------------------------------------------------------------------------------------------

    def _list(self, moment: Moment, plays: Plays) -> list[Want]:
        wants: dict[bytes, Want] = {}
        for slot in slots(self._facts, self._unit, moment.utc_s - BEHIND_S, moment.utc_s + AHEAD_S):
            if slot.begin_until_s <= moment.utc_s or slot.key in plays or self._is_settled(slot.manifest):
                continue
            if not self._may_play(slot, moment):
                continue
            want = Want(slot.manifest, slot.start_s, slot.level if slot.emergency else 0)
            known = wants.get(slot.manifest)
            if known is None or _urgency(want) < _urgency(known):
                wants[slot.manifest] = want
        return sorted(wants.values(), key=_urgency)

    def _may_play(self, slot: Slot, moment: Moment) -> bool:
        return verdict(self._facts, slot, max(moment.utc_s, slot.start_s)) is None

    def _may(self, want: Want, moment: Moment) -> bool:
        if want.urgent:
            return True
        if self._cap_bytes and self.fetched_today >= self._cap_bytes:
            return False
        return self._store.free_bytes() > RESERVE_BYTES or self._make_room(moment)

    def _make_room(self, moment: Moment) -> bool:
        """Drops what no slot of the coming week needs. True when that was enough."""
        needed: set[bytes] = set()
        for slot in slots(self._facts, self._unit, moment.utc_s - BEHIND_S, moment.utc_s + AHEAD_S):
            needed.add(slot.manifest)
            manifest = self._contents.manifest(slot.manifest)
            needed.update(rendition.sha256 for rendition in (manifest.renditions if manifest else ()))
        dropped = [name for name in self._blobs.held() if name not in needed]
        if dropped:
            with self._ledger.transaction():
                for name in dropped:
                    self._memories.lost(name)
        for name in dropped:
            self._contents.drop(name)
        return self._store.free_bytes() > RESERVE_BYTES

    def _job_for(self, name: bytes, moment: Moment) -> FetchJob | None:
        manifest = self._contents.manifest(name)
        if manifest is None:
            if self._contents.is_broken(name) or not self._is_time(name, moment):
                return None
            return FetchJob(name, 0, LIST_BYTES_MAX)
        heard = self._contents.heard(manifest) or self._contents.read_out(manifest)
        return None if heard is None else self._chunk_job(heard, moment)

    def _extra_job(self, want: Want, moment: Moment) -> FetchJob | None:
        """Board texts, images and leaflets, once everything that is heard is here."""
        manifest = self._contents.manifest(want.manifest)
        if manifest is None or not self._may(want, moment):
            return None
        for rendition in manifest.renditions:
            job = self._chunk_job(rendition, moment)
            if job is not None:
                return job
        return None

    def _chunk_job(self, rendition: Rendition, moment: Moment) -> FetchJob | None:
        name = rendition.sha256
        if self._contents.has(name) or not self._is_time(name, moment):
            return None
        offset = self._blobs.partial(name)
        if offset >= rendition.size:
            # The power went between the last chunk and the check of the whole.
            self._finished(name, moment)
            return None
        return FetchJob(name, offset, min(CHUNK, rendition.size - offset))

    def _finished(self, name: bytes, moment: Moment) -> None:
        try:
            self._blobs.finish(name)
        except BlobError:
            self._later[name] = (moment.mono_s + RETRY_S, 1)

    def _is_settled(self, name: bytes) -> bool:
        """True when all of this manifest is here and known to be: it is no concern of ours any more."""
        return self._contents.is_whole(name) and self._memories.completion(name) is not None

    def _is_time(self, name: bytes, moment: Moment) -> bool:
        return moment.mono_s >= self._later.get(name, (moment.mono_s, 0))[0]

    def _take_chunk(self, job: FetchJob, data: bytes) -> None:
        index = job.offset // CHUNK
        found = sha256(data).digest()
        # Two manifests may name one content, and one of them may be wrong about its pieces.
        named = self._renditions(job.sha256)
        size = next((one.size for one in named if found in one.chunk_hashes[index : index + 1]), None)
        if size is None or len(data) != job.length:
            raise BlobError("chunk-hash", "the chunk is not what any manifest names")
        self._blobs.add_chunk(job.sha256, index, data, found)
        if job.offset + job.length >= size:
            self._blobs.finish(job.sha256)

    def _renditions(self, name: bytes) -> Iterator[Rendition]:
        """What the manifests at hand say of this content."""
        for want in self._wants:
            manifest = self._contents.manifest(want.manifest)
            for rendition in manifest.renditions if manifest else ():
                if rendition.sha256 == name:
                    yield rendition


def _urgency(want: Want) -> tuple[int, int, bytes]:
    return -want.level, want.start_s, want.manifest
