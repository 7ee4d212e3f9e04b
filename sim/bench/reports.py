"""What a hub with a year behind it takes to answer: reports of a month, a quarter and the year, and the page.

A province's stations, four slots a day for a year, a hundredth of the acknowledgments missing and the last
month of some stations still to come. The rows come in as they do everywhere: sealed segments into the ledger,
the views folded from it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Final

from hub import ask_for, report, report_at
from ledger.log import SigningKey, seal
from sim.bench.setting import Setting
from sim.bench.workload import FIRST_DAY, acknowledgments, programme

STATIONS: Final = 173  # Yên Bái's communes in 2022
DAYS: Final = 365
SLOTS_A_DAY: Final = 4
LOST: Final = 0.01
PER_SEGMENT: Final = 128


def measure(seed: int, stations: int = STATIONS) -> dict[str, Any]:
    """One JSON object; times are this process's own, so that a busy machine tells the same."""
    plan = programme(seed, DAYS * SLOTS_A_DAY, SLOTS_A_DAY, 180)
    units = [f"vn.yb.{40_000 + number:05d}" for number in range(stations)]
    found: dict[str, Any] = {"stations": stations, "days": DAYS}
    with Setting(units) as setting:
        setting.plan(plan, "vn.yb")
        hub, rng = setting.hub, random.Random(f"{seed}/reports")  # noqa: S311
        events = 0
        for number, unit in enumerate(units):
            box = setting.station(unit)
            box.close()
            said = [one for one in acknowledgments(plan, seed, number) if rng.random() >= LOST]
            if number % 50 == 7:
                del said[-30 * SLOTS_A_DAY :]
            hub.ledger.ingest_all(_sealed(box.key, said), source="bench")
            hub.tick()
            events += len(said)
        found["rows"] = events
        now = (FIRST_DAY + DAYS + 1) * 86_400
        for name, days in (("month", 30), ("quarter", 92), ("year", DAYS)):
            last = FIRST_DAY + DAYS - 1
            ask = ask_for(hub, first_day=last - days + 1, last_day=last, now=now, territory="vn.yb")
            report(hub, ask)  # what the plan keeps ready is there, as in a hub that runs
            found[f"report_{name}_ms"] = _ms(lambda ask=ask: report(hub, ask))  # type: ignore[misc]
        made = report(hub, ask)
        found["report_at_s"] = round(_ms(lambda: report_at(hub, ask, made.position)) / 1000, 1)
        hub.alarms.look(now)
        found["look_ms"] = _ms(lambda: hub.alarms.look(now + 60))
        assert report_at(hub, ask, made.position).digest == made.digest
    return found


def _sealed(key: SigningKey, events: list[bytes]) -> list[bytes]:
    prev, raws = bytes(32), []
    for at in range(0, len(events), PER_SEGMENT):
        segment = seal(key, b"bench-01", at, prev, events[at : at + PER_SEGMENT])
        prev = segment.head.hash
        raws.append(segment.raw)
    return raws


def _ms(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return round((time.process_time() - before) * 1000, 1)
