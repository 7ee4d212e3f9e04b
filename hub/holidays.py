"""Vietnam's public holidays, as a choice an operator may make: a table in plain sight, and never a guess.

Source: Labour Code 45/2019/QH14, Article 112. The solar dates (1 January, 30 April, 1 May, 2 September) are
computed. Tết, the 10th of the third lunar month (Giỗ Tổ) and the second day of Quốc khánh come from
`data/holidays.csv`, which names the years it speaks for: Tết's five days and the day beside 2 September are
decided anew each year (Article 112, paragraph 3), and lunar dates follow the calendar at UTC+7. Years that
the table does not hold in full are named by `incomplete`, and the page says so instead of filling them in.
Days off in lieu of a weekend are not holidays here.

An administrator adds what was decided since, or strikes out what was changed; that lies in the hub's own
database. It is a choice about wishes to come: what was signed names exact days, and no later edit moves it.

Bound: this table and its overlay. What a rule makes of it is `hub.recurrence`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from threading import RLock

from sqlite_utils import Database

from hub.media import accept_line
from ledger.facts import NAME_CHARS_MAX, calendar
from ledger.log import NotAllowed

TABLE = Path(__file__).parent / "data" / "holidays.csv"
SOLAR = (
    (1, 1, "Tết Dương lịch"),
    (4, 30, "Ngày Chiến thắng"),
    (5, 1, "Quốc tế Lao động"),
    (9, 2, "Quốc khánh"),
)
LAW = "Bộ luật Lao động 45/2019/QH14, Điều 112"
WHOLE = {"Tết Nguyên đán": 5, "Giỗ Tổ Hùng Vương": 1, "Quốc khánh": 2}  # days a year, as the law has it
OWN_MAX = 500  # days an office may add: more than that is another table

SCHEMA = """
CREATE TABLE IF NOT EXISTS holidays (day INTEGER PRIMARY KEY, name TEXT NOT NULL, source TEXT NOT NULL,
  struck INTEGER NOT NULL, account TEXT NOT NULL, at INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Holiday:
    """day: local. source: who says so. own: added by this office, not shipped."""

    day: int
    name: str
    source: str
    own: bool = False


def computed(year: int) -> list[Holiday]:
    """The solar ones of a year."""
    return [
        Holiday(calendar.day_from_iso(f"{year:04d}-{month:02d}-{day:02d}"), name, LAW)
        for month, day, name in SOLAR
    ]


@cache
def shipped() -> tuple[Holiday, ...]:
    """The table's own rows, by day."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [
            Holiday(calendar.day_from_iso(row["date"]), row["name"], row["source"])
            for row in csv.DictReader(file)
        ]
    return tuple(sorted(rows, key=lambda one: one.day))


class Holidays:
    """db: of the desk's choices. lock: around it."""

    def __init__(self, db: Database, lock: RLock) -> None:
        self._db = db
        self._lock = lock

    def between(self, first: int, last: int) -> dict[int, Holiday]:
        """Every holiday from first to last (local days), by day."""
        years = range(_year(first), _year(last) + 1) if first <= last else range(0)
        found = {one.day: one for one in shipped()} | {
            one.day: one for year in years for one in computed(year)
        }
        with self._lock:
            rows = list(self._db.query("SELECT * FROM holidays WHERE day BETWEEN ? AND ?", [first, last]))
        for row in rows:
            if row["struck"]:
                found.pop(row["day"], None)
            else:
                found[row["day"]] = Holiday(row["day"], row["name"], row["source"], own=True)
        return {day: found[day] for day in sorted(found) if first <= day <= last}

    def of_year(self, year: int) -> list[Holiday]:
        return list(self.between(*_bounds(year)).values())

    def struck(self, year: int) -> list[Holiday]:
        """Days of the table that this office struck out."""
        with self._lock:
            rows = self._db.query(
                "SELECT * FROM holidays WHERE struck = 1 AND day BETWEEN ? AND ?", list(_bounds(year))
            )
            return [Holiday(row["day"], row["name"], row["source"]) for row in rows]

    def incomplete(self, years: Iterable[int]) -> list[tuple[int, tuple[str, ...]]]:
        """(year, names) where the table holds fewer days than the law gives."""
        found = []
        for year in years:
            days = self.of_year(year)
            less = [name for name, n in WHOLE.items() if sum(one.name == name for one in days) < n]
            if less:
                found.append((year, tuple(less)))
        return found

    def add(self, day: int, name: str, source: str, *, account: str, now: int) -> None:
        """A day this office knows of. NotAllowed: text-…, days-range, table-full."""
        if not 0 <= day <= calendar.DAY_MAX:
            raise NotAllowed("days-range", f"{day} is no day", hint="a date of this century")
        row = {
            "day": day, "name": accept_line(name, what="name", chars_max=NAME_CHARS_MAX),
            "source": accept_line(source, what="source", chars_max=NAME_CHARS_MAX), "struck": 0,
            "account": account, "at": now,
        }  # fmt: skip
        self._put(row)

    def strike(self, day: int, *, account: str, now: int) -> None:
        """Takes a day out: what was added is forgotten, what was shipped is struck out."""
        known = self.between(day, day).get(day)
        if known is None:
            raise NotAllowed("holiday-unknown", f"{day} is no holiday here", hint="look at the list")
        if known.own:
            with self._lock, self._db.atomic():
                self._db.execute("DELETE FROM holidays WHERE day = ?", [day])
            return
        self._put(
            {
                "day": day,
                "name": known.name,
                "source": known.source,
                "struck": 1,
                "account": account,
                "at": now,
            }
        )

    def restore(self, day: int) -> None:
        """Puts a struck day of the table back."""
        with self._lock, self._db.atomic():
            self._db.execute("DELETE FROM holidays WHERE day = ? AND struck = 1", [day])

    def _put(self, row: dict[str, object]) -> None:
        with self._lock, self._db.atomic():
            if self._db.table("holidays").count >= OWN_MAX:
                raise NotAllowed("table-full", f"{OWN_MAX} days at most", hint="take old ones out")
            self._db.table("holidays").upsert(row, pk="day")


def _year(day: int) -> int:
    return date.fromisoformat(calendar.iso(day)).year


def _bounds(year: int) -> tuple[int, int]:
    return calendar.day_from_iso(f"{year:04d}-01-01"), calendar.day_from_iso(f"{year:04d}-12-31")
