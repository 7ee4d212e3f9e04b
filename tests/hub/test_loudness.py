"""Recordings on their way in, with a real ffmpeg: equally loud, small, whole, or refused in plain words."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import random
import re
import shutil
import struct
import subprocess
import threading
import wave
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_web_flows import TITLE
from test_web_house import Browser, House, build

from hub.web import create_app
from ledger.content import Levelled, Leveller, leveller, sound_kind
from ledger.content import loudness as module
from ledger.log import NotAllowed

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
RATE = 16_000


@pytest.fixture(scope="module")
def level() -> Leveller:
    made = leveller()
    assert made is not None
    return made


def voice(seconds: float, loudness: float, *, seed: int = 1) -> bytes:
    """A WAV of something like syllables: bursts of a few harmonics with pauses between them."""
    rng = random.Random(seed)
    samples: list[float] = []
    while len(samples) < seconds * RATE:
        pitch, length = rng.uniform(110, 240), int(rng.uniform(0.1, 0.3) * RATE)
        for n in range(length):
            swell = math.sin(math.pi * n / length)
            tone = sum(math.sin(2 * math.pi * pitch * k * n / RATE) / k for k in range(1, 6))
            samples.append(swell * tone * 0.5)
        samples += [0.0] * int(rng.uniform(0.02, 0.25) * RATE)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(
            b"".join(
                struct.pack("<h", max(-32_768, min(32_767, int(32_767 * loudness * value))))
                for value in samples[: int(seconds * RATE)]
            )
        )
    return out.getvalue()


def loudness_of(data: bytes, folder: Path) -> tuple[float, float]:
    """(LUFS, peak in dBFS) as ffmpeg's own meter reads them."""
    (folder / "x").write_bytes(data)
    said = subprocess.run(
        ["ffmpeg", "-hide_banner", "-nostats", "-i", "x", "-af", "ebur128=peak=true", "-f", "null", "-"],
        cwd=folder, check=True, capture_output=True, text=True, timeout=60,
    ).stderr  # fmt: skip
    return (
        float(re.findall(r"^ +I: +(\S+) LUFS", said, re.MULTILINE)[-1]),
        float(re.findall(r"^ +Peak: +(\S+) dBFS", said, re.MULTILINE)[-1]),
    )


def encoded(data: bytes, name: str, folder: Path, *options: str) -> bytes:
    (folder / "in.wav").write_bytes(data)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", "in.wav", *options, name],
        cwd=folder, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return (folder / name).read_bytes()


def code_of(level: Leveller, data: bytes) -> str:
    with pytest.raises(NotAllowed) as refused:
        level(data)
    assert refused.value.hint
    return refused.value.code


@pytest.mark.parametrize("loudness", [0.01, 0.1, 0.9])
def test_whatever_came_in_goes_out_at_minus_sixteen(level: Leveller, loudness: float, tmp_path: Path) -> None:
    made = level(voice(12, loudness))
    lufs, peak = loudness_of(made.data, tmp_path)
    assert -17.0 <= lufs <= -15.0
    assert peak <= -0.5
    assert sound_kind(made.data) == ("audio/ogg", made.duration_ms)
    assert abs(made.duration_ms - 12_000) < 100
    assert len(made.data) < 12 * 24_000 / 8 * 1.5
    assert abs(made.was_lufs + made.gain_db + 16) <= module.AGAIN_DB + 1


@pytest.mark.parametrize("name", ["x.mp3", "x.flac", "x.ogg", "x.m4a", "x.webm"])
def test_every_kind_of_recording_that_is_taken_can_be_levelled(
    level: Leveller, name: str, tmp_path: Path
) -> None:
    options = ("-c:a", "libopus") if name in ("x.webm", "x.ogg") else ()
    made = level(encoded(voice(3, 0.05), name, tmp_path, *options))
    assert abs(made.duration_ms - 3_000) < 150
    assert -17.5 <= loudness_of(made.data, tmp_path)[0] <= -14.5


def test_the_same_recording_gives_the_same_bytes(level: Leveller) -> None:
    assert level(voice(2, 0.2)).data == level(voice(2, 0.2)).data


def test_nothing_of_who_made_the_file_goes_out_to_the_stations(level: Leveller, tmp_path: Path) -> None:
    told = encoded(voice(2, 0.2), "x.mp3", tmp_path, "-metadata", "artist=Nguyen Van A")
    assert b"Nguyen Van A" in told
    assert b"Nguyen Van A" not in level(told).data


def test_a_silent_recording_is_refused(level: Leveller) -> None:
    assert code_of(level, voice(3, 0.0)) == "audio-silent"
    assert code_of(level, voice(3, 0.0004)) == "audio-silent"


def test_a_recording_that_was_cut_off_on_its_way_is_refused(level: Leveller, tmp_path: Path) -> None:
    whole = voice(8, 0.2)
    assert code_of(level, whole[: len(whole) // 2]) == "audio-broken"
    flac = encoded(whole, "x.flac", tmp_path)
    assert code_of(level, flac[: len(flac) // 2]) == "audio-broken"


def test_what_is_no_recording_is_refused_before_ffmpeg_sees_it() -> None:
    never = Leveller("/nonexistent")
    assert code_of(never, b"#EXTM3U\nfile:///etc/passwd\n") == "audio-type"
    assert code_of(never, b"ffconcat version 1.0\nfile /etc/passwd\n") == "audio-type"


def test_a_recording_with_damaged_insides_is_refused_or_levelled_and_ends_in_time(
    level: Leveller, tmp_path: Path
) -> None:
    flac = bytearray(encoded(voice(4, 0.2), "x.flac", tmp_path))
    rng = random.Random(3)
    for at in range(200, len(flac)):
        if rng.random() < 0.5:
            flac[at] = rng.randrange(256)
    assert code_of(level, bytes(flac)) in ("audio-broken", "audio-silent", "audio-type")


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([b"RIFF....WAVE", b"ID3\x04", b"\xff\xfb\x50\xc0", b"OggS", b"fLaC"]),
    st.binary(max_size=400),
)
def test_no_bytes_do_more_than_be_refused(level: Leveller, begin: bytes, rest: bytes) -> None:
    with contextlib.suppress(NotAllowed):  # any other error would end the request
        assert level(begin + rest).data


def test_a_program_that_hangs_is_ended_and_the_recording_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "START_S", 0.3)
    hangs = tmp_path / "hangs"
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    hangs.chmod(0o755)
    assert code_of(Leveller(str(hangs)), voice(1, 0.2)) == "audio-broken"


def test_a_program_that_eats_memory_or_disk_meets_its_bounds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    greedy = tmp_path / "greedy"
    greedy.write_text(
        "#!/bin/sh\nsleep 0.2\nulimit -v > seen\nulimit -f >> seen\nulimit -t >> seen\nexit 1\n".replace(
            "seen", str(tmp_path / "seen")
        )
    )
    greedy.chmod(0o755)
    assert code_of(Leveller(str(greedy)), voice(1, 0.2)) == "audio-broken"
    memory, size, cpu = (tmp_path / "seen").read_text().split()
    assert int(memory) == module.MEMORY_BYTES // 1024
    assert int(size) <= module.OUTPUT_BYTES // 512
    assert 0 < int(cpu) < 60


def test_more_recordings_than_may_be_prepared_at_once_wait_and_then_are_asked_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.05)
    busy = Leveller("/nonexistent")
    for _ in range(module.AT_ONCE):
        busy._turns.acquire()
    assert code_of(busy, voice(1, 0.2)) == "audio-busy"
    for _ in range(module.AT_ONCE):
        busy._turns.release()
    assert code_of(busy, voice(1, 0.2)) == "audio-busy"  # it does not start; the turn was given back
    assert code_of(busy, voice(1, 0.2)) == "audio-busy"


# -- at the hub ----------------------------------------------------------------------------------------------


@pytest.fixture
def house(level: Leveller) -> House:
    made = build("loudness")
    made.app = create_app(made.hub, level=level)
    made.app.testing = True
    return made


def draft(house: House, data: bytes) -> Browser:
    return house.browser("bientap").get("/ban-tin/moi").press(
        "", "draft", title=TITLE, category="y-te", text="Giữ lại lời này.",
        _from="2022-11-09", _until="2022-11-10", audio=(io.BytesIO(data), "ghi-am.wav"),
    )  # fmt: skip


def test_what_the_editor_hears_and_the_approver_signs_is_the_levelled_recording(
    house: House, tmp_path: Path
) -> None:
    editor = draft(house, voice(4, 0.02))
    assert "Âm lượng đã chuẩn hóa (+" in editor.words
    (row,) = house.hub.queries.bulletins()
    heard = editor.client.get(re.findall(r'<audio[^>]* src="([^"]+)"', editor.html)[0]).data
    assert sound_kind(heard)[0] == "audio/ogg"
    assert -17.5 <= loudness_of(heard, tmp_path)[0] <= -14.5
    page = house.hub.queries.bulletin(row.id)
    assert hashlib.sha256(heard).hexdigest() == page.audio_sha256
    assert abs(row.duration_ms - 4_000) < 100


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (voice(3, 0.0), "Tệp âm thanh không có tiếng"),
        (voice(8, 0.2)[:90_000], "Tệp âm thanh bị hỏng hoặc bị cắt cụt"),
    ],
    ids=["silent", "cut short"],
)
def test_a_recording_that_nobody_could_hear_is_refused_in_plain_words_and_the_text_is_kept(
    house: House, data: bytes, words: str
) -> None:
    editor = draft(house, data)
    assert editor.status == 422
    assert words in editor.words
    assert "Giữ lại lời này." in editor.html
    assert house.hub.queries.bulletins() == []


def test_a_new_version_that_keeps_its_recording_is_not_encoded_again(house: House) -> None:
    editor = draft(house, voice(2, 0.1))
    (row,) = house.hub.queries.bulletins()
    before = house.hub.queries.bulletin(row.id).audio_sha256
    editor.get(f"/ban-tin/{row.id}/sua").press("", "draft", text="Lời khác.")
    assert house.hub.queries.bulletin(row.id).audio_sha256 == before
    assert "Âm lượng" not in editor.words


def test_without_ffmpeg_the_recording_stays_as_it_came_and_the_editor_is_told() -> None:
    house = build("no-loudness")
    data = voice(2, 0.02)
    editor = draft(house, data)
    assert "máy chủ chưa cài ffmpeg" in editor.words
    (row,) = house.hub.queries.bulletins()
    assert house.hub.queries.bulletin(row.id).audio_sha256 == hashlib.sha256(data).hexdigest()


def test_nobody_elses_signature_waits_while_a_recording_is_prepared(house: House, level: Leveller) -> None:
    """The one lock of all signing forms is not held meanwhile."""
    busy, go_on = threading.Event(), threading.Event()

    def slow(data: bytes) -> Levelled:
        busy.set()
        assert go_on.wait(60)
        return level(data)

    house.app = create_app(house.hub, level=slow)
    house.app.testing = True
    uploading = threading.Thread(target=draft, args=(house, voice(2, 0.1)))
    uploading.start()
    try:
        assert busy.wait(60)
        house.browser("bientap").get("/ban-tin/moi").press(
            "",
            "draft",
            title="Việc khác",
            category="y-te",
            text="Chữ.",
            _from="2022-11-09",
            _until="2022-11-10",
        )
        assert [row.title for row in house.hub.queries.bulletins()] == ["Việc khác"]
    finally:
        go_on.set()
        uploading.join(60)
    assert len(house.hub.queries.bulletins()) == 2
