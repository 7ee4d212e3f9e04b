"""The operator's rule, against another reading of it: a walk through the calendar, month by month."""

from __future__ import annotations

import calendar as almanac
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.recurrence import LAST, SPAN_DAYS_MAX, WEEKS, OnHolidays, Rule, compiled, upcoming, weekday_of
from ledger.facts import calendar, day_from_iso

EPOCH = date(1970, 1, 1)
START = day_from_iso("2022-01-01")
single_days = st.frozensets(st.integers(START, START + 300), max_size=8)
rules = st.builds(
    lambda first, span, weekdays, weeks, on, also, never: Rule(
        first, first + span, weekdays, weeks, on, also, never
    ),
    st.integers(START, START + 60),
    st.integers(0, 240),
    st.frozensets(st.integers(0, 6)),
    st.frozensets(st.sampled_from(WEEKS)),
    st.sampled_from(OnHolidays),
    single_days,
    single_days,
)


def oracle(rule: Rule, holidays: frozenset[int]) -> list[int]:
    """Month by month, weekday by weekday, over the library's month tables; with dates, not with numbers."""
    first, last = EPOCH + timedelta(rule.first), EPOCH + timedelta(rule.last)
    feasts = {EPOCH + timedelta(day) for day in holidays}
    chosen: set[date] = set()
    for year, month in {((first + timedelta(n)).year, (first + timedelta(n)).month) for n in range(241)}:
        for weekday in rule.weekdays:
            column = [week[weekday] for week in almanac.monthcalendar(year, month) if week[weekday]]
            picked = column if not rule.weeks else []
            for week in rule.weeks:
                if week == LAST:
                    picked = [*picked, column[-1]]
                elif len(column) >= week:
                    picked = [*picked, column[week - 1]]
            chosen |= {date(year, month, day) for day in picked}
    chosen = {day for day in chosen if first <= day <= last}
    if rule.on_holidays == OnHolidays.SKIP:
        chosen -= feasts
    elif rule.on_holidays == OnHolidays.ONLY:
        chosen &= feasts
    chosen |= {EPOCH + timedelta(day) for day in rule.also}
    chosen -= {EPOCH + timedelta(day) for day in rule.never}
    return sorted((day - EPOCH).days for day in chosen)


@given(rules, single_days)
def test_a_rule_means_the_days_that_a_walk_through_the_calendar_finds(
    rule: Rule, holidays: frozenset[int]
) -> None:
    assert list(rule.days(holidays)) == oracle(rule, holidays)


@given(rules, single_days)
def test_what_is_signed_names_exactly_the_days_that_were_shown(rule: Rule, holidays: frozenset[int]) -> None:
    days = rule.days(holidays)
    if days:
        first_day, bitmap = compiled(days)
        assert calendar.days_of(first_day, bitmap) == list(days)
        assert len(bitmap) <= 46


@given(rules)
def test_an_exception_wins_over_whatever_named_the_day(rule: Rule) -> None:
    assert not set(rule.days()) & rule.never


@given(rules, st.integers(START, START + 300))
def test_the_next_dates_are_the_first_that_are_not_past(rule: Rule, today: int) -> None:
    days = rule.days()
    assert list(upcoming(days, today)) == [day for day in days if day >= today][:5]


def test_the_second_and_the_last_tuesday_of_each_month() -> None:
    rule = Rule(START, START + 89, frozenset({1}), frozenset({2, LAST}))
    said = [(EPOCH + timedelta(day)).isoformat() for day in rule.days()]
    assert said == ["2022-01-11", "2022-01-25", "2022-02-08", "2022-02-22", "2022-03-08", "2022-03-29"]


def test_a_fourth_friday_that_is_the_last_is_named_once() -> None:
    from_, until = day_from_iso("2022-02-01"), day_from_iso("2022-02-28")
    february = Rule(from_, until, frozenset({4}), frozenset({4, LAST}))
    assert february.days() == (day_from_iso("2022-02-25"),)


def test_a_named_date_counts_on_a_holiday_too() -> None:
    rule = Rule(START, START + 6, on_holidays=OnHolidays.SKIP, also=frozenset({START}))
    assert START in rule.days({START})
    assert START not in Rule(START, START + 6, on_holidays=OnHolidays.SKIP).days({START})


@given(st.integers(START, START + 900), st.integers(0, 500))
def test_a_rule_longer_than_a_year_is_refused_and_never_cut(first: int, span: int) -> None:
    rule = Rule(first, first + span)
    if span < SPAN_DAYS_MAX:
        assert len(rule.days()) == span + 1
    else:
        with pytest.raises(ValueError, match="at most"):
            rule.days()


def test_a_single_date_far_from_the_rule_is_refused_too() -> None:
    with pytest.raises(ValueError, match="at most"):
        Rule(START, START + 5, also=frozenset({START + SPAN_DAYS_MAX})).days()


@given(st.integers(0, 60_000))
def test_weekdays_are_those_of_the_calendar(day: int) -> None:
    assert weekday_of(day) == (EPOCH + timedelta(day)).weekday()
