"""Who sits at the page now, and whose key is open. In memory only: a restart signs everybody out.

The cookie holds a random token; here lies its hash, so that whoever reads this process's tables cannot
take a seat with them. A key stays open for a while after the PIN was typed and is locked then, while its
owner stays signed in and looks on: a telephone left on a table signs nothing. Times are monotonic seconds.

Bound: seats. Who may take one is `office`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger.log import SigningKey

TOKEN_BYTES: Final = 32
IDLE_S: Final = 30 * 60.0
LIFE_S: Final = 12 * 3_600.0
OPEN_S: Final = 10 * 60.0  # after the PIN was typed
SEATS_MAX: Final = 64  # the one that was still for longest goes first


@dataclass
class Seat:
    """One person at one browser. key: while it is open."""

    person: int
    began_s: float
    seen_s: float
    key: SigningKey | None
    open_until_s: float


class Sessions:
    """Seats by the hash of their token."""

    def __init__(self) -> None:
        self._seats: dict[bytes, Seat] = {}

    def start(self, token: bytes, person: int, key: SigningKey, mono_s: float) -> bytes:
        """Takes a seat; its handle."""
        self._sweep(mono_s)
        if len(self._seats) >= SEATS_MAX:
            del self._seats[min(self._seats, key=lambda one: self._seats[one].seen_s)]
        handle = handle_of(token)
        self._seats[handle] = Seat(person, mono_s, mono_s, key, mono_s + OPEN_S)
        return handle

    def seat(self, handle: bytes, mono_s: float) -> Seat | None:
        """The seat, seen now; None when it was left, idle too long or too old."""
        self._sweep(mono_s)
        found = self._seats.get(handle)
        if found is not None:
            found.seen_s = mono_s
        return found

    def open(self, handle: bytes, key: SigningKey, mono_s: float) -> None:
        """The PIN was typed again."""
        seat = self._seats[handle]
        seat.key, seat.open_until_s = key, mono_s + OPEN_S

    def end(self, handle: bytes) -> None:
        self._seats.pop(handle, None)

    def end_all(self, person: int, but: bytes = b"") -> None:
        """Every seat of this person, but this one."""
        gone = [handle for handle, seat in self._seats.items() if seat.person == person and handle != but]
        for handle in gone:
            del self._seats[handle]

    def _sweep(self, mono_s: float) -> None:
        for handle, seat in list(self._seats.items()):
            if mono_s - seat.seen_s > IDLE_S or mono_s - seat.began_s > LIFE_S:
                del self._seats[handle]
            elif mono_s >= seat.open_until_s:
                seat.key = None


def handle_of(token: bytes) -> bytes:
    """By what a token is known here."""
    return sha256(b"loa-seat\0" + token).digest()
