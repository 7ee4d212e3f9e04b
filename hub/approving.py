"""Many bulletins approved with one password: each its own signed event, each answered for itself.

Approving twenty is not one act but twenty: every bulletin is loaded, asked and signed alone, under its own
hash, and what is refused for one says nothing of the next. Nothing is rolled back: what was signed stands,
and the answer says of every single one what became of it. Emergencies are never among them: they are not
bulletins, and are ordered one at a time.

Bound: the order of the acts. What may be approved is `Bulletin.approve`, when it plays `hub.timetable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.accounts import Officer
from hub.wanted import Wanted
from ledger.log import NotAllowed

BULK_MAX = 100  # bulletins of one press; each is a signature, and a person read each


@dataclass(frozen=True)
class Ask:
    """Exactly what the page showed. wanted: the time that is signed with it, None for none."""

    bulletin: str
    version: int
    manifest: str
    wanted: Wanted | None = None


@dataclass(frozen=True)
class Answer:
    """approved: it is. series: of the schedule signed with it, 0 for none. refusal: of what was not done."""

    ask: Ask
    approved: bool
    series: int = 0
    refusal: NotAllowed | None = None


class Approver(Protocol):
    """The commands this needs."""

    def approve(
        self, officer: Officer, bulletin: str, *, version: int, manifest: bytes | str, now: int
    ) -> None: ...

    def schedule(
        self,
        officer: Officer,
        bulletin: str,
        *,
        territory: str | Sequence[str],
        days: Sequence[int],
        minute: int,
        late_s: int,
        on_interrupt: int,
        now: int,
    ) -> int: ...


def approve_each(commands: Approver, officer: Officer, asks: Sequence[Ask], *, now: int) -> list[Answer]:
    """One answer for each, in order. NotAllowed("too-many") before anything is signed."""
    if len(asks) > BULK_MAX:
        raise NotAllowed("too-many", f"{len(asks)} at once", hint=f"at most {BULK_MAX}; take them in parts")
    return [_one(commands, officer, ask, now) for ask in asks]


def _one(commands: Approver, officer: Officer, ask: Ask, now: int) -> Answer:
    try:
        commands.approve(officer, ask.bulletin, version=ask.version, manifest=ask.manifest, now=now)
    except NotAllowed as refusal:
        return Answer(ask, False, refusal=refusal)
    if ask.wanted is None:
        return Answer(ask, True)
    try:
        series = commands.schedule(
            officer,
            ask.bulletin,
            territory=ask.wanted.units,
            days=ask.wanted.days,
            minute=ask.wanted.minute,
            late_s=ask.wanted.late_s,
            on_interrupt=ask.wanted.on_interrupt,
            now=now,
        )
    except NotAllowed as refusal:
        return Answer(ask, True, refusal=refusal)
    return Answer(ask, True, series)
