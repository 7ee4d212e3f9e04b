"""Bundles: undamaged ones with their frames, damaged ones with what is left, and answers that are carried."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from vector_parts import (
    APPROVER,
    LAW_DAY,
    LOG,
    OTHER_LOG,
    STATION,
    STRANGER,
    Json,
    body_of,
    head_of,
    numbered,
    patched,
    signed,
)
from vector_receipts import HUB, receipt

from ledger.log.codec import pack
from ledger.log.keys import SigningKey
from ledger.log.messages import Claim, Reply, Request

MAGIC = b"\x89LOA\r\n\x1a\n"
MANIFEST, REQUEST, REPLY, SEGMENT, HELD, PIECE, END = range(1, 8)
NONCE = b"nonce-08"
TRAIL = b"trail-08"


def frame(kind: int, body: bytes, *, version: int = 1, length: int | None = None) -> bytes:
    head = bytes((version, kind)) + (len(body) if length is None else length).to_bytes(4, "big")
    return MAGIC + head + sha256(b"loa-bundle/v1\0" + head + body).digest()[:8] + body


def bundle(*frames: bytes, key: SigningKey = STATION) -> bytes:
    inside = frame(MANIFEST, pack([1, key.key_id, LAW_DAY])) + b"".join(frames)
    return inside + frame(END, sha256(inside).digest())


def reports(count: int, log: bytes) -> bytes:
    events = numbered(count)
    return signed(STATION, head_of(STATION, events, log_id=log), body_of(events))


FIRST, SECOND = reports(2, LOG), reports(3, OTHER_LOG)
DECISIONS = [
    signed(APPROVER, head_of(APPROVER, numbered(1), log_id=bytes(7) + bytes([n])), body_of(numbered(1)))
    for n in (1, 2, 3)
]
CONTENT = b"Xin ch\xc3\xa0o, \xc4\x91\xc3\xa2y l\xc3\xa0 m\xe1\xbb\x99t b\xe1\xba\xa3n tin."
PIECES = sha256(CONTENT).digest() + bytes(8) + CONTENT
HOLDS = sha256(b"a").digest()[:8], sha256(b"b").digest()[:8]
HELD_LIST = b"".join(sorted(HOLDS))


def asked(key: SigningKey = STATION) -> bytes:
    """A request made for a stick: no segment inside, room 0; its status ends with the mark of the list."""
    status = pack([1, "", -1, -1, -1, 0, -1, -1, 80, "loa/0.1.0", sha256(HELD_LIST).digest()[:16]])
    claims = (Claim(LOG, 2, head_of(STATION, numbered(2)).hash),)
    return Request(NONCE, LAW_DAY, claims, 0, b"", 0, status, ()).sign(key)


def page(over: bytes, decisions: list[bytes], cursor: int, *, key: SigningKey = HUB, **changed: Any) -> bytes:
    fields: dict[str, Any] = {
        "hub_time": LAW_DAY,
        "hub_log": OTHER_LOG,
        "receipts": (),
        "less": (),
        "refused": (),
        "cursor": cursor,
        "cursor_hash": TRAIL,
        "more": False,
        "segments": tuple(sha256(raw).digest() for raw in decisions),
    }
    return Reply(**fields | changed).sign(key, over)


def bundle_vectors() -> Json:
    request = asked()
    known = receipt(next_seq=2, head_hash=head_of(STATION, numbered(2)).hash)
    one = page(request, DECISIONS[:2], 7, receipts=(known,), more=True)
    two = page(one, DECISIONS[2:], 9)
    up = [frame(REQUEST, request), frame(HELD, HELD_LIST), frame(SEGMENT, FIRST), frame(SEGMENT, SECOND)]
    down = [
        frame(REPLY, one),
        frame(REPLY, two),
        *(frame(SEGMENT, raw) for raw in DECISIONS),
        frame(PIECE, PIECES),
    ]
    from_station = bundle(*up, *up[:2])
    from_hub = bundle(*down, *down[:2], key=HUB)
    second = from_station.index(up[3])
    nested = bundle(frame(PIECE, bytes(32) + bytes(8) + up[2]))

    def kept(name: str, raw: bytes, *frames: tuple[int, bytes]) -> Json:
        listed = [{"kind": kind, "body": body.hex()} for kind, body in frames]
        return {"name": name, "bytes": raw.hex(), "frames": listed}

    def lost(name: str, code: str, raw: bytes, *frames: tuple[int, bytes]) -> Json:
        return kept(name, raw, *frames) | {"code": code}

    begun = (MANIFEST, pack([1, STATION.key_id, LAW_DAY]))
    ups = [(REQUEST, request), (HELD, HELD_LIST), (SEGMENT, FIRST), (SEGMENT, SECOND)]
    ended = (END, from_station[-32:])
    downs = [
        (REPLY, one),
        (REPLY, two),
        *((SEGMENT, raw) for raw in DECISIONS),
        (PIECE, PIECES),
        (REPLY, one),
        (REPLY, two),
    ]
    from_hub_begun = (MANIFEST, pack([1, HUB.key_id, LAW_DAY]))
    accepts = [
        kept("from a station", from_station, begun, *ups, *ups[:2], ended),
        kept("from a hub", from_hub, from_hub_begun, *downs, (END, from_hub[-32:])),
        kept("nothing inside", bundle(), begun, (END, bundle()[-32:])),
        kept(
            "two in one file",
            bundle() + bundle(up[2]),
            begun,
            (END, bundle()[-32:]),
            begun,
            ups[2],
            (END, bundle(up[2])[-32:]),
        ),
        kept(
            "a kind that a later version may add is stepped over",
            bundle(frame(99, b"later"), up[2]),
            begun,
            ups[2],
            (END, bundle(frame(99, b"later"), up[2])[-32:]),
        ),
        kept(
            "what looks like a frame inside an undamaged one is content",
            nested,
            begun,
            (PIECE, bytes(32) + bytes(8) + up[2]),
            (END, nested[-32:]),
        ),
    ]
    others = [begun, *ups[:3], *ups[:2], ended]
    rejects = [
        lost(
            "one segment damaged in its body",
            "bundle-check",
            patched(from_station, second + 60, b"!"),
            *others,
        ),
        lost(
            "one segment damaged in its check",
            "bundle-check",
            patched(from_station, second + 15, b"!"),
            *others,
        ),
        lost(
            "one segment damaged in its length",
            "bundle-length",
            patched(from_station, second + 10, b"!"),
            *others,
        ),
        lost(
            "one segment damaged in its version",
            "bundle-version",
            patched(from_station, second + 8, b"\2"),
            *others,
        ),
        lost(
            "one segment damaged in its magic",
            "bundle-magic",
            patched(from_station, second + 3, b"a"),
            *others,
        ),
        lost(
            "a length within the limit, and wrong",
            "bundle-check",
            patched(from_station, second + 13, b"\1"),
            *others,
        ),
        lost("cut within a body", "bundle-cut", from_station[: second + 99], begun, *ups[:3]),
        lost("cut within a head", "bundle-cut", from_station[: second + 13], begun, *ups[:3]),
        lost("cut between two frames", "bundle-incomplete", from_station[:second], begun, *ups[:3]),
        lost(
            "a segment left out",
            "bundle-incomplete",
            from_station[:second] + from_station[second + len(up[3]) :],
            *others,
        ),
        lost(
            "bytes between two frames",
            "bundle-magic",
            from_station[:second] + b"??" + from_station[second:],
            begun,
            *ups,
            *ups[:2],
            ended,
        ),
        lost(
            "a frame behind the end",
            "bundle-incomplete",
            bundle() + up[2],
            begun,
            (END, bundle()[-32:]),
            ups[2],
        ),
        lost(
            "a version of tomorrow, longer than the file",
            "bundle-version",
            from_station[:second] + frame(SEGMENT, FIRST, version=2, length=1 << 31),
            begun,
            *ups[:3],
        ),
        lost(
            "a length beyond its kind and beyond the file",
            "bundle-length",
            from_station[:second] + frame(HELD, HELD_LIST, length=1 << 16),
            begun,
            *ups[:3],
        ),
        lost(
            "fewer bytes behind the end than a magic has",
            "bundle-cut",
            bundle() + b"\0\0\0",
            begun,
            (END, bundle()[-32:]),
        ),
        lost(
            "an end without a beginning",
            "bundle-incomplete",
            bundle() + frame(END, bundle()[-32:]),
            begun,
            (END, bundle()[-32:]),
            (END, bundle()[-32:]),
        ),
        lost(
            "one missing before another is damaged: the damage is told",
            "bundle-magic",
            bundle() + up[2] + b"????????",
            begun,
            (END, bundle()[-32:]),
            ups[2],
        ),
        lost("line ends rewritten", "bundle-magic", bundle().replace(b"\r\n", b"\n")),
        lost("the eighth bit cleared", "bundle-magic", bytes(b & 0x7F for b in bundle())),
        lost("nothing at all", "bundle-incomplete", b""),
        lost(
            "a frame inside a damaged one is found",
            "bundle-check",
            patched(nested, nested.index(up[2]) - 3, b"!"),
            begun,
            ups[2],
            (END, nested[-32:]),
        ),
    ]
    bodies = [
        ("a manifest of another version", MANIFEST, "bundle-manifest", pack([2, STATION.key_id, LAW_DAY])),
        ("true is not 1", MANIFEST, "bundle-manifest", pack([True, STATION.key_id, LAW_DAY])),
        ("a manifest with a short key id", MANIFEST, "bundle-manifest", pack([1, b"short", LAW_DAY])),
        ("a piece without bytes", PIECE, "bundle-piece", PIECES[:40]),
        ("a piece that begins within a chunk", PIECE, "bundle-piece", patched(PIECES, 39, b"\1")),
        ("a piece beyond the longest content", PIECE, "bundle-piece", patched(PIECES, 35, b"\1")),
        ("a list with half an entry", HELD, "bundle-held", HELD_LIST[:12]),
        ("a list out of order", HELD, "bundle-held", HELD_LIST[8:] + HELD_LIST[:8]),
        ("a list with an entry twice", HELD, "bundle-held", HELD_LIST[:8] * 2),
    ]
    names = [sha256(raw).digest().hex() for raw in DECISIONS]

    def answer(
        name: str, replies: list[bytes], taken: int, cursor: int, lost_ones: tuple[int, ...] = ()
    ) -> Json:
        return {
            "name": name,
            "replies": [raw.hex() for raw in replies],
            "on_stick": [raw.hex() for n, raw in enumerate(DECISIONS) if n not in lost_ones],
            "taken": names[:taken],
            "cursor": cursor,
        }

    stray = page(one, DECISIONS[2:], 9, receipts=(receipt(nonce=b"another8"),))
    silent = page(request, DECISIONS[:2], 7)
    behind = page(silent, DECISIONS[2:], 9)
    nameless = page(request, [], 9, segments=(*(sha256(raw).digest() for raw in DECISIONS[:1]), b"no hash"))
    shapeless = page(one, [], 9, cursor_hash=b"")

    return {
        "hub": HUB.verify_key.raw.hex(),
        "station_seed": STATION.seed.hex(),
        "trusted": [APPROVER.verify_key.raw.hex()],
        "request": request.hex(),
        "accepts": accepts,
        "rejects": rejects,
        "body_rejects": [{"name": n, "kind": k, "code": c, "body": b.hex()} for n, k, c, b in bodies],
        "answer_accepts": [
            answer("two pages", [one, two], 3, 9),
            answer("two pages, the other way round", [two, one], 3, 9),
            answer("the second page is not here", [one], 2, 7),
            answer("the third decision is not here", [one, two], 2, 7, (2,)),
            answer(
                "the first decision is not here: none is taken, the receipt counts", [one, two], 0, 0, (0,)
            ),
            answer("another station's answer beside it", [page(asked(STRANGER), [], 3), one, two], 3, 9),
            answer("a receipt on the second page is not looked at", [one, stray], 3, 9),
            answer("a page that the one before did not promise", [silent, behind], 3, 9),
            answer("a name that is no hash is that of nothing here", [nameless], 1, 0),
        ],
        "answer_rejects": [
            {"name": name, "replies": [raw.hex() for raw in replies], "code": code}
            for name, replies, code in (
                ("a second page alone", [two], "reply-unawaited"),
                (
                    "an answer to another station's request",
                    [page(asked(STRANGER), [], 0, cursor_hash=b"")],
                    "reply-unawaited",
                ),
                ("another hub's", [page(request, [], 0, cursor_hash=b"", key=STRANGER)], "reply-unawaited"),
                ("a byte changed", [patched(one, len(one) - 1, b"!")], "reply-unawaited"),
                (
                    "a receipt for another request",
                    [page(request, [], 0, cursor_hash=b"", receipts=(receipt(nonce=b"another8"),))],
                    "receipt-nonce",
                ),
                (
                    "a receipt of another hub",
                    [page(request, [], 0, cursor_hash=b"", receipts=(receipt(key=STRANGER),))],
                    "receipt-signature",
                ),
                (
                    "what is no receipt",
                    [page(request, [], 0, cursor_hash=b"", receipts=(bytes(164),))],
                    "receipt-magic",
                ),
                ("a cursor without its hash, on the second page", [one, shapeless], "reply-shape"),
                ("none", [], "reply-unawaited"),
            )
        ],
    }
