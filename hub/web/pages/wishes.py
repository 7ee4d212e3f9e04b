"""Keys that wait at stations: one wish, its six words, and the button that gives it its rights.

The words stand in the middle of the page because they are the check: the person reads theirs out over the
telephone, and only the same six mean that this key is that person's. The password is asked, as for every
signature that others rely on.
"""

from __future__ import annotations

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.web import auth, forms
from hub.web.acts import once
from hub.web.refusals import errors_of
from hub.web.tongue import gettext
from hub.wishes import TERMS_YEARS, Wish, wish_of, wishes_of
from ledger.facts import covers
from ledger.log import NotAllowed

wishes = Blueprint("wishes", __name__)

FIELDS = ("years", "password")


def in_territory() -> list[Wish]:
    """What this administrator has to decide, and has decided."""
    officer = auth.officer()
    found = wishes_of(auth.the_hub(), officer.key.key_id)
    return [wish for wish in found if covers(officer.territory, wish.unit)]


@wishes.get("/khoa/xin-quyen/<unit>/<key>")
def one(unit: str, key: str) -> ResponseReturnValue:
    auth.needs("admin")
    return shown(load(unit, key), {"years": str(TERMS_YEARS[-1])}, {})


def load(unit: str, key: str) -> Wish:
    officer = auth.officer()
    found = wish_of(auth.the_hub(), officer.key.key_id, unit, key)
    if found is None or not covers(officer.territory, unit):
        abort(404)
    return found


def shown(
    wish: Wish, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    return render_template("wish.html", wish=wish, years=TERMS_YEARS, values=values, errors=errors), status


@wishes.post("/khoa/xin-quyen/<unit>/<key>")
def grant(unit: str, key: str) -> ResponseReturnValue:
    """Sign the grant: the password proven now."""
    auth.needs("admin")
    wish = load(unit, key)
    reader = forms.Reader(request.form, FIELDS)
    years = reader.line("years", required=False)
    password = reader.secret("password")
    if years not in {str(term) for term in TERMS_YEARS}:
        reader.errors["years"] = gettext("Hãy chọn một thời hạn.")
    if reader.errors:
        return shown(wish, reader.values, reader.errors, 422)

    def act() -> str:
        hub = auth.the_hub()
        proven = auth.prove_again(password)
        hub.commands.grant_wish(proven, wish, years=int(years), now=auth.now())
        flash(
            gettext("Đã trao quyền cho %(name)s. Trạm dùng được khi nhận về lệnh này.", name=wish.label), "ok"
        )
        return url_for("keys.page")

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(wish, reader.values, errors_of(refusal, {"password"}.__contains__), 422)


@wishes.post("/khoa/xin-quyen/<unit>/<key>/tu-choi")
def refuse(unit: str, key: str) -> ResponseReturnValue:
    auth.needs("admin")
    wish = load(unit, key)

    def act() -> str:
        auth.the_hub().commands.refuse_wish(auth.officer(), wish, now=auth.now())
        flash(gettext("Đã từ chối. Khóa này vẫn không có quyền gì."), "ok")
        return url_for("keys.page")

    return once(act)
