"""What every figure of a report counts, in a sentence or two: printed under each of them.

Bound: words; the exact terms are docs/spec/report.md.
"""

from __future__ import annotations

from hub.web.tongue import gettext


def definitions() -> list[tuple[str, str]]:
    """Figure and meaning, in the order in which a reader meets them."""
    return [
        (
            gettext("Lượt phát theo lịch"),
            gettext(
                "Lượt phát mà trạm phải báo kết quả, của những ngày đã qua hết trong kỳ; không gồm lượt "
                "bị thu hồi trước giờ phát và lượt có trước khi trạm được cấp khóa."
            ),
        ),
        (
            gettext("Đã phát, phát trễ, một phần, bị ngắt"),
            gettext("Điều chính trạm báo và ký cho từng lượt. Phát trễ là bắt đầu sau giờ hẹn hơn 30 giây."),
        ),
        (
            gettext("Loa im tiếng, bỏ lỡ"),
            gettext(
                "Trạm báo đã đến giờ mà không có tiếng, hoặc không phát được; nguyên nhân ở bảng “Vì sao "
                "không phát được”."
            ),
        ),
        (
            gettext("Không được phép phát, xã không nhận, đã thu hồi"),
            gettext(
                "Không phát vì quy tắc (giờ yên tĩnh, hết hiệu lực, bị tin cao hơn thay), vì xã trả lời "
                "không nhận, hoặc vì tin đã thu hồi."
            ),
        ),
        (
            gettext("Chưa rõ"),
            gettext("Chưa ai báo gì, hoặc trạm tự báo là không biết. Không bao giờ được tính là đã phát."),
        ),
        (
            gettext("Người trực xác nhận"),
            gettext(
                "Lời của người trực, qua điện thoại hay giấy, khi trạm không tự báo. Đếm riêng, không "
                "cộng vào số trạm tự báo."
            ),
        ),
        (
            gettext("Phút đã phát"),
            gettext("Tổng thời lượng trạm báo đã phát, làm tròn phút. Không phải số người nghe."),
        ),
        (
            gettext("Mức bằng chứng"),
            gettext(
                "Biết chắc đến đâu rằng loa có tiếng: chỉ có trong kế hoạch, tệp đã đến, thiết bị đã "
                "nhận, có tín hiệu, micrô nghe thấy."
            ),
        ),
        (
            gettext("Lượt ngoài lịch"),
            gettext("Trạm báo có phát nhưng không còn là lượt phải báo, thường vì lịch đã đổi."),
        ),
        (
            gettext("Khẩn cấp: đến được"),
            gettext(
                "Số trạm báo loa đã có tiếng, trên số trạm CNTT phải nhận lệnh. Lệnh khẩn cấp và diễn tập"
                " không nằm trong lượt phát theo lịch."
            ),
        ),
        (
            gettext("Số liệu làm lại được"),
            gettext(
                "Cùng kỳ và cùng vị trí trong sổ luôn cho cùng mã số liệu. Ở vị trí sau, số liệu có thể "
                "khác: trạm về muộn mới báo, người trực xác nhận thêm, hoặc khóa bị thu hồi làm mất hiệu "
                "lực điều đã ký."
            ),
        ),
    ]
