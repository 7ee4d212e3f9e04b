"""The signed machine API: sync, blobs, enrolment, and one health answer. Everything here is a function of
bytes.

No cookie, no CSRF, no login: a request is judged by its signature alone (`hub.sync`), a blob by its hash,
an enrolment by its one-time token. Bodies are capped before they are read. Answers carry Content-Length and
Content-Type and nothing else, because every header byte is sent four times a day by every station over
2G; and a reply names its type only to a request that named its own, since path and first bytes say it all.

A large request that broke off goes on where it broke (`hub.beginnings`): GET under its name says how much is
here, POST behind it brings the rest. The joined bytes are a request like any other.

A blob never changes under its address (the address is its SHA-256), so its strong ETag is a short prefix of
that hash and `If-Range` with it always holds; a wrong one gets the whole blob, as RFC 9110 §14.2 asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from hub.beginnings import NAME_BYTES, REQUEST_BYTES_MAX, WORTH_BYTES, Beginnings, name_of
from hub.ingest import error_body
from hub.web import auth
from hub.web.ranges import Span, Unsatisfiable, read_range
from ledger.log import BlobError, LoaError, ProtocolError

if TYPE_CHECKING:
    from hub.hub import Hub

TYPE: Final = "application/x-loa"
BLOB_TYPE: Final = "application/octet-stream"
SYNC_BYTES_MAX: Final = (
    1 << 20
)  # a request carries at most 256 KiB of segments by itself; a relay four of them
ENROL_BYTES_MAX: Final = 4096
STREAM_BYTES: Final = 65536  # one blob chunk: what a node verifies at a time
ETAG_HEX: Final = 16
SHA256_HEX: Final = 64

machine = Blueprint("machine", __name__)


def loa(status: int, body: bytes) -> Response:
    """An answer in Loa's own type; a 503 says when to come back."""
    answer = Response(body, status=status, content_type=TYPE)
    if status == 503:
        answer.headers["Retry-After"] = str(max(1, auth.the_hub().retry_after_s()))
    return answer


def refuse(error: LoaError) -> Response:
    return loa(error.status, error_body(error))


def body_of(bytes_max: int) -> bytes:
    """The request's body, at most `bytes_max`. ProtocolError 413 before an oversized body is read."""
    too_long = ProtocolError("body-too-long", f"the body is longer than {bytes_max} bytes", status=413)
    if request.content_length is not None and request.content_length > bytes_max:
        raise too_long
    request.max_content_length = bytes_max
    body = request.get_data(cache=False)
    if len(body) > bytes_max:
        raise too_long
    return body


@machine.errorhandler(LoaError)
def refused(error: LoaError) -> ResponseReturnValue:
    return refuse(error)


@machine.errorhandler(HTTPException)
def refused_http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    code = {405: "method", 413: "body-too-long", 404: "path"}.get(status, "http")
    return refuse(ProtocolError(code, error.name, status=status))


@machine.post("/v1/sync")
def sync() -> ResponseReturnValue:
    return answered(body_of(SYNC_BYTES_MAX))


@machine.get("/v1/sync/<name>")
def begun(name: str) -> ResponseReturnValue:
    """How many bytes of the request of this name are here, in decimal digits. It is no secret."""
    answer = Response(str(beginnings().held(named(name))))
    del answer.headers["Content-Type"]
    return answer


@machine.post("/v1/sync/<name>/<int:offset>")
def go_on(name: str, offset: int) -> ResponseReturnValue:
    """The request of this name from `offset` on. 409 when what is before it is not here (any more)."""
    known = named(name)
    if offset > REQUEST_BYTES_MAX:
        raise ProtocolError("request-size", f"at most {REQUEST_BYTES_MAX} bytes", status=413)
    rest = body_of(REQUEST_BYTES_MAX - offset)
    whole = beginnings().join(known, offset, rest)
    if whole is None:
        raise ProtocolError(
            "begun-unknown", "the beginning is not here", hint="send the whole request", status=409
        )
    return answered(whole)


def beginnings() -> Beginnings:
    found: Beginnings = current_app.extensions["loa_beginnings"]
    return found


def named(name: str) -> bytes:
    """The name of a request, of 16 hexadecimal digits. ProtocolError otherwise."""
    if re.fullmatch(rf"[0-9a-f]{{{2 * NAME_BYTES}}}", name, re.ASCII) is None:
        raise ProtocolError("begun-name", "a request is named by 16 hexadecimal digits", status=400)
    return bytes.fromhex(name)


def answered(body: bytes) -> Response:
    """What the hub says to a whole request. What it refuses for good, nobody need go on with."""
    status, reply = auth.the_hub().sync(body)
    if status not in (200, 503) and len(body) >= WORTH_BYTES:
        beginnings().drop(name_of(body))
    answer = loa(status, reply)
    if status == 200 and not request.content_type:
        del answer.headers["Content-Type"]
    return answer


@machine.post("/v1/enrol")
def enrol() -> ResponseReturnValue:
    return loa(*auth.the_hub().enrol(body_of(ENROL_BYTES_MAX)))


@machine.get("/v1/blob/<name>")
def blob(name: str) -> ResponseReturnValue:
    """One blob, whole or one range of it. 404 unknown, 416 outside, 206 with Content-Range otherwise."""
    hub = auth.the_hub()
    try:
        sha = bytes.fromhex(name) if len(name) == SHA256_HEX else b""
    except ValueError:
        sha = b""
    size = hub.blob_size(sha) if sha else None
    if size is None:
        raise BlobError("blob-unknown", "this hub holds no content under that hash")
    return serve(hub, sha, size, BLOB_TYPE)


def serve(hub: Hub, sha: bytes, size: int, content_type: str) -> Response:
    """A blob of `size` bytes as an answer to the current request; shared with the page's audio player."""
    etag = f'"{sha.hex()[:ETAG_HEX]}"'
    if request.if_none_match.contains_weak(
        etag.strip('"')
    ):  # preconditions stand before ranges (RFC 9110 §13.2.2)
        return Response(status=304, headers={"ETag": etag})
    try:
        span = read_range(request.headers.get("Range"), request.headers.get("If-Range"), etag, size)
    except Unsatisfiable:
        return Response(status=416, headers={"Content-Range": f"bytes */{size}", "ETag": etag})
    whole = span is None
    span = span or Span(0, size)
    answer = Response(pieces(hub, sha, span), status=200 if whole else 206, content_type=content_type)
    answer.headers["ETag"] = etag
    answer.content_length = span.length
    if whole:
        answer.headers["Accept-Ranges"] = "bytes"
    else:
        answer.headers["Content-Range"] = f"bytes {span.offset}-{span.offset + span.length - 1}/{size}"
    return answer


def pieces(hub: Hub, sha: bytes, span: Span) -> Iterator[bytes]:
    """The range in pieces, so that a long recording never stands whole in memory."""
    offset, end = span.offset, span.offset + span.length
    while offset < end:
        piece = hub.blob_range(sha, offset, min(STREAM_BYTES, end - offset))
        offset += len(piece)
        yield piece


@machine.get("/healthz")
def health() -> ResponseReturnValue:
    """200 and the journal position: the process answers and its ledger can be read."""
    return Response(f"ok {auth.the_hub().ledger.position()}\n", content_type="text/plain")
