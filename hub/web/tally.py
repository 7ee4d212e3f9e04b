"""Outcomes counted for the eye: always in one order, with a bar that repeats in length what the numbers say.

The bar is drawn by the server as plain rectangles; the list of numbers beside it is its twin for whoever
cannot see it. What nobody reported has its own piece: a bar that left it out would make silence look like
success.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.web.names import OUTCOME_ORDER, UNKNOWN, evidence_name, outcome_look, outcome_name, type_look
from hub.web.tongue import gettext
from ledger.facts import Evidence, Outcome, expected

if TYPE_CHECKING:
    from hub.hub import Hub
    from hub.rows import AsRunRow

HEARD: Final = (int(Outcome.PLAYED), int(Outcome.PLAYED_LATE))
BAR: Final = 1000  # units of the bar's width


@dataclass(frozen=True)
class Piece:
    """One outcome: its look, its word, how often, and where it lies on the bar (x, width of 1000)."""

    look: type_look
    word: str
    count: int
    x: int
    width: int


def pieces(
    counted: Mapping[int, int], *, attested: int = 0, unknown: int = 0, ahead: int = 0
) -> list[Piece]:
    """Outcome code → count, then operators' words, what nobody reported, and what has not come yet."""
    listed = [(outcome_look(code), outcome_name(code), counted.get(int(code), 0)) for code in OUTCOME_ORDER]
    listed.append((("fm", "mute"), evidence_name(Evidence.OPERATOR_ATTESTED), attested))
    listed.append((UNKNOWN, gettext("chưa rõ"), unknown))
    listed.append((("wait", "none"), gettext("chưa tới giờ"), ahead))
    total = sum(count for _, _, count in listed)
    found, seen = [], 0
    for look, word, count in listed:
        if count:
            x = BAR * seen // total
            seen += count
            found.append(Piece(look, word, count, x, max(1, BAR * seen // total - x)))
    return found


def apart(rows: Iterable[AsRunRow]) -> tuple[Counter[int], int]:
    """What stations said themselves, by outcome; and how many rows are an operator's word."""
    listed = list(rows)
    own = Counter(row.outcome for row in listed if row.means < 0)
    return own, len(listed) - own.total()


def by_name(outcomes: Mapping[str, int]) -> dict[int, int]:
    """`Summary` counts by lower-case name."""
    return {int(Outcome[name.upper()]): count for name, count in outcomes.items()}


def not_yet(hub: Hub, day: int, now: int) -> int:
    """Planned slots of a local day that have not begun: nobody can have reported them yet."""
    with hub.lock:
        units = [unit for unit, one in hub.facts.stations.items() if one.fact.kind == "it"]
        return sum(slot.start_s > now for slot in expected(hub.facts, units, day))


def split(runs: Iterable[AsRunRow]) -> tuple[list[AsRunRow], list[AsRunRow]]:
    """(what somebody should look at, what was played), each by station."""
    listed = sorted(runs, key=lambda run: run.unit)
    return [r for r in listed if r.outcome not in HEARD], [r for r in listed if r.outcome in HEARD]
