"""Bugs planted on purpose: each breaks real product code while a run lasts, and a checker must see it.

A simulator that is green proves little; one that turns red for each of these proves that its faults reach the
code and its checkers look. Each plant says which promise must break. They replace functions of the product
inside a `with` block and put them back after it, so a process is clean again whatever happened.

What each does is in `bugs`. Bound: for tests and for `loa sim run --plant`; nothing of the product imports
this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from sim import bugs


@dataclass(frozen=True)
class Plant:
    """`breaks`: the promises one of which must be seen broken.

    `without`: faults that would stop such a run for another reason. `rates`: faults it needs more often than
    usual.
    """

    what: str
    breaks: frozenset[str]
    make: Callable[[ExitStack], None]
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


# Faults without which a bug cannot show, often enough to show it in a small run.
FORKS = {"resumed_per_day": 2.0}
OLD_IMAGES = {"old_image_per_day": 2.0}
DARK = {"power_cut_per_day": 4.0, "cut_in_play": 0.4, "down_per_day": 4.0}
CLOCKLESS = {"power_cut_per_day": 16.0, "down_per_day": 24.0, "clock_lost": 0.5}
HUB_CUTS = {"hub_crash_per_day": 6.0}
HUB_IMAGES = {"hub_restore_per_day": 3.0}
PLANTED: dict[str, Plant] = {
    "receipt-before-commit": Plant(
        "the hub gives receipts before what they promise is durable",
        frozenset({"I1"}),
        bugs.receipt_before_commit,
        without=("hub_restore",),
        rates=HUB_CUTS,
    ),
    "accept-fork": Plant(
        "the hub takes in a second history of a log", frozenset({"I2"}), bugs.accept_fork, rates=FORKS
    ),
    "unsigned-taken": Plant(
        "the hub verifies no signature",
        frozenset({"I2", "I3"}),  # for what it holds, the honest rest of that log is refused
        bugs.unsigned_taken,
        rates={"flip_request": 0.5},
    ),
    "false-fork": Plant(
        "the hub takes a repeated segment for a fork",
        frozenset({"I3"}),
        bugs.false_fork,
        rates={"drop_reply": 0.4, "resumed_per_day": 0.0, "old_image_per_day": 0.0},
    ),
    "ack-twice": Plant(
        "the as-run view counts a repeated acknowledgment again",
        frozenset({"I7"}),
        bugs.ack_twice,
        rates=OLD_IMAGES,
    ),
    "unapproved": Plant("a station plays what nobody approved", frozenset({"I4"}), bugs.unapproved),
    "withdrawal-ignored": Plant(
        "a station plays what was withdrawn", frozenset({"I4"}), bugs.withdrawal_ignored
    ),
    "play-before-row": Plant(
        "a sound begins before its row is durable", frozenset({"I6"}), bugs.play_before_row, rates=DARK
    ),
    "no-resend": Plant(
        "a station does not resend to a restored hub",
        frozenset({"I3", "I1"}),
        bugs.no_resend,
        rates=HUB_IMAGES,
    ),
    "trust-receipt": Plant(
        "a station trusts a receipt without comparing the hash",
        frozenset({"I1", "I9"}),
        bugs.trust_receipt,
        rates=FORKS,
    ),
    "forked-log-kept": Plant(
        "a station does not leave a log that forked", frozenset({"I9"}), bugs.forked_log_kept, rates=FORKS
    ),
    "closed-logs-forgotten": Plant(
        "only the live log is ever delivered", frozenset({"I3"}), bugs.closed_logs_forgotten, rates=DARK
    ),
    "pending-kept": Plant(
        "an event that was sealed is sealed once more", frozenset({"I9"}), bugs.pending_kept
    ),
    "any-clock": Plant(
        "a station plays by a clock that nobody trusts",
        frozenset({"I4"}),
        bugs.any_clock,
        rates=CLOCKLESS,
    ),
    "silence-unexplained": Plant(
        "a slot that passed in silence is never answered for",
        frozenset({"I7"}),
        bugs.silence_unexplained,
        rates=DARK,
    ),
    "lone-event-waits": Plant(
        "a single pending event is never sealed", frozenset({"I9"}), bugs.lone_event_waits
    ),
    "any-reply": Plant(
        "a station verifies no reply", frozenset({"I17"}), bugs.any_reply, rates={"flip_reply": 0.3}
    ),
    "order-leak": Plant(
        "the order of events depends on the process", frozenset({"I18"}), bugs.order_leak, rates=DARK
    ),
}
