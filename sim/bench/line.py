"""A line between a station and a hub that counts bytes and can be as slow as 2G: a loopback TCP proxy.

Every byte that crosses is counted where it leaves a socket, so headers and everything else of HTTP is in the
figure; TCP's and IP's own headers are not. A slow line delays each direction by half a round trip and lets
`rate_b_s` bytes a second through; a cut closes the connection once, after so many bytes upward, or whenever
so many more came. What was being sent at that moment is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass

CHUNK = 512


@dataclass
class Line:
    """rate_b_s: bytes a second each way, None as fast as the machine. cut_after: bytes upward, once.

    dies_every: bytes upward, again and again.
    """

    hub_port: int
    rate_b_s: float | None = None
    round_trip_s: float = 0.0
    cut_after: int | None = None
    dies_every: int | None = None
    up: int = 0
    down: int = 0
    connections: int = 0
    cuts: int = 0

    def __enter__(self) -> Line:
        if self.dies_every is not None:
            self.cut_after = self.dies_every
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
            ready.set()
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, name="line", daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the line did not come up")
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        async def close() -> None:
            self._server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, near: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self.round_trip_s:
                await asyncio.sleep(self.round_trip_s)  # the handshake of TCP
            far, onward = await asyncio.open_connection("127.0.0.1", self.hub_port)
            # Cancelled when the line is taken down: an end like any other.
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await asyncio.gather(self._pump(near, onward, up=True), self._pump(far, out, up=False))
        finally:
            out.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool) -> None:
        loop = asyncio.get_running_loop()
        free_at = loop.time()
        try:
            while data := await source.read(CHUNK if self.rate_b_s or self.cut_after else 65_536):
                if up:
                    self.up += len(data)
                    if self.cut_after is not None and self.up >= self.cut_after:
                        self.cut_after = self.up + self.dies_every if self.dies_every else None
                        self.cuts += 1
                        raise ConnectionResetError
                else:
                    self.down += len(data)
                if self.rate_b_s:
                    free_at = max(free_at, loop.time()) + len(data) / self.rate_b_s
                    await asyncio.sleep(max(0.0, free_at - loop.time()))
                    loop.call_later(self.round_trip_s / 2, sink.write, data)
                else:
                    sink.write(data)
                    await sink.drain()
        finally:
            if self.rate_b_s:
                await asyncio.sleep(self.round_trip_s / 2 + 0.01)
            sink.close()
