"""A report's rows in the reader's language, once for screen, print, CSV and XLSX: none has a row of its own.

Slugs become words, instants become dates, seconds become whole minutes; counts stay numbers.

Bound: words. What the files look like is `report_files`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.report_rows import Ask, Cell, Report, Table
from hub.report_tables import IT
from hub.web.names import category_name, detail_name, emergency_name, evidence_name, outcome_name, unit_name
from hub.web.tally import Piece, pieces
from hub.web.tongue import gettext
from hub.web.words import MINUTE_S, dmy, lang, stamp
from ledger.facts import Detail, Evidence, Outcome

ASIDE: Final = frozenset({"unit", "bulletin", "series"})  # ids: in the files, not on the screen
NOT_SAID: Final = "–"


@dataclass(frozen=True)
class Head:
    """A column. slug: as in the rows. aside: for files only. number: its cells are counts."""

    slug: str
    text: str
    number: bool
    aside: bool


@dataclass(frozen=True)
class Sheet:
    """A table to be read. note: what a reader must know before its figures."""

    slug: str
    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    @property
    def first_word(self) -> int:
        """The place of the column that names the row."""
        return next(place for place, head in enumerate(self.heads) if not head.aside)


def minutes(seconds: int) -> int:
    """Whole minutes, half up: a number that no spreadsheet takes for a date."""
    return (seconds + MINUTE_S // 2) // MINUTE_S


def sheets(report: Report) -> list[Sheet]:
    """Every table of a report, in its order."""
    return [_sheet(table) for table in report.tables]


def bar(report: Report) -> list[Piece]:
    """The slots of IT stations as the first page shows a day."""
    totals = report.table("totals")
    own = {
        int(outcome): int(totals.figure(f"it_{slug}", "count"))
        for slug, outcome in (("late", Outcome.PLAYED_LATE), *((one.name.lower(), one) for one in Outcome))
        if slug in IT and outcome is not Outcome.UNKNOWN
    }
    said, unknown = (int(totals.figure(f"it_{slug}", "count")) for slug in ("attested", "unknown"))
    return pieces(own, attested=said, unknown=unknown)


def about(ask: Ask) -> list[tuple[str, str]]:
    """What was asked, as (word, answer)."""
    found = [
        (gettext("Kỳ báo cáo"), f"{dmy(ask.first_day)} – {dmy(ask.last_day)}"),
        (gettext("Địa bàn"), unit_name(ask.territory)),
    ]
    if ask.group:
        found.append((gettext("Nhóm trạm"), f"{ask.group} ({len(ask.units)})"))
    if ask.category:
        found.append((gettext("Lĩnh vực"), category_name(ask.category)))
    if ask.campaign:
        found.append((gettext("Đợt tuyên truyền"), f"{ask.campaign} ({len(ask.bulletins)})"))
    return found


def anchors(report: Report) -> list[tuple[str, str]]:
    """What makes the figures findable again, as (word, value)."""
    found = [
        (gettext("Mã số liệu (SHA-256)"), report.digest),
        (gettext("Vị trí trong sổ của trung tâm"), str(report.position)),
        (gettext("Băm mọi thứ đã nhận tới vị trí ấy"), report.trail.hex()),
    ]
    if report.head is not None:
        log_id, next_seq, head_hash = report.head
        said = f"{log_id.hex()} #{next_seq} {head_hash.hex()}"
        found.append((gettext("Đầu nhật ký ký số của trung tâm"), said))
    return found


def _sheet(table: Table) -> Sheet:
    said = {"totals": _totals_rows}.get(table.name)
    heads = tuple(_head(table.name, slug) for slug in table.columns)
    if said is not None:
        return Sheet(table.name, _title(table.name), heads, said(table))
    turns = [_TURNS.get(slug) for slug in table.columns]
    rows = tuple(
        tuple(cell if turn is None else turn(cell) for cell, turn in zip(row, turns, strict=True))
        for row in table.rows
    )
    return Sheet(table.name, _title(table.name), heads, rows, _note(table.name) if rows else "")


def _totals_rows(table: Table) -> tuple[tuple[Cell, ...], ...]:
    found: list[tuple[Cell, ...]] = []
    for slug, count in table.rows:
        word = figure_name(str(slug))
        if word:
            found.append((word, minutes(int(count)) if str(slug).endswith("_seconds") else count))
    return tuple(found)


def figure_name(slug: str) -> str:
    """A figure of the table of totals; "" for one that is said elsewhere."""
    part, _, rest = slug.partition("_")
    if part == "it":
        return gettext("Trạm CNTT: %(what)s", what=_lower(column_name(rest)))
    if part == "fm":
        return gettext("Trạm FM: %(what)s", what=_lower(column_name(rest)))
    return {
        "stations_it": gettext("Số trạm CNTT"),
        "stations_fm": gettext("Số trạm FM"),
        "beyond": gettext("Lượt ngoài lịch"),
        "deeds_drafted": gettext("Bản tin mới soạn"),
        "deeds_submitted": gettext("Lần gửi duyệt"),
        "deeds_approved": gettext("Lần duyệt bản tin"),
        "deeds_returned": gettext("Lần trả lại"),
        "deeds_scheduled": gettext("Lịch đã ký"),
        "deeds_cancelled": gettext("Lịch đã hủy"),
        "deeds_withdrawn": gettext("Bản tin đã thu hồi"),
    }.get(slug, "")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def column_name(slug: str) -> str:
    """A column's heading."""
    return {
        "owed": gettext("Lượt phát theo lịch"),
        "played": gettext("Đã phát"),
        "late": gettext("Phát trễ"),
        "partial": gettext("Phát một phần"),
        "interrupted": gettext("Bị ngắt"),
        "silent": gettext("Loa im tiếng"),
        "missed": gettext("Bỏ lỡ"),
        "suppressed": gettext("Không được phép phát"),
        "declined": gettext("Xã không nhận"),
        "withdrawn": gettext("Đã thu hồi"),
        "attested": gettext("Người trực xác nhận"),
        "unknown": gettext("Chưa rõ"),
        "seconds": gettext("Phút đã phát"),
        "said_played": gettext("Người trực xác nhận đã phát"),
        "said_partial": gettext("Người trực xác nhận một phần"),
        "said_missed": gettext("Người trực xác nhận bỏ lỡ"),
        "own": gettext("Trạm tự báo qua USB"),
        "unsaid": gettext("Chưa ai xác nhận"),
        "fm_owed": gettext("FM: lượt theo lịch"),
        "fm_said": gettext("FM: đã xác nhận"),
        "figure": gettext("Số liệu"),
        "count": gettext("Số lượng"),
        "cause": gettext("Nguyên nhân"),
        "slots": gettext("Số lượt"),
        "stations": gettext("Số trạm"),
        "level": gettext("Mức bằng chứng"),
        "rank": gettext("Cấp độ"),
        "unit": gettext("Mã đơn vị"),
        "name": gettext("Trạm"),
        "category": gettext("Lĩnh vực"),
        "approved": gettext("Lần duyệt"),
        "bulletin": gettext("Mã bản tin"),
        "title": gettext("Bản tin"),
        "start": gettext("Lúc"),
        "at": gettext("Ký lúc"),
        "series": gettext("Số lịch"),
        "kind": gettext("Tình huống"),
        "drill": gettext("Diễn tập hay thật"),
        "territory": gettext("Địa bàn"),
        "targets": gettext("Trạm CNTT phải nhận"),
        "reached": gettext("Loa đã có tiếng"),
        "failed": gettext("Không có tiếng"),
        "ended": gettext("Báo yên"),
        "what": gettext("Việc"),
        "reason": gettext("Lý do"),
        "removed": gettext("Trạm đã gỡ trước khi phát"),
        "already": gettext("Trạm đã phát trước đó"),
        "number": gettext("Số, ký hiệu"),
        "issuer": gettext("Cơ quan ban hành"),
        "state": gettext("Tình trạng"),
        "asks": gettext("Cần xác nhận đã đọc"),
        "communes": gettext("Số xã nhận"),
        "read": gettext("Số xã đã đọc"),
        "topic": gettext("Việc phản ánh"),
        "received": gettext("Đã nhận"),
        "answered": gettext("Đã trả lời"),
        "closed": gettext("Khép lại không trả lời"),
        "open": gettext("Chưa trả lời"),
        "outcome": gettext("Kết quả"),
    }.get(slug, slug)


def _title(name: str) -> str:
    return {
        "totals": gettext("Tổng hợp"),
        "causes": gettext("Vì sao không phát được"),
        "evidence": gettext("Mức bằng chứng"),
        "stations": gettext("Theo trạm CNTT"),
        "fm": gettext("Theo trạm FM"),
        "categories": gettext("Theo lĩnh vực"),
        "bulletins": gettext("Theo bản tin"),
        "emergencies": gettext("Khẩn cấp và diễn tập"),
        "withdrawals": gettext("Thu hồi và hủy lịch"),
        "documents": gettext("Văn bản"),
        "feedback": gettext("Ý kiến của người dân"),
        "missed": gettext("Những lượt không phát được"),
    }.get(name, name)


def _note(name: str) -> str:
    return {
        "fm": gettext("Trạm FM không tự báo: đây là lời người trực xác nhận, đếm riêng."),
        "evidence": gettext("Chỉ đếm lượt trạm tự báo là loa đã có tiếng, dù không trọn vẹn."),
        "withdrawals": gettext("Trạm chưa trả lời là trạm chưa nhận được lệnh thu hồi."),
    }.get(name, "")


_TEXTS: Final = frozenset(
    {
        "unit", "name", "cause", "category", "bulletin", "title", "kind", "territory", "what", "reason",
        "number", "issuer", "state", "topic", "outcome", "figure", "start", "at", "drill", "ended", "asks",
    }
)  # fmt: skip


def _head(table: str, slug: str) -> Head:
    name = "rank" if (table, slug) == ("emergencies", "level") else slug
    title = gettext("Tên văn bản") if (table, slug) == ("documents", "title") else column_name(name)
    number = slug not in _TEXTS and (table, slug) != ("evidence", "level")
    return Head(slug, title, number, slug in ASIDE)


def _cause(cell: Cell) -> Cell:
    name = str(cell)
    code = Detail[name.upper()] if name.upper() in Detail.__members__ else int(name.rpartition("_")[2])
    return detail_name(code) or gettext("không nêu lý do")


def _level(cell: Cell) -> Cell:
    return cell if isinstance(cell, int) else evidence_name(Evidence[cell.upper()])


def _what(cell: Cell) -> Cell:
    return gettext("Thu hồi bản tin") if cell == "withdrawn" else gettext("Hủy lịch")


def _state(cell: Cell) -> Cell:
    return gettext("Đã thu hồi") if cell == "withdrawn" else gettext("Đang hiệu lực")


_TURNS: Final[dict[str, Callable[[Cell], Cell]]] = {
    "seconds": lambda cell: minutes(int(cell)),
    "category": lambda cell: category_name(str(cell)) if cell else NOT_SAID,
    "cause": _cause,
    "level": _level,
    "outcome": lambda cell: outcome_name(Outcome[str(cell).upper()]),
    "kind": lambda cell: emergency_name(str(cell)),
    "territory": lambda cell: unit_name(str(cell)),
    "start": lambda cell: stamp(int(cell)),
    "at": lambda cell: stamp(int(cell)),
    "drill": lambda cell: gettext("diễn tập") if cell else gettext("thật"),
    "ended": lambda cell: gettext("đã báo yên") if cell else NOT_SAID,
    "what": _what,
    "state": _state,
    "asks": lambda cell: gettext("có") if cell else gettext("không"),
    "title": lambda cell: cell or NOT_SAID,
}


def file_stem(ask: Ask) -> str:
    """A file name without accents or spaces: it will travel by Zalo and on sticks."""
    return f"bao-cao-{dmy(ask.first_day).replace('/', '')}-{dmy(ask.last_day).replace('/', '')}-{lang()}"
