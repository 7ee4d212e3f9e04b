"""What people do at a station: sit down, open their key, sign. The page's one door to the station.

    token = office.login(person, pin)                  a seat (`reception` has the steps of it)
    who = office.person(token)
    office.sign(who, fact)                             a decision, sealed alone at once with the person's key

All calls but `Challenge.wrap` run on the station's own loop, between two of its looks (`hatch`): so there is
one writer and no lock, and each call must be short.

Signing refuses before it signs: a time that nobody vouches for (`clock-unknown`), a key that is locked
(`key-locked`), a right that no grant in this station's ledger gives (`no-authority`). What was signed is in
the plan at the next look, and the hub is called soon.

Bound: people and their signatures. What a screen shows and asks is its own room beside this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ledger.facts import (
    Fact,
    Returned,
    Right,
    Signed,
    Submitted,
    asks,
    covers,
)
from ledger.log import NotAllowed, Stored, key_words
from ledger.vault import Cost
from node.page.reception import CONSOLE, Challenge, Person, Reception, check_new_pin
from node.station import Station
from node.stick.tray import Tray
from node.stick.usb import beside

if TYPE_CHECKING:
    from ledger.content import TextIndex

__all__ = ["CONSOLE", "Challenge", "Office", "Person", "check_new_pin"]

NEWS_EVERY_S: Final = 20.0


class Office(Reception):
    """Over a running station. cost: of stretching a PIN."""

    def __init__(self, station: Station, *, cost: Cost | None = None) -> None:
        super().__init__(station, cost=cost)
        self.visit = beside(station)
        self.tray = Tray(station.store, self.visit)
        self._asked_s: float | None = None
        self.desk_busy: Callable[[], bool] = lambda: False  # somebody at the box hands a stick in
        self.texts: TextIndex | None = None  # the words inside documents; a page's thread may search it
        self.reads_pdf = False

    # -- rights and signatures -------------------------------------------------------------------------------

    def granted_until_s(self, key_id: bytes) -> int:
        """When the last grant of this key for this commune ends; 0 without one."""
        grants = self.station.facts.authority.grants_of(key_id)
        return max((grant.not_after for grant in grants if covers(grant.territory, self.unit)), default=0)

    def may(self, person: Person, right: Right) -> bool:
        """True when the person's key has all of this right for this commune now."""
        return self._may(person.key_id, right, self.unit, self.now().utc_s)

    def ask_for_news(self) -> None:
        """Somebody at the page waits for what the province has just decided: the hub is asked now.

        At most once in twenty seconds, however often the page is looked at.
        """
        now_s = self.now().mono_s
        if self._asked_s is None or now_s - self._asked_s >= NEWS_EVERY_S:
            self._asked_s = now_s
            self._hurry()

    def six_words(self, person: Person) -> str:
        """What the person reads to the province over the telephone."""
        row = self._row(person.id)
        assert row.pub is not None
        return key_words(self.station.key.key_id, row.pub)

    def sign(self, person: Person, fact: Fact) -> Stored:
        """Signs a decision with this person's key, sealed alone; durable on return, in the plan at once.

        NotAllowed: clock-unknown, key-locked, no-authority, logged-out. Then nothing was signed.
        """
        if not self.now().trusted:
            raise NotAllowed(
                "clock-unknown", "nobody vouches for the time of this station",
                hint="wait for the network, or confirm the time (USB)",
            )  # fmt: skip
        right, territory, ts = _needs(fact, self.unit)
        if not self._may(person.key_id, right, territory, ts):
            self.ask_for_news()
            raise NotAllowed(
                "no-authority", f"no grant here lets this key sign that: {right.say('en')}", where=territory,
                hint="the province grants it: read the six words of the key to them",
            )  # fmt: skip
        key = self._key(person)
        stored = self.station.ledger.append_sealed(key, fact.encode())
        self._hurry()
        return stored

    # -- sticks ----------------------------------------------------------------------------------------------

    def begin_stick(self) -> int:
        """A ticket for the tray. NotAllowed("stick-busy")."""
        if self.desk_busy():
            raise NotAllowed("stick-busy", "a stick is being read at the box", hint="wait until it is done")
        return self.tray.begin(self.now().mono_s)

    @property
    def stick_busy(self) -> bool:
        """True while a stick comes through the page."""
        return self.tray.is_busy(self.now().mono_s)

    def say_time(self, person: Person, word: bytes, *, yes: bool, address: str) -> bool:
        """A person's word on the time; noted. True when emergencies from a stick may begin now."""
        counts = self.tray.answer(word, yes=yes)
        self._note("time-yes" if counts else "time-open" if yes else "time-no", person.id, address)
        self.station.look_soon()
        return counts

    def note_stick(self, person: Person, what: str, address: str) -> None:
        """A stick went out or came in. what: `in` or `out`."""
        self._note(f"stick-{what}", person.id, address)


def _needs(fact: Fact, unit: str) -> tuple[Right, str, int]:
    """The right a decision needs, where, and at what time."""
    if isinstance(fact, Submitted):
        return Right.DRAFT, unit, fact.ts
    if isinstance(fact, Returned):
        return Right.APPROVE, unit, fact.ts
    return asks(Signed(fact, b"", b"", b"", 0, 0))
