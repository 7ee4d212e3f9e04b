"""A hub's ledger: what is signed in it by others than the hub stands in the hub's journal as well.

What stations and others send is recorded when it is taken in (`answering.record_arrivals`). What officers
sign at the hub itself arrives by no request; without the hub's word only their own clock would say when. So
at the end of every transaction in which one of them signed something, the hub's log gets an `Ingested` for
each segment, sealed once, before the COMMIT: there is no decision here without its witness, and none of
either when the transaction is undone. The hub's own decisions need none: they stand in the journal's log.

It is also stricter than other ledgers about what comes from no hub (by a stick, a file, a station that
carries it along). Where an author's log is held in part, because a hub above sends only what concerns this
one, or where its key ended and the place would stay, nobody here could tell a second history from the true
one. So a decision of such an author that is not held yet is taken from the feed, or from a hub below that
forwards it with its journal, alone: `only-by-feed`.

Bound: when the journal is written. What it holds is `answering`'s; no reader needs to know the difference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from ledger.log.admission import Admission, Stored
from ledger.log.answering import record_signed
from ledger.log.chain import Head, LogRef
from ledger.log.errors import SegmentError, UnknownKeyError
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.schema import LogRow
from ledger.log.segment import Segment
from ledger.log.store import Ledger


class WitnessedLedger(Ledger):
    """hub_key: whose log is the journal. Everything else as for `Ledger`.

    ended_and_stays: whether a lone decision's key ended, while what stands at its place stays.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        *,
        hub_key: SigningKey,
        entropy: Callable[[int], bytes],
        now: Callable[[], int],
        software: str = "loa/0.1.0",
        audience_of: Callable[[Sequence[bytes]], str | None] = lambda events: None,
        on_admit: Callable[[Stored], Iterable[VerifyKey]] = lambda stored: (),
        on_rollback: Callable[[], None] = lambda: None,
        ended_and_stays: Callable[[Segment], bool] = lambda segment: False,
    ) -> None:
        self._hub_key = hub_key
        self._ended_and_stays = ended_and_stays
        self._unrecorded: list[Stored] = []  # signed by others in the open transaction
        super().__init__(
            db, entropy=entropy, now=now, software=software, audience_of=audience_of, on_admit=on_admit,
            on_rollback=on_rollback,
        )  # fmt: skip

    @contextmanager
    def _outermost(self) -> Iterator[sqlite3.Connection]:
        """As any ledger's; it ends with the journal's entries."""
        with super()._outermost() as db:
            yield db
            if self._unrecorded and not self._doomed:
                record_signed(self, self._hub_key, self._unrecorded, now=self.now())

    def _keep(
        self, segment: Segment, row: LogRow | None, end: Head, sparse: bool, *, own: bool = False
    ) -> Stored:
        stored = super()._keep(segment, row, end, sparse, own=own)
        if own and segment.head.key_id != self._hub_key.key_id:
            # The opening of a log too: a superior takes the journal when all that it names is there.
            self._unrecorded.append(stored)
        return stored

    def admit_all(
        self, opened: Sequence[tuple[bytes, Segment | SegmentError]], *, source: str, feed: bool = False
    ) -> list[Admission]:
        """As `Ledger.admit_all`; what only a feed may bring is refused when it comes by another way."""
        if feed:
            return super().admit_all(opened, source=source, feed=True)
        # One by one, since a segment may be the statement that introduces or ends the key of the next.
        found: list[Admission] = []
        for raw, verified in opened:
            segment = self._gate.open(raw) if isinstance(verified, UnknownKeyError) else verified
            if isinstance(segment, Segment) and self._only_by_feed(segment):
                segment = SegmentError(
                    "only-by-feed",
                    "decisions of this key that are not here yet are taken from the hub above alone",
                    where=str(segment.head),
                    hint="sync with the hub above, or carry its answer on a stick",
                )
            found += super().admit_all([(raw, segment)], source=source)
        return found

    def _only_by_feed(self, segment: Segment) -> bool:
        head = segment.head
        if self._audience_of(segment.events) is None:
            return False
        row = self.tables.log(LogRef(head.key_id, head.log_id))
        if row is not None and self.tables.holds_head(row, head.next_seq, head.hash) is not None:
            return False
        if any(log.sparse for log in self.tables.logs(head.key_id)):
            return True
        return self._ended_and_stays(segment)

    def _rolled_back(self) -> None:
        self._unrecorded.clear()
        super()._rolled_back()

    def _committed(self) -> None:
        self._unrecorded.clear()
        super()._committed()
