"""The hub side of `station_world` behind real HTTP on a loopback port, for real station processes."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from station_world import HUB, ROOT, UNIT, HubSide, TestClock

from ledger.facts import Granted, Right
from ledger.log import (
    BlobError,
    LoaError,
    Token,
    holds_token,
    make_enrolment_reply,
    pack,
    read_enrolment,
)

TOKEN = Token.new(random.Random(5).randbytes)


class Hub(HubSide):
    """Also enrols, by one token."""

    def enrolment(self, body: bytes) -> bytes:
        request = read_enrolment(body)
        if not holds_token(request, TOKEN.record):
            raise BlobError("token-refused", "no such token")
        self.stations[request.key.key_id] = UNIT
        if self.ledger.key_of(request.key.key_id) is None:
            ts = self.ts
            self.sign(HUB, Granted(ts, request.key.raw, int(Right.ACK), UNIT, ts - 3_600, 2**33, 0, "Tú Lệ"))
        return make_enrolment_reply(
            TOKEN.record, body, roots=[ROOT.verify_key], hub=HUB.verify_key, unit=UNIT, name="Tú Lệ",
            province="Yên Bái", hub_time=self.ts,
        )  # fmt: skip


def _handler(hub: Hub, lock: threading.RLock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            act = hub.answer if self.path == "/v1/sync" else hub.enrolment
            try:
                with lock:
                    answer = act(body)
            except LoaError as error:
                self._send(
                    error.status, "application/x-loa", pack(["error", error.code, error.what, error.hint])
                )
                return
            self._send(200, "application/x-loa", answer)

        def do_GET(self) -> None:
            first, last = (int(n) for n in self.headers["Range"].removeprefix("bytes=").split("-"))
            try:
                with lock:
                    data = hub.blobs.read_range(bytes.fromhex(self.path[9:]), first, last - first + 1)
            except BlobError as error:
                self._refuse(404, error)
                return
            span = f"bytes {first}-{first + len(data) - 1}/*"
            self._send(206, "application/octet-stream", data, ("Content-Range", span))

        def _refuse(self, status: int, error: LoaError) -> None:
            self._send(status, "application/x-loa", pack(["error", error.code, error.what, error.hint]))

        def _send(self, status: int, kind: str, body: bytes, *more: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *more):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class names it
            pass

    return Handler


@contextmanager
def serving(clock: TestClock) -> Iterator[tuple[Hub, str, threading.RLock]]:
    """(hub, its address, the lock to hold while touching it)."""
    hub = Hub(clock)
    lock = threading.RLock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub, lock))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_address[1]}", lock
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
