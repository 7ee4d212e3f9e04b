"""What the voice is given, and that it makes sound of it: real espeak-ng, no device."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.cli import node
from node.sound.speech import Speech, as_spoken, wav_duration_s

VOICE = shutil.which("espeak-ng") or ""
needs_voice = pytest.mark.skipif(not VOICE, reason="espeak-ng is not installed")
WRITTEN = "UBND xã họp lúc 17h30 ngày 12/8, trời 35 °C."


def spoken(text: str, language: str = "vi") -> bytes:
    speech = Speech(VOICE, text, language, 0.0)
    try:
        deadline_s = time.monotonic() + 30
        while (sound := speech.result(0.0)) is None:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        return sound
    finally:
        speech.close()


def test_vietnamese_is_put_into_a_speakers_words_and_no_other_language_is() -> None:
    for language in ("vi", "vi-vn-x-central", "VI"):
        assert as_spoken("lúc 5h30", language) == "lúc năm giờ ba mươi phút"
    assert as_spoken("at 5h30,  UBND", "en") == "at 5h30,  UBND"
    assert as_spoken("5h", "vie") == "5h"


@needs_voice
def test_the_read_text_makes_sound_and_is_longer_than_silence() -> None:
    assert wav_duration_s(spoken("UBND")) > 0.5
    assert wav_duration_s(spoken(WRITTEN)) > 3
    assert any(spoken(WRITTEN)[44:])


@needs_voice
def test_the_voice_is_given_the_words_that_are_shown() -> None:
    """The same sound, byte for byte, from what was written and from what "đọc thành" shows."""
    assert spoken(WRITTEN) == spoken(as_spoken(WRITTEN, "vi"))
    assert spoken(WRITTEN, "en") != spoken(as_spoken(WRITTEN, "vi"), "en")


@needs_voice
@pytest.mark.parametrize("text", ["", " \n", "🔔", "…"])
def test_a_text_without_a_word_is_short_and_not_hung_on(text: str) -> None:
    assert wav_duration_s(spoken(text)) < 1


def test_say_shows_how_a_text_will_be_read() -> None:
    result = CliRunner().invoke(node, ["say", "Gọi 115 lúc 5h30"])
    assert (result.exit_code, result.output) == (0, "đọc thành: Gọi một một năm lúc năm giờ ba mươi phút\n")


def test_say_uses_the_words_of_the_place_when_it_is_told_whose(tmp_path: Path) -> None:
    (tmp_path / "glossary.toml").write_text('NVH = "nhà văn hóa"\n', "utf-8")
    result = CliRunner().invoke(node, ["say", "Họp ở NVH thôn 3", "--dir", str(tmp_path)])
    assert (result.exit_code, result.output) == (0, "đọc thành: Họp ở nhà văn hóa thôn ba\n")
    (tmp_path / "glossary.toml").write_text("NVH = 3\n", "utf-8")
    result = CliRunner().invoke(node, ["say", "NVH", "--dir", str(tmp_path)])
    assert result.exit_code == 21
    assert "glossary-entry" in result.output


@needs_voice
def test_say_writes_the_sound_that_would_be_heard(tmp_path: Path) -> None:
    out = tmp_path / "tin.wav"
    result = CliRunner().invoke(node, ["say", WRITTEN, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == spoken(WRITTEN)


def test_say_without_a_voice_tells_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(node, ["say", "Xin chào", "--out", str(tmp_path / "tin.wav")])
    assert result.exit_code == 23
    assert "apt-get install espeak-ng" in result.output
    assert not (tmp_path / "tin.wav").exists()
