"""Phản ánh: citizens write without signing in, officers read, take up, answer; the code finds the answer."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

from flask import Blueprint, abort, g, render_template, request
from flask.typing import ResponseReturnValue

from ledger.log import LoaError
from node.page.feedback import SENDER_CHARS_MAX, TEXT_CHARS_MAX, Feedback
from node.page.office import Office, Person
from node.page.phrases import Words
from node.web.parts import address, ask, attempt, back, field, flash_refused, public

PAGE = Blueprint("feedback", __name__)
MENU = Words("Phản ánh", "Feedback")
REFUSALS: Final = {
    "feedback-often": Words(
        "Vừa có nhiều ý kiến gửi đến. Hãy thử lại sau một giờ, hoặc gọi cho xã.",
        "Much has just come in. Try again in an hour, or call the commune.",
    ),
    "feedback-full": Words(
        "Hộp ý kiến đang đầy. Hãy gặp hoặc gọi cho xã.", "The box is full. Tell the commune in person."
    ),
    "feedback-unknown": Words(
        "Không có ý kiến nào mang mã này. Hãy xem lại mã.", "Nothing has this code. Look at it again."
    ),
    "feedback-taken": Words(
        "Ý kiến này đã được ký và gửi lên tỉnh. Hãy trả lời thay vì bỏ.",
        "It is signed and on its way to the province. Answer it instead.",
    ),
    "text-empty": Words("Chưa có chữ nào. Hãy viết nội dung.", "Nothing was written."),
    "text-too-long": Words("Nội dung quá dài.", "The text is too long."),
    "text-not-allowed": Words(
        "Nội dung có ký tự không nhìn thấy được. Hãy gõ lại thay vì dán.",
        "The text holds characters nobody can see. Type it instead of pasting.",
    ),
}
ONLY: Final = ("", "new", "open", "dropped")
CATEGORIES: Final = (
    Words("Đường sá, thủy lợi", "Roads, water"), Words("Loa, giờ phát", "Loudspeakers, times"),
    Words("An ninh trật tự", "Order"), Words("Môi trường", "Environment"),
    Words("Chính sách, thủ tục", "Policies, procedures"), Words("Việc khác", "Something else"),
)  # fmt: skip

_boxes: WeakKeyDictionary[Office, Feedback] = WeakKeyDictionary()


def box(office: Office) -> Feedback:
    """One for a station: it makes its table once."""
    found = _boxes.get(office)
    if found is None:
        found = _boxes[office] = Feedback(office)
    return found


def waiting(office: Office, who: Person) -> int:
    """What nobody has read."""
    return box(office).waiting()


# -- citizens ------------------------------------------------------------------------------------------------


@PAGE.get("/y-kien")
@public
def form() -> ResponseReturnValue:
    return _form({})


@PAGE.post("/y-kien")
@public
def give() -> ResponseReturnValue:
    said = _said()
    try:
        code = ask(lambda office: box(office).give(**said, address=address()))
    except LoaError as error:
        flash_refused(error)
        return _form(said), 422
    return render_template("feedback_given.html", code=code)


@PAGE.get("/y-kien/tra-loi")
@public
def look_up() -> ResponseReturnValue:
    """The answer, for whoever has the code; the sender's name is not shown."""
    code = request.args.get("ma", "")[:20]
    try:
        row = ask(lambda office: box(office).look_up(code)) if code else None
    except LoaError as error:
        flash_refused(error)
        return render_template("feedback_found.html", row=None, code=code), 404
    return render_template("feedback_found.html", row=row, code=code)


# -- officers ------------------------------------------------------------------------------------------------


@PAGE.get("/phan-anh")
def page() -> ResponseReturnValue:
    words, only = request.args.get("tim", "").strip()[:100], request.args.get("loai", "")
    if only not in ONLY:
        abort(404)
    rows = ask(lambda office: box(office).rows(words=words, only=only))
    return render_template("feedback.html", rows=rows, words=words, only=only)


@PAGE.get("/phan-anh/<name>")
def one(name: str) -> ResponseReturnValue:
    who = g.person
    try:
        row, may = ask(lambda office: (box(office).one(name), box(office).may(who)))
    except LoaError:
        abort(404)
    return render_template("feedback_one.html", row=row, may=may, chars_max=TEXT_CHARS_MAX)


@PAGE.get("/phan-anh/ghi")
def told() -> ResponseReturnValue:
    return render_template("feedback_told.html", **_limits(), said={})


@PAGE.post("/phan-anh/ghi")
def enter() -> ResponseReturnValue:
    who, said = g.person, _said()
    try:
        code = ask(lambda office: box(office).enter(who, **said))
    except LoaError as error:
        flash_refused(error)
        return render_template("feedback_told.html", **_limits(), said=said), 422
    return render_template("feedback_given.html", code=code)


@PAGE.post("/phan-anh/<name>/nhan")
def take_up(name: str) -> ResponseReturnValue:
    who = g.person
    done = Words("Đã nhận và gửi lên tỉnh.", "Taken up; it goes to the province.")
    attempt(lambda office: box(office).take_up(who, name), done)
    return back("feedback.one", name=name)


@PAGE.post("/phan-anh/<name>/bo")
def drop(name: str) -> ResponseReturnValue:
    who = g.person
    attempt(lambda office: box(office).drop(who, name), Words("Đã bỏ, không gửi đi đâu.", "Dropped."))
    return back("feedback.page")


@PAGE.post("/phan-anh/<name>/tra-loi")
def answer(name: str) -> ResponseReturnValue:
    who, text, closed = g.person, request.form.get("text", ""), field("closed") == "1"
    done = Words("Đã ký câu trả lời.", "The answer is signed.")
    attempt(lambda office: box(office).answer(who, name, text, closed=closed), done)
    return back("feedback.one", name=name)


def _said() -> dict[str, Any]:
    return {
        "category": field("category", 64), "text": request.form.get("text", "")[: 4 * TEXT_CHARS_MAX],
        "sender": field("sender", SENDER_CHARS_MAX + 1), "share": field("share") == "1",
    }  # fmt: skip


def _limits() -> dict[str, Any]:
    return {"categories": CATEGORIES, "chars_max": TEXT_CHARS_MAX, "sender_max": SENDER_CHARS_MAX}


def _form(said: dict[str, Any]) -> str:
    return render_template("feedback_form.html", **_limits(), said=said)
