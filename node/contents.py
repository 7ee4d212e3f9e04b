"""What of the approved content is here: manifests, their sound, their whole.

A manifest is `ready` when what is heard of it in our language is here (or, without a recording, the text that
can be read out), and `whole` when every rendition is. Answers are remembered: content has no second version
under its hash, so what is here stays here until somebody drops it.
"""

from __future__ import annotations

from typing import Final

from ledger.facts import Manifest, Rendition
from ledger.log import BlobError, Blobs, CodecError

MANIFESTS_CACHED_MAX: Final = 512


class Contents:
    """languages: in order of preference."""

    def __init__(self, blobs: Blobs, languages: tuple[str, ...]) -> None:
        self._blobs = blobs
        self._languages = languages
        self._manifests: dict[bytes, Manifest | None] = {}
        self._ready: set[bytes] = set()
        self._whole: set[bytes] = set()
        self._have: set[bytes] = set()
        self.lost: set[bytes] = set()  # manifests that the disk damaged, until they are here again

    def manifest(self, name: bytes) -> Manifest | None:
        """The manifest of this hash, when it is here and is one."""
        if name not in self._manifests:
            data = self._verified(name)
            if data is None:
                return None
            if len(self._manifests) >= MANIFESTS_CACHED_MAX:
                self._manifests.clear()
            self._manifests[name] = _decoded(data)
            self.lost.discard(name)
        return self._manifests[name]

    def is_broken(self, name: bytes) -> bool:
        """True when the content of this hash is here, whole, and is no manifest: it can never be played."""
        return self.manifest(name) is None and name in self._manifests

    def heard(self, manifest: Manifest) -> Rendition | None:
        """The recording in our language."""
        return next((one for lang in self._languages if (one := manifest.audio(lang)) is not None), None)

    def read_out(self, manifest: Manifest) -> Rendition | None:
        """The text that can be read out when there is no recording."""
        return next((one for lang in self._languages if (one := manifest.text(lang)) is not None), None)

    def has(self, name: bytes) -> bool:
        if name not in self._have and self._blobs.has(name):
            self._have.add(name)
        return name in self._have

    def is_ready(self, name: bytes) -> bool:
        """True when everything that can be heard of this manifest is here."""
        if name not in self._ready:
            manifest = self.manifest(name)
            sound = None if manifest is None else self.heard(manifest) or self.read_out(manifest)
            if sound is None or not self.has(sound.sha256):
                return False
            self._ready.add(name)
        return True

    def is_whole(self, name: bytes) -> bool:
        """True when every rendition of this manifest is here."""
        if name not in self._whole:
            manifest = self.manifest(name)
            if manifest is None or not all(self.has(one.sha256) for one in manifest.renditions):
                return False
            self._whole.add(name)
        return True

    def read(self, rendition: Rendition) -> bytes:
        """The verified bytes. Raises BlobError when the disk lost or damaged them."""
        return self._blobs.read(rendition.sha256)

    def set_aside(self, name: bytes) -> None:
        """The disk damaged this content: it is here no more; its good chunks are used again."""
        self._blobs.set_aside(name)
        self.forget(name)

    def forget(self, name: bytes) -> None:
        """Looks again at the next question."""
        for known in (self._have, self._ready, self._whole):
            known.discard(name)
        self._manifests.pop(name, None)

    def _verified(self, name: bytes) -> bytes | None:
        """The bytes of this hash; None when they are not here. Damaged ones are dropped, to be had again."""
        if not self._blobs.has(name):
            return None
        try:
            return self._blobs.read(name)
        except BlobError:
            self._blobs.delete(name)
            self.forget(name)
            self.lost.add(name)
            return None


def _decoded(data: bytes) -> Manifest | None:
    try:
        return Manifest.decode(data)
    except CodecError:
        return None
