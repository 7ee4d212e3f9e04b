"""What the peers are told: the acknowledgments of Loa's own workload, unsigned, as a user of a queue would.

`same` are the very bytes that Loa's stations say and then sign: the canonical msgpack array of an
acknowledgment, which speaks of a slot of a plan that both sides know. `nine_fields` is the same for somebody
without such a plan: station, number, slot, the whole content hash, planned and real start, length, status and
volume, as a msgpack array.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgpack

from ledger.facts import Acknowledged, Outcome, at, parse
from sim.bench.peer import Said
from sim.bench.workload import Programme, acknowledgments

EPOCH = date(1970, 1, 1)


def units(stations: int) -> list[str]:
    return [f"vn.yb.{40_000 + number:05d}" for number in range(stations)]


def same(plan: Programme, seed: int, stations: int) -> list[Said]:
    """Every station's acknowledgments, in the order of the slots, so that the stations take turns."""
    said = [acknowledgments(plan, seed, number) for number in range(stations)]
    return [turn for slot in zip(*said, strict=True) for turn in zip(units(stations), slot, strict=True)]


def nine_fields(plan: Programme, said: Sequence[Said]) -> list[Said]:
    """The same acknowledgments of one station, each complete in itself."""
    found = []
    for number, (unit, event) in enumerate(said):
        fact = parse(event)
        assert isinstance(fact, Acknowledged)
        day, minute = plan.place(number)
        planned_s = at(day, minute)
        fields = (
            unit, number + 1, f"{EPOCH + timedelta(days=day):%Y%m%d}-{number % plan.slots_a_day + 1:02d}",
            plan.contents[number].manifest, planned_s, planned_s * 1000 + fact.jitter_cs * 10,
            fact.played_ds // 10, Outcome(fact.outcome).name.lower(), fact.volume,
        )  # fmt: skip
        found.append((unit, msgpack.packb(fields)))
    return found
