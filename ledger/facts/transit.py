"""Acknowledgments on their way up, told against the plan that both sides hold.

A station acknowledges what the plan of its unit says, mostly in the plan's order, on time and in full. So an
acknowledgment is written as what the plan did not say: which slot when it is not the next one, the start's
deviation, and whatever else is unusual. A normal one is a byte of flags, which compresses to nearly nothing,
and two of deviation, of which one is noise that nothing compresses.

    plain    00 ‖ flags ‖ low bytes ‖ high bytes ‖ what the flags announce, event by event
    zipped   01 ‖ length of frame ‖ zstd frame of (flags ‖ high bytes ‖ what the flags announce) ‖ low bytes

One byte of flags for each event, a low and a high byte of the deviation for each acknowledgment.

The hub may hold a newer plan than the station had, so a guess may be wrong. Nothing depends on it: the events
are checked against the author's signature (`ledger.log.transit`), and sent in full when they do not fit.

Bound: acknowledgments. Any other event travels as it is, within the same body.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import msgpack
import zstandard

from ledger.facts.index import index_of
from ledger.facts.outcome import Outcome
from ledger.facts.reports import AckItems, Acknowledged, acknowledgments
from ledger.facts.slot import Outline
from ledger.facts.state import Facts
from ledger.log.codec import EVENT_BYTES_MAX
from ledger.log.errors import CodecError
from ledger.log.segment import RAW_BYTES_MAX
from ledger.log.transit import inflate
from ledger.log.varint import Taker, put, unzigzag, zigzag

# What one event's flags announce, in the order in which it follows in the body.
RAW: Final = 0x01  # no acknowledgment: its length and its bytes, nothing else
SLOT: Final = 0x02  # not the plan's next slot: days on (zigzag), place in that day + 1, or 0 ‖ series
CONTENT: Final = 0x04  # 16 bytes, not those that the plan names
KIND: Final = 0x08  # outcome ‖ detail ‖ evidence, not the most frequent ones so far
LATE: Final = 0x10  # the deviation does not fit 16 bits: zigzag
TS: Final = 0x20  # not planned start + deviation: the difference, zigzag
PLAYED: Final = 0x40  # not the length that was expected: the difference, zigzag
VOLUME: Final = 0x80  # volume and clusters, not the most frequent ones so far: volume ‖ length + 1 ‖ bytes

PLAIN: Final = 0x00
ZIPPED: Final = 0x01
ZSTD_LEVEL: Final = 9
DAY_MAX: Final = 100_000  # 2243; a bound for arithmetic, not a rule
DAYS_AHEAD: Final = 8  # the next slot is looked for this many days on; further on it is named
ITEMS: Final = 2 + len(Acknowledged.CHECKS)
CLUSTERS_MAX: Final = 1024
_T = TypeVar("_T")
_HEARD: Final = frozenset({int(Outcome.PLAYED), int(Outcome.PLAYED_LATE)})


class AckCoder:
    """Packs and unpacks the acknowledgments of one unit's station. A call starts from nothing but `facts`."""

    def __init__(self, facts: Facts, unit: str) -> None:
        self._facts, self._unit = facts, unit

    def pack(self, events: Sequence[bytes]) -> bytes | None:
        """The events in few bytes; None when there is no acknowledgment or something cannot be told."""
        model = _Model(self._facts, self._unit)
        flags, highs, lows, more = bytearray(), bytearray(), bytearray(), bytearray()
        acks = acknowledgments(events)
        told = dict(zip(acks.nth, acks.items, strict=True))
        for nth, event in enumerate(events):
            ack = told.get(nth)
            if ack is None:
                flags.append(RAW)
                put(more, len(event))
                more += event
                continue
            flag, jitter = model.tell(ack, more)
            flags.append(flag)
            highs.append(jitter >> 8 & 0xFF)
            lows.append(jitter & 0xFF)
        if not lows:
            return None
        zipped = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(bytes(flags + highs + more))
        packed = bytes(bytearray((PLAIN,)) + flags + lows + highs + more)
        if len(zipped) + len(lows) + 4 < len(packed):
            out = bytearray((ZIPPED,))
            put(out, len(zipped))
            packed = bytes(out + zipped + lows)
        # A reader that cannot follow costs a round, so what does not come back is not sent this way.
        return packed if self._comes_back(packed, events) else None

    def _comes_back(self, packed: bytes, events: Sequence[bytes]) -> bool:
        try:
            return self.unpack(packed, len(events)) == list(events)
        except CodecError:
            return False

    def unpack(self, packed: bytes, count: int) -> list[bytes]:
        """`count` events. Raises CodecError for bytes that do not give exactly so many."""
        head = Taker(packed)
        mode = head.number()
        if mode == ZIPPED:
            body = Taker(inflate(head.blob(head.number(len(packed))), RAW_BYTES_MAX))
            flags = body.blob(count)
            acks = count - flags.count(RAW)
            lows = head.blob(acks)
            head.end()
        elif mode == PLAIN:
            body = head
            flags = body.blob(count)
            acks = count - flags.count(RAW)
            lows = body.blob(acks)
        else:
            raise CodecError("acks-mode", f"mode {mode} is not known")
        highs = body.blob(acks)
        model = _Model(self._facts, self._unit)
        events: list[bytes] = []
        at = 0
        for flag in flags:
            if flag == RAW:
                events.append(body.blob(body.number(EVENT_BYTES_MAX)))
            elif flag & RAW:
                raise CodecError("acks-flags", "an event is raw or an acknowledgment")
            else:
                events.append(model.event(flag, highs[at] << 8 | lows[at], body))
                at += 1
        body.end()
        return events


class _Model:
    """What is expected of the next acknowledgment; both sides feed it with the same ones."""

    def __init__(self, facts: Facts, unit: str) -> None:
        self._index = index_of(facts, unit)
        self._day = self._place = 0
        self._slots: tuple[Outline, ...] = ()
        self._kinds: _Usual[tuple[int, int, int]] = _Usual()
        self._volumes: _Usual[tuple[int, bytes | None]] = _Usual()
        self._lengths: dict[bytes, int] = {}
        self._pack = msgpack.Packer().pack

    def tell(self, ack: AckItems, more: bytearray) -> tuple[int, int]:
        """(flags, deviation as 16 bits) of one acknowledgment; what they announce is appended to `more`."""
        _, ts, series, day, content, jitter, played, outcome, detail, evidence, volume, clusters = ack
        flag = 0
        slot = self._next()
        if slot is None or slot.series != series or slot.day != day:
            flag |= SLOT
            put(more, zigzag(day - self._day))
            slots = self._index.outlines(day) if 0 <= day <= DAY_MAX else ()
            place = next((n for n, one in enumerate(slots) if one.series == series and one.day == day), -1)
            put(more, place + 1)
            if place < 0:
                put(more, series)
            slot = self._go(day, slots, place)
        if content != (slot.content if slot else b""):
            flag |= CONTENT
            more += content
        kind = (outcome, detail, evidence)
        if kind != self._kinds.value:
            flag |= KIND
            for number in kind:
                put(more, number)
        if not -0x8000 <= jitter < 0x8000:
            flag |= LATE
            put(more, zigzag(jitter))
        if off := ts - _start(slot, jitter):
            flag |= TS
            put(more, zigzag(off))
        if off := played - self._length(content, slot, outcome):
            flag |= PLAYED
            put(more, zigzag(off))
        if (volume, clusters) != self._volumes.value:
            flag |= VOLUME
            put(more, volume)
            put(more, 0 if clusters is None else len(clusters) + 1)
            more += clusters or b""
        self._learn(kind, (volume, clusters), content, played)
        return flag, 0 if flag & LATE else jitter & 0xFFFF

    def event(self, flag: int, bits: int, more: Taker) -> bytes:
        """The acknowledgment that `tell` was given. Raises CodecError."""
        slot = self._next()
        if flag & SLOT or slot is None:
            day = self._day + unzigzag(more.number())
            slots = self._index.outlines(day) if 0 <= day <= DAY_MAX else ()
            place = more.number(len(slots)) - 1
            series = slots[place].series if place >= 0 else more.number()
            slot = self._go(day, slots, place)
        else:
            series, day = slot.series, slot.day
        content = more.blob(16) if flag & CONTENT else slot.content if slot else b""
        kind = (more.number(), more.number(), more.number()) if flag & KIND else self._kinds.value
        if flag & LATE:
            jitter = unzigzag(more.number())
        else:
            jitter = bits - 0x10000 if bits & 0x8000 else bits
        ts = slot.start_s + jitter // 100 if slot else 0
        if flag & TS:
            ts += unzigzag(more.number())
        if kind is None:
            raise CodecError("acks-kind", "the first acknowledgment says no outcome")
        played = self._length(content, slot, kind[0])
        if flag & PLAYED:
            played += unzigzag(more.number())
        volume = self._volumes.value
        if flag & VOLUME:
            level, size = more.number(), more.number(CLUSTERS_MAX)
            volume = (level, more.blob(size - 1) if size else None)
        if volume is None:
            raise CodecError("acks-volume", "the first acknowledgment says no volume")
        self._learn(kind, volume, content, played)
        try:
            event: bytes = self._pack(
                (Acknowledged.TYPE, ts, series, day, content, jitter, played, *kind, *volume)
            )
        except OverflowError:
            raise CodecError("acks-number", "a number of more than 64 bits") from None
        return event

    def _next(self) -> Outline | None:
        """The slot after the last one in the plan's order, at most some days on; moves there."""
        self._place += 1
        if self._place < len(self._slots):
            return self._slots[self._place]
        if self._slots:
            for day in range(self._day + 1, self._day + 1 + DAYS_AHEAD):
                if slots := self._index.outlines(day):
                    return self._go(day, slots, 0)
        return None

    def _go(self, day: int, slots: tuple[Outline, ...], place: int) -> Outline | None:
        if place < 0:
            return None  # unknown here: the order goes on where it was
        self._day, self._slots, self._place = day, slots, place
        return slots[place]

    def _length(self, content: bytes, slot: Outline | None, outcome: int) -> int:
        """What is expected to have been played, in 0.1 s."""
        if outcome not in _HEARD:
            return 0
        return self._lengths.get(content, slot.length_s * 10 if slot else 0)

    def _learn(
        self, kind: tuple[int, int, int], volume: tuple[int, bytes | None], content: bytes, played: int
    ) -> None:
        self._kinds.learn(kind)
        self._volumes.learn(volume)
        if kind[0] in _HEARD:
            self._lengths[content] = played


class _Usual(Generic[_T]):
    """The most frequent value so far; among equals the one that came to that number first."""

    __slots__ = ("_others", "_times", "value")

    def __init__(self) -> None:
        self.value: _T | None = None
        self._times = 0  # how often `value` was seen
        self._others: dict[_T, int] = {}

    def learn(self, value: _T) -> None:
        if value == self.value:
            self._times += 1
            return
        times = self._others[value] = self._others.get(value, 0) + 1
        if times > self._times:
            if self.value is not None:
                self._others[self.value] = self._times
            self.value, self._times = value, times


def _start(slot: Outline | None, jitter_cs: int) -> int:
    return slot.start_s + jitter_cs // 100 if slot else 0
