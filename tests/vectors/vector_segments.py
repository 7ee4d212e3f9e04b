"""Segments that open, and segments that must not."""

from __future__ import annotations

from typing import Any

from vector_encodings import EVENTS
from vector_parts import (
    APPROVER,
    LAW_DAY,
    OTHER_LOG,
    STATION,
    STRANGER,
    TRUSTED,
    ZERO,
    Json,
    body_of,
    head_of,
    numbered,
    patched,
    plain_frame,
    signed,
    wrap,
    zstd_frame,
)

from ledger.log import keys, merkle
from ledger.log.codec import encode
from ledger.log.segment import SegmentHead


def linked_pair() -> tuple[list[bytes], bytes, list[bytes], bytes, SegmentHead, SegmentHead]:
    """Two segments of STATION's log: the opening alone, then two events."""
    first, second = [encode(EVENTS[0][1])], [encode(EVENTS[5][1]), encode([19, LAW_DAY, 0, LAW_DAY, "ntp"])]
    head1 = head_of(STATION, first)
    head2 = head_of(STATION, second, first_seq=1, prev=head1.hash)
    return (
        first,
        signed(STATION, head1, body_of(first)),
        second,
        signed(STATION, head2, body_of(second)),
        head1,
        head2,
    )


# What zstd 1.5.7 made of the body of numbered(40). Fixed bytes: another version may compress differently.
ZSTD_BODIES = {
    "zstd compressed at level 3": (
        "28b52ffd609300ed0300b405dc0028c4089310ce636afb90009101920293039404950596069707980899099a0a9b0b9c0c9d0d9e"
        "0e9f0fa010a111a212a313a414a515a616a717a818a919aa1aab1bac1cad1dae1eaf1fb020b121b222b323b424b525b626b72727"
        "24e0d70518638c31c618638c31c6186318638c31c618638c31c6186bace90b"
    ),
    "zstd compressed at level 19, with a checksum": (
        "28b52ffd649300550300b405dc0028c4089310ce636afb90009101920293039404950596069707980899099a0a9b0b9c0c9d0d9e"
        "0e9f0fa010a111a212a313a414a515a616a717a818a919aa1aab1bac1cad1dae1eaf1fb020b121b222b323b424b525b626b72727"
        "a410f2fb19e0d70568dd9402edf368f5"
    ),
}

MALFORMED = [b"not msgpack", b"\x92\x01\xcb?\xf0\0\0\0\0\0\0", b"", encode([999, 0]), b"\xff" * 300]


def segment_vectors() -> Json:
    first, raw1, second, raw2, head1, head2 = linked_pair()
    key = STATION

    def accepted(name: str, raw: bytes, events: list[bytes]) -> Json:
        head = SegmentHead.decode(raw[:104])
        return {
            "name": name,
            "raw": raw.hex(),
            "log_id": head.log_id.hex(),
            "first_seq": head.first_seq if head.first_seq < 2**53 else {"int": str(head.first_seq)},
            "count": head.count,
            "raw_len": head.raw_len,
            "prev": head.prev.hex(),
            "root": head.root.hex(),
            "head_hash": head.hash.hex(),
            "events": [event.hex() for event in events],
        }

    forty = numbered(40)
    big = [encode(EVENTS[-1][1])]
    last = 2**63 - 2
    late = head_of(key, [b"\x92\0\0"], first_seq=last, prev=head1.hash)
    accepts = [
        accepted("the first segment of a log", raw1, first),
        accepted("the second segment, linked to the first", raw2, second),
        accepted(
            "the second again, its body in a zstd frame",
            signed(key, head2, plain_frame(body_of(second)), codec=1),
            second,
        ),
        accepted(
            "a zstd frame with the largest window allowed",
            signed(
                key,
                head2,
                zstd_frame([(0, len(body_of(second)), body_of(second))], len(body_of(second)), window=0x58),
                codec=1,
            ),
            second,
        ),
        *(
            accepted(
                f"a body that {name}", signed(key, head_of(key, forty), bytes.fromhex(body), codec=1), forty
            )
            for name, body in ZSTD_BODIES.items()
        ),
        accepted(
            "4096 equal events: a ratio is no offence",
            signed(
                key,
                head_of(key, [b"\x92\0\0"] * 4096),
                zstd_frame([(0, 3, b"\xdc\x10\x00")] + [(0, 5, b"\xc4\x03\x92\0\0")] * 4096, 3 + 5 * 4096),
                codec=1,
            ),
            [b"\x92\0\0"] * 4096,
        ),
        accepted(
            "signed events that are no events: kept",
            signed(key, head_of(key, MALFORMED), body_of(MALFORMED)),
            MALFORMED,
        ),
        accepted("an event of 8192 bytes", signed(key, head_of(key, big), body_of(big)), big),
        accepted(
            "the last sequence number there is", signed(key, late, body_of([b"\x92\0\0"])), [b"\x92\0\0"]
        ),
    ]
    rejects = [
        {"name": name, "raw": raw.hex(), "code": code}
        for name, raw, code in segment_rejects(second, raw2, head2)
    ]
    return {
        "trusted": [trusted.raw.hex() for trusted in TRUSTED.values()],
        "accepts": accepts,
        "rejects": rejects,
        "reject_too_long": {
            "name": "one byte beyond the longest segment: the second segment and zeros up to this length",
            "length": 177 + 2**18 + 1,
            "code": "segment-long",
        },
    }


def segment_rejects(events: list[bytes], raw: bytes, head: SegmentHead) -> list[tuple[str, bytes, str]]:
    key, body = STATION, body_of(events)
    tiny = [b"\x92\0\0"]
    head_bytes, signature = raw[:104], raw[104:168]
    flipped = bytes([signature[5] ^ 0x10])

    def resigned(at: int, new: bytes) -> bytes:
        return signed(key, patched(head_bytes, at, new), body)

    def in_zstd(frame: bytes) -> bytes:
        return signed(key, head, frame, codec=1)

    def with_body(other: bytes) -> bytes:
        return signed(key, head, other)

    def lying(of: list[bytes], other: bytes, **changed: Any) -> bytes:
        return signed(key, head_of(key, of, **changed), other)

    frame = plain_frame(body)
    s_plus_l = (int.from_bytes(signature[32:], "little") + keys.L).to_bytes(32, "little")
    html = b"<!DOCTYPE html><html><head><title>Login</title></head><body>Please log in</body></html>".ljust(
        300
    )
    too_big = b"\x93\x64\0\xc5\x1f\xfb" + b"x" * 8187
    return [
        ("nothing", b"", "segment-short"),
        ("176 bytes", raw[:176], "segment-short"),
        ("a captive portal's page", html, "head-magic"),
        ("version 2", patched(raw, 3, b"\x02"), "head-magic"),
        ("another magic", patched(raw, 0, b"\x89"), "head-magic"),
        ("an unknown algorithm", resigned(4, b"\x02"), "head-alg"),
        ("a flag set", resigned(5, b"\x80\0\0"), "head-flags"),
        ("the last reserved byte set", resigned(7, b"\x01"), "head-flags"),
        ("log id zero", resigned(16, bytes(8)), "head-log-id"),
        ("no events", resigned(32, bytes(4)), "head-count"),
        ("4097 events", resigned(32, (4097).to_bytes(4, "big")), "head-count"),
        ("2³² − 1 events", resigned(32, b"\xff" * 4), "head-count"),
        ("sequence number 2⁶³", resigned(24, (2**63).to_bytes(8, "big")), "head-seq"),
        ("sequence numbers that run beyond 2⁶³", resigned(24, (2**63 - 2).to_bytes(8, "big")), "head-seq"),
        ("less than three bytes an event", resigned(36, (5).to_bytes(4, "big")), "head-raw-len"),
        ("more than 1 MiB of events", resigned(36, (2**20 + 1).to_bytes(4, "big")), "head-raw-len"),
        ("number 0 with a predecessor", resigned(24, bytes(8)), "head-prev"),
        ("number 1 without a predecessor", resigned(40, ZERO), "head-prev"),
        ("a key nobody introduced", signed(STRANGER, head_of(STRANGER, events), body), "key-unknown"),
        ("unsigned", wrap(head_bytes, bytes(64), body), "signature-bad"),
        ("one bit of the signature changed", patched(raw, 109, flipped), "signature-bad"),
        ("S + L instead of S", patched(raw, 136, s_plus_l), "signature-bad"),
        ("one bit of the root changed", patched(raw, 103, bytes([raw[103] ^ 1])), "signature-bad"),
        ("another sequence number under the old signature", patched(raw, 31, b"\x02"), "signature-bad"),
        ("signed as a receipt", wrap(head_bytes, key.sign(keys.RECEIPT, head_bytes), body), "signature-bad"),
        (
            "signed by another trusted key",
            wrap(head_bytes, APPROVER.sign(keys.SEGMENT, head_bytes), body),
            "signature-bad",
        ),
        ("codec 2", with_body(body)[:168] + b"\x02" + with_body(body)[169:], "tail-codec"),
        ("codec 3, reserved", signed(key, head, body, codec=3), "tail-codec"),
        ("a dictionary", signed(key, head, body, dictionary=1), "tail-dictionary"),
        ("cut short", raw[:-1], "tail-length"),
        ("a trailing byte", raw + b"\0", "tail-length"),
        ("two segments in one", raw + raw, "tail-length"),
        ("no body", raw[:177], "tail-length"),
        ("a length of 4 GiB", signed(key, head, body, length=2**32 - 1), "tail-length"),
        ("no body, truly", with_body(b""), "body-count"),
        ("a plain body larger than the signed length allows", with_body(body + bytes(200)), "body-size"),
        ("zstd announced, plain sent", signed(key, head, body, codec=1), "zstd-frame"),
        (
            "plain announced, zstd sent",
            signed(key, head_of(key, numbered(40)), bytes.fromhex(ZSTD_BODIES["zstd compressed at level 3"])),
            "body-count",
        ),
        ("an empty zstd body", in_zstd(b""), "zstd-frame"),
        ("a zstd magic alone", in_zstd(frame[:4]), "zstd-frame"),
        ("a frame cut short", in_zstd(frame[:-1]), "zstd-frame"),
        ("a byte behind the frame", in_zstd(frame + b"\0"), "zstd-frame"),
        ("two frames", in_zstd(frame + frame), "zstd-frame"),
        ("a frame and an empty frame", in_zstd(frame + zstd_frame([(0, 0, b"")], 0)), "zstd-frame"),
        (
            "a skippable frame",
            in_zstd(b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"),
            "zstd-frame",
        ),
        ("a skippable frame before the frame", in_zstd(b"\x50\x2a\x4d\x18" + bytes(4) + frame), "zstd-frame"),
        ("a frame of zstd 0.7", in_zstd(b"\x27" + frame[1:]), "zstd-frame"),
        ("a reserved block type", in_zstd(zstd_frame([(3, len(body), body)], len(body))), "zstd-frame"),
        (
            "a frame that holds less than it declares",
            in_zstd(zstd_frame([(0, len(body), body)], len(body) + 1)),
            "zstd-frame",
        ),
        (
            "a frame that holds more than it declares",
            in_zstd(zstd_frame([(0, len(body), body)], len(body) - 1)),
            "zstd-frame",
        ),
        (
            "a frame that does not declare its size",
            in_zstd(zstd_frame([(0, len(body), body)], None, window=0)),
            "zstd-no-size",
        ),
        ("a bomb: 2 kB declaring 64 MiB", in_zstd(zstd_frame([(1, 2**17, b"\0")] * 512, 2**26)), "body-size"),
        (
            "a bomb: 2 kB of 64 MiB, undeclared",
            in_zstd(zstd_frame([(1, 2**17, b"\0")] * 512, None, window=0x38)),
            "zstd-no-size",
        ),
        (
            "a bomb: 2 kB of 64 MiB, declared as the true size",
            in_zstd(zstd_frame([(1, 2**17, b"\0")] * 512, len(body))),
            "zstd-frame",
        ),
        ("13 bytes declaring 7 × 10¹⁸", in_zstd(bytes.fromhex("28b52ffde06c06060663636363")), "body-size"),
        (
            "one byte more than the loosest body",
            in_zstd(zstd_frame([(0, len(body), body)], head.raw_len + 5 * head.count + 6)),
            "body-size",
        ),
        (
            "a frame whose checksum is wrong",
            signed(
                key,
                head_of(key, numbered(40)),
                bytes.fromhex(ZSTD_BODIES["zstd compressed at level 19, with a checksum"])[:-1] + b"\xf6",
                codec=1,
            ),
            "zstd-frame",
        ),
        (
            "a window of 4 MiB",
            in_zstd(zstd_frame([(0, len(body), body)], len(body), window=0x60)),
            "zstd-window",
        ),
        (
            "a window of 128 MiB",
            in_zstd(zstd_frame([(0, len(body), body)], len(body), window=0x88)),
            "zstd-window",
        ),
        (
            "a frame with a dictionary",
            in_zstd(zstd_frame([(0, len(body), body)], len(body), dictionary=7)),
            "zstd-dictionary",
        ),
        ("fewer events than signed", with_body(body_of(events[:1])), "body-count"),
        ("more events than signed", with_body(body_of([*events, b"\0"])), "body-count"),
        ("a map for a body", with_body(b"\x82" + body[1:]), "body-count"),
        ("an array header one form too long", with_body(b"\xdc\0\x02" + body[1:]), "body-count"),
        ("the signed count lies: one more", lying(events, body, count=3), "body-count"),
        ("the signed count lies: one less", lying(events, body, count=1), "body-count"),
        (
            "an event's header one form too long",
            lying(tiny, b"\x91\xc5\0\x03" + tiny[0]),
            "body-not-shortest",
        ),
        ("an event's header two forms too long", lying(tiny, b"\x91\xc6\0\0\0\x03" + tiny[0]), "body-item"),
        ("an event as text", lying(tiny, b"\x91\xa3" + tiny[0]), "body-item"),
        ("an event as an array", lying(tiny, b"\x91" + tiny[0]), "body-item"),
        ("an event of 8193 bytes", lying([too_big], body_of([too_big])), "event-size"),
        ("a body that ends before an event", lying(tiny, b"\x91"), "body-truncated"),
        ("a body that ends in an event's header", lying(tiny, b"\x91\xc5\x01"), "body-truncated"),
        ("a body that ends within an event", lying(tiny, b"\x91\xc4\x03\x92\0"), "body-truncated"),
        ("a byte behind the last event", lying(tiny, b"\x91\xc4\x03\x92\0\0\0"), "body-trailing"),
        ("the signed length lies: one more", lying(events, body, raw_len=head.raw_len + 1), "body-raw-len"),
        ("the signed length lies: one less", lying(events, body, raw_len=head.raw_len - 1), "body-raw-len"),
        ("other events of the same length", lying(tiny, body_of([b"\x92\0\1"])), "root-mismatch"),
        ("the events in another order", with_body(body_of(events[::-1])), "root-mismatch"),
        (
            "one event cut differently from its neighbour",
            with_body(body_of([events[0][:-1], events[0][-1:] + events[1]])),
            "root-mismatch",
        ),
        ("a signed root that is not theirs", lying(events, body, root=bytes(range(32))), "root-mismatch"),
        (
            "leaves made for another log",
            lying(events, body, root=merkle.root(merkle.leaves(key.key_id, OTHER_LOG, 0, events))),
            "root-mismatch",
        ),
    ]
