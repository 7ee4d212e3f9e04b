"""What the wall of stations says about each station: separate axes, each with its own "as of", never one
green dot.

A station is *out of touch* when it missed two of its own ordinary contacts. An FM station has no return
path: it can be neither reachable nor out of touch, so it never raises an alarm and is shown as what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hub.queries import StationRow

CONTACT_S: Final = 900  # how often a station speaks when nothing happens (its default sync period)
OUT_OF_TOUCH_S: Final = 2 * CONTACT_S

# The order of the wall: what needs a person first.
TOUCH_ORDER: Final = ("forked", "silent", "never", "waiting", "fresh", "fm")


def touch(row: StationRow, now: int) -> str:
    """One word for reachability: `fm`, `forked`, `waiting` (not enrolled), `never`, `silent`, `fresh`."""
    if row.kind == "fm":
        return "fm"
    if row.forked:
        return "forked"
    if not row.enrolled:
        return "waiting"
    if row.last_contact_at is None:
        return "never"
    return "silent" if now - row.last_contact_at > OUT_OF_TOUCH_S else "fresh"


def in_order(rows: Sequence[StationRow], now: int) -> list[StationRow]:
    """Stations that need a person first, then by unit."""
    return sorted(rows, key=lambda row: (TOUCH_ORDER.index(touch(row, now)), row.unit))


@dataclass(frozen=True)
class Attention:
    """How many stations need what."""

    silent: int
    never: int
    waiting: int
    forked: int
    clock: int
    behind: int


def attention(rows: Sequence[StationRow], now: int) -> Attention:
    """Counts for the first page. A clock or a backlog counts only where the station is in touch: else it is
    stale.
    """
    touches = [(row, touch(row, now)) for row in rows]
    fresh = [row for row, word in touches if word == "fresh"]
    return Attention(
        silent=sum(word == "silent" for _, word in touches),
        never=sum(word == "never" for _, word in touches),
        waiting=sum(word == "waiting" for _, word in touches),
        forked=sum(word == "forked" for _, word in touches),
        clock=sum(row.clock == 0 for row in fresh),
        behind=sum(row.behind > 0 for row in fresh),
    )
