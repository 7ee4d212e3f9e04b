"""The editor's acts on bulletins: draft, new version, submit; and the approver's withdrawal.

Same routes and names as the bulletins' pages; a file of its own because forms grow for other reasons than
pages do. What was typed is always kept: a refused form comes back as it was sent, with its reasons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.web import auth, forms
from hub.web.acts import once
from hub.web.choices import categories, territories
from hub.web.pages.bulletins import bulletins, load, shown
from hub.web.refusals import errors_of, say
from hub.web.sounds import Sound, taken
from hub.web.tongue import gettext
from hub.web.words import dmy
from ledger.facts import REASON_CHARS_MAX, local_day
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.rows import BulletinPage

VALID_DAYS = 7  # what the form proposes

reading_and_writing = bulletins  # one blueprint: the routes below hang on the pages of `bulletins`


@bulletins.get("/ban-tin/moi")
def new() -> ResponseReturnValue:
    officer, today = auth.needs("editor"), local_day(auth.now())
    values: dict[str, object] = {
        "klass": "2",
        "territory": officer.territory,
        "from": dmy(today),
        "until": dmy(today + VALID_DAYS),
    }
    return compose(values, {})


@bulletins.post("/ban-tin/moi")
def new_post() -> ResponseReturnValue:
    hub, officer = auth.the_hub(), auth.needs("editor")
    reader = forms.Reader(request.form, forms.BULLETIN_FIELDS)
    filled = read(reader)
    if reader.errors:
        return compose(reader.values, reader.errors, status=422)
    try:
        sound = taken()
    except NotAllowed as refusal:
        return compose(reader.values, errors_of(refusal, is_field), status=422)

    def act() -> str:
        made = hub.commands.draft_bulletin(
            officer,
            title=filled.title,
            category=filled.category,
            klass=filled.klass,
            territory=filled.territory,
            valid_from_day=filled.valid_from_day,
            valid_until_day=filled.valid_until_day,
            text=filled.text,
            audio=sound.upload,
            relay=filled.relay,
            now=auth.now(),
        )
        return after_save(made, sound)

    try:
        return once(act)
    except NotAllowed as refusal:
        return compose(reader.values, errors_of(refusal, is_field), status=422)


@bulletins.get("/ban-tin/<bulletin>/sua")
def edit(bulletin: str) -> ResponseReturnValue:
    auth.needs("editor")
    found = load(bulletin)
    row = found.row
    values: dict[str, object] = {
        "title": row.title,
        "category": row.category,
        "klass": str(row.klass),
        "territory": row.territory,
        "from": dmy(row.valid_from_day),
        "until": dmy(row.valid_until_day),
        "text": found.text,
        "version": str(row.version),
        "keep_audio": "1",
        "stream": "" if found.relay is None else found.relay.address,
        "minutes": "" if found.relay is None else str(found.relay.duration_ms // 60_000),
    }
    return compose(values, {}, found)


@bulletins.post("/ban-tin/<bulletin>/sua")
def edit_post(bulletin: str) -> ResponseReturnValue:
    hub, officer = auth.the_hub(), auth.needs("editor")
    found = load(bulletin)
    reader = forms.Reader(request.form, forms.BULLETIN_FIELDS)
    filled = read(reader)
    version = reader.whole("version", 1, 2**31 - 1)
    keep = reader.values["keep_audio"] = request.form.get("keep_audio", "")
    if reader.errors:
        return compose(reader.values, reader.errors, found, status=422)
    try:
        sound = taken()
    except NotAllowed as refusal:
        return compose(reader.values, errors_of(refusal, is_field), found, status=422)

    def act() -> str:
        hub.commands.revise_bulletin(
            officer,
            bulletin,
            version=version,
            title=filled.title,
            category=filled.category,
            klass=filled.klass,
            territory=filled.territory,
            valid_from_day=filled.valid_from_day,
            valid_until_day=filled.valid_until_day,
            text=filled.text,
            audio=sound.upload,
            keep_audio=keep == "1",
            relay=filled.relay,
            now=auth.now(),
        )
        return after_save(bulletin, sound)

    try:
        return once(act)
    except NotAllowed as refusal:
        return compose(reader.values, errors_of(refusal, is_field), found, status=422)


@bulletins.post("/ban-tin/<bulletin>/gui")
def submit(bulletin: str) -> ResponseReturnValue:
    officer, found = auth.needs("editor"), load(bulletin)

    def act() -> str:
        auth.the_hub().commands.submit(officer, bulletin, now=auth.now())
        flash(gettext("Đã gửi duyệt. Người khác sẽ đọc, nghe và duyệt hoặc trả lại."), "ok")
        return url_for("bulletins.one", bulletin=bulletin)

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(found, errors_of(refusal, lambda _name: False), 422)


@bulletins.post("/ban-tin/<bulletin>/thu-hoi")
def withdraw(bulletin: str) -> ResponseReturnValue:
    officer, found = auth.needs("approver"), load(bulletin)
    reader = forms.Reader(request.form, ("reason",))
    reason = reader.text("reason", chars_max=REASON_CHARS_MAX)
    if reader.errors:
        return shown(found, reader.errors, 422)

    def act() -> str:
        auth.the_hub().commands.withdraw(officer, bulletin, reason=reason, now=auth.now())
        flash(gettext("Đã ký lệnh thu hồi. Trạm nhận lệnh ở lần liên lạc tới và thôi phát."), "ok")
        return url_for("bulletins.one", bulletin=bulletin)

    try:
        return once(act)
    except NotAllowed as refusal:
        return shown(found, errors_of(refusal, lambda _name: False), 422)


def read(reader: forms.Reader) -> forms.BulletinIn:
    return forms.bulletin(
        reader,
        categories=dict(categories()),
        territories=dict(territories(auth.officer().territory)),
        chars_max=auth.the_hub().config.text_chars_max,
    )


def is_field(name: str) -> bool:
    return name in forms.BULLETIN_FIELDS or name == "audio"


def after_save(bulletin: str, sound: Sound) -> str:
    """Submit at once when that button was pressed; where to go on to.

    The version is signed by now, so a refused submission is told on the next page and does not undo the
    saving.
    """
    sound.tell()
    if request.form.get("do") == "submit":
        try:
            auth.the_hub().commands.submit(auth.officer(), bulletin, now=auth.now())
            flash(gettext("Đã lưu và gửi duyệt."), "ok")
        except NotAllowed as refusal:
            flash(gettext("Đã lưu nháp nhưng chưa gửi duyệt được: %(why)s", why=say(refusal)), "warn")
    else:
        flash(gettext("Đã lưu nháp. Chưa gửi duyệt."), "ok")
    return url_for("bulletins.one", bulletin=bulletin)


def compose(
    values: dict[str, object],
    errors: dict[str, str],
    found: BulletinPage | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    config = auth.the_hub().config
    return (
        render_template(
            "compose.html",
            values=values,
            errors=errors,
            page=found,
            categories=categories(),
            territories=territories(auth.officer().territory),
            audio_bytes_max=config.audio_bytes_max,
            text_chars_max=config.text_chars_max,
        ),
        status,
    )
