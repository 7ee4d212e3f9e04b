"""Content: manifests, pieces of content as they arrive, and the ranges a hub answers; accepted and refused.

Manifests are packed row by row here, not by the class that hubs and stations use. `content(n)` is the first n
bytes of SHA-256(0) ‖ SHA-256(1) ‖ …, each number as 8 bytes, big-endian; so long contents need no room here.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from vector_parts import Json

from ledger.log.codec import Tree, pack

CHUNK = 65_536
SIZE = 150_000  # two chunks and a rest of 18,928 bytes
TAG = '"e7c28b67eea2c6eb"'


def content(size: int) -> bytes:
    return b"".join(sha256(n.to_bytes(8, "big")).digest() for n in range(-(-size // 32)))[:size]


AUDIO = content(SIZE)
HASHES = [sha256(AUDIO[at : at + CHUNK]).digest() for at in range(0, SIZE, CHUNK)]


def row(**changed: Tree) -> list[Tree]:
    fields: dict[str, Tree] = {
        "kind": "audio",
        "language": "vi",
        "media": "audio/ogg",
        "size": SIZE,
        "duration": 42_000,
        "sha256": sha256(AUDIO).digest(),
        "chunks": b"".join(HASHES),
    }
    return list((fields | changed).values())


def text(language: str = "vi") -> list[Tree]:
    words = "Ngày Pháp luật".encode()
    return ["board-text", language, "text/plain; charset=utf-8", len(words), 0, *[sha256(words).digest()] * 2]


# --- manifests ----------------------------------------------------------------------------------------------

ACCEPTED: list[tuple[str, list[list[Tree]]]] = [
    ("a recording of three chunks", [row()]),
    ("a recording and its words", [row(), text()]),
    ("words in two languages", [text(), text("mww")]),
    ("a language of sixteen signs, each of four bytes", [row(language="𝄞" * 16)]),
    (
        "a live relay with the recording that fills in for it",
        [row(), row(kind="stream", media="text/uri-list", size=1, chunks=HASHES[0], duration=1_800_000)],
    ),
    ("a recording beside a kind of a later version", [row(), row(kind="video-9", media="video/x")]),
    ("a whole that no one can make: only fetching tells", [row(sha256=bytes(32))]),
]
REFUSED: list[tuple[str, str, bytes]] = [
    ("another format", "manifest-format", pack([2, [row()]])),
    ("no renditions", "manifest-renditions", pack([1, []])),
    ("seventeen renditions", "manifest-renditions", pack([1, [text(f"x{n}") for n in range(17)]])),
    ("a row of six", "manifest-row", pack([1, [row()[:6]]])),
    ("a kind that is no word", "manifest-kind", pack([1, [row(kind="Video")]])),
    ("a language of one letter", "manifest-language", pack([1, [row(language="v")]])),
    ("no media type", "manifest-media-type", pack([1, [row(media="")]])),
    ("an empty content", "manifest-size", pack([1, [row(size=0, chunks=b"")]])),
    ("a content of 64 MiB and a byte", "manifest-size", pack([1, [row(size=(64 << 20) + 1)]])),
    ("a duration below zero", "manifest-duration", pack([1, [row(duration=-1)]])),
    ("a duration above four hours", "manifest-duration", pack([1, [row(duration=14_400_001)]])),
    ("half a hash", "manifest-hash", pack([1, [row(sha256=bytes(16))]])),
    ("a chunk too few for the size", "manifest-chunks", pack([1, [row(chunks=b"".join(HASHES[:2]))]])),
    ("a chunk too many for the size", "manifest-chunks", pack([1, [row(chunks=b"".join(HASHES * 2))]])),
    ("a chunk hash cut short", "manifest-chunks", pack([1, [row(chunks=b"".join(HASHES)[:-1])]])),
    ("the same rendition twice", "manifest-duplicate", pack([1, [row(), row(duration=1)]])),
    ("true is not 1", "manifest-format", pack([True, [row()]])),
    ("a list of one", "manifest-format", pack([1])),
    ("a language of seventeen signs", "manifest-language", pack([1, [row(language="𝄞" * 17)]])),
    ("a size that is no number", "manifest-size", pack([1, [row(size=True)]])),
    ("of two faults the first field's", "manifest-language", pack([1, [row(language="", size=0)]])),
    ("rows before what they have in common", "manifest-row", pack([1, [row(), row(), row()[:6]]])),
    ("arrays too deep", "codec-depth", b"\x92\x01\x91\x91\x91\x90"),
    ("a byte behind the end", "codec-trailing", pack([1, [row()]]) + b"\0"),
]

# --- pieces: (offset, length, a byte to falsify) → bytes here afterwards, or (code, bytes here) -----

Step = tuple[int, int, int | None, int | tuple[str, int]]
FETCHES: list[tuple[str, bool, list[Step]]] = [
    ("three chunks in one answer", True, [(0, SIZE, None, SIZE)]),
    (
        "broken off anywhere",
        True,
        [(0, 10_000, None, 10_000), (10_000, 60_000, None, 70_000), (70_000, 80_000, None, SIZE)],
    ),
    ("a piece twice", True, [(0, 70_000, None, 70_000), (CHUNK, 10_000, None, 75_536)]),
    (
        "a false byte in the second chunk costs that chunk and what follows",
        False,
        [(0, SIZE, 70_000, ("chunk-hash", CHUNK)), (CHUNK, SIZE - CHUNK, None, SIZE)],
    ),
    (
        "a false beginning is found when its chunk is complete",
        False,
        [(0, 10_000, 5, 10_000), (10_000, 60_000, None, ("chunk-hash", 0)), (0, SIZE, None, SIZE)],
    ),
    ("a gap", False, [(0, 100, None, 100), (101, 100, None, ("chunk-order", 100))]),
    ("beyond the end", False, [(0, SIZE, None, SIZE), (SIZE, 1, None, ("chunk-size", SIZE))]),
    ("nothing", False, [(0, 0, None, ("chunk-size", 0))]),
]

# --- ranges: Range, If-Range → status, Content-Range -----

ALL = f"/{SIZE}"
RANGES: list[tuple[str | None, str | None, int, str | None]] = [
    ("bytes=0-65535", None, 206, f"bytes 0-65535{ALL}"),
    ("bytes=10000-65535", TAG, 206, f"bytes 10000-65535{ALL}"),
    ("bytes=131072-196607", TAG, 206, f"bytes 131072-149999{ALL}"),
    ("bytes=149999-", None, 206, f"bytes 149999-149999{ALL}"),
    ("bytes=-1", None, 206, f"bytes 149999-149999{ALL}"),
    ("bytes=-200000", None, 206, f"bytes 0-149999{ALL}"),
    (" bytes = 0 - 9 ", f" {TAG} ", 206, f"bytes 0-9{ALL}"),
    (f"bytes=7-{'9' * 18}", None, 206, f"bytes 7-149999{ALL}"),
    (f"bytes=0-{'9' * 19}", None, 200, None),
    ("Bytes=0-9", None, 200, None),
    ("bytes=-", None, 200, None),
    ("bytes=0-9", "", 200, None),
    (None, None, 200, None),
    ("bytes=0-65535", '"another"', 200, None),
    ("bytes=0-65535", f"W/{TAG}", 200, None),
    ("bytes=0-65535", "Wed, 09 Nov 2022 00:00:00 GMT", 200, None),
    ("bytes=9-3", None, 200, None),
    ("bytes=0-1,5-9", None, 200, None),
    ("chunks=0-1", None, 200, None),
    ("bytes=150000-", None, 416, f"bytes *{ALL}"),
    ("bytes=150000-200000", TAG, 416, f"bytes *{ALL}"),
    ("bytes=-0", None, 416, f"bytes *{ALL}"),
]


def step(offset: int, length: int, false: int | None, then: int | tuple[str, int]) -> Json:
    code, here = then if isinstance(then, tuple) else (None, then)
    return {"offset": offset, "length": length, "false_byte": false, "code": code, "here": here}


def blob_vectors() -> dict[str, Any]:
    manifests = [(name, pack([1, list(rows)])) for name, rows in ACCEPTED]
    return {
        "accepts": [
            {"name": name, "manifest": data.hex(), "sha256": sha256(data).hexdigest()}
            for name, data in manifests
        ],
        "rejects": [{"name": name, "code": code, "manifest": data.hex()} for name, code, data in REFUSED],
        "content": {
            "size": SIZE,
            "sha256": sha256(AUDIO).hexdigest(),
            "chunks": [one.hex() for one in HASHES],
            "tag": f'"{sha256(AUDIO).hexdigest()[:16]}"',
        },
        "fetches": [
            {"name": name, "accepts": accepts, "steps": [step(*one) for one in steps]}
            for name, accepts, steps in FETCHES
        ],
        "ranges": [
            {"range": asked, "if_range": since, "status": status, "content_range": told}
            for asked, since, status, told in RANGES
        ],
    }
