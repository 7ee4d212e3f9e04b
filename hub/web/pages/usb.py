"""USB: hand in the bundle that a station sent on a stick, and fetch the answer for it, while the hub serves.

Everybody who works at the desk may hand one in: what counts in it is signed, as all is that comes over
the network, and a stick must not wait for an administrator. They are told what became of it, by name only of
stations in their own territory; and they get answers for those alone, because an answer holds what will
be broadcast there.

One is taken in at a time, and two answers are made or fetched at a time, so that a crowd of browsers costs
the hub no more than that. An answer lies in the hub's own folder while it is fetched, and goes when the last
byte has left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, cast

from flask import Blueprint, Response, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue

from hub import usb as sticks
from hub.web import auth, forms
from hub.web.handed import Handed
from hub.web.refusals import say
from hub.web.tongue import gettext
from ledger.facts import covers
from ledger.log import Corner, NotAllowed, StoreError, stick

usb = Blueprint("usb", __name__)

OUTBOX: Final = "outbox"
FETCHED_MAX: Final = 2  # answers lying in the outbox at once
ANSWER_BYTES_MAX: Final = 1 << 30  # a browser's download; a larger one is the command's
PORTION_BYTES: Final = 256 * 1024
DAYS: Final = ("7", "35", "90")
UNITS_MAX: Final = 60  # a form has at most 64 fields


@dataclass
class Traffic:
    """What is under way. taking: held while a bundle is taken in."""

    taking: Lock = field(default_factory=Lock)
    guard: Lock = field(default_factory=Lock)
    lying: set[str] = field(default_factory=set)
    swept: bool = False


def traffic() -> Traffic:
    return cast(Traffic, current_app.extensions.setdefault("loa_usb", Traffic()))


@usb.get("/usb")
def page() -> ResponseReturnValue:
    auth.officer()
    return shown()


def shown(
    errors: dict[str, str] | None = None, done: sticks.Received | None = None, status: int = 200
) -> ResponseReturnValue:
    hub, own = auth.the_hub(), auth.officer().territory
    waiting = [one for one in sticks.asked(hub) if covers(own, one.unit)]
    mine = [unit for unit in (done.requests if done else ()) if covers(own, unit)]
    return (
        render_template(
            "usb.html",
            waiting=waiting[:UNITS_MAX],
            left_out=max(0, len(waiting) - UNITS_MAX),
            done=done,
            mine=mine,
            others=len(done.requests) - len(mine) if done else 0,
            refused=why_refused(done.refused) if done else [],
            errors=errors or {},
            values={"days": str(sticks.DAYS_AHEAD)},
            days=[(d, gettext("%(days)s ngày", days=d)) for d in DAYS],
            bytes_max=current_app.config["MAX_CONTENT_LENGTH"],
        ),
        status,
    )


@usb.post("/usb/nhan")
def take_in() -> ResponseReturnValue:
    """A bundle from a station. What was taken in stays, whatever is wrong with the rest."""
    auth.officer()
    given = request.files.get("bundle")
    if given is None or not given.filename:
        return shown({"bundle": gettext("Hãy chọn tệp .loa trên USB.")}, status=422)
    now = traffic()
    if not now.taking.acquire(blocking=False):
        return shown({"": gettext("Đang nhận một tệp khác. Hãy thử lại sau ít phút.")}, status=503)
    try:
        done = sticks.receive(auth.the_hub(), Handed(given.stream))  # type: ignore[arg-type]
    finally:
        now.taking.release()
    nothing = not (done.segments or done.known or done.parked or done.stale or done.requests or done.refused)
    if nothing:
        empty = gettext("Tệp này không có gói nào của Loa. Chưa có gì được nhận.")
        return shown({"bundle": empty}, status=422)
    return shown(done=done)


@usb.post("/usb/tra-loi")
def put_out() -> ResponseReturnValue:
    """The answer for the stations that were ticked, as a file."""
    hub, officer = auth.the_hub(), auth.officer()
    reader = forms.Reader(request.form, ("units", "days"))
    days = reader.choice("days", DAYS)
    units = request.form.getlist("units")[:UNITS_MAX]
    if not units:
        reader.errors["units"] = gettext("Hãy chọn ít nhất một trạm.")
    if not all(covers(officer.territory, unit) for unit in units):
        abort(404)
    if reader.errors:
        return shown(reader.errors, status=422)
    now, outbox = traffic(), Corner(hub.store, OUTBOX)
    name = hub.entropy(8).hex() + ".loa"
    with now.guard:
        if not now.swept:
            outbox.clear()  # what a process before this one left
            now.swept = True
        if len(now.lying) >= FETCHED_MAX:
            full = gettext("Đang có người khác tải thư trả lời. Hãy thử lại sau ít phút.")
            return shown({"": full}, status=503)
        now.lying.add(name)
    try:
        sent = sticks.send(hub, units, outbox, name, days=int(days), bytes_max=ANSWER_BYTES_MAX)
    except (NotAllowed, StoreError) as refusal:
        drop(now, outbox, name)
        if isinstance(refusal, StoreError) and not refusal.code.startswith("stick-"):
            raise
        return shown({"": say(refusal)}, status=422)
    except BaseException:
        drop(now, outbox, name)
        raise
    answer = Response(portions(outbox, name, sent.bytes), mimetype="application/octet-stream")
    answer.content_length = sent.bytes
    called = (units[0] if len(units) == 1 else sticks.MANY) + sticks.FILE_END
    answer.headers["Content-Disposition"] = f'attachment; filename="{called}"'
    answer.call_on_close(lambda: drop(now, outbox, name))
    return answer


def portions(outbox: Corner, name: str, size: int) -> Iterator[bytes]:
    """The file, piece by piece."""
    for at in range(0, size, PORTION_BYTES):
        yield outbox.read_at(name, at, min(PORTION_BYTES, size - at))


def drop(now: Traffic, outbox: Corner, name: str) -> None:
    """The answer has left, or will not."""
    outbox.delete(name)
    outbox.delete(name + stick.HALF)
    with now.guard:
        now.lying.discard(name)


def why_refused(refused: Counter[str]) -> list[tuple[str, int, str]]:
    """(code, how often, in words)."""
    words = {
        "key-unknown": gettext("khóa lạ: chưa có lệnh cấp quyền nào nêu khóa này"),
        "key-no-station": gettext("khóa này không phải của trạm nào đang có quyền"),
        "signature-bad": gettext("chữ ký không khớp: đã bị sửa trên đường đi"),
        "log-frozen": gettext("nhật ký này đã bị đóng băng vì có hai lịch sử"),
        "fork-overlap": gettext("hai lịch sử của cùng một nhật ký; đã giữ cả hai làm bằng chứng"),
        "fork-broken-link": gettext("hai lịch sử của cùng một nhật ký; đã giữ cả hai làm bằng chứng"),
        "errand-segments": gettext("thư yêu cầu này làm cho đường mạng, không phải cho USB"),
    }
    rest = gettext("hỏng hoặc sai khuôn dạng")
    return [(code, count, words.get(code, rest)) for code, count in sorted(refused.items())]
