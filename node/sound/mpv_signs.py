"""What is heard around an item: the chime before it, and of a drill the words before and after.

Pieces are handed to mpv one behind the other, so that nothing waits: the chime sounds at once, while the
voice makes the words and the content is read. A voice that fails costs its words and nothing else; the
chimes of drills differ too.

Bound: pieces and their order. Nothing here is counted as sound of the item.
"""

from __future__ import annotations

from typing import Final

from ledger.log import PlayerError
from node.sound.chime import Chime, drill_words, wav
from node.sound.mpv_process import MemoryFile
from node.sound.speech import Speech, wav_duration_s

# The words before a drill take a tenth of this to make; the chime has two seconds for it.
WORDS_WAIT_S: Final = 4.0
# What was said after a drill is over by then, whatever mpv says.
DRAIN_S: Final = 4.0


class Signs:
    """Of one item. speaker: path of espeak-ng, or None."""

    def __init__(self, chime: Chime, language: str, speaker: str | None, now_mono_s: float) -> None:
        self._chime = chime
        self._files: list[MemoryFile] = []
        self._started_s = now_mono_s
        self._before = self._after = None
        self.length_s = 0.0  # of what was handed over
        if chime is Chime.DRILL and speaker is not None:
            before, after = drill_words(language)
            self._before = _speech(speaker, before, language, now_mono_s)
            self._after = _speech(speaker, after, language, now_mono_s)

    @property
    def pieces(self) -> int:
        """How many were handed over."""
        return len(self._files)

    @property
    def begun(self) -> bool:
        """True once something was handed over: what follows comes behind it."""
        return bool(self._files)

    @property
    def waits(self) -> bool:
        """True while a piece has still to come before the item."""
        return self._chime is not Chime.NONE or self._before is not None

    def next(self, now_mono_s: float) -> str | None:
        """The path of the next piece; None when there is none, or none yet."""
        if self._chime is not Chime.NONE:
            sound, self._chime = wav(self._chime), Chime.NONE
            return self._file(sound)
        if self._before is None:
            return None
        try:
            words = self._before.result(now_mono_s)
        except PlayerError:
            words = b""
        if words is None and now_mono_s - self._started_s < WORDS_WAIT_S:
            return None
        self._before.close()
        self._before = None
        return self._file(words) if words else None

    def last(self, now_mono_s: float) -> tuple[str, float] | None:
        """The words after: their path and seconds; None for none. Once."""
        speech, self._after = self._after, None
        if speech is None:
            return None
        try:
            words = speech.result(now_mono_s)
        except PlayerError:
            words = None
        speech.close()
        return None if words is None else (self._file(words), wav_duration_s(words))

    def skip(self) -> None:
        """Nothing more is announced: the item itself comes first now."""
        self._chime = Chime.NONE
        if self._before is not None:
            self._before.close()
            self._before = None
        while self._files:
            self._files.pop().close()

    def close(self) -> None:
        self.skip()
        if self._after is not None:
            self._after.close()
            self._after = None

    def _file(self, sound: bytes) -> str:
        self._files.append(MemoryFile(sound))
        self.length_s += wav_duration_s(sound)
        return self._files[-1].path


def _speech(speaker: str, words: str, language: str, now_mono_s: float) -> Speech | None:
    try:
        return Speech(speaker, words, language, now_mono_s)
    except PlayerError:
        return None
