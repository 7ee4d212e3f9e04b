"""The topics by which bulletins are sorted, at the province and in a commune.

Bound: a list to choose from. What an event carries is its code; an unknown one is shown as it stands.
"""

from __future__ import annotations

# The topics a commune hears about, after the province's own programme. Codes travel, words are for people.
CATEGORIES: tuple[tuple[str, str], ...] = (
    ("chinh-sach", "Chủ trương, chính sách"),
    ("phap-luat", "Phổ biến pháp luật"),
    ("an-ninh", "An ninh, trật tự"),
    ("thien-tai", "Phòng, chống thiên tai"),
    ("chay-no", "Phòng cháy, chữa cháy"),
    ("giao-thong", "An toàn giao thông"),
    ("y-te", "Y tế, dịch bệnh"),
    ("thuc-pham", "An toàn thực phẩm"),
    ("ma-tuy", "Phòng, chống ma túy, mại dâm, cờ bạc"),
    ("moi-truong", "Môi trường"),
    ("nong-nghiep", "Nông nghiệp, thời vụ"),
    ("van-hoa", "Văn hóa, xã hội, giáo dục"),
    ("guong-tot", "Người tốt, việc tốt"),
    ("thong-bao", "Thông báo của địa phương"),
    ("khac", "Khác"),
)
