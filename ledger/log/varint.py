"""Small whole numbers in few bytes: LEB128, and the zigzag that lets negative ones be small too.

    >>> data = bytearray(); put(data, 300); put(data, zigzag(-2)); bytes(data).hex()
    'ac0203'
    >>> take = Taker(bytes(data)); take.number(), unzigzag(take.number()), take.left
    (300, -2, 0)

A number is written in its shortest form only, and one of more than 64 bits is refused: every value has one
encoding, and a reader never loops for long.
"""

from __future__ import annotations

from ledger.log.errors import CodecError

BITS_MAX = 64


def put(out: bytearray, number: int) -> None:
    """Appends 0 ≤ number < 2⁶⁴."""
    assert 0 <= number < 1 << BITS_MAX
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def zigzag(number: int) -> int:
    """0, −1, 1, −2 … → 0, 1, 2, 3 …"""
    return number << 1 if number >= 0 else (-number << 1) - 1


def unzigzag(number: int) -> int:
    """The inverse of `zigzag`."""
    return -(number + 1 >> 1) if number & 1 else number >> 1


class Taker:
    """Takes numbers and bytes from the front. Raises CodecError("varint-…") at the first thing wrong."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._pos = 0

    @property
    def left(self) -> int:
        """Bytes not taken yet."""
        return len(self._data) - self._pos

    def number(self, high: int = (1 << BITS_MAX) - 1) -> int:
        """The next number, at most `high`."""
        value = shift = 0
        while True:
            if self._pos == len(self._data):
                raise CodecError("varint-truncated", "the bytes end within a number")
            byte = self._data[self._pos]
            self._pos += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift >= BITS_MAX + 6:
                raise CodecError("varint-long", "a number of more than 64 bits")
        if byte == 0 and shift:
            raise CodecError("varint-not-shortest", "a number in a longer form than needed")
        if value > high:
            raise CodecError("varint-range", f"at most {high}, not {value}")
        return value

    def blob(self, size: int) -> bytes:
        """The next `size` bytes."""
        if size > self.left:
            raise CodecError("varint-truncated", f"{size} bytes are announced, {self.left} are there")
        found = self._data[self._pos : self._pos + size]
        self._pos += size
        return found

    def rest(self) -> bytes:
        """All that is left."""
        return self.blob(self.left)

    def end(self) -> None:
        """Refuses anything that follows."""
        if self.left:
            raise CodecError("varint-trailing", f"{self.left} bytes follow the end")
