"""Setting the stage: a hub is founded and started, stations are registered, tokens printed, boxes enrolled.

Everything is done as a province would do it: `loa hub` and `loa node` as commands of their own, one-time
tokens, enrolment over HTTP through each station's own line. Only the boxes without a process of their own are
enrolled from here, with the same calls the command makes.

Bound: what happens before 04:30 of the day. Nothing here knows the programme.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ledger.log import DiskStore, LoaError, MemoryStore, TransportError, VerifyKey
from node import HttpTransport, StationConfig, begin, finish, load_config
from sim.demo.day import BACKOFF_BASE_S, PROVINCE, SYNC_PERIOD_S
from sim.processes import Program, Supervisor, run_to_end
from sim.scenarios import Place

HUB = "hub"
COMMAND_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 30.0
ENROL_TRIES = 5
ENROL_PAUSE_S = 0.2
ENROL_AT_ONCE = 4
PATIENCE_S = 30 * 86_400.0
"""Story seconds race past while a real exchange is under way: only the transport's real deadlines count."""
ADMIN = ("admin", "quantri-2022")
EDITOR = ("bientap", "bientap-2022")
APPROVER = ("lanhdao", "lanhdao-2022")


@dataclass(frozen=True)
class Folder:
    """The demo's directory: everything it writes lies below `root`."""

    root: Path

    @property
    def hub(self) -> Path:
        return self.root / "hub"

    @property
    def tempo(self) -> Path:
        return self.root / "tempo.json"

    @property
    def pids(self) -> Path:
        return self.root / "pids.json"

    def node(self, unit: str) -> Path:
        return self.root / "nodes" / unit

    def log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    @property
    def env(self) -> dict[str, str]:
        """What every command and process of the demo gets beside our own environment."""
        return {"LOA_TEMPO": str(self.tempo), "PYTHONUNBUFFERED": "1"}


def found_hub(folder: Folder, places: Sequence[Place]) -> dict[str, str]:
    """Founds the hub with the demo's accounts, registers all stations; unit → one-time token of each `it`."""
    _run(folder, "hub", "init", "--dir", str(folder.hub), "--province", PROVINCE, "--name", "Yên Bái",
         "--demo-accounts", "--cheap-kdf")  # fmt: skip
    table = folder.root / "stations.csv"
    with table.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("unit", "name", "kind"))
        rows.writerows((place.unit, place.name, place.kind) for place in places)
    _run(folder, "hub", "stations", "import", "--dir", str(folder.hub), "--as", ADMIN[0], str(table))
    printed = _run(folder, "hub", "token", "--dir", str(folder.hub), "--as", ADMIN[0], "--all-it", "--json")
    tokens = {str(row["unit"]): str(row["token"]) for row in json.loads(printed)}
    missing = [place.unit for place in places if place.kind == "it" and place.unit not in tokens]
    if missing:
        raise LoaError("token-missing", f"the hub printed no token for {missing[:3]}")
    return tokens


def start_hub(folder: Folder, family: Supervisor, port: int) -> int:
    """Starts the hub's process; the port it listens on, which it keeps when it has to start again."""
    family.start(_hub_program(folder, port))
    said = family.wait_line(HUB, r"LISTENING http://[^:]+:(\d+)", timeout_s=READY_TIMEOUT_S)
    port = int(said.group(1))
    family.revise(_hub_program(folder, port))
    return port


def enrol_process(folder: Folder, unit: str, token: str, port: int) -> None:
    """`loa node init` for a station that will be a process; its calls go through the proxy's `port`."""
    home = folder.node(unit)
    _run(folder, "node", "init", "--dir", str(home), "--hub", f"http://127.0.0.1:{port}", "--token", token)
    settings = home / "station.toml"
    text = settings.read_text("utf-8")
    for name, value in (("sync_period_s", SYNC_PERIOD_S), ("backoff_base_s", BACKOFF_BASE_S)):
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    settings.write_text(text, "utf-8")


def roots_of(folder: Folder, unit: str) -> list[VerifyKey]:
    """The keys whose authority nobody granted, as an enrolled node was told them under its token."""
    store = DiskStore(folder.node(unit), readonly=True)
    try:
        return [VerifyKey(raw) for raw in load_config(store).roots]
    finally:
        store.close()


def start_node(folder: Folder, family: Supervisor, unit: str) -> int:
    argv = (sys.executable, "-m", "node", "run", "--dir", str(folder.node(unit)), "--player", "null")
    return family.start(Program(unit, argv, folder.log(unit), env=folder.env, cwd=folder.root))


def enrol_simulated(
    units: Iterable[str], tokens: dict[str, str], ports: dict[str, int]
) -> list[tuple[StationConfig, MemoryStore]]:
    """Enrols the boxes that live in this process, a few at a time."""

    def one(unit: str) -> tuple[StationConfig, MemoryStore]:
        return _enrol(unit, tokens[unit], f"http://127.0.0.1:{ports[unit]}")

    with ThreadPoolExecutor(ENROL_AT_ONCE, thread_name_prefix="enrol") as pool:
        return list(pool.map(one, units))


def _enrol(unit: str, token: str, url: str) -> tuple[StationConfig, MemoryStore]:
    store = MemoryStore()
    request = begin(store, token, entropy=os.urandom, unit=unit)
    transport = HttpTransport(url, mono=time.monotonic)
    try:
        for left in reversed(range(ENROL_TRIES)):
            try:
                reply = transport.enrol(request)
                break
            except TransportError:
                if not left:
                    raise
                time.sleep(ENROL_PAUSE_S)
        config = finish(store, request, reply, token=token, hub_url=url)
    finally:
        transport.close()
    return replace(
        config,
        sync_period_s=SYNC_PERIOD_S,
        backoff_base_s=BACKOFF_BASE_S,
        idle_cap_s=float(SYNC_PERIOD_S),
        stall_s=PATIENCE_S,
        job_deadline_s=PATIENCE_S,
    ), store


def _hub_program(folder: Folder, port: int) -> Program:
    argv = (sys.executable, "-m", "hub", "serve", "--dir", str(folder.hub), "--port", str(port))
    return Program(HUB, argv, folder.log(HUB), env=folder.env, cwd=folder.root)


def _run(folder: Folder, *words: str) -> str:
    env = {**folder.env, "LOA_PASSWORD": ADMIN[1]}
    return run_to_end((sys.executable, "-m", *words), env=env, cwd=folder.root, timeout_s=COMMAND_TIMEOUT_S)
