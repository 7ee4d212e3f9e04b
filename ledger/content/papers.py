"""Pictures and documents that people hand in, believed by their bytes and never by their names.

A picture goes on boards, so a screen must be able to draw it: PNG, JPEG or WebP, whole, and of a size that a
small computer behind a board can hold. A document (a leaflet, a PDF) is only kept and handed on; it must be
what it says and must not have been cut off on its way.

Bound: the first and the last bytes and the stated size of a picture; nothing is decoded here.
"""

from __future__ import annotations

from typing import Final

from ledger.facts.board import IMAGE_BYTES_MAX
from ledger.log import NotAllowed

PICTURE_BYTES_MAX: Final = IMAGE_BYTES_MAX
PAPER_BYTES_MAX: Final = 8 << 20  # over 2G a leaflet of a megabyte takes minutes; what is larger is printed
SIDE_MAX: Final = 8_192  # pixels; more is 200 MB in a screen's memory

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"IEND\xaeB`\x82"
_JPEG: Final = b"\xff\xd8\xff"
_JPEG_END: Final = b"\xff\xd9"
_PDF: Final = b"%PDF-"
_PDF_END: Final = b"%%EOF"
_TAIL_BYTES: Final = 2_048  # some programs write a few words after the end
_FRAMES: Final = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # JPEG markers without a length


def picture_type(data: bytes) -> str:
    """The media type of a picture that a board can show.

    NotAllowed: picture-empty, picture-large, picture-type, picture-broken, picture-size.
    """
    _bounds(data, "picture", PICTURE_BYTES_MAX)
    tail = data[-_TAIL_BYTES:]
    if data.startswith(_PNG):
        media_type, is_whole, sides = "image/png", _PNG_END in tail, _png_sides(data)
    elif data.startswith(_JPEG):
        media_type, is_whole, sides = "image/jpeg", _JPEG_END in tail, _jpeg_sides(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        media_type, is_whole = "image/webp", len(data) >= int.from_bytes(data[4:8], "little") + 8
        sides = _webp_sides(data)
    else:
        raise _no("picture", "type", "this is no picture that a board shows", "save it as PNG or JPEG")
    if not is_whole or sides is None:
        raise _no("picture", "broken", "the picture is damaged or was cut off", "copy it again")
    if not all(0 < side <= SIDE_MAX for side in sides):
        raise _no("picture", "size", f"{sides[0]} × {sides[1]} pixels", f"at most {SIDE_MAX} a side")
    return media_type


def paper_type(data: bytes) -> str:
    """The media type of a document: a PDF or a picture.

    NotAllowed: paper-empty, paper-large, paper-type, paper-broken.
    """
    _bounds(data, "paper", PAPER_BYTES_MAX)
    tail = data[-_TAIL_BYTES:]
    for media_type, begins, ends in (
        ("application/pdf", _PDF, _PDF_END),
        ("image/png", _PNG, _PNG_END),
        ("image/jpeg", _JPEG, _JPEG_END),
    ):
        if data.startswith(begins):
            if ends not in tail:
                raise _no("paper", "broken", "the file is damaged or was cut off", "copy it again")
            return media_type
    raise _no("paper", "type", "this is neither a PDF nor a picture", "save it as PDF")


def _bounds(data: bytes, what: str, bytes_max: int) -> None:
    if not data:
        raise _no(what, "empty", "the file is empty", "choose another")
    if len(data) > bytes_max:
        raise _no(what, "large", f"the file has {len(data)} bytes", f"at most {bytes_max}")


def _png_sides(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_sides(data: bytes) -> tuple[int, int] | None:
    """Walks the markers up to the frame's head, which says how large the picture is."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1  # a fill byte
        elif marker in _BARE:
            at += 2
        elif marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        else:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            if length < 2:
                return None
            at += 2 + length
    return None


def _webp_sides(data: bytes) -> tuple[int, int] | None:
    """Of the three kinds of WebP: lossy, lossless, extended."""
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    return None


def _no(what: str, why: str, told: str, hint: str) -> NotAllowed:
    return NotAllowed(f"{what}-{why}", told, where=what, hint=hint)
