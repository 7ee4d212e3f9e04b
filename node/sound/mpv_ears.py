"""Levels in three bands, measured by mpv where the sound is, so that no sound ever reaches us.

Both ends of a comparison are measured by the same chain of filters inside an mpv, which writes three numbers
for every 40 ms into a pipe: 75 numbers a second, from which no word can be understood. Nothing is recorded.

    reference   the player's own mpv: its filter chain gets a branch, so it is what really sounds: a file, a
                text that was spoken, a stream, every round. The sound itself goes on unchanged.
    capture     a second mpv with the device as its input and no output, only while an item sounds. Like
                the player, it ends when our end of its socket closes: no microphone outlives the station.

The pipe takes two minutes of numbers before anybody waits for us; no tick is so late.

Bound: numbers out of children. What they mean is `hearing`'s, and when to listen is `listening`'s.
"""

from __future__ import annotations

import fcntl
import math
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ledger.log import PlayerError
from node.config import CAPTURE
from node.sound.hearing import BANDS, FRAME_S, Levels
from node.sound.mpv_process import Conversation, MpvProcess

RATE_HZ: Final = 8_000  # the highest band ends at 2800 Hz
FRAME_SAMPLES: Final = int(RATE_HZ * FRAME_S)
# 40 ms are about 150 bytes of text; as much as one process may give a pipe.
PIPE_BYTES: Final = 1 << 20
READ_BYTES: Final = 1 << 16
READS_MAX: Final = 16  # a look: more is left for the next


@dataclass(frozen=True)
class Batch:
    """Levels that came together. anew: they do not continue the ones before."""

    frames: tuple[Levels, ...]
    anew: bool


class Source(Protocol):
    """Where levels come from."""

    def read(self) -> Sequence[Batch]:
        """What came since the last look, without waiting. Raises PlayerError when no more will come."""

    def close(self) -> None: ...


def measuring(path: str) -> str:
    """The filters that measure what passes through and write it to this path."""
    names = [f"b{number}" for number in range(len(BANDS))]
    bands = [
        f"[i{name}]highpass=f={low},highpass=f={low},lowpass=f={high},lowpass=f={high}[{name}]"
        for name, (low, high) in zip(names, BANDS, strict=True)
    ]
    return (
        f"aresample={RATE_HZ},aformat=channel_layouts=mono,asplit={len(names)}"
        + "".join(f"[i{name}]" for name in names)
        + ";" + ";".join(bands) + ";"
        + "".join(f"[{name}]" for name in names)
        + f"join=inputs={len(names)}:channel_layout=3.0,asetnsamples=n={FRAME_SAMPLES}:p=0,"
        "astats=metadata=1:reset=1:measure_perchannel=RMS_level:measure_overall=none,"
        f"ametadata=print:file={path}:direct=1"
    )  # fmt: skip


def tapping(path: str) -> str:
    """mpv's option for the same beside the sound. The sound goes on in small pieces: a branch gets its turn
    once a piece, and a piece must not be longer than what the branch works through in a turn.
    """
    return (
        f"--af-append=@ears:lavfi=[asetnsamples=n={FRAME_SAMPLES}:p=0,asplit[out][tap];"
        f"[tap]{measuring(path)},anullsink;[out]anull]"
    )


class LevelPipe:
    """A pipe that an mpv opens by its path and writes levels into. Implements Source."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        fcntl.fcntl(self._write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._text = b""
        self._values: list[float] = []
        self._anew = True

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self._write}"

    def read(self) -> list[Batch]:
        """Levels since the last look, in order."""
        batches: list[Batch] = []
        frames: list[Levels] = []
        for line in self._lines():
            if line.startswith(b"frame:"):
                self._values.clear()
                if line.startswith(b"frame:0 "):
                    if frames:
                        batches.append(Batch(tuple(frames), self._anew))
                        frames = []
                    self._anew = True
            elif b".RMS_level=" in line:
                self._values.append(_level(line))
                if len(self._values) == len(BANDS):
                    low, middle, high = self._values
                    frames.append((low, middle, high))
                    self._values.clear()
        if frames:
            batches.append(Batch(tuple(frames), self._anew))
            self._anew = False
        return batches

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)

    def _lines(self) -> list[bytes]:
        for _ in range(READS_MAX):
            try:
                data = os.read(self._read, READ_BYTES)
            except BlockingIOError:
                break
            self._text += data
        *lines, self._text = self._text.split(b"\n")
        if len(self._text) > READ_BYTES:  # a line of mpv's has some thirty bytes
            self._text = b""
        return lines


class Microphone:
    """A device that is listened to, from now until `close`. Raises PlayerError. Implements Source.

    device: "alsa:…" or "pulse:…", as in station.toml. program: mpv; None = search.
    """

    def __init__(self, device: str, program: str | None = None) -> None:
        found = program or shutil.which("mpv")
        if found is None:
            raise PlayerError("mpv-missing", "mpv is not installed", hint="apt-get install mpv")
        if not CAPTURE.fullmatch(device):
            raise PlayerError("capture-device", f"{device!r} names no capture device")
        self._pipe = LevelPipe()
        try:
            self._mpv: Conversation = MpvProcess(
                found,
                "null",
                ("--ao-null-untimed=yes", "--cache=no", f"--af=@ears:lavfi=[{measuring(self._pipe.path)}]"),
            )
        except PlayerError:
            self._pipe.close()
            raise
        try:
            self._mpv.command("loadfile", f"av://{device}", "replace")
        except PlayerError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._mpv.pid

    def read(self) -> list[Batch]:
        """Levels since the last look. Raises PlayerError("capture-lost") when the device gives none."""
        for event in self._mpv.events():
            if event.get("event") == "end-file":
                raise PlayerError("capture-lost", "the capture device gives no sound (any more)")
        return self._pipe.read()

    def close(self) -> None:
        """Nobody listens any more."""
        self._mpv.close()
        self._pipe.close()


def _level(line: bytes) -> float:
    """dB of full scale; −inf for digital silence and for anything that is no number."""
    try:
        level = float(line.partition(b"=")[2])
    except ValueError:
        return -math.inf
    return level if math.isfinite(level) else -math.inf
