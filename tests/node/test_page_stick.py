"""A stick through the browser, both ways, with a hub at the end of the road; the question of the time."""

from __future__ import annotations

import io
from concurrent.futures import Future

import pytest
from page_world import PIN, Browser, Page
from station_world import MORNING, World
from test_node_usb import at_the_hub

from ledger.log import MemoryStore
from node import Confidence
from node.stick.desk import Desk, read_answer

LAN = "Lò Thị Mai"


@pytest.fixture
def page() -> Page:
    """A station without a network, with a battery clock."""
    world = World(utc_s=MORNING - 86_400)
    world.line.down = True
    world.clock.confidence = Confidence.RTC
    world.run(5)
    return Page(world)


def signed_in(page: Page) -> Browser:
    if page.office.people.named(LAN) is None:
        return page.join(LAN, "officer")
    browser = page.visitor()
    return browser.get("/dang-nhap").press("/dang-nhap", person="1", pin=PIN)


def trip(page: Page) -> Browser:
    """The file out of the page, to the hub, and its answer into the page."""
    lan = signed_in(page).get("/usb").press("/usb/lay")
    away = MemoryStore()
    away.write("station.loa", lan.answer.data)
    back = at_the_hub(page.world, away).read("back.loa")
    assert back is not None
    page.world.clock.pass_s(3_600)
    return signed_in(page).get("/usb").press("/usb/nhan", files=(io.BytesIO(back), "back.loa"))


def test_decisions_and_content_come_in_through_the_page_and_are_played(page: Page) -> None:
    page.world.hub.enrol()
    series = page.world.hub.programme(5 * 60 + 40)
    lan = trip(page)
    assert lan.says("Đã nhận:")
    assert lan.says("còn thiếu 0 nội dung")
    assert not page.world.store.names("tray/")
    page.world.run_to(6 * 60)
    assert [sound.series for sound in page.world.speaker.sounds] == [series]
    trip(page)
    assert [ack.series for ack in page.world.hub.acks()] == [series]


def test_the_same_files_sent_again_do_no_harm_and_say_why(page: Page) -> None:
    page.world.hub.programme(5 * 60 + 40)
    lan = signed_in(page).get("/usb").press("/usb/lay")
    away = MemoryStore()
    away.write("station.loa", lan.answer.data)
    back = at_the_hub(page.world, away).read("back.loa")
    assert back is not None
    lan.get("/usb").press("/usb/nhan", files=(io.BytesIO(back), "back.loa"))
    position = page.world.station.ledger.position()
    lan.press("/usb/nhan", files=(io.BytesIO(back), "back.loa"))
    assert lan.says("hoặc đã nhận rồi")
    assert page.world.station.ledger.position() == position


def test_an_emergency_from_a_stick_asks_for_the_time_on_every_page_and_a_yes_plays_it(page: Page) -> None:
    page.world.hub.emergency(not_before=page.world.hub.ts + 600, life_s=80_000)
    lan = trip(page)
    page.world.run(60)
    assert page.world.speaker.sounds == []
    lan.get("/")
    assert lan.says("Có tin khẩn cấp từ USB đang chờ bạn xác nhận giờ")
    lan.get("/usb")
    assert lan.says("Lũ quét")
    lan.press("/usb/gio", answer="yes")
    assert lan.says("Đã ghi: giờ đúng")
    page.world.run(60)
    assert len(page.world.speaker.sounds) == 1
    assert lan.get("/nhat-ky").says("Lò Thị Mai xác nhận giờ đúng")
    assert not lan.get("/usb").says("đang chờ")


def test_a_no_plays_nothing_and_a_word_that_nobody_asked_for_counts_for_nothing(page: Page) -> None:
    page.world.hub.emergency(not_before=page.world.hub.ts + 600, life_s=80_000)
    lan = trip(page)
    lan.get("/usb").press("/usb/gio", answer="no")
    assert lan.says("Đã ghi: giờ sai")
    lan.get("/usb")
    for word in ("", "zz", "00" * 40):
        lan.post("/usb/gio", {"csrf": lan.csrf, "answer": "yes", "word": word})
        assert lan.says("chưa ghi gì")
        lan.get("/usb")
    page.world.run(120)
    assert page.world.speaker.sounds == []


def test_the_desk_of_the_box_waits_while_a_stick_comes_through_the_page(page: Page) -> None:
    desk = Desk(page.world.station, lambda look: Future(), taken=lambda: page.office.stick_busy)
    page.office.desk_busy = lambda: desk.is_busy
    ticket = page.office.begin_stick()
    page.world.store.write("desk/request.json", b'{"id": "1", "do": "import"}')
    desk.look()
    said = read_answer(page.world.store)
    assert said is not None
    assert said["code"] == "stick-busy"
    page.office.tray.end(ticket)
    page.world.store.write("desk/in/a.loa", b"no bundle")
    page.world.store.write("desk/request.json", b'{"id": "2", "do": "import"}')
    desk.look()
    assert desk.is_busy
    lan = signed_in(page).get("/usb").press("/usb/nhan", files=(io.BytesIO(b"x"), "a.loa"))
    assert lan.says("Đang đọc một USB khác")


def test_more_than_a_browser_may_send_is_refused_and_leaves_nothing(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.stick.tray.TRAY_BYTES_MAX", 100_000)
    lan = signed_in(page).get("/usb").press("/usb/nhan", files=(io.BytesIO(b"x" * 300_000), "a.loa"))
    assert lan.says("Các tệp lớn hơn 64 MB")
    assert not page.world.store.names("tray/")
