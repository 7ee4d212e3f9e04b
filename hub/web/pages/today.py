"""Hôm nay: what needs doing now, what plays next, what came back from today. The first page after signing
in.

Every number is read from the ledger's views and says as of when; nothing on it is a guess. A station that
has not reported is counted as "not known yet", never as played and never as missed.
"""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hub.web import auth
from hub.web.pages.wishes import in_territory
from hub.web.tally import by_name, not_yet, pieces
from hub.web.wall import attention
from ledger.facts import covers, local_day, minute_of_day

today = Blueprint("today", __name__)

NEXT_MAX = 12  # rows of "plays next"; the week has the rest


@today.get("/")
def page() -> ResponseReturnValue:
    hub, now, officer = auth.the_hub(), auth.now(), auth.officer()
    day, minute = local_day(now), minute_of_day(now)
    cells = [cell for cell in hub.queries.week(day) if cell.day == day and auth.in_sight(cell.territory)]
    coming = [cell for cell in cells if cell.minute >= minute and cell.state == "active"]
    orders = [
        row
        for row in hub.queries.all_series(active_only=True)
        if row.kind == "emergency" and row.expires_at > now and auth.in_sight(row.territory)
    ]
    waiting = [row for row in hub.queries.queue() if covers(officer.territory, row.territory)]
    returned = (
        [row for row in hub.queries.bulletins(state="returned") if row.author.account == officer.account]
        if officer.role == "editor"
        else []
    )
    stations = [row for row in hub.queries.stations(now=now) if covers(officer.territory, row.unit)]
    summary, ahead = hub.queries.summary(day), not_yet(hub, day, now)
    unknown = max(0, summary.unreported - ahead)
    return render_template(
        "today.html",
        coming=coming[:NEXT_MAX],
        more=max(0, len(coming) - NEXT_MAX),
        orders=orders,
        waiting=waiting,
        mine=[row for row in waiting if row.author.account == officer.account],
        returned=[(row, hub.queries.reason_of(row.id)) for row in returned],
        attention=attention(stations, now),
        alerts=[one for one in hub.alarms.open(officer.territory) if one.members and not one.acked_at],
        wishes=[one for one in in_territory() if one.state == "open"] if officer.role == "admin" else [],
        summary=summary,
        counts=hub.queries.counts(),
        unknown=unknown,
        pieces=pieces(by_name(summary.outcomes), unknown=unknown, ahead=ahead),
    )
