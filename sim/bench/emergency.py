"""From the command that orders an emergency to the first sound at a station that holds a doorbell's line.

A real hub behind its real web server and doorbell, and a real station with its own loop, line and courier,
over loopback. What counts: signing, the ring, the station's draw of up to two seconds, the round, the sound's
bytes, the player's start. Sounds are timed and not made. The station would call by itself every 15 minutes.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from hub import doorbell_of
from ledger.log import MemoryStore
from node import (
    Confidence,
    Doorbell,
    HttpTransport,
    Now,
    NullPlayer,
    PlayItem,
    Station,
    ThreadCourier,
    begin,
    finish,
)
from sim.bench.setting import NOW, Setting

ORDERS = 5  # each rings twice; a station follows ten rings in a row and then one a minute
PATIENCE_S = 30.0
UNIT = "vn.yb.04630"


class Clock:
    """Goes on from the setting's moment as the machine does."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()

    def now(self) -> Now:
        mono_s = time.monotonic()
        return Now(NOW + mono_s - self._began_s, mono_s, Confidence.NTP)


class Loudspeaker(NullPlayer):
    """Says when it was started last."""

    def __init__(self) -> None:
        super().__init__()
        self.sounded = threading.Event()
        self.at_s = 0.0

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        self.at_s = time.monotonic()
        super().start(item, now_mono_s)
        self.sounded.set()


def measure(orders: int = ORDERS) -> list[float]:
    """Seconds of each order, the shortest first. Raises RuntimeError when a sound does not come."""
    with Setting([UNIT]) as setting, ExitStack() as stack:
        stop, wake = threading.Event(), threading.Event()
        bell = doorbell_of(setting.hub, ticks=time.monotonic, urgent_gap_s=0.0)
        port = bell.listen("127.0.0.1", 0)
        _thread(stack, lambda: bell.run(stop.is_set))

        store, speaker = MemoryStore(), Loudspeaker()
        url = f"http://127.0.0.1:{setting.port}"
        transport = HttpTransport(url, mono=time.monotonic)
        stack.callback(transport.close)
        request = begin(store, setting.tokens[UNIT], entropy=os.urandom)
        config = finish(store, request, transport.enrol(request), token=setting.tokens[UNIT], hub_url=url)
        pool = stack.enter_context(ThreadPoolExecutor(1))
        courier = ThreadCourier(transport, pool, wake.set)
        station = Station(
            config, store, Clock(), courier, speaker, entropy=os.urandom, rng=random.SystemRandom()
        )

        def live() -> None:
            while not stop.is_set():
                wake.wait(station.tick())
                wake.clear()

        held = Doorbell(
            station.key, setting.hub.key.verify_key, connect=lambda: _connected(port),
            cursor=lambda: station.cursor, ring=courier.ring, pause=stop.wait, mono=time.monotonic,
            rng=random.SystemRandom(),
        )  # fmt: skip
        stack.callback(wake.set)
        _thread(stack, live)
        _thread(stack, held.run)
        stack.callback(stop.set)
        _until(lambda: held.connected and station.cursor > 0)
        return sorted(_order(setting, speaker) for _ in range(orders))


def _order(setting: Setting, speaker: Loudspeaker) -> float:
    officer = setting.officer("lanhdao")
    speaker.sounded.clear()
    ordered_s = time.monotonic()
    series = setting.hub.commands.order_emergency(
        officer, kind="lu-quet", level=2, text="Lũ quét: rời khỏi bờ suối ngay.", territory="vn.yb",
        drill=True, now=NOW,
    )  # fmt: skip
    if not speaker.sounded.wait(PATIENCE_S):
        raise RuntimeError("no sound came")
    took_s = speaker.at_s - ordered_s
    setting.hub.commands.cancel_emergency(officer, series, reason="Hết diễn tập", now=NOW)
    time.sleep(2.5)  # the withdrawal is fetched as well
    return took_s


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def _until(true: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > ends_s:
            raise RuntimeError("the station did not come up")
        time.sleep(0.01)


def _thread(stack: ExitStack, run: Callable[[], None]) -> None:
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stack.callback(thread.join, 10)
