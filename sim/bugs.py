"""The bugs themselves: each replaces functions of the product until its stack unwinds.

One function per bug, with the name it has in `planted`, where it is said which promise each must break and
which faults it needs to show.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from hub import as_run, views
from ledger.facts import Detail, Facts, Outcome, Verdict, judge
from ledger.log import (
    Admission,
    ForkError,
    Head,
    Ledger,
    LogRef,
    SegmentError,
    admission,
    answering,
    messages,
    segment,
    sync,
    tables,
)
from node import plays, presence, reckoning

Stack = ExitStack


def swap(stack: Stack, target: Any, name: str, new: object) -> Any:
    """Put `new` in the place of target.name until the stack unwinds; returns what was there."""
    old = getattr(target, name)
    setattr(target, name, new)
    stack.callback(setattr, target, name, old)
    return old


# -- the hub ---------------------------------------------------------------------------------------------


def receipt_before_commit(stack: Stack) -> None:
    """Arrivals are committed together with the next write: fast, and gone when the power goes before it."""
    lazy: set[int] = set()

    def take_in(ledger: Ledger, *args: Any, **named: Any) -> Any:
        lazy.add(id(ledger))
        try:
            return real_take_in(ledger, *args, **named)
        finally:
            lazy.discard(id(ledger))

    def run(self: Ledger, statement: str) -> None:
        if statement == "COMMIT" and id(self) in lazy:
            return
        if statement == "BEGIN IMMEDIATE" and self.db.in_transaction:
            self.db.execute("COMMIT")
        real_run(self, statement)

    real_take_in = swap(stack, answering, "_take_in", take_in)
    real_run = swap(stack, Ledger, "_run", run)


def accept_fork(stack: Stack) -> None:
    """The newer history wins: what contradicts a log is stored in the place of what was there."""

    def place(self: Any, segment: Any, source: str, *, feed: bool) -> Admission:
        found: Admission = real_place(self, segment, source, feed=feed)
        if not isinstance(found.error, ForkError):
            return found
        head = segment.head
        log = self._tables.log(LogRef(head.key_id, head.log_id))
        same = self._tables.segment_from(log, head.first_seq)
        if same is not None:
            self._tables.db.execute("DELETE FROM ledger_journal WHERE position = ?", (same.position,))
            self._tables.db.execute("DELETE FROM ledger_segments WHERE position = ?", (same.position,))
        end = Head(log.ref, max(log.next_seq, head.next_seq), head.hash)
        return Admission(admission.Outcome.ADMITTED, None, (self._keep(segment, log, end, False),))

    real_place = swap(stack, admission.Gate, "_place", place)


def false_fork(stack: Stack) -> None:
    """What came once before is taken for a second history: the log is frozen, with 'evidence'."""

    def admit(self: Any, raw: bytes, opened: Any, *, source: str, feed: bool) -> Admission:
        found: Admission = real_admit(self, raw, opened, source=source, feed=feed)
        if found.outcome is not admission.Outcome.KNOWN or feed:
            return found
        log = self._tables.log(LogRef(opened.head.key_id, opened.head.log_id))
        signed = raw[: segment.SIGNED_BYTES]
        self._tables.add_fork(
            log, code="fork-overlap", held=signed, other=signed, received=raw, source=source, at=self._now()
        )
        self._tables.freeze(log)
        return Admission(error=ForkError("fork-overlap", "two signed histories of one log"))

    real_admit = swap(stack, admission.Gate, "admit", admit)


def unsigned_taken(stack: Stack) -> None:
    """The hub looks at no signature: what the line made of a segment is stored as it came."""

    def unasked(key_of: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        def find(key_id: bytes) -> Any:
            key = key_of(key_id)
            return key and SimpleNamespace(key_id=key.key_id, raw=key.raw, verify=lambda *args: None)

        return find

    def open_request(raw: bytes, key_of: Any) -> Any:
        return real_open_request(raw, unasked(key_of))

    def open_here(self: Any, raw: bytes) -> Any:
        try:
            return segment.open_segment(raw, unasked(self._key_of))
        except SegmentError as error:
            return error

    real_open_request = swap(stack, messages.Request, "open", staticmethod(open_request))
    swap(stack, admission.Gate, "open", open_here)


def ack_twice(stack: Stack) -> None:
    """The as-run view has no key, so that an acknowledgment which comes twice counts twice."""
    keyless, changes = re.subn(
        r",\s*PRIMARY KEY \(place, day, series\)\)( WITHOUT ROWID)?", ")", views._SCHEMA
    )
    always, asked = re.subn(r" ON CONFLICT .*", "", as_run._INSERT)
    assert changes == asked == 1, "the as-run table looks different now: plant this bug anew"
    swap(stack, views, "_SCHEMA", keyless)
    swap(stack, as_run, "_INSERT", always)


# -- the stations ----------------------------------------------------------------------------------------


def unapproved(stack: Stack) -> None:
    """An order is enough: nobody looks for the approval of its content."""

    def approval(*args: Any) -> Any:
        found = real(*args)
        return SimpleNamespace(position=0) if isinstance(found, Verdict) else found

    real = swap(stack, judge, "_approval", approval)


def withdrawal_ignored(stack: Stack) -> None:
    """What was once approved is played for ever."""
    swap(stack, Facts, "withdrawal_of", lambda self, decision, unit: None)


def play_before_row(stack: Stack) -> None:
    """A slot's row is written when it ends and not before it sounds."""

    def begin(self: plays.Plays, slot: Any, started_s: float) -> None:
        row = plays._of(slot, plays.STARTED, started_s, 0, Outcome.UNKNOWN, Detail.NONE)
        self._rows[row.key] = row

    swap(stack, plays.Plays, "begin", begin)


def no_resend(stack: Stack) -> None:
    """A station does not listen when the hub says that it holds less than it once did."""

    def note_standing(ledger: Ledger, key_id: bytes, said: Any, *args: Any) -> Any:
        return real(ledger, key_id, replace(said, less=()), *args)

    real = swap(stack, sync, "_note_standing", note_standing)


def trust_receipt(stack: Stack) -> None:
    """A station takes the number in a receipt for its own, whatever hash stands beside it."""

    def note(self: Ledger, receipt: Any) -> bool:
        row = self.tables.log(receipt.log)
        if row is not None and row.held < receipt.next_seq:
            with self.transaction():
                self.tables.set_held(row, receipt.next_seq)
        return True

    swap(stack, Ledger, "note_receipt", note)


def forked_log_kept(stack: Stack) -> None:
    """A station goes on in a log that the hub has frozen, and what it signs there is never taken."""
    swap(stack, Ledger, "abandon", lambda self, log: 0)


def closed_logs_forgotten(stack: Stack) -> None:
    """Only the newest log is offered; what an earlier process sealed and did not deliver stays there."""

    def unreceipted(self: tables.Tables, key_id: bytes, limit: int = 1 << 30) -> Any:
        return [log for log in self.own_logs(key_id)[-1:] if log.held < log.next_seq and log.refused is None]

    swap(stack, tables.Tables, "unreceipted", unreceipted)


def pending_kept(stack: Stack) -> None:
    """What was sealed is not cleared: the last of the pending events is sealed again with the next."""

    def clear(self: tables.Tables, key_id: bytes) -> None:
        last = real_pending(self, key_id)[-1:]
        real(self, key_id)
        if kept.get(key_id) != last:
            kept[key_id] = last
            for event in last:
                self.add_pending(key_id, event)

    kept: dict[bytes, list[bytes]] = {}
    real_pending = tables.Tables.pending
    real = swap(stack, tables.Tables, "clear_pending", clear)


def any_clock(stack: Stack) -> None:
    """A station takes its clock's word, also when it has just come up years wrong."""
    swap(stack, presence.Moment, "trusted", property(lambda self: True))


def silence_unexplained(stack: Stack) -> None:
    """What passed in silence is never answered for."""
    swap(stack, reckoning.Reckoner, "answer_for", lambda self, moment: 0)


def lone_event_waits(stack: Stack) -> None:
    """An event is sealed only when there is another one to share the signature with."""

    def seal(self: Ledger, author: Any, also: Any = ()) -> Any:
        if not also and self.pending_count(author.key_id) < 2:
            return []
        return real(self, author, also)

    real = swap(stack, Ledger, "seal", seal)


# -- both ------------------------------------------------------------------------------------------------


def order_leak(stack: Stack) -> None:
    """Pending events go through a set on their way into a segment: their order depends on how bytes hash."""

    def pending(self: tables.Tables, key_id: bytes) -> list[bytes]:
        return list(set(real(self, key_id)))

    real = swap(stack, tables.Tables, "pending", pending)


def any_reply(stack: Stack) -> None:
    """A station verifies no reply: whatever has the shape of one is an answer."""

    def open_reply(raw: bytes, request: bytes, hub: Any, bytes_max: int) -> Any:
        unasked = SimpleNamespace(key_id=hub.key_id, raw=hub.raw, verify=lambda *args: None)
        return real_open(raw, request, unasked, bytes_max)

    real_open = swap(stack, messages.Reply, "open", staticmethod(open_reply))
