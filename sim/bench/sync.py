"""Two ledgers over real HTTP: a province's month at once, and one station's month over a line like 2G.

The slow line lets 4,000 bytes a second through each way with a round trip of 0.6 s, TCP's handshake included,
and is walked in real time. The same once more with the connection cut in the middle of the upload: what that
costs is counted in bytes sent again. A backlog of a hundred months, a quarter of a megabyte, goes over a fast
line that is cut after every 20,000 bytes upward.
"""

from __future__ import annotations

import time
from typing import Any

from sim.bench import emergency
from sim.bench.line import Line
from sim.bench.setting import Setting
from sim.bench.workload import acknowledgments, programme

RATE_B_S, ROUND_TRIP_S = 4_000.0, 0.6
STATIONS, EVENTS = 20, 1000
UNIT = "vn.yb.04630"
BACKLOG, DIES_EVERY = 100, 20_000


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
    sounds_s = emergency.measure()
    backlog, dying = _backlog(seed, None), _backlog(seed, DIES_EVERY)
    return {
        "w1_events_per_s": round(stations * EVENTS / took_s),
        "w2_2g_seconds": whole["seconds"],
        "w2_2g_bytes": whole["bytes"],
        "w2_cut_seconds": cut["seconds"],
        "w2_cut_extra_bytes": cut["bytes"] - whole["bytes"],
        "w2_cut_extra_share": round(cut["bytes"] / whole["bytes"] - 1, 3),
        "emergency_s": round(sounds_s[-1], 2),
        "emergency_median_s": round(sounds_s[len(sounds_s) // 2], 2),
        "backlog_bytes": backlog["bytes"],
        "backlog_cuts": dying["cuts"],
        "backlog_extra_bytes": dying["bytes"] - backlog["bytes"],
        "backlog_extra_share": round(dying["bytes"] / backlog["bytes"] - 1, 4),
        "backlog_rounds": dying["rounds"],
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


def _backlog(seed: int, dies_every: int | None) -> dict[str, int]:
    """A hundred months at once, over a line that dies again and again."""
    with Setting([UNIT]) as setting:
        plan = programme(seed, EVENTS)
        setting.plan(plan, UNIT)
        box = setting.station(UNIT)
        box.drain()
        for number in range(BACKLOG):
            box.say(acknowledgments(plan, seed, number))
        with Line(setting.port, dies_every=dies_every) as line:
            box.move(line.port)
            rounds = box.drain(retry=True)
            found = {"bytes": line.up + line.down, "cuts": line.cuts, "rounds": rounds}
        if box.ledger.unreceipted(box.key.key_id):
            raise RuntimeError("the backlog did not arrive")
        box.close()
        return found
