"""Sự cố: what is wrong now, by what a person can do about it, and who knows of it.

An alert ends by itself when its cause is gone. Whoever acknowledges one says "I know", with a note for the
others; it stops the letters and changes nothing at any station.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.alarms import NOTE_CHARS_MAX
from hub.alerts import Alert, Member
from hub.web import alert_words, auth, forms
from hub.web.acts import once
from hub.web.refusals import errors_of
from hub.web.tongue import gettext
from ledger.facts import covers
from ledger.log import NotAllowed

alerts = Blueprint("alerts", __name__)

MEMBERS_SHOWN = 400
FIELDS = ("note",)


@dataclass(frozen=True)
class MemberRow:
    """A station of an alert. series, day: the broadcast of a missed one, 0 for anything else."""

    member: Member
    series: int
    day: int


@alerts.get("/su-co")
def page() -> ResponseReturnValue:
    hub, officer = auth.the_hub(), auth.officer()
    letters = hub.alarms.letters() if officer.role == "admin" else []
    return render_template(
        "alerts.html", open=hub.alarms.open(officer.territory), closed=hub.alarms.closed(officer.territory),
        letters=letters, ways=hub.alarms.ways, said=alert_words,
    )  # fmt: skip


@alerts.get("/su-co/<alert>")
def one(alert: str) -> ResponseReturnValue:
    return shown(alert, {}, {})


@alerts.post("/su-co/<alert>")
def acknowledge(alert: str) -> ResponseReturnValue:
    officer = auth.officer()
    reader = forms.Reader(request.form, FIELDS)
    note = reader.text("note", chars_max=NOTE_CHARS_MAX, required=False)
    if reader.errors:
        return shown(alert, reader.values, reader.errors, 422)

    def act() -> str:
        auth.the_hub().alarms.acknowledge(officer, alert, note, now=auth.now())
        flash(gettext("Đã ghi nhận: bạn đã biết sự cố này. Thư không gửi lại nữa."), "ok")
        return url_for("alerts.page")

    try:
        return once(act)
    except NotAllowed as refusal:
        if refusal.code == "alert-unknown":
            raise
        return shown(alert, reader.values, errors_of(refusal), 422)


def shown(
    alert_id: str, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    hub, officer = auth.the_hub(), auth.officer()
    alert = hub.alarms.one(alert_id)
    if not in_sight(alert):
        raise NotAllowed("alert-unknown", "no such alert", hint="look at the list")
    rows = [row_of(one) for one in alert.members if covers(officer.territory, one.unit)]
    return render_template(
        "alert.html", alert=alert, rows=rows[:MEMBERS_SHOWN], more=max(0, len(rows) - MEMBERS_SHOWN),
        titles={row.series: title_of(row) for row in rows[:MEMBERS_SHOWN] if row.series},
        values=values or {"note": alert.note}, errors=errors, said=alert_words,
        all_mine=all(covers(officer.territory, unit) for unit in alert.units),
    ), status  # fmt: skip


def in_sight(alert: Alert) -> bool:
    """Whether any of its stations, or its own scope, lies in this officer's territory."""
    own = auth.officer().territory
    if any(covers(own, unit) for unit in alert.units):
        return True
    return not alert.members and (covers(own, alert.scope) or own == auth.the_hub().config.province)


def row_of(member: Member) -> MemberRow:
    series, _, day = member.item.partition("/")
    return MemberRow(member, int(series or 0), int(day or 0))


def title_of(row: MemberRow) -> str:
    try:
        return auth.the_hub().queries.series(row.series, unit=row.member.unit).title
    except NotAllowed:  # reported, although no order of it is here
        return ""
