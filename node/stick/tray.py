"""A stick that comes through the browser: its files are sent to the page, and the station's own is fetched.

An office has its USB socket at the computer or the telephone in somebody's hand. So the page takes the files
of a stick as an upload and gives the station's bundle as a download; what they hold is handled by the same
`Visit` as a stick in the box, with the same disbelief.

Files arrive in portions and lie in `tray/` until they were taken in. A look at a bundle hashes all of it, so
the page's own thread does that (it only reads); taking in goes piece by piece on the loop. One at a time, and
never together with the desk: both would add to the same half-fetched content.

Bound: this end. Who may, and the words, are the page's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from ledger.log import Corner, NotAllowed, Store, StoreError, stick
from node.room import RESERVE_BYTES
from node.stick.usb import Question, Visit
from node.stick.usb_content import Received
from node.stick.vouch import Word

if TYPE_CHECKING:
    from node.page.hatch import Ask

FOLDER: Final = "tray"
OUT: Final = "out.loa"
TRAY_BYTES_MAX: Final = 64 << 20  # what a browser sends at once; more goes by a stick in the box
PORTION_BYTES: Final = 256 << 10  # written and synced between two looks of the station
PIECES: Final = 8  # taken in between two looks: half a megabyte
STALE_S: Final = 600.0  # a page that said nothing for so long has gone


class File(Protocol):
    """What a browser sent."""

    def read(self, size: int, /) -> bytes: ...


@dataclass
class _Work:
    ticket: int
    seen_s: float
    size: int = 0
    done: Received | None = None
    steps: Iterator[None] | None = None


class Tray:
    """store: the station's. visit: of the running station. All on the loop but `bundle`."""

    def __init__(self, store: Store, visit: Visit) -> None:
        self._corner = Corner(store, FOLDER)
        self._visit = visit
        self._work: _Work | None = None
        self._tickets = 0
        self._clear()

    def is_busy(self, mono_s: float) -> bool:
        """True while a page is at it."""
        return self._work is not None and mono_s - self._work.seen_s < STALE_S

    # -- taking in -------------------------------------------------------------------------------------------

    def begin(self, mono_s: float) -> int:
        """A ticket for the rest. NotAllowed("stick-busy")."""
        if self.is_busy(mono_s):
            raise NotAllowed("stick-busy", "a stick is being read already", hint="wait until it is done")
        self._clear()
        self._tickets += 1
        self._work = _Work(self._tickets, mono_s)
        return self._tickets

    def add(self, ticket: int, nth: int, at: int, data: bytes, mono_s: float) -> None:
        """A portion of the nth file. NotAllowed("stick-large"), StoreError("desk-full")."""
        work = self._of(ticket, mono_s)
        work.size += len(data)
        if work.size > TRAY_BYTES_MAX:
            raise NotAllowed(
                "stick-large",
                "more than a browser may send at once",
                hint="put the stick into the box itself",
            )
        if self._corner.free_bytes() < len(data) + RESERVE_BYTES:
            raise StoreError("desk-full", "there is no room on the card", hint="call the technician")
        self._corner.append(f"{nth}{stick.SUFFIX}", data, at)

    def bundle(self) -> stick.Cargo:
        """What lies in the tray. Reads all of it: in the page's thread, and of files that nobody changes."""
        return stick.look(self._corner)

    def start(self, ticket: int, cargo: stick.Cargo, mono_s: float) -> None:
        work = self._of(ticket, mono_s)
        work.done = Received(cargo.files, len(cargo.damages), len(cargo.cut))
        work.steps = self._visit.taking(cargo, work.done)

    def step(self, ticket: int, mono_s: float) -> bool:
        """A few pieces; False when all is taken in."""
        work = self._of(ticket, mono_s)
        assert work.steps is not None
        return all(next(work.steps, self) is None for _ in range(PIECES))

    def result(self, ticket: int, mono_s: float) -> Received:
        work = self._of(ticket, mono_s)
        assert work.done is not None
        return work.done

    def end(self, ticket: int) -> None:
        """Nothing stays in the tray."""
        if self._work is not None and self._work.ticket == ticket:
            self._work = None
            self._clear()

    # -- giving out, and the question ------------------------------------------------------------------------

    def put_out(self) -> tuple[str, int]:
        """(file name for a stick, bytes) of this station's bundle, which `portion` gives."""
        sent = self._visit.send(self._corner, OUT)
        return f"{self._visit.config.unit}.from-station{stick.SUFFIX}", sent.bytes

    def portion(self, at: int) -> bytes:
        return self._corner.read_at(OUT, at, PORTION_BYTES)

    def question(self) -> Question | None:
        return self._visit.question()

    def answer(self, word: bytes, *, yes: bool) -> bool:
        """A person's word on the time. True when emergencies may begin now."""
        said = Word.decode(word)
        if not yes:
            self._visit.deny()
            return False
        return said is not None and self._visit.take_word(said)

    # -- inside ----------------------------------------------------------------------------------------------

    def _of(self, ticket: int, mono_s: float) -> _Work:
        if self._work is None or self._work.ticket != ticket:
            raise NotAllowed("stick-gone", "the station started anew meanwhile", hint="send the files again")
        self._work.seen_s = mono_s
        return self._work

    def _clear(self) -> None:
        for name in self._corner.names(""):
            self._corner.delete(name)


def take_in(ask: Ask, files: Iterable[File]) -> dict[str, Any]:
    """The whole way, from the page's thread: {"received"} as plain values. Raises NotAllowed, StoreError."""
    ticket = ask(lambda office: office.begin_stick())
    try:
        for nth, file in enumerate(files):
            at = 0
            while data := file.read(PORTION_BYTES):
                place, portion = at, data
                ask(_adding(ticket, nth, place, portion))
                at += len(data)
        tray = ask(lambda office: office.tray)
        cargo = tray.bundle()
        ask(lambda office: office.tray.start(ticket, cargo, office.now().mono_s))
        while ask(lambda office: office.tray.step(ticket, office.now().mono_s)):
            pass
        received = ask(lambda office: office.tray.result(ticket, office.now().mono_s))
        ask(lambda office: office.station.look_soon())
        return received.plain()
    finally:
        ask(lambda office: office.tray.end(ticket))


def _adding(ticket: int, nth: int, at: int, data: bytes) -> Any:
    return lambda office: office.tray.add(ticket, nth, at, data, office.now().mono_s)
