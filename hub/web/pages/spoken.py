"""What the machine makes of words: "đọc thành: …", and the sound of it, before anybody sends it on.

A bulletin without a recording is read out by the stations. Here its editor hears the same voice say the same
words, and must have fetched that sound before the bulletin can be handed to the approvers. Where this machine
has no voice nobody can, and the pages say so instead. A commune's own words (its glossary) are not known
here: there it may sound otherwise.

Bound: one sound per text; which words are read how is `ledger.spoken`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from flask import Blueprint, Flask, Response, abort, current_app
from flask.typing import ResponseReturnValue

from hub.media import sound_kind
from hub.web import auth
from hub.web.sounds import LEVEL, Level
from hub.web.voices import in_tongue, tongue_name
from ledger.facts import MAIN
from ledger.log import NotAllowed
from ledger.spoken import read_aloud

if TYPE_CHECKING:
    from hub.rows import BulletinPage

reading_out = Blueprint("spoken", __name__)

VOICE: Final = "loa_voice"
SOUNDS_MAX: Final = 8  # a minute is 180 kB when ffmpeg is there, 2.6 MB when not
Say = Callable[[str, str], bytes]


class Sounds:
    """The last few, so that listening twice is not work twice."""

    def __init__(self, say: Say, level: Level | None) -> None:
        self._say: Final = say
        self._level: Final = level
        self._made: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock: Final = threading.Lock()

    def of(self, language: str, text: str) -> bytes:
        """NotAllowed("no-voice")."""
        with self._lock:
            known = self._made.get((language, text))
        if known is not None:
            return known
        made = self._say(read_aloud(text), language)
        if self._level is not None:
            made = self._level(made).data
        with self._lock:
            self._made[language, text] = made
            while len(self._made) > SOUNDS_MAX:
                self._made.popitem(last=False)
        return made


def install(app: Flask, say: Say | None) -> None:
    """say: words and a language to a WAV; None: this machine has no voice."""
    level = cast("Level | None", app.extensions.get(LEVEL))
    app.extensions[VOICE] = None if say is None else Sounds(say, level)


def sounds() -> Sounds | None:
    return cast("Sounds | None", current_app.extensions.get(VOICE))


def can_speak() -> bool:
    """Whether this machine has a voice."""
    return sounds() is not None


def is_read_out(page: BulletinPage) -> bool:
    """Whether stations read this bulletin's words out: it has no recording and no relay."""
    return bool(page.text) and not page.audio_sha256 and page.relay is None


def is_unheard(page: BulletinPage) -> bool:
    """Whether this officer must listen to the machine before sending it on."""
    if not can_speak() or not is_read_out(page):
        return False
    return not auth.the_hub().heard.has(auth.officer().account, MAIN, page.text)


def check_heard(page: BulletinPage) -> None:
    """NotAllowed("not-heard")."""
    if is_unheard(page):
        raise NotAllowed(
            "not-heard", "the machine's reading was not listened to", where="text", hint="listen to it first"
        )


@reading_out.app_context_processor
def speech() -> dict[str, object]:
    return {
        "can_speak": can_speak,
        "is_unheard": is_unheard,
        "tongue_name": tongue_name,
        "in_tongue": in_tongue,
    }


@reading_out.get("/doc-thu/<words>")
def script(words: str) -> ResponseReturnValue:
    """The sound of words that are not saved yet."""
    auth.needs("editor")
    found = auth.the_hub().heard.script(words)
    if found is None:
        abort(404)
    return said(*found)


def said(language: str, text: str) -> Response:
    """The machine's reading; that this officer fetched it is noted."""
    voice = sounds()
    if voice is None:
        abort(404)
    data = voice.of(language, text)
    auth.the_hub().heard.note(auth.officer().account, language, text, now=auth.now())
    return Response(data, mimetype=sound_kind(data)[0])
