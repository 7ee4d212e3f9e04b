"""The short sound before an item, by which people know what comes: a notice, an emergency or an exercise.

    ORDINARY    three bells, rising                                  1.2 s
    EMERGENCY   two tones by turns, four times a second, and loud    2.0 s
    DRILL       two long low tones with a pause between them         2.2 s

They differ in pitch, rhythm and loudness, so that they are told apart over a bad loudspeaker and by people
who hear little. Made here from sines, the same bytes every time; at 16 kHz, which is more than a horn
loudspeaker carries. Making one takes some 30 ms, so a player makes them before it is needed.

Bound: samples. What is said in words before and after a drill is `drill_words`; who plays them is the player.
"""

from __future__ import annotations

import math
import struct
from enum import IntEnum
from functools import cache
from typing import Final

RATE_HZ: Final = 16_000
_FULL: Final = 32_767
# Without it every edge of a tone clicks.
_EDGE_S: Final = 0.008
_BELLS_HZ: Final = (523.25, 659.25, 783.99)
_BELL_EVERY_S: Final = 0.28
_ALARM_HZ: Final = (853.0, 960.0)
_ALARM_EACH_S: Final = 0.25
_DRILL_HZ: Final = 392.0
_DRILL_ON_S: Final = 0.9
_DRILL_OFF_S: Final = 0.3

_LENGTH_S: Final = (0.0, 1.2, 2.0, 2.2)


class Chime(IntEnum):
    """What is announced."""

    NONE = 0
    ORDINARY = 1
    EMERGENCY = 2
    DRILL = 3

    @property
    def length_s(self) -> float:
        return _LENGTH_S[self]


def drill_words(language: str) -> tuple[str, str]:
    """What is said before and after an exercise, so that nobody who hears only a part takes it for real."""
    if language.lower() == "vi" or language.lower().startswith("vi-"):
        return (
            "Đây là thông báo diễn tập. Đây là diễn tập, không phải tình huống thật.",
            "Thông báo diễn tập đến đây là hết. Đây chỉ là diễn tập, không phải tình huống thật.",
        )
    return (
        "This is an exercise. This is an exercise, it is not real.",
        "This was an exercise. It was not real.",
    )


@cache
def wav(chime: Chime) -> bytes:
    """The chime as a WAV: mono, 16 bits. `NONE` has none and is refused with ValueError."""
    level = {Chime.ORDINARY: _bells, Chime.EMERGENCY: _alarm, Chime.DRILL: _drill}.get(chime)
    if level is None:
        raise ValueError("no chime")
    count = round(chime.length_s * RATE_HZ)
    samples = [round(_FULL * max(-1.0, min(1.0, level(n / RATE_HZ)))) for n in range(count)]
    data = struct.pack(f"<{count}h", *samples)
    form = struct.pack("<HHIIHH", 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    body = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def _bells(t: float) -> float:
    """Three struck notes that die away over one another."""
    level = 0.0
    for n, pitch_hz in enumerate(_BELLS_HZ):
        since_s = t - n * _BELL_EVERY_S
        if since_s >= 0:
            strike = math.exp(-6.0 * since_s) * min(1.0, since_s / _EDGE_S)
            level += 0.22 * strike * (_sine(pitch_hz, since_s) + 0.3 * _sine(2 * pitch_hz, since_s))
    return level * min(1.0, (Chime.ORDINARY.length_s - t) / _EDGE_S)


def _alarm(t: float) -> float:
    turn, within_s = divmod(t, _ALARM_EACH_S)
    return 0.9 * _edges(within_s, _ALARM_EACH_S) * _sine(_ALARM_HZ[int(turn) % 2], t)


def _drill(t: float) -> float:
    within_s = t % (_DRILL_ON_S + _DRILL_OFF_S)
    if within_s >= _DRILL_ON_S:
        return 0.0
    return 0.35 * _edges(within_s, _DRILL_ON_S) * _sine(_DRILL_HZ, within_s)


def _edges(within_s: float, length_s: float) -> float:
    return min(1.0, within_s / _EDGE_S, max(0.0, length_s - within_s) / _EDGE_S)


def _sine(pitch_hz: float, t: float) -> float:
    return math.sin(2 * math.pi * pitch_hz * t)
