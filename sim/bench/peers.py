"""What others do on the same workload, in the same run: NATS JetStream and mosquitto beside Loa.

The peers stand as their own users would build a station that is a month without a line (`peer_nats`,
`peer_mosquitto`); Loa stands as in `wire`, `ingest` and `sync`. Figures beside each other were taken on this
machine within the same minutes, so the ratio is the reader's own. A peer that is not here is said to be so,
and the rest is measured.

Bound: counting and timing. What each figure means, and what cannot be compared, is in
`docs/how-to/measure.md`.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from node import Habits
from sim.bench import ingest, wire
from sim.bench.line import Line
from sim.bench.peer import Peer, PeerFailed, Said
from sim.bench.peer_events import nine_fields, same, units
from sim.bench.peer_mosquitto import Mosquitto
from sim.bench.peer_nats import Nats
from sim.bench.setting import Setting
from sim.bench.workload import acknowledgments, programme

STATIONS, EVENTS = 20, 1000
HOLD_S = 25.0
HELD_S = 60.0
"""The keepalive at which held connections are compared, beside each system's own."""
SHORT_S = 5.0
"""The keepalive at which the cost of one keepalive is counted, when a hold is too short to hear one."""
SAMPLE_S = 0.02
APART_S = 0.5
"""Bytes further apart than this are two exchanges."""

PEERS: Mapping[str, Peer] = {"nats": Nats(), "mosquitto": Mosquitto()}


def measure(
    seed: int, stations: int = STATIONS, *, peers: Mapping[str, Peer] = PEERS, hold_s: float = HOLD_S
) -> dict[str, Any]:
    """One JSON object; the keys are in `docs/how-to/measure.md`. stations: of 1,000 events; 100 is W1."""
    plan = programme(seed, EVENTS)
    said = same(plan, seed, stations)
    month = said[::stations]
    plain = nine_fields(plan, month)
    found: dict[str, Any] = {
        "workload": {
            "seed": seed,
            "stations": stations,
            "events": len(said),
            "event_bytes": _mean([event for _, event in said]),
            "event_bytes_nine_fields": _mean([event for _, event in plain]),
        },
        "loa": loa(seed, stations),
    }
    with tempfile.TemporaryDirectory(prefix="loa-peer-") as folder:
        for name, peer in peers.items():
            found[name] = {"title": peer.title, "missing": peer.missing()}
            if not found[name]["missing"]:
                found[name] |= _tried(partial(_told, peer, Path(folder) / name, said, month, plain))
        here = {name: peer for name, peer in peers.items() if not found[name]["missing"]}
        for name, figures in held(here, Path(folder), hold_s).items():
            found[name] = (
                {"title": peers[name].title} | ({} if "missing" in figures else found[name]) | figures
            )
    found["ratios"] = {name: _ratios(found["loa"], found[name]) for name in peers}
    return found


def _tried(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The figures, or why there are none."""
    try:
        return work()
    except (PeerFailed, OSError, subprocess.SubprocessError) as failure:
        return {"missing": f"not measured: {failure}"}


def loa(seed: int, stations: int) -> dict[str, Any]:
    """Loa's own figures, under the keys of the peers'."""
    in_hub, on_wire = ingest.measure(seed, stations), wire.measure(seed)
    usual = Habits()
    sign_s = usual.still_s * (1 - usual.jitter / 2)
    return {
        "title": "Loa",
        "missing": "",
        "durability": "signed; verified, and fsynced at the hub before each receipt",
        **_province(seed, stations),
        "w2_bytes_per_event": on_wire["w2_bytes_per_event"],
        "idle_bytes": on_wire["idle_bytes"],
        "keepalive_default_s": round(sign_s, 1),
        "held_bytes_per_min": on_wire["held_bytes_per_min"],
        "held_bytes_per_min_60s": round(on_wire["held_bytes_per_min"] * sign_s / HELD_S, 1),
        "bytes_stored_per_event": in_hub["bytes_stored_per_event"],
        "bytes_stored_per_event_log_alone": in_hub["bytes_stored_per_event_segments"],
        "events_per_s_segments": in_hub["events_per_s_segments"],
        "events_per_s_answered": in_hub["events_per_s_answered"],
        "verify_per_s_raw": in_hub["verify_per_s_raw"],
        "sqlite_rows_per_s_raw": in_hub["sqlite_rows_per_s_raw"],
    }


def _province(seed: int, stations: int) -> dict[str, Any]:
    """W1 over HTTP. The hub's threads are told from the stations', which are this one, by processor time."""
    plan, count = programme(seed, EVENTS), stations * EVENTS
    with Setting(units(stations)) as setting:
        setting.plan(plan, "vn.yb")
        boxes = []
        with Line(setting.port) as line:
            for number, unit in enumerate(setting.units):
                box = setting.station(unit, line.port)
                before = line.up + line.down
                box.drain()
                plan_bytes = line.up + line.down - before
                box.move(setting.port)
                box.say(acknowledgments(plan, seed, number))
                boxes.append(box)
        setting.hub.tick()
        wall, both, here = time.perf_counter(), time.process_time(), time.thread_time()
        for box in boxes:
            box.drain()
        wall_s, both_s = time.perf_counter() - wall, time.process_time() - both
        hub_s = both_s - (time.thread_time() - here)
        viewed = time.thread_time()
        setting.hub.tick()
        view_s = time.thread_time() - viewed
        for box in boxes:
            box.close()
        assert setting.hub.ledger.verify().failed == 0
    return {
        "w1_events_per_cpu_s": round(count / hub_s),
        "w1_events_per_cpu_s_both": round(count / both_s),
        "w1_events_per_s": round(count / wall_s),
        "w1_events_per_cpu_s_with_view": round(count / (hub_s + view_s)),
        "plan_bytes_per_event": round(plan_bytes / EVENTS, 1),
    }


def _told(
    peer: Peer, folder: Path, said: Sequence[Said], month: Sequence[Said], plain: Sequence[Said]
) -> dict[str, Any]:
    """What a peer does with the events of all stations, and with a month of one in either shape."""
    done = peer.replicate(_made(folder / "w1"), said)
    return {
        "version": peer.version(),
        "durability": peer.durability,
        "w1_events_per_cpu_s": round(done.events / done.receiver_cpu_s),
        "w1_events_per_cpu_s_both": round(done.events / done.both_cpu_s),
        "w1_events_per_s": round(done.events / done.wall_s),
        "w2_bytes_per_event": round(peer.month(_made(folder / "w2"), month) / EVENTS, 1),
        "w2_bytes_per_event_nine_fields": round(peer.month(_made(folder / "nine"), plain) / EVENTS, 1),
        "bytes_stored_per_event": round(done.stored_bytes / done.events, 1),
    }


def held(peers: Mapping[str, Peer], folder: Path, hold_s: float) -> dict[str, dict[str, Any]]:
    """What connecting costs when there is nothing to say, and staying connected a minute. All at once."""
    keepalives = {"own": None, "60s": HELD_S, "short": SHORT_S}
    found: dict[str, dict[str, Any]] = {}
    lines: dict[tuple[str, str], Line] = {}
    with ExitStack() as stack:
        for name, peer in peers.items():

            def connect(name: str = name, peer: Peer = peer) -> dict[str, Any]:
                for kind, keepalive_s in keepalives.items():
                    place = _made(folder / f"{name}-{kind}")
                    lines[name, kind] = stack.enter_context(peer.hold(place, keepalive_s))
                return {"idle_bytes": lines[name, "own"].up + lines[name, "own"].down}

            found[name] = _tried(connect)
        crossed = _watch(lines, hold_s) if lines else {}
    for name, peer in peers.items():
        if "idle_bytes" in found[name]:
            each = {kind: crossed[name, kind] for kind in keepalives}
            found[name] |= {
                "keepalive_default_s": peer.keepalive_default_s,
                "held_bytes_per_min": _a_minute(each, "own", peer.keepalive_default_s, hold_s),
                "held_bytes_per_min_60s": _a_minute(each, "60s", HELD_S, hold_s),
                "held_bytes_counted": {kind: sum(exchanges) for kind, exchanges in each.items()},
                "held_counted_s": hold_s,
            }
    return found


def _a_minute(crossed: Mapping[str, list[int]], kind: str, keepalive_s: float, hold_s: float) -> float:
    """What crossed, or, when that was nothing, what one keepalive was seen to cost."""
    if crossed[kind]:
        return round(sum(crossed[kind]) * 60 / hold_s, 1)
    short = crossed["short"]
    return round(sum(short) / len(short) * 60 / keepalive_s, 1) if short else 0.0


def _watch(lines: Mapping[tuple[str, str], Line], for_s: float) -> dict[tuple[str, str], list[int]]:
    """Bytes of each exchange that crosses each line."""
    began = time.monotonic()
    seen = {name: line.up + line.down for name, line in lines.items()}
    last = dict.fromkeys(lines, began - APART_S)
    found: dict[tuple[str, str], list[int]] = {name: [] for name in lines}
    while (now := time.monotonic()) < began + for_s:
        for name, line in lines.items():
            grown = line.up + line.down - seen[name]
            if grown:
                if now - last[name] >= APART_S:
                    found[name].append(0)
                found[name][-1] += grown
                seen[name], last[name] = seen[name] + grown, now
        time.sleep(SAMPLE_S)
    return found


def _ratios(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, float]:
    """Loa's figure divided by the other's, for each that both have."""
    return {
        key: round(own[key] / other[key], 3)
        for key in own
        if isinstance(own[key], int | float) and key != "keepalive_default_s" and other.get(key)
    }


def _mean(events: list[bytes]) -> float:
    return round(sum(map(len, events)) / len(events), 1)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
