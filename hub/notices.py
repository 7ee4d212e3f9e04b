"""What a mail and a webhook say of an alert: one sentence that a person on the telephone understands, the
stations by name, and where to look.

Letters leave the house, so they hold names of places and counts, and nothing of people. They are Vietnamese,
as the people they wake are; the fields of a webhook say the same to a program (docs/spec/webhook.md).

Bound: words and a mapping. When is `alerts`, how is `posting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hub.alerts import GROUP, Alert, Notice
from ledger.facts import Detail

if TYPE_CHECKING:
    from hub.hub import Hub

NAMES_MAX: Final = 20  # stations named in one letter
VERSION: Final = 1
_KINDS: Final = {
    "emergency": "Lệnh khẩn cấp chưa tới trạm",
    "missed": "Lỡ buổi phát",
    "late": "Mất liên lạc",
    "forked": "Hai lịch sử ký khác nhau",
    "storage": "Bộ nhớ của trạm hỏng hoặc đầy",
    "clock": "Đồng hồ của trạm chưa tin cậy",
}
_WHAT: Final = {"opened": "Sự cố", "grown": "Sự cố lan rộng", "resolved": "Đã hết sự cố"}


def cause_words(alert: Alert) -> str:
    """Why, in Vietnamese; "" when the kind says it all."""
    if alert.kind != "missed":
        return {"full": "đĩa đầy", "broken": "không ghi được"}.get(alert.cause, "")
    name = alert.cause.upper()
    if name == "SILENT":
        return "loa im tiếng"
    return "" if name == "NONE" or name not in Detail.__members__ else Detail[name].say("vi")


def place_name(hub: Hub, unit: str) -> str:
    """What people call a station; its unit when it is registered no more."""
    station = hub.facts.stations.get(unit)
    return unit if station is None else station.fact.name


def group_name(hub: Hub, alert: Alert) -> str:
    """The name of the group that is an alert's scope; "" for any other, and for one that was dropped."""
    if not alert.scope.startswith(GROUP):
        return ""
    number = int(alert.scope.removeprefix(GROUP))
    return next((one.name for one in hub.choices.groups.all(hub.config.province) if one.id == number), "")


def describe(hub: Hub, notice: Notice) -> dict[str, Any]:
    """The body of a letter, as a webhook sends it and a mail is written from."""
    alert = notice.alert
    units = alert.units
    count = len(units) if units else alert.peak
    names = [place_name(hub, unit) for unit in units[:NAMES_MAX]]
    broadcasts = len(alert.members) if alert.kind == "missed" else 0
    why = cause_words(alert)
    title = f"{_WHAT[notice.what]}: {_KINDS[alert.kind].lower()}" + (f" ({why})" if why else "")
    where = place_name(hub, alert.scope)
    if alert.rolled:
        where = f"{count} trạm" + (f", nhóm {group_name(hub, alert)}" if group_name(hub, alert) else "")
    return {
        "loa": VERSION,
        "key": notice.key,
        "what": notice.what,
        "alert": alert.id,
        "kind": alert.kind,
        "cause": alert.cause,
        "scope": alert.scope,
        "opened_at": alert.opened_at,
        "stations": count,
        "broadcasts": broadcasts,
        "names": names,
        "title": f"{title} – {where}",
        "path": f"/su-co/{alert.id}",
    }


def trial(key: str) -> dict[str, Any]:
    """A letter by which a person sees that letters arrive."""
    return {
        "loa": VERSION, "key": key, "what": "trial", "alert": "", "kind": "", "cause": "", "scope": "",
        "opened_at": 0, "stations": 0, "broadcasts": 0, "names": [], "path": "/su-co",
        "title": "Thư thử của Loa: đường báo sự cố hoạt động",
    }  # fmt: skip


def mail_text(body: dict[str, Any], *, province: str, site: str) -> tuple[str, str]:
    """(subject, text) of a mail."""
    lines = [f"{body['title']}."]
    if body["broadcasts"]:
        lines.append(f"Số buổi phát bị lỡ: {body['broadcasts']}.")
    if body["names"]:
        more = body["stations"] - len(body["names"])
        tail = f" và {more} trạm nữa" if more > 0 else ""
        lines.append("Trạm: " + ", ".join(body["names"]) + tail + ".")
    if body["what"] == "resolved":
        lines.append("Nguyên nhân không còn; không cần làm gì.")
    elif body["what"] != "trial":
        lines.append("Mở trang Sự cố để xem và ghi nhận đã biết; khi đó thư không gửi lại.")
    if site:
        lines.append(f"{site.rstrip('/')}{body['path']}")
    lines.append(f"Loa {province}. Thư tự động, đừng trả lời.")
    return f"[Loa {province}] {body['title']}", "\n\n".join(lines) + "\n"
