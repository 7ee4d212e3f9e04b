"""What holds for any text: it never fails, never loops, leaves no digit; reading twice is reading once."""

from __future__ import annotations

import string
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numbers_read_back import read_back

from ledger.spoken import number_words, read_aloud

PIECES = st.sampled_from(
    ["5", "17", "2022", "0912345678", "1.000", "3,5", "/", "-", "–", ".", ",", ":", "h", "g", "%", "°C",
    "m²", "km", "đ", "đ/kg", " ",
     "\n", "\n- ", "(", ")", "“", "'", "UBND", "TT", "TƯ", "CA", "xã", "ngày ", "tháng ", "quý ", "thứ ",
     "khóa ", "I", "IV", "XX",
     "ABC", "AN", "TU", "P.", "TP.", "QĐ-UBND", "/QĐ-UBND", "www.", "https://", "a@b.vn", "v.v", "vv",
     "đ/c", "GS.", "gọi ",
     "115", "covid", "COVID-19", "QL32", "+84", "+", "x", "&", "½", "²", "Ⅳ", "①", "٣", "\u0301", "\u200b",
     "_", "\ud800", "Họp", "họp",
     "tỷ số ", "triệu", "từ ", "mỗi ", "24/7", "trực ", "số ", "Y tế", "!", "?", "…", "km/h", "đến",
     "phần", "1. ", "a) "]
)  # fmt: skip
WRITTEN = st.lists(PIECES, max_size=12).map("".join)
ANY = st.text(max_size=60)
NUMBERS = st.integers(0, 10**9)


@given(st.one_of(WRITTEN, ANY, st.text(st.sampled_from(string.printable + "đĐưƯ²°–"), max_size=40)))
@settings(max_examples=1500)
def test_reading_what_was_read_changes_nothing(text: str) -> None:
    read = read_aloud(text)
    assert read_aloud(read) == read
    assert unicodedata.is_normalized("NFC", read)
    assert not any(sign.isdigit() or unicodedata.category(sign) == "Nd" for sign in read)
    assert "\n" not in read
    read.encode()


@given(WRITTEN, st.dictionaries(PIECES, WRITTEN, max_size=4))
def test_a_glossary_changes_the_words_and_none_of_the_promises(text: str, glossary: dict[str, str]) -> None:
    read = read_aloud(text, glossary)
    assert read_aloud(read) == read
    assert not any(sign.isdigit() for sign in read)


@given(NUMBERS)
@example(10**9)
def test_a_number_in_words_is_that_number(value: int) -> None:
    assert read_back(number_words(value)) == value
    assert read_aloud(f"{value:,}".replace(",", ".")) == read_aloud(str(value)) == number_words(value)


def test_every_number_below_ten_thousand_is_read_back() -> None:
    assert [read_back(number_words(value)) for value in range(10_000)] == list(range(10_000))


def test_the_reader_of_the_tests_tells_numbers_apart() -> None:
    assert read_back("hai mươi mốt triệu không trăm linh năm") == 21_000_005
    assert read_back("một triệu tỷ") == 10**15


@given(st.dates(), st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"]))
def test_every_day_is_read_whole(day: object, form: str) -> None:
    import datetime

    assert isinstance(day, datetime.date)
    if day.year < 1000:
        day = day.replace(year=day.year + 1000, day=min(day.day, 28))
    words = read_aloud(day.strftime(form))
    said, _, rest = words.removeprefix("ngày ").partition(" tháng ")
    month, _, year = rest.partition(" năm ")
    assert (said.startswith("mồng ")) == (day.day <= 10)
    assert (read_back(said.removeprefix("mồng ")), read_back(month), read_back(year)) == (
        day.day,
        day.month,
        day.year,
    )


@given(st.times(), st.sampled_from(["%H:%M", "%Hh%M", "%H giờ %M"]))
def test_every_minute_is_read(moment: object, form: str) -> None:
    import datetime

    assert isinstance(moment, datetime.time)
    hour, _, minute = read_aloud(moment.strftime(form)).partition(" giờ")
    minute = minute.strip().removesuffix(" phút")
    assert (read_back(hour), read_back(minute) if minute else 0) == (moment.hour, moment.minute)


HOSTILE = [
    "1", "1.", "1,", "1.000", ",1", "-1", "1-", "- ", "1/", "1:", "0", "01 ", "0912", "0 ", "9 000 ", "1h",
    "A", "AB-", "A&", "a.", "a@",
    "a.a", "www.", "https://", "UBND", "UBND ", "TP.", "I", "quý I", "X-", ".", "! ", "\n", "\n-", "(",
    "“", "'", "a'", "\u0301", "a\u0301",
    "%", "²", "đ/", "/", "1/A", "12/QĐ-", "1 km/", "tỷ số 1-1", "gọi 115 ", "115,", "ngày 1", "từ 1-1/1",
    "Ⅳ", "½", "\ud800", "triệu m",
    "  ", "+84 ", "-", "*", "CA xã ", "v.v.", "AN ", "10%-", "ngày 1-1/", "1x", "x1",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_hostile_repeats_cost_no_more_than_their_length(piece: str) -> None:
    """20,000 characters against 5,000: linear work takes four times as long, quadratic sixteen times."""

    def cost_s(chars: int) -> float:
        text = (piece * chars)[:chars]
        best = float("inf")
        for _ in range(2):
            began = time.process_time()
            read_aloud(text)
            best = min(best, time.process_time() - began)
        return best

    short, long = cost_s(5_000), cost_s(20_000)
    assert long < 0.05 + 9 * short
    assert long < 4
    text = (piece * 400)[:400]
    assert read_aloud(read_aloud(text)) == read_aloud(text)
