"""Signed segments as a file: what somebody signed away from a ledger, to be taken in by one.

    delivery = pack([segment, …])     at most 1 MiB and 256 segments

Nothing of the file is believed: each segment is verified as if it had come by a sync.

Bound: the file's form; admission is `store.Ledger`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ledger.log.codec import pack, unpack
from ledger.log.errors import CodecError, ProtocolError
from ledger.log.keys import SigningKey
from ledger.log.memory_disk import MemoryStore
from ledger.log.store import Ledger

DELIVERY_BYTES_MAX: Final = 1 << 20
DELIVERY_SEGMENTS_MAX: Final = 256


def deliver(
    key: SigningKey, event: bytes, *, entropy: Callable[[int], bytes], now: Callable[[], int]
) -> bytes:
    """One decision, signed alone in a new log of its author, as a delivery. Raises CodecError."""
    desk = Ledger(MemoryStore().open_db("ledger.db"), entropy=entropy, now=now)
    desk.append_sealed(key, event)
    return pack_delivery([stored.segment.raw for stored in desk.since(0)])


def pack_delivery(raws: Sequence[bytes]) -> bytes:
    return pack(list(raws))


def read_delivery(data: bytes) -> list[bytes]:
    """The segments in a file, not opened yet. Raises ProtocolError("delivery-form")."""
    try:
        rows = unpack(data, bytes_max=DELIVERY_BYTES_MAX, items_max=DELIVERY_SEGMENTS_MAX + 1)
    except CodecError as error:
        raise ProtocolError("delivery-form", f"no file of signed segments: {error.what}") from error
    if not isinstance(rows, tuple) or not rows:
        raise ProtocolError("delivery-form", "no file of signed segments")
    raws = [row for row in rows if isinstance(row, bytes)]
    if len(raws) != len(rows):
        raise ProtocolError("delivery-form", "the file holds something that is no segment")
    return raws
