"""What may be put on the plan: the questions a schedule must answer before anybody signs it.

A station would refuse to play outside the approval, in quiet hours or after the last day; the officer hears
it in the form instead of reading it in a report tomorrow.

Bound: pure functions over facts and the aggregate; what plays when is `ledger.facts.plan`.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.bulletins import APPROVED, WITHDRAWN, Bulletin
from ledger.facts import (
    EMERGENCY_LIFE_DEFAULT_S,
    EMERGENCY_LIFE_MAX_S,
    LATE_MAX_S,
    SLOT_LENGTH_MAX_S,
    Facts,
    at,
    calendar,
    covers,
    in_quiet_hours,
    pack_days,
)
from ledger.log import NotAllowed

AHEAD_MAX_S = 86_400  # an emergency is ordered for now; further ahead it is a bulletin


def check_slot(
    facts: Facts,
    bulletin: Bulletin,
    *,
    territory: str,
    days: Sequence[int],
    minute: int,
    length_s: int,
    late_s: int,
    now: int,
) -> None:
    """Raises NotAllowed when a station would not play this, or when it makes no sense. days: sorted, each
    once.

    Codes: `withdrawn`, `not-approved`, `outside-approval`, `days-empty`, `days-range`, `minute-range`,
    `quiet-hours`.
    """
    content = bulletin.content
    if bulletin.state == WITHDRAWN:
        raise NotAllowed("withdrawn", "the bulletin was withdrawn", hint="write a new one")
    if bulletin.state != APPROVED:
        raise NotAllowed("not-approved", f"the bulletin is {bulletin.state}", hint="wait for its approval")
    if not covers(content.territory, territory):
        raise NotAllowed(
            "outside-approval",
            f"it is approved for {content.territory} only",
            where=territory,
            hint="choose a unit below that, or revise the bulletin",
        )
    if not days:
        raise NotAllowed("days-empty", "no day is chosen", hint="choose at least one")
    if not 0 <= days[0] <= days[-1] <= min(calendar.DAY_MAX, days[0] + calendar.BITMAP_DAYS_MAX - 1):
        raise NotAllowed("days-range", "the days span more than a year", hint="make one series a year")
    if not content.valid_from_day <= days[0] <= days[-1] <= content.valid_until_day:
        raise NotAllowed(
            "outside-approval",
            "a day lies outside the approved days",
            hint="choose days within its validity, or revise the bulletin",
        )
    if not 0 <= minute < calendar.DAY_MINUTES:
        raise NotAllowed("minute-range", f"{minute} is no minute of a day", hint="from 00:00 to 23:59")
    if not 1 <= length_s <= SLOT_LENGTH_MAX_S or not 0 <= late_s <= LATE_MAX_S:
        raise NotAllowed(
            "minute-range", "the length or the late window is out of range", hint="at most four hours"
        )
    if at(days[0], minute) + late_s < now:
        raise NotAllowed("days-range", "the first slot is over already", hint="choose a later day or minute")
    _check_quiet(facts, territory, at(days[0], minute), length_s)


def _check_quiet(facts: Facts, territory: str, start_s: int, length_s: int) -> None:
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


def day_bitmap(days: Sequence[int]) -> tuple[int, bytes]:
    """First day and bitmap of sorted days."""
    return days[0], pack_days(days[0], days)


def emergency_window(not_before: int | None, expires_at: int | None, now: int) -> tuple[int, int]:
    """(begin, end) in UTC s. NotAllowed("expiry-range") beyond a day, or for an end that has passed."""
    begins = now if not_before is None else not_before
    ends = begins + EMERGENCY_LIFE_DEFAULT_S if expires_at is None else expires_at
    if not now <= begins <= now + AHEAD_MAX_S or not begins < ends <= begins + EMERGENCY_LIFE_MAX_S:
        raise NotAllowed(
            "expiry-range",
            "an emergency begins within a day and ends within a day of its beginning",
            hint="two hours are usual; order it again when it must go on",
        )
    return begins, ends


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
