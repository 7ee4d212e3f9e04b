"""What machines report: what was heard, what a day came to, what the clock did. Types 16–21.

Batched, because there are many: one segment signs up to 256 of them at once. One Acknowledged answers for one
slot at one station, with a vector of its receiver clusters, instead of one event a cluster.

Bound: a report states what its author saw; what the province makes of it is a projection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from ledger.facts.calendar import DAY_MAX
from ledger.facts.fields import (
    COUNT_MAX,
    SERIES_MAX,
    TS_MAX,
    Check,
    Kind,
    chars,
    exactly,
    octets,
    or_nil,
    whole,
)
from ledger.facts.outcome import Evidence, Outcome

JITTER_MAX_CS = (1 << 31) - 1
PLAYED_MAX_DS = 864_000  # one day
DETAIL_MAX = 255  # a newer station may give a reason this one has no word for: the outcome still counts
CLUSTERS_BYTES_MAX = 64  # 102 clusters at two bits are 26 bytes before run lengths
CODE_CHARS_MAX = 64

_day = whole(0, DAY_MAX)
_series = whole(1, SERIES_MAX)
_count = whole(0, COUNT_MAX)
_instant = whole(0, TS_MAX)


class WithdrawalState(IntEnum):
    """What a station could still do when a withdrawal reached it."""

    REMOVED = 0
    ALREADY_PLAYED = 1


@dataclass(frozen=True)
class Acknowledged(Kind):
    """What became of one slot here. ts: the actual start, or the planned time when nothing played.

    content: the first 16 bytes of the manifest's hash. jitter_cs: actual minus planned start, 0.01 s.
    volume: percent. clusters: run lengths of two-bit states, nil when all agree.
    """

    TYPE: ClassVar[int] = 16

    series: int
    day: int
    content: bytes
    jitter_cs: int
    played_ds: int
    outcome: int
    detail: int
    evidence: int
    volume: int
    clusters: bytes | None

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "series": _series,
        "day": _day,
        "content": exactly(16),
        "jitter_cs": whole(-JITTER_MAX_CS, JITTER_MAX_CS),
        "played_ds": whole(0, PLAYED_MAX_DS),
        "outcome": whole(min(Outcome), max(Outcome)),
        "detail": whole(0, DETAIL_MAX),
        "evidence": whole(min(Evidence), max(Evidence)),
        "volume": whole(0, 100),
        "clusters": or_nil(octets(1, CLUSTERS_BYTES_MAX)),
    }


@dataclass(frozen=True)
class DaySummary(Kind):
    """The counters of one local day, and the last hub head seen (so that a hub cannot show two faces)."""

    TYPE: ClassVar[int] = 18

    day: int
    played: int
    missed: int
    syncs_ok: int
    syncs_failed: int
    bytes_up: int
    bytes_down: int
    hub_head: bytes | None

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "day": _day,
        "played": _count,
        "missed": _count,
        "syncs_ok": _count,
        "syncs_failed": _count,
        "bytes_up": _count,
        "bytes_down": _count,
        "hub_head": or_nil(exactly(32)),
    }


@dataclass(frozen=True)
class ClockStepped(Kind):
    """The wall clock jumped: everything since the log's opening can be timed again from this."""

    TYPE: ClassVar[int] = 19

    old_s: int
    new_s: int
    source: str

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "old_s": _instant,
        "new_s": _instant,
        "source": chars(0, CODE_CHARS_MAX),
    }


@dataclass(frozen=True)
class Refused(Kind):
    """This station does not follow the decision `event_id`, and why (a reason code)."""

    TYPE: ClassVar[int] = 20

    event_id: bytes
    reason: str

    CHECKS: ClassVar[Mapping[str, Check]] = {"event_id": exactly(16), "reason": chars(1, CODE_CHARS_MAX)}


@dataclass(frozen=True)
class WithdrawalSeen(Kind):
    """A withdrawal reached this station. series 0 and a bulletin, or a series and nil."""

    TYPE: ClassVar[int] = 21

    series: int
    bulletin: bytes | None
    state: int

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "series": whole(0, SERIES_MAX),
        "bulletin": or_nil(exactly(16)),
        "state": whole(WithdrawalState.REMOVED, WithdrawalState.ALREADY_PLAYED),
    }

    def problem(self) -> str | None:
        return None if (self.series == 0) == (self.bulletin is not None) else "bad-target"
