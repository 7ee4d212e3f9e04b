"""Numbers as a Northern speaker reads them: một/mốt, lăm, tư, linh, nghìn.

    >>> number_words(1_205), number_words(21), number_words(1_000_000_000_000_000)
    ('một nghìn hai trăm linh năm', 'hai mươi mốt', 'một triệu tỷ')

A group below the first that is not zero is read in full ("hai nghìn không trăm hai mươi"), an empty group is
left out ("một triệu không trăm linh năm"). Bound: below 10¹⁸; longer ones are read digit by digit.
"""

from __future__ import annotations

from typing import Final

DIGITS: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
NUMBER_DIGITS_MAX: Final = 18
_BILLION: Final = 1_000_000_000
_ROMAN: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def number_words(value: int) -> str:
    """A whole number in words. Raises ValueError from 10¹⁸ on."""
    if value < 0:
        return f"âm {number_words(-value)}"
    if value >= 10**NUMBER_DIGITS_MAX:
        raise ValueError(f"{value} has more than {NUMBER_DIGITS_MAX} digits")
    if value == 0:
        return DIGITS[0]
    billions, rest = divmod(value, _BILLION)
    words = [f"{number_words(billions)} tỷ"] if billions else []
    for size, name in ((1_000_000, " triệu"), (1_000, " nghìn"), (1, "")):
        group, rest = divmod(rest, size)
        if group:
            words.append(_group(group, full=bool(words)) + name)
    return " ".join(words)


def _group(value: int, *, full: bool) -> str:
    """Three digits. full: something stands before it, so its hundreds are said even when there are none."""
    hundreds, rest = divmod(value, 100)
    words = [f"{DIGITS[hundreds]} trăm"] if hundreds or full else []
    tens, ones = divmod(rest, 10)
    if tens == 0:
        if ones:
            words += ["linh"] if words else []
            words.append("tư" if ones == 4 and words else DIGITS[ones])
    else:
        words.append("mười" if tens == 1 else f"{DIGITS[tens]} mươi")
        if ones == 1 and tens > 1:
            words.append("mốt")
        elif ones == 4 and tens > 1:
            words.append("tư")
        elif ones:
            words.append("lăm" if ones == 5 else DIGITS[ones])
    return " ".join(words)


def digit_words(digits: str) -> str:
    """ "1900" → "một chín không không": telephones, codes, what stands behind a decimal comma."""
    return " ".join(DIGITS[int(digit)] for digit in digits if digit.isdecimal())


def whole(digits: str) -> str:
    """Digits as they stand in a text: a leading zero or too many of them mean a code, not an amount."""
    if len(digits) > NUMBER_DIGITS_MAX or (len(digits) > 2 and digits[0] == "0"):
        return digit_words(digits)
    return number_words(int(digits))


def decimals(digits: str) -> str:
    """What stands behind the comma: "25" as hai mươi lăm, "05" and longer ones digit by digit."""
    if digits[0] == "0" or len(digits) > 3:
        return digit_words(digits)
    return number_words(int(digits))


def month_words(month: int) -> str:
    return "tư" if month == 4 else number_words(month)


def ordinal_words(value: int) -> str:
    """After "thứ": nhất, hai, ba, tư, năm … ("thứ hai" is right for the day of the week and for a rank)."""
    return {1: "nhất", 4: "tư"}.get(value) or number_words(value)


def roman(text: str) -> int | None:
    """The value of a Roman number up to 3999, or None when it is not written as Romans do."""
    if not 0 < len(text) <= 15 or any(letter not in _ROMAN for letter in text):
        return None
    total = 0
    for letter, following in zip(text, [*text[1:], ""], strict=True):
        value = _ROMAN[letter]
        total += -value if following and _ROMAN[following] > value else value
    return total if 0 < total < 4000 and _to_roman(total) == text else None


def _to_roman(value: int) -> str:
    signs = (("M", 1000), ("CM", 900), ("D", 500), ("CD", 400), ("C", 100), ("XC", 90), ("L", 50), ("XL", 40),
             ("X", 10), ("IX", 9), ("V", 5), ("IV", 4), ("I", 1))  # fmt: skip
    out = ""
    for sign, size in signs:
        count, value = divmod(value, size)
        out += sign * count
    return out
