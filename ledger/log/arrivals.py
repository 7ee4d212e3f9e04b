"""What a request brings, opened: segments as they are, and those in transit form made whole again.

Everything here happens before the transaction and changes nothing. A transit form is made whole from what
this ledger and the request itself hold: the author is who signed the request, the log is the one named in its
list, and the hash of the head before is that of a segment held here or of the one just before in the request.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.log.chain import LogRef
from ledger.log.errors import LoaError, SegmentError, UnknownKeyError
from ledger.log.messages import Request
from ledger.log.segment import Segment, read_head
from ledger.log.store import Ledger
from ledger.log.transit import RAW_TOTAL_MAX, Coder, Folded, is_folded, read, unfold

NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One item of a request. log, first_seq: what it says of itself, None and 0 when not even that."""

    raw: bytes
    opened: Segment | SegmentError
    log: LogRef | None
    first_seq: int


def unfold_all(ledger: Ledger, key_id: bytes, asked: Request, coder: Coder | None) -> list[Arrival]:
    """Every item of the request in order, verified or with the reason why not."""
    ends: dict[tuple[LogRef, int], bytes] = {}  # where segments of this request end
    room = RAW_TOTAL_MAX
    found: list[Arrival] = []
    for item in asked.segments:
        if is_folded(item):
            arrival = _unfolded(ledger, key_id, asked, item, coder, ends, room)
        else:
            arrival = _plain(ledger, item)
        found.append(arrival)
        if isinstance(arrival.opened, Segment):
            head = arrival.opened.head
            ends[LogRef(head.key_id, head.log_id), head.next_seq] = head.hash
            room -= head.raw_len if is_folded(item) else 0
    return found


def _plain(ledger: Ledger, raw: bytes) -> Arrival:
    ((_, opened),) = ledger.open_all([raw])
    if isinstance(opened, Segment):
        head = opened.head
    else:
        try:
            head = read_head(raw)[0]
        except LoaError:
            return Arrival(raw, opened, None, 0)
    return Arrival(raw, opened, LogRef(head.key_id, head.log_id), head.first_seq)


def _unfolded(
    ledger: Ledger,
    key_id: bytes,
    asked: Request,
    item: bytes,
    coder: Coder | None,
    ends: dict[tuple[LogRef, int], bytes],
    room: int,
) -> Arrival:
    try:
        folded = read(item, len(asked.claims))
    except SegmentError as error:
        return Arrival(b"", error, None, 0)
    log = LogRef(key_id, asked.claims[folded.log].log_id)
    try:
        segment = _whole(ledger, log, folded, coder, ends, room)
    except SegmentError as error:
        return Arrival(b"", error, log, folded.first_seq)
    return Arrival(segment.raw, segment, log, folded.first_seq)


def _whole(
    ledger: Ledger,
    log: LogRef,
    folded: Folded,
    coder: Coder | None,
    ends: dict[tuple[LogRef, int], bytes],
    room: int,
) -> Segment:
    key = ledger.key_of(log.key_id)
    if key is None:
        raise UnknownKeyError("key-unknown", "nobody introduced this key here", where=log.key_id.hex())
    prev = NO_HASH if folded.first_seq == 0 else ends.get((log, folded.first_seq))
    if prev is None:
        prev = ledger.end_hash(log, folded.first_seq)
    if prev is None:
        raise SegmentError(
            "transit-prev", "no segment held here ends where this begins", where=f"{log}#{folded.first_seq}",
            hint="send the segment in its self-contained form",
        )  # fmt: skip
    return unfold(folded, log_id=log.log_id, prev=prev, key=key, coder=coder, room=max(room, 0))
