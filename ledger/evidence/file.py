"""The evidence file as bytes: what travels together so that one event can be judged far from any ledger.

    magic D7 4C 45 01 ‖ [1, proof, [grant segment, …], journal proof | nil, receipt | nil, [head, …]]

The proof shows who signed the event. The grants lead from a root to that key and to the hub. The hub's
journal (an `Ingested` event that names the segment) or its receipt shows that the segment existed then; the
heads lead from the event's segment to the one the receipt names, since a hub receipts the end of a log.

Bound: shape only; nothing here is verified. Version 1 carries grants and no revocations: a version that does
will have another number, so that this reader refuses it instead of reading it without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.log.codec import pack, unpack
from ledger.log.errors import SegmentError
from ledger.log.receipts import RECEIPT_BYTES
from ledger.log.segment import HEAD_BYTES

MAGIC: Final = b"\xd7\x4c\x45\x01"  # not ASCII, "LE", version 1
VERSION: Final = 1
EVIDENCE_BYTES_MAX: Final = 65_536  # two longest proofs, all grants and all heads fit
GRANTS_MAX: Final = 16  # three chains of at most four links: author, journal, receipts; and some to spare
HEADS_MAX: Final = 192  # segments between an event and the receipt that covers it: 20 kB of heads
_FIELDS: Final = 6
_HINT: Final = "ask for the file again, or for a newer verifier"


@dataclass(frozen=True)
class EvidenceFile:
    """The parts as they travel. proof, journal: `Proof` bytes; grants: whole segments; heads: 104 bytes."""

    proof: bytes
    grants: tuple[bytes, ...] = ()
    journal: bytes | None = None
    receipt: bytes | None = None
    heads: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The file's bytes."""
        return MAGIC + pack((VERSION, self.proof, self.grants, self.journal, self.receipt, self.heads))

    @classmethod
    def decode(cls, data: bytes) -> EvidenceFile:
        """Lengths and shape, nothing verified. Raises SegmentError (`evidence-…`) and CodecError."""
        if len(data) > EVIDENCE_BYTES_MAX:
            what = f"an evidence file has at most {EVIDENCE_BYTES_MAX} bytes, not {len(data)}"
            raise SegmentError("evidence-size", what, hint=_HINT)
        if data[:4] != MAGIC:
            raise SegmentError("evidence-magic", "not an evidence file of version 1", hint=_HINT)
        fields = unpack(
            data[4:], bytes_max=EVIDENCE_BYTES_MAX, depth_max=2, items_max=_FIELDS + GRANTS_MAX + HEADS_MAX
        )
        if type(fields) is not tuple or len(fields) != _FIELDS:
            raise SegmentError("evidence-shape", "an evidence file is an array of six", hint=_HINT)
        version, proof, grants, journal, receipt, heads = fields
        if version is True or version != VERSION:
            raise SegmentError("evidence-version", "evidence of another version", hint=_HINT)
        if (
            type(proof) is not bytes
            or not (journal is None or type(journal) is bytes)
            or not (receipt is None or (type(receipt) is bytes and len(receipt) == RECEIPT_BYTES))
            or (receipt is None and heads != ())
        ):
            raise SegmentError("evidence-shape", "a field has another kind or length", hint=_HINT)
        found = cls(proof, _list(grants, GRANTS_MAX), journal, receipt, _list(heads, HEADS_MAX))
        if any(len(head) != HEAD_BYTES for head in found.heads):
            raise SegmentError("evidence-shape", "a head has 104 bytes", hint=_HINT)
        return found


def _list(value: object, count_max: int) -> tuple[bytes, ...]:
    if type(value) is tuple and len(value) <= count_max:
        items = tuple(item for item in value if type(item) is bytes)
        if len(items) == len(value):
            return items
    raise SegmentError("evidence-shape", "a list holds too much, or something else than bytes", hint=_HINT)
