"""The rights a grant can give, and their words.

Bound: names of bits. Which decision needs which right is `standing.py`, who holds one `authority.py`.
"""

from __future__ import annotations

from enum import IntFlag


class Right(IntFlag):
    """What a key may sign. Bits without a name here belong to newer versions and are carried along."""

    DRAFT = 1
    APPROVE = 2
    SCHEDULE = 4
    EMERGENCY = 8
    CANCEL = 16
    ACK = 32
    RECEIPT = 64
    INGEST = 128
    GRANT = 256
    ADMIN = 512  # the register of stations, quiet hours
    PROGRAMME = 1024  # a commune's own: counts where the grant names exactly the commune
    ATTEST = 2048
    ISSUE = 4096
    CORRESPOND = 8192

    def say(self, lang: str = "vi") -> str:
        """The rights in Vietnamese (`vi`) or English (anything else), joined by commas."""
        return ", ".join(_WORDS[right][lang != "vi"] for right in Right if right in self)


_WORDS: dict[Right, tuple[str, str]] = {
    Right.DRAFT: ("soạn tin", "draft"),
    Right.APPROVE: ("duyệt tin", "approve"),
    Right.SCHEDULE: ("lên lịch phát", "schedule"),
    Right.EMERGENCY: ("phát lệnh khẩn cấp", "order emergencies"),
    Right.CANCEL: ("thu hồi", "cancel"),
    Right.ACK: ("báo kết quả phát", "acknowledge"),
    Right.RECEIPT: ("cấp biên nhận", "issue receipts"),
    Right.INGEST: ("ghi sổ tiếp nhận", "journal arrivals"),
    Right.GRANT: ("cấp quyền", "grant"),
    Right.ADMIN: ("quản trị trạm", "administer stations"),
    Right.PROGRAMME: ("xếp chương trình của xã", "arrange the commune's programme"),
    Right.ATTEST: ("xác nhận kết quả phát", "attest broadcasts"),
    Right.ISSUE: ("ban hành văn bản", "issue documents"),
    Right.CORRESPOND: ("nhận văn bản, trả lời ý kiến", "read documents, answer feedback"),
}
