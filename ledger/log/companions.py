"""The people of a station: what they sign at the box goes up with the station's rounds.

A person's decision stands in a log of that person's key, in the station's ledger. A request names the
station's own logs alone, but its segments may be anybody's, and the reply has a receipt for each log that a
segment was of. That is enough:

    a request that has people's segments to bring brings nothing else: acknowledgments, which follow from
    what was decided, come with the next one, when the hub knows it
    a receipt for our history says how far the hub holds it, also when that is less than we thought
    no receipt and no refusal: the hub holds nothing of that log (what came is parked), so it is sent whole
    a hub that is another process now is shown the last segment of each log, and answers as above

Bound: which bytes go up and what was taken. Rounds are `sync`; who may sign what is nobody's question here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from typing import Final

from ledger.log.chain import LogRef
from ledger.log.messages import SEGMENTS_MAX, Refusal
from ledger.log.receipts import Receipt
from ledger.log.schema import LogRow, SegmentRow
from ledger.log.store import Ledger

BATCH: Final = 16  # segments read at once


@dataclass(frozen=True, slots=True)
class Load:
    """What one request brings of people's logs. upto: log → the number behind its last segment here."""

    segments: tuple[bytes, ...] = ()
    upto: Mapping[LogRef, int] = field(default_factory=dict)


def load(ledger: Ledger, key_id: bytes, send_max: int) -> Load:
    """Segments of people's logs that the hub is not known to hold, as they came here; at least one if any."""
    found: list[bytes] = []
    upto: dict[LogRef, int] = {}
    left = send_max
    for log, row in _in_order(ledger, key_id):
        if len(found) == SEGMENTS_MAX or (found and len(row.raw) > left):
            break
        found.append(row.raw)
        left -= len(row.raw)
        upto[log.ref] = row.next_seq
    return Load(tuple(found), upto)


def to_carry(ledger: Ledger, key_id: bytes) -> Iterable[bytes]:
    """All people's segments that the hub is not known to hold, for a stick."""
    for _, row in _in_order(ledger, key_id):
        yield row.raw


def _in_order(ledger: Ledger, key_id: bytes) -> Iterator[tuple[LogRow, SegmentRow]]:
    """What the hub lacks, across all their logs in the order of arrival here.

    What a cancellation takes back is what stands before it: the hub must hear the approver who called a
    series off after the officer who ordered it, though these are two logs.
    """

    def of(log: LogRow) -> Iterator[tuple[int, LogRow, SegmentRow]]:
        seq = log.held
        while seq < log.next_seq:
            for row in ledger.tables.segments_of(log, seq, BATCH):
                seq = row.next_seq
                yield row.position, log, row

    lists = [of(log) for log in ledger.tables.companions(key_id, waiting=True)]
    for _, log, row in merge(*lists, key=lambda one: one[0]):
        yield log, row


def note(
    ledger: Ledger, brought: Mapping[LogRef, int], receipts: Sequence[Receipt], refused: Sequence[Refusal],
    passing: frozenset[str],
) -> bool:  # fmt: skip
    """Take in what a reply says of the logs that its request brought. True when anything is known anew.

    In the transaction of the reply; receipts are verified. passing: refusals that may pass by themselves.
    """
    changed = False
    told = {receipt.log: receipt for receipt in receipts}
    codes = {refusal.log_id: refusal.code for refusal in refused}
    for ref, upto in brought.items():
        row = ledger.tables.log(ref)
        if row is None:
            continue
        before = (row.held, row.refused)
        receipt, code = told.get(ref), codes.get(ref.log_id)
        if code is not None and code not in passing:
            ledger.tables.set_refused(row, code)
            ledger.abandon(ref)
        elif receipt is not None:
            ledger.tables.set_held(row, _held(ledger, row, receipt, upto))
        elif code is None:
            ledger.tables.set_held(row, 0)
        changed = changed or before != (row.held, row.refused)
    return changed


def adopt(ledger: Ledger, key_ids: Iterable[bytes]) -> None:
    """These people sign here: what was carried over of their logs from another database goes up as well.

    In an open transaction. Nobody writes on in such a log: each process opens its own.
    """
    for key_id in key_ids:
        for log in ledger.tables.logs(key_id):
            if not log.own:
                ledger.tables.mark_own(log)


def show_again(ledger: Ledger, key_id: bytes) -> None:
    """The hub is another process, perhaps on an older disk: each log's last segment is to be sent again."""
    for log in ledger.tables.companions(key_id, waiting=False):
        ledger.tables.forgive(log.ref.key_id)
        last = ledger.tables.segment_before(log, log.next_seq - 1)
        if last is not None and log.held > last.first_seq:
            ledger.tables.set_held(log, last.first_seq)


def _held(ledger: Ledger, row: LogRow, receipt: Receipt, upto: int) -> int:
    """How far the hub holds our history of a log, by its receipt for the end it holds."""
    if ledger.note_receipt(receipt):
        return receipt.next_seq
    # It holds more than we do (our disk is an older one), and did not call what we sent another history.
    return max(row.held, min(upto, row.next_seq))
