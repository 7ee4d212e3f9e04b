"""The words inside a PDF, for searching: read by `pdftotext`, a program of its own, where it is installed.

Its input was written by strangers and its code is large, so it runs as a child that may do little: one
anonymous file to read, one to write, bounded memory, processor time, waiting and output, the lowest priority
(a loudspeaker may be playing beside it). What it says is untrusted text: it is cleaned, kept for searching
and shown escaped, never signed and never obeyed. A page that was scanned has no words in it.

Bound: bytes in, text out. Without the program there is no reader, and the page says so.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import threading
import unicodedata
from contextlib import suppress
from typing import Final

from ledger.log import NotAllowed

PDF: Final = "application/pdf"
PLAIN: Final = "text/plain"
PDF_BYTES_MAX: Final = 16 << 20  # twice what a hub takes in
PAGES_MAX: Final = 1_000
TEXT_CHARS_MAX: Final = 1_000_000  # the Civil Code has about 400,000
OUTPUT_BYTES_MAX: Final = 8 << 20
MEMORY_BYTES: Final = 256 << 20  # of address space; a dispatch needs 40 MB
CPU_S: Final = 20
WAIT_S: Final = 60.0
NICE: Final = 15


class PdfReader:
    """program: the path of pdftotext. One file at a time, whoever asks."""

    def __init__(self, program: str) -> None:
        self._program: Final = program
        self._turn: Final = threading.Lock()

    def __call__(self, data: bytes) -> str:
        """The words of a PDF, cleaned; "" when it has none. Takes up to a minute.

        NotAllowed("document-unreadable"): damaged, locked with a password, too large, or it asked too much.
        """
        if len(data) > PDF_BYTES_MAX:
            raise _unreadable(f"the file has {len(data)} bytes")
        with self._turn:
            return cleaned(self._run(data).decode("utf-8", "replace"))

    def _run(self, data: bytes) -> bytes:
        handles = [os.memfd_create(name) for name in ("document", "words")]
        given, made = handles
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(given, view) :]
            child = subprocess.Popen(
                [
                    self._program, "-q", "-enc", "UTF-8", "-eol", "unix", "-nopgbrk", "-l", str(PAGES_MAX),
                    f"/proc/self/fd/{given}", f"/proc/self/fd/{made}",
                ],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(given, made), env={"LC_ALL": "C"}, close_fds=True,
            )  # fmt: skip
            try:
                _bound(child.pid)
                status = child.wait(WAIT_S)
            except subprocess.TimeoutExpired as error:
                raise _unreadable("it cannot be read in a reasonable time") from error
            finally:
                if child.poll() is None:
                    child.kill()
                    child.wait()
            if status != 0:
                raise _unreadable(f"pdftotext ended with {status}")
            return os.pread(made, os.fstat(made).st_size, 0)
        except OSError as error:
            raise _unreadable(f"pdftotext did not start: {error}") from error
        finally:
            for handle in handles:
                os.close(handle)


def pdf_reader() -> PdfReader | None:
    """With this machine's pdftotext; None when it has none."""
    found = shutil.which("pdftotext")
    return None if found is None else PdfReader(found)


def document_text(data: bytes, media_type: str, read_pdf: PdfReader | None) -> str | None:
    """The words of a document; "" when it has none that can be read, None when this machine has no reader."""
    if media_type == PLAIN:
        return cleaned(data[: TEXT_CHARS_MAX * 4].decode("utf-8", "replace"))
    if media_type != PDF:
        return ""
    if read_pdf is None:
        return None
    try:
        return read_pdf(data)
    except NotAllowed:
        return ""


def cleaned(text: str) -> str:
    """NFC words with single spaces; no control, no bidirectional and no private characters; bounded."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[: TEXT_CHARS_MAX * 2])
    return " ".join(unicodedata.normalize("NFC", kept).split())[:TEXT_CHARS_MAX]


def _bound(pid: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.prlimit(pid, what, (most, most))
        except ProcessLookupError:
            return  # it has ended already
    with suppress(OSError):  # ended meanwhile, or a service manager that allows no priorities
        os.setpriority(os.PRIO_PROCESS, pid, NICE)


def _unreadable(why: str) -> NotAllowed:
    return NotAllowed(
        "document-unreadable", f"no words can be read from the document: {why}", where="file",
        hint="it is found by its number, title and summary all the same",
    )  # fmt: skip
