"""A manifest: one hash for everything that will be heard or shown."""

from __future__ import annotations

import dataclasses
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import Manifest, Rendition
from ledger.facts.manifest import AUDIO, BOARD_TEXT, CHUNK_BYTES, DOCUMENT, KINDS
from ledger.log import codec
from ledger.log.errors import CodecError

SPEECH = Rendition.of(AUDIO, "audio/ogg", b"speech" * 30_000, duration_ms=61_000)
LINES = Rendition.of(BOARD_TEXT, "text/plain; charset=utf-8", "Hưởng ứng Ngày Pháp luật".encode())
TAY = Rendition.of(AUDIO, "audio/ogg", b"loi tay", duration_ms=58_000, language="tyz")


def test_a_manifest_names_every_rendition_and_its_chunks() -> None:
    found = Manifest.decode(Manifest((SPEECH, LINES, TAY)).encode())
    assert found.renditions == (SPEECH, LINES, TAY)
    assert found.audio() == SPEECH
    assert found.audio("tyz") == TAY
    assert found.text() == LINES
    assert found.text("tyz") is None
    assert SPEECH.chunk_hashes[1] == sha256((b"speech" * 30_000)[CHUNK_BYTES : 2 * CHUNK_BYTES]).digest()
    assert len(SPEECH.chunk_hashes) == 3


def test_changing_one_rendition_changes_what_must_be_approved() -> None:
    before = Manifest((SPEECH, LINES)).sha256
    louder = dataclasses.replace(SPEECH, duration_ms=61_001)
    assert Manifest((louder, LINES)).sha256 != before
    assert Manifest((SPEECH,)).sha256 != before
    assert Manifest((LINES, SPEECH)).sha256 != before
    assert Manifest((SPEECH, LINES)).sha256 == before


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.builds(
            lambda kind, media, data, ms, language: Rendition.of(
                kind, media, data, duration_ms=ms, language=language
            ),
            st.sampled_from(KINDS),
            st.sampled_from(["audio/ogg", "text/plain", "application/pdf"]),
            st.binary(min_size=1, max_size=300),
            st.integers(0, 14_400_000),
            st.sampled_from(["vi", "tyz", "mww"]),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda r: (r.kind, r.language, r.media_type),
    )
)
def test_a_manifest_comes_back_as_it_was(renditions: list[Rendition]) -> None:
    manifest = Manifest(tuple(renditions))
    assert Manifest.decode(manifest.encode()) == manifest
    assert manifest.sha256 == sha256(manifest.encode()).digest()


def row(rendition: Rendition, **changes: object) -> list[object]:
    fields = {
        "kind": rendition.kind,
        "language": rendition.language,
        "media": rendition.media_type,
        "size": rendition.size,
        "ms": rendition.duration_ms,
        "sha": rendition.sha256,
        "chunks": b"".join(rendition.chunk_hashes),
    }
    return list((fields | changes).values())


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        ([2, [row(LINES)]], "manifest-format"),
        ([True, [row(LINES)]], "manifest-format"),
        ([1], "manifest-format"),
        (1, "manifest-format"),
        ([1, []], "manifest-renditions"),
        ([1, [row(LINES, media=f"text/{n}") for n in range(17)]], "manifest-renditions"),
        ([1, [row(LINES), row(LINES)]], "manifest-duplicate"),
        ([1, [row(LINES)[:-1]]], "manifest-row"),
        ([1, [7]], "manifest-row"),
        ([1, [row(LINES, kind="Video")]], "manifest-kind"),
        ([1, [row(LINES, kind="")]], "manifest-kind"),
        ([1, [row(LINES, language="")]], "manifest-language"),
        ([1, [row(LINES, size=0)]], "manifest-size"),
        ([1, [row(LINES, size=1 << 40)]], "manifest-size"),
        ([1, [row(LINES, ms=-1)]], "manifest-duration"),
        ([1, [row(LINES, sha=bytes(31))]], "manifest-hash"),
        ([1, [row(LINES, chunks=b"")]], "manifest-chunks"),
        ([1, [row(LINES, chunks=bytes(64))]], "manifest-chunks"),
    ],
)
def test_a_manifest_that_lies_about_its_form_is_refused_by_name(tree: codec.Tree, code: str) -> None:
    with pytest.raises(CodecError) as refused:
        Manifest.decode(codec.pack(tree))
    assert refused.value.code == code


@given(st.binary(max_size=300))
def test_bytes_that_are_no_manifest_raise_a_codec_error_and_nothing_else(data: bytes) -> None:
    with pytest.raises(CodecError):
        Manifest.decode(data)


def test_a_manifest_that_would_not_be_read_is_not_written() -> None:
    with pytest.raises(CodecError):
        Manifest(()).encode()
    with pytest.raises(CodecError):
        Manifest((dataclasses.replace(SPEECH, chunk_hashes=()),)).encode()
    swapped = dataclasses.replace(SPEECH, chunk_hashes=(bytes(16), bytes(48), bytes(32)))
    with pytest.raises(CodecError):
        Manifest((swapped,)).encode()
    with pytest.raises(CodecError):
        Manifest((Rendition.of(DOCUMENT, "application/pdf", b""),)).encode()


def test_a_kind_of_a_later_version_neither_hides_the_recording_beside_it_nor_changes_its_hash() -> None:
    later = Rendition.of("hologram-2", "model/x", b"what nobody here can show")
    data = codec.pack([1, [row(SPEECH), row(later)]])
    found = Manifest.decode(data)
    assert found.audio() == SPEECH
    assert found.encode() == data
    assert "hologram-2" not in KINDS
