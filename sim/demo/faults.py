"""What goes wrong on the demo's day: which lines are down when, whose power fails, by the seed alone.

Every choice is hashed from `(seed, station, what)`, so another number of stations leaves the rest as it was.
A few stations are always among the unlucky, so that every run shows a late emergency, a missed morning and a
cut in the middle of a bulletin. All windows end before the calm at 19:30.

Bound: a plan, made before the day begins. The proxy and the crowd carry it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.demo.crowd import Cut
from sim.demo.day import VIET_THANH, XUAN_AI, Stage
from sim.proxy import share

SHORT_SHARE = 0.35
"""Stations whose line fails once for 10 to 60 minutes."""
VALLEY_SHARE = 0.10
"""Stations behind a mountain this afternoon: no line from about 13 to 18 o'clock."""
DARK_SHARE = 0.05
"""Stations whose line comes up only at seven: they have no morning programme to play."""
POWER_SHARE = 0.12
"""Stations that lose power once."""
CUT_TIMES = ("05:30:04", "05:33:06", "10:20:00", "14:01:20", "17:00:05", "17:03:07")
"""When power fails: mostly while something is on the air, because there it hurts."""


@dataclass
class Faults:
    """windows: station → [(from, until)] without a line; cuts: station → power cuts. UTC seconds."""

    windows: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    cuts: dict[str, list[Cut]] = field(default_factory=dict)

    def lines_down(self, now_s: float) -> set[str]:
        return {
            unit
            for unit, windows in self.windows.items()
            if any(start <= now_s < end for start, end in windows)
        }


def plan(seed: int, simulated: Sequence[str], stage: Stage) -> Faults:
    """simulated: units without a process of their own. The real nodes' faults are part of the script."""
    faults = Faults()
    faults.windows[XUAN_AI] = [(stage.at("13:40"), stage.at("14:50"))]
    faults.windows[VIET_THANH] = [(stage.at("08:10"), stage.at("08:50"))]
    for unit in simulated:
        windows = []
        if share(seed, unit, "short") < SHORT_SHARE:
            start = _between(seed, unit, "short-at", stage.at("05:00"), stage.at("18:00"))
            windows.append((start, start + _between(seed, unit, "short-for", 600, 3_600)))
        if _is_chosen(seed, unit, "valley", simulated, VALLEY_SHARE):
            start = _between(seed, unit, "valley-at", stage.at("12:30"), stage.at("13:50"))
            windows.append((start, _between(seed, unit, "valley-for", stage.at("17:30"), stage.at("19:00"))))
        if _is_chosen(seed, unit, "dark", simulated, DARK_SHARE):
            windows.append((stage.power_on_s - 600, stage.at("07:00")))
        if windows:
            faults.windows[unit] = windows
        if _is_chosen(seed, unit, "power", simulated, POWER_SHARE):
            pick = CUT_TIMES[int(share(seed, unit, "power-at") * len(CUT_TIMES))]
            start = stage.at(pick)
            faults.cuts[unit] = [Cut(start, start + _between(seed, unit, "power-for", 900, 5_400))]
    return faults


def _is_chosen(seed: int, unit: str, kind: str, units: Sequence[str], rate: float) -> bool:
    """By its own luck, or because nobody else is unluckier (so that each kind happens at least once)."""
    own = share(seed, unit, kind)
    return own < rate or own == min(share(seed, other, kind) for other in units)


def _between(seed: int, unit: str, kind: str, low: float, high: float) -> float:
    return low + share(seed, unit, kind) * (high - low)
