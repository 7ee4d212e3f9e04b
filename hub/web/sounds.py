"""A recording on its way in from a form: made as loud as all others before anybody hears and approves it.

It happens before the act begins, because it takes seconds and whoever signs something else meanwhile must not
wait. Where the machine has no ffmpeg the recording stays as it was handed in, and the editor is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from flask import current_app, flash, request

from hub.media import Upload
from hub.web import auth
from hub.web.tongue import gettext
from hub.web.words import nfc
from ledger.content import Levelled

LEVEL: Final = "loa_level"
AS_IT_WAS_DB: Final = 1.0  # a smaller change is not worth a word

Level = Callable[[bytes], Levelled]


@dataclass(frozen=True)
class Sound:
    """What a form brought: the recording as it will be stored, and what happened to it."""

    upload: Upload | None
    levelled: Levelled | None = None

    def tell(self) -> None:
        """Says on the next page what became of the recording; call it when it was taken."""
        if self.upload is None:
            return
        if self.levelled is None:
            flash(
                gettext(
                    "Âm lượng giữ nguyên như tệp đã gửi: máy chủ chưa cài ffmpeg nên chưa chuẩn hóa được. "
                    "Hãy nghe kỹ trước khi duyệt."
                ),
                "warn",
            )
        elif abs(self.levelled.gain_db) >= AS_IT_WAS_DB:
            flash(
                gettext(
                    "Âm lượng đã chuẩn hóa (%(gain)s dB). Hãy nghe lại: loa sẽ phát đúng tệp này.",
                    gain=f"{self.levelled.gain_db:+.0f}".replace("-", "−"),
                ),
                "ok",
            )
        else:
            flash(gettext("Âm lượng đã đạt chuẩn. Hãy nghe lại: loa sẽ phát đúng tệp này."), "ok")


def taken() -> Sound:
    """The recording of the form, if one was chosen. Its name is never trusted and never used as a path.

    NotAllowed: as `ledger.content.Leveller`; an empty or too large one is refused where it is stored.
    """
    given = request.files.get("audio")
    if given is None or not given.filename:
        return Sound(None)
    upload = Upload(given.read(), nfc(given.filename))
    level = cast("Level | None", current_app.extensions.get(LEVEL))
    if level is None or not 0 < len(upload.data) <= auth.the_hub().config.audio_bytes_max:
        return Sound(upload)
    levelled = level(upload.data)
    return Sound(Upload(levelled.data, upload.name), levelled)
