"""Whatever mpv says, in whatever order: the player claims no more than was said, and comes to an end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import PlayerError
from node import PlayItem, PlayReport
from node.sound.chime import Chime
from node.sound.mpv import MpvPlayer
from node.sound.mpv_item import EARLY_S, EARLY_SHARE, RETURN_S, START_S
from node.sound.mpv_level import SIGNAL_DB, Meter, level_of

LEVEL = "lavfi.astats.Overall.RMS_level"


class Peer:
    """The other end of mpv's protocol: says what the script lets it say."""

    pid = 1

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.commands: list[tuple[Any, ...]] = []
        self.alive = True
        self.entry = 0
        self.asked = 0
        self.facts: dict[str, Any] = {}

    def command(self, *words: Any) -> int:
        if not self.alive:
            raise PlayerError("mpv-gone", "gone")
        self.commands.append(words)
        self.asked += 1
        number = self.asked
        if words[0] == "loadfile":
            self.entry += 1
            self.said.append({"request_id": number, "data": {"playlist_entry_id": self.entry}})
        elif words[0] == "get_property" and words[1] in self.facts:
            self.said.append({"request_id": number, "data": self.facts[words[1]]})
        elif words[0] == "get_property":
            self.said.append({"request_id": number, "error": "property unavailable"})
        return number

    def events(self) -> list[dict[str, Any]]:
        if not self.alive and not self.said:
            raise PlayerError("mpv-gone", "gone")
        said, self.said = self.said, []
        return said

    def close(self) -> None:
        self.alive = False

    def end(self, reason: str, error: str = "") -> None:
        self.said.append(
            {"event": "end-file", "reason": reason, "playlist_entry_id": self.entry, "file_error": error}
        )


class Rig:
    """A player and the peers it was given."""

    def __init__(self, ao: str = "alsa") -> None:
        self.peers: list[Peer] = []
        self.refuses = False
        self.now_s = 100.0
        self.player = MpvPlayer(ao=ao, speaker="", connect=self.connect)

    def connect(self) -> Peer:
        if self.refuses:
            raise PlayerError("mpv-start", "refused")
        self.peers.append(Peer())
        return self.peers[-1]

    @property
    def peer(self) -> Peer:
        return self.peers[-1]

    def start(self, seconds: float, **more: object) -> None:
        self.player.start(
            PlayItem(
                1, 1, bytes(32), bytes(32), "audio/wav", int(seconds * 1000), 80, "", "vi",
                read=lambda: b"x", **more,  # type: ignore[arg-type]
            ),
            self.now_s,
        )  # fmt: skip

    def sounds(self, output: str = "alsa", level: str = "-18.0") -> None:
        self.peer.said.append({"event": "playback-restart"})
        self.peer.facts |= {"current-ao": output, "af-metadata/m": {LEVEL: level}}

    def pass_s(self, seconds: float, *, moves: bool = True) -> PlayReport | None:
        """Time in steps of a quarter second, as the station asks."""
        for _ in range(round(seconds * 4)):
            self.now_s += 0.25
            if moves and self.peer.alive:
                self.peer.facts["time-pos"] = self.peer.facts.get("time-pos", 0.0) + 0.25
            report = self.player.poll(self.now_s)
            if report is not None:
                return report
        return None


def test_levels_without_a_device_prove_nothing() -> None:
    """What a real mpv says when there is no device: it begins, measures, and then has no output."""
    rig = Rig()
    rig.start(5.0)
    rig.peer.said.append({"event": "playback-restart"})
    rig.peer.facts["af-metadata/m"] = {LEVEL: "-18.0"}
    assert rig.pass_s(0.5, moves=False) is None
    rig.peer.end("error", "audio output initialization failed")
    report = rig.pass_s(0.25)
    assert report == PlayReport(Outcome.MISSED, Detail.DEVICE, 0, Evidence.DELIVERED)
    assert len(rig.peers) == 1  # at once, without a second try


@pytest.mark.parametrize(
    ("share", "outcome", "evidence"),
    [
        (1.0, Outcome.PLAYED, Evidence.SIGNAL_PRESENT),
        (0.6, Outcome.PLAYED, Evidence.SIGNAL_PRESENT),
        (0.3, Outcome.PLAYED, Evidence.DEVICE_ACCEPTED),
        (0.03, Outcome.SILENT, Evidence.DEVICE_ACCEPTED),
        (0.0, Outcome.SILENT, Evidence.DEVICE_ACCEPTED),
    ],
)
def test_a_signal_counts_by_its_share_of_the_time(share: float, outcome: Outcome, evidence: Evidence) -> None:
    rig = Rig()
    rig.start(40.0)
    rig.sounds(level="-20.0")
    rig.pass_s(40.0 * share)
    rig.peer.facts["af-metadata/m"] = {LEVEL: "-inf"}
    rig.pass_s(40.0 * (1 - share))
    rig.peer.end("eof")
    rig.peer.said.append({"event": "idle"})
    report = rig.pass_s(0.25)
    assert report is not None
    assert (report.outcome, report.detail, report.evidence) == (outcome, Detail.NONE, evidence)


@pytest.mark.parametrize("shut", [{"ao-mute": True}, {"ao-volume": 0.0}], ids=["mute", "volume 0"])
def test_a_muted_output_is_silent_for_the_device(shut: dict[str, Any]) -> None:
    rig = Rig()
    rig.start(5.0)
    rig.sounds()
    rig.peer.facts |= shut
    rig.pass_s(5.0)
    rig.peer.end("eof")
    rig.peer.said.append({"event": "idle"})
    report = rig.pass_s(0.25)
    assert report is not None
    assert (report.outcome, report.detail) == (Outcome.SILENT, Detail.DEVICE)
    assert report.evidence is Evidence.DEVICE_ACCEPTED


@pytest.mark.parametrize("output", ["null", "pcm"])
def test_an_output_without_a_device_behind_it_proves_delivery_at_most(output: str) -> None:
    assert MpvPlayer(ao=output, connect=Peer).ceiling is Evidence.DELIVERED
    assert MpvPlayer(ao="alsa", connect=Peer).ceiling is Evidence.SIGNAL_PRESENT
    rig = Rig(ao=f"alsa,{output}")  # the ceiling promises a device; what was seen decides
    rig.start(2.0)
    rig.sounds(output)
    rig.pass_s(2.0)
    rig.peer.end("eof")
    rig.peer.said.append({"event": "idle"})
    report = rig.pass_s(0.25)
    assert report is not None
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.DELIVERED)


def test_a_lost_device_is_tried_once_more_from_where_the_item_stood() -> None:
    rig = Rig()
    rig.start(10.0)
    rig.sounds()
    rig.pass_s(4.0)
    rig.peer.end("error", "audio output initialization failed")
    assert rig.pass_s(0.25) is None
    assert rig.pass_s(RETURN_S + 0.25, moves=False) is None
    assert len(rig.peers) == 2
    assert ("set_property", "start", "4.000") in rig.peer.commands
    rig.peer.facts["time-pos"] = 4.0
    rig.sounds()
    rig.pass_s(6.25)
    rig.peer.end("eof")
    rig.peer.said.append({"event": "idle"})
    report = rig.pass_s(0.25)
    assert report is not None
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert 90 <= report.played_ds <= 100


def test_a_lost_device_ends_an_item_that_is_not_to_be_continued() -> None:
    rig = Rig()
    rig.start(10.0, goes_on=False)
    rig.sounds()
    rig.pass_s(4.0)
    rig.peer.end("error", "audio output initialization failed")
    report = rig.pass_s(0.25)
    assert report is not None
    assert (report.outcome, report.detail, len(rig.peers)) == (Outcome.PARTIAL, Detail.DEVICE, 1)
    assert 30 <= report.played_ds <= 40


def test_a_position_that_stands_still_counts_only_what_it_showed() -> None:
    rig = Rig()
    rig.start(60.0)
    rig.sounds()
    rig.pass_s(5.0)
    report = rig.pass_s(60.0, moves=False)
    assert report is not None
    assert (report.outcome, report.detail, len(rig.peers)) == (Outcome.PARTIAL, Detail.DEVICE, 2)
    assert 40 <= report.played_ds <= 50


def test_an_mpv_that_cannot_be_started_again_is_given_up() -> None:
    rig = Rig()
    rig.start(60.0)
    rig.sounds()
    rig.pass_s(5.0)
    rig.refuses = True
    rig.peer.alive = False
    report = rig.pass_s(10.0)
    assert report is not None
    assert (report.outcome, report.detail) == (Outcome.PARTIAL, Detail.DEVICE)


def test_a_stop_and_the_next_start_are_one_turn() -> None:
    """Nothing is waited for between the decision and the command that makes the sound."""
    rig = Rig()
    rig.start(600.0)
    rig.sounds()
    rig.pass_s(1.0)
    before = len(rig.peer.commands)
    rig.player.stop(rig.now_s)
    rig.start(10.0)
    sent = [words[0] for words in rig.peer.commands[before:] if words[0] != "get_property"]
    assert sent == ["stop", "set_property", "set_property", "set_property", "loadfile"]
    assert len(rig.peers) == 1
    assert rig.player.wait_s(rig.now_s) <= 0.05


def test_an_emergencys_chime_is_handed_over_in_the_turn_in_which_it_was_decided() -> None:
    """And before its content was read: the first sound waits for nothing."""
    rig = Rig()
    rig.start(600.0)
    rig.sounds()
    rig.pass_s(1.0)
    before = len(rig.peer.commands)
    rig.player.stop(rig.now_s)
    rig.start(10.0, chime=Chime.EMERGENCY)
    sent = [words for words in rig.peer.commands[before:] if words[0] in ("stop", "loadfile")]
    assert [words[0] for words in sent] == ["stop", "loadfile", "loadfile"]
    assert [words[2] for words in sent[1:]] == ["replace", "append-play"]


def test_what_sounds_before_the_item_is_not_the_item() -> None:
    rig = Rig()
    rig.start(5.0, chime=Chime.ORDINARY)
    chime, content = rig.peer.entry - 1, rig.peer.entry
    rig.peer.said.append({"event": "start-file", "playlist_entry_id": chime})
    rig.sounds()
    assert rig.pass_s(1.25) is None
    rig.peer.said.append({"event": "end-file", "reason": "eof", "playlist_entry_id": chime})
    rig.peer.said.append({"event": "start-file", "playlist_entry_id": content})
    rig.peer.facts["time-pos"] = 0.0
    rig.sounds(level="-inf")
    rig.pass_s(5.0)
    rig.peer.end("eof")
    rig.peer.said.append({"event": "idle"})
    report = rig.pass_s(0.25)
    assert report is not None
    assert (report.outcome, report.evidence) == (Outcome.SILENT, Evidence.DEVICE_ACCEPTED)
    assert 45 <= report.played_ds <= 50


def test_levels_are_read_strictly_and_never_raise() -> None:
    for bad in (None, [], {}, {LEVEL: None}, {LEVEL: "nan"}, {LEVEL: "loud"}, {LEVEL: []}, {LEVEL: 10**400}):
        assert level_of(bad) is None
    assert level_of({LEVEL: "-inf"}) == float("-inf")
    meter = Meter()
    meter.take({LEVEL: "-10"}, 5.0, muted=False)  # before any sound
    assert (meter.present, meter.silent, meter.share) == (False, False, 0.0)


OFFSETS = st.sampled_from([0, 0, 5, 25])
NUMBERS = st.floats(0, 700, allow_nan=False)
LEVELS = st.sampled_from(["-10.0", "-49.0", "-51.0", "-inf", "nan", "", "-80"])
ERRORS = st.sampled_from(
    ["audio output initialization failed", "unrecognized file format", "loading failed", ""]
)


class Claims(RuleBasedStateMachine):
    """What the peers said is noted; each report is held against it."""

    @initialize(ao=st.sampled_from(["alsa", "null"]))
    def begin(self, ao: str) -> None:
        self.rig = Rig(ao)
        self.running = False
        self.report: PlayReport | None = None

    def look(self) -> None:
        if self.running:
            self._note()
            self.report = self.rig.player.poll(self.rig.now_s)
            self._judge()

    def _note(self) -> None:
        peer = self.rig.peer
        for said in peer.said:
            self.restarts += said.get("event") == "playback-restart"
            self.ends += said.get("event") == "end-file" and said.get("reason") == "eof"
        level = level_of(peer.facts.get("af-metadata/m"))
        shut = peer.facts.get("ao-mute") is True or peer.facts.get("ao-volume", 1) <= 0
        self.loud |= level is not None and level > SIGNAL_DB and not shut
        self.outputs |= {peer.facts.get("current-ao")} - {None}

    def _judge(self) -> None:
        report = self.report
        if report is None:
            self.filled |= self.rig.player._relay is not None
            return
        self.running = False
        spent_s = self.rig.now_s - self.began_s
        assert report.played_ds <= spent_s * 10 + 1
        # A slot that is filled in ends at the first look after its time.
        assert report.played_ds <= self.seconds * self.rounds * 10 + (21 if self.fallback_s else 1)
        assert report.evidence <= self.rig.player.ceiling
        if report.evidence >= Evidence.DEVICE_ACCEPTED:
            assert self.restarts
            assert "alsa" in self.outputs
        if report.evidence is Evidence.SIGNAL_PRESENT:
            assert self.loud
        if report.outcome is Outcome.PLAYED:
            assert self.ends or self.stream  # a stream ends by the plan
            assert not self.filled
            wanted_s = max(0.0, self.seconds - self.offset_s)
            assert spent_s >= wanted_s - max(EARLY_S, EARLY_SHARE * wanted_s) - 0.01
        if report.outcome is Outcome.SILENT:
            assert report.evidence <= Evidence.DEVICE_ACCEPTED
        if report.outcome in (Outcome.MISSED, Outcome.PARTIAL):
            assert report.detail is not Detail.NONE
        if report.outcome is Outcome.MISSED:
            assert report.played_ds == 0
        filled = 2 * (self.seconds // self.fallback_s + 2) if self.fallback_s else 0
        assert len(self.rig.peers) - self.peers_before <= 2 + 2 * self.rounds + filled

    @precondition(lambda self: not self.running)
    @rule(
        seconds=st.integers(1, 12), rounds=st.integers(1, 2), goes_on=st.booleans(), stream=st.booleans(),
        chime=st.sampled_from(Chime), fallback_s=st.sampled_from([0, 0, 1, 5, 40]), offset_ds=OFFSETS,
    )  # fmt: skip
    def start(
        self, seconds: int, rounds: int, goes_on: bool, stream: bool, chime: Chime, fallback_s: int,
        offset_ds: int,
    ) -> None:  # fmt: skip
        self.peers_before = len(self.rig.peers)
        self.restarts = self.ends = 0
        self.loud = self.filled = False
        self.outputs: set[Any] = set()
        self.seconds, self.rounds, self.stream = seconds, rounds, stream
        self.began_s = self.rig.now_s
        self.fallback_s = fallback_s if stream else 0
        self.offset_s = offset_ds / 10
        address = "http://127.0.0.1/live" if stream else ""
        self.rig.start(
            float(seconds), repeat=rounds, goes_on=goes_on, stream=address, chime=chime,
            fallback_ms=self.fallback_s * 1000, offset_ds=offset_ds,
        )  # fmt: skip
        self.running = True

    @precondition(lambda self: self.running)
    @rule(output=st.sampled_from(["alsa", "null", None]), position=NUMBERS, level=LEVELS, mute=st.booleans())
    def says_how_it_is(self, output: str | None, position: float, level: str, mute: bool) -> None:
        facts = {"time-pos": position, "af-metadata/m": {LEVEL: level}, "ao-mute": mute}
        self.rig.peer.facts = facts if output is None else facts | {"current-ao": output}

    @precondition(lambda self: self.running)
    @rule(opened=st.integers(-2, 0))
    def begins_to_sound(self, opened: int) -> None:
        peer = self.rig.peer
        peer.said.append({"event": "start-file", "playlist_entry_id": peer.entry + opened})
        peer.said.append({"event": "playback-restart"})
        self.look()

    @precondition(lambda self: self.running)
    @rule(steps=st.integers(1, 12), moves=st.booleans())
    def time_passes(self, steps: int, moves: bool) -> None:
        for _ in range(steps):
            self.rig.now_s += 0.5
            if moves:
                self.rig.peer.facts["time-pos"] = self.rig.peer.facts.get("time-pos", 0.0) + 0.5
            self.look()

    @precondition(lambda self: self.running)
    @rule(reason=st.sampled_from(["eof", "error", "stop", "quit"]), error=ERRORS, idles=st.booleans())
    def ends(self, reason: str, error: str, idles: bool) -> None:
        self.rig.peer.end(reason, error)
        if idles:
            self.rig.peer.said.append({"event": "idle"})
        self.look()

    @precondition(lambda self: self.running)
    @rule(
        nonsense=st.dictionaries(
            st.sampled_from(["event", "request_id", "data", "reason", "playlist_entry_id"]),
            st.one_of(
                st.none(), st.integers(-1, 20), st.just("idle"), st.just("end-file"), st.lists(st.none())
            ),
        )
    )
    def says_nonsense(self, nonsense: dict[str, Any]) -> None:
        self.rig.peer.said.append(nonsense)
        self.look()

    @precondition(lambda self: self.running)
    @rule()
    def dies(self) -> None:
        self.rig.peer.alive = False
        self.look()

    @precondition(lambda self: self.running)
    @rule()
    def is_stopped(self) -> None:
        self._note()
        self.report = self.rig.player.stop(self.rig.now_s)
        self._judge()

    def teardown(self) -> None:
        """With a silent peer every item ends: nothing on the air blocks the station for good."""
        if not getattr(self, "running", False):
            return
        for _ in range(int(4 * (START_S + 10)) * (1 + self.rounds)):
            self.rig.now_s += 1.0
            self.look()
            if not self.running:
                return
        raise AssertionError("the item never ended")


Claims.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestClaims = Claims.TestCase
