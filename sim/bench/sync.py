"""Two ledgers over real HTTP: a province's month at once, and one station's month over a line like 2G.

The slow line lets 4,000 bytes a second through each way with a round trip of 0.6 s, TCP's handshake included,
and is walked in real time. The same once more with the connection cut in the middle of the upload: what that
costs is counted in bytes sent again.
"""

from __future__ import annotations

import time
from typing import Any

from sim.bench.line import Line
from sim.bench.setting import Setting
from sim.bench.workload import acknowledgments, programme

RATE_B_S, ROUND_TRIP_S = 4_000.0, 0.6
STATIONS, EVENTS = 20, 1000
UNIT = "vn.yb.04630"


def measure(seed: int, stations: int = STATIONS) -> dict[str, Any]:
    """One JSON object. stations: of 1,000 acknowledgments each; 100 is W1."""
    plan = programme(seed, EVENTS)
    units = [f"vn.yb.{40_000 + number:05d}" for number in range(stations)]
    with Setting(units) as setting:
        setting.plan(plan, "vn.yb")
        boxes = []
        for number, unit in enumerate(units):
            box = setting.station(unit)
            box.drain()
            box.say(acknowledgments(plan, seed, number))
            boxes.append(box)
        before = time.perf_counter()
        for box in boxes:
            box.drain()
        setting.hub.tick()
        took_s = time.perf_counter() - before
        for box in boxes:
            box.close()
    whole = _slow(seed, None)
    cut = _slow(seed, whole["bytes"] // 2)
    return {
        "w1_events_per_s": round(stations * EVENTS / took_s),
        "w2_2g_seconds": whole["seconds"],
        "w2_2g_bytes": whole["bytes"],
        "w2_cut_seconds": cut["seconds"],
        "w2_cut_extra_bytes": cut["bytes"] - whole["bytes"],
        "w2_cut_extra_share": round(cut["bytes"] / whole["bytes"] - 1, 3),
        "line": {"bytes_per_s": RATE_B_S, "round_trip_s": ROUND_TRIP_S},
    }


def _slow(seed: int, cut_after: int | None) -> dict[str, Any]:
    with Setting([UNIT]) as setting:
        plan = programme(seed, EVENTS)
        setting.plan(plan, UNIT)
        box = setting.station(UNIT)
        box.drain()
        box.say(acknowledgments(plan, seed, 0))
        with Line(setting.port, rate_b_s=RATE_B_S, round_trip_s=ROUND_TRIP_S, cut_after=cut_after) as line:
            box.move(line.port)
            before = time.perf_counter()
            box.drain(retry=True)
            took_s = time.perf_counter() - before
        box.close()
        return {"seconds": round(took_s, 2), "bytes": line.up + line.down}
