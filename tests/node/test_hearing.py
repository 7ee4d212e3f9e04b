"""The ear on curves made here: it knows the programme again under what rooms, cables and clocks do to it."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.sound.hearing import FRAME_S, KEEP, LAG_MAX, WINDOW, Curve, Ear, Levels, Verdict, floored

seeds = st.integers(0, 2**32)


def speech(seed: int, seconds: float) -> list[Levels]:
    """Levels as a voice has them: syllables, pauses, bands that go their own way."""
    rng = random.Random(seed)
    frames: list[Levels] = []
    while len(frames) < seconds / FRAME_S:
        for _ in range(rng.randint(2, 9)):
            top = rng.uniform(-30, -15)
            tilt = rng.uniform(3, 14), rng.uniform(6, 26)
            length = rng.randint(3, 8)
            for at in range(length):
                level = top - 14 * abs(at / length - 0.4) + rng.gauss(0, 1.5)
                frames.append((level, level - tilt[0] + rng.gauss(0, 2), level - tilt[1] + rng.gauss(0, 2)))
            frames += [(-70 + rng.gauss(0, 2),) * 3] * rng.randint(0, 2)
        frames += [(-75.0 + rng.gauss(0, 2),) * 3] * rng.randint(4, 18)
    return frames[: int(seconds / FRAME_S)]


def noise(seed: int, count: int, level: float) -> list[Levels]:
    rng = random.Random(seed)
    return [(level + rng.gauss(0, 1), level + rng.gauss(0, 1), level + rng.gauss(0, 1)) for _ in range(count)]


def mixed(*sounds: list[Levels]) -> list[Levels]:
    """The levels of sounds that are there together."""

    def level(*parts: float) -> float:
        power = sum(10 ** (part / 10) for part in parts)
        return 10 * math.log10(power) if power > 0 else -math.inf

    return [
        (level(*low), level(*middle), level(*high))
        for low, middle, high in (zip(*frames, strict=True) for frames in zip(*sounds, strict=False))
    ]


def quieter(frames: list[Levels], decibels: float) -> list[Levels]:
    return [(low - decibels, middle - decibels, high - decibels) for low, middle, high in frames]


def later(frames: list[Levels], seconds: float) -> list[Levels]:
    return [(-math.inf,) * 3] * round(seconds / FRAME_S) + frames


def echoing(frames: list[Levels]) -> list[Levels]:
    return mixed(frames, *(later(quieter(frames, 3 * k), 0.09 * k) for k in (1, 2, 3)))


def ears(played: list[Levels], captured: list[Levels], *, ahead: int = 10, step: int = 6) -> Verdict:
    """In the order of a real item: every quarter of a second something comes from either side."""
    ear = Ear()
    ear.reference.add(played[:ahead], 1_000.0, anew=True)
    for at in range(0, len(played), step):
        now_s = 1_000 + (at + step) * FRAME_S
        ear.reference.add(played[ahead + at : ahead + at + step], now_s)
        ear.capture.add(captured[at : at + step], now_s)
        ear.listen()
    return ear.verdict()


def test_what_is_played_is_heard_however_far_late_and_noisy() -> None:
    """In 39 of 40 at least: a short programme may have too few pauses to be told from another."""
    rng = random.Random(2022)
    heard = 0
    for _ in range(40):
        seed, delay_s, quieter_db = rng.getrandbits(32), rng.uniform(0.0, 3.5), rng.uniform(0.0, 45.0)
        played = speech(seed, 28.0)
        noisy = mixed(
            later(echoing(played), delay_s), noise(seed + 1, len(played), -25 - rng.uniform(5.0, 40.0))
        )
        verdict = ears(played, quieter(noisy, quieter_db))
        assert verdict.windows >= 3
        assert not verdict.heard or abs(verdict.lag_s - delay_s) < 0.7
        heard += verdict.heard
    assert heard >= 39


@settings(deadline=None, max_examples=25)
@given(seeds, st.floats(0.0, 20.0))
def test_another_programme_is_not_heard(seed: int, offset_s: float) -> None:
    other = speech(seed + 1, 60.0)[round(offset_s / FRAME_S) :]
    verdict = ears(speech(seed, 30.0), other)
    assert not verdict.heard
    assert verdict.windows >= 3


@settings(deadline=None, max_examples=15)
@given(seeds, st.floats(-80.0, -5.0))
def test_noise_is_not_heard(seed: int, level: float) -> None:
    verdict = ears(speech(seed, 30.0), noise(seed + 1, 750, level))
    assert not verdict.heard
    assert verdict.missed


@pytest.mark.parametrize("level", [-math.inf, -95.0])
def test_silence_is_not_heard_and_counts_as_missed(level: float) -> None:
    verdict = ears(speech(1, 30.0), [(level,) * 3] * 750)
    assert verdict.missed
    assert not verdict.heard


def test_a_neighbour_as_loud_as_we_are_does_not_hide_us() -> None:
    played = speech(3, 30.0)
    assert ears(played, mixed(later(played, 0.6), speech(4, 31.0))).heard


def test_a_neighbour_alone_is_not_us() -> None:
    assert not ears(speech(3, 30.0), echoing(speech(4, 31.0))).heard


@pytest.mark.parametrize("kept", [{0, 1}, {1, 2}])
def test_a_loudspeaker_that_has_lost_a_band_is_heard(kept: set[int]) -> None:
    played = speech(5, 30.0)
    hiss = noise(6, len(played), -80)
    thin = [
        tuple(frame[band] if band in kept else still[band] for band in range(3))
        for frame, still in zip(played, hiss, strict=True)
    ]
    assert ears(played, later(thin, 0.4)).heard  # type: ignore[arg-type]


def test_clocks_that_drift_apart_are_followed() -> None:
    played = speech(7, 120.0)
    fast = [played[round(at * 1.0005)] for at in range(int(len(played) / 1.0005))]
    verdict = ears(played, later(fast, 0.5))
    assert verdict.heard
    assert verdict.matched == verdict.windows


def test_half_of_an_item_is_heard_and_a_quarter_is_not() -> None:
    played = speech(8, 120.0)
    half = played[: 24 * 80] + [(-math.inf,) * 3] * len(played)
    quarter = played[: 24 * 35] + [(-math.inf,) * 3] * len(played)
    assert ears(played, half).heard
    few = ears(played, quarter)
    assert not few.heard
    assert few.matched > 0
    assert not few.missed


def test_what_does_not_move_can_be_matched_with_anything_and_is_not_judged() -> None:
    tone = [(-20.0, -60.0, -60.0)] * 750
    assert ears(tone, tone) == Verdict(0, 0, 0.0, 0.0)
    beeps = [(-20.0 if at % 50 < 25 else -80.0, -90.0, -90.0) for at in range(750)]
    assert ears(beeps, beeps) == Verdict(0, 0, 0.0, 0.0)


def test_an_item_shorter_than_a_window_is_not_judged() -> None:
    played = speech(9, 7.0)
    assert ears(played, played).windows == 0


def test_a_window_whose_sound_cannot_have_arrived_yet_is_not_counted_against_us() -> None:
    played = speech(10, 13.0)
    verdict = ears(played, noise(1, len(played), -60))
    assert verdict.windows == 0


def test_a_microphone_that_stops_half_way_leaves_the_rest_unjudged() -> None:
    played = speech(11, 60.0)
    verdict = ears(played, played[:600])
    assert verdict.heard
    assert verdict.matched == verdict.windows <= 6


def test_matches_at_delays_that_jump_about_are_no_hearing() -> None:
    """Pieces of the programme at delays of their own: a jingle that comes again and again."""
    played = speech(12, 96.0)
    jumbled: list[Levels] = []
    for piece in range(12):
        start, shift = piece * 200, (piece * 37) % 120
        jumbled += played[max(0, start - shift) : max(0, start - shift) + 200]
    verdict = ears(played, jumbled)
    assert not verdict.heard


def test_a_pause_of_the_player_moves_the_rest_of_the_item() -> None:
    played = speech(13, 60.0)
    ear = Ear()
    now_s = 50.0
    for part in (played[:700], played[700:]):
        for at in range(0, len(part), 6):
            ear.reference.add(part[at : at + 6], now_s, anew=at == 0)
            ear.capture.add(part[at : at + 6], now_s + 0.24)
            ear.listen()
            now_s += 0.24
        for _ in range(20):  # it hangs for almost five seconds
            ear.capture.add([(-90.0,) * 3] * 6, now_s + 0.24)
            now_s += 0.24
    verdict = ear.verdict()
    assert verdict.heard
    assert verdict.windows >= 8


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.floats(0.0, 30.0), st.booleans()), max_size=60),
    st.booleans(),
)
def test_what_is_kept_is_bounded_and_lies_on_the_grid_of_time(
    arrivals: list[tuple[int, float, bool]], ahead: bool
) -> None:
    curve = Curve(ahead=150 if ahead else 0)
    now_s = 5_000.0
    for count, wait_s, anew in arrivals:
        now_s += wait_s
        curve.add([(-20.0,) * 3] * count, now_s, anew=anew)
        assert 0 <= curve.end - curve.first <= KEEP
        assert len(curve.levels(0, curve.first, curve.end)) == curve.end - curve.first
        if count:
            assert -230 <= round(now_s / FRAME_S) - curve.end <= 80
        until = curve.whole_until(curve.first, curve.end)
        assert all(level == -20.0 for level in curve.levels(2, curve.first, until))


def test_an_item_of_short_rounds_is_judged_within_each_round() -> None:
    ear = Ear()
    now_s, played = 50.0, speech(14, 10.0)
    for _ in range(3):
        for at in range(0, len(played), 5):
            ear.reference.add(played[at : at + 5], now_s, anew=at == 0)
            ear.capture.add(played[at : at + 5], now_s + 0.2)
            ear.listen()
            now_s += 0.2
        ear.capture.add([(-90.0,) * 3] * 10, now_s + 0.4)
        now_s += 0.4
    verdict = ear.verdict()
    assert verdict.heard
    assert verdict.windows == 3


@settings(deadline=None, max_examples=20)
@given(seeds, st.lists(st.integers(0, 60), min_size=8, max_size=8))
def test_levels_that_come_late_and_then_all_at_once_are_still_the_same_sound(
    seed: int, behind: list[int]
) -> None:
    """A busy machine: the listening program is up to 2.4 s behind, catches up, and nothing is lost."""
    played = speech(seed, 30.0)
    captured = later(played, 0.6)
    ear, given = Ear(), 0
    for turn, at in enumerate(range(0, len(played), 6)):
        now_s = 10.0 + (at + 6) * FRAME_S
        ear.reference.add(played[at : at + 6], now_s, anew=at == 0)
        late = behind[turn // 8 % 8] if turn % 8 < 6 else 0
        until = max(given, at + 6 - late)
        ear.capture.add(captured[given:until], now_s)
        given = until
        ear.listen()
    verdict = ear.verdict()
    assert verdict.heard
    assert verdict.matched == verdict.windows >= 3


def test_memory_stays_bounded_when_either_side_falls_silent() -> None:
    ear = Ear()
    for minute in range(60):
        for at in range(250):
            now_s = minute * 60 + at * 0.24
            ear.reference.add([(-20.0,) * 3] * 6, now_s)
            ear.listen()
    assert ear.reference.end - ear.reference.first <= KEEP
    assert WINDOW + LAG_MAX < KEEP


def test_levels_are_counted_above_a_floor_below_the_loudest() -> None:
    assert floored([-10.0, -25.0, -60.0]) == [30.0, 15.0, 0.0]
    assert floored([-70.0, -84.0, -math.inf]) == [15.0, 1.0, 0.0]
    assert floored([-85.0, -math.inf]) == [0.0, 0.0]
