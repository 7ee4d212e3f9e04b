"""Receipts: the accepted and the refused."""

from __future__ import annotations

import struct
from typing import Any

from vector_parts import (
    APPROVER,
    LAW_DAY,
    LOG,
    OTHER_LOG,
    STATION,
    Json,
    as_json,
    body_of,
    head_of,
    numbered,
    patched,
    signed,
)

from ledger.log import keys
from ledger.log.keys import SigningKey

HUB = SigningKey.from_seed(bytes(range(96, 128)))
NONCE = b"nonce-08"


def body(**changed: Any) -> bytes:
    """The 100 bytes, spelled out."""
    fields: dict[str, Any] = {
        "magic": b"\xd7\x4c\x52\x01",
        "hub": HUB.key_id,
        "author": STATION.key_id,
        "log": LOG,
        "next_seq": 7,
        "head_hash": head_of(STATION, numbered(7)).hash,
        "hub_time": LAW_DAY,
        "hub_log": OTHER_LOG,
        "hub_seq": 3,
        "nonce": NONCE,
    }
    return struct.pack(">4s8s8s8sQ32sQ8sQ8s", *(fields | changed).values())


def receipt(key: SigningKey = HUB, **changed: Any) -> bytes:
    made = body(**changed)
    return made + key.sign(keys.RECEIPT, made)


def receipt_vectors() -> Json:
    def accepted(name: str, raw: bytes) -> Json:
        _, hub, author, log, next_seq, head_hash, hub_time, hub_log, hub_seq, nonce = struct.unpack_from(
            ">4s8s8s8sQ32sQ8sQ8s", raw
        )
        return {
            "name": name,
            "bytes": raw.hex(),
            "hub": hub.hex(),
            "author": author.hex(),
            "log_id": log.hex(),
            "next_seq": as_json(next_seq),
            "head_hash": head_hash.hex(),
            "hub_time": as_json(hub_time),
            "hub_log": hub_log.hex(),
            "hub_seq": as_json(hub_seq),
            "nonce": nonce.hex(),
        }

    last = 2**63 - 1
    good = receipt()
    text, signature = good[:100], good[100:]
    s_plus_l = (int.from_bytes(signature[32:], "little") + keys.L).to_bytes(32, "little")
    seven = numbered(7)
    segment = signed(STATION, head_of(STATION, seven), body_of(seven))
    accepts = [
        accepted("a receipt for seven events", good),
        accepted("the least numbers", receipt(next_seq=1, hub_time=0, hub_seq=0)),
        accepted("the greatest numbers", receipt(next_seq=last, hub_time=last, hub_seq=last)),
        accepted("a receipt for a hub's own log", receipt(author=HUB.key_id, log=OTHER_LOG)),
    ]
    rejects: list[tuple[str, bytes, str]] = [
        ("nothing", b"", "receipt-length"),
        ("163 bytes", good[:-1], "receipt-length"),
        ("165 bytes", good + b"\0", "receipt-length"),
        ("two receipts in one", good + good, "receipt-length"),
        ("a captive portal's page", b"<!DOCTYPE html><html>".ljust(164), "receipt-magic"),
        ("version 2", receipt(magic=b"\xd7\x4c\x52\x02"), "receipt-magic"),
        ("the beginning of a segment", segment[:164], "receipt-magic"),
        ("164 zeros", bytes(164), "receipt-magic"),
        ("a receipt for nothing", receipt(next_seq=0), "receipt-range"),
        ("next_seq of 2⁶³", receipt(next_seq=2**63), "receipt-range"),
        ("a time of 2⁶³", receipt(hub_time=2**63), "receipt-range"),
        ("a number in the hub's log of 2⁶³", receipt(hub_seq=2**63), "receipt-range"),
        ("every number beyond 2⁶³", receipt(next_seq=2**63, hub_time=2**63, hub_seq=2**63), "receipt-range"),
        ("another hub's", receipt(APPROVER, hub=APPROVER.key_id), "receipt-hub"),
        ("this hub's signature under another's key id", receipt(hub=APPROVER.key_id), "receipt-hub"),
        ("another's signature under this hub's key id", receipt(APPROVER), "signature-bad"),
        ("signed by the author", receipt(STATION), "signature-bad"),
        ("signed as a reply", text + HUB.sign(keys.REPLY, text), "signature-bad"),
        ("signed as a segment", text + HUB.sign(keys.SEGMENT, text), "signature-bad"),
        ("unsigned", text + bytes(64), "signature-bad"),
        ("S + L instead of S", text + signature[:32] + s_plus_l, "signature-bad"),
        (
            "one bit of the signature changed",
            text + bytes([signature[0] ^ 1]) + signature[1:],
            "signature-bad",
        ),
    ]
    for name, changed in (
        ("another author", {"author": APPROVER.key_id}),
        ("another log", {"log": OTHER_LOG}),
        ("one event more", {"next_seq": 8}),
        ("another head", {"head_hash": bytes(32)}),
        ("another time", {"hub_time": LAW_DAY + 1}),
        ("another log of the hub", {"hub_log": LOG}),
        ("another number in the hub's log", {"hub_seq": 4}),
        ("another request's nonce", {"nonce": b"nonce-09"}),
    ):
        rejects.append(
            (f"{name} under the old signature", patched(good, 0, body(**changed)), "signature-bad")
        )
    return {
        "hub": HUB.verify_key.raw.hex(),
        "hub_seed": HUB.seed.hex(),
        "accepts": accepts,
        "rejects": [{"name": name, "bytes": raw.hex(), "code": code} for name, raw, code in rejects],
    }
