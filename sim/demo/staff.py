"""What the officers do on the demo's day: an editor writes, an approver approves, returns, withdraws, orders.

The acts follow the script and go through the hub's own forms (`office`). They block until the hub has
answered, so the conductor gives them a thread of their own.

Bound: which act concerns which bulletin. When each begins is the conductor's business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from sim.demo import site
from sim.demo.day import NAMED, Bulletin, Script
from sim.demo.office import Officer
from sim.demo.sound import recording, speaker


class Tell(Protocol):
    """Says one of the demo's sentences (`news`), with its values."""

    def __call__(self, what: str, **values: object) -> None: ...


class Staff:
    """url: where the hub is now (it may move). units: the named stations of this run."""

    def __init__(self, url: Callable[[], str], script: Script, units: Collection[str], tell: Tell) -> None:
        self._script, self._units, self._tell = script, units, tell
        self._editor = Officer(url, *site.EDITOR)
        self._approver = Officer(url, *site.APPROVER)
        self._numbers: dict[str, str] = {}  # key in the script → the bulletin's number at the hub

    def close(self) -> None:
        self._editor.close()
        self._approver.close()

    def write_eve(self) -> None:
        """The morning's programme: written, approved and scheduled."""
        self._write("office_eve", of_the_eve=True)

    def write_day(self) -> None:
        """The rest of the programme; one draft goes back to its author."""
        self._write("office_day", of_the_eve=False)

    def withdraw(self) -> None:
        bulletin = next(b for b in self._script.bulletins if b.fate == "withdrawn")
        self._approver.withdraw(self._numbers[bulletin.key], self._script.withdraw_reason)
        self._tell("withdrawn", title=bulletin.title, reason=self._script.withdraw_reason)

    def order_emergency(self) -> None:
        self._approver.order_emergency(self._script.emergency)
        self._tell("emergency")

    def _write(self, news: str, *, of_the_eve: bool) -> None:
        speak = speaker()
        drafted = [b for b in self._script.bulletins if b.of_the_eve == of_the_eve and self._is_ours(b)]
        for bulletin in drafted:
            audio = recording(bulletin.key, bulletin.title, bulletin.text, bulletin.audio_s, speak)
            self._numbers[bulletin.key] = self._editor.draft(bulletin, audio)
        returned = [bulletin for bulletin in drafted if bulletin.fate == "returned"]
        for bulletin in drafted:
            number = self._numbers[bulletin.key]
            if bulletin in returned:
                self._approver.give_back(number, self._script.return_reason)
            else:
                self._approver.approve(number)
                self._approver.schedule(number, bulletin.clock)
        approved = len(drafted) - len(returned)
        self._tell(news, drafted=len(drafted), approved=approved, returned=len(returned))

    def _is_ours(self, bulletin: Bulletin) -> bool:
        return bulletin.territory not in NAMED or bulletin.territory in self._units
