"""Đề nghị: what is offered for the coming week; accepted, moved within its day after a look at what comes
of it, or declined with a reason. Nothing here needs a script: the look is a page of its own.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from ledger.facts import Answer, minute_of_day
from ledger.log import LoaError
from node.page import offers
from node.page.bulletins import Bulletins
from node.page.dayplan import CLASSES
from node.page.office import Office, Person
from node.page.phrases import Words
from node.web.parts import ask, attempt, back, field, number, person, t
from node.web.refusals import said
from node.web.sending import send

PAGE = Blueprint("offers", __name__)
MENU = Words("Đề nghị", "Offers")
REFUSALS: Final = {
    "offer-unknown": Words(
        "Mục này không còn trong danh sách đề nghị. Chưa có gì được ký.", "This is on offer no more."
    ),
    "offer-too-late": Words(
        "Đã đến giờ của mục này nên trả lời không còn tác dụng. Chưa có gì được ký.",
        "Its time has come, so an answer would change nothing. Nothing was signed.",
    ),
    "move-past": Words("Giờ ấy đã qua. Hãy chọn giờ muộn hơn.", "That time has passed. Choose a later one."),
    "move-silent": Words(
        "Dời sang giờ ấy thì mục này sẽ không được phát. Hãy chọn giờ khác.",
        "It would not be played at that time. Choose another one.",
    ),
    "order-changed": Words(
        "Danh sách vừa thay đổi nên thứ tự chưa được ký. Hãy xem lại rồi ký.",
        "The list has just changed, so nothing was signed. Look at it again, then sign.",
    ),
    "quiet-hours": Words(
        "Giờ ấy chạm giờ yên tĩnh: chỉ tin khẩn cấp được phát. Hãy chọn giờ khác.",
        "That touches the quiet hours, when only an emergency may sound. Choose another time.",
    ),
    "minute-range": Words("Hãy chọn một giờ, ví dụ 17:30.", "Choose a time, for example 17:30."),
}
ANSWERS: Final = {
    Answer.ACCEPTED: (("ok", "ok"), Words("xã nhận", "accepted")),
    Answer.MOVED: (("wait", "acc"), Words("xã dời sang", "moved to")),
    Answer.DECLINED: (("gone", "mute"), Words("xã không nhận", "declined")),
}
WORTH: Final = {
    "no-offer": Words("không có tác dụng: mục này bắt buộc phát", "without effect: it must be played"),
    "other-order": Words("không còn tác dụng: lịch đã xếp lại", "without effect: it was ordered anew"),
    "too-late": Words("không có tác dụng: đã quá giờ", "without effect: it came too late"),
    "overruled": Words("đã có trả lời khác", "another answer decides"),
}
REASON_CHARS: Final = 500


def waiting(office: Office, _who: Person) -> int:
    return offers.waiting(office)


@PAGE.get("/de-nghi")
def page() -> ResponseReturnValue:
    rows = ask(offers.offers_of)
    return render_template("offers.html", rows=rows, **_words())


@PAGE.get("/de-nghi/<int:series>")
def one(series: int) -> ResponseReturnValue:
    minute, day = _minute(request.args.get("gio", "")), _day(request.args.get("ngay", ""))

    def look(office: Office) -> dict[str, Any]:
        offer = offers.offer_of(office, series)
        chosen = next((one for one in offer.days if one.slot.day == day), offer.days[0])
        desk = Bulletins(office)
        checks = []
        if minute is not None:
            meant = offer.days if day is None else (chosen,)
            checks = [offers.check_move(office, one.slot, minute) for one in meant]
        manifest = desk.contents.manifest(offer.manifest)
        return {
            "offer": offer, "day": day, "chosen": chosen, "checks": checks, "now_s": office.now().utc_s,
            "text": desk.text(offer.manifest), "here": desk.contents.is_ready(offer.manifest),
            "sound": manifest is not None and desk.contents.heard(manifest) is not None,
            "quiet": office.station.facts.quiet_hours(office.unit),
        }  # fmt: skip

    try:
        found = ask(look)
    except LoaError as error:
        if error.code == "offer-unknown":
            abort(404)
        raise
    shown = minute_of_day(found["chosen"].slot.start_s) if minute is None else minute
    asked = "" if minute is None else _hm(minute)
    wrong = request.args.get("gio", "") != "" and minute is None
    refused = [t(said(check.refused, REFUSALS)) for check in found["checks"] if check.refused is not None]
    able = sum(check.refused is None for check in found["checks"])
    return render_template(
        "offer.html", gio=_hm(shown), asked=asked, wrong=wrong, refused=refused[:1], able=able, hm=_hm,
        **found, **_words(),
    )  # fmt: skip


@PAGE.post("/de-nghi/<int:series>")
def answer(series: int) -> ResponseReturnValue:
    who, day = person(), _day(field("ngay", 10))
    way, minute, reason = field("tra_loi", 10), _minute(field("gio", 5)), field("ly_do", REASON_CHARS)
    if way == "nhan":
        done = attempt(
            lambda office: offers.accept(office, who, series, day),
            Words("Đã ký: xã nhận, phát đúng giờ đã xếp.", "Signed: accepted, it plays as ordered."),
        )
    elif way == "doi" and minute is not None:
        done = attempt(
            lambda office: offers.move(office, who, series, day, minute),
            Words(f"Đã ký: dời sang {_hm(minute)}.", f"Signed: moved to {_hm(minute)}."),
        )
    elif way == "khong":
        done = attempt(
            lambda office: offers.decline(office, who, series, day, reason),
            Words("Đã ký: xã không nhận. Tỉnh sẽ đọc lý do.", "Signed: declined. The province reads why."),
        )
    else:
        abort(400)
    return back("offers.page") if done else back("offers.one", series=series, ngay=number("ngay"))


@PAGE.get("/de-nghi/<int:series>/nghe")
def sound(series: int) -> ResponseReturnValue:
    def find(office: Office) -> tuple[bytes, int, str] | None:
        desk = Bulletins(office)
        manifest = desk.contents.manifest(offers.offer_of(office, series).manifest)
        heard = None if manifest is None else desk.contents.heard(manifest)
        if heard is None or not desk.contents.has(heard.sha256):
            return None
        return heard.sha256, heard.size, heard.media_type

    try:
        found = ask(find)
    except LoaError:
        abort(404)
    if found is None:
        abort(404)
    name, size, media_type = found

    def piece(office: Office, offset: int, length: int) -> bytes:
        return Bulletins(office).blobs.read_range(name, offset, length)

    return send(piece, size=size, media_type=media_type, etag=name.hex())


def _words() -> dict[str, Any]:
    return {"answers": ANSWERS, "worth": WORTH, "classes": CLASSES, "minute_of": minute_of_day}


def _minute(text: str) -> int | None:
    """`17:30` of a time field; None when it is none."""
    hours, _, minutes = text.partition(":")
    if not (hours.isascii() and hours.isdigit() and minutes[:2].isascii() and minutes[:2].isdigit()):
        return None
    found = int(hours) * 60 + int(minutes[:2])
    return found if len(text) <= 8 and int(hours) < 24 and int(minutes[:2]) < 60 else None


def _day(text: str) -> int | None:
    """A local day's number; None for all days."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


def _hm(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
