"""Events a second into a hub: verified, decoded, stored as segments, and folded into the as-run view.

One process, one core, a real file with synchronous=FULL. Beside it, in the same run, what the machine itself
can do: raw Ed25519 verifications and raw SQLite rows, so that the figures can be read on any machine. Beside
the bytes on the disk stand those of the segments themselves: what is between them is the database's.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.facts import acknowledgments
from ledger.log import (
    DiskStore,
    Ledger,
    SigningKey,
    VerifyKey,
    forget_heads,
    make_request,
    open_segment,
    seal,
)
from sim.bench.setting import NOW, Setting
from sim.bench.workload import acknowledgments as reported
from sim.bench.workload import programme

STATIONS, EVENTS, PER_SEGMENT, BATCH = 100, 1000, 100, 50
BIG = 256


def measure(seed: int, stations: int = STATIONS) -> dict[str, Any]:
    """One JSON object. stations: 100 is W1."""
    plan = programme(seed, EVENTS)
    said = [reported(plan, seed, number) for number in range(stations)]
    keys = [SigningKey.from_seed(b"station %5d" % number + bytes(19)) for number in range(stations)]
    raws = [raw for key, events in zip(keys, said, strict=True) for raw in _sealed(key, events, PER_SEGMENT)]
    known = {key.key_id: key.verify_key for key in keys}
    count = stations * EVENTS
    found: dict[str, Any] = {
        "events": count,
        "verify_per_s_raw": _raw_verify(),
        "sqlite_rows_per_s_raw": _raw_sqlite(said[0]),
        "events_per_s_verified": _rate(count, lambda: _verify(raws, known)),
    }
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        rate, size = _segments(Path(folder) / "n100", raws, keys, count)
        found["events_per_s_segments"] = rate
        found["bytes_stored_per_event_segments"] = round(size / count, 1)
        big = [raw for key, events in zip(keys, said, strict=True) for raw in _sealed(key, events, BIG)]
        _, size = _segments(Path(folder) / "n256", big, keys, count)
        found["bytes_stored_per_event_segments_n256"] = round(size / count, 1)
        found["bytes_self_contained_per_event_n256"] = round(sum(map(len, big)) / count, 1)
    found |= _hub(plan, seed, said)
    return found


def _sealed(key: SigningKey, events: list[bytes], n: int) -> list[bytes]:
    prev, raws = bytes(32), []
    for at in range(0, len(events), n):
        segment = seal(key, b"bench-01", at, prev, events[at : at + n])
        prev = segment.head.hash
        raws.append(segment.raw)
    return raws


def _rate(count: int, work: Callable[[], object]) -> int:
    """Per second of this thread's processor time: what one core does, whatever else the machine does.

    Signatures count as work each time: the figure is that of segments met for the first time.
    """
    forget_heads()
    before = time.thread_time()
    work()
    return round(count / (time.thread_time() - before))


def _raw_verify() -> int:
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, message = private.public_key(), bytes(104)
    signature = private.sign(message)

    def work() -> None:
        for _ in range(2000):
            public.verify(signature, message)

    return _rate(2000, work)


def _raw_sqlite(events: list[bytes]) -> int:
    rows = [(n, event) for n, event in enumerate(events * 50)]
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        db = sqlite3.connect(Path(folder) / "raw.db")
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE e (n INT, b BLOB)")

        def work() -> None:
            for at in range(0, len(rows), 5000):
                with db:
                    db.executemany("INSERT INTO e VALUES (?, ?)", rows[at : at + 5000])

        rate = _rate(len(rows), work)
        db.close()
    return rate


def _verify(raws: list[bytes], known: dict[bytes, VerifyKey]) -> None:
    for raw in raws:
        events = open_segment(raw, known.get).events
        assert len(acknowledgments(events).nth) == len(events)


def _segments(folder: Path, raws: list[bytes], keys: list[SigningKey], count: int) -> tuple[int, int]:
    store = DiskStore(folder)
    try:
        ledger = Ledger(store.open_db("ledger.db"), entropy=os.urandom, now=lambda: NOW)
        for key in keys:
            ledger.trust(key.verify_key)

        def work() -> None:
            for at in range(0, len(raws), BATCH):
                ledger.ingest_all(raws[at : at + BATCH], source="bench")

        rate = _rate(count, work)
        assert ledger.position() == len(raws)
    finally:
        store.close()
    return rate, sum(path.stat().st_size for path in folder.iterdir() if path.name.startswith("ledger.db"))


def _hub(plan: Any, seed: int, said: list[list[bytes]]) -> dict[str, Any]:
    """The whole hub: requests in transit form, journal, receipts, and the as-run view after each."""
    units = [f"vn.yb.{40_000 + number:05d}" for number in range(len(said))]
    with Setting(units) as setting:
        setting.plan(plan, "vn.yb")
        requests = []
        for unit, events in zip(units, said, strict=True):
            box = setting.station(unit)
            box.drain()
            box.say(events)
            requests.append(
                make_request(
                    box.ledger, box.key, nonce=os.urandom(8), now=NOW, send_max=1 << 19, coder=box.coder
                )
            )
            box.close()
        hub, count = setting.hub, sum(map(len, said))
        hub.tick()  # the plan is in the views already
        size = _size(setting.folder / "hub")

        def work() -> None:
            for request in requests:
                hub.ingest.exchange(request, now=NOW)

        answered = _rate(count, work)
        viewed = time.thread_time()
        hub.tick()
        view_s = time.thread_time() - viewed
        grown = _size(setting.folder / "hub") - size
        rebuilt = _rate(hub.queries.counts()["events"], hub.rebuild)
    return {
        "events_per_s_answered": answered,
        "events_per_s_with_view": round(1 / (1 / answered + view_s / count)),
        "view_events_per_s": round(count / view_s),
        "rebuild_events_per_s": rebuilt,
        "bytes_stored_per_event": round(grown / count, 1),
    }


def _size(folder: Path) -> int:
    """Bytes of the databases, write-ahead logs folded in."""
    for path in folder.glob("*.db"):
        db = sqlite3.connect(path)
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        db.close()
    return sum(path.stat().st_size for path in folder.glob("*.db"))
