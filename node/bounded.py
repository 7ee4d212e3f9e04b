"""Sockets with one deadline for everything, for the HTTP client.

No HTTP client library has a total deadline: each bounds single reads, so a peer that sends one byte every
few seconds (of the status line, the headers or the TLS handshake) holds a request for hours. Counting in
the body loop alone comes too late for that. Here every connect, read and write gets what is left until the
deadline, and not more than the per-step limit it asked for.

Bound: names are resolved by the C library, which has its own limits (`options timeout` in resolv.conf).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore2
import httpx2

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
    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.cap(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.cap(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.cap(timeout))
        return _Stream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._inner = httpcore2.SyncBackend()
        self._deadline = deadline

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
        return _Stream(stream, self._deadline)


class _Body(httpx2.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Any:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class BoundedHTTP(httpx2.BaseTransport):
    """One HTTP/1.1 connection under a shared Deadline. Raises httpcore2's errors as they are."""

    def __init__(self, deadline: Deadline, *, keepalive_s: float) -> None:
        self._pool = httpcore2.ConnectionPool(
            max_connections=1,
            keepalive_expiry=keepalive_s,
            network_backend=_Backend(deadline),
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
