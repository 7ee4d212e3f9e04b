"""NATS JetStream as a peer: a stream at the station, sourced by a stream at the hub over a leaf node.

The leaf node with a JetStream domain of its own is NATS's way to stand without a line: the station's server
keeps its stream in files, and the hub's stream takes in what it lacks when the line is there. Both are file
stores. The servers do all the work; the client only fills the station's stream before, and asks the hub's
stream how much it holds.

Bound: a single server on either side, no cluster, no TLS; the defaults of the server otherwise.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sim.bench.line import Line
from sim.bench.peer import (
    POLL_S,
    START_S,
    WORK_S,
    PeerFailed,
    Replicated,
    Said,
    Server,
    free_port,
    missing,
    must_hold,
    program,
    said_of_itself,
    serving,
    settle,
    size_of,
)

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

T = TypeVar("T")
KEEPALIVE_S = 120.0
QUIET_S = 1.0
STATION, HUB = "STATION", "HUB"
FLUSH_EVERY = 500
READ_AT_ONCE = 500
CONFIG = """\
server_name: {name}
listen: 127.0.0.1:{port}
ping_interval: {keepalive}
jetstream {{ store_dir: "{folder}", domain: {name} }}
"""
LISTEN = "leafnodes {{ listen: 127.0.0.1:{port} }}\n"
REMOTE = "leafnodes {{ remotes: [ {{ url: nats-leaf://127.0.0.1:{port} }} ] }}\n"


@dataclass(frozen=True)
class Running:
    """port: of its clients. leaf_port: where leaf nodes call, 0 at a station."""

    server: Server
    folder: Path
    port: int
    leaf_port: int = 0


class Nats:
    """See `sim.bench.peer.Peer`."""

    title = "NATS JetStream"
    durability = (
        "file store, acknowledged before it is on the disk: fsync every 2 min (sync_interval), so that a "
        "power cut loses what came since"
    )
    keepalive_default_s = KEEPALIVE_S

    def missing(self) -> str:
        return missing("nats-server", "nats-server", "nats", "nats-py")

    def version(self) -> str:
        return said_of_itself("nats-server", "--version")

    def replicate(self, folder: Path, said: Sequence[Said]) -> Replicated:
        with ExitStack() as stack:
            hub = stack.enter_context(_server(folder, "hub", LISTEN))
            station = stack.enter_context(_server(folder, "station", REMOTE, hub.leaf_port))
            _run(_fill(station, said))
            hub_s, station_s = hub.server.cpu_s(), station.server.cpu_s()
            before = time.monotonic()
            _run(_source(hub, len(said)))
            wall_s = time.monotonic() - before
            hub_s, station_s = hub.server.cpu_s() - hub_s, station.server.cpu_s() - station_s
            read = _run(_read(hub, len(said)))
        must_hold(read, said)
        # Ended, so that its files are as long as they will be; the reader's state is not the store.
        stored = sum(size_of(path) for path in hub.folder.rglob("msgs") if path.is_dir())
        return Replicated(len(said), wall_s, hub_s, hub_s + station_s, stored)

    def month(self, folder: Path, said: Sequence[Said]) -> int:
        with ExitStack() as stack:
            with _server(folder, "station") as station:
                _run(_fill(station, said))
            hub = stack.enter_context(_server(folder, "hub", LISTEN))
            line = stack.enter_context(Line(hub.leaf_port))
            stack.enter_context(_server(folder, "station", REMOTE, line.port))
            _run(_source(hub, len(said)))
            settle(line, QUIET_S, 2 * QUIET_S)
            return line.up + line.down

    @contextmanager
    def hold(self, folder: Path, keepalive_s: float | None) -> Iterator[Line]:
        keepalive_s = KEEPALIVE_S if keepalive_s is None else keepalive_s
        with ExitStack() as stack:
            hub = stack.enter_context(_server(folder, "hub", LISTEN, keepalive_s=keepalive_s))
            line = stack.enter_context(Line(hub.leaf_port))
            station = stack.enter_context(
                _server(folder, "station", REMOTE, line.port, keepalive_s=keepalive_s)
            )
            _run(_fill(station, []))
            _run(_source(hub, 0))
            settle(line, QUIET_S, 2 * QUIET_S)
            yield line


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Whatever the client complains of is a figure that there is not."""
    from nats.errors import Error

    try:
        return asyncio.run(work)
    except Error as failure:
        raise PeerFailed(f"{type(failure).__name__}: {failure}") from failure


@contextmanager
def _server(
    folder: Path, name: str, leaf: str = "", leaf_port: int = 0, keepalive_s: float = KEEPALIVE_S
) -> Iterator[Running]:
    path = program("nats-server")
    if path is None:
        raise PeerFailed("there is no nats-server")
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    own_leaf_port = free_port() if leaf is LISTEN else 0
    text = CONFIG.format(name=name, port=port, folder=home, keepalive=f'"{round(keepalive_s)}s"')
    config = folder / f"{name}.conf"
    config.write_text(text + leaf.format(port=leaf_port or own_leaf_port), "ascii")
    with serving((path, "-c", str(config)), port, folder / f"{name}.log") as server:
        yield Running(server, home, port, own_leaf_port)


async def _fill(station: Running, said: Sequence[Said]) -> None:
    """The station's own stream holds everything, in its files."""
    from nats.js.api import StorageType, StreamConfig

    async with _client(station) as client:
        stream = client.jetstream(timeout=START_S)
        await stream.add_stream(StreamConfig(name=STATION, subjects=["ack.>"], storage=StorageType.FILE))
        for number, (unit, event) in enumerate(said, 1):
            await client.publish(f"ack.{unit}", event)
            if number % FLUSH_EVERY == 0:
                await client.flush()
        await client.flush()
        await _until(stream, STATION, len(said))


async def _source(hub: Running, count: int) -> None:
    """The hub's stream takes in what the station's holds. Returns when it has `count`."""
    from nats.js.api import ExternalStream, StorageType, StreamConfig, StreamSource

    async with _client(hub) as client:
        await _station_answers(client)
        stream = client.jetstream(timeout=START_S)
        source = StreamSource(name=STATION, external=ExternalStream(api="$JS.station.API"))
        await stream.add_stream(StreamConfig(name=HUB, storage=StorageType.FILE, sources=[source]))
        await _until(stream, HUB, count)


async def _station_answers(client: Client) -> None:
    """Over the leaf node, or PeerFailed."""
    from nats.errors import NoRespondersError
    from nats.errors import TimeoutError as Late

    give_up = time.monotonic() + START_S
    while True:
        try:
            await client.request("$JS.station.API.INFO", timeout=1)
            return
        except (NoRespondersError, Late):
            if time.monotonic() > give_up:
                raise PeerFailed("the leaf node does not answer") from None
            await asyncio.sleep(POLL_S)


async def _until(stream: JetStreamContext, name: str, count: int) -> None:
    give_up = time.monotonic() + WORK_S
    while (held := (await stream.stream_info(name)).state.messages) < count:
        if time.monotonic() > give_up:
            raise PeerFailed(f"gave up after {WORK_S:g} s: {name} holds {held} of {count}")
        await asyncio.sleep(POLL_S)


async def _read(hub: Running, count: int) -> list[bytes]:
    """What the hub's stream holds, in its order."""
    from nats.js.api import AckPolicy, ConsumerConfig

    read: list[bytes] = []
    async with _client(hub) as client:
        reader = await client.jetstream(timeout=START_S).pull_subscribe(
            "", stream=HUB, durable="reader", config=ConsumerConfig(ack_policy=AckPolicy.ALL)
        )
        while len(read) < count:
            messages = await reader.fetch(min(READ_AT_ONCE, count - len(read)), timeout=START_S)
            read += [message.data for message in messages]
            await messages[-1].ack()
    return read


@asynccontextmanager
async def _client(at: Running) -> AsyncIterator[Client]:
    import nats

    client = await nats.connect(f"nats://127.0.0.1:{at.port}", connect_timeout=round(START_S))
    try:
        yield client
    finally:
        await client.close()
