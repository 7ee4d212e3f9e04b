"""The tempo map: it never runs backwards, its inverse is exact enough, and slowing down changes no past."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log import StoreError
from ledger.tempo import Tempo
from sim.tempo import LEAD_S, Beat, Metronome, planned, write

START_MONO = st.floats(0, 1e7)
START_UTC = st.floats(1.6e9, 1.9e9)
# Real and virtual length of a stretch: from slow motion to a whole night in a blink.
STRETCHES = st.lists(st.tuples(st.floats(0.05, 60), st.floats(1, 40_000)), min_size=0, max_size=12)


@st.composite
def tempos(draw: st.DrawFn) -> Tempo:
    mono, utc = draw(START_MONO), draw(START_UTC)
    beats, at = [], utc
    for real_s, length_s in draw(STRETCHES):
        at += length_s
        beats.append(Beat(at, real_s))
    return planned(mono, utc, beats)


def within(tempo: Tempo, share: float) -> float:
    """A monotonic second from a bit before the first anchor to a bit after the last."""
    first, last = tempo.anchors[0][0] - 5, tempo.anchors[-1][0] + 5
    return first + share * (last - first)


SHARE = st.floats(0, 1)


@given(tempos(), SHARE, SHARE)
def test_time_never_runs_backwards(tempo: Tempo, one: float, other: float) -> None:
    early, late = sorted((within(tempo, one), within(tempo, other)))
    assert tempo.utc(early) <= tempo.utc(late)
    if late - early > 1e-3:
        assert tempo.utc(early) < tempo.utc(late)


@given(tempos(), SHARE)
def test_the_inverse_leads_back(tempo: Tempo, share: float) -> None:
    mono = within(tempo, share)
    assert math.isclose(tempo.mono(tempo.utc(mono)), mono, abs_tol=2e-5)
    utc = tempo.utc(mono)
    assert math.isclose(tempo.utc(tempo.mono(utc)), utc, abs_tol=1e-2)


@given(tempos())
def test_every_anchor_is_hit(tempo: Tempo) -> None:
    for mono, utc in tempo.anchors:
        assert tempo.utc(mono) == pytest.approx(utc, abs=1e-6)


@given(tempos(), st.floats(0.1, 100))
def test_after_the_end_time_runs_at_the_speed_of_the_wall(tempo: Tempo, later_s: float) -> None:
    mono, utc = tempo.anchors[-1]
    assert tempo.utc(mono + later_s) == pytest.approx(utc + later_s, abs=1e-5)
    assert tempo.speed(mono + later_s) == 1.0
    assert tempo.end_s == utc


@given(tempos(), SHARE, SHARE, st.floats(1, 4))
def test_slowing_down_changes_nothing_that_was_already_read(
    tempo: Tempo, at_share: float, share: float, factor: float
) -> None:
    at, mono = within(tempo, at_share), within(tempo, share)
    slower = tempo.stretched(at, factor)
    if mono <= at:
        assert slower.utc(mono) == pytest.approx(tempo.utc(mono), abs=1e-2)
    elif mono <= tempo.anchors[-1][0]:
        assert slower.utc(mono) <= tempo.utc(mono) + 1e-2
    assert slower.end_s == tempo.end_s


def test_a_stretch_in_the_middle_takes_longer_by_its_factor() -> None:
    tempo = planned(100, 1_000, [Beat(2_000, 10), Beat(3_000, 10)])
    slower = tempo.stretched(105, 2)
    assert slower.mono(2_000) == pytest.approx(115)
    assert slower.mono(3_000) == pytest.approx(135)
    assert slower.speed(106) == pytest.approx(50)
    assert tempo.speed(106) == pytest.approx(100)


def test_a_tempo_cannot_be_hurried() -> None:
    with pytest.raises(ValueError, match="slowed down"):
        Tempo(((0, 0), (1, 1))).stretched(0.5, 0.9)


@given(tempos())
def test_a_tempo_survives_its_file(tempo: Tempo) -> None:
    assert Tempo.decode(tempo.encode()) == tempo


def test_a_tempo_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "tempo.json"
    write(Tempo(((1.5, 2.5),)), path)
    write(Tempo(((1.5, 2.5), (3.0, 9.0))), path)
    assert Tempo.decode(path.read_bytes()).anchors == ((1.5, 2.5), (3.0, 9.0))
    assert [p.name for p in tmp_path.iterdir()] == ["tempo.json"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"anchors": []}',
        b'{"anchors": [[1, 2], [1, 3]]}',
        b'{"anchors": [[1, 2], [2, 2]]}',
        b'{"anchors": [[1]]}',
        b'{"anchors": [["x", 2]]}',
    ],
)
def test_what_is_not_a_tempo_is_refused(data: bytes) -> None:
    with pytest.raises(StoreError, match="tempo-malformed"):
        Tempo.decode(data)


@given(tempos(), SHARE, SHARE)
def test_settling_keeps_the_past_and_ends_at_the_speed_of_the_wall(
    tempo: Tempo, at_share: float, share: float
) -> None:
    at, mono = within(tempo, at_share), within(tempo, share)
    settled = tempo.settled(at)
    if mono <= at:
        assert settled.utc(mono) == pytest.approx(tempo.utc(mono), abs=1e-2)
    assert settled.utc(at + 30) - settled.utc(at) == pytest.approx(30, abs=1e-2)


@given(tempos(), SHARE, SHARE, SHARE, st.floats(1, 300))
def test_a_hold_that_ends_leaves_the_rest_of_the_day_as_long_as_it_was(
    tempo: Tempo, hold_share: float, release_share: float, share: float, speed: float
) -> None:
    hold_at, release_at = sorted((within(tempo, hold_share), within(tempo, release_share)))
    held = tempo.held(hold_at, speed)
    resumed = held.resumed(tempo, release_at)
    mono = within(tempo, share)
    if mono <= hold_at:
        assert held.utc(mono) == pytest.approx(tempo.utc(mono), abs=1e-2)
    if mono <= release_at:
        assert resumed.utc(mono) == pytest.approx(held.utc(mono), abs=1e-2)
    here = resumed.utc(release_at)
    if here < tempo.end_s:
        assert resumed.mono(tempo.end_s) - release_at == pytest.approx(
            tempo.mono(tempo.end_s) - tempo.mono(here), abs=1e-3
        )


def test_the_metronome_holds_only_what_is_faster_and_resumes_once(tmp_path: Path) -> None:
    mono = [100.0]
    tempo = planned(100, 1_000, [Beat(11_000, 10), Beat(11_100, 10)])
    metronome = Metronome(tmp_path / "tempo.json", tempo, lambda: mono[0])
    metronome.hold(50)
    assert metronome.is_holding
    metronome.slow_down(2)  # nothing: the plan is on hold
    mono[0] = 103
    assert metronome.speed() == pytest.approx(50)
    now = metronome.now()
    metronome.release()
    assert not metronome.is_holding
    assert metronome.real_until(now + LEAD_S * 50) == pytest.approx(LEAD_S)
    mono[0] = 104
    assert metronome.speed() == pytest.approx(1_000)
    metronome.release()
    mono[0] = 100 + metronome.tempo.mono(11_050) - 100
    metronome.hold(50)  # slower than that already
    assert not metronome.is_holding


def test_the_metronome_slows_what_lies_ahead_and_its_clock_never_goes_back(tmp_path: Path) -> None:
    path, mono = tmp_path / "tempo.json", [100.0]
    metronome = Metronome(path, planned(100, 1_000, [Beat(11_000, 10)]), lambda: mono[0])
    assert (metronome.now(), metronome.speed()) == (1_000, 1_000)
    assert metronome.real_until(6_000) == pytest.approx(5)
    mono[0] = 105
    seen = metronome.now()
    metronome.slow_down(2)
    assert metronome.now() == seen
    turn = 6_000 + LEAD_S * 1_000
    assert metronome.real_until(turn) == pytest.approx(LEAD_S)
    assert metronome.real_until(turn + 1_000) == pytest.approx(LEAD_S + 2)
    assert Tempo.decode(path.read_bytes()) == metronome.tempo
    mono[0] = 106
    metronome.settle()
    mono[0] = 107
    early = metronome.now()
    mono[0] = 108
    assert metronome.now() - early == pytest.approx(1)
    mono[0] = 50
    assert metronome.now() == pytest.approx(early + 1)
