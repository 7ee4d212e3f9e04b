"""The calendar file: read back by another program's parser, folded, escaped, the same UIDs each time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_web_house import approve, build

from hub.web.ics import LINE_OCTETS_MAX, Entry, calendar_file, folded

TEXT = st.text(st.characters(blacklist_categories=("Cc", "Cs")) | st.just("\n"), max_size=120)


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=300))
def test_a_line_is_folded_at_75_octets_and_never_inside_a_character(line: str) -> None:
    written = folded(line)
    assert written.endswith(b"\r\n")
    pieces = written[:-2].split(b"\r\n")
    assert all(len(piece) <= LINE_OCTETS_MAX for piece in pieces)
    for piece in pieces:
        piece.decode()
    assert b"".join([pieces[0], *(piece[1:] for piece in pieces[1:])]).decode() == line
    assert all(piece.startswith(b" ") for piece in pieces[1:])


@given(TEXT, TEXT, st.integers(0, 4_000_000_000), st.integers(1, 14_400), st.booleans())
def test_another_programs_parser_reads_what_was_meant(
    title: str, words: str, start_s: int, length_s: int, gone: bool
) -> None:
    icalendar = pytest.importorskip("icalendar")
    entry = Entry(7, 19305, "vn.yb.04630", start_s, length_s, title, "Xã Tú Lệ", words, 1_667_955_600, gone)
    read = icalendar.Calendar.from_ical(calendar_file([entry], name="Lịch phát Yên Bái", host="vn.yb.loa"))
    (event,) = read.walk("VEVENT")
    assert str(event["SUMMARY"]) == title
    assert str(event["DESCRIPTION"]) == words
    assert event.decoded("DTSTART") == datetime.fromtimestamp(start_s, tz=UTC)
    assert event.decoded("DURATION").total_seconds() == length_s
    assert str(event["UID"]) == "7-19305-vn.yb.04630@vn.yb.loa"
    assert str(event["STATUS"]) == ("CANCELLED" if gone else "CONFIRMED")
    assert str(read["X-WR-CALNAME"]) == "Lịch phát Yên Bái"


def test_the_week_is_downloaded_by_who_may_see_it_and_a_call_off_takes_its_entries_away() -> None:
    icalendar = pytest.importorskip("icalendar")
    house = build("ics")
    made = house.browser("bientap").draft("Tiêm phòng, đợt 2; trẻ em")
    desk = approve(house, made)
    desk.plan(made, _from="09/11/2022", _until="16/11/2022", at="17:00", weekdays=["2"])
    stranger = house.browser().get("/lich.ics?tuan=09/11/2022")
    assert "BEGIN:VCALENDAR" not in stranger.html

    def events() -> list[object]:
        answer = desk.client.get("/lich.ics?tuan=09/11/2022&tram=vn.yb.04630")
        assert answer.content_type == "text/calendar; charset=utf-8"
        assert 'filename="lich-2022-11-07.ics"' in answer.headers["Content-Disposition"]
        return icalendar.Calendar.from_ical(answer.get_data()).walk("VEVENT")

    first = events()
    assert [str(one["SUMMARY"]) for one in first] == ["Tiêm phòng, đợt 2; trẻ em"] * 2
    assert [one.decoded("DTSTART").isoformat() for one in first] == [
        "2022-11-09T10:00:00+00:00", "2022-11-16T10:00:00+00:00",
    ]  # fmt: skip
    assert {str(one["LOCATION"]) for one in first} == {"Xã Tú Lệ"}
    desk.get("/lich?tuan=09/11/2022")
    series = house.hub.queries.all_series()[0].series
    desk.get(f"/lich/{series}").press("/huy", reason="thôi")
    later = events()
    assert [str(one["UID"]) for one in later] == [str(one["UID"]) for one in first]
    assert {str(one["STATUS"]) for one in later} == {"CANCELLED"}
    assert {int(one["SEQUENCE"]) for one in later} == {1}
