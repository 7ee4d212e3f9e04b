"""Upward: a hub is a station of its superior, and its journal says what else comes along.

A hub's log names every segment that others signed, in the order of arrival (`journal.Ingested`). So that log
is the list, its end is the one cursor, and everything that a station's log has (claims, receipts, what the
other side holds less of, another log for each process) does for it unchanged. What is added is small:

    the hub      sends, before each segment of its own log, the segments that one names, as they were signed
    the superior takes a segment of a journal only when all that it names is here (`admission`)

Therefore a receipt for the hub's log speaks for all of that, and whoever lost something lost the journal
from that place on with it, and is sent both again.

Who is forwarded to forwards in the same way. Downward the superior is to the hub what the hub is to stations:
the feed brings decisions, and the hub writes them into its journal as it does with all it gets.

Bound: which bytes go up, in what order, and what was taken. Rounds are `sync`, when to ask is the caller's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from ledger.log.admission import FORWARD_MISSING, Admission, Stored
from ledger.log.answering import record_arrivals
from ledger.log.chain import LogRef
from ledger.log.codec import Value
from ledger.log.errors import CodecError
from ledger.log.forks import FORKS_TOLD
from ledger.log.journal import Ingested, is_ingested
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.messages import SEGMENTS_MAX, SEND_BYTES_MAX
from ledger.log.reading import READ_BATCH
from ledger.log.schema import LogRow
from ledger.log.segment import Segment, read_head, read_own
from ledger.log.store import Ledger
from ledger.log.sync import SEND_BATCH, Accepted, accept_reply, make_request
from ledger.log.transit import RAW_TOTAL_MAX, Coder, fold

RECORDED: Final = "forward.recorded"  # the position up to which everything stands in the journal
PERIOD_S: Final = 60.0  # between two rounds when all is well
PAUSE_MAX_S: Final = 3600.0  # a superior that was away for weeks is not met by every hub in one minute


def pause_s(failures: int, rng: random.Random) -> float:
    """Seconds to wait after so many failures in a row: full jitter, doubling up to an hour."""
    if failures <= 0:
        return PERIOD_S
    return rng.uniform(0.0, min(PAUSE_MAX_S, PERIOD_S * 2.0 ** min(failures, 16)))


class _Sent(NamedTuple):
    """How far into the originals of one journal segment a request went."""

    log_id: bytes
    first_seq: int
    originals: int


class Forwarder:
    """The hub's half. key: the hub's; superior: whose replies count. One at a time for a ledger."""

    def __init__(self, ledger: Ledger, key: SigningKey, superior: VerifyKey) -> None:
        self._ledger = ledger
        self._key = key
        self._superior = superior
        # In memory only: a hub that starts anew sends the originals of one segment again, at most.
        self._sent: _Sent | None = None
        self._taken: _Sent | None = None
        self._careful = False  # the superior lacks something: one journal segment at a time

    def request(
        self, *, nonce: bytes, now: int, room: int = 65536, send_max: int = SEND_BYTES_MAX,
        status: bytes = b"",
    ) -> bytes:  # fmt: skip
        """The next request; arguments as for `make_request`. What arrived unrecorded is recorded first."""
        record_rest(self._ledger, self._key, now=now)
        self._sent = None
        return make_request(
            self._ledger, self._key, nonce=nonce, now=now, room=room, send_max=send_max, status=status,
            fill=self._fill,
        )  # fmt: skip

    def accept(self, request: bytes, reply: bytes) -> Accepted:
        """Take in the superior's reply; as `accept_reply`, its errors too. What came is recorded with it."""
        with self._ledger.transaction():
            accepted = accept_reply(self._ledger, self._key, self._superior, request, reply)
            if accepted.admitted:
                record_rest(self._ledger, self._key, now=accepted.hub_time)
        self._careful = any(code == FORWARD_MISSING for _, _, code in accepted.refused)
        # A superior that has lost them since says so, and then they are sent again from the first.
        self._taken, self._sent = self._sent, None
        if self._taken is not None and not accepted.more:
            # Originals alone move nothing that a receipt would show, and yet the rest is to follow.
            accepted = replace(accepted, more=True)
        return accepted

    def _fill(
        self, ledger: Ledger, logs: Sequence[LogRow], send_max: int, coder: Coder | None
    ) -> tuple[bytes, ...]:
        """Own segments from where the superior is known to stand, each behind what it names."""
        load = _Load(send_max)
        for number, log in enumerate(logs):
            seq = log.held
            while seq < log.next_seq:
                for row in ledger.tables.segments_of(log, seq, SEND_BATCH):
                    own = read_own(row.raw)
                    place = (log.ref.log_id, row.first_seq)
                    taken = self._taken
                    skip = taken.originals if taken is not None and taken[:2] == place else 0
                    for at, raw in enumerate(originals(ledger, own)):
                        if at < skip:
                            continue
                        if not load.add(raw, 0):
                            return tuple(load.items)
                        self._sent = _Sent(*place, at + 1)
                    item, unpacked = row.raw, 0
                    if log.ref not in ledger.sent_plain:
                        item = min(fold(own, number, coder), item, key=len)
                        unpacked = own.head.raw_len
                    if not load.add(item, unpacked):
                        return tuple(load.items)
                    self._sent = None
                    seq = row.next_seq
                    if self._careful:
                        return tuple(load.items)
        return tuple(load.items)


@dataclass(slots=True)
class _Load:
    """The segments of a request so far. left: bytes; room: bytes of events that transit forms unpack to."""

    left: int
    room: int = RAW_TOTAL_MAX
    items: list[bytes] = field(default_factory=list)

    def add(self, item: bytes, unpacked: int) -> bool:
        """False when it does not fit any more; the first one always does."""
        full = len(item) > self.left or unpacked > self.room
        if len(self.items) == SEGMENTS_MAX or (self.items and full):
            return False
        self.items.append(item)
        self.left -= len(item)
        self.room -= unpacked
        return True


def originals(ledger: Ledger, own: Segment) -> Iterator[bytes]:
    """The segments that one segment of a journal names, in its order, as received, if they are here."""
    for named in named_in(own):
        log = ledger.tables.log(named.log)
        found = None if log is None else ledger.tables.segment_from(log, named.first_seq)
        if found is not None:
            yield found.raw


def named_in(segment: Segment) -> Iterator[Ingested]:
    """The arrivals that a segment records; malformed ones are none."""
    for event in segment.events:
        if is_ingested(event):
            try:
                yield Ingested.decode(event)
            except CodecError:
                continue


def record_rest(ledger: Ledger, key: SigningKey, *, now: int) -> int:
    """Write into the journal what stands here and not in it: a superior's decisions, what older hubs left.

    Returns how many; each batch is one transaction. Nothing new: nothing is written.
    """
    recorded = 0
    while True:
        done = ledger.get(RECORDED, 0)
        assert isinstance(done, int)
        rows = ledger.tables.segments_after(done, READ_BATCH, told_only=False)
        told = ledger.get(FORKS_TOLD, 0)
        assert isinstance(told, int)
        if not rows and not ledger.tables.forks(told):
            return recorded
        with ledger.transaction():
            rest = tuple(
                Stored(position, read_own(raw), audience)
                for position, audience, raw in rows
                if read_head(raw)[0].key_id != key.key_id and ledger.tables.journal(position) is None
            )
            record_arrivals(ledger, key, [Admission(stored=rest)], now=now)
            if rows:
                ledger.put(RECORDED, rows[-1][0])
        recorded += len(rest)


# -- what a superior reads -----------------------------------------------------------------------------------


class Passed(NamedTuple):
    """One line of a hub's history. stored: a segment another signed, at the journal's place that names it.

    place: (log, number) in the hub's own log. stored is None when it was refused here as part of a fork.
    """

    place: tuple[LogRef, int]
    named: Ingested
    stored: Stored | None


def history_of(ledger: Ledger, key_id: bytes, after: tuple[LogRef, int] | None = None) -> Iterator[Passed]:
    """What a hub's journal names, in its order, behind a place in it.

    A hub that was restored from a backup names a segment again in a later log; the first time counts, and
    whoever keeps a view knows a segment by its position here.
    """
    logs = ledger.tables.logs(key_id)
    if after is not None:
        logs = logs[[log.ref for log in logs].index(after[0]) :]
    for log in logs:
        at = after[1] + 1 if after is not None and after[0] == log.ref else 0
        while rows := ledger.tables.segments_of(log, at, SEND_BATCH):
            for row in rows:
                for seq, event in enumerate(read_own(row.raw).events, row.first_seq):
                    if seq >= at and is_ingested(event):
                        yield from _line(ledger, log.ref, seq, event)
            at = rows[-1].next_seq


def _line(ledger: Ledger, ref: LogRef, seq: int, event: bytes) -> Iterator[Passed]:
    try:
        named = Ingested.decode(event)
    except CodecError:
        return
    log = ledger.tables.log(named.log)
    found = None if log is None else ledger.tables.segment_from(log, named.first_seq)
    stored = None
    if found is not None and found.hash == named.head_hash:
        audience, raw = ledger.tables.segment_at(found.position)
        stored = Stored(found.position, read_own(raw), audience)
    yield Passed((ref, seq), named, stored)


def audiences_here(ledger: Ledger) -> list[str]:
    """Every audience of a decision held here, sorted. Of these a hub is sent what lies in its territory."""
    found: list[str] = []
    last: Value = ""
    while last is not None:
        # One step in the index for each audience, however many decisions it has.
        (last,) = ledger.tables.db.execute(
            "SELECT min(audience) FROM ledger_segments WHERE audience IS NOT NULL AND audience > ?", (last,)
        ).fetchone()
        if isinstance(last, str):
            found.append(last)
    return found
