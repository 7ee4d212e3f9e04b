"""What a station says of itself in passing: the status of a sync request, written and read in one place.

It is signed with the request but is no event: nobody keeps it, nothing is decided by it, a hub only shows it.
So a reader takes what it understands and treats the rest as unknown; it never refuses a round because of it.
Newer stations may append items; the number changes only when the meaning of the first ten does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.log.codec import pack, unpack
from ledger.log.errors import CodecError

VERSION: Final = 1
BYTES_MAX: Final = 256  # what a sync request may carry of it
WORD_CHARS_MAX: Final = 32  # of the player's and the software's name


@dataclass(frozen=True)
class Condition:
    """ceiling: the best evidence its player can give. clock: confidence 0…3. boot_at: UTC s. −1: unknown.

    playing: the series on air, 0 for none. blobs_missing: files its plan still needs. pending: events not
    sealed yet. volume: percent. storage: 0 on its disk, 1 in memory because the disk is full, 2 in memory
    because it cannot be written.
    """

    player: str = ""
    ceiling: int = -1
    clock: int = -1
    boot_at: int = -1
    playing: int = 0
    blobs_missing: int = -1
    pending: int = -1
    volume: int = -1
    software: str = ""
    storage: int = -1

    def encode(self) -> bytes:
        """At most 256 bytes for a sync request."""
        return pack(
            [
                VERSION,
                self.player[:WORD_CHARS_MAX],
                self.ceiling,
                self.clock,
                self.boot_at,
                self.playing,
                self.blobs_missing,
                self.pending,
                self.volume,
                self.software[:WORD_CHARS_MAX],
                self.storage,
            ]
        )


def read_condition(status: bytes) -> Condition:
    """The condition in a request's status; `Condition()`, all unknown, for anything unreadable."""
    try:
        tree = unpack(status, bytes_max=BYTES_MAX)
    except CodecError:
        return Condition()
    if not isinstance(tree, tuple) or len(tree) < 10 or tree[0] != VERSION:
        return Condition()
    player, software = tree[1], tree[9]
    numbers = [n for n in tree[2:9] if isinstance(n, int) and not isinstance(n, bool)]
    if len(numbers) != 7 or not isinstance(player, str) or not isinstance(software, str):
        return Condition()
    ceiling, clock, boot_at, playing, blobs_missing, pending, volume = numbers
    return Condition(
        _shown(player), ceiling, clock, boot_at, playing, blobs_missing, pending, volume, _shown(software),
        _whole(tree[10]) if len(tree) > 10 else -1,
    )  # fmt: skip


def _whole(value: object) -> int:
    """A later station's word may be of another kind: then it is unknown."""
    return value if type(value) is int and 0 <= value <= 255 else -1


def _shown(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:WORD_CHARS_MAX]
