"""The words inside documents: read from real PDFs by a bounded child, indexed, found without diacritics."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paper_pdf import pdf_of

from ledger.content import TEXTS_DB, PdfReader, TextIndex, document_text, folded, pdf_reader
from ledger.content import pdf_text as module
from ledger.content.pdf_text import cleaned
from ledger.content.text_index import snippet_of
from ledger.log import DiskStore, MemoryStore, NotAllowed

needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
FIRE = "Điều 12. Trách nhiệm phòng cháy, chữa cháy của Ủy ban nhân dân xã Tú Lệ"
WATER = "Phòng, chống đuối nước cho trẻ em trong dịp hè"
A, B, C = b"a" * 32, b"b" * 32, b"c" * 32


@pytest.fixture
def index() -> TextIndex:
    made = TextIndex(MemoryStore())
    made.put(A, FIRE)
    made.put(B, WATER)
    return made


def program(folder: Path, script: str) -> PdfReader:
    """A program that stands where pdftotext would."""
    path = folder / "pdftotext"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return PdfReader(str(path))


# -- reading -------------------------------------------------------------------------------------------------


@needs_poppler
def test_the_words_of_a_pdf_are_read_from_all_its_pages() -> None:
    read = pdf_reader()
    assert read is not None
    assert read(pdf_of(FIRE, WATER)) == f"{FIRE} {WATER}"


@needs_poppler
@pytest.mark.parametrize("data", [b"%PDF-1.4\n" + bytes(5_000), b"%PDF-", b"", b"GIF89a", pdf_of(FIRE)[:700]])
def test_a_damaged_pdf_has_no_words_and_does_no_harm(data: bytes) -> None:
    assert document_text(data, "application/pdf", pdf_reader()) == ""


@needs_poppler
def test_the_same_file_may_be_read_at_once_by_many_and_leaves_no_file_open() -> None:
    from concurrent.futures import ThreadPoolExecutor

    read = pdf_reader()
    assert read is not None
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(read, [pdf_of(WATER)] * 8)) == {WATER}
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.2)
    with pytest.raises(NotAllowed, match="reasonable time"):
        program(tmp_path, "exec sleep 60")(b"%PDF-")


def test_a_program_that_never_stops_writing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OUTPUT_BYTES_MAX", 100_000)
    with pytest.raises(NotAllowed, match="ended with"):
        program(tmp_path, 'exec yes "xin chào" > "${10}"')(b"%PDF-")


def test_a_program_that_wants_too_much_memory_is_refused_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MEMORY_BYTES", 64 << 20)
    with pytest.raises(NotAllowed, match="ended with"):
        program(tmp_path, "exec tail /dev/zero")(b"%PDF-")


def test_a_file_larger_than_any_document_is_not_even_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PDF_BYTES_MAX", 10)
    with pytest.raises(NotAllowed, match="11 bytes"):
        program(tmp_path, f"touch {tmp_path}/begun")(b"%PDF-" + b"x" * 6)
    assert not (tmp_path / "begun").exists()


def test_without_the_program_a_pdf_waits_and_a_plain_text_does_not() -> None:
    assert document_text(b"%PDF-", "application/pdf", None) is None
    assert document_text("Điều 1".encode(), "text/plain", None) == "Điều 1"
    assert document_text(b"\x89PNG", "image/png", None) == ""


def test_what_a_document_says_is_cleaned_of_all_that_is_no_letter_or_sign() -> None:
    assert cleaned("a\x00b\u202ec\ud800\ufeff  d\r\n\te") == "a b c d e"
    assert cleaned("Tie\u0302\u0301ng") == "Tiếng"


# -- finding -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("phong", {A, B}), ("phòng cháy", {A}), ("PHONG DUOI", {B}), ("đuối", {B}), ("duoi", {B}),
        ("tu le", {A}), ("ủy ban", {A}), ("uy ba", {A}), ("giao thông", set()), ("dieu 12", {A}),
        ("-", set()), ('"', set()), ("chay OR", set()), ("phong*", {A, B}), ("NEAR(", set()),
    ],
)  # fmt: skip
def test_words_are_found_with_and_without_diacritics(index: TextIndex, words: str, found: set[bytes]) -> None:
    assert set.intersection(*index.find(words).values()) == found
    assert index.is_on, "no question breaks the index"


@given(st.text(max_size=40))
@example("a\0b")
def test_no_question_breaks_the_index(words: str) -> None:
    index = TextIndex(MemoryStore())
    index.put(A, FIRE)
    index.find(words)
    index.snippet(A, words)
    assert index.is_on


def test_a_hit_shows_the_place_with_its_diacritics(index: TextIndex) -> None:
    assert index.snippet(A, "phong chay") == (
        "Điều 12. Trách nhiệm ", "phòng cháy", ", chữa cháy của Ủy ban nhân dân xã Tú Lệ",
    )  # fmt: skip
    assert index.snippet(A, "xa phong") == (
        "Điều 12. Trách nhiệm ", "phòng", " cháy, chữa cháy của Ủy ban nhân dân xã Tú Lệ",
    )  # fmt: skip
    assert index.snippet(A, "giao thong") is None
    assert index.snippet(C, "phong") is None


def test_of_a_long_text_only_the_place_is_shown() -> None:
    text = "một hai ba " * 50 + FIRE + " bốn năm" * 50
    before, found, after = snippet_of(text, folded(text), "uy ban") or ("", "", "")
    assert found == "Ủy ban"
    assert (before[0], after[-1]) == ("…", "…")
    assert max(len(before), len(after)) <= 72


@given(st.text(min_size=1, max_size=60), st.data())
def test_what_is_found_is_a_piece_of_the_text_that_folds_to_what_was_asked(
    text: str, data: st.DataObject
) -> None:
    kept = cleaned(text)
    if not kept:
        return
    words = folded(data.draw(st.sampled_from(kept.split(" "))))
    place = snippet_of(kept, folded(kept), words) if words else None
    if place is not None:
        assert folded(place[1]).startswith(words)
        assert place[1] in kept


def test_what_is_no_longer_wanted_is_found_no_more(index: TextIndex) -> None:
    index.keep_only([B])
    assert index.known() == {B}
    assert index.find("phong") == {"phong": {B}}
    index.put(A, FIRE)
    assert index.find("phong") == {"phong": {A, B}}


def test_the_index_outlives_its_process_and_a_damaged_one_is_made_again(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    TextIndex(store).put(A, FIRE)
    store.close()
    store = DiskStore(tmp_path)
    assert TextIndex(store).find("chay") == {"chay": {A}}
    store.close()
    (tmp_path / TEXTS_DB).write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 64)
    for end in ("-wal", "-shm"):
        (tmp_path / (TEXTS_DB + end)).unlink(missing_ok=True)
    store = DiskStore(tmp_path)
    index = TextIndex(store)
    assert (index.is_on, index.known()) == (True, set())
    index.put(A, FIRE)
    assert index.find("chay") == {"chay": {A}}
    store.close()


def test_an_index_whose_store_was_closed_finds_nothing_and_leaves_its_file(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    index = TextIndex(store)
    index.put(A, FIRE)
    store.close()
    index.put(B, WATER)
    assert (index.known(), index.is_on) == (set(), False)
    assert (tmp_path / TEXTS_DB).exists()


def test_a_disk_that_refuses_switches_the_index_off_and_nothing_else(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    index = TextIndex(store)
    pages = store.open_db(TEXTS_DB).execute("PRAGMA page_count").fetchone()[0]
    store.open_db(TEXTS_DB).execute(f"PRAGMA max_page_count = {pages}")  # what a full disk is to SQLite
    index.put(A, " ".join(f"chữ{number}" for number in range(50_000)))
    assert not index.is_on
    assert index.find("chu1") == {"chu1": set()}
    assert not (tmp_path / TEXTS_DB).exists(), "what can be made again gives its room back"
    store.close()
