"""From bytes to facts: the one table of type numbers, and `parse`, which never raises.

A type number fixes arity and meaning for ever. Whatever is not a fact of this table, in the form the table
says, is `Malformed` with a reason: such an event is kept in its log, forwarded, provable and never applied,
so that one bad or newer event cannot wedge a log.

Bound: form only. Whether a well-formed decision counts is `state.py`'s question.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from ledger.facts.commune import (
    Attested,
    BoardShown,
    ClustersListed,
    DirectiveIssued,
    DirectiveRead,
    FeedbackAnswered,
    FeedbackReceived,
    KeyOffered,
    OfferAnswered,
    ProgrammeArranged,
)
from ledger.facts.decisions import (
    Approved,
    Cancelled,
    Drafted,
    EmergencyOrdered,
    Granted,
    QuietHoursSet,
    Returned,
    Scheduled,
    StationRegistered,
    Submitted,
)
from ledger.facts.endings import Revoked, RootsSet, Rotated
from ledger.facts.fields import Kind, Malformed
from ledger.facts.merging import UnitMerged
from ledger.facts.proposals import EmergencyProposed
from ledger.facts.reports import Acknowledged, ClockStepped, DaySummary, Refused, WithdrawalSeen
from ledger.log import codec
from ledger.log.errors import LoaError
from ledger.log.journal import ForkFound, Ingested, LogOpened

Decision: TypeAlias = (
    Approved
    | Scheduled
    | EmergencyOrdered
    | Cancelled
    | QuietHoursSet
    | Drafted
    | Submitted
    | Returned
    | StationRegistered
    | OfferAnswered
    | ProgrammeArranged
    | DirectiveIssued
    | Attested
    | FeedbackAnswered
    | DirectiveRead
    | EmergencyProposed
    | Granted
    | Rotated
    | Revoked
    | RootsSet
    | UnitMerged
)
Report: TypeAlias = (
    Acknowledged
    | DaySummary
    | ClockStepped
    | Refused
    | WithdrawalSeen
    | FeedbackReceived
    | KeyOffered
    | BoardShown
    | ClustersListed
)
Journal: TypeAlias = LogOpened | Ingested | ForkFound
Fact: TypeAlias = Decision | Report | Journal

_KINDS: Final[dict[int, type[Kind]]] = {
    kind.TYPE: kind
    for kind in (
        Approved,
        Scheduled,
        EmergencyOrdered,
        Cancelled,
        QuietHoursSet,
        Drafted,
        Submitted,
        Returned,
        StationRegistered,
        OfferAnswered,
        ProgrammeArranged,
        DirectiveIssued,
        Attested,
        FeedbackAnswered,
        DirectiveRead,
        Acknowledged,
        FeedbackReceived,
        DaySummary,
        ClockStepped,
        Refused,
        WithdrawalSeen,
        KeyOffered,
        BoardShown,
        ClustersListed,
        EmergencyProposed,
        Granted,
        Rotated,
        Revoked,
        RootsSet,
        UnitMerged,
    )
}
_JOURNAL: Final[dict[int, type[LogOpened] | type[Ingested] | type[ForkFound]]] = {
    LogOpened.TYPE: LogOpened,
    Ingested.TYPE: Ingested,
    ForkFound.TYPE: ForkFound,
}


def parse(event: bytes) -> Fact | Malformed:
    """The fact in an event's bytes, or Malformed with the reason. Never raises."""
    try:
        values = codec.decode(event)
    except LoaError as refused:
        return Malformed(event, refused.code)
    number = values[0]
    if type(number) is not int:
        return Malformed(event, "bad-type")
    kind = _KINDS.get(number)
    if kind is not None:
        fact = kind.from_values(values)
        return Malformed(event, fact) if isinstance(fact, str) else fact  # type: ignore[return-value]
    journal = _JOURNAL.get(number)
    if journal is None:
        return Malformed(event, "unknown-type")
    try:
        return journal.decode(event)
    except LoaError as refused:
        return Malformed(event, refused.code)


def known_types() -> str:
    """The type numbers of this program, as text: what it understands that another may not."""
    return ",".join(map(str, sorted({*_KINDS, *_JOURNAL})))


def peek_type(event: bytes) -> int | None:
    """The type number by the first bytes alone, without decoding the event; None when it has none.

    Cheap enough to ask of every acknowledgment of a province.
    """
    start = 3 if event[:1] == b"\xdc" else 1
    head = event[start : start + 2]
    if not head:
        return None
    if head[0] < 0x80:
        return head[0]
    return head[1] if head[0] == 0xCC and len(head) == 2 else None
