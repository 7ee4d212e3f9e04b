"""A receipt: "this is the head of your log that I hold, durably, at this time", signed by a hub.

    magic D7 4C 52 01 ‖ hub key id 8 ‖ author key id 8 ‖ log 8 ‖ next_seq 8 ‖ head hash 32 ‖
    hub time 8 ‖ hub log 8 ‖ hub seq 8 ‖ node nonce 8            100 bytes, integers big-endian
    signature 64 over "loa-rcpt/v1" 00 ‖ those 100 bytes

It carries the head's hash because a sequence number alone lies to a restored node: an old image took the
hub's number for its own and lost the events in between. hub log and hub seq name the `Ingested` event in the
hub's journal; the nonce is that of the request, so a fresh receipt is also a signed time. A receipt leaves a
hub only after the transaction that stored the segment is durable; that is `sync.answer`'s promise, not
something a receipt can show.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from ledger.log.chain import LogRef
from ledger.log.errors import ProtocolError, SignatureError
from ledger.log.keys import RECEIPT, SIGNATURE_BYTES, SigningKey, VerifyKey

MAGIC: Final = b"\xd7\x4c\x52\x01"
BODY_BYTES: Final = 100
RECEIPT_BYTES: Final = BODY_BYTES + SIGNATURE_BYTES
_BODY: Final = struct.Struct(">4s8s8s8sQ32sQ8sQ8s")


@dataclass(frozen=True, slots=True)
class Receipt:
    """hub_time: UTC seconds; next_seq: first sequence number not covered; nonce: of the request, 8 bytes."""

    hub: bytes
    log: LogRef
    next_seq: int
    head_hash: bytes
    hub_time: int
    hub_log: bytes
    hub_seq: int
    nonce: bytes
    signature: bytes

    @classmethod
    def sign(
        cls, hub_key: SigningKey, *, log: LogRef, next_seq: int, head_hash: bytes,
        hub_time: int, hub_log: bytes, hub_seq: int, nonce: bytes,
    ) -> Receipt:  # fmt: skip
        body = _BODY.pack(
            MAGIC,
            hub_key.key_id,
            log.key_id,
            log.log_id,
            next_seq,
            head_hash,
            hub_time,
            hub_log,
            hub_seq,
            nonce,
        )
        signature = hub_key.sign(RECEIPT, body)
        return cls(hub_key.key_id, log, next_seq, head_hash, hub_time, hub_log, hub_seq, nonce, signature)

    @property
    def body(self) -> bytes:
        return _BODY.pack(
            MAGIC, self.hub, self.log.key_id, self.log.log_id, self.next_seq, self.head_hash,
            self.hub_time, self.hub_log, self.hub_seq, self.nonce,
        )  # fmt: skip

    def encode(self) -> bytes:
        """164 bytes."""
        return self.body + self.signature

    @classmethod
    def decode(cls, raw: bytes) -> Receipt:
        """Shape only; call `verify` before believing it. Raises ProtocolError."""
        if len(raw) != RECEIPT_BYTES:
            raise ProtocolError("receipt-length", f"a receipt has {RECEIPT_BYTES} bytes, not {len(raw)}")
        magic, hub, key, log, next_seq, head, time, hub_log, hub_seq, nonce = _BODY.unpack_from(raw)
        if magic != MAGIC:
            raise ProtocolError("receipt-magic", "not a receipt of version 1")
        if max(next_seq, time, hub_seq) >= 2**63 or next_seq == 0:
            raise ProtocolError("receipt-range", "a number outside 63 bits, or a receipt for nothing")
        return cls(hub, LogRef(key, log), next_seq, head, time, hub_log, hub_seq, nonce, raw[BODY_BYTES:])

    def verify(self, hub: VerifyKey) -> None:
        """Raises SignatureError unless this hub signed exactly this."""
        if self.hub != hub.key_id:
            raise SignatureError("receipt-hub", "the receipt names another hub", where=self.hub.hex())
        hub.verify(RECEIPT, self.body, self.signature)
