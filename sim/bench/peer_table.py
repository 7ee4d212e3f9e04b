"""The table of `bench peers`: one column for each system, Loa divided by each, and what stands behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROWS = (
    ("w1_events_per_cpu_s", "W1: events a second of the receiving server's processor", "/s"),
    ("w1_events_per_cpu_s_with_view", "  and in the as-run view, as rows", "/s"),
    ("events_per_s_segments", "  verified and stored, without HTTP and receipts", "/s"),
    ("w1_events_per_cpu_s_both", "W1: of the processor of both sides", "/s"),
    ("w1_events_per_s", "W1: by the clock on the wall", "/s"),
    ("w2_bytes_per_event", "W2: on the socket, the same fields", "B"),
    ("w2_bytes_per_event_nine_fields", "W2: nine fields with a 32-byte hash", "B"),
    ("plan_bytes_per_event", "  before, the plan, which they refer to", "B"),
    ("idle_bytes", "a call with nothing to say", "B"),
    ("held_bytes_per_min", "reachable, a minute, own keepalive", "B"),
    ("held_bytes_per_min_60s", "reachable, a minute, keepalive 60 s", "B"),
    ("bytes_stored_per_event", "stored at the hub, an event", "B"),
    ("bytes_stored_per_event_log_alone", "  the log alone, without the view", "B"),
)
NOTES = (
    "Loa's events are signed and verified, the peers' are not: they get the same msgpack fields, unsigned, "
    "{event_bytes:g} B an event ({event_bytes_nine_fields:g} B as nine fields).",
    "{events:,} events of {stations} stations. Loa's stations call one after the other; each peer has one "
    "server for all stations, which spares it theirs.",
    "What cannot be compared, and why: docs/how-to/measure.md.",
)


def lines(found: Mapping[str, Any]) -> list[str]:
    """The table as text: Loa, then each peer that is here, then Loa divided by each, then the notes."""
    systems = ["loa", *found["ratios"]]
    here = [name for name in systems if not found[name]["missing"]]
    titles = [found[name]["title"] for name in here]
    rows = [["", *titles, *(f"÷ {title}" for title in titles[1:])]]
    for key, title, unit in ROWS:
        cells = [_figure(found[name].get(key), unit) for name in here]
        ratios = [_ratio(found["ratios"][name].get(key)) for name in here[1:]]
        rows.append([title, *cells, *ratios])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        text.append("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())
    for name in systems:
        one = found[name]
        about = one["missing"] or one["durability"]
        text.append(f"{' '.join([one['title'], one.get('version', '')]).strip()}: {about}.")
    return text + [note.format(**found["workload"]) for note in NOTES]


def _figure(figure: float | None, unit: str) -> str:
    return "–" if figure is None else f"{figure:,.6g} {unit}"


def _ratio(ratio: float | None) -> str:
    """Below a tenth as a fraction, which is easier to read."""
    if ratio is None:
        return ""
    return f"{ratio:.2f}" if ratio >= 0.1 or not ratio else f"1/{1 / ratio:.0f}"
