"""A station with a board behind its real page: what tests of the page and of a real browser begin with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from commune_office import CHEAP
from flask import Flask
from station_world import World
from test_board import post
from waitress import wasyncore
from waitress.server import create_server

from node.page.office import Office
from node.web import create_app

T = TypeVar("T")

__all__ = ["Screened", "post"]


class Screened:
    """One station, its page, and what its page asks: one question at a time, as on the station's own loop."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World(boards=("km5",), sync_period_s=60)
        self.lock = threading.Lock()
        self.office = Office(self.world.station, cost=CHEAP)
        self.app = self.make_app()
        self.port = 0

    def make_app(self) -> Flask:
        drawn = iter(range(1, 10_000))
        return create_app(
            self.ask,
            entropy=lambda n: next(drawn).to_bytes(n, "big"),
            name=self.world.config.name,
            unit=self.world.config.unit,
        )

    def ask(self, question: Callable[[Office], T], /) -> T:
        with self.lock:
            return question(self.office)

    def run(self, seconds: float, *, step_max_s: float = 1e9) -> None:
        with self.lock:
            self.world.run(seconds, step_max_s=step_max_s)

    # -- over HTTP -------------------------------------------------------------------------------------------

    def serve(self) -> str:
        """Begins to answer on loopback; at the same port as before when it had one."""
        self.server = create_server(self.app, host="127.0.0.1", port=self.port, threads=4)
        self.port = self.server.effective_port
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """The cable is pulled: nothing answers, and connections that were kept alive end."""
        server = self.server
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        self.thread.join(10)
        server.task_dispatcher.shutdown()
        assert not self.thread.is_alive()
