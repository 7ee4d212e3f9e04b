"""The link to the hub: bytes out, bytes in, or TransportError. Nothing in between is believed.

On the way to a commune stand captive portals that answer 200 with a login page, carriers that cut bodies,
proxies that gzip or replay. So an answer counts only when status, content type, encoding and length are
exactly what the protocol says, redirects are never followed, and a total deadline and a minimum rate are
kept here, in our own loop, because no client library has them. What the bytes *mean* is decided later, by
signatures.

Content is another matter: it is checked chunk by chunk against a hash, so what came of it before the link
broke is worth keeping. Such a beginning is handed on as a short answer, and the next request goes on behind
it. The other way round the hub keeps what came of a large request (docs/spec/sync.md): after a break the
station asks how much that is and sends the rest, at once as long as that brings it further, else when the
courier brings the same request again.

Bound: this file judges only the shape of an answer; an answer of the right shape may still be a forgery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from ledger.log import CodecError, TransportError, unpack

if TYPE_CHECKING:
    import ssl

    import httpx2

CONTENT_TYPE = "application/x-loa"
BLOB_TYPE = "application/octet-stream"
# The hub answers at most room (64 KiB) plus 64 KiB; twice that leaves space for a generous configuration.
REPLY_BYTES_MAX = 262_144
# A refusal carries a code, a sentence and a hint.
ERROR_BYTES_MAX = 4_096
# A hub may ask for patience, not for silence: longer waits are cut to this.
RETRY_AFTER_MAX_S = 3_600.0
# Less than this of a broken answer is not worth another request's head: it counts as no answer at all.
PIECE_BYTES_MIN = 4_096
# The hub's strong ETag of content is this much of its hash, in quotes.
ETAG_HEX = 16
SYNC = "/v1/sync"
# Every reply begins like this. It tells no forgery from the truth, only a captive portal's page.
REPLY_MAGIC = bytes.fromhex("d74c")
# A request below this is cheaper sent again than asked about.
WORTH_BYTES = 1_024
# What names a request: 8 bytes of its signature.
NAME_AT = slice(12, 20)
# How the line ends an exchange; anything else is an answer.
BROKEN = frozenset({"link", "truncated", "deadline", "too-slow"})
# Breaks within one exchange; each must have brought at least so many bytes to the hub.
BREAKS_MAX = 256
STEP_BYTES = 1_024


@dataclass
class Meter:
    """HTTP/1.1 bytes this station caused on the wire: start line, headers and body, both directions."""

    up: int = 0
    down: int = 0


class HubBusy(TransportError):
    """The hub (or a proxy before it) asks to come back later."""

    def __init__(self, what: str, retry_after_s: float) -> None:
        super().__init__("hub-busy", what)
        self.retry_after_s = min(max(retry_after_s, 0.0), RETRY_AFTER_MAX_S)


class CutShort(TransportError):
    """The link broke inside an answer's body. head: of the answer; data: what came of the body."""

    def __init__(self, code: str, what: str, response: httpx2.Response, data: bytes) -> None:
        super().__init__(code, what)
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.data = data


class Begun(TransportError):
    """The line broke, and part of this large request may be at the hub: bring the same bytes again.

    moved: more of it is there than before this exchange.
    """

    def __init__(self, what: str, *, moved: bool) -> None:
        super().__init__("begun", what)
        self.moved = moved


class Transport(Protocol):
    """What a courier drives. Every method raises TransportError (or HubBusy) and nothing else."""

    meter: Meter

    def exchange(self, body: bytes) -> bytes: ...

    def fetch(self, sha256: bytes, offset: int, length: int) -> bytes: ...

    def enrol(self, body: bytes) -> bytes: ...


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes per second. Chosen for a 2 kB/s line: a 64 KiB chunk takes 32 s there."""

    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 120.0
    # Below this after the grace the line is not slow, it is stuck (or held on purpose).
    rate_min: float = 128.0
    rate_grace_s: float = 10.0
    keepalive_s: float = 5.0


class _Library:
    """The HTTP client library: a tenth of a second to load, so not before it is needed."""

    def __init__(
        self,
        client: httpx2.Client | None,
        mono: Callable[[], float],
        keepalive_s: float,
        tls: ssl.SSLContext | None,
        *,
        secure: bool,
    ) -> None:
        import httpcore2
        import httpx2

        from node.link.bounded import BoundedHTTP, Deadline, tls_context

        self.httpx2 = httpx2
        self.sync_url: httpx2.URL | None = None  # read once: nine of ten requests go there
        self.deadline = Deadline(mono)
        if secure and tls is None:
            tls = tls_context()  # one for all connections: a session belongs to its context
        self.client = client or httpx2.Client(
            transport=BoundedHTTP(self.deadline, keepalive_s=keepalive_s, tls=tls)
        )
        self.unreached: tuple[type[Exception], ...] = (
            httpx2.ConnectError,
            httpx2.ConnectTimeout,
            httpcore2.ConnectError,
            httpcore2.ConnectTimeout,
        )
        self.faults: tuple[type[Exception], ...] = (
            httpx2.HTTPError,
            httpx2.StreamError,
            httpx2.InvalidURL,
            httpcore2.TimeoutException,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.UnsupportedProtocol,
            httpcore2.ConnectionNotAvailable,
        )


class HttpTransport:
    """Transport over httpx2 (any client: a real one by default, a WSGI one in the simulator).

    base_url: "http://hub:8080" without a trailing path. mono: monotonic seconds, for deadlines. tls: whom to
    believe over https; None: whom this machine believes.
    """

    def __init__(
        self,
        base_url: str,
        *,
        mono: Callable[[], float],
        client: httpx2.Client | None = None,
        limits: Limits | None = None,
        meter: Meter | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.meter = meter if meter is not None else Meter()
        self._base = base_url.rstrip("/")
        self._mono = mono
        self._limits = limits if limits is not None else Limits()
        self._given = client
        self._tls = tls
        self._begun = b""  # name of the request that broke off

    @cached_property
    def _http(self) -> _Library:
        """Loaded at the first exchange, on the network thread: a station starts without it."""
        secure = self._base.startswith("https:")
        return _Library(self._given, self._mono, self._limits.keepalive_s, self._tls, secure=secure)

    def exchange(self, body: bytes) -> bytes:
        """POST /v1/sync. body: a sync request; returns the reply's bytes, unverified.

        A large one that breaks off goes on behind what the hub has of it, within the time for one exchange.
        Raises Begun when it did not come to its end that way; bring the same bytes again.
        """
        if len(body) < WORTH_BYTES:
            return self._post(SYNC, body)
        until_s = self._mono() + self._limits.total_s
        name = body[NAME_AT]
        first = at = self._held(name, len(body)) if self._begun == name else 0
        for _ in range(BREAKS_MAX):
            self._begun = name
            try:
                reply = self._post(f"{SYNC}/{name.hex()}/{at}" if at else SYNC, body[at:])
            except HubBusy:
                raise
            except TransportError as error:
                if error.code not in BROKEN:
                    self._begun = b""  # nobody goes on with what was refused
                    raise
                held = self._held(name, len(body)) if self._mono() < until_s else at
                if held <= 0:
                    raise
                if held - at < STEP_BYTES:
                    what = f"{held} of {len(body)} bytes are there: {error.what}"
                    raise Begun(what, moved=held > first) from error
                at = held
            else:
                self._begun = b""
                return reply
        raise Begun(f"{at} of {len(body)} bytes are there, after {BREAKS_MAX} breaks", moved=at > first)

    def enrol(self, body: bytes) -> bytes:
        """POST /v1/enrol. body: an enrolment request; returns the hub's answer, unverified."""
        return self._post("/v1/enrol", body)

    def fetch(self, sha256: bytes, offset: int, length: int) -> bytes:
        """GET /v1/blob/<hex>, bytes offset … offset+length−1, never none.

        Fewer at the blob's end, and when the link broke after at least PIECE_BYTES_MIN of them.
        """
        tag = f'"{sha256.hex()[:ETAG_HEX]}"'
        # Content is what a proxy may want to compress; replies are of no type that it would.
        wanted = {"Accept-Encoding": "identity", "Range": f"bytes={offset}-{offset + length - 1}"}
        if offset:
            wanted["If-Range"] = tag
        try:
            status, headers, data = self._send("GET", f"/v1/blob/{sha256.hex()}", wanted, b"", length)
        except CutShort as cut:
            if len(cut.data) < PIECE_BYTES_MIN:
                raise
            status, headers, data = cut.status, cut.headers, cut.data
        if status == 404:
            raise TransportError("blob-absent", "the hub does not hold this content (yet)")
        if status not in (200, 206):
            raise self._refusal(status, headers, data)
        if headers.get("content-type", "").split(";")[0].strip() not in (BLOB_TYPE, CONTENT_TYPE):
            raise TransportError("not-the-hub", "the answer is not content from the hub")
        if headers.get("etag", tag) != tag:
            raise TransportError("blob-other", "the answer is another content than was asked for")
        if status == 206 and not headers.get("content-range", "").startswith(f"bytes {offset}-"):
            raise TransportError("blob-range", "the hub answered with another part of the content")
        if status == 200 and offset != 0:
            raise TransportError("blob-range", "the link does not pass partial content on")
        if not data:
            raise TransportError("blob-range", "the answer is empty")
        return data

    def close(self) -> None:
        """Closes the connection. The transport is not used after it."""
        self._http.client.close()

    def _held(self, name: bytes, size: int) -> int:
        """Bytes of this request that the hub says it has; Begun when the line is down."""
        try:
            status, _, data = self._send("GET", f"{SYNC}/{name.hex()}", {}, b"", ERROR_BYTES_MAX)
        except TransportError as error:
            raise Begun(f"the line broke: {error.what}", moved=False) from error
        text = data.decode("ascii", "replace")
        return min(int(text), size) if status == 200 and len(text) <= 7 and text.isdecimal() else 0

    def _post(self, path: str, body: bytes) -> bytes:
        typed = not path.startswith(SYNC)
        headers = {"Content-Type": CONTENT_TYPE} if typed else {}
        headers["Content-Length"] = str(len(body))
        status, answered, data = self._send("POST", path, headers, body, REPLY_BYTES_MAX)
        if status != 200:
            raise self._refusal(status, answered, data)
        kind = answered.get("content-type", "").split(";")[0].strip()
        if kind != CONTENT_TYPE and (typed or kind or not data.startswith(REPLY_MAGIC)):
            raise TransportError("not-the-hub", "something else than the hub answered (a captive portal?)")
        return data

    def _send(
        self, method: str, path: str, headers: dict[str, str], body: bytes, bytes_max: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        http, limits = self._http, self._limits
        started_s = self._mono()
        http.deadline.at_s = started_s + limits.total_s
        timeout = {"connect": limits.connect_s, "read": limits.read_s, "write": limits.read_s, "pool": 1.0}
        try:
            url: httpx2.URL | str = self._base + path
            if path == SYNC:
                url = http.sync_url = http.sync_url or http.httpx2.URL(url)
            request = http.httpx2.Request(
                method,
                url,
                # Set by hand: the library's own eight headers would double an idle request.
                headers=headers,
                content=body or None,
                extensions={"timeout": timeout},
            )
            sent = _request_bytes(method, path, request.headers.raw, body)
            try:
                response = http.client.send(request, stream=True, follow_redirects=False)
            except http.unreached:
                raise
            except http.faults:
                self.meter.up += sent
                raise
            self.meter.up += sent
            try:
                self.meter.down += _head_bytes(response)
                return response.status_code, response.headers, self._body(response, started_s, bytes_max)
            finally:
                response.close()
        except http.faults as error:
            kind = type(error).__name__
            raise TransportError("link", f"the exchange with the hub failed: {kind}: {error}") from error
        finally:
            http.deadline.at_s = float("inf")

    def _body(self, response: httpx2.Response, started_s: float, bytes_max: int) -> bytes:
        """The whole body. TransportError: too much or re-encoded; CutShort: too slow, too long or cut."""
        room = bytes_max if response.status_code in (200, 206) else ERROR_BYTES_MAX
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise TransportError("rewritten", "something on the way re-encoded the answer")
        declared = response.headers.get("content-length", "")
        if declared and (not declared.isdecimal() or int(declared) > room):
            raise TransportError(
                "oversize", f"the answer announces {declared} bytes, at most {room} are taken"
            )
        body = bytearray()
        try:
            for part in response.iter_raw():
                self.meter.down += len(part)
                if len(body) + len(part) > room:
                    raise TransportError("oversize", f"the answer is longer than {room} bytes")
                body += part
                wrong = self._too_slow(len(body), self._mono() - started_s)
                if wrong is not None:
                    raise CutShort(*wrong, response, bytes(body))
        except self._http.faults as error:
            what = f"the answer broke off: {type(error).__name__}: {error}"
            raise CutShort("link", what, response, bytes(body)) from error
        if declared and len(body) != int(declared):
            what = f"{len(body)} of {declared} bytes arrived"
            raise CutShort("truncated", what, response, bytes(body))
        return bytes(body)

    def _too_slow(self, size: int, taken_s: float) -> tuple[str, str] | None:
        """Code and sentence when an exchange that brought `size` bytes in this time must end."""
        limits = self._limits
        if taken_s > limits.total_s:
            return "deadline", f"the exchange took more than {limits.total_s:g} s"
        if taken_s > limits.rate_grace_s and size < limits.rate_min * (taken_s - limits.rate_grace_s):
            return "too-slow", f"{size} bytes in {taken_s:.0f} s is not an exchange"
        return None

    def _refusal(self, status: int, headers: Mapping[str, str], data: bytes) -> TransportError:
        """What an answer other than success says. It is unsigned: it explains, it never changes state."""
        code, what, hint = _explained(headers, data) or (f"http-{status}", "", "")
        sentence = f"the hub answered {status}" + (f" ({code}: {what})" if what else "")
        if status in (429, 503):
            wait = headers.get("retry-after", "")
            return HubBusy(sentence, float(wait) if wait.isdecimal() else 0.0)
        return TransportError(code, sentence, hint=hint)


def _explained(headers: Mapping[str, str], data: bytes) -> tuple[str, str, str] | None:
    if headers.get("content-type", "").split(";")[0].strip() != CONTENT_TYPE:
        return None
    try:
        tree = unpack(data, bytes_max=ERROR_BYTES_MAX)
    except CodecError:
        return None
    match tree:
        case ("error", str(code), str(what), str(hint)):
            return code, what, hint
    return None


def _request_bytes(method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    return len(f"{method} {path} HTTP/1.1\r\n") + _header_bytes(headers) + len(body)


def _head_bytes(response: httpx2.Response) -> int:
    reason = response.extensions.get("reason_phrase", b"")
    return len(b"HTTP/1.1 200 ") + len(reason) + 2 + _header_bytes(response.headers.raw)


def _header_bytes(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers) + 2
