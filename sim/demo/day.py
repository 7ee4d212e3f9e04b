"""The script of the demo's day: Law Day in Yên Bái, 9 November 2022, as data.

What is said, when, to whom (`data/demo_day.toml`) and how fast the clock runs meanwhile. The pace is slow
while something is on the air and fast in between, so that a person sees the broadcasts and does not wait for
the night.

All times here are local (UTC+7): "HH:MM" or "HH:MM:SS"; `Stage` turns them into UTC seconds.
Bound: data and its arithmetic. Who acts on it: `office` (officers), `conductor`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files

from ledger.facts import at, day_from_iso
from sim.tempo import Beat

DAY_ISO = "2022-11-09"
PROVINCE = "vn.yb"
TU_LE, XUAN_AI, VIET_THANH = "vn.yb.04630", "vn.yb.04441", "vn.yb.04510"
NAMED = (TU_LE, XUAN_AI, VIET_THANH)


def minute_of(clock: str) -> int:
    """ "17:05" → 1025."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


@dataclass(frozen=True)
class Bulletin:
    """One bulletin and its slot. audio_s: length of the recording. fate: approved · withdrawn · returned."""

    key: str
    title: str
    category: str
    klass: int
    territory: str
    clock: str
    audio_s: int
    text: str
    fate: str

    @property
    def of_the_eve(self) -> bool:
        """The morning's programme is written the day before, the rest in the morning."""
        return self.clock < "12:00"


@dataclass(frozen=True)
class Emergency:
    kind: str
    level: int
    drill: bool
    text: str


@dataclass(frozen=True)
class Script:
    """All that is said on the day, read from `data/demo_day.toml`."""

    bulletins: tuple[Bulletin, ...]
    emergency: Emergency
    withdraw_reason: str
    return_reason: str


def script() -> Script:
    table = tomllib.loads(files("sim").joinpath("data", "demo_day.toml").read_text("utf-8"))
    return Script(
        tuple(Bulletin(**{**entry, "text": entry["text"].strip()}) for entry in table["bulletin"]),
        Emergency(**{**table["emergency"], "text": table["emergency"]["text"].strip()}),
        table["withdraw_reason"],
        table["return_reason"],
    )


@dataclass(frozen=True)
class Stage:
    """The day on the clock: every instant of the script in UTC seconds."""

    day: int = day_from_iso(DAY_ISO)

    def at(self, clock: str) -> float:
        """UTC seconds of "HH:MM" or "HH:MM:SS" local time."""
        hours, minutes, seconds = (*map(int, clock.split(":")), 0)[:3]
        return float(at(self.day, hours * 60 + minutes) + seconds)

    @property
    def eve_s(self) -> float:
        """16:00 on the day before: officers write, approve and schedule; stations are enrolled."""
        return float(at(self.day - 1, 16 * 60))

    @property
    def power_on_s(self) -> float:
        """04:30: the stations' boxes are switched on, in a minute or so."""
        return self.at("04:30")

    @property
    def end_s(self) -> float:
        """20:30: after this nothing is planned; what is left is to hear from everybody."""
        return self.at("20:30")

    @property
    def deadline_s(self) -> float:
        """23:30: three sync periods later everybody must have been heard."""
        return self.at("23:30")

    @property
    def calm_s(self) -> float:
        """19:30: the last fault is over."""
        return self.at("19:30")

    def beats(self, from_s: float, starts: Iterable[str]) -> Iterator[Beat]:
        """From an instant after 04:30 to 20:30. starts: local times at which something begins."""
        lenses = [(self.at(clock) - LENS_BEFORE_S, self.at(clock) + LENS_AFTER_S) for clock in set(starts)]
        regions = [(self.at(clock), speed) for clock, speed in SPEEDS]
        cuts = {edge for lens in lenses for edge in lens} | {until for until, _ in regions}
        here = from_s
        for until in sorted(cut for cut in cuts if cut > here):
            speed = next(speed for end, speed in regions if until <= end)
            if any(start <= here and until <= end for start, end in lenses):
                speed = min(speed, LENS_SPEED)
            yield Beat(until, (until - here) / speed)
            here = until


# Story seconds per real second until this local time; the whole day takes about 37 s.
SPEEDS: tuple[tuple[str, float], ...] = (
    ("05:25", 900),  # boxes boot, fetch the plan and the recordings
    ("05:45", 600),  # the morning programme
    ("10:59", 4_200),
    ("11:06", 300),  # the hub is killed and comes back
    ("13:59:30", 4_200),
    ("14:00:50", 45),  # the afternoon programme begins
    ("14:02:20", 22),  # the emergency reaches everybody at once and cuts into it
    ("14:20", 700),
    ("16:55", 4_200),
    ("17:15", 600),  # the evening programme, with a power cut in the middle of it
    ("19:30", 3_600),
    ("20:30", 1_800),  # calm
)
# The story waits for the lines to be quiet before each programme, that is in these windows.
BUSY_WINDOWS: tuple[tuple[str, str], ...] = (("05:10", "05:29"), ("13:10", "13:59"), ("16:20", "16:59"))
# Around each start the clock runs slowly enough that seventy stations begin within seconds of the story.
LENS_BEFORE_S, LENS_AFTER_S = 10.0, 50.0
LENS_SPEED = 60.0
AFTER_SPEED = 1_800.0
"""After 20:30, while the last words of the stations come in."""
SYNC_PERIOD_S = 3_600
"""How often a station calls without a reason: once an hour, so that a fast hour is not a storm of calls."""
BACKOFF_BASE_S = 15.0
"""First pause after a failed call: story seconds are cheap, real exchanges are not."""
