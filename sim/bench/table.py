"""Figures beside the targets they are to reach, and the ratios by which they can be read on any machine.

A target says what is wanted and in which direction; a figure that misses it is printed with that, never
hidden. Absolute speeds depend on the machine: the ratios to what the same machine does raw, in the same run,
do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """path: keys in the JSON object, dotted. at_most or at_least, in `unit`."""

    path: str
    title: str
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    def is_met(self, figure: float) -> bool:
        return (self.at_most is None or figure <= self.at_most) and (
            self.at_least is None or figure >= self.at_least
        )

    @property
    def wanted(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:,g}"
        return "" if self.at_least is None else f"≥ {self.at_least:,g}"


TARGETS: Mapping[str, tuple[Target, ...]] = {
    "wire": (
        Target("bytes_per_event.1", "an acknowledgment alone, in transit", "B", at_most=150),
        Target("bytes_per_event.10", "in segments of 10", "B", at_most=35),
        Target("bytes_per_event.100", "in segments of 100", "B", at_most=14),
        Target("bytes_per_event.1000", "in segments of 1,000", "B", at_most=9),
        Target("floor_bytes_per_event", "what the distribution itself holds", "B"),
        Target("w2_bytes_per_event", "a month of one station, all on the socket", "B", at_most=8),
        Target("idle_bytes", "an exchange with nothing to say", "B", at_most=350),
        Target("isolated_ack_bytes", "an exchange with one acknowledgment", "B"),
        Target("held_bytes_per_min", "a minute of a line held for the doorbell", "B", at_most=100),
        Target("held_tls_bytes_per_min", "the same over TLS", "B", at_most=100),
        Target("station_day_bytes", "a day: 8 acknowledgments, 4 calls, TLS", "B", at_most=6_000),
        Target("station_day_full_handshakes_bytes", "the same, no session resumed", "B"),
        Target("station_day_plain_bytes", "the same, no TLS", "B"),
        Target("approval_proof_bytes", "the proof of one approval", "B", at_most=332),
    ),
    "ingest": (
        Target("events_per_s_verified", "verified and decoded", "/s"),
        Target("events_per_s_segments", "verified and stored as segments", "/s"),
        Target("events_per_s_answered", "a hub's whole answer, from transit form", "/s"),
        Target("view_events_per_s", "folded into the views", "/s", at_least=100_000),
        Target("events_per_s_with_view", "answered and in the as-run view", "/s", at_least=100_000),
        Target("verify_per_s_raw", "raw Ed25519 verifications", "/s"),
        Target("sqlite_rows_per_s_raw", "raw SQLite rows", "/s"),
        Target("rebuild_events_per_s", "views built again, decisions included", "/s", at_least=100_000),
        Target("bytes_self_contained_per_event_n256", "the segments of 256 themselves", "B"),
        Target("bytes_stored_per_event_segments_n256", "stored in segments of 256", "B", at_most=20),
        Target("bytes_stored_per_event", "stored with the as-run view", "B", at_most=100),
    ),
    "sync": (
        Target("w1_events_per_s", "over HTTP into the view, one station after the other", "/s"),
        Target("w2_2g_seconds", "a month of one station over a line like 2G", "s", at_most=4),
        Target("w2_cut_extra_bytes", "more bytes when it is cut once", "B"),
        Target("w2_cut_extra_share", "their share", "", at_most=0.05),
        Target("emergency_s", "from an order to the first sound, the slowest of five", "s", at_most=5),
        Target("backlog_bytes", "a hundred months of one station", "B"),
        Target("backlog_extra_share", "more when the line dies every 20,000 bytes", "", at_most=0.1),
    ),
    "store": (
        Target("append_per_s", "kept one by one, each on the disk", "/s"),
        Target("seal_per_s", "sealed", "/s"),
        Target("verify_per_s", "opened and verified again", "/s"),
        Target("bytes_per_event", "held, self-contained", "B"),
    ),
    "reports": (
        Target("rows", "acknowledgments of a year, four slots a day", ""),
        Target("report_month_ms", "a report of a month", "ms", at_most=300),
        Target("report_quarter_ms", "of a quarter", "ms", at_most=300),
        Target("report_year_ms", "of the year", "ms"),
        Target("look_ms", "a look at all stations for alerts, every 30 s", "ms", at_most=300),
        Target("report_at_s", "of an earlier position, everything built again", "s"),
    ),
    "node": (
        Target("ready_s", "from the command to ready, by the clock", "s", at_most=3),
        Target("ready_cpu_s", "the same, processor time", "s"),
        Target("rss_mb", "memory, after a while", "MB", at_most=120),
        Target("rss_page_mb", "memory, with the page served", "MB", at_most=120),
        Target("idle_cpu_percent", "of a core while nothing is due", "%", at_most=2),
        Target("idle_cpu_ms_per_min", "the same, a minute", "ms"),
        Target("writes_per_idle_hour", "write calls in an idle hour", "", at_most=50),
        Target("writes_first_hour", "in the first hour after a start", ""),
        Target("bytes_per_idle_hour", "bytes written in an idle hour", "B"),
        Target("start_error_p95_s", "late or early start of a timed item, p95", "s", at_most=1),
        Target("start_error_max_s", "the worst of them", "s"),
        Target("disk_bytes", "the station's folder beside content", "B"),
    ),
    "sim": (
        Target("station_days_per_s", "station-days a second of processor time", "/s", at_least=20),
        Target("station_days_per_s_stand_in", "the same, hashed instead of signed", "/s", at_least=40),
        Target("kb_per_station", "memory for each station", "kB", at_most=100),
        Target("share.real", "time in our own code", "%"),
        Target("share.libraries", "time in the libraries it is made with", "%"),
        Target("share.simulator", "time in the simulator around them", "%"),
        Target("signatures_made", "signatures made", ""),
        Target("signatures_verified", "signatures verified", ""),
    ),
}
RATIOS: Mapping[str, tuple[tuple[str, Callable[[Mapping[str, Any]], float]], ...]] = {
    "wire": (
        ("transit in hundreds / floor", lambda f: f["bytes_per_event"]["100"] / f["floor_bytes_per_event"]),
        (
            "transit in hundreds / self-contained",
            lambda f: f["bytes_per_event"]["100"] / f["held_bytes_per_event"]["100"],
        ),
    ),
    "ingest": (
        (
            "answered and viewed events for each raw verification",
            lambda f: f["events_per_s_with_view"] / f["verify_per_s_raw"],
        ),
        (
            "answered events for each raw verification",
            lambda f: f["events_per_s_answered"] / f["verify_per_s_raw"],
        ),
        (
            "viewed events for each raw SQLite row",
            lambda f: f["view_events_per_s"] / f["sqlite_rows_per_s_raw"],
        ),
    ),
}


def at(figures: Mapping[str, Any], path: str) -> float:
    """The figure under a dotted path."""
    found: Any = figures
    for name in path.split("."):
        found = found[name]
    return float(found)


def lines(topic: str, figures: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, figure, target, met) for each figure of a topic, then its ratios."""
    found = []
    for target in TARGETS[topic]:
        figure = at(figures, target.path)
        met = "" if not target.wanted else "met" if target.is_met(figure) else "MISSED"
        found.append((target.title, f"{figure:,g} {target.unit}".strip(), target.wanted, met))
    found += [(title, f"{ratio(figures):.2f} ×", "", "") for title, ratio in RATIOS.get(topic, ())]
    return found
