"""What a station does with a day: every rule of the broadcast, as its acknowledgments tell it at the hub."""

from __future__ import annotations

import pytest
from station_world import DAY, MORNING, NODE, UNIT, World

from ledger.facts import (
    ClockStepped,
    DaySummary,
    Detail,
    Evidence,
    Granted,
    Outcome,
    QuietHoursSet,
    Refused,
    Right,
    Scheduled,
    WithdrawalSeen,
    at,
    pack_days,
)
from ledger.log import Blobs, SigningKey
from node import Confidence, HubBusy


def said(world: World) -> dict[tuple[int, int], tuple[Outcome, Detail]]:
    """(series, day) → (outcome, detail) as the hub has them; each must be there once."""
    acks = world.hub.acks()
    assert len({(ack.series, ack.day) for ack in acks}) == len(acks), "a slot was acknowledged twice"
    return {(ack.series, ack.day): (Outcome(ack.outcome), Detail(ack.detail)) for ack in acks}


def test_an_approved_slot_plays_on_time_and_its_acknowledgment_reaches_the_hub() -> None:
    world = World()
    series = world.hub.programme(360, seconds=45)
    world.run_to(370)
    assert [(sound.series, sound.utc_s) for sound in world.speaker.sounds] == [(series, at(DAY, 360))]
    (ack,) = world.hub.acks()
    assert (ack.series, ack.day, ack.outcome, ack.detail) == (series, DAY, Outcome.PLAYED, Detail.NONE)
    assert (ack.played_ds, ack.jitter_cs, ack.volume) == (450, 0, 80)
    assert ack.evidence == Evidence.DELIVERED
    assert ack.ts == at(DAY, 360)


def test_content_that_arrives_within_the_window_plays_late() -> None:
    world = World()
    series = world.hub.programme(360, late_s=900)
    world.run_to(350)
    blobs = Blobs(world.store)
    for sha in blobs.held():
        blobs.delete(sha)
    world.off(1)
    world.line.down = True
    world.run_to(365)
    world.line.down = False
    world.run_to(380)
    assert said(world) == {(series, DAY): (Outcome.PLAYED_LATE, Detail.NONE)}
    assert at(DAY, 365) <= world.speaker.sounds[0].utc_s < at(DAY, 375)


def test_content_that_never_arrives_is_missed_for_want_of_delivery() -> None:
    world = World()
    series = world.hub.programme(360, late_s=300)
    for sha in world.hub.blobs.held():
        world.hub.blobs.delete(sha)
    world.run_to(380)
    assert world.speaker.sounds == []
    assert said(world) == {(series, DAY): (Outcome.MISSED, Detail.NOT_DELIVERED)}
    assert world.hub.acks()[0].evidence == Evidence.PLANNED


def test_a_plan_that_arrives_after_the_window_is_missed_for_want_of_delivery() -> None:
    world = World()
    world.run(60)
    world.line.down = True
    series = world.hub.programme(360, late_s=300)
    world.run_to(400)
    world.line.down = False
    world.run_to(440)
    assert said(world) == {(series, DAY): (Outcome.MISSED, Detail.NOT_DELIVERED)}


def test_a_slot_that_passed_without_power_is_missed_for_want_of_power() -> None:
    world = World()
    series = world.hub.programme(360, late_s=300)
    world.run_to(355)
    world.off(3_600)
    world.run(600)
    assert world.speaker.sounds == []
    assert said(world) == {(series, DAY): (Outcome.MISSED, Detail.POWER)}
    assert world.hub.acks()[0].evidence == Evidence.DELIVERED


def test_a_start_without_an_end_is_a_power_cut_and_never_plays_again() -> None:
    world = World()
    series = world.hub.programme(360, seconds=300, late_s=3_000)
    world.run_to(361)
    assert len(world.speaker.sounds) == 1
    world.off(30)
    world.run(1_200)
    assert len(world.speaker.sounds) == 1
    assert said(world) == {(series, DAY): (Outcome.PARTIAL, Detail.POWER)}


def test_a_clean_stop_says_how_far_the_sound_came_and_never_plays_it_again() -> None:
    world = World()
    series = world.hub.programme(360, seconds=300, late_s=3_000)
    world.run_to(361.5)
    world.station.close()
    world.boot()
    world.run(1_200)
    assert len(world.speaker.sounds) == 1
    (ack,) = world.hub.acks()
    assert (ack.series, ack.outcome, ack.detail, ack.played_ds) == (
        series, Outcome.PARTIAL, Detail.POWER, 900,
    )  # fmt: skip


def test_without_a_trusted_clock_nothing_timed_plays_and_it_says_so_afterwards() -> None:
    world = World()
    series = world.hub.programme(360, late_s=300)
    later = world.hub.programme(420, late_s=300)
    world.run_to(346)  # the last mark is minutes old, so the station comes back behind the time
    world.cut()
    world.clock.reboot()
    world.clock.confidence, world.clock.skew_s = Confidence.UNKNOWN, -40_000_000.0
    world.line.down = True
    world.boot()
    world.run_to(400)
    assert world.speaker.sounds == []
    assert said(world) == {}
    world.line.down = False
    world.run_to(430)
    assert said(world) == {
        (series, DAY): (Outcome.MISSED, Detail.CLOCK_UNKNOWN),
        (later, DAY): (Outcome.PLAYED, Detail.NONE),
    }
    assert world.hub.facts_of(ClockStepped), "the step from 2021 to now was not reported"


def test_signed_time_from_the_hub_is_enough_to_play_by() -> None:
    world = World()
    world.clock.confidence, world.clock.skew_s = Confidence.UNKNOWN, -1e8
    series = world.hub.programme(360)
    world.run_to(370)
    assert said(world) == {(series, DAY): (Outcome.PLAYED, Detail.NONE)}
    assert abs(world.speaker.sounds[0].utc_s - at(DAY, 360)) < 2


def test_an_emergency_takes_the_air_at_once_and_the_interrupted_item_says_by_whom() -> None:
    world = World(sync_period_s=60)
    series = world.hub.programme(360, seconds=600)
    world.run_to(362)
    warning = world.hub.emergency(seconds=20)
    world.run(150)
    assert [sound.series for sound in world.speaker.sounds] == [series, warning]
    assert said(world)[series, DAY] == (Outcome.INTERRUPTED, Detail.BY_EMERGENCY)
    assert said(world)[warning, DAY][0] in (Outcome.PLAYED, Outcome.PLAYED_LATE)
    cut_short = next(ack for ack in world.hub.acks() if ack.series == series)
    heard_s = world.speaker.sounds[1].utc_s - world.speaker.sounds[0].utc_s
    assert abs(cut_short.played_ds / 10 - heard_s) <= 0.1


def test_an_item_that_may_resume_goes_on_after_the_emergency_and_answers_once_at_its_real_end() -> None:
    world = World(sync_period_s=60)
    series = world.hub.programme(360, seconds=600, on_interrupt=1)
    world.run_to(362)
    warning = world.hub.emergency(seconds=30)
    world.run_to(380)
    order = [(sound.series, sound.offset_ds > 0) for sound in world.speaker.sounds]
    assert order == [(series, False), (warning, False), (series, True)]
    assert said(world)[series, DAY] == (Outcome.PLAYED, Detail.NONE)
    ack = next(ack for ack in world.hub.acks() if ack.series == series)
    assert ack.played_ds == 6_000


def test_an_emergency_repeats_as_often_as_ordered_within_one_play() -> None:
    world = World(sync_period_s=60)
    world.run(120)
    warning = world.hub.emergency(seconds=20, max_plays=3)
    world.run(400)
    assert [(sound.series, sound.repeat) for sound in world.speaker.sounds] == [(warning, 3)]
    assert world.hub.acks()[0].played_ds == 600


def test_an_expired_emergency_never_plays() -> None:
    world = World()
    world.run(60)
    world.line.down = True
    warning = world.hub.emergency(life_s=600)
    world.run(1_200)
    world.line.down = False
    world.run(1_800)
    assert world.speaker.sounds == []
    assert said(world) == {(warning, DAY): (Outcome.MISSED, Detail.EXPIRED)}


def test_of_two_emergencies_the_higher_takes_the_air_and_the_other_goes_on_after_it() -> None:
    world = World(sync_period_s=30)
    world.run(60)
    first = world.hub.emergency(seconds=200, level=1)
    world.run(60)
    second = world.hub.emergency(seconds=50, level=3)
    world.run(600)
    assert [sound.series for sound in world.speaker.sounds] == [first, second, first]
    assert {key[0] for key in said(world)} == {first, second}
    assert all(outcome in (Outcome.PLAYED, Outcome.PLAYED_LATE) for outcome, _ in said(world).values())


def test_an_emergency_withdrawn_while_it_waits_is_acknowledged_as_withdrawn() -> None:
    world = World(sync_period_s=30)
    world.run(60)
    first = world.hub.emergency(seconds=300, level=3)
    second = world.hub.emergency(seconds=50, level=1)
    world.run(100)
    world.hub.cancel(second)
    world.run(600)
    assert [sound.series for sound in world.speaker.sounds] == [first]
    assert said(world)[second, DAY] == (Outcome.WITHDRAWN, Detail.NONE)


def test_a_withdrawal_stops_the_sound() -> None:
    world = World(sync_period_s=60)
    series = world.hub.programme(360, seconds=900)
    world.run_to(362)
    world.hub.cancel(series)
    world.run(200)
    assert said(world) == {(series, DAY): (Outcome.INTERRUPTED, Detail.OPERATOR)}
    (seen,) = world.hub.facts_of(WithdrawalSeen)
    assert isinstance(seen.fact, WithdrawalSeen)
    assert (seen.fact.series, seen.fact.state) == (series, 1)


def test_a_slot_withdrawn_before_its_time_stays_silent_and_only_the_withdrawal_is_acknowledged() -> None:
    world = World()
    series = world.hub.programme(360)
    world.run_to(340)
    world.hub.cancel(series)
    world.run_to(400)
    assert world.speaker.sounds == []
    assert said(world) == {}
    (seen,) = world.hub.facts_of(WithdrawalSeen)
    assert isinstance(seen.fact, WithdrawalSeen)
    assert (seen.fact.series, seen.fact.state) == (series, 0)


def test_quiet_hours_suppress_a_slot_and_never_an_emergency() -> None:
    world = World(utc_s=at(DAY, 21 * 60), sync_period_s=60)
    series = world.hub.programme(21 * 60 + 40)
    world.run_to(21 * 60 + 45)
    warning = world.hub.emergency()
    world.run_to(22 * 60)
    assert said(world)[series, DAY] == (Outcome.SUPPRESSED, Detail.QUIET)
    assert [sound.series for sound in world.speaker.sounds] == [warning]


def test_quiet_hours_that_begin_during_a_sound_end_it() -> None:
    world = World(utc_s=at(DAY, 19 * 60))
    series = world.hub.programme(20 * 60)
    manifest = world.hub.content(1_200, text="longer than its slot")
    world.hub.approve(manifest, bulletin=b"L" * 16)
    longer = world.hub.schedule(manifest, 21 * 60 + 20, bulletin=b"L" * 16, length_s=300)
    world.run_to(21 * 60 + 40)
    assert said(world)[series, DAY] == (Outcome.PLAYED, Detail.NONE)
    assert said(world)[longer, DAY] == (Outcome.INTERRUPTED, Detail.QUIET)
    ack = next(ack for ack in world.hub.acks() if ack.series == longer)
    assert abs(ack.played_ds - 6_000) <= 10


def test_the_province_can_set_other_quiet_hours() -> None:
    from station_world import APPROVER

    world = World(utc_s=at(DAY, 11 * 60))
    world.hub.sign(APPROVER, QuietHoursSet(world.hub.ts, "vn.yb", 12 * 60, 13 * 60))
    noon = world.hub.programme(12 * 60 + 30)
    night = world.hub.programme(21 * 60 + 45)
    world.run_to(22 * 60)
    assert said(world)[noon, DAY] == (Outcome.SUPPRESSED, Detail.QUIET)
    assert said(world)[night, DAY] == (Outcome.PLAYED, Detail.NONE)


def test_an_unapproved_slot_stays_silent_and_the_refusal_is_an_event_of_its_own() -> None:
    world = World()
    manifest = world.hub.content(30)
    series = world.hub.schedule(manifest, 360, late_s=60)
    world.run_to(380)
    assert world.speaker.sounds == []
    assert said(world) == {(series, DAY): (Outcome.SUPPRESSED, Detail.UNAPPROVED)}
    (refused,) = world.hub.facts_of(Refused)
    assert isinstance(refused.fact, Refused)
    assert refused.fact.reason == "unapproved"


def test_a_decision_without_authority_is_refused_once_and_never_followed() -> None:
    world = World()
    intruder = SigningKey.from_seed(b"I" * 32)
    from station_world import HUB

    world.hub.sign(HUB, world.hub.grant(intruder, int(Right.ACK), UNIT))
    manifest = world.hub.content(30)
    world.hub.approve(manifest)
    order = Scheduled(
        world.hub.ts, 900, b"B" * 16, manifest, DAY, pack_days(DAY, [DAY]), 360, 30, UNIT, 2, 300, 0, None
    )
    world.hub.sign(intruder, order)
    world.run_to(380)
    world.off(60)
    world.run_to(420)
    assert world.speaker.sounds == []
    refusals = [one.fact for one in world.hub.facts_of(Refused)]
    assert [fact.reason for fact in refusals if isinstance(fact, Refused)] == ["no-authority"]


def test_a_higher_class_takes_the_air_from_a_lower_one_and_an_equal_one_waits() -> None:
    world = World()
    normal = world.hub.programme(360, seconds=600, klass=2)
    equal = world.hub.programme(361, seconds=30, klass=2, late_s=1_200)
    priority = world.hub.programme(365, seconds=60, klass=3)
    world.run_to(400)
    assert [sound.series for sound in world.speaker.sounds] == [normal, priority, equal]
    assert said(world)[normal, DAY] == (Outcome.INTERRUPTED, Detail.BY_HIGHER)
    assert said(world)[equal, DAY] == (Outcome.PLAYED_LATE, Detail.NONE)


def test_a_slot_whose_whole_window_was_taken_by_another_says_by_what() -> None:
    world = World()
    longer = world.hub.programme(360, seconds=900)
    shorter = world.hub.programme(361, seconds=30, late_s=120)
    world.run_to(400)
    assert said(world)[longer, DAY] == (Outcome.PLAYED, Detail.NONE)
    assert said(world)[shorter, DAY] == (Outcome.SUPPRESSED, Detail.BY_EARLIER)


def test_a_broken_device_is_missed_for_the_device() -> None:
    world = World()
    series = world.hub.programme(360)
    world.speaker.broken = True
    world.run_to(380)
    assert said(world) == {(series, DAY): (Outcome.MISSED, Detail.DEVICE)}


def test_content_damaged_on_the_disk_is_fetched_again_and_not_played() -> None:
    world = World()
    series = world.hub.programme(360, late_s=900)
    world.run_to(350)
    name = next(name for name in world.store.names("blobs/") if (world.store.size(name) or 0) == 3_000)
    world.store.write(name, bytes(3_000))
    world.run_to(380)
    assert said(world)[series, DAY][0] in (Outcome.PLAYED, Outcome.PLAYED_LATE)


def test_a_daily_series_is_acknowledged_once_a_day_through_a_week_with_an_outage() -> None:
    world = World()
    manifest = world.hub.content(30)
    world.hub.approve(manifest)
    series = world.hub.schedule(manifest, 360, days=tuple(range(DAY, DAY + 7)))
    world.run_to(420, DAY + 2)
    world.off(2 * 86_400)
    world.run_to(420, DAY + 6)
    outcomes = [said(world)[series, day][0] for day in range(DAY, DAY + 7)]
    missed, played = Outcome.MISSED, Outcome.PLAYED
    assert outcomes == [played, played, played, missed, missed, played, played]
    days = [one.fact.day for one in world.hub.facts_of(DaySummary) if isinstance(one.fact, DaySummary)]
    assert days == list(range(DAY, DAY + 6))


def test_a_day_summary_counts_what_the_day_was() -> None:
    world = World()
    world.hub.programme(360)
    world.run_to(120, DAY + 1)
    world.run(1_200)
    (summary,) = [one.fact for one in world.hub.facts_of(DaySummary)]
    assert isinstance(summary, DaySummary)
    assert (summary.day, summary.played, summary.missed) == (DAY, 1, 0)
    assert summary.syncs_ok > 50
    assert summary.bytes_up > 0
    assert summary.hub_head in {stored.segment.head.hash for stored in world.hub.ledger.since(0)}


def test_what_was_planned_before_the_station_joined_is_not_its_business() -> None:
    world = World(enrolled=False)
    early = world.hub.programme(340, late_s=60)
    world.clock.pass_s(1_800)
    world.hub.enrol()
    late = world.hub.programme(370)
    world.run_to(400)
    assert said(world) == {(late, DAY): (Outcome.PLAYED, Detail.NONE)}
    assert early != late


def test_a_station_that_the_hub_does_not_know_yet_waits_and_plays_nothing() -> None:
    world = World(enrolled=False)
    world.hub.stations.clear()
    world.hub.programme(360)
    world.run_to(400)
    assert world.speaker.sounds == []
    assert world.line.exchanges > 1


def test_two_runs_of_the_same_day_give_the_same_bytes() -> None:
    def day() -> list[bytes]:
        world = World(sync_period_s=60)
        world.hub.programme(360)
        world.hub.emergency()
        world.run_to(400)
        return [stored.segment.raw for stored in world.hub.ledger.since(0)]

    assert day() == day()


def test_an_idle_station_asks_for_little() -> None:
    world = World()
    world.run(7_200)
    before = world.line.exchanges
    ticks = 0
    end_s = world.clock.utc_s + 7_200
    while world.clock.utc_s < end_s:
        world.clock.pass_s(world.station.tick())
        ticks += 1
    assert world.line.exchanges - before <= 12
    assert ticks <= 7_200 / 60 + 40


@pytest.mark.parametrize("rights", [Right.ACK])
def test_the_grant_that_counts_is_the_stations_own(rights: Right) -> None:
    world = World()
    world.run(60)
    grants = [one.fact for one in world.hub.facts_of(Granted, key=world_hub_key())]
    assert any(isinstance(fact, Granted) and fact.subject_pub == NODE.verify_key.raw for fact in grants)
    assert world.station.status().unit == UNIT
    assert world.clock.utc_s > MORNING


def world_hub_key() -> SigningKey:
    from station_world import HUB

    return HUB


def test_a_busy_hub_is_left_in_peace_even_after_a_power_cut() -> None:
    world = World()
    world.run(60)
    asked_s: list[float] = []

    def busy() -> None:
        asked_s.append(world.clock.utc_s)
        raise HubBusy("busy", 1_500.0)

    world.line.hook = busy
    world.run(1_200)
    assert len(asked_s) == 1
    world.off(10)
    world.run(200)
    assert len(asked_s) == 1, "the wish for silence was forgotten with the power"
    world.run(1_200)
    assert len(asked_s) == 2


def test_content_the_hub_does_not_hold_costs_a_few_questions_and_no_busy_waiting() -> None:
    world = World()
    world.hub.programme(360, late_s=300)
    for sha in world.hub.blobs.held():
        world.hub.blobs.delete(sha)
    ticks = 0
    end_s = world.clock.utc_s + 3 * 3_600
    while world.clock.utc_s < end_s:
        world.clock.pass_s(world.station.tick())
        ticks += 1
    assert ticks < 400


def test_a_clock_that_is_set_back_repeats_nothing() -> None:
    world = World()
    series = world.hub.programme(360)
    world.run_to(365)
    world.clock.utc_s -= 600
    world.run(1_800)
    assert [sound.series for sound in world.speaker.sounds] == [series]
    assert len(world.hub.acks()) == 1


def test_a_hub_restored_from_an_old_image_gets_everything_again() -> None:
    world = World()
    image = world.hub.store.snapshot()
    first = world.hub.programme(360)
    second = world.hub.programme(370)
    image_with_plan = world.hub.store.snapshot()
    world.run_to(380)
    assert set(said(world)) == {(first, DAY), (second, DAY)}
    world.hub.store.restore(image_with_plan)
    world.hub.restart()
    world.run(3_600)
    assert set(said(world)) == {(first, DAY), (second, DAY)}
    assert image != image_with_plan


def test_a_station_restored_from_an_old_image_repeats_no_number_and_loses_nothing_new() -> None:
    world = World()
    world.hub.programme(360)
    world.run_to(350)
    image = world.store.snapshot()
    world.run_to(365)
    later = world.hub.programme(400)
    world.store.restore(image)
    world.speaker.power_cut()
    world.boot()
    world.run_to(420)
    assert world.hub.ledger.forks() == []
    assert (later, DAY) in {(ack.series, ack.day) for ack in world.hub.acks()}
