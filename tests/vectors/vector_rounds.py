"""The parts of a round, spelled out: requests, replies, a hub's history with its journal and trail."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from vector_parts import (
    LAW_DAY,
    STATION,
    ZERO,
    Json,
    body_of,
    head_of,
    signed,
)
from vector_receipts import HUB, receipt
from vector_transit import numbers

from ledger.log import keys
from ledger.log.codec import encode, pack
from ledger.log.keys import SigningKey
from ledger.log.segment import SegmentHead

HUB_LOGS = [bytes.fromhex(f"4b1d0c5e0000000{n}") for n in range(1, 4)]
STATION_LOGS = [bytes.fromhex(f"7a3c0c5e0000000{n}") for n in range(1, 4)]
AUDIENCES = ["vn", "vn.yb", "vn.yb.04630"]
SOFTWARE = "loa/1"
NOW = LAW_DAY
NONCE = b"nonce-01"


def log_open(now: int, prev: SegmentHead | None = None, *, count: int = 1) -> bytes:
    before = (bytes(8), 0, ZERO) if prev is None else (prev.log_id, prev.next_seq, prev.hash)
    return encode((0, now, 0, *before, count, SOFTWARE))


def ingested(now: int, head: SegmentHead) -> bytes:
    return encode((80, now, head.key_id, head.log_id, head.first_seq, head.count, head.hash))


def quiet(number: int, unit: str) -> bytes:
    """A decision: quiet hours from 21:00 and so many minutes."""
    return encode((5, LAW_DAY, unit, 1260 + number, 300))


def message(magic: str, key: SigningKey, prefix: bytes, bound: bytes, body: bytes) -> bytes:
    return bytes.fromhex(magic) + key.key_id + key.sign(prefix, bound + body) + body


def request(key: SigningKey = STATION, body: bytes | None = None, **changed: Any) -> bytes:
    return message("d74c5101", key, keys.REQUEST, b"", request_body(**changed) if body is None else body)


def request_body(**changed: Any) -> bytes:
    fields = {
        "version": 1, "nonce": NONCE, "sent_at": NOW, "heads": [], "cursor": 0, "cursor_hash": b"",
        "room": 65536, "status": b"", "segments": [],
    } | changed  # fmt: skip
    return pack(list(fields.values()))


def reply_body(**changed: Any) -> bytes:
    fields = {
        "version": 1, "hub_time": NOW + 1, "hub_log": HUB_LOGS[0], "receipts": [], "less": [],
        "refused": [], "cursor": 0, "cursor_hash": b"", "more": False, "segments": [],
    } | changed  # fmt: skip
    return pack(list(fields.values()))


def reply(to: bytes, key: SigningKey = HUB, body: bytes | None = None, **changed: Any) -> bytes:
    body = reply_body(**changed) if body is None else body
    return message("d74c4101", key, keys.REPLY, sha256(to).digest(), body)


def claim(head: SegmentHead, size: int = 32) -> list[Any]:
    return [head.log_id, head.next_seq, head.hash[:size]]


def run(
    key: SigningKey, log_id: bytes, *parts: list[bytes], first_seq: int = 0, prev: bytes = ZERO
) -> list[tuple[SegmentHead, bytes]]:
    """Segments of one log, one after the other, in the plain form."""
    found = []
    for events in parts:
        head = head_of(key, events, log_id=log_id, first_seq=first_seq, prev=prev)
        found.append((head, signed(key, head, body_of(events))))
        first_seq, prev = head.next_seq, head.hash
    return found


def folded(head: SegmentHead, events: list[bytes], log: int = 0) -> bytes:
    """The transit form under coder 0."""
    signature = STATION.sign(keys.SEGMENT, head.encode())
    packed = b"".join(numbers(len(event)) + event for event in events)
    return b"\x01" + numbers(log, head.first_seq, head.count) + signature + b"\0" + packed


class HubStory:
    """What a hub was sent, and what its arrivals and its journal became."""

    def __init__(self) -> None:
        self.steps: list[Json] = []
        self.heads: list[bytes] = []  # head hashes in order of arrival
        self.logs = list(HUB_LOGS)
        self.own: list[SegmentHead] = []
        self.places: dict[bytes, int] = {}

    def took(self, raw: bytes, now: int, *heads: SegmentHead) -> HubStory:
        self.steps.append({"request": raw.hex(), "now": now})
        self.arrive(now, *heads)
        return self

    def arrive(self, now: int, *heads: SegmentHead) -> None:
        if heads:
            live = [head for head in self.own if head.log_id == self.logs[0]]
            events = [] if live else [log_open(now, self.own[-1] if self.own else None, count=self._boots())]
            first = live[-1].next_seq if live else 0
            for head in heads:
                self.places[head.hash] = first + len(events)
                events.append(ingested(now, head))
                self.heads.append(head.hash)
            own = head_of(
                HUB, events, log_id=self.logs[0], first_seq=first, prev=live[-1].hash if live else ZERO
            )
            self.own.append(own)
            self.heads.append(own.hash)

    def _boots(self) -> int:
        return len({head.log_id for head in self.own}) + 1

    def restart(self) -> HubStory:
        self.steps.append({"restart": True})
        self.logs.pop(0)
        return self

    def restored(self, steps: int) -> HubStory:
        """The disk is as it was after so many steps, and another process runs on it."""
        self.steps.append({"restored": steps})
        return self

    def cursor(self, position: int) -> dict[str, Any]:
        trail = ZERO
        for hash_ in self.heads[:position]:
            trail = sha256(b"loa-trail/v1\0" + trail + hash_).digest()
        return {"cursor": position, "cursor_hash": trail[:8] if position else b""}

    def receipt(self, head: SegmentHead, now: int = NOW + 1, nonce: bytes = NONCE) -> bytes:
        return receipt(
            author=head.key_id, log=head.log_id, next_seq=head.next_seq, head_hash=head.hash, hub_time=now,
            hub_log=self.logs[0], hub_seq=self.places[head.hash], nonce=nonce,
        )  # fmt: skip
