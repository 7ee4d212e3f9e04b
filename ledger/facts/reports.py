"""What machines report: what was heard, what a day came to, what the clock did. Types 16 and 18–21.

Batched, because there are many: one segment signs up to 256 of them at once. One Acknowledged answers for one
slot at one station, with a vector of its receiver clusters, instead of one event a cluster.

Acknowledgments are read by the hundred thousand, so there are two readers of them: `events.parse`, which says
why, and `acknowledgments` here, which only says which. The tests hold the two to the same verdict.

Bound: a report states what its author saw; what the province makes of it is a projection.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

import msgpack

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
from ledger.log.codec import EVENT_ITEMS_MAX

JITTER_MAX_CS = (1 << 31) - 1
PLAYED_MAX_DS = 864_000  # one day
DETAIL_MAX = 255  # a newer station may give a reason this one has no word for: the outcome still counts
CLUSTERS_BYTES_MAX = 64  # 102 clusters need 35 at most
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
    volume: percent. clusters: what each receiver cluster did (`clusters.py`), nil when all agree.
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


# type, ts, series, day, content, jitter_cs, played_ds, outcome, detail, evidence, volume, clusters
AckItems: TypeAlias = tuple[int, int, int, int, bytes, int, int, int, int, int, int, bytes | None]

_ACK_HEAD: Final = bytes((0x90 | len(Acknowledged.CHECKS) + 2, Acknowledged.TYPE))
_CONTENT, _CLUSTERS = 4, 11
_WHOLES: Final = {  # place among the items → the least and the greatest number
    1: (0, TS_MAX),
    2: (1, SERIES_MAX),
    3: (0, DAY_MAX),
    5: (-JITTER_MAX_CS, JITTER_MAX_CS),
    6: (0, PLAYED_MAX_DS),
    7: (int(min(Outcome)), int(max(Outcome))),
    8: (0, DETAIL_MAX),
    9: (int(min(Evidence)), int(max(Evidence))),
    10: (0, 100),
}


class Acks(NamedTuple):
    """The acknowledgments among some events. nth: which events; items: of each; columns: the same turned."""

    nth: Sequence[int]
    items: Sequence[AckItems]
    columns: tuple[Any, ...]

    def among(self, wanted: Container[int]) -> Acks:
        """Those of them that are events of these numbers."""
        kept = [(n, items) for n, items in zip(self.nth, self.items, strict=True) if n in wanted]
        return _turned([n for n, _ in kept], [items for _, items in kept])


def acknowledgments(events: Sequence[bytes]) -> Acks:
    """Exactly those events for which `parse` gives Acknowledged, in a fifth of its time. Never raises."""
    nth = [n for n, event in enumerate(events) if event[:2] == _ACK_HEAD]
    if not nth:
        return _turned([], [])
    picked = list(events) if len(nth) == len(events) else [events[n] for n in nth]
    if (found := _read(picked)) is not None:
        return Acks(nth, *found)
    each = [(n, found) for n, event in zip(nth, picked, strict=True) if (found := _read([event])) is not None]
    return _turned([n for n, _ in each], [items[0] for _, (items, _) in each])


def _turned(nth: list[int], items: list[AckItems]) -> Acks:
    return Acks(nth, items, tuple(zip(*items, strict=True)) or ((),) * (len(Acknowledged.CHECKS) + 2))


def _read(events: list[bytes]) -> tuple[list[AckItems], tuple[Any, ...]] | None:
    """(items, columns) when each of these events, which begin as one, is an acknowledgment."""
    reader = msgpack.Unpacker(use_list=False, max_array_len=EVENT_ITEMS_MAX, max_map_len=0, max_ext_len=0)
    pack = msgpack.Packer().pack  # of this call: two threads must not share one
    try:
        reader.feed(b"".join(events))
        items = list(reader)
        # Nobody could have written them in another way, and none reaches into the next one.
        if list(map(pack, items)) != events:
            return None
    except (ValueError, msgpack.UnpackException):
        return None
    columns = tuple(zip(*items, strict=True))
    for place, (low, high) in _WHOLES.items():
        column = columns[place]
        if set(map(type, column)) != {int} or min(column) < low or max(column) > high:
            return None
    if set(map(type, columns[_CONTENT])) != {bytes} or set(map(len, columns[_CONTENT])) != {16}:
        return None
    if set(map(type, columns[_CLUSTERS])) <= {type(None), bytes} and all(
        1 <= len(one) <= CLUSTERS_BYTES_MAX for one in set(columns[_CLUSTERS]) if one is not None
    ):
        return items, columns
    return None


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
