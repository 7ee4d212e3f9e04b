"""Recordings for the demo: speech by espeak-ng where it is installed, else a chime, and plainly said so.

Seventy stations fetch every recording over a line that counts each byte, so recordings are small: mono,
Seventy stations fetch every recording over a line whose bytes are counted, so recordings are small: mono,
real stations play what an editor recorded. With espeak-ng the short ones speak the title and the first
sentence, long ones their whole text.

Bound: bytes of WAV files. Nothing is played here.
"""

from __future__ import annotations

import array
import hashlib
import io
import math
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

from ledger.log import LoaError

CHIME_RATE_HZ = 4_000
LONG_S = 30
"""A recording meant to be longer than this carries the whole text, again and again until its time is up."""
THINNING = 4
"""espeak-ng speaks at 22,050 Hz; every four samples become one, still above what a horn carries."""
SPEAK_TIMEOUT_S = 20.0
_SCALE_HZ = (262, 294, 330, 392, 440)  # a pentatonic scale: any order of its tones sounds agreeable


def speaker() -> str | None:
    """The path of espeak-ng, if this machine has it."""
    return shutil.which("espeak-ng")


def recording(key: str, title: str, text: str, audio_s: int, speak: str | None) -> bytes:
    """A WAV for one bulletin. speak: path of espeak-ng or None. Raises LoaError when the program fails."""
    if speak is None:
        return chime(key, audio_s)
    if audio_s > LONG_S:
        return spoken(text, speak, fill_s=audio_s)
    return spoken(f"{title}. {text.split('. ')[0]}.", speak)


def chime(key: str, length_s: int) -> bytes:
    """A slow tune that depends on `key`, `length_s` long: it tells bulletins apart and says nothing."""
    notes = [_note(pitch) for pitch in _SCALE_HZ]
    order = hashlib.sha256(key.encode()).digest()
    tune = b"".join(notes[order[second % len(order)] % len(notes)] for second in range(length_s))
    return _wav(tune, CHIME_RATE_HZ)


def spoken(words: str, speak: str, *, fill_s: int = 0) -> bytes:
    """`words` read by espeak-ng's Vietnamese voice, thinned to telephone quality, repeated to fill_s."""
    with tempfile.TemporaryDirectory(prefix="loa-speech-") as folder:
        out = Path(folder) / "speech.wav"
        try:
            subprocess.run(
                (speak, "-v", "vi", "-s", "150", "-w", str(out), "--", words),
                check=True, capture_output=True, timeout=SPEAK_TIMEOUT_S, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            with wave.open(str(out), "rb") as sound:
                rate, frames = sound.getframerate(), sound.readframes(sound.getnframes())
        except (OSError, subprocess.SubprocessError, wave.Error) as error:
            raise LoaError("speech-failed", f"espeak-ng could not read the text aloud: {error}") from error
    samples = array.array("h", frames)
    thin = bytes(
        128 + sum(samples[i : i + THINNING]) // THINNING // 256
        for i in range(0, len(samples) - THINNING, THINNING)
    )
    rounds = max(1, round(fill_s * (rate // THINNING) / max(len(thin), 1)))
    return _wav(thin * rounds, rate // THINNING)


def _note(pitch_hz: int) -> bytes:
    """One second of a bell: a tone with one overtone, fading."""
    turn = 2 * math.pi * pitch_hz / CHIME_RATE_HZ
    return bytes(
        128
        + round(
            90
            * math.exp(-3 * n / CHIME_RATE_HZ)
            * (0.75 * math.sin(turn * n) + 0.25 * math.sin(2 * turn * n))
        )
        for n in range(CHIME_RATE_HZ)
    )


def _wav(samples: bytes, rate_hz: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(rate_hz)
        sound.writeframes(samples)
    return out.getvalue()
