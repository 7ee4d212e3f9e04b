"""What the page says of an alert, in the reader's language.

Bound: words. What letters say is `hub.notices`, in Vietnamese.
"""

from __future__ import annotations

from hub.alerts import Alert
from hub.notices import group_name
from hub.web import auth
from hub.web.names import detail_name, outcome_name, type_look, unit_name
from hub.web.tongue import gettext, ngettext
from ledger.facts import Detail, Outcome

_LOOKS = {
    "emergency": ("alarm", "bad"),
    "missed": ("bad", "bad"),
    "late": ("wait", "warn"),
    "forked": ("warn", "bad"),
    "storage": ("warn", "warn"),
    "clock": ("warn", "warn"),
}


def alert_look(alert: Alert) -> type_look:
    return _LOOKS[alert.kind] if alert.is_open and alert.members else ("ok", "ok")


def alert_title(alert: Alert) -> str:
    """What is wrong, in one phrase."""
    what = {
        "emergency": gettext("Lệnh khẩn cấp chưa tới trạm"),
        "missed": gettext("Lỡ buổi phát"),
        "late": gettext("Mất liên lạc"),
        "forked": gettext("Hai lịch sử ký khác nhau"),
        "storage": gettext("Bộ nhớ của trạm"),
        "clock": gettext("Đồng hồ chưa tin cậy"),
    }[alert.kind]
    why = alert_cause(alert)
    return f"{what}: {why}" if why else what


def alert_cause(alert: Alert) -> str:
    """Why, where the kind alone does not say it."""
    if alert.kind == "storage":
        return gettext("đĩa đầy") if alert.cause == "full" else gettext("không ghi được")
    if alert.kind != "missed":
        return ""
    if alert.cause == "silent":
        return outcome_name(Outcome.SILENT)
    name = alert.cause.upper()
    return detail_name(Detail[name]) if name in Detail.__members__ else ""


def alert_place(alert: Alert) -> str:
    """Where: a station, or how many of which area."""
    if not alert.rolled:
        return unit_name(alert.scope)
    count = len(alert.units) or alert.peak
    said = ngettext("%(num)d trạm", "%(num)d trạm", count)
    name = group_name(auth.the_hub(), alert)
    return f"{said}, {name}" if name else said


def what_to_do(alert: Alert) -> str:
    """The next step, in a sentence."""
    return {
        "emergency": gettext("Gọi điện cho từng trạm trong danh sách gọi của lệnh; đừng chờ mạng."),
        "missed": gettext(
            "Hỏi trạm vì sao; nguyên nhân trạm báo ở trên. Cần thì xếp lại lịch cho nơi đã lỡ."
        ),
        "late": gettext(
            "Nhiều trạm cùng lúc thường là mất điện hoặc mất mạng: gọi điện lực, nhà mạng. "
            "Một trạm thì gọi người trực. Trạm vẫn tự phát theo kế hoạch đã nhận."
        ),
        "forked": gettext(
            "Có thể hai máy dùng chung một khóa. Mở trang của trạm, tìm máy thứ hai, thay khóa."
        ),
        "storage": gettext("Nhờ người trực thay thẻ nhớ; cho tới khi đó trạm giữ kết quả trong bộ nhớ tạm."),
        "clock": gettext(
            "Trạm không phát tin theo giờ cho tới khi có giờ đúng. Kiểm tra mạng hoặc pin đồng hồ."
        ),
    }[alert.kind]
