"""Which language of a bulletin a station plays and shows: its own where it is there, else Vietnamese."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import (
    AUDIO,
    BOARD_IMAGE,
    BOARD_TEXT,
    DOCUMENT,
    MAIN,
    STREAM,
    TONGUES,
    Manifest,
    Rendition,
    can_be_read_out,
    faces,
    heard_in,
    voice_of,
)

CODES = [one.code for one in TONGUES]


def manifest(*of: tuple[str, str]) -> Manifest:
    return Manifest(tuple(Rendition.of(kind, MEDIA[kind], b"x", language=language) for kind, language in of))


MEDIA = {
    AUDIO: "audio/ogg", BOARD_TEXT: "text/plain; charset=utf-8", BOARD_IMAGE: "image/png",
    DOCUMENT: "application/pdf", STREAM: "text/uri-list",
}  # fmt: skip


def test_every_language_of_the_list_has_a_code_of_its_own_that_a_manifest_can_hold() -> None:
    assert len(set(CODES)) == len(CODES)
    assert CODES[0] == MAIN
    for one in TONGUES:
        assert re.fullmatch(r"[a-z]{2,3}", one.code)
        assert unicodedata.is_normalized("NFC", one.name)
        assert one.english
        Manifest.decode(manifest((AUDIO, one.code)).encode())


@pytest.mark.parametrize(
    ("there", "station", "heard"),
    [
        ([(AUDIO, "vi"), (AUDIO, "tyz")], "tyz", "tyz"),
        ([(AUDIO, "vi"), (AUDIO, "tyz")], "hmn", "vi"),
        ([(AUDIO, "vi"), (BOARD_TEXT, "tyz")], "tyz", "vi"),  # no voice reads Tày
        ([(BOARD_TEXT, "vi"), (BOARD_TEXT, "tyz")], "tyz", "vi"),
        ([(BOARD_TEXT, "vi"), (AUDIO, "tyz")], "tyz", "tyz"),
        ([(AUDIO, "tyz")], "vi", None),
        ([(BOARD_TEXT, "tyz")], "tyz", None),
        ([(STREAM, "vi"), (AUDIO, "vi")], "ium", "vi"),
        ([(DOCUMENT, "vi")], "vi", None),
        ([(BOARD_TEXT, "en"), (AUDIO, "vi")], "en", "en"),  # not on the list: the voice may know it
    ],
)
def test_a_station_plays_its_own_language_where_it_can_be_heard_and_vietnamese_where_not(
    there: list[tuple[str, str]], station: str, heard: str | None
) -> None:
    assert heard_in(manifest(*there), station) == heard


def test_no_voice_reads_a_language_of_the_list_but_vietnamese() -> None:
    assert [code for code in CODES if can_be_read_out(code)] == [MAIN]
    assert (voice_of("tyz"), voice_of("vi"), voice_of("en")) == (MAIN, MAIN, "en")


def test_a_board_shows_its_own_language_where_it_is_there_and_vietnamese_where_not() -> None:
    whole = manifest((BOARD_TEXT, "vi"), (BOARD_IMAGE, "vi"), (BOARD_TEXT, "hmn"), (AUDIO, "tyz"))
    assert [(one.kind, one.language) for one in faces(whole, "hmn")] == [(BOARD_TEXT, "hmn")]
    assert [one.language for one in faces(whole, "tyz")] == ["vi", "vi"]
    assert faces(manifest((BOARD_TEXT, "hmn")), "vi") == ()


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(MEDIA)), st.sampled_from(["vi", "tyz", "en"])),
        min_size=1,
        unique=True,
    ),
    st.sampled_from(["vi", "tyz", "en"]),
)
def test_what_can_be_heard_in_vietnamese_is_silent_nowhere(
    there: list[tuple[str, str]], station: str
) -> None:
    whole = manifest(*there)
    if heard_in(whole, MAIN) is not None:
        assert heard_in(whole, station) is not None
