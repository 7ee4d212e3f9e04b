"""A station's own disk: how many events a second it keeps one by one, and what they weigh once sealed."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from ledger.log import DiskStore, Ledger, SigningKey, forget_heads
from sim.bench.setting import NOW
from sim.bench.workload import acknowledgments, programme

EVENTS = 1000


def measure(seed: int) -> dict[str, Any]:
    """One JSON object. append_per_s: each alone in a transaction that reached the disk."""
    events = acknowledgments(programme(seed, EVENTS), seed, 0)
    key = SigningKey.from_seed(b"store" + bytes(27))
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        store = DiskStore(Path(folder))
        ledger = Ledger(store.open_db("ledger.db"), entropy=os.urandom, now=lambda: NOW)
        ledger.trust(key.verify_key)
        before = time.perf_counter()
        for event in events:
            ledger.append(key, event)
        appended_s = time.perf_counter() - before
        before = time.perf_counter()
        ledger.seal(key)
        sealed_s = time.perf_counter() - before
        forget_heads()
        before = time.perf_counter()
        audit = ledger.verify()
        verified_s = time.perf_counter() - before
        stored = sum(len(one.segment.raw) for one in ledger.since(0))
        store.close()
    return {
        "append_per_s": round(EVENTS / appended_s),
        "seal_per_s": round(EVENTS / sealed_s),
        "verify_per_s": round(EVENTS / verified_s),
        "bytes_per_event": round(stored / EVENTS, 2),
        "verify_failed": audit.failed,
    }
