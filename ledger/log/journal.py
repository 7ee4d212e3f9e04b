"""The events the log writes about itself: a log was opened, a segment was ingested, a fork was found.

They are the only event types this floor knows; all others are bytes here. A hub's own log of `Ingested`
events is its signed ingest journal: it fixes the order in which facts became known, whatever the authors'
clocks said. `LogOpened` links an author's new log to the last head of the one before, so that a log withheld
shows as a missing link. `decode` is strict about arity and types; what fails is malformed, not fatal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, TypeVar

from ledger.log.chain import LogRef
from ledger.log.codec import Value, decode, encode
from ledger.log.errors import CodecError

SOFTWARE_CHARS_MAX = 40  # "name/version" and a suffix; it stands in every log.open
NO_LOG = bytes(8)
NO_HASH = bytes(32)

_T = TypeVar("_T", int, bytes, str)


class OpenReason(IntEnum):
    """Why a log was opened: the process started, or a transaction with fresh signatures was rolled back."""

    START = 0
    ROLLBACK = 1


def _field(values: tuple[Value, ...], index: int, kind: type[_T], size: int | None = None) -> _T:
    value, where = values[index], f"type {values[0]!r}"
    if type(value) is not kind:
        raise CodecError("event-field", f"field {index} is not {kind.__name__}", where=where)
    if size is not None and isinstance(value, bytes) and len(value) != size:
        raise CodecError("event-field", f"field {index} has {len(value)} bytes, not {size}", where=where)
    if isinstance(value, int) and value < 0 and index > 1:
        raise CodecError("event-field", f"field {index} is negative", where=where)
    return value


def _values(event: bytes, type_: int, arity: int) -> tuple[Value, ...]:
    values = decode(event)
    if type(values[0]) is not int or values[0] != type_:
        raise CodecError("event-type", f"not an event of type {type_}")
    if len(values) != arity:
        raise CodecError("event-arity", f"type {type_} has {arity} items, not {len(values)}")
    return values


@dataclass(frozen=True, slots=True)
class LogOpened:
    """First event of every log. ts: UTC s by the author's clock; prev_*: the log before, or zeros."""

    TYPE: ClassVar[int] = 0
    ts: int
    reason: int
    prev_log: bytes
    prev_next_seq: int
    prev_head: bytes
    boot_count: int
    software: str

    def encode(self) -> bytes:
        return encode(
            (self.TYPE, self.ts, int(self.reason), self.prev_log, self.prev_next_seq, self.prev_head,
             self.boot_count, self.software)
        )  # fmt: skip

    @classmethod
    def decode(cls, event: bytes) -> LogOpened:
        """Raises CodecError."""
        v = _values(event, cls.TYPE, 8)
        software = _field(v, 7, str)
        if len(software) > SOFTWARE_CHARS_MAX:
            what = f"software has more than {SOFTWARE_CHARS_MAX} characters"
            raise CodecError("event-field", what, where="type 0")
        return cls(
            _field(v, 1, int), _field(v, 2, int), _field(v, 3, bytes, 8), _field(v, 4, int),
            _field(v, 5, bytes, 32), _field(v, 6, int), software,
        )  # fmt: skip


def is_log_opened(event: bytes) -> bool:
    """Whether a canonical event speaks of its log's own beginning; such a one is never carried elsewhere."""
    return event[:2] == bytes((0x98, LogOpened.TYPE))


@dataclass(frozen=True, slots=True)
class Ingested:
    """A hub took in this segment. head_hash: 32 B identity of the segment."""

    TYPE: ClassVar[int] = 80
    ts: int
    log: LogRef
    first_seq: int
    count: int
    head_hash: bytes

    def encode(self) -> bytes:
        return encode(
            (self.TYPE, self.ts, self.log.key_id, self.log.log_id, self.first_seq, self.count, self.head_hash)
        )

    @classmethod
    def decode(cls, event: bytes) -> Ingested:
        """Raises CodecError."""
        v = _values(event, cls.TYPE, 7)
        return cls(
            _field(v, 1, int), LogRef(_field(v, 2, bytes, 8), _field(v, 3, bytes, 8)),
            _field(v, 4, int), _field(v, 5, int), _field(v, 6, bytes, 32),
        )  # fmt: skip


def is_ingested(event: bytes) -> bool:
    """Whether an event begins as a journal's entry of an arrival does."""
    return event.startswith(INGESTED_BEGINS)


INGESTED_BEGINS: Final = bytes((0x97, Ingested.TYPE))  # an array of seven, the type


@dataclass(frozen=True, slots=True)
class ForkFound:
    """Two signed histories of one log. evidence: head ‖ signature ‖ head ‖ signature, 336 B."""

    TYPE: ClassVar[int] = 81
    EVIDENCE_BYTES: ClassVar[int] = 336
    ts: int
    evidence: bytes

    def encode(self) -> bytes:
        return encode((self.TYPE, self.ts, self.evidence))

    @classmethod
    def decode(cls, event: bytes) -> ForkFound:
        """Raises CodecError. The evidence itself is checked by `forks.check`."""
        v = _values(event, cls.TYPE, 3)
        return cls(_field(v, 1, int), _field(v, 2, bytes, cls.EVIDENCE_BYTES))
