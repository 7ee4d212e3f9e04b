"""The house's refusals in the words of the people who meet them.

Rules live in the commands and speak in stable slugs (`NotAllowed.code`); a page must say what was *not*
done, why, and what to do next. Each slug has one sentence here and, where it is about one field of a form,
that field's name, so the error summary can link to it. A slug without a sentence is shown with its own
English text rather than hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from hub.web.tongue import gettext, lazy_gettext
from ledger.log import LoaError

_ = lazy_gettext

# code → (field of the form or "", sentence)
SENTENCES: Final = {
    "text-not-allowed": (
        "text",
        _("Văn bản có ký tự điều khiển hoặc ký tự đảo chiều; hãy xóa chúng rồi gửi lại."),
    ),
    "text-empty": ("text", _("Cần có chữ ở đây.")),
    "text-too-long": ("text", _("Văn bản dài quá giới hạn; hãy rút gọn.")),
    "audio-too-large": ("audio", _("Tệp âm thanh lớn quá giới hạn.")),
    "audio-type": ("audio", _("Không nhận ra tệp âm thanh này. Dùng Opus/Ogg, MP3, WAV, FLAC hoặc M4A.")),
    "audio-empty": ("audio", _("Tệp âm thanh rỗng hoặc dài 0 giây.")),
    "document-empty": ("file", _("Chưa chọn tệp, hoặc tệp rỗng.")),
    "document-large": ("file", _("Tệp quá lớn; trạm phải tải qua 2G. Hãy nén hoặc chia nhỏ.")),
    "document-type": ("file", _("Tệp này không phải PDF, ảnh hay văn bản chữ. Hãy lưu thành PDF.")),
    "document-unknown": ("", _("Không có văn bản này, hoặc đã thu hồi.")),
    "feedback-unknown": ("", _("Không có ý kiến này.")),
    "stream-address": (
        "stream",
        _("Địa chỉ này không tiếp sóng được: cần https://… hoặc http://…, không kèm mật khẩu."),
    ),
    "stream-length": ("minutes", _("Tiếp sóng từ 1 đến 240 phút.")),
    "relay-class": ("klass", _("Tiếp sóng trực tiếp phải ở loại tiếp sóng.")),
    "audio-silent": (
        "audio",
        _("Tệp âm thanh không có tiếng. Hãy kiểm tra micrô, nghe lại rồi ghi lại."),
    ),
    "audio-broken": (
        "audio",
        _("Tệp âm thanh bị hỏng hoặc bị cắt cụt. Hãy nghe lại, lưu lại thành WAV hay MP3 rồi gửi."),
    ),
    "audio-busy": ("audio", _("Máy chủ đang xử lý âm thanh của người khác. Hãy gửi lại sau một phút.")),
    "days-empty": ("from", _("Không có ngày nào trong khoảng và các thứ đã chọn.")),
    "days-range": ("from", _("Khoảng ngày không dùng được: chỉ xếp từ hôm nay và không quá 366 ngày.")),
    "minute-range": ("at", _("Giờ phát phải từ 00:00 đến 23:59.")),
    "quiet-hours": (
        "at",
        _("Lúc ấy là giờ yên tĩnh của địa bàn nên loa sẽ không phát; chỉ tin khẩn cấp được phát."),
    ),
    "territory-unknown": ("territory", _("Địa bàn này không có trạm nào.")),
    "no-right": ("", _("Bạn không có quyền làm việc này ở địa bàn đó.")),
    "proof-needed": ("password", _("Cần nhập lại mật khẩu ngay trước khi ký.")),
    "four-eyes-key": ("", _("Bạn soạn bản tin này nên không được tự duyệt. Người khác phải duyệt.")),
    "four-eyes-account": ("", _("Bạn soạn bản tin này nên không được tự duyệt. Người khác phải duyệt.")),
    "not-submitted": ("", _("Bản tin này không ở trạng thái chờ duyệt.")),
    "not-draft": ("", _("Bản tin này không còn là nháp.")),
    "content-changed": ("", _("Nội dung đã đổi từ lúc bạn mở trang. Hãy đọc lại bản mới rồi mới duyệt.")),
    "version-changed": (
        "",
        _("Đã có người lưu bản mới hơn trong lúc bạn sửa. Hãy mở bản mới và ghép phần của bạn."),
    ),
    "already-approved": ("", _("Bản tin này đã được duyệt.")),
    "withdrawn": ("", _("Bản tin này đã bị thu hồi.")),
    "not-approved": ("", _("Bản tin chưa được duyệt nên chưa xếp lịch được.")),
    "expired": ("", _("Bản tin đã hết hiệu lực.")),
    "nothing-to-hear": ("audio", _("Bản tin chưa có chữ hay tệp âm thanh: loa không có gì để phát.")),
    "outside-approval": ("territory", _("Ngày hoặc địa bàn nằm ngoài phạm vi đã được duyệt.")),
    "nothing-to-give": (
        "",
        _("Khóa của bạn không có những quyền này nên không trao được; người giữ khóa gốc phải trao."),
    ),
    "series-unknown": ("", _("Không có lịch phát này.")),
    "already-cancelled": ("", _("Lịch này đã được hủy.")),
    "bulletin-unknown": ("", _("Không có bản tin này.")),
    "station-unknown": ("", _("Không có trạm này.")),
    "level-range": ("level", _("Hãy chọn cấp 1, 2 hoặc 3.")),
    "expiry-range": ("hours", _("Lệnh khẩn cấp phải hết hạn sau lúc này và không quá 24 giờ.")),
    "kind-unknown": ("kind", _("Hãy chọn một loại tình huống.")),
    "klass-range": ("klass", _("Hãy chọn một loại trong danh sách.")),
    "account-exists": ("account", _("Tên đăng nhập này đã có.")),
    "account-unknown": ("account", _("Không có tài khoản này.")),
    "password-weak": ("password", _("Mật khẩu quá yếu.")),
    "login-delayed": ("password", _("Nhập sai nhiều lần nên phải chờ. Hãy thử lại sau ít giây.")),
    "wrong-password": ("password", _("Mật khẩu không đúng. Chưa có gì được ký.")),
    "role-unknown": ("", _("Không có vai trò này.")),
    "try-again": ("", _("Có người vừa ghi cùng lúc. Hãy làm lại lần nữa.")),
    "not-a-schedule": ("", _("Đây không phải là một lịch phát.")),
    "not-an-emergency": ("", _("Đây không phải là một lệnh khẩn cấp.")),
    "usb-unasked": ("", _("Trạm này chưa gửi thư yêu cầu: hãy nhận tệp của trạm trước.")),
    "usb-large": ("", _("Tệp trả lời quá lớn: chọn ít trạm hơn hoặc ít ngày hơn.")),
    "stick-full": ("", _("Máy chủ không đủ chỗ trên đĩa: chọn ít trạm hơn hoặc ít ngày hơn.")),
    "revocation-not-above": (
        "",
        _("Bạn không đứng trên khóa này trong chuỗi trao quyền; người ở trên, hoặc khóa gốc, phải hủy."),
    ),
    "revocation-of-itself": (
        "",
        _("Không tự hủy khóa của mình được; quản trị khác, hoặc khóa gốc, phải hủy."),
    ),
    "revocation-of-root": ("", _("Khóa gốc chỉ đổi bằng một bộ khóa gốc mới.")),
    "revocation-key-ended": ("", _("Khóa của bạn đã bị hủy nên không hủy được khóa khác.")),
    "revocation-unknown-key": ("", _("Khóa này chưa từng được trao quyền ở đây.")),
    "position-unknown": ("until", _("Hãy chọn một mốc trong danh sách.")),
    "exceptions-full": ("until", _("Khóa này đã ký trong quá nhiều sổ; hãy chọn mốc sớm hơn.")),
    "slot-unknown": (
        "ma",
        _("Không có lượt phát nào như vậy ở trạm này: nhầm trạm, hoặc lịch đã đổi từ khi in tờ."),
    ),
    "slot-changed": ("", _("Lịch đã đổi từ lúc bạn mở trang. Hãy tìm lại lượt phát.")),
    "slot-ahead": ("", _("Lượt phát này chưa tới giờ nên chưa xác nhận được.")),
    "outcome-unknown": ("outcome", _("Hãy chọn một mục trong danh sách.")),
    "length-range": ("seconds", _("Số giây không khớp với kết quả đã chọn.")),
    "begin-range": ("at", _("Giờ bắt đầu phải từ một giờ trước giờ theo lịch đến bây giờ.")),
    "code-length": ("ma", _("Mã có tám chữ số, ví dụ 05-4821-57.")),
    "code-check": ("ma", _("Mã sai một chữ số. Nhờ người trực đọc lại từng nhóm.")),
    "same-station": ("", _("Trạm này đã có trong danh bạ với đúng tên và loại đó.")),
}

MISSING: Final = frozenset({"bulletin-unknown", "station-unknown", "series-unknown"})


def say(refusal: LoaError) -> str:
    """One sentence for a person."""
    wait = re.search(r"\d+", refusal.hint) if refusal.code == "login-delayed" else None
    if wait is not None:
        return gettext("Nhập sai nhiều lần nên phải chờ. Hãy thử lại sau %(seconds)s giây.", seconds=wait[0])
    known = SENTENCES.get(refusal.code)
    if known is not None:
        return str(known[1])
    return gettext("Không làm được (%(code)s): %(what)s", code=refusal.code, what=refusal.what)


def errors_of(refusal: LoaError, fields: Callable[[str], bool] = bool) -> dict[str, str]:
    """The refusal as a form's errors: under its field when the form has that field, else for the form as a
    whole.
    """
    field = SENTENCES.get(refusal.code, ("", ""))[0]
    where = field if field and fields(field) else ""
    return {where: say(refusal)}
