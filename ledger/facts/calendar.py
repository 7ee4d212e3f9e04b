"""Local days and minutes: the calendar an operator speaks in, as plain integers.

Vietnam has one zone, UTC+7, and no summer time, so a local day is always 86,400 seconds and a slot is the
pair (local day, minute). Days are counted since 1970-01-01 *local*, instants are UTC seconds. A schedule
names its days by a bitmap from its first day, lowest bit of the first byte first: a whole year is 46 bytes.

Bound: no recurrence rules here; the hub expands an operator's rule into days before it signs anything.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

UTC_OFFSET_S = 25_200  # +07:00
DAY_S = 86_400
DAY_MINUTES = 1_440
DAY_MAX = 65_535  # local day numbers fit 16 bits: until 2149
BITMAP_BYTES_MAX = 46  # 366 days, rounded up to bytes
BITMAP_DAYS_MAX = 366

_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()


def local_day(utc_s: float) -> int:
    """The local day that holds this UTC instant."""
    return int((utc_s + UTC_OFFSET_S) // DAY_S)


def second_of_day(utc_s: float) -> float:
    """Seconds since local midnight, 0 ≤ s < 86,400."""
    return (utc_s + UTC_OFFSET_S) % DAY_S


def minute_of_day(utc_s: float) -> int:
    """Whole minutes since local midnight, 0–1439."""
    return int(second_of_day(utc_s) // 60)


def at(day: int, minute: int = 0) -> int:
    """The UTC second at which `minute` of local `day` begins."""
    return day * DAY_S + minute * 60 - UTC_OFFSET_S


def day_from_iso(text: str) -> int:
    """`2022-11-09` → day number. Raises ValueError for anything else than an ISO date."""
    return datetime.date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL


def iso(day: int) -> str:
    """Day number → `2022-11-09`."""
    return datetime.date.fromordinal(day + _EPOCH_ORDINAL).isoformat()


def pack_days(first_day: int, days: Iterable[int]) -> bytes:
    """The bitmap of `days` counted from `first_day`, as short as it can be (at least one byte).

    Raises ValueError when a day lies before `first_day` or more than 365 days after it.
    """
    bits = 0
    for day in days:
        offset = day - first_day
        if not 0 <= offset < BITMAP_DAYS_MAX:
            raise ValueError(f"day {day} is outside the {BITMAP_DAYS_MAX} days from {first_day}")
        bits |= 1 << offset
    return bits.to_bytes(max(1, (bits.bit_length() + 7) // 8), "little")


def has_day(first_day: int, bitmap: bytes, day: int) -> bool:
    """True when the bitmap names `day`."""
    offset = day - first_day
    if offset < 0 or offset >= len(bitmap) * 8:
        return False
    return bool(bitmap[offset >> 3] >> (offset & 7) & 1)


def days_of(first_day: int, bitmap: bytes) -> list[int]:
    """Every day the bitmap names, ascending."""
    bits = int.from_bytes(bitmap, "little")
    return [first_day + offset for offset in range(bits.bit_length()) if bits >> offset & 1]
