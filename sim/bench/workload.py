"""The workloads that figures are quoted on: a month of acknowledgments, and the plan behind them.

W1 is 100 stations × 1,000 acknowledgments, W2 one station alone back after a month with 1,000. The
distributions are those on which other systems were measured (JSON lines of nine fields with a 32-byte content
hash): 34 slots a day 28 minutes apart from 05:00, each with a content drawn from a catalogue of 200 of 30 to
900 s, a start deviating by N(1.5 s, 2 s), 3 % failures of five kinds, every fourth length a second more, and
a volume that is the station's own nine times out of ten.

In Loa the slot, its time and its content are decisions that the station received before it plays, so they
are stated as such: one series for each slot of the day and content. Failures are outcomes and their details.

`DAILY` is a quieter station, as the trial's: eight slots a day, the same programme for a week.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from ledger.facts import (
    Acknowledged,
    Detail,
    Evidence,
    Klass,
    OnInterrupt,
    Outcome,
    Scheduled,
    at,
    day_from_iso,
    pack_days,
)

FIRST_DAY = day_from_iso("2026-10-02")
FIRST_MINUTE, STEP_MINUTES, SLOTS_A_DAY = 300, 28, 34
CATALOGUE = 200
DEVIATION_S = (1.5, 2.0)
FAILED, LONGER, OTHER_VOLUME = 0.03, 0.25, 0.1
FAILURES = (
    (10, Outcome.MISSED, Detail.POWER),
    (8, Outcome.SILENT, Detail.DEVICE),
    (7, Outcome.INTERRUPTED, Detail.OPERATOR),
    (3, Outcome.MISSED, Detail.WRONG_CONTENT),
    (2, Outcome.PLAYED_LATE, Detail.NONE),
)


@dataclass(frozen=True)
class Content:
    """A recording: the hash of its manifest and its length."""

    manifest: bytes
    length_s: int


@dataclass(frozen=True)
class Programme:
    """What is planned for a unit: one content for each slot, in order of time."""

    series: tuple[int, ...]
    contents: tuple[Content, ...]
    slots_a_day: int = SLOTS_A_DAY
    step_minutes: int = STEP_MINUTES

    def place(self, number: int) -> tuple[int, int]:
        """(day, minute) of the slot with this number."""
        day, slot = divmod(number, self.slots_a_day)
        return FIRST_DAY + day, FIRST_MINUTE + slot * self.step_minutes


def programme(
    seed: int, count: int, slots_a_day: int = SLOTS_A_DAY, step_minutes: int = STEP_MINUTES
) -> Programme:
    """`count` slots, each with a content drawn from the catalogue."""
    rng = random.Random(f"{seed}/programme")  # noqa: S311 - a workload, not a secret
    catalogue = [
        Content(sha256(b"content-%d-%d" % (seed, number)).digest(), rng.randrange(30, 901))
        for number in range(CATALOGUE)
    ]
    numbers: dict[tuple[int, int], int] = {}
    series, contents = [], []
    for slot in range(count):
        chosen = rng.randrange(CATALOGUE)
        key = (slot % slots_a_day, chosen)
        if key not in numbers:
            numbers[key] = rng.randrange(1, 1 << 31)
        series.append(numbers[key])
        contents.append(catalogue[chosen])
    return Programme(tuple(series), tuple(contents), slots_a_day, step_minutes)


def decisions(plan: Programme, territory: str, ts: int) -> Iterator[Scheduled]:
    """The programme as the decisions that a station receives."""
    days: dict[int, list[int]] = {}
    first: dict[int, int] = {}
    for number, series in enumerate(plan.series):
        days.setdefault(series, []).append(plan.place(number)[0])
        first.setdefault(series, number)
    for series, on in days.items():
        content = plan.contents[first[series]]
        yield Scheduled(
            ts=ts, series=series, bulletin=content.manifest[16:], manifest=content.manifest,
            first_day=on[0], days=pack_days(on[0], on), minute=plan.place(first[series])[1],
            length_s=content.length_s, territory=territory, klass=Klass.NORMAL, late_s=600,
            on_interrupt=OnInterrupt.DROP, reason=None,
        )  # fmt: skip


def acknowledgments(plan: Programme, seed: int, station: int) -> list[bytes]:
    """What one station says of every slot, in order."""
    rng = random.Random(f"{seed}/station/{station}")  # noqa: S311
    weights = [weight for weight, _, _ in FAILURES]
    usual = rng.randrange(55, 91)
    events = []
    for number, series in enumerate(plan.series):
        day, minute = plan.place(number)
        content = plan.contents[number]
        deviation_s = rng.gauss(*DEVIATION_S)
        played_s, outcome, detail = content.length_s, Outcome.PLAYED, Detail.NONE
        if rng.random() < FAILED:
            _, outcome, detail = rng.choices(FAILURES, weights)[0]
            played_s = 0 if outcome is Outcome.MISSED else rng.randrange(1, content.length_s)
        elif rng.random() < LONGER:
            played_s += 1
        volume = usual
        if rng.random() < OTHER_VOLUME:
            volume = max(0, min(100, usual + rng.randrange(-5, 6)))
        started_s = at(day, minute) + deviation_s
        events.append(
            Acknowledged(
                int(started_s), series, day, content.manifest[:16], round(deviation_s * 100), played_s * 10,
                int(outcome), int(detail), int(Evidence.SIGNAL_PRESENT), volume, None,
            ).encode()
        )  # fmt: skip
    return events
