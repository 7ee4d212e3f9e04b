"""What may be put on the plan: the questions a schedule must answer before anybody signs it.

The questions themselves are `ledger.facts.booking`, the same at a commune's station; an emergency's window
is asked of the hub alone.

Bound: pure functions over facts and the aggregate; what plays when is `ledger.facts.plan`.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.bulletins import Bulletin
from ledger.facts import (
    EMERGENCY_LIFE_DEFAULT_S,
    EMERGENCY_LIFE_MAX_S,
    Facts,
    booking,
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
    """Raises NotAllowed as `ledger.facts.booking.check_slot`. days: sorted, each once."""
    booking.check_slot(
        facts,
        bulletin.state,
        bulletin.content,
        territory=territory,
        days=days,
        minute=minute,
        length_s=length_s,
        late_s=late_s,
        now=now,
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
