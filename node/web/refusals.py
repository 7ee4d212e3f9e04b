"""The station's refusals in the words of the people who meet them: what was not done, and what to do next.

A screen has its own in `REFUSALS`, a table of the same form. What has no sentence is shown with its own
English text rather than hidden.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ledger.log import LoaError
from node.page.phrases import Words

SENTENCES: Final[dict[str, Words]] = {
    "login-delayed": Words(
        "Nhập sai nhiều lần. Hãy chờ {n} giây rồi thử lại.",
        "Too many wrong tries. Wait {n} seconds, then try again.",
    ),
    "wrong-pin": Words("Mã PIN không đúng. Chưa có gì được ký.", "The PIN is not right. Nothing was signed."),
    "wrong-code": Words(
        "Mã dùng một lần không đúng hoặc đã hết hạn. Hãy xin mã mới.",
        "The one-time code is wrong or too old. Ask for a new one.",
    ),
    "no-pin-yet": Words(
        "Người này chưa đặt mã PIN. Hãy chọn “Lần đầu” và nhập mã dùng một lần.",
        "This person has no PIN yet. Choose “First time” and type the one-time code.",
    ),
    "pin-weak": Words(
        "Mã PIN quá ngắn hoặc dễ đoán: ít nhất 6 chữ số hoặc chữ cái, không như 111111 hay 123456.",
        "The PIN is too short or easy to guess: 6 digits or letters or more, not like 111111 or 123456.",
    ),
    "pin-differs": Words("Hai lần nhập không giống nhau.", "The two are not the same."),
    "person-unknown": Words("Không có người này.", "There is no such person."),
    "person-off": Words(
        "Người này đã bị tắt quyền vào trang. Hãy hỏi người quản lý trạm.",
        "This person has been turned off. Ask whoever manages this station.",
    ),
    "person-name": Words("Hãy nhập họ tên, một dòng.", "Type a name, on one line."),
    "person-exists": Words(
        "Đã có người tên này. Hãy cấp mã mới cho họ, hoặc ghi thêm chức danh.",
        "Somebody of this name is entered already. Give them a new code, or add their post.",
    ),
    "people-full": Words("Đã đủ số người.", "No more people fit."),
    "role-unknown": Words("Hãy chọn một vai trò.", "Choose a role."),
    "yourself": Words("Không tự tắt chính mình được.", "Nobody turns themselves off."),
    "not-yours": Words(
        "Bạn chưa có quyền của xã nên chưa làm được việc này. Chờ tỉnh cấp quyền, hoặc làm tại máy của trạm.",
        "You hold no right of this commune yet. Wait for the province, or use the console of the station.",
    ),
    "no-authority": Words(
        "Khóa của bạn chưa có quyền làm việc này. Gọi tỉnh, đọc sáu từ ở trang “Người dùng”.",
        "Your key has no right to do this. Call the province and read them the six words on “People”.",
    ),
    "clock-unknown": Words(
        "Trạm chưa chắc bây giờ là mấy giờ nên chưa ký gì. Cắm mạng, hoặc xác nhận giờ ở trang USB.",
        "The station does not surely know the time, so nothing was signed. Connect it, or confirm the time.",
    ),
    "key-locked": Words("Hãy nhập mã PIN để ký.", "Type your PIN to sign."),
    "logged-out": Words("Phiên đã kết thúc. Hãy đăng nhập lại.", "You were signed out. Sign in again."),
    "station-busy": Words(
        "Trạm đang bận. Chưa có gì được làm; hãy thử lại sau một phút.",
        "The station is busy. Nothing was done; try again in a minute.",
    ),
}  # fmt: skip


def said(error: LoaError, own: Mapping[str, Words] | None = None) -> Words:
    """One sentence for a person. own: the screen's, which come first."""
    known = (own or {}).get(error.code) or SENTENCES.get(error.code)
    if known is None:
        return Words(
            f"Không làm được ({error.code}): {error.what}",
            f"Not done ({error.code}): {error.what}. {error.hint}",
        )
    found = re.search(r"\d+", error.hint)
    count = found[0] if found else ""
    return Words(known.vi.replace("{n}", count), known.en.replace("{n}", count))
