"""Chờ duyệt: read, listen, then approve with the password again, or return with a reason.

What is approved is exactly what the page showed: the form carries the version and the manifest's hash, and
a bulletin that changed meanwhile is refused. The author never sees the button; the page says why it is not
there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.web import auth, forms
from hub.web.acts import once
from hub.web.pages.bulletins import load
from hub.web.proofs import badge
from hub.web.refusals import errors_of
from hub.web.tongue import gettext
from ledger.facts import REASON_CHARS_MAX, covers
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.queries import BulletinPage

queue = Blueprint("queue", __name__)

MANIFEST_HEX: int = 64


@queue.get("/cho-duyet")
def page() -> ResponseReturnValue:
    officer = auth.officer()
    rows = [row for row in auth.the_hub().queries.queue() if covers(officer.territory, row.territory)]
    return render_template("queue.html", rows=rows)


@queue.get("/cho-duyet/<bulletin>")
def review(bulletin: str) -> ResponseReturnValue:
    found = load(bulletin)
    if found.row.state != "submitted" or found.row.origin:
        return redirect(url_for("bulletins.one", bulletin=bulletin))
    return shown(found)


def shown(
    found: BulletinPage, errors: dict[str, str] | None = None, status: int = 200, reason: str = ""
) -> ResponseReturnValue:
    officer = auth.officer()
    own = found.row.author.account == officer.account
    return (
        render_template(
            "review.html",
            page=found,
            row=found.row,
            badge=badge(found.deeds),
            own=own,
            may=officer.role == "approver" and not own,
            errors=errors or {},
            values={"reason": reason},
        ),
        status,
    )


@queue.post("/cho-duyet/<bulletin>/duyet")
def approve(bulletin: str) -> ResponseReturnValue:
    auth.needs("approver")
    found = load(bulletin)
    reader = forms.Reader(request.form, ("version", "manifest", "password"))
    version = reader.whole("version", 1, 2**31 - 1)
    manifest = reader.line("manifest", chars_max=MANIFEST_HEX)
    password = reader.secret("password")
    if "version" in reader.errors or "manifest" in reader.errors:
        abort(400)
    if reader.errors:
        return shown(found, reader.errors, 422)

    def act() -> str:
        proven = auth.prove_again(password)
        auth.the_hub().commands.approve(proven, bulletin, version=version, manifest=manifest, now=auth.now())
        flash(gettext("Đã duyệt và ký bản %(version)d. Bước tiếp: xếp lịch phát.", version=version), "ok")
        return url_for("bulletins.one", bulletin=bulletin)

    try:
        return once(act)
    except NotAllowed as refusal:
        if (
            refusal.code == "version-changed"
        ):  # that sentence is an editor's; an approver has nothing to merge
            refusal = NotAllowed("content-changed", refusal.what, hint=refusal.hint)
        return shown(found, errors_of(refusal, lambda name: name == "password"), 422)


@queue.post("/cho-duyet/<bulletin>/tra-lai")
def give_back(bulletin: str) -> ResponseReturnValue:
    officer = auth.needs("approver")
    found = load(bulletin)
    reader = forms.Reader(request.form, ("reason",))
    reason = reader.text("reason", chars_max=REASON_CHARS_MAX)
    if reader.errors:
        return shown(found, reader.errors, 422, reason)

    def act() -> str:
        auth.the_hub().commands.return_bulletin(officer, bulletin, reason=reason, now=auth.now())
        flash(gettext("Đã trả lại kèm lý do. Người soạn sẽ thấy lý do này."), "ok")
        return url_for("queue.page")

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(found, errors_of(refusal, lambda _name: False), 422, reason)
