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
    "audio-too-large": ("audio", _("Tệp âm thanh quá lớn, hoặc dài quá 4 giờ.")),
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
    "too-many": ("", _("Quá nhiều bản một lúc; hãy chia thành nhiều lần.")),
    "group-unknown": ("territory", _("Không còn nhóm này.")),
    "group-empty": ("territory", _("Lúc ấy không trạm nào của nhóm phát được.")),
    "group-exists": ("name", _("Đã có nhóm tên này.")),
    "group-units": ("units", _("Nhóm cần từ 1 đến 400 trạm trong địa bàn của bạn.")),
    "group-rule": ("silent", _("Điều kiện này không dùng được.")),
    "table-full": ("name", _("Bảng đã đầy; hãy xóa bớt mục cũ.")),
    "holiday-unknown": ("day", _("Ngày này không có trong bảng ngày lễ.")),
    "picture-empty": ("picture", _("Tệp ảnh rỗng.")),
    "picture-large": ("picture", _("Ảnh lớn quá 4 MB; hãy lưu lại nhỏ hơn.")),
    "picture-type": ("picture", _("Đây không phải ảnh PNG, JPEG hay WebP.")),
    "picture-broken": ("picture", _("Ảnh bị hỏng hoặc bị cắt cụt. Hãy chép lại tệp.")),
    "picture-size": ("picture", _("Ảnh quá rộng hoặc quá cao: mỗi chiều nhiều nhất 8.192 điểm ảnh.")),
    "paper-empty": ("paper", _("Tệp rỗng.")),
    "paper-large": ("paper", _("Tài liệu lớn quá 8 MB; trạm phải tải qua 2G. Hãy nén hoặc chia nhỏ.")),
    "paper-type": ("paper", _("Tài liệu phải là PDF, PNG hoặc JPEG.")),
    "paper-broken": ("paper", _("Tài liệu bị hỏng hoặc bị cắt cụt. Hãy chép lại tệp.")),
    "kept-gone": (
        "audio",
        _("Tệp của bản cũ không còn ở máy chủ này. Hãy gửi lại tệp, hoặc bỏ chọn giữ tệp."),
    ),
    "parts-many": ("", _("Một bản tin có nhiều nhất 16 tệp và văn bản. Hãy bớt một thứ tiếng hoặc tệp kèm.")),
    "relay-languages": (
        "klass",
        _("Tiếp sóng trực tiếp chỉ có một thứ tiếng: hãy bỏ âm thanh các tiếng khác."),
    ),
    "upload-empty": ("", _("Tệp rỗng.")),
    "upload-large": ("", _("Tệp lớn quá giới hạn.")),
    "upload-room": ("", _("Hết chỗ cho tệp gửi dở của bạn. Hãy lưu hoặc đóng các mẫu đang mở, rồi gửi lại.")),
    "upload-many": ("", _("Bạn đang có quá nhiều tệp gửi dở. Hãy lưu các mẫu đang mở, rồi gửi lại.")),
    "upload-unknown": ("", _("Tệp đã gửi không còn ở máy chủ (quá một ngày). Hãy chọn lại tệp.")),
    "upload-short": ("", _("Tệp chưa gửi xong. Hãy đợi gửi xong rồi lưu.")),
    "upload-mixed": ("", _("Tệp đến nơi không khớp với tệp đã gửi. Hãy chọn lại tệp.")),
    "upload-piece": ("", _("Một mẩu tệp không đúng cỡ. Hãy chọn lại tệp.")),
    "no-voice": ("text", _("Máy chủ không đọc thành tiếng được lúc này. Hãy thử lại sau.")),
    "not-heard": (
        "text",
        _("Bản tin chỉ có chữ, loa sẽ đọc bằng giọng máy: hãy nghe máy đọc trước khi gửi duyệt."),
    ),
    "pattern-brace": ("text", _("Có ngoặc { hoặc } lẻ. Mỗi ô trống viết dạng {ngày}.")),
    "pattern-name": ("text", _("Tên ô trống dài 1 đến 40 ký tự và phải có chữ, ví dụ {địa điểm}.")),
    "pattern-many": ("text", _("Một mẫu có nhiều nhất 20 ô trống.")),
    "sample-unknown": ("", _("Không có mẫu này.")),
    "samples-many": ("", _("Đã đủ 200 mẫu; hãy xóa mẫu không còn dùng.")),
    "days-empty": ("from", _("Không có ngày nào trong khoảng và các thứ đã chọn.")),
    "days-range": ("from", _("Khoảng ngày không dùng được: chỉ xếp từ hôm nay và không quá 366 ngày.")),
    "alert-unknown": ("", _("Không có sự cố này, hoặc không thuộc địa bàn của bạn.")),
    "alert-closed": ("", _("Sự cố này đã hết; không cần ghi nhận nữa.")),
    "period-range": ("", _("Ngày đầu phải trước ngày cuối, và một kỳ dài nhiều nhất mười năm.")),
    "period-ahead": ("", _("Kỳ này chưa có ngày nào qua hết. Hãy chọn kỳ trước đó.")),
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
    "second-person": (
        "",
        _("Có lãnh đạo khác đang làm việc: hãy chờ người ấy ký, hoặc chờ hết thời gian ghi ở đây."),
    ),
    "second-self": ("", _("Bạn là người đề nghị nên không ký thay người thứ hai được.")),
    "proposal-unknown": ("", _("Không có đề nghị này.")),
    "proposal-closed": ("", _("Đề nghị này đã được ký, đã rút hoặc đã quá hạn. Chưa có gì được ký thêm.")),
    "not-yours": ("", _("Đề nghị này của người khác.")),
    "telephone-bad": (
        "people",
        _("Số điện thoại chỉ gồm chữ số, dấu cách, dấu chấm, dấu gạch; ví dụ 0912 345 678."),
    ),
    "contacts-many": ("people", _("Mỗi nơi ghi nhiều nhất chín người.")),
    "list-large": ("file", _("Tệp quá lớn: chia thành nhiều tệp.")),
    "list-not-text": ("file", _("Tệp này không phải CSV UTF-8. Hãy lưu lại dạng “CSV UTF-8”.")),
    "list-columns": ("file", _("Dòng đầu phải có các cột unit, name, role, telephone.")),
    "same-station": ("", _("Trạm này đã có trong danh bạ với đúng tên và loại đó.")),
}

MISSING: Final = frozenset(
    {"bulletin-unknown", "station-unknown", "series-unknown", "proposal-unknown", "alert-unknown"}
)


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
