"""What carries messages to clusters: datagrams, or HTTP where a receiver's maker prefers that. Never waits.

All sockets are non-blocking and looked after when the driver polls, so a hundred dead receivers cost the
station nothing but their silence. An HTTP exchange has one deadline for everything and a bound on its bytes,
because a receiver that sends a byte every few seconds must not be waited for.

Bound: bytes to addresses and back. What is an answer is decided by `cluster_link` with the cluster's key; who
else may send to these sockets does not matter.
"""

from __future__ import annotations

import errno
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from node.clusters.bringing import Line
from node.clusters.listing import ClusterEntry
from node.clusters.wire import MESSAGE_BYTES

HTTP_PATH: Final = "/loa/1"
MEDIA_TYPE: Final = "application/x-loa-cluster"
HTTP_DEADLINE_S: Final = 5.0
HTTP_BYTES_MAX: Final = 2_048
DATAGRAM_MAX: Final = 2_048
_NOT_YET: Final = frozenset(
    {errno.EAGAIN, errno.EWOULDBLOCK, errno.EINPROGRESS, errno.EALREADY, errno.ENOTCONN}
)


class UdpLine:
    """One socket for all clusters of a family of addresses; opened when first needed."""

    def __init__(self, clusters: Sequence[ClusterEntry]) -> None:
        self._clusters = clusters
        self._places = {(one.host, one.port): nth for nth, one in enumerate(clusters) if one.driver == "udp"}
        self._sockets: dict[bool, socket.socket] = {}

    def send(self, nth: int, message: bytes, *, asks: bool) -> None:
        entry = self._clusters[nth]
        line = self._sockets.get(entry.six)
        with suppress(OSError):  # no route now: the same as a lost datagram
            if line is None:
                line = socket.socket(socket.AF_INET6 if entry.six else socket.AF_INET, socket.SOCK_DGRAM)
                line.setblocking(False)
                self._sockets[entry.six] = line
            line.sendto(message, (entry.host, entry.port))

    def receive(self) -> tuple[int, bytes] | None:
        for line in self._sockets.values():
            with suppress(OSError):
                data, where = line.recvfrom(DATAGRAM_MAX)
                return self._places.get((where[0], where[1]), -1), data
        return None

    def close(self) -> None:
        for line in self._sockets.values():
            line.close()
        self._sockets.clear()


class _Exchange:
    """One HTTP/1.1 request and what came of it so far."""

    def __init__(self, entry: ClusterEntry, request: bytes, until_s: float) -> None:
        self.until_s = until_s
        self._rest = request
        self._got = bytearray()
        self._socket = socket.socket(socket.AF_INET6 if entry.six else socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self.failed = self._socket.connect_ex((entry.host, entry.port)) not in (0, *_NOT_YET)

    def move(self) -> bytes | None:
        """Goes on as far as it can. The message of a whole answer, b"" for a useless one, None: not yet."""
        if self.failed:
            return b""
        try:
            while self._rest:
                self._rest = self._rest[self._socket.send(self._rest) :]
            while len(self._got) <= HTTP_BYTES_MAX:
                part = self._socket.recv(HTTP_BYTES_MAX)
                self._got += part
                if not part or (body := http_message(self._got)) is not None:
                    return body if part else b""
        except OSError as error:
            return None if error.errno in _NOT_YET else b""
        return b""

    def close(self) -> None:
        self._socket.close()


class HttpLine:
    """A connection for each message: GET asks, POST orders. mono: seconds of a steady clock."""

    def __init__(self, clusters: Sequence[ClusterEntry], mono: Callable[[], float]) -> None:
        self._clusters = clusters
        self._mono = mono
        self._open: dict[int, _Exchange] = {}
        self._come: deque[tuple[int, bytes]] = deque()
        self._moved_s = float("-inf")

    def send(self, nth: int, message: bytes, *, asks: bool) -> None:
        """One exchange at a time with each: what comes while one is under way is as good as lost."""
        if nth in self._open:
            return
        entry = self._clusters[nth]
        with suppress(OSError):
            request = http_request(entry.address, message, asks=asks)
            self._open[nth] = _Exchange(entry, request, self._mono() + HTTP_DEADLINE_S)

    def receive(self) -> tuple[int, bytes] | None:
        if not self._come and self._open:
            self._move()
        return self._come.popleft() if self._come else None

    def close(self) -> None:
        for exchange in self._open.values():
            exchange.close()
        self._open.clear()

    def _move(self) -> None:
        now_s = self._mono()
        for nth, exchange in list(self._open.items()):
            message = exchange.move()
            if message is None and now_s < exchange.until_s:
                continue
            exchange.close()
            del self._open[nth]
            if message:
                self._come.append((nth, message))


class Lines:
    """Each cluster by the line that its entry names."""

    def __init__(self, clusters: Sequence[ClusterEntry], mono: Callable[[], float]) -> None:
        made: dict[str, Line] = {"udp": UdpLine(clusters), "http": HttpLine(clusters, mono)}
        used = {entry.driver for entry in clusters}
        self._lines = {name: line for name, line in made.items() if name in used}
        self._of = [self._lines[entry.driver] for entry in clusters]

    def send(self, nth: int, message: bytes, *, asks: bool) -> None:
        self._of[nth].send(nth, message, asks=asks)

    def receive(self) -> tuple[int, bytes] | None:
        for line in self._lines.values():
            if (came := line.receive()) is not None:
                return came
        return None

    def close(self) -> None:
        for line in self._lines.values():
            line.close()


def http_request(host: str, message: bytes, *, asks: bool) -> bytes:
    """The request's bytes: `GET /loa/1/<hex>` with a question, `POST /loa/1` with an order."""
    head = f"Host: {host}\r\nConnection: close\r\nAccept: {MEDIA_TYPE}\r\n"
    if asks:
        return f"GET {HTTP_PATH}/{message.hex()} HTTP/1.1\r\n{head}\r\n".encode()
    more = f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(message)}\r\n"
    return f"POST {HTTP_PATH} HTTP/1.1\r\n{head}{more}\r\n".encode() + message


def http_message(got: bytes | bytearray) -> bytes | None:
    """The 64 bytes of a whole good answer; b"" when it can be none any more; None when more must come."""
    head, gap, body = bytes(got).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if not gap:
        return None
    if not lines[0].startswith((b"HTTP/1.1 200 ", b"HTTP/1.0 200 ")):
        return b""
    named = dict(line.lower().split(b":", 1) for line in lines[1:] if b":" in line)
    if named.get(b"content-length", b"").strip() != str(MESSAGE_BYTES).encode():
        return b""
    return None if len(body) < MESSAGE_BYTES else body[:MESSAGE_BYTES]
