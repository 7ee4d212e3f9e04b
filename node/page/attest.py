"""What the person on duty attests at a commune whose transmitter no box listens to.

Such a box (the unit is registered as `fm`) knows the plan and plays nothing; whoever is on duty plays by hand
and says here what became of it, signed with their own key. The word stands below everything that a machine
measures, says so everywhere, and travels up with the next exchange or stick.

Bound: on the station's loop, short calls. Which word stands is `ledger.facts.attesting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.content import accept_line
from ledger.facts import (
    SAID_BY_CHARS_MAX,
    Attested,
    Means,
    Right,
    SheetLine,
    Slot,
    at,
    attested,
    code_problem,
    expected,
    local_day,
    sheet_of,
    slot_at,
    slot_code,
    wrong_with,
)
from ledger.log import NotAllowed
from node.page.office import Office, Person

DAYS_BACK: Final = 7
ROWS_MAX: Final = 300


@dataclass(frozen=True)
class Row:
    """One slot that has begun. said: the word that stands, None while nobody has said anything."""

    slot: Slot
    code: str
    said: Attested | None


def is_by_hand(office: Office) -> bool:
    """True when this unit is registered as one whose operator plays and answers by hand."""
    known = office.station.facts.stations.get(office.unit)
    return known is not None and known.fact.kind == "fm"


def rows(office: Office) -> list[Row]:
    """The slots of the last days, the newest first; none where the station answers for itself."""
    if not is_by_hand(office):
        return []
    moment, facts = office.now(), office.station.facts
    today = local_day(moment.utc_s)
    found = [
        slot
        for day in range(today - DAYS_BACK + 1, today + 1)
        for slot in expected(facts, [office.unit], day)
        if slot.start_s <= moment.utc_s and office.station.plays.get(slot.key) is None
    ]
    listed = []
    for slot in sorted(found, key=lambda one: (-one.start_s, one.series))[:ROWS_MAX]:
        standing = attested(facts, slot)
        listed.append(Row(slot, slot_code(slot), None if standing is None else standing.fact))
    return listed


def waiting(office: Office) -> int:
    """How many of them nobody has said anything of."""
    return sum(row.said is None for row in rows(office))


def row_of(office: Office, series: int, day: int) -> Row:
    """NotAllowed("slot-unknown")."""
    found = next((row for row in rows(office) if row.slot.key == (series, day)), None)
    if found is None:
        raise NotAllowed("slot-unknown", "there is nothing to attest there", hint="look at the list")
    return found


def of_code(office: Office, unit: str, code: str) -> list[Row]:
    """The slot that this code of a run sheet names; very rarely two. unit: whose sheet it is, "" for ours.

    NotAllowed: other-station, code-length, code-check, code-unknown.
    """
    if unit not in ("", office.unit):
        raise NotAllowed("other-station", f"this sheet is of {unit}", hint="use that station's page")
    problem = code_problem(code)
    if problem is not None:
        raise NotAllowed(problem, "this is no code of a run sheet", where="code", hint="read it again")
    digits = [one for one in code if one.isdigit()]
    found = [row for row in rows(office) if [one for one in row.code if one.isdigit()] == digits]
    if not found:
        raise NotAllowed(
            "code-unknown", "nothing lately has this code", where="code", hint="print a new sheet"
        )
    return found


def sheet(office: Office, first_day: int) -> tuple[str, tuple[SheetLine, ...], float]:
    """Name of the station, the lines of a week, and the time of the plan."""
    facts = office.station.facts
    return office.station.config.name, sheet_of(facts, office.unit, first_day), office.now().utc_s


def attest(
    office: Office, person: Person, *, series: int, day: int, content: bytes, outcome: int, detail: int,
    minute: int | None, seconds: int | None, said_by: str,
) -> None:  # fmt: skip
    """Signs a word on a slot. minute: of the day of its beginning; seconds: None for the whole length.

    said_by: "" when the signer saw it. NotAllowed: slot-unknown, slot-changed, slot-ahead, outcome-unknown,
    length-range, begin-range, text-too-long, and what `office.sign` refuses.
    """
    facts, now = office.station.facts, office.now()
    slot = slot_at(facts, office.unit, series, day)
    if slot is None or not is_by_hand(office):
        raise NotAllowed("slot-unknown", "there is nothing to attest there", hint="look at the list")
    who = accept_line(said_by, what="said_by", chars_max=SAID_BY_CHARS_MAX) if said_by.strip() else ""
    played_ds = 10 * (slot.length_s if seconds is None else seconds)
    fact = Attested(
        now.ts, office.unit, series, day, content, outcome, detail,
        None if minute is None else at(day, minute), played_ds, int(Means.PAPER if who else Means.SELF), who,
    )  # fmt: skip
    why = wrong_with(fact, slot)
    if why is not None:
        raise NotAllowed(why, "this cannot be said of the slot", where=slot_code(slot), hint="look again")
    office.sign(person, fact)


def may(office: Office, person: Person) -> bool:
    """True when this person's key may attest here."""
    return office.may(person, Right.ATTEST)
