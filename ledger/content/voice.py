"""The machine's voice, heard before anybody approves: the words, the program and the pace of the stations.

espeak-ng is a program of its own, never a library, and may be missing; then nobody can listen here, and who
asks is told so. It gets the words on its input and writes a WAV into memory, within a bounded time.

Bound: words in, a WAV out. The words are made by `ledger.spoken`; what a station does on air is its own.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import threading
from typing import Final

from ledger.log import NotAllowed

PROGRAM: Final = "espeak-ng"
WORDS_A_MINUTE: Final = 140  # as stations speak
WAV_BYTES_MAX: Final = 128 << 20
LIMIT_S: Final = 60.0
AT_ONCE: Final = 2
_HEAD: Final = 44


class Voice:
    """program: the path of espeak-ng. May be called from several threads."""

    def __init__(self, program: str) -> None:
        self._program: Final = program
        self._turns: Final = threading.BoundedSemaphore(AT_ONCE)

    def __call__(self, words: str, language: str) -> bytes:
        """A WAV of words as a speaker says them. NotAllowed: no-voice."""
        if not self._turns.acquire(timeout=LIMIT_S):
            raise _silent("others are being read to")
        handles = [os.memfd_create(name) for name in ("words", "said")]
        try:
            given, said = handles
            view = memoryview(words.encode(errors="replace"))
            while view:
                view = view[os.write(given, view) :]
            subprocess.run(
                [
                    self._program, "-v", language, "-s", str(WORDS_A_MINUTE), "-f", f"/proc/self/fd/{given}",
                    "--stdout",
                ],
                stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.DEVNULL, pass_fds=(given,),
                timeout=LIMIT_S, check=True, env={"LC_ALL": "C.UTF-8"},
            )  # fmt: skip
            data = os.pread(said, min(os.fstat(said).st_size, WAV_BYTES_MAX + 1), 0)
        except subprocess.TimeoutExpired as error:
            raise _silent("it takes too long") from error
        except (OSError, subprocess.CalledProcessError) as error:
            raise _silent(str(error)) from error
        finally:
            for handle in handles:
                os.close(handle)
            self._turns.release()
        if len(data) <= _HEAD or data[:4] != b"RIFF" or len(data) > WAV_BYTES_MAX:
            raise _silent("it made no sound")
        # espeak-ng cannot seek on its output and leaves made-up sizes in the head: put the true ones in.
        riff, body = struct.pack("<I", len(data) - 8), struct.pack("<I", len(data) - _HEAD)
        return data[:4] + riff + data[8:40] + body + data[_HEAD:]


def voice() -> Voice | None:
    """With this machine's espeak-ng; None when it has none."""
    found = shutil.which(PROGRAM)
    return None if found is None else Voice(found)


def _silent(why: str) -> NotAllowed:
    return NotAllowed("no-voice", f"nothing can be read out: {why}", hint="apt-get install espeak-ng")
