"""Amounts with their units, ranges, and in the end every digit that is left.

A dot groups thousands and a comma is the decimal sign, as in Vietnamese writing; a dot that groups nothing is
said ("phiên bản 2.5": hai chấm năm).
"""

from __future__ import annotations

import re
from typing import Final

from ledger.spoken.numbers import decimals, digit_words, whole
from ledger.spoken.tables import ALONE, LETTERS, UNITS


def _either(names: object) -> str:
    return "|".join(re.escape(name) for name in sorted(map(str, names), key=len, reverse=True))  # type: ignore[call-overload]


_UNIT: Final = f"(?:{_either(UNITS)})"
_AMOUNT: Final = re.compile(
    r"(?<![\w.,])(?P<whole>\d{1,3}(?:\.\d{3}){1,6}(?![\d.]*\d)|\d{1,3}(?:,\d{3}){2,6}(?!\d)"
    r"|\d{1,3}(?: \d{3}){0,5} 000(?!\d)|\d{1,40})"
    rf"(?:,(?P<part>\d{{1,12}})(?!,?\d))?(?![\d]|[.,]\d)(?: ?(?P<unit>{_UNIT})(?![\w²³'])|(?!\w))"
)
_DOTTED: Final = re.compile(r"(?<![\w.,])\d{1,20}(?:\.\d{1,20}){1,20}(?!\w|[.,]\d)")
_RANGE: Final = re.compile(rf"(\d(?: ?(?:[hHg]|giờ|triệu|tỷ|nghìn|ngày|tháng|{_UNIT}))?)-(?=\d)")
_CHAIN: Final = re.compile(r"(?<![\w-])\d{1,20}(?:-\d{1,20}){2,20}(?![\w-])")
_SCORE: Final = re.compile(r"(?i)(?:tỷ số|tỉ số|thắng|thua|hòa)(?: là)? (\d{1,3})-(\d{1,3})(?!\w)")
_MINUS: Final = re.compile(r"(?<![^\s,;:])-(?=\d)")
_OVER: Final = re.compile(r"(?<=\d) ?/ ?(?=\d)")
_BESIDE: Final = re.compile(r"(?<=[^\W\d])/(?=\d)")
_DOLLARS: Final = re.compile(r"\$ ?(\d{1,20}(?:[.,]\d{1,6}){0,6})(?!\w)")
_STONE: Final = re.compile(r"(?<!\w)[Kk]m ?(?=\d)")
_TIMES: Final = re.compile(r"(?<=[\dm]) ?x ?(?=\d)")
_BIG_MONEY: Final = re.compile(
    rf"(?<=\d )(nghìn|ngàn|triệu|tỷ|tỉ) ?({_either(('đ', '₫', *ALONE, 'ha', 'm'))})(?![\w²³/'])"
)
_ALONE: Final = re.compile(rf"(?<![\w'])({_either(ALONE)})(?![\w²³'])")
_PER_UNIT: Final = re.compile(
    rf"(?<=[^\W\d]) ?/ ?({_either(u for u in UNITS if len(u) > 1 or u in 'mlg')})(?![\w²³'])"
)
_PER: Final = re.compile(
    r"(?<=[^\W\d]) ?/ ?(?=(?:người|ngày|đêm|tuần|tháng|quý|năm|giờ|phút|hộ|ca|lượt|suất|tấn|"
    r"sào|vụ|lít|em|cháu|con|buổi|phiếu|"
    r"khẩu|lần|xe|lớp|đồng)(?!\w))"
)
_BORDER: Final = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_LONE_LETTER: Final = re.compile(r"(?<![\w'])[A-ZĐ](?=\d)|(?<=\d)[A-ZĐ](?![^\W\d]|')")
_DIGITS: Final = re.compile(r"\d+")


def ranges(text: str) -> str:
    """ "15-20 °C" goes from fifteen to twenty; a result ("tỷ số 2-1") does not; three or more are a code."""
    text = _CHAIN.sub(lambda m: " " + ", ".join(map(whole, m[0].split("-"))) + " ", text)
    text = _SCORE.sub(lambda m: m[0].replace("-", " "), text)
    return _RANGE.sub(r"\1 đến ", text)


def amounts(text: str) -> str:
    text = _STONE.sub(" ki lô mét ", _DOLLARS.sub(r" \1 $ ", text))
    text = _BESIDE.sub(", ", _OVER.sub(" trên ", text))
    text = _TIMES.sub(" nhân ", _MINUS.sub(" âm ", text))
    text = _BIG_MONEY.sub(lambda m: f"{m[1]} {UNITS[m[2]]} ", text)
    text = _AMOUNT.sub(_amount, text)
    text = _DOTTED.sub(lambda m: " " + " chấm ".join(map(whole, m[0].split("."))) + " ", text)
    text = _PER_UNIT.sub(lambda m: f" trên {UNITS[m[1]]} ", text)
    text = _PER.sub(" một ", text)
    return _ALONE.sub(lambda m: f" {UNITS[m[1]]} ", text)


def _amount(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found["whole"])
    if len(digits) == len(found["whole"]) > 18:
        words = digit_words(digits)
    else:
        words = whole(digits)
    if found["part"]:
        words += f" phẩy {decimals(found['part'])}"
    return f" {words} {UNITS[found['unit']] if found['unit'] else ''} "


def last_digits(text: str) -> str:
    """Digits inside codes (lô A12, 4G, H5N1): the letters by name, the digits as a number."""
    text = _LONE_LETTER.sub(lambda m: f" {LETTERS[m[0]]} ", text)
    return _DIGITS.sub(lambda m: f" {whole(m[0])} ", _BORDER.sub(" ", text))
