"""Evidence of a fork: two signed heads of one log that cannot both be honest, and how a stranger checks them.

A ledger that meets the second head keeps both with their signatures, the bytes as received, their source and
the time; it freezes that log and nothing else. The 336 bytes `head ‖ signature ‖ head ‖ signature` stand for
themselves: whoever has the author's public key can judge them without any of our state.

Therefore evidence travels as an event, `fork.found`, in anybody's log: a station writes it into its own, and
its hub takes it up from there; a hub writes it into its own, and its stations take it up. Who tells it needs
no right to, for nobody is believed: the two signatures are checked again. What was taken up is not told on by
a station, so that it does not go in circles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.log.chain import LogRef, conflict
from ledger.log.errors import LoaError, SegmentError
from ledger.log.journal import ForkFound
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.segment import HEAD_BYTES, SIGNED_BYTES, Segment, SegmentHead, verify_head

if TYPE_CHECKING:
    from ledger.log.store import Ledger
    from ledger.log.tables import Tables

PAIR_BYTES: Final = 2 * SIGNED_BYTES
EVERYBODY: Final = "*"  # the audience of what every reader of a feed gets; no unit has this name
TAKEN_UP_MAX: Final = 8  # pieces of evidence looked at in one segment: two signatures each, in a transaction
FORKS_TOLD: Final = "sync.forks_told"  # the last evidence that was written into a log of our own
HEARD: Final = "told by "  # begins the source of evidence that somebody's event brought


@dataclass(frozen=True, slots=True)
class Evidence:
    """held, other: head ‖ signature, 168 B each; received: the second segment's bytes; at: UTC seconds."""

    number: int
    log: LogRef
    code: str
    held: bytes
    other: bytes
    received: bytes
    source: str
    at: int

    @property
    def pair(self) -> bytes:
        """The 336 bytes that convince a stranger."""
        return self.held + self.other


def check(pair: bytes, key_of: Callable[[bytes], VerifyKey | None]) -> str:
    """Why these two heads prove a fork ("fork-overlap" or "fork-broken-link").

    Raises SegmentError("not-a-fork") when they do not, UnknownKeyError, SignatureError.
    """
    if len(pair) != PAIR_BYTES:
        raise SegmentError("evidence-length", f"evidence has {PAIR_BYTES} bytes, not {len(pair)}")
    heads = []
    for signed in (pair[:SIGNED_BYTES], pair[SIGNED_BYTES:]):
        head = SegmentHead.decode(signed[:HEAD_BYTES])
        verify_head(head, signed[HEAD_BYTES:], key_of)
        heads.append(head)
    code = conflict(heads[0], heads[1])
    if code is None:
        raise SegmentError("not-a-fork", "these two heads can both be honest", where=str(heads[1]))
    return code


def is_fork_found(event: bytes) -> bool:
    """Whether a canonical event begins as evidence of a fork does."""
    return event[:2] == bytes((0x93, ForkFound.TYPE))


def is_first(tables: Tables, pair: bytes) -> bool:
    """Is this the first evidence against its author that was kept here?

    One is enough to warn of a key. Whoever has it can make any number, and they must not fill the feeds.
    """
    row = tables.db.execute(
        "SELECT f.held, other FROM ledger_forks AS f JOIN ledger_logs AS l ON l.n = f.log WHERE key_id = ? "
        "ORDER BY f.n LIMIT 1",
        (pair[8:16],),
    ).fetchone()
    return row is not None and b"".join(row) == pair


def goes_to_everybody(tables: Tables, events: Sequence[bytes]) -> bool:
    """Is this segment of our own a lone piece of evidence, the first against its author?"""
    if len(events) != 1 or not is_fork_found(events[0]):
        return False
    return is_first(tables, ForkFound.decode(events[0]).evidence)


def take_up(
    tables: Tables, key_of: Callable[[bytes], VerifyKey | None], segment: Segment, *, at: int
) -> None:
    """Somebody's segment was stored: freeze the logs that evidence in it convicts. Must be in a transaction.

    Evidence that convinces nobody, or against a key nobody introduced here, stays an event among others.
    """
    for event in [event for event in segment.events if is_fork_found(event)][:TAKEN_UP_MAX]:
        try:
            pair = ForkFound.decode(event).evidence
            head = SegmentHead.decode(pair[:HEAD_BYTES])
            log = tables.log(LogRef(head.key_id, head.log_id))
            if log is None or log.frozen:
                continue
            code = check(pair, key_of)
        except LoaError:
            continue
        tables.add_fork(
            log, code=code, held=pair[:SIGNED_BYTES], other=pair[SIGNED_BYTES:], received=b"",
            source=HEARD + segment.head.key_id.hex(), at=at,
        )  # fmt: skip
        tables.freeze(log)
        tables.unpark_log(log.ref)


def tell(ledger: Ledger, author: SigningKey, now: int) -> None:
    """Append what this ledger found out itself to what its author signs next, each piece once."""
    told = ledger.get(FORKS_TOLD, 0)
    assert isinstance(told, int)
    found = ledger.tables.forks(told)
    if not found:
        return
    with ledger.transaction():
        for evidence in found:
            if not evidence.source.startswith(HEARD):
                ledger.append(author, ForkFound(now, evidence.pair).encode())
        ledger.put(FORKS_TOLD, found[-1].number)
