"""Each failure of sound has its own outcome, against a real mpv, a real sound server and a real line."""

from __future__ import annotations

import io
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_mpv import item, play, tone

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import PlayerError
from node import PlayItem, PlayReport
from node.sound.mpv import MpvPlayer

pytestmark = pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed")
needs_pulse = pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="pulseaudio is not installed")


def watch(player: MpvPlayer, what: PlayItem, after_s: float, then: Callable[[], None]) -> PlayReport:
    """Plays, and does something to the world once `after_s` have sounded."""
    now_s = began_s = time.monotonic()
    player.start(what, now_s)
    done = False
    while now_s - began_s < 60:
        report = player.poll(now_s)
        if report is not None:
            assert done, "it ended before anything was done to it"
            return report
        if not done and now_s - began_s > after_s:
            then()
            done = True
        time.sleep(0.05)
        now_s = time.monotonic()
    raise AssertionError("the player never came to an end")


def opus(folder: Path, seconds: float) -> bytes:
    """A bulletin as it travels, encoded by mpv itself."""
    (folder / "in.wav").write_bytes(tone(seconds))
    subprocess.run(
        ["mpv", "--no-config", "--really-quiet", "in.wav", "-o", "out.opus", "--oac=libopus"],
        cwd=folder, check=True, timeout=60,
    )  # fmt: skip
    return (folder / "out.opus").read_bytes()


def test_a_truncated_file_is_partial_with_the_seconds_really_played(tmp_path: Path) -> None:
    whole = opus(tmp_path, 4.0)
    player = MpvPlayer(ao="null", bench=True)
    try:
        entire, _ = play(player, item(whole, 4.0))
        cut, _ = play(player, item(whole[: len(whole) // 2], 4.0))
        wav, _ = play(player, item(tone(4.0)[:16_000], 4.0))
    finally:
        player.close()
    assert (entire.outcome, entire.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    for report, true_ds in ((cut, 20), (wav, 10)):
        assert (report.outcome, report.detail) == (Outcome.PARTIAL, Detail.WRONG_CONTENT)
        assert true_ds - 7 <= report.played_ds <= true_ds + 9


def test_an_output_without_a_device_never_claims_one() -> None:
    player = MpvPlayer(ao="null")
    report, _ = play(player, item(tone(1.5), 1.5))
    player.close()
    assert player.ceiling is Evidence.DELIVERED
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.DELIVERED)


@pytest.mark.parametrize("ao", ["pulse", "nosuchoutput"])
def test_an_output_that_is_not_there_is_missed_before_anything_is_waited_for(
    ao: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No time is handed in at all: only what mpv says can end the item."""
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    player = MpvPlayer(ao=ao)
    try:
        player.start(item(tone(30.0), 30.0), 0.0)
        deadline_s = time.monotonic() + 30
        report = None
        while report is None and time.monotonic() < deadline_s:
            report = player.poll(0.0)
            time.sleep(0.02)
    finally:
        player.close()
    assert report == PlayReport(Outcome.MISSED, Detail.DEVICE, 0, Evidence.DELIVERED)
    assert "an item is missed: the sound device failed" in caplog.text


# -- a sound server ------------------------------------------------------------------------------------------


class Pulse:
    """PulseAudio with one sink that leads nowhere, in real time; ours alone."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "line"
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        self.socket.unlink(missing_ok=True)
        self._child = subprocess.Popen(
            [
                "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
                "--disable-shm=yes",
                "-L", f"module-native-protocol-unix socket={self.socket} auth-anonymous=1",
                "-L", "module-null-sink sink_name=speaker rate=48000",
            ],
            env={**os.environ, "HOME": str(self._folder), "XDG_RUNTIME_DIR": str(self._folder)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline_s = time.monotonic() + 8
        while not self._answers():
            if self._child.poll() is not None or time.monotonic() > deadline_s:
                pytest.skip("pulseaudio does not run here")
            time.sleep(0.02)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as line:
            return line.connect_ex(str(self.socket)) == 0

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


@pytest.fixture
def pulse(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    folder = Path(tempfile.mkdtemp(prefix="loa-"))  # a socket's path must be short
    server = Pulse(folder)
    monkeypatch.setenv("PULSE_SERVER", f"unix:{server.socket}")
    monkeypatch.setenv("HOME", str(folder))
    try:
        server.run()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)


@pytest.fixture
def speaker(pulse: Pulse) -> Iterator[MpvPlayer]:
    player = MpvPlayer(ao="pulse")
    yield player
    player.close()


@needs_pulse
def test_a_device_that_takes_the_sound_gives_a_signal_present_and_no_more_seconds_than_there_are(
    speaker: MpvPlayer,
) -> None:
    report, _ = play(speaker, item(tone(2.0), 2.0))
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert 10 <= report.played_ds <= 20  # though the server takes about two seconds more to drain


@needs_pulse
def test_a_muted_output_is_silent_although_mpv_plays_to_the_end(speaker: MpvPlayer) -> None:
    def mute() -> None:
        assert speaker._mpv is not None
        speaker._mpv.command("set_property", "ao-mute", True)

    sound = tone(5.0)
    late = sound[:44] + bytes(32_000) + sound[32_044:]  # muted within its two quiet seconds
    report = watch(speaker, item(late, 5.0), 0.7, mute)
    assert (report.outcome, report.detail) == (Outcome.SILENT, Detail.DEVICE)
    assert report.evidence is Evidence.DEVICE_ACCEPTED


@needs_pulse
def test_a_sound_server_that_dies_is_partial_for_the_device(pulse: Pulse, speaker: MpvPlayer) -> None:
    report = watch(speaker, item(tone(60.0), 60.0), 4.0, pulse.kill)
    assert (report.outcome, report.detail) == (Outcome.PARTIAL, Detail.DEVICE)
    assert 0 < report.played_ds <= 45


@needs_pulse
def test_a_sound_server_that_comes_back_lets_the_item_go_on(pulse: Pulse, speaker: MpvPlayer) -> None:
    def again() -> None:
        pulse.kill()
        pulse.run()

    report = watch(speaker, item(tone(8.0), 8.0), 4.0, again)
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert 60 <= report.played_ds <= 80


# -- a stream ------------------------------------------------------------------------------------------------


def _for_an_hour(head: bytes) -> bytes:
    size = 48_000 * 2 * 3_600
    return head[:4] + struct.pack("<I", size + 36) + head[8:40] + struct.pack("<I", size)


class Radio:
    """An HTTP server on this machine that sends `seconds` of sound and then nothing, the line still open."""

    def __init__(self, seconds: float, *, hang_up: bool = False) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/live"
        head = io.BytesIO()
        with wave.open(head, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(48_000)
            file.writeframes(b"")
        # A square wave of 240 Hz, promised for an hour.
        self._data = _for_an_hour(head.getvalue()) + (b"\x00\x20" * 100 + b"\x00\xe0" * 100) * int(
            240 * seconds
        )
        self._hang_up = hang_up
        self._open: list[socket.socket] = []
        self.calls = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            self._open.append(line)
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        try:
            line.recv(65_536)
            line.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: audio/wav\r\n\r\n" + self._data)
            if self._hang_up:
                line.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone leaves a thread in accept, and it accepts
        self._thread.join(10)
        for line in (self._listener, *self._open):
            line.close()


def relay(url: str, seconds: float) -> PlayItem:
    return PlayItem(
        1, 1, bytes(32), bytes(32), "audio/wav", int(seconds * 1000), 80, "", "vi", klass=1, stream=url
    )


def listen(player: MpvPlayer, what: PlayItem) -> PlayReport:
    """Time is handed in faster than it passes while nothing moves."""
    skipped_s = 0.0
    position_s = still_s = -1.0
    began_s = time.monotonic()
    player.start(what, began_s)
    while (real_s := time.monotonic()) - began_s < 60:
        report = player.poll(real_s + skipped_s)
        if report is not None:
            return report
        assert player._run is not None
        if player._run._position_s != position_s:
            position_s, still_s = player._run._position_s, real_s
        if real_s - still_s > 1.5:
            skipped_s += 0.5
        time.sleep(0.05)
    raise AssertionError("the watchdog never looked")


def test_a_stream_sounds_as_long_as_planned_and_ends_by_the_plan() -> None:
    radio, player = Radio(30.0), MpvPlayer(ao="null", bench=True)
    try:
        report, _ = play(player, relay(radio.url, 3.0))
    finally:
        player.close()
        radio.close()
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert 20 <= report.played_ds <= 30


@pytest.mark.parametrize("hang_up", [False, True], ids=["stops sending", "hangs up"])
def test_a_stream_that_breaks_is_tried_once_more_and_then_partial_for_want_of_delivery(hang_up: bool) -> None:
    radio, player = Radio(3.0, hang_up=hang_up), MpvPlayer(ao="null", bench=True)
    try:
        report = listen(player, relay(radio.url, 60.0))
    finally:
        player.close()
        radio.close()
    assert (report.outcome, report.detail) == (Outcome.PARTIAL, Detail.NOT_DELIVERED)
    assert radio.calls >= 2
    assert 10 <= report.played_ds <= 65


def test_a_stream_that_does_not_come_is_missed_for_want_of_delivery() -> None:
    radio, player = Radio(0.0), MpvPlayer(ao="null", bench=True)
    radio.close()
    try:
        report, _ = play(player, relay(radio.url, 60.0))
    finally:
        player.close()
    assert report == PlayReport(Outcome.MISSED, Detail.NOT_DELIVERED, 0, Evidence.DELIVERED)


@pytest.mark.parametrize("address", ["/etc/passwd", "file:///etc/passwd", "av://lavfi:sine", "edl://x"])
def test_only_addresses_of_the_web_are_streams(address: str) -> None:
    player = MpvPlayer(ao="null")
    with pytest.raises(PlayerError) as refused:
        player.start(relay(address, 1.0), 0.0)
    assert refused.value.code == "stream-address"
