"""A bulletin language by language: its words, its sound, its picture, its document.

Bound: a manifest read for people. Which language a station plays is `ledger.facts.heard_in`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.facts import AUDIO, BOARD_IMAGE, DOCUMENT, MAIN, TONGUES, Manifest, Rendition
from ledger.log import BlobError, Blobs

ORDER = {one.code: n for n, one in enumerate(TONGUES)}


@dataclass(frozen=True)
class File:
    """One file of a bulletin. duration_ms: 0 for what has no length in time. here: it was not thrown away."""

    kind: str
    sha256: str
    media_type: str
    size: int
    duration_ms: int
    here: bool = True


@dataclass(frozen=True)
class Voice:
    """One language of a bulletin. text: "" when it has none, or it is not at this hub."""

    language: str
    text: str
    audio: File | None
    picture: File | None
    paper: File | None

    def file(self, kind: str) -> File | None:
        return {AUDIO: self.audio, BOARD_IMAGE: self.picture, DOCUMENT: self.paper}.get(kind)


def voices_of(blobs: Blobs, manifest: Manifest) -> tuple[Voice, ...]:
    """Vietnamese first, then in the order of the list of languages, then what is not on it."""
    codes = sorted(
        {one.language for one in manifest.renditions} | {MAIN},
        key=lambda code: (ORDER.get(code, len(ORDER)), code),
    )
    return tuple(
        Voice(
            code,
            _text(blobs, manifest.text(code)),
            _file(blobs, manifest, AUDIO, code),
            _file(blobs, manifest, BOARD_IMAGE, code),
            _file(blobs, manifest, DOCUMENT, code),
        )
        for code in codes
    )


def _file(blobs: Blobs, manifest: Manifest, kind: str, language: str) -> File | None:
    for one in manifest.renditions:
        if (one.kind, one.language) == (kind, language):
            name = one.sha256
            return File(kind, name.hex(), one.media_type, one.size, one.duration_ms, blobs.has(name))
    return None


def _text(blobs: Blobs, rendition: Rendition | None) -> str:
    if rendition is None:
        return ""
    try:
        return blobs.read(rendition.sha256).decode("utf-8", "replace")
    except BlobError:
        return ""
