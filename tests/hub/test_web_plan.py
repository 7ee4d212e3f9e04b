"""Scheduling through the pages, without JavaScript: rule, dry run, password; groups, holidays, wishes."""

from __future__ import annotations

import pytest
from test_web_house import LAW_DAY, PASSWORDS, Browser, House, approve, build
from test_web_machine import enrol

from ledger.facts import at, calendar, day_from_iso, plan

TU_LE, XUAN_AI, VIET_THANH, YEN_THINH = "vn.yb.04630", "vn.yb.04441", "vn.yb.04510", "vn.yb.04249"


@pytest.fixture
def house() -> House:
    return build("plan")


@pytest.fixture
def bulletin(house: House) -> str:
    made = house.browser("bientap").draft("Tiêm phòng", _until="2022-12-31")
    approve(house, made)
    return made


def asked(house: House, bulletin: str, **typed: object) -> Browser:
    """The dry run."""
    fields: dict[str, object] = {"_from": "09/11/2022", "_until": "30/11/2022", "at": "17:00"} | typed
    return house.browser("lanhdao").get(f"/ban-tin/{bulletin}/xep-lich").press("/xep-lich", **fields)


def order_of(house: House) -> list[str]:
    """The dates of the newest series, as ISO."""
    row = house.hub.queries.all_series()[0]
    return [calendar.iso(day) for day in row.days]


def test_the_next_five_dates_are_shown_before_anything_is_signed(house: House, bulletin: str) -> None:
    before = house.hub.ledger.position()
    desk = asked(house, bulletin, weekdays=["0", "3"])
    assert "5 ngày tới" in desk.words
    for shown in ("Thứ Năm 10/11/2022", "Thứ Hai 14/11/2022", "Thứ Năm 24/11/2022"):
        assert shown in desk.words
    assert "Thứ Hai 28/11/2022" not in desk.words.split("Cả thảy")[0], "the sixth"
    assert "Cả thảy 6 ngày, ngày cuối 28/11/2022" in desk.words
    assert house.hub.ledger.position() == before
    desk.press("/ky", password=PASSWORDS["lanhdao"])
    assert order_of(house) == [
        "2022-11-10", "2022-11-14", "2022-11-17", "2022-11-21", "2022-11-24", "2022-11-28",
    ]  # fmt: skip


def test_nth_weekday_added_and_excepted_dates_are_what_is_signed(house: House, bulletin: str) -> None:
    desk = asked(
        house, bulletin, _until="31/12/2022", weekdays=["1"], weeks=["2", "-1"],
        also="20/11/2022\n01/12/2022 đến 02/12/2022", never="27/12/2022",
    )  # fmt: skip
    desk.press("/ky", password=PASSWORDS["lanhdao"])
    assert order_of(house) == [
        "2022-11-20", "2022-11-29", "2022-12-01", "2022-12-02", "2022-12-13",
    ]  # fmt: skip


def test_holidays_are_left_out_or_alone_and_named(house: House) -> None:
    house.clock[0] = at(day_from_iso("2023-04-20"), 480)
    editor = house.browser("bientap")
    made = editor.draft("Lễ", _from="2023-04-20", _until="2023-05-31")
    approve(house, made)
    typed = {"_from": "28/04/2023", "_until": "02/05/2023"}
    assert (
        "Trong đó có ngày lễ: Giỗ Tổ Hùng Vương 29/04, Ngày Chiến thắng 30/04"
        in asked(house, made, **typed).words
    )
    desk = asked(house, made, holidays="1", **typed).press("/ky", password=PASSWORDS["lanhdao"])
    assert order_of(house) == ["2023-04-28", "2023-05-02"]
    desk = asked(house, made, holidays="2", **typed).press("/ky", password=PASSWORDS["lanhdao"])
    assert desk.status == 200
    assert order_of(house) == ["2023-04-29", "2023-04-30", "2023-05-01"]


def test_a_rule_longer_than_a_year_is_refused_in_plain_words(house: House) -> None:
    made = house.browser("bientap").draft("Dài", _until="2024-12-31")
    approve(house, made)
    desk = asked(house, made, _until="31/12/2023")
    assert desk.status == 422
    assert "Một lịch dài nhất 366 ngày" in desk.words
    assert 'href="#f-until"' in desk.html


def test_dates_that_cannot_be_read_are_named_and_kept(house: House, bulletin: str) -> None:
    desk = asked(house, bulletin, also="20/11/2022, mai kia")
    assert desk.status == 422
    assert "Không đọc được “mai kia”" in desk.words
    assert "20/11/2022, mai kia" in desk.html


def test_the_dry_run_lists_every_station_with_its_reason(house: House, bulletin: str) -> None:
    stations = [enrol(house, unit) for unit in (TU_LE, XUAN_AI)]
    stations[0].sync()
    house.hub.tick()
    desk = asked(house, bulletin)
    words = desk.words
    assert "1 trạm sẽ phát Xã Tú Lệ" in words
    assert "1 trạm chưa chắc Xã Xuân Ái chưa từng liên lạc; chỉ phát nếu kịp nhận lịch" in words
    assert "1 trạm FM: người trực phát và xác nhận Phường Yên Thịnh" in words
    assert "1 trạm sẽ không phát Xã Việt Thành chưa ghi danh" in words
    assert "Đã kiểm tra 22 ngày ở 4 trạm (1 chương trình khác nhau)" in words


def test_what_it_meets_is_named_and_another_minute_is_offered(house: House) -> None:
    editor = house.browser("bientap")
    first, bulletin = editor.draft("Họp dân"), editor.draft("Tiêm phòng", _until="2022-12-31")
    approve(house, first)
    approve(house, bulletin)
    house.browser("lanhdao").plan(first, _from="10/11/2022", _until="12/11/2022", at="17:00")
    desk = asked(house, bulletin)
    assert "phải nhường Họp dân" in desk.words
    assert "3 ngày: 10/11, 11/11, 12/11" in desk.words
    assert "4 trạm" in desk.words
    assert "Thử dời sang 17:01" in desk.words
    desk.press("/xep-lich", at="17:01")
    assert "Không vướng mục nào khác." in desk.words


def test_the_password_is_asked_last_and_a_wrong_one_signs_nothing(house: House, bulletin: str) -> None:
    desk = house.browser("lanhdao").get(f"/ban-tin/{bulletin}/xep-lich")
    assert 'type="password"' not in desk.html
    desk = asked(house, bulletin)
    before = house.hub.ledger.position()
    desk.press("/ky", password="sai")
    assert desk.status == 422
    assert "Mật khẩu không đúng. Chưa có gì được ký." in desk.words
    assert house.hub.ledger.position() == before
    desk.press("/ky", password=PASSWORDS["lanhdao"])
    assert "Đã ký lịch phát 22 ngày" in desk.words


def test_one_goes_back_from_the_dry_run_with_everything_still_typed(house: House, bulletin: str) -> None:
    desk = asked(house, bulletin, weekdays=["6"], never="13/11/2022", at="06:15")
    desk.press("/ky", "edit")
    fields = desk.form("/xep-lich").fields
    assert (fields["weekdays"], fields["never"], fields["at"]) == (["6"], ["13/11/2022"], ["06:15"])
    assert house.hub.queries.all_series() == []


def group(house: House, name: str = "Vùng cao", **typed: object) -> Browser:
    fields: dict[str, object] = {"name": name, "by": "list", "units": [TU_LE, XUAN_AI]} | typed
    return house.browser("lanhdao").get("/nhom/moi").press("/nhom/moi", **fields)


def test_a_group_is_made_chosen_and_signed_for_exactly_its_stations(house: House, bulletin: str) -> None:
    assert "Đã lưu nhóm “Vùng cao”" in group(house).words
    (made,) = house.hub.choices.groups.all("vn.yb")
    desk = asked(house, bulletin, territory=f"nhom:{made.id}")
    assert "Chọn theo nhóm: 2 quyết định, mỗi trạm một" in desk.words
    assert "2 trạm khác trong địa bàn đã duyệt không nằm trong lựa chọn này" in desk.words
    desk.press("/ky", password=PASSWORDS["lanhdao"])
    assert "Mỗi trạm một quyết định: 2 trạm." in desk.words
    facts = house.hub.facts
    assert [len(plan.slots(facts, unit, at(LAW_DAY), at(LAW_DAY + 1))) for unit in (TU_LE, XUAN_AI)] == [1, 1]
    assert plan.slots(facts, VIET_THANH, at(LAW_DAY), at(LAW_DAY + 1)) == []
    assert "nhóm 2 trạm" in desk.words
    week = house.browser("lanhdao").get("/lich?tuan=09/11/2022").html
    assert week.count(">Tiêm phòng</a>") == 1, "the list has one line for the group, not one for each unit"


def test_a_member_in_quiet_hours_is_left_out_by_name(house: House, bulletin: str) -> None:
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.hub.commands.set_quiet_hours(
        admin, XUAN_AI, from_minute=16 * 60, until_minute=18 * 60, now=house.clock[0]
    )
    group(house)
    (made,) = house.hub.choices.groups.all("vn.yb")
    desk = asked(house, bulletin, territory=f"nhom:{made.id}")
    assert "Xã Xuân Ái giờ yên tĩnh 16:00–18:00" in desk.words
    desk.press("/ky", password=PASSWORDS["lanhdao"])
    assert {
        one.fact.territory for one in house.hub.facts.orders[house.hub.queries.all_series()[0].series]
    } == {TU_LE}


def test_a_list_that_changed_since_it_was_shown_is_shown_again_and_not_signed(
    house: House, bulletin: str
) -> None:
    group(house)
    (made,) = house.hub.choices.groups.all("vn.yb")
    desk = asked(house, bulletin, territory=f"nhom:{made.id}")
    house.hub.choices.groups.keep(
        made.name, territory="vn.yb", units=[VIET_THANH], number=made.id, account="x", now=house.clock[0]
    )
    before = house.hub.ledger.position()
    desk.press("/ky", password=PASSWORDS["lanhdao"])
    assert desk.status == 422
    assert "Danh sách trạm hoặc ngày đã đổi" in desk.words
    assert house.hub.ledger.position() == before
    desk.press("/ky", password=PASSWORDS["lanhdao"])
    assert "Đã ký lịch phát" in desk.words, "the new list was read, and is signed"


def test_a_group_by_rule_says_who_is_in_it_now(house: House) -> None:
    group(house, "FM", by="rule", kind="fm")
    words = house.browser("bientap").get("/nhom").words
    assert "FM 1 trạm theo điều kiện: FM" in words
    assert "Phường Yên Thịnh" in words


def test_a_second_press_of_the_same_form_signs_one_schedule(house: House, bulletin: str) -> None:
    desk = asked(house, bulletin)
    page = desk.page
    desk.press("/ky", password=PASSWORDS["lanhdao"])
    first = desk.path
    desk.page = page
    desk.press("/ky", password=PASSWORDS["lanhdao"])
    assert desk.path == first
    assert len(house.hub.queries.all_series()) == 1


def test_an_administrator_edits_the_holidays_and_nobody_else(house: House) -> None:
    admin = house.browser("admin").get("/ngay-le?nam=2027")
    assert "Bảng năm 2027 còn thiếu: Tết Nguyên đán, Quốc khánh" in admin.words
    admin.press("/ngay-le", day="03/09/2027", name="Quốc khánh", source="Thông báo 2027")
    assert "Đã thêm ngày 03/09/2027" in admin.words
    assert "Bảng năm 2027 còn thiếu: Tết Nguyên đán." in admin.words
    day = day_from_iso("2027-09-03")
    admin.press(f"/{day}/bo")
    assert "Đã bỏ ngày 03/09/2027" in admin.words
    reader = house.browser("lanhdao").get("/ngay-le?nam=2022")
    assert not reader.has_form("/ngay-le")
    assert "11 ngày" in reader.words


def test_a_time_asked_for_is_read_with_the_bulletin_and_signed_with_its_approval(house: House) -> None:
    editor = house.browser("bientap")
    made = editor.draft("Có lịch")
    assert f"/ban-tin/{made}/xep-lich" in editor.get(f"/ban-tin/{made}").html, "a link leads there"
    editor.get(f"/ban-tin/{made}/xep-lich")
    assert "chưa được duyệt" in editor.words
    before = house.hub.ledger.position()
    editor.press("/xep-lich", _from="10/11/2022", _until="12/11/2022", at="17:30").press("/de-nghi")
    assert "Đã ghi lịch đề nghị" in editor.words
    assert "Lịch đề nghị: 17:30, 3 ngày" in editor.words
    assert house.hub.ledger.position() == before, "a wish is not signed"
    boss = house.browser("lanhdao").get("/cho-duyet")
    assert "đề nghị phát 17:30 10/11 … 12/11 (3 ngày)" in boss.words
    boss.get(f"/cho-duyet/{made}")
    assert "Không vướng mục nào khác." in boss.words
    boss.press("/duyet", password=PASSWORDS["lanhdao"])
    assert "Đã duyệt bản 1 và ký lịch phát kèm theo" in boss.words
    assert order_of(house) == ["2022-11-10", "2022-11-11", "2022-11-12"]


def test_an_approver_may_sign_the_approval_without_the_time(house: House) -> None:
    editor = house.browser("bientap")
    made = editor.draft("Có lịch")
    editor.get(f"/ban-tin/{made}/xep-lich").press("/xep-lich", at="17:30").press("/de-nghi")
    boss = house.browser("lanhdao").get(f"/cho-duyet/{made}")
    boss.press("/duyet", password=PASSWORDS["lanhdao"], with_plan=[])
    assert "Đã duyệt và ký bản 1" in boss.words
    assert house.hub.queries.all_series() == []


def test_an_edit_leaves_the_asked_time_behind(house: House) -> None:
    editor = house.browser("bientap")
    made = editor.draft("Có lịch")
    editor.get(f"/ban-tin/{made}/xep-lich").press("/xep-lich", at="17:30").press("/de-nghi")
    editor.get(f"/ban-tin/{made}/sua").press("", "submit", text="Lời mới.")
    assert "chưa có đề nghị lịch" in house.browser("lanhdao").get("/cho-duyet").words
