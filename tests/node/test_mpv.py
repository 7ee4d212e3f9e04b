"""The sounding player against a real mpv: what it claims is what happened."""

from __future__ import annotations

import io
import math
import os
import shutil
import signal
import struct
import time
import wave
from collections.abc import Iterator

import pytest

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import PlayerError
from node import PlayItem, PlayReport
from node.sound.mpv import MpvPlayer

pytestmark = pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed")

needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def tone(seconds: float, *, loudness: float = 0.3) -> bytes:
    """A WAV with a 440 Hz tone; loudness 0 is digital silence."""
    rate = 8_000
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        count = int(seconds * rate)
        file.writeframes(
            b"".join(
                struct.pack("<h", int(32_767 * loudness * math.sin(2 * math.pi * 440 * n / rate)))
                for n in range(count)
            )
        )
    return out.getvalue()


def item(data: bytes, seconds: float, **more: object) -> PlayItem:
    return PlayItem(
        1, 19_305, bytes(32), bytes(32), "audio/wav", int(seconds * 1000), 80, "", "vi",
        read=lambda: data, **more,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module")
def player() -> Iterator[MpvPlayer]:
    made = MpvPlayer(ao="null", bench=True)
    yield made
    made.close()


def play(player: MpvPlayer, what: PlayItem, *, limit_s: float = 30.0) -> tuple[PlayReport, float]:
    started_s = time.monotonic()
    player.start(what, started_s)
    while True:
        now_s = time.monotonic()
        assert now_s - started_s < limit_s, "the player never came to an end"
        report = player.poll(now_s)
        if report is not None:
            return report, now_s - started_s
        time.sleep(min(player.wait_s(now_s), 0.05))


def test_a_sound_that_is_there_is_played_with_a_signal_present(player: MpvPlayer) -> None:
    report, _ = play(player, item(tone(1.5), 1.5))
    assert (report.outcome, report.detail) == (Outcome.PLAYED, Detail.NONE)
    assert report.evidence is Evidence.SIGNAL_PRESENT
    assert 13 <= report.played_ds <= 30


def test_digital_silence_is_silent_and_not_played(player: MpvPlayer) -> None:
    report, _ = play(player, item(tone(2.0, loudness=0.0), 2.0))
    assert (report.outcome, report.detail) == (Outcome.SILENT, Detail.NONE)
    assert report.evidence is Evidence.DEVICE_ACCEPTED


def test_volume_zero_is_silent_whatever_the_file_holds(player: MpvPlayer) -> None:
    what = PlayItem(1, 1, bytes(32), bytes(32), "audio/wav", 800, 0, "", "vi", read=lambda: tone(0.8))
    report, _ = play(player, what)
    assert (report.outcome, report.detail) == (Outcome.SILENT, Detail.DEVICE)
    assert report.evidence <= Evidence.DEVICE_ACCEPTED


def test_content_that_is_no_sound_is_missed_for_its_content_not_for_the_device(player: MpvPlayer) -> None:
    for data in (b"this is not audio" * 100, b"", tone(1.0)[:30]):
        report, _ = play(player, item(data, 3.0))
        assert (report.outcome, report.detail, report.played_ds) == (Outcome.MISSED, Detail.WRONG_CONTENT, 0)
        assert report.evidence is Evidence.DELIVERED


def test_a_sound_shorter_than_promised_is_partial(player: MpvPlayer) -> None:
    report, _ = play(player, item(tone(1.0), 6.0))
    assert (report.outcome, report.detail) == (Outcome.PARTIAL, Detail.WRONG_CONTENT)
    assert report.played_ds < 35


def test_no_sound_device_is_missed_for_the_device() -> None:
    made = MpvPlayer(ao="alsa", extra=["--audio-device=alsa/hw:CARD=nosuchcard"])
    report, _ = play(made, item(tone(1.0), 1.0))
    made.close()
    assert (report.outcome, report.detail, report.played_ds) == (Outcome.MISSED, Detail.DEVICE, 0)
    assert report.evidence is Evidence.DELIVERED  # though mpv said playback-restart and measured levels


def test_a_stop_reports_what_was_heard_and_the_next_item_takes_over(player: MpvPlayer) -> None:
    started_s = time.monotonic()
    player.start(item(tone(20.0), 20.0), started_s)
    while time.monotonic() - started_s < 2.5:
        assert player.poll(time.monotonic()) is None
        time.sleep(0.05)
    report = player.stop(time.monotonic())
    assert report.outcome is Outcome.INTERRUPTED
    assert 0 < report.played_ds <= 26
    after, _ = play(player, item(tone(0.7), 0.7))
    assert after.outcome is Outcome.PLAYED


def test_a_resumed_item_begins_where_it_was_interrupted(player: MpvPlayer) -> None:
    play(player, item(tone(0.3), 0.3))  # mpv is warm now
    report, took_s = play(player, item(tone(5.0), 5.0, offset_ds=35))
    assert report.outcome is Outcome.PLAYED
    assert took_s < 4.0
    assert 10 <= report.played_ds <= 25


def test_a_repeated_item_plays_all_rounds(player: MpvPlayer) -> None:
    report, took_s = play(player, item(tone(0.8), 0.8, repeat=3))
    assert report.outcome is Outcome.PLAYED
    assert took_s >= 2.3
    assert 20 <= report.played_ds <= 40


def test_a_killed_mpv_is_started_again_once_and_the_item_goes_on(player: MpvPlayer) -> None:
    started_s = time.monotonic()
    player.start(item(tone(4.0), 4.0), started_s)
    killed = False
    report = None
    while report is None:
        now_s = time.monotonic()
        assert now_s - started_s < 30
        report = player.poll(now_s)
        if not killed and now_s - started_s > 1.5:
            assert player.child_pid is not None
            os.kill(player.child_pid, signal.SIGKILL)
            killed = True
        time.sleep(0.05)
    assert killed
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert 30 <= report.played_ds <= 55


def test_an_mpv_that_hangs_twice_is_given_up(player: MpvPlayer) -> None:
    """A stopped process is a device that hangs: the clock runs on and nothing moves."""
    now_s = time.monotonic()
    player.start(item(tone(60.0), 60.0), now_s)
    stopped: set[int] = set()
    skipped_s = 0.0
    report = None
    for _ in range(400):
        report = player.poll(time.monotonic() + skipped_s)
        if report is not None:
            break
        pid = player.child_pid  # none between the first one's end and the second try
        if pid is not None and pid not in stopped:
            time.sleep(0.8)
            os.kill(pid, signal.SIGSTOP)
            stopped.add(pid)
        skipped_s += 1.0  # the test does not wait for real: time is handed in
        time.sleep(0.01)
    assert report is not None
    assert len(stopped) == 2
    assert report.detail is Detail.DEVICE
    assert report.outcome in (Outcome.MISSED, Outcome.PARTIAL)


def test_a_player_that_cannot_start_says_so() -> None:
    made = MpvPlayer(ao="null", program="/nonexistent/mpv")
    with pytest.raises(PlayerError):
        made.start(item(tone(0.1), 0.1), 0.0)


def test_mpv_ends_with_the_process_that_started_it() -> None:
    """The conversation is inherited: when our end closes, mpv leaves by itself."""
    from node.sound.mpv_process import MpvProcess

    process = MpvProcess("mpv", "null")
    process.command("get_property", "idle-active")
    deadline_s = time.monotonic() + 10
    while not process.events() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    process._socket.close()
    assert process._child.wait(10) == 0


@needs_voice
def test_a_text_without_a_recording_is_spoken(player: MpvPlayer) -> None:
    text = "Chú ý. Lũ quét đang về. Mời bà con lên nhà văn hóa."
    what = PlayItem(1, 1, bytes(32), None, "text/plain", 0, 80, text, "vi")
    report, took_s = play(player, what)
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert took_s > 2


def test_without_a_voice_a_text_is_refused_in_plain_words() -> None:
    made = MpvPlayer(ao="null", speaker="")
    what = PlayItem(1, 1, bytes(32), None, "text/plain", 0, 80, "Xin chào", "vi")
    with pytest.raises(PlayerError, match="espeak-ng"):
        made.start(what, 0.0)
    assert not made.can_speak
