"""The pure parts of the web: ranges, dates and times as typed, words, the ticket that acts once, where a
link may lead.
"""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from hub.web import forms, words
from hub.web.acts import Acts
from hub.web.ranges import Span, Unsatisfiable, read_range
from hub.web.security import CSP
from ledger.facts import at, day_from_iso

ETAG = '"00112233"'


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        (None, None),
        ("bytes=0-99", Span(0, 100)),
        ("bytes=900-", Span(900, 100)),
        ("bytes=900-5000", Span(900, 100)),
        ("bytes=-100", Span(900, 100)),
        ("bytes=-5000", Span(0, 1000)),
        ("bytes=999-999", Span(999, 1)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=٠-٩", None),
        ("bytes=0-99999999999999999999", None),
        ("", None),
    ],
)
def test_a_range_is_one_span_or_the_whole(asked: str | None, span: Span | None) -> None:
    assert read_range(asked, None, ETAG, 1000) == span


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=1000-1001", "bytes=-0"])
def test_a_range_outside_the_content_cannot_be_satisfied(asked: str) -> None:
    with pytest.raises(Unsatisfiable):
        read_range(asked, None, ETAG, 1000)


@pytest.mark.parametrize("given_tag", ['W/"00112233"', '"other"', "Wed, 09 Nov 2022 00:00:00 GMT"])
def test_if_range_compares_strongly_and_falls_back_to_the_whole(given_tag: str) -> None:
    assert read_range("bytes=0-9", given_tag, ETAG, 1000) is None
    assert read_range("bytes=0-9", ETAG, ETAG, 1000) == Span(0, 10)


@given(st.text(max_size=40), st.integers(0, 10**6))
def test_no_range_header_leads_outside_the_content(asked: str, size: int) -> None:
    for header in (asked, f"bytes={asked}"):
        try:
            span = read_range(header, None, ETAG, size)
        except Unsatisfiable:
            continue
        assert span is None or (span.length > 0 and span.offset >= 0 and span.offset + span.length <= size)


@given(st.integers(0, 40_000))
def test_a_day_reads_the_same_in_both_spellings(day: int) -> None:
    assert forms.day_of(words.dmy(day)) == day == forms.day_of(words.date_of(day).isoformat())


@given(st.integers(0, 1439))
def test_a_minute_reads_back_as_shown(minute: int) -> None:
    assert forms.minute_of(words.hm(minute)) == minute
    assert forms.minute_of(words.hm(minute).replace(":", "h")) == minute


@pytest.mark.parametrize("text", ["", "24:00", "17", "17:60", "5 giờ", "-1:00", "١٧:٠٠"])
def test_what_is_no_time_is_not_guessed(text: str) -> None:
    assert forms.minute_of(text) is None


@pytest.mark.parametrize("text", ["", "31/02/2022", "2022-13-01", "09/11/22", "hôm nay", "2022-11-09T00:00"])
def test_what_is_no_day_is_not_guessed(text: str) -> None:
    assert forms.day_of(text) is None


def test_monday_is_the_first_day_of_a_week() -> None:
    assert forms.weekday_of(day_from_iso("2022-11-07")) == 0
    assert forms.weekday_of(day_from_iso("2022-11-13")) == 6


def test_a_moment_is_shown_in_vietnamese_time_whatever_the_machine_thinks() -> None:
    day = day_from_iso("2022-11-09")
    assert words.stamp(at(day, 17 * 60 + 5)) == "09/11/2022 17:05 +07"
    assert words.iso_local(at(day, 0)) == "2022-11-09T00:00+07:00"
    assert words.stamp_s(at(day, 0) + 59) == "09/11/2022 00:00:59 +07"


def test_the_content_policy_allows_nothing_inline() -> None:
    assert "unsafe" not in CSP
    assert "frame-ancestors 'none'" in CSP


def test_a_field_that_the_page_never_offered_is_refused() -> None:
    with pytest.raises(BadRequest):
        forms.Reader(MultiDict({"title": "x", "role": "admin"}), ("title",))


def test_one_ticket_acts_once_even_when_pressed_by_many_hands_at_once() -> None:
    acts, done, led = Acts(), [], []

    def act() -> str:
        done.append(1)
        return f"/ban-tin/{len(done)}"

    hands = [threading.Thread(target=lambda: led.append(acts.run("desk", "ticket", act))) for _ in range(8)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert led == ["/ban-tin/1"] * 8
    assert acts.run("another desk", "ticket", act) == "/ban-tin/2"


def test_a_refused_press_may_be_made_again_with_the_same_ticket() -> None:
    acts = Acts()

    def refuse() -> str:
        raise LookupError

    with pytest.raises(LookupError):
        acts.run("desk", "ticket", refuse)
    assert acts.run("desk", "ticket", lambda: "/done") == "/done"
