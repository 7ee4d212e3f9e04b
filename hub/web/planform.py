"""The scheduling form: from what an operator ticks and types to one rule of time and one choice of place.

The second step carries the first one's fields hidden and reads them again, so what is signed was read by the
same code as what was shown; `seal` is a hash of the exact units and days that the page listed, and a page
whose list has changed since is shown anew instead of signed.

Bound: shapes and the rule. Which units a choice means is `hub.web.targets`, what may be ordered the
command's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.recurrence import EVERY_DAY, LAST, SPAN_DAYS_MAX, OnHolidays, Rule
from hub.web.forms import Reader, day_of
from hub.web.tongue import gettext
from hub.web.words import dmy
from ledger.facts import OnInterrupt

if TYPE_CHECKING:
    from hub.holidays import Holidays
    from hub.wanted import Wanted

FIELDS: Final = (
    "territory", "from", "until", "weekdays", "weeks", "holidays", "also", "never", "at", "late", "resume",
)  # fmt: skip
SIGN_FIELDS: Final = (*FIELDS, "seal", "password")
WEEKDAYS: Final = tuple(str(n) for n in range(7))
WEEKS: Final = ("1", "2", "3", "4", str(LAST))
ON_HOLIDAYS: Final = tuple(str(int(one)) for one in OnHolidays)
INTERRUPTED: Final = tuple(str(int(choice)) for choice in OnInterrupt)
LATE_MINUTES: Final = ("0", "5", "15", "30", "60")
DATES_CHARS_MAX: Final = 2_000
DATES_MAX: Final = 200  # single dates in one field; a range counts its days
_BETWEEN: Final = re.compile(r"\s*(?:đến|tới|to|–|\.\.|\s-\s)\s*")
_APART: Final = re.compile(r"[,;\n]+")


@dataclass(frozen=True)
class PlanIn:
    """What was filled in. days: those the rule means, () when it could not be read. choice: of a place."""

    choice: str
    days: tuple[int, ...]
    minute: int
    late_s: int
    on_interrupt: int


def plan(reader: Reader, *, choices: Collection[str], holidays: Holidays) -> PlanIn:
    """Reads the form; `reader.errors` says in plain words what is wrong with which field."""
    choice = reader.choice("territory", choices)
    first, last = reader.day("from"), reader.day("until")
    also, never = dates(reader, "also"), dates(reader, "never")
    raw = reader.form.getlist("weekdays")
    reader.values["weekdays"] = raw
    weekdays = frozenset(int(n) for n in raw if n in WEEKDAYS)
    if set(raw) - set(WEEKDAYS) or (not raw and not also):
        reader.errors["weekdays"] = gettext(
            "Hãy chọn ít nhất một thứ, hoặc ghi ngày cụ thể ở ô “Thêm các ngày”."
        )
    weeks = reader.form.getlist("weeks")
    reader.values["weeks"] = weeks
    if set(weeks) - set(WEEKS):
        reader.errors["weeks"] = gettext("Hãy chọn một mục trong danh sách.")
    on_holidays = reader.choice("holidays", ON_HOLIDAYS) if "holidays" in reader.form else ON_HOLIDAYS[0]
    minute = reader.minute("at")
    late = reader.choice("late", LATE_MINUTES)
    resume = reader.choice("resume", INTERRUPTED) if "resume" in reader.form else INTERRUPTED[0]
    days: tuple[int, ...] = ()
    if last < first and not {"from", "until"} & set(reader.errors):
        reader.errors["until"] = gettext("Ngày cuối phải sau hoặc bằng ngày đầu.")
    if not {"from", "until", "weekdays", "weeks", "holidays", "also", "never"} & set(reader.errors):
        numbers = frozenset(int(n) for n in weeks)
        rule = Rule(first, last, weekdays, numbers, OnHolidays(int(on_holidays)), also, never)
        days = _days(reader, rule, holidays)
    return PlanIn(
        choice,
        days,
        minute,
        int(late) * 60 if late in LATE_MINUTES else 0,
        int(resume) if resume in INTERRUPTED else 0,
    )


def _days(reader: Reader, rule: Rule, holidays: Holidays) -> tuple[int, ...]:
    feasts = () if rule.on_holidays == OnHolidays.PLAY else holidays.between(rule.first, rule.last)
    try:
        days = rule.days(feasts)
    except ValueError:
        reader.errors["until"] = gettext(
            "Một lịch dài nhất %(n)d ngày từ ngày đầu tới ngày cuối; hãy xếp tiếp bằng lịch khác.",
            n=SPAN_DAYS_MAX,
        )
        return ()
    if not days:
        reader.errors["from"] = gettext("Không có ngày nào trong khoảng và các thứ đã chọn.")
    return days


def dates(reader: Reader, name: str) -> frozenset[int]:
    """Single dates and ranges, one per line or with commas between; what was typed stays as it was."""
    text = reader.text(name, chars_max=DATES_CHARS_MAX, required=False) if name in reader.form else ""
    reader.values[name] = text
    found: set[int] = set()
    for piece in filter(None, (one.strip() for one in _APART.split(text))):
        ends = [day_of(end) for end in _BETWEEN.split(piece)]
        first, last = ends[0], ends[-1]
        if len(ends) > 2 or first is None or last is None or not 0 <= first <= last < first + DATES_MAX:
            reader.errors[name] = gettext(
                "Không đọc được “%(text)s”. Hãy ghi 09/11/2022, hoặc 09/11/2022 đến 12/11/2022.",
                text=piece[:40],
            )
            return frozenset()
        found.update(range(first, last + 1))
    if len(found) > DATES_MAX:
        reader.errors[name] = gettext("Nhiều nhất %(n)d ngày.", n=DATES_MAX)
    return frozenset(found)


def blank(territory: str, first: int, last: int) -> dict[str, object]:
    """The form before anybody touched it."""
    return {
        "territory": territory, "from": dmy(first), "until": dmy(last),
        "weekdays": [str(n) for n in sorted(EVERY_DAY)], "weeks": [], "holidays": ON_HOLIDAYS[0], "also": "",
        "never": "", "at": "17:00", "late": "15", "resume": INTERRUPTED[0],
    }  # fmt: skip


def seal(bulletin: str, version: int, wanted: Wanted) -> str:
    """A short hash of exactly what a page listed."""
    return hashlib.sha256(repr((bulletin, version, wanted)).encode()).hexdigest()[:32]
