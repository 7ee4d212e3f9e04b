"""The gate: where an arriving segment belongs, and what becomes of it.

    next     it continues its log                          → kept
    known    the same head is here already                 → nothing to do
    gap      something before it is missing                → parked, and tried again when the gap closes
    fork     it contradicts a head that is here            → evidence kept, log frozen, segment refused
    stranger its key was never introduced here             → refused; from the hub's feed: parked until it is
    journal  it says that segments arrived which are not here → refused: they are to come first

Order of checks: everything that needs no table first (length, shape, key, signature, inflate, hash: `open`,
which may run before the writing transaction), then the log's end, inside it. One log's trouble never touches
another, and no event's content is looked at here: meaning never blocks a log.

A *feed* is what a hub sends down: decisions for one territory, picked from logs whose other segments go
elsewhere. Such a log is sparse here: holes are no gaps, but what overlaps or adjoins must still fit. Omission
shows in the sequence numbers; only an author's own signature can add anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ledger.log.chain import Head, LogRef, conflict, extend
from ledger.log.errors import (
    ChainError,
    CodecError,
    ForkError,
    GapError,
    LimitError,
    LoaError,
    SegmentError,
    UnknownKeyError,
)
from ledger.log.journal import INGESTED_BEGINS, Ingested, is_ingested
from ledger.log.keys import VerifyKey
from ledger.log.schema import LogRow
from ledger.log.segment import SIGNED_BYTES, Segment, SegmentHead, open_segment, read_head
from ledger.log.tables import Tables

PARKED_SEGMENTS_MAX: Final = 64  # per author; a log that far out of order is sent again in order instead
PARKED_BYTES_MAX: Final = (
    8 * 1024 * 1024
)  # per author, and for all strangers together; what a thief could fill
FORWARD_MISSING: Final = "forward-missing"
SOURCE_CHARS_MAX: Final = 80  # where a segment came from, as kept with evidence


class Outcome(Enum):
    """What became of a segment that was not refused."""

    ADMITTED = "admitted"
    KNOWN = "known"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Stored:
    """A segment at its place in the local order of arrival. audience: the unit it concerns, or None."""

    position: int
    segment: Segment
    audience: str | None


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of one arrival. stored: what was kept because of it, with parked ones that followed."""

    outcome: Outcome | None = None
    error: LoaError | None = None
    stored: tuple[Stored, ...] = ()


# keep(segment, its log's row or None, the log's new end, sparse) → the stored segment
Keep = Callable[[Segment, LogRow | None, Head, bool], Stored]


class Gate:
    """Admission into one ledger's tables. Everything but `open` must run inside a transaction."""

    def __init__(
        self, tables: Tables, key_of: Callable[[bytes], VerifyKey | None], keep: Keep, now: Callable[[], int]
    ) -> None:
        self._tables = tables
        self._key_of = key_of
        self._keep = keep
        self._now = now

    def open(self, raw: bytes) -> Segment | SegmentError:
        """The verified segment, or why it is refused. Reads no table but the keys."""
        try:
            return open_segment(raw, self._key_of)
        except SegmentError as error:
            return error

    def admit(self, raw: bytes, opened: Segment | SegmentError, *, source: str, feed: bool) -> Admission:
        """Place one arrival. A refusal is returned, not raised: evidence of a fork must be committed."""
        if isinstance(opened, UnknownKeyError):
            opened = self.open(raw)  # a segment before it in the same delivery may have introduced the key
        if isinstance(opened, UnknownKeyError) and feed:
            return self._park(read_head(raw)[0], raw, source, stranger=True)
        if isinstance(opened, SegmentError):
            return Admission(error=opened)
        first = self._place(opened, source, feed=feed)
        if not first.stored:
            return first
        return Admission(first.outcome, None, (*first.stored, *self._close_gap(opened.head)))

    def welcome(self, key_id: bytes) -> list[Stored]:
        """A key was introduced: admit what waited for it, in order of arrival."""
        stored: list[Stored] = []
        while (row := self._tables.parked_of_stranger(key_id)) is not None:
            self._tables.unpark(row.n)
            stored += self.admit(row.raw, self.open(row.raw), source=row.source, feed=True).stored
        return stored

    def _place(self, segment: Segment, source: str, *, feed: bool) -> Admission:
        head = segment.head
        ref = LogRef(head.key_id, head.log_id)
        log = self._tables.log(ref)
        if log is None or not log.frozen:
            try:
                end = extend(None if log is None else log.head, head)
            except ChainError:
                pass  # the uncommon ways, below
            else:
                if (lack := self._unfounded(segment)) is not None:
                    return Admission(error=lack)
                return Admission(Outcome.ADMITTED, None, (self._keep(segment, log, end, False),))
        if log is not None:
            same = self._tables.segment_from(log, head.first_seq)
            if same is not None and same.hash == head.hash:
                return Admission(Outcome.KNOWN)
            if log.frozen:
                error = ForkError(
                    "log-frozen", "this log showed two histories; nothing is added to it", where=str(head)
                )
                return Admission(error=error)
            fork = self._contradiction(log, segment, source)
            if fork is not None:
                return Admission(error=fork)
        if feed or (log is not None and log.sparse and head.first_seq < log.next_seq):
            if (lack := self._unfounded(segment)) is not None:
                return Admission(error=lack)
            end = Head(ref, head.next_seq, head.hash)
            if log is not None and log.next_seq > end.next_seq:
                end = log.head  # it fills a hole: the log's end stays where it is
            return Admission(Outcome.ADMITTED, None, (self._keep(segment, log, end, True),))
        return self._park(head, segment.raw, source, stranger=False)

    def _unfounded(self, segment: Segment) -> GapError | None:
        """A journal is taken when what it names is here: so one receipt for it speaks for all of that."""
        if INGESTED_BEGINS not in b"".join(segment.events):
            return None  # every arrival pays for this look, so it is one look for all events
        for event in segment.events:
            if is_ingested(event) and not self._accounts_for(event):
                return GapError(
                    FORWARD_MISSING, "a journal says that a segment arrived which is not here",
                    where=str(segment.head), hint="send the segments that the journal names before it",
                )  # fmt: skip
        return None

    def _accounts_for(self, event: bytes) -> bool:
        """Is the segment named here, or its log frozen here, so that it never will be?"""
        try:
            named = Ingested.decode(event)
        except CodecError:
            return True  # malformed: it names nothing
        log = self._tables.log(named.log)
        if log is None or log.frozen:
            return log is not None
        found = self._tables.segment_from(log, named.first_seq)
        return found is not None and found.hash == named.head_hash

    def _contradiction(self, log: LogRow, segment: Segment, source: str) -> ForkError | None:
        """Compare with the two neighbours in the log; on a fork keep the evidence and freeze the log."""
        head = segment.head
        for near in (
            self._tables.segment_before(log, head.first_seq),
            self._tables.segment_after(log, head.first_seq),
        ):
            code = None if near is None else conflict(near.head, head)
            if near is not None and code is not None:
                self._tables.add_fork(
                    log, code=code, held=near.signed, other=segment.raw[:SIGNED_BYTES], received=segment.raw,
                    source=source[:SOURCE_CHARS_MAX], at=self._now(),
                )  # fmt: skip
                self._tables.freeze(log)
                self._tables.unpark_log(log.ref)
                return ForkError(code, "two signed histories of one log", where=str(head))
        return None

    def _close_gap(self, head: SegmentHead) -> list[Stored]:
        """Admit what was parked behind the segment just kept, as far as it reaches."""
        stored: list[Stored] = []
        ref = LogRef(head.key_id, head.log_id)
        log = self._tables.log(ref)
        while log is not None and (row := self._tables.parked_next(ref, log.next_seq)) is not None:
            self._tables.unpark(row.n)
            opened = self.open(row.raw)
            if isinstance(opened, Segment):
                stored += self._place(opened, row.source, feed=False).stored
        return stored

    def _park(self, head: SegmentHead, raw: bytes, source: str, *, stranger: bool) -> Admission:
        if self._tables.is_parked(head):
            return Admission(Outcome.PARKED)
        count, size = self._tables.parked_weight(None if stranger else head.key_id)
        if count >= PARKED_SEGMENTS_MAX or size + len(raw) > PARKED_BYTES_MAX:
            error = LimitError(
                "parked-full",
                f"{count} segments ({size} bytes) already wait for what is before them",
                where=str(head),
                hint="send this log's segments in order, from where the other side says it stands",
            )
            return Admission(error=error)
        self._tables.park(head, stranger=stranger, raw=raw, source=source[:SOURCE_CHARS_MAX], at=self._now())
        return Admission(Outcome.PARKED)
