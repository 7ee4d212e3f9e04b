"""A code or an address as a symbol that somebody else's reader reads back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from qr_reader import needs_zbar, pixels_of, read_symbol

from ledger.sheet import is_base
from ledger.symbol import BORDER, code_text, symbol

pytest.importorskip("segno", reason="segno is not installed")


@needs_zbar
@pytest.mark.parametrize(
    "text",
    ["05-4821-57",
     "https://loa.yenbai.gov.vn/xac-nhan?tram=vn.yb.04249&ma=05-4821-57", "Tú Lệ: phát lúc 17 giờ",
     "http://192.168.1.9:8080/xac-nhan?tram=vn.yb.04249&ma=05-4821-57", "x" * 300],
)  # fmt: skip
def test_a_symbol_says_what_it_was_made_from(text: str, tmp_path: Path) -> None:
    assert read_symbol(symbol(text), tmp_path) == text


def test_a_symbol_has_white_around_it_and_nothing_that_a_page_would_run() -> None:
    svg = symbol('"><script>')
    side, dark = pixels_of(svg)
    edges = [*range(BORDER), *range(side - BORDER, side)]
    assert not any(dark[at][other] or dark[other][at] for at in edges for other in range(side))
    assert any(map(any, dark))
    assert "script" not in svg
    assert "style" not in svg
    assert svg.startswith("<svg aria-hidden")


@pytest.mark.parametrize("text", ["", "x" * 301])
def test_nothing_and_too_much_have_no_symbol(text: str) -> None:
    assert symbol(text) == ""


def test_without_the_drawing_library_there_is_no_symbol_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    assert symbol("05-4821-57") == ""


def test_a_line_without_an_address_is_its_code_and_with_one_a_page() -> None:
    assert code_text("", "vn.yb.04249", "05-4821-57") == "05-4821-57"
    assert code_text("https://a.vn/loa/", "vn.yb.04249", "05-4821-57") == (
        "https://a.vn/loa/xac-nhan?tram=vn.yb.04249&ma=05-4821-57"
    )


@pytest.mark.parametrize(
    ("text", "good"),
    [("https://loa.example", True), ("http://192.168.1.9:8080", True), ("http://[fd00::9]:8080/", True),
     ("https://a.vn/loa", True), ("", False), ("loa.example", False), ("ftp://a", False), ("http://", False),
     ("http://a b", False), ("http://a?x=1", False), ("http://a/#x", False), ("javascript:alert(1)", False),
     ("http://a\n", False), ("http://u@a", False), ("http://" + "a" * 200, False)],
)  # fmt: skip
def test_an_address_is_one_of_a_page_and_nothing_else(text: str, good: bool) -> None:
    assert is_base(text) is good
