"""What makes an event a decision: who must be able to sign it for what, and whom it concerns.

Bound: tables and small questions; the fold itself is `state.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from ledger.facts.commune import (
    Attested,
    DirectiveIssued,
    DirectiveRead,
    FeedbackAnswered,
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
    Scheduled,
    StationRegistered,
)
from ledger.facts.endings import Revoked, RootsSet, Rotated
from ledger.facts.events import parse, peek_type
from ledger.facts.merging import UnitMerged
from ledger.facts.proposals import EmergencyProposed
from ledger.facts.rights import Right
from ledger.facts.signed import Signed
from ledger.facts.units import ancestors

DECISION_TYPES: Final = frozenset(
    kind.TYPE
    for kind in (
        Approved,
        Scheduled,
        EmergencyOrdered,
        Cancelled,
        QuietHoursSet,
        Drafted,
        StationRegistered,
        OfferAnswered,
        ProgrammeArranged,
        DirectiveIssued,
        Attested,
        FeedbackAnswered,
        DirectiveRead,
        EmergencyProposed,
        Granted,
        Rotated,
        Revoked,
        RootsSet,
        UnitMerged,
    )
)

MERGE: Final = Right.ADMIN | Right.GRANT  # over the unit that is merged and over what takes it in

_ENDINGS: TypeAlias = Rotated | Revoked | RootsSet

# What a commune's people and those who write to them sign, and the right each needs.
CIVIC: Final = {
    OfferAnswered: Right.PROGRAMME,
    ProgrammeArranged: Right.PROGRAMME,
    DirectiveIssued: Right.ISSUE,
    Attested: Right.ATTEST,
    FeedbackAnswered: Right.CORRESPOND,
    DirectiveRead: Right.CORRESPOND,
}
Civic: TypeAlias = (
    OfferAnswered | ProgrammeArranged | DirectiveIssued | Attested | FeedbackAnswered | DirectiveRead
)

HUB_ONLY: Final = "-"  # audience of a draft and of a proposal: replayed by the hub, in no station's territory

NO_AUTHORITY: Final = "no-authority"
KEY_ENDED: Final = "key-ended"
SELF_APPROVED: Final = "self-approved"
SERIES_TAKEN: Final = "series-taken"
NOT_SEALED_ALONE: Final = "not-sealed-alone"

F_co = TypeVar("F_co", covariant=True)
Order: TypeAlias = Scheduled | EmergencyOrdered


@dataclass(frozen=True)
class Standing(Generic[F_co]):
    """A decision that counts: its fact, and the event it was signed as."""

    fact: F_co
    signed: Signed

    @property
    def position(self) -> int:
        """Local arrival order; a later one speaks after an earlier one."""
        return self.signed.position

    @property
    def key_id(self) -> bytes:
        """Who signed."""
        return self.signed.key_id


Withdrawable: TypeAlias = (
    Standing[Approved] | Standing[Scheduled] | Standing[EmergencyOrdered] | Standing[Order]
)


def audience_of(events: Sequence[bytes]) -> str | None:
    """Whom a segment concerns: the territory of a lone decision that stations need, `HUB_ONLY` for a draft
    or a proposal.

    None for everything else: machine events, batches, malformed and unknown ones.
    """
    if len(events) != 1 or peek_type(events[0]) not in DECISION_TYPES:
        return None
    fact = parse(events[0])
    if isinstance(fact, Drafted | EmergencyProposed):
        return HUB_ONLY
    if isinstance(fact, StationRegistered | UnitMerged):
        return fact.unit
    if isinstance(
        fact,
        Approved | Scheduled | EmergencyOrdered | Cancelled | QuietHoursSet | Granted | _ENDINGS | Civic,
    ):
        return fact.territory
    return None


def order_right(order: Order) -> Right:
    return Right.SCHEDULE if isinstance(order, Scheduled) else Right.EMERGENCY


def asks(signed: Signed) -> tuple[Right, str, int]:
    """What the signer of a decision must hold: the right, the territory, and the instant it is judged at."""
    fact = signed.fact
    if isinstance(fact, Approved):
        return Right.APPROVE, fact.territory, fact.ts
    if isinstance(fact, Scheduled | EmergencyOrdered):
        return order_right(fact), fact.territory, fact.ts
    if isinstance(fact, EmergencyProposed):
        return Right.EMERGENCY, fact.territory, fact.ts
    if isinstance(fact, Cancelled):
        return Right.CANCEL, fact.territory, fact.ts
    if isinstance(fact, QuietHoursSet):
        return Right.ADMIN, fact.territory, fact.ts
    if isinstance(fact, StationRegistered):
        return Right.ADMIN, fact.unit, fact.ts
    if isinstance(fact, UnitMerged):  # it gives others rights over the unit, so it asks for what a grant does
        return MERGE, fact.unit, fact.ts
    if isinstance(fact, Civic):
        return CIVIC[type(fact)], fact.territory, fact.ts
    assert isinstance(fact, Drafted), "admit lets only decisions through"
    return Right.DRAFT, fact.territory, fact.ts


def taken_of(
    orders: Sequence[Standing[Order]],
    may_replace: Callable[[Standing[Order], Sequence[Standing[Order]]], bool],
) -> list[Standing[Order]]:
    """Of one series, the orders that claim what another key uses already for their territory or more."""
    taken: list[Standing[Order]] = []
    standing: dict[str, list[Standing[Order]]] = {}  # by territory: a group has hundreds of one series
    for order in orders:
        above = [one for unit in ancestors(order.fact.territory) for one in standing.get(unit, ())]
        if may_replace(order, above):
            standing.setdefault(order.fact.territory, []).append(order)
        else:
            taken.append(order)
    return taken
