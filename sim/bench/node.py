"""What a station costs the box it stands on: a real `loa node run` on a folder that holds a province's month.

A real hub enrols the station and hands it thirty days of plan, 34 slots a day out of 200 contents, and is
gone when the measuring starts: everything here is without network. One life of the process is measured: its
start, a while at night at the speed of the wall, two idle hours hurried, and a morning whose slots are run
into at the speed of the wall while the minutes between them are hurried. So a start is late by real seconds.

Processor time, writes and bytes are the kernel's own counts (`/proc/PID`). The process reads the accelerated
clock's file at each turn and turns twice a second for it, which a real one does not: its idle figures are
upper bounds. Sounds are timed and not made, so there is no mpv in them.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ledger.facts import Approved, Klass, Manifest, Rendition, at, local_day
from ledger.log import DiskStore
from ledger.tempo import Tempo
from node import Confidence, HttpTransport, InlineCourier, Now, NullPlayer, Station, begin, finish
from sim.bench.setting import NOW, Setting
from sim.bench.workload import SLOTS_A_DAY, Content, Programme, decisions, programme

UNIT = "vn.yb.04630"
DAYS, SLOTS, STARTS = 30, 20, 3
# Real seconds: until the first call has failed, the quiet while, an hour hurried.
SETTLE_S, IDLE_S, HOUR_S = 8.0, 25.0, 20.0
SOUND_BYTES = 8_000
FIRST_DAY = local_day(NOW) + 1
NIGHT_S = at(FIRST_DAY, 55)
BEFORE_S, AFTER_S, BETWEEN_S = 1.0, 1.5, 1.0  # around a slot at the speed of the wall; between two, real
READY_LIMIT_S, FETCH_LIMIT = 60.0, 20_000
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class StillClock:
    """Stands at the hub's moment and moves a little with every look, as for somebody who only fetches."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> Now:
        return Now(NOW + self.passed_s / 1_000, 1_000 + self.passed_s, Confidence.NTP)


def measure(
    seed: int, *, settle_s: float = SETTLE_S, idle_s: float = IDLE_S, hour_s: float = HOUR_S,
    slots: int = SLOTS, starts: int = STARTS, days: int = DAYS,
) -> dict[str, Any]:  # fmt: skip
    """One JSON object. Raises RuntimeError when a slot of the morning did not begin at all."""
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as there:
        folder, tempo = Path(there) / "station", Path(there) / "tempo.json"
        plan = _prepare(folder, seed, days)
        found: dict[str, Any] = {
            "days": days, "slots_planned": days * SLOTS_A_DAY, "contents": len(set(plan.contents)),
        }  # fmt: skip
        began_s = time.monotonic()
        _write(tempo, Tempo(((began_s, NIGHT_S),)))
        times = []
        for _ in range(starts - 1):
            with _running(folder, tempo) as (_, ready_s, cpu_s):
                times.append((ready_s, cpu_s))
        with _running(folder, tempo) as (process, ready_s, cpu_s):
            times.append((ready_s, cpu_s))
            time.sleep(settle_s)
            found |= _idle(process.pid, idle_s)
            found |= _hours(process.pid, tempo, hour_s)
            _morning(process, tempo, plan, slots)
        found["rss_page_mb"] = _with_page(folder, tempo)
        found["ready_s"] = round(statistics.median(ready_s for ready_s, _ in times), 2)
        found["ready_cpu_s"] = round(statistics.median(cpu_s for _, cpu_s in times), 2)
        found["python_raw_s"] = round(min(_bare() for _ in range(3)), 3)
        return found | _starts(folder, plan, slots) | _disk(folder)


def _prepare(folder: Path, seed: int, days: int) -> Programme:
    """An enrolled station that holds the plan and the content of the coming days; its hub ends here."""
    drawn = programme(seed, days * SLOTS_A_DAY)
    with Setting([UNIT]) as setting:
        manifests: dict[bytes, Content] = {}
        for number, content in enumerate(sorted(set(drawn.contents), key=lambda content: content.manifest)):
            sound = random.Random(f"{seed}/sound/{number}").randbytes(SOUND_BYTES)  # noqa: S311
            text = f"Bản tin số {number}".encode()
            manifest = Manifest(
                (
                    Rendition.of("audio", "audio/ogg", sound, duration_ms=content.length_s * 1_000),
                    Rendition.of("board-text", "text/plain", text),
                )
            )
            for data in (sound, text, manifest.encode()):
                setting.hub.blobs.put(data)
            manifests[content.manifest] = Content(manifest.sha256, content.length_s)
        plan = replace(drawn, contents=tuple(manifests[content.manifest] for content in drawn.contents))
        key = setting.officer("lanhdao").key
        with setting.hub.lock, setting.hub.ledger.transaction():
            for content in sorted(manifests.values(), key=lambda content: content.manifest):
                setting.hub.ledger.append_sealed(
                    key,
                    Approved(
                        NOW, content.manifest[16:], 1, content.manifest, "Bản tin", "law", int(Klass.NORMAL),
                        "vn.yb", FIRST_DAY, FIRST_DAY + days,
                    ).encode(),
                )  # fmt: skip
            for fact in decisions(plan, "vn.yb", NOW):
                shift = FIRST_DAY - plan.place(0)[0]
                setting.hub.ledger.append_sealed(
                    key, replace(fact, first_day=fact.first_day + shift).encode()
                )
        _fetch(setting, folder)
    return plan


def _fetch(setting: Setting, folder: Path) -> None:
    store, clock = DiskStore(folder), StillClock()
    transport = HttpTransport(f"http://127.0.0.1:{setting.port}", mono=time.monotonic)
    try:
        request = begin(store, setting.tokens[UNIT], entropy=os.urandom)
        url = f"http://127.0.0.1:{setting.port}"
        token = setting.tokens[UNIT]
        config = finish(store, request, transport.enrol(request), token=token, hub_url=url)
        station = Station(
            config, store, clock, InlineCourier(transport), NullPlayer(), entropy=os.urandom,
            rng=random.SystemRandom(),
        )  # fmt: skip
        for _ in range(FETCH_LIMIT):
            clock.passed_s += station.tick()
            live = station.status().live
            if clock.passed_s > 60 and station.cursor and live is not None and not live.missing:
                break
        else:
            raise RuntimeError("the station did not fetch everything")
        station.close()
    finally:
        transport.close()
        store.close()


@contextmanager
def _running(
    folder: Path, tempo: Path, *more: str
) -> Iterator[tuple[subprocess.Popen[str], float, float]]:
    """(process, seconds until it said READY, processor seconds by then); ended by SIGTERM."""
    argv = [sys.executable, "-m", "node", "run", "--dir", str(folder), "--player", "null", *more]
    began_s = time.monotonic()
    process = subprocess.Popen(
        argv, env={**os.environ, "LOA_TEMPO": str(tempo)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if not process.stdout.readline().startswith("READY"):
            raise RuntimeError("the station did not start")
        yield process, time.monotonic() - began_s, _cpu_s(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _with_page(folder: Path, tempo: Path) -> float:
    """MB of memory with the commune's page served and asked for."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with _running(folder, tempo, "--page", f"127.0.0.1:{port}") as (process, _, _):
        asked = 0
        ends_s = time.monotonic() + READY_LIMIT_S
        while asked < 10:
            if time.monotonic() > ends_s:
                raise RuntimeError("the page does not answer")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
                    page.read()
                asked += 1
            except OSError:
                time.sleep(0.2)
        return _rss(process.pid, "VmRSS")


def _rss(pid: int, line: str) -> float:
    status = dict(one.split(":", 1) for one in Path(f"/proc/{pid}/status").read_text().splitlines())
    return round(int(status[line].split()[0]) / 1_024, 1)


def _idle(pid: int, for_s: float) -> dict[str, Any]:
    before, began_s = _cpu_s(pid), time.monotonic()
    time.sleep(for_s)
    cpu_s, took_s = _cpu_s(pid) - before, time.monotonic() - began_s
    return {
        "idle_cpu_percent": round(100 * cpu_s / took_s, 2),
        "idle_cpu_ms_per_min": round(60_000 * cpu_s / took_s),
        "rss_mb": _rss(pid, "VmRSS"),
        "rss_peak_mb": _rss(pid, "VmHWM"),
    }


def _hours(pid: int, tempo: Path, real_s: float) -> dict[str, Any]:
    """Two hours of the night without a slot, hurried: the first after a start, and one as all others."""
    at_s = time.monotonic() + 0.3
    (began_s, night_s) = Tempo.decode(tempo.read_bytes()).anchors[0]
    told_s = night_s + at_s - began_s
    _write(tempo, Tempo(((began_s, night_s), (at_s, told_s), (at_s + 2 * real_s, told_s + 7_200))))
    counts = []
    for number in range(3):
        time.sleep(max(0.0, at_s + number * real_s - time.monotonic()))
        counts.append(_io(pid))
    return {
        "writes_first_hour": counts[1]["syscw"] - counts[0]["syscw"],
        "writes_per_idle_hour": counts[2]["syscw"] - counts[1]["syscw"],
        "bytes_per_idle_hour": counts[2]["wchar"] - counts[1]["wchar"],
    }


def _morning(process: subprocess.Popen[str], tempo: Path, plan: Programme, slots: int) -> None:
    """Runs into each slot at the speed of the wall."""
    so_far = Tempo.decode(tempo.read_bytes())
    mono_s = time.monotonic() + 0.3
    anchors = list(so_far.settled(mono_s).anchors)
    for start_s in _planned(plan, slots):
        mono_s += BETWEEN_S
        anchors.append((mono_s, start_s - BEFORE_S))
        mono_s += BEFORE_S + AFTER_S
        anchors.append((mono_s, start_s + AFTER_S))
    _write(tempo, Tempo(tuple(anchors)))
    while time.monotonic() < mono_s:
        if process.poll() is not None:
            raise RuntimeError("the station ended by itself")
        time.sleep(0.2)


def _planned(plan: Programme, slots: int) -> list[int]:
    return [at(FIRST_DAY, plan.place(number)[1]) for number in range(slots)]


def _starts(folder: Path, plan: Programme, slots: int) -> dict[str, Any]:
    """How late the slots began, in seconds, by the station's own account."""
    wanted = _planned(plan, slots)
    db = sqlite3.connect(f"file:{folder / 'ledger.db'}?mode=ro", uri=True)
    try:
        rows = dict(db.execute("SELECT planned_s, started_s FROM node_plays WHERE started_s IS NOT NULL"))
    finally:
        db.close()
    if missing := [start_s for start_s in wanted if start_s not in rows]:
        raise RuntimeError(f"{len(missing)} of {slots} slots did not begin")
    late = sorted(abs(rows[start_s] - start_s) for start_s in wanted)
    return {
        "slots": slots,
        "start_error_median_s": round(statistics.median(late), 3),
        "start_error_p95_s": round(late[max(0, -(-len(late) * 95 // 100) - 1)], 3),
        "start_error_max_s": round(late[-1], 3),
    }


def _disk(folder: Path) -> dict[str, int]:
    sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    sounds = sum(size for path, size in sizes.items() if (folder / "blobs") in path.parents)
    return {"disk_bytes": sum(sizes.values()) - sounds, "content_bytes": sounds}


def _bare() -> float:
    """Seconds to start the same Python with nothing."""
    began_s = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.monotonic() - began_s


def _cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS_PER_S


def _io(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return {name: int(value) for name, value in (line.split(": ") for line in lines)}


def _write(path: Path, tempo: Tempo) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(tempo.encode())
    beside.replace(path)
