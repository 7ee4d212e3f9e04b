"""A station's own rhythm: how often it usually speaks, and at which hours; late is what breaks that.

One station calls every quarter of an hour, one has power only by day, one is a stick that comes back every
second week. A fixed number of minutes would cry wolf at two of them every night. So each is measured by its
own gaps: it is late when it missed its own expected contact twice, and hours in which it is usually not heard
do not count.

Bound: values and arithmetic on instants (UTC s); who was heard when is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Final

from ledger.facts import UTC_OFFSET_S

GAPS_KEPT: Final = 8
DAYS_KEPT: Final = 7
SAME_VISIT_S: Final = 60  # several rounds of one call, or of one stick: no gap of its rhythm
LEAST_S: Final = 900  # a station's ordinary period; a hurried one is not late when it stops hurrying
UNLEARNED_S: Final = 86_400  # what is expected of a station of which three gaps are not known yet
GAPS_LEARNED: Final = 3
SLACK_S: Final = 120
LONG_S: Final = 43_200  # whoever comes more rarely than this has no hours
DAYS_LEARNED: Final = 3
USUAL: Final = 0.6  # an hour counts when it was heard in at least this share of its days
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
LOOK_S: Final = 14 * DAY_S  # beyond that every station that has hours is late


@dataclass(frozen=True)
class Rhythm:
    """last_at: when it was heard last. gaps: the latest ones, seconds, oldest first. days: (local day, bits
    of the hours in which it was heard), oldest first.
    """

    last_at: int
    gaps: tuple[int, ...] = ()
    days: tuple[tuple[int, int], ...] = ()


def heard(before: Rhythm | None, at: int) -> Rhythm:
    """With a contact at this instant. One that is not after the last changes nothing."""
    day, hour = _place(at)
    if before is None:
        return Rhythm(at, (), ((day, 1 << hour),))
    if at <= before.last_at:
        return before
    gap = at - before.last_at
    gaps = before.gaps if gap < SAME_VISIT_S else (*before.gaps, gap)[-GAPS_KEPT:]
    days = dict(before.days)
    days[day] = days.get(day, 0) | 1 << hour
    return Rhythm(at, gaps, tuple(sorted(days.items()))[-DAYS_KEPT:])


def expected_s(rhythm: Rhythm) -> int:
    """How long after a contact the next is expected: three of four gaps are no longer."""
    if len(rhythm.gaps) < GAPS_LEARNED:
        return UNLEARNED_S
    return max(LEAST_S, sorted(rhythm.gaps)[ceil(0.75 * len(rhythm.gaps)) - 1])


def is_late(rhythm: Rhythm, now: int) -> bool:
    """True when it missed its own expected contact twice."""
    gap = expected_s(rhythm)
    allowed = 2 * gap + SLACK_S
    silent = now - rhythm.last_at
    if silent <= allowed:
        return False
    if gap >= LONG_S or silent >= LOOK_S:
        return True
    return _usual_s(rhythm, now) > allowed


def _usual_s(rhythm: Rhythm, now: int) -> int:
    """Seconds since the last contact in hours in which this station is usually heard."""
    whole = [bits for day, bits in rhythm.days if day != _place(rhythm.last_at)[0]]
    if len(whole) < DAYS_LEARNED:
        return now - rhythm.last_at
    usual = {hour for hour in range(24) if _share(whole, hour) >= USUAL}
    counted, at = 0, rhythm.last_at
    while at < now:
        until = min(now, at - at % HOUR_S + HOUR_S)
        if _place(at)[1] in usual:
            counted += until - at
        at = until
    return counted


def _share(days: Iterable[int], hour: int) -> float:
    listed = list(days)
    return sum(bits >> hour & 1 for bits in listed) / len(listed)


def _place(at: int) -> tuple[int, int]:
    """(local day, hour of it). The offset is whole hours, so hours begin where those of UTC do."""
    local = at + UTC_OFFSET_S
    return local // DAY_S, local % DAY_S // HOUR_S
