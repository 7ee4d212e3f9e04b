"""Reads the words inside the hub's documents, for searching: in a thread of its own, one file at a time.

The same index and the same reader as at a station (`ledger.content`); what a station finds, the hub finds. A
file is taken from the ledger's content under the hub's lock and read outside of it.

Bound: one turn after another. The thread is `serving`'s, what a page shows is `papers`'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.hub import Hub
from hub.media import read_manifest
from ledger.content import PDF, PLAIN, PdfReader, TextIndex, document_text
from ledger.facts import library_manifests
from ledger.log import BlobError, CodecError

WORDED: Final = (PLAIN, PDF)
LOOK_EVERY_S: Final = 20.0  # until what was just handed in is found by its words
BREATH_S: Final = 0.2


class Reading:
    """read_pdf: None without pdftotext; then PDFs wait until there is one."""

    def __init__(self, hub: Hub, index: TextIndex, read_pdf: PdfReader | None) -> None:
        self._hub = hub
        self._index = index
        self._read_pdf = read_pdf

    def run(self, pause: Callable[[float], bool]) -> None:
        """Until `pause`, which waits so many seconds, gives True, or the index is off."""
        wait_s = BREATH_S
        while not pause(wait_s) and self._index.is_on:
            wait_s = BREATH_S if self.turn() else LOOK_EVERY_S

    def turn(self) -> bool:
        """Reads one file; False when none waits."""
        files = self._files()
        self._index.keep_only(files)
        known = self._index.known()
        for sha256, media_type in files.items():
            if sha256 in known or (media_type == PDF and self._read_pdf is None):
                continue
            try:
                with self._hub.lock:
                    data = self._hub.blobs.read(sha256)
            except BlobError:
                data = b""  # damaged on the disk: the ledger's own check says so
            self._index.put(sha256, document_text(data, media_type, self._read_pdf) or "")
            return self._index.is_on
        return False

    def _files(self) -> dict[bytes, str]:
        """The files of all standing words about documents that may have words in them, with their types."""
        hub, found = self._hub, dict[bytes, str]()
        with hub.lock:
            for name in library_manifests(hub.facts):
                try:
                    renditions = read_manifest(hub.blobs, name).renditions
                except (BlobError, CodecError):
                    continue  # of a level above, and not here
                for one in renditions:
                    if one.media_type in WORDED and hub.blobs.has(one.sha256):
                        found[one.sha256] = one.media_type
        return found
