"""Rule 16: the run sheet has a line for whatever may play, in order of play, and nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from facts_desk import LAW_DAY, NOW, PROVINCE, TU_LE, Room, approved, arrive, manifest, scheduled, share_of
from hypothesis import given, settings
from qr_reader import needs_zbar, read_symbol, symbols_of
from test_facts_plan_properties import HISTORIES, UNITS, History, World

from ledger.facts import (
    Cancelled,
    EmergencyOrdered,
    QuietHoursSet,
    Target,
    at,
    sheet_of,
    slot_code,
    slots,
    verdict,
)
from ledger.sheet import CSP, STYLE, sheet_html

MONDAY = LAW_DAY - 2


def test_a_line_has_the_number_of_play_and_the_code_of_its_slot(room: Room) -> None:
    room.say("approver", approved(1, title="Sáng"))
    room.say("approver", approved(2, title="Chiều"))
    room.say("approver", scheduled(41, 2, days=[LAW_DAY, LAW_DAY + 1]))
    room.say("approver", scheduled(42, 1, days=[LAW_DAY + 1], minute=330))
    lines = sheet_of(room.facts, TU_LE, MONDAY)
    assert [(line.number, line.slot.title) for line in lines] == [(1, "Chiều"), (2, "Sáng"), (3, "Chiều")]
    assert [line.code for line in lines] == [slot_code(line.slot) for line in lines]


def test_what_may_not_play_is_not_on_the_sheet(room: Room) -> None:
    room.say("approver", approved(1))
    room.say("approver", scheduled(41))
    room.say("approver", scheduled(42, 2))  # nobody approved it
    room.say("approver", scheduled(43, minute=19 * 60))
    room.say("approver", Cancelled(NOW, Target.SERIES, None, 43, PROVINCE, ""))
    room.say("approver", scheduled(44, minute=20 * 60))
    room.say("admin", QuietHoursSet(NOW, TU_LE, 20 * 60, 5 * 60))
    assert [line.slot.series for line in sheet_of(room.facts, TU_LE, MONDAY)] == [41]


def test_what_gives_way_at_its_minute_is_on_the_sheet_and_says_to_what(room: Room) -> None:
    room.say("approver", approved(1, title="Ưu tiên"))
    room.say("approver", approved(2, title="Thường", klass=2))
    room.say("approver", scheduled(41))
    room.say("approver", scheduled(42, 2, klass=2))
    lines = sheet_of(room.facts, TU_LE, MONDAY)
    assert [(line.slot.title, line.gives_way) for line in lines] == [("Ưu tiên", ""), ("Thường", "Ưu tiên")]


@settings(max_examples=80, deadline=None)
@given(HISTORIES, UNITS)
def test_hub_and_station_print_the_same_sheet_of_exactly_what_may_play(history: History, unit: str) -> None:
    segments = World.of(history).segments
    hub, station = arrive(segments), arrive(share_of(segments, unit))
    lines = sheet_of(hub, unit, MONDAY)
    assert lines == sheet_of(station, unit, MONDAY)
    may = [
        slot
        for slot in slots(hub, unit, at(MONDAY), at(MONDAY + 7))
        if verdict(hub, slot, slot.start_s) is None
    ]
    assert [line.slot for line in lines] == may
    assert [line.number for line in lines] == list(range(1, len(may) + 1))


# -- the page ------------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Tags opened and closed, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_asks_for_nothing_and_lets_no_title_in_as_code(room: Room) -> None:
    room.say("approver", approved(1, title="<script>alert(1)</script> & Ngày Pháp luật"))
    room.say("approver", scheduled(41))
    lines = sheet_of(room.facts, TU_LE, MONDAY)
    html = sheet_html("Xã <Tú> Lệ", TU_LE, MONDAY, 7, lines, made_s=NOW, telephone="0216 <3>")
    read = Tags(html)
    assert (read.open, read.wrong) == ([], [])
    assert "script" not in re.findall(r"<(\w+)", html)
    assert not re.search(r"(src|href|url)\s*[=(]", html)
    for words in (
        "& Ngày Pháp luật",
        "Xã <Tú> Lệ",
        "0216 <3>",
        "Thứ Tư 09/11/2022",
        "17:00",
        "ưu tiên",
        "10′00″",
    ):
        assert words in read.text, words
    assert lines[0].code in read.text


def test_the_policy_names_the_very_style_of_the_page(room: Room) -> None:
    from base64 import b64encode
    from hashlib import sha256

    html = sheet_html("Tú Lệ", TU_LE, MONDAY, 7, (), made_s=NOW)
    style = html.split("<style>")[1].split("</style>")[0]
    assert style == STYLE
    assert b64encode(sha256(style.encode()).digest()).decode() in CSP
    assert "Không có lượt phát nào" in html


def test_an_emergency_and_a_drill_are_told_apart_on_paper(room: Room) -> None:
    start = at(LAW_DAY, 9 * 60)
    for series, drill in ((51, False), (52, True)):
        room.say(
            "approver",
            EmergencyOrdered(
                NOW, series, "lu-quet", 2, drill, manifest(90), "Lên nhà văn hóa", TU_LE, start + series,
                start + 7_200, 1,
            ),
        )  # fmt: skip
    html = sheet_html("Tú Lệ", TU_LE, MONDAY, 7, sheet_of(room.facts, TU_LE, MONDAY), made_s=NOW)
    assert html.count("KHẨN CẤP") == 2
    assert html.count("DIỄN TẬP") == 1
    assert "trước 11:00" in html


@needs_zbar
@pytest.mark.parametrize("base", ["", "https://loa.example"])
def test_each_line_has_its_code_as_a_symbol_that_a_telephone_reads(
    room: Room, base: str, tmp_path: Path
) -> None:
    pytest.importorskip("segno", reason="segno is not installed")
    room.say("approver", approved(1))
    room.say("approver", scheduled(41, days=(LAW_DAY, LAW_DAY + 1)))
    lines = sheet_of(room.facts, TU_LE, MONDAY)
    html = sheet_html("Tú Lệ", TU_LE, MONDAY, 7, lines, made_s=NOW, base=base)
    said = [read_symbol(one, tmp_path) for one in symbols_of(html)]
    start = f"{base}/xac-nhan?tram={TU_LE}&ma=" if base else ""
    assert said == [start + line.code for line in lines]
    assert len(said) == 2
    assert ("trang xác nhận mở ra" in html) is bool(base)
    assert "<svg" not in sheet_html("Tú Lệ", TU_LE, MONDAY, 7, (), made_s=NOW, base=base)
