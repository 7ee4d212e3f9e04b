"""The ledger: signed logs, ours and others', on one database.

Five calls are the only ways into a log: `append` (durable, unsigned yet), `seal` (signs what was appended),
`append_sealed` (a decision, signed alone and at once), `ingest` (somebody's segment), and through it `trust`.
Everything is read back by `since` in the local order of arrival.

What must hold, and why so:
- An event is durable when `append` returns. Its number exists only from sealing on.
- Sealing stores the segment and deletes what was pending in one transaction. A range is signed once, never
  cut anew. If the transaction is undone, the log it signed in is given up, for the signature did exist.
- A log belongs to one `Ledger` object: the id is drawn by it, at most once per author. Whoever comes back
  from an old image is another object, writes another log, and so cannot contradict what it forgot.
- Callers keep one thread at a time inside. Bytes leave only after the outermost transaction is committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from ledger.log.admission import Admission, Gate, Outcome, Stored
from ledger.log.audit import Audit, boot_check
from ledger.log.branches import Branch, Branches
from ledger.log.chain import Head, LogRef, extend
from ledger.log.codec import decode
from ledger.log.errors import KeyRefused, SegmentError, StoreError
from ledger.log.forks import EVERYBODY, Evidence, goes_to_everybody, take_up
from ledger.log.journal import NO_HASH, NO_LOG, LogOpened, OpenReason, is_log_opened
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.reading import READ_BATCH, Shelf
from ledger.log.receipts import Receipt
from ledger.log.schema import LogRow
from ledger.log.segment import Segment, cut, read_own, seal

__all__ = ["Admission", "Audit", "Branch", "Evidence", "Ledger", "Outcome", "Stored"]

AUDIENCES = "ledger.audiences"  # the vocabulary by which audiences were told last


def strange_name(log: LogRef) -> str:
    """The small value that says: the hub once receipted another history of this log of ours."""
    return f"log.strange.{log.log_id.hex()}"


class Ledger(Shelf):
    """A store of logs. db: autocommit connection of `Store.open_db`. entropy: n → n random bytes. now: UTC s.

    audience_of: events of a segment → the unit it concerns, or None when no feed carries it. on_admit: called
    inside the transaction for each segment kept, ours included; returns the keys it introduces. on_rollback:
    called when a transaction is undone in which on_admit ran. Raises StoreError when the file is damaged.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], int],
        software: str = "loa/0.1.0",
        audience_of: Callable[[Sequence[bytes]], str | None] = lambda events: None,
        on_admit: Callable[[Stored], Iterable[VerifyKey]] = lambda stored: (),
        on_rollback: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(db)
        boot_check(self.tables)
        self.now = now
        self.awaiting: object | None = None  # the request whose reply this process waits for: `sync`'s
        self._entropy = entropy
        self._software = software
        self._audience_of = audience_of
        self._on_admit = on_admit
        self._on_rollback = on_rollback
        self._gate = Gate(self.tables, self.key_of, self._keep, now)
        self._branches = Branches(db, now, readonly=self.tables.readonly)
        self._live: dict[bytes, bytes] = {}  # author → the log this object writes
        self._reason: dict[bytes, OpenReason] = {}
        self._signed: set[bytes] = set()  # authors who signed in the open transaction
        self._new_keys: list[bytes] = []  # keys trusted in the open transaction
        self._introduced: list[bytes] = []  # those of them whose parked segments were not looked at yet
        self.sent_plain: set[LogRef] = set()  # logs the hub could not follow in transit form; see `sync`
        self._admitting = False  # inside on_admit
        self._admitted = False  # on_admit ran in the open transaction

    # -- keys ------------------------------------------------------------------------------------------------

    def trust(self, key: VerifyKey) -> None:
        """Remember a key: segments signed by it will be opened. Raises KeyRefused if the id is another key's.

        Trust is no authority: what a key may decide is judged by whoever reads the events.
        """
        known = self._keys.get(key.key_id)
        if known is not None and known != key:
            raise KeyRefused("key-id-taken", "another key has this id", where=key.key_id.hex())
        if known is None:
            with self.transaction():
                self.tables.add_key(key.key_id, key.raw)
                self._keys[key.key_id] = key
                self._new_keys.append(key.key_id)
                self._introduced.append(key.key_id)
                if not self._admitting:
                    self._welcome()

    def _welcome(self) -> list[Stored]:
        stored: list[Stored] = []
        while self._introduced:
            stored += self._gate.welcome(self._introduced.pop(0))
        return stored

    # -- our own logs ----------------------------------------------------------------------------------------

    def live_log(self, key_id: bytes) -> bytes:
        """The id of the log this object writes for an author; drawn at the first call, nothing is written."""
        log_id = self._live.get(key_id)
        while log_id is None:
            drawn = self._entropy(8)
            if len(drawn) != 8:
                raise StoreError("entropy", f"asked for 8 random bytes, got {len(drawn)}")
            if drawn != NO_LOG and self.tables.log(LogRef(key_id, drawn)) is None:
                log_id = self._live[key_id] = drawn
        return log_id

    def append(self, author: SigningKey, event: bytes) -> None:
        """Keep an event until it is sealed; durable on return. Raises CodecError when it is not canonical."""
        decode(event)
        with self.transaction():
            self.tables.add_pending(author.key_id, event)

    def pending_count(self, key_id: bytes) -> int:
        return self.tables.pending_count(key_id)

    def seal(self, author: SigningKey, also: Sequence[bytes] = ()) -> list[Segment]:
        """Sign everything pending of this author, and then `also`, in segments of at most 256 events.

        Nothing pending: nothing happens, no log is opened. Raises CodecError for an event of `also`.
        """
        for event in also:
            decode(event)
        if not also and not self.tables.pending_count(author.key_id):
            return []
        with self.transaction():
            events = [*self.tables.pending(author.key_id), *also]
            if not self._begun(author):
                events.insert(0, self._log_opened(author))
            self.tables.clear_pending(author.key_id)
            return [self._sign(author, run).segment for run in cut(events)]

    def append_sealed(self, author: SigningKey, event: bytes) -> Stored:
        """Sign one event alone, at once: the segment is the decision. What is pending goes before it.

        Raises CodecError when the event is not canonical.
        """
        decode(event)
        with self.transaction():
            self.seal(author)
            if not self._begun(author):
                self._sign(author, [self._log_opened(author)])
            return self._sign(author, [event])

    def abandon(self, log: LogRef) -> int:
        """Write no further in a log of ours that its reader cannot follow; returns the events carried over.

        A process resumed from a snapshot of its memory has signed two histories. What the hub is not known to
        hold becomes pending again, once, and is sealed into another log; equal bytes count once for a reader.
        """
        row = self.tables.log(log)
        name = f"log.abandoned.{log.log_id.hex()}"
        if row is None or not row.own or self.get(name) is not None:
            return 0
        with self.transaction():
            carried = 0
            doubtful = self.get(strange_name(log)) is not None  # then nothing of it is known to be held
            for stored in self.segments_of(log, 0 if doubtful else row.held):
                for event in stored.segment.events:
                    if not is_log_opened(event):
                        self.tables.add_pending(log.key_id, event)
                        carried += 1
            self.put(name, carried)
            if self._live.get(log.key_id) == log.log_id:
                self._give_up(log.key_id)
        return carried

    def _begun(self, author: SigningKey) -> bool:
        row = self.tables.log(LogRef(author.key_id, self.live_log(author.key_id)))
        if row is not None and row.frozen:
            self._give_up(author.key_id)
            return False
        return row is not None

    def _give_up(self, key_id: bytes) -> None:
        self._live.pop(key_id, None)
        self._reason[key_id] = OpenReason.ROLLBACK

    def _log_opened(self, author: SigningKey) -> bytes:
        before, count = self.tables.last_own_log(author.key_id)
        reason = self._reason.get(author.key_id, OpenReason.START)
        log_id, next_seq, hash_ = (NO_LOG, 0, NO_HASH)
        if before is not None:
            log_id, next_seq, hash_ = before.log.log_id, before.next_seq, before.hash
        return LogOpened(self.now(), reason, log_id, next_seq, hash_, count + 1, self._software).encode()

    def _sign(self, author: SigningKey, events: Sequence[bytes]) -> Stored:
        ref = LogRef(author.key_id, self.live_log(author.key_id))
        row = self.tables.log(ref)
        head = None if row is None else row.head
        self.trust(author.verify_key)
        self._signed.add(author.key_id)
        segment = seal(
            author,
            ref.log_id,
            0 if head is None else head.next_seq,
            NO_HASH if head is None else head.hash,
            events,
        )
        stored = self._keep(segment, row, extend(head, segment.head), False, own=True)
        self._welcome()
        return stored

    # -- others' segments ------------------------------------------------------------------------------------

    def ingest(self, raw: bytes, *, source: str, feed: bool = False) -> Outcome:
        """Take in one segment; durable on return. feed: picked for us by the hub, so its log may have holes.

        Raises SegmentError and its kinds, LimitError("parked-full"), ForkError (evidence is durable then).
        """
        admission = self.ingest_all([raw], source=source, feed=feed)[0]
        if admission.error is not None:
            raise admission.error
        assert admission.outcome is not None
        return admission.outcome

    def ingest_all(self, raws: Sequence[bytes], *, source: str, feed: bool = False) -> list[Admission]:
        """Take in several in one transaction; each gets its own answer, refusals are returned, not raised."""
        opened = self.open_all(raws)
        if not opened:
            return []
        with self.transaction():
            return self.admit_all(opened, source=source, feed=feed)

    def open_all(self, raws: Sequence[bytes]) -> list[tuple[bytes, Segment | SegmentError]]:
        """Verify before the transaction: signatures are most of the work and need no lock."""
        return [(raw, self._gate.open(raw)) for raw in raws]

    def admit_all(
        self, opened: Sequence[tuple[bytes, Segment | SegmentError]], *, source: str, feed: bool = False
    ) -> list[Admission]:
        """Place what `open_all` verified. Must be called inside a transaction."""
        assert self.in_transaction
        found = []
        for raw, segment in opened:
            admission = self._gate.admit(raw, segment, source=source, feed=feed)
            more = self._welcome()
            if more:
                admission = Admission(admission.outcome, admission.error, (*admission.stored, *more))
            found.append(admission)
        return found

    def _keep(
        self, segment: Segment, row: LogRow | None, end: Head, sparse: bool, *, own: bool = False
    ) -> Stored:
        """Store a segment at the next position; `end` is its log's new end."""
        head = segment.head
        if row is None:
            row = self.tables.add_log(end, own=own, sparse=sparse)
        else:
            if end.next_seq != row.next_seq:
                self.tables.extend_log(row, end)
            if sparse and not row.sparse:
                self.tables.mark_sparse(row)
        audience = self._audience_of(segment.events)
        if own and goes_to_everybody(self.tables, segment.events):
            audience = EVERYBODY
        position = self.tables.add_segment(
            row, head.first_seq, head.next_seq, head.hash, audience, segment.raw
        )
        stored = Stored(position, segment, audience)
        self._branches.take(segment, row.n)
        take_up(self.tables, self.key_of, segment, at=self.now())
        self._admitted = True
        outer, self._admitting = self._admitting, True
        try:
            for key in self._on_admit(stored):
                # Whoever may introduce keys could make two with one id: the second must not wedge the log.
                if self._keys.get(key.key_id, key) == key:
                    self.trust(key)
        finally:
            self._admitting = outer
        return stored

    def _rolled_back(self) -> None:
        self.tables.forget()
        self._branches.forget()
        for key_id in self._signed:
            self._give_up(key_id)
        for key_id in self._new_keys:
            self._keys.pop(key_id, None)
        admitted = self._admitted
        self._committed()
        if admitted:
            self._on_rollback()

    def _committed(self) -> None:
        self._signed.clear()
        self._new_keys.clear()
        self._introduced.clear()
        self._admitted = False

    def reconsider(self, vocabulary: str) -> int | None:
        """Asks the audience of what stood in no feed again, once for each program.

        vocabulary: names what this one knows. Returns the first position that has an audience now and had
        none; None when there is none.

        An older program kept what it did not understand; this one may. `on_admit` is not called: whoever
        folds decisions reads them from the store after this.
        """
        if self.tables.readonly or self.get(AUDIENCES) == vocabulary:
            return None
        placed: list[tuple[int, str]] = []
        position = 0
        while batch := self.tables.untold_alone(position, READ_BATCH):
            for position, raw in batch:
                audience = self._audience_of(read_own(raw).events)
                if audience is not None:
                    placed.append((position, audience))
        with self.transaction():
            for position, audience in placed:
                self.tables.set_audience(position, audience)
            self.put(AUDIENCES, vocabulary)
        return placed[0][0] if placed else None

    def branches(self, key_id: bytes | None = None) -> list[Branch]:
        """Where histories go on more than once: restored or cloned devices. Of one author, or of all."""
        return self._branches.found(key_id)

    # -- receipts and small values ---------------------------------------------------------------------------

    def note_receipt(self, receipt: Receipt) -> bool:
        """Keep a verified receipt for a log of ours; False when its head is not one of our own history.

        A number alone is not believed: a restored node has fewer events than the hub under the same numbers.
        """
        row = self.tables.log(receipt.log)
        if row is None or self.tables.holds_head(row, receipt.next_seq, receipt.head_hash) is None:
            return False
        kept = self.receipt(receipt.log)
        with self.transaction():
            if kept is None or kept.next_seq <= receipt.next_seq:
                self.tables.set_receipt(row, receipt.encode())
            if row.held < receipt.next_seq:
                self.tables.set_held(row, receipt.next_seq)
        return True

    def put(self, name: str, value: bytes | int | str) -> None:
        """Keep a small value by name, in the open transaction or in one of its own.

        Nothing is written when it is kept already.
        """
        if not self.tables.is_named(name, value):
            with self.transaction():
                self.tables.set_named(name, value)
