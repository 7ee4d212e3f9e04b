"""A real hub on a disk, behind its real web server, with stations that hold the plan of a workload.

Officers' decisions are signed by an officer's own key that the hub's root granted, as everywhere; they are
only put into the hub's ledger without the forms, since what is measured here is not the forms.
"""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from waitress import wasyncore

from hub import KDF_CHEAP, Hub, Officer, found, seed_demo_accounts
from hub.web import create_app, listen
from ledger.facts import AckCoder, Facts, audience_of
from ledger.log import (
    Accepted,
    DiskStore,
    Ledger,
    SigningKey,
    Token,
    TransportError,
    accept_reply,
    make_enrolment,
    make_request,
    read_enrolment_reply,
)
from node import Begun, HttpTransport, Limits
from sim.bench.workload import Programme, decisions

PROVINCE = "vn.yb"
NOW = 1_793_600_000  # 2026-11-02, a month after the workload's first day
PASSWORD = "quantri-2022"  # noqa: S105 - the demo's, in a directory that is removed
ROUNDS_MAX = 200


class Setting:
    """A hub in a temporary directory, on a loopback port. Use as a context manager."""

    def __init__(self, units: list[str]) -> None:
        self.units = units

    def __enter__(self) -> Setting:
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loa-bench-")))
            store = DiskStore(self.folder / "hub")
            stack.callback(store.close)
            config = found(
                store, province=PROVINCE, name="Yên Bái", now=NOW, entropy=os.urandom,
                password=PASSWORD, kdf=KDF_CHEAP,
            )  # fmt: skip
            self.hub = Hub(store, config=config, clock_now=lambda: NOW, entropy=os.urandom)
            seed_demo_accounts(self.hub, now=NOW)
            admin = self.officer("admin")
            self.hub.commands.register_stations(
                admin, [(unit, f"Trạm {unit}", "it") for unit in self.units], now=NOW
            )
            self.tokens = {
                unit: self.hub.commands.new_station_token(admin, unit, now=NOW).text for unit in self.units
            }
            app = create_app(self.hub, ticks=time.monotonic)
            sockets: dict[int, Any] = {}
            server = listen(app, host="127.0.0.1", port=0, sockets=sockets)
            self.port = int(server.effective_port)
            thread = threading.Thread(target=server.run, name="hub", daemon=True)
            thread.start()
            stack.callback(thread.join, 10)
            # In the loop's own thread: sockets closed under its select are an error there.
            stack.callback(server.trigger.pull_trigger, lambda: wasyncore.close_all(sockets))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def officer(self, account: str) -> Officer:
        passwords = {"admin": PASSWORD, "lanhdao": "lanhdao-2022"}
        officer = self.hub.accounts.login(account, passwords[account], now=NOW)
        assert officer is not None
        return officer

    def plan(self, programme: Programme, territory: str) -> int:
        """Decides the programme; how many decisions that took."""
        key = self.officer("lanhdao").key
        count = 0
        with self.hub.lock, self.hub.ledger.transaction():
            for fact in decisions(programme, territory, NOW - 31 * 86_400):
                self.hub.ledger.append_sealed(key, fact.encode())
                count += 1
        return count

    def station(self, unit: str, port: int | None = None) -> Box:
        return Box(self, unit, self.port if port is None else port)


class Box:
    """A station's ledger and its line to the hub, without the rest of a station."""

    def __init__(self, setting: Setting, unit: str, port: int) -> None:
        self.unit = unit
        self.key = SigningKey.from_seed(os.urandom(32))
        self.again = b""  # a request that broke off
        self.line = HttpTransport(f"http://127.0.0.1:{port}", mono=time.monotonic)
        token = Token.parse(setting.tokens[unit])
        request = make_enrolment(token, self.key, unit=unit, nonce=os.urandom(8))
        enrolled = read_enrolment_reply(token, self.key, request, self.line.enrol(request))
        self.hub = enrolled.hub
        self.facts = Facts(enrolled.roots)
        self.coder = AckCoder(self.facts, unit)
        self.store = DiskStore(setting.folder / unit)
        self.ledger = Ledger(
            self.store.open_db("ledger.db"), entropy=os.urandom, now=lambda: NOW,
            audience_of=audience_of, on_admit=self.facts.admit,
        )  # fmt: skip
        for known in (self.key.verify_key, self.hub, *enrolled.roots):
            self.ledger.trust(known)

    def close(self) -> None:
        self.line.close()
        self.store.close()

    def move(self, port: int, trust: ssl.SSLContext | None = None, limits: Limits | None = None) -> None:
        """Another line to the same hub, as if the process were new. trust: over TLS."""
        self.line.close()
        scheme = "http" if trust is None else "https"
        self.line = HttpTransport(
            f"{scheme}://127.0.0.1:{port}", mono=time.monotonic, tls=trust, limits=limits
        )

    def round(self, *, send_max: int = 262_144) -> Accepted:
        request, self.again = self.again, b""
        request = request or make_request(
            self.ledger, self.key, nonce=os.urandom(8), now=NOW, room=1 << 20, send_max=send_max,
            coder=self.coder,
        )  # fmt: skip
        try:
            reply = self.line.exchange(request)
        except Begun:
            self.again = request  # as a station does: what came of it lies at the hub
            raise
        return accept_reply(self.ledger, self.key, self.hub, request, reply)

    def drain(self, *, send_max: int = 262_144, retry: bool = False) -> int:
        """Rounds until there is nothing more; how many it took."""
        for rounds in range(1, ROUNDS_MAX + 1):
            try:
                if not self.round(send_max=send_max).more:
                    return rounds
            except TransportError:
                if not retry:
                    raise
        raise RuntimeError("the exchange does not end")

    def say(self, events: list[bytes]) -> None:
        """Events as a station says them: on disk at once, sealed when they go."""
        with self.ledger.transaction():
            for event in events:
                self.ledger.append(self.key, event)
