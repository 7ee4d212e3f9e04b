"""Sound that people hand in, believed by its bytes and never by its name: a known beginning, a length, caps.

It is played by the station's player, which runs as a process of its own; nothing is decoded here. What a
browser records is WebM without a stated length; `webm.py` finds it.

Bound: bytes in, (media type, duration) out.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable
from typing import Final

from ledger.content.webm import MAGIC, webm_duration_ms
from ledger.facts import SLOT_LENGTH_MAX_S
from ledger.log import NotAllowed

DURATION_MS_MAX: Final = SLOT_LENGTH_MAX_S * 1000  # nothing longer could ever be scheduled
DURATION_MS_MIN: Final = 200  # shorter cannot be heard

_KINDS: tuple[tuple[str, str, Callable[[bytes], bool]], ...] = (
    ("audio/wav", "x.wav", lambda b: b[:4] == b"RIFF" and b[8:12] == b"WAVE"),
    (
        "audio/mpeg",
        "x.mp3",
        lambda b: b[:3] == b"ID3" or (len(b) > 1 and b[0] == 0xFF and b[1] & 0xE0 == 0xE0),
    ),
    ("audio/ogg", "x.ogg", lambda b: b[:4] == b"OggS"),
    ("audio/flac", "x.flac", lambda b: b[:4] == b"fLaC"),
    ("audio/mp4", "x.m4a", lambda b: b[4:8] == b"ftyp"),
    ("audio/webm", "", lambda b: b[:4] == MAGIC),
)


def sound_kind(data: bytes) -> tuple[str, int]:
    """Media type and duration in ms of a recording. NotAllowed("audio-type" | "audio-empty" | …)."""
    for media_type, name, begins in _KINDS:
        if begins(data):
            return media_type, _in_bounds(_duration_ms(data, name) if name else webm_duration_ms(data))
    raise NotAllowed(
        "audio-type",
        "this is not a recording",
        where="audio",
        hint="upload WAV, MP3, Ogg/Opus, FLAC, M4A or WebM",
    )


def _in_bounds(duration_ms: int) -> int:
    if not DURATION_MS_MIN <= duration_ms <= DURATION_MS_MAX:
        raise NotAllowed(
            "audio-empty" if duration_ms < DURATION_MS_MIN else "audio-too-large",
            f"the recording lasts {duration_ms / 1000:.1f} s",
            where="audio",
            hint="between 0.2 s and 4 h",
        )
    return duration_ms


def _duration_ms(data: bytes, name: str) -> int:
    # Loaded when somebody hands a sound in: a station starts without it, a twentieth sooner.
    from tinytag import TinyTag
    from tinytag.tinytag import TinyTagException

    try:
        tag = TinyTag.get(name, file_obj=io.BytesIO(data))
    except (TinyTagException, struct.error, ValueError, KeyError, IndexError, OverflowError) as error:
        raise NotAllowed(
            "audio-type",
            f"the recording cannot be read: {error}",
            where="audio",
            hint="save it again, then upload",
        ) from error
    duration_s = tag.duration
    if duration_s is None or not math.isfinite(duration_s):
        return 0
    return round(duration_s * 1000)
