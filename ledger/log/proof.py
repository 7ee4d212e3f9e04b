"""A proof that one event was signed, checkable by a stranger who holds only the author's public key.

    [1, head 104, signature 64, index, event, [hash 32, …]]      canonical message bytes

A lone decision's proof is about 330 bytes. It says: this key signed, at this place of this log, exactly these
bytes. Whether the key was allowed to (a chain of grants) and when (a receipt) are separate documents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ledger.log import merkle
from ledger.log.codec import EVENT_BYTES_MAX, pack, unpack
from ledger.log.errors import LimitError, SegmentError
from ledger.log.keys import SIGNATURE_BYTES, VerifyKey
from ledger.log.merkle import HASH_BYTES
from ledger.log.segment import HEAD_BYTES, Segment, SegmentHead, verify_head

VERSION: Final = 1
PATH_MAX: Final = 12  # hashes; log₂ of the 4,096 events a segment may hold
# Two headers of arrays, the version, head and signature with 2 bytes before each, index and event with 3.
PROOF_BYTES_MAX: Final = 3 + 2 + HEAD_BYTES + 2 + SIGNATURE_BYTES + 3 + 3 + EVENT_BYTES_MAX + PATH_MAX * 34


@dataclass(frozen=True, slots=True)
class Proof:
    """index: place within the segment; path: 32-byte hashes, lowest first. Not verified until `check`."""

    head: SegmentHead
    signature: bytes
    index: int
    event: bytes
    path: tuple[bytes, ...]

    @property
    def seq(self) -> int:
        """The event's number in its log."""
        return self.head.first_seq + self.index

    def encode(self) -> bytes:
        """The proof as canonical message bytes."""
        return pack((VERSION, self.head.encode(), self.signature, self.index, self.event, self.path))

    @classmethod
    def decode(cls, data: bytes) -> Proof:
        """Shape and head limits checked, nothing verified. Raises CodecError, SegmentError, LimitError."""
        fields = unpack(data, bytes_max=PROOF_BYTES_MAX, depth_max=2, items_max=6 + PATH_MAX)
        if type(fields) is not tuple or len(fields) != 6:
            raise SegmentError("proof-shape", "a proof is an array of six")
        version, head, signature, index, event, path = fields
        if version is True or version != VERSION:
            raise SegmentError("proof-version", "a proof of another version")
        if (
            type(head) is not bytes
            or type(signature) is not bytes
            or len(signature) != SIGNATURE_BYTES
            or type(index) is not int
            or type(event) is not bytes
            or type(path) is not tuple
        ):
            raise SegmentError("proof-shape", "a field of the proof has another kind or length")
        hashes = tuple(item for item in path if type(item) is bytes and len(item) == HASH_BYTES)
        if len(hashes) != len(path):
            raise SegmentError("proof-shape", "a path holds hashes of 32 bytes")
        return cls(SegmentHead.decode(head), signature, index, event, hashes)


def prove(segment: Segment, index: int) -> Proof:
    """The proof of the event at `index` (from 0) of an opened or sealed segment."""
    head = segment.head
    leaves = merkle.leaves(head.key_id, head.log_id, head.first_seq, segment.events)
    return Proof(head, segment.signature, index, segment.events[index], merkle.path(leaves, index))


def check(proof: Proof, key_of: Callable[[bytes], VerifyKey | None]) -> None:
    """Returns when the proof holds. key_of: key id → trusted key, or None for a stranger's.

    Raises LimitError, UnknownKeyError, SignatureError, SegmentError, in this order of checks.
    """
    head = proof.head
    head.check()
    if len(proof.event) > EVENT_BYTES_MAX:
        raise LimitError("event-size", f"at most 8192 bytes, not {len(proof.event)}", where=str(head))
    verify_head(head, proof.signature, key_of)
    if not 0 <= proof.index < head.count:
        raise SegmentError("proof-index", f"index {proof.index} of {head.count} events", where=str(head))
    leaf = merkle.leaf(head.key_id, head.log_id, proof.seq, proof.event)
    if merkle.root_from_path(leaf, proof.index, head.count, proof.path) != head.root:
        raise SegmentError("root-mismatch", "the event is not at this place of the segment", where=str(head))
