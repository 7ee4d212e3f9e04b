"""A player with an ear: it plays as it did, and claims `heard` for what the ear recognised, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from station_world import World
from test_hearing import later, noise, speech
from test_mpv import item

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import PlayerError, StoreError
from node import PlayItem, PlayReport
from node.config import StationConfig
from node.service import status_line
from node.sound.hearing import FRAME_S, Levels
from node.sound.listening import HearingPlayer
from node.sound.mpv_ears import Batch
from node.sound.player import NullPlayer

PLAYED = PlayReport(Outcome.PLAYED, Detail.NONE, 300, Evidence.SIGNAL_PRESENT)
SPEECH = speech(1, 30.0)


class Line:
    """Levels that come as time goes by. breaks_s: when the device goes away."""

    def __init__(self, frames: Sequence[Levels], clock: Clock, *, breaks_s: float = float("inf")) -> None:
        self._frames = frames
        self._clock = clock
        self._breaks_s = breaks_s
        self._from_s = clock.now_s
        self._given = 0
        self.closed = False

    def read(self) -> list[Batch]:
        until = int((self._clock.now_s - self._from_s) / FRAME_S)
        if self._clock.now_s - self._from_s > self._breaks_s:
            raise PlayerError("capture-lost", "the plug was pulled")
        frames = self._frames[self._given : until]
        anew, self._given = self._given == 0, until
        return [Batch(tuple(frames), anew)] if frames else []

    def close(self) -> None:
        self.closed = True


class Clock:
    now_s = 100.0


class Sounding(NullPlayer):
    """Takes as long as the item and then reports what it was told to."""

    name = "sounding"
    ceiling = Evidence.SIGNAL_PRESENT

    def __init__(self, report: PlayReport = PLAYED) -> None:
        super().__init__()
        self.report = report

    def poll(self, now_mono_s: float) -> PlayReport | None:
        return None if super().poll(now_mono_s) is None else self.report


class Scene:
    """One station, what it plays and what its microphone gets."""

    def __init__(
        self, arrives: Sequence[Levels], *, report: PlayReport = PLAYED, breaks_s: float = float("inf")
    ) -> None:
        self.clock = Clock()
        self.arrives = arrives
        self.breaks_s = breaks_s
        self.lines: list[Line] = []
        self.inner = Sounding(report)
        self.decoded = Line([], self.clock)
        self.player = HearingPlayer(self.inner, self, self.open, device="pulse:yard")  # type: ignore[arg-type]

    def read(self) -> list[Batch]:
        return self.decoded.read()

    def close(self) -> None:
        pass

    def open(self) -> Line:
        self.lines.append(Line(self.arrives, self.clock, breaks_s=self.breaks_s))
        return self.lines[-1]

    def play(self, what: PlayItem | None = None, *, stop_s: float = float("inf")) -> PlayReport:
        what = what or item(b"", 30.0)
        began_s = self.clock.now_s
        self.player.start(what, began_s)
        self.decoded = Line(SPEECH, self.clock)
        while True:
            self.clock.now_s += 0.25
            if self.clock.now_s - began_s > stop_s:
                return self.player.stop(self.clock.now_s)
            report = self.player.poll(self.clock.now_s)
            if report is not None:
                return report


def test_what_the_microphone_hears_is_heard() -> None:
    scene = Scene(later(SPEECH, 0.5))
    assert scene.play() == replace(PLAYED, evidence=Evidence.HEARD)
    assert scene.player.ceiling is Evidence.HEARD
    assert scene.player.complaint == ""
    assert scene.player.ear == "listens with pulse:yard"
    assert scene.player.last is not None
    assert scene.player.last.matched >= 4


def test_what_is_not_heard_stays_played_and_keeps_the_evidence_there_is() -> None:
    scene = Scene(noise(2, 800, -60))
    assert scene.play() == PLAYED
    assert (scene.player.ceiling, scene.player.complaint) == (Evidence.HEARD, "")


def test_twice_in_a_row_unheard_is_worth_a_word_until_something_is_heard_again() -> None:
    scene = Scene(noise(2, 800, -60))
    scene.play()
    assert scene.player.complaint == ""
    scene.play()
    assert scene.player.complaint.startswith("2 items in a row sounded and pulse:yard did not hear them")
    scene.arrives = later(SPEECH, 0.5)
    scene.play()
    assert scene.player.complaint == ""


@pytest.mark.parametrize(
    "report",
    [
        PlayReport(Outcome.SILENT, Detail.DEVICE, 300, Evidence.DEVICE_ACCEPTED),
        PlayReport(Outcome.MISSED, Detail.DEVICE, 0, Evidence.DELIVERED),
        PlayReport(Outcome.PLAYED, Detail.NONE, 300, Evidence.DEVICE_ACCEPTED),
    ],
    ids=["silent", "missed", "no signal"],
)
def test_an_ear_adds_nothing_to_what_the_player_itself_could_not_prove(report: PlayReport) -> None:
    assert Scene(later(SPEECH, 0.5), report=report).play() == report


def test_an_interrupted_item_is_heard_as_far_as_it_came() -> None:
    scene = Scene(later(SPEECH, 0.5))
    report = scene.play(stop_s=21.0)
    assert (report.outcome, report.evidence) == (Outcome.INTERRUPTED, Evidence.HEARD)
    assert 205 <= report.played_ds <= 215


def test_an_item_stopped_before_anything_could_be_judged_is_not_heard() -> None:
    scene = Scene(later(SPEECH, 0.5))
    assert scene.play(stop_s=5.0).evidence is Evidence.SIGNAL_PRESENT
    assert scene.player.last is not None
    assert not scene.player.last.missed


def test_it_listens_only_while_an_item_sounds() -> None:
    scene = Scene(later(SPEECH, 0.5))
    scene.play()
    assert [line.closed for line in scene.lines] == [True]
    scene.play(stop_s=3.0)
    assert [line.closed for line in scene.lines] == [True, True]


def test_a_capture_device_that_does_not_open_lowers_the_ceiling_and_holds_nothing_up() -> None:
    scene = Scene([])

    def missing() -> Line:
        raise PlayerError("capture-lost", "no such device")

    scene.player._capture = missing  # type: ignore[misc]
    assert scene.player.ceiling is Evidence.HEARD  # nothing is known of it yet
    assert scene.play() == PLAYED
    assert scene.player.ceiling is Evidence.SIGNAL_PRESENT
    assert scene.player.complaint == "the capture device pulse:yard hears nothing: no such device"


def test_a_capture_device_that_goes_away_in_mid_item_and_comes_back_with_the_next() -> None:
    scene = Scene(later(SPEECH, 0.5), breaks_s=3.0)
    assert scene.play() == PLAYED
    assert scene.player.ceiling is Evidence.SIGNAL_PRESENT
    assert "the plug was pulled" in scene.player.complaint
    scene.breaks_s = float("inf")
    assert scene.play().evidence is Evidence.HEARD
    assert scene.player.ceiling is Evidence.HEARD


def test_a_capture_device_that_gives_not_one_level_is_told_of() -> None:
    scene = Scene([])
    assert scene.play() == PLAYED
    assert "not one level" in scene.player.complaint


def test_a_player_without_a_device_stays_at_what_it_can_prove() -> None:
    clock = Clock()
    player = HearingPlayer(NullPlayer(), Line([], clock), lambda: Line(SPEECH, clock), device="alsa:hw:1")
    assert player.ceiling is Evidence.DELIVERED


@pytest.mark.parametrize(
    ("arrives", "evidence"),
    [(later(SPEECH, 0.5), Evidence.HEARD), (noise(2, 800, -60), Evidence.SIGNAL_PRESENT)],
    ids=["heard", "not heard"],
)
def test_the_station_signs_what_was_heard_and_tells_the_hub_that_it_listens(
    arrives: list[Levels], evidence: Evidence
) -> None:
    world = World(sync_period_s=60)
    speaker = Sounding(PLAYED)
    clock = Clock()

    class Passing(Line):
        def read(self) -> list[Batch]:
            clock.now_s = world.clock.now().mono_s
            return super().read()

    def begins(frames: Sequence[Levels]) -> Line:
        clock.now_s = world.clock.now().mono_s
        return Passing(frames, clock)

    class Decoded:
        line: Line | None = None

        def read(self) -> list[Batch]:
            return [] if self.line is None else self.line.read()

        def close(self) -> None:
            pass

    decoded = Decoded()

    def opened() -> Line:
        decoded.line = begins(SPEECH)
        return begins(arrives)

    world.speaker = HearingPlayer(speaker, decoded, opened, device="pulse:yard")  # type: ignore[assignment]
    world.boot()
    world.hub.programme(360, seconds=30)
    world.run_to(365)
    (ack,) = world.hub.acks()
    assert (Outcome(ack.outcome), Evidence(ack.evidence)) == (Outcome.PLAYED, evidence)
    assert world.station._condition().ceiling == Evidence.HEARD


def test_a_station_whose_capture_device_is_gone_says_so_to_people_and_claims_less_to_the_hub() -> None:
    world = World(sync_period_s=60)
    clock = Clock()

    def gone() -> Line:
        raise PlayerError("capture-lost", "no such device")

    world.speaker = HearingPlayer(  # type: ignore[assignment]
        Sounding(PLAYED), Line([], clock), gone, device="pulse:yard"
    )
    world.boot()
    world.hub.programme(360, seconds=30)
    world.run_to(365)
    (ack,) = world.hub.acks()
    assert (Outcome(ack.outcome), Evidence(ack.evidence)) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert world.station._condition().ceiling == Evidence.SIGNAL_PRESENT
    assert "the capture device pulse:yard hears nothing" in status_line(world.station.status())


@pytest.mark.parametrize("device", ["hw:1", "pulse:", "alsa:hw 1", "pulse:a;b", "av://lavfi:sine"])
def test_a_capture_device_is_named_with_its_system_or_refused_with_what_to_look_at(device: str) -> None:
    with pytest.raises(StoreError) as refused:
        World(capture=device)
    assert refused.value.code == "config-range"
    assert "arecord -L" in refused.value.what


@pytest.mark.parametrize(
    "device", ["", "alsa:plughw:CARD=Device,DEV=0", "pulse:alsa_input.usb-0d8c.analog-stereo"]
)
def test_a_capture_device_survives_its_file(device: str) -> None:
    config = World(capture=device).config
    assert StationConfig.from_toml(config.to_toml()).capture == device


def test_levels_of_an_earlier_item_are_not_taken_for_this_one() -> None:
    scene = Scene(noise(2, 800, -60))
    scene.play(stop_s=2.0)
    scene.decoded = Line([(-20.0, -30.0, -40.0)] * 10_000, scene.clock)
    scene.clock.now_s += 20.0  # twenty seconds of levels wait in the pipe
    scene.arrives = later(SPEECH, 0.5)
    assert scene.play().evidence is Evidence.HEARD
