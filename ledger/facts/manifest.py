"""A manifest: the list of everything that will be heard or shown, and the one hash that is approved.

A rendition is one form of a bulletin (the audio, the lines for the board, a leaflet) with its size, its
hash and the hash of each 64 KiB chunk, so that a station can check a download while it arrives. The
manifest is the canonical message `[1, [[kind, language, media type, size, duration_ms, sha256, chunk
hashes], …]]`; approval signs the SHA-256 of those bytes, so changing one rendition needs a new approval.
The manifest travels like any other content, by its hash.

Bound: no content here; blobs are the log's business, and what makes sound acceptable is the hub's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger.facts.fields import chars, whole
from ledger.log import codec
from ledger.log.errors import CodecError

AUDIO: Final = "audio"
BOARD_TEXT: Final = "board-text"
BOARD_IMAGE: Final = "board-image"
DOCUMENT: Final = "document"
STREAM: Final = "stream"  # a list of addresses to relay from: `relay.py`
KINDS: Final = (AUDIO, BOARD_TEXT, BOARD_IMAGE, DOCUMENT, STREAM, "basis")  # the last: `basis.py`

FORMAT: Final = 1
CHUNK_BYTES: Final = 65_536  # what a 2G link carries between two power cuts
HASH_BYTES: Final = 32
RENDITION_BYTES_MAX: Final = 64 * 1024 * 1024  # four hours of speech at 32 kbit/s
RENDITIONS_MAX: Final = 16
MANIFEST_BYTES_MAX: Final = 256 * 1024
DURATION_MAX_MS: Final = 14_400_000  # a slot's longest length


_KIND_WORD = re.compile(r"[a-z][a-z0-9-]{0,31}")


def _is_kind(value: object) -> bool:
    """A kind of today, or the word a newer program has for one: neither heard nor shown by this one."""
    return type(value) is str and _KIND_WORD.fullmatch(value) is not None


_CHECKS = (
    ("kind", _is_kind),
    ("language", chars(2, 16)),
    ("media-type", chars(3, 80)),
    ("size", whole(1, RENDITION_BYTES_MAX)),
    ("duration", whole(0, DURATION_MAX_MS)),
)


def chunk_count(size: int) -> int:
    """How many 64 KiB chunks `size` bytes make."""
    return -(-size // CHUNK_BYTES)


@dataclass(frozen=True)
class Rendition:
    """One form of the content. size: bytes. duration_ms: 0 for what has no length in time."""

    kind: str
    language: str
    media_type: str
    size: int
    duration_ms: int
    sha256: bytes
    chunk_hashes: tuple[bytes, ...]

    @classmethod
    def of(
        cls, kind: str, media_type: str, data: bytes, *, duration_ms: int = 0, language: str = "vi"
    ) -> Rendition:
        """The rendition that `data` is, hashed whole and by chunks."""
        chunks = tuple(
            sha256(data[start : start + CHUNK_BYTES]).digest() for start in range(0, len(data), CHUNK_BYTES)
        )
        return cls(kind, language, media_type, len(data), duration_ms, sha256(data).digest(), chunks)


@dataclass(frozen=True)
class Manifest:
    """The renditions of one version of a bulletin, in their author's order."""

    renditions: tuple[Rendition, ...]

    def encode(self) -> bytes:
        """The canonical bytes. Raises CodecError (`manifest-…`) when a rendition is out of range."""
        rows: list[codec.Tree] = [
            [r.kind, r.language, r.media_type, r.size, r.duration_ms, r.sha256, b"".join(r.chunk_hashes)]
            for r in self.renditions
        ]
        data = codec.pack([FORMAT, rows])
        if Manifest.decode(data) != self:
            raise CodecError("manifest-chunks", "the chunk hashes are not 32 bytes each", where="manifest")
        return data

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """The manifest in these bytes. Raises CodecError: `manifest-…`, or the codec's own codes."""
        tree = codec.unpack(data, bytes_max=MANIFEST_BYTES_MAX)
        if type(tree) is not tuple or len(tree) != 2 or type(tree[0]) is not int or tree[0] != FORMAT:
            raise CodecError("manifest-format", "not a manifest of format 1", where="manifest")
        rows = tree[1]
        if type(rows) is not tuple or not 1 <= len(rows) <= RENDITIONS_MAX:
            raise CodecError("manifest-renditions", f"a manifest has 1 to {RENDITIONS_MAX} renditions")
        renditions = tuple(_rendition(row, f"rendition {index}") for index, row in enumerate(rows))
        if len({(r.kind, r.language, r.media_type) for r in renditions}) != len(renditions):
            raise CodecError("manifest-duplicate", "two renditions of one kind, language and media type")
        return cls(renditions)

    @property
    def sha256(self) -> bytes:
        """What an approval signs: the SHA-256 of the canonical bytes."""
        return sha256(self.encode()).digest()

    def audio(self, language: str = "vi") -> Rendition | None:
        """What is heard in this language."""
        return self._first(AUDIO, language)

    def text(self, language: str = "vi") -> Rendition | None:
        """What a board shows in this language."""
        return self._first(BOARD_TEXT, language)

    def stream(self, language: str = "vi") -> Rendition | None:
        """Where this is relayed from, live, in this language; its duration is the planned length."""
        return self._first(STREAM, language)

    def _first(self, kind: str, language: str) -> Rendition | None:
        return next((r for r in self.renditions if (r.kind, r.language) == (kind, language)), None)


def _rendition(row: object, where: str) -> Rendition:
    if type(row) is not tuple or len(row) != 7:
        raise CodecError("manifest-row", "a rendition has seven fields", where=where)
    for (name, check), value in zip(_CHECKS, row, strict=False):
        if not check(value):
            raise CodecError(f"manifest-{name}", f"{name} is out of range", where=where)
    kind, language, media_type, size, duration_ms, whole_hash, hashes = row
    if type(whole_hash) is not bytes or len(whole_hash) != HASH_BYTES:
        raise CodecError("manifest-hash", "sha256 has 32 bytes", where=where)
    if type(hashes) is not bytes or len(hashes) != HASH_BYTES * chunk_count(size):
        raise CodecError("manifest-chunks", "one 32-byte hash for each 64 KiB chunk", where=where)
    chunks = tuple(hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES))
    return Rendition(kind, language, media_type, size, duration_ms, whole_hash, chunks)
