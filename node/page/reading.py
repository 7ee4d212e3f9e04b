"""Reads the words inside the station's documents, for searching: in a thread of its own, one file at a time.

A PDF takes seconds and a full-text index a slow disk's time, so neither happens on the loop: files are asked
for in pieces through the hatch, like a page does, and what was read goes into an index that no loop waits
for. Nobody is in a hurry here: a document that came a minute ago is found by its title.

Bound: one turn after another. Who runs the thread, and on which store, is the shell.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ledger.content import PDF, PdfReader, TextIndex, document_text
from ledger.log import LoaError
from node.page.hatch import Ask
from node.page.library import File, Library
from node.page.office import Office
from node.room import RESERVE_BYTES

logger = logging.getLogger("loa.node")

BYTES_MAX: Final = 16 << 20  # of one file
PIECE_BYTES: Final = 1 << 16
LOOK_EVERY_S: Final = 60.0
BREATH_S: Final = 2.0  # between two files: a box has one core for this and for everything else


class Reading:
    """ask: the hatch. read_pdf: None without pdftotext; then PDFs wait until there is one."""

    def __init__(self, ask: Ask, index: TextIndex, read_pdf: PdfReader | None) -> None:
        self._ask = ask
        self._index = index
        self._read_pdf = read_pdf

    def run(self, pause: Callable[[float], bool]) -> None:
        """Until `pause`, which waits so many seconds, gives True, or the index is off."""
        wait_s = BREATH_S
        while not pause(wait_s) and self._index.is_on:
            try:
                wait_s = BREATH_S if self.turn() else LOOK_EVERY_S
            except LoaError as error:
                logger.info("documents are read later: %s", error)
                wait_s = LOOK_EVERY_S

    def turn(self) -> bool:
        """Reads one file; False when none waits. Raises what the hatch raises."""
        files, has_room = self._ask(_files)
        self._index.keep_only(bytes.fromhex(one.sha256) for one in files)
        known = self._index.known()
        waiting = [one for one in files if bytes.fromhex(one.sha256) not in known and self._can(one)]
        if not waiting or not has_room:
            return False
        file = waiting[0]
        text = document_text(self._bytes(file), file.media_type, self._read_pdf)
        self._index.put(bytes.fromhex(file.sha256), text or "")
        return self._index.is_on

    def _can(self, file: File) -> bool:
        return file.media_type != PDF or self._read_pdf is not None

    def _bytes(self, file: File) -> bytes:
        data = bytearray()
        while len(data) < min(file.size, BYTES_MAX):
            piece = self._ask(_piece(file.sha256, len(data)))
            if not piece:
                break
            data += piece
        return bytes(data)


def _piece(sha256: str, offset: int) -> Callable[[Office], bytes]:
    return lambda office: Library(office).piece(sha256, offset, PIECE_BYTES)


def _files(office: Office) -> tuple[list[File], bool]:
    return Library(office).worded(), office.station.store.free_bytes() >= RESERVE_BYTES
