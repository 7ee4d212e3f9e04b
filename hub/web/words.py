"""How times, lengths, sizes and hashes are said on the page; every name a template may call stands in
`WORDS`.

Vietnam has one time zone and no daylight saving: times are computed with a fixed +07
(`ledger.facts.calendar`), so the server's own zone never leaks into a page. Dates are dd/MM/yyyy, clocks 24
h, decimals follow the language. What these functions get is always UTC seconds, a local day number, or a
minute of the day; what they give is plain text (the template escapes it).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from flask_babel import get_locale

from hub.web.tongue import gettext, ngettext
from ledger.facts import UTC_OFFSET_S, local_day, minute_of_day

EPOCH: Final = date(1970, 1, 1)
MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86400
KB: Final = 1000
HASH_SHORT_CHARS: Final = 12  # 48 bits: enough for an eye to compare, short enough to read aloud


def lang() -> str:
    """The page's language: `vi` unless the reader switched to `en`."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "vi"


def nfc(text: str) -> str:
    """One form for what looks alike: Telex and macOS type the same letter as different code points."""
    return unicodedata.normalize("NFC", text)


def date_of(day: int) -> date:
    """A local day number as a calendar date."""
    return EPOCH + timedelta(days=day)


def dmy(day: int) -> str:
    """09/11/2022."""
    return f"{date_of(day):%d/%m/%Y}"


def dm(day: int) -> str:
    """09/11, where the year is clear from the heading."""
    return f"{date_of(day):%d/%m}"


def weekday(day: int) -> str:
    """Thứ Tư."""
    names = (
        gettext("Thứ Hai"),
        gettext("Thứ Ba"),
        gettext("Thứ Tư"),
        gettext("Thứ Năm"),
        gettext("Thứ Sáu"),
        gettext("Thứ Bảy"),
        gettext("Chủ Nhật"),
    )
    return names[date_of(day).weekday()]


def weekday_short(day: int) -> str:
    """T2 … CN, as calendars have it."""
    names = (
        gettext("T2"),
        gettext("T3"),
        gettext("T4"),
        gettext("T5"),
        gettext("T6"),
        gettext("T7"),
        gettext("CN"),
    )
    return names[date_of(day).weekday()]


def hm(minute: int) -> str:
    """A minute of the day as 17:05."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def clock(utc_s: int) -> str:
    """16:42, local."""
    return hm(minute_of_day(int(utc_s)))


def stamp(utc_s: int) -> str:
    """09/11/2022 16:42 +07: a whole moment, for a page that may be printed and filed."""
    return f"{dmy(local_day(int(utc_s)))} {clock(utc_s)} +07"


def stamp_s(utc_s: int) -> str:
    """The same to the second, for evidence."""
    second = (int(utc_s) + UTC_OFFSET_S) % MINUTE_S
    return f"{dmy(local_day(int(utc_s)))} {clock(utc_s)}:{second:02d} +07"


def iso_local(utc_s: int) -> str:
    """2022-11-09T16:42+07:00, for <time datetime>."""
    return f"{date_of(local_day(int(utc_s))).isoformat()}T{clock(utc_s)}+07:00"


def ago(seconds: int) -> str:
    """How long since, in the coarsest unit that still tells something."""
    seconds = max(0, int(seconds))
    if seconds < MINUTE_S:
        return gettext("vừa xong")
    if seconds < 2 * HOUR_S:
        return ngettext("%(num)d phút trước", "%(num)d phút trước", seconds // MINUTE_S)
    if seconds < 2 * DAY_S:
        return ngettext("%(num)d giờ trước", "%(num)d giờ trước", seconds // HOUR_S)
    return ngettext("%(num)d ngày trước", "%(num)d ngày trước", seconds // DAY_S)


def span(seconds: float) -> str:
    """A length: 1′52″, or 2 giờ 5′."""
    whole = max(0, round(seconds))
    if whole < HOUR_S:
        return f"{whole // MINUTE_S}′{whole % MINUTE_S:02d}″"
    rest = f" {whole % HOUR_S // MINUTE_S}′" if whole % HOUR_S >= MINUTE_S else ""
    return ngettext("%(num)d giờ", "%(num)d giờ", whole // HOUR_S) + rest


def long_span(seconds: float) -> str:
    """A sum of lengths in words: 4 giờ 10 phút; below an hour 12 phút 5 giây."""
    whole = max(0, round(seconds))
    hours, minutes = whole // HOUR_S, whole % HOUR_S // MINUTE_S
    if hours:
        return gettext("%(hours)d giờ %(minutes)d phút", hours=hours, minutes=minutes)
    return gettext("%(minutes)d phút %(seconds)d giây", minutes=minutes, seconds=whole % MINUTE_S)


def number(value: float, digits: int = 0) -> str:
    """1.234,5 in Vietnamese, 1,234.5 in English."""
    english = f"{value:,.{digits}f}"
    return english if lang() == "en" else english.translate(str.maketrans(",.", ".,"))


def size(count: int) -> str:
    """A count of bytes for a person: 940 B, 61 kB, 1,8 MB."""
    if count < KB:
        return f"{count} B"
    if count < KB * KB:
        return f"{number(count / KB)} kB"
    return f"{number(count / KB / KB, 1)} MB"


def short(digest: bytes) -> str:
    """The head of a hash or key id, in groups of four for the eye."""
    text = digest.hex()[:HASH_SHORT_CHARS]
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def level_name(level: int) -> str:
    """The three emergency levels, said the way the form says them."""
    return {
        1: gettext("Cấp 1 · cần biết"),
        2: gettext("Cấp 2 · nguy hiểm"),
        3: gettext("Cấp 3 · rất nguy hiểm"),
    }.get(level, str(level))


WORDS: Final[dict[str, Callable[..., str]]] = {
    f.__name__: f
    for f in (
        lang,
        dmy,
        dm,
        weekday,
        weekday_short,
        hm,
        clock,
        stamp,
        stamp_s,
        iso_local,
        ago,
        span,
        long_span,
        number,
        size,
        short,
        level_name,
    )
}
