"""What the two pages of the commune's bulletins say: states, deeds, topics, and what was refused and why.

Bound: words.
"""

from __future__ import annotations

from typing import Final

from ledger.content import CATEGORIES
from node.page.phrases import Words
from node.web.parts import lang

REFUSALS: Final = {
    "text-empty": Words(
        "Hãy điền tiêu đề, chọn lĩnh vực, và viết nội dung hoặc ghi âm. Chưa có gì được ký.",
        "Give a title, choose a topic, and write or record something. Nothing was signed.",
    ),
    "text-too-long": Words("Nội dung quá dài. Chưa có gì được ký.", "Too long. Nothing was signed."),
    "text-not-allowed": Words(
        "Có ký tự không nhìn thấy được. Hãy xóa dòng ấy và gõ lại thay vì dán vào.",
        "It holds something that cannot be seen. Type that line again instead of pasting it.",
    ),
    "minute-range": Words("Hãy chọn giờ phát.", "Choose a time."),
    "quiet-hours": Words(
        "Giờ này chạm giờ yên tĩnh: loa chỉ được phát tin khẩn cấp. Chưa có gì được ký.",
        "That touches the quiet hours: only an emergency may sound. Nothing was signed.",
    ),
    "audio-empty": Words(
        "Bản ghi trống hoặc ngắn dưới 0,2 giây. Hãy ghi lại.", "The recording is empty. Record it again."
    ),
    "audio-too-large": Words(
        "Bản ghi quá lớn: tối đa 16 MB. Hãy lưu dạng MP3 hoặc Opus.",
        "The recording is too large: at most 16 MB. Save it as MP3 or Opus.",
    ),
    "audio-type": Words(
        "Tệp này không phải bản ghi âm trạm đọc được. Dùng MP3, M4A, WAV, Ogg/Opus, FLAC hoặc WebM.",
        "This is no recording the station can read. Use MP3, M4A, WAV, Ogg/Opus, FLAC or WebM.",
    ),
    "audio-silent": Words(
        "Bản ghi gần như không có tiếng. Hãy ghi lại, để micrô gần hơn.",
        "There is hardly any sound in it. Record it again, nearer to the microphone.",
    ),
    "audio-broken": Words(
        "Bản ghi bị hỏng hoặc thiếu một đoạn. Hãy ghi lại.", "The recording is damaged. Record it again."
    ),
    "audio-busy": Words(
        "Đang chỉnh bản ghi khác. Hãy thử lại sau một phút.",
        "Another recording is being made ready. Try again in a minute.",
    ),
    "audio-missing": Words("Bản ghi chưa lên đến trạm. Hãy gửi lại.", "The recording did not arrive."),
    "disk-full": Words(
        "Thẻ nhớ của trạm không đủ chỗ cho bản ghi này. Hãy ghi ngắn hơn.",
        "The card has no room for this recording. Make it shorter.",
    ),
    "days-range": Words(
        "Các ngày không hợp lệ, hoặc giờ đầu tiên đã qua. Hãy chọn lại.",
        "The days are not possible, or the first time has passed. Choose again.",
    ),
    "days-empty": Words("Hãy chọn ít nhất một ngày.", "Choose at least one day."),
    "outside-approval": Words(
        "Có ngày nằm ngoài thời hạn đã duyệt. Hãy chọn ngày trong thời hạn.",
        "A day lies outside what was approved. Choose days within.",
    ),
    "not-approved": Words("Bản tin chưa được duyệt nên chưa xếp lịch được.", "It is not approved yet."),
    "bulletin-unknown": Words("Xã không có bản tin này.", "This commune has no such bulletin."),
    "version-changed": Words(
        "Trong lúc đó bản tin đã có bản mới. Hãy xem bản mới trước.", "Meanwhile there is a newer version."
    ),
    "not-draft": Words(
        "Bản này đã gửi hoặc đã bị trả lại. Hãy sửa thành bản mới rồi gửi.",
        "It was submitted or returned already. Make a new version, then submit that.",
    ),
    "withdrawn": Words("Bản tin đã bị thu hồi, không dùng lại được.", "It was withdrawn for good."),
    "series-unknown": Words("Không có lịch phát này.", "There is no such series."),
    "already-cancelled": Words("Lịch này đã hủy rồi.", "The series is called off already."),
    "superior": Words(
        "Việc này do cấp trên quyết định: xã không hủy được. Hãy gọi tỉnh.",
        "It was decided above this commune: call the province.",
    ),
    "content-missing": Words(
        "Nội dung không còn trên thẻ nhớ. Hãy sửa thành bản mới, kèm bản ghi mới.",
        "Its content is not on the card any more. Make a new version with a new recording.",
    ),
    "no-voice": Words("Trạm chưa cài giọng đọc (espeak-ng).", "The station has no voice (espeak-ng)."),
}  # fmt: skip
STATES: Final = {
    "draft": (("part", "mute"), Words("nháp", "draft")),
    "submitted": (("wait", "warn"), Words("chờ duyệt", "waiting for approval")),
    "approved": (("ok", "ok"), Words("đã duyệt", "approved")),
    "returned": (("warn", "bad"), Words("bị trả lại", "returned")),
    "withdrawn": (("gone", "mute"), Words("đã thu hồi", "withdrawn")),
    "active": (("play", "acc"), Words("đang có lịch", "on the plan")),
    "over": (("ok", "mute"), Words("đã qua", "over")),
    "cancelled": (("gone", "mute"), Words("đã hủy", "called off")),
}
DEEDS: Final = {
    "drafted": Words("soạn", "wrote"),
    "submitted": Words("gửi duyệt", "submitted"),
    "approved": Words("duyệt", "approved"),
    "returned": Words("trả lại", "returned"),
    "withdrawn": Words("thu hồi", "withdrew"),
}
ENGLISH: Final = dict(
    zip(
        (code for code, _ in CATEGORIES),
        (
            "policy", "law", "security and order", "natural disasters", "fire", "traffic safety", "health",
            "food safety", "drugs and crime", "environment", "farming", "culture, education",
            "good people, good deeds", "local notice", "other",
        ),
        strict=True,
    )
)  # fmt: skip


def categories() -> list[tuple[str, str]]:
    """(code, words) to choose from."""
    return [(code, words if lang() == "vi" else ENGLISH[code]) for code, words in CATEGORIES]


def category_name(code: str) -> str:
    return dict(categories()).get(code, code)


def hm(minute: int) -> str:
    """`17:00` of a minute of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
