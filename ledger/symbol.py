"""A text as a QR symbol to print: black on white, drawn as SVG inside the page, no script and no network.

Somebody at a transmitter points a telephone at a line of the run sheet instead of typing eight digits. With
an address the telephone opens the very line on a page, where a person signs in and signs; without one it
shows the digits to read out. The symbol holds nothing that is not printed beside it: who finds a sheet can do
no more than who reads it.

Bound: text in, SVG out, by segno (BSD); where that is not installed there are no symbols and nothing else is
lost.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

BORDER: Final = 4  # modules of white around it, as ISO/IEC 18004 asks
MODULE_MM: Final = 0.44  # a cheap telephone reads it at a hand's breadth, from a cheap printer
TEXT_CHARS_MAX: Final = 300
BASE_CHARS_MAX: Final = 200
PATH: Final = "/xac-nhan"  # the same at a hub and at a station
_BASE: Final = re.compile(
    r"https?://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,39}\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?", re.ASCII
)


def is_base(text: str) -> bool:
    """True for the address of a page as far as its own paths begin: "https://loa.example" or with a path."""
    return len(text) <= BASE_CHARS_MAX and _BASE.fullmatch(text) is not None


def code_text(base: str, unit: str, code: str) -> str:
    """What the symbol of a line says: where to confirm it, or (no base) its code."""
    return f"{base.rstrip('/')}{PATH}?{urlencode({'tram': unit, 'ma': code})}" if base else code


def symbol(text: str) -> str:
    """The symbol as an `<svg>` in its size; "" when nothing here can draw one, or the text is too long."""
    if not 0 < len(text) <= TEXT_CHARS_MAX:
        return ""
    try:
        import segno
    except ModuleNotFoundError:
        return ""
    made = segno.make_qr(text, error="m")
    side = made.symbol_size(border=BORDER)[0]
    drawn: str = made.svg_inline(border=BORDER, omitsize=True, svgclass=None, lineclass=None)
    size = f"{side * MODULE_MM:.1f}mm"
    head = f'<svg aria-hidden="true" focusable="false" width="{size}" height="{size}" '
    return drawn.replace("<svg ", head, 1)
