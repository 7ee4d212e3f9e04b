"""The run sheet as a page to print: A4, black on white, Vietnamese, nothing that needs a network or a script.

Whoever reads it stands at a transmitter with a pencil. So a line holds just what is needed there: the number
(of the file on the stick), the time, the title, how long, the class, the code for the telephone, the same as
a symbol for a telephone that can see, boxes to tick and room to sign.

Bound: text from rows of `ledger.facts.sheet`. Hub and station use it alike, on a page and on a command line.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from html import escape
from itertools import groupby
from typing import Final

from ledger.facts import Klass, SheetLine, local_day, minute_of_day
from ledger.symbol import code_text, is_base, symbol

__all__ = ["CSP", "STYLE_POLICY", "is_base", "sheet_html"]

STYLE: Final = """
@page { size: A4; margin: 12mm 10mm; }
* { box-sizing: border-box; }
body { font: 11pt/1.35 "DejaVu Sans", "Noto Sans", Arial, sans-serif; color: #000; background: #fff;
  margin: 0 auto; max-width: 190mm; padding: 4mm; }
h1 { font-size: 16pt; margin: 0; }
h2 { font-size: 12pt; margin: 5mm 0 1mm; break-after: avoid; }
p { margin: 1mm 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border: .3mm solid #000; padding: 1.2mm 1.5mm; text-align: left; vertical-align: top; }
th { font-size: 9pt; }
tr { break-inside: avoid; }
.n, .t, .l, .c { white-space: nowrap; }
.c { font-family: "DejaVu Sans Mono", monospace; font-weight: bold; }
.c svg { display: block; margin: .5mm 0 -1mm -1.5mm; }
.s { width: 28mm; }
.b { white-space: nowrap; font-size: 10pt; }
.hot td { border-width: .7mm; }
small { font-size: 9pt; }
footer { margin-top: 5mm; border-top: .3mm solid #000; padding-top: 2mm; break-inside: avoid; }
@media (max-width: 640px) { table, tbody, tr, td { display: block; } thead { display: none; }
  td { border-width: 0; width: auto; } tr { border: .3mm solid #000; margin-bottom: 2mm; } }
"""
# For a server that sends the page with a policy: this style, and nothing else.
STYLE_POLICY: Final = "'sha256-" + b64encode(sha256(STYLE.encode()).digest()).decode() + "'"
CSP: Final = f"default-src 'none'; style-src {STYLE_POLICY}; base-uri 'none'; frame-ancestors 'none'"

_DAYS: Final = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")
_CLASSES: Final = {
    Klass.FILLER: "chương trình nền",
    Klass.RELAY: "tiếp sóng",
    Klass.NORMAL: "thường",
    Klass.PRIORITY: "ưu tiên",
    Klass.EMERGENCY: "KHẨN CẤP",
}
_EPOCH: Final = date(1970, 1, 1)
_POINT: Final = {
    True: "<p>Có điện thoại: quét ô vuông của dòng ấy, trang xác nhận mở ra; đăng nhập rồi ký.</p>",
    False: "<p>Ô vuông chứa đúng mã của dòng ấy, quét bằng điện thoại để khỏi gõ.</p>",
}
_BOXES: Final = "☐ đủ<br>☐ một phần<br>☐ không phát"


def sheet_html(
    name: str, unit: str, first_day: int, days: int, lines: Sequence[SheetLine], *, made_s: float,
    telephone: str = "", files: bool = False, base: str = "",
) -> str:  # fmt: skip
    """A whole HTML document. made_s: UTC s of the plan it was made from. files: numbers name files.

    base: the address of the page where a line is confirmed (`is_base`), for its symbol; "": the code alone.
    """
    made_at = f"{_hm(minute_of_day(made_s))} {_dmy(local_day(made_s))}"
    title = f"Lịch phát {escape(name)}, {_dmy(first_day)} – {_dmy(first_day + days - 1)}"
    head = [
        "<!doctype html>",
        '<html lang="vi"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        f"<p>Trạm <b>{escape(name)}</b> ({escape(unit)}) · {len(lines)} lượt phát · lập lúc {made_at}</p>",
    ]
    if not lines:
        head.append("<p>Không có lượt phát nào trong những ngày này.</p>")
    symbols = {line.number: symbol(code_text(base, unit, line.code)) for line in lines}
    body = [
        _day(day, list(of_day), files, symbols)
        for day, of_day in groupby(lines, key=lambda line: line.slot.day)
    ]
    call = f", điện thoại {escape(telephone)}" if telephone else ""
    foot = (
        "<footer><p><b>Sau khi phát:</b> đánh dấu, ký, rồi gọi cho tỉnh"
        f"{call} và đọc <b>mã</b> từng nhóm (ví dụ 05 – 4821 – 57). Mã sai một chữ số là biết ngay.</p>"
        f"{_POINT[bool(base)] if any(symbols.values()) else ''}"
        "<p>Không phát được vẫn phải báo: mất điện, hỏng máy, chưa có tệp, dừng theo yêu cầu.</p>"
        "<p>Lịch đổi sau khi in thì mã cũ không dùng được: xin tờ mới.</p></footer></body></html>"
    )
    return "\n".join([*head, *body, foot]) + "\n"


def _day(day: int, lines: list[SheetLine], files: bool, symbols: Mapping[int, str]) -> str:
    rows = "".join(_line(line, symbols[line.number]) for line in lines)
    number = "Tệp số" if files else "Số"
    when = _EPOCH + timedelta(days=day)
    return (
        f"<h2>{_DAYS[when.weekday()]} {_dmy(day)}</h2>\n<table><thead><tr><th>{number}</th><th>Giờ</th>"
        "<th>Tiêu đề</th><th>Độ dài, loại</th><th>Mã</th><th>Đã phát</th><th>Ký xác nhận</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _line(line: SheetLine, drawn: str) -> str:
    slot = line.slot
    minute = minute_of_day(slot.start_s)
    title = escape(slot.text or slot.title) if slot.emergency else escape(slot.title)
    if slot.emergency and slot.drill:
        title = f"<b>DIỄN TẬP.</b> {title}"
    notes = ""
    if line.gives_way:
        notes = f"<br><small>Nhường: {escape(line.gives_way)}; phát sau nếu còn kịp.</small>"
    length = f"{slot.length_s // 60}′{slot.length_s % 60:02d}″"
    until = f"trước {_hm(minute_of_day(slot.begin_until_s))}" if slot.emergency else length
    hot = " class=hot" if slot.emergency else ""
    return (
        f"<tr{hot}><td class=n>{line.number:03d}</td><td class=t>{_hm(minute)}</td>"
        f"<td>{title}{notes}</td><td class=l>{until}<br>{_CLASSES[Klass(slot.klass)]}</td>"
        f"<td class=c>{line.code}{drawn}</td>"
        f"<td class=b>{_BOXES}</td><td class=s></td></tr>\n"
    )


def _hm(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _dmy(day: int) -> str:
    return f"{_EPOCH + timedelta(days=day):%d/%m/%Y}"
