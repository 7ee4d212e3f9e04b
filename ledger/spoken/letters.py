"""Abbreviations: the known ones as words, the unknown ones letter by letter, headings as they are.

A word in capitals that could be a Vietnamese syllable is a heading and only loses its capitals. Two letters
that could be either (TU, PA) are an abbreviation unless a word beside them is in capitals too.
"""

from __future__ import annotations

import re
from typing import Final

from ledger.spoken.clean import UPPER
from ledger.spoken.numbers import number_words, roman
from ledger.spoken.tables import ABBREVIATIONS, PLACES, spelled

_SHORT: Final = re.compile(r"(?i)(?<!\w)(?:v\.v(?:\.{1,3}|(?!\w))|vv(?!\w)|(đ/c)(?!\w)\.?)")
_TITLE: Final = re.compile(r"(?<![\w'])(PGS|GS|TS|ThS|BS|KS)\. ?(?=\w)")
_PLACE: Final = re.compile(rf"(?<![\w'])(TP|Tp|TX|TT|P|Q|H|X)\. ?(?=[{UPPER}\d])")
_TOWN: Final = re.compile(rf"(?:(?<=phường, )|(?<=xã, ))TT(?!\w)|(?<![\w'])TT (?=[{UPPER}][^\W\d_{UPPER}])")
_CENTRE: Final = re.compile(
    r"(?<![\w'])TT (?=(?:Y tế|Văn h|Truyền thông|Dịch vụ|Kiểm soát|Giáo dục|Chính trị|[Hh]ành chính|Phục vụ))"
)
_OFFICE: Final = re.compile(r"(?<![\w'])P\. ?(?=[A-ZĐ]{2})")
_POLICE: Final = re.compile(
    rf"(?<![{UPPER}] )(?<![\w'])CA(?= (?:xã|huyện|tỉnh|thành phố|phường|thị|TP|TX)(?!\w))"
)
_CENTRAL: Final = re.compile(rf"(?<![{UPPER}] )(?<![\w'])TƯ(?! [{UPPER}]{{2}})(?![\w'])")
_MIXED: Final = re.compile(
    r"(?<![\w'])(" + "|".join(name for name in ABBREVIATIONS if not name.isupper()) + r")(?![\w'])"
)
_CAPITALS: Final = re.compile(rf"(?<![\w'])[{UPPER}]{{2,40}}(?:[-&][{UPPER}]{{2,20}}){{0,4}}(?![\w'])")
_SYLLABLE: Final = re.compile(
    r"(?:ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnprstvx])?"
    r"(?:uye|uoi|uou|ieu|yeu|oai|oay|uay|uya|ai|ao|au|ay|eo|ia|iu|oa|oe|oi|ua|ui|uy|uo|ie|ye|[aeiouy])(?:ng|nh|m|n)?"
)


def abbreviations(text: str) -> str:
    text = _SHORT.sub(lambda m: " đồng chí " if m[1] else " vân vân. ", text)
    text = _TITLE.sub(lambda m: f" {ABBREVIATIONS[m[1]]} ", text)
    text = _CENTRE.sub(" trung tâm ", text)
    text = _OFFICE.sub(" phòng ", text)
    text = _PLACE.sub(lambda m: f" {PLACES[m[1]]} ", text)
    text = _TOWN.sub(" thị trấn ", text)
    text = _CENTRAL.sub(" trung ương ", _POLICE.sub(" công an ", text))
    text = _MIXED.sub(lambda m: f" {ABBREVIATIONS[m[1]]} ", text)
    return _CAPITALS.sub(_capitals, text)


def _capitals(found: re.Match[str]) -> str:
    token = found.group()
    if token in ABBREVIATIONS:
        return f" {ABBREVIATIONS[token]} "
    words = (_capital(part, found) for part in re.split(r"[-&]", token))
    return f" {' '.join(words)} "


def _capital(part: str, found: re.Match[str]) -> str:
    if part in ABBREVIATIONS:
        return ABBREVIATIONS[part]
    if any(not letter.isascii() and letter != "Đ" for letter in part):
        return part.lower()
    if _SYLLABLE.fullmatch(part.lower()) and (len(part) > 2 or _among_capitals(found)):
        return part.lower()
    number = roman(part) if set(part) <= set("IVX") else None
    return number_words(number) if number else spelled(part)


def _among_capitals(found: re.Match[str]) -> bool:
    """Whether the word before or behind is in capitals: a heading."""
    earlier = re.search(r"(\w+) $", found.string[max(0, found.start() - 12) : found.start()])
    later = re.match(r" (\w+)", found.string[found.end() : found.end() + 12])
    return any(near is not None and len(near[1]) > 1 and near[1].isupper() for near in (earlier, later))
