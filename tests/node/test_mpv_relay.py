"""A live relay that fails: its recording fills in, against a real mpv and a real line."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_mpv import play, tone
from test_mpv_failures import Radio, listen, relay

from ledger.facts import Detail, Evidence, Outcome
from node import PlayItem, PlayReport
from node.sound.chime import Chime
from node.sound.mpv import MpvPlayer
from node.sound.mpv_relay import fills_in, together

needs_mpv = pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed")
BOTH = (Outcome.PARTIAL, Detail.NOT_DELIVERED)


def with_recording(what: PlayItem, sound: bytes, seconds: float) -> PlayItem:
    return replace(what, fallback_ms=int(seconds * 1000), read=lambda: sound)


def at_once(player: MpvPlayer, what: PlayItem) -> PlayReport:
    return play(player, what)[0]


def through(what: PlayItem, then: Callable[[MpvPlayer, PlayItem], PlayReport] = listen) -> PlayReport:
    player = MpvPlayer(ao="null", bench=True)
    try:
        return then(player, what)
    finally:
        player.close()


# -- against a line ------------------------------------------------------------------------------------------


@needs_mpv
@pytest.mark.parametrize(
    ("hang_up", "seconds"), [(False, 30.0), (True, 14.0)], ids=["stops sending", "hangs up"]
)
def test_a_stream_that_breaks_is_followed_by_its_recording_to_the_end_of_the_slot(
    hang_up: bool, seconds: float
) -> None:
    radio = Radio(3.0, hang_up=hang_up)
    try:
        report = through(with_recording(relay(radio.url, seconds), tone(60.0), 60.0))
    finally:
        radio.close()
    assert (report.outcome, report.detail, report.evidence) == (*BOTH, Evidence.SIGNAL_PRESENT)
    assert radio.calls >= 2
    assert 40 <= report.played_ds <= seconds * 10


@needs_mpv
def test_a_stream_that_never_comes_is_replaced_by_its_recording_and_is_not_called_played() -> None:
    radio = Radio(0.0)
    radio.close()
    report = through(with_recording(relay(radio.url, 6.0), tone(8.0), 8.0), at_once)
    assert (report.outcome, report.detail, report.evidence) == (*BOTH, Evidence.SIGNAL_PRESENT)
    assert 10 <= report.played_ds <= 60


@needs_mpv
def test_a_recording_that_is_shorter_than_the_rest_begins_again() -> None:
    radio = Radio(0.0)
    radio.close()
    report = through(with_recording(relay(radio.url, 8.0), tone(1.0), 1.0), at_once)
    assert (report.outcome, report.detail) == BOTH
    assert report.played_ds > 15


@needs_mpv
def test_a_recording_that_is_no_sound_is_what_is_wrong_when_the_stream_does_not_come_either() -> None:
    radio = Radio(0.0)
    radio.close()
    report = through(with_recording(relay(radio.url, 10.0), b"this is no sound at all" * 50, 5.0))
    assert report == PlayReport(Outcome.MISSED, Detail.WRONG_CONTENT, 0, Evidence.DELIVERED)


@needs_mpv
def test_a_good_stream_leaves_its_recording_alone_and_has_a_chime_like_anything_else() -> None:
    radio = Radio(30.0)
    try:
        what = with_recording(replace(relay(radio.url, 3.0), chime=Chime.ORDINARY), tone(60.0), 60.0)
        report = through(what)
    finally:
        radio.close()
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert 20 <= report.played_ds <= 30


@needs_mpv
def test_what_is_stopped_while_its_recording_fills_in_was_heard_as_far_as_both() -> None:
    radio = Radio(0.0)
    radio.close()

    def stopped(player: MpvPlayer, what: PlayItem) -> PlayReport:
        now_s = began_s = time.monotonic()
        player.start(what, now_s)
        while player._relay is None or now_s - began_s < 4.0:
            assert player.poll(now_s) is None
            assert now_s - began_s < 30
            time.sleep(0.05)
            now_s = time.monotonic()
        time.sleep(1.0)
        player.poll(time.monotonic())
        return player.stop(time.monotonic())

    report = through(with_recording(relay(radio.url, 60.0), tone(30.0), 30.0), stopped)
    assert report.outcome is Outcome.INTERRUPTED
    assert report.played_ds > 0


# -- what may be said ----------------------------------------------------------------------------------------

failed = st.sampled_from([Outcome.MISSED, Outcome.PARTIAL])
ended = st.sampled_from(
    [Outcome.PLAYED, Outcome.PARTIAL, Outcome.MISSED, Outcome.SILENT, Outcome.INTERRUPTED]
)
why = st.sampled_from([Detail.NOT_DELIVERED, Detail.DEVICE])


@st.composite
def reports(draw: st.DrawFn, outcomes: st.SearchStrategy[Outcome]) -> PlayReport:
    outcome = draw(outcomes)
    played_ds = 0 if outcome is Outcome.MISSED else draw(st.integers(0, 36_000))
    detail = Detail.NONE if outcome in (Outcome.PLAYED, Outcome.SILENT, Outcome.INTERRUPTED) else draw(why)
    known = st.sampled_from([Evidence.DELIVERED, Evidence.DEVICE_ACCEPTED, Evidence.SIGNAL_PRESENT])
    return PlayReport(outcome, detail, played_ds, draw(known))


@given(reports(failed), reports(ended))
def test_a_relay_that_failed_is_never_called_played_and_never_without_its_reason(
    stream: PlayReport, filled: PlayReport
) -> None:
    said = together(stream, filled)
    assert not said.outcome.heard
    assert said.played_ds == stream.played_ds + filled.played_ds
    if said.outcome in (Outcome.MISSED, Outcome.PARTIAL):
        assert said.detail in (Detail.NOT_DELIVERED, Detail.DEVICE)
    assert (said.outcome is Outcome.MISSED) == (
        said.played_ds == 0 and filled.outcome is not Outcome.INTERRUPTED
    )
    assert said.evidence <= max(stream.evidence, filled.evidence)
    for part in (stream, filled):
        assert part.played_ds < 10 or said.evidence <= part.evidence


@pytest.mark.parametrize(
    ("stream", "filled", "said"),
    [
        (
            (Outcome.PARTIAL, Detail.NOT_DELIVERED, 6_000),
            (Outcome.PLAYED, Detail.NONE, 12_000),
            (*BOTH, 18_000),
        ),
        ((Outcome.MISSED, Detail.NOT_DELIVERED, 0), (Outcome.PLAYED, Detail.NONE, 18_000), (*BOTH, 18_000)),
        (
            (Outcome.PARTIAL, Detail.NOT_DELIVERED, 6_000),
            (Outcome.MISSED, Detail.DEVICE, 0),
            (Outcome.PARTIAL, Detail.DEVICE, 6_000),
        ),
        (
            (Outcome.MISSED, Detail.NOT_DELIVERED, 0),
            (Outcome.SILENT, Detail.NONE, 18_000),
            (Outcome.SILENT, Detail.NONE, 18_000),
        ),
    ],
)
def test_what_is_said_of_a_relay_and_its_recording_together(
    stream: tuple[Outcome, Detail, int],
    filled: tuple[Outcome, Detail, int],
    said: tuple[Outcome, Detail, int],
) -> None:
    level = Evidence.SIGNAL_PRESENT
    found = together(PlayReport(*stream, level), PlayReport(*filled, level))
    assert (found.outcome, found.detail, found.played_ds) == said


def test_nothing_fills_in_for_what_played_or_has_no_recording_or_no_time_left() -> None:
    what = relay("http://radio/", 60.0)
    beside = replace(what, fallback_ms=20_000)
    broken = PlayReport(Outcome.PARTIAL, Detail.NOT_DELIVERED, 100, Evidence.SIGNAL_PRESENT)
    assert fills_in(what, broken, 50.0) is None
    assert fills_in(beside, replace(broken, outcome=Outcome.PLAYED), 50.0) is None
    assert fills_in(beside, broken, 1.0) is None
    filler = fills_in(beside, broken, 50.0)
    assert filler is not None
    assert (filler.stream, filler.duration_ms, filler.repeat, filler.offset_ds) == ("", 20_000, 3, 0)
