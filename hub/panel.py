"""What a text looks like on a panel of so many characters and lines: broken at words, turned in pages.

A board draws a text as large as it fits. A panel of lamps has a fixed grid, and an editor should see what
becomes of the words there: how the lines break, and how many times the panel must turn before all was shown.

Bound: pure. What a board shows at all is `ledger.facts.board`; how large, the board's own screen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SIZES: Final = ((16, 2), (24, 4), (32, 6), (40, 10))
"""Panels that are in use: characters a line, lines."""
COLUMNS_MIN: Final = 8
LINES_MIN: Final = 1


def wrapped(text: str, columns: int) -> list[str]:
    """The lines of a text, none longer than `columns` characters. A word that is longer is cut."""
    found: list[str] = []
    for paragraph in unicodedata.normalize("NFC", text).split("\n"):
        line = ""
        for word in _pieces(paragraph, columns):
            if not line:
                line = word
            elif len(line) + 1 + len(word) <= columns:
                line = f"{line} {word}"
            else:
                found.append(line)
                line = word
        found.append(line)
    while found and not found[-1]:
        found.pop()
    return found


@dataclass(frozen=True)
class Preview:
    """A text on one panel. pages: what is seen at a time, each of at most `lines` lines."""

    columns: int
    lines: int
    pages: tuple[tuple[str, ...], ...]


def preview(text: str, columns: int, lines: int) -> Preview:
    """columns ≥ COLUMNS_MIN, lines ≥ LINES_MIN."""
    all_lines = wrapped(text, columns)
    pages = tuple(tuple(all_lines[at : at + lines]) for at in range(0, len(all_lines), lines))
    return Preview(columns, lines, pages)


def _pieces(paragraph: str, columns: int) -> Iterator[str]:
    for word in paragraph.split():
        for at in range(0, len(word), columns):
            yield word[at : at + columns]
