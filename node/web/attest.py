"""Xác nhận phát: for a commune whose transmitter no box listens to, what was played, by whoever played it.

Bound: the form. What may be said and who may say it is `node.page.attest`.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from ledger.facts import SHEET_DAYS, Detail, Outcome, day_from_iso, local_day, say_detail
from ledger.log import NotAllowed
from ledger.sheet import CSP, sheet_html
from node.page import attest
from node.page.office import Office, Person
from node.page.phrases import Words
from node.web.parts import ask, attempt, back, field, flash_refused, number, person

PAGE = Blueprint("attest", __name__)
MENU = Words("Xác nhận phát", "Confirm")
REFUSALS: Final = {
    "slot-unknown": Words(
        "Không có lượt phát nào như vậy để xác nhận. Chưa có gì được ký.", "There is no such slot to confirm."
    ),
    "slot-changed": Words(
        "Lịch đã đổi từ lúc bạn mở trang. Chưa có gì được ký; hãy xem lại.",
        "The plan has changed since you opened the page. Nothing was signed; look again.",
    ),
    "code-length": Words("Mã có tám chữ số, ví dụ 05-4821-57.", "A code has eight digits, as 05-4821-57."),
    "code-check": Words("Mã sai một chữ số. Hãy xem lại tờ lịch.", "A digit of the code is wrong."),
    "code-unknown": Words(
        "Bảy ngày qua không có lượt phát nào mang mã này: chưa tới giờ, hoặc lịch đã đổi sau khi in.",
        "No slot of these seven days has this code: it is not yet time, or the plan changed after printing.",
    ),
    "other-station": Words(
        "Tờ lịch này của trạm khác. Hãy mở trang của trạm ấy.",
        "This sheet is of another station: use its page.",
    ),
    "slot-ahead": Words("Lượt phát này chưa tới giờ.", "This slot has not begun yet."),
    "outcome-unknown": Words("Hãy chọn kết quả và lý do trong danh sách.", "Choose an outcome and a reason."),
    "length-range": Words("Số giây không khớp với kết quả đã chọn.", "The seconds do not fit the outcome."),
    "begin-range": Words(
        "Giờ bắt đầu phải từ một giờ trước giờ theo lịch đến bây giờ.",
        "It must have begun between an hour before its time and now.",
    ),
}
OUTCOMES: Final = (Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.MISSED)
REASONS: Final = (Detail.NONE, Detail.POWER, Detail.NOT_DELIVERED, Detail.DEVICE, Detail.OPERATOR)
SAID_BY_CHARS: Final = 120
CODE_CHARS_MAX: Final = 16


def waiting(office: Office, who: Person) -> int:
    return attest.waiting(office)


@PAGE.get("/xac-nhan")
def page() -> ResponseReturnValue:
    """All that may be confirmed. `ma`: the code of one slot, as its symbol says; `tram`: where."""
    who = person()
    code, unit = request.args.get("ma", "").strip()[:CODE_CHARS_MAX], request.args.get("tram", "").strip()
    only: list[attest.Row] | None = None
    if code:
        try:
            only = ask(lambda office: attest.of_code(office, unit, code))
        except NotAllowed as error:
            flash_refused(error)
        if only is not None and len(only) == 1:
            return back("attest.one", day=only[0].slot.day, series=only[0].slot.series)

    def look(office: Office) -> dict[str, Any]:
        moment = office.now()
        return {
            "rows": attest.rows(office) if only is None else only, "by_hand": attest.is_by_hand(office),
            "may": attest.may(office, who), "monday": _monday(local_day(moment.utc_s)),
        }  # fmt: skip

    return render_template("attests.html", **ask(look), **_words())


@PAGE.get("/xac-nhan/<int:day>/<int:series>")
def one(day: int, series: int) -> ResponseReturnValue:
    row = ask(lambda office: attest.row_of(office, series, day))
    return render_template("attest.html", row=row, **_words())


@PAGE.post("/xac-nhan/<int:day>/<int:series>")
def sign(day: int, series: int) -> ResponseReturnValue:
    who = person()
    outcome, detail, seconds = number("outcome"), number("detail"), number("seconds")
    try:
        content = bytes.fromhex(field("content", 32))
    except ValueError:
        content = b""
    if len(content) != 16:
        abort(400)
    began, words = field("at", 5), field("said_by", SAID_BY_CHARS)
    minute = _minute(began)
    if outcome == Outcome.MISSED:
        seconds, minute, began = 0, None, ""
    elif outcome in (Outcome.PLAYED, Outcome.PLAYED_LATE):
        seconds = None
    elif seconds is None:
        seconds = 0
    if began and minute is None:
        outcome = -1
    done = attempt(
        lambda office: attest.attest(
            office, who, series=series, day=day, content=content, outcome=-1 if outcome is None else outcome,
            detail=0 if detail is None else detail, minute=minute, seconds=seconds, said_by=words,
        ),
        Words("Đã ký lời xác nhận.", "Signed."),
    )  # fmt: skip
    return back("attest.page") if done else back("attest.one", day=day, series=series)


@PAGE.get("/to-lich")
def sheet() -> ResponseReturnValue:
    """The run sheet of a week, to print. `tuan`: an ISO day of that week."""
    try:
        day = day_from_iso(request.args.get("tuan", ""))
    except ValueError:
        day = ask(lambda office: local_day(office.now().utc_s))
    first = _monday(day)
    name, lines, made_s = ask(lambda office: attest.sheet(office, first))
    unit = ask(lambda office: office.unit)
    base = ask(lambda office: office.station.config.page_url)
    text = sheet_html(name, unit, first, SHEET_DAYS, lines, made_s=made_s, base=base)
    return Response(text, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": CSP})


def _monday(day: int) -> int:
    return max(0, day - (day + 3) % 7)


def _minute(text: str) -> int | None:
    hours, _, minutes = text.replace("h", ":").replace(".", ":").partition(":")
    plain = all(part.isascii() and part.isdigit() for part in (hours, minutes))
    if not plain or int(hours) > 23 or int(minutes) > 59:
        return None
    return int(hours) * 60 + int(minutes)


def _words() -> dict[str, Any]:
    return {
        "outcomes": [(int(one), Words(one.say("vi"), one.say("en"))) for one in OUTCOMES],
        "reasons": [
            (int(one), Words(say_detail(one, "vi") or "–", say_detail(one, "en") or "–")) for one in REASONS
        ],
        "said": lambda fact: Words(Outcome(fact.outcome).say("vi"), Outcome(fact.outcome).say("en")),
    }
