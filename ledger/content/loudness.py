"""All recordings equally loud: measured, then raised or lowered as a whole, then encoded to be small.

A phone in a meeting room and a studio lie 20 dB apart, and nobody sits at the amplifier. So what is handed in
is made −16 LUFS (ITU-R BS.1770) with peaks of about −1.5 dBFS, mono, Opus at 24 kbit/s, *before* anybody
hears and approves it: the approval names the hash of what the loudspeaker will play.

Three runs of `ffmpeg`: two measure, as it came and as it would become; the last applies one gain to all of
it, limits the few peaks that then stand out, and encodes. It is a program of its own, never a library, and
reads bytes that nobody trusts: the format is the one that was recognised (no playlist can name other files),
nothing but that one anonymous file may be opened, it gets a gigabyte of address space, a bounded time, and
room for its output in memory, and two run at a time. The same bytes give the same bytes.

Bound: bytes in, bytes out. Without ffmpeg there is no Leveller, and who takes recordings says so.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.content.sounds import DURATION_MS_MAX, sound_kind
from ledger.log import NotAllowed

TARGET_LUFS: Final = -16.0
# Of what is encoded; on the way back to sound Opus adds up to 1.5 dB to a peak, and takes 0.3 dB from all.
PEAK_DBFS: Final = -3.0
OPUS_DB: Final = 0.3
AGAIN_DB: Final = 3.0  # so much more at most where the limiter took it: more would be heard as pumping
# Below this there is nothing to raise but the noise of the microphone.
SILENT_LUFS: Final = -55.0
BIT_RATE: Final = 24_000
# A file that states its length must hold it: an encoder may pad, a cable that was pulled leaves a hole.
SHORT_S: Final = 1.5
SHORT_SHARE: Final = 0.03
MEMORY_BYTES: Final = 1 << 30
OUTPUT_BYTES: Final = 64 << 20  # four hours at 24 kbit/s are 43 MB
# Either run goes through a recording about a hundred times faster than it sounds, on one slow core.
START_S: Final = 30.0
PACE: Final = 15.0
AT_ONCE: Final = 2
WAIT_S: Final = 120.0

_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/mp4": "mov",
    "audio/webm": "matroska",
}
_STATES_LENGTH: Final = frozenset({"audio/wav", "audio/flac", "audio/mp4"})
_INTEGRATED: Final = re.compile(rb"^ +I: +(-?[0-9.]+|-inf|nan) LUFS", re.MULTILINE)
_MONO: Final = "aformat=channel_layouts=mono,aresample=48000"


@dataclass(frozen=True)
class Levelled:
    """A recording as it will sound. data: Ogg/Opus. was_lufs: how loud it had come. gain_db: the change."""

    data: bytes
    duration_ms: int
    was_lufs: float
    gain_db: float


class Leveller:
    """program: the path of ffmpeg. May be called from several threads."""

    def __init__(self, program: str) -> None:
        self._program: Final = program
        self._turns: Final = threading.BoundedSemaphore(AT_ONCE)

    def __call__(self, data: bytes) -> Levelled:
        """The recording at −16 LUFS. data: of any type that `sound_kind` knows. Takes seconds.

        NotAllowed: audio-type, audio-empty, audio-too-large, audio-silent, audio-broken, audio-busy.
        """
        media_type, stated_ms = sound_kind(data)
        if not self._turns.acquire(timeout=WAIT_S):
            raise NotAllowed(
                "audio-busy", "other recordings are being prepared", where="audio", hint="try again shortly"
            )
        try:
            return self._levelled(data, media_type, stated_ms)
        finally:
            self._turns.release()

    def _levelled(self, data: bytes, media_type: str, stated_ms: int) -> Levelled:
        limit_s = START_S + stated_ms / 1000 / PACE
        lufs = self._measured(data, media_type, limit_s, _MONO)
        if not lufs > SILENT_LUFS:
            raise NotAllowed(
                "audio-silent", f"the recording is silent ({lufs:.0f} LUFS)", where="audio",
                hint="check the microphone, listen to it, record it again",
            )  # fmt: skip
        gain_db = TARGET_LUFS - lufs
        # What the limiter takes from the peaks, and Opus from all, is given back once.
        left_db = TARGET_LUFS - self._measured(data, media_type, limit_s, _raised(gain_db))
        gain_db = round(gain_db + min(max(0.0, left_db), AGAIN_DB) + OPUS_DB, 1)
        out = self._run(
            data, media_type, limit_s,
            (
                "-af", _raised(gain_db), "-c:a", "libopus", "-b:a", str(BIT_RATE), "-application", "voip",
                "-flags:a", "+bitexact", "-fflags", "+bitexact", "-map_metadata", "-1", "-f", "ogg", "-y",
            ),
            makes=True,
        )  # fmt: skip
        duration_ms = sound_kind(out)[1]
        short_ms = max(SHORT_S * 1000, SHORT_SHARE * stated_ms)
        if media_type in _STATES_LENGTH and duration_ms < stated_ms - short_ms:
            raise _broken(
                f"it says {stated_ms / 1000:.0f} s and ends after {duration_ms / 1000:.0f} s",
                hint="the file was cut off on its way: copy it again",
            )
        return Levelled(out, duration_ms, lufs, gain_db)

    def _measured(self, data: bytes, media_type: str, limit_s: float, chain: str) -> float:
        """LUFS of all of it behind these filters; −70 is the floor. NotAllowed("audio-broken")."""
        wanted = ("-af", f"{chain},ebur128=framelog=verbose", "-f", "null", "-")
        found = _INTEGRATED.findall(self._run(data, media_type, limit_s, wanted, makes=False))
        if not found:
            raise _broken("no sound can be decoded")
        return float(found[-1])

    def _run(
        self, data: bytes, media_type: str, limit_s: float, wanted: Sequence[str], *, makes: bool
    ) -> bytes:
        """One ffmpeg over the bytes. makes: it writes a file, which is returned; else what it says."""
        handles = [os.memfd_create(name) for name in ("recording", "said", "levelled")]
        given, said, made = handles
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(given, view) :]
            target = [f"file:/proc/self/fd/{made}"] if makes else []
            child = subprocess.Popen(
                [
                    self._program, "-hide_banner", "-nostdin", "-nostats", "-v", "error" if makes else "info",
                    "-threads", "1", "-protocol_whitelist", "file", "-f", _FORMATS[media_type],
                    "-i", f"file:/proc/self/fd/{given}",
                    "-map", "0:a:0", "-t", str(DURATION_MS_MAX // 1000 + 2), *wanted, *target,
                ],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                pass_fds=(given, made), env={"LC_ALL": "C"}, close_fds=True,
            )  # fmt: skip
            try:
                _bound(child.pid, int(limit_s) + 1)
                status = child.wait(limit_s)
            except subprocess.TimeoutExpired as error:
                raise _broken("it cannot be decoded in a reasonable time") from error
            finally:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            if status != 0:
                raise _broken("it cannot be decoded")
            return _whole(made if makes else said)
        except OSError as error:
            raise NotAllowed(
                "audio-busy", f"ffmpeg did not start: {error}", where="audio", hint="try again shortly"
            ) from error
        finally:
            for handle in handles:
                os.close(handle)


def leveller() -> Leveller | None:
    """With this machine's ffmpeg; None when it has none."""
    found = shutil.which("ffmpeg")
    return None if found is None else Leveller(found)


def _raised(gain_db: float) -> str:
    """The filters that make it so much louder, with no peak above PEAK_DBFS."""
    peak = 10 ** (PEAK_DBFS / 20)
    return f"{_MONO},volume={gain_db:.1f}dB,alimiter=limit={peak:.4f}:level=false:attack=5:release=50"


def _bound(pid: int, cpu_s: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.prlimit(pid, what, (most, most))
        except ProcessLookupError:
            return  # it has ended already


def _whole(handle: int) -> bytes:
    return os.pread(handle, os.fstat(handle).st_size, 0)


def _broken(why: str, *, hint: str = "listen to the file; save it again as WAV or MP3") -> NotAllowed:
    return NotAllowed("audio-broken", f"the recording is damaged: {why}", where="audio", hint=hint)
