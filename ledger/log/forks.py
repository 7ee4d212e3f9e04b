"""Evidence of a fork: two signed heads of one log that cannot both be honest, and how a stranger checks them.

A ledger that meets the second head keeps both with their signatures, the bytes as received, their source and
the time; it freezes that log and nothing else. The 336 bytes `head ‖ signature ‖ head ‖ signature` stand for
themselves: whoever has the author's public key can judge them without any of our state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ledger.log.chain import LogRef, conflict
from ledger.log.errors import SegmentError
from ledger.log.keys import VerifyKey
from ledger.log.segment import HEAD_BYTES, SIGNED_BYTES, SegmentHead, verify_head

PAIR_BYTES: Final = 2 * SIGNED_BYTES


@dataclass(frozen=True, slots=True)
class Evidence:
    """held, other: head ‖ signature, 168 B each; received: the second segment's bytes; at: UTC seconds."""

    number: int
    log: LogRef
    code: str
    held: bytes
    other: bytes
    received: bytes
    source: str
    at: int

    @property
    def pair(self) -> bytes:
        """The 336 bytes that convince a stranger."""
        return self.held + self.other


def check(pair: bytes, key_of: Callable[[bytes], VerifyKey | None]) -> str:
    """Why these two heads prove a fork ("fork-overlap" or "fork-broken-link").

    Raises SegmentError("not-a-fork") when they do not, UnknownKeyError, SignatureError.
    """
    if len(pair) != PAIR_BYTES:
        raise SegmentError("evidence-length", f"evidence has {PAIR_BYTES} bytes, not {len(pair)}")
    heads = []
    for signed in (pair[:SIGNED_BYTES], pair[SIGNED_BYTES:]):
        head = SegmentHead.decode(signed[:HEAD_BYTES])
        verify_head(head, signed[HEAD_BYTES:], key_of)
        heads.append(head)
    code = conflict(heads[0], heads[1])
    if code is None:
        raise SegmentError("not-a-fork", "these two heads can both be honest", where=str(heads[1]))
    return code
