"""A station one version behind its hub, and a hub one version behind its station.

The older one is the real program with the newer entries taken out of its tables before it starts. It plays
what both understand, keeps the bytes of what it does not, passes them on, and applies them once it is newer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from loopback_hub import TOKEN, Hub, serving
from old_node import LATER_TYPES, older
from station_world import APPROVER, DAY, MORNING, NODE, ROOT, UNIT, World
from test_station_process import FastClock, environment

from ledger.facts import (
    ClustersListed,
    Condition,
    DirectiveIssued,
    Facts,
    FeedbackReceived,
    Outcome,
    Refused,
    Right,
    parse,
    read,
    read_condition,
)
from ledger.facts.fields import Malformed
from ledger.log import Blobs, DiskStore, Ledger, VerifyKey, check, codec, prove
from node import load_config, load_key

REPO = Path(__file__).parents[2]
OLD = [sys.executable, str(Path(__file__).with_name("old_node.py"))]
NEW = [sys.executable, "-m", "node"]
LIMIT_S = 90.0


def directive(hub: Hub, number: int) -> DirectiveIssued:
    return DirectiveIssued(
        hub.ts, bytes([number]) * 16, "directive", f"{number}/KH-UBND", "UBND tỉnh", DAY, "Kế hoạch", "",
        "law", bytes(32), "vn.yb", None,
    )  # fmt: skip


def with_a_later_kind(hub: Hub) -> bytes:
    """A manifest whose recording stands beside something that no program of today can show."""
    known = hub.blobs.read(hub.content(20, text="có hình nổi"))
    form, rows = codec.unpack(known, bytes_max=1 << 16)  # type: ignore[misc]
    later = b"what a later version shows"
    name = sha256(later).digest()
    rows = [*rows, ["hologram", "vi", "model/x", len(later), 0, name, name]]  # type: ignore[misc]
    hub.blobs.put(later)
    return hub.blobs.put(codec.pack([form, rows]))


@contextmanager
def running(program: list[str], folder: Path, tempo: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [*program, "run", "--dir", str(folder), "--player", "null"], env=environment(tempo), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPO,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith(f"READY {UNIT}"), (line, process.stderr and process.stderr.read())
        yield
        process.terminate()
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert "Traceback" not in err
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=20)


def until(lock: object, found: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + LIMIT_S
    while True:
        with lock:  # type: ignore[attr-defined]
            if found():
                return
        assert time.monotonic() < ends_s
        time.sleep(0.1)


def open_ledger(folder: Path) -> Ledger:
    def nothing(count: int) -> bytes:
        raise AssertionError("a look signs nothing")

    return Ledger(DiskStore(folder, readonly=True).open_db("ledger.db"), entropy=nothing, now=lambda: 0)


def test_the_older_program_lacks_what_the_newer_has() -> None:
    clusters = ClustersListed(7, "thôn 1").encode()
    assert isinstance(parse(clusters), ClustersListed)
    with older():
        assert parse(clusters) == Malformed(clusters, "unknown-type")
    assert isinstance(parse(clusters), ClustersListed)


@pytest.fixture
def province(tmp_path: Path) -> Iterator[tuple[Hub, threading.RLock, Path, Path, bytes]]:
    """(hub, its lock, the station's folder, tempo, the later kind's manifest): today's hub, time running.

    Before the older program starts, a document has been sent down and a series ordered with a way to go on
    after an interruption that it does not know; both stand among decisions that both know.
    """
    began_s = time.monotonic()
    tempo, folder = tmp_path / "tempo.json", tmp_path / "station"
    tempo.write_text(json.dumps({"anchors": [[began_s, MORNING], [began_s + 600, MORNING + 36_000]]}))
    with serving(FastClock(began_s)) as (hub, url, lock):
        with lock:
            hub.sign(ROOT, hub.grant(APPROVER, int(Right.ISSUE), "vn.yb"))
            hub.sign(APPROVER, directive(hub, 1))
            later = with_a_later_kind(hub)
            hub.approve(later, bulletin=b"L" * 16)
            hub.schedule(later, 345, bulletin=b"L" * 16, late_s=1_800)
            hub.programme(346, seconds=20, late_s=1_800, on_interrupt=2)
            hub.sign(APPROVER, directive(hub, 2))
            hub.programme(347, seconds=20, late_s=1_800)
        done = subprocess.run(
            [*NEW, "init", "--dir", str(folder), "--hub", url, "--token", TOKEN.text], cwd=REPO, check=False,
            env=environment(None), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        text = (folder / "station.toml").read_text().replace("sync_period_s = 900", "sync_period_s = 60")
        (folder / "station.toml").write_text(text + "boot_spread_s = 0.0\n")
        yield hub, lock, folder, tempo, later


def test_a_station_one_version_behind_plays_what_both_understand_and_keeps_the_rest(
    province: tuple[Hub, threading.RLock, Path, Path, bytes],
) -> None:
    hub, lock, folder, tempo, later = province
    key = load_key(DiskStore(folder, readonly=True))

    def played() -> dict[int, int]:
        return {ack.series: ack.outcome for ack in hub.acks(key)}

    with running(OLD, folder, tempo):
        until(lock, lambda: {1, 3} <= set(played()))
    assert set(played().values()) <= {Outcome.PLAYED, Outcome.PLAYED_LATE}
    assert set(played()) == {1, 3}, "what it did not understand it did not play"
    refused = [one.fact for one in hub.facts_of(Refused, key) if isinstance(one.fact, Refused)]
    assert [fact.reason for fact in refused] == ["bad-on-interrupt"], "what it does not follow it says"
    # Kept byte for byte, in its place, provable from the station's disk alone.
    at_hub = {e for stored in hub.ledger.since(0) for e in stored.segment.events}
    ledger = open_ledger(folder)
    kept = [stored for stored in ledger.since(0) if stored.audience is None]
    strange = [
        (stored.segment, event)
        for stored in kept
        for event in stored.segment.events
        if codec.decode(event)[0] in LATER_TYPES or (codec.decode(event)[0] == 2)
    ]
    assert [codec.decode(event)[0] for _, event in strange] == [12, 2, 12]
    for segment, event in strange:
        assert event in at_hub
        check(prove(segment, 0), ledger.key_of)
    assert Blobs(DiskStore(folder, readonly=True)).has(later)
    assert ledger.verify().problems == []


def test_after_an_upgrade_a_station_applies_what_it_had_kept(
    province: tuple[Hub, threading.RLock, Path, Path, bytes],
) -> None:
    hub, lock, folder, tempo, _ = province
    key = load_key(DiskStore(folder, readonly=True))

    def outcomes() -> dict[int, int]:
        return {ack.series: ack.outcome for ack in hub.acks(key)}

    with running(OLD, folder, tempo):
        until(lock, lambda: {1, 3} <= set(outcomes()))
        with lock:
            tomorrow = hub.programme(360, seconds=20, late_s=1_800, on_interrupt=2)
        until(lock, lambda: len(hub.facts_of(Refused, key)) == 2)
    with running(NEW, folder, tempo):
        until(lock, lambda: {2, tomorrow} <= set(outcomes()))
    heard = {Outcome.PLAYED, Outcome.PLAYED_LATE}
    assert outcomes()[tomorrow] in heard, "the order that waited unread plays"
    assert outcomes()[2] in heard | {Outcome.MISSED}
    acks = [(ack.series, ack.day) for ack in hub.acks(key)]
    assert len(acks) == len(set(acks))
    config = load_config(DiskStore(folder, readonly=True))
    facts = Facts([VerifyKey(root) for root in config.roots])
    facts.load(open_ledger(folder))
    assert {one[-1].fact.number for one in facts.directives.values()} == {"1/KH-UBND", "2/KH-UBND"}
    assert facts.refused == []
    assert hub.ledger.forks() == []


def test_an_older_hub_keeps_receipts_and_passes_on_reports_it_does_not_know() -> None:
    world = World(sync_period_s=60)
    exchange = world.line.exchange

    def behind(body: bytes) -> bytes:
        with older():
            return exchange(body)

    world.line.exchange = behind  # type: ignore[method-assign]
    series = world.hub.programme(335, seconds=20)
    feedback = FeedbackReceived(int(world.clock.utc_s), b"F" * 16, "other", "Loa nhỏ quá", "").encode()
    clusters = ClustersListed(int(world.clock.utc_s), "thôn 1\nthôn 2").encode()
    for event in (feedback, clusters):
        world.station.ledger.append(NODE, event)
    world.run_to(340)
    assert [ack.series for ack in world.hub.acks()] == [series]
    assert world.station.ledger.unreceipted(NODE.key_id) == [], "the older hub promised to keep them"
    with older():
        known = [
            one for stored in world.hub.ledger.since(0) for one in read(stored) if one.key_id == NODE.key_id
        ]
        strange = [one for one in known if isinstance(one.fact, Malformed)]
        assert [one.event for one in strange] == [feedback, clusters]
        assert {one.fact.reason for one in strange if isinstance(one.fact, Malformed)} == {"unknown-type"}
    # What it passes on upward are the segments themselves; and a newer hub on its disk reads them.
    world.hub.restart()
    assert [one.event for one in world.hub.facts_of(FeedbackReceived)] == [feedback]
    for stored in world.hub.ledger.since(0):
        check(prove(stored.segment, 0), world.hub.ledger.key_of)


def test_a_status_with_fields_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    status = codec.pack([1, "mpv", 3, 2, 7, 0, 0, 0, 80, "loa/9.9", 5, "mới", [1, 2], None])
    found = read_condition(status)
    assert (found.player, found.ceiling, found.volume, found.software) == ("mpv", 3, 80, "loa/9.9")
    assert read_condition(codec.pack([2, "mpv"])) == Condition()
