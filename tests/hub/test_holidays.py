"""The table of holidays: what the law computes, what the moon says (reckoned here), what an office adds."""

from __future__ import annotations

from datetime import date, timedelta
from math import floor, pi, sin
from threading import RLock

import pytest
from sqlite_utils import Database

from hub.holidays import SCHEMA, Holidays, computed, shipped
from ledger.facts import day_from_iso, iso
from ledger.log import NotAllowed

RAD = pi / 180


@pytest.fixture
def table() -> Holidays:
    db = Database(memory=True)
    db.conn.executescript(SCHEMA)
    return Holidays(db, RLock())


def new_moon(k: int) -> float:
    """Julian day of the k-th new moon since 1900 (Meeus, Astronomical Algorithms, to a few minutes)."""
    t = k / 1236.85
    mean = 2415020.75933 + 29.53058868 * k + 0.0001178 * t * t
    mean += 0.00033 * sin((166.56 + 132.87 * t) * RAD)
    sun = (359.2242 + 29.10535608 * k) * RAD
    moon = (306.0253 + 385.81691806 * k + 0.0107306 * t * t) * RAD
    node = (21.2964 + 390.67050646 * k - 0.0016528 * t * t) * RAD
    mean += (0.1734 - 0.000393 * t) * sin(sun) + 0.0021 * sin(2 * sun) - 0.4068 * sin(moon)
    mean += 0.0161 * sin(2 * moon) - 0.0004 * sin(3 * moon) + 0.0104 * sin(2 * node)
    mean += -0.0051 * sin(sun + moon) - 0.0074 * sin(sun - moon) + 0.0004 * sin(2 * node + sun)
    mean += -0.0004 * sin(2 * node - sun) - 0.0006 * sin(2 * node + moon) + 0.0010 * sin(2 * node - moon)
    mean += 0.0005 * sin(sun + 2 * moon)
    return mean - (-0.000278 + 0.000265 * t + 0.000262 * t * t)


def sun_at(jd: float) -> float:
    """Ecliptic longitude of the sun, degrees."""
    t = (jd - 2451545.0) / 36525
    m = (357.52910 + 35999.05030 * t) * RAD
    return (
        280.46645 + 36000.76983 * t + 1.9146 * sin(m) + 0.019993 * sin(2 * m) + 0.00029 * sin(3 * m)
    ) % 360


def local(jd: float) -> date:
    """The day in Vietnam, UTC+7."""
    return date.fromordinal(floor(jd + 0.5 + 7 / 24) - 1721425)


def month_begin(year: int, longitude: int, guess: int) -> date:
    """First day of the lunar month that holds the instant when the sun stands at `longitude`."""
    jd = 2451545.0 + (year - 2000) * 365.2425 + guess
    for _ in range(40):
        jd -= (sun_at(jd) - longitude + 180) % 360 - 180
    k = floor((jd - 2415020.75933) / 29.530588853) + 2
    while local(new_moon(k)) > local(jd):
        k -= 1
    return local(new_moon(k))


def named(name: str, year: int) -> list[date]:
    return [
        date.fromisoformat(iso(one.day))
        for one in shipped()
        if one.name == name and iso(one.day).startswith(str(year))
    ]


YEARS = range(2022, 2031)  # the years the table speaks for


@pytest.mark.parametrize("year", YEARS)
def test_the_tables_lunar_dates_are_those_of_the_moon_at_utc_plus_7(year: int) -> None:
    new_year = month_begin(year, 330, 45)
    assert new_year in named("Tết Nguyên đán", year), "mùng 1"
    third_month = month_begin(year, 30, 110)
    assert named("Giỗ Tổ Hùng Vương", year) == [third_month + timedelta(9)]


@pytest.mark.parametrize("year", YEARS)
def test_tet_is_one_run_of_days_around_its_first(year: int) -> None:
    days = named("Tết Nguyên đán", year)
    assert days == [days[0] + timedelta(n) for n in range(len(days))]
    assert len(days) in (3, 5), "decided, or the three days that every calendar names"


def test_every_row_names_its_source_and_stands_once() -> None:
    rows = shipped()
    assert len({one.day for one in rows}) == len(rows)
    assert all(one.source and one.name for one in rows)


def test_a_decided_year_has_the_eleven_days_of_the_law(table: Holidays) -> None:
    for year in range(2022, 2027):
        assert len(table.of_year(year)) == 11, year
    assert table.incomplete(range(2022, 2027)) == []


def test_a_year_beyond_the_table_has_its_solar_days_and_says_what_is_missing(table: Holidays) -> None:
    assert [one.name for one in table.of_year(2040)] == [one.name for one in computed(2040)]
    said = table.incomplete([2027, 2040])
    assert said == [
        (2027, ("Tết Nguyên đán", "Quốc khánh")),
        (2040, ("Tết Nguyên đán", "Giỗ Tổ Hùng Vương", "Quốc khánh")),
    ]


def test_what_an_office_adds_counts_and_what_it_takes_back_is_as_shipped(table: Holidays) -> None:
    day = day_from_iso("2027-09-03")
    table.add(day, "Quốc khánh", "Thông báo năm 2027", account="admin", now=1)
    assert table.between(day, day)[day].own
    assert table.incomplete([2027]) == [(2027, ("Tết Nguyên đán",))]
    table.strike(day, account="admin", now=2)
    assert table.between(day, day) == {}


def test_a_struck_day_of_the_table_comes_back_when_it_is_restored(table: Holidays) -> None:
    day = day_from_iso("2022-09-01")
    table.strike(day, account="admin", now=1)
    assert table.between(day, day) == {}
    assert [one.day for one in table.struck(2022)] == [day]
    table.restore(day)
    assert table.between(day, day)[day].name == "Quốc khánh"


def test_a_day_that_is_no_holiday_cannot_be_struck(table: Holidays) -> None:
    with pytest.raises(NotAllowed, match="no holiday"):
        table.strike(day_from_iso("2022-11-09"), account="admin", now=1)
