"""Numbers of seven bits a byte, and zstd frames written by hand: compressors differ between versions."""

from __future__ import annotations

from ledger.log.varint import put


def numbers(*values: int) -> bytes:
    out = bytearray()
    for value in values:
        put(out, value)
    return bytes(out)


def framed(events: list[bytes]) -> bytes:
    """Each event after its length."""
    return b"".join(numbers(len(event)) + event for event in events)


def raw_frame(content: bytes, *, declared: int | None = None) -> bytes:
    """A zstd frame of one raw block, its content size in two bytes (RFC 8878, 3.1.1)."""
    size = len(content) if declared is None else declared
    return b"\x28\xb5\x2f\xfd\x60" + (size - 256).to_bytes(2, "little") + _block(content)


def small_frame(content: bytes) -> bytes:
    """The same with its content size in one byte."""
    return b"\x28\xb5\x2f\xfd\x20" + bytes((len(content),)) + _block(content)


def declaring(size: int) -> bytes:
    """A frame that declares `size` bytes and holds none."""
    return b"\x28\xb5\x2f\xfd\xa0" + size.to_bytes(4, "little") + b"\x01\0\0"


def windowed(content: bytes, window: int, *, sized: bool = True, dictionary: int = 0) -> bytes:
    """A frame that names its window: 0x50 is 1 MiB, 0x51 an eighth more."""
    named = bytes((dictionary,)) if dictionary else b""
    size = len(content).to_bytes(4, "little") if sized else b""
    flags = (0x80 if sized else 0) | len(named)
    return b"\x28\xb5\x2f\xfd" + bytes((flags, window)) + named + size + _block(content)


def _block(content: bytes) -> bytes:
    """The last block, raw."""
    return (len(content) << 3 | 1).to_bytes(3, "little") + content
