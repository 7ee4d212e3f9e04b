"""An emergency ordered in the series of a schedule: it has its own day of the series, and no other."""

from __future__ import annotations

from facts_desk import LAW_DAY, PROVINCE, TU_LE, Room, approved, manifest, scheduled

from ledger.facts import (
    Cancelled,
    Detail,
    EmergencyOrdered,
    Outcome,
    Target,
    Verdict,
    at,
    due,
    slots,
    verdict,
)

FIVE = at(LAW_DAY, 17 * 60)
DAYS = range(LAW_DAY - 1, LAW_DAY + 3)


def kinds(room: Room) -> list[list[bool]]:
    """For each of the days, which of its slots are an emergency."""
    return [[slot.emergency for slot in slots(room.facts, TU_LE, at(day), at(day + 1))] for day in DAYS]


def daily(room: Room) -> None:
    room.say("approver", approved(valid_from_day=DAYS[0], valid_until_day=DAYS[-1]))
    room.say("approver", scheduled(days=DAYS))


def order(room: Room) -> None:
    room.say("approver", EmergencyOrdered(
        ts=FIVE, series=1, kind="lũ quét", level=2, drill=False, manifest=manifest(90), text="Sơ tán ngay",
        territory=PROVINCE, not_before=FIVE, expires_at=FIVE + 7200, max_plays=3,
    ))  # fmt: skip


def test_an_emergency_speaks_for_its_own_day_of_a_scheduled_series_only(room: Room) -> None:
    daily(room)
    assert kinds(room) == [[False]] * 4
    (planned,) = slots(room.facts, TU_LE, FIVE, FIVE + 1)
    order(room)
    assert kinds(room) == [[False], [True], [False], [False]]
    assert verdict(room.facts, planned, FIVE) == Verdict(Outcome.SUPPRESSED, Detail.REPLACED)
    (tomorrow,) = slots(room.facts, TU_LE, at(LAW_DAY + 1), at(LAW_DAY + 2))
    assert verdict(room.facts, tomorrow, tomorrow.start_s) is None
    room.say("approver", Cancelled(FIVE + 60, Target.SERIES, None, 1, PROVINCE, ""))
    assert kinds(room) == [[False], [True], [False], [False]]
    assert due(room.facts, TU_LE, FIVE + 61, ()) is None


def test_a_schedule_that_comes_after_an_emergency_of_its_series_has_that_day_too(room: Room) -> None:
    order(room)
    (sounding,) = slots(room.facts, TU_LE, FIVE, FIVE + 1)
    daily(room)
    assert kinds(room) == [[False]] * 4
    assert verdict(room.facts, sounding, FIVE) == Verdict(Outcome.SUPPRESSED, Detail.REPLACED)
