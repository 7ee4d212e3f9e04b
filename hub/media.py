"""What may be said and shown: texts that are clean, sound that is sound, and the manifest that ties them.

What an officer approves is a manifest: the list of every rendition with its hash. So text and sound become
blobs here, once, before anything is signed, and an approval names the manifest's hash. The same bytes give
the same hash, so saving a draft twice stores nothing twice.

Texts are normalised to NFC on their way in and may hold no control and no bidirectional characters: a title
that reads differently on a screen than it is stored could be used to get something else approved. That is
the hub's rule of acceptance, not a rule of validity: Unicode tables change, old events must stay readable.

An uploaded sound is believed by its bytes, never by its name: known beginning, parsed for a duration,
capped in size. It is played by the station's player, which runs as a process of its own; nothing is decoded
here.

Bound: no database, no signature. Manifests are `ledger.facts.manifest`.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import unicodedata
import wave
from collections.abc import Callable
from dataclasses import dataclass

from tinytag import TinyTag
from tinytag.tinytag import TinyTagException

from ledger.facts import (
    AUDIO,
    BOARD_TEXT,
    SLOT_LENGTH_MAX_S,
    Manifest,
    Rendition,
    acceptable_text,
)
from ledger.log import (
    Blobs,
    NotAllowed,
)

DURATION_MS_MAX = SLOT_LENGTH_MAX_S * 1000  # nothing longer could ever be scheduled
DURATION_MS_MIN = 200  # shorter cannot be heard

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
)
# Emergency without a recording: four seconds of signal. A drill must not sound like the real thing.
_SIGNAL_RATE = 8_000
_SIGNAL_S = 4


@dataclass(frozen=True)
class Upload:
    """Sound as an officer handed it in. name is for messages only; the type is read from the bytes."""

    data: bytes
    name: str = ""


@dataclass(frozen=True)
class Composed:
    """A stored manifest: what an approval will name."""

    manifest: Manifest
    sha256: bytes
    duration_ms: int


def compose(
    blobs: Blobs,
    *,
    text: str,
    audio: Upload | bytes | None,
    audio_bytes_max: int,
    kept_audio: Rendition | None = None,
    language: str = "vi",
) -> Composed:
    """Stores text, sound and manifest as blobs. kept_audio: the sound of an earlier version when none is
    given.

    NotAllowed("audio-too-large" | "audio-type" | "audio-empty" | "text-empty" when there is neither).
    """
    renditions: list[Rendition] = []
    if audio is not None:
        renditions.append(_sound(blobs, audio, audio_bytes_max, language))
    elif kept_audio is not None:
        renditions.append(kept_audio)
    if text:
        renditions.append(_stored(blobs, BOARD_TEXT, language, "text/plain; charset=utf-8", text.encode(), 0))
    if not renditions:
        raise NotAllowed(
            "text-empty", "a bulletin needs a text or a recording", hint="write or upload something"
        )
    manifest = Manifest(tuple(renditions))
    data = manifest.encode()
    blobs.put(data)
    return Composed(manifest, hashlib.sha256(data).digest(), renditions[0].duration_ms)


def read_manifest(blobs: Blobs, sha256: bytes) -> Manifest:
    """The stored manifest of this hash. BlobError when it is missing or broken."""
    return Manifest.decode(blobs.read(sha256))


def read_text(blobs: Blobs, manifest: Manifest, language: str = "vi") -> str:
    found = manifest.text(language)
    return "" if found is None else blobs.read(found.sha256).decode()


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


def accept_line(text: str, *, what: str, chars_max: int) -> str:
    """One line: NFC, single spaces. NotAllowed("text-empty" | "text-too-long" | "text-not-allowed")."""
    return _accepted(" ".join(unicodedata.normalize("NFC", text).split()), what, chars_max, lines=False)


def accept_text(text: str, *, what: str, chars_max: int) -> str:
    """Text of any lines: NFC, line ends as \\n, tabs as spaces. May be empty. NotAllowed as `accept_line`."""
    whole = unicodedata.normalize(
        "NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    ).strip()
    return _accepted(whole, what, chars_max, lines=True) if whole else ""


def _accepted(text: str, what: str, chars_max: int, *, lines: bool) -> str:
    reason = acceptable_text(text, chars_max, lines=lines)
    if reason is None:
        return text
    if reason == "empty":
        raise NotAllowed("text-empty", f"{what} is empty", where=what, hint="fill it in")
    if reason == "too-long":
        raise NotAllowed(
            "text-too-long", f"{what} has {len(text)} characters", where=what, hint=f"at most {chars_max}"
        )
    raise NotAllowed(
        "text-not-allowed",
        f"{what} holds something that cannot be seen: {reason}",
        where=what,
        hint="delete it, or type the line again instead of pasting it",
    )


def folded(text: str) -> str:
    """For searching: lower case without diacritics; đ counts as d, which no Unicode decomposition knows."""
    apart = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


def _sound(blobs: Blobs, audio: Upload | bytes, bytes_max: int, language: str) -> Rendition:
    data = audio if isinstance(audio, bytes) else audio.data
    if len(data) > bytes_max:
        raise NotAllowed(
            "audio-too-large",
            f"the recording has {len(data)} bytes",
            where="audio",
            hint=f"at most {bytes_max}; save it as MP3 or Opus at 64 kbit/s",
        )
    if not data:
        raise NotAllowed(
            "audio-empty", "the recording is an empty file", where="audio", hint="record it again"
        )
    media_type, duration_ms = sound_kind(data)
    return _stored(blobs, AUDIO, language, media_type, data, duration_ms)


def sound_kind(data: bytes) -> tuple[str, int]:
    """Media type and duration in ms of a recording. NotAllowed("audio-type" | "audio-empty" | …)."""
    for media_type, name, begins in _KINDS:
        if begins(data):
            return media_type, _in_bounds(_duration_ms(data, name))
    raise NotAllowed(
        "audio-type", "this is not a recording", where="audio", hint="upload WAV, MP3, Ogg/Opus, FLAC or M4A"
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


def _stored(
    blobs: Blobs, kind: str, language: str, media_type: str, data: bytes, duration_ms: int
) -> Rendition:
    blobs.put(data)
    return Rendition.of(kind, media_type, data, duration_ms=duration_ms, language=language)
