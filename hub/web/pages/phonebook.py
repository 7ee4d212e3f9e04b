"""Danh bạ: whom to telephone at each commune, in order. A list of this hub, outside the signed log.

One page to look, one to write for a unit (one person a line, the first is called first), and a file for
all of them at once. Everybody who signs in may read and correct what lies in their own territory; erased is
erased.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.phonebook import COLUMNS, FILE_BYTES_MAX, PER_UNIT_MAX, Contact, read_list
from hub.web import auth, forms, names
from hub.web.acts import once
from hub.web.refusals import errors_of, say
from hub.web.tongue import gettext, ngettext
from hub.web.words import nfc
from ledger.facts import covers
from ledger.log import NotAllowed

phonebook = Blueprint("phonebook", __name__)

PEOPLE_CHARS_MAX: Final = 3_000


def units() -> list[tuple[str, str]]:
    """(unit, name) of what this officer may name: the whole and the stations in it."""
    own = auth.officer().territory
    return sorted(
        ((unit, name) for unit, name in names.unit_names().items() if covers(own, unit)),
        key=lambda one: (one[0] != own, one[1]),
    )


@phonebook.get("/danh-ba")
def page() -> ResponseReturnValue:
    return listed({})


def listed(errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    known = auth.the_hub().phonebook.all(unit for unit, _ in units())
    rows = [(unit, name, known.get(unit, [])) for unit, name in units()]
    return render_template(
        "phonebook.html", rows=rows, errors=errors, columns=COLUMNS,
        without=sum(not people for _, _, people in rows),
    ), status  # fmt: skip


@phonebook.get("/danh-ba/<unit>")
def one(unit: str) -> ResponseReturnValue:
    return shown(unit, "\n".join(line_of(one) for one in auth.the_hub().phonebook.of(known(unit))), {})


def known(unit: str) -> str:
    if unit not in {one for one, _ in units()}:
        abort(404)
    return unit


def line_of(contact: Contact) -> str:
    return ", ".join(part for part in (contact.name, contact.role, contact.telephone) if part)


def shown(unit: str, text: str, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    return render_template(
        "phonebook_unit.html", unit=unit, values={"people": text}, errors=errors, most=PER_UNIT_MAX
    ), status


@phonebook.post("/danh-ba/<unit>")
def save(unit: str) -> ResponseReturnValue:
    reader = forms.Reader(request.form, ("people",))
    text = reader.text("people", chars_max=PEOPLE_CHARS_MAX, required=False)
    known(unit)
    people, bad = people_of(text)
    if bad:
        reader.errors["people"] = gettext(
            "Dòng %(line)s cần có tên và số điện thoại, cách nhau bằng dấu phẩy.", line=bad
        )
    if reader.errors:
        return shown(unit, text, reader.errors, 422)

    def act() -> str:
        auth.the_hub().phonebook.put(unit, people)
        name = names.unit_name(unit)
        flash(
            gettext("Đã lưu danh bạ của %(name)s.", name=name)
            if people
            else gettext("Đã xóa danh bạ của %(name)s.", name=name),
            "ok",
        )
        return url_for("phonebook.page")

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(unit, text, errors_of(refusal, "people".__eq__), 422)


def people_of(text: str) -> tuple[list[tuple[str, str, str]], int]:
    """(name, role, telephone) of each line, and the number of the first line that is none (0: all are)."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        parts = [part.strip() for part in line.split(",")]
        if not any(parts):
            continue
        if len(parts) < 2 or not parts[0] or not parts[-1]:
            return [], number
        found.append((parts[0], ", ".join(parts[1:-1]), parts[-1]))
    return found, 0


@phonebook.post("/danh-ba")
def take_in() -> ResponseReturnValue:
    """A file for many units at once: all of it, or nothing and the line that is wrong."""
    forms.Reader(request.form, ())
    given = request.files.get("file")
    if given is None or not given.filename:
        return listed({"file": gettext("Hãy chọn tệp CSV.")}, 422)
    try:
        people = read_list(given.stream.read(FILE_BYTES_MAX + 1), {unit for unit, _ in units()})
        people = {
            unit: [(nfc(name), nfc(role), phone) for name, role, phone in rows]
            for unit, rows in people.items()
        }
    except NotAllowed as refusal:
        return listed({"file": said(refusal)}, 422)

    def act() -> str:
        auth.the_hub().phonebook.put_all(people)
        flash(
            ngettext("Đã nhận danh bạ của %(num)d nơi.", "Đã nhận danh bạ của %(num)d nơi.", len(people)),
            "ok",
        )
        return url_for("phonebook.page")

    try:
        return once(act)
    except NotAllowed as refusal:
        return listed({"file": said(refusal)}, 422)


def said(refusal: NotAllowed) -> str:
    if refusal.code == "list-row":
        return gettext(
            "Dòng %(line)s không dùng được: %(what)s. Chưa có gì được ghi.",
            line=refusal.where, what=refusal.what,
        )  # fmt: skip
    return say(refusal)
