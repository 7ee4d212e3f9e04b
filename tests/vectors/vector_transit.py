"""Transit forms: segments without what the hub knows, each beside a log id, a head before and an author.

What begins with `acks_` stands beside a plan instead (`vector_acks`).
"""

from __future__ import annotations

from typing import Any

from vector_acks import ack_vectors
from vector_packing import declaring, framed, numbers, raw_frame, windowed
from vector_parts import LAW_DAY, LOG, OTHER_LOG, STATION, STRANGER, ZERO, Json, numbered

from ledger.log.codec import encode
from ledger.log.segment import Segment, seal

PREV = bytes(range(32))


def form(
    segment: Segment, *, log: int = 0, first_seq: int | None = None, count: int | None = None,
    coder: int = 0, packed: bytes | None = None, signature: bytes | None = None,
) -> bytes:  # fmt: skip
    head = segment.head
    return b"".join(
        (
            b"\x01",
            numbers(
                log,
                head.first_seq if first_seq is None else first_seq,
                head.count if count is None else count,
            ),
            segment.signature if signature is None else signature,
            bytes((coder,)),
            framed(list(segment.events)) if packed is None else packed,
        )
    )


def forms() -> Json:
    one = seal(STATION, LOG, 3, PREV, [encode((4096, LAW_DAY, "Xin chào"))])
    first = seal(STATION, LOG, 0, ZERO, numbered(2))
    many = seal(STATION, LOG, 7, PREV, numbered(60))

    def context(**changed: Any) -> dict[str, Any]:
        fields = {"log_id": LOG, "prev": PREV, "author": STATION.verify_key.raw} | changed
        return {name: value.hex() for name, value in fields.items()}

    def accept(name: str, segment: Segment, item: bytes, **changed: Any) -> dict[str, Any]:
        return {
            "name": name, **context(**changed), "bytes": item.hex(), "head_hash": segment.head.hash.hex(),
            "events": [event.hex() for event in segment.events],
        }  # fmt: skip

    def reject(name: str, code: str, item: bytes, **changed: Any) -> dict[str, Any]:
        return {"name": name, "code": code, **context(**changed), "bytes": item.hex()}

    whole = framed(list(many.events))
    assert 256 <= len(whole) < 65_792
    return {
        "accepts": [
            accept("one event", one, form(one)),
            accept("the beginning of a log", first, form(first), prev=ZERO),
            accept("sixty events in a frame", many, form(many, coder=1, packed=raw_frame(whole))),
            accept(
                "a frame with a window of 1 MiB", many, form(many, coder=1, packed=windowed(whole, 0x50))
            ),
        ],
        "rejects": [
            reject("nothing after the version", "transit-form", b"\x01"),
            reject("cut in the signature", "transit-form", form(one)[:40]),
            reject("a number in a longer form", "transit-form", b"\x01\x80\x00" + form(one)[2:]),
            reject("a number of 65 bits", "transit-form", b"\x01" + b"\xff" * 9 + b"\x02" + form(one)[2:]),
            reject("a log that the request does not name", "transit-log", form(one, log=1)),
            reject("the log of the largest number", "transit-log", form(one, log=2**64 - 1)),
            reject("no event", "transit-count", form(one, count=0)),
            reject("more events than a segment holds", "transit-count", form(one, count=4097)),
            reject("numbers beyond the last", "transit-count", form(one, first_seq=2**63 - 1)),
            reject("an unknown coder", "transit-coder", form(one, coder=3)),
            reject("a coder that needs a plan, and there is none", "transit-coder", form(one, coder=2)),
            reject("an event cut short", "transit-packed", form(one, packed=framed(list(one.events))[:-1])),
            reject("an event too many", "transit-packed", form(one, packed=framed(list(one.events) * 2))),
            reject("an event of two bytes", "transit-packed", form(one, packed=b"\x02\x92\x00")),
            reject("an event of 8,193 bytes", "transit-packed", form(one, packed=numbers(8193))),
            reject("no frame", "transit-packed", form(one, coder=1)),
            reject(
                "a frame that declares 64 KiB more than a segment", "transit-packed",
                form(many, coder=1, packed=declaring(1 << 21)),
            ),
            reject(
                "a frame that holds less than it declares", "transit-packed",
                form(many, coder=1, packed=raw_frame(whole, declared=len(whole) + 1)),
            ),
            reject(
                "bytes after the frame", "transit-packed",
                form(many, coder=1, packed=raw_frame(whole) + b"\0"),
            ),
            reject(
                "a frame that does not declare its size", "transit-packed",
                form(many, coder=1, packed=windowed(whole, 0x50, sized=False)),
            ),
            reject(
                "a frame with a window of 1.125 MiB", "transit-packed",
                form(many, coder=1, packed=windowed(whole, 0x51)),
            ),
            reject(
                "a frame that names a dictionary", "transit-packed",
                form(many, coder=1, packed=windowed(whole, 0x50, dictionary=1)),
            ),
            reject("a log without an id", "transit-mismatch", form(one), log_id=bytes(8)),
            reject(
                "nothing before, and yet not the beginning", "transit-mismatch", form(one), prev=ZERO
            ),
            reject("another log", "transit-mismatch", form(one), log_id=OTHER_LOG),
            reject("another head before", "transit-mismatch", form(one), prev=PREV[::-1]),
            reject("another author", "transit-mismatch", form(one), author=STRANGER.verify_key.raw),
            reject("another event", "transit-mismatch", form(one, packed=framed(numbered(1)))),
            reject("another number", "transit-mismatch", form(one, first_seq=4)),
            reject("another's signature", "transit-mismatch", form(one, signature=first.signature)),
        ],
    }  # fmt: skip


def transit_vectors() -> Json:
    return {**forms(), **{f"acks_{name}": value for name, value in ack_vectors().items()}}
