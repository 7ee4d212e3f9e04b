"""Acknowledgments told against a plan, byte by byte; the plan is given as the root's decisions.

What a row of a told body is: flags, 16 bits of deviation, and what the flags announce.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from vector_packing import declaring, numbers, small_frame, windowed
from vector_parts import APPROVER, LAW_DAY, OTHER_LOG, ZERO, Json

from ledger.log.codec import encode
from ledger.log.segment import seal
from ledger.log.varint import zigzag

DAY = 19305
UNIT = "vn.yb.04630"
HALF_A_HASH = bytes(range(16))
LAST_DAY, ALONE = 6, 14  # of the week of the two daily series, and the one day of all others
FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH = range(1, 7)
MINUTE = {FIRST: 330, SECOND: 1020, THIRD: 330, FOURTH: 330, FIFTH: 330, SIXTH: 330}

Row = tuple[int, int, bytes]


def manifest(number: int) -> bytes:
    return sha256(b"manifest %d" % number).digest()


def midnight(day: int) -> int:
    return (DAY + day) * 86_400 - 7 * 3600


def scheduled(number: int, days: bytes = b"\x7f", klass: int = 2) -> bytes:
    """Series 100 + number, two minutes long."""
    named = manifest(number)
    return encode([
        2, LAW_DAY, 100 + number, named[16:], named, DAY, days, MINUTE[number], 120, UNIT, klass, 600, 0,
        None,
    ])  # fmt: skip


def emergency(number: int) -> bytes:
    """Series 100 + number, in force for ten minutes of the lone day."""
    begin = midnight(ALONE) + MINUTE[number] * 60
    return encode([
        3, LAW_DAY, 100 + number, "bão", 3, False, manifest(number), "", UNIT, begin, begin + 600, 3,
    ])  # fmt: skip


def plan() -> list[str]:
    """Two series a day for a week; eight days after it four at one instant."""
    alone = (1 << ALONE).to_bytes(2, "little")
    decisions = [
        scheduled(FIRST), scheduled(SECOND), scheduled(THIRD, alone), scheduled(FOURTH, alone, klass=3),
        scheduled(FIFTH, alone), emergency(SIXTH),
    ]  # fmt: skip
    raws, prev = [], ZERO
    for seq, event in enumerate(decisions):
        segment = seal(APPROVER, OTHER_LOG, seq, prev, [event])
        raws.append(segment.raw.hex())
        prev = segment.head.hash
    return raws


def ack(number: int, day: int, **fields: Any) -> bytes:
    values: dict[str, Any] = {
        "jitter": 140, "played": 6000 if number == SIXTH else 1200, "outcome": 1, "detail": 0, "evidence": 3,
        "volume": 80, "clusters": None, "content": manifest(number)[:16], "series": 100 + number,
    } | fields  # fmt: skip
    start = midnight(day) + MINUTE.get(number, 0) * 60
    values.setdefault("ts", start + values["jitter"] // 100)
    return encode([
        16, values["ts"], values["series"], DAY + day, values["content"], values["jitter"], values["played"],
        values["outcome"], values["detail"], values["evidence"], values["volume"], values["clusters"],
    ])  # fmt: skip


def told(*rows: Row) -> bytes:
    """A plain body."""
    jitters = [jitter for flag, jitter, _ in rows if flag != 1]
    return b"".join((
        b"\0", bytes(flag for flag, _, _ in rows), bytes(one & 0xFF for one in jitters),
        bytes(one >> 8 & 0xFF for one in jitters), *(more for _, _, more in rows),
    ))  # fmt: skip


def first(day: int = 0, place: int = 1) -> Row:
    return 0x8A, 140, numbers(zigzag(DAY + day), place, 1, 0, 3, 80, 0)


def wordy(days_on: int, number: int) -> Row:
    """One that says everything although nothing is unusual."""
    return 0xFE, 0, (
        numbers(zigzag(days_on), number) + manifest(number)[:16]
        + numbers(1, 0, 3, zigzag(140), zigzag(0), zigzag(0), 80, 0)
    )  # fmt: skip


NEXT: Row = (0, 140, b"")


def accepted() -> list[tuple[str, bytes, list[bytes]]]:
    week = [(number, day) for day in range(3) for number in (FIRST, SECOND)]
    usual = [ack(number, day) for number, day in week]
    odd = encode((4096, LAW_DAY, "khác"))
    late = ack(SECOND, 0, jitter=40_000, outcome=2)
    lost = ack(FIRST, 1, jitter=0, played=0, outcome=6, detail=1)
    other = ack(9, 1, ts=LAW_DAY, series=77, content=HALF_A_HASH, volume=70, clusters=b"\x41", played=5)
    elsewhere = ack(9, 0, ts=LAW_DAY, series=77, content=HALF_A_HASH, played=0)
    unknown = numbers(zigzag(0), 0, 77) + HALF_A_HASH
    heard, seen = numbers(1, 0, 4), numbers(1, 0, 3)
    inner = b"\x8a" + bytes(5) + bytes(6) + first()[2]
    bare = b"".join((
        b"\x9c\x10\x00\xcf" + b"\xff" * 8, encode((0, DAY, b""))[2:], b"\xcc\x8c\x00\x01\x00\x03\x50\xc0"
    ))  # fmt: skip
    return [
        ("three days as planned", told(first(), *[NEXT] * 5), usual),
        ("the same in a frame", zipped(inner, bytes((140,)) * 6), usual),
        (
            "late, lost, unknown, and no acknowledgment at all",
            told(
                first(), (1, 0, numbers(len(odd)) + odd), (0x18, 0, numbers(2, 0, 3, zigzag(40_000))),
                (0x08, 0, numbers(6, 1, 3)),
                (0xE6, 140, unknown + numbers(zigzag(LAW_DAY), zigzag(5), 70, 2) + b"\x41"),
            ),
            [usual[0], odd, late, lost, other],
        ),
        (
            "of combinations seen equally often the one that was so often first",
            told(first(), (0x08, 140, heard), (0x08, 140, heard), (0x08, 140, seen), NEXT),
            [ack(number, day, evidence=3 + (n in (1, 2, 4))) for n, (number, day) in enumerate(week[:5])],
        ),
        (
            "days on are counted from the next slot's day",
            told(first(place=2), (0x02, 140, numbers(zigzag(0), 2))),
            [ack(SECOND, 0), ack(SECOND, 1)],
        ),
        (
            "what is in no plan takes a place",
            told(first(), (0x26, 140, unknown + numbers(zigzag(LAW_DAY))), NEXT),
            [ack(FIRST, 0), elsewhere, ack(FIRST, 1)],
        ),
        ("where no slot is next one is named", told((0x88, *first()[1:])), [ack(FIRST, 0)]),
        (
            "eight days on, and the order of one instant",
            told(first(LAST_DAY, 2), *[NEXT] * 4),
            [ack(SECOND, LAST_DAY), *(ack(one, ALONE) for one in (SIXTH, FOURTH, THIRD, FIFTH))],
        ),
        (
            "a deviation of more than 16 bits, and bits that nobody looks at",
            told(first(), (0x10, 0xBEEF, numbers(zigzag(-40_000)))),
            [ack(FIRST, 0), ack(SECOND, 0, jitter=-40_000)],
        ),
        (
            "no content, and the largest number",
            told(wordy(DAY, FIRST), wordy(0, SECOND), (0x02, 140, numbers(zigzag(-1), 0, 2**64 - 1))),
            [ack(FIRST, 0), ack(SECOND, 0), bare],
        ),
    ]  # fmt: skip


def refused() -> list[tuple[str, str, int, bytes]]:
    plain = told(first(), *[NEXT] * 5)
    body = b"\x8a\0" + first()[2]
    lowest = numbers(2**64 - 1)  # −2⁶³
    return [
        ("nothing", "varint-truncated", 1, b""),
        ("an unknown mode", "acks-mode", 1, b"\x02"),
        ("a mode in a longer form", "varint-not-shortest", 1, b"\x80\0"),
        ("a number of eleven bytes", "varint-long", 1, b"\xff" * 10 + b"\1"),
        ("a number of 65 bits", "varint-range", 1, b"\xff" * 9 + b"\2"),
        ("fewer flags than events", "varint-truncated", 9, plain[:8]),
        ("a byte too many", "varint-trailing", 6, plain + b"\0"),
        ("raw and yet an acknowledgment", "acks-flags", 1, told((3, 0, b""))),
        (
            "event by event: a place before flags", "varint-range", 2,
            told((0x8A, 0, numbers(0, 9)), (3, 0, b"")),
        ),
        ("no outcome yet", "acks-kind", 1, told((0x02, 140, numbers(zigzag(DAY), 1)))),
        ("no outcome yet, and no number", "varint-truncated", 1, told((0x22, 140, numbers(zigzag(DAY), 1)))),
        ("no volume yet", "acks-volume", 1, told((0x0A, 140, numbers(zigzag(DAY), 1, 1, 0, 3)))),
        (
            "a place that the day does not have", "varint-range", 1,
            told((0x8A, 140, numbers(zigzag(DAY), 3))),
        ),
        ("a day after all days", "varint-range", 1, told((0x8A, 140, numbers(zigzag(100_001), 1)))),
        ("a raw event beyond the longest", "varint-range", 1, told((1, 0, numbers(8193)))),
        (
            "1,024 bytes of clusters", "varint-range", 1,
            told((0x8A, 140, numbers(zigzag(DAY), 1, 1, 0, 3, 80, 1025) + bytes(1024))),
        ),
        (
            "less than the least number", "acks-number", 2,
            told(
                (0xCA, 140, numbers(zigzag(DAY), 1, 1, 0, 3) + lowest + numbers(80, 0)),
                (0x42, 140, numbers(zigzag(0), 1) + lowest),
            ),
        ),
        ("no frame", "zstd-frame", 1, b"\x01\x04abcd\x8c"),
        ("a frame longer than all there is", "varint-range", 1, b"\x01\x04a"),
        ("a frame cut short", "varint-truncated", 1, b"\x01\x03a"),
        ("a frame that declares 64 MiB", "zstd-size", 1, b"\x01\x0c" + declaring(1 << 26)),
        (
            "a frame that declares nothing", "zstd-size", 1,
            wrapped(windowed(body, 0x50, sized=False), b"\x8c"),
        ),
        ("a frame with a window of 1.125 MiB", "zstd-size", 1, wrapped(windowed(body, 0x51), b"\x8c")),
        ("a frame with a dictionary", "zstd-frame", 1, wrapped(windowed(body, 0x50, dictionary=1), b"\x8c")),
        ("a low byte too few", "varint-truncated", 1, zipped(body, b"")),
        ("a low byte too many", "varint-trailing", 1, zipped(body, b"\x8c\x8c")),
    ]  # fmt: skip


def wrapped(frame: bytes, lows: bytes) -> bytes:
    return b"\x01" + numbers(len(frame)) + frame + lows


def zipped(body: bytes, lows: bytes) -> bytes:
    return wrapped(small_frame(body), lows)


def ack_vectors() -> Json:
    return {
        "unit": UNIT, "root": APPROVER.verify_key.raw.hex(), "decisions": plan(),
        "accepts": [
            {"name": name, "bytes": packed.hex(), "events": [event.hex() for event in events]}
            for name, packed, events in accepted()
        ],
        "rejects": [
            {"name": name, "code": code, "count": count, "bytes": packed.hex()}
            for name, code, count, packed in refused()
        ],
    }  # fmt: skip
