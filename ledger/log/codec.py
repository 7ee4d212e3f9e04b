"""Canonical bytes: one value, one encoding, for events and for messages.

An event is one flat msgpack array of 2–32 values (int, bytes, str, bool, nil), at most 8 KiB. A message is a
tree of such arrays. msgpack itself is not canonical, so both are held to: shortest form everywhere, integers
from −2⁶³ to 2⁶³−1 with the non-negative ones in the unsigned family, `bin` for bytes, strict UTF-8, and no
float, map, extension or trailing byte. What was hashed is what is shipped: nobody re-encodes to verify a
hash; re-encoding only proves that an event could not have been written in another way.

Two readers on purpose. `decode` is hot: it lets the msgpack library read and re-encodes to compare. `_Reader`
is the specification in code: it walks left to right, names the first thing that is wrong, and never allocates
more than it was given bytes for (the library preallocates what a nested array merely *declares*). `unpack`
always uses it; `decode` uses it to say why. The tests hold the two to the same verdict on any bytes.

Meaning (types, arity, ranges of fields) lies beyond this file: see `ledger.facts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgpack

from ledger.log.errors import CodecError

Value: TypeAlias = int | bytes | str | bool | None
Tree: TypeAlias = "Value | Sequence[Tree]"
Unpacked: TypeAlias = "Value | tuple[Unpacked, ...]"

EVENT_BYTES_MAX: Final = 8192  # an event is a line in a log; content travels as blobs
EVENT_BYTES_MIN: Final = 3  # an array header and two one-byte values
EVENT_ITEMS_MIN: Final = 2  # type and ts
EVENT_ITEMS_MAX: Final = 32
INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1  # what SQLite and every 64-bit signed integer hold
DEPTH_MAX: Final = 4  # arrays within arrays in a message: body, list, row, list
DEPTH_LIMIT: Final = 32  # the reader recurses: a caller's bound stays far below Python's
ITEMS_MAX: Final = 65_536  # values in one message, all arrays together

_KINDS: Final = frozenset({int, bytes, str, bool, type(None)})


def encode(values: Sequence[Value]) -> bytes:
    """The canonical bytes of one event. values: 2–32 of int, bytes, str, bool, None. Raises CodecError."""
    if not EVENT_ITEMS_MIN <= len(values) <= EVENT_ITEMS_MAX:
        raise CodecError("codec-arity", f"an event has 2 to 32 values, not {len(values)}", where="event")
    _check(values, 0, "event")
    data = _packed(list(values), "event")
    if len(data) > EVENT_BYTES_MAX:
        raise CodecError("codec-size", f"an event has at most 8192 bytes, not {len(data)}", where="event")
    return data


def decode(data: bytes) -> tuple[Value, ...]:
    """The values of one canonical event. Raises CodecError with the reason's code and nothing else."""
    if not EVENT_BYTES_MIN <= len(data) <= EVENT_BYTES_MAX:
        raise CodecError("codec-size", f"an event has 3 to 8192 bytes, not {len(data)}", where="event")
    try:
        values = msgpack.unpackb(
            data, use_list=False, max_array_len=EVENT_ITEMS_MAX, max_map_len=0, max_ext_len=0
        )
    except (ValueError, msgpack.UnpackException):
        raise _why(data) from None
    if (
        type(values) is tuple
        and EVENT_ITEMS_MIN <= len(values) <= EVENT_ITEMS_MAX
        and _KINDS.issuperset(map(type, values))
        and (b"\xcf" not in data or all(type(v) is not int or v <= INT_MAX for v in values))
        and msgpack.packb(values) == data
    ):
        return values
    raise _why(data)


def pack(tree: Tree, *, depth_max: int = DEPTH_MAX) -> bytes:
    """The canonical bytes of a message: nested lists or tuples of values. Raises CodecError."""
    _check((tree,), depth_max, "message")
    return _packed(tree, "message")


def unpack(
    data: bytes, *, bytes_max: int, depth_max: int = DEPTH_MAX, items_max: int = ITEMS_MAX
) -> Unpacked:
    """A message's tree, arrays as tuples. bytes_max: bytes; items_max: values in all arrays together.

    Raises CodecError with the reason's code; nothing else on any bytes.
    """
    if not 1 <= len(data) <= bytes_max:
        raise CodecError("codec-size", f"1 to {bytes_max} bytes allowed, not {len(data)}", where="message")
    assert depth_max <= DEPTH_LIMIT
    reader = _Reader(data, "message", items_max)
    value = reader.value(depth_max)
    reader.end()
    return value


def array_header(count: int) -> bytes:
    """The shortest msgpack header of an array of `count` < 65,536 items."""
    return bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")


# --- writing ----------------------------------------


def _check(values: Sequence[object], depth: int, noun: str) -> None:
    """Refuses what has no canonical form. depth: how many arrays may open within these values."""
    for index, value in enumerate(values):
        if type(value) is int:
            if not INT_MIN <= value <= INT_MAX:
                what = "an integer fits 64 bits with its sign"
                raise CodecError("codec-int-range", what, where=f"{noun}[{index}]")
        elif type(value) is list or type(value) is tuple:
            if depth == 0:
                raise CodecError("codec-depth", "arrays are nested too deep", where=f"{noun}[{index}]")
            _check(value, depth - 1, noun)
        elif type(value) not in _KINDS:
            # An enumeration is refused too: the writer says int(x), so that what is signed is plain to see.
            what = f"{type(value).__name__} is not int, bytes, str, bool or None"
            raise CodecError("codec-kind", what, where=f"{noun}[{index}]")


def _packed(tree: object, where: str) -> bytes:
    try:
        packed: bytes = msgpack.packb(tree)
    except UnicodeEncodeError:
        raise CodecError("codec-utf8", "text holds a lone surrogate", where=where) from None
    return packed


# --- reading strictly ----------------------------------------

_Kind: TypeAlias = Literal["bin", "uint", "int", "str", "array"]

# tag → kind, bytes of the number that follows, and the bound beyond which this form is the shortest one:
# the least number for lengths and unsigned integers, the greatest for negative integers.
_FORMS: Final[dict[int, tuple[_Kind, int, int]]] = {
    0xC4: ("bin", 1, 0),
    0xC5: ("bin", 2, 2**8),
    0xC6: ("bin", 4, 2**16),
    0xCC: ("uint", 1, 2**7),
    0xCD: ("uint", 2, 2**8),
    0xCE: ("uint", 4, 2**16),
    0xCF: ("uint", 8, 2**32),
    0xD0: ("int", 1, -(2**5) - 1),
    0xD1: ("int", 2, -(2**7) - 1),
    0xD2: ("int", 4, -(2**15) - 1),
    0xD3: ("int", 8, -(2**31) - 1),
    0xD9: ("str", 1, 2**5),
    0xDA: ("str", 2, 2**8),
    0xDB: ("str", 4, 2**16),
    0xDC: ("array", 2, 2**4),
    0xDD: ("array", 4, 2**16),
}
_CONSTANTS: Final[dict[int, bool | None]] = {0xC0: None, 0xC2: False, 0xC3: True}


class _Reader:
    """Walks bytes once, left to right; the first broken rule decides the code."""

    __slots__ = ("data", "items_left", "noun", "pos")

    def __init__(self, data: bytes, noun: str, items_max: int) -> None:
        self.data = data
        self.noun = noun
        self.pos = 0
        self.items_left = items_max

    def value(self, depth: int) -> Unpacked:
        tag = self._take(1)[0]
        if tag < 0x80:
            return tag
        if tag >= 0xE0:
            return tag - 256
        if 0x90 <= tag <= 0x9F:
            return self._array(tag & 0x0F, depth)
        if 0xA0 <= tag <= 0xBF:
            return self._text(tag & 0x1F)
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        if tag not in _FORMS:
            raise self._refused("codec-kind", f"tag 0x{tag:02x}: a float, map, extension or unused tag")
        kind, number = self._number(tag)
        if kind == "array":
            return self._array(number, depth)
        if kind == "str":
            return self._text(number)
        if kind == "bin":
            return self._take(number)
        if number > INT_MAX:
            raise self._refused("codec-int-range", "an integer fits 64 bits with its sign")
        return number

    def end(self) -> None:
        if self.pos != len(self.data):
            raise self._refused("codec-trailing", f"{len(self.data) - self.pos} bytes follow the {self.noun}")

    def header(self) -> int:
        """The count of the array that begins here."""
        tag = self._take(1)[0]
        if 0x90 <= tag <= 0x9F:
            return tag & 0x0F
        if tag not in (0xDC, 0xDD):
            raise self._refused("codec-not-array", "an event is one array")
        return self._number(tag)[1]

    def _number(self, tag: int) -> tuple[_Kind, int]:
        kind, width, bound = _FORMS[tag]
        number = int.from_bytes(self._take(width), "big", signed=kind == "int")
        if number > bound if kind == "int" else number < bound:
            raise self._refused("codec-not-shortest", f"tag 0x{tag:02x} for {number}: a shorter form exists")
        return kind, number

    def _array(self, count: int, depth: int) -> tuple[Unpacked, ...]:
        if depth == 0:
            raise self._refused("codec-depth", "arrays are nested too deep")
        if count > self.items_left:
            raise self._refused("codec-items", "too many values")
        self.items_left -= count
        # A list grows only as values are really read, whatever the header declares.
        items: list[Unpacked] = []
        for _ in range(count):
            items.append(self.value(depth - 1))
        return tuple(items)

    def _text(self, size: int) -> str:
        raw = self._take(size)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self._refused("codec-utf8", "text is not valid UTF-8") from None

    def _take(self, size: int) -> bytes:
        end = self.pos + size
        if end > len(self.data):
            raise self._refused("codec-truncated", f"{end - len(self.data)} bytes are missing")
        taken = self.data[self.pos : end]
        self.pos = end
        return taken

    def _refused(self, code: str, what: str) -> CodecError:
        return CodecError(code, what, where=f"{self.noun}, byte {self.pos}")


def _why(data: bytes) -> CodecError:
    """Why `decode` refused these 3 to 8192 bytes, by the strict reader."""
    reader = _Reader(data, "event", 0)
    try:
        count = reader.header()
        if not EVENT_ITEMS_MIN <= count <= EVENT_ITEMS_MAX:
            return CodecError("codec-arity", f"an event has 2 to 32 values, not {count}", where="event")
        for _ in range(count):
            reader.value(0)
        reader.end()
    except CodecError as refused:
        return refused
    # Not reached as long as the two readers agree; if they ever do not, the event is still only refused.
    return CodecError("codec-not-shortest", "the values have another, shortest form", where="event")
