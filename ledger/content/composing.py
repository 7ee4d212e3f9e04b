"""What may be said and shown: the manifest that ties clean texts and sound sound together.

What a person approves is a manifest: the list of every rendition with its hash. So text and sound become
blobs here, once, before anything is signed, and an approval names the manifest's hash. The same bytes give
the same hash, so saving a draft twice stores nothing twice.

Bound: no database, no signature. Manifests are `ledger.facts.manifest`; which sound is taken, `sounds.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ledger.content.sounds import sound_kind
from ledger.facts import (
    AUDIO,
    BOARD_TEXT,
    SLOT_LENGTH_MAX_S,
    STREAM,
    STREAM_MEDIA_TYPE,
    Manifest,
    Rendition,
    stream_addresses,
    stream_list,
)
from ledger.log import Blobs, CodecError, NotAllowed


@dataclass(frozen=True)
class Upload:
    """Sound as a person handed it in. name is for messages only; the type is read from the bytes."""

    data: bytes
    name: str = ""


@dataclass(frozen=True)
class Relay:
    """A live programme to pass on: its http(s) address, and how long it is planned to sound."""

    address: str
    duration_ms: int


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
    relay: Relay | None = None,
    language: str = "vi",
) -> Composed:
    """Stores text, sound and manifest as blobs. kept_audio: the sound of an earlier version when none is
    given. relay: a live programme; the sound then is what fills in for it.

    NotAllowed("audio-too-large" | "audio-type" | "audio-empty" | "stream-address" | "stream-length" |
    "text-empty" when there is nothing at all).
    """
    renditions: list[Rendition] = []
    if relay is not None:
        renditions.append(_relayed(blobs, relay, language))
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


def read_relay(blobs: Blobs, manifest: Manifest, language: str = "vi") -> Relay | None:
    """What a manifest relays; its address is "" when the list is not here or is none (it came from above)."""
    found = manifest.stream(language)
    if found is None:
        return None
    try:
        address = stream_addresses(blobs.read(found.sha256))[0] if blobs.has(found.sha256) else ""
    except CodecError:
        address = ""
    return Relay(address, found.duration_ms)


def _relayed(blobs: Blobs, relay: Relay, language: str) -> Rendition:
    try:
        data = stream_list(relay.address)
    except CodecError as error:
        raise NotAllowed(error.code, error.what, where="stream", hint=error.hint) from error
    if not 1_000 <= relay.duration_ms <= SLOT_LENGTH_MAX_S * 1000:
        raise NotAllowed(
            "stream-length", f"a relay of {relay.duration_ms / 1000:g} s", where="minutes", hint="1 s to 4 h"
        )
    return _stored(blobs, STREAM, language, STREAM_MEDIA_TYPE, data, relay.duration_ms)


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


def _stored(
    blobs: Blobs, kind: str, language: str, media_type: str, data: bytes, duration_ms: int
) -> Rendition:
    blobs.put(data)
    return Rendition.of(kind, media_type, data, duration_ms=duration_ms, language=language)
