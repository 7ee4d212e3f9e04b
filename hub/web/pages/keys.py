"""Khóa: who holds which key, and ending one that was lost or stolen.

Two steps, as with an emergency: the first asks why and from when, with a choice for everything the key signed
lately; the second shows what falls and what stays, and asks for the password. What is confirmed is a position
of the ledger, fixed when the second page was made: whatever arrives in between is void.
"""

from __future__ import annotations

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.keys import KeyPage, effect_of, key_page, time_of
from hub.web import auth, forms
from hub.web.acts import once
from hub.web.pages.wishes import in_territory
from hub.web.refusals import errors_of, say
from hub.web.tongue import gettext
from ledger.facts import REVOCATION_REASON_CHARS_MAX, covers
from ledger.log import NotAllowed

keys = Blueprint("keys", __name__)

FIELDS = ("reason", "until")
POSITION_MAX = 2**53


@keys.get("/khoa")
def page() -> ResponseReturnValue:
    """Officers' keys, and how keys ended here. Stations' keys stand on the stations' own pages."""
    officer, hub = auth.needs("admin"), auth.the_hub()
    rows = [row for row in hub.accounts.rows() if covers(officer.territory, row.territory)]
    authority = hub.facts.authority
    ended = {row.account: not authority.grants_of(bytes.fromhex(row.key_id)) for row in rows}
    deeds = [one for one in hub.queries.deeds(limit=1_000) if one.what in ("revoked", "rotated", "roots-set")]
    return render_template("keys.html", rows=rows, ended=ended, deeds=deeds, wishes=in_territory())


@keys.get("/khoa/<key>")
def one(key: str) -> ResponseReturnValue:
    auth.needs("admin")
    found = load(key)
    return asked(found, {"until": str(found.end), "reason": ""}, {})


def load(key: str) -> KeyPage:
    """The key, when it lies in this administrator's territory."""
    try:
        found = key_page(auth.the_hub(), key)
    except NotAllowed:
        abort(404)
    if not covers(auth.officer().territory, found.unit):
        abort(404)
    return found


def asked(
    found: KeyPage, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    """The first step: why, and from when."""
    hub = auth.the_hub()
    # "From here on it was not me": everything before this segment stays.
    choices = [(line.position - 1, line, time_of(hub, line.position)) for line in found.lines]
    return (
        render_template(
            "key.html", key=found, choices=choices, values=values, errors=errors,
            reason_chars_max=REVOCATION_REASON_CHARS_MAX,
        ),
        status,
    )  # fmt: skip


@keys.post("/khoa/<key>")
def confirm(key: str) -> ResponseReturnValue:
    """The second step: what falls, what stays. Nothing is signed yet."""
    auth.needs("admin")
    reader = forms.Reader(request.form, FIELDS)
    reason, until = read(reader)
    found = load(key)
    if reader.errors:
        return asked(found, reader.values, reader.errors, 422)
    return confirmed(found, until, reason, reader.values, {})


def confirmed(
    found: KeyPage, until: int, reason: str, values: dict[str, object], errors: dict[str, str],
    status: int = 200,
) -> ResponseReturnValue:  # fmt: skip
    try:
        effect = effect_of(auth.the_hub(), found.key_id, until)
    except NotAllowed as refusal:
        return asked(found, values, {"until": say(refusal)}, 422)
    return (
        render_template(
            "key_confirm.html", key=found, effect=effect, reason=reason, values=values, errors=errors
        ),
        status,
    )


@keys.post("/khoa/<key>/huy")
def end(key: str) -> ResponseReturnValue:
    """Sign it: the password proven now."""
    auth.needs("admin")
    reader = forms.Reader(request.form, (*FIELDS, "password"))
    reason, until = read(reader)
    found = load(key)
    if reader.errors:
        return asked(found, reader.values, reader.errors, 422)
    password = reader.secret("password")
    if reader.errors:
        return confirmed(found, until, reason, reader.values, reader.errors, 422)

    def act() -> str:
        hub = auth.the_hub()
        proven = auth.prove_again(password)
        hub.commands.revoke_key(proven, key, reason=reason, until=until, hub=hub.key, now=auth.now())
        flash(gettext("Đã ký lệnh hủy khóa. Mỗi trạm thôi theo khóa này khi nhận được lệnh."), "ok")
        return url_for("keys.one", key=key)

    try:
        return once(act)
    except NotAllowed as refusal:
        errors = errors_of(refusal, {"password"}.__contains__)
        return confirmed(found, until, reason, reader.values, errors, 422)


def read(reader: forms.Reader) -> tuple[str, int]:
    reason = reader.line("reason", chars_max=REVOCATION_REASON_CHARS_MAX)
    typed = reader.line("until", required=False)
    if not (typed.isascii() and typed.isdigit() and int(typed[:17]) < POSITION_MAX):
        reader.errors["until"] = gettext("Hãy chọn một mốc trong danh sách.")
        return reason, 0
    return reason, int(typed)
