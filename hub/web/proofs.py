"""The verification badge: it says exactly what was checked, over what, and nothing beyond that.

A badge that says "valid" without saying what was looked at is worse than none. What stands behind each
signed event on a page: its segment was opened again from the stored bytes (signature by the named key over
the Merkle root, every event's leaf under that root), and the fold applied it because the key had the right
at that time and place. It proves that a key signed a content; that somebody listened is proven by no
signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.web.tongue import gettext, ngettext

if TYPE_CHECKING:
    from hub.queries import Deed


@dataclass(frozen=True)
class Badge:
    """What to show: a look (icon, colour class), the words, and the checks spelled out."""

    look: tuple[str, str]
    text: str
    checks: tuple[str, ...]


def badge(deeds: Sequence[Deed]) -> Badge:
    """One badge for the signed events of a page."""
    if not deeds:
        return Badge(("unknown", "mute"), gettext("Chưa có gì được ký"), ())
    wrong = [deed for deed in deeds if not deed.verified]
    idle = [deed for deed in deeds if deed.verified and not deed.applied]
    if wrong:
        return Badge(
            ("bad", "bad"),
            ngettext("Sai chữ ký: %(num)d sự kiện", "Sai chữ ký: %(num)d sự kiện", len(wrong)),
            tuple(
                gettext("%(log)s số %(seq)d: không kiểm được", log=deed.log_id, seq=deed.seq)
                for deed in wrong
            ),
        )
    checks = [
        gettext("Mỗi đoạn ký được mở lại từ các byte đã lưu: đúng khóa, đúng gốc Merkle, đúng từng sự kiện."),
        gettext("Khóa nối về khóa gốc qua các văn bản trao quyền, còn quyền ở địa bàn và thời điểm ký."),
        gettext("Không chứng minh rằng có người nghe; điều đó xem ở phần phát tại trạm."),
    ]
    keys = len({deed.who.key_id for deed in deeds})
    text = gettext("%(events)d chữ ký hợp lệ · %(keys)d khóa", events=len(deeds), keys=keys)
    if idle:
        return Badge(
            ("warn", "warn"),
            gettext("%(valid)s · %(idle)d việc không có hiệu lực", valid=text, idle=len(idle)),
            tuple(checks),
        )
    return Badge(("seal", "ok"), text, tuple(checks))
