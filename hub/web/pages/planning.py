"""Xếp lịch: the rule, then what it would do, then the password.

The first step reads an operator's rule and place. The second shows what would be signed: the next dates,
every station that will hear it and every one that will not, and what it would displace or be displaced by,
computed by the function the stations run. Only then the password is asked, and what is signed is what was
shown: a page whose list has changed since is shown anew. For a bulletin that is not approved yet the same two
steps keep a time asked for, which the approver reads with the bulletin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.recurrence import upcoming
from hub.wanted import Wanted
from hub.web import auth, forms, planform, targets
from hub.web.acts import once
from hub.web.clashes import Clash, clashes, free_minute
from hub.web.pages.bulletins import load
from hub.web.pages.schedule import DATES_SHOWN, quiet_words, schedule
from hub.web.refusals import errors_of, say
from hub.web.tongue import gettext, ngettext
from hub.web.words import date_of, dm, dmy
from ledger.facts import covers, local_day
from ledger.log import NotAllowed

__all__ = ["schedule"]

if TYPE_CHECKING:
    from hub.holidays import Holiday
    from hub.queries import BulletinPage
    from hub.timetable import Ahead

ASKABLE = ("draft", "submitted")  # states in which an author may ask for a time


@dataclass(frozen=True)
class Check:
    """A wish that could be signed, and all that the page says of it."""

    wanted: Wanted
    place: targets.Place
    ahead: Ahead
    clashes: list[Clash]

    @property
    def reach(self) -> targets.Reach:
        """Who hears it: asked for on the pages of one order, not on those of many."""
        return targets.reach(self.ahead, self.place)


def checked(bulletin: str, wanted: Wanted, place: targets.Place) -> Check:
    """Asks the plan. NotAllowed for what could not be signed."""
    ahead = auth.the_hub().commands.foresee(auth.officer(), bulletin, wanted, now=auth.now())
    met = clashes(ahead.outlook, wanted)
    return Check(wanted, place, ahead, met)


@schedule.get("/ban-tin/<bulletin>/xep-lich")
def new(bulletin: str) -> ResponseReturnValue:
    auth.needs("editor", "approver")
    found, today = load(bulletin), local_day(auth.now())
    row = found.row
    return form(found, planform.blank(row.territory, max(today, row.valid_from_day), row.valid_until_day), {})


@schedule.post("/ban-tin/<bulletin>/xep-lich")
def new_post(bulletin: str) -> ResponseReturnValue:
    auth.needs("editor", "approver")
    found = load(bulletin)
    reader, filled = read(found)
    if request.form.get("do") == "edit":
        return form(found, reader.values, {})
    if reader.errors:
        return form(found, reader.values, reader.errors, 422)
    return step(found, reader, filled)


@schedule.post("/ban-tin/<bulletin>/xep-lich/ky")
def sign(bulletin: str) -> ResponseReturnValue:
    auth.needs("editor", "approver")
    found = load(bulletin)
    reader, filled = read(found)
    password = reader.secret("password")
    if set(reader.errors) - {"password"}:
        return form(found, reader.values, reader.errors, 422)
    try:
        check = of(found, filled)
    except NotAllowed as refusal:
        return form(found, reader.values, worded(refusal, filled), 422)
    if reader.errors:
        return shown(found, reader, check, reader.errors, 422)
    if planform.seal(bulletin, found.row.version, check.wanted) != request.form.get("seal"):
        changed = {"": gettext("Danh sách trạm hoặc ngày đã đổi từ lúc bạn mở trang. Hãy đọc lại rồi ký.")}
        return shown(found, reader, check, changed, 422)

    def act() -> str:
        proven = auth.prove_again(password)
        wanted = check.wanted
        series = auth.the_hub().commands.schedule(
            proven,
            bulletin,
            territory=wanted.units,
            days=wanted.days,
            minute=wanted.minute,
            late_s=wanted.late_s,
            on_interrupt=wanted.on_interrupt,
            now=auth.now(),
        )
        auth.the_hub().choices.wanted.forget(bulletin)
        flash(signed_words(wanted), "ok")
        return url_for("schedule.one", series=series)

    try:
        return once(act)
    except NotAllowed as refusal:
        errors = worded(refusal, filled)
        if set(errors) <= {"password", ""}:
            return shown(found, reader, check, errors, 422)
        return form(found, reader.values, errors, 422)


@schedule.post("/ban-tin/<bulletin>/xep-lich/de-nghi")
def ask(bulletin: str) -> ResponseReturnValue:
    """Keeps the time an author asks for, with this version. Nothing is signed."""
    officer = auth.needs("editor", "approver")
    found = load(bulletin)
    reader, filled = read(found)
    if reader.errors or found.row.state not in ASKABLE:
        return form(found, reader.values, reader.errors, 422)
    try:
        check = of(found, filled)
    except NotAllowed as refusal:
        return form(found, reader.values, worded(refusal, filled), 422)

    def act() -> str:
        auth.the_hub().choices.wanted.ask(
            bulletin, found.row.version, check.wanted, account=officer.account, now=auth.now()
        )
        flash(gettext("Đã ghi lịch đề nghị. Người duyệt sẽ đọc cùng bản tin; chưa có gì được ký."), "ok")
        return url_for("bulletins.one", bulletin=bulletin)

    return once(act)


def read(found: BulletinPage) -> tuple[forms.Reader, planform.PlanIn]:
    reader = forms.Reader(request.form, planform.SIGN_FIELDS)
    known = dict(targets.choices(found.row.territory))
    # A unit of the officer's that lies outside the approval is known, and refused in words by the command.
    known |= {unit: "" for unit in auth.the_hub().facts.stations if covers(auth.officer().territory, unit)}
    known[auth.officer().territory] = ""
    return reader, planform.plan(reader, choices=known, holidays=auth.the_hub().choices.holidays)


def of(found: BulletinPage, filled: planform.PlanIn) -> Check:
    """What the form asks for, expanded and asked of the plan. NotAllowed."""
    length_s = auth.the_hub().commands.slot_s(found.row.id)
    place = targets.expand(filled.choice, found.row.territory, filled.days, filled.minute, length_s)
    if not place.units:
        raise NotAllowed("group-empty", "no station of this group could play it", where="territory")
    wanted = Wanted(place.units, filled.days, filled.minute, filled.late_s, filled.on_interrupt)
    return checked(found.row.id, wanted, place)


def step(found: BulletinPage, reader: forms.Reader, filled: planform.PlanIn) -> ResponseReturnValue:
    try:
        return shown(found, reader, of(found, filled), {})
    except NotAllowed as refusal:
        return form(found, reader.values, worded(refusal, filled), 422)


def worded(refusal: NotAllowed, filled: planform.PlanIn) -> dict[str, str]:
    errors = errors_of(refusal, planform.SIGN_FIELDS.__contains__)
    if refusal.code == "quiet-hours":
        errors = {"at": f"{say(refusal)} {quiet_words(refusal.where or filled.choice)}"}
    return errors


def signed_words(wanted: Wanted) -> str:
    """`Đã ký lịch phát 7 ngày: 09/11, …`, with the number of units when there are several."""
    count, more = len(wanted.days), len(wanted.days) > DATES_SHOWN
    said = ngettext(
        "Đã ký lịch phát %(num)d ngày: %(dates)s.",
        "Đã ký lịch phát %(num)d ngày: %(dates)s.",
        count,
        dates=", ".join(map(dm, wanted.days[:DATES_SHOWN])) + (" …" if more else ""),
    )
    if len(wanted.units) > 1:
        said += " " + gettext("Mỗi trạm một quyết định: %(n)s.", n=targets.counted(wanted.units))
    return said


def shown(
    found: BulletinPage, reader: forms.Reader, check: Check, errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    today = local_day(auth.now())
    days = check.wanted.days
    fits = free_minute(auth.the_hub(), check.ahead, check.wanted)
    return (
        render_template(
            "schedule_check.html",
            page=found,
            row=found.row,
            check=check,
            kept=[(name, value) for name in planform.FIELDS for value in request.form.getlist(name)],
            errors=errors,
            coming=upcoming(days, today, DATES_SHOWN),
            feasts=feasts_on(days),
            seal=planform.seal(found.row.id, found.row.version, check.wanted),
            others=targets.others(found.row, check.ahead, check.place),
            shift=fits,
            asks=found.row.state in ASKABLE,
        ),
        status,
    )


def feasts_on(days: tuple[int, ...]) -> list[Holiday]:
    """The holidays among these days: an operator wants to be told of them, whatever the rule says."""
    known = auth.the_hub().choices.holidays.between(days[0], days[-1])
    return [known[day] for day in days if day in known]


def form(
    found: BulletinPage, values: dict[str, object], errors: dict[str, str], status: int = 200
) -> ResponseReturnValue:
    years = range(date_of(local_day(auth.now())).year, date_of(found.row.valid_until_day).year + 1)
    return (
        render_template(
            "schedule_form.html",
            page=found,
            row=found.row,
            values=values,
            errors=errors,
            quiet=quiet_words(found.row.territory),
            places=targets.choices(found.row.territory),
            incomplete=auth.the_hub().choices.holidays.incomplete(years),
            lates=[("0", gettext("không phát trễ"))]
            + [(n, gettext("trễ tối đa %(n)s phút", n=n)) for n in planform.LATE_MINUTES[1:]],
            weeks=[(str(n), gettext("lần thứ %(n)d", n=n)) for n in range(1, 5)]
            + [("-1", gettext("lần cuối"))],
            on_holidays=[
                ("0", gettext("phát như ngày thường")),
                ("1", gettext("không phát")),
                ("2", gettext("chỉ phát ngày lễ, Tết")),
            ],
            asks=found.row.state in ASKABLE,
            valid=(dmy(found.row.valid_from_day), dmy(found.row.valid_until_day)),
        ),
        status,
    )
