"""A person's word on the time: no emergency from a stick begins on the box's own opinion of the time."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from station_world import DAY, MORNING, World
from test_node_usb import at_the_hub, far, receive, send, visit

from ledger.facts import ClockStepped, Outcome
from ledger.log import MemoryStore
from node import Confidence
from node.clock import AGREE_S, DRIFT, SIGNED_LIFE_S
from node.stick.usb import Question, beside
from node.stick.vouch import PERSON, Vouch, Word

ERROR_S = AGREE_S + 2 * 86_400 * DRIFT + 61


def waiting_for_a_word(
    confidence: Confidence = Confidence.RTC, *, on_the_road_s: float = 0.0, **more: object
) -> tuple[World, int]:
    """A station that never hears its hub, and an emergency that came by stick."""
    world = far()
    world.clock.confidence = confidence
    away = send(world)
    series = world.hub.emergency(life_s=20_000, **more)  # type: ignore[arg-type]
    back = at_the_hub(world, away)
    world.clock.pass_s(on_the_road_s)
    assert receive(world, back).is_clean
    return world, series


def asked(world: World) -> Question:
    question = beside(world.station).question()
    assert question is not None
    return question


def sounds(world: World) -> list[int]:
    return [sound.series for sound in world.speaker.sounds]


def words_in_the_record(world: World) -> list[ClockStepped]:
    world.line.down = False
    world.station.agent.hurry(world.clock.mono_s, 0.0)
    world.run(1_200)
    found = [one.fact for one in world.hub.facts_of(ClockStepped)]
    return [fact for fact in found if isinstance(fact, ClockStepped) and fact.source == PERSON]


# -- nobody said anything ------------------------------------------------------------------------------------


def test_a_battery_clock_alone_begins_no_emergency_from_a_stick_and_the_station_says_why() -> None:
    world, series = waiting_for_a_word()
    world.run(30_000)
    assert sounds(world) == []
    assert world.outcomes()[series, DAY - 1] == ("MISSED", "CLOCK_UNKNOWN")


def test_what_is_planned_by_the_clock_plays_by_a_battery_clock_as_before() -> None:
    world = far()
    world.clock.confidence = Confidence.RTC
    away = send(world)
    series = world.hub.programme(7 * 60, seconds=30)
    receive(world, at_the_hub(world, away))
    world.run_to(7 * 60 + 5)
    assert sounds(world) == [series]


def test_an_emergency_that_came_by_the_network_needs_no_word() -> None:
    world = World(utc_s=MORNING, sync_period_s=300)
    world.clock.confidence = Confidence.RTC
    series = world.hub.emergency(life_s=7_200, not_before=world.hub.ts + 2_000)
    world.run(600)
    world.line.down = True
    world.off(60)
    world.run(3_000)
    assert sounds(world) == [series]


@pytest.mark.parametrize("how", ["ntp", "hub"])
def test_it_begins_without_a_word_when_somebody_else_says_the_time(how: str) -> None:
    world, series = waiting_for_a_word()
    world.run(600)
    assert beside(world.station).question() is not None
    if how == "ntp":
        world.clock.confidence = Confidence.NTP
    else:
        world.line.down = False
        world.station.agent.hurry(world.clock.mono_s, 0.0)
    world.run(1_200)
    assert sounds(world) == [series]
    assert beside(world.station).question() is None


# -- somebody did --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [Confidence.RTC, Confidence.UNKNOWN])
def test_with_a_person_s_word_it_begins_and_the_record_shows_whose_time_it_was(
    confidence: Confidence,
) -> None:
    world, series = waiting_for_a_word(confidence)
    world.run(60)
    question = asked(world)
    assert (question.word.utc_s, question.behind) == (world.hub.ts, False)
    assert [one.text for one in question.orders] == ["Lũ quét"]
    assert beside(world.station).take_word(question.word)
    world.run(120)
    assert sounds(world) == [series]
    (word,) = words_in_the_record(world)
    assert word.old_s == word.new_s == question.word.utc_s
    (ack,) = world.hub.acks()
    assert ack.series == series
    assert Outcome(ack.outcome).heard


def test_the_command_at_a_stopped_station_asks_and_the_next_process_acts_on_the_word() -> None:
    world, series = waiting_for_a_word()
    stopped = visit(world)
    question = stopped.question()
    assert question is not None
    assert stopped.take_word(question.word)
    world.clock.pass_s(20)
    world.boot()  # the same life of the machine
    world.run(120)
    assert sounds(world) == [series]
    assert [word.new_s for word in words_in_the_record(world)] == [question.word.utc_s]


def test_a_no_plays_nothing_and_takes_back_an_earlier_yes() -> None:
    world, _ = waiting_for_a_word(not_before=MORNING - 86_400 + 3_000)
    question = asked(world)
    assert beside(world.station).take_word(question.word)
    assert beside(world.station).question() is None
    beside(world.station).deny()
    world.run(30_000)
    assert sounds(world) == []
    assert len(words_in_the_record(world)) == 1, "what was said stays said"


def test_a_word_ends_with_the_life_of_the_machine() -> None:
    world, _ = waiting_for_a_word(not_before=MORNING - 86_400 + 3_000)
    assert beside(world.station).take_word(asked(world).word)
    world.off(10)
    world.run(4_000)
    assert sounds(world) == []
    assert beside(world.station).question() is not None, "it is asked again"


@pytest.mark.parametrize("jump_s", [-7_200.0, 400.0])
def test_a_word_ends_when_the_clock_is_set(jump_s: float) -> None:
    start = MORNING - 86_400 + 12_000
    world, _ = waiting_for_a_word(on_the_road_s=9_000, not_before=start)
    assert beside(world.station).take_word(asked(world).word)
    world.run(60)
    world.clock.skew_s = jump_s
    world.run(15_000)
    assert sounds(world) == []


def test_a_word_ends_when_the_box_was_asleep() -> None:
    world, _ = waiting_for_a_word(not_before=MORNING - 86_400 + 3_000)
    assert beside(world.station).take_word(asked(world).word)
    world.run(60)
    world.clock.utc_s += 3_600  # its wall clock ran on
    world.run(10_000)
    assert sounds(world) == []


def test_a_word_is_for_what_was_shown_and_for_nothing_that_came_later() -> None:
    world, first = waiting_for_a_word()
    question = asked(world)
    assert beside(world.station).take_word(question.word)
    world.run(100)
    away = MemoryStore()
    beside(world.station).send(away)
    second = world.hub.emergency(life_s=20_000)
    back = at_the_hub(world, away)
    beside(world.station).receive(back)
    world.station.look_soon()
    world.run(1_000)
    assert sounds(world) == [first]
    assert [one.series for one in asked(world).orders] == [second]


def test_a_word_given_after_the_clock_was_set_meanwhile_does_not_count() -> None:
    world, _ = waiting_for_a_word()
    question = asked(world)
    world.clock.skew_s = -3_600.0
    assert not beside(world.station).take_word(question.word)
    world.run(600)
    assert sounds(world) == []
    assert words_in_the_record(world) == []


def test_a_clock_before_the_hub_s_own_signature_is_wrong_and_nobody_can_say_otherwise() -> None:
    world, _ = waiting_for_a_word(Confidence.UNKNOWN)
    world.clock.skew_s = -6 * 365 * 86_400.0
    question = asked(world)
    assert question.behind
    assert not beside(world.station).take_word(question.word)
    world.run(600)
    assert sounds(world) == []


def test_what_is_withdrawn_over_or_played_is_not_asked_for() -> None:
    world, series = waiting_for_a_word()
    assert beside(world.station).take_word(asked(world).word)
    world.run(100)
    assert sounds(world) == [series]
    assert beside(world.station).question() is None
    world, series = waiting_for_a_word()
    away = send(world)
    world.hub.cancel(series)
    receive(world, at_the_hub(world, away))
    assert beside(world.station).question() is None
    world, _ = waiting_for_a_word()
    away = send(world)
    world.clock.pass_s(30_000)
    receive(world, at_the_hub(world, away))
    assert beside(world.station).question() is None, "the hub signed a time after its end"


def test_a_word_covers_events_that_wait_here_and_nothing_else() -> None:
    world, _ = waiting_for_a_word()
    word = asked(world).word
    forged = Word(word.utc_s, word.mono_ms, word.boot, (b"F" * 16,))
    assert not beside(world.station).take_word(forged)
    more = Word(word.utc_s, word.mono_ms, word.boot, (b"F" * 16, *word.events))
    assert beside(world.station).take_word(more)
    kept = Vouch(world.station.ledger)._word
    assert kept is not None
    assert kept.events == word.events


@given(st.binary(max_size=200))
def test_bytes_that_are_no_word_say_nothing(data: bytes) -> None:
    word = Word.decode(data)
    assert word is None or isinstance(word.events, tuple)


@given(
    st.integers(0, 2**40), st.integers(0, 2**40), st.text(max_size=40),
    st.lists(st.binary(min_size=16, max_size=16), max_size=64),
)  # fmt: skip
def test_a_word_survives_its_encoding(utc_s: int, mono_ms: int, boot: str, events: list[bytes]) -> None:
    word = Word(utc_s, mono_ms, boot, tuple(events))
    assert Word.decode(word.encode()) == word


# -- whatever the clock does ---------------------------------------------------------------------------------

JUMPS = st.sampled_from([-3e7, 86_400.0, -86_400.0, 3_600.0, -3_600.0, 400.0, -400.0, 20.0, 4e8])


class StickMachine(RuleBasedStateMachine):
    """A clock that lies, a person who does not, a line that comes and goes, and emergencies by stick alone.

    The judge knows of each word the true time, the life of the machine and how far its clocks lay apart.
    """

    @initialize(confidence=st.sampled_from([Confidence.UNKNOWN, Confidence.RTC, Confidence.RTC]))
    def start(self, confidence: Confidence) -> None:
        self.world = world = far()
        self.clock = world.clock
        self.clock.confidence = confidence
        self.end_s = self.clock.utc_s + 2 * 86_400
        self.windows: dict[int, tuple[int, int]] = {}
        self.words: dict[int, tuple[int, float, float]] = {}  # series → life, monotonic s, wall minus that
        self.heard_s: float | None = None  # the last live exchange of this process, monotonic
        self.begun: list[str] = []  # at each look of `note`: who else says the time
        world.speaker.hook = self.note
        answer = world.hub.answer

        def answered(request: bytes) -> bytes:
            reply = answer(request)
            if not world.line.lose_replies:
                self.heard_s = self.clock.mono_s
            return reply

        world.hub.answer = answered  # type: ignore[method-assign]
        world.run(1)

    def note(self) -> None:
        """Just before and after a sound begins: may it?"""
        why = ""
        if self.clock.confidence is Confidence.NTP:
            why = "ntp"
        elif self.heard_s is not None and 0 <= self.clock.mono_s - self.heard_s <= SIGNED_LIFE_S:
            why = "hub"
        self.begun.append(why)

    def is_over(self) -> bool:
        return self.clock.utc_s > self.end_s

    @rule(seconds=st.sampled_from([5.0, 290.0, 1_200.0, 8_000.0]))
    def time_passes(self, seconds: float) -> None:
        if not self.is_over():
            self.world.run(seconds)

    @rule(jump_s=JUMPS, confidence=st.sampled_from([Confidence.UNKNOWN, Confidence.RTC]))
    def the_clock_is_wrong(self, jump_s: float, confidence: Confidence) -> None:
        self.clock.skew_s, self.clock.confidence = jump_s, confidence
        self.world.run(1)

    @rule(confidence=st.sampled_from([Confidence.UNKNOWN, Confidence.RTC, Confidence.RTC, Confidence.NTP]))
    def the_clock_is_right(self, confidence: Confidence) -> None:
        self.clock.skew_s, self.clock.confidence = 0.0, confidence
        self.world.run(1)

    @rule(seconds=st.sampled_from([1_000.0, 8_000.0]))
    def the_box_is_suspended(self, seconds: float) -> None:
        if not self.is_over():
            self.clock.utc_s += seconds
            self.world.run(1)

    @rule(
        seconds=st.sampled_from([20.0, 9_000.0]),
        skew_s=st.sampled_from([-1e8, 4e8, 0.0, -9_000.0]),
        confidence=st.sampled_from([Confidence.UNKNOWN, Confidence.RTC]),
    )
    def the_power_goes(self, seconds: float, skew_s: float, confidence: Confidence) -> None:
        if not self.is_over():
            self.clock.skew_s, self.clock.confidence = skew_s, confidence
            self.heard_s = None
            self.world.off(seconds)
            self.world.run(1)

    @rule(down=st.booleans())
    def the_line(self, down: bool) -> None:
        self.world.line.down = down

    @rule(life_s=st.sampled_from([1_800, 20_000]), in_s=st.sampled_from([0, 900, 4_000]))
    def a_stick_brings_an_emergency(self, life_s: int, in_s: int) -> None:
        """Into the running station; the network did not bring it before."""
        if self.is_over():
            return
        world = self.world
        was_down, world.line.down = world.line.down, True
        away = MemoryStore()
        beside(world.station).send(away)
        series = world.hub.emergency(seconds=15, life_s=life_s, not_before=world.hub.ts + in_s)
        self.windows[series] = (world.hub.ts + in_s, world.hub.ts + in_s + life_s)
        beside(world.station).receive(at_the_hub(world, away))
        world.station.look_soon()
        world.run(1)
        world.line.down = was_down

    @precondition(lambda self: hasattr(self, "world"))
    @rule()
    def somebody_is_asked(self) -> None:
        """And looks at a watch: yes when the box is right to two minutes."""
        visiting = beside(self.world.station)
        question = visiting.question()
        if question is None:
            return
        yes = abs(question.word.utc_s - self.clock.utc_s) <= AGREE_S
        if yes and visiting.take_word(question.word):
            for one in question.orders:
                self.words[one.series] = (
                    self.clock.boots, self.clock.mono_s, self.clock.utc_s - self.clock.mono_s,
                )  # fmt: skip
        elif not yes:
            visiting.deny()
            self.words.clear()
        self.world.station.look_soon()
        self.world.run(1)

    @invariant()
    def nothing_began_on_the_box_s_own_opinion(self) -> None:
        if not hasattr(self, "world"):
            return
        sounds = self.world.speaker.sounds
        for index in range(getattr(self, "checked", 0), len(sounds)):
            sound = sounds[index]
            if sound.offset_ds:
                continue  # it goes on
            from_s, until_s = self.windows[sound.series]
            why = self.begun[2 * index]
            word = self.words.get(sound.series)
            if not why:
                assert word is not None, "nobody said that this is the time"
                life, _, apart_s = word
                assert life == self.clock.boots, "said in another life of the machine"
                mono_s = self.clock.mono_s - (self.clock.utc_s - sound.utc_s)
                assert abs(sound.utc_s - mono_s - apart_s) <= ERROR_S, "the box slept since"
            assert from_s - ERROR_S <= sound.utc_s < until_s + ERROR_S, (sound, why)
        self.checked = len(sounds)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.nothing_began_on_the_box_s_own_opinion()
            self.world.store.close()


StickMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestNoEmergencyFromAStickBeginsOnTheBoxsOwnOpinion = StickMachine.TestCase
