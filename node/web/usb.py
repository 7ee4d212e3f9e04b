"""The stick: its files sent from this browser, the station's own file for it, the question of the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from ledger.log import LoaError
from node.page.office import Office
from node.page.phrases import Words
from node.stick import usb_words
from node.stick.tray import TRAY_BYTES_MAX, take_in
from node.web.parts import address, ask, back, flash_done, flash_refused, flash_said, person

PAGE = Blueprint("usb", __name__)
MENU = Words("USB", "USB")
SLACK_BYTES = 64 << 10
REFUSALS = {
    "stick-busy": Words("Đang đọc một USB khác; hãy chờ.", "Another stick is being read; wait."),
    "stick-large": Words(
        "Các tệp lớn hơn 64 MB. Hãy cắm USB vào hộp trạm và gõ: loa node usb import.",
        "The files are larger than 64 MB. Put the stick into the box and type: loa node usb import.",
    ),
    "stick-gone": Words(
        "Trạm vừa khởi động lại; hãy gửi lại các tệp.", "The station started anew; send the files again."
    ),
    "stick-empty": Words("Không có tệp .loa nào.", "There is no .loa file."),
    "desk-full": Words("Thẻ nhớ của trạm đã đầy.", "The card of the station is full."),
}

NO_ANSWER = Words(
    "Trong các tệp này không có thư trả lời của tỉnh.", "There is no answer of the province here."
)
NOT_TAKEN = Words(
    "Không nhận thư trả lời này: không phải cho trạm này, không phải của tỉnh này, hoặc đã nhận rồi. "
    "Hãy mang tệp mới của trạm lên tỉnh.",
    "The answer was not taken: not for this station, not of this province, or taken before. "
    "Carry a fresh file of the station to the province.",
)
DAMAGED = Words(
    "Một phần USB bị hỏng hoặc thiếu; chuyến sau sẽ mang nốt.",
    "A part of the stick was damaged or missing; the next one brings the rest.",
)


def waiting(office: Office, _person: object) -> int:
    """Emergencies that wait for the time."""
    question = office.tray.question()
    return 0 if question is None else len(question.orders)


@PAGE.get("/usb")
def page() -> ResponseReturnValue:
    def look(office: Office) -> dict[str, Any]:
        question, status = office.tray.question(), office.station.status()
        assert status.live is not None
        asked = question.word.utc_s if question is not None else 0
        return {
            "question": question,
            "time": Words(usb_words.vietnamese(asked), usb_words.english(asked)),
            "wanting": status.live.missing,
            "hub_s": status.sync_ok_s,
        }

    return render_template("usb.html", **ask(look))


@PAGE.post("/usb/nhan")
def bring() -> ResponseReturnValue:
    """Files of a stick, as this browser sends them."""
    who, where = person(), address()
    files = [file.stream for file in request.files.getlist("files") if file.filename]
    if not files:
        flash_said(REFUSALS["stick-empty"], "bad")
        return back("usb.page")
    try:
        received = take_in(ask, files)
        ask(lambda office: office.note_stick(who, "in", where))
    except LoaError as error:
        flash_refused(error)
        return back("usb.page")
    for words, look in told(received):
        flash_said(words, look)
    return back("usb.page")


@PAGE.post("/usb/lay")
def fetch() -> ResponseReturnValue:
    """The station's own file, to be saved onto a stick."""
    who, where = person(), address()

    def put_out(office: Office) -> tuple[str, int]:
        office.note_stick(who, "out", where)
        return office.tray.put_out()

    name, size = ask(put_out)

    def portions() -> Iterator[bytes]:
        at = 0
        while at < size and (data := ask(_portion(at))):
            at += len(data)
            yield data

    answer = Response(stream_with_context(portions()), mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Content-Length"] = str(size)
    return answer


@PAGE.post("/usb/gio")
def say_time() -> ResponseReturnValue:
    """A person looked at a watch."""
    who, where = person(), address()
    yes = request.form.get("answer") == "yes"
    try:
        word = bytes.fromhex(request.form.get("word", ""))
    except ValueError:
        word = b""
    counts = ask(lambda office: office.say_time(who, word, yes=yes, address=where))
    if counts:
        flash_done("Đã ghi: giờ đúng. Trạm phát tin khẩn ngay.", "Noted: the time is right. It plays now.")
    elif yes:
        flash_said(
            Words(
                "Đồng hồ vừa bị đổi trong lúc hỏi; chưa ghi gì. Hãy xem lại và trả lời lần nữa.",
                "The clock was changed meanwhile; nothing was noted. Look again, and answer once more.",
            ),
            "bad",
        )
    else:
        flash_said(
            Words(
                "Đã ghi: giờ sai. Trạm CHƯA phát tin khẩn. Gọi kỹ thuật đặt lại giờ, rồi trả lời lại.",
                "Noted: the time is wrong. The emergency is NOT played. The technician sets the clock.",
            ),
            "bad",
        )
    return back("usb.page")


@PAGE.before_request
def _allow_a_stick() -> None:
    """Only here may a form be so large."""
    if request.endpoint == "usb.bring":
        request.max_content_length = TRAY_BYTES_MAX + SLACK_BYTES


def _portion(at: int) -> Callable[[Office], bytes]:
    return lambda office: office.tray.portion(at)


def told(received: dict[str, Any]) -> list[tuple[Words, str]]:
    """What a stick brought, in sentences; each with its look."""
    got, lines = received, []
    if got["refused"] == "stick-no-answer":
        lines.append((NO_ANSWER, "bad"))
    elif got["refused"]:
        lines.append((NOT_TAKEN, "bad"))
    else:
        vi = (
            f"{got['decisions']} quyết định, {got['contents']} nội dung; còn thiếu {got['wanting']} nội dung."
        )
        en = f"{got['decisions']} decisions, {got['contents']} contents; {got['wanting']} are still missing."
        lines.append((Words(f"Đã nhận: {vi}", f"Taken in: {en}"), "ok"))
    if got["damages"] or got["cut"] or got["missing"] or got["unread"]:
        lines.append((DAMAGED, "bad"))
    if got["no_room"]:
        lines.append((REFUSALS["desk-full"], "bad"))
    return lines
