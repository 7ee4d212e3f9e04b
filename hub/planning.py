"""When an emergency may begin and end: asked of the hub alone, before anybody signs it.

What a schedule must answer is `ledger.facts.booking`, the same at a commune's station.

Bound: a pure function of the form's times; what plays when is `ledger.facts.plan`.
"""

from __future__ import annotations

from ledger.facts import (
    EMERGENCY_LIFE_DEFAULT_S,
    EMERGENCY_LIFE_MAX_S,
)
from ledger.log import NotAllowed

AHEAD_MAX_S = 86_400  # an emergency is ordered for now; further ahead it is a bulletin


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
