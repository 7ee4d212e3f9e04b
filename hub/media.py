"""What may be said and shown at this hub, and the signal of an emergency that has no recording.

Clean texts, checked sound and the manifest that ties them are `ledger.content`, the same at a commune's
station.

Bound: no database, no signature.
"""

from __future__ import annotations

import io
import math
import struct
import wave

from ledger.content import (
    DURATION_MS_MAX,
    DURATION_MS_MIN,
    Composed,
    Part,
    Relay,
    Upload,
    accept_line,
    accept_text,
    compose,
    folded,
    read_manifest,
    read_relay,
    read_text,
    sound_kind,
    sounding_s,
)

__all__ = [
    "DURATION_MS_MAX",
    "DURATION_MS_MIN",
    "Composed",
    "Part",
    "Relay",
    "Upload",
    "accept_line",
    "accept_text",
    "attention_signal",
    "compose",
    "folded",
    "read_manifest",
    "read_relay",
    "read_text",
    "sound_kind",
    "sounding_s",
]

# Emergency without a recording: four seconds of signal. A drill must not sound like the real thing.
_SIGNAL_RATE = 8_000
_SIGNAL_S = 4


def attention_signal(*, drill: bool) -> Upload:
    """A WAV made here: two alternating tones for the real thing, one interrupted low tone for a drill."""
    frames = bytearray()
    for n in range(_SIGNAL_RATE * _SIGNAL_S):
        t = n / _SIGNAL_RATE
        if drill:
            level, pitch_hz = (0.4, 440) if t % 2 < 1 else (0.0, 440)
        else:
            level, pitch_hz = 0.6, (853 if t % 0.5 < 0.25 else 960)
        frames += struct.pack("<h", round(32_767 * level * math.sin(2 * math.pi * pitch_hz * t)))
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_SIGNAL_RATE)
        sound.writeframes(bytes(frames))
    return Upload(out.getvalue(), "signal.wav")
