"""Documents of the hub, found by the words inside their files, with and without diacritics."""

from __future__ import annotations

import io

import pytest
from paper_pdf import pdf_of
from test_web_house import House, build, document

from hub.reading import Reading
from ledger.content import TEXTS_DB, TextIndex, pdf_reader

FIRE = "Điều 12. Trách nhiệm phòng cháy, chữa cháy của Ủy ban nhân dân xã"


@pytest.fixture
def house() -> House:
    return reads(build("search"))


def reads(house: House) -> House:
    """As `serving` sets it up, without the thread."""
    house.hub.texts = TextIndex(house.store)
    house.shelf["reading"] = Reading(house.hub, house.hub.texts, pdf_reader())
    return house


def read_all(house: House) -> int:
    return sum(1 for _ in iter(house.shelf["reading"].turn, False))


@pytest.mark.skipif(pdf_reader() is None, reason="pdftotext is not installed")
def test_a_document_is_found_by_the_words_inside_its_pdf_and_shows_where_they_stand(house: House) -> None:
    document(house, title="Gửi các xã", file=(io.BytesIO(pdf_of(FIRE)), "a.pdf"))
    desk = house.browser("bientap")
    assert "Không tìm thấy" in desk.get("/van-ban?tim=trach nhiem").words
    assert read_all(house) == 1
    desk.get("/van-ban?tim=trach nhiem")
    assert "Gửi các xã" in desk.words
    assert "12. <mark>Trách nhiệm</mark> phòng cháy" in desk.html
    assert "Gửi các xã" in desk.get("/van-ban?tim=15/cv uy ban").words, "one word of the number, one inside"
    assert "Không tìm thấy" in desk.get("/van-ban?tim=trach nhiem giao thong").words


def test_a_plain_text_is_found_too_and_never_becomes_a_page(house: House) -> None:
    text = "Xem <script>alert(1)</script> ở đây".encode()
    document(house, title="Gửi các xã", file=(io.BytesIO(text), "a.txt"))
    read_all(house)
    desk = house.browser("bientap").get("/van-ban?tim=script")
    assert "&lt;<mark>script</mark>&gt;alert" in desk.html


def test_a_document_taken_back_is_forgotten_with_its_words(house: House) -> None:
    name = document(house, file=(io.BytesIO(FIRE.encode()), "a.txt"))
    read_all(house)
    assert house.hub.texts is not None
    assert len(house.hub.texts.known()) == 1
    house.browser("lanhdao").get(f"/van-ban/{name}").press("/thu-hoi")
    assert "Gửi các xã" not in house.browser("bientap").get("/van-ban?tim=trach nhiem").words


def test_a_damaged_file_is_read_once_and_the_others_all_the_same(house: House) -> None:
    document(house, title="Một", file=(io.BytesIO(b"%PDF-1.4 broken"), "a.pdf"))
    document(house, title="Hai", file=(io.BytesIO(FIRE.encode()), "b.txt"))
    assert read_all(house) == (2 if pdf_reader() else 1)
    assert "Hai" in house.browser("bientap").get("/van-ban?tim=chua chay").words
    assert read_all(house) == 0


def test_the_index_may_be_thrown_away_and_grows_again(house: House) -> None:
    document(house, title="Hai", file=(io.BytesIO(FIRE.encode()), "b.txt"))
    assert read_all(house) == 1
    db = house.store.open_db(TEXTS_DB)
    db.execute("DROP TABLE texts")
    db.execute("PRAGMA user_version = 0")
    assert read_all(reads(house)) == 1
    assert "Hai" in house.browser("bientap").get("/van-ban?tim=chua chay").words


def test_a_hub_without_an_index_searches_titles(house: House) -> None:
    document(house, title="Phòng cháy", file=(io.BytesIO(FIRE.encode()), "b.txt"))
    house.hub.texts = None
    assert "Phòng cháy" in house.browser("bientap").get("/van-ban?tim=phong chay").words
