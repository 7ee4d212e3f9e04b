"""Transit forms: segments without what the hub knows, and acknowledgments told against a plan.

Forms are read beside a log id, a head before and an author; what begins with `acks_` beside a plan, given as
the root's decisions. Frames are written by hand: compressors differ between versions.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from vector_parts import APPROVER, LAW_DAY, LOG, OTHER_LOG, STATION, STRANGER, ZERO, Json, numbered

from ledger.log.codec import encode
from ledger.log.segment import Segment, seal
from ledger.log.varint import put, zigzag

DAY = 19305
UNIT = "vn.yb.04630"
PREV = bytes(range(32))


def numbers(*values: int) -> bytes:
    out = bytearray()
    for value in values:
        put(out, value)
    return bytes(out)


def raw_frame(content: bytes, *, declared: int | None = None) -> bytes:
    """A zstd frame of one raw block, its content size in two bytes (RFC 8878, 3.1.1)."""
    size = len(content) if declared is None else declared
    block = (len(content) << 3 | 1).to_bytes(3, "little")
    return b"\x28\xb5\x2f\xfd" + b"\x60" + (size - 256).to_bytes(2, "little") + block + content


def declaring(size: int) -> bytes:
    """A frame that declares `size` bytes and holds none."""
    return b"\x28\xb5\x2f\xfd\xa0" + size.to_bytes(4, "little") + b"\x01\0\0"


def framed(events: list[bytes]) -> bytes:
    return b"".join(numbers(len(event)) + event for event in events)


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
        ],
        "rejects": [
            reject("nothing after the version", "transit-form", b"\x01"),
            reject("cut in the signature", "transit-form", form(one)[:40]),
            reject("a number in a longer form", "transit-form", b"\x01\x80\x00" + form(one)[2:]),
            reject("a log that the request does not name", "transit-log", form(one, log=1)),
            reject("no event", "transit-count", form(one, count=0)),
            reject("more events than a segment holds", "transit-count", form(one, count=4097)),
            reject("numbers beyond the last", "transit-count", form(one, first_seq=2**63 - 1)),
            reject("an unknown coder", "transit-coder", form(one, coder=3)),
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
            reject("another log", "transit-mismatch", form(one), log_id=OTHER_LOG),
            reject("another head before", "transit-mismatch", form(one), prev=PREV[::-1]),
            reject("another author", "transit-mismatch", form(one), author=STRANGER.verify_key.raw),
            reject("another event", "transit-mismatch", form(one, packed=framed(numbered(1)))),
            reject("another number", "transit-mismatch", form(one, first_seq=4)),
            reject("another's signature", "transit-mismatch", form(one, signature=first.signature)),
        ],
    }  # fmt: skip


def decision(number: int, minute: int) -> bytes:
    """Series 100 + number, every day of a week, two minutes long."""
    manifest = sha256(b"manifest %d" % number).digest()
    return encode([
        2, LAW_DAY, 100 + number, manifest[16:], manifest, DAY, b"\x7f", minute, 120, UNIT, 2, 600, 0, None,
    ])  # fmt: skip


def ack(number: int, day: int, minute: int, **fields: Any) -> bytes:
    values: dict[str, Any] = {
        "jitter": 140, "played": 1200, "outcome": 1, "detail": 0, "evidence": 3,
        "volume": 80, "clusters": None,
        "content": sha256(b"manifest %d" % number).digest()[:16], "series": 100 + number,
    } | fields  # fmt: skip
    start = (DAY + day) * 86_400 - 7 * 3600 + minute * 60
    values.setdefault("ts", start + values["jitter"] // 100)
    return encode([
        16, values["ts"], values["series"], DAY + day, values["content"], values["jitter"], values["played"],
        values["outcome"], values["detail"], values["evidence"], values["volume"], values["clusters"],
    ])  # fmt: skip


def acks() -> Json:
    slots = [(1, 330), (2, 1020)]
    plan, prev = [], ZERO
    for seq, (number, minute) in enumerate(slots):
        segment = seal(APPROVER, OTHER_LOG, seq, prev, [decision(number, minute)])
        plan.append(segment.raw.hex())
        prev = segment.head.hash
    usual = [ack(number, day, minute) for day in range(3) for number, minute in slots]
    # day, place, then outcome, detail, evidence, then volume, clusters
    begin = numbers(zigzag(DAY), 1, 1, 0, 3, 80, 0)
    low, high = bytes((140,)), b"\0"
    plain = b"\0" + b"\x8a" + bytes(5) + low * 6 + high * 6 + begin
    odd = encode((4096, LAW_DAY, "khác"))
    late = ack(2, 0, 1020, jitter=40_000, outcome=2)
    lost = ack(1, 1, 330, jitter=0, played=0, outcome=6, detail=1)
    other = ack(9, 1, 0, ts=LAW_DAY, series=77, content=PREV[:16], volume=70, clusters=b"\x41", played=5)
    told = b"".join(
        (
            b"\0",
            bytes((0x8A, 0x01, 0x18, 0x08, 0xE6)),  # flags: usual, raw, late, lost, unknown here
            bytes((140, 0, 0, 140)),  # low bytes of the deviations
            bytes(4),
            begin,
            numbers(len(odd)) + odd,
            numbers(2, 0, 3, zigzag(40_000)),
            numbers(6, 1, 3),
            numbers(zigzag(0), 0, 77) + PREV[:16] + numbers(zigzag(LAW_DAY), zigzag(5), 70, 2) + b"\x41",
        )
    )
    return {
        "unit": UNIT, "root": APPROVER.verify_key.raw.hex(), "decisions": plan,
        "accepts": [
            {
                "name": "three days as planned", "bytes": plain.hex(),
                "events": [event.hex() for event in usual],
            },
            {
                "name": "the same in a frame",
                "bytes": _zipped(b"\x8a" + bytes(5) + high * 6 + begin, low * 6).hex(),
                "events": [event.hex() for event in usual],
            },
            {
                "name": "late, lost, unknown, and no acknowledgment at all", "bytes": told.hex(),
                "events": [event.hex() for event in (usual[0], odd, late, lost, other)],
            },
        ],
        "rejects": [
            {"name": "nothing", "code": "varint-truncated", "count": 1, "bytes": ""},
            {"name": "an unknown mode", "code": "acks-mode", "count": 1, "bytes": "02"},
            {
                "name": "fewer flags than events", "code": "varint-truncated", "count": 9,
                "bytes": plain[:8].hex(),
            },
            {
                "name": "a byte too many", "code": "varint-trailing", "count": 6,
                "bytes": (plain + b"\0").hex(),
            },
            {"name": "raw and yet an acknowledgment", "code": "acks-flags", "count": 1, "bytes": "00030000"},
            {
                "name": "no outcome yet", "code": "acks-kind", "count": 1,
                "bytes": (b"\0\x02" + low + high + numbers(zigzag(DAY), 1)).hex(),
            },
            {
                "name": "no volume yet", "code": "acks-volume", "count": 1,
                "bytes": (b"\0\x0a" + low + high + numbers(zigzag(DAY), 1, 1, 0, 3)).hex(),
            },
            {
                "name": "a place that the day does not have", "code": "varint-range", "count": 1,
                "bytes": (b"\0\x8a" + low + high + numbers(zigzag(DAY), 3)).hex(),
            },
            {
                "name": "a raw event beyond the longest", "code": "varint-range", "count": 1,
                "bytes": (b"\0\x01" + numbers(8193)).hex(),
            },
            {"name": "no frame", "code": "zstd-frame", "count": 1, "bytes": (b"\x01\x04abcd" + low).hex()},
            {"name": "a frame cut short", "code": "varint-range", "count": 1, "bytes": "010461"},
            {
                "name": "a frame that declares 64 MiB", "code": "zstd-size", "count": 1,
                "bytes": (b"\x01\x0c" + declaring(1 << 26)).hex(),
            },
        ],
    }  # fmt: skip


def _zipped(body: bytes, lows: bytes) -> bytes:
    """One raw block with its content size in one byte."""
    frame = b"\x28\xb5\x2f\xfd\x20" + bytes((len(body),)) + (len(body) << 3 | 1).to_bytes(3, "little") + body
    return b"\x01" + numbers(len(frame)) + frame + lows


def transit_vectors() -> Json:
    return {**forms(), **{f"acks_{name}": value for name, value in acks().items()}}
