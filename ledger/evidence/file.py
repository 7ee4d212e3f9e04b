"""The evidence file as bytes: what travels together so that one event can be judged far from any ledger.

    magic D7 4C 45 01 ‖ [1, proof, [statement, …], journal | nil, receipt | nil, [head, …]]
                        [1, …the same…, newest | nil, [opening, …]]    when one of these two holds something

The proof shows who signed the event. The statements are grants that lead from a root to that key and to the
hub, and what ended any of these keys: revocations, rotations, root sets. The hub's journal (an `Ingested`
event that names the segment) or its receipt shows that the segment existed then; the heads lead from the
event's segment to the one the receipt names, since a hub receipts the end of a log. `newest` is the last
event of the journal that the maker of the file knew. The openings of the hub's logs tie the journal's logs
together, for reports of a key that ended.

Bound: shape only; nothing here is verified. A reader that knows no endings refuses a file that holds one.
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
EVIDENCE_BYTES_MAX: Final = 65_536  # two longest proofs, several chains and all heads fit
STATEMENTS_MAX: Final = 64  # three chains of at most four grants, what ended them, and years of root sets
HEADS_MAX: Final = 192  # segments between an event and the receipt that covers it: 20 kB of heads
OPENINGS_MAX: Final = 64  # a hub that starts once a week, and a bit more than a year
_FIELDS: Final = 6
_FIELDS_MORE: Final = 8
_ITEMS_MAX: Final = _FIELDS_MORE + STATEMENTS_MAX + HEADS_MAX + OPENINGS_MAX
_HINT: Final = "ask for the file again, or for a newer verifier"


@dataclass(frozen=True)
class EvidenceFile:
    """The parts as they travel. proof, journal, newest, openings: `Proof` bytes; heads: 104 bytes.

    statements: whole segments with one Granted, Revoked, Rotated or RootsSet each.
    """

    proof: bytes
    statements: tuple[bytes, ...] = ()
    journal: bytes | None = None
    receipt: bytes | None = None
    heads: tuple[bytes, ...] = ()
    newest: bytes | None = None
    openings: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The file's bytes."""
        first = (VERSION, self.proof, self.statements, self.journal, self.receipt, self.heads)
        if self.newest is None and not self.openings:
            return MAGIC + pack(first)
        return MAGIC + pack((*first, self.newest, self.openings))

    @classmethod
    def decode(cls, data: bytes) -> EvidenceFile:
        """Lengths and shape, nothing verified. Raises SegmentError (`evidence-…`) and CodecError."""
        if len(data) > EVIDENCE_BYTES_MAX:
            what = f"an evidence file has at most {EVIDENCE_BYTES_MAX} bytes, not {len(data)}"
            raise SegmentError("evidence-size", what, hint=_HINT)
        if data[:4] != MAGIC:
            raise SegmentError("evidence-magic", "not an evidence file of version 1", hint=_HINT)
        fields = unpack(data[4:], bytes_max=EVIDENCE_BYTES_MAX, depth_max=2, items_max=_ITEMS_MAX)
        if type(fields) is not tuple or len(fields) not in (_FIELDS, _FIELDS_MORE):
            raise _shape("an evidence file is an array of six or eight")
        version, proof, statements, journal, receipt, heads = fields[:_FIELDS]
        newest, openings = fields[_FIELDS:] or (None, ())
        if version is True or version != VERSION:
            raise SegmentError("evidence-version", "evidence of another version", hint=_HINT)
        if (
            type(proof) is not bytes
            or not (journal is None or type(journal) is bytes)
            or not (receipt is None or (type(receipt) is bytes and len(receipt) == RECEIPT_BYTES))
            or not (newest is None or type(newest) is bytes)
            or (receipt is None and heads != ())
            or (journal is None and openings != ())
        ):
            raise _shape("a field has another kind or length")
        if len(fields) == _FIELDS_MORE and newest is None and openings == ():
            raise _shape("two fields that hold nothing are left out")
        found = cls(
            proof, _list(statements, STATEMENTS_MAX), journal, receipt, _list(heads, HEADS_MAX),
            newest, _list(openings, OPENINGS_MAX),
        )  # fmt: skip
        if any(len(head) != HEAD_BYTES for head in found.heads):
            raise _shape("a head has 104 bytes")
        return found


def _list(value: object, count_max: int) -> tuple[bytes, ...]:
    if type(value) is tuple and len(value) <= count_max:
        items = tuple(item for item in value if type(item) is bytes)
        if len(items) == len(value):
            return items
    raise _shape("a list holds too much, or something else than bytes")


def _shape(what: str) -> SegmentError:
    return SegmentError("evidence-shape", what, hint=_HINT)
