"""A station as a real process drives a bank behind real sockets, and what it signs says what the bank did."""

from __future__ import annotations

import json
import time
from pathlib import Path

from loopback_hub import serving
from station_world import MORNING, TestClock
from test_station_process import enrol, station

from ledger.facts import Cluster, ClustersListed, Outcome, unpack_clusters
from ledger.log import DiskStore
from node import clusters_toml, load_key
from sim.cluster_server import BankServer
from sim.clusters import Bank, Ill
from sim.faults import Dice

SPEED = 20.0  # a second between two messages is then 50 ms, which loopback keeps
PATIENCE_S = 90.0


class HubClock(TestClock):
    """The hub's share of the accelerated time."""

    def __init__(self, started_s: float) -> None:
        super().__init__(MORNING)
        self.started_s = started_s

    @property
    def utc_s(self) -> float:
        return MORNING + (time.monotonic() - self.started_s) * SPEED

    @utc_s.setter
    def utc_s(self, value: float) -> None:
        pass  # the base class sets the start; this one runs by itself


def test_a_real_station_drives_real_sockets_and_signs_what_its_clusters_did(tmp_path: Path) -> None:
    started_s = time.monotonic()
    tempo, folder = tmp_path / "tempo.json", tmp_path / "station"
    tempo.write_text(
        json.dumps({"anchors": [[started_s, MORNING], [started_s + 600, MORNING + 600 * SPEED]]})
    )
    ills = {2: Ill(dead=True), 3: Ill(muted=True), 5: Ill(dead=True)}
    bank = BankServer(Bank(8, Dice(1), ills=ills), time.monotonic, drivers=("udp", "http"))
    bank.start()
    with serving(HubClock(started_s)) as (hub, url, lock):
        with lock:
            hub.programme(331, seconds=60, late_s=7_200)
        enrol(folder, url)
        (folder / "clusters.toml").write_text(clusters_toml(bank.entries()), "utf-8")
        key = load_key(DiskStore(folder, readonly=True))
        sounded = False
        until_s = time.monotonic() + PATIENCE_S
        with station(folder, tempo):
            while time.monotonic() < until_s:
                now = bank.sounding()
                sounded |= [one is not None for one in now] == [
                    True,
                    True,
                    False,
                    False,
                    True,
                    False,
                    True,
                    True,
                ]
                with lock:
                    if hub.acks(key):
                        break
                time.sleep(0.05)
        bank.stop()
        with lock:
            (ack,) = hub.acks(key)
            listings = [signed.fact for signed in hub.facts_of(ClustersListed, key)]
    assert sounded
    assert ack.outcome in (Outcome.PLAYED, Outcome.PLAYED_LATE)
    assert ack.clusters is not None
    assert unpack_clusters(ack.clusters) == (
        Cluster.PLAYING, Cluster.PLAYING, Cluster.NOT_REACHED, Cluster.SILENT,
        Cluster.PLAYING, Cluster.NOT_REACHED, Cluster.PLAYING, Cluster.PLAYING,
    )  # fmt: skip
    assert [len(one.names.split("\n")) for one in listings if isinstance(one, ClustersListed)] == [8]
