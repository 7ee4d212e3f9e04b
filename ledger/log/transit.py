"""A segment on its way up, without what the hub knows already.

Who writes is fixed by the signed request, which log by its list of heads, the hash of the head before by what
the hub holds, and the root is a function of the events. What is left is 64 bytes of signature, two small
numbers and the events, and these may be packed by a coder that knows what they speak of (`Coder`).

    01 ‖ number of the log in the request's list ‖ first_seq ‖ count ‖ signature 64 ‖ coder 1 ‖ packed events

Numbers are varints (`varint`). The hub unpacks the events within bounds, computes the root and the head, and
only then checks the author's signature: if anything that was left out differs, it does not verify and the
hub asks for the self-contained form. So a wrong guess about what the other side knows costs a round, never a
wrong byte. What is stored, forwarded and proven is always the self-contained segment.

This turns "signature before inflate" around; it is allowed because the bytes stand in a request that an
enrolled station signed, and because every size is bounded before anything is unpacked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import zstandard

from ledger.log import merkle, varint
from ledger.log.codec import EVENT_BYTES_MAX, EVENT_BYTES_MIN
from ledger.log.errors import CodecError, LimitError, SegmentError, SignatureError
from ledger.log.keys import SIGNATURE_BYTES, VerifyKey
from ledger.log.segment import (
    COUNT_MAX,
    RAW_BYTES_MAX,
    SEQ_MAX,
    Segment,
    SegmentHead,
    assemble,
    verify_head,
)

VERSION: Final = 1
FRAMED: Final = 0  # coder: each event after its length
FRAMED_ZSTD: Final = 1  # coder: the same in one zstd frame
BY_MEANING: Final = 2  # coder: what the layer above makes of them
PACKED_BYTES_MAX: Final = 1 << 18  # as a segment's body
RAW_TOTAL_MAX: Final = 8 << 20  # bytes of events that one request may unpack to
ZSTD_LEVEL: Final = 9  # these bytes are few and dear; at rest level 3 is enough


class Coder(Protocol):
    """Packs events by their meaning. What it knows must be the same on both sides, or nothing verifies."""

    def pack(self, events: Sequence[bytes]) -> bytes | None:
        """The events in few bytes, or None when they are not of the kind."""
        ...

    def unpack(self, packed: bytes, count: int) -> list[bytes]:
        """Exactly `count` events. Raises CodecError for anything that `pack` would not have written."""
        ...


@dataclass(frozen=True, slots=True)
class Folded:
    """The fields of a transit form, before anything is unpacked."""

    log: int
    first_seq: int
    count: int
    signature: bytes
    coder: int
    packed: bytes


def is_folded(item: bytes) -> bool:
    """Is this a transit form of version 1? Anything else is to be read as a segment."""
    return item[:1] == bytes((VERSION,))


def fold(segment: Segment, log: int, coder: Coder | None) -> bytes:
    """The shortest transit form of a segment. log: its log's number in the request's list of heads."""
    framed = bytearray()
    for event in segment.events:
        varint.put(framed, len(event))
        framed += event
    best: tuple[int, bytes] = (FRAMED, bytes(framed))
    for kind, packed in (
        (FRAMED_ZSTD, zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(best[1])),
        (BY_MEANING, None if coder is None else coder.pack(segment.events)),
    ):
        if packed is not None and len(packed) < len(best[1]):
            best = kind, packed
    out = bytearray((VERSION,))
    for number in (log, segment.head.first_seq, segment.head.count):
        varint.put(out, number)
    out += segment.signature
    out.append(best[0])
    out += best[1]
    return bytes(out)


def read(item: bytes, logs: int) -> Folded:
    """The fields, their limits checked, nothing unpacked. logs: how many heads the request names.

    Raises SegmentError, LimitError.
    """
    assert is_folded(item)
    take = varint.Taker(item[1:])
    try:
        log, first_seq = take.number(), take.number()
        count = take.number()
        signature = take.blob(SIGNATURE_BYTES)
        coder = take.blob(1)[0]
    except CodecError as error:
        raise SegmentError("transit-form", str(error)) from None
    if log >= logs:
        raise SegmentError("transit-log", f"the request names {logs} logs, not {log + 1}")
    if not 1 <= count <= COUNT_MAX or first_seq > SEQ_MAX - count:
        raise LimitError("transit-count", f"{count} events from {first_seq}")
    if take.left > PACKED_BYTES_MAX:
        raise LimitError("transit-long", f"at most {PACKED_BYTES_MAX} packed bytes, not {take.left}")
    return Folded(log, first_seq, count, signature, coder, take.rest())


def unfold(
    found: Folded,
    *,
    log_id: bytes,
    prev: bytes,
    key: VerifyKey,
    coder: Coder | None,
    room: int = RAW_TOTAL_MAX,
) -> Segment:
    """The verified segment, self-contained again. prev: hash of the head before; room: bytes of events.

    Raises SegmentError("transit-…"), LimitError: then the self-contained form is to be asked for.
    """
    events = _unpack(found, coder, min(room, RAW_BYTES_MAX))
    raw_len = sum(map(len, events))
    if raw_len > min(room, RAW_BYTES_MAX):
        raise LimitError("transit-size", f"{raw_len} bytes of events")
    root = merkle.root(merkle.leaves(key.key_id, log_id, found.first_seq, events))
    head = SegmentHead(key.key_id, log_id, found.first_seq, found.count, raw_len, prev, root)
    try:
        head.check()
        verify_head(head, found.signature, {key.key_id: key}.get)
    except (SegmentError, SignatureError):
        # A head that nobody may sign is no log's fault either: its segments are good in the other form.
        raise SegmentError(
            "transit-mismatch", "what was left out is not what stands here", where=str(head),
            hint="send the segment in its self-contained form",
        ) from None  # fmt: skip
    try:
        raw = assemble(head, found.signature, events)
    except LimitError as error:
        # Compressors differ between versions: what fitted there need not fit here.
        raise LimitError("transit-size", str(error), where=str(head)) from None
    return Segment(head, found.signature, tuple(events), raw)


def _unpack(found: Folded, coder: Coder | None, room: int) -> list[bytes]:
    try:
        if found.coder == FRAMED:
            return _framed(found.packed, found.count)
        if found.coder == FRAMED_ZSTD:
            return _framed(inflate(found.packed, room + 2 * found.count), found.count)
        if found.coder == BY_MEANING and coder is not None:
            return coder.unpack(found.packed, found.count)
    except CodecError as error:
        raise SegmentError("transit-packed", str(error)) from None
    raise SegmentError("transit-coder", f"coder {found.coder} is not known here")


def _framed(data: bytes, count: int) -> list[bytes]:
    take = varint.Taker(data)
    events = [take.blob(_size(take)) for _ in range(count)]
    take.end()
    return events


def _size(take: varint.Taker) -> int:
    size = take.number(EVENT_BYTES_MAX)
    if size < EVENT_BYTES_MIN:
        raise CodecError("varint-range", f"an event has at least {EVENT_BYTES_MIN} bytes")
    return size


def inflate(data: bytes, room: int) -> bytes:
    """What one zstd frame holds, at most `room` bytes. Raises CodecError; never allocates more than room."""
    try:
        frame = zstandard.get_frame_parameters(data)
        # The library trusts the declared size over any limit it is given, so it is compared first.
        if frame.content_size > room or frame.window_size > max(room, 1024):
            raise CodecError("zstd-size", f"the frame declares more than {room} bytes, or nothing")
        if data[:4] != b"\x28\xb5\x2f\xfd" or frame.dict_id:
            raise CodecError("zstd-frame", "not a plain zstd frame")
        plain: bytes = zstandard.ZstdDecompressor().decompress(
            data, max_output_size=room, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise CodecError("zstd-frame", f"the frame does not inflate: {error}") from None
    if len(plain) != frame.content_size:
        raise CodecError("zstd-frame", "the frame holds less than it declares")
    return plain
