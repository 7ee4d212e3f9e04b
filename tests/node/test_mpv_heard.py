"""Heard or not, with everything real: mpv plays into a sound server, and its other end is listened to.

The stations of this page play at the same time, each into a loudspeaker (a sink) of its own; a yard is a
second mpv that carries a sink's sound into another, with what a horn and an open place do to it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_mpv import item
from test_mpv_failures import Pulse

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import PlayerError
from node import PlayReport
from node.shell import Wishes, make_player, plain_words
from node.sound.hearing import Verdict
from node.sound.listening import HearingPlayer
from node.sound.mpv import MpvPlayer
from node.sound.mpv_ears import LevelPipe, Microphone, tapping

pytestmark = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("mpv", "pulseaudio", "pactl", "espeak-ng")),
    reason="mpv, pulseaudio or espeak-ng is not installed",
)

OURS = (
    "Ủy ban nhân dân xã thông báo: sáng thứ bảy tiêm phòng cho trẻ dưới năm tuổi tại trạm y tế. "
    "Đề nghị bà con đến đúng giờ, mang theo sổ tiêm chủng. Trạm y tế mở cửa từ bảy giờ rưỡi, "
    "các cháu ở thôn xa được tiêm trước. Cháu nào đang sốt thì để tuần sau. "
    "Có gì chưa rõ, xin hỏi cán bộ y tế thôn."
)
THEIRS = (
    "Hội nông dân mời bà con dự lớp trồng lúa vụ đông xuân vào chiều thứ ba, tại nhà văn hóa thôn. "
    "Mỗi hộ cử một người, tài liệu được phát miễn phí cho tất cả mọi người."
)
YARD = (
    "lavfi=[volume=-24dB,highpass=f=300,lowpass=f=3500,adelay=400:all=1,"
    "aecho=0.8:0.7:90|170|260:0.5|0.35|0.2[s];"
    "anoisesrc=r=48000:c=pink:a=0.004[n];[s]aformat=channel_layouts=mono,aresample=48000[m];"
    "[m][n]amix=inputs=2:duration=first:normalize=0]"
)


@dataclass
class Heard:
    """How one station's item ended, and how the station stood afterwards."""

    report: PlayReport
    verdict: Verdict | None
    ceiling: Evidence
    complaint: str


def spoken(folder: Path, text: str) -> tuple[bytes, float]:
    path = folder / "spoken.wav"
    subprocess.run(["espeak-ng", "-v", "vi", "-s", "140", "-w", str(path), text], check=True, timeout=60)
    data = path.read_bytes()
    return data, (len(data) - 44) / 44_100


def mpv(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["mpv", "--no-config", "--no-video", "--no-terminal", "--ao=pulse", *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def station(sink: str, device: str) -> HearingPlayer:
    levels = LevelPipe()
    player = MpvPlayer(ao="pulse", extra=(f"--audio-device=pulse/{sink}", tapping(levels.path)))
    return HearingPlayer(player, levels, lambda: Microphone(device), device=device)


@pytest.fixture(scope="module")
def heard() -> Iterator[dict[str, Heard]]:
    """All of them at once: it takes as long as the longest."""
    folder = Path(tempfile.mkdtemp(prefix="loa-"))
    server = Pulse(folder)
    before = {name: os.environ.get(name) for name in ("PULSE_SERVER", "HOME", "ALSA_CONFIG_PATH")}
    os.environ.update(PULSE_SERVER=f"unix:{server.socket}", HOME=str(folder))
    (folder / "asound.conf").write_text(
        "</usr/share/alsa/alsa.conf>\npcm.card { type pulse device near.monitor }\n"
    )
    os.environ["ALSA_CONFIG_PATH"] = str(folder / "asound.conf")
    others: list[subprocess.Popen[bytes]] = []
    players: dict[str, HearingPlayer] = {}
    try:
        server.run()
        for sink in ("near", "far", "yard", "shut", "alone", "street"):
            subprocess.run(
                ["pactl", "load-module", "module-null-sink", f"sink_name={sink}", "rate=48000"],
                check=True, timeout=30, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        subprocess.run(["pactl", "set-sink-mute", "shut", "1"], check=True, timeout=30)
        others.append(mpv("--audio-device=pulse/yard", f"--af={YARD}", "av://pulse:far.monitor"))
        data, length_s = spoken(folder, OURS)
        other, _ = spoken(folder, THEIRS)
        (folder / "other.wav").write_bytes(other)
        others.append(mpv("--audio-device=pulse/street", "--loop=inf", str(folder / "other.wav")))
        players |= {
            "cable": station("near", "alsa:card"),
            "yard": station("far", "pulse:yard.monitor"),
            "muted": station("shut", "pulse:shut.monitor"),
            "neighbour": station("alone", "pulse:street.monitor"),
            "nothing": station("alone", "pulse:nobody"),
        }
        yield _together(players, data, length_s)
    finally:
        for player in players.values():
            player.close()
        for child in others:
            child.terminate()
            child.wait()
        server.kill()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(folder)


def _together(players: dict[str, HearingPlayer], data: bytes, length_s: float) -> dict[str, Heard]:
    """Each plays the same item, with its microphone open as long as it sounds."""
    ended: dict[str, Heard] = {}
    began_s = time.monotonic()
    for player in players.values():
        player.start(item(data, length_s), time.monotonic())
    while len(ended) < len(players):
        assert time.monotonic() - began_s < 120, f"still sounding: {players.keys() - ended.keys()}"
        for name, player in players.items():
            report = None if name in ended else player.poll(time.monotonic())
            if report is not None:
                ended[name] = Heard(report, player.last, player.ceiling, player.complaint)
        time.sleep(0.1)
    return ended


def test_what_leaves_by_the_cable_is_heard(heard: dict[str, Heard]) -> None:
    found = heard["cable"]
    assert (found.report.outcome, found.report.evidence) == (Outcome.PLAYED, Evidence.HEARD)
    assert found.verdict is not None
    assert found.verdict.r > 0.8


def test_a_loudspeaker_in_a_yard_is_heard_through_distance_echo_and_noise(heard: dict[str, Heard]) -> None:
    assert heard["yard"].report.evidence is Evidence.HEARD


def test_an_output_muted_behind_the_player_is_played_for_the_player_and_not_heard(
    heard: dict[str, Heard],
) -> None:
    """The player's own mute is seen without an ear; this one is behind the sound server."""
    found = heard["muted"]
    assert (found.report.outcome, found.report.detail) == (Outcome.PLAYED, Detail.NONE)
    assert found.report.evidence is Evidence.SIGNAL_PRESENT
    assert found.verdict is not None
    assert found.verdict.missed


def test_a_neighbour_who_plays_something_else_is_not_us(heard: dict[str, Heard]) -> None:
    found = heard["neighbour"]
    assert (found.report.outcome, found.report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert found.verdict is not None
    assert found.verdict.missed


def test_without_the_capture_device_the_item_plays_and_the_station_says_what_is_missing(
    heard: dict[str, Heard],
) -> None:
    found = heard["nothing"]
    assert (found.report.outcome, found.report.evidence) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert found.ceiling is Evidence.SIGNAL_PRESENT
    assert "pulse:nobody" in found.complaint


def test_a_station_says_at_its_start_whether_it_has_an_ear() -> None:
    deaf, listening = make_player(Wishes("mpv")), make_player(Wishes("mpv"), "alsa:hw:1")
    try:
        assert deaf.ceiling is Evidence.SIGNAL_PRESENT
        assert "no capture device is set" in plain_words(deaf)
        assert listening.ceiling is Evidence.HEARD
        assert "listens with alsa:hw:1" in plain_words(listening)
    finally:
        deaf.close()
        listening.close()


def test_no_microphone_outlives_a_station_that_is_killed() -> None:
    code = (
        "import time; from node.sound.mpv_ears import Microphone; ear = Microphone('alsa:null'); "
        "print(ear.pid, flush=True); time.sleep(600)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        ear = int(child.stdout.readline())
        time.sleep(0.5)
        assert _runs(ear)
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=20)
        deadline_s = time.monotonic() + 20
        while _runs(ear):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
    finally:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 96_000])
def test_all_that_is_played_is_measured_whatever_its_sample_rate(rate: int, tmp_path: Path) -> None:
    """Played faster than it sounds: a branch that falls behind loses what it has not measured."""
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\x00\x20\x00\xe0" * (rate * 5))
    pipe = LevelPipe()
    try:
        subprocess.run(
            [
                "mpv", "--no-config", "--no-video", "--no-terminal", "--ao=null", "--ao-null-untimed=yes",
                tapping(pipe.path), str(tmp_path / "x.wav"),
            ],
            check=True, timeout=60,
        )  # fmt: skip
        frames = [frame for batch in pipe.read() for frame in batch.frames]
    finally:
        pipe.close()
    assert 247 <= len(frames) <= 251  # ten seconds


@pytest.mark.parametrize("device", ["", "hw:1", "/etc/passwd", "pulse:a,b;c", "lavfi:sine", "alsa:x y"])
def test_only_a_sound_device_can_be_listened_to(device: str) -> None:
    with pytest.raises(PlayerError) as refused:
        Microphone(device)
    assert refused.value.code == "capture-device"


def test_what_is_read_from_the_pipe_are_whole_frames_whatever_pieces_it_comes_in() -> None:
    pipe = LevelPipe()
    text = b"".join(
        b"frame:%d    pts:%d\nlavfi.astats.1.RMS_level=-20.5\nlavfi.astats.2.RMS_level=-inf\n"
        b"lavfi.astats.3.RMS_level=%s\n" % (number, number, third)
        for number, third in ((0, b"-3"), (1, b"nan"), (0, b"oops"), (1, b"-4.5"))
    )
    low = float("-inf")
    try:
        frames, anew = [], []
        for at in range(0, len(text), 7):
            os.write(pipe._write, text[at : at + 7])
            for batch in pipe.read():
                frames += batch.frames
                anew += [batch.anew, *[False] * (len(batch.frames) - 1)]
    finally:
        pipe.close()
    assert frames == [(-20.5, low, -3.0), (-20.5, low, low), (-20.5, low, low), (-20.5, low, -4.5)]
    assert anew == [True, False, True, False]
