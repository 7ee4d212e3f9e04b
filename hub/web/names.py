"""What the machine's slugs and numbers are called on the page, and which shape goes with which state.

One word for one thing everywhere: the words are the glossary's. A *look* is `(icon, colour class)`; the
icon's shape alone tells states apart, the colour only repeats it. Outcomes, details and evidence levels
carry their own words (`ledger.facts.outcome`), because the auditor's command line says the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from flask import g

from hub.bulletins import CATEGORIES
from hub.schedules import EMERGENCY_KINDS
from hub.web import auth
from hub.web.tongue import gettext
from hub.web.words import lang
from ledger.facts import Answer, ClusterReport, Detail, Evidence, Outcome, ancestors, covers, say_detail

if TYPE_CHECKING:
    from hub.queue_queries import TakenAway
    from hub.wanted import Asked

type_look = tuple[str, str]
UNKNOWN: Final = ("unknown", "mute")

STATE_LOOKS: Final[dict[str, type_look]] = {
    "draft": ("draft", "mute"),
    "submitted": ("wait", "warn"),
    "approved": ("ok", "ok"),
    "returned": ("back", "warn"),
    "withdrawn": ("gone", "mute"),
    "active": ("ok", "ok"),
    "cancelled": ("gone", "mute"),
}
OUTCOME_LOOKS: Final[dict[Outcome, type_look]] = {
    Outcome.PLAYED: ("ok", "ok"),
    Outcome.PLAYED_LATE: ("wait", "ok"),
    Outcome.PARTIAL: ("part", "warn"),
    Outcome.INTERRUPTED: ("cut", "warn"),
    Outcome.SUPPRESSED: ("quiet", "mute"),
    Outcome.MISSED: ("bad", "bad"),
    Outcome.DECLINED: ("back", "mute"),
    Outcome.WITHDRAWN: ("gone", "mute"),
    Outcome.SILENT: ("warn", "bad"),
    Outcome.UNKNOWN: UNKNOWN,
}
# The order of every list of outcomes: what was heard, what was partly heard, what was not.
OUTCOME_ORDER: Final = (
    Outcome.PLAYED,
    Outcome.PLAYED_LATE,
    Outcome.PARTIAL,
    Outcome.INTERRUPTED,
    Outcome.SILENT,
    Outcome.MISSED,
    Outcome.SUPPRESSED,
    Outcome.DECLINED,
    Outcome.WITHDRAWN,
    Outcome.UNKNOWN,
)
VERSION: Final = re.compile(r"v(\d+)")


def role_name(role: str) -> str:
    return {
        "editor": gettext("biên tập viên"),
        "approver": gettext("lãnh đạo duyệt"),
        "admin": gettext("quản trị"),
    }.get(role, role)


def class_name(klass: int) -> str:
    return {
        0: gettext("Nhạc hiệu"),
        1: gettext("Tiếp sóng"),
        2: gettext("Thông thường"),
        3: gettext("Ưu tiên"),
        4: gettext("Khẩn cấp"),
    }.get(klass, str(klass))


def state_name(state: str) -> str:
    return {
        "draft": gettext("Nháp"),
        "submitted": gettext("Chờ duyệt"),
        "approved": gettext("Đã duyệt"),
        "returned": gettext("Bị trả lại"),
        "withdrawn": gettext("Đã thu hồi"),
        "active": gettext("Đang hiệu lực"),
        "cancelled": gettext("Đã hủy"),
    }.get(state, state)


def state_look(state: str) -> type_look:
    return STATE_LOOKS.get(state, UNKNOWN)


def deed_name(what: str) -> str:
    return {
        "drafted": gettext("Đã soạn"),
        "revised": gettext("Đã sửa thành bản mới"),
        "submitted": gettext("Đã gửi duyệt"),
        "approved": gettext("Đã duyệt"),
        "returned": gettext("Đã trả lại"),
        "withdrawn": gettext("Đã thu hồi"),
        "scheduled": gettext("Đã xếp lịch"),
        "emergency": gettext("Đã ra lệnh khẩn cấp"),
        "proposed": gettext("Đã đề nghị phát khẩn cấp"),
        "alone": gettext("Phát một mình, không chờ người thứ hai"),
        "dropped": gettext("Đã rút đề nghị khẩn cấp"),
        "cancelled": gettext("Đã hủy lịch"),
        "registered": gettext("Đã đăng ký trạm"),
        "merged": gettext("Đã sáp nhập đơn vị"),
        "quiet-hours": gettext("Đã đặt giờ yên tĩnh"),
        "granted": gettext("Đã trao quyền"),
        "revoked": gettext("Đã thu hồi khóa"),
        "rotated": gettext("Đã đổi khóa"),
        "roots-set": gettext("Đã đổi bộ khóa gốc"),
        "offer-answered": gettext("Xã đã trả lời đề nghị"),
        "arranged": gettext("Xã đã xếp thứ tự phát"),
        "issued": gettext("Đã ban hành văn bản"),
        "attested": gettext("Người trực đã xác nhận"),
        "replied": gettext("Đã trả lời ý kiến"),
        "read": gettext("Đã đọc văn bản"),
    }.get(what, what)


def deed_note(what: str, detail: str) -> str:
    """What a deed adds beside its name: the version it was about, or the officer's own words in quotes."""
    if what in ("drafted", "revised", "submitted", "approved"):
        version = VERSION.match(detail)
        return gettext("bản %(v)s", v=version[1]) if version else ""
    if what == "offer-answered":
        said, _, rest = detail.partition("|")
        minute, _, reason = rest.partition("|")
        words = answer_name(said, minute)
        return f"{words}: {gettext('“%(words)s”', words=reason)}" if reason else words
    if what in ("returned", "withdrawn", "cancelled", "emergency", "proposed", "alone") and detail:
        return gettext("“%(words)s”", words=detail)
    return ""


def answer_name(answer: int | str, minute: str = "") -> str:
    """What a commune said to an offer; by number, or by name as the views keep it."""
    name = answer if isinstance(answer, str) else Answer(answer).name.lower()
    return {
        "accepted": gettext("xã nhận"),
        "moved": gettext("xã dời sang %(minute)s", minute=minute),
        "declined": gettext("xã không nhận"),
    }.get(name, name)


def answer_look(answer: int) -> type_look:
    looks = {Answer.ACCEPTED: ("ok", "ok"), Answer.MOVED: ("wait", "acc"), Answer.DECLINED: ("back", "mute")}
    return looks[Answer(answer)]


def worth_name(worth: str) -> str:
    """Why an answer has no effect."""
    return {
        "no-offer": gettext("không có tác dụng: mục này bắt buộc phát"),
        "other-order": gettext("không còn tác dụng: lịch đã xếp lại"),
        "too-late": gettext("không có tác dụng: đã quá giờ"),
        "overruled": gettext("đã có trả lời khác"),
    }.get(worth, worth)


def outcome_name(code: int) -> str:
    return Outcome(code).say(lang())


def outcome_look(code: int) -> type_look:
    return OUTCOME_LOOKS.get(Outcome(code), UNKNOWN)


def refusal_name(reason: str) -> str:
    """Why a station did not follow a decision; its codes are details in lower case with dashes."""
    name = reason.replace("-", "_").upper()
    return Detail[name].say(lang()) if name in Detail.__members__ else reason


def detail_name(code: int) -> str:
    return say_detail(code, lang()) if code else ""


def detail_of(name: str) -> int:
    return int(Detail[name.upper()])


def evidence_name(code: int) -> str:
    return Evidence(code).say(lang())


def clusters_head(said: ClusterReport) -> str:
    """`18/20 cụm loa đã phát`, or that it cannot be read."""
    return said.head(lang())


def clusters_look(said: ClusterReport) -> type_look:
    """All, some or none of the receiver clusters were playing."""
    if not said.readable:
        return UNKNOWN
    return ("ok", "ok") if said.agree else ("part", "warn") if said.playing else ("bad", "bad")


def clusters_apart(said: ClusterReport) -> list[tuple[str, str]]:
    """(state, names) of those that were not playing, the worst first."""
    return [(state.say(lang()), ", ".join(who)) for state, who in said.apart()]


def emergency_name(kind: str) -> str:
    """The word for a situation's slug; an emergency has no other title."""
    word = dict(EMERGENCY_KINDS).get(kind)
    return gettext(word) if word else kind


def category_name(slug: str) -> str:
    word = dict(CATEGORIES).get(slug)
    return gettext(word) if word else slug


def kind_name(kind: str) -> str:
    return {"it": gettext("CNTT"), "fm": gettext("FM")}.get(kind, kind)


def confidence_name(level: int) -> str:
    """How far the station trusts its own clock; with none of these it plays nothing timed."""
    return {
        0: gettext("chưa tin cậy"),
        1: gettext("theo giờ đã ký của trung tâm"),
        2: gettext("đồng hồ RTC"),
        3: gettext("NTP"),
    }.get(level, gettext("chưa rõ"))


def field_name(name: str) -> str:
    """The field an error is about, for the summary above a form; "" where the sentence names it itself."""
    return {
        "title": gettext("Tiêu đề"),
        "category": gettext("Lĩnh vực"),
        "klass": gettext("Loại bản tin"),
        "territory": gettext("Địa bàn"),
        "from": gettext("Từ ngày"),
        "until": gettext("Đến ngày"),
        "text": gettext("Văn bản"),
        "reason": gettext("Lý do"),
        "kind": gettext("Loại"),
        "level": gettext("Cấp độ"),
        "hours": gettext("Hết hạn sau (giờ)"),
        "unit": gettext("Đơn vị"),
        "name": gettext("Tên"),
        "also": gettext("Thêm các ngày"),
        "never": gettext("Trừ các ngày"),
        "weekdays": gettext("Các thứ"),
        "tram": gettext("Trạm"),
        "ky": gettext("Kỳ báo cáo"),
        "note": gettext("Ghi chú"),
        "tu": gettext("Từ ngày"),
        "den": gettext("Đến ngày"),
        "diaban": gettext("Địa bàn"),
        "linhvuc": gettext("Lĩnh vực"),
    }.get(name, "")


def player_name(name: str) -> str:
    """What drives the loudspeaker, as the station names it; a station without a player only counts time."""
    return gettext("không có, chỉ tính giờ") if name == "null" else name


def confidence_look(level: int) -> type_look:
    return {0: ("warn", "warn"), 1: ("part", "ok"), 2: ("ok", "ok"), 3: ("ok", "ok")}.get(level, UNKNOWN)


def why_not(roles: Sequence[str]) -> str:
    """The text of a 403: whose act this is."""
    if not roles:
        return gettext(
            "Yêu cầu này không do trang của hệ thống gửi, hoặc bạn không có quyền. Chưa có gì được làm."
        )
    whose = gettext(" hoặc ").join(role_name(role) for role in roles)
    return gettext("Việc này dành cho: %(whose)s. Chưa có gì được làm.", whose=whose)


def nav() -> list[tuple[str, str]]:
    """The pages, in the order of a working day: endpoint, word. Keys are the administrator's."""
    officer = auth.officer_or_none()
    return [
        ("today.page", gettext("Hôm nay")),
        ("bulletins.page", gettext("Bản tin")),
        ("queue.page", gettext("Chờ duyệt")),
        ("schedule.page", gettext("Lịch")),
        ("why.page", gettext("Phát gì, vì sao")),
        ("stations.page", gettext("Trạm")),
        ("alerts.page", gettext("Sự cố")),
        ("papers.page", gettext("Văn bản")),
        ("reports.page", gettext("Báo cáo")),
        ("emergency.page", gettext("Khẩn cấp")),
        *([("keys.page", gettext("Khóa"))] if officer is not None and officer.role == "admin" else []),
    ]


def unit_names() -> dict[str, str]:
    """Unit → the place's name, from the facts in memory; read once per request."""
    if "unit_names" not in g:
        hub = auth.the_hub()
        found = {unit: standing.fact.name for unit, standing in list(hub.facts.stations.items())}
        for merger in list(hub.facts.lineages.mergers()):
            if merger.fact.into is not None and merger.fact.name is not None:
                found.setdefault(merger.fact.into, merger.fact.name)
        found[hub.config.province] = gettext("Toàn tỉnh %(name)s", name=hub.config.name)
        g.unit_names = found
    names: dict[str, str] = g.unit_names
    return names


def unit_name(unit: str) -> str:
    """What people call a unit; a commune without a station keeps its code, with the province it lies in."""
    known = unit_names()
    if unit in known:
        return known[unit]
    if unit == "vn":
        return gettext("Cả nước")
    above = [known[a] for a in ancestors(unit)[:-1] if a in known]
    return f"{unit} ({above[-1]})" if above else unit


def taken_away(*, bulletin: str = "", series: int = 0) -> TakenAway:
    """Who acknowledged a withdrawal, of the stations in the reader's territory."""
    found, own = auth.the_hub().queries.taken_away(bulletin=bulletin, series=series), auth.officer().territory
    return replace(
        found, **{name: tuple(u for u in units if covers(own, u)) for name, units in vars(found).items()}
    )


def asked_time(bulletin: str, version: int) -> Asked | None:
    """The time its author asks for, of exactly this version."""
    return auth.the_hub().choices.wanted.asked(bulletin, version)


NAMES: Final[dict[str, Callable[..., Any]]] = {
    f.__name__: f
    for f in (
        role_name,
        class_name,
        state_name,
        state_look,
        deed_name,
        deed_note,
        answer_name,
        answer_look,
        worth_name,
        refusal_name,
        outcome_name,
        outcome_look,
        detail_name,
        detail_of,
        evidence_name,
        clusters_head,
        clusters_look,
        clusters_apart,
        category_name,
        emergency_name,
        kind_name,
        confidence_name,
        confidence_look,
        field_name,
        player_name,
        nav,
        unit_name,
        taken_away,
        asked_time,
    )
}
