"""A sentence for people, in both languages of the page: Vietnamese first, English second.

Rules and screens' logic give such pairs; which of the two is shown is the reader's choice, made at the edge.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from ledger.facts import UTC_OFFSET_S

VIETNAM = dt.timezone(dt.timedelta(seconds=UTC_OFFSET_S), "+07")
_WEEKDAYS = (
    ("thứ Hai", "Monday"), ("thứ Ba", "Tuesday"), ("thứ Tư", "Wednesday"), ("thứ Năm", "Thursday"),
    ("thứ Sáu", "Friday"), ("thứ Bảy", "Saturday"), ("Chủ nhật", "Sunday"),
)  # fmt: skip


class Words(NamedTuple):
    """The same, said twice."""

    vi: str
    en: str

    def in_(self, lang: str) -> str:
        """lang: `vi`, or anything else for English."""
        return self.vi if lang == "vi" else self.en


def clock(utc_s: float) -> str:
    """`17:00`, in Vietnam."""
    return _local(utc_s).strftime("%H:%M")


def stamp(utc_s: float) -> str:
    """`09/11/2022 17:00`, in Vietnam; a dash for 0, which is no time."""
    return _local(utc_s).strftime("%d/%m/%Y %H:%M") if utc_s else "–"


def date(day: int) -> str:
    """`09/11/2022` of a local day."""
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).strftime("%d/%m/%Y")


def weekday(day: int) -> Words:
    """Of a local day."""
    return Words(*_WEEKDAYS[(day + 3) % 7])  # day 0 was a Thursday


def span(seconds: float) -> Words:
    """A length in the largest unit that says enough: `45 giây`, `12 phút`, `3 giờ`, `5 ngày`."""
    whole = int(max(0, seconds))
    for size, vi, en in ((86_400, "ngày", "d"), (3_600, "giờ", "h"), (60, "phút", "min")):
        if whole >= 2 * size or (whole >= size and size == 60):
            return Words(f"{whole // size} {vi}", f"{whole // size} {en}")
    return Words(f"{whole} giây", f"{whole} s")


def _local(utc_s: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(utc_s, VIETNAM)
