"""How loud: the station's volume, less in the evening, and never less in an emergency.

    volume 80, evening_volume 50 from 18:30 until 06:00
    17:00, ten minutes      80
    18:25, ten minutes      50      a part of it lies in the evening: people there hear the whole of it so
    02:00, an emergency     80      or emergency_volume, when it is set

The volume is decided when a sound begins and holds to its end, so that the one number of an acknowledgment
is what was used. What would reach into the evening is therefore limited from its beginning.

Bound: numbers. Whether a sound may begin in the evening at all is the plan's (quiet hours).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ledger.facts import in_quiet_hours

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def minute_of(text: str) -> int | None:
    """Minutes after midnight of "18:30"; None for anything else."""
    found = _CLOCK.fullmatch(text)
    return None if found is None else int(found[1]) * 60 + int(found[2])


@dataclass(frozen=True)
class Volumes:
    """Percents. evening: (from, until) minutes of the local day; equal ones mean that there is none.

    emergency_percent: 0 = as loud as anything by day.
    """

    percent: int
    evening_percent: int = 100
    evening: tuple[int, int] = (0, 0)
    emergency_percent: int = 0

    def at(self, begin_s: float, length_s: float, *, emergency: bool) -> int:
        """For a sound of `length_s` that begins at `begin_s` (UTC s)."""
        if emergency:
            return self.emergency_percent or self.percent
        if in_quiet_hours(self.evening, begin_s, max(length_s, 1.0)):
            return min(self.percent, self.evening_percent)
        return self.percent
