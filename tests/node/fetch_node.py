"""A station with its network on a thread, as it ships, and a clock of the test that jumps over every wait."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from station_world import UNIT, TestClock

from ledger.log import Store
from node import HttpTransport, NullPlayer, Station, ThreadCourier, begin, finish, load_config
from node.link.transport import Limits

QUICK = Limits(read_s=0.4, total_s=20.0)


class Node:
    """A station on a store, over a line. `boot` is a process; the old one is simply dropped."""

    def __init__(self, store: Store, clock: TestClock, url: str, mono: Callable[[], float]) -> None:
        self.store = store
        self.clock = clock
        self.url = url
        self.mono = mono
        self._lives = 0
        self._woken = threading.Event()
        self._network = ThreadPoolExecutor(1)
        self._transport: HttpTransport | None = None

    def enrol(self, token: str) -> None:
        request = begin(self.store, token, entropy=random.Random(9).randbytes, unit=UNIT)
        transport = HttpTransport(self.url, mono=time.monotonic)
        finish(self.store, request, transport.enrol(request), token=token, hub_url=self.url)
        transport.close()

    def boot(self) -> Station:
        self._lives += 1
        if self._transport is not None:
            self._transport.close()
        self._transport = HttpTransport(self.url, mono=self.mono, limits=QUICK)
        courier = ThreadCourier(self._transport, self._network, self._woken.set)
        self.station = Station(
            load_config(self.store), self.store, self.clock, courier, NullPlayer(),
            entropy=random.Random(self._lives).randbytes, rng=random.Random(self._lives),
        )  # fmt: skip
        return self.station

    def run_until(self, done: Callable[[], bool], limit_s: float = 14_000.0) -> None:
        """Ticks until `done`, in at most so much of the station's own time."""
        end_s = self.clock.utc_s + limit_s
        while not done():
            wait_s = self.station.tick()
            if self.station._exchange.under_way:
                since_s = time.monotonic()
                assert self._woken.wait(60)
                self._woken.clear()
                wait_s = time.monotonic() - since_s
            self.clock.pass_s(wait_s)
            assert self.clock.utc_s < end_s, "the content did not arrive in time"

    def close(self) -> None:
        self._network.shutdown()
        if self._transport is not None:
            self._transport.close()
