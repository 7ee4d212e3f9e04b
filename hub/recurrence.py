"""An operator's rule ("Mondays and Thursdays until the end of March, not on holidays") → the days it means.

What is signed is the flat list of days as a bitmap (`Scheduled.first_day`, `days`): a station needs no rule
engine and cannot read a rule otherwise than the hub did. The rule itself is not signed and not kept; the page
shows the days before anybody signs them.

The days are those between the first and the last that fall on a wanted weekday, in a wanted week of their
month, and suit the choice about holidays; then the dates that were named are added, and the exceptions taken
away, whatever added them. A date that somebody named outright counts on a holiday too.

A series holds at most `SPAN_DAYS_MAX` days from its first to its last: longer rules are refused, not split.
One series is what an operator cancels and what a report names; a rule that silently became three would be
cancelled by a third.

Bound: pure functions over local day numbers (days since 1970-01-01 local). Which days are holidays is
`hub.holidays`, whether the hours are quiet is asked by `ledger.facts.booking`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Final

from ledger.facts import calendar, pack_days

SPAN_DAYS_MAX: Final = calendar.BITMAP_DAYS_MAX
EVERY_DAY: Final = frozenset(range(7))
LAST: Final = -1
WEEKS: Final = (1, 2, 3, 4, LAST)  # "the fifth" is left out: most months have none, and people mean the last
_EPOCH: Final = date(1970, 1, 1)


class OnHolidays(IntEnum):
    """What the rule says of public holidays."""

    PLAY = 0  # a day like others
    SKIP = 1
    ONLY = 2


@dataclass(frozen=True)
class Rule:
    """first, last: local days, both inclusive. weekdays: 0 = Monday. weeks: of `WEEKS`, which of its kind in
    the month the day must be (the second Tuesday); empty for every week. also, never: single days.
    """

    first: int
    last: int
    weekdays: frozenset[int] = EVERY_DAY
    weeks: frozenset[int] = frozenset()
    on_holidays: OnHolidays = OnHolidays.PLAY
    also: frozenset[int] = frozenset()
    never: frozenset[int] = frozenset()

    def days(self, holidays: Collection[int] = ()) -> tuple[int, ...]:
        """The days it means, ascending. holidays: local days; ValueError when the rule spans too long."""
        span = max([self.last, *self.also]) - min([self.first, *self.also]) + 1
        if self.last >= self.first and span > SPAN_DAYS_MAX:
            raise ValueError(f"{span} days from the first to the last, at most {SPAN_DAYS_MAX}")
        regular = {day for day in range(self.first, self.last + 1) if self._fits(day, holidays)}
        found = sorted((regular | self.also) - self.never)
        if found and found[-1] - found[0] >= SPAN_DAYS_MAX:
            raise ValueError(f"more than {SPAN_DAYS_MAX} days from the first to the last")
        return tuple(found)

    def _fits(self, day: int, holidays: Collection[int]) -> bool:
        if weekday_of(day) not in self.weekdays:
            return False
        if self.weeks and not self.weeks & _weeks_of(day):
            return False
        if self.on_holidays == OnHolidays.PLAY:
            return True
        return (day in holidays) == (self.on_holidays == OnHolidays.ONLY)


def weekday_of(day: int) -> int:
    """0 = Monday; 1 January 1970 was a Thursday."""
    return (day + 3) % 7


def compiled(days: tuple[int, ...]) -> tuple[int, bytes]:
    """(first_day, bitmap) as `Scheduled` names them. days: ascending, at least one."""
    return days[0], pack_days(days[0], days)


def upcoming(days: Collection[int], today: int, count: int = 5) -> tuple[int, ...]:
    """The next `count` of these days, today included."""
    return tuple(sorted(day for day in days if day >= today)[:count])


def _weeks_of(day: int) -> frozenset[int]:
    """Which of its weekday in its month a day is: {2}, and {4, LAST} where no later one follows."""
    when = _EPOCH + timedelta(days=day)
    nth = (when.day - 1) // 7 + 1
    is_last = (when + timedelta(days=7)).month != when.month
    return frozenset({nth, LAST} if is_last else {nth})
