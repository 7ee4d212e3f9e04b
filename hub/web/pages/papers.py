"""Văn bản and Ý kiến: documents sent to communes with their read receipts, and what citizens told communes.

One file for both, because both are letters: one goes down and is receipted, one comes up and is answered.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.media import Upload
from hub.papers import (
    ANSWER_CHARS_MAX,
    FILE_BYTES_MAX,
    ISSUER_CHARS_MAX,
    KINDS,
    NUMBER_CHARS_MAX,
    SUMMARY_CHARS_MAX,
    feedback_one,
    feedback_rows,
    paper_file,
    paper_page,
    paper_rows,
)
from hub.web import auth, forms
from hub.web.acts import once
from hub.web.choices import categories, territories
from hub.web.refusals import errors_of, say
from hub.web.tongue import gettext
from hub.web.words import dmy, nfc
from ledger.facts import TITLE_CHARS_MAX, covers, local_day
from ledger.log import NotAllowed

papers = Blueprint("papers", __name__)

FIELDS = (
    "kind", "number", "issuer", "issued", "title", "summary", "category", "territory", "due", "replaces",
)  # fmt: skip
PLACES_MAX = 30  # documents of one answer that show where the words stand
DUE_DAYS = 7  # what the form proposes
INLINE = ("image/png", "image/jpeg")  # anything else is a download: nothing of a document runs here


@papers.get("/van-ban")
def page() -> ResponseReturnValue:
    officer = auth.officer()
    words = nfc(request.args.get("tim", ""))[:100]
    texts = auth.the_hub().texts
    rows = paper_rows(
        auth.the_hub(), officer.territory, words=words, found_in=texts.find(words) if texts else None
    )
    asked = rows[:PLACES_MAX] if texts and words else []
    places = {row.id: texts.snippet(row.file, words) for row in asked} if texts else {}
    waiting = len(feedback_rows(auth.the_hub(), officer.territory, open_only=True))
    return render_template("papers.html", rows=rows, words=words, waiting=waiting, places=places)


@papers.get("/van-ban/moi")
def new() -> ResponseReturnValue:
    officer, today = auth.needs("approver"), local_day(auth.now())
    values: dict[str, object] = {
        "kind": KINDS[0], "territory": officer.territory, "issued": dmy(today), "due": dmy(today + DUE_DAYS),
        "issuer": auth.the_hub().config.name, "replaces": "",
    }  # fmt: skip
    replaced = request.args.get("thay", "")
    found = paper_page(auth.the_hub(), replaced, officer.territory) if replaced else None
    if found is not None:
        fact = found[0].fact
        values |= {
            "kind": fact.kind, "number": fact.number, "issuer": fact.issuer, "issued": dmy(fact.issued_day),
            "title": fact.title, "summary": fact.summary, "category": fact.category,
            "territory": fact.territory, "due": dmy(fact.due_day) if fact.due_day is not None else "",
            "replaces": replaced,
        }  # fmt: skip
    return form(values, {})


@papers.post("/van-ban/moi")
def new_post() -> ResponseReturnValue:
    hub, officer = auth.the_hub(), auth.needs("approver")
    reader = forms.Reader(request.form, FIELDS)
    kind = reader.choice("kind", KINDS)
    number = reader.line("number", chars_max=NUMBER_CHARS_MAX, required=False)
    issuer = reader.line("issuer", chars_max=ISSUER_CHARS_MAX)
    issued = reader.day("issued")
    title = reader.line("title", chars_max=TITLE_CHARS_MAX)
    summary = reader.text("summary", chars_max=SUMMARY_CHARS_MAX, required=False)
    category = reader.choice("category", dict(categories()))
    territory = reader.choice("territory", dict(territories(officer.territory)))
    due = reader.day("due") if request.form.get("due", "").strip() else None
    replaces = reader.line("replaces", chars_max=32, required=False)
    if reader.errors:
        return form(reader.values, reader.errors, 422)

    def act() -> str:
        made = hub.commands.issue_document(
            officer, kind=kind, number=number, issuer=issuer, issued_day=issued, title=title, summary=summary,
            category=category, file=uploaded(), territory=territory,
            due_day=due if kind == KINDS[0] else None, replaces=replaces, now=auth.now(),
        )  # fmt: skip
        flash(gettext("Đã ký và gửi. Trạm tải về khi có mạng, sau các tệp phát thanh."), "ok")
        return url_for("papers.one", document=made)

    try:
        return once(act)
    except NotAllowed as refusal:
        return form(reader.values, errors_of(refusal, lambda name: name in (*FIELDS, "file")), 422)


@papers.get("/van-ban/<document>")
def one(document: str) -> ResponseReturnValue:
    return shown(document, {})


@papers.post("/van-ban/<document>/thu-hoi")
def withdraw(document: str) -> ResponseReturnValue:
    officer = auth.needs("approver")

    def act() -> str:
        auth.the_hub().commands.withdraw_document(officer, document, now=auth.now())
        flash(gettext("Đã thu hồi. Trạm bỏ khỏi tủ tài liệu ở lần liên lạc tới."), "ok")
        return url_for("papers.page")

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(document, {"act": say(refusal)}, 422)


@papers.get("/van-ban/<document>/tep")
def file(document: str) -> ResponseReturnValue:
    officer = auth.officer()
    if paper_page(auth.the_hub(), document, officer.territory) is None:
        abort(404)
    found = paper_file(auth.the_hub(), document)
    if found is None:
        abort(404)
    data, media_type = found
    ending = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}.get(media_type, "txt")
    inline = media_type in INLINE
    answer = Response(data, mimetype=media_type if inline else "application/octet-stream")
    way = "inline" if inline else "attachment"
    answer.headers["Content-Disposition"] = f'{way}; filename="{document[:8]}.{ending}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


@papers.get("/y-kien")
def inbox() -> ResponseReturnValue:
    officer = auth.officer()
    words, only = nfc(request.args.get("tim", ""))[:100], request.args.get("loai", "")
    rows = feedback_rows(auth.the_hub(), officer.territory, words=words, open_only=only == "mo")
    return render_template("inbox.html", rows=rows, words=words, only=only)


@papers.get("/y-kien/<name>")
def letter(name: str) -> ResponseReturnValue:
    return letter_shown(name, {}, {})


@papers.post("/y-kien/<name>")
def answer(name: str) -> ResponseReturnValue:
    officer = auth.needs("editor", "approver")
    reader = forms.Reader(request.form, ("text", "closed"))
    text = reader.text("text", chars_max=ANSWER_CHARS_MAX, required=False)
    closed = request.form.get("closed", "") == "1"
    found = feedback_one(auth.the_hub(), name)
    if found is None or not covers(officer.territory, found.unit):
        abort(404)
    if reader.errors:
        return letter_shown(name, reader.values, reader.errors, 422)

    def act() -> str:
        commands = auth.the_hub().commands
        commands.answer_feedback(officer, name, found.unit, text, closed=closed, now=auth.now())
        flash(gettext("Đã ký câu trả lời. Xã và người dân thấy ở lần liên lạc tới."), "ok")
        return url_for("papers.letter", name=name)

    try:
        return once(act)
    except NotAllowed as refusal:
        return letter_shown(name, reader.values, errors_of(refusal, lambda field: field == "text"), 422)


def shown(document: str, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    found = paper_page(auth.the_hub(), document, auth.officer().territory)
    if found is None:
        abort(404)
    row, receipts, media_type, length = found
    return (
        render_template(
            "paper.html", row=row, receipts=receipts, media_type=media_type, length=length, errors=errors
        ),
        status,
    )


def letter_shown(
    name: str, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    found = feedback_one(auth.the_hub(), name)
    if found is None or not covers(auth.officer().territory, found.unit):
        abort(404)
    return render_template(
        "letter.html", row=found, values=values, errors=errors, chars_max=ANSWER_CHARS_MAX
    ), status


def form(values: dict[str, object], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    return (
        render_template(
            "paper_form.html", values=values, errors=errors, categories=categories(),
            territories=territories(auth.officer().territory), bytes_max=FILE_BYTES_MAX,
            kinds=[
                (KINDS[0], gettext("Công văn, chỉ thị: xã phải xác nhận đã đọc")),
                (KINDS[1], gettext("Tài liệu cho tủ sách: tờ gấp, luật, hỏi đáp")),
            ],
        ),
        status,
    )  # fmt: skip


def uploaded() -> Upload | None:
    """The file of the form, if one was chosen. Its name is never used as a path."""
    given = request.files.get("file")
    if given is None or not given.filename:
        return None
    with given.stream as stream:
        return Upload(stream.read(), nfc(given.filename))
