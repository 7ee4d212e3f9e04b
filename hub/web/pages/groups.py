"""Nhóm trạm: names for choices that are made often, as a list or as a rule, and who is in them now.

Bound: the desk's own convenience; an order by group is signed for exact units (`hub.web.targets`).
"""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.groups import SILENT_DAYS_MAX, Group, GroupRule
from hub.web import auth, forms
from hub.web.acts import once
from hub.web.choices import territories
from hub.web.refusals import errors_of
from hub.web.targets import group_members
from hub.web.tongue import gettext
from ledger.facts import NAME_CHARS_MAX, covers
from ledger.log import NotAllowed

groups = Blueprint("groups", __name__)

FIELDS = ("name", "by", "kind", "boards", "silent", "units")
BLANK: dict[str, object] = {"name": "", "by": "list", "kind": "", "silent": "0", "boards": "", "units": []}


@groups.get("/nhom")
def page() -> ResponseReturnValue:
    own = auth.officer().territory
    rows = [(group, group_members(group)) for group in auth.the_hub().choices.groups.all(own)]
    return render_template("groups.html", rows=rows)


@groups.get("/nhom/moi")
def new() -> ResponseReturnValue:
    auth.needs("editor", "approver", "admin")
    return form(None, BLANK, {})


@groups.post("/nhom/moi")
def new_post() -> ResponseReturnValue:
    return keep(None)


def load(number: int) -> Group:
    found = auth.the_hub().choices.groups.one(number)
    if not covers(auth.officer().territory, found.territory):
        abort(404)
    return found


@groups.get("/nhom/<int(max=2147483647):number>")
def one(number: int) -> ResponseReturnValue:
    auth.needs("editor", "approver", "admin")
    group = load(number)
    rule = group.rule or GroupRule()
    values: dict[str, object] = {
        "name": group.name, "by": "rule" if group.rule else "list", "kind": rule.kind,
        "silent": str(rule.silent_days), "boards": "1" if rule.boards else "", "units": list(group.units),
    }  # fmt: skip
    return form(group, values, {})


@groups.post("/nhom/<int(max=2147483647):number>")
def one_post(number: int) -> ResponseReturnValue:
    return keep(load(number))


@groups.post("/nhom/<int(max=2147483647):number>/xoa")
def drop(number: int) -> ResponseReturnValue:
    auth.needs("editor", "approver", "admin")
    group = load(number)
    auth.the_hub().choices.groups.drop(group.id)
    flash(gettext("Đã xóa nhóm “%(name)s”. Lịch đã ký theo nhóm vẫn giữ nguyên.", name=group.name), "ok")
    return redirect(url_for("groups.page"), code=303)


def keep(group: Group | None) -> ResponseReturnValue:
    officer = auth.needs("editor", "approver", "admin")
    reader = forms.Reader(request.form, FIELDS)
    known = [unit for unit, _ in stations()]
    name = reader.line("name", chars_max=NAME_CHARS_MAX)
    by = reader.choice("by", ("list", "rule"))
    units = [unit for unit in request.form.getlist("units") if unit in known]
    reader.values["units"] = units
    reader.values["boards"] = request.form.get("boards", "")
    rule = None
    if by == "rule":
        kind = reader.choice("kind", ("", "it", "fm"))
        rule = GroupRule(kind, bool(reader.values["boards"]), reader.whole("silent", 0, SILENT_DAYS_MAX))
    else:
        reader.values |= {"kind": request.form.get("kind", ""), "silent": request.form.get("silent", "0")}
        if not units:
            reader.errors["units"] = gettext("Hãy chọn ít nhất một mục.")
    if reader.errors:
        return form(group, reader.values, reader.errors, 422)

    def act() -> str:
        auth.the_hub().choices.groups.keep(
            name,
            territory=group.territory if group else officer.territory,
            units=[] if rule else units,
            rule=rule,
            number=group.id if group else 0,
            account=officer.account,
            now=auth.now(),
        )
        flash(gettext("Đã lưu nhóm “%(name)s”.", name=name), "ok")
        return url_for("groups.page")

    try:
        return once(act)
    except NotAllowed as refusal:
        return form(group, reader.values, errors_of(refusal, FIELDS.__contains__), 422)


def stations() -> list[tuple[str, str]]:
    """Stations of the officer's territory: unit, name."""
    known = set(auth.the_hub().facts.stations)
    return [(unit, name) for unit, name in territories(auth.officer().territory) if unit in known]


def form(
    group: Group | None, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    return (
        render_template(
            "group_form.html",
            group=group,
            values=values,
            errors=errors,
            stations=stations(),
            now_in=group_members(group) if group else (),
        ),
        status,
    )
