"""Chờ duyệt: read, listen, compare, then approve with the password again, or return with a reason.

What is approved is exactly what the page showed: the form carries the version and the manifest's hash, and
a bulletin that changed meanwhile is refused. The author never sees the button; the page says why it is not
there. A time the author asked for is shown with all it would meet, and signed with the approval when the
approver leaves it ticked. Many at once are `bulk`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.approving import Ask, approve_each
from hub.versions import difference
from hub.web import auth, forms, planform, targets
from hub.web.acts import once
from hub.web.pages.bulletins import load
from hub.web.pages.planning import Check, checked
from hub.web.proofs import badge
from hub.web.refusals import errors_of, say
from hub.web.tongue import gettext
from ledger.facts import REASON_CHARS_MAX, covers
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.queries import BulletinPage, BulletinRow
    from hub.wanted import Asked

queue = Blueprint("queue", __name__)

MANIFEST_HEX: int = 64
CHECKED_MAX = 60  # rows of the list whose times are asked of the plan; the page of each always is


@dataclass(frozen=True)
class Waiting:
    """A row of the queue. check: of the time asked for; why: it cannot be signed as asked. own: written by
    the officer who looks.
    """

    row: BulletinRow
    asked: Asked | None
    check: Check | None
    why: str
    own: bool

    @property
    def first_at(self) -> tuple[int, int]:
        """(day, minute) of the first time asked for; last of all when none is."""
        wanted = self.asked.wanted if self.asked else None
        return (wanted.days[0], wanted.minute) if wanted else (1 << 20, 0)

    @property
    def able(self) -> bool:
        """The officer who looks could approve it."""
        return not self.own and auth.officer().role == "approver"


def mine() -> list[BulletinRow]:
    """What waits in the officer's territory, longest waiting first."""
    own = auth.officer().territory
    return [row for row in auth.the_hub().queries.queue() if covers(own, row.territory)]


def waiting(row: BulletinRow, *, ask_plan: bool = True) -> Waiting:
    asked = auth.the_hub().choices.wanted.asked(row.id, row.version)
    check, why = (None, "") if asked is None or not ask_plan else asked_of(row, asked)
    return Waiting(row, asked, check, why, row.author.account == auth.officer().account)


def asked_of(row: BulletinRow, asked: Asked) -> tuple[Check | None, str]:
    """What the time asked for would do, or why it cannot be signed any more."""
    try:
        return checked(row.id, asked.wanted, targets.Place(asked.wanted.units)), ""
    except NotAllowed as refusal:
        return None, say(refusal)


@queue.get("/cho-duyet/<bulletin>")
def review(bulletin: str) -> ResponseReturnValue:
    found = load(bulletin)
    if found.row.state != "submitted" or found.row.origin:
        return redirect(url_for("bulletins.one", bulletin=bulletin))
    return shown(found)


def shown(
    found: BulletinPage, errors: dict[str, str] | None = None, status: int = 200, reason: str = ""
) -> ResponseReturnValue:
    officer, hub = auth.officer(), auth.the_hub()
    own = found.row.author.account == officer.account
    one = waiting(found.row)
    before = hub.queries.earlier(found.row.id, found.row.version)
    versions = {v.number: v for v in hub.queries.versions(found.row.id)} if before else {}
    old, new = versions.get(before.version if before else 0), versions.get(found.row.version)
    return (
        render_template(
            "review.html",
            page=found,
            row=found.row,
            badge=badge(found.deeds),
            own=own,
            may=officer.role == "approver" and not own,
            one=one,
            check=one.check,
            plan_seal=seal_of(one.asked) if one.asked else "",
            before=before,
            old=old,
            new=new,
            changes=difference(old, new) if old and new else None,
            errors=errors or {},
            values={"reason": reason},
        ),
        status,
    )


@queue.post("/cho-duyet/<bulletin>/duyet")
def approve(bulletin: str) -> ResponseReturnValue:
    auth.needs("approver")
    found = load(bulletin)
    reader = forms.Reader(request.form, ("version", "manifest", "password", "with_plan"))
    version = reader.whole("version", 1, 2**31 - 1)
    manifest = reader.line("manifest", chars_max=MANIFEST_HEX)
    password = reader.secret("password")
    if "version" in reader.errors or "manifest" in reader.errors:
        abort(400)
    if reader.errors:
        return shown(found, reader.errors, 422)
    asked = auth.the_hub().choices.wanted.asked(bulletin, version)
    wanted = asked.wanted if asked and request.form.get("with_plan") == seal_of(asked) else None
    if wanted is None and request.form.get("with_plan"):
        return shown(
            found, {"": gettext("Lịch đề nghị đã đổi từ lúc bạn mở trang. Hãy đọc lại rồi duyệt.")}, 422
        )

    def act() -> str:
        proven = auth.prove_again(password)
        (answer,) = approve_each(
            auth.the_hub().commands, proven, [Ask(bulletin, version, manifest, wanted)], now=auth.now()
        )
        if not answer.approved:
            assert answer.refusal is not None, "what was not done has its reason"
            raise answer.refusal
        if answer.series:
            auth.the_hub().choices.wanted.forget(bulletin)
            flash(gettext("Đã duyệt bản %(version)d và ký lịch phát kèm theo.", version=version), "ok")
            return url_for("schedule.one", series=answer.series)
        flash(gettext("Đã duyệt và ký bản %(version)d. Bước tiếp: xếp lịch phát.", version=version), "ok")
        if answer.refusal is not None:
            why = say(answer.refusal)
            flash(gettext("Lịch đề nghị chưa được ký: %(why)s", why=why), "warn")
        return url_for("bulletins.one", bulletin=bulletin)

    try:
        return once(act)
    except NotAllowed as refusal:
        if (
            refusal.code == "version-changed"
        ):  # that sentence is an editor's; an approver has nothing to merge
            refusal = NotAllowed("content-changed", refusal.what, hint=refusal.hint)
        return shown(load(bulletin), errors_of(refusal, lambda name: name == "password"), 422)


def seal_of(asked: Asked) -> str:
    """Names exactly the time that a page showed."""
    return planform.seal(asked.bulletin, asked.version, asked.wanted)


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
