"""What a report is: what was asked, the tables that answer it, and the bytes their digest is taken over.

One set of rows serves the screen, the files and the print. They hold numbers and stable slugs, never words of
a language, so that a report read in English and one printed in Vietnamese have one digest. The canonical text
is plain lines (docs/spec/report.md): whoever has it needs nothing but `sha256sum` to compare two reports.

Bound: values and bytes. Where the figures come from is `reporting` and `tallies`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, TypeAlias

from ledger.facts import calendar

Cell: TypeAlias = int | str
FORMAT: Final = "loa-report 1"
DAYS_MAX: Final = 3_700  # ten years, the longest anybody looked back so far
_ESCAPES: Final = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


@dataclass(frozen=True)
class Ask:
    """What a report is about. first_day, last_day: local days, both counted. group: "" for the territory as a
    whole, else the id of a group of its stations, which are `units` then. category: "" for all.
    campaign: "" for everything, else its name, and its bulletins (hex ids) as they were when it was asked.
    """

    first_day: int
    last_day: int
    territory: str
    group: str = ""
    units: frozenset[str] = frozenset()
    category: str = ""
    campaign: str = ""
    bulletins: frozenset[str] = frozenset()

    @property
    def is_narrow(self) -> bool:
        """True when only slots of some bulletins are counted."""
        return bool(self.category or self.campaign)

    def lines(self) -> list[str]:
        """The head of the canonical text."""
        return [
            f"period\t{calendar.iso(self.first_day)}\t{calendar.iso(self.last_day)}",
            f"territory\t{self.territory}",
            f"group\t{_escaped(self.group)}\t{' '.join(sorted(self.units))}",
            f"category\t{_escaped(self.category)}",
            f"campaign\t{_escaped(self.campaign)}\t{' '.join(sorted(self.bulletins))}",
        ]


@dataclass(frozen=True)
class Table:
    """columns: slugs. rows: in their order, each as long as the columns."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def figure(self, row: str, column: str) -> Cell:
        """The cell of the row whose first cell is `row`. KeyError when there is none."""
        for cells in self.rows:
            if cells[0] == row:
                return cells[self.columns.index(column)]
        raise KeyError(row)


@dataclass(frozen=True)
class Report:
    """position, trail: the place in the hub's ledger that all rows speak of, and the hash over everything
    that arrived up to there. head: the hub's own log then, as (log id, next number, hash); None when it has
    none.
    """

    ask: Ask
    tables: tuple[Table, ...]
    position: int
    trail: bytes
    head: tuple[bytes, int, bytes] | None

    def table(self, name: str) -> Table:
        """By name. KeyError."""
        for one in self.tables:
            if one.name == name:
                return one
        raise KeyError(name)

    def canonical(self) -> bytes:
        """The bytes the digest is over: what was asked and every row; not the position, so that figures
        that later arrivals did not change keep their digest.
        """
        lines = [FORMAT, *self.ask.lines()]
        for table in self.tables:
            lines.append("\t".join(("table", table.name, *table.columns)))
            lines += ["\t".join(_escaped(str(cell)) for cell in row) for row in table.rows]
        return "\n".join(lines).encode() + b"\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical text, in hex."""
        return hashlib.sha256(self.canonical()).hexdigest()


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in text)
