"""A merger of units: from a day on, one unit is part of another. Type 68.

Communes merge, and provinces do. Nothing is renumbered then: a station keeps its unit, its key and its logs,
and everything that was signed for the old unit goes on. What a merger adds is a second way up: orders for the
unit that it became part of reach it too (`lineage.py`).

Bound: the fact's form. What a unit is heard under is `lineage.py`, whose word counts `state.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ledger.facts.calendar import DAY_MAX
from ledger.facts.decisions import NAME_CHARS_MAX
from ledger.facts.fields import Check, Kind, chars, or_nil, unit_path, whole
from ledger.facts.units import covers


@dataclass(frozen=True)
class UnitMerged(Kind):
    """From the local day `from_day` on, `unit` and all below it are part of `into`, which is called `name`.

    The latest word about a unit replaces earlier ones of it from its own day on. into and name nil: from that
    day on no earlier word counts.
    """

    TYPE: ClassVar[int] = 68

    unit: str
    into: str | None
    from_day: int
    name: str | None

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "unit": unit_path,
        "into": or_nil(unit_path),
        "from_day": whole(0, DAY_MAX),
        "name": or_nil(chars(1, NAME_CHARS_MAX)),
    }

    def problem(self) -> str | None:
        if (self.into is None) != (self.name is None):
            return "bad-name"
        # What lies above a unit already, or below it, cannot take it in.
        inside = self.into is not None and (covers(self.into, self.unit) or covers(self.unit, self.into))
        return "bad-into" if inside else None
