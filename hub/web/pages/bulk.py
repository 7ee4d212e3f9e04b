"""Chờ duyệt, nhiều bản một lúc: filter, tick or take all that match, read the exact totals, one password.

Three steps. The list ticks what is on it; "all N that match" is a step of its own and says its number. The
second step lists every bulletin with its sum (how many, how long, at how many stations) and what is not
included and why. The third is the answer: one line for each, done or not done with the reason. A press that
comes twice approves nothing twice: the second is told that it is approved already. Emergencies are not
bulletins and never stand here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from hub.approving import BULK_MAX, Answer, Ask, approve_each
from hub.media import folded
from hub.web import auth, forms
from hub.web.choices import categories
from hub.web.pages.queue import CHECKED_MAX, Waiting, mine, queue, seal_of, waiting
from hub.web.refusals import errors_of, say
from hub.web.tongue import gettext
from hub.web.words import nfc
from ledger.facts import covers
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.queries import BulletinRow

__all__ = ["queue"]

FILTERS = ("chu", "lop", "lv", "nguoi", "co-lich")
PAGE_ROWS = 50
SEEN = re.compile(r"([0-9a-f]{32})\.([1-9][0-9]{0,8})\.([0-9a-f]{64})", re.ASCII)
PRESS_FIELDS = ("chon", "seen", "with_plan", "password", *FILTERS)


@dataclass(frozen=True)
class Totals:
    """length_s: of all of them once. stations: different ones. times: days with a slot. without_plan: no time
    is asked for, or it cannot be signed.
    """

    count: int
    length_s: int
    stations: int
    times: int
    without_plan: int


@queue.get("/cho-duyet")
def page() -> ResponseReturnValue:
    return listed({})


def listed(errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    values = filters()
    found = matching(values)
    rows = [waiting(row, ask_plan=n < CHECKED_MAX) for n, row in enumerate(found[:PAGE_ROWS])]
    rows.sort(key=lambda one: one.first_at)
    able = [one for one in (waiting(row, ask_plan=False) for row in found) if one.able]
    every = mine()
    return (
        render_template(
            "queue.html",
            rows=rows,
            found=len(found),
            able=len(able),
            every=len(every),
            values=values,
            filtered=any(values.values()),
            authors=sorted({(row.author.account, row.author.name or row.author.account) for row in every}),
            categories=categories(),
            errors=errors,
            ticked=set(request.form.getlist("chon")),
            words={one.row.id: auth.the_hub().queries.words_of(one.row.manifest) for one in rows},
        ),
        status,
    )


def filters() -> dict[str, str]:
    """The filter as it stands in the address or in the form."""
    return {name: nfc(request.values.get(name, "")).strip()[: forms.LINE_CHARS_MAX] for name in FILTERS}


def matching(values: dict[str, str]) -> list[BulletinRow]:
    """What waits in the officer's territory and suits the filter, longest waiting first."""
    words = folded(values["chu"]).split()
    wanted = auth.the_hub().choices.wanted
    return [
        row
        for row in mine()
        if all(word in folded(row.title) for word in words)
        and values["lop"] in ("", str(row.klass))
        and values["lv"] in ("", row.category)
        and values["nguoi"] in ("", row.author.account)
        and (not values["co-lich"] or wanted.asked(row.id, row.version) is not None)
    ]


@queue.post("/cho-duyet/nhieu")
def choose() -> ResponseReturnValue:
    """The second step: exact totals of what was ticked, or of all that match."""
    auth.needs("approver")
    forms.Reader(request.form, PRESS_FIELDS)
    if request.form.get("do") == "all":
        rows = [row for row in matching(filters()) if row.author.account != auth.officer().account]
    else:
        ticked = set(request.form.getlist("chon"))
        rows = [row for row in mine() if row.id in ticked]
    if not rows:
        return listed({"": gettext("Chưa chọn bản tin nào. Hãy đánh dấu ít nhất một bản.")}, 422)
    if len(rows) > BULK_MAX:
        return listed({"": too_many(len(rows))}, 422)
    return confirm([waiting(row) for row in rows], {})


def too_many(count: int) -> str:
    return gettext(
        "Có %(have)d bản tin; mỗi lần duyệt nhiều nhất %(most)d bản. Hãy lọc bớt.", have=count, most=BULK_MAX
    )


def confirm(chosen: list[Waiting], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    able = [one for one in chosen if one.able]
    return (
        render_template(
            "queue_confirm.html",
            able=able,
            left_out=[one for one in chosen if not one.able],
            totals=totals(able),
            seal_of=seal_of,
            errors=errors,
            values=filters(),
        ),
        status,
    )


def totals(able: list[Waiting]) -> Totals:
    stations = list(auth.the_hub().facts.stations)
    reached: set[str] = set()
    for one in able:
        if one.check is not None:
            reached.update(one.check.ahead.stations)
        else:
            reached.update(unit for unit in stations if covers(one.row.territory, unit))
    planned = [one for one in able if one.check is not None]
    return Totals(
        len(able),
        sum(-(-one.row.duration_ms // 1000) for one in able),
        len(reached),
        sum(len(one.check.wanted.days) for one in planned if one.check is not None),
        len(able) - len(planned),
    )


@queue.post("/cho-duyet/nhieu/duyet")
def many() -> ResponseReturnValue:
    """The third step: each signed by itself, and one answer for each."""
    auth.needs("approver")
    reader = forms.Reader(request.form, PRESS_FIELDS)
    rows = {row.id: row for row in mine()}
    seen = [read_seen(text) for text in request.form.getlist("seen")]
    if not seen or len(seen) > BULK_MAX:
        abort(400)
    with_plan = set(request.form.getlist("with_plan"))
    wanted = auth.the_hub().choices.wanted
    asks = []
    for bulletin, version, manifest in seen:
        asked = wanted.asked(bulletin, version)
        take = asked is not None and seal_of(asked) in with_plan
        asks.append(Ask(bulletin, version, manifest, asked.wanted if asked and take else None))
    password = reader.secret("password")
    again = [waiting(rows[ask.bulletin]) for ask in asks if ask.bulletin in rows]
    if reader.errors:
        return confirm(again, reader.errors, 422)
    try:
        proven = auth.prove_again(password)
        answers = approve_each(auth.the_hub().commands, proven, asks, now=auth.now())
    except NotAllowed as refusal:
        return confirm(again, errors_of(refusal, lambda name: name == "password"), 422)
    for answer in answers:
        if answer.series:
            wanted.forget(answer.ask.bulletin)
    return told(answers)


def told(answers: list[Answer]) -> ResponseReturnValue:
    titles = {}
    for answer in answers:
        page = auth.the_hub().queries.bulletin(answer.ask.bulletin)
        titles[answer.ask.bulletin] = page.row.title if auth.in_sight(page.row.territory) else ""
    return render_template(
        "queue_done.html",
        answers=answers,
        titles=titles,
        done=sum(1 for one in answers if one.approved),
        planned=sum(1 for one in answers if one.series),
        failed=[(one, say(one.refusal)) for one in answers if one.refusal is not None],
    )


def read_seen(text: str) -> tuple[str, int, str]:
    """bulletin.version.manifest of what the second step showed; 400 for anything else."""
    found = SEEN.fullmatch(text)
    if found is None:
        abort(400)
    return found[1], int(found[2]), found[3]
