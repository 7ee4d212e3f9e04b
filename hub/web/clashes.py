"""What an order would meet, told for people: one line for each other item, with its days and its stations.

Bound: wording and grouping of `ledger.facts.Outlook`; who wins was decided there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.web.words import lang
from ledger.facts import at, in_quiet_hours, minute_of_day, plan, say_detail

if TYPE_CHECKING:
    from hub.hub import Hub
    from hub.timetable import Ahead
    from hub.wanted import Wanted
    from ledger.facts import Meeting, Outlook

SHIFT_MINUTES_MAX: Final = 120  # a free minute further off than this is another time of day


@dataclass(frozen=True)
class Clash:
    """One other series. wins: ours does. days, units: where they meet. late_s: how much after its minute ours
    could begin once the other is over, None when that is beyond its late window.
    """

    series: int
    title: str
    klass: int
    emergency: bool
    start_s: int
    length_s: int
    wins: bool
    why: str
    days: tuple[int, ...]
    units: tuple[str, ...]
    late_s: int | None


def clashes(outlook: Outlook, wanted: Wanted) -> list[Clash]:
    """Those that ours must yield to first, then by their minute."""
    found: dict[tuple[int, bool, str], list[Meeting]] = {}
    for met in outlook.meetings:
        why = say_detail(int(met.why.detail), lang())
        found.setdefault((met.other.series, met.wins, why), []).append(met)
    told = []
    for (series, wins, why), same in found.items():
        other = same[0].other
        waits = max(met.other.end_s - at(met.day, wanted.minute) for met in same)
        told.append(
            Clash(
                series,
                other.title,
                other.klass,
                other.emergency,
                other.start_s,
                other.length_s,
                wins,
                why,
                tuple(sorted({met.day for met in same})),
                tuple(sorted({unit for met in same for unit in met.units})),
                waits if waits <= wanted.late_s else None,
            )
        )
    return sorted(told, key=lambda one: (one.wins, minute_of_day(one.start_s), one.series))


def free_minute(hub: Hub, ahead: Ahead, wanted: Wanted) -> int | None:
    """The first later minute at which nothing of these days is planned at these stations; None when ours
    meets nothing it must yield to, or no such minute comes within two hours.
    """
    outlook = ahead.outlook
    if not outlook.yields:
        return None
    taken = [
        (slot.start_s - at(met.day), slot.end_s - at(met.day))
        for met in outlook.yields
        for slot in plan.slots(hub.facts, met.units[0], at(met.day), at(met.day + 1))
        if not slot.declined
    ]
    quiet = {hub.facts.quiet_hours(unit) for unit in ahead.stations}
    for minute in range(wanted.minute + 1, min(wanted.minute + SHIFT_MINUTES_MAX, 1440)):
        begin, end = minute * 60, minute * 60 + ahead.length_s
        free = all(end <= first or last <= begin for first, last in taken)
        if free and not any(
            in_quiet_hours(hours, at(wanted.days[0], minute), ahead.length_s) for hours in quiet
        ):
            return minute
    return None
