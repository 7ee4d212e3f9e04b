"""The screens of every day: what plays and why, the state, the stick, the record, the people."""

from __future__ import annotations

import io

import pytest
from page_world import PIN, Page
from station_world import DAY, UNIT

from ledger.facts import OfferAnswered
from ledger.log import MemoryStore, stick
from node import ClusterEntry, clusters_toml
from node.clusters.listing import CLUSTERS_NAME
from node.means import CLUSTER_STALE_S
from node.web.usb import told

LAN = "Lò Thị Mai"


@pytest.fixture
def page() -> Page:
    found = Page()
    found.world.run(60)
    return found


# -- what plays ----------------------------------------------------------------------------------------------


def test_the_day_says_what_was_played_what_will_be_and_what_will_not_and_why(page: Page) -> None:
    world = page.world
    world.hub.programme(5 * 60 + 40)
    later = world.hub.programme(17 * 60)
    world.hub.programme(23 * 60)  # in the quiet hours
    page.sync()
    lan = page.join(LAN, "officer")
    world.run_to(6 * 60)
    lan.get("/")
    assert lan.says("05:40")
    assert lan.says("đã phát")
    assert lan.says("17:00")
    assert lan.says("sẽ phát")
    assert lan.says("không phát giờ yên tĩnh")
    lan.get(f"/phat/{DAY}/{later}")
    assert lan.says("chính là mục này")
    assert lan.says("Người duyệt")


def test_of_two_at_one_time_the_loser_names_the_winner(page: Page) -> None:
    world = page.world
    world.hub.programme(17 * 60, klass=2)
    loser = world.hub.programme(17 * 60, klass=2)
    page.sync()
    lan = page.join(LAN, "officer").get("/")
    assert lan.says("nhường tin xếp trước; lúc ấy phát: Ngày Pháp luật")
    lan.get(f"/phat/{DAY}/{loser}")
    assert lan.says("được phát thay cho mục này")


def test_a_withdrawn_item_says_so(page: Page) -> None:
    series = page.world.hub.programme(17 * 60)
    page.sync()
    page.world.hub.cancel(series)
    page.sync()
    lan = page.join(LAN, "officer").get("/")
    assert lan.says("đã thu hồi")
    assert not lan.says("sẽ phát")


def test_a_declined_offer_says_who_declined_it_and_why(page: Page) -> None:
    series = page.world.hub.programme(17 * 60, klass=2)
    page.sync()
    lan = page.join(LAN, "officer")
    page.grant(LAN)
    who = page.office.person(page.office.login(1, PIN))
    assert who is not None
    page.office.sign(who, OfferAnswered(page.office.now().ts, series, DAY, 0, None, UNIT, "trùng giờ họp"))
    lan.get("/")
    assert lan.says("xã không nhận Lò Thị Mai: trùng giờ họp")
    assert not lan.says("sẽ phát")


def test_a_moved_offer_says_from_when(page: Page) -> None:
    series = page.world.hub.programme(17 * 60, klass=2)
    page.sync()
    lan = page.join(LAN, "officer")
    page.grant(LAN)
    who = page.office.person(page.office.login(1, PIN))
    assert who is not None
    page.office.sign(who, OfferAnswered(page.office.now().ts, series, DAY, 2, 18 * 60, UNIT, ""))
    lan.get("/")
    assert lan.says("18:00")
    assert lan.says("xã đã dời từ 17:00")


def test_what_sounds_now_is_said_to_sound(page: Page) -> None:
    page.world.hub.programme(5 * 60 + 40, seconds=300)
    page.sync()
    page.world.run_to(5 * 60 + 41)
    lan = page.join(LAN, "officer").get("/")
    assert lan.says("đang phát")


def test_tomorrow_and_yesterday_are_a_press_away_and_a_year_is_not(page: Page) -> None:
    page.world.hub.programme(17 * 60, days=(DAY, DAY + 1))
    page.sync()
    lan = page.join(LAN, "officer")
    assert lan.get("/?ngay=1").says("10/11/2022")
    assert lan.says("Ngày mai phát gì")
    assert lan.get("/?ngay=-1").says("08/11/2022")
    assert lan.get("/?ngay=400").status == 404
    assert lan.get("/?ngay=x").status == 200
    assert lan.get(f"/phat/{DAY}/999").status == 404


def test_english_is_chosen_by_the_reader_and_kept(page: Page) -> None:
    lan = page.join(LAN, "officer").get("/")
    lan.press("/ngon-ngu", lang="en")
    assert lan.says("What plays today")
    assert 'lang="en"' in lan.get("/tinh-trang").text


# -- state ---------------------------------------------------------------------------------------------------


def test_the_state_names_every_part_and_says_as_of_when(page: Page) -> None:
    lan = page.join(LAN, "officer").get("/tinh-trang")
    for words in ("Loa", "Âm lượng", "Đồng hồ", "Liên lạc với tỉnh", "Báo cáo", "Nội dung", "Thẻ nhớ", "USB"):
        assert lan.says(words), words
    assert lan.says("lúc 09/11/2022 05:3")
    assert lan.says("chính xác, theo mạng")


def test_clusters_that_do_not_answer_and_boards_are_named() -> None:
    key = bytes(range(32))
    entry = ClusterEntry(7, "Bản Chao", "udp", "10.0.0.7:5000", key)
    for text, words in (
        (clusters_toml((entry,)), "0 trên 1 cụm trả lời Bản Chao"),
        ("[[cluster]]", "danh sách cụm loa không đọc được"),
    ):
        store = MemoryStore()
        store.write(CLUSTERS_NAME, text.encode())
        page = Page(store=store, boards=("cong-xa",))
        page.world.run(CLUSTER_STALE_S + 60)
        lan = page.join(LAN, "officer").get("/tinh-trang")
        assert lan.says(words)
        assert lan.says("cong-xa")


def test_a_hub_that_is_out_of_reach_is_said_with_its_age(page: Page) -> None:
    lan = page.join(LAN, "officer")
    page.world.line.down = True
    page.world.run(2 * 86_400)
    lan.get("/dang-nhap").press("/dang-nhap", person="1", pin=PIN)
    lan.get("/tinh-trang")
    assert lan.says("Đã 2 ngày trạm không liên lạc được với tỉnh")
    assert lan.says("lần gọi liên tiếp không được")


# -- the stick -----------------------------------------------------------------------------------------------


def test_the_stations_file_comes_whole_through_the_page_and_is_what_the_command_writes(page: Page) -> None:
    page.world.hub.programme(5 * 60 + 40)
    page.sync()
    page.world.line.down = True
    page.world.run_to(6 * 60)  # a report that the hub does not have
    lan = page.join(LAN, "officer").get("/usb")
    lan.press("/usb/lay")
    assert lan.status == 200
    assert f'filename="{UNIT}.from-station.loa"' in lan.answer.headers["Content-Disposition"]
    assert len(lan.answer.data) == int(lan.answer.headers["Content-Length"])
    store = MemoryStore()
    store.write("a.loa", lan.answer.data)
    cargo = stick.look(store)
    assert cargo.requests
    assert cargo.segments
    assert not cargo.damages
    assert not cargo.cut


def test_files_that_hold_no_answer_are_told_and_change_nothing(page: Page) -> None:
    lan = page.join(LAN, "officer").get("/usb")
    before = page.world.station.ledger.position()
    lan.press("/usb/nhan", files=(io.BytesIO(b"no bundle at all" * 100), "a.loa"))
    assert lan.says("không có thư trả lời của tỉnh")
    assert page.world.station.ledger.position() == before
    lan.press("/usb/nhan", files=(io.BytesIO(b""), ""))
    assert lan.says("Không có tệp .loa nào")
    assert not page.world.store.names("tray/")


def test_two_pages_do_not_take_in_at_once_and_one_that_went_away_holds_nobody_up(page: Page) -> None:
    office = page.office
    ticket = office.begin_stick()
    lan = page.join(LAN, "officer").get("/usb")
    lan.press("/usb/nhan", files=(io.BytesIO(b"x"), "a.loa"))
    assert lan.says("Đang đọc một USB khác")
    assert office.stick_busy
    page.world.clock.pass_s(601)
    assert not office.stick_busy
    assert office.begin_stick() != ticket


def test_what_a_stick_brought_is_told_in_sentences() -> None:
    plain = {
        "refused": "", "decisions": 3, "contents": 2, "wanting": 1, "damages": 1, "cut": 0, "missing": 0,
        "unread": 0, "no_room": 5,
    }  # fmt: skip
    looks = [look for _, look in told(plain)]
    assert looks == ["ok", "bad", "bad"]
    assert told(plain | {"refused": "strange"})[0][1] == "bad"


# -- the record ----------------------------------------------------------------------------------------------


def test_the_record_says_who_came_who_failed_and_who_signed_what(page: Page) -> None:
    lan = page.join(LAN, "officer")
    page.grant(LAN)
    lan.get("/").press("/dang-xuat")
    lan.get("/dang-nhap").press("/dang-nhap", person="1", pin="not this 1")
    lan.press("/dang-nhap", person="1", pin=PIN)
    who = page.office.person(page.office.login(1, PIN))
    assert who is not None
    page.office.sign(who, OfferAnswered(page.office.now().ts, 7, DAY, 0, None, UNIT, "trùng giờ họp"))
    lan.get("/nhat-ky")
    assert lan.says("Lò Thị Mai trả lời đề nghị “trùng giờ họp”")
    assert lan.says("nhập sai mã PIN")
    assert lan.says("192.168.1.20")
    assert lan.says("dùng mã một lần, tạo khóa mới")
    assert lan.says("tại máy của trạm thêm người")


def test_the_record_keeps_what_a_former_key_signed(page: Page) -> None:
    page.join(LAN, "officer")
    page.grant(LAN)
    who = page.office.person(page.office.login(1, PIN))
    assert who is not None
    page.office.sign(who, OfferAnswered(page.office.now().ts, 7, DAY, 0, None, UNIT, "trùng giờ họp"))
    code = page.office.give_code(1, None, "console")
    fresh = page.office.fresh(1)
    page.office.begin(1, code, fresh, fresh.wrap("bún chả 45"), "console")
    lan = page.visitor()
    lan.get("/dang-nhap").press("/dang-nhap", person="1", pin="bún chả 45")
    assert lan.get("/nhat-ky").says("trùng giờ họp")


# -- people --------------------------------------------------------------------------------------------------


def test_who_has_no_right_enters_nobody_and_who_has_one_hands_out_a_code(page: Page) -> None:
    lan = page.join(LAN, "officer").get("/nguoi-dung")
    assert not [form for form in lan.text.split("<form") if 'action="/nguoi-dung"' in form]
    assert lan.post("/nguoi-dung", {"csrf": lan.csrf, "name": "Kẻ lạ", "role": "approver"}).says(
        "Bạn chưa có quyền của xã"
    )
    page.grant(LAN)
    lan.get("/nguoi-dung").press("/nguoi-dung", name="  Giàng  A Páo ", role="approver")
    assert lan.says("Đưa mã này tận tay cho Giàng A Páo")
    code = lan.text.split('class="code">')[1].split("<")[0]
    boss = page.visitor()
    boss.get("/lan-dau").press("/lan-dau", person="2", code=code, pin=PIN, again=PIN)
    assert boss.path == "/toi"
    assert boss.says("chưa có quyền nào")
    lan.get("/nguoi-dung").press("/nguoi-dung/2/tat")
    assert boss.get("/").path == "/dang-nhap"
    assert lan.post("/nguoi-dung/1/tat", {"csrf": lan.csrf}).says("Không tự tắt chính mình được")
