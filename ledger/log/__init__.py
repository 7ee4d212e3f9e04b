"""The signed log: bytes in, bytes out; it knows nothing of radio.

    >>> key = SigningKey.from_seed(bytes(32))
    >>> segment = seal(key, b"log-id-8", 0, bytes(32), [encode([4096, 0, "Xin chào"])])
    >>> opened = open_segment(segment.raw, {key.key_id: key.verify_key}.get)
    >>> decode(opened.events[0])
    (4096, 0, 'Xin chào')
    >>> extend(None, opened.head).next_seq
    1

`codec` writes and reads canonical bytes, `keys` signs them, `merkle` ties events to one root, `segment` puts
the root under one signature, `proof` shows one event to a stranger, `chain` says what may follow what.
`Ledger` keeps segments on a `Store`, `sync` carries them between two ledgers, `Blobs` holds content, `enrol`
introduces a device. Layouts and refusals: docs/spec/. Every refusal is a `LoaError` with a `code`.
"""

from ledger.log.answering import Answer, answer, record_arrivals
from ledger.log.blobs import BLOB_BYTES_MAX, CHUNK, Blobs, chunk_hashes
from ledger.log.chain import Head, LogRef, conflict, extend
from ledger.log.codec import EVENT_BYTES_MAX, Tree, Unpacked, Value, decode, encode, pack, unpack
from ledger.log.companions import adopt
from ledger.log.corner import Corner
from ledger.log.delivery import deliver, read_delivery
from ledger.log.disk import DiskStore, Store
from ledger.log.enrol import (
    Enrolled,
    EnrolRequest,
    Token,
    TokenRecord,
    holds_token,
    make_enrolment,
    make_enrolment_reply,
    read_enrolment,
    read_enrolment_reply,
)
from ledger.log.errors import (
    BlobError,
    ChainError,
    CodecError,
    ForkError,
    GapError,
    KeyRefused,
    LimitError,
    LoaError,
    NotAllowed,
    PlayerError,
    ProtocolError,
    SegmentError,
    SignatureError,
    StoreError,
    TransportError,
    UnknownKeyError,
)
from ledger.log.forks import check as check_evidence
from ledger.log.forwarding import Forwarder, audiences_here, history_of, pause_s
from ledger.log.image import IMAGE_BYTES_MAX, image_of, opened, pour, taken
from ledger.log.journal import ForkFound, Ingested, LogOpened, OpenReason
from ledger.log.keys import BELL, CAP, KEY_BYTES, OFFER, SigningKey, VerifyKey, forget_heads, key_id
from ledger.log.memory_disk import Image, KeptConnection, MemoryStore
from ledger.log.messages import REPLY_EXTRA_BYTES, REQUEST_BYTES_MAX, ROOM_BYTES_MAX, STATUS_BYTES_MAX
from ledger.log.proof import Proof, check, prove
from ledger.log.receipts import RECEIPT_BYTES, Receipt
from ledger.log.segment import SEGMENT_BYTES_MAX, Segment, SegmentHead, cut, open_segment, read_head, seal
from ledger.log.store import Admission, Audit, Branch, Evidence, Ledger, Outcome, Stored
from ledger.log.sync import CURSOR, Accepted, accept_reply, make_request, read_again
from ledger.log.transit import Coder, fold
from ledger.log.witnessed import WitnessedLedger
from ledger.log.words import key_words, six_words, words_of

__all__ = [
    "BELL",
    "BLOB_BYTES_MAX",
    "CAP",
    "CHUNK",
    "CURSOR",
    "EVENT_BYTES_MAX",
    "IMAGE_BYTES_MAX",
    "KEY_BYTES",
    "OFFER",
    "RECEIPT_BYTES",
    "REPLY_EXTRA_BYTES",
    "REQUEST_BYTES_MAX",
    "ROOM_BYTES_MAX",
    "SEGMENT_BYTES_MAX",
    "STATUS_BYTES_MAX",
    "Accepted",
    "Admission",
    "Answer",
    "Audit",
    "BlobError",
    "Blobs",
    "Branch",
    "ChainError",
    "Coder",
    "CodecError",
    "Corner",
    "DiskStore",
    "EnrolRequest",
    "Enrolled",
    "Evidence",
    "ForkError",
    "ForkFound",
    "Forwarder",
    "GapError",
    "Head",
    "Image",
    "Ingested",
    "KeptConnection",
    "KeyRefused",
    "Ledger",
    "LimitError",
    "LoaError",
    "LogOpened",
    "LogRef",
    "MemoryStore",
    "NotAllowed",
    "OpenReason",
    "Outcome",
    "PlayerError",
    "Proof",
    "ProtocolError",
    "Receipt",
    "Segment",
    "SegmentError",
    "SegmentHead",
    "SignatureError",
    "SigningKey",
    "Store",
    "StoreError",
    "Stored",
    "Token",
    "TokenRecord",
    "TransportError",
    "Tree",
    "UnknownKeyError",
    "Unpacked",
    "Value",
    "VerifyKey",
    "WitnessedLedger",
    "accept_reply",
    "adopt",
    "answer",
    "audiences_here",
    "check",
    "check_evidence",
    "chunk_hashes",
    "conflict",
    "cut",
    "decode",
    "deliver",
    "encode",
    "extend",
    "fold",
    "forget_heads",
    "history_of",
    "holds_token",
    "image_of",
    "key_id",
    "key_words",
    "make_enrolment",
    "make_enrolment_reply",
    "make_request",
    "open_segment",
    "opened",
    "pack",
    "pause_s",
    "pour",
    "prove",
    "read_again",
    "read_delivery",
    "read_enrolment",
    "read_enrolment_reply",
    "read_head",
    "record_arrivals",
    "seal",
    "six_words",
    "taken",
    "unpack",
    "words_of",
]
