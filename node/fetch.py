"""Which content the station still lacks, and bringing it in: piece by piece, over any number of restarts.

What is needed follows from the plan alone: emergencies first, then by time to air. Of each manifest first
the list itself, then what is heard, then what is shown, then leaflets. A chunk is checked against the
manifest's hash; a broken link costs no byte twice, a power cut what was under way, a damaged disk the
damaged chunks. What the hub does not hold, or holds damaged, is asked for again later without holding up the
rest. A manifest whose chunks make another whole than it names is proven false, and is not believed again.

Bound: no network and no clock here; the station posts the job and hands the bytes back. How much at once and
a day is `portions.py`, what fits on the card `room.py`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger.facts import Facts, Manifest, Rendition, Slot, papers, slots, verdict
from ledger.log import CHUNK, BlobError, Blobs, Ledger, Store, StoreError
from node.boards.board import Boards
from node.contents import Contents
from node.link.courier import FetchJob
from node.link.portions import Budget, Pace
from node.link.transport import PIECE_BYTES_MIN
from node.plays import Memories, Plays
from node.presence import Moment
from node.room import BEHIND_S, Room

# Content for slots within this time is fetched, what airs first before the rest: a station may be without a
# line for a month, and plays its plan all the same.
AHEAD_S: Final = 35 * 86_400
# Documents stand among what airs in a month.
READ_BEHIND_S: Final = 30 * 86_400
# A manifest has no chunk hashes of its own; longer ones are refused by everybody.
LIST_BYTES_MAX: Final = 262_144
# So much of a manifest at once: that of an hour's recording, and little to set aside of a day's budget.
LIST_PORTION_BYTES: Final = 32_768
# The disk has no room for content: the station goes on with what it has. Any other error of it is fatal.
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# After a failure of one content: again after this, doubling up to the cap.
RETRY_S: Final = 60.0
RETRY_CAP_S: Final = 3_600.0
RETRY_DOUBLINGS_MAX: Final = 10
# The list of what is needed is made anew this often even when the plan stands still: slots come into view.
RELIST_S: Final = 21_600.0
# Proven lies remembered over restarts; an officer who signs more of them has other questions to answer.
FALSE_MAX: Final = 64
FALSE: Final = "node.fetch.false"


@dataclass(frozen=True)
class Want:
    """One manifest the plan needs. level: of an emergency, 0 for everything else.

    to_show: only a board needs it, and of it only what a board shows. to_read: a document, wanted whole.
    """

    manifest: bytes
    start_s: int
    level: int
    to_show: bool = False
    to_read: bool = False

    @property
    def unheard(self) -> bool:
        return self.to_show or self.to_read

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
        self._memories = memories
        self._facts = facts
        self._unit = unit
        self._room = Room(ledger, blobs, contents, store, memories, facts, unit)
        self._budget = Budget(ledger, cap_bytes)
        self._pace = Pace()
        self._asked: tuple[FetchJob, float] | None = None  # the job given out last, and when (monotonic)
        self._lists: dict[bytes, bytes] = {}  # manifests under way and what came of them
        self._false = _hashes(ledger.get(FALSE))
        self._boards: Boards | None = None
        self._wants: list[Want] = []
        self._listed: tuple[int, float] | None = None  # (version of the facts, UTC)
        self._nothing = False  # nothing is missing until the list changes
        self._later: dict[bytes, tuple[float, int]] = {}  # sha256 → not before (monotonic), failures
        self.fetched_today = 0

    def serve(self, boards: Boards) -> None:
        """What boards show is fetched as well, after what is heard, and stays on the card."""
        self._boards = self._room.boards = boards

    def lost(self, name: bytes, manifest: bytes) -> None:
        """The disk damaged this content: what is damaged of it is fetched again."""
        self._contents.set_aside(name)
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
            else [w for w in self._wants if not (w.unheard or self._contents.is_ready(w.manifest))]
        )

    def next_job(self, moment: Moment, plays: Plays, *, urgent_only: bool = False) -> FetchJob | None:
        """The next bytes to ask for, or None."""
        missing = self.missing(moment, plays)
        self._room.tidy(moment)
        if self._nothing:
            return None
        for want in missing:
            if urgent_only and not want.urgent:
                continue
            job = self._job_for(want, moment)
            if job is not None:
                self._note_lost(want.manifest)
                return self._given(job, moment)
        if urgent_only:
            return None
        for want in self._wants:
            job = self._extra_job(want, moment)
            if job is not None:
                return self._given(job, moment)
        self._note_complete(moment)
        self._nothing = all(self._is_done(want) for want in self._wants)
        return None

    def retry_in(self, mono_s: float) -> float:
        """Seconds until a content that failed may be asked for again; inf when none waits."""
        return min((at_s - mono_s for at_s, _ in self._later.values() if at_s > mono_s), default=float("inf"))

    # -- what came -------------------------------------------------------------------------------------------

    def take(self, job: FetchJob, data: bytes, moment: Moment) -> None:
        """Bytes of the hub for this job. Wrong ones are dropped and asked for again later."""
        self.fetched_today += len(data)
        self._budget.used(len(data))
        try:
            if job.sha256 in self._lists:
                self._take_list(job, data)
            else:
                if self._asked is not None and self._asked[0] == job:
                    self._pace.came(job.length, len(data), moment.mono_s - self._asked[1])
                self._take_piece(job, data)
        except BlobError:
            self.failed(job, moment.mono_s)
        except (StoreError, OSError) as error:
            if error.errno not in NO_ROOM:
                raise
            self.failed(job, moment.mono_s)
        else:
            self._later.pop(job.sha256, None)
        self._note_complete(moment)

    def failed(self, job: FetchJob, mono_s: float) -> None:
        """This content could not be had; the link itself is fine."""
        self._lists.pop(job.sha256, None)
        self._put_off(job.sha256, mono_s)

    def _put_off(self, name: bytes, mono_s: float) -> None:
        failures = min(self._later.get(name, (0.0, 0))[1] + 1, RETRY_DOUBLINGS_MAX)
        self._later[name] = (mono_s + min(RETRY_CAP_S, RETRY_S * 2.0 ** (failures - 1)), failures)

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
        if self._boards is not None:
            ahead_s = moment.utc_s + AHEAD_S
            for nth, name in enumerate(self._boards.wanted(moment.utc_s, ahead_s)):
                if name not in wants and not self._boards.has_all(name):
                    wants[name] = Want(name, int(ahead_s) + nth, 0, to_show=True)
        for nth, paper in enumerate(papers(self._facts, self._unit)):
            if paper.manifest not in wants and not self._contents.is_whole(paper.manifest):
                # After what is heard within a month; of documents those that ask for a receipt first.
                rank = READ_BEHIND_S * (1 if paper.asks_receipt else 2) + nth
                wants[paper.manifest] = Want(paper.manifest, int(moment.utc_s) + rank, 0, to_read=True)
        return sorted(wants.values(), key=_urgency)

    def _may_play(self, slot: Slot, moment: Moment) -> bool:
        return verdict(self._facts, slot, max(moment.utc_s, slot.start_s)) is None

    def _job_for(self, want: Want, moment: Moment) -> FetchJob | None:
        name = want.manifest
        manifest = self._contents.manifest(name)
        if manifest is None:
            if self._contents.is_broken(name) or not self._is_time(name, moment):
                return None
            have = len(self._lists.setdefault(name, b""))
            length = min(LIST_PORTION_BYTES, LIST_BYTES_MAX - have)
            return self._portion(name, have, length, LIST_BYTES_MAX, want, moment)
        jobs = (self._piece_job(one, want, moment) for one in self._contents.sounding(manifest))
        return next((job for job in jobs if job is not None), None)

    def _extra_job(self, want: Want, moment: Moment) -> FetchJob | None:
        """Board texts, images and leaflets, once everything that is heard is here."""
        manifest = self._contents.manifest(want.manifest)
        if manifest is None and want.unheard:
            return self._job_for(want, moment)
        for rendition in self._needed(want, manifest) if manifest else ():
            job = self._piece_job(rendition, want, moment)
            if job is not None:
                return job
        return None

    def _piece_job(self, rendition: Rendition, want: Want, moment: Moment) -> FetchJob | None:
        name, size = rendition.sha256, rendition.size
        if self._contents.has(name) or not self._is_time(name, moment) or _identity(rendition) in self._false:
            return None
        try:
            begun = self._blobs.recover(name, rendition.chunk_hashes, size)
            if begun >= size:
                # The power went between the last chunk and the check of the whole, or the last was recovered.
                self._finish(rendition)
                return None
        except BlobError:
            self._put_off(name, moment.mono_s)
            return None
        except (StoreError, OSError) as error:
            if error.errno not in NO_ROOM:
                raise
            self._put_off(name, moment.mono_s)
            return None
        chunk = CHUNK - begun % CHUNK
        length = chunk if self._blobs.mending(name) else chunk + self._pace.length - CHUNK
        return self._portion(name, begun, min(length, size - begun), size - begun, want, moment)

    def _portion(
        self, name: bytes, offset: int, length: int, rest: int, want: Want, moment: Moment
    ) -> FetchJob | None:
        """A request for `length` bytes, or as many as may still come today; None when `rest` does not fit."""
        left = None if want.urgent else self._budget.room(moment)
        if left is not None:
            length = min(length, left)
        if length <= 0 or not self._room.has_for(rest, moment, urgent=want.urgent):
            return None
        return FetchJob(name, offset, length)

    def _given(self, job: FetchJob, moment: Moment) -> FetchJob:
        self._budget.charge(job.length, moment)
        self._asked = (job, moment.mono_s)
        return job

    def _needed(self, want: Want, manifest: Manifest) -> tuple[Rendition, ...]:
        if want.to_show and self._boards is not None:
            return self._boards.forms(manifest)
        return manifest.renditions

    def _is_done(self, want: Want) -> bool:
        if want.to_show and self._boards is not None:
            return self._boards.has_all(want.manifest)
        if want.to_read:
            return self._contents.is_whole(want.manifest)
        return self._is_settled(want.manifest)

    def _is_settled(self, name: bytes) -> bool:
        """True when all of this manifest is here and known to be: it is no concern of ours any more."""
        return self._contents.is_whole(name) and self._memories.completion(name) is not None

    def _is_time(self, name: bytes, moment: Moment) -> bool:
        return moment.mono_s >= self._later.get(name, (moment.mono_s, 0))[0]

    def _take_list(self, job: FetchJob, data: bytes) -> None:
        """A manifest or its next part: only the whole can be checked."""
        begun = self._lists[job.sha256]
        if job.offset != len(begun) or len(data) > job.length:
            raise BlobError("blob-range", "this part of the manifest was not asked for")
        begun += data
        if sha256(begun).digest() == job.sha256:
            self._blobs.put(begun)
            self._lists.pop(job.sha256)
            self._contents.forget(job.sha256)
        elif len(data) < PIECE_BYTES_MIN or len(begun) >= LIST_BYTES_MAX:
            raise BlobError("blob-other", "this is not the manifest that was asked for")
        else:
            self._lists[job.sha256] = begun

    def _take_piece(self, job: FetchJob, data: bytes) -> None:
        if not min(job.length, PIECE_BYTES_MIN) <= len(data) <= job.length:
            raise BlobError("chunk-size", "neither what was asked for nor a beginning worth keeping")
        # Two manifests may name one content, and one of them may be wrong about its pieces.
        named = list(self._renditions(job.sha256))
        if not named:
            return
        rendition = named[0]
        if len(named) > 1:
            rendition = next((one for one in named if self._fits(one, data)), rendition)
        here = self._blobs.add(job.sha256, job.offset, data, rendition.chunk_hashes, rendition.size)
        if here >= rendition.size:
            self._finish(rendition)

    def _fits(self, rendition: Rendition, data: bytes) -> bool:
        return self._blobs.fits(rendition.sha256, data, rendition.chunk_hashes, rendition.size)

    def _finish(self, rendition: Rendition) -> None:
        try:
            self._blobs.finish(rendition.sha256, rendition.chunk_hashes)
        except BlobError as error:
            if error.code == "blob-chunks":
                self._condemn(rendition)
            raise

    def _condemn(self, rendition: Rendition) -> None:
        """Its chunks came as named and make another whole: fetching them again would end alike, for ever."""
        self._false = (*self._false, _identity(rendition))[-FALSE_MAX:]
        self._ledger.put(FALSE, b"".join(self._false))

    def _renditions(self, name: bytes) -> Iterator[Rendition]:
        """What the manifests at hand say of this content."""
        for want in self._wants:
            manifest = self._contents.manifest(want.manifest)
            for rendition in manifest.renditions if manifest else ():
                if rendition.sha256 == name:
                    yield rendition


def _urgency(want: Want) -> tuple[int, int, bytes]:
    return -want.level, want.start_s, want.manifest


def _identity(rendition: Rendition) -> bytes:
    """What a manifest claims of the bytes of one content."""
    claims = b"".join((rendition.sha256, rendition.size.to_bytes(8, "big"), *rendition.chunk_hashes))
    return sha256(claims).digest()


def _hashes(kept: object) -> tuple[bytes, ...]:
    data = kept if isinstance(kept, bytes) else b""
    return tuple(data[at : at + 32] for at in range(0, len(data) // 32 * 32, 32))
