"""Duyệt: what waits for a second person, read and heard whole, compared with the version before, and decided.

The form carries the version and the hash of exactly what was on the page; when either has changed meanwhile,
nothing is approved. There is no button for several at once: each is one signature under one text.

Bound: the page. Who may approve what is `node.page.bulletins`.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from ledger.facts import Right
from node.page import local_views
from node.page.bulletins import Bulletins
from node.page.local_views import Row
from node.page.office import Office, Person
from node.page.phrases import Words
from node.web import bulletin_words
from node.web.bulletin_words import DEEDS, STATES, category_name, hm
from node.web.bulletins import HEX_ID, HEX_SHA
from node.web.parts import ask, attempt, back, field, number, person

PAGE = Blueprint("approvals", __name__)
MENU = Words("Duyệt", "Approve")
REFUSALS: Final = bulletin_words.REFUSALS | {
    "four-eyes-key": Words(
        "Không ai duyệt bản tin do chính mình soạn. Người khác có quyền phải duyệt.",
        "Nobody approves what they wrote. Another person with the right must approve.",
    ),
    "four-eyes-account": Words(
        "Chính người này đã soạn bản tin, bằng một khóa khác. Người khác có quyền phải duyệt.",
        "This person wrote it, under another key. Another person with the right must approve.",
    ),
    "content-changed": Words(
        "Nội dung đã đổi từ lúc mở trang. Hãy đọc lại bản mới. Chưa có gì được ký.",
        "What you looked at has changed. Read it again. Nothing was signed.",
    ),
    "not-submitted": Words("Bản tin này không còn chờ duyệt.", "It does not wait for approval any more."),
    "already-approved": Words("Bản này đã được duyệt rồi.", "This version is approved already."),
    "expired": Words(
        "Ngày cuối của bản tin đã qua. Hãy trả lại để sửa ngày.", "Its last day has passed. Return it."
    ),
}


@PAGE.context_processor
def _words() -> dict[str, Any]:
    return {"states": STATES, "deed_names": DEEDS, "category_name": category_name, "hm": hm}


def waiting(office: Office, who: Person) -> int:
    """What this person could approve now."""
    if not office.may(who, Right.APPROVE):
        return 0
    return local_views.waiting(office, who.key_id)


@PAGE.get("/duyet")
def page() -> ResponseReturnValue:
    who = person()

    def look(office: Office) -> tuple[list[Row], bool]:
        return local_views.queue(office), office.may(who, Right.APPROVE)

    rows, may = ask(look)
    return render_template("approvals.html", rows=rows, may=may, who=who)


@PAGE.get("/duyet/<name>")
def one(name: str) -> ResponseReturnValue:
    if not HEX_ID.fullmatch(name):
        abort(404)
    who = person()
    found, may = ask(
        lambda office: (local_views.page(office, bytes.fromhex(name)), office.may(who, Right.APPROVE))
    )
    if found.row.state != "submitted":
        return back("bulletins.one", name=name)
    return render_template("approval.html", found=found, may=may, wrote=who.key_id in found.row.wrote)


@PAGE.post("/duyet/<name>/duyet")
def approve(name: str) -> ResponseReturnValue:
    manifest = request.form.get("manifest", "")
    if not HEX_ID.fullmatch(name) or not HEX_SHA.fullmatch(manifest):
        abort(400)
    who, version = person(), number("version") or 0
    done = attempt(
        lambda office: Bulletins(office).approve(
            who, bytes.fromhex(name), version=version, manifest=bytes.fromhex(manifest)
        ),
        Words(
            "Đã duyệt và ký. Bước tiếp: cán bộ xếp lịch phát.",
            "Approved and signed. Next: a place on the plan.",
        ),
    )
    return back("approvals.page") if done else back("approvals.one", name=name)


@PAGE.post("/duyet/<name>/tra-lai")
def give_back(name: str) -> ResponseReturnValue:
    if not HEX_ID.fullmatch(name):
        abort(400)
    who, reason = person(), field("reason", 500)
    done = attempt(
        lambda office: Bulletins(office).send_back(who, bytes.fromhex(name), reason),
        Words("Đã trả lại kèm lý do.", "Returned, with the reason."),
    )
    return back("approvals.page") if done else back("approvals.one", name=name)
