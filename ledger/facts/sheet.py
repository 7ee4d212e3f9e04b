"""The run sheet: what an operator plays by hand, in order, for a station that takes nothing from the network.

A line for each slot that the plan lets play: its number (the same as that of its file on the stick), when,
how long, and the code by which it is confirmed over the telephone. What may not play is not on the sheet;
what gives way to something higher at its minute is, and says to what.

Bound: rows, a pure function of facts. How they are drawn is `ledger.sheet`; files are the hub's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.facts.attesting import slot_code
from ledger.facts.calendar import at
from ledger.facts.plan import explain, slots, verdict
from ledger.facts.slot import Slot
from ledger.facts.state import Facts

SHEET_DAYS: Final = 7
SHEET_DAYS_MAX: Final = 31
LINES_MAX: Final = 999  # the number has three digits


@dataclass(frozen=True)
class SheetLine:
    """One slot. number: from 1, in order of play. gives_way: title of what takes its minute, "" for none."""

    number: int
    slot: Slot
    code: str
    gives_way: str = ""


def sheet_of(facts: Facts, unit: str, first_day: int, days: int = SHEET_DAYS) -> tuple[SheetLine, ...]:
    """The lines of a unit for some days from `first_day` on, in order of play, at most 999."""
    found = [
        slot
        for slot in slots(facts, unit, at(first_day), at(first_day + min(days, SHEET_DAYS_MAX)))
        if verdict(facts, slot, slot.start_s) is None
    ]
    lines = []
    for number, slot in enumerate(found[:LINES_MAX], start=1):
        winner = explain(facts, unit, slot.start_s).winner
        way = winner.title or "–" if winner is not None and winner.key != slot.key else ""
        lines.append(SheetLine(number, slot, slot_code(slot), way))
    return tuple(lines)
