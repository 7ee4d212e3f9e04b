"""Whatever the clock does, nothing begins outside its window: the real station against a clock from hell.

The test knows the true time; the station knows its wall clock, its monotonic clock, what the kernel says of
them, and what its hub signs. The wall clock jumps by seconds to years, both crystals drift, the box is
suspended, loses power, comes back years off or knowing nothing; the line comes and goes.

What no station can know is left out, and only that: a clock that the kernel vouches for and that is wrong by
less than a year, while the hub has not been heard in this life of the process; and a suspension that no clock
of the box counted.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from station_world import DAY, World

from ledger.facts import ClockStepped, Outcome, Slot, at, slots
from node import Confidence, Now
from node.clock import AGREE_S, DRIFT, RTC_AHEAD_MAX_S, TrustedTime

# How wrong a believed clock may be: two witnesses within this count as one, and crystals drift for two days.
ERROR_S = AGREE_S + 2 * 2 * 86_400 * DRIFT + 2
DAYS_MAX = 2
JUMPS = st.sampled_from([-3e7, -1e8, 86_400.0, -86_400.0, 3_600.0, -3_600.0, 400.0, -400.0, 20.0, 1e8, 4e8])


class ClockMachine(RuleBasedStateMachine):
    @initialize(confidence=st.sampled_from(Confidence), crystal=st.sampled_from([0.0, 1e-4, -1e-4]))
    def start(self, confidence: Confidence, crystal: float) -> None:
        self.world = world = World(sync_period_s=300, enrolled=True)
        self.clock = world.clock
        self.clock.confidence = confidence
        self.end_s = self.clock.utc_s + DAYS_MAX * 86_400
        self.checked = 0
        self.known: list[tuple[float, float, Confidence]] = []
        days = (DAY, DAY + 1)
        for minute in range(350, 1_290, 45):
            world.hub.programme(minute, seconds=30, late_s=300, days=days)

        def passes(seconds: float) -> None:
            self.clock.utc_s += seconds
            self.clock.mono_s += seconds * (1 + crystal)

        now = self.clock.now

        def looked() -> Now:
            self.truth[self.clock.mono_s] = self.clock.utc_s
            return now()

        self.truth: dict[float, float] = {}  # the true time of each look, by the monotonic clock
        self.clock.pass_s = passes  # type: ignore[method-assign]
        self.clock.now = looked  # type: ignore[method-assign]
        world.speaker.hook = self.note
        world.run(1)

    @property
    def time(self) -> TrustedTime:
        return self.world.station.presence.time

    def note(self) -> None:
        """Just before and after a sound begins: what the station knew."""
        moment = self.world.station._moment
        self.known.append((self.time.low(moment.mono_s), self.time.high(moment.mono_s), moment.confidence))

    def is_over(self) -> bool:
        return self.clock.utc_s > self.end_s

    # -- what happens ----------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([5.0, 61.0, 290.0, 1_200.0, 3_000.0, 10_000.0]))
    def time_passes(self, seconds: float) -> None:
        if not self.is_over():
            self.world.run(seconds)

    @rule(jump_s=JUMPS, vouched=st.booleans())
    def the_wall_clock_is_set(self, jump_s: float, vouched: bool) -> None:
        self.clock.skew_s = jump_s
        live = self.time._live_at(self.clock.mono_s) is not None
        if not (vouched and live and self.time._agreed):
            self.clock.confidence = Confidence.UNKNOWN
        self.world.run(1)

    @rule(confidence=st.sampled_from(Confidence))
    def the_wall_clock_is_set_right(self, confidence: Confidence) -> None:
        self.clock.skew_s = 0.0
        self.clock.confidence = confidence
        self.world.run(1)

    @rule(seconds=st.sampled_from([100.0, 1_000.0, 8_000.0, 40_000.0]))
    def the_box_is_suspended(self, seconds: float) -> None:
        if not self.is_over():
            self.clock.utc_s += seconds
            self.world.run(1)

    @rule(
        seconds=st.sampled_from([20.0, 600.0, 9_000.0]),
        skew_s=st.sampled_from([-1e8, RTC_AHEAD_MAX_S + 3 * 86_400, 4e8, 0.0]),
        confidence=st.sampled_from([Confidence.UNKNOWN, Confidence.RTC, Confidence.NTP]),
    )
    def the_power_goes(self, seconds: float, skew_s: float, confidence: Confidence) -> None:
        """It comes back right, years off, or unknown. Ahead it is only caught by what was signed before."""
        if self.is_over():
            return
        signed = self.world.station.ledger.get("node.low_s", 0)
        assert isinstance(signed, int)
        never = self.time._live is None and signed < self.clock.utc_s - 10 * 86_400
        self.clock.skew_s = skew_s
        self.clock.confidence = confidence
        if skew_s and (confidence is Confidence.NTP or (never and skew_s > 0)):
            self.clock.confidence = Confidence.UNKNOWN
        self.world.off(seconds)
        self.world.run(1)

    @rule(down=st.booleans(), lose=st.booleans())
    def the_line(self, down: bool, lose: bool) -> None:
        self.world.line.down, self.world.line.lose_replies = down, lose

    @rule(life_s=st.sampled_from([300, 1_800, 7_200]), in_s=st.sampled_from([0, 0, 900]))
    def an_emergency_is_ordered(self, life_s: int, in_s: int) -> None:
        if not self.is_over():
            self.world.hub.emergency(seconds=15, life_s=life_s, not_before=self.world.hub.ts + in_s)

    # -- what must hold --------------------------------------------------------------------------------------

    @invariant()
    def the_lower_bound_is_sound(self) -> None:
        if hasattr(self, "world"):
            assert self.time.low(self.clock.mono_s) <= self.clock.utc_s + 1e-3

    @invariant()
    def what_is_believed_is_true(self) -> None:
        """As of the last look: the clock may have been turned since."""
        if hasattr(self, "world"):
            moment = self.world.station._moment
            if moment.trusted and moment.mono_s in self.truth:
                assert abs(moment.utc_s - self.truth[moment.mono_s]) <= ERROR_S

    @invariant()
    def nothing_began_outside_its_window(self) -> None:
        if not hasattr(self, "world"):
            return
        sounds = self.world.speaker.sounds
        planned: dict[tuple[int, int], Slot] = {
            slot.key: slot
            for slot in slots(self.world.hub.facts, "vn.yb.04630", at(DAY - 1), self.end_s + 3 * 86_400)
        }
        for index in range(self.checked, len(sounds)):
            sound = sounds[index]
            if sound.offset_ds:
                continue  # it goes on
            slot = planned[sound.series, sound.day]
            low_s, high_s, confidence = self.known[2 * index]
            assert slot.start_s - ERROR_S <= sound.utc_s < slot.begin_until_s + ERROR_S, slot
            if slot.emergency:
                assert low_s < slot.begin_until_s, "over by the sound lower bound"
            if confidence is Confidence.UNKNOWN:
                assert slot.emergency, "without a trusted clock nothing timed begins"
                assert high_s < slot.begin_until_s, "not in a live session within its window"
        self.checked = len(sounds)

    def teardown(self) -> None:
        """When clock and line are right again, the station plays again."""
        if not hasattr(self, "world"):
            return
        world = self.world
        self.clock.skew_s, self.clock.confidence = 0.0, Confidence.NTP
        world.line.down = world.line.lose_replies = False
        world.run(1_200)
        assert world.station._moment.trusted
        series = world.hub.emergency(seconds=5, level=3)
        world.run(1_200)
        assert series in {sound.series for sound in world.speaker.sounds}
        self.nothing_began_outside_its_window()
        acks = [(ack.series, ack.day) for ack in world.hub.acks()]
        assert len(acks) == len(set(acks)), "answered twice"
        world.store.close()


ClockMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestNothingBeginsOutsideItsWindow = ClockMachine.TestCase


def steps(world: World) -> list[ClockStepped]:
    found = [one.fact for one in world.hub.facts_of(ClockStepped)]
    return [fact for fact in found if isinstance(fact, ClockStepped)]


def test_a_jump_that_is_followed_is_written_down_once_with_both_times() -> None:
    world = World(sync_period_s=300)
    world.line.down = True
    world.run(1_200)
    world.clock.skew_s = 7_200.0  # nobody contradicts it: the hub was never heard
    world.run(1_200)
    world.clock.skew_s = 0.0
    world.line.down = False
    world.run(1_200)
    ahead, back = steps(world)
    assert ahead.new_s - ahead.old_s == pytest.approx(7_200, abs=1)
    assert back.new_s - back.old_s == pytest.approx(-7_200, abs=1)


def test_a_jump_that_is_not_followed_leaves_no_step_and_the_station_plays_on_by_the_hub() -> None:
    world = World(sync_period_s=300)
    series = world.hub.programme(350, seconds=30)
    world.run(600)
    world.clock.skew_s = 86_400.0
    world.run(3_600)
    assert steps(world) == []
    assert [sound.series for sound in world.speaker.sounds] == [series]
    (ack,) = world.hub.acks()
    assert abs(ack.jitter_cs) < 500


def test_what_two_clocks_agreed_on_outlives_a_power_cut() -> None:
    world = World(sync_period_s=300)
    world.run(1_200)
    world.off(60)
    time = world.station.presence.time
    assert world.clock.utc_s - 1_300 < time.floor_s <= time.low(world.clock.mono_s) <= world.clock.utc_s


def test_a_hub_years_ahead_for_an_hour_costs_a_station_with_a_clock_nothing() -> None:
    world = World(sync_period_s=300)
    first, second = world.hub.programme(360, seconds=30), world.hub.programme(420, seconds=30)
    world.run(600)
    true_answer = world.hub.answer

    def ahead(request: bytes) -> bytes:
        world.clock.utc_s += 3e8
        try:
            return true_answer(request)
        finally:
            world.clock.utc_s -= 3e8

    world.hub.answer = ahead  # type: ignore[method-assign]
    world.run(3_600)
    world.hub.answer = true_answer  # type: ignore[method-assign]
    world.run(7_200)
    assert [sound.series for sound in world.speaker.sounds] == [first, second]
    assert {ack.outcome for ack in world.hub.acks()} == {Outcome.PLAYED}
