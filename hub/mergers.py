"""Mergers of units at the hub: from a table of who becomes part of what, checked whole, signed one by one.

A province learns of mergers by a resolution, as a table of old and new communes. All rows are looked at
before the first is signed, so a slip in the last one signs nothing. What stands already is not signed again.

Bound: what a merger means is `ledger.facts.lineage`; no page of its own yet, `loa hub merge` reads the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.accounts import Officer
from hub.desk import Desk, act
from hub.endings import why_not
from ledger.content import accept_line
from ledger.facts import NAME_CHARS_MAX, Right, UnitMerged, covers, is_unit
from ledger.log import NotAllowed


@dataclass(frozen=True)
class Merger:
    """One row of the table. from_day: local day. name: what `into` is called."""

    unit: str
    into: str
    from_day: int
    name: str


@dataclass(frozen=True)
class Moved:
    """What a merger does. stations: those at or below the unit. known: it is signed already."""

    merger: Merger
    stations: tuple[str, ...]
    known: bool


class Mergers(Desk):
    """Acts on units. Refusals are NotAllowed with a stable code; `now` is UTC s."""

    @act
    def foresee_mergers(self, officer: Officer, mergers: Sequence[Merger], *, now: int) -> list[Moved]:
        """What these would do; raises as `merge_units` does, and signs nothing."""
        return self._checked(officer, mergers, now)

    @act
    def merge_units(self, officer: Officer, mergers: Sequence[Merger], *, now: int) -> list[Moved]:
        """All of them or none, each a signed event.

        NotAllowed: `no-right`, `proof-needed`, `unit-unknown`, `merge-twice`, `merge-within`, `merge-circle`,
        `name-…`, or the reason for which it would not count.
        """
        self._proven(officer, now)
        moved = self._checked(officer, mergers, now)
        with self._ledger.transaction():
            for one in moved:
                row = one.merger
                if one.known:
                    continue
                fact = UnitMerged(now, row.unit, row.into, row.from_day, row.name)
                stored = self._ledger.append_sealed(officer.key, fact.encode())
                refusal = why_not(self._facts, stored)
                if refusal:
                    raise NotAllowed(
                        refusal, "this merger would not count", where=row.unit,
                        hint="somebody who may administer and grant over both units has to sign it",
                    )  # fmt: skip
        return moved

    def _checked(self, officer: Officer, mergers: Sequence[Merger], now: int) -> list[Moved]:
        into = {row.unit: row.into for row in mergers}
        if len(into) != len(mergers):
            twice = next(row.unit for row in mergers if sum(one.unit == row.unit for one in mergers) > 1)
            raise NotAllowed(
                "merge-twice", "a unit stands in the table twice", where=twice,
                hint="a unit goes as a whole: name the one in which its station stands",
            )  # fmt: skip
        return [self._one(officer, row, into, now) for row in mergers]

    def _one(self, officer: Officer, row: Merger, into: dict[str, str], now: int) -> Moved:
        for unit in (row.unit, row.into):
            if not is_unit(unit):
                raise NotAllowed("unit-unknown", f"{unit!r} is no unit", hint="a path such as vn.yb.04630")
            for right in (Right.ADMIN, Right.GRANT):
                self._may(officer, right, unit, now)
        stations = tuple(sorted(unit for unit in self._facts.stations if covers(row.unit, unit)))
        if not stations and row.unit not in self._facts.lineages.heard_of():
            raise NotAllowed(
                "unit-unknown", "no station stands there and nothing was merged into it", where=row.unit,
                hint="correct the table, or register the station first",
            )  # fmt: skip
        if covers(row.unit, row.into) or covers(row.into, row.unit):
            raise NotAllowed(
                "merge-within", f"{row.into} lies above it, below it or is itself", where=row.unit,
                hint="give the new commune a unit of its own, such as vn.yb.2025-04630",
            )  # fmt: skip
        if row.unit in self._facts.lineages.names(row.into) or _returns(row.unit, into):
            raise NotAllowed(
                "merge-circle", f"{row.into} is part of it already, or would be", where=row.unit,
                hint="one of the two mergers is the wrong way round",
            )  # fmt: skip
        accept_line(row.name, what="name", chars_max=NAME_CHARS_MAX)
        stands = self._facts.lineages.words_of(row.unit)
        known = bool(stands) and (row.into, row.from_day, row.name) == (
            stands[-1].fact.into, stands[-1].fact.from_day, stands[-1].fact.name,
        )  # fmt: skip
        return Moved(row, stations, known)


def _returns(unit: str, into: dict[str, str]) -> bool:
    """True when the table itself leads from this unit back to it."""
    met, at = {unit}, into.get(unit)
    while at is not None and at not in met:
        met.add(at)
        at = into.get(at)
    return at == unit
