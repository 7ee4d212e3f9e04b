"""What a person says became of a slot, where no station can say it; and the code by which a slot is named.

A commune with an FM transmitter has no return path: whoever is on duty saw and heard what was played, and
says so, at the commune's own page, on paper or by telephone. It is signed by somebody who may ATTEST, and
stands below everything a machine measured: a station's own signed acknowledgment always outranks it, and
what nobody attested is simply not confirmed.

The code of a slot is short enough to be read out over the telephone and guards itself against a wrong digit:

    05-4821-57      05: the day's number in a hundred · 4821: which slot of that day here · 57: the check

It is derived from what the slot is: a run sheet printed before the plan was changed names nothing any more.

Bound: pure functions of facts. Where an attestation is entered and shown is the pages' business.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from ledger.facts.calendar import at, local_day
from ledger.facts.commune import Attested
from ledger.facts.index import index_of
from ledger.facts.outcome import Detail, Outcome
from ledger.facts.plan import expected
from ledger.facts.slot import Slot
from ledger.facts.standing import Standing
from ledger.facts.state import Facts

CODE_DOMAIN: Final = b"loa-slot/v1\0"
CODE_DIGITS: Final = 8
DAYS_BACK_MAX: Final = 90  # a quarter's papers; a day's number is unambiguous within a hundred
DAYS_AHEAD_MAX: Final = 8  # the sheet of next week names nothing twice
BEFORE_MAX_S: Final = 3_600  # an operator who began early
# What a person on duty can say, and why it was so. A machine's words (silent, clock unknown) are not theirs.
ATTESTABLE: Final = (
    Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.INTERRUPTED, Outcome.MISSED,
    Outcome.UNKNOWN,
)  # fmt: skip
REASONS: Final = (
    Detail.NONE, Detail.POWER, Detail.NOT_DELIVERED, Detail.DEVICE, Detail.BY_EMERGENCY, Detail.OPERATOR,
)  # fmt: skip


def slot_at(facts: Facts, unit: str, series: int, day: int) -> Slot | None:
    """The slot of this name in the plan of the unit as it is now; None when there is none."""
    return next((slot for slot in index_of(facts, unit).day(day) if slot.series == series), None)


def attested(facts: Facts, slot: Slot) -> Standing[Attested] | None:
    """The attestation that stands for a slot: of those that name its content, the latest by ts, then id."""
    found = [
        one
        for one in facts.attested.get((slot.unit, slot.series, slot.day), ())
        if one.fact.content == slot.manifest[:16]
    ]
    return max(found, key=lambda one: (one.fact.ts, one.signed.id), default=None)


def wrong_with(fact: Attested, slot: Slot) -> str | None:
    """Why this says nothing of the slot: a reason code, None when it does."""
    if (fact.territory, fact.series, fact.day) != (slot.unit, slot.series, slot.day):
        return "slot-unknown"
    if fact.content != slot.manifest[:16]:
        return "slot-changed"
    if fact.ts < slot.start_s - BEFORE_MAX_S:
        return "slot-ahead"
    if fact.outcome not in ATTESTABLE or fact.detail not in REASONS:
        return "outcome-unknown"
    sounded = fact.outcome in (
        Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.INTERRUPTED
    )  # fmt: skip
    if sounded == (fact.played_ds == 0) or (not sounded and fact.began_at is not None):
        return "length-range"
    if fact.began_at is not None and not slot.start_s - BEFORE_MAX_S <= fact.began_at <= fact.ts:
        return "begin-range"
    return None


# --- codes -------------------------------------------------------------------------------------------------


def slot_code(slot: Slot) -> str:
    """The slot's code, as it stands on a run sheet: eight digits in three groups."""
    digits = f"{slot.day % 100:02d}{_number(slot):04d}"
    return f"{digits[:2]}-{digits[2:]}-{_check(digits)}"


def code_problem(text: str) -> str | None:
    """`code-length` or `code-check` for what cannot be a code; None for what may be one."""
    digits = _digits(text)
    if len(digits) != CODE_DIGITS or not (digits.isascii() and digits.isdigit()):
        return "code-length"
    return None if _check(digits[:6]) == digits[6:] else "code-check"


def slots_of_code(facts: Facts, unit: str, text: str, now_s: float) -> list[Slot]:
    """The slots at this unit that the code names, mostly one; none when the plan is another one now."""
    if code_problem(text) is not None:
        return []
    digits = _digits(text)
    today = local_day(now_s)
    index = index_of(facts, unit)
    return [
        slot
        for day in range(today + DAYS_AHEAD_MAX, today - DAYS_BACK_MAX, -1)
        if day % 100 == int(digits[:2])
        for slot in index.day(day)
        if _number(slot) == int(digits[2:6])
    ]


def unattested(facts: Facts, unit: str, days: int, now_s: float) -> list[Slot]:
    """Slots of the last days, with those of today that have begun, of which nobody has said anything."""
    today = local_day(now_s)
    return [
        slot
        for day in range(today - days + 1, today + 1)
        if at(day) >= 0
        for slot in expected(facts, [unit], day)
        if slot.start_s <= now_s and attested(facts, slot) is None
    ]


def _number(slot: Slot) -> int:
    """Four digits that tell the slots of one day at one unit apart. Should two be alike, both are shown."""
    name = b"\0".join(
        (slot.unit.encode(), slot.series.to_bytes(4, "big"), slot.day.to_bytes(4, "big"), slot.manifest)
    )
    return int.from_bytes(sha256(CODE_DOMAIN + name).digest()[:8], "big") % 10_000


def _check(digits: str) -> str:
    """Two digits after ISO 7064 MOD 97-10: every wrong digit and every swapped pair of neighbours shows."""
    return f"{98 - int(digits) * 100 % 97:02d}"


def _digits(text: str) -> str:
    """As people write and read out codes: with or without dashes, dots and spaces."""
    return "".join(char for char in text.strip() if char not in "-–.·/ \u00a0")
