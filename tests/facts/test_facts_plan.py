"""What plays here now, and why not the others: each rule of the house by name."""

from __future__ import annotations

from typing import Any

import pytest
from facts_desk import (
    LAW_DAY,
    NOW,
    PROVINCE,
    TU_LE,
    XUAN_AI,
    Room,
    approved,
    arrive,
    bulletin,
    granted,
    manifest,
    scheduled,
    share_of,
)

from ledger.facts import (
    ON_TIME_S,
    Cancelled,
    Detail,
    Drafted,
    EmergencyOrdered,
    Facts,
    Klass,
    Outcome,
    QuietHoursSet,
    Right,
    Slot,
    Target,
    Verdict,
    at,
    due,
    expected,
    explain,
    in_quiet_hours,
    owed,
    slots,
    verdict,
    withdrawals,
)

FIVE = at(LAW_DAY, 17 * 60)


def emergency(series: int = 9, **fields: Any) -> EmergencyOrdered:
    values: dict[str, Any] = {
        "ts": FIVE, "series": series, "kind": "lũ quét", "level": 2, "drill": False, "manifest": manifest(90),
        "text": "Sơ tán ngay", "territory": PROVINCE, "not_before": FIVE, "expires_at": FIVE + 7200,
        "max_plays": 3,
    }  # fmt: skip
    return EmergencyOrdered(**values | fields)


def cancel_bulletin(number: int = 1, territory: str = PROVINCE, ts: int = NOW) -> Cancelled:
    return Cancelled(ts, Target.BULLETIN, bulletin(number), None, territory, "")


def cancel_series(series: int = 1, territory: str = PROVINCE, ts: int = NOW) -> Cancelled:
    return Cancelled(ts, Target.SERIES, None, series, territory, "")


def only(facts: Facts, unit: str = TU_LE, day: int = LAW_DAY) -> Slot:
    (slot,) = slots(facts, unit, at(day), at(day + 1))
    return slot


def suppressed(detail: Detail) -> Verdict:
    return Verdict(Outcome.SUPPRESSED, detail)


WITHDRAWN = Verdict(Outcome.WITHDRAWN, Detail.NONE)
EXPIRED = Verdict(Outcome.MISSED, Detail.EXPIRED)


def said(room: Room, slot: Slot, at_s: float = FIVE) -> Verdict | None:
    """The verdict, which must also be what `explain` tells of a slot that may not play."""
    found = verdict(room.facts, slot, at_s)
    story = explain(room.facts, slot.unit, at_s)
    if found is None:
        assert story.winner == slot
    else:
        assert (slot, found) in story.losers
        assert due(room.facts, slot.unit, at_s, ()) is None
    return found


@pytest.fixture
def five(room: Room) -> Room:
    """Bulletin 1, approved and on at 17:00 of Law Day everywhere in the province."""
    room.say("approver", approved())
    room.say("editor", scheduled())
    return room


def test_an_approved_and_scheduled_bulletin_is_due_at_its_minute(five: Room) -> None:
    slot = only(five.facts)
    assert slot.start_s == FIVE
    assert slot.title == "Ngày Pháp luật Việt Nam, bản tin 1"
    assert due(five.facts, TU_LE, FIVE - 1, ()) is None
    assert due(five.facts, TU_LE, FIVE, ()) == slot
    assert said(five, slot) is None


def test_a_slot_may_begin_until_its_late_window_closes_and_not_after(five: Room) -> None:
    slot = only(five.facts)
    assert due(five.facts, TU_LE, FIVE + 599.9, ()) == slot
    assert due(five.facts, TU_LE, FIVE + 600, ()) is None
    assert not slot.is_late(FIVE + ON_TIME_S)
    assert slot.is_late(FIVE + ON_TIME_S + 1)


def test_a_slot_without_a_late_window_still_has_half_a_minute_to_begin(five: Room) -> None:
    five.say("editor", scheduled(late_s=0))
    assert due(five.facts, TU_LE, FIVE + ON_TIME_S - 1, ())
    assert due(five.facts, TU_LE, FIVE + ON_TIME_S, ()) is None


def test_a_slot_that_began_or_ended_is_never_due_again(five: Room) -> None:
    assert due(five.facts, TU_LE, FIVE, {(1, LAW_DAY)}) is None
    assert due(five.facts, TU_LE, FIVE, {(1, LAW_DAY - 1), (2, LAW_DAY)})


def test_a_late_window_reaches_over_midnight(five: Room) -> None:
    five.say("admin", QuietHoursSet(NOW, PROVINCE, 0, 0))
    five.say("editor", scheduled(minute=23 * 60 + 55))
    assert due(five.facts, TU_LE, at(LAW_DAY + 1) + 60, ()) == only(five.facts)


def test_a_schedule_reaches_every_unit_of_its_territory_and_no_other(five: Room) -> None:
    assert [only(five.facts, unit).unit for unit in (TU_LE, XUAN_AI, PROVINCE)] == [TU_LE, XUAN_AI, PROVINCE]
    for unit in ("vn", "vn.lc", "vn.lc.04630"):
        assert slots(five.facts, unit, at(LAW_DAY), at(LAW_DAY + 1)) == []


def test_slots_are_those_that_start_in_the_given_time(five: Room) -> None:
    assert len(slots(five.facts, TU_LE, FIVE, FIVE + 1)) == 1
    assert slots(five.facts, TU_LE, FIVE + 1, FIVE + 600) == []
    assert slots(five.facts, TU_LE, FIVE - 600, FIVE) == []


# --- what may not play -------------------------------------------------------------------------------------


def test_nothing_plays_that_nobody_approved(room: Room) -> None:
    room.say("editor", scheduled())
    assert said(room, only(room.facts)) == suppressed(Detail.UNAPPROVED)


def test_an_approval_of_other_content_approves_nothing(five: Room) -> None:
    five.say("editor", scheduled(manifest=manifest(2)))
    assert said(five, only(five.facts)) == suppressed(Detail.UNAPPROVED)


def test_an_approval_of_another_bulletin_approves_nothing(five: Room) -> None:
    five.say("editor", scheduled(bulletin=bulletin(2)))
    assert said(five, only(five.facts)) == suppressed(Detail.UNAPPROVED)


def test_an_approval_by_a_key_without_authority_approves_nothing(room: Room) -> None:
    room.say("editor", approved())
    room.say("editor", scheduled())
    assert said(room, only(room.facts)) == suppressed(Detail.NO_AUTHORITY)


def test_an_unauthorised_approval_for_one_commune_is_no_reason_at_another(room: Room) -> None:
    room.say("editor", approved(territory=TU_LE))
    room.say("editor", scheduled())
    assert said(room, only(room.facts, TU_LE)) == suppressed(Detail.NO_AUTHORITY)
    assert said(room, only(room.facts, XUAN_AI)) == suppressed(Detail.UNAPPROVED)


def test_an_approval_by_its_own_author_approves_nothing(room: Room) -> None:
    room.grant("root", "both", Right.DRAFT | Right.APPROVE, PROVINCE)
    room.say("both", Drafted(NOW, bulletin(1), 1, manifest(1), "Nháp", "", 3, PROVINCE, LAW_DAY, LAW_DAY))
    room.say("both", approved())
    room.say("editor", scheduled())
    assert said(room, only(room.facts)) == suppressed(Detail.SELF_APPROVED)


def test_an_approval_for_a_commune_does_not_carry_an_order_for_the_province(room: Room) -> None:
    room.say("approver", approved(territory=TU_LE))
    room.say("editor", scheduled())
    assert said(room, only(room.facts)) == suppressed(Detail.WRONG_TERRITORY)
    assert said(room, only(room.facts, XUAN_AI)) == suppressed(Detail.UNAPPROVED)


def test_an_order_does_not_raise_the_approved_class(room: Room) -> None:
    room.say("approver", approved(klass=Klass.NORMAL))
    room.say("editor", scheduled(klass=Klass.PRIORITY))
    assert said(room, only(room.facts)) == suppressed(Detail.WRONG_CLASS)


def test_an_order_may_lower_the_approved_class(room: Room) -> None:
    room.say("approver", approved(klass=Klass.PRIORITY))
    room.say("editor", scheduled(klass=Klass.FILLER))
    assert said(room, only(room.facts)) is None


def test_nothing_plays_before_or_after_its_valid_days(room: Room) -> None:
    room.say("approver", approved(valid_from_day=LAW_DAY + 1, valid_until_day=LAW_DAY + 2))
    room.say("editor", scheduled(days=range(LAW_DAY, LAW_DAY + 4)))
    found = [said(room, only(room.facts, day=day), at(day, 17 * 60)) for day in range(LAW_DAY, LAW_DAY + 4)]
    assert found == [suppressed(Detail.NOT_YET_VALID), None, None, EXPIRED]


def test_a_late_start_past_the_last_valid_day_is_expired(five: Room) -> None:
    five.say("admin", QuietHoursSet(NOW, PROVINCE, 0, 0))
    five.say("approver", approved(2, valid_until_day=LAW_DAY))
    five.say("editor", scheduled(2, 2, minute=23 * 60 + 55))
    slot = slots(five.facts, TU_LE, at(LAW_DAY, 23 * 60), at(LAW_DAY + 1))[0]
    assert verdict(five.facts, slot, slot.start_s) is None
    assert verdict(five.facts, slot, at(LAW_DAY + 1)) == EXPIRED


def test_a_withdrawn_bulletin_does_not_play(five: Room) -> None:
    five.say("approver", cancel_bulletin())
    assert said(five, only(five.facts)) == WITHDRAWN


def test_a_withdrawal_for_one_commune_leaves_the_others_alone(five: Room) -> None:
    five.say("approver", cancel_bulletin(territory=TU_LE))
    assert said(five, only(five.facts)) == WITHDRAWN
    assert said(five, only(five.facts, XUAN_AI)) is None


def test_a_new_approval_revives_only_its_own_version(five: Room) -> None:
    five.say("approver", cancel_bulletin())
    five.say("approver", approved(version=2, manifest=manifest(2)))
    assert said(five, only(five.facts)) == WITHDRAWN
    five.say("editor", scheduled(manifest=manifest(2)))
    assert said(five, only(five.facts)) is None
    five.say("editor", scheduled(ts=NOW + 1))
    assert said(five, only(five.facts)) == WITHDRAWN
    five.say("approver", approved(ts=NOW + 2))
    assert said(five, only(five.facts)) is None


def test_a_cancelled_series_does_not_play_until_it_is_ordered_again(five: Room) -> None:
    five.say("approver", cancel_series())
    assert said(five, only(five.facts)) == WITHDRAWN
    five.say("editor", scheduled(minute=18 * 60))
    assert said(five, only(five.facts), at(LAW_DAY, 18 * 60)) is None


def test_one_good_approval_is_enough(five: Room) -> None:
    five.say("approver", cancel_bulletin())
    five.say("approver", approved(ts=NOW + 1, territory=TU_LE))
    five.say("approver", approved(ts=NOW + 2))
    assert said(five, only(five.facts)) is None


# --- quiet hours -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minute", "plays"),
    [
        (4 * 60 + 59, False),
        (5 * 60, True),
        (21 * 60 + 20, True),
        (21 * 60 + 21, False),
        (21 * 60 + 30, False),
        (0, False),
    ],
)
def test_nothing_sounds_between_half_past_nine_and_five_when_nobody_set_other_hours(
    five: Room, minute: int, plays: bool
) -> None:
    five.say("editor", scheduled(minute=minute))
    assert said(five, only(five.facts), at(LAW_DAY, minute)) == (None if plays else suppressed(Detail.QUIET))


def test_a_late_start_that_would_reach_into_quiet_hours_is_suppressed(five: Room) -> None:
    five.say("editor", scheduled(minute=21 * 60 + 20, late_s=3600))
    slot = only(five.facts)
    assert due(five.facts, TU_LE, slot.start_s, ()) == slot
    late_s = slot.start_s + ON_TIME_S + 1
    assert due(five.facts, TU_LE, late_s, ()) is None
    assert verdict(five.facts, slot, late_s) == suppressed(Detail.QUIET)


def test_a_start_that_is_on_time_is_judged_by_its_plan_though_its_end_touches_quiet_hours(five: Room) -> None:
    """Planned to end where quiet hours begin and asked for a second late: it is not robbed of the air."""
    five.say("editor", scheduled(minute=21 * 60 + 20, late_s=3600))
    slot = only(five.facts)
    assert slot.end_s == at(LAW_DAY, 21 * 60 + 30)
    for late_s in (1, ON_TIME_S):
        assert due(five.facts, TU_LE, slot.start_s + late_s, ()) == slot


def test_a_slot_planned_into_quiet_hours_does_not_play_late_after_them(five: Room) -> None:
    five.say("editor", scheduled(minute=4 * 60 + 55, late_s=3600))
    assert due(five.facts, TU_LE, at(LAW_DAY, 5 * 60 + 1), ()) is None
    assert verdict(five.facts, only(five.facts), at(LAW_DAY, 5 * 60 + 1)) == suppressed(Detail.QUIET)


def test_a_commune_may_keep_quieter_hours(five: Room) -> None:
    five.say("tu-le", QuietHoursSet(NOW, TU_LE, 16 * 60, 18 * 60))
    assert said(five, only(five.facts)) == suppressed(Detail.QUIET)
    assert said(five, only(five.facts, XUAN_AI)) is None


@pytest.mark.parametrize(
    "hours", [(0, 60), (60, 0), (1290, 300), (300, 1290), (700, 700), (0, 1439), (1439, 0)]
)
@pytest.mark.parametrize("length_min", [1, 7, 240])
def test_quiet_hours_are_counted_minute_by_minute(hours: tuple[int, int], length_min: int) -> None:
    begin, end = hours
    quiet = {minute % 1440 for minute in range(begin, end if end >= begin else end + 1440)}
    for minute in range(0, 1440, 13):
        sounding = {m % 1440 for m in range(minute, minute + length_min)}
        found = in_quiet_hours(hours, at(LAW_DAY, minute), length_min * 60)
        assert found == bool(quiet & sounding), (minute, sorted(quiet & sounding)[:3])


def test_an_emergency_passes_quiet_hours(room: Room) -> None:
    midnight = at(LAW_DAY)
    room.say("approver", emergency(not_before=midnight, expires_at=midnight + 3600))
    assert due(room.facts, TU_LE, midnight, ()) == only(room.facts)


# --- emergencies -------------------------------------------------------------------------------------------


def test_an_emergency_plays_over_everything_else(five: Room) -> None:
    five.say("approver", emergency())
    story = explain(five.facts, TU_LE, FIVE)
    assert story.winner is not None
    assert story.winner.emergency
    assert [(slot.series, why) for slot, why in story.losers] == [(1, suppressed(Detail.BY_EMERGENCY))]
    assert due(five.facts, TU_LE, FIVE, ()) == story.winner
    next_up = due(five.facts, TU_LE, FIVE, {story.winner.key})
    assert next_up is not None
    assert next_up.series == 1


def test_an_emergency_needs_its_own_right(room: Room) -> None:
    room.say("editor", emergency())
    assert room.reasons() == ["no-authority"]
    story = explain(room.facts, TU_LE, FIVE)
    assert story.winner is None
    assert [why for _, why in story.losers] == [suppressed(Detail.NO_AUTHORITY)]


def test_an_emergency_ends_when_it_expires(room: Room) -> None:
    room.say("approver", emergency(expires_at=FIVE + 600))
    slot = only(room.facts)
    assert slot.length_s == 600
    assert due(room.facts, TU_LE, FIVE + 599, ()) == slot
    assert due(room.facts, TU_LE, FIVE + 600, ()) is None
    assert verdict(room.facts, slot, FIVE + 600) == EXPIRED


def test_between_two_emergencies_the_higher_level_wins_then_the_newest(room: Room) -> None:
    room.say("approver", emergency(1, level=2))
    room.say("approver", emergency(2, level=3))
    room.say("approver", emergency(3, level=3))
    story = explain(room.facts, TU_LE, FIVE)
    assert story.winner is not None
    assert story.winner.series == 3
    assert [(s.series, why.detail) for s, why in story.losers] == [
        (1, Detail.BY_HIGHER),
        (2, Detail.BY_NEWER),
    ]
    order = []
    done: set[tuple[int, int]] = set()
    while (slot := due(room.facts, TU_LE, FIVE + len(done), done)) is not None:
        order.append(slot.series)
        done.add(slot.key)
    assert order == [3, 2, 1]


def test_a_newer_order_of_the_same_emergency_replaces_it_even_past_midnight(room: Room) -> None:
    late = at(LAW_DAY, 23 * 60 + 50)
    room.say("approver", emergency(1, not_before=late, expires_at=late + 7200))
    room.say("approver", emergency(1, not_before=late + 1200, expires_at=late + 7200, text="Nước đang lên"))
    old, new = slots(room.facts, TU_LE, late, late + 7200)
    assert due(room.facts, TU_LE, late, ()) == old
    assert due(room.facts, TU_LE, late + 1200, ()) == new
    assert verdict(room.facts, old, late + 1200) == suppressed(Detail.REPLACED)
    assert due(room.facts, TU_LE, late + 1200, {new.key}) is None


def test_an_order_whose_own_day_a_third_took_silences_nothing(room: Room) -> None:
    late = at(LAW_DAY, 23 * 60 + 50)
    room.say("approver", emergency(1, not_before=late, expires_at=late + 7200))
    room.say("approver", emergency(1, not_before=late + 2400, expires_at=late + 7200))
    room.say("approver", emergency(1, not_before=late + 6000, expires_at=late + 9000))
    first, last = slots(room.facts, TU_LE, late, late + 7200)
    assert [due(room.facts, TU_LE, late + s, ()) for s in (2399, 2400, 5999)] == [first] * 3
    assert due(room.facts, TU_LE, late + 6000, ()) == last


def test_the_all_clear_silences_an_emergency(room: Room) -> None:
    room.say("approver", emergency())
    room.say("approver", cancel_series(9, ts=FIVE + 60))
    assert verdict(room.facts, only(room.facts), FIVE + 61) == WITHDRAWN
    assert due(room.facts, TU_LE, FIVE + 61, ()) is None


# --- who goes first ----------------------------------------------------------------------------------------


def test_class_goes_before_start_before_approval_before_series(room: Room) -> None:
    room.say("approver", approved(2))
    room.say("approver", approved(1))
    room.say("editor", scheduled(1, 1))
    room.say("editor", scheduled(2, 2))
    room.say("editor", scheduled(3, 2))
    room.say("editor", scheduled(4, 1, minute=16 * 60 + 55))
    room.say("editor", scheduled(5, 1, minute=16 * 60 + 50, klass=Klass.NORMAL, length_s=3600, late_s=3600))
    done: set[tuple[int, int]] = set()
    order = []
    while (slot := due(room.facts, TU_LE, FIVE, done)) is not None:
        assert explain(room.facts, TU_LE, FIVE, done).winner == slot
        order.append(slot.series)
        done.add(slot.key)
    assert order == [4, 2, 3, 1, 5]
    story = explain(room.facts, TU_LE, FIVE)
    assert {s.series: why.detail for s, why in story.losers} == {
        1: Detail.BY_EARLIER,
        2: Detail.BY_EARLIER,
        3: Detail.BY_EARLIER,
        5: Detail.BY_HIGHER,
    }


# --- changing the plan -------------------------------------------------------------------------------------


def test_a_later_order_of_a_series_replaces_the_earlier_from_its_first_day_on(five: Room) -> None:
    week = range(LAW_DAY, LAW_DAY + 7)
    five.say("editor", scheduled(days=week))
    five.say("editor", scheduled(days=[LAW_DAY + 4, LAW_DAY + 5], first_day=LAW_DAY + 3, minute=8 * 60))
    starts = [slot.start_s for slot in slots(five.facts, TU_LE, at(LAW_DAY), at(LAW_DAY + 7))]
    assert starts == [
        *(at(day, 17 * 60) for day in range(LAW_DAY, LAW_DAY + 3)),
        *(at(day, 8 * 60) for day in (LAW_DAY + 4, LAW_DAY + 5)),
    ]


def test_a_slot_of_a_replaced_order_no_longer_plays(five: Room) -> None:
    old = only(five.facts)
    five.say("approver", scheduled(minute=18 * 60))
    assert verdict(five.facts, old, FIVE) == suppressed(Detail.REPLACED)
    assert only(five.facts).start_s == FIVE + 3600


def test_a_commune_does_not_move_what_the_province_scheduled(five: Room) -> None:
    before = only(five.facts)
    five.say("tu-le", scheduled(territory=TU_LE, minute=8 * 60))
    assert only(five.facts) == before
    assert five.reasons() == ["series-taken"]
    story = explain(five.facts, TU_LE, at(LAW_DAY, 8 * 60))
    assert [why for _, why in story.losers] == [suppressed(Detail.NO_AUTHORITY)]


def test_the_province_may_move_one_communes_slot_alone(five: Room) -> None:
    five.say("approver", scheduled(territory=TU_LE, minute=8 * 60))
    assert only(five.facts, TU_LE).start_s == at(LAW_DAY, 8 * 60)
    assert only(five.facts, XUAN_AI).start_s == FIVE


def test_a_rightful_orders_words_signed_by_another_are_not_a_second_candidate(five: Room) -> None:
    five.say("stranger", scheduled())
    story = explain(five.facts, TU_LE, FIVE)
    assert story.winner == only(five.facts)
    assert story.losers == ()


def test_a_series_passes_on_as_soon_as_the_right_to_it_arrives(five: Room) -> None:
    five.say("tu-le", scheduled(territory=TU_LE, minute=8 * 60))
    assert only(five.facts).start_s == FIVE
    five.grant("admin", "tu-le", Right.SCHEDULE, PROVINCE)
    assert only(five.facts).start_s == at(LAW_DAY, 8 * 60)
    assert five.reasons() == []


def test_an_order_without_authority_is_told_of_past_midnight_too(room: Room) -> None:
    late = at(LAW_DAY, 23 * 60 + 50)
    room.say("editor", emergency(not_before=late, expires_at=late + 7200))
    story = explain(room.facts, TU_LE, late + 3600)
    assert [(slot.day, why) for slot, why in story.losers] == [(LAW_DAY, suppressed(Detail.NO_AUTHORITY))]


def test_a_slot_loses_its_title_with_its_approval(five: Room) -> None:
    five.grant("root", "both", Right.DRAFT | Right.APPROVE, PROVINCE)
    five.say("both", approved(2, title="Tự duyệt"))
    five.say("editor", scheduled(2, 2))
    (slot,) = [one for one in slots(five.facts, TU_LE, FIVE, FIVE + 1) if one.series == 2]
    assert slot.title == "Tự duyệt"
    five.say("both", Drafted(NOW, bulletin(2), 1, manifest(2), "Nháp", "", 3, PROVINCE, LAW_DAY, LAW_DAY))
    (slot,) = [one for one in slots(five.facts, TU_LE, FIVE, FIVE + 1) if one.series == 2]
    assert slot.title == ""
    assert verdict(five.facts, slot, FIVE) == suppressed(Detail.SELF_APPROVED)


def test_a_forged_slot_for_another_territory_does_not_play(five: Room) -> None:
    slot = only(five.facts)
    forged = Slot(**{**slot.__dict__, "unit": "vn.lc.01"})
    assert verdict(five.facts, forged, FIVE) == suppressed(Detail.WRONG_TERRITORY)


# --- what is owed ------------------------------------------------------------------------------------------


def test_every_planned_slot_owes_an_acknowledgment_even_one_that_may_not_play(five: Room) -> None:
    five.say("editor", scheduled(2, 7))
    found = expected(five.facts, [XUAN_AI, TU_LE], LAW_DAY)
    assert [(slot.unit, slot.series) for slot in found] == [
        (XUAN_AI, 1), (XUAN_AI, 2), (TU_LE, 1), (TU_LE, 2),
    ]  # fmt: skip
    assert expected(five.facts, [TU_LE], LAW_DAY + 1) == []


@pytest.mark.parametrize("cancel", [cancel_bulletin, cancel_series])
def test_a_slot_taken_back_before_its_start_owes_the_withdrawal_instead(five: Room, cancel: Any) -> None:
    five.say("editor", scheduled(days=[LAW_DAY, LAW_DAY + 1]))
    five.say("approver", cancel(ts=FIVE + 60))
    first, second = slots(five.facts, TU_LE, at(LAW_DAY), at(LAW_DAY + 2))
    assert owed(five.facts, first)
    assert not owed(five.facts, second)
    assert expected(five.facts, [TU_LE], LAW_DAY) == [first]
    assert expected(five.facts, [TU_LE], LAW_DAY + 1) == []


def test_a_station_owes_nothing_for_what_was_over_before_it_had_a_key(five: Room) -> None:
    five.say("root", granted("new-station", Right.ACK, XUAN_AI, ts=FIVE + 600))
    five.say("root", granted("newer-station", Right.ACK, XUAN_AI, ts=FIVE + 9000))
    assert not owed(five.facts, only(five.facts, XUAN_AI))
    five.say("root", granted("older-station", Right.ACK, XUAN_AI, ts=FIVE + 599))
    assert owed(five.facts, only(five.facts, XUAN_AI))
    assert five.facts.authority.answers_from("vn.yb.00001") is None
    assert owed(five.facts, only(five.facts, "vn.yb.00001"))


def test_a_withdrawal_names_the_series_it_silences_here(five: Room) -> None:
    five.say("editor", scheduled(2, 1))
    five.say("editor", scheduled(3, 2))
    five.say("approver", cancel_bulletin())
    five.say("approver", cancel_series(3, TU_LE))
    five.say("approver", cancel_series(77))
    found = withdrawals(five.facts, TU_LE)
    assert [one.series for one in found] == [(1, 2), (3,), ()]
    assert [one.cancel.fact.target for one in found] == [Target.BULLETIN, Target.SERIES, Target.SERIES]
    assert [one.series for one in withdrawals(five.facts, XUAN_AI)] == [(1, 2), ()]


def test_a_withdrawal_is_told_alike_where_the_approval_was_never_sent(room: Room) -> None:
    room.say("approver", approved(territory=XUAN_AI))
    room.say("tu-le", scheduled(territory=TU_LE))
    room.say("tu-le", cancel_bulletin(territory=TU_LE))
    for facts in (room.facts, arrive(share_of((stored.segment for stored in room.arrived), TU_LE))):
        assert [one.series for one in withdrawals(facts, TU_LE)] == [(1,)]


def test_a_slot_cancelled_in_the_second_it_begins_still_owes_its_acknowledgment(five: Room) -> None:
    five.say("approver", cancel_series(ts=FIVE))
    assert owed(five.facts, only(five.facts))


def test_a_withdrawal_without_effect_here_is_not_answered_for(five: Room) -> None:
    five.say("approver", emergency(9))
    five.say("tu-le", cancel_series(9, TU_LE))
    five.say("tu-le", cancel_bulletin(territory=TU_LE))
    assert withdrawals(five.facts, TU_LE) == ()
