"""A segment: a run of one log's events under one signature.

    head       104 bytes: who, which log, which numbers, the hash of the head before, the Merkle root
    signature   64 bytes over the head
    tail         9 bytes: codec, dictionary (0), length of the body
    body               msgpack array of the exact event bytes, plain or zstd

Bytes are read in the order of cost and trust: lengths, head limits, is the key known, signature, tail limits,
what the zstd frame declares, inflate, shape, lengths, root. Nothing is inflated for a stranger, and never
more than the signed `raw_len` allows: the declared frame size is compared first, because the library trusts
it over any limit it is given. The body's codec lies outside the signature, so an archive may compress anew
and every signature stays good; a segment's identity is therefore the hash of its head, never of its bytes.

An event inside is only bytes here. One that is no canonical event is kept and can be proven like any other:
meaning never blocks a log. Whether the segment continues its log is `chain`'s question.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgpack
import zstandard

from ledger.log import keys, merkle
from ledger.log.codec import EVENT_BYTES_MAX, EVENT_BYTES_MIN, array_header
from ledger.log.errors import LimitError, SegmentError, UnknownKeyError
from ledger.log.keys import SigningKey, VerifyKey

MAGIC: Final = b"\xd7\x4c\x53\x01"  # not ASCII, "LS", version 1
ALG: Final = 1  # Ed25519 with SHA-256
HEAD_BYTES: Final = 104
SIGNED_BYTES: Final = HEAD_BYTES + keys.SIGNATURE_BYTES  # what gossip, evidence and proofs carry
FIXED_BYTES: Final = SIGNED_BYTES + 9
COUNT_MAX: Final = 4096  # a path has at most 12 hashes
RAW_BYTES_MAX: Final = 1 << 20  # what a node with 512 MB inflates without noticing
BODY_BYTES_MAX: Final = 1 << 18  # what a thin link carries in one piece
SEGMENT_BYTES_MAX: Final = FIXED_BYTES + BODY_BYTES_MAX
SEQ_MAX: Final = 2**63 - 1  # the next sequence number still fits a signed 64-bit integer
COUNT_SEALED_MAX: Final = 256  # what our own writers put into one segment
CODEC_PLAIN: Final = 0
CODEC_ZSTD: Final = 1
ZSTD_LEVEL: Final = 3  # level 19 costs five times the time for 3–10 % fewer bytes
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
ZSTD_WINDOW_MAX: Final = 1 << 21  # bytes a reader may have to reserve; a megabyte's frame never needs more
_HEAD: Final = struct.Struct(">4sB3s8s8sQII32s32s")
_TAIL: Final = struct.Struct(">BII")
_NO_HASH: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class SegmentHead:
    """The signed 104 bytes. raw_len: bytes of all events; prev: hash of the head before, or zeros."""

    key_id: bytes
    log_id: bytes
    first_seq: int
    count: int
    raw_len: int
    prev: bytes
    root: bytes

    @property
    def next_seq(self) -> int:
        return self.first_seq + self.count

    @property
    def hash(self) -> bytes:
        """The segment's identity: H("loa-head/v1" ‖ 00 ‖ head)."""
        return sha256(b"loa-head/v1\0" + self.encode()).digest()

    def encode(self) -> bytes:
        """104 bytes, integers big-endian."""
        return _HEAD.pack(
            MAGIC, ALG, b"\0\0\0", self.key_id, self.log_id,
            self.first_seq, self.count, self.raw_len, self.prev, self.root,
        )  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> SegmentHead:
        """The head in 104 bytes, its limits checked, nothing verified. Raises SegmentError, LimitError."""
        if len(data) != HEAD_BYTES:
            raise SegmentError("segment-short", f"a head has 104 bytes, not {len(data)}")
        magic, alg, flags, *fields = _HEAD.unpack(data)
        if magic != MAGIC:
            raise SegmentError("head-magic", "not a segment of version 1")
        if alg != ALG:
            raise SegmentError("head-alg", f"algorithm {alg} is not known")
        if flags != b"\0\0\0":
            raise SegmentError("head-flags", "reserved bytes are not zero")
        head = cls(*fields)
        head.check()
        return head

    def check(self) -> None:
        """The limits of the numbers and the one rule between them. Raises SegmentError, LimitError."""
        if self.log_id == b"\0\0\0\0\0\0\0\0":
            raise SegmentError("head-log-id", "a log id is not zero")
        if not 1 <= self.count <= COUNT_MAX:
            raise LimitError("head-count", f"1 to 4096 events, not {self.count}", where=str(self))
        if not 0 <= self.first_seq <= SEQ_MAX - self.count:
            raise LimitError("head-seq", "sequence numbers stay below 2**63", where=str(self))
        if not EVENT_BYTES_MIN * self.count <= self.raw_len <= RAW_BYTES_MAX:
            raise LimitError("head-raw-len", f"{self.raw_len} bytes of {self.count} events", where=str(self))
        if (self.first_seq == 0) != (self.prev == _NO_HASH):
            raise SegmentError("head-prev", "prev is zero exactly when first_seq is 0", where=str(self))

    def __str__(self) -> str:
        return f"{self.key_id.hex()}/{self.log_id.hex()}#{self.first_seq}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A verified or freshly sealed segment. events: exact bytes; raw: the whole segment as it travels."""

    head: SegmentHead
    signature: bytes
    events: tuple[bytes, ...]
    raw: bytes


def cut(events: Sequence[bytes], count_max: int = COUNT_SEALED_MAX) -> Iterator[list[bytes]]:
    """Splits events into runs that `seal` takes, however badly they compress. Nothing in, nothing out."""
    run: list[bytes] = []
    room = BODY_BYTES_MAX - 3
    for event in events:
        size = len(event) + 3
        if run and (len(run) == count_max or size > room):
            yield run
            run, room = [], BODY_BYTES_MAX - 3
        run.append(event)
        room -= size
    if run:
        yield run


def seal(key: SigningKey, log_id: bytes, first_seq: int, prev: bytes, events: Sequence[bytes]) -> Segment:
    """Signs events as numbers first_seq, first_seq+1, … of the log. prev: the hash of the log's last head.

    Raises LimitError or SegmentError when the result would not open. The caller signs each range once.
    """
    assert len(log_id) == 8
    assert len(prev) == 32
    for index, event in enumerate(events):
        if len(event) > EVENT_BYTES_MAX:
            raise LimitError("event-size", f"at most 8192 bytes, not {len(event)}", where=f"event {index}")
    raw_len = sum(map(len, events))
    head = SegmentHead(key.key_id, log_id, first_seq, len(events), raw_len, prev, _NO_HASH)
    head.check()
    root = merkle.root(merkle.leaves(key.key_id, log_id, first_seq, events))
    head = SegmentHead(key.key_id, log_id, first_seq, len(events), raw_len, prev, root)
    signed = head.encode()
    signature = key.sign(keys.SEGMENT, signed)
    return Segment(head, signature, tuple(events), assemble(head, signature, events))


def assemble(head: SegmentHead, signature: bytes, events: Sequence[bytes]) -> bytes:
    """The self-contained bytes of a signed head and its events. Raises LimitError when they are too long."""
    codec, body = CODEC_PLAIN, msgpack.packb(list(events))
    # A compressor of its own per call: they must not be shared by threads, and cost 10 µs.
    smaller = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body)
    if len(smaller) < len(body):
        codec, body = CODEC_ZSTD, smaller
    if len(body) > BODY_BYTES_MAX:
        raise LimitError("segment-long", f"a body has at most 262144 bytes, not {len(body)}", where=str(head))
    return b"".join((head.encode(), signature, _TAIL.pack(codec, 0, len(body)), body))


def read_head(raw: bytes) -> tuple[SegmentHead, bytes]:
    """The head and its signature, with lengths and head limits checked and nothing verified.

    Raises SegmentError, LimitError.
    """
    if len(raw) < FIXED_BYTES:
        raise SegmentError("segment-short", f"a segment has at least 177 bytes, not {len(raw)}")
    if len(raw) > SEGMENT_BYTES_MAX:
        raise LimitError("segment-long", f"a segment has at most {SEGMENT_BYTES_MAX} bytes, not {len(raw)}")
    return SegmentHead.decode(raw[:HEAD_BYTES]), raw[HEAD_BYTES:SIGNED_BYTES]


def open_segment(raw: bytes, key_of: Callable[[bytes], VerifyKey | None]) -> Segment:
    """The verified segment in `raw`. key_of: key id → trusted key, or None for a stranger's.

    Raises UnknownKeyError, SignatureError, LimitError, SegmentError; nothing else on any bytes.
    """
    head, signature = read_head(raw)
    verify_head(head, signature, key_of)
    body = _plain_body(head, raw)
    events = _split(body, head)
    if merkle.root(merkle.leaves(head.key_id, head.log_id, head.first_seq, events)) != head.root:
        raise SegmentError("root-mismatch", "the events are not those that were signed", where=str(head))
    return Segment(head, signature, tuple(events), raw)


def read_own(raw: bytes) -> Segment:
    """A segment from our own store, not verified again. Raises SegmentError, LimitError."""
    head, signature = read_head(raw)
    return Segment(head, signature, tuple(_split(_plain_body(head, raw), head)), raw)


def verify_head(
    head: SegmentHead, signature: bytes, key_of: Callable[[bytes], VerifyKey | None]
) -> VerifyKey:
    """The key that signed this head. Raises UnknownKeyError, SignatureError."""
    key = key_of(head.key_id)
    if key is None:
        raise UnknownKeyError("key-unknown", "nobody introduced this key here", where=str(head))
    assert key.key_id == head.key_id, "key_of answered with another key"
    key.verify(keys.SEGMENT, head.encode(), signature)
    return key


def _plain_body(head: SegmentHead, raw: bytes) -> bytes:
    """Tail limits, then the frame's declared size, and only then the inflated body."""
    codec, dictionary, length = _TAIL.unpack_from(raw, SIGNED_BYTES)
    if codec not in (CODEC_PLAIN, CODEC_ZSTD):
        raise SegmentError("tail-codec", f"codec {codec} is not known", where=str(head))
    if dictionary != 0:
        raise SegmentError("tail-dictionary", "dictionaries are not used in version 1", where=str(head))
    if length != len(raw) - FIXED_BYTES:
        raise SegmentError("tail-length", "the body is shorter or longer than declared", where=str(head))
    # An event's header has at most 3 bytes and the array's 3; the loose bound only keeps bombs out,
    # the exact sizes are compared after.
    room = head.raw_len + 5 * head.count + 5
    body = raw[FIXED_BYTES:]
    if codec == CODEC_PLAIN:
        if len(body) > room:
            raise LimitError("body-size", "the body is larger than the signed length allows", where=str(head))
        return body
    if body[:4] != _ZSTD_MAGIC:  # also keeps skippable and pre-1.0 frames out
        raise SegmentError("zstd-frame", "the body is not a zstd frame", where=str(head))
    try:
        frame = zstandard.get_frame_parameters(body)
        if frame.content_size == zstandard.CONTENTSIZE_UNKNOWN:
            raise SegmentError("zstd-no-size", "the frame does not declare its size", where=str(head))
        if frame.content_size > room:
            raise LimitError("body-size", "the frame declares more than the signed length", where=str(head))
        if frame.window_size > ZSTD_WINDOW_MAX:
            raise LimitError("zstd-window", "the frame asks for more than 2 MiB at once", where=str(head))
        if frame.dict_id != 0:
            raise SegmentError("zstd-dictionary", "the frame asks for a dictionary", where=str(head))
        inflater = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_MAX)
        plain: bytes = inflater.decompress(body, max_output_size=room, allow_extra_data=False)
    except zstandard.ZstdError as broken:
        raise SegmentError("zstd-frame", f"the frame does not inflate: {broken}", where=str(head)) from None
    if len(plain) != frame.content_size:
        raise SegmentError("zstd-frame", "the frame holds less than it declares", where=str(head))
    return plain


def _split(body: bytes, head: SegmentHead) -> list[bytes]:
    """The events in a canonical array of exactly head.count bins with head.raw_len bytes in all."""
    header = array_header(head.count)
    if not body.startswith(header):
        raise SegmentError("body-count", f"not an array of {head.count} in shortest form", where=str(head))
    events: list[bytes] = []
    pos = len(header)
    try:
        for _ in range(head.count):
            tag = body[pos]
            if tag == 0xC4:
                start = pos + 2
                pos = start + body[pos + 1]
            elif tag == 0xC5:
                start = pos + 3
                size = body[pos + 1] << 8 | body[pos + 2]
                pos = start + size
                if size < 256:
                    raise SegmentError("body-not-shortest", "an event's header is too long", where=str(head))
                if size > EVENT_BYTES_MAX:
                    raise LimitError("event-size", f"at most 8192 bytes, not {size}", where=str(head))
            else:
                raise SegmentError("body-item", f"tag 0x{tag:02x}: not a bin of an event", where=str(head))
            events.append(body[start:pos])
    except IndexError:
        raise SegmentError("body-truncated", "the body ends within an event", where=str(head)) from None
    if pos > len(body):
        raise SegmentError("body-truncated", "the body ends within an event", where=str(head))
    if pos < len(body):
        raise SegmentError("body-trailing", f"{len(body) - pos} bytes follow the last event", where=str(head))
    if sum(map(len, events)) != head.raw_len:
        raise SegmentError("body-raw-len", "the events are not as long as the head says", where=str(head))
    return events
