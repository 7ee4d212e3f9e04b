"""What of the approved content is here: manifests, their sound, their whole.

A manifest is `ready` when what is heard of it here is here (a recording, or the text that can be read out; of
a live relay the list of addresses, and the recording that fills in for it, if it names one), and `whole` when
every rendition is. What is heard is in the station's own language, else in Vietnamese (`heard_in`). Answers
are remembered: content has no second version under its hash, so what is here stays here until somebody drops
it.
"""

from __future__ import annotations

from typing import Final

from ledger.facts import Manifest, Rendition, can_be_read_out, heard_in, stream_addresses
from ledger.log import BlobError, Blobs, CodecError

MANIFESTS_CACHED_MAX: Final = 512


class Contents:
    """language: the station's own."""

    def __init__(self, blobs: Blobs, language: str) -> None:
        self._blobs = blobs
        self._language = language
        self._manifests: dict[bytes, Manifest | None] = {}
        self._addresses: dict[bytes, str | None] = {}
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
        """True when the content of this hash is here, whole, and can never be played.

        It is no manifest, or what it relays from is no list of addresses that may be opened.
        """
        manifest = self.manifest(name)
        if manifest is None:
            return name in self._manifests
        relayed = self.relayed(manifest)
        # Read first: a list that the disk damaged is found out by reading, and then it is not here.
        return relayed is not None and self.address(relayed) is None and self.has(relayed.sha256)

    def heard(self, manifest: Manifest) -> Rendition | None:
        """The recording that is heard here."""
        language = heard_in(manifest, self._language)
        return None if language is None else manifest.audio(language)

    def read_out(self, manifest: Manifest) -> Rendition | None:
        """The text that a voice reads out when there is no recording."""
        language = heard_in(manifest, self._language)
        return None if language is None or not can_be_read_out(language) else manifest.text(language)

    def relayed(self, manifest: Manifest) -> Rendition | None:
        """Where it is relayed from, live."""
        language = heard_in(manifest, self._language)
        return None if language is None else manifest.stream(language)

    def address(self, relayed: Rendition) -> str | None:
        """The first address of a list that is here; None when it is no such list."""
        if relayed.sha256 not in self._addresses:
            data = self._verified(relayed.sha256)
            if data is None:
                return None
            if len(self._addresses) >= MANIFESTS_CACHED_MAX:
                self._addresses.clear()
            self._addresses[relayed.sha256] = _first_address(data)
        return self._addresses[relayed.sha256]

    def sounding(self, manifest: Manifest) -> tuple[Rendition, ...]:
        """What must be here before it can be heard, in the order of fetching; empty when nothing can."""
        relayed, heard = self.relayed(manifest), self.heard(manifest)
        found = [one for one in (relayed, heard) if one is not None]
        if not found:
            words = self.read_out(manifest)
            return () if words is None else (words,)
        return tuple(found)

    def has(self, name: bytes) -> bool:
        if name not in self._have and self._blobs.has(name):
            self._have.add(name)
        return name in self._have

    def is_ready(self, name: bytes) -> bool:
        """True when everything that can be heard of this manifest is here."""
        if name not in self._ready:
            manifest = self.manifest(name)
            sound = () if manifest is None else self.sounding(manifest)
            if not sound or not all(self.has(one.sha256) for one in sound) or self.is_broken(name):
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
        self._addresses.pop(name, None)

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


def _first_address(data: bytes) -> str | None:
    try:
        return stream_addresses(data)[0]
    except CodecError:
        return None
