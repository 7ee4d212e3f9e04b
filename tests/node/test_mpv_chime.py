"""The chime before an item, against a real mpv: it comes first, tells what comes, and counts for nothing."""

from __future__ import annotations

import io
import math
import shutil
import struct
import time
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from test_mpv import item, play, tone

from ledger.facts import Detail, Evidence, Outcome
from node import PlayItem, PlayReport
from node.sound.chime import RATE_HZ, Chime, drill_words, wav
from node.sound.mpv import MpvPlayer

needs_mpv = pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed")
needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
SOUNDING = (Chime.ORDINARY, Chime.EMERGENCY, Chime.DRILL)


def samples(data: bytes) -> tuple[list[float], int]:
    """Those of a mono WAV, −1 to 1, and their rate."""
    with wave.open(io.BytesIO(data)) as file:
        raw, rate = file.readframes(file.getnframes()), file.getframerate()
    return [value / 32_768 for value in struct.unpack(f"<{len(raw) // 2}h", raw)], rate


def strength(sound: list[float], rate: int, pitch_hz: float, from_s: float, until_s: float) -> float:
    """How much of a stretch is this pitch, 0 to 1 (one bin of a Fourier transform)."""
    part = sound[int(from_s * rate) : int(until_s * rate)]
    power = sum(value * value for value in part)
    if not part or power == 0:
        return 0.0
    step = 2 * math.pi * pitch_hz / rate
    real = sum(value * math.cos(step * n) for n, value in enumerate(part))
    imaginary = sum(value * math.sin(step * n) for n, value in enumerate(part))
    return 2 * (real * real + imaginary * imaginary) / (len(part) * power)


# -- the sounds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chime", SOUNDING)
def test_a_chime_is_a_sound_as_long_as_it_says_and_never_clips(chime: Chime) -> None:
    sound, rate = samples(wav(chime))
    assert rate == RATE_HZ
    assert len(sound) == pytest.approx(chime.length_s * rate, abs=1)
    assert 0.2 < max(map(abs, sound)) < 0.99
    assert abs(sound[0]) < 0.01 > abs(sound[-1])  # no click at its edges


def test_the_three_chimes_differ_in_pitch_and_rhythm_and_an_emergency_is_the_loudest() -> None:
    bells, alarm, exercise = (samples(wav(chime))[0] for chime in SOUNDING)
    assert strength(alarm, RATE_HZ, 853, 0.0, 0.25) > 0.9
    assert strength(alarm, RATE_HZ, 960, 0.25, 0.5) > 0.9
    assert strength(exercise, RATE_HZ, 392, 0.0, 0.9) > 0.9
    assert not any(exercise[int(0.91 * RATE_HZ) : int(1.19 * RATE_HZ)])
    assert strength(bells, RATE_HZ, 523.25, 0.0, 0.28) > 0.7
    assert strength(bells, RATE_HZ, 853, 0.0, 0.28) < 0.05

    def loudness(sound: list[float]) -> float:
        return math.sqrt(sum(value * value for value in sound) / len(sound))

    assert loudness(alarm) > 2 * loudness(exercise) > loudness(bells)


def test_a_chime_is_the_same_every_time_and_silence_has_none() -> None:
    for chime in SOUNDING:
        first = wav(chime)
        wav.cache_clear()
        assert wav(chime) == first
    with pytest.raises(ValueError, match="no chime"):
        wav(Chime.NONE)


def test_a_drill_says_before_and_after_that_it_is_one() -> None:
    for language in ("vi", "VI-VN"):
        assert all("diễn tập" in words and "không phải" in words for words in drill_words(language))
    assert all("exercise" in words for words in drill_words("en"))


# -- through mpv ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def player() -> Iterator[MpvPlayer]:
    made = MpvPlayer(ao="null", bench=True)
    yield made
    made.close()


def kept(folder: Path, what: PlayItem, *, speaker: str | None = None) -> tuple[list[float], int]:
    """What would have been heard, by mpv's own file output."""
    made = folder / f"heard-{speaker is None}"
    into = f"--ao-pcm-file={made}", "--ao-pcm-append=yes", "--ao-pcm-waveheader=no", "--audio-format=s16"
    player = MpvPlayer(ao="pcm", bench=True, speaker=speaker, extra=into)
    try:
        play(player, what, limit_s=60)
    finally:
        player.close()
    raw = made.read_bytes()
    rate = 8_000  # of 48,000 in two channels: enough for what is looked for
    return [value / 32_768 for value in struct.unpack(f"<{len(raw) // 2}h", raw)[::12]], rate


@needs_mpv
def test_the_chime_is_heard_first_and_the_content_whole_behind_it(tmp_path: Path) -> None:
    sound, rate = kept(tmp_path, replace(item(tone(2.0), 2.0), chime=Chime.EMERGENCY))
    assert strength(sound, rate, 853, 0.02, 0.23) > 0.8
    assert strength(sound, rate, 440, 2.1, 3.9) > 0.9
    assert strength(sound, rate, 440, 0.0, 1.9) < 0.05
    assert len(sound) / rate == pytest.approx(4.0, abs=0.2)


@needs_mpv
@pytest.mark.parametrize("chime", SOUNDING)
def test_the_seconds_of_a_chime_are_not_counted(player: MpvPlayer, chime: Chime) -> None:
    report, took_s = play(player, replace(item(tone(1.5), 1.5), chime=chime))
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert 13 <= report.played_ds <= 15
    assert took_s > 1.5 + chime.length_s - 0.3


@needs_mpv
def test_a_chime_is_no_signal_of_a_content_that_is_silent(player: MpvPlayer) -> None:
    report, _ = play(player, replace(item(tone(3.0, loudness=0.0), 3.0), chime=Chime.EMERGENCY))
    assert (report.outcome, report.evidence) == (Outcome.SILENT, Evidence.DEVICE_ACCEPTED)


@needs_mpv
def test_content_that_is_no_sound_is_missed_although_its_chime_was_heard(player: MpvPlayer) -> None:
    report, _ = play(player, replace(item(b"this is no sound at all" * 50, 5.0), chime=Chime.ORDINARY))
    assert report == PlayReport(Outcome.MISSED, Detail.WRONG_CONTENT, 0, Evidence.DELIVERED)


@needs_mpv
def test_a_missing_device_is_missed_with_a_chime_as_without() -> None:
    player = MpvPlayer(ao="nosuchoutput")
    report, took_s = play(player, replace(item(tone(3.0), 3.0), chime=Chime.ORDINARY))
    player.close()
    assert report == PlayReport(Outcome.MISSED, Detail.DEVICE, 0, Evidence.DELIVERED)
    assert took_s < 20


@needs_mpv
def test_an_item_that_is_stopped_during_its_chime_was_not_heard(player: MpvPlayer) -> None:
    began_s = time.monotonic()
    player.start(replace(item(tone(5.0), 5.0), chime=Chime.EMERGENCY), began_s)
    while (now_s := time.monotonic()) < began_s + 0.8:
        assert player.poll(now_s) is None
        time.sleep(0.05)
    report = player.stop(now_s)
    assert (report.outcome, report.played_ds) == (Outcome.INTERRUPTED, 0)
    report, _ = play(player, item(tone(1.0), 1.0))
    assert report.outcome is Outcome.PLAYED


@needs_mpv
@needs_voice
def test_a_drill_is_told_in_words_before_and_after_and_only_its_content_is_counted(tmp_path: Path) -> None:
    what = replace(item(tone(2.0), 2.0), chime=Chime.DRILL)
    plain, rate = kept(tmp_path, what, speaker="")
    told, _ = kept(tmp_path, what)
    assert len(plain) / rate == pytest.approx(4.2, abs=0.2)  # no voice: the chime alone tells
    assert len(told) / rate == pytest.approx(2.2 + 5.0 + 2.0 + 5.0, abs=3.0)
    # The content begins behind the words and is followed by others.
    seconds = range(len(told) // rate)
    content = [n for n in seconds if strength(told, rate, 440, n, n + 1) > 0.9]
    assert content
    assert 5 <= content[0] <= content[-1] <= len(told) / rate - 3
    assert not any(strength(plain, rate, 440, n / 4, n / 4 + 0.25) > 0.9 for n in range(8))
    player = MpvPlayer(ao="null", bench=True)
    report, took_s = play(player, what)
    player.close()
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert 17 <= report.played_ds <= 20
    assert took_s > 10


@needs_mpv
@needs_voice
def test_a_drill_that_goes_on_is_told_again_and_goes_on_from_where_it_was(tmp_path: Path) -> None:
    sound = tone(4.0)
    marked = sound[:44] + bytes(16_000 * 3) + sound[44 + 16_000 * 3 :]  # silent for its first three seconds
    told, rate = kept(tmp_path, replace(item(marked, 4.0), chime=Chime.DRILL, offset_ds=30))
    quarters = range(len(told) * 4 // rate)
    heard = sum(strength(told, rate, 440, n / 4, n / 4 + 0.25) > 0.9 for n in quarters)
    assert 2 <= heard <= 5  # the last of four seconds
    assert len(told) / rate == pytest.approx(2.2 + 5.0 + 1.0 + 5.0, abs=3.0)


@needs_mpv
@needs_voice
def test_a_text_is_announced_while_the_voice_still_makes_it(player: MpvPlayer) -> None:
    what = PlayItem(1, 1, bytes(32), None, "text/plain", 0, 80, "Xin chào bà con trong xã", "vi",
                    chime=Chime.ORDINARY, words=lambda: "Xin chào bà con trong xã")  # fmt: skip
    report, took_s = play(player, what)
    assert (report.outcome, report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert took_s > report.played_ds / 10 + 1.0
