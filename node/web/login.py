"""Signing in with a PIN, the first PIN with a one-time code, signing out, the language.

The PIN is stretched here, in the page's own thread and one at a time, for it takes memory and a part of a
second; the station hears only what came of it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from ledger.log import LoaError
from node.page.office import check_new_pin
from node.page.people import Row
from node.web.parts import (
    LANG_COOKIE,
    LANGUAGES,
    PIN_CHARS_MAX,
    SEAT,
    address,
    ask,
    back,
    field,
    flash_done,
    flash_refused,
    number,
    person_or_none,
    public,
    sit,
    stretch,
)

PAGE = Blueprint("login", __name__)
MENU = None
LANG_COOKIE_S = 365 * 86_400


def local_path(target: str) -> str:
    """`target` if it is a path of this page, else the first screen."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain else url_for("today.page")


def _people() -> list[Row]:
    return [row for row in ask(lambda office: office.people.rows()) if row.enabled]


@PAGE.get("/dang-nhap")
@public
def page() -> ResponseReturnValue:
    if person_or_none() is not None:
        return back("today.page")
    people = _people()
    chosen = number_of(request.args.get("nguoi", ""))
    return render_template("login.html", people=people, chosen=chosen, to=request.args.get("tiep", "/"))


@PAGE.post("/dang-nhap")
@public
def enter() -> ResponseReturnValue:
    who, where, pin = number("person") or 0, address(), request.form.get("pin", "")[:PIN_CHARS_MAX]
    to = local_path(field("to"))
    try:
        challenge = ask(lambda office: office.challenge(who, where))
        wrap = stretch(challenge, pin)
        token = ask(lambda office: office.enter(challenge, wrap, where))
    except LoaError as error:
        flash_refused(error)
        if error.code == "no-pin-yet":
            return back("login.first", nguoi=who)
        return back("login.page", nguoi=who, tiep=to)
    sit(token)
    return redirect(to, code=303)


@PAGE.get("/lan-dau")
@public
def first() -> ResponseReturnValue:
    people = [row for row in _people() if row.code is not None]
    chosen = number_of(request.args.get("nguoi", ""))
    return render_template("first.html", people=people, chosen=chosen)


@PAGE.post("/lan-dau")
@public
def begin() -> ResponseReturnValue:
    who, where, code = number("person") or 0, address(), field("code", 40)
    pin, again = (request.form.get(name, "")[:PIN_CHARS_MAX] for name in ("pin", "again"))
    try:
        name = next((row.name for row in _people() if row.id == who), "")
        check_new_pin(pin, again, name)
        ask(lambda office: office.check_code(who, code, where))
        fresh = ask(lambda office: office.fresh(who))
        wrap = stretch(fresh, pin)
        token = ask(lambda office: office.begin(who, code, fresh, wrap, where))
    except LoaError as error:
        flash_refused(error)
        return back("login.first", nguoi=who)
    sit(token)
    flash_done(
        "Đã đặt mã PIN và tạo khóa ký của bạn. Bước tiếp theo: tỉnh cấp quyền cho khóa này.",
        "Your PIN is set and your key is made. Next: the province grants it its rights.",
    )
    return back("people.me")


@PAGE.post("/dang-xuat")
@public
def leave() -> ResponseReturnValue:
    token, where = session.get(SEAT, ""), address()
    if isinstance(token, str) and token:
        ask(lambda office: office.leave(token, where))
    session.clear()
    flash_done("Đã đăng xuất. Khóa ký của bạn đã khóa lại.", "Signed out. Your key is locked.")
    return back("login.page")


@PAGE.post("/ngon-ngu")
@public
def language() -> ResponseReturnValue:
    chosen = request.form.get("lang", "")
    if chosen not in LANGUAGES:
        abort(400)
    answer: Any = redirect(local_path(field("to")), code=303)
    answer.set_cookie(LANG_COOKIE, chosen, max_age=LANG_COOKIE_S, httponly=True, samesite="Lax")
    return answer  # type: ignore[no-any-return]


def number_of(text: str) -> int:
    """A number of the address line; 0 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
