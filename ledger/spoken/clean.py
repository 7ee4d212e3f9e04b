"""Before and after the rules: odd characters out, lines into one breath, punctuation into single pauses.

Before: what has no sound (emoji, control and format characters, quotation marks) goes, brackets and line ends
become pauses, digits of any script become ours. After: only letters, pauses, and hyphens and apostrophes
inside words are left, in NFC. Each is one pass over the text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ledger.spoken.numbers import number_words, roman

UPPER: Final = "".join(
    sorted(
        {
            unicodedata.normalize("NFC", base + tone).upper()
            for base in "aăâeêioôơuưyđbcdfghjklmnpqrstvwxz"
            for tone in ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
            if len(unicodedata.normalize("NFC", base + tone)) == 1
        }
    )
)

_SIGNS: Final = {
    **dict.fromkeys("\"“”„‟«»‹›`´‘‚*_|\\^#†‡¦", " "),
    **dict.fromkeys("()[]{}（）【】〈〉《》", ", "),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("’ʼ＇", "'"),
    **dict.fromkeys("→⇒➜►", ", "),
    "…": "...", "º": "°", "˚": "°", "℃": "°C", "㎡": "m²", "㎥": "m³", "×": "x", "÷": " chia ",
    "±": " cộng trừ ",
    "≥": " lớn hơn hoặc bằng ", "≤": " nhỏ hơn hoặc bằng ", "≈": " khoảng ", "~": " khoảng ",
    "½": " một phần hai ", "¼": " một phần tư ", "¾": " ba phần tư ", "⅓": " một phần ba ",
    "⅔": " hai phần ba ",
    "、": ", ", "。": ". ", "·": ", ", "¿": " ", "¡": " ", "\t": " ", "§": " ",
}  # fmt: skip
_KEPT: Final = set("%‰°²³€$₫@&+=<>/'-,.;:!?\n")
_LEFT: Final = {
    "%": " phần trăm ", "‰": " phần nghìn ", "°": " độ ", "²": " bình phương ", "³": " khối ", "€": " ơ rô ",
    "$": " đô la ", "₫": " đồng ", "@": " a còng ", "&": " và ", "+": " cộng ", "=": " bằng ",
    "<": " nhỏ hơn ", ">": " lớn hơn ", "/": " ",
}  # fmt: skip

_BULLET: Final = re.compile(
    r"[•●○◦▪■◆◇►➢➤✓✔·*]{1,3}\s*|[-–—+]{1,3}(?:\s+|(?=[^\W\d]))"
    r"|[-–—](?=\d{1,9}(?![\d.,]{0,20}\s?(?:$|[\d.,°%-]|độ|đến)))"
)
_NUMBERED: Final = re.compile(r"(?:(\d{1,3})[.)]|([IVX]{1,5})[.)]|([a-zđ])\))\s+(?=\S)")
_AREA_CODE: Final = re.compile(r"\((0\d{1,4}|\+84)\)\s?(?=\d)")
_PAUSES: Final = re.compile(r" ?[,.;:!?][,.;:!? ]*")
_STRENGTH: Final = "?!.;:,"


class _Characters(dict[int, str]):
    """One character at a time, for str.translate; nothing is kept of what was never seen before."""

    def __missing__(self, code: int) -> str:
        return _character(chr(code))


def _character(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    if sign in _KEPT:
        return sign
    kind = unicodedata.category(sign)
    if kind == "Nd":
        return str(unicodedata.decimal(sign))
    if kind in ("Nl", "No") or "\uff00" <= sign <= "\uff5e":
        plain = unicodedata.normalize("NFKC", sign)
        if not (plain.isascii() and plain.isalnum()):
            return " "
        return f" {plain} " if kind[0] == "N" else plain
    if kind[0] in "LM":
        return sign
    if kind in ("Cf", "Cs", "Co", "Cn"):
        return ""
    return " "


_CHARACTERS: Final = _Characters({code: _character(chr(code)) for code in range(0x250)})


def before(text: str) -> str:
    """One line of letters, digits, known signs and pauses, in NFC."""
    text = _AREA_CODE.sub(r"\1 ", unicodedata.normalize("NFC", text))
    text = unicodedata.normalize("NFC", _one_breath(text).translate(_CHARACTERS))
    text = _loose_marks(text)
    text = re.sub(r"(?<![^\W\d_])'|'(?![^\W\d_])", " ", text)
    # Between two spaces, or loose on one side of a word, a dash is a pause; before a digit it may be a minus.
    text = re.sub(r"(?<=\s)-{1,50}(?=\s)|-{2,50}", ", ", re.sub(r"(?<=\d)\s?-\s?(?=\d)", "-", text))
    text = re.sub(r"(?<=[^\W_])-(?=\s|$)|(?<![\w%°])-(?!\d)", " ", text)
    return " ".join(text.split())


def _one_breath(text: str) -> str:
    """Lines to sentences: a new point is a pause, a line that only ran full is none."""
    out: list[str] = []
    gap = False
    for line in text.splitlines():
        line = line.strip()
        if not line:
            gap = True
            continue
        bullet = _BULLET.match(line)
        if bullet:
            line = line[bullet.end() :]
        numbered = _NUMBERED.match(line)
        if numbered:
            number, roman_number, letter = numbered.groups()
            value = int(number) if number else roman(roman_number) if roman_number else None
            named = letter if value is None else number_words(value)
            if named:
                line = f"{named}, {line[numbered.end() :]}"
        new = gap or bullet is not None or numbered is not None or not line[:1].islower()
        if out and new and out[-1][-1] not in ".!?:;,…":
            out.append(".")
        if line:
            out.append(line)
        gap = False
    return " ".join(out)


def _loose_marks(text: str) -> str:
    """Drops combining marks that stand on no letter."""
    if not any(ord(sign) > 0x2FF and unicodedata.category(sign)[0] == "M" for sign in text):
        return text
    out: list[str] = []
    on_letter = False
    for sign in text:
        kind = unicodedata.category(sign)[0]
        if kind != "M":
            on_letter = kind == "L"
        if kind != "M" or on_letter:
            out.append(sign)
    return "".join(out)


def after(text: str) -> str:
    """Words and single pauses only, in NFC."""
    text = text.translate({ord(sign): words for sign, words in _LEFT.items()})
    text = re.sub(r"(?<![^\W\d_])['-]|['-](?![^\W\d_])", " ", text)
    text = " ".join(text.split())
    text = _PAUSES.sub(_strongest, text)
    return unicodedata.normalize("NFC", " ".join(text.split()).lstrip(",.;:!? "))


def _strongest(found: re.Match[str]) -> str:
    pauses = found.group()
    return next(sign for sign in _STRENGTH if sign in pauses) + " "
