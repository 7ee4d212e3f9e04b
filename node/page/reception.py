"""The front of a station's office: people sit down with a PIN, choose their first one, enter others.

    challenge = office.challenge(person, address)      counts the try; what to stretch the PIN with
    wrap = challenge.wrap(pin)                         slow: beside the loop, in the page's own thread
    token = office.enter(challenge, wrap, address)     a seat

A key is made when its owner chooses the first PIN, and offered to the province in the same transaction. Who
enters others has a right of this commune, or sits at the box itself.

Bound: seats and people. What they may sign, and signing, is `office`, which this is a part of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.facts import KeyOffered, Right
from ledger.log import OFFER, NotAllowed, SigningKey
from ledger.vault import NONCE_BYTES, SALT_BYTES, Cost, opened, shut, stretched, typed
from node.link.agent import URGENT_S
from node.page.people import (
    CODE_LIFE_S,
    Note,
    People,
    Row,
    asked_rights,
    check_pin,
    code_hash,
    is_code,
    new_code,
)
from node.page.sessions import TOKEN_BYTES, Seat, Sessions, handle_of
from node.presence import Moment, moment_of
from node.station import Station

NEVER_S: Final = 1 << 40  # a code given while nobody knows the time does not run out
CONSOLE: Final = "console"  # the address of whoever sits at the box itself


@dataclass(frozen=True)
class Challenge:
    """With what a PIN is stretched. person: 0 for nobody."""

    person: int
    salt: bytes
    cost: Cost

    def wrap(self, pin: str) -> bytes:
        """Takes a part of a second, on purpose."""
        return stretched(typed(pin), self.salt, self.cost)


@dataclass(frozen=True)
class Person:
    """Somebody who sits at the page. asked: what their role asks for. key_id: of their key.

    unlocked: the key may sign without another PIN. seat: for the office alone.
    """

    id: int
    name: str
    role: str
    asked: Right
    key_id: bytes
    unlocked: bool
    seat: bytes


class Reception:
    """Over a running station. cost: of stretching a PIN."""

    def __init__(self, station: Station, *, cost: Cost | None = None) -> None:
        self.station = station
        self.people = People(station.ledger)
        self.cost = cost or Cost()
        self._sessions = Sessions()
        self._entropy = station.entropy

    # -- time ------------------------------------------------------------------------------------------------

    def now(self) -> Moment:
        """The station's time, and what it is worth."""
        return moment_of(self.station.presence.time, self.station.clock.now())

    @property
    def unit(self) -> str:
        return self.station.config.unit

    def rights(self, key_id: bytes) -> Right:
        """What this key may sign for this commune at this moment."""
        moment = self.now()
        return Right(sum(right for right in Right if self._may(key_id, right, self.unit, moment.utc_s)))

    def _may(self, key_id: bytes, right: int, territory: str, at_s: float) -> bool:
        return self.station.facts.authority.may(key_id, right, territory, at_s)

    # -- sitting down ----------------------------------------------------------------------------------------

    def challenge(self, person: int, address: str, *, inside: bool = False) -> Challenge:
        """Counts a try. inside: by somebody who is signed in.

        NotAllowed: login-delayed, person-unknown, person-off, no-pin-yet.
        """
        self.people.try_now(person, address, self.now().ts, inside=inside)
        row = self._row(person)
        if row.salt is None:
            raise NotAllowed("no-pin-yet", f"{row.name} has no PIN yet", hint="use the one-time code")
        return Challenge(person, row.salt, row.cost)

    def enter(self, challenge: Challenge, wrap: bytes, address: str) -> str:
        """A seat: its token. NotAllowed("wrong-pin")."""
        key = self._opened(challenge, wrap, address, "login-failed")
        self._note("login", challenge.person, address)
        return self._seat(challenge.person, key)

    def login(self, person: int, pin: str, address: str = CONSOLE) -> str:
        """All of it at once: a token. NotAllowed as `challenge` and `enter`."""
        challenge = self.challenge(person, address)
        return self.enter(challenge, challenge.wrap(pin), address)

    def unlock(self, token: str, challenge: Challenge, wrap: bytes, address: str) -> None:
        """The PIN again, in a seat: the key is open for a while. NotAllowed("wrong-pin" | "logged-out")."""
        seat = self._live(token)
        if seat is None or seat.person != challenge.person:
            raise NotAllowed("logged-out", "this seat was left", hint="sign in again")
        key = self._opened(challenge, wrap, address, "unlock-failed")
        self._note("unlock", challenge.person, address)
        self._sessions.open(handle_of(bytes.fromhex(token)), key, self.now().mono_s)

    def person(self, token: str) -> Person | None:
        """Who sits there; None when nobody does any more."""
        seat = self._live(token)
        row = None if seat is None else self.people.row(seat.person)
        if seat is None or row is None or not row.enabled or row.pub is None:
            return None
        asked = asked_rights(row.role)
        handle = handle_of(bytes.fromhex(token))
        return Person(row.id, row.name, row.role, asked, row.key_id, seat.key is not None, handle)

    def leave(self, token: str, address: str) -> None:
        """Gets up; the key is locked."""
        seat = self._live(token)
        if seat is not None:
            self._note("logout", seat.person, address)
            self._sessions.end(handle_of(bytes.fromhex(token)))

    # -- the first PIN, and another one ----------------------------------------------------------------------

    def fresh(self, person: int) -> Challenge:
        """With what a new PIN is to be stretched."""
        return Challenge(person, self._entropy(SALT_BYTES), self.cost)

    def check_code(self, person: int, code: str, address: str) -> None:
        """Before a PIN is stretched for it, so that nobody makes this box work with a guess. Counts the try.

        NotAllowed: login-delayed, person-unknown, person-off, wrong-code.
        """
        self.people.try_now(person, address, self.now().ts)
        if not is_code(self._row(person), code, self.now().ts):
            self._note("code-failed", person, address)
            raise NotAllowed(
                "wrong-code", "not the code that was given, or it is too old", hint="ask for a new one"
            )
        self.people.was_right(person, address)

    def begin(self, person: int, code: str, fresh: Challenge, wrap: bytes, address: str) -> str:
        """Uses up a one-time code: a new key under a new PIN is made and offered to the province. A token.

        NotAllowed: login-delayed, person-unknown, person-off, wrong-code.
        """
        self.check_code(person, code, address)
        row = self._row(person)
        key = SigningKey.from_seed(self._entropy(32))
        with self.station.ledger.transaction():
            self._seal(row, key, fresh, wrap)
            self._note("code-used", person, address)
            self.offer(row, key)
        self._sessions.end_all(person)
        return self._seat(person, key)

    def change_pin(
        self, token: str, old: Challenge, old_wrap: bytes, fresh: Challenge, wrap: bytes, address: str
    ) -> None:
        """The key stays, sealed anew; other seats of this person end. NotAllowed as `unlock`."""
        self.unlock(token, old, old_wrap, address)
        row = self._row(old.person)
        seat = self._live(token)
        assert seat is not None
        assert seat.key is not None
        with self.station.ledger.transaction():
            self._seal(row, seat.key, fresh, wrap)
            self._note("pin-changed", row.id, address)
        self._sessions.end_all(row.id, but=handle_of(bytes.fromhex(token)))

    def offer(self, row: Row, key: SigningKey) -> None:
        """Tells the province that this key wishes for its role's rights. It gives nothing."""
        station = self.station
        public = key.verify_key.raw
        proof = key.sign(OFFER, station.key.key_id + public)
        wish = KeyOffered(self.now().ts, public, proof, row.name, int(asked_rights(row.role)))
        station.ledger.append(station.key, wish.encode())
        self._hurry()

    def offer_again(self, person: Person) -> None:
        """The same wish once more. NotAllowed("key-locked")."""
        self.offer(self._row(person.id), self._key(person))

    # -- other people ----------------------------------------------------------------------------------------

    def add(self, name: str, role: str, by: Person | None, address: str) -> tuple[Row, str]:
        """Enters somebody; the code with which they choose their PIN. by: None at the console.

        NotAllowed: not-yours, person-name, person-exists, role-unknown, people-full.
        """
        code = new_code(self._entropy)
        return self.add_with(name, role, code_hash(code), by, address), code

    def add_with(self, name: str, role: str, code: bytes, by: Person | None, address: str) -> Row:
        """As `add`, with the hash of a code that the caller drew."""
        self._must_manage(by)
        with self.station.ledger.transaction():
            row = self.people.add(name, role, self.now().ts)
            self.people.set_code(row.id, code, self._until_s())
            self._note("person-added", 0 if by is None else by.id, address, row.name)
        return row

    def give_code(self, person: int, by: Person | None, address: str) -> str:
        """A code for who forgot the PIN: a new key comes with it. NotAllowed: not-yours, person-unknown."""
        code = new_code(self._entropy)
        self.give_code_with(person, code_hash(code), by, address)
        return code

    def give_code_with(self, person: int, code: bytes, by: Person | None, address: str) -> None:
        """As `give_code`, with the hash of a code that the caller drew."""
        self._must_manage(by)
        row = self._row(person)
        with self.station.ledger.transaction():
            self.people.set_code(row.id, code, self._until_s())
            self._note("code-made", 0 if by is None else by.id, address, row.name)

    def set_enabled(self, person: int, enabled: bool, by: Person | None, address: str) -> None:
        """Who is off is out at once. NotAllowed: not-yours, person-unknown, yourself."""
        self._must_manage(by)
        if by is not None and by.id == person:
            raise NotAllowed("yourself", "nobody turns themselves off", hint="somebody else does it")
        row = self.people.row(person)
        if row is None:
            raise _unknown()
        with self.station.ledger.transaction():
            self.people.set_enabled(person, enabled)
            act = "person-on" if enabled else "person-off"
            self._note(act, 0 if by is None else by.id, address, row.name)
        if not enabled:
            self._sessions.end_all(person)

    def manages(self, person: Person) -> bool:
        """May enter people: whoever the province has given any right of this commune."""
        return bool(self.rights(person.key_id) & (Right.APPROVE | Right.PROGRAMME))

    def _must_manage(self, by: Person | None) -> None:
        if by is not None and not self.manages(by):
            raise NotAllowed(
                "not-yours",
                "who has no right yet enters nobody",
                hint="wait for the province, or use the console",
            )

    # -- inside ----------------------------------------------------------------------------------------------

    def _row(self, person: int) -> Row:
        row = self.people.row(person)
        if row is None:
            raise _unknown()
        if not row.enabled:
            raise NotAllowed("person-off", f"{row.name} may not sign in", hint="ask who manages this station")
        return row

    def _opened(self, challenge: Challenge, wrap: bytes, address: str, failed: str) -> SigningKey:
        row = self._row(challenge.person)
        seed = None
        if row.sealed is not None and row.salt == challenge.salt:
            seed = opened(wrap, row.sealed, row.owner)
        if seed is None:
            self._note(failed, challenge.person, address)
            raise NotAllowed("wrong-pin", "the PIN is not right", hint="type it again")
        self.people.was_right(challenge.person, address)
        return SigningKey.from_seed(seed)

    def _seal(self, row: Row, key: SigningKey, fresh: Challenge, wrap: bytes) -> None:
        sealed = shut(wrap, key.seed, row.owner, self._entropy(NONCE_BYTES))
        self.people.set_key(row.id, key.verify_key.raw, fresh.salt, sealed, fresh.cost)

    def _seat(self, person: int, key: SigningKey) -> str:
        token = self._entropy(TOKEN_BYTES)
        self._sessions.start(token, person, key, self.now().mono_s)
        return token.hex()

    def _live(self, token: str) -> Seat | None:
        try:
            raw = bytes.fromhex(token)
        except ValueError:
            return None
        return self._sessions.seat(handle_of(raw), self.now().mono_s)

    def _key(self, person: Person) -> SigningKey:
        seat = self._sessions.seat(person.seat, self.now().mono_s)
        if seat is None or seat.person != person.id:
            raise NotAllowed("logged-out", "this seat was left", hint="sign in again")
        if seat.key is None or seat.key.key_id != person.key_id:
            raise NotAllowed("key-locked", "the key is locked", hint="type the PIN")
        return seat.key

    def _hurry(self) -> None:
        self.station.agent.hurry(self.now().mono_s, URGENT_S)
        self.station.look_soon()

    def _until_s(self) -> int:
        moment = self.now()
        return moment.ts + CODE_LIFE_S if moment.trusted else NEVER_S

    def _note(self, act: str, person: int, address: str, detail: str = "") -> None:
        moment = self.now()
        self.people.note(Note(moment.ts, moment.trusted, person, address, act, detail))


def check_new_pin(pin: str, again: str, name: str) -> None:
    """NotAllowed: pin-weak, pin-differs."""
    check_pin(pin, name)
    if pin != again:
        raise NotAllowed("pin-differs", "the two are not the same", hint="type it twice")


def _unknown() -> NotAllowed:
    return NotAllowed("person-unknown", "nobody of this number", hint="look at the list")
