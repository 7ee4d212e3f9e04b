"""What the CAP page says: each refusal with its remedy, each note, and what a signature was checked for.

A sentence here says what is wrong and what to do next; whose fault it is and where in the file it stands the
page adds. A code without a sentence is shown with its own English text rather than hidden.
"""

from __future__ import annotations

from typing import Final

from hub.cap.senders import UNKNOWN, UNSIGNED, UNSIGNED_KNOWN, VERIFIED, Checked
from hub.cap.values import Info
from hub.web.tongue import gettext, lazy_gettext
from ledger.log import LoaError

_ = lazy_gettext

_PROGRAM: Final = _("Tệp không đúng khuôn dạng CAP 1.2. Lỗi ở phần mềm của nơi gửi: báo cho họ.")

REFUSALS: Final = {
    "cap-size": _("Tệp quá lớn để là một cảnh báo. Hãy xin nơi gửi riêng tệp CAP."),
    "cap-encoding": _("Tệp không phải chữ UTF-8: có thể là tệp nén, PDF hay Word. Hãy xin tệp .xml."),
    "cap-limits": _("Tệp có quá nhiều phần tử hoặc chữ. Hãy xin nơi gửi cảnh báo ngắn hơn."),
    "cap-dtd": _(
        "Tệp chứa khai báo DTD hoặc thực thể, CAP không cần đến chúng. Đây là tệp tấn công hoặc do "
        "phần mềm lỗi: đừng mở ở máy khác, hãy hỏi lại nơi gửi."
    ),
    "cap-xml": _("Tệp không phải XML hoàn chỉnh, có thể bị cắt cụt. Hãy tải lại rồi gửi lần nữa."),
    "cap-namespace": _("Đây không phải cảnh báo CAP 1.2. Phiên bản khác và loại tệp khác không đọc được."),
    "cap-element": _PROGRAM,
    "cap-order": _PROGRAM,
    "cap-twice": _PROGRAM,
    "cap-value": _PROGRAM,
    "cap-time": _("Có thời điểm viết sai. CAP viết như 2022-11-09T08:00:00+07:00. Báo cho nơi gửi."),
    "cap-missing": _("Cảnh báo thiếu một phần bắt buộc. Hãy xin nơi gửi bản đầy đủ."),
    "cap-references": _("Tệp không nêu đúng nó sửa hay hủy cảnh báo nào. Hãy hỏi lại nơi gửi."),
    "cap-status": _(
        "Đây là tin thử, tin nháp hoặc tin kỹ thuật: không bao giờ đưa lên loa. Chờ cảnh báo thật, "
        "hoặc tự soạn lệnh diễn tập."
    ),
    "cap-type": _("Đây là tin báo nhận hoặc báo lỗi giữa các máy, không phải cảnh báo."),
    "cap-scope": _(
        "Cảnh báo này không dành cho công chúng nên không đưa lên loa. Hãy hỏi nơi gửi được nói gì."
    ),
    "cap-sent": _("Cảnh báo ghi giờ gửi ở tương lai. Hãy so đồng hồ với nơi gửi."),
    "cap-all-clear": _("Tệp nói nguy hiểm đã qua. Hãy báo yên ở trang của lệnh."),
    "cap-no-emergency": _("Mức độ ghi trong tệp chưa tới mức khẩn cấp. Hãy soạn bản tin ưu tiên."),
    "cap-infos": _(
        "Tệp có nhiều nội dung hoặc không có nội dung nào, không rõ phát cái nào. Xin mỗi tệp một cảnh báo."
    ),
    "cap-no-end": _("Cảnh báo không ghi lúc hết hạn; không có hạn thì không lên loa. Hãy hỏi nơi gửi."),
    "cap-over": _("Cảnh báo đã hết hạn. Hãy xin nơi gửi bản đang có hiệu lực."),
    "cap-far-end": _(
        "Cảnh báo kéo dài quá 24 giờ, một lệnh chỉ sống nhiều nhất một ngày. Hãy tự soạn lệnh, mai còn "
        "thì ra lại."
    ),
    "cap-long": _("Lời cảnh báo quá dài để đọc trên loa. Hãy tự soạn lời ngắn hơn."),
    "cap-letters": _("Lời cảnh báo có ký tự ẩn hoặc đảo chiều. Hãy tự gõ lại lời cảnh báo."),
    "cap-no-words": _("Cảnh báo không có lời nào để đọc. Hãy xin nơi gửi bản đầy đủ."),
    "cap-signature-form": _("Chữ ký phải là 128 chữ số thập lục phân. Chọn tệp .sig đi kèm, hoặc bỏ trống."),
    "cap-signature": _(
        "Chữ ký không khớp: tệp đã bị sửa, hoặc không phải của nơi ấy. Gọi cho họ theo số bạn vẫn biết."
    ),
    "cap-reused": _(
        "Mã của cảnh báo này đã dùng cho một nội dung khác. Một trong hai là giả hoặc nhầm: gọi cho nơi gửi."
    ),
    "cap-senders-bad": _("Danh sách khóa nơi gửi trên máy chủ bị hỏng. Báo quản trị; lệnh vẫn tự soạn được."),
}

NOTES: Final = {
    "language-other": _("Cảnh báo không có tiếng Việt: phải dịch trước khi phát."),
    "languages-left": _("Các thứ tiếng khác trong tệp không được đưa vào."),
    "begins-later": _("Cảnh báo bắt đầu muộn hơn lúc này; lệnh của bạn phát ngay khi ký."),
    "hour-longer": _(
        "Cảnh báo còn chưa tới một giờ, lệnh ngắn nhất là một giờ: báo yên khi cảnh báo hết hạn."
    ),
    "level-guessed": _("Nơi gửi không ghi mức nghiêm trọng: hãy tự chọn cấp độ."),
    "description-left": _("Phần mô tả quá dài nên không đưa vào lời đọc; xem ở dưới."),
    "resources-left": _("Tệp, ảnh hay âm thanh mà cảnh báo dẫn tới không được tải về."),
    "envelope-unread": _("Trong tệp có chữ ký XML; hệ thống không kiểm loại chữ ký ấy."),
    "area-wider": _("Cảnh báo rộng hơn địa bàn của bạn: chỉ ra lệnh được trong địa bàn của bạn."),
    "area-elsewhere": _("Cảnh báo nêu cả nơi ngoài địa bàn của bạn; nơi ấy không có trong lệnh này."),
    "area-drawn": _("Khu vực vẽ trên bản đồ không được đọc: hãy so tên nơi nêu trong cảnh báo."),
    "area-open": _("Tệp không nêu mã của đơn vị nào ở đây: hãy tự chọn địa bàn."),
}


def refusal_said(error: LoaError) -> str:
    known = REFUSALS.get(error.code)
    return str(known) if known is not None else f"{error.what}. {error.hint}"


def whose(error: LoaError) -> str:
    """Whose fault a refusal is."""
    return {
        "peer": gettext("nơi gửi hoặc đường truyền"),
        "operator": gettext("người nộp tệp"),
        "ours": gettext("máy chủ này"),
    }.get(error.fault, error.fault)


def note_said(note: str) -> str:
    return str(NOTES[note])


def checked_look(checked: Checked) -> tuple[str, str]:
    return {
        VERIFIED: ("ok", "ok"), UNSIGNED: ("unknown", "mute"), UNSIGNED_KNOWN: ("warn", "warn"),
        UNKNOWN: ("unknown", "warn"),
    }[checked.state]  # fmt: skip


def checked_said(checked: Checked) -> str:
    """Exactly what was checked, and what that does not say."""
    name = checked.sender.name if checked.sender is not None else ""
    return {
        VERIFIED: gettext(
            "Đã kiểm: chữ ký Ed25519 đi kèm khớp từng byte của tệp này, theo khóa đã nhận trước của "
            "%(name)s. Không kiểm: nội dung đúng hay sai, ai ở nơi ấy đã ký.",
            name=name,
        ),
        UNSIGNED: gettext(
            "Chưa kiểm được gì: tệp không có chữ ký đi kèm. Ai cũng viết được tệp như thế: gọi cho nơi gửi "
            "trước khi ký."
        ),
        UNSIGNED_KNOWN: gettext(
            "Cẩn thận: %(name)s vẫn ký cảnh báo, mà tệp này không có chữ ký. Gọi cho họ theo số bạn vẫn "
            "biết.",
            name=name,
        ),
        UNKNOWN: gettext("Không kiểm được: có chữ ký, nhưng ở đây chưa nhận khóa nào của nơi gửi này."),
    }[checked.state]


def status_said(status: str) -> str:
    return {"Actual": gettext("thật"), "Exercise": gettext("diễn tập")}.get(status, status)


def grade_said(info: Info) -> str:
    """Urgency, severity and certainty as the file has them, in the reader's language."""
    urgency = {
        "Immediate": gettext("làm ngay"), "Expected": gettext("trong giờ tới"), "Future": gettext("sau này"),
        "Past": gettext("đã qua"), "Unknown": gettext("chưa rõ lúc nào"),
    }  # fmt: skip
    severity = {
        "Extreme": gettext("đặc biệt nghiêm trọng"), "Severe": gettext("nghiêm trọng"),
        "Moderate": gettext("vừa"), "Minor": gettext("nhẹ"), "Unknown": gettext("chưa rõ mức"),
    }  # fmt: skip
    certainty = {
        "Observed": gettext("đã xảy ra"), "Likely": gettext("nhiều khả năng"), "Possible": gettext("có thể"),
        "Unlikely": gettext("ít khả năng"), "Unknown": gettext("chưa rõ khả năng"),
    }  # fmt: skip
    return ", ".join((urgency[info.urgency], severity[info.severity], certainty[info.certainty]))


def type_said(msg_type: str) -> str:
    return {
        "Alert": gettext("cảnh báo mới"), "Update": gettext("cập nhật"), "Cancel": gettext("hủy cảnh báo"),
    }.get(msg_type, msg_type)  # fmt: skip
