"""The link believes nothing: every fault between station and hub is a TransportError, in bounded time."""

from __future__ import annotations

import gzip
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pytest

from ledger.log.codec import pack
from ledger.log.errors import TransportError
from node.link.transport import CONTENT_TYPE, PIECE_BYTES_MIN, HttpTransport, HubBusy, Limits, Meter

QUICK = Limits(connect_s=1.0, read_s=0.4, total_s=1.2, rate_min=1000.0, rate_grace_s=0.3, keepalive_s=1.0)
TYPE = f"Content-Type: {CONTENT_TYPE}\r\n".encode()
Script = Callable[[socket.socket, bytes], None]


class Seen(NamedTuple):
    up: list[int]
    down: list[int]
    heads: list[bytes]


def _request(peer: socket.socket) -> bytes:
    """One whole HTTP request, or what came until the peer closed."""
    data = b""
    while True:
        if b"\r\n\r\n" in data:
            head, _, body = data.partition(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            wanted = int(lengths[0].split(b":")[1]) if lengths else 0
            if len(body) >= wanted:
                return data
        part = peer.recv(65536)
        if not part:
            return data
        data += part


@contextmanager
def server(script: Script) -> Iterator[tuple[str, Seen]]:
    """A raw loopback server that answers each connection's first request by `script`."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = Seen([], [], [])

    class Counting:
        def __init__(self, peer: socket.socket) -> None:
            self.peer = peer

        def sendall(self, data: bytes) -> None:
            seen.down.append(len(data))
            self.peer.sendall(data)

        def __getattr__(self, name: str) -> object:
            return getattr(self.peer, name)

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                try:
                    data = _request(peer)
                    seen.up.append(len(data))
                    seen.heads.append(data.partition(b"\r\n\r\n")[0])
                    script(Counting(peer), data)  # type: ignore[arg-type]
                except OSError:
                    pass  # the client left: that is what the test wants to see

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _ask(script: Script, limits: Limits = QUICK) -> bytes:
    with server(script) as (url, _):
        transport = HttpTransport(url, mono=time.monotonic, limits=limits)
        try:
            return transport.exchange(b"question")
        finally:
            transport.close()


def _answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = b"".join(line + b"\r\n" for line in headers)
    return b"HTTP/1.1 " + status + b"\r\n" + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _sender(data: bytes) -> Script:
    return lambda peer, _: peer.sendall(data)


def test_a_good_answer_comes_back_byte_for_byte() -> None:
    assert _ask(_sender(_answer(b"reply", TYPE.strip()))) == b"reply"


def _trickle(data: bytes, every_s: float) -> Script:
    def script(peer: socket.socket, _: bytes) -> None:
        for at in range(len(data)):
            peer.sendall(data[at : at + 1])
            time.sleep(every_s)

    return script


def _stall(data: bytes) -> Script:
    def script(peer: socket.socket, _: bytes) -> None:
        peer.sendall(data)
        time.sleep(2.0)

    return script


def _reset(peer: socket.socket, _: bytes) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\n" + TYPE + b"Content-Length: 100\r\n\r\nhalf")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


LONG = b"x" * 400
FAULTS: dict[str, Script] = {
    "a body cut in the middle": _sender(b"HTTP/1.1 200 OK\r\n" + TYPE + b"Content-Length: 100\r\n\r\nhalf"),
    "a chunked body cut in the middle": _sender(
        b"HTTP/1.1 200 OK\r\n" + TYPE + b"Transfer-Encoding: chunked\r\n\r\n20\r\nhalf"
    ),
    "no answer at all": _stall(b""),
    "silence after the headers": _stall(b"HTTP/1.1 200 OK\r\n" + TYPE + b"Content-Length: 100\r\n\r\n"),
    "a body one byte at a time": _trickle(_answer(LONG, TYPE.strip()), 0.01),
    "headers one byte at a time": _trickle(b"HTTP/1.1 200 OK\r\nX-Long: " + LONG, 0.05),
    "a reset connection": _reset,
    "a closed connection": lambda peer, _: None,
    "a captive portal's page": _sender(_answer(b"<html>login</html>", b"Content-Type: text/html")),
    "a redirect": _sender(_answer(b"", TYPE.strip(), b"Location: http://127.0.0.1:1/", status=b"302 Found")),
    "a carrier's 502": _sender(_answer(b"bad", b"Content-Type: text/html", status=b"502 Bad Gateway")),
    "a body gzipped on the way": _sender(
        _answer(gzip.compress(b"reply"), TYPE.strip(), b"Content-Encoding: gzip")
    ),
    "an announced giant": _sender(b"HTTP/1.1 200 OK\r\n" + TYPE + b"Content-Length: 99999999\r\n\r\n"),
    "an unannounced giant": _sender(b"HTTP/1.1 200 OK\r\n" + TYPE + b"\r\n" + bytes(300_000)),
    "something that is not HTTP": _sender(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "an endless header": _sender(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_the_link_is_a_transport_error_in_bounded_time(fault: str) -> None:
    started_s = time.monotonic()
    with pytest.raises(TransportError):
        _ask(FAULTS[fault])
    assert time.monotonic() - started_s < QUICK.total_s + 1.5


def test_a_hub_that_is_not_there_is_a_transport_error() -> None:
    spare = socket.create_server(("127.0.0.1", 0))
    port = spare.getsockname()[1]
    spare.close()
    meter = Meter()
    transport = HttpTransport(f"http://127.0.0.1:{port}", mono=time.monotonic, limits=QUICK, meter=meter)
    with pytest.raises(TransportError):
        transport.exchange(b"question")
    assert meter == Meter(0, 0)


def test_a_busy_hub_says_when_to_come_back() -> None:
    busy = _answer(b"", TYPE.strip(), b"Retry-After: 37", status=b"503 Service Unavailable")
    with pytest.raises(HubBusy) as caught:
        _ask(_sender(busy))
    assert caught.value.retry_after_s == 37


def test_a_refusal_of_the_hub_is_explained_by_its_own_words() -> None:
    body = pack(["error", "unknown-key", "nobody introduced this key", "enrol the station"])
    with pytest.raises(TransportError) as caught:
        _ask(_sender(_answer(body, TYPE.strip(), status=b"403 Forbidden")))
    assert caught.value.code == "unknown-key"
    assert "enrol the station" in caught.value.explain()


def test_the_meter_counts_the_bytes_that_crossed_the_wire() -> None:
    answer = _answer(b"reply" * 100, TYPE.strip(), b"Server: test")
    with server(_sender(answer)) as (url, seen):
        meter = Meter()
        transport = HttpTransport(url, mono=time.monotonic, limits=QUICK, meter=meter)
        transport.exchange(b"question")
        transport.close()
    assert (meter.up, meter.down) == (sum(seen.up), sum(seen.down))


def test_a_request_carries_no_more_headers_than_it_needs() -> None:
    with server(_sender(_answer(b"reply", TYPE.strip()))) as (url, seen):
        transport = HttpTransport(url, mono=time.monotonic, limits=QUICK)
        transport.exchange(b"question")
        transport.close()
    assert len(seen.heads[0]) < 160, seen.heads[0]


CHUNK = bytes(range(256)) * 4
BLOB = b"Content-Type: application/octet-stream"


def _ranged(peer: socket.socket, data: bytes) -> None:
    line = next(line for line in data.split(b"\r\n") if line.lower().startswith(b"range:"))
    first, last = (int(n) for n in line.split(b"=")[1].split(b"-"))
    body = CHUNK[first : last + 1]
    whole = b"Content-Range: bytes %d-%d/%d" % (first, first + len(body) - 1, len(CHUNK))
    peer.sendall(_answer(body, BLOB, whole, status=b"206 Partial Content"))


def test_a_part_of_a_blob_is_fetched_by_range() -> None:
    with server(_ranged) as (url, _):
        transport = HttpTransport(url, mono=time.monotonic, limits=QUICK)
        assert transport.fetch(bytes(32), 1000, 500) == CHUNK[1000:]
        transport.close()


@pytest.mark.parametrize(
    "answer",
    [
        _answer(CHUNK, BLOB),
        _answer(b"x", BLOB, b"Content-Range: bytes 5-5/9", status=b"206 P"),
        _answer(b"", BLOB, b"Content-Range: bytes 7-7/9", status=b"206 P"),
        _answer(b"x", b"Content-Type: text/html", b"Content-Range: bytes 7-7/9", status=b"206 P"),
        _answer(b"", TYPE.strip(), status=b"404 Not Found"),
        _answer(b"", TYPE.strip(), status=b"416 Range Not Satisfiable"),
    ],
    ids=["whole instead of part", "another part", "nothing", "a page", "absent", "beyond the end"],
)
def test_a_wrong_part_of_a_blob_is_a_transport_error(answer: bytes) -> None:
    with server(_sender(answer)) as (url, _):
        transport = HttpTransport(url, mono=time.monotonic, limits=QUICK)
        with pytest.raises(TransportError):
            transport.fetch(bytes(32), 7, 16)
        transport.close()


# -- content is worth keeping --------------------------------------------------------------------------------

LARGE = random.Random(1).randbytes(3 * PIECE_BYTES_MIN)
RANGED = b"Content-Range: bytes 7-%d/99999" % (6 + len(LARGE))
BEGUN = _answer(LARGE, BLOB, RANGED, status=b"206 Partial Content")


def _fetched(script: Script, offset: int = 7, length: int = len(LARGE)) -> bytes:
    with server(script) as (url, _):
        transport = HttpTransport(url, mono=time.monotonic, limits=QUICK)
        try:
            return transport.fetch(bytes(32), offset, length)
        finally:
            transport.close()


def _then_reset(data: bytes) -> Script:
    def script(peer: socket.socket, _: bytes) -> None:
        peer.sendall(data)
        time.sleep(0.05)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    return script


def _slowly(data: bytes) -> Script:
    """Fast enough for every step and for the minimum rate, and over the deadline for the whole."""

    def script(peer: socket.socket, _: bytes) -> None:
        for at in range(0, len(data), 500):
            peer.sendall(data[at : at + 500])
            time.sleep(0.08)

    return script


@pytest.mark.parametrize(
    "script",
    [_sender(BEGUN[:-3_000]), _stall(BEGUN[:-3_000]), _then_reset(BEGUN[:-3_000]), _slowly(BEGUN)],
    ids=["closed", "silent", "reset", "past the deadline"],
)
def test_what_came_of_content_before_the_link_broke_is_handed_on(script: Script) -> None:
    started_s = time.monotonic()
    data = _fetched(script)
    assert PIECE_BYTES_MIN <= len(data) < len(LARGE)
    assert LARGE.startswith(data)
    assert time.monotonic() - started_s < QUICK.total_s + 1.0


def test_a_beginning_too_small_for_another_request_is_a_failure() -> None:
    head = len(BEGUN) - len(LARGE)
    with pytest.raises(TransportError, match=r"^link"):
        _fetched(_sender(BEGUN[: head + PIECE_BYTES_MIN - 1]))
    assert len(_fetched(_sender(BEGUN[: head + PIECE_BYTES_MIN]))) == PIECE_BYTES_MIN


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("not-the-hub", _answer(LARGE, b"Content-Type: text/html", RANGED, status=b"206 P")[:-9]),
        ("blob-range", _answer(LARGE, BLOB, b"Content-Range: bytes 8-99/9", status=b"206 P")[:-9]),
        ("blob-other", _answer(LARGE, BLOB, RANGED, b'ETag: "another"', status=b"206 P")),
        ("blob-range", _answer(LARGE, BLOB, status=b"200 OK")[:-9]),
        ("oversize", _answer(LARGE, BLOB, status=b"502 Bad Gateway")[:-9]),
    ],
    ids=["a page", "another part", "another content", "the whole from its beginning", "a gateway"],
)
def test_the_beginning_of_something_else_is_not(code: str, answer: bytes) -> None:
    with pytest.raises(TransportError) as caught:
        _fetched(_sender(answer))
    assert caught.value.code == code


def test_going_on_says_of_which_content_and_asks_for_no_more_than_that() -> None:
    with server(_sender(BEGUN)) as (url, seen):
        for offset in (7, 0):
            transport = HttpTransport(url, mono=time.monotonic, limits=QUICK)
            with suppress(TransportError):  # the answer to the second is another part than was asked for
                transport.fetch(b"\xab" * 32, offset, len(LARGE))
            transport.close()
    assert b'If-Range: "abababababababab"' in seen.heads[0]
    assert b"Range: bytes=7-%d" % (6 + len(LARGE)) in seen.heads[0]
    assert b"If-Range" not in seen.heads[1]
    assert len(seen.heads[0]) < 260


def test_a_reply_to_an_exchange_is_whole_or_nothing() -> None:
    with pytest.raises(TransportError, match=r"^link"):
        _ask(_sender(_answer(LARGE, TYPE.strip())[:-1]))
