"""The tree over one segment's events, in the shape of RFC 9162.

A leaf binds an event to its author, log and sequence number, so the same bytes elsewhere are another leaf;
leaves begin with 00 and inner nodes with 01, so neither can pose as the other. RFC 9162 splits at the largest
power of two below n; pairing neighbours level by level and lifting a lone last node unchanged gives the same
tree without recursion.

The number of leaves is not in the root: it comes from the signed head, and a path is checked against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from ledger.log.errors import SegmentError

HASH_BYTES: Final = 32


def leaf(key_id: bytes, log_id: bytes, seq: int, event: bytes) -> bytes:
    """H(00 ‖ key_id ‖ log_id ‖ seq as 8 bytes ‖ event)."""
    return sha256(b"\0" + key_id + log_id + seq.to_bytes(8, "big") + event).digest()


def leaves(key_id: bytes, log_id: bytes, first_seq: int, events: Sequence[bytes]) -> list[bytes]:
    """The leaves of consecutive events, as `leaf` makes them, in one pass: this is the hot loop."""
    start = b"\0" + key_id + log_id
    return [
        sha256(start + seq.to_bytes(8, "big") + event).digest() for seq, event in enumerate(events, first_seq)
    ]


def node(left: bytes, right: bytes) -> bytes:
    """H(01 ‖ left ‖ right)."""
    return sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root of one or more leaves; the root of one leaf is the leaf."""
    assert leaves, "a tree has at least one leaf"
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The hashes that lead from leaf `index` to the root, lowest first; at most ⌈log₂ n⌉."""
    assert 0 <= index < len(leaves)
    level, at, found = list(leaves), index, []
    while len(level) > 1:
        beside = at ^ 1
        if beside < len(level):
            found.append(level[beside])
        level, at = _above(level), at >> 1
    return tuple(found)


def root_from_path(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """The root that `path` leads to from leaf `index` of `count` (RFC 9162 §2.1.3.2).

    Raises SegmentError when the path has another length than this place in this tree needs.
    """
    if not 0 <= index < count:
        raise SegmentError("proof-index", f"index {index} of {count} events")
    at, last, reached, used = index, count - 1, leaf, 0
    while last:
        if at & 1 or at < last:
            if used == len(path):
                raise SegmentError("proof-path", "the path is too short for this place in the tree")
            beside = path[used]
            used += 1
            reached = node(beside, reached) if at & 1 else node(reached, beside)
        at, last = at >> 1, last >> 1
    if used != len(path):
        raise SegmentError("proof-path", "the path is too long for this place in the tree")
    return reached


def _above(level: list[bytes]) -> list[bytes]:
    pairs = iter(level)
    above = [sha256(b"\1" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
    if len(level) & 1:
        above.append(level[-1])
    return above
