"""The hub in the simulator: its disk, its lives, and the door stations knock at.

The real `Hub` and the real Flask app, reached through `httpx2.WSGITransport`. Its power can go between any
two operations on its disk, also in the middle of a request or an officer's act; an old image can be put back.
Every reply to a sync passes the checkers before it leaves the house.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from hub import KDF_CHEAP, Hub, found, load_config
from hub.web import create_app, keep_part
from ledger.log import Image, VerifyKey
from sim.clock import Agenda
from sim.faults import Dice
from sim.link import Answer
from sim.power import PowerCut, PoweredStore

SYNC = "/v1/sync"  # and what goes on with a large request below it
TICK_S = 300.0  # read models may be this old between two acts of officers


class Headquarters:
    """`replied(hub, reply)` sees each sync reply, `started(hub, rolled_back)` each start.

    `hub` is None while it is down.
    """

    def __init__(
        self,
        agenda: Agenda,
        dice: Dice,
        *,
        province: str,
        password: str,
        replied: Callable[[Hub, bytes], None],
        started: Callable[[Hub, bool], None],
        died: Callable[[str], None],
    ) -> None:
        self._agenda = agenda
        self._dice = dice
        self._replied = replied
        self._started = started
        self._died = died
        self.store = PoweredStore()
        self.config = found(
            self.store,
            province=province,
            name="Yên Bái",
            now=int(agenda.now),
            entropy=dice.entropy("hub/founding"),
            password=password,
            kdf=KDF_CHEAP,
        )
        self.hub: Hub | None = None
        self._door: httpx2.WSGITransport | None = None
        self._app: Any = None
        self.life = 0
        self._cut_next: int | None = None

    @property
    def roots(self) -> tuple[VerifyKey, ...]:
        return self.config.root_keys

    def boot(self, *, rolled_back: bool = False) -> None:
        """A new process on the store; may die of an armed fuse while it starts."""
        assert self.hub is None
        self.life += 1
        try:
            hub = Hub(
                self.store,
                config=load_config(self.store),
                clock_now=lambda: int(self._agenda.now),
                entropy=self._dice.entropy(f"hub/{self.life}"),
            )
            self._app = create_app(hub)
            self._door = httpx2.WSGITransport(self._app)
        except PowerCut:
            self.die("power cut while the hub started")
            return
        self.hub = hub
        with self.store.fuse.looking():
            self._started(hub, rolled_back)
        life = self.life
        self._agenda.after(TICK_S, lambda: self._tick(life))

    def serve(self, request: httpx2.Request) -> Answer:
        """One request through the real app. Raises httpx2.TransportError when nobody answers or the answer
        breaks off.
        """
        if self.hub is None or self._door is None:
            raise httpx2.ConnectError("connection refused", request=request)
        hub = self.hub
        is_sync = request.method == "POST" and request.url.path.startswith(SYNC)
        if self._cut_next is not None and is_sync:
            self.store.fuse.arm(self._cut_next)
            self._cut_next = None
        try:
            response = self._door.handle_request(request)
            body = response.read()
        except PowerCut:
            self.die("power cut inside a request")
            raise httpx2.ReadError("connection reset", request=request) from None
        if response.status_code == 200 and is_sync:
            with self.store.fuse.looking():
                self._replied(hub, body)
        return Answer(response.status_code, tuple(response.headers.raw), body)

    def partly(self, request: httpx2.Request, part: bytes) -> None:
        """A request whose line broke when so much of its body was through."""
        if self.hub is not None and request.method == "POST":
            keep_part(self._app, request.url.path, len(request.read()), part)

    def cut_in_request(self, operations: int) -> None:
        """The power will go at the n-th operation counted from the beginning of the next sync request."""
        self._cut_next = operations

    def spare(self) -> None:
        """No cut that was planned will fall any more."""
        self._cut_next = None
        self.store.fuse.reset()

    def act(self, act: Callable[[], None]) -> bool:
        """Runs something of the hub's own (a command, a tick). False: the power went in the middle."""
        try:
            act()
        except PowerCut:
            self.die("power cut inside an act")
            return False
        return True

    def die(self, why: str) -> None:
        """The power is gone: what was not committed never was."""
        self.hub = self._door = self._app = None
        self.store.fuse.reset()
        self.store.crash()
        self._died(why)

    def put_back(self, image: Image) -> None:
        """An administrator restores an old backup (of a hub that is down)."""
        assert self.hub is None
        self.store.restore(image)

    def _tick(self, life: int) -> None:
        hub = self.hub
        if hub is None or self.life != life:
            return
        if self.act(hub.tick):
            self._agenda.after(TICK_S, lambda: self._tick(life))
