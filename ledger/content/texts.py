"""Words as people typed them, made clean: what is read on a screen is what is stored and what is signed.

Texts are normalised to NFC on their way in and may hold no control and no bidirectional characters: a title
that reads differently on a screen than it is stored could be used to get something else approved. That is
a rule of acceptance where people write, not a rule of validity: Unicode tables change, old events must stay
readable.

Bound: one string in, one string out.
"""

from __future__ import annotations

import unicodedata

from ledger.facts import acceptable_text
from ledger.log import NotAllowed


def accept_line(text: str, *, what: str, chars_max: int) -> str:
    """One line: NFC, single spaces. NotAllowed("text-empty" | "text-too-long" | "text-not-allowed")."""
    return _accepted(" ".join(unicodedata.normalize("NFC", text).split()), what, chars_max, lines=False)


def accept_text(text: str, *, what: str, chars_max: int) -> str:
    """Text of any lines: NFC, line ends as \\n, tabs as spaces. May be empty. NotAllowed as `accept_line`."""
    whole = unicodedata.normalize(
        "NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    ).strip()
    return _accepted(whole, what, chars_max, lines=True) if whole else ""


def _accepted(text: str, what: str, chars_max: int, *, lines: bool) -> str:
    reason = acceptable_text(text, chars_max, lines=lines)
    if reason is None:
        return text
    if reason == "empty":
        raise NotAllowed("text-empty", f"{what} is empty", where=what, hint="fill it in")
    if reason == "too-long":
        raise NotAllowed(
            "text-too-long", f"{what} has {len(text)} characters", where=what, hint=f"at most {chars_max}"
        )
    raise NotAllowed(
        "text-not-allowed",
        f"{what} holds something that cannot be seen: {reason}",
        where=what,
        hint="delete it, or type the line again instead of pasting it",
    )


def folded(text: str) -> str:
    """For searching: lower case without diacritics; đ counts as d, which no Unicode decomposition knows."""
    apart = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())
