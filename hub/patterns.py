"""A text with blanks: {ngày}, {địa điểm}. What its blanks are called, and the text when they are filled.

A pattern is written by an editor and filled by a form. A blank is a name in braces; the same name twice is
one blank. A brace that opens or closes nothing is refused when the pattern is saved, so that no half-filled
text is ever read out.

Bound: pure; strings in, strings out. Where patterns are kept is `hub.samples`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from ledger.log import NotAllowed

BLANKS_MAX: Final = 20
NAME_CHARS_MAX: Final = 40
VALUE_CHARS_MAX: Final = 300

_BLANK: Final = re.compile(r"\{([^{}\n]*)\}")
_CALLED: Final = re.compile(r"[\w ,./-]+")


def blanks(*texts: str) -> tuple[str, ...]:
    """The names of the blanks, each once, in the order in which they first stand.

    NotAllowed: pattern-brace, pattern-name, pattern-many.
    """
    found: dict[str, None] = {}
    for text in texts:
        outside = _BLANK.sub("", text)
        if "{" in outside or "}" in outside:
            raise _no("brace", "a brace opens or closes nothing", "write every blank as {name}")
        for hit in _BLANK.finditer(text):
            found[_name(hit[1])] = None
    if len(found) > BLANKS_MAX:
        raise _no("many", f"{len(found)} blanks", f"at most {BLANKS_MAX}")
    return tuple(found)


def has_blanks(text: str) -> bool:
    """Whether something in it still waits to be filled. Braces around anything but a name are text."""
    return any(_is_name(" ".join(hit[1].split())) for hit in _BLANK.finditer(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with every blank replaced. A blank without a value stays as it is: it is seen and can be
    filled by hand. Values are put in as they stand: braces in them are no blanks.
    """

    def put(hit: re.Match[str]) -> str:
        return values.get(" ".join(unicodedata.normalize("NFC", hit[1]).split()), "") or hit[0]

    return _BLANK.sub(put, text)


def _name(raw: str) -> str:
    name = " ".join(unicodedata.normalize("NFC", raw).split())
    if not _is_name(name):
        raise _no("name", f"a blank is called {raw!r}", f"1 to {NAME_CHARS_MAX} letters, digits and , . / -")
    return name


def _is_name(name: str) -> bool:
    """A letter at least; letters, digits, spaces and a few signs."""
    found = _CALLED.fullmatch(name) is not None and any(char.isalpha() for char in name)
    return found and len(name) <= NAME_CHARS_MAX


def _no(why: str, told: str, hint: str) -> NotAllowed:
    return NotAllowed(f"pattern-{why}", told, where="text", hint=hint)
