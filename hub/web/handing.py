"""Files that officers hand in with a bulletin: looked at when they arrive, kept until the form is saved.

A recording is made as loud as all others and refused when it is silent, broken or too long; a picture and a
document are checked by their bytes. That happens once, when the file has arrived, whether it came piece by
piece (`pages.handing`) or whole with its form: a form that is refused for another reason keeps its files.

Bound: what a file must be. Where it lies meanwhile is `hub.intake`.
"""

from __future__ import annotations

from typing import Final, cast

from flask import current_app
from werkzeug.datastructures import FileStorage

from hub.intake import Parcel
from hub.media import sound_kind
from hub.web import auth
from hub.web.sounds import AS_IT_WAS_DB, LEVEL, Level
from hub.web.tongue import gettext
from hub.web.words import nfc
from ledger.content import PAPER_BYTES_MAX, PICTURE_BYTES_MAX, paper_type, picture_type
from ledger.facts import AUDIO, BOARD_IMAGE, DOCUMENT, MAIN
from ledger.log import NotAllowed

FIELDS: Final = {AUDIO: "audio", BOARD_IMAGE: "picture", DOCUMENT: "paper"}
"""Kind of rendition → what its field is called in the form."""
ACCEPTS: Final = {
    AUDIO: "audio/*",
    BOARD_IMAGE: "image/png,image/jpeg,image/webp",
    DOCUMENT: "application/pdf,image/png,image/jpeg",
}


def field_of(kind: str, language: str) -> str:
    """The name of a file's field: "audio" of Vietnamese, "audio_tyz" of Tày."""
    return FIELDS[kind] if language == MAIN else f"{FIELDS[kind]}_{language}"


def bytes_max(kind: str) -> int:
    """The largest file of this kind, as it is sent."""
    sizes = {BOARD_IMAGE: PICTURE_BYTES_MAX, DOCUMENT: PAPER_BYTES_MAX}
    return sizes.get(kind, auth.the_hub().config.audio_bytes_max)


def check_size(kind: str, size: int) -> None:
    """NotAllowed, in the words of its kind, before a byte of it is taken."""
    what = FIELDS[kind]
    if size <= 0:
        raise NotAllowed(f"{what}-empty", "the file is empty", where=what, hint="choose another")
    if size > bytes_max(kind):
        code = "audio-too-large" if kind == AUDIO else f"{what}-large"
        raise NotAllowed(
            code, f"the file has {size} bytes", where=what, hint=f"at most {bytes_max(kind)} bytes"
        )


def taken_whole(kind: str, given: FileStorage) -> Parcel:
    """A file that came with its form. NotAllowed as `looked_at`, and upload-room, upload-many."""
    data = given.read()
    check_size(kind, len(data))
    intake, account = auth.the_hub().intake, auth.officer().account
    made = intake.begin(
        account, kind, nfc(given.filename or ""), len(data), "", bytes_max=bytes_max(kind), now=auth.now()
    )
    return looked_at(made, data)


def looked_at(parcel: Parcel, data: bytes) -> Parcel:
    """The file as it will be stored, ready to be taken; thrown away when it cannot be used.

    NotAllowed: as `ledger.content.Leveller`, `picture_type`, `paper_type`.
    """
    intake, account = auth.the_hub().intake, auth.officer().account
    duration_ms, gain_db = 0, None
    try:
        if parcel.kind == AUDIO:
            level = cast("Level | None", current_app.extensions.get(LEVEL))
            if level is None:
                media_type, duration_ms = sound_kind(data)
            else:
                levelled = level(data)
                data, gain_db = levelled.data, levelled.gain_db
                media_type, duration_ms = sound_kind(data)
        else:
            media_type = picture_type(data) if parcel.kind == BOARD_IMAGE else paper_type(data)
    except NotAllowed:
        intake.drop(account, parcel.id)
        raise
    return intake.settle(
        account, parcel.id, data, media_type, duration_ms=duration_ms, gain_db=gain_db, now=auth.now()
    )


def told(parcel: Parcel) -> tuple[str, str]:
    """(category of a note, sentence): what became of a recording; ("", "") of anything else."""
    if parcel.kind != AUDIO:
        return "", ""
    if parcel.gain_db is None:
        return "warn", gettext(
            "Âm lượng giữ nguyên như tệp đã gửi: máy chủ chưa cài ffmpeg nên chưa chuẩn hóa được. "
            "Hãy nghe kỹ trước khi duyệt."
        )
    if abs(parcel.gain_db) >= AS_IT_WAS_DB:
        return "ok", gettext(
            "Âm lượng đã chuẩn hóa (%(gain)s dB). Hãy nghe lại: loa sẽ phát đúng tệp này.",
            gain=f"{parcel.gain_db:+.0f}".replace("-", "−"),
        )
    return "ok", gettext("Âm lượng đã đạt chuẩn. Hãy nghe lại: loa sẽ phát đúng tệp này.")
