"""When a live relay fails: the recording that fills in for it, and what may be said of the two together.

    the stream for 10 of 30 minutes, then the recording to the end    PARTIAL(NOT_DELIVERED), 30 minutes
    no stream at all, the recording from the beginning                PARTIAL(NOT_DELIVERED), 30 minutes
    no stream, and a recording that is no sound                       MISSED(WRONG_CONTENT)
    the stream for 10 minutes, then the device went                   PARTIAL(DEVICE), 10 minutes

Both were approved, so the seconds of both count; but the relay is what was ordered, so what was filled in is
never `played`, however long it sounded. The evidence is that of the weaker part.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ledger.facts import Detail, Outcome
from node.sound.player import PlayItem, PlayReport

# Less than this of a slot is not worth another beginning.
REST_MIN_S: Final = 2.0
# A jingle of a second does not make ten thousand rounds.
ROUNDS_MAX: Final = 240
_FAILED: Final = frozenset({Outcome.MISSED, Outcome.PARTIAL})
# A shorter part says nothing about the rest.
_PART_DS: Final = 10


def fills_in(item: PlayItem, report: PlayReport, rest_s: float) -> PlayItem | None:
    """The recording as an item for the rest of the slot; None when there is none or nothing to fill in."""
    if not item.stream or item.fallback_ms <= 0 or report.outcome not in _FAILED or rest_s < REST_MIN_S:
        return None
    rounds = -(-int(rest_s * 1000) // item.fallback_ms)
    return replace(
        item, stream="", duration_ms=item.fallback_ms, fallback_ms=0, offset_ds=0,
        repeat=max(1, min(rounds, ROUNDS_MAX)), goes_on=True,
    )  # fmt: skip


def together(relay: PlayReport, filled: PlayReport) -> PlayReport:
    """One report of the relay that failed and of what filled in for it."""
    played_ds = relay.played_ds + filled.played_ds
    parts = [one.evidence for one in (relay, filled) if one.played_ds >= _PART_DS]
    evidence = min(parts) if parts else min(relay.evidence, filled.evidence)
    if filled.outcome is Outcome.INTERRUPTED:
        return PlayReport(Outcome.INTERRUPTED, filled.detail, played_ds, evidence)
    if played_ds == 0:
        return PlayReport(Outcome.MISSED, filled.detail or relay.detail, 0, evidence)
    if filled.outcome is Outcome.SILENT and relay.played_ds < _PART_DS:
        return PlayReport(Outcome.SILENT, filled.detail, played_ds, evidence)
    detail = filled.detail if filled.outcome in _FAILED else relay.detail
    return PlayReport(Outcome.PARTIAL, detail or Detail.NOT_DELIVERED, played_ds, evidence)
