"""What a station costs: measured on a real process, whose counts add up. Nothing here asks how fast it is."""

from __future__ import annotations

from sim.bench import node
from sim.bench.table import TARGETS, at, lines


def test_a_station_is_started_watched_and_run_into_its_slots_without_a_hub() -> None:
    found = node.measure(5, settle_s=0.2, idle_s=0.5, hour_s=2, slots=2, starts=1, days=2)
    assert found["slots_planned"] == 2 * 34
    assert found["slots"] == 2
    assert 0 <= found["start_error_median_s"] <= found["start_error_p95_s"] <= found["start_error_max_s"]
    assert found["ready_s"] > found["python_raw_s"] > 0
    # Six marks of being alive an hour, each on the disk before the next.
    assert 6 <= found["writes_per_idle_hour"] <= 50
    assert found["bytes_per_idle_hour"] >= 6 * 4_096
    assert 10 < found["rss_mb"] <= found["rss_peak_mb"]
    assert found["disk_bytes"] > 50_000
    assert found["content_bytes"] > node.SOUND_BYTES
    assert len(lines("node", found)) == len(TARGETS["node"])
    assert all(at(found, target.path) >= 0 for target in TARGETS["node"])
