"""What the USB commands say to the person at the box: Vietnamese first, English second.

Bound: words. Times are given in UTC seconds and shown as Vietnam's.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from ledger.facts import UTC_OFFSET_S
from node.clock import AGREE_S

VIETNAM: Final = dt.timezone(dt.timedelta(seconds=UTC_OFFSET_S))
_DAYS: Final = ("thứ hai", "thứ ba", "thứ tư", "thứ năm", "thứ sáu", "thứ bảy", "chủ nhật")
_DAYS_EN: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
YES: Final = frozenset({"c", "có", "co", "đúng", "dung", "đ", "y", "yes"})
NO: Final = frozenset({"k", "không", "khong", "ko", "sai", "n", "no"})
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M"


def vietnamese(utc_s: int) -> str:
    """`17:05, thứ hai 23-11-2026`."""
    local = _local(utc_s)
    return f"{local:%H:%M}, {_DAYS[local.weekday()]} {local:%d-%m-%Y}"


def english(utc_s: int) -> str:
    """`17:05, Monday 23-11-2026`."""
    local = _local(utc_s)
    return f"{local:%H:%M}, {_DAYS_EN[local.weekday()]} {local:%d-%m-%Y}"


def read_time(text: str) -> int | None:
    """UTC seconds of `2026-11-23T17:05`, Vietnam's time; None when it is no such time."""
    try:
        return int(dt.datetime.strptime(text, TIME_FORMAT).replace(tzinfo=VIETNAM).timestamp())
    except ValueError:
        return None


def agrees(said_s: int, utc_s: int) -> bool:
    """True when a time given to the minute is the box's."""
    return -AGREE_S <= utc_s - said_s <= AGREE_S + 60


def orders_of(question: dict[str, Any]) -> list[str]:
    """The emergencies, one after the other."""
    lines = ["TIN KHẨN CẤP đến bằng USB, đang chờ · EMERGENCY from the stick, waiting:"]
    for one in question["orders"]:
        drill = "DIỄN TẬP · DRILL, " if one["drill"] else ""
        lines.append(f"  {drill}cấp · level {one['level']} ({one['kind']}): {one['text']}")
        lines.append(
            f"  từ {vietnamese(one['from_s'])} đến {vietnamese(one['until_s'])}"
            f" · from {english(one['from_s'])} until {english(one['until_s'])}"
        )
    return lines


def asked(question: dict[str, Any]) -> list[str]:
    """The question itself."""
    utc_s = question["utc_s"]
    return [
        "Không có mạng nên trạm không tự biết chắc giờ. Hãy xem đồng hồ hoặc điện thoại.",
        f"Bây giờ là {vietnamese(utc_s)}, đúng không?",
        "Without a network the station does not surely know the time. Look at a watch or a telephone.",
        f"It is now {english(utc_s)}: is that right?",
    ]


def confirmed(question: dict[str, Any]) -> list[str]:
    return [
        f"Đã ghi: có người xác nhận lúc {vietnamese(question['utc_s'])}. Trạm sẽ phát tin khẩn theo giờ này.",
        f"Noted: a person confirmed {english(question['utc_s'])}. The station goes by this time.",
    ]


def not_confirmed(question: dict[str, Any]) -> list[str]:
    """What to do when the time is wrong, or nobody said that it is right."""
    why = (
        ["Đồng hồ của trạm chắc chắn sai. · The clock of this station is surely wrong."]
        if question["behind"]
        else []
    )
    return [
        *why,
        "Mọi thứ trên USB đã được nhận, nhưng trạm CHƯA phát tin khẩn này. Hãy đặt lại giờ, rồi xác nhận:",
        "Everything was taken in, but the emergency is NOT played yet. Set the clock, then confirm:",
        "  sudo timedatectl set-ntp false",
        "  sudo timedatectl set-time '2026-11-23 17:05:00'      (giờ đúng lúc này · the right time of now)",
        "  loa node usb confirm --dir …",
    ]


def changed() -> list[str]:
    return [
        "Đồng hồ vừa bị đổi trong lúc hỏi; chưa ghi gì. Hãy làm lại lệnh xác nhận.",
        "The clock was changed meanwhile; nothing was noted. Repeat: loa node usb confirm.",
    ]


def sent(done: dict[str, Any]) -> list[str]:
    """What was put onto a stick."""
    return [f"{done['name']}: {done['segments']} segments, {done['bytes']} bytes. It may be pulled out now."]


def received(done: dict[str, Any]) -> list[str]:
    """What a stick brought."""
    lines = [
        f"{done['decisions']} decisions, {done['receipts']} receipts, {done['contents']} contents; "
        f"{done['wanting']} of the plan's contents are not whole yet."
    ]
    if done["refused"] == "stick-no-answer":
        lines.append("There is no answer of the hub on this stick.")
    elif done["refused"]:
        lines.append(
            f"The answer on this stick was not taken ({done['refused']}): it is not this hub's, not for this "
            "station, or for a request that was answered already. Carry a fresh request to the hub."
        )
    if done["damages"] or done["cut"]:
        cut = f"{done['cut']} of {done['files']} files not complete"
        lines.append(f"{done['damages']} damaged places, {cut}.")
    if done["missing"] or done["unread"]:
        count = done["missing"] + done["unread"]
        lines.append(f"{count} decisions could not be read; the next stick brings them.")
    if done["no_room"]:
        lines.append("The card is full: content was left on the stick.")
    return lines


def _local(utc_s: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(utc_s, VIETNAM)
