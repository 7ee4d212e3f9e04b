"""A real hub and a real station with its page, joined by the hub's own HTTP application: both ends of a deed.

    pair = Pair("seed"); lan = pair.join("Nguyễn Thị Lan", "officer"); pair.sync()
    pair.house.browser("admin").get("/khoa") …; pair.sync(); lan.get("/")

The station is enrolled with a real token; what it syncs are the real bytes; time is the hub's clock.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from test_web_house import House, build, entropy_from

from ledger.log import MemoryStore, TransportError
from node import Confidence, InlineCourier, Meter, Now, NullPlayer, Station
from node.enrol import begin, finish

sys.path.append(str(Path(__file__).parents[1] / "node"))

from page_world import QUICK, Browser

from ledger.vault import Cost
from node.page.office import Office
from node.web import create_app

TYPE = "application/x-loa"
TU_LE = "vn.yb.04630"


class Clock:
    """The hub's clock, at the station: right, and known to be so."""

    def __init__(self, house: House) -> None:
        self.house = house

    def now(self) -> Now:
        return Now(
            float(self.house.clock[0]), float(self.house.clock[0] % 10_000_000), Confidence.NTP, "boot"
        )


class Line:
    """The hub's own web application as a station's transport."""

    def __init__(self, house: House) -> None:
        self.meter = Meter()
        self._client = house.app.test_client()

    def exchange(self, body: bytes) -> bytes:
        return self._posted("/v1/sync", body)

    def enrol(self, body: bytes) -> bytes:
        return self._posted("/v1/enrol", body)

    def fetch(self, sha256: bytes, offset: int, length: int) -> bytes:
        span = {"Range": f"bytes={offset}-{offset + length - 1}"}
        answer = self._client.get(f"/v1/blob/{sha256.hex()}", headers=span)
        if answer.status_code not in (200, 206):
            raise TransportError("blob-absent", str(answer.status_code))
        return answer.data

    def _posted(self, path: str, body: bytes) -> bytes:
        answer = self._client.post(path, data=body, content_type=TYPE)
        if answer.status_code != 200:
            raise TransportError("link", f"{path}: {answer.status_code}")
        return answer.data


class Pair:
    """house: the hub. station, office: the commune's end."""

    def __init__(self, seed: str, unit: str = TU_LE, cost: Cost = QUICK) -> None:
        self.house = build(seed)
        self.unit = unit
        self.clock = Clock(self.house)
        self.line = Line(self.house)
        admin = self.house.browser("admin").get(f"/tram/{unit}").press("/ma")
        token = admin.html.split('class="code">')[1].split("<")[0]
        self.store = MemoryStore()
        draw = entropy_from(seed + "/box")
        request = begin(self.store, token, entropy=draw)
        config = finish(self.store, request, self.line.enrol(request), token=token, hub_url="http://hub")
        self.station = Station(
            config, self.store, self.clock, InlineCourier(self.line), NullPlayer(), entropy=draw,
            rng=random.Random(seed),
        )  # fmt: skip
        self.office = Office(self.station, cost=cost)
        self.app = create_app(
            lambda question: question(self.office), entropy=draw, name=config.name, unit=config.unit
        )
        self.sync()

    def sync(self) -> None:
        """Both know what the other knew, a few minutes later."""
        for _ in range(4):
            self.house.clock[0] += 61
            self.station.agent.hurry(self.clock.now().mono_s, 0.0)
            self.station.look_soon()
            self.station.tick()
        self.house.hub.tick()

    def visitor(self) -> Browser:
        """A browser on the commune's network."""
        return Browser(self, "192.168.1.20")

    def join(self, name: str, role: str, pin: str = "phở bò 27") -> Browser:
        """Entered at the console, a PIN chosen on the page; signed in, and without any right."""
        row, code = self.office.add(name, role, None, "console")
        browser = self.visitor()
        browser.get("/lan-dau").press("/lan-dau", person=str(row.id), code=code, pin=pin, again=pin)
        assert browser.path == "/toi", browser.text
        return browser

    def key_of(self, name: str) -> str:
        row = self.office.people.named(name)
        assert row is not None
        return row.key_id.hex()
