"""What a station and a receiver cluster say to one another: 64 bytes each way, whatever carries them.

See docs/spec/clusters.md. Both ends hold one key for each cluster, and every message is authenticated with
it. An answer repeats the number that the station drew for its question, so an old answer answers nothing. An
order names the life of the receiver it is for and counts up within it, so an old order moves nothing. Answers
are as long as questions: nobody can use a receiver to flood somebody else.

Bound: bytes in, values out. When to ask is `cluster_link`, what an answer means for a slot `clusters`.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ledger.log import ProtocolError

MESSAGE_BYTES: Final = 64
ORDER_MAGIC: Final = bytes.fromhex("d74c4b01")
ANSWER_MAGIC: Final = bytes.fromhex("d74c5201")
PREFIX: Final = b"loa-clu/v1\0"
NONCE_BYTES: Final = 8
MAC_BYTES: Final = 16
ITEM_BYTES: Final = 16
NO_ITEM: Final = bytes(ITEM_BYTES)
NO_BOOT: Final = bytes(8)
SEQ_MAX: Final = (1 << 32) - 1
SECONDS_MAX: Final = (1 << 32) - 1
_BODY: Final = MESSAGE_BYTES - MAC_BYTES
POWERED, MUTED, SOUNDING = 0x01, 0x02, 0x04


class OrderWord(IntEnum):
    """What a message from the station wants."""

    ASK = 1
    PREPARE = 2
    BEGIN = 3
    STOP = 4


@dataclass(frozen=True)
class ClusterOrder:
    """From the station. boot, seq: zero in ASK. item, for_s: what will sound and for how long at most."""

    word: OrderWord
    volume: int
    number: int
    nonce: bytes
    boot: bytes = NO_BOOT
    seq: int = 0
    item: bytes = NO_ITEM
    for_s: int = 0

    def encode(self, key: bytes) -> bytes:
        body = (
            ORDER_MAGIC + bytes((self.word, self.volume)) + self.number.to_bytes(2, "big") + self.nonce
            + self.boot + self.seq.to_bytes(4, "big") + self.item + self.for_s.to_bytes(4, "big")
        )  # fmt: skip
        return body + _mac(key, body)

    @classmethod
    def decode(cls, data: bytes, key: bytes) -> ClusterOrder:
        """For a receiver. Raises ProtocolError: length, magic, authentication, meaning, in that order."""
        _open(data, key, ORDER_MAGIC)
        try:
            word = OrderWord(data[4])
        except ValueError:
            raise ProtocolError("cluster-word", f"{data[4]} is no word of this protocol") from None
        volume, number = _meant(data)
        boot, seq = data[16:24], int.from_bytes(data[24:28], "big")
        asks = word is OrderWord.ASK
        if asks != (boot == NO_BOOT) or asks != (seq == 0):
            raise ProtocolError("cluster-meaning", "an order names a life and a number; a question neither")
        item, for_s = data[28:44], int.from_bytes(data[44:48], "big")
        if volume and word is not OrderWord.BEGIN:
            raise ProtocolError("cluster-meaning", "a volume is set by BEGIN alone")
        if (word is OrderWord.BEGIN) != (item != NO_ITEM) or (
            word in (OrderWord.ASK, OrderWord.STOP) and for_s
        ):
            raise ProtocolError("cluster-meaning", "an item belongs to BEGIN, a time to PREPARE and BEGIN")
        return cls(word, volume, number, data[8:16], boot, seq, item, for_s)


@dataclass(frozen=True)
class ClusterAnswer:
    """From a receiver. since_s: for how long it has been in this state. seq: the last order it followed."""

    powered: bool
    muted: bool
    sounding: bool
    volume: int
    number: int
    nonce: bytes
    boot: bytes
    seq: int
    item: bytes
    since_s: int

    def encode(self, key: bytes) -> bytes:
        flags = self.powered * POWERED | self.muted * MUTED | self.sounding * SOUNDING
        body = (
            ANSWER_MAGIC + bytes((flags, self.volume)) + self.number.to_bytes(2, "big") + self.nonce
            + self.boot + self.seq.to_bytes(4, "big") + self.item + self.since_s.to_bytes(4, "big")
        )  # fmt: skip
        return body + _mac(key, body)

    @classmethod
    def decode(cls, data: bytes, key: bytes) -> ClusterAnswer:
        """For the station. Raises ProtocolError: length, magic, authentication, meaning, in that order."""
        _open(data, key, ANSWER_MAGIC)
        flags, (volume, number) = data[4], _meant(data)
        boot, item = data[16:24], data[28:44]
        sounding = bool(flags & SOUNDING)
        if flags > POWERED | MUTED | SOUNDING:
            raise ProtocolError("cluster-meaning", "a flag that there is not")
        if boot == NO_BOOT or sounding != (item != NO_ITEM):
            raise ProtocolError(
                "cluster-meaning", "an answer names a life, and an item exactly when it sounds"
            )
        return cls(
            bool(flags & POWERED), bool(flags & MUTED), sounding, volume, number, data[8:16], boot,
            int.from_bytes(data[24:28], "big"), item, int.from_bytes(data[44:48], "big"),
        )  # fmt: skip

    @property
    def audible(self) -> bool:
        """True when something comes out of the horns."""
        return self.powered and self.sounding and not self.muted and self.volume > 0


def _open(data: bytes, key: bytes, magic: bytes) -> None:
    """Length, magic, authentication."""
    if len(data) != MESSAGE_BYTES:
        raise ProtocolError("cluster-length", f"a message has {MESSAGE_BYTES} bytes, not {len(data)}")
    if data[:4] != magic:
        raise ProtocolError("cluster-magic", "not a message of this kind and version")
    if not hmac.compare_digest(_mac(key, data[:_BODY]), data[_BODY:]):
        raise ProtocolError("cluster-mac", "not made with this cluster's key")


def _meant(data: bytes) -> tuple[int, int]:
    """(volume, number) of an authentic message."""
    number = int.from_bytes(data[6:8], "big")
    if data[5] > 100 or number == 0:
        raise ProtocolError("cluster-meaning", "a volume above 100, or cluster number 0")
    return data[5], number


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, PREFIX + body, "sha256")[:MAC_BYTES]
