"""Text to sound by espeak-ng, when it is installed: for items that carry no recording.

A robot's voice is better than silence in an emergency and worse than any human recording; a station without
espeak-ng says plainly that it cannot speak. The program runs as a child with the text on its input and writes
its WAV into a file in memory. Vietnamese is put into a speaker's words first (`ledger.spoken`): espeak-ng
alone mangles "UBND", "17h30" and "12/8". It needs about 0.1 s for a paragraph and is asked without blocking.
"""

from __future__ import annotations

import struct
import subprocess
import unicodedata
from collections.abc import Mapping
from typing import Final

from ledger.log import PlayerError
from ledger.spoken import read_aloud
from node.sound.mpv_process import MemoryFile

WORDS_A_MINUTE: Final = 140
# An emergency's text has at most 2,000 characters; a bulletin's script somewhat more.
TEXT_CHARS_MAX: Final = 20_000
SPEECH_BYTES_MAX: Final = 128 * 1024 * 1024
SPEECH_TIMEOUT_S: Final = 60.0
_WAV_HEAD: Final = 44


def as_spoken(text: str, language: str, glossary: Mapping[str, str] | None = None) -> str:
    """What is handed to the voice: Vietnamese in the words of a speaker, any other language as it stands.

    glossary: words of the place, as written → as read; they win.
    """
    written = unicodedata.normalize("NFC", text[:TEXT_CHARS_MAX])
    if language.lower() == "vi" or language.lower().startswith("vi-"):
        return read_aloud(written, glossary)
    return written


class Speech:
    """One text being turned into a WAV. Raises PlayerError when espeak-ng cannot be started.

    words: the text in a speaker's words, when they were made before.
    """

    def __init__(
        self, program: str, text: str, language: str, now_mono_s: float, *, words: str | None = None
    ) -> None:
        spoken = as_spoken(text, language) if words is None else words
        self._started_s = now_mono_s
        self._out = MemoryFile()
        text_file = MemoryFile(spoken.encode(errors="replace"))
        try:
            self._child = subprocess.Popen(
                [program, "-v", language, "-s", str(WORDS_A_MINUTE), "-f", text_file.path, "--stdout"],
                stdin=subprocess.DEVNULL,
                stdout=self._out.handle,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            self._out.close()
            text_file.close()
            raise PlayerError("speech-start", f"espeak-ng did not start: {error}") from error
        self._text = text_file

    def result(self, now_mono_s: float) -> bytes | None:
        """The WAV, or None while it is being made. Raises PlayerError when it failed or took too long."""
        status = self._child.poll()
        if status is None:
            if now_mono_s - self._started_s > SPEECH_TIMEOUT_S:
                raise PlayerError("speech-slow", "espeak-ng did not finish")
            return None
        data = self._out.read()
        if status != 0 or len(data) <= _WAV_HEAD or data[:4] != b"RIFF" or len(data) > SPEECH_BYTES_MAX:
            raise PlayerError("speech-failed", f"espeak-ng made no sound (status {status})")
        return _with_sizes(data)

    def close(self) -> None:
        """Ends the child if it still runs, and frees the memory."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._out.close()
        self._text.close()


def wav_duration_s(data: bytes) -> float:
    """Seconds of sound in a WAV with a plain 44-byte head."""
    (bytes_a_second,) = struct.unpack_from("<I", data, 28)
    return (len(data) - _WAV_HEAD) / bytes_a_second if bytes_a_second else 0.0


def _with_sizes(data: bytes) -> bytes:
    """espeak-ng cannot seek on its output and leaves made-up sizes in the head: put the true ones in."""
    riff, body = struct.pack("<I", len(data) - 8), struct.pack("<I", len(data) - _WAV_HEAD)
    return data[:4] + riff + data[8:40] + body + data[_WAV_HEAD:]
