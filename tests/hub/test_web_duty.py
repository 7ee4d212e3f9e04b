"""Rule 16 on the pages: the run sheet, the code over the telephone, and the operator's word as what it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from qr_reader import needs_zbar, read_symbol, symbols_of
from test_web_house import LAW_DAY, PASSWORDS, Browser, House, build

from hub.cli import hub as hub_commands
from hub.config import HubConfig
from ledger.facts import Right, at, sheet_of, slot_at, slot_code
from ledger.log import StoreError

FM = "vn.yb.04249"
TU_LE = "vn.yb.04630"


@pytest.fixture
def house() -> House:
    """A bulletin at 17:00 on Law Day; it is eight in the evening."""
    house = build("duty")
    bulletin = house.browser("bientap").draft("Ngày Pháp luật Việt Nam")
    boss = house.browser("lanhdao").get(f"/cho-duyet/{bulletin}")
    boss.press("/duyet", password=PASSWORDS["lanhdao"])
    boss.plan(bulletin, _from="09/11/2022", _until="10/11/2022", at="17:00")
    house.shelf["bulletin"] = bulletin
    house.shelf["series"] = int(boss.path.rsplit("/", 1)[1])
    house.clock[0] = at(LAW_DAY, 20 * 60)
    return house


def code_of(house: House, unit: str = FM) -> str:
    slot = slot_at(house.hub.facts, unit, house.shelf["series"], LAW_DAY)
    assert slot is not None
    return slot_code(slot)


def found(house: House, account: str = "bientap") -> Browser:
    """The form of the slot, come to by its code."""
    return house.browser(account).get(f"/xac-nhan?tram={FM}&ma={code_of(house)}")


def test_the_list_names_what_nobody_confirmed_and_calls_it_no_incident(house: House) -> None:
    desk = house.browser("bientap").get("/xac-nhan")
    assert code_of(house) in desk.html
    assert "Chưa xác nhận không phải là sự cố" in desk.words
    assert "Phường Yên Thịnh" in desk.words
    assert "Xã Tú Lệ" not in desk.words


def test_a_word_goes_from_the_code_to_a_signed_row_in_two_steps(house: House) -> None:
    desk = found(house)
    assert "Ngày Pháp luật Việt Nam" in desk.words
    assert "09/11/2022, 17:00" in desk.words
    desk.press("/xac-nhan", outcome="1", at="17:01", said_by="Bà Mỷ, đài truyền thanh")
    assert "Đã ghi lời xác nhận của Bà Mỷ, đài truyền thanh" in desk.words
    (row,) = house.hub.queries.as_run(unit=FM)
    assert (row.started_at, row.played_ds, row.said_by) == (
        at(LAW_DAY, 17 * 60 + 1),
        20,
        "Bà Mỷ, đài truyền thanh",
    )
    desk.get("/xac-nhan")
    assert code_of(house) not in desk.html
    assert "Mọi lượt phát đã có người xác nhận" in desk.words


def test_the_operators_word_is_shown_as_such_on_every_page_and_not_among_what_was_played(
    house: House,
) -> None:
    found(house).press("/xac-nhan", outcome="1", said_by="Bà Mỷ")
    desk = house.browser("lanhdao")
    assert "người trực xác nhận" in desk.get(f"/tram/{FM}").words
    assert "Bà Mỷ" in desk.words
    series = desk.get(f"/lich/{house.shelf['series']}?ngay=09/11/2022").words
    assert "1 trạm do người trực xác nhận" in series
    assert "trạm đã phát" not in series
    assert re.search(r"người trực xác nhận 1\b", desk.get(f"/ban-tin/{house.shelf['bulletin']}").words)
    assert "đã phát 1" not in desk.words
    assert "Đã có 1 trên 1" not in desk.words
    assert "1 trên 1 lượt phát FM hôm nay đã có người trực xác nhận" in desk.get("/").words


def test_a_second_press_signs_nothing_twice_and_a_later_word_replaces(house: House) -> None:
    desk = found(house)
    before = house.hub.ledger.position()
    page = desk.page
    desk.press("/xac-nhan", outcome="1", said_by="Bà Mỷ")
    once = house.hub.ledger.position()
    desk.page = page
    desk.press("/xac-nhan", outcome="1", said_by="Bà Mỷ")
    assert house.hub.ledger.position() == once > before
    house.later(60)
    again = found(house)
    assert "Đã có lời của Bà Mỷ" in again.words
    again.press("/xac-nhan", outcome="6", detail="1", said_by="Ông Páo")
    (row,) = house.hub.queries.as_run(unit=FM)
    assert (row.outcome, row.detail, row.said_by) == (6, 1, "Ông Páo")


@pytest.mark.parametrize(
    ("tram", "ma", "words"),
    [
        (FM, "12", "Mã có tám chữ số"),
        (FM, "wrong", "Mã sai một chữ số"),
        (TU_LE, "right", "Hãy chọn một mục trong danh sách"),
        ("", "right", "Hãy chọn một mục trong danh sách"),
    ],
)
def test_a_code_that_cannot_be_is_sent_back_with_what_to_do(
    house: House, tram: str, ma: str, words: str
) -> None:
    code = code_of(house)
    codes = {"right": code, "wrong": code[:-1] + str((int(code[-1]) + 1) % 10)}
    desk = house.browser("bientap").get(f"/xac-nhan?tram={tram}&ma={codes.get(ma, ma)}")
    assert desk.status == 422
    assert words in desk.words


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"said_by": "Bà Mỷ"}, "Hãy chọn một mục trong danh sách"),
        ({"outcome": "1"}, "Cần có chữ ở đây"),
        ({"outcome": "3", "said_by": "Bà Mỷ"}, "Hãy nhập một số"),
        ({"outcome": "3", "seconds": "9999", "said_by": "Bà Mỷ"}, "Hãy nhập một số"),
        ({"outcome": "1", "at": "25:00", "said_by": "Bà Mỷ"}, "Hãy nhập giờ"),
        ({"outcome": "1", "at": "15:59", "said_by": "Bà Mỷ"}, "Giờ bắt đầu phải"),
        ({"outcome": "1", "at": "21:00", "said_by": "Bà Mỷ"}, "Giờ bắt đầu phải"),
        ({"outcome": "9", "said_by": "Bà Mỷ"}, "Hãy chọn một mục trong danh sách"),
    ],
)
def test_what_is_missing_or_cannot_be_is_said_and_nothing_is_signed(
    house: House, typed: dict[str, str], words: str
) -> None:
    before = house.hub.ledger.position()
    desk = found(house).press("/xac-nhan", **typed)
    assert desk.status == 422
    assert words in desk.words
    assert house.hub.ledger.position() == before


@pytest.mark.parametrize("field", [{"unit": "vn.yb.1"}, {"series": "7"}, {"day": "1"}, {"content": "zz"}])
def test_a_slot_that_is_not_in_the_plan_is_no_page(house: House, field: dict[str, str]) -> None:
    desk = found(house).press("/xac-nhan", outcome="1", said_by="Bà Mỷ", **field)
    assert desk.status == 404


def test_a_plan_that_changed_under_the_form_is_noticed(house: House) -> None:
    desk = found(house).press("/xac-nhan", outcome="1", said_by="Bà Mỷ", content="00" * 16)
    assert desk.status == 422
    assert "Lịch đã đổi từ lúc bạn mở trang" in desk.words


def test_administrators_do_not_confirm_and_the_desks_keys_may(house: House) -> None:
    assert house.browser("admin").get("/xac-nhan").status == 403
    for account in ("bientap", "lanhdao"):
        row = house.hub.accounts.row(account)
        assert row is not None
        key = bytes.fromhex(row.key_id)
        assert house.hub.facts.authority.may(key, Right.ATTEST, FM, house.clock[0])


# -- the sheet -----------------------------------------------------------------------------------------------


def test_the_sheet_has_a_line_with_a_code_for_each_slot_of_the_week(house: House) -> None:
    desk = house.browser("bientap").get(f"/tram/{FM}/to-lich")
    assert desk.status == 200
    monday = LAW_DAY - 2
    lines = sheet_of(house.hub.facts, FM, monday)
    assert [line.number for line in lines] == [1, 2]
    for line in lines:
        assert line.code in desk.html
    assert "Lịch phát Phường Yên Thịnh, 07/11/2022 – 13/11/2022" in desk.words
    assert "Thứ Tư 09/11/2022" in desk.words
    assert "Ký xác nhận" in desk.words
    assert "<script" not in desk.html
    assert (
        house.browser("bientap").get(f"/tram/{FM}/to-lich?tuan=16/11/2022").words.count("Ngày Pháp luật") == 0
    )


def test_the_sheets_own_style_is_the_only_thing_its_policy_lets_in(house: House) -> None:
    desk = house.browser("bientap").get(f"/tram/{FM}/to-lich")
    assert desk.page is not None
    policy = desk.page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_a_sheet_of_nowhere_is_no_page(house: House) -> None:
    assert house.browser("bientap").get("/tram/vn.yb.00000/to-lich").status == 404
    assert house.browser("bientap").get("/tram/vn.ha.00001/to-lich").status == 404


@needs_zbar
def test_pointing_at_a_line_of_the_sheet_opens_the_form_of_that_slot(house: House, tmp_path: Path) -> None:
    hub = house.hub
    hub.config = hub.config.with_limits(page_url="https://loa.example")
    sheet = house.browser("bientap").get(f"/tram/{FM}/to-lich").html
    said = [read_symbol(one, tmp_path) for one in symbols_of(sheet)]
    (pointed,) = [text for text in said if code_of(house) in text]
    assert pointed.startswith("https://loa.example/")
    path = pointed.removeprefix("https://loa.example")
    assert "09/11/2022, 17:00" in house.browser("bientap").get(path).words
    stranger = house.browser().get(path)
    stranger.press("/dang-nhap", account="bientap", password=PASSWORDS["bientap"])
    assert "09/11/2022, 17:00" in stranger.words, "who signs in first comes to the same form"


def test_without_an_address_the_symbols_of_a_sheet_hold_the_codes_alone(house: House) -> None:
    sheet = house.browser("bientap").get(f"/tram/{FM}/to-lich").words
    assert "Ô vuông chứa đúng mã" in sheet


def test_a_configured_address_that_is_none_is_said_at_the_start(house: House) -> None:
    broken = house.hub.config.with_limits(page_url="loa.example").to_json()
    with pytest.raises(StoreError, match="page_url"):
        HubConfig.from_json(broken)


def test_the_address_on_sheets_is_an_administrators_setting(tmp_path: Path) -> None:
    folder = tmp_path / "hub"

    def loa(*words: str, account: str = "admin", password: str = "quantri-2022") -> tuple[int, str]:
        line = [words[0], "--dir", str(folder), *words[1:]]
        if words[0] != "init":
            line += ["--as", account]
        done = CliRunner().invoke(hub_commands, line, env={"LOA_PASSWORD": password})
        return done.exit_code, done.output

    assert loa("init", "--demo-accounts", "--cheap-kdf")[0] == 0
    assert loa("page-url")[1].startswith("none")
    assert loa("page-url", "https://loa.example")[0] == 0
    assert loa("page-url", "loa.example")[0] != 0
    status, words = loa("page-url", "https://other.example", account="lanhdao", password="lanhdao-2022")
    assert status != 0
    assert "administrator" in words
    assert loa("page-url") == (0, "https://loa.example\n")
    assert loa("page-url", "")[0] == 0
    assert loa("page-url")[1].startswith("none")
