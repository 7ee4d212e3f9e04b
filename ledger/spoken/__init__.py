"""Vietnamese as officers write it, as a speaker reads it: numbers, dates, units and abbreviations in words.

The same words go to espeak-ng and to the line "đọc thành: …": what a person approves is what is heard.

    >>> read_aloud("UBND xã mời 1.205 hộ họp ngày 04/4.")
    'Ủy ban nhân dân xã mời một nghìn hai trăm linh năm hộ họp ngày mồng bốn tháng tư.'

Every rule is started by a sign that its words no longer contain (a digit, a sign, capitals), so that reading
again what was read changes nothing. Imports nothing of ours; node and hub both stand on it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from ledger.spoken.amounts import amounts, last_digits, ranges
from ledger.spoken.clean import after, before
from ledger.spoken.contacts import addresses, documents, roads, telephones
from ledger.spoken.dates import dashed_dates, dates, full_dates, romans, times
from ledger.spoken.letters import abbreviations
from ledger.spoken.numbers import number_words

__all__ = ["number_words", "read_aloud"]

# The order is part of the rules: what has digits and is no amount goes first, amounts later, letters last.
_RULES: Final = (
    addresses, full_dates, telephones, documents, roads, dashed_dates, romans, ranges, dates, times, amounts,
    last_digits, abbreviations,
)  # fmt: skip
_LOOKS_MAX: Final = 6
# espeak-ng says about three Vietnamese words in a second; a little more never ends inside the next slot.
WORDS_A_SECOND: Final = 2.85
LEAD_IN_S: Final = 2


def read_aloud(text: str, glossary: Mapping[str, str] | None = None) -> str:
    """One line of words and pauses, in NFC, without a digit. Never raises; its work grows with the text.

    glossary: names and abbreviations of the place, as written → as read; they win over ours. Whole words are
    replaced, in the spelling given; what they are replaced by is read by the same rules.
    """
    if glossary:
        text = _replaced(unicodedata.normalize("NFC", text), glossary)
    for _ in range(
        _LOOKS_MAX
    ):  # a second look takes what the first uncovered; nearly always there is nothing
        words = _look(text)
        if words == text:
            break
        text = words
    return text


def reading_s(words: str) -> int:
    """Seconds that the station's voice takes for words as `read_aloud` gives them, rather more than less."""
    return int(len(words.split()) / WORDS_A_SECOND) + LEAD_IN_S


def _look(text: str) -> str:
    text = before(text)
    for rule in _RULES:
        text = " ".join(rule(text).split())
    return after(text)


def _replaced(text: str, glossary: Mapping[str, str]) -> str:
    words = {unicodedata.normalize("NFC", name): read for name, read in glossary.items() if name.strip()}
    if not words:
        return text
    names = "|".join(re.escape(name) for name in sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{names})(?!\w)", lambda found: f" {words[found[0]]} ", text)
