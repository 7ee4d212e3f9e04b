"""A bulletin's form language by language: what was typed and handed in, and the parts that become of it.

Vietnamese is always there and its words are required; every other language may have words, a recording, a
picture and a document of its own, or any of them. A language in which nothing stands is left out.

Bound: the fields of the form. What a part must be is `ledger.content`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flask import request

from hub.intake import Parcel
from hub.media import Part, Upload, accept_text
from hub.voices import File, Voice
from hub.web import auth, forms, handing
from hub.web.refusals import say
from hub.web.words import lang
from ledger.facts import AUDIO, BOARD_IMAGE, BOARD_TEXT, DOCUMENT, MAIN, TONGUES
from ledger.log import NotAllowed

KINDS: Final = (AUDIO, BOARD_IMAGE, DOCUMENT)
CODES: Final = tuple(one.code for one in TONGUES)
_SLOTS: Final = tuple(handing.field_of(kind, code) for code in CODES for kind in KINDS)
KNOWN: Final = (
    *(f"up_{slot}" for slot in _SLOTS),
    *(f"keep_{slot}" for slot in _SLOTS),
    *(f"text_{code}" for code in CODES),
    "tongue",
    "add",
)
"""Fields of the form beside those of `forms.BULLETIN_FIELDS`."""


@dataclass(frozen=True)
class Slot:
    """Where one file goes. parcel: handed in for this version. kept: of the version before; keep: stays."""

    kind: str
    field: str
    language: str
    parcel: Parcel | None
    kept: File | None
    keep: bool

    @property
    def accept(self) -> str:
        return handing.ACCEPTS[self.kind]

    @property
    def is_filled(self) -> bool:
        return self.parcel is not None or (self.kept is not None and self.keep)


@dataclass(frozen=True)
class VoiceIn:
    """One language of the form. field: of its words."""

    language: str
    field: str
    text: str
    slots: tuple[Slot, ...]

    @property
    def is_empty(self) -> bool:
        return not self.text and not any(slot.is_filled for slot in self.slots)


Kept = Mapping[str, Voice]  # language → what the version before has in it


def of_page(voices: Iterable[Voice], *, keep: bool = True) -> list[VoiceIn]:
    """The form as it opens, over what a bulletin has."""
    found = {one.language: one for one in voices}
    return [
        VoiceIn(code, _text_field(code), "" if one is None else one.text, _slots(code, one, keep))
        for code in ordered([MAIN, *found])
        for one in (found.get(code),)
    ]


def of_form(reader: forms.Reader, kept: Kept, *, chars_max: int) -> list[VoiceIn]:
    """What was typed and handed in; files that cannot be used are errors of their fields."""
    codes = [code for code in request.form.getlist("tongue") if code in CODES]
    added = request.form.get("add", "")
    if request.form.get("do") == "more" and added in CODES:
        codes.append(added)
    found = []
    for code in ordered([MAIN, *codes]):
        field = _text_field(code)
        text = reader.text(field, chars_max=chars_max, required=code == MAIN)
        slots = tuple(_handed(reader, kind, code, kept.get(code)) for kind in KINDS)
        found.append(VoiceIn(code, field, text, slots))
    return found


def tongue_name(code: str) -> str:
    """What a language is called on the page; one that is not on the list keeps its code."""
    found = next((one for one in TONGUES if one.code == code), None)
    if found is None:
        return code
    return found.english if lang() == "en" else found.name


def in_tongue(code: str) -> str:
    """The same inside a sentence: "tiếng Tày"."""
    name = tongue_name(code)
    return name if lang() == "en" else name[:1].lower() + name[1:]


def ordered(codes: Iterable[str]) -> list[str]:
    """Each once, Vietnamese first, then as the list of languages has them."""
    return sorted(set(codes), key=lambda code: (CODES.index(code) if code in CODES else len(CODES), code))


@dataclass(frozen=True)
class Handed:
    """What a command takes. used: ids of the files that are in it."""

    audio: Upload | None
    keep_audio: bool
    more: tuple[Part, ...]
    used: tuple[Parcel, ...]


def handed(voices: Iterable[VoiceIn], basis: tuple[Part, ...] = ()) -> Handed:
    """The form's languages as parts, and what else is approved with them.

    NotAllowed: upload-unknown, upload-short, and as `accept_text`.
    """
    account, intake = auth.officer().account, auth.the_hub().intake
    audio, keep_audio = None, False
    more: list[Part] = []
    used: list[Parcel] = []
    for voice in voices:
        for slot in voice.slots:
            data = None
            if slot.parcel is not None:
                used.append(slot.parcel)
                data = intake.read(account, slot.parcel.id)[1]
            if slot.kind == AUDIO and voice.language == MAIN:
                audio = None if slot.parcel is None or data is None else Upload(data, slot.parcel.name)
                keep_audio = slot.kept is not None and slot.keep
            elif slot.is_filled:
                more.append(Part(slot.kind, voice.language, data))
            if slot.kind == AUDIO and voice.language != MAIN and voice.text:
                said = accept_text(voice.text, what=voice.field, chars_max=len(voice.text))
                more.append(Part(BOARD_TEXT, voice.language, said.encode()))
    return Handed(audio, keep_audio, (*more, *basis), tuple(used))


def _text_field(language: str) -> str:
    return "text" if language == MAIN else f"text_{language}"


def _slots(language: str, had: Voice | None, keep: bool) -> tuple[Slot, ...]:
    return tuple(
        Slot(
            kind,
            handing.field_of(kind, language),
            language,
            None,
            _still(had, kind),
            keep,
        )
        for kind in KINDS
    )


def _handed(reader: forms.Reader, kind: str, language: str, had: Voice | None) -> Slot:
    field = handing.field_of(kind, language)
    given, parcel = request.files.get(field), None
    try:
        if given is not None and given.filename:
            parcel = handing.taken_whole(kind, given)
        elif name := request.form.get(f"up_{field}", ""):
            parcel = auth.the_hub().intake.read(auth.officer().account, name)[0]
            if parcel.kind != kind:
                raise NotAllowed("upload-unknown", "a file of another kind", hint="choose the file again")
    except NotAllowed as refusal:
        reader.errors[field] = say(refusal)
        parcel = None
    keep = request.form.get(f"keep_{field}", "") == "1"
    return Slot(kind, field, language, parcel, _still(had, kind), keep)


def _still(had: Voice | None, kind: str) -> File | None:
    """The file of the version before, as far as it can be kept: old recordings are thrown away."""
    found = None if had is None else had.file(kind)
    return found if found is not None and found.here else None
