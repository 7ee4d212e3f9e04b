"""What may be put on the plan: the questions a schedule must answer before anybody signs it.

A station would refuse to play outside the approval, in quiet hours or after the last day; the officer hears
it in the form, at the hub and at the commune, instead of reading it in a report tomorrow.

A number names a series for ever, and a station cannot ask the hub which are taken. So the numbers are shared
out: a hub draws below `COMMUNE_SERIES`, a commune's station from there on. Two communes may come to the same
number; their slots are at different stations and never meet.

Bound: pure functions over facts; what plays when is `plan.py`. A schedule that was never asked these
questions is judged there all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ledger.facts.calendar import BITMAP_DAYS_MAX, DAY_MAX, DAY_MINUTES, at
from ledger.facts.decisions import LATE_MAX_S, SLOT_LENGTH_MAX_S, Drafted
from ledger.facts.fields import SERIES_MAX
from ledger.facts.judge import in_quiet_hours
from ledger.facts.lives import APPROVED, WITHDRAWN
from ledger.facts.plan import slots, verdict
from ledger.facts.slot import Slot
from ledger.facts.state import Facts
from ledger.facts.units import covers
from ledger.log.errors import NotAllowed

COMMUNE_SERIES: Final = 1 << 30


def draw_series(facts: Facts, entropy: Callable[[int], bytes], *, commune: bool) -> int:
    """A number no series here has. Drawn, not counted: a store restored from an old image would count again
    what was already played under the lost numbers.
    """
    while True:
        series = int.from_bytes(entropy(4), "big") & SERIES_MAX & (COMMUNE_SERIES - 1)
        if commune:
            series |= COMMUNE_SERIES
        if series and series not in facts.orders:
            return series


def check_slot(
    facts: Facts,
    state: str,
    content: Drafted,
    *,
    territory: str,
    days: Sequence[int],
    minute: int,
    length_s: int,
    late_s: int,
    now: int,
) -> None:
    """Raises NotAllowed when a station would not play this, or when it makes no sense. state, content: of the
    bulletin's `Life`. days: sorted, each once.

    Codes: `withdrawn`, `not-approved`, `outside-approval`, `days-empty`, `days-range`, `minute-range`,
    `quiet-hours`.
    """
    if state == WITHDRAWN:
        raise NotAllowed("withdrawn", "the bulletin was withdrawn", hint="write a new one")
    if state != APPROVED:
        raise NotAllowed("not-approved", f"the bulletin is {state}", hint="wait for its approval")
    if not covers(content.territory, territory):
        raise NotAllowed(
            "outside-approval",
            f"it is approved for {content.territory} only",
            where=territory,
            hint="choose a unit below that, or revise the bulletin",
        )
    if not days:
        raise NotAllowed("days-empty", "no day is chosen", hint="choose at least one")
    if not 0 <= days[0] <= days[-1] <= min(DAY_MAX, days[0] + BITMAP_DAYS_MAX - 1):
        raise NotAllowed("days-range", "the days span more than a year", hint="make one series a year")
    if not content.valid_from_day <= days[0] <= days[-1] <= content.valid_until_day:
        raise NotAllowed(
            "outside-approval",
            "a day lies outside the approved days",
            hint="choose days within its validity, or revise the bulletin",
        )
    if not 0 <= minute < DAY_MINUTES:
        raise NotAllowed("minute-range", f"{minute} is no minute of a day", hint="from 00:00 to 23:59")
    if not 1 <= length_s <= SLOT_LENGTH_MAX_S or not 0 <= late_s <= LATE_MAX_S:
        raise NotAllowed(
            "minute-range", "the length or the late window is out of range", hint="at most four hours"
        )
    if at(days[0], minute) + late_s < now:
        raise NotAllowed("days-range", "the first slot is over already", hint="choose a later day or minute")
    _check_quiet(facts, territory, at(days[0], minute), length_s)


def clashes(
    facts: Facts, unit: str, *, days: Sequence[int], minute: int, length_s: int, klass: int
) -> list[Slot]:
    """The slots at `unit` that may play and share time with this, of its class or above; by start."""
    found = []
    for day in days:
        start_s = at(day, minute)
        for slot in slots(facts, unit, start_s - SLOT_LENGTH_MAX_S, start_s + length_s):
            shares = slot.start_s < start_s + length_s and start_s < slot.end_s
            if shares and slot.klass >= klass and verdict(facts, slot, slot.start_s) is None:
                found.append(slot)
    return found


def _check_quiet(facts: Facts, territory: str, start_s: int, length_s: int) -> None:
    # Most stations have the hours of the unit above them: without mergers no other hours than these can hold.
    named = [territory, *(unit for unit in facts.quiet if covers(territory, unit))]
    if not facts.lineages and not any(
        in_quiet_hours(facts.quiet_hours(unit), start_s, length_s) for unit in named
    ):
        return
    units = sorted(unit for unit in facts.stations if covers(territory, unit)) or [territory]
    loud = [unit for unit in units if in_quiet_hours(facts.quiet_hours(unit), start_s, length_s)]
    if loud:
        from_minute, until_minute = facts.quiet_hours(loud[0])
        raise NotAllowed(
            "quiet-hours",
            f"{len(loud)} stations are silent then",
            where=loud[0],
            hint=f"quiet from {_clock(from_minute)} to {_clock(until_minute)}; only an emergency may sound",
        )


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
