"""Tài liệu: documents of the province, found without diacritics; a directive is confirmed as read by PIN."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

from flask import Blueprint, abort, g, render_template, request
from flask.typing import ResponseReturnValue

from ledger.content import PDF, TextIndex
from ledger.log import LoaError
from node.page.library import Library, Row
from node.page.office import Office, Person
from node.page.phrases import Words
from node.web.bulletin_words import category_name
from node.web.parts import ask, attempt, back, field, person
from node.web.sending import send

PAGE = Blueprint("library", __name__)
MENU = Words("Tài liệu", "Documents")
REFUSALS: Final = {
    "paper-unknown": Words("Không có văn bản này ở trạm.", "There is no such document here."),
    "paper-not-here": Words(
        "Tệp này chưa về đến trạm. Trạm sẽ tự tải khi có mạng.",
        "This file has not arrived. The station fetches it when there is a network.",
    ),
    "paper-changed": Words(
        "Đã có bản mới hơn. Hãy đọc bản mới rồi xác nhận.", "A newer version came. Read that, then confirm."
    ),
}
ONLY: Final = ("", "unread", "directive", "document")
# Shown in the browser; anything else is a download, so that nothing of a document runs on this page.
INLINE: Final = {"text/plain", "image/png", "image/jpeg"}
KINDS: Final = {
    "application/pdf": Words("tệp PDF", "PDF"), "text/plain": Words("văn bản chữ", "plain text"),
    "image/png": Words("ảnh PNG", "picture"), "image/jpeg": Words("ảnh JPEG", "picture"),
    "": Words("tệp khác", "another kind of file"),
}  # fmt: skip
WORDS_CHARS_MAX: Final = 100
PLACES_MAX: Final = 30  # documents of one answer that show where the words stand


_shelves: WeakKeyDictionary[Office, Library] = WeakKeyDictionary()


def library(office: Office) -> Library:
    """One for a station: it remembers manifests."""
    return _shelves.setdefault(office, Library(office))


def waiting(office: Office, who: Person) -> int:
    """Directives this person has not read."""
    return library(office).unread(who)


@PAGE.get("/tai-lieu")
def page() -> ResponseReturnValue:
    words = request.args.get("tim", "").strip()[:WORDS_CHARS_MAX]
    only = request.args.get("loai", "")
    if only not in ONLY:
        abort(404)
    who = person()
    texts, reads_pdf = ask(lambda office: (office.texts, office.reads_pdf))
    # Searched here and not on the loop: a slow card must not hold the loudspeaker up.
    found = {} if texts is None else texts.find(words)
    rows, files = ask(
        lambda office: (
            library(office).rows(who, words=words, only=only, found=found), library(office).worded(),
        )
    )  # fmt: skip
    known = set() if texts is None else texts.known()
    unread = [one for one in files if bytes.fromhex(one.sha256) not in known]
    return render_template(
        "library.html", rows=rows, words=words, only=only, reads_pdf=reads_pdf,
        is_on=texts is not None and texts.is_on, places={} if texts is None else places(texts, rows, words),
        unread=sum(reads_pdf or one.media_type != PDF for one in unread),
    )  # fmt: skip


def places(texts: TextIndex, rows: list[Row], words: str) -> dict[str, tuple[str, str, str]]:
    """Where in its file the words of the question stand, by the id of the document."""
    found = {}
    for row in rows[:PLACES_MAX] if words else ():
        place = next(filter(None, (texts.snippet(bytes.fromhex(f.sha256), words) for f in row.files)), None)
        if place is not None:
            found[row.id] = place
    return found


@PAGE.get("/tai-lieu/<name>")
def one(name: str) -> ResponseReturnValue:
    who = person()

    def look(office: Office) -> dict[str, Any] | None:
        shelf = library(office)
        row = shelf.one(name, who)
        if row is None:
            return None
        return {
            "row": row, "body": shelf.body(name), "manifest": shelf.manifest(name),
            "may": shelf.may_confirm(who), "inline": INLINE, "kinds": KINDS, "category": category_name,
        }  # fmt: skip

    found = ask(look)
    if found is None:
        abort(404)
    return render_template("paper.html", **found)


@PAGE.post("/tai-lieu/<name>/da-doc")
def confirm(name: str) -> ResponseReturnValue:
    who, manifest = g.person, field("manifest", 64)
    attempt(
        lambda office: library(office).confirm(who, name, manifest),
        Words("Đã ký xác nhận đã đọc.", "Signed: you have read it."),
    )
    return back("library.one", name=name)


@PAGE.get("/tai-lieu/<name>/<sha256>")
def file(name: str, sha256: str) -> ResponseReturnValue:
    try:
        row, found = ask(lambda office: library(office).file(name, sha256))
    except LoaError:
        abort(404)
    ending = {"application/pdf": "pdf", "text/plain": "txt", "image/png": "png", "image/jpeg": "jpg"}
    shown = found.media_type in INLINE
    title = f"{row.id[:8]}.{ending.get(found.media_type, 'bin')}"
    kind = found.media_type if shown else "application/octet-stream"
    answer = send(
        lambda office, at, length: library(office).piece(sha256, at, length),
        size=found.size, media_type=kind, etag=sha256,
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Disposition"] = f'{"inline" if shown else "attachment"}; filename="{title}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
