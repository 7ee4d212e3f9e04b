"""Twenty megabytes over a line that dies every two hundred kilobytes, through power cuts and hub restarts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from fetch_line import DIES_EVERY, SIZE, Cutter, ServedHub, province
from fetch_node import Node

from ledger.log import Blobs, DiskStore, MemoryStore, TransportError
from node import HttpTransport
from sim.power import PowerCut, PoweredStore

REPO = Path(__file__).parents[2]


class Mains:
    """A monotonic clock that the transport reads at every piece of an answer; the power can go at any."""

    def __init__(self) -> None:
        self.off_after: int | None = None

    def __call__(self) -> float:
        if self.off_after is not None:
            self.off_after -= 1
            if self.off_after <= 0:
                self.off_after = None
                raise PowerCut
        return time.monotonic()


def test_twenty_megabytes_over_a_line_that_dies_every_200_kb_come_with_less_than_one_percent_again(
    tmp_path: Path,
) -> None:
    with province(tmp_path / "hub", SIZE) as (hub, sound, sha), Cutter(hub.port, every=DIES_EVERY) as line:
        node = Node(MemoryStore(), hub.clock, line.url, time.monotonic)
        node.enrol(hub.token())
        line.forget()
        node.boot()
        blobs = Blobs(node.store)
        node.run_until(lambda: blobs.has(sha))
        node.close()
        assert blobs.read(sha) == sound
        assert line.deaths >= 99
        # Everything on the socket counts: heads of answers, the sync, the manifest, the board text.
        assert line.down < 1.01 * len(sound), f"{line.down - len(sound)} bytes above the content"


def test_what_a_hub_says_of_content_costs_what_the_page_states(tmp_path: Path) -> None:
    """docs/spec/blobs.md: the heads of a request and of its answer, and the refusal of an unknown name."""
    with province(tmp_path / "hub", 300_000) as (hub, sound, sha), Cutter(hub.port) as line:
        transport = HttpTransport(line.url, mono=time.monotonic)
        assert transport.fetch(sha, 70_000, 65_536) == sound[70_000 : 70_000 + 65_536]
        assert 150 < line.up <= 225
        assert 185 < line.down - 65_536 <= 210
        meter = transport.meter
        assert (meter.up, meter.down) == (line.up, line.down)
        with pytest.raises(TransportError, match=r"^blob-absent"):
            transport.fetch(bytes(32), 0, 10)
        with pytest.raises(TransportError, match=r"^http-416"):
            transport.fetch(sha, 400_000, 10)
        transport.close()
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{line.url}/v1/blob/{'00' * 32}", timeout=5)
        with refused.value as answer:
            assert answer.code == 404
            assert b"blob-unknown" in answer.read()


def test_power_cuts_of_the_station_and_a_restart_of_the_hub_cost_less_than_one_percent(
    tmp_path: Path,
) -> None:
    mains = Mains()
    with province(tmp_path / "hub", SIZE) as (hub, sound, sha), Cutter(hub.port, every=DIES_EVERY) as line:

        def restart() -> None:
            hub.restart()
            line.port = hub.port

        store = PoweredStore()
        node = Node(store, hub.clock, line.url, mains)
        node.enrol(hub.token())
        line.forget()
        line.at = [(SIZE // 2, restart), (SIZE * 3 // 4, restart)]
        blobs = Blobs(store)
        cuts = 0
        for share, where in ((0.2, "answer"), (0.45, "disk"), (0.7, "answer"), (2.0, "")):
            node.boot()
            try:
                node.run_until(lambda share=share: blobs.has(sha) or blobs.begun(sha) >= share * SIZE)
                if where == "answer":
                    mains.off_after = 6
                elif where == "disk":
                    store.fuse.arm(7)
                node.run_until(lambda: blobs.has(sha))
            except PowerCut:
                cuts += 1
                store.fuse.reset()
                store.crash()
                hub.clock.pass_s(60)
        node.close()
        assert (cuts, line.at) == (3, [])
        assert blobs.read(sha) == sound
        assert line.content < 1.01 * len(sound), f"{line.content - len(sound)} bytes came again"


def test_a_station_process_killed_with_sigkill_goes_on_where_it_was(tmp_path: Path) -> None:
    size = 3_000_000
    with province(tmp_path / "hub", size) as (hub, sound, sha), Cutter(hub.port, every=DIES_EVERY) as line:
        folder = tmp_path / "node"
        disk = DiskStore(folder)
        Node(disk, hub.clock, line.url, time.monotonic).enrol(hub.token())
        disk.close()
        line.forget()
        for share in (0.3, 0.6, None):
            child = _child(folder, hub, line, sha)
            if share is None:
                assert child.wait(60) == 0
                break
            while line.down < share * size:
                assert child.poll() is None
                time.sleep(0.002)
            os.kill(child.pid, signal.SIGKILL)
            child.wait(10)
        disk = DiskStore(folder)
        assert Blobs(disk).read(sha) == sound
        disk.close()
        # Each kill costs at most the answer that was coming in: two chunks on a line as bad as this.
        assert line.content < 1.01 * size + 2 * 131_072


def _child(folder: Path, hub: ServedHub, line: Cutter, sha: bytes) -> subprocess.Popen[bytes]:
    words = [sys.executable, str(Path(__file__).with_name("fetch_child.py"))]
    return subprocess.Popen(
        [*words, str(folder), line.url, sha.hex(), str(hub.clock.utc_s)],
        env={**os.environ, "PYTHONPATH": f"{REPO}:{Path(__file__).parent}"},
    )


def test_a_good_line_gets_large_answers_and_a_dying_one_single_chunks(tmp_path: Path) -> None:
    size = 4_000_000
    with province(tmp_path / "hub", size) as (hub, _, sha), Cutter(hub.port) as line:
        token = hub.token()
        requests = {}
        for every in (None, DIES_EVERY):
            store = MemoryStore()
            node = Node(store, hub.clock, line.url, time.monotonic)
            if every is None:
                node.enrol(token)
                enrolled = store.snapshot()
            else:
                store.restore(enrolled)
            line.every = line._left = every
            line.forget()
            node.boot()
            blobs = Blobs(store)
            node.run_until(lambda blobs=blobs: blobs.has(sha))
            node.close()
            requests[every] = line.requests
        assert requests[None] < requests[DIES_EVERY] / 3, requests
