"""How the segments of one log follow each other, and what proves that two of them cannot both be honest.

A log is named by its author's key and a random number drawn at process start, so a restored or cloned device
begins another log instead of contradicting itself. Within one log each head names the hash of the head before
it. Segments are never re-cut and never re-signed; therefore any two different signed heads of one log that
overlap, or that adjoin without linking, prove two histories, and 336 bytes convince anybody.

Known segments (the same head again) are the caller's business: only a store knows every head it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ledger.log.errors import ForkError, GapError
from ledger.log.segment import SegmentHead


class LogRef(NamedTuple):
    """A log: its author's key id and its random id, 8 bytes each."""

    key_id: bytes
    log_id: bytes

    def __str__(self) -> str:
        return f"{self.key_id.hex()}/{self.log_id.hex()}"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a log as somebody holds it: the next sequence number, and the hash of the last head."""

    log: LogRef
    next_seq: int
    hash: bytes


def extend(head: Head | None, segment_head: SegmentHead) -> Head:
    """The log's head after this segment. head: None when nothing of the log is held yet.

    Raises GapError when segments between are missing, ForkError when the segment contradicts `head`.
    The segment must have been opened (its signature checked) and must not be one already held.
    """
    log = LogRef(segment_head.key_id, segment_head.log_id)
    next_seq, hash_ = (0, bytes(32)) if head is None else (head.next_seq, head.hash)
    assert head is None or head.log == log, "a segment extends its own log"
    first_seq, where = segment_head.first_seq, str(segment_head)
    if first_seq > next_seq:
        raise GapError("chain-gap", f"events {next_seq} to {first_seq - 1} are missing", where=where)
    if first_seq < next_seq:
        raise ForkError("fork-overlap", f"the log is held up to {next_seq - 1} with other heads", where=where)
    if segment_head.prev != hash_:
        raise ForkError("fork-broken-link", "the segment names another predecessor", where=where)
    return Head(log, segment_head.next_seq, segment_head.hash)


def conflict(one: SegmentHead, other: SegmentHead) -> str | None:
    """Why two signed heads cannot both be honest ("fork-overlap", "fork-broken-link"), or None when they can.

    Heads of different logs never conflict, nor does a head with itself, nor do heads with a gap between.
    """
    if (one.key_id, one.log_id) != (other.key_id, other.log_id) or one == other:
        return None
    first, second = (one, other) if one.first_seq <= other.first_seq else (other, one)
    if second.first_seq < first.next_seq:
        return "fork-overlap"
    if second.first_seq == first.next_seq and second.prev != first.hash:
        return "fork-broken-link"
    return None
