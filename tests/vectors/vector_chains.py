"""What follows what in a log, what proves two histories, and proofs of single events."""

from __future__ import annotations

from typing import Any

from vector_encodings import EVENTS
from vector_parts import (
    APPROVER,
    OTHER_LOG,
    STATION,
    STRANGER,
    TRUSTED,
    Json,
    body_of,
    head_of,
    numbered,
    patched,
    signed,
)

from ledger.log import keys
from ledger.log.codec import encode, pack
from ledger.log.proof import prove
from ledger.log.segment import Segment, SegmentHead, open_segment


def chain_vectors() -> Json:
    """Heads only; every one is signed, because only signed heads are evidence."""
    events = numbered(4)
    opening = head_of(STATION, events[:1])
    rest = head_of(STATION, events[1:3], first_seq=1, prev=opening.hash)
    recut = head_of(STATION, events[1:2], first_seq=1, prev=opening.hash)
    twice = head_of(STATION, [b"\x92\0\0", b"\x92\0\1"], first_seq=1, prev=opening.hash)
    wrong_link = head_of(STATION, events[1:3], first_seq=1, prev=bytes(31) + b"\1")
    third = head_of(STATION, events[3:], first_seq=3, prev=rest.hash)
    overlap = head_of(STATION, events[1:], first_seq=2, prev=recut.hash)
    other = head_of(STATION, [b"\x92\0\7"], log_id=OTHER_LOG)
    other_key = head_of(APPROVER, [b"\x92\0\7"])
    reopened = head_of(STATION, [b"\x92\0\7"])

    def pair(head: SegmentHead) -> Json:
        key = STATION if head.key_id == STATION.key_id else APPROVER
        raw = head.encode()
        return {
            "head": raw.hex(),
            "signature": key.sign(keys.SEGMENT, raw).hex(),
            "head_hash": head.hash.hex(),
        }

    conflicts: list[tuple[str, SegmentHead, SegmentHead, str | None]] = [
        ("the same range, other events", rest, twice, "fork-overlap"),
        ("the same events, cut again", rest, recut, "fork-overlap"),
        ("ranges that overlap in part", rest, overlap, "fork-overlap"),
        ("two beginnings of one log", opening, reopened, "fork-overlap"),
        ("neighbours that do not link", opening, wrong_link, "fork-broken-link"),
        (
            "neighbours, the later one linked to a re-cut",
            rest,
            head_of(STATION, events[3:], first_seq=3, prev=recut.hash),
            "fork-broken-link",
        ),
        ("the same head twice", rest, rest, None),
        ("neighbours that link", opening, rest, None),
        ("a gap between", opening, third, None),
        ("two logs of one key", opening, other, None),
        ("one log id under two keys", opening, other_key, None),
    ]
    steps: list[tuple[str, SegmentHead | None, SegmentHead, str | None]] = [
        ("a log begins", None, opening, None),
        ("the next segment", opening, rest, None),
        ("and the next", rest, third, None),
        ("a log that begins in the middle", None, rest, "chain-gap"),
        ("a segment is missing between", opening, third, "chain-gap"),
        ("the same range again with other events", rest, twice, "fork-overlap"),
        ("the same events, cut again", rest, recut, "fork-overlap"),
        ("a second beginning", opening, reopened, "fork-overlap"),
        ("another predecessor", opening, wrong_link, "fork-broken-link"),
    ]
    return {
        "public": [STATION.verify_key.raw.hex(), APPROVER.verify_key.raw.hex()],
        "conflicts": [
            {"name": name, "one": pair(one), "other": pair(two), "code": code}
            for name, one, two, code in conflicts
        ],
        "steps": [
            {"name": name, "held": pair(held) if held else None, "next": pair(new), "code": code}
            for name, held, new, code in steps
        ],
    }


def proof_vectors() -> Json:
    def segment(events: list[bytes]) -> Segment:
        return open_segment(signed(STATION, head_of(STATION, events), body_of(events)), TRUSTED.get)

    lone, nine = segment([encode(EVENTS[1][1])]), segment(numbered(9))
    accepts = [
        ("a decision sealed alone", prove(lone, 0)),
        ("the first of nine", prove(nine, 0)),
        ("the fourth of nine", prove(nine, 3)),
        ("the last of nine, lifted through three levels", prove(nine, 8)),
    ]
    good = accepts[2][1]
    head, signature, event, path = good.head.encode(), good.signature, good.event, list(good.path)
    stranger = segment_of_stranger()

    def fields(**changed: Any) -> list[Any]:
        base = {"version": 1, "head": head, "signature": signature, "index": 3, "event": event, "path": path}
        return list((base | changed).values())

    rejects: list[tuple[str, bytes, str]] = [
        ("another place in the tree", pack(fields(index=2)), "root-mismatch"),
        ("a place beyond the tree", pack(fields(index=9)), "proof-index"),
        ("a place before the tree", pack(fields(index=-1)), "proof-index"),
        ("another event", pack(fields(event=event[:-1] + b"\x09")), "root-mismatch"),
        ("a path one hash too short", pack(fields(path=path[:-1])), "proof-path"),
        ("a path one hash too long", pack(fields(path=[*path, path[0]])), "proof-path"),
        ("a path in another order", pack(fields(path=path[::-1])), "root-mismatch"),
        ("an inner node as the event of a smaller tree", pack(fields(path=[])), "proof-path"),
        (
            "one bit of the signature changed",
            pack(fields(signature=bytes([signature[0] ^ 1]) + signature[1:])),
            "signature-bad",
        ),
        ("another head under the signature", pack(fields(head=patched(head, 35, b"\x08"))), "signature-bad"),
        ("a stranger's key", pack([1, stranger[:104], stranger[104:168], 0, b"\x92\0\0", []]), "key-unknown"),
        ("a head of 103 bytes", pack(fields(head=head[:-1])), "segment-short"),
        ("a head of another version", pack(fields(head=patched(head, 3, b"\x02"))), "head-magic"),
        ("an event of 8193 bytes", pack(fields(event=b"x" * 8193)), "event-size"),
        ("version 2", pack(fields(version=2)), "proof-version"),
        ("true for version 1", pack(fields(version=True)), "proof-version"),
        ("a signature of 63 bytes", pack(fields(signature=signature[:63])), "proof-shape"),
        ("a hash of 31 bytes", pack(fields(path=[*path[:-1], path[-1][:31]])), "proof-shape"),
        ("text for an event", pack(fields(event="x")), "proof-shape"),
        ("five fields", pack(fields()[:5]), "proof-shape"),
        ("seven fields", pack([*fields(), 0]), "proof-shape"),
        ("no array", pack(head), "proof-shape"),
        ("13 hashes", pack(fields(path=[path[0]] * 13)), "codec-items"),
        ("a trailing byte", pack(fields()) + b"\0", "codec-trailing"),
        ("cut short", pack(fields())[:-1], "codec-truncated"),
        ("nothing", b"", "codec-size"),
    ]
    return {
        "trusted": [trusted.raw.hex() for trusted in TRUSTED.values()],
        "accepts": [
            {"name": name, "bytes": p.encode().hex(), "seq": p.seq, "event": p.event.hex()}
            for name, p in accepts
        ],
        "rejects": [{"name": name, "bytes": data.hex(), "code": code} for name, data, code in rejects],
    }


def segment_of_stranger() -> bytes:
    return signed(STRANGER, head_of(STRANGER, [b"\x92\0\0"]), body_of([b"\x92\0\0"]))
