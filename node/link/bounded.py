"""Sockets with one deadline for everything, for the HTTP client.

No HTTP client library has a total deadline: each bounds single reads, so a peer that sends one byte every
few seconds (of the status line, the headers or the TLS handshake) holds a request for hours. Counting in
the body loop alone comes too late for that. Here every connect, read and write gets what is left until the
deadline, and not more than the per-step limit it asked for.

Two habits save air time. What is written is held back until the answer is wanted, so that head and body
of a request leave as one TLS record in one packet. And the TLS session of the last connection is offered
to the next: a resumed handshake carries no certificates, a third of the bytes.

Bound: names are resolved by the C library, which has its own limits (`options timeout` in resolv.conf).
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final, cast

import httpcore2
import httpx2

# Written at once from here on: one TLS record's worth, and more than any head with a small body.
HOLD_BYTES_MAX: Final = 16_384
# SSL_OP_TLSEXT_PADDING of OpenSSL, which the standard library does not name.
TLSEXT_PADDING: Final = 0x10

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Deadline:
    """The moment (monotonic seconds) by which the current exchange must be over; inf between exchanges."""

    def __init__(self, mono: Callable[[], float]) -> None:
        self._mono = mono
        self.at_s = float("inf")

    def cap(self, timeout_s: float | None) -> float | None:
        """The step's own limit, or what is left. Raises ReadTimeout when nothing is left."""
        if self.at_s == float("inf"):
            return timeout_s
        left_s = self.at_s - self._mono()
        if left_s <= 0:
            raise httpcore2.ReadTimeout("the deadline for the whole exchange has passed")
        return left_s if timeout_s is None else min(timeout_s, left_s)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline, sessions: Sessions) -> None:
        self._inner = inner
        self._deadline = deadline
        self._sessions = sessions
        self._held = b""
        self._timeout: float | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with suppress(httpcore2.WriteError):  # a hub that answers early and closes: its answer is what counts
            self._flush()
        data = self._inner.read(max_bytes, self._deadline.cap(timeout))
        self._sessions.learn(self._inner.get_extra_info("socket"))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._timeout = timeout
        self._held += buffer
        if len(self._held) >= HOLD_BYTES_MAX:
            self._flush()

    def close(self) -> None:
        connection = self._inner.get_extra_info("socket")
        if isinstance(connection, ssl.SSLSocket):
            # A server forgets the session of a connection that ends without the last word. Nobody waits.
            with suppress(OSError, ValueError):
                connection.settimeout(0)
                connection.unwrap()
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.cap(timeout))
        return _Stream(inner, self._deadline, self._sessions)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def _flush(self) -> None:
        held, self._held = self._held, b""
        if held:
            self._inner.write(held, self._deadline.cap(self._timeout))


def tls_context(authorities: str | None = None) -> ssl.SSLContext:
    """Whom a station believes over https. authorities: a PEM file of them; None: this machine's.

    TLS 1.3 alone, since both ends are ours: without older versions, and without the padding some servers of
    2013 needed, a greeting is 335 bytes instead of 553.
    """
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.options &= ~TLSEXT_PADDING
    return context


class Sessions:
    """The TLS session of the last connection to the one hub this transport speaks to."""

    def __init__(self) -> None:
        self.last: ssl.SSLSession | None = None

    def offering(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """The context, made to offer the last session in the handshakes it begins."""
        return cast("ssl.SSLContext", _Offering(context, self))

    def learn(self, connection: Any) -> None:
        """A server of TLS 1.3 gives its tickets with the first bytes of its answer."""
        if isinstance(connection, ssl.SSLSocket) and connection.session is not None:
            self.last = connection.session


class _Offering:
    """What httpcore calls of a context: a session is offered, and that HTTP/1.1 is spoken goes unsaid."""

    def __init__(self, context: ssl.SSLContext, sessions: Sessions) -> None:
        self._context = context
        self._sessions = sessions

    def set_alpn_protocols(self, protocols: list[str]) -> None:
        """Not said."""

    def wrap_socket(self, sock: socket.socket, *, server_hostname: str | None = None) -> ssl.SSLSocket:
        return self._context.wrap_socket(
            sock, server_hostname=server_hostname, session=self._sessions.last
        )


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, deadline: Deadline, sessions: Sessions) -> None:
        self._inner = httpcore2.SyncBackend()
        self._deadline = deadline
        self._sessions = sessions

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        stream = self._inner.connect_tcp(
            host, port, self._deadline.cap(timeout), local_address, socket_options
        )
        return _Stream(stream, self._deadline, self._sessions)


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Any:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class BoundedHTTP(httpx2.BaseTransport):
    """One HTTP/1.1 connection under a shared Deadline. Raises httpcore2's errors as they are."""

    def __init__(
        self, deadline: Deadline, *, keepalive_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        sessions = Sessions()
        self._pool = httpcore2.ConnectionPool(
            ssl_context=None if tls is None else sessions.offering(tls),
            max_connections=1,
            keepalive_expiry=keepalive_s,
            network_backend=_Backend(deadline, sessions),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request; the answer's body is read by the caller, chunk by chunk."""
        url = request.url
        answer = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer.stream),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()
