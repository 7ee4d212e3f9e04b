"""Dates, times of day, ordinals and Roman numbers.

The first ten days of a month are read with "mồng" (ngày mồng hai tháng chín), month and weekday 4 as "tư",
minutes with "phút". Two numbers with a slash are a date when they can be one, unless a share follows ("2/3 số
hộ"). Bound: what says "when" or "the how-manieth"; amounts are elsewhere.
"""

from __future__ import annotations

import re
from typing import Final

from ledger.spoken.numbers import month_words, number_words, ordinal_words, roman, whole

_FULL: Final = re.compile(r"(?<![\w./-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)(?!\w|[/.]\d)(-(?=\d))?")
_ISO: Final = re.compile(r"(?<![\w./-])(\d{4})-(\d\d)-(\d\d)(?![\w/-])")
_DAY_MONTH: Final = re.compile(r"(?<![\w./,-])(\d{1,2})/(\d{1,2})(?!\w|[/.,-]\d|[%°])")
_DASHED: Final = re.compile(r"(?i)((?<!từ )(?<!\w)ngày )(\d{1,2})-(\d{1,2})(?![\w/-]|[.,]\d|\s?tháng)")
_QUARTER: Final = re.compile(r"(?i)((?<!\w)quý )(\d|[IVX]{1,3})/((?:19|20)\d\d)(?!\w)")
_STRETCH: Final = re.compile(
    r"(?<![\w./,-])(?<!ngày )(\d{1,2})-(?=\d{1,2}/(?:0?[1-9]|1[0-2])(?:/(?:\d\d){1,2})?(?![\d/]))"
)
_MONTH_YEAR: Final = re.compile(r"(?<![\w./,-])(\d{1,2})/((?:19|20)\d\d)(?!\w|/)")
_MONTH: Final = re.compile(r"(?i)(?<!\d )(?<!\w)(tháng )(\d{1,2})(?![\w/%]|[.,]\d)")
_NOT_A_DAY: Final = r"lần|buổi|bữa|viên|giờ|ca|đêm|tiếng|lượt|lít|kg|h|người|hộ|suất|ngàn|nghìn|triệu|phút"
_DAY: Final = re.compile(
    rf"(?i)(?<!\d )(?<!mỗi )(?<!một )(?<!hằng )(?<!hàng )(?<!\w)(ngày )"
    rf"(\d{{1,2}})(?![\w/%°]|[.,:]\d| ?(?:{_NOT_A_DAY})(?!\w))"
)
_ORDINAL: Final = re.compile(r"(?i)((?<!\w)thứ )(\d{1,3})(?!\w|[.,]\d)")
_SHARE: Final = re.compile(
    r"(?i)\s(?:số|tổng|diện tích|dân|hộ|thành viên|đại biểu|phiếu|lượng|phần|thời gian|chiều|quãng|chặng|"
    r"cổ phần|chiều dài|học sinh|cán bộ|đảng viên|chi bộ|thôn|xã|tiêu chí)(?!\w)"
)
_AROUND_THE_CLOCK: Final = re.compile(r"(?i)(?:trực|phục vụ|hoạt động|hỗ trợ|liên tục|mở cửa|tiếp nhận)$")
_CLOCK: Final = re.compile(r"(?<![\w:.,/])(\d{1,2}):(\d\d)(?::(\d\d))?(?![\w:])")
_HOUR_MINUTE: Final = re.compile(
    r"(?<![\w:.,/])(\d{1,2})(?: ?[hHg] ?| giờ )(\d\d)(?:(?: ?phút| ?p|ph)(?!\w))?(?![\w%/]|[.,:]\d)"
)
_HOUR: Final = re.compile(r"(?<![\w:.,])(\d{1,3}) ?[hH](?!\w)")
_ROMAN_AFTER: Final = re.compile(
    r"((?<!\w)(?i:quý|khóa|khoá|thế kỷ|thế kỉ|cấp|chương|phần|mục|điều|hạng|loại|tập|kỳ|vòng|đợt|quân khu|"
    r"thứ|nhiệm kỳ|đại hội|bậc|nhóm|vùng|khu vực) )([IVXL]{1,8})(?:-([IVXL]{1,8}))?(?![\w'])"
)


def _before(found: re.Match[str]) -> str:
    return found.string[max(0, found.start() - 16) : found.start()].lower().rstrip()


def _day(day: int, said: str) -> str:
    """The day of the month, with as much of "ngày mồng" as was not said before it."""
    if said.endswith(("mồng", "mùng")):
        return number_words(day)
    words = f"mồng {number_words(day)}" if day <= 10 else number_words(day)
    return words if said.endswith(("ngày", "rằm")) else f"ngày {words}"


def _possible(day: int, month: int) -> bool:
    return 1 <= day <= 31 and 1 <= month <= 12


def full_dates(text: str) -> str:
    """Day, month and year; also ISO 8601."""
    text = _ISO.sub(lambda m: _full(m, int(m[3]), int(m[2]), int(m[1])), text)

    def full(found: re.Match[str]) -> str:
        day, sign, month, year, stretch = found.groups()
        if len(year) == 2 and sign != "/":
            return found.group()
        century = 0 if len(year) == 4 else 2000 if int(year) < 70 else 1900
        words = _full(found, int(day), int(month), century + int(year))
        return f"{words}đến " if stretch and words != found.group() else words

    return _FULL.sub(full, text)


def _full(found: re.Match[str], day: int, month: int, year: int) -> str:
    if not _possible(day, month):
        return found.group()
    return f" {_day(day, _before(found))} tháng {month_words(month)} năm {number_words(year)} "


def dates(text: str) -> str:
    text = _MONTH_YEAR.sub(_month_year, full_dates(text))
    text = _DAY_MONTH.sub(_day_month, text)
    text = _MONTH.sub(lambda m: f"{m[1]}{month_words(int(m[2]))} ", text)
    text = _DAY.sub(lambda m: f"{m[1]}{_day(int(m[2]), 'ngày')} " if 1 <= int(m[2]) <= 31 else m[0], text)
    return _ORDINAL.sub(lambda m: f"{m[1]}{ordinal_words(int(m[2]))} ", text)


def dashed_dates(text: str) -> str:
    """ "ngày 2-9" names a holiday; "từ ngày 2-9" and "ngày 2-9/11" are stretches, and left to the ranges."""

    def dashed(found: re.Match[str]) -> str:
        day, month = int(found[2]), int(found[3])
        if not _possible(day, month):
            return found.group()
        return f"{found[1]}{_day(day, 'ngày')} tháng {month_words(month)} "

    return _STRETCH.sub(r" ngày \1 đến ", _DASHED.sub(dashed, text))


def _quarter(found: re.Match[str]) -> str:
    number = int(found[2]) if found[2].isdigit() else roman(found[2].upper())
    if not number:
        return found.group()
    return f"{found[1]}{number_words(number)} năm {number_words(int(found[3]))} "


def _month_year(found: re.Match[str]) -> str:
    month, year, said = int(found[1]), number_words(int(found[2])), _before(found)
    if said.endswith("số") or not 1 <= month <= 12:
        return f" {number_words(month)} năm {year} "
    return f" {'' if said.endswith('tháng') else 'tháng '}{month_words(month)} năm {year} "


def _day_month(found: re.Match[str]) -> str:
    first, second, said = int(found[1]), int(found[2]), _before(found)
    dated = said.endswith(("ngày", "mồng", "mùng", "sáng", "chiều", "tối", "đêm", "hôm"))
    if not dated and second and _SHARE.match(found.string, found.end()):
        return f" {number_words(first)} phần {month_words(second)} "
    numbered = said.endswith(("số", "nhà", "ngõ", "lớp", "trình độ", "tỷ lệ", "hẻm", "tổ", "huyết áp"))
    always = first == 24 and second == 7 and _AROUND_THE_CLOCK.search(said) is not None
    if not _possible(first, second) or (not dated and (numbered or always)):
        return f" {number_words(first)} trên {number_words(second)} "
    return f" {_day(first, said)} tháng {month_words(second)} "


def times(text: str) -> str:
    """17:00, 17h30, 17 giờ 30 and 17h; "5h05" is năm giờ năm phút."""
    text = _CLOCK.sub(_clock, text)
    text = _HOUR_MINUTE.sub(_clock, text)
    return _HOUR.sub(lambda m: f" {whole(m[1])} giờ ", text)


def _clock(found: re.Match[str]) -> str:
    hour, minute, *more = found.groups()
    second = more[0] if more else None
    if int(hour) > 24 or int(minute) > 59:
        return found.group()
    words = f" {number_words(int(hour))} giờ "
    if int(minute) or second:
        words += f"{number_words(int(minute))} phút "
    return words + (f"{number_words(int(second))} giây " if second else "")


def romans(text: str) -> str:
    """Behind a word that wants a number: Quý IV, khóa XV, thế kỷ XXI, lần thứ XIII."""

    def read(found: re.Match[str]) -> str:
        values = [roman(part) for part in found.groups()[1:] if part]
        if None in values or found[2] == "L":
            return found.group()
        word = ordinal_words if found[1].lower() == "thứ " else number_words
        return f"{found[1]}{' đến '.join(word(value) for value in values if value)} "

    return _ROMAN_AFTER.sub(read, _QUARTER.sub(_quarter, text))
