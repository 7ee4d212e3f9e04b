"""What may be said and shown: the manifest that ties clean texts and sound sound together.

What a person approves is a manifest: the list of every rendition with its hash. So text and sound become
blobs here, once, before anything is signed, and an approval names the manifest's hash. The same bytes give
the same hash, so saving a draft twice stores nothing twice.

Bound: no database, no signature. Manifests are `ledger.facts.manifest`; which sound is taken, `sounds.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.content.papers import paper_type, picture_type
from ledger.content.sounds import sound_kind
from ledger.facts import (
    AUDIO,
    BASIS,
    BOARD_IMAGE,
    BOARD_TEXT,
    DOCUMENT,
    MAIN,
    SLOT_LENGTH_MAX_S,
    STREAM,
    STREAM_MEDIA_TYPE,
    Basis,
    Manifest,
    Rendition,
    stream_addresses,
    stream_list,
)
from ledger.facts.manifest import RENDITIONS_MAX
from ledger.log import Blobs, CodecError, NotAllowed
from ledger.spoken import read_aloud, reading_s

TEXT_TYPE = "text/plain; charset=utf-8"


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
class Part:
    """One further form of a bulletin: sound, a clean text, a picture or a document in a language.

    kind: audio, board-text, board-image, document or basis. data: None = as in the version it is made from.
    """

    kind: str
    language: str
    data: bytes | None


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
    language: str = MAIN,
    more: Sequence[Part] = (),
    source: Manifest | None = None,
) -> Composed:
    """Stores text, sound and manifest as blobs. kept_audio: the sound of an earlier version when none is
    given. relay: a live programme; the sound then is what fills in for it. more: other languages, pictures,
    documents, in the order in which they are to stand. source: what parts without data are taken from.

    NotAllowed("audio-too-large" | "audio-type" | "audio-empty" | "stream-address" | "stream-length" |
    "text-empty" when there is nothing at all | "relay-languages" | "parts-many" | "kept-gone", and as
    `papers.picture_type` and `papers.paper_type`).
    """
    renditions: list[Rendition] = []
    if relay is not None:
        renditions.append(_relayed(blobs, relay, language))
    if audio is not None:
        renditions.append(_sound(blobs, audio, audio_bytes_max, language))
    elif kept_audio is not None:
        renditions.append(_still(blobs, kept_audio))
    if text:
        renditions.append(_stored(blobs, BOARD_TEXT, language, TEXT_TYPE, text.encode(), 0))
    if relay is not None and any(part.kind == AUDIO for part in more):
        raise NotAllowed(
            "relay-languages", "a relay is heard as it comes", hint="leave the other recordings out"
        )
    for part in more:
        if part.data is None:
            made = _kept(blobs, source, part)
        else:
            made = _part(blobs, part, part.data, audio_bytes_max)
        if made is not None:
            renditions.append(made)
    if len(renditions) > RENDITIONS_MAX:
        raise NotAllowed(
            "parts-many", f"{len(renditions)} forms in one bulletin", hint=f"at most {RENDITIONS_MAX}"
        )
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


def sounding_s(blobs: Blobs, manifest: Manifest) -> int:
    """Seconds of the longest of what any station may play of this; 0 when nothing of it is heard.

    One slot is planned for stations of all languages, so it must have room for the slowest of them.
    """
    relayed = manifest.stream()
    if relayed is not None:
        return max(1, -(-relayed.duration_ms // 1000))
    sounds = [one.duration_ms for one in manifest.renditions if one.kind == AUDIO]
    words = "" if manifest.audio() is not None else read_text(blobs, manifest)
    return max([-(-ms // 1000) or 1 for ms in sounds] + ([reading_s(read_aloud(words))] if words else [0]))


def _kept(blobs: Blobs, source: Manifest | None, part: Part) -> Rendition | None:
    """The same form of the version before; None when it had none. NotAllowed("kept-gone")."""
    for one in () if source is None else source.renditions:
        if (one.kind, one.language) == (part.kind, part.language):
            return _still(blobs, one)
    return None


def _still(blobs: Blobs, rendition: Rendition) -> Rendition:
    """Nothing is approved that nobody can fetch: what was thrown away cannot be kept."""
    if not blobs.has(rendition.sha256):
        raise NotAllowed(
            "kept-gone", "a file of the earlier version is not here any more", where="audio",
            hint="hand it in again, or leave it out",
        )  # fmt: skip
    return rendition


def _part(blobs: Blobs, part: Part, data: bytes, audio_bytes_max: int) -> Rendition:
    if part.kind == AUDIO:
        return _sound(blobs, data, audio_bytes_max, part.language)
    if part.kind == BOARD_TEXT:
        return _stored(blobs, BOARD_TEXT, part.language, TEXT_TYPE, data, 0)
    if part.kind == BOARD_IMAGE:
        return _stored(blobs, BOARD_IMAGE, part.language, picture_type(data), data, 0)
    if part.kind == BASIS:
        return _stored(blobs, BASIS, part.language, Basis.MEDIA_TYPE, data, 0)
    assert part.kind == DOCUMENT, "these are the five kinds of parts"
    return _stored(blobs, DOCUMENT, part.language, paper_type(data), data, 0)


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
