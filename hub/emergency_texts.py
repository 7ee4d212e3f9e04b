"""Words that are ready when there is no time to find any: one for each kind of emergency.

They are whole sentences without a gap to fill, so that they may be sent as they stand, and short enough to be
read aloud twice in a minute. The people at the desk change them before anybody signs.

Bound: texts. What kinds there are is `hub.schedules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Prepared:
    """level: 1–3, the usual one of this kind."""

    level: int
    text: str


PREPARED: Final[dict[str, Prepared]] = {
    "lu-quet": Prepared(
        3,
        "Khẩn cấp: nguy cơ lũ quét, sạt lở đất. Bà con ở ven suối, chân đồi, dưới mái dốc rời ngay đến "
        "nơi cao, chắc chắn. Không đi qua ngầm, suối khi nước chảy xiết. Giúp người già, trẻ em đi trước."
        " Cần cứu hộ, gọi trưởng thôn hoặc 112.",
    ),
    "bao-lu": Prepared(
        2,
        "Khẩn cấp: bão, mưa lũ đang tới. Bà con vào nhà kiên cố, chằng buộc mái nhà, cắt điện khi nước "
        "vào nhà. Người ở chỗ trũng, ven sông chuyển lên nơi cao ngay, mang theo nước uống và thuốc. Cần "
        "cứu hộ, gọi trưởng thôn hoặc 112.",
    ),
    "chay-rung": Prepared(
        2,
        "Khẩn cấp: đang có cháy lớn. Bà con ở gần đám cháy rời ngay theo hướng ngược chiều gió, không "
        "quay lại lấy đồ. Nhường đường cho xe chữa cháy. Người khỏe mạnh chờ xã gọi, không tự vào rừng. "
        "Báo cháy, gọi 114.",
    ),
    "dich-benh": Prepared(
        1,
        "Khẩn cấp: có dịch bệnh trên địa bàn. Bà con ở nhà khi sốt, đeo khẩu trang, rửa tay, ăn chín, "
        "uống sôi. Ai sốt, ho, khó thở gọi ngay trạm y tế xã hoặc 115, không tự đi lại.",
    ),
    "xa-lu": Prepared(
        3,
        "Khẩn cấp: hồ chứa xả lũ. Nước sông, suối phía dưới đập sẽ lên rất nhanh. Bà con rời ngay lòng "
        "sông, bãi bồi, bến đò, nhà bè; đưa người và gia súc lên cao. Không vớt củi, không đánh cá, không"
        " qua ngầm.",
    ),
    "an-ninh": Prepared(
        2,
        "Khẩn cấp: có tình huống về an ninh trên địa bàn. Bà con ở trong nhà, khóa cửa, không tụ tập, "
        "không đăng tin chưa rõ lên mạng. Làm theo hướng dẫn của công an xã. Thấy việc lạ, gọi 113.",
    ),
    "dong-dat": Prepared(
        3,
        "Khẩn cấp: có động đất, có thể có dư chấn. Bà con ra chỗ trống, xa nhà cao, cột điện, sườn dốc. "
        "Không dùng thang máy, không bật lửa khi ngửi thấy mùi ga. Kiểm tra người trong nhà. Cần cứu hộ, "
        "gọi 112.",
    ),
}
"""Code → words. `khac` has none: what nobody foresaw nobody can have written."""
