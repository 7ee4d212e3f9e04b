"""Bugs planted on purpose: each breaks real product code while a run lasts, and a checker must see it.

A simulator that is green proves little; one that turns red for each of these proves that its faults reach the
code and its checkers look. Each plant says which promise must break. They replace functions of the product
inside a `with` block and put them back after it, so a process is clean again whatever happened.

Bound: for tests and for `loa sim run --plant`. Nothing of the product imports this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from hub import views
from ledger.facts import Detail, Facts, Outcome, Verdict, judge
from ledger.log import Admission, ForkError, Head, Ledger, LogRef, admission, answering, sync, tables
from node import plays

Stack = ExitStack


@dataclass(frozen=True)
class Plant:
    """`breaks`: the promises one of which must be seen broken.

    `without`: faults that would stop such a run for another reason. `rates`: faults it needs more often than
    usual.
    """

    what: str
    breaks: frozenset[str]
    make: Callable[[Stack], None]
    without: tuple[str, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)


def plant(name: str) -> AbstractContextManager[None]:
    """The product with this bug. Raises KeyError for a name that is not in PLANTED."""
    return _planted(PLANTED[name])


@contextmanager
def _planted(bug: Plant) -> Iterator[None]:
    with ExitStack() as stack:
        bug.make(stack)
        yield


def _swap(stack: Stack, target: Any, name: str, new: object) -> Any:
    """Put `new` in the place of target.name until the stack unwinds; returns what was there."""
    old = getattr(target, name)
    setattr(target, name, new)
    stack.callback(setattr, target, name, old)
    return old


# -- the hub
# ---------------------------------------------------------------------------------------------------


def _receipt_before_commit(stack: Stack) -> None:
    """Arrivals are committed together with the next write: fast, and gone when the power goes before it."""
    lazy: set[int] = set()

    def take_in(ledger: Ledger, *args: Any) -> Any:
        lazy.add(id(ledger))
        try:
            return real_take_in(ledger, *args)
        finally:
            lazy.discard(id(ledger))

    def run(self: Ledger, statement: str) -> None:
        if statement == "COMMIT" and id(self) in lazy:
            return
        if statement == "BEGIN IMMEDIATE" and self.db.in_transaction:
            self.db.execute("COMMIT")
        real_run(self, statement)

    real_take_in = _swap(stack, answering, "_take_in", take_in)
    real_run = _swap(stack, Ledger, "_run", run)


def _accept_fork(stack: Stack) -> None:
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

    real_place = _swap(stack, admission.Gate, "_place", place)


def _ack_twice(stack: Stack) -> None:
    """The as-run view has no key, so that an acknowledgment which comes twice counts twice."""
    keyless, changes = re.subn(
        r",\s*PRIMARY KEY \(unit, series, day\)\)( WITHOUT ROWID)?", ")", views._SCHEMA
    )
    assert changes == 1, "the as-run table looks different now: plant this bug anew"
    _swap(stack, views, "_SCHEMA", keyless)


# -- the stations
# ----------------------------------------------------------------------------------------------


def _unapproved(stack: Stack) -> None:
    """An order is enough: nobody looks for the approval of its content."""

    def approval(*args: Any) -> Any:
        found = real(*args)
        return SimpleNamespace(position=0) if isinstance(found, Verdict) else found

    real = _swap(stack, judge, "_approval", approval)


def _withdrawal_ignored(stack: Stack) -> None:
    """What was once approved is played for ever."""
    _swap(stack, Facts, "withdrawal_of", lambda self, decision, unit: None)


def _play_before_row(stack: Stack) -> None:
    """A slot's row is written when it ends and not before it sounds."""

    def begin(self: plays.Plays, slot: Any, started_s: float) -> None:
        row = plays._of(slot, plays.STARTED, started_s, 0, Outcome.UNKNOWN, Detail.NONE)
        self._rows[row.key] = row

    _swap(stack, plays.Plays, "begin", begin)


def _no_resend(stack: Stack) -> None:
    """A station does not listen when the hub says that it holds less than it once did."""

    def note_standing(ledger: Ledger, key_id: bytes, said: Any, *args: Any) -> Any:
        return real(ledger, key_id, replace(said, less=()), *args)

    real = _swap(stack, sync, "_note_standing", note_standing)


def _trust_receipt(stack: Stack) -> None:
    """A station takes the number in a receipt for its own, whatever hash stands beside it."""

    def note(self: Ledger, receipt: Any) -> bool:
        row = self.tables.log(receipt.log)
        if row is not None and row.held < receipt.next_seq:
            with self.transaction():
                self.tables.set_held(row, receipt.next_seq)
        return True

    _swap(stack, Ledger, "note_receipt", note)


def _forked_log_kept(stack: Stack) -> None:
    """A station goes on in a log that the hub has frozen, and what it signs there is never taken."""
    _swap(stack, Ledger, "abandon", lambda self, log: 0)


def _closed_logs_forgotten(stack: Stack) -> None:
    """Only the newest log is offered; what an earlier process sealed and did not deliver stays there."""

    def unreceipted(self: tables.Tables, key_id: bytes, limit: int = 1 << 30) -> Any:
        return [log for log in self.own_logs(key_id)[-1:] if log.held < log.next_seq and log.refused is None]

    _swap(stack, tables.Tables, "unreceipted", unreceipted)


def _lone_event_waits(stack: Stack) -> None:
    """An event is sealed only when there is another one to share the signature with."""

    def seal(self: Ledger, author: Any, also: Any = ()) -> Any:
        if not also and self.pending_count(author.key_id) < 2:
            return []
        return real(self, author, also)

    real = _swap(stack, Ledger, "seal", seal)


# -- both
# ------------------------------------------------------------------------------------------------------


def _order_leak(stack: Stack) -> None:
    """Pending events go through a set on their way into a segment: their order depends on how bytes hash."""

    def pending(self: tables.Tables, key_id: bytes) -> list[bytes]:
        return list(set(real(self, key_id)))

    real = _swap(stack, tables.Tables, "pending", pending)


# Faults without which a bug cannot show, often enough to show it in a small run.
FORKS = {"resumed_per_day": 2.0}
OLD_IMAGES = {"old_image_per_day": 2.0}
DARK = {"power_cut_per_day": 4.0, "cut_in_play": 0.4, "down_per_day": 4.0}
HUB_CUTS = {"hub_crash_per_day": 6.0}
HUB_IMAGES = {"hub_restore_per_day": 3.0}
PLANTED: dict[str, Plant] = {
    "receipt-before-commit": Plant(
        "the hub gives receipts before what they promise is durable",
        frozenset({"I1"}),
        _receipt_before_commit,
        without=("hub_restore",),
        rates=HUB_CUTS,
    ),
    "accept-fork": Plant(
        "the hub takes in a second history of a log", frozenset({"I2"}), _accept_fork, rates=FORKS
    ),
    "ack-twice": Plant(
        "the as-run view counts a repeated acknowledgment again",
        frozenset({"I7"}),
        _ack_twice,
        rates=OLD_IMAGES,
    ),
    "unapproved": Plant("a station plays what nobody approved", frozenset({"I4"}), _unapproved),
    "withdrawal-ignored": Plant("a station plays what was withdrawn", frozenset({"I4"}), _withdrawal_ignored),
    "play-before-row": Plant(
        "a sound begins before its row is durable", frozenset({"I6"}), _play_before_row, rates=DARK
    ),
    "no-resend": Plant(
        "a station does not resend to a restored hub", frozenset({"I3", "I1"}), _no_resend, rates=HUB_IMAGES
    ),
    "trust-receipt": Plant(
        "a station trusts a receipt without comparing the hash",
        frozenset({"I1", "I9"}),
        _trust_receipt,
        rates=FORKS,
    ),
    "forked-log-kept": Plant(
        "a station does not leave a log that forked", frozenset({"I9"}), _forked_log_kept, rates=FORKS
    ),
    "closed-logs-forgotten": Plant(
        "only the live log is ever delivered", frozenset({"I3"}), _closed_logs_forgotten, rates=DARK
    ),
    "lone-event-waits": Plant("a single pending event is never sealed", frozenset({"I9"}), _lone_event_waits),
    "order-leak": Plant(
        "the order of events depends on the process", frozenset({"I18"}), _order_leak, rates=DARK
    ),
}
