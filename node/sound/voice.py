"""The station's own voice, heard before anybody approves: the same words and the same program as on air.

It takes a part of a second for a paragraph and longer for a page, so it is asked beside the station's loop,
one at a time.

Bound: a WAV for the ear of a person. What is broadcast is spoken anew by the player.
"""

from __future__ import annotations

import shutil
from threading import Event, Lock
from typing import Final

from ledger.log import NotAllowed, PlayerError
from node.sound.speech import SPEECH_TIMEOUT_S, Speech

PROGRAM: Final = "espeak-ng"
LOOK_EVERY_S: Final = 0.02

_one_at_a_time = Lock()


def say(words: str, language: str) -> bytes:
    """A WAV of words as a speaker says them. Waits for it. NotAllowed("no-voice") when none can be made."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise _no_voice("espeak-ng is not installed")
    waited_s = 0.0
    with _one_at_a_time:
        try:
            speech = Speech(program, words, language, waited_s, words=words)
        except PlayerError as error:
            raise _no_voice(error.what) from error
        try:
            while (sound := speech.result(waited_s)) is None:
                Event().wait(LOOK_EVERY_S)
                waited_s = min(waited_s + LOOK_EVERY_S, 2 * SPEECH_TIMEOUT_S)
        except PlayerError as error:
            raise _no_voice(error.what) from error
        finally:
            speech.close()
    return sound


def _no_voice(why: str) -> NotAllowed:
    return NotAllowed("no-voice", f"the station cannot speak: {why}", hint="apt-get install espeak-ng")
