"""Mẫu: bulletins that are written again and again. Write one, fill its blanks, go on in the form.

Filling is a page without memory: what was typed goes on to the form in the address, and the form makes a
bulletin like any other.
"""

from __future__ import annotations

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.samples import NAME_CHARS_MAX, Sample
from hub.web import auth, forms
from hub.web.acts import once
from hub.web.choices import categories
from hub.web.pages.bulletins import load
from hub.web.refusals import errors_of
from hub.web.tongue import gettext
from hub.web.words import dmy
from ledger.facts import TITLE_CHARS_MAX, covers, local_day
from ledger.log import NotAllowed

samples = Blueprint("samples", __name__, url_prefix="/ban-tin/mau")

FIELDS = ("name", "title", "category", "klass", "text")
KLASSES = ("2", "3")
TODAY = "ngày"  # the blank that is filled in beforehand


@samples.get("")
def page() -> ResponseReturnValue:
    auth.needs("editor")
    rows = [row for row in auth.the_hub().samples.rows() if auth.in_sight(row.territory)]
    return render_template("samples.html", rows=rows)


@samples.get("/moi")
def new() -> ResponseReturnValue:
    """An empty one, or one over a bulletin (`tu`)."""
    auth.needs("editor")
    values: dict[str, object] = {"klass": "2"}
    if request.args.get("tu"):
        found = load(request.args["tu"])
        values = {
            "name": found.row.title[:NAME_CHARS_MAX],
            "title": found.row.title,
            "category": found.row.category,
            "klass": str(found.row.klass),
            "text": found.text,
        }
    return form(values, {})


@samples.post("/moi")
def new_post() -> ResponseReturnValue:
    return saved(None)


@samples.get("/<sample>")
def one(sample: str) -> ResponseReturnValue:
    """The blanks, to be filled."""
    auth.needs("editor")
    given = {TODAY: dmy(local_day(auth.now()))}
    return render_template("sample.html", sample=known(sample), given=given)


@samples.get("/<sample>/sua")
def edit(sample: str) -> ResponseReturnValue:
    auth.needs("editor")
    found = known(sample)
    return form({field: str(getattr(found, field)) for field in FIELDS}, {}, found)


@samples.post("/<sample>/sua")
def edit_post(sample: str) -> ResponseReturnValue:
    auth.needs("editor")
    return saved(known(sample))


@samples.post("/<sample>/xoa")
def delete(sample: str) -> ResponseReturnValue:
    auth.needs("editor")
    found = known(sample)
    must_own(found)

    def act() -> str:
        auth.the_hub().samples.delete(found.id)
        flash(gettext("Đã xóa mẫu “%(name)s”.", name=found.name), "ok")
        return url_for("samples.page")

    return once(act)


def known(name: str) -> Sample:
    """404 when there is none in this officer's sight."""
    try:
        found = auth.the_hub().samples.find(name)
    except NotAllowed:
        abort(404)
    if not auth.in_sight(found.territory):
        abort(404)
    return found


def must_own(sample: Sample) -> None:
    """What a level above wrote is used below and not changed there."""
    if not covers(auth.officer().territory, sample.territory):
        abort(403)


def saved(sample: Sample | None) -> ResponseReturnValue:
    officer = auth.needs("editor")
    if sample is not None:
        must_own(sample)
    reader = forms.Reader(request.form, FIELDS)
    name = reader.line("name", chars_max=NAME_CHARS_MAX)
    title = reader.line("title", chars_max=TITLE_CHARS_MAX)
    category = reader.choice("category", dict(categories()))
    klass = reader.choice("klass", KLASSES)
    text = reader.text("text", chars_max=auth.the_hub().config.text_chars_max)
    if reader.errors:
        return form(reader.values, reader.errors, sample, 422)

    def act() -> str:
        auth.the_hub().samples.save(
            "" if sample is None else sample.id, name=name, title=title, category=category, klass=int(klass),
            text=text, territory=officer.territory if sample is None else sample.territory,
            account=officer.account, now=auth.now(),
        )  # fmt: skip
        flash(gettext("Đã lưu mẫu. Mẫu không phát; bản tin soạn từ mẫu vẫn phải duyệt."), "ok")
        return url_for("samples.page")

    try:
        return once(act)
    except NotAllowed as refusal:
        return form(reader.values, errors_of(refusal, lambda field: field in FIELDS), sample, 422)


def form(
    values: dict[str, object], errors: dict[str, str], sample: Sample | None = None, status: int = 200
) -> ResponseReturnValue:
    return (
        render_template(
            "sample_form.html", values=values, errors=errors, sample=sample, categories=categories(),
            text_chars_max=auth.the_hub().config.text_chars_max,
        ),
        status,
    )  # fmt: skip
