"""A TCP proxy that makes a bad line: one loopback port per station, real bytes counted, faults by seed.

Why a proxy and not a wrapper inside the station: here the station's own HTTP client, its time-outs and its
half-read answers are under test, in the very process that ships. What the line does is decided per exchange
(a new exchange starts when the station speaks after the hub has spoken), and each decision is hashed from
`(seed, station, kind, number of the exchange)`, so taking one station away leaves the others' luck as it was.

The faults of a line: it is down (nobody answers), an answer comes late, a request or an answer is cut after
some bytes, an answer is lost altogether after the hub has done its work. Bytes are never changed here.

Bound: bytes and sockets. It knows neither HTTP nor what a station is; one thread of its own runs the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from ledger.log import TransportError

CHUNK_BYTES = 65_536
"""Read at most so much at once: one kernel buffer's worth, so that a cut lands near the byte it names."""
CONNECT_TIMEOUT_S = 2.0
"""A loopback hub answers at once or is not there."""
START_TIMEOUT_S = 10.0
"""For the loop's thread to come up and to go down."""


@dataclass(frozen=True)
class Fault:
    """What happens to one exchange. kind: delay · cut_request · cut_reply · lose_reply; seconds or bytes."""

    kind: str
    delay_s: float = 0.0
    after_bytes: int = 0


class Weather(Protocol):
    """Decides for a line; asked from the proxy's thread."""

    def is_down(self, station: str) -> bool: ...

    def fault(self, station: str, exchange: int) -> Fault | None: ...


class FairWeather:
    """A line without faults."""

    def is_down(self, station: str) -> bool:
        return False

    def fault(self, station: str, exchange: int) -> Fault | None:
        return None


@dataclass(frozen=True)
class Rates:
    """How often an exchange meets a fault, each between 0 and 1; the delay in real seconds at most."""

    cut_request: float = 0.02
    cut_reply: float = 0.03
    lose_reply: float = 0.03
    delay: float = 0.05
    delay_max_s: float = 0.15
    cut_max_bytes: int = 1_500


class SeededWeather:
    """Faults by seed: `rates` while `is_stormy()`, and windows of story time in which a line is down.

    windows: station → [(from_s, until_s)] in UTC seconds of the story, read with `now()`.
    """

    def __init__(
        self,
        seed: int,
        windows: dict[str, list[tuple[float, float]]],
        *,
        now: Callable[[], float],
        is_stormy: Callable[[], bool],
        rates: Rates | None = None,
    ) -> None:
        self._seed, self._windows, self._now, self._is_stormy = seed, windows, now, is_stormy
        self._rates = rates or Rates()

    def is_down(self, station: str) -> bool:
        windows = self._windows.get(station)
        if not windows:
            return False
        now = self._now()
        return any(start <= now < end for start, end in windows)

    def fault(self, station: str, exchange: int) -> Fault | None:
        if not self._is_stormy():
            return None
        rates, dice = self._rates, partial(share, self._seed, station, exchange=exchange)
        after = int(dice("after") * rates.cut_max_bytes)
        if dice("cut_request") < rates.cut_request:
            return Fault("cut_request", after_bytes=after)
        if dice("cut_reply") < rates.cut_reply:
            return Fault("cut_reply", after_bytes=after)
        if dice("lose_reply") < rates.lose_reply:
            return Fault("lose_reply")
        if dice("delay") < rates.delay:
            return Fault("delay", delay_s=dice("length") * rates.delay_max_s)
        return None


def share(seed: int, station: str, kind: str, *, exchange: int = 0) -> float:
    """A number in [0, 1) that depends on these four and on nothing else."""
    digest = hashlib.sha256(f"{seed}|{station}|{kind}|{exchange}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


@dataclass
class Meter:
    """What really went through one station's line, in bytes of the TCP stream (HTTP heads included)."""

    up: int = 0
    down: int = 0
    connections: int = 0
    exchanges: int = 0
    faults: Counter[str] = field(default_factory=Counter)


class _Cut(Exception):
    """The line broke: both ends of the connection are dropped."""


class FaultProxy:
    """One thread, one loop, one listening port per station. Use as a context manager."""

    def __init__(self, weather: Weather | None = None) -> None:
        self.weather: Weather = weather or FairWeather()
        self.meters: dict[str, Meter] = {}
        self.ports: dict[str, int] = {}
        self.upstream: tuple[str, int] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S):
            raise TransportError("proxy-dead", "the fault proxy's loop did not start")
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_TIMEOUT_S)

    def open(self, station: str) -> int:
        """The loopback port on which this station finds the hub. Any thread may call it."""
        assert self._loop is not None, "open() inside the with block"
        return asyncio.run_coroutine_threadsafe(self._open(station), self._loop).result(START_TIMEOUT_S)

    def totals(self) -> Meter:
        total = Meter()
        for meter in list(self.meters.values()):
            total.up += meter.up
            total.down += meter.down
            total.connections += meter.connections
            total.exchanges += meter.exchanges
            total.faults.update(meter.faults)
        return total

    # ---- the loop's thread ----

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        await _settle()  # connections accepted a moment ago get their task first
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _settle()  # and aborted transports close their sockets

    async def _open(self, station: str) -> int:
        self.meters.setdefault(station, Meter())
        server = await asyncio.start_server(partial(self._accept, station), "127.0.0.1", 0)
        self._servers.append(server)
        port = int(server.sockets[0].getsockname()[1])
        self.ports[station] = port
        return port

    async def _accept(self, station: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(station, reader, writer)
        finally:
            _abort(writer)
            self._tasks.discard(task)

    async def _serve(self, station: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        meter = self.meters[station]
        meter.connections += 1
        if self.weather.is_down(station):
            meter.faults["down"] += 1
            return
        if self.upstream is None:
            return
        host, port = self.upstream
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):  # wait_for would swallow a cancellation here
                hub_reader, hub_writer = await asyncio.open_connection(host, port)
        except (OSError, TimeoutError):
            meter.faults["hub_absent"] += 1
            return
        talk = _Talk(self.weather, station, meter)
        pumps = [
            asyncio.create_task(talk.pump_up(reader, hub_writer)),
            asyncio.create_task(talk.pump_down(hub_reader, writer)),
        ]
        try:
            # The first end to finish, or the first cut, ends both: HTTP here never half-closes.
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for result in await asyncio.gather(*pumps, return_exceptions=True):
                if isinstance(result, BaseException) and not isinstance(
                    result, _Cut | OSError | asyncio.CancelledError
                ):
                    raise result
            _abort(hub_writer)


class _Talk:
    """One connection: who spoke last, the fault of the exchange that is going on, and its bytes so far."""

    def __init__(self, weather: Weather, station: str, meter: Meter) -> None:
        self._weather, self._station, self._meter = weather, station, meter
        self._fault: Fault | None = None
        self._hub_spoke = True  # so that the first bytes of the station start an exchange
        self._sent = self._answered = 0

    async def pump_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            self._check_line()
            self._meter.up += len(data)
            if self._hub_spoke:
                await self._start_exchange()
            fault = self._fault
            if fault is not None and fault.kind == "cut_request":
                room = fault.after_bytes - self._sent
                if room < len(data):
                    writer.write(data[: max(room, 0)])
                    await writer.drain()
                    self._cut("cut_request")
            self._sent += len(data)
            writer.write(data)
            await writer.drain()

    async def pump_down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            self._hub_spoke = True
            self._check_line()
            fault = self._fault
            if fault is not None and fault.kind == "lose_reply":
                self._cut("lose_reply")
            if fault is not None and fault.kind == "cut_reply":
                room = fault.after_bytes - self._answered
                if room < len(data):
                    self._meter.down += max(room, 0)
                    writer.write(data[: max(room, 0)])
                    await writer.drain()
                    self._cut("cut_reply")
            self._answered += len(data)
            self._meter.down += len(data)
            writer.write(data)
            await writer.drain()

    async def _start_exchange(self) -> None:
        self._hub_spoke = False
        self._sent = self._answered = 0
        self._meter.exchanges += 1
        self._fault = self._weather.fault(self._station, self._meter.exchanges)
        if self._fault is not None and self._fault.kind == "delay":
            self._meter.faults["delay"] += 1
            await asyncio.sleep(self._fault.delay_s)

    def _check_line(self) -> None:
        if self._weather.is_down(self._station):
            self._cut("down")

    def _cut(self, kind: str) -> None:
        self._meter.faults[kind] += 1
        raise _Cut(kind)


async def _settle() -> None:
    for _ in range(8):  # longer than any chain of callbacks asyncio needs to accept or to close
        await asyncio.sleep(0)


def _abort(writer: asyncio.StreamWriter) -> None:
    """Lets what was written out go, then ends the connection without waiting for the other side."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    writer.transport.abort()
