"""mosquitto as a peer: a broker at the station bridges what it queued to the broker at the hub.

The bridge is MQTT's own way to stand a month without a line: QoS 1, no clean session, the queue in the
station's persistence file. At the hub a reader's durable session is waiting, so that its broker must keep
every message; its persistence file is the durable store, and the clock runs until that file is written.

Two marks travel in the same queue before and after the events, on a topic of their own: MQTT keeps the order,
so whoever hears them knows when the first and the last event reached the hub.

Bound: MQTT 3.1.1 over plain TCP. The broker's defaults are kept but for the limit of its queues (1,000).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sim.bench.line import Line
from sim.bench.peer import (
    START_S,
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
    wait_until,
)

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo

KEEPALIVE_S = 60.0
FILE = "mosquitto.db"
BEGIN, END = "mark/begin", "mark/end"
QUIET_S = 1.0
AT_ONCE = 1000
"""So many are published before the answers are waited for."""
READER = "loa-reader"
COMMON = """\
listener {port} 127.0.0.1
allow_anonymous true
user root
log_type error
log_type warning
persistence true
persistence_location {folder}/
max_queued_messages 0
"""
# `user root`: started by root, the broker would become a user who may not write here; else it has no effect.
BRIDGE = """\
connection hub
address 127.0.0.1:{hub}
remote_clientid loa-station
topic ack/# out 1
topic mark/# out 1
cleansession false
bridge_protocol_version mqttv311
try_private true
restart_timeout 1
keepalive_interval {keepalive}
"""


class Mosquitto:
    """See `sim.bench.peer.Peer`."""

    title = "mosquitto"
    durability = (
        "QoS 1, acknowledged from memory; the whole store is written and fsynced once at the end, inside the "
        "measured time; in daily use every 30 min, so that a power cut loses what came since"
    )
    keepalive_default_s = KEEPALIVE_S

    def missing(self) -> str:
        return missing("mosquitto", "mosquitto", "paho.mqtt.client", "paho-mqtt")

    def version(self) -> str:
        return said_of_itself("mosquitto", "-h")

    def replicate(self, folder: Path, said: Sequence[Said]) -> Replicated:
        _fill(folder / "station", said)
        with ExitStack() as stack:
            port, hub = stack.enter_context(_broker(folder / "hub"))
            _session(port)
            marks = stack.enter_context(_marks(port, hub))
            _, station = stack.enter_context(_broker(folder / "station", bridge_to=port))
            wait_until(lambda: END in marks, "the bridge did not bring everything")
            station_s = station.cpu_s()
            stored = folder / "hub" / FILE
            hub.tell(signal.SIGUSR1)
            wait_until(stored.exists, "the store was not written")  # renamed there when it is whole
            wall_s = time.monotonic() - marks[BEGIN][0]
            hub_s = hub.cpu_s() - marks[BEGIN][1]
            stored_bytes = stored.stat().st_size
        with _broker(folder / "hub") as (port, _):
            read = _read(port, len(said))
        must_hold(read, said)
        return Replicated(len(said), wall_s, hub_s, hub_s + station_s, stored_bytes)

    def month(self, folder: Path, said: Sequence[Said]) -> int:
        _fill(folder / "station", said)
        with ExitStack() as stack:
            port, hub = stack.enter_context(_broker(folder / "hub"))
            _session(port)
            marks = stack.enter_context(_marks(port, hub))
            line = stack.enter_context(Line(port))
            stack.enter_context(_broker(folder / "station", bridge_to=line.port))
            wait_until(lambda: END in marks, "the bridge did not bring everything")
            settle(line, QUIET_S)
            return line.up + line.down

    @contextmanager
    def hold(self, folder: Path, keepalive_s: float | None) -> Iterator[Line]:
        keepalive_s = KEEPALIVE_S if keepalive_s is None else keepalive_s
        with ExitStack() as stack:
            port, _ = stack.enter_context(_broker(folder / "hub"))
            line = stack.enter_context(Line(port))
            stack.enter_context(_broker(folder / "station", line.port, keepalive_s))
            wait_until(lambda: line.down > 0, "the bridge did not connect")
            settle(line, QUIET_S)
            yield line


@contextmanager
def _broker(
    folder: Path, bridge_to: int | None = None, keepalive_s: float = KEEPALIVE_S
) -> Iterator[tuple[int, Server]]:
    path = program("mosquitto")
    if path is None:
        raise PeerFailed("there is no mosquitto")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    text = COMMON.format(port=port, folder=folder)
    if bridge_to is not None:
        text += BRIDGE.format(hub=bridge_to, keepalive=round(keepalive_s))
    config = folder / "mosquitto.conf"
    config.write_text(text, "ascii")
    with serving((path, "-c", str(config)), port, folder / "log") as server:
        yield port, server


def _fill(folder: Path, said: Sequence[Said]) -> None:
    """The station's broker keeps everything for a hub that is not there, and ends, saved."""
    words = [(BEGIN, b""), *((f"ack/{unit}", event) for unit, event in said), (END, b"")]
    with _broker(folder, bridge_to=free_port()) as (port, _), _client(port, "loa-teller") as client:
        for at in range(0, len(words), AT_ONCE):
            infos = [client.publish(topic, payload, qos=1) for topic, payload in words[at : at + AT_ONCE]]
            wait_until(partial(_all_answered, infos), "filling the station")


def _all_answered(infos: Sequence[MQTTMessageInfo]) -> bool:
    return all(info.is_published() for info in infos)


def _session(port: int) -> None:
    """A reader who subscribed and went: from now on the broker must keep what it is sent."""
    granted = threading.Event()
    with _client(port, READER, durable=True) as client:
        client.on_subscribe = lambda *_: granted.set()
        client.subscribe("ack/#", qos=1)
        wait_until(granted.is_set, "the reader was not let in", START_S)


@contextmanager
def _marks(port: int, hub: Server) -> Iterator[dict[str, tuple[float, float]]]:
    """mark → (monotonic seconds, the hub's processor seconds) when it was heard at the hub."""
    heard: dict[str, tuple[float, float]] = {}
    granted = threading.Event()

    def hear(_client: object, _data: object, message: MQTTMessage) -> None:
        heard[message.topic] = time.monotonic(), hub.cpu_s()

    with _client(port, "loa-marks") as client:
        client.on_message = hear
        client.on_subscribe = lambda *_: granted.set()
        client.subscribe("mark/#", qos=0)
        wait_until(granted.is_set, "the marks are not heard", START_S)
        yield heard


def _read(port: int, count: int) -> list[bytes]:
    """What the broker kept for the reader, in its order."""
    read: list[bytes] = []

    def keep(_client: object, _data: object, message: MQTTMessage) -> None:
        read.append(bytes(message.payload))

    with _client(port, READER, durable=True, on_message=keep):
        wait_until(lambda: len(read) >= count, "reading the store back")
    return read


@contextmanager
def _client(
    port: int,
    name: str,
    *,
    durable: bool = False,
    on_message: Callable[[Client, object, MQTTMessage], None] | None = None,
) -> Iterator[Client]:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=not durable)
    client.max_inflight_messages_set(0)  # no limit: the client would search its queue at every answer
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        wait_until(client.is_connected, f"{name} cannot connect", START_S)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()
