"""Raw parts: the cast, and bytes assembled by hand so that hostile cases break exactly one rule."""

from __future__ import annotations

import struct
from typing import Any

from ledger.log import keys, merkle
from ledger.log.codec import array_header, encode
from ledger.log.keys import SigningKey
from ledger.log.segment import SegmentHead

Json = Any

# --- cast ---------------------------------------------------------------------------------------------------

APPROVER = SigningKey.from_seed(bytes(range(32)))
STATION = SigningKey.from_seed(bytes(range(32, 64)))
STRANGER = SigningKey.from_seed(bytes(range(64, 96)))
TRUSTED = {key.key_id: key.verify_key for key in (APPROVER, STATION)}
LOG = bytes.fromhex("5a17c0de00000001")
OTHER_LOG = bytes.fromhex("5a17c0de00000002")
ZERO = bytes(32)
LAW_DAY = 1667955600  # 2022-11-09 08:00 in Vietnam

CONTENT = bytes(range(0xA0, 0xC0))
BULLETIN = bytes.fromhex("b01dface0123456789abcdef00000001")


def numbered(count: int) -> list[bytes]:
    """Small different events."""
    return [encode([16, LAW_DAY + n, n]) for n in range(count)]


def body_of(events: list[bytes]) -> bytes:
    """The canonical body, spelled out: header and length before each event."""
    out = array_header(len(events))
    for event in events:
        size = len(event)
        out += (b"\xc4" + bytes([size]) if size < 256 else b"\xc5" + size.to_bytes(2, "big")) + event
    return out


def head_of(key: SigningKey, events: list[bytes], **changed: Any) -> SegmentHead:
    fields: dict[str, Any] = {
        "key_id": key.key_id,
        "log_id": LOG,
        "first_seq": 0,
        "count": len(events),
        "raw_len": sum(map(len, events)),
        "prev": ZERO,
    }
    fields.update(changed)
    if "root" not in fields:
        fields["root"] = merkle.root(merkle.leaves(key.key_id, fields["log_id"], fields["first_seq"], events))
    return SegmentHead(**fields)


def wrap(
    head: bytes, signature: bytes, body: bytes, codec: int = 0, dictionary: int = 0, length: int | None = None
) -> bytes:
    length = len(body) if length is None else length
    return head + signature + struct.pack(">BII", codec, dictionary, length) + body


def signed(key: SigningKey, head: SegmentHead | bytes, body: bytes, **tail: Any) -> bytes:
    raw = head if isinstance(head, bytes) else head.encode()
    return wrap(raw, key.sign(keys.SEGMENT, raw), body, **tail)


def patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def zstd_frame(
    blocks: list[tuple[int, int, bytes]], size: int | None, *, window: int | None = None, dictionary: int = 0
) -> bytes:
    """A zstd frame by hand (RFC 8878 §3.1.1). blocks: (0 raw | 1 one byte repeated, size, data).

    size: what the frame declares, in 8 bytes; None: nothing. window: descriptor byte; None: one segment.
    """
    descriptor = (
        (0xC0 if size is not None else 0) | (0x20 if window is None else 0) | (1 if dictionary else 0)
    )
    out = b"\x28\xb5\x2f\xfd" + bytes([descriptor])
    out += b"" if window is None else bytes([window])
    out += bytes([dictionary]) if dictionary else b""
    out += b"" if size is None else size.to_bytes(8, "little")
    for index, (kind, length, data) in enumerate(blocks):
        out += (int(index == len(blocks) - 1) | kind << 1 | length << 3).to_bytes(3, "little") + data
    return out


def plain_frame(data: bytes) -> bytes:
    return zstd_frame([(0, len(data), data)], len(data))


def as_json(value: Any) -> Json:
    """bytes → {"hex"}, integers beyond 2⁵³ → {"int"} (many JSON readers round them), arrays → lists."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return {"int": str(value)}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value
