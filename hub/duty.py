"""What people on duty at FM stations say, entered here by telephone or from paper; what they left unsaid.

An FM station has no return path. Its operator reads the code of a slot from the run sheet; whoever sits here
finds the slot by it, enters what was said and by whom, and signs. The signature says "I was told so", and the
as-run row says no more: `người trực xác nhận`. What nobody attested is not confirmed, and never an alarm.

Bound: the act and its list. Which word stands for a slot is `ledger.facts.attesting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.accounts import Officer
from hub.desk import Desk, act
from hub.media import accept_line
from ledger.facts import (
    SAID_BY_CHARS_MAX,
    Attested,
    Means,
    Right,
    Slot,
    code_problem,
    covers,
    event_id,
    slot_at,
    slot_code,
    slots_of_code,
    unattested,
    wrong_with,
)
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.hub import Hub

DAYS_LISTED: Final = 7
ROWS_MAX: Final = 400
BY_HAND: Final = (Means.TELEPHONE, Means.PAPER)  # at the hub nobody saw it themselves
_WHY: Final = {
    "slot-changed": ("the slot's content is another one now", "print the run sheet again"),
    "slot-ahead": ("the slot has not begun", "wait until it was played"),
    "outcome-unknown": ("a person on duty cannot say that", "choose one of the list"),
    "length-range": ("the length does not fit the outcome", "seconds for what was played, none for the rest"),
    "begin-range": ("it cannot have begun then", "from an hour before its time until now"),
}


@dataclass(frozen=True)
class Unsaid:
    """A slot of an FM station of which nobody has said anything. code: as on its run sheet."""

    unit: str
    station: str
    slot: Slot
    code: str


class Duty(Desk):
    """Acts on what operators say. Refusals are NotAllowed with a stable code; `now` is UTC s."""

    @act
    def attest(
        self,
        officer: Officer,
        unit: str,
        *,
        series: int,
        day: int,
        content: bytes,
        outcome: int,
        detail: int = 0,
        began_at: int | None = None,
        played_ds: int = 0,
        means: int = Means.TELEPHONE,
        said_by: str,
        now: int,
    ) -> bytes:
        """Signs what somebody at the station said of one slot; returns the event's id.

        content: the first half of the manifest's hash, of the slot that was looked at. A later word on the
        same slot replaces this one.
        """
        self._may(officer, Right.ATTEST, unit, now)
        if unit not in self._facts.stations:
            raise NotAllowed(
                "station-unknown", f"no station is registered at {unit}", where=unit, hint="see the list"
            )
        if means not in BY_HAND:
            raise NotAllowed(
                "kind-unknown", "here it is told by telephone or on paper", where="means", hint="choose one"
            )
        slot = slot_at(self._facts, unit, series, day)
        if slot is None:
            raise NotAllowed(
                "slot-unknown", f"series {series} has nothing there on that day", where=unit,
                hint="look at the run sheet: the plan may have changed",
            )  # fmt: skip
        who = accept_line(said_by, what="said_by", chars_max=SAID_BY_CHARS_MAX)
        fact = Attested(
            now, unit, series, day, content, outcome, detail, began_at, played_ds, int(means), who
        )
        why = wrong_with(fact, slot)
        if why is not None:
            what, hint = _WHY[why]
            raise NotAllowed(why, what, where=slot_code(slot), hint=hint)
        event = fact.encode()
        self._ledger.append_sealed(officer.key, event)
        return event_id(event)


def unsaid(hub: Hub, territory: str, now: int, *, days: int = DAYS_LISTED) -> list[Unsaid]:
    """What FM stations at or below a unit have not confirmed of these last days, the oldest first."""
    with hub.lock:
        fm = [
            (unit, one.fact.name)
            for unit, one in sorted(hub.facts.stations.items())
            if one.fact.kind == "fm" and covers(territory, unit)
        ]
        found = [
            Unsaid(unit, name, slot, slot_code(slot))
            for unit, name in fm
            for slot in unattested(hub.facts, unit, days, now)
        ]
    found.sort(key=lambda one: (one.slot.start_s, one.unit, one.slot.series))
    return found[:ROWS_MAX]


def by_code(hub: Hub, unit: str, code: str, now: int) -> list[Slot]:
    """The slots this code names there: one, or very rarely two.

    NotAllowed: `code-length`, `code-check` (a digit is wrong), `slot-unknown` (the plan is another one now).
    """
    problem = code_problem(code)
    if problem == "code-length":
        raise NotAllowed(problem, "a code has eight digits", where="code", hint="as 05-4821-57")
    if problem is not None:
        raise NotAllowed(problem, "a digit of the code is wrong", where="code", hint="have it read out again")
    with hub.lock:
        found = slots_of_code(hub.facts, unit, code, now)
    if not found:
        raise NotAllowed(
            "slot-unknown", "nothing at this station has this code", where="code",
            hint="another station, or a sheet from before the plan was changed",
        )  # fmt: skip
    return found
