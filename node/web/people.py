"""Who may sign here: my key, its six words and its rights; my PIN; other people."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, render_template, request, session
from flask.typing import ResponseReturnValue

from ledger.facts import Right
from ledger.log import LoaError
from node.page.office import Office, check_new_pin
from node.page.people import APPROVER, OFFICER, ROLES
from node.page.phrases import Words
from node.web.parts import (
    SEAT,
    address,
    ask,
    attempt,
    back,
    field,
    flash_done,
    flash_refused,
    person,
    stretch,
)

PAGE = Blueprint("people", __name__)
MENU = Words("Người dùng", "People")
ROLE_NAMES: Final = {
    OFFICER: Words("cán bộ văn hóa (soạn, xếp, xác nhận)", "officer (writes, arranges, attests)"),
    APPROVER: Words("lãnh đạo xã (duyệt)", "approver"),
}


def right_words(rights: Right) -> Words:
    return Words(rights.say("vi"), rights.say("en"))


@PAGE.get("/nguoi-dung")
def page() -> ResponseReturnValue:
    who = person()

    def look(office: Office) -> dict[str, Any]:
        rows = [(row, right_words(office.rights(row.key_id))) for row in office.people.rows()]
        return {"rows": rows, "manages": office.manages(who)}

    return render_template("people.html", role_names=ROLE_NAMES, roles=list(ROLES), **ask(look))


@PAGE.get("/toi")
def me() -> ResponseReturnValue:
    who = person()

    def look(office: Office) -> dict[str, Any]:
        held = office.rights(who.key_id)
        if who.asked & ~held:
            office.ask_for_news()  # on the telephone with the province: the grant should be seen to come
        return {
            "words": office.six_words(who), "held": right_words(held), "asked": right_words(who.asked),
            "lacks": right_words(who.asked & ~held), "until_s": office.granted_until_s(who.key_id),
        }  # fmt: skip

    return render_template("me.html", role=ROLE_NAMES.get(who.role, Words(who.role, who.role)), **ask(look))


@PAGE.post("/toi/xin-quyen")
def offer() -> ResponseReturnValue:
    who = person()
    attempt(
        lambda office: office.offer_again(who), Words("Đã gửi lại lời xin quyền.", "The wish was sent again.")
    )
    return back("people.me")


@PAGE.post("/toi/pin")
def change() -> ResponseReturnValue:
    who, token, where = person(), session[SEAT], address()
    pin, again = request.form.get("new", ""), request.form.get("again", "")
    try:
        check_new_pin(pin, again, who.name)
        old = ask(lambda office: office.challenge(who.id, where, inside=True))
        old_wrap = stretch(old, request.form.get("old", ""))
        fresh = ask(lambda office: office.fresh(who.id))
        wrap = stretch(fresh, pin)
        ask(lambda office: office.change_pin(token, old, old_wrap, fresh, wrap, where))
    except LoaError as error:
        flash_refused(error)
    else:
        flash_done("Đã đổi mã PIN.", "The PIN was changed.")
    return back("people.me")


@PAGE.post("/nguoi-dung")
def add() -> ResponseReturnValue:
    who, where, name, role = person(), address(), field("name", 80), field("role", 20)
    try:
        row, code = ask(lambda office: office.add(name, role, who, where))
    except LoaError as error:
        flash_refused(error)
        return back("people.page")
    return render_template("code.html", name=row.name, code=code)


@PAGE.post("/nguoi-dung/<int:other>/ma")
def new_code(other: int) -> ResponseReturnValue:
    who, where = person(), address()

    def give(office: Office) -> tuple[str, str]:
        code = office.give_code(other, who, where)
        row = office.people.row(other)
        return ("" if row is None else row.name), code

    try:
        name, code = ask(give)
    except LoaError as error:
        flash_refused(error)
        return back("people.page")
    return render_template("code.html", name=name, code=code)


@PAGE.post("/nguoi-dung/<int:other>/<any(bat, tat):way>")
def turn(other: int, way: str) -> ResponseReturnValue:
    who, where = person(), address()
    attempt(lambda office: office.set_enabled(other, way == "bat", who, where), Words("Đã ghi.", "Noted."))
    return back("people.page")
