"""Bytes of the card for a browser: the whole, or the one range it asks for, a short piece at a time.

    return send(office_piece, size=…, media_type="audio/ogg", etag=sha256.hex())

`piece(office, offset, length)` reads some bytes on the station's loop. A piece is short, so a long recording
that somebody listens to holds the loudspeaker up by no more than any other question. Ranges are what a
browser needs to show a length and to jump (RFC 9110 §14): one range of bytes; anything else gets the whole.

Bound: bytes that never change under their name. Who may hear them is the view's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from flask import Response, request, stream_with_context

from node.page.office import Office
from node.web.parts import ask

PIECE_BYTES: Final = 128 * 1024  # a card reads it in some milliseconds
ONE_RANGE: Final = re.compile(r"bytes=(\d{0,12})-(\d{0,12})", re.ASCII)

Piece = Callable[[Office, int, int], bytes]


def send(piece: Piece, *, size: int, media_type: str, etag: str) -> Response:
    """etag: names the bytes. Raises what `piece` raises for the first piece; later ones end the answer."""
    span = wanted(request.headers.get("Range"), size)
    if span is None:
        return Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = span
    begin = ask(lambda office: piece(office, first, min(PIECE_BYTES, last - first)))
    whole = (first, last) == (0, size)
    answer = Response(
        stream_with_context(_pieces(piece, begin, first, last)),
        status=200 if whole else 206,
        mimetype=media_type,
    )
    if not whole:
        answer.headers["Content-Range"] = f"bytes {first}-{last - 1}/{size}"
    answer.headers["Content-Length"] = str(last - first)
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["Cache-Control"] = "private, max-age=86400"
    answer.set_etag(etag)
    return answer


def wanted(asked: str | None, size: int) -> tuple[int, int] | None:
    """[first, end) of what a Range header asks for; the whole when it is none that we do. None: outside."""
    found = None if asked is None else ONE_RANGE.fullmatch(asked.strip())
    if found is None or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    if not first:
        return (size - min(int(last), size), size) if int(last) and size else None
    begin = int(first)
    if last and int(last) < begin:
        return 0, size
    return None if begin >= size else (begin, min(int(last) + 1, size) if last else size)


def _pieces(piece: Piece, begin: bytes, first: int, last: int) -> Iterator[bytes]:
    """A piece that cannot be read any more ends the answer short: the browser sees that bytes are missing."""

    def more(at: int) -> bytes:
        return ask(lambda office: piece(office, at, min(PIECE_BYTES, last - at)))

    data, at = begin, first
    while data:
        yield data
        at += len(data)
        data = more(at) if at < last else b""
