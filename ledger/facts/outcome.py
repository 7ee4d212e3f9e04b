"""The closed lists of what can become of a slot, and the words for each: the house's glossary.

`Outcome` says what happened, `Detail` why, `Evidence` how well it is known. The numbers travel in signed
events and never change; new ones are added at the end. Unknown is never counted as played, and a program
that exited without an error is evidence of nothing: that is `DELIVERED` at most.

Bound: words only. Which outcome a slot gets is decided by `plan.py` (rules) and by the station
(circumstances).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Outcome(IntEnum):
    """What became of a slot at a station."""

    UNKNOWN = 0
    PLAYED = 1
    PLAYED_LATE = 2
    PARTIAL = 3
    INTERRUPTED = 4
    SUPPRESSED = 5
    MISSED = 6
    DECLINED = 7
    WITHDRAWN = 8
    SILENT = 9

    @property
    def heard(self) -> bool:
        """True when the whole content was played, on time or late."""
        return self in (Outcome.PLAYED, Outcome.PLAYED_LATE)

    def say(self, lang: str = "vi") -> str:
        """The word in Vietnamese (`vi`) or English (anything else)."""
        return _OUTCOMES[self][lang != "vi"]


class Detail(IntEnum):
    """Why. Circumstances first, then the rules that keep a slot silent."""

    NONE = 0
    POWER = 1
    NOT_DELIVERED = 2
    CLOCK_UNKNOWN = 3
    DEVICE = 4
    EXPIRED = 5
    QUIET = 6
    BY_EMERGENCY = 7
    BY_HIGHER = 8
    BY_EARLIER = 9
    BY_NEWER = 10
    UNAPPROVED = 11
    NO_AUTHORITY = 12
    WRONG_TERRITORY = 13
    WRONG_CLASS = 14
    NOT_YET_VALID = 15
    SELF_APPROVED = 16
    REPLACED = 17
    WRONG_CONTENT = 18
    OPERATOR = 19

    def say(self, lang: str = "vi") -> str:
        """The words in Vietnamese (`vi`) or English (anything else)."""
        return _DETAILS[self][lang != "vi"]


class Evidence(IntEnum):
    """How well it is known that something was heard, weakest first; an operator's word stands beside them."""

    PLANNED = 0
    DELIVERED = 1
    DEVICE_ACCEPTED = 2
    SIGNAL_PRESENT = 3
    HEARD = 4
    OPERATOR_ATTESTED = 5

    def say(self, lang: str = "vi") -> str:
        """The words in Vietnamese (`vi`) or English (anything else)."""
        return _EVIDENCE[self][lang != "vi"]


@dataclass(frozen=True)
class Verdict:
    """Why a slot does not play: an outcome and its detail."""

    outcome: Outcome
    detail: Detail

    def say(self, lang: str = "vi") -> str:
        """One phrase: the outcome, and the detail when there is one."""
        if self.detail is Detail.NONE:
            return self.outcome.say(lang)
        return f"{self.outcome.say(lang)} ({self.detail.say(lang)})"


def say_detail(code: int, lang: str = "vi") -> str:
    """The words for a detail code as it travels; a code from a newer station is shown by its number."""
    try:
        return Detail(code).say(lang)
    except ValueError:
        return f"lý do số {code}" if lang == "vi" else f"reason {code}"


_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.UNKNOWN: ("chưa rõ", "unknown"),
    Outcome.PLAYED: ("đã phát", "played"),
    Outcome.PLAYED_LATE: ("phát trễ", "played late"),
    Outcome.PARTIAL: ("phát một phần", "partly played"),
    Outcome.INTERRUPTED: ("bị ngắt", "interrupted"),
    Outcome.SUPPRESSED: ("không được phép phát", "suppressed"),
    Outcome.MISSED: ("bỏ lỡ", "missed"),
    Outcome.DECLINED: ("xã không nhận", "declined"),
    Outcome.WITHDRAWN: ("đã thu hồi", "withdrawn"),
    Outcome.SILENT: ("loa im tiếng", "silent"),
}

_DETAILS: dict[Detail, tuple[str, str]] = {
    Detail.NONE: ("", ""),
    Detail.POWER: ("mất điện", "power cut"),
    Detail.NOT_DELIVERED: ("chưa nhận được nội dung", "content not delivered"),
    Detail.CLOCK_UNKNOWN: ("đồng hồ chưa tin cậy", "clock not trusted"),
    Detail.DEVICE: ("lỗi thiết bị", "device failed"),
    Detail.EXPIRED: ("hết hiệu lực", "expired"),
    Detail.QUIET: ("giờ yên tĩnh", "quiet hours"),
    Detail.BY_EMERGENCY: ("nhường tin khẩn cấp", "gave way to an emergency"),
    Detail.BY_HIGHER: ("nhường tin ưu tiên hơn", "gave way to a higher class"),
    Detail.BY_EARLIER: ("nhường tin xếp trước", "gave way to an earlier slot"),
    Detail.BY_NEWER: ("nhường tin khẩn cấp mới hơn", "gave way to a newer emergency"),
    Detail.UNAPPROVED: ("chưa được duyệt", "not approved"),
    Detail.NO_AUTHORITY: ("người ký không có thẩm quyền", "signed without authority"),
    Detail.WRONG_TERRITORY: ("ngoài địa bàn được duyệt", "outside the approved territory"),
    Detail.WRONG_CLASS: ("cao hơn loại được duyệt", "above the approved class"),
    Detail.NOT_YET_VALID: ("chưa đến ngày hiệu lực", "not yet valid"),
    Detail.SELF_APPROVED: ("người soạn tự duyệt", "approved by its own author"),
    Detail.REPLACED: ("lịch đã thay đổi", "the plan has changed"),
    Detail.WRONG_CONTENT: ("nội dung không khớp bản duyệt", "content is not what was approved"),
    Detail.OPERATOR: ("người trực dừng phát", "stopped by the operator"),
}

_EVIDENCE: dict[Evidence, tuple[str, str]] = {
    Evidence.PLANNED: ("mới lên lịch", "planned"),
    Evidence.DELIVERED: ("đã đến trạm", "delivered"),
    Evidence.DEVICE_ACCEPTED: ("thiết bị đã nhận phát", "device accepted"),
    Evidence.SIGNAL_PRESENT: ("có tín hiệu âm thanh", "signal present"),
    Evidence.HEARD: ("đã nghe thấy", "heard"),
    Evidence.OPERATOR_ATTESTED: ("người trực xác nhận", "operator attested"),
}
