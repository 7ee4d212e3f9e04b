"""Where decisions that count stand: by what they speak of, in order of position.

`Facts` decides what counts and puts it here; `plan`, `judge`, the hub's views and a commune's page read it.
Nothing is overwritten: an order that a later one replaces stays before it on its shelf.

Bound: order of arrival only. What a later decision does to an earlier one is the reader's question.
"""

from __future__ import annotations

from bisect import insort
from typing import TypeVar

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
    EmergencyOrdered,
    QuietHoursSet,
    Scheduled,
    StationRegistered,
)
from ledger.facts.proposals import EmergencyProposed
from ledger.facts.signed import Signed
from ledger.facts.standing import Order, Standing


class Shelves:
    """approvals by bulletin, schedules and emergencies by series (`orders` has both), cancels by bulletin or
    series, quiet by territory, answers by series (`answered` by unit, then series), arrangements by
    (territory, day), directives by directive, reads by (directive, territory), attested by (territory,
    series, day), replies by feedback, proposals by series: each a list in order of position. stations: the
    latest registration by unit. drafts: the keys that drafted (bulletin, version).
    """

    def __init__(self) -> None:
        self.touched: list[tuple[str, bytes | int]] = []
        self.clear_shelves()

    def clear_shelves(self) -> None:
        self.approvals: dict[bytes, list[Standing[Approved]]] = {}
        self.schedules: dict[int, list[Standing[Scheduled]]] = {}
        self.emergencies: dict[int, list[Standing[EmergencyOrdered]]] = {}
        self.orders: dict[int, list[Standing[Order]]] = {}
        self.series_of: dict[str, set[int]] = {}
        self.cancels: dict[bytes | int, list[Standing[Cancelled]]] = {}
        self.quiet: dict[str, list[Standing[QuietHoursSet]]] = {}
        self.stations: dict[str, Standing[StationRegistered]] = {}
        self.drafts: dict[tuple[bytes, int], set[bytes]] = {}
        self.answers: dict[int, list[Standing[OfferAnswered]]] = {}
        self.answered: dict[str, dict[int, list[Standing[OfferAnswered]]]] = {}
        self.arrangements: dict[tuple[str, int], list[Standing[ProgrammeArranged]]] = {}
        self.directives: dict[bytes, list[Standing[DirectiveIssued]]] = {}
        self.reads: dict[tuple[bytes, str], list[Standing[DirectiveRead]]] = {}
        self.attested: dict[tuple[str, int, int], list[Standing[Attested]]] = {}
        self.replies: dict[bytes, list[Standing[FeedbackAnswered]]] = {}
        self.proposals: dict[int, list[Standing[EmergencyProposed]]] = {}

    def shelve(self, signed: Signed) -> None:
        """Puts a decision that counts into its place by position."""
        fact = signed.fact
        if isinstance(fact, Approved):
            _file(self.approvals, fact.bulletin, Standing(fact, signed))
            self.touched.append((fact.territory, fact.bulletin))
        elif isinstance(fact, Scheduled | EmergencyOrdered):
            if isinstance(fact, Scheduled):
                _file(self.schedules, fact.series, Standing(fact, signed))
            else:
                _file(self.emergencies, fact.series, Standing(fact, signed))
            _file(self.orders, fact.series, Standing(fact, signed))
            self.series_of.setdefault(fact.territory, set()).add(fact.series)
            self.touched.append((fact.territory, fact.series))
        elif isinstance(fact, Cancelled):
            target = fact.series if fact.series is not None else fact.bulletin
            assert target is not None, "parse names exactly one target"
            _file(self.cancels, target, Standing(fact, signed))
        elif isinstance(fact, QuietHoursSet):
            _file(self.quiet, fact.territory, Standing(fact, signed))
        elif isinstance(fact, StationRegistered):
            known = self.stations.get(fact.unit)
            if known is None or known.position < signed.position:
                self.stations[fact.unit] = Standing(fact, signed)
        elif isinstance(fact, OfferAnswered):
            _file(self.answers, fact.series, Standing(fact, signed))
            _file(self.answered.setdefault(fact.territory, {}), fact.series, Standing(fact, signed))
            self.touched.append((fact.territory, b""))  # when it begins, not who ordered it
        elif isinstance(fact, ProgrammeArranged):
            _file(self.arrangements, (fact.territory, fact.day), Standing(fact, signed))
        elif isinstance(fact, DirectiveIssued):
            _file(self.directives, fact.directive, Standing(fact, signed))
        elif isinstance(fact, DirectiveRead):
            _file(self.reads, (fact.directive, fact.territory), Standing(fact, signed))
        elif isinstance(fact, Attested):
            _file(self.attested, (fact.territory, fact.series, fact.day), Standing(fact, signed))
        elif isinstance(fact, FeedbackAnswered):
            _file(self.replies, fact.feedback, Standing(fact, signed))
        elif isinstance(fact, EmergencyProposed):
            _file(self.proposals, fact.series, Standing(fact, signed))


_T = TypeVar("_T")
_K = TypeVar("_K")


def _file(shelf: dict[_K, list[Standing[_T]]], key: _K, decision: Standing[_T]) -> None:
    """Into its place by position, which is not always the end: what was refused may be allowed later."""
    insort(shelf.setdefault(key, []), decision, key=lambda one: one.position)
