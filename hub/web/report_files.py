"""A report as files: XLSX for whoever goes on working with it, CSV for whatever reads CSV.

Titles and names in a report were typed by people, some of them elsewhere, and a spreadsheet runs what looks
like a formula. In XLSX every text is written as a text and every count as a number, so nothing can run. CSV
has no such difference: a text that a spreadsheet might take for a formula gets an apostrophe before it, and
the file begins with a byte order mark, without which Excel on an older PC breaks every Vietnamese letter.

Bound: bytes from sheets.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import xlsxwriter  # type: ignore[import-untyped]

from hub.report_rows import Cell, Report
from hub.web.report_meanings import definitions
from hub.web.report_words import Sheet, about, anchors, sheets
from hub.web.tongue import gettext

# A leading one of these starts a formula somewhere: ASCII, its full-width twins, and what is skipped before.
FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠|%")
SHEET_CHARS_MAX: Final = 31  # Excel's
WIDTH_MAX: Final = 48
MADE: Final = datetime(2022, 11, 9, tzinfo=UTC)  # fixed: the same figures give the same file


def guarded(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet runs."""
    bare = text.lstrip(" \u00a0\ufeff\u200b")
    return f"'{text}" if bare[:1] in FORMULA and bare else text


def csv_bytes(report: Report) -> bytes:
    """All sheets one below the other, each with its title; RFC 4180 with a byte order mark."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    for row in _csv_rows(report):
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def _csv_rows(report: Report) -> Iterator[Sequence[Cell]]:
    yield [gettext("Báo cáo")]
    yield from about(report.ask)
    for sheet in sheets(report):
        yield []
        yield [sheet.title]
        yield [head.text for head in sheet.heads]
        yield from sheet.rows
    yield []
    yield [gettext("Cách hiểu số liệu")]
    yield from definitions()
    yield []
    yield from anchors(report)


def xlsx_bytes(report: Report) -> bytes:
    """One sheet for each table, and one that says what the figures mean."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"title": gettext("Báo cáo"), "created": MADE.replace(tzinfo=None)})
    looks = {
        "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "text": book.add_format({"valign": "top", "text_wrap": True}),
        "count": book.add_format({"num_format": "#,##0", "valign": "top"}),
    }
    made = sheets(report)
    for sheet in made:
        page = book.add_worksheet(sheet.title[:SHEET_CHARS_MAX])
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        row = 0
        if sheet is made[0]:
            page.write_string(0, 0, gettext("Báo cáo"), looks["title"])
            for word, answer in about(report.ask):
                row += 1
                page.write_string(row, 0, word)
                page.write_string(row, 1, answer)
            row += 2
        page.freeze_panes(row + 1, 0)
        page.repeat_rows(row)
        for column, head in enumerate(sheet.heads):
            page.write_string(row, column, head.text, looks["head"])
            page.set_column(column, column, _width(sheet, column))
        for cells in sheet.rows:
            row += 1
            for column, cell in enumerate(cells):
                if isinstance(cell, int):
                    page.write_number(row, column, cell, looks["count"])
                else:
                    page.write_string(row, column, cell, looks["text"])
    page = book.add_worksheet(gettext("Cách hiểu số liệu")[:SHEET_CHARS_MAX])
    page.set_column(0, 0, 34, looks["text"])
    page.set_column(1, 1, 90, looks["text"])
    for row, (word, meaning) in enumerate([*definitions(), *anchors(report)]):
        page.write_string(row, 0, word, looks["text"])
        page.write_string(row, 1, meaning, looks["text"])
    book.close()
    return out.getvalue()


def _width(sheet: Sheet, column: int) -> int:
    """In characters: the longest cell, within reason."""
    longest = max((len(str(row[column])) for row in sheet.rows), default=0)
    head = max(len(word) for word in sheet.heads[column].text.split()) if sheet.heads[column].text else 0
    return min(WIDTH_MAX, max(9, longest + 2, head + 2))
