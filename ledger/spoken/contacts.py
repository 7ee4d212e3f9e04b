"""What is not an amount though it has digits: addresses, telephones, document numbers, roads.

    >>> telephones("gọi 0912 345 678").split(",")
    ['gọi  không chín một hai', ' ba bốn năm', ' sáu bảy tám ']

Every pattern begins at a border and has bounded parts, so that no text makes it slow.
"""

from __future__ import annotations

import re
from typing import Final

from ledger.spoken.numbers import digit_words, number_words, whole
from ledger.spoken.tables import DOCUMENTS, ISSUERS, ROADS, spelled

_ADDRESS: Final = re.compile(
    r"(?<![\w.@+%-])(?:(?:https?://|www\.)[^\s,;!]{1,1000}"
    r"|[A-Za-z0-9][\w.+%-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,200}"
    r"|[A-Za-z0-9][A-Za-z0-9-]{0,60}(?:\.[A-Za-z0-9-]{1,60}){0,6}\.(?:vn|com|net|org|edu|info)(?![\w-])(?:/[^\s,;!]{0,300})?)"
)
_SPOKEN_SIGNS: Final = {".": "chấm", "@": "a còng", "/": "gạch chéo", "-": "gạch ngang", ":": "hai chấm"}
_GROUPED: Final = re.compile(r"(?<![\w.,/-])(?:\+84[ .-]?\d{2,10}|0\d{2,10})(?:[ .-]\d{2,8}){0,4}(?![\w/])")
_HOTLINE: Final = re.compile(r"(?<![\w.,/-])(1[89]00)[ .]?(\d{4}(?:\d\d)?|\d\d[ .]\d\d)(?!\w|[.,/-]\d)")
_CALLED: Final = re.compile(
    r"(?i)((?<!\w)(?:gọi|gọi số|gọi ngay|số máy|số điện thoại|điện thoại|đt|đường dây nóng|hotline|tổng đài|"
    r"cấp cứu|cứu hỏa|công an)(?: số)?:?\s)(\d{3,8})(?!\w|[.,/-]\d)"
)
_RESCUE: Final = re.compile(r"(?<![\w.,/-])11[1-5](?:\s?(?:[,/;-]|hoặc|và)\s?11[1-5]){1,5}(?!\w|[.,/-]\d)")
_DOCUMENT: Final = re.compile(
    r"(?<![\w/.-])(\d{1,6})(?:/((?:19|20)\d\d))?/([A-ZĐƯ]{2,8}[a-z]{0,2}\d{0,2}"
    r"(?:[-.][A-ZĐƯ]{1,9}[a-z]{0,2}\d{0,2}){0,4})(?!\w)"
)
_PARTY: Final = re.compile(r"(?<![\w/.-])(\d{1,6})-([A-ZĐ]{2,5}/[A-ZĐƯ]{2,9})(?!\w)")
_ROAD: Final = re.compile(r"(?<!\w)(QL|ĐT|TL|HL)[. -]?(\d{1,3})([A-ZĐ]?)(?!\w|[.,-]\d)")
_COVID: Final = re.compile(r"(?i)(?<!\w)covid[- ]?19(?!\w)")


def addresses(text: str) -> str:
    """E-mail and web addresses, sign by sign; what stands before the name ("https://www.") says nothing."""
    return _ADDRESS.sub(_address, text)


def _address(found: re.Match[str]) -> str:
    address = found.group()
    end = address.rstrip(".,;:!?")
    tail = address[len(end) :]
    end = re.sub(r"^(?:https?://)?(?:www\.)?", "", end).rstrip("/")
    words = [_piece(piece) for piece in re.findall(r"[^\W\d_]+|\d|[^\w\s]", end)]
    return f" {' '.join(words)} {tail}"


def _piece(piece: str) -> str:
    if piece.isdigit():
        return digit_words(piece)
    if piece[0].isalpha():
        vowels = any(letter in "aeiouy" or not letter.isascii() for letter in piece.lower())
        return piece.lower() if vowels or len(piece) > 5 else spelled(piece)
    return _SPOKEN_SIGNS.get(piece, "")


def telephones(text: str) -> str:
    """Digit by digit, with a pause between groups as they were written, or after three or four."""
    text = _GROUPED.sub(_telephone, text)
    text = _HOTLINE.sub(lambda m: f" {digit_words(m[1])}, {_groups(re.findall(r'[0-9]+', m[2]))} ", text)
    text = _RESCUE.sub(
        lambda m: re.sub(r"\s?[/-]\s?", ", ", re.sub(r"\d{3}", lambda d: f" {digit_words(d[0])} ", m[0])),
        text,
    )
    return _CALLED.sub(lambda m: f"{m[1]} {digit_words(m[2])} ", text)


def _telephone(found: re.Match[str]) -> str:
    number = found.group()
    groups = re.findall(r"\d+", number)
    digits = "".join(groups)
    if not (10 <= len(digits) <= 12 if number[0] == "+" else 9 <= len(digits) <= 11):
        return number
    if len(groups) == 1:
        first = 2 if number[0] == "+" else 3 if digits[1] == "2" else 4
        rest = digits[first:]
        size = 4 if len(rest) in (4, 8) else 3
        groups = [digits[:first], *(rest[at : at + size] for at in range(0, len(rest), size))]
    return f" {'cộng ' if number[0] == '+' else ''}{_groups(groups)} "


def _groups(groups: list[str]) -> str:
    return ", ".join(digit_words(group) for group in groups)


def documents(text: str) -> str:
    """ "39/2020/TT-BTTTT": the number, the year, the kind unless it was just said, and who issued it."""
    text = _PARTY.sub(lambda m: f"{m[1]}/{m[2].replace('/', '-')}", text)  # the Party's own order of signs
    return _DOCUMENT.sub(_document, text)


def _document(found: re.Match[str]) -> str:
    number, year, symbol = found.groups()
    kind, *issuers = re.split(r"[-.]", symbol)
    said = found.string[max(0, found.start() - 40) : found.start()].lower()
    words = whole(number) + (f" năm {number_words(int(year))}" if year else "")
    parliament = re.fullmatch(r"QH(\d{1,2})", kind)
    if parliament:
        return f" {words} của Quốc hội khóa {number_words(int(parliament[1]))} "
    if kind in DOCUMENTS:
        words += "" if DOCUMENTS[kind] in said else f", {DOCUMENTS[kind]}"
    elif kind in ISSUERS and not issuers:
        issuers = [kind]
    else:
        words += f", {_issuer(kind)}"
    if issuers:
        words += (" của " if issuers[0] in ISSUERS else ", ") + ", ".join(map(_issuer, issuers))
    return f" {words} "


def _issuer(part: str) -> str:
    letters, digits = re.fullmatch(r"(\D*)(\d*)", part).groups()  # type: ignore[union-attr]
    name = ISSUERS.get(letters) or spelled(letters)
    return f"{name} {number_words(int(digits))}" if digits else name


def roads(text: str) -> str:
    text = _ROAD.sub(lambda m: f" {ROADS[m[1]]} {whole(m[2])} {spelled(m[3])} ", text)
    return _COVID.sub(" Cô vít mười chín ", text)
