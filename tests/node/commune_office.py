"""A commune's office in a real station: people with their own keys, granted by the province over the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from station_world import DAY, HUB, MORNING, ROOT, UNIT, World

from ledger.facts import Granted, Rendition, Right
from ledger.log import VerifyKey
from ledger.vault import Cost
from node.page.bulletins import Bulletins
from node.page.office import CONSOLE, Office, Person
from node.page.people import ROLES
from node.page.recordings import take_recording

CHEAP = Cost(n=2, r=1, p=1)
PIN = "481516"
T = TypeVar("T")


class Commune:
    """Lan writes, Pao approves. `away()` cuts the line; `home()` mends it."""

    def __init__(self, world: World | None = None, *, granted: bool = True) -> None:
        self.world = world or World()
        self.tokens: dict[str, str] = {}
        self.sit()
        if granted:
            for name in ("Lan", "Pao"):
                self.grant(name)
            self.world.run(1_800)

    def sit(self) -> None:
        """A process started: everybody types the PIN."""
        self.office = Office(self.world.station, cost=CHEAP)
        for name, role in (("Lan", "officer"), ("Pao", "approver")):
            row = self.office.people.named(name)
            if row is None:
                row, code = self.office.add(name, role, None, CONSOLE)
                fresh = self.office.fresh(row.id)
                self.tokens[name] = self.office.begin(row.id, code, fresh, fresh.wrap(PIN), CONSOLE)
            else:
                self.tokens[name] = self.office.login(row.id, PIN)

    def grant(self, name: str, rights: Right | None = None) -> None:
        row = self.office.people.named(name)
        assert row is not None
        assert row.pub is not None
        wanted = ROLES[row.role] if rights is None else rights
        hub = self.world.hub
        hub.ledger.trust(VerifyKey(row.pub))
        hub.sign(ROOT, Granted(hub.ts, row.pub, int(wanted), UNIT, MORNING - 86_400, 2**33, 0, name))

    def who(self, name: str) -> Person:
        """The person, with the PIN typed just now."""
        found = self.office.person(self.tokens[name])
        if found is None or not found.unlocked:
            row = self.office.people.named(name)
            assert row is not None
            self.tokens[name] = self.office.login(row.id, PIN)
            found = self.office.person(self.tokens[name])
        assert found is not None
        return found

    @property
    def lan(self) -> Person:
        return self.who("Lan")

    @property
    def pao(self) -> Person:
        return self.who("Pao")

    @property
    def desk(self) -> Bulletins:
        return Bulletins(self.office)

    def ask(self, question: Callable[[Office], T], /) -> T:
        """As the page's hatch, without its threads."""
        return question(self.office)

    def record(self, data: bytes) -> Rendition:
        return take_recording(self.ask, data)

    def write(
        self, title: str = "Lịch tiêm phòng", text: str = "Mời bà con đến trạm y tế xã.", **more: object
    ) -> bytes:
        given: dict[str, object] = {
            "title": title, "category": "y-te", "text": text, "from_day": DAY, "until_day": DAY + 30
        } | more  # fmt: skip
        return self.desk.draft(self.lan, **given)  # type: ignore[arg-type]

    def approve(self, bulletin: bytes, name: str = "Pao") -> None:
        content = self.desk.life(bulletin).content
        self.desk.approve(self.who(name), bulletin, version=content.version, manifest=content.manifest)

    def approved(self, **more: object) -> bytes:
        """Written, submitted and approved."""
        bulletin = self.write(**more)  # type: ignore[arg-type]
        self.desk.submit(self.lan, bulletin)
        self.approve(bulletin)
        return bulletin


__all__ = ["CHEAP", "DAY", "HUB", "MORNING", "PIN", "UNIT", "Commune"]
