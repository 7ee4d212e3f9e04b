"""What changed between two versions of a text, word by word, as a person would mark it with a pen.

Words, each with the space behind it, are compared and not lines: a bulletin is a paragraph, and one changed
hour in it is one changed word. What stayed, what went and what came are runs; put together, what stayed and
what went is the old text, what stayed and what came the new one, to the letter.

Bound: pure. Very long texts are compared by sentences where they differ, so that the work stays small.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

SAME: Final = "same"
GONE: Final = "gone"
COME: Final = "come"
WORDS_MAX: Final = 3_000  # of either side; the work grows with the product

_WORDS: Final = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
_SENTENCES: Final = re.compile(r"[^.!?\n]*[.!?\n]+\s*|[^.!?\n]+")


@dataclass(frozen=True)
class Run:
    """A stretch of text. what: same, gone or come."""

    what: str
    text: str


def compared(old: str, new: str) -> tuple[Run, ...]:
    """The runs from `old` to `new`, in reading order; what went stands before what came in its place."""
    if old == new:
        return (Run(SAME, old),) if old else ()
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > WORDS_MAX:
        before, after = _SENTENCES.findall(old), _SENTENCES.findall(new)
    return tuple(_runs(before, after))


def has_changed(runs: Sequence[Run]) -> bool:
    return any(run.what != SAME for run in runs)


def _runs(before: list[str], after: list[str]) -> list[Run]:
    found: list[Run] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(Run(SAME, "".join(before[a:b])))
            continue
        if b > a:
            found.append(Run(GONE, "".join(before[a:b])))
        if d > c:
            found.append(Run(COME, "".join(after[c:d])))
    return found
