"""A second person for an emergency: who proposed waits here, who is asked reads and signs here.

The author's page refreshes itself until its author may go alone, then it holds a form and stands still, so
that nobody's typing is lost. The second person's page holds its form from the beginning. Every press is
judged at the hub on what stands there then.

The strip at the top of every page is asked for again by the script; without one a small frame does it, so
that an approver who writes something else sees the call and loses no word.
"""

from __future__ import annotations

import hashlib
from typing import Final

from flask import Blueprint, Response, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.desk import from_hex
from hub.emergencies import Waiting
from hub.media import read_manifest
from hub.web import auth, forms
from hub.web.acts import once
from hub.web.pages.bulletins import sound
from hub.web.refusals import errors_of
from hub.web.tongue import gettext
from ledger.facts import REASON_CHARS_MAX, EmergencyProposed, Standing, open_proposal, proposed_content
from ledger.log import NotAllowed

second = Blueprint("second", __name__)

REFRESH_S: Final = 5
SERIES: Final = "<int(max=2147483647):series>"


@second.get("/khan-cap/goi")
def strip_bar() -> ResponseReturnValue:
    """The strip alone, for the script. Unchanged costs a 304."""
    return piece("_strip.html")


@second.get("/khan-cap/khung")
def frame() -> ResponseReturnValue:
    """The strip as a small page of its own, for a frame without a script."""
    return render_template("strip_frame.html", refresh_s=REFRESH_S * 2)


@second.get(f"/khan-cap/de-nghi/{SERIES}")
def one(series: int) -> ResponseReturnValue:
    return shown(series)


@second.get(f"/khan-cap/de-nghi/{SERIES}/trang-thai")
def live(series: int) -> ResponseReturnValue:
    """How the proposal stands, alone. `f`: its page holds a form already."""
    context = {**state_of(series), "with_form": "f" in request.args}
    return piece("_proposal.html", context)


@second.get(f"/khan-cap/de-nghi/{SERIES}/am-thanh")
def recording(series: int) -> ResponseReturnValue:
    """What will be heard, to listen to before signing."""
    found = read_manifest(auth.the_hub().blobs, load(series).fact.manifest).audio()
    if found is None:
        abort(404)
    return sound(found.sha256.hex(), found.media_type)


@second.post(f"/khan-cap/de-nghi/{SERIES}/ky")
def sign(series: int) -> ResponseReturnValue:
    """The second person's press: the password, and the order is on the air under that person's key."""
    auth.needs("approver")
    load(series)
    reader = forms.Reader(request.form, ("password", "content"))
    password, content = reader.secret("password"), from_hex(reader.line("content"))
    if reader.errors:
        return shown(series, reader.errors, 422)

    def act() -> str:
        auth.the_hub().commands.second_emergency(
            auth.prove_again(password), series, content=content, now=auth.now()
        )
        flash(gettext("Đã ký: lệnh lên sóng với chữ ký của hai người."), "ok")
        return url_for("emergency.one", series=series)

    return pressed(series, act)


@second.post(f"/khan-cap/de-nghi/{SERIES}/mot-minh")
def alone(series: int) -> ResponseReturnValue:
    """The author's press after waiting: a reason and the password."""
    auth.needs("approver")
    load(series)
    reader = forms.Reader(request.form, ("password", "reason"))
    password = reader.secret("password")
    reason = reader.line("reason", chars_max=REASON_CHARS_MAX)
    if reader.errors:
        return shown(series, reader.errors, 422, reader.values)

    def act() -> str:
        auth.the_hub().commands.order_alone(
            auth.prove_again(password), series, reason=reason, present=auth.at_work(), now=auth.now()
        )
        flash(gettext("Đã ký một mình: lệnh lên sóng, lý do nằm trong nhật ký."), "ok")
        return url_for("emergency.one", series=series)

    return pressed(series, act, reader.values)


@second.post(f"/khan-cap/de-nghi/{SERIES}/rut")
def drop(series: int) -> ResponseReturnValue:
    officer = auth.needs("approver")
    load(series)
    forms.Reader(request.form, ())

    def act() -> str:
        auth.the_hub().commands.drop_proposal(officer, series, now=auth.now())
        flash(gettext("Đã rút đề nghị. Không có gì được phát."), "ok")
        return url_for("emergency.page")

    return pressed(series, act)


# -- showing -------------------------------------------------------------------------------------------------


def load(series: int) -> Standing[EmergencyProposed]:
    hub = auth.the_hub()
    with hub.lock:
        said = hub.facts.proposals.get(series)
    if not said or not auth.in_sight(said[0].fact.territory):
        abort(404)
    return said[0]


def pressed(series: int, act: object, values: dict[str, object] | None = None) -> ResponseReturnValue:
    try:
        return once(act)  # type: ignore[arg-type]
    except NotAllowed as refusal:
        return shown(series, errors_of(refusal, {"password", "reason"}.__contains__), 422, values)


def state_of(series: int) -> dict[str, object]:
    """What both the page and its live piece say."""
    hub, now, officer = auth.the_hub(), auth.now(), auth.officer()
    asked = load(series)
    with hub.lock:
        said = hub.facts.proposals[series]
        ordered = series in hub.facts.orders
        still = open_proposal(said, ordered=ordered, now=now) is not None
        waits = Waiting(series, asked.fact, asked.key_id, asked.position, proposed_content(asked.fact))
        mine = asked.key_id == officer.key.key_id
        present = auth.at_work()
        alone_at = hub.commands.alone_at(officer, asked.fact, present=present, now=now) if mine else 0
        others = hub.commands.seconds(officer, asked.fact.territory, now=now)
        may = officer.role == "approver" and hub.commands.may_second(officer, waits, now=now)
    return {
        "asked": asked.fact,
        "author": hub.queries.person(asked.key_id),
        "series": series,
        "still": still,
        "ordered": ordered,
        "mine": mine,
        "may_second": still and may,
        "may_alone": still and mine and now >= alone_at,
        "wait_s": max(0, alone_at - now),
        "at_work": [one for one in others if one.account in present],
        "elsewhere": [one for one in others if one.account not in present],
        "content": waits.content.hex(),
        "dropped": not ordered and not still and now <= asked.fact.open_until,
    }


def shown(
    series: int, errors: dict[str, str] | None = None, status: int = 200,
    values: dict[str, object] | None = None,
) -> ResponseReturnValue:  # fmt: skip
    return (
        render_template(
            "proposal.html", **state_of(series), errors=errors or {}, values=values or {"reason": ""},
            with_form=True,
            refresh_s=REFRESH_S, auto=auth.REFRESHED,
        ),
        status,
    )  # fmt: skip


def piece(template: str, context: dict[str, object] | None = None, *, tag: str = "") -> ResponseReturnValue:
    """A small piece of page with an ETag: the script asks for it again, unchanged costs no body.

    tag: what makes it another piece, when a clock in it does not.
    """
    body = render_template(template, **(context or {}))
    answer = Response(body, content_type="text/html; charset=utf-8")
    answer.set_etag(hashlib.sha256((tag or body).encode()).hexdigest()[:16])
    answer.headers["Cache-Control"] = "no-cache, private"
    return answer.make_conditional(request)
