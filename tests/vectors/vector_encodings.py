"""Canonical encoding: events and messages, the accepted and the refused."""

from __future__ import annotations

from typing import Any

from vector_parts import BULLETIN, CONTENT, LAW_DAY, LOG, STATION, Json, as_json

from ledger.log import merkle
from ledger.log.codec import encode, pack

EVENTS: list[tuple[str, list[Any]]] = [
    ("the opening of a log", [0, LAW_DAY, 0, bytes(8), 0, bytes(32), 1, "loa/0.1.0"]),
    (
        "an approval with a Vietnamese title",
        [
            1,
            LAW_DAY + 60,
            BULLETIN,
            1,
            CONTENT,
            "Thông báo: Ngày Pháp luật Việt Nam 9/11",
            "law",
            2,
            "vn.yb",
            19305,
            19311,
        ],
    ),
    (
        "a schedule with a day bitmap",
        [2, LAW_DAY + 90, 41, BULLETIN, CONTENT, 19305, b"\x7f", 305, 900, "vn.yb", 2, 600, 0, None],
    ),
    (
        "an emergency order",
        [
            3,
            LAW_DAY + 120,
            42,
            "flood",
            3,
            False,
            CONTENT,
            "Lũ trên sông Thao. Rời khỏi vùng trũng ngay.",
            "vn.yb",
            LAW_DAY + 120,
            LAW_DAY + 7320,
            3,
        ],
    ),
    ("a cancellation", [4, LAW_DAY + 180, 1, None, 41, "vn.yb", "sai giờ"]),
    ("an acknowledgment", [16, LAW_DAY + 301, 41, 19305, CONTENT[:16], 141, 8990, 1, 0, 2, 80, None]),
    (
        "a grant",
        [64, LAW_DAY, STATION.verify_key.raw, 32, "vn.yb.04630", LAW_DAY, LAW_DAY + 31536000, 0, "Tú Lệ"],
    ),
    ("an arrival at a hub", [80, LAW_DAY + 400, STATION.key_id, LOG, 0, 1, CONTENT]),
    ("the least event", [0, 0]),
    ("32 values", [31, 0, *range(30)]),
    (
        "integers at every width, unsigned",
        [100, 0, 0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1],
    ),
    (
        "integers at every width, negative",
        [100, 0, -1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63)],
    ),
    ("texts at every width", [100, 0, "", "x" * 31, "x" * 32, "x" * 255, "x" * 256]),
    ("byte strings at every width", [100, 0, b"", b"\0", b"x" * 255, b"x" * 256]),
    ("true, false and nothing", [100, 0, True, False, None]),
    ("text beyond the basic plane, with a combining mark and a NUL", [100, 0, "📢 a\u0302\u0000"]),
    ("exactly 8192 bytes", [100, 0, b"x" * (8192 - 6)]),
]

EVENT_REJECTS: list[tuple[str, str, str]] = [
    ("nothing", "", "codec-size"),
    ("two bytes", "9201", "codec-size"),
    ("8193 bytes", "936400c51ffb" + "78" * 8187, "codec-size"),
    ("a map instead of an array", "820001020304", "codec-not-array"),
    ("a lone integer of 9 bytes", "cf0000000100000000", "codec-not-array"),
    ("an empty array", "900000", "codec-arity"),
    ("one value", "91a161", "codec-arity"),
    ("33 values", "dc0021" + "00" * 33, "codec-arity"),
    ("array header one form too long", "dc00020000", "codec-not-shortest"),
    ("array header two forms too long", "dd000000020000", "codec-not-shortest"),
    ("a small integer in 2 bytes", "9200cc05", "codec-not-shortest"),
    ("an integer of 8 bits in 16", "9200cd00ff", "codec-not-shortest"),
    ("an integer of 16 bits in 32", "9200ce0000ffff", "codec-not-shortest"),
    ("an integer of 32 bits in 64", "9200cf00000000ffffffff", "codec-not-shortest"),
    ("a positive integer in the signed family", "9200d101f4", "codec-not-shortest"),
    ("a large positive integer in the signed family", "9200d30000000100000000", "codec-not-shortest"),
    ("−32 in 2 bytes", "9200d0e0", "codec-not-shortest"),
    ("−128 in 3 bytes", "9200d1ff80", "codec-not-shortest"),
    ("2⁶³", "9200cf8000000000000000", "codec-int-range"),
    ("a short text with a long header", "9200d90161", "codec-not-shortest"),
    ("a text of 200 bytes in the 16-bit form", "9200da00c8" + "61" * 200, "codec-not-shortest"),
    ("a short bin with a 16-bit header", "9200c5000161", "codec-not-shortest"),
    ("a short bin with a 32-bit header", "9200c60000000161", "codec-not-shortest"),
    ("a float of 64 bits", "9200cb3ff0000000000000", "codec-kind"),
    ("a float of 32 bits", "9200ca3f800000", "codec-kind"),
    ("an empty map inside", "920080", "codec-kind"),
    ("a map inside", "9200810102", "codec-kind"),
    ("an extension", "9200d40100", "codec-kind"),
    ("a timestamp extension", "9200d6ff00000000", "codec-kind"),
    ("an empty extension", "9200c70001", "codec-kind"),
    ("the tag that msgpack never uses", "9200c1", "codec-kind"),
    ("an array inside", "92009101", "codec-depth"),
    ("an empty array inside", "920090", "codec-depth"),
    ("invalid UTF-8", "9200a1ff", "codec-utf8"),
    ("an encoded surrogate", "9200a3eda080", "codec-utf8"),
    ("an overlong UTF-8 form", "9200a2c080", "codec-utf8"),
    ("fewer values than declared", "930000", "codec-truncated"),
    ("a text cut short", "9200a56162", "codec-truncated"),
    ("an integer cut short", "9200cd01", "codec-truncated"),
    ("a bin declaring 4 GiB", "9200c6ffffffff", "codec-truncated"),
    ("a trailing byte", "92000000", "codec-trailing"),
    ("two events", "920000920000", "codec-trailing"),
]


def event_vectors() -> Json:
    def accepted(seq: int, name: str, values: list[Any]) -> Json:
        event = encode(values)
        return {
            "name": name,
            "values": as_json(values),
            "bytes": event.hex(),
            "seq": seq,
            "leaf": merkle.leaf(STATION.key_id, LOG, seq, event).hex(),
        }

    return {
        "key_id": STATION.key_id.hex(),
        "log_id": LOG.hex(),
        "accepts": [accepted(seq, name, values) for seq, (name, values) in enumerate(EVENTS)],
        "rejects": [{"name": name, "bytes": data, "code": code} for name, data, code in EVENT_REJECTS],
    }


def message_vectors() -> Json:
    limits = {"bytes_max": 256, "depth_max": 4, "items_max": 40}
    accepts: list[tuple[str, Any]] = [
        ("a lone value", 5),
        ("an empty array", []),
        ("rows of different kinds", [1, b"\x01\x02", [["a", None], [True, -1]], []]),
        ("four arrays within each other", [[[[1]]]]),
        ("40 values", [*range(40)]),
    ]
    rejects = [
        ("nothing", "", "codec-size"),
        ("257 bytes", "c500fe" + "00" * 254, "codec-size"),
        ("five arrays within each other", "919191919101", "codec-depth"),
        ("five arrays, the innermost empty", "9191919190", "codec-depth"),
        ("41 values", "dc0029" + "00" * 41, "codec-items"),
        ("41 values in two arrays", "929000dc0027" + "00" * 39, "codec-trailing"),
        ("41 values counted over all arrays", "9200dc0027" + "00" * 39, "codec-items"),
        ("an array declaring four thousand million values", "ddffffffff", "codec-items"),
        ("a map", "81a16101", "codec-kind"),
        ("an array header one form too long", "dc000100", "codec-not-shortest"),
        ("a value cut short", "92c40201", "codec-truncated"),
        ("a second message behind the first", "90c0", "codec-trailing"),
        ("invalid UTF-8", "91a1ff", "codec-utf8"),
        ("2⁶³", "91cf8000000000000000", "codec-int-range"),
    ]
    return {
        "limits": limits,
        "accepts": [{"name": n, "tree": as_json(tree), "bytes": pack(tree).hex()} for n, tree in accepts],
        "rejects": [{"name": n, "bytes": data, "code": code} for n, data, code in rejects],
    }
