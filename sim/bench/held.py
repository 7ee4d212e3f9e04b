"""A line held for the doorbell: what it costs to come, and what a minute of silence costs.

Both ends are the real ones. Signs of life are hurried so that twenty of them fit into seconds; what one costs
is counted, and how many there are in a minute follows from the station's own habits.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import ExitStack

from hub import doorbell_of
from node import Doorbell, Habits
from sim.bench.line import Line
from sim.bench.setting import Box, Setting
from sim.bench.tls import Front

HURRIED_S, SIGNS = 0.1, 20


def measure(setting: Setting, box: Box, *, secure: bool) -> dict[str, float]:
    """Bytes both ways on the socket: `come` (once for each line) and `minute`."""
    with ExitStack() as stack:
        bell = doorbell_of(setting.hub, ticks=time.monotonic, still_gap_s=HURRIED_S / 4)
        port = bell.listen("127.0.0.1", 0)
        stop = threading.Event()
        thread = threading.Thread(target=bell.run, args=(stop.is_set,), daemon=True)
        thread.start()
        stack.callback(thread.join, 10)
        stack.callback(stop.set)
        front = stack.enter_context(Front(port)) if secure else None
        line = stack.enter_context(Line(port if front is None else front.port))

        def connect() -> socket.socket:
            found = socket.create_connection(("127.0.0.1", line.port), timeout=10)
            return found if front is None else front.trust.wrap_socket(found, server_hostname="127.0.0.1")

        station = Doorbell(
            box.key, box.hub, connect=connect, cursor=lambda: 1 << 40, ring=lambda _urgent: None,
            pause=lambda _wait_s: True, mono=time.monotonic, rng=random.Random(1),  # noqa: S311
            habits=Habits(still_s=HURRIED_S),
        )  # fmt: skip
        caller = threading.Thread(target=station.run, daemon=True)
        caller.start()
        stack.callback(caller.join, 10)
        while not station.connected:
            time.sleep(0.01)
        time.sleep(HURRIED_S / 2)
        come, before_s = line.up + line.down, bell.signs
        while bell.signs < before_s + SIGNS:
            time.sleep(0.01)
        time.sleep(HURRIED_S / 2)
        sign = (line.up + line.down - come) / (bell.signs - before_s)
        stop.set()
        usual = Habits()
        every_s = usual.still_s * (1 - usual.jitter / 2)
        return {"come": come, "minute": round(sign * 60 / every_s, 1)}
