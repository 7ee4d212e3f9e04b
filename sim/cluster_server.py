"""A bank of receivers behind real sockets: a port each on this machine, datagrams or HTTP.

For tests of the node's lines, and for a technician who wants to see a station drive clusters before the
receivers are bought (`loa sim clusters`). One thread waits for all sockets; an HTTP request must be there
whole within two seconds.

Bound: loopback. A receiver of steel answers on its own box, with its own key.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from node import ClusterEntry
from sim.clusters import Bank

HOST = "127.0.0.1"
PATIENCE_S = 2.0
REQUEST_BYTES_MAX = 4_096


class BankServer:
    """Opens the sockets at once; `start` answers in a thread of its own. port 0: free ones.

    drivers: by turns over the places. now: seconds of the clock the receivers live by.
    """

    def __init__(
        self, bank: Bank, now: Callable[[], float], *, drivers: tuple[str, ...] = ("udp",), port: int = 0
    ) -> None:
        self._bank = bank
        self._now = now
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._sockets: list[tuple[str, socket.socket]] = []
        for nth in range(len(bank.receivers)):
            driver = drivers[nth % len(drivers)]
            kind = socket.SOCK_DGRAM if driver == "udp" else socket.SOCK_STREAM
            made = socket.socket(socket.AF_INET, kind)
            self._sockets.append((driver, made))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((HOST, port + nth if port else 0))
            if driver == "http":
                made.listen(8)
            self._selector.register(made, selectors.EVENT_READ, (nth, driver))
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self.serve, name="bank", daemon=True)

    def entries(self) -> tuple[ClusterEntry, ...]:
        """What a station writes into `clusters.toml` to drive this bank."""
        where = [(driver, f"{HOST}:{made.getsockname()[1]}") for driver, made in self._sockets]
        return self._bank.entries(lambda nth: where[nth])

    def start(self) -> None:
        self._thread.start()

    def serve(self) -> None:
        """Answers until `stop`."""
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                nth, driver = key.data
                made = key.fileobj
                assert isinstance(made, socket.socket)
                with suppress(OSError):
                    (self._datagram if driver == "udp" else self._connection)(nth, made)

    def wake(self) -> None:
        """Ends `serve`. Also from a signal handler."""
        self._wake.send(b"\0")

    def stop(self) -> None:
        self.wake()
        if self._thread.is_alive():
            self._thread.join()
        self._selector.close()
        for _, made in self._sockets:
            made.close()
        self._wake.close()
        self._woken.close()

    def sounding(self) -> list[bytes | None]:
        with self._lock:
            return self._bank.sounding(self._now())

    # -- inside ----------------------------------------------------------------------------------------------

    def _take(self, nth: int, message: bytes) -> bytes | None:
        with self._lock:
            return self._bank.receivers[nth].take(message, self._now())

    def _datagram(self, nth: int, made: socket.socket) -> None:
        message, where = made.recvfrom(REQUEST_BYTES_MAX)
        answer = self._take(nth, message)
        if answer is not None:
            made.sendto(answer, where)

    def _connection(self, nth: int, made: socket.socket) -> None:
        line, _ = made.accept()
        with line:
            line.settimeout(PATIENCE_S)
            answer = self._take(nth, message_of(line))
            if answer is None:
                line.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-loa-cluster\r\n"
                f"Content-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
            )
            line.sendall(head.encode() + answer)


def message_of(line: socket.socket) -> bytes:
    """The message in a request; b"" for anything else. Raises OSError when it does not come."""
    got = b""
    while len(got) <= REQUEST_BYTES_MAX:
        head, gap, body = got.partition(b"\r\n\r\n")
        words = head.split(b"\r\n")[0].split(b" ")
        if gap and words[0] == b"GET":
            try:
                return bytes.fromhex(words[1].removeprefix(b"/loa/1/").decode("ascii"))
            except (ValueError, IndexError):
                return b""
        if gap and (words[:2] != [b"POST", b"/loa/1"] or len(body) >= 64):
            return body if words[:2] == [b"POST", b"/loa/1"] else b""
        part = line.recv(REQUEST_BYTES_MAX)
        if not part:
            return b""
        got += part
    return b""
