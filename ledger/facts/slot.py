"""A slot: one occurrence of an order at one station.

Bound: values; which slots exist is `index.py`, which of them may play `judge.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

ON_TIME_S: Final = 30  # a start this much after the minute is on time, and every slot is given as much


@dataclass(frozen=True)
class Slot:
    """One occurrence at one station: `(series, day)` names it there, for ever.

    start_s: UTC s. late_s: how long after it the slot may still begin (an emergency: until it expires).
    decision: the id of the event that ordered it. declined, moved_from_s: what the commune answered to an
    offer; `start_s` is the start after a move, moved_from_s the ordered one. The fields after `emergency`
    matter to players and pages.
    """

    series: int
    day: int
    unit: str
    start_s: int
    length_s: int
    manifest: bytes
    klass: int
    late_s: int
    bulletin: bytes | None
    title: str
    emergency: bool
    decision: bytes = b""
    on_interrupt: int = 0
    level: int = 0
    drill: bool = False
    plays_max: int = 1
    text: str = ""
    declined: bool = False
    moved_from_s: int | None = None

    @property
    def key(self) -> tuple[int, int]:
        """(series, day): what an acknowledgment names."""
        return self.series, self.day

    @property
    def end_s(self) -> int:
        """When the slot is planned to be over."""
        return self.start_s + self.length_s

    @property
    def begin_until_s(self) -> int:
        """The first instant at which the slot may no longer begin."""
        return self.end_s if self.emergency else self.start_s + max(self.late_s, ON_TIME_S)

    def is_late(self, actual_s: float) -> bool:
        """True when a start at `actual_s` counts as played late."""
        return actual_s > self.start_s + ON_TIME_S


class Outline(NamedTuple):
    """What of a slot is the same at every unit that hears it. content: the first 16 bytes of its manifest."""

    start_s: int
    rank: int
    series: int
    day: int
    length_s: int
    content: bytes
