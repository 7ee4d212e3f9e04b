"""Ending a key from the pages: why, from when, what falls; two steps, the password; and what stations do."""

from __future__ import annotations

import re

import pytest
from hub_house import Box
from hub_house import House as Province
from test_web_house import PASSWORDS, Browser, House, approve, build

from hub.keys import effect_of, key_page, time_of
from ledger.facts import Approved, at, due, read
from ledger.log import NotAllowed

TU_LE = "vn.yb.04630"


@pytest.fixture
def house() -> House:
    return build("keys")


def key_of(house: House, account: str) -> str:
    row = house.hub.accounts.row(account)
    assert row is not None
    return row.key_id


def two_approvals(house: House) -> tuple[str, str]:
    """An honest bulletin at eight, and one at nine that a thief approved."""
    honest = house.browser("bientap").draft("Tin thật")
    approve(house, honest)
    house.later(3600)
    forged = house.browser("bientap").draft("Tin giả")
    approve(house, forged)
    return honest, forged


def first_forged(house: House) -> int:
    """The position of the thief's approval."""
    return max(
        stored.position for stored in house.hub.ledger.since(0) if isinstance(read(stored)[-1].fact, Approved)
    )


def ended(house: House, key: str, until: int, password: str = PASSWORDS["admin"]) -> Browser:
    desk = house.browser("admin").get(f"/khoa/{key}")
    desk.press(f"/khoa/{key}", reason="mất điện thoại", until=str(until))
    return desk.press("/huy", password=password)


def test_an_administrator_ends_an_officers_key_from_the_first_false_act_on(house: House) -> None:
    honest, forged = two_approvals(house)
    key = key_of(house, "lanhdao")
    desk = house.browser("admin").get("/khoa")
    assert "Giàng A Páo" in desk.words
    desk.get(f"/khoa/{key}")
    until = first_forged(house) - 1
    assert f'name="until" value="{until}"' in desk.html
    assert "09/11/2022 09:00" in desk.words
    desk.press(f"/khoa/{key}", reason="mất điện thoại", until=str(until))
    assert "Bước 2 trên 2" in desk.words
    assert re.search(r"việc đã ký mất hiệu lực 1 .*việc đã ký được giữ 1 ", desk.words)
    assert "v1 Tin giả" in desk.words
    assert "v1 Tin thật" not in desk.words
    assert house.hub.facts.authority.endings_of(bytes.fromhex(key)) == (), "nothing is signed yet"
    desk.press("/huy", password=PASSWORDS["admin"])
    assert "Đã ký lệnh hủy khóa" in desk.words
    assert "mất điện thoại" in desk.words
    assert "không còn quyền nào" in desk.words
    assert not desk.has_form(f"/khoa/{key}"), "a key ends once"
    assert house.hub.queries.bulletin(honest).row.state == "approved"
    assert house.hub.queries.bulletin(forged).row.state == "submitted"
    deeds = [one for one in house.hub.queries.deeds() if one.what == "revoked"]
    assert [(one.detail, one.applied) for one in deeds] == [("mất điện thoại", True)]
    assert "Đã thu hồi khóa" in desk.get("/khoa").words
    assert "mất điện thoại" in desk.words


def test_what_the_page_counts_is_what_the_revocation_does(house: House) -> None:
    two_approvals(house)
    key = key_of(house, "lanhdao")
    page = key_page(house.hub, key)
    before = {signed.id for signed, _ in house.hub.facts.refused}
    effect = effect_of(house.hub, key, first_forged(house) - 1)
    assert (len(effect.void), effect.kept, effect.logs, effect.grants_void) == (1, 1, 1, 0)
    assert effect.at_s == time_of(house.hub, effect.until)
    assert len(effect_of(house.hub, key, 0).void) == 2
    assert effect_of(house.hub, key, page.end).void == ()
    for wrong in (-1, page.end + 1):
        with pytest.raises(NotAllowed) as refused:
            effect_of(house.hub, key, wrong)
        assert refused.value.code == "position-unknown"
    ended(house, key, effect.until)
    fell = [
        signed for signed, why in house.hub.facts.refused if signed.id not in before and why == "key-ended"
    ]
    assert len(fell) == len(effect.void)


def test_a_wrong_password_ends_nothing_and_the_second_press_ends_nothing_twice(house: House) -> None:
    key = key_of(house, "lanhdao")
    before = house.hub.ledger.position()
    desk = ended(house, key, before, password="sai")
    assert desk.status == 422
    assert "Mật khẩu không đúng. Chưa có gì được ký." in desk.words
    assert "Bước 2 trên 2" in desk.words
    assert house.hub.ledger.position() == before
    confirm = desk.page
    desk.press("/huy", password=PASSWORDS["admin"])
    assert "Đã ký lệnh hủy khóa" in desk.words
    after = house.hub.ledger.position()
    desk.page = confirm
    desk.press("/huy", password=PASSWORDS["admin"])
    assert desk.path == f"/khoa/{key}"
    assert house.hub.ledger.position() == after


@pytest.mark.parametrize("until", ["", "mai", "-1", "1e3", "99999999999999999999", "999999"])
def test_a_point_that_is_none_is_refused_and_what_was_typed_is_kept(house: House, until: str) -> None:
    key = key_of(house, "lanhdao")
    before = house.hub.ledger.position()
    desk = house.browser("admin").get(f"/khoa/{key}").press(f"/khoa/{key}", reason="mất máy", until=until)
    assert desk.status == 422
    assert "Hãy chọn một mốc trong danh sách." in desk.words
    assert 'value="mất máy"' in desk.html
    desk.press(f"/khoa/{key}", reason="", until="0")
    assert desk.status == 422
    assert house.hub.ledger.position() == before


def test_only_an_administrator_whose_territory_it_is_sees_a_key(house: House) -> None:
    key = key_of(house, "lanhdao")
    for account in ("bientap", "lanhdao"):
        desk = house.browser(account)
        for path in ("/khoa", f"/khoa/{key}"):
            assert desk.get(path).status == 403, path
        assert 'href="/khoa"' not in desk.get("/").html
        assert "Khóa của trạm" not in desk.get(f"/tram/{TU_LE}").words
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.hub.commands.create_account(
        admin, account="qtxa", name="Quản trị xã", role="admin", territory="vn.yb.04441",
        password="quan-tri-xa-2022", now=house.clock[0],
    )  # fmt: skip
    commune = house.browser()
    commune.sign_in("qtxa", "quan-tri-xa-2022")
    assert commune.get(f"/khoa/{key}").status == 404
    assert "Giàng A Páo" not in commune.get("/khoa").words
    for key in ("00" * 8, "zz", "ab" * 40):
        assert house.browser("admin").get(f"/khoa/{key}").status == 404


def test_what_may_not_be_ended_is_refused_in_words_and_signs_nothing(house: House) -> None:
    before = house.hub.ledger.position()
    desk = ended(house, key_of(house, "admin"), before)
    assert desk.status == 422
    assert "Không tự hủy khóa của mình được" in desk.words
    desk = ended(house, house.hub.key.key_id.hex(), before)
    assert desk.status == 422
    assert "Bạn không đứng trên khóa này" in desk.words
    assert house.hub.ledger.position() == before


def test_the_act_itself_asks_for_a_fresh_password(house: House) -> None:
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.later(3600)
    with pytest.raises(NotAllowed) as refused:
        house.hub.commands.revoke_key(
            admin, key_of(house, "lanhdao"), reason="x", hub=house.hub.key, now=house.clock[0]
        )
    assert refused.value.code == "proof-needed"


def test_a_stations_key_is_ended_from_its_page_and_the_station_stops_being_heard() -> None:
    """Over a hub with boxes that really sync; another box stops obeying an officer whose key ended."""
    province = Province()
    box, other = province.station(TU_LE), province.station("vn.yb.04441")
    series = province.scheduled()
    box.ack(series)
    for one in (box, other):
        one.sync()
    province.hub.tick()
    desk = over(province)
    desk.sign_in("admin")
    key = box.key.key_id.hex()
    assert key in desk.get(f"/tram/{TU_LE}").words
    desk.get(f"/khoa/{key}")
    assert "1 báo cáo của trạm" in desk.words
    before_report = min(
        stored.position
        for stored in province.hub.ledger.since(0)
        if stored.segment.head.key_id == box.key.key_id
    )
    desk.press(f"/khoa/{key}", reason="mất hộp", until=str(before_report - 1))
    assert re.search(r"báo cáo không còn tính 1 ", desk.words)
    desk.press("/huy", password=PASSWORDS["admin"])
    assert "Đã ký lệnh hủy khóa" in desk.words
    assert province.hub.sync(box.ask())[0] == 403
    assert "đã hủy" in desk.get(f"/tram/{TU_LE}").words
    assert playing(province, other) is not None
    officer = province.approver.key.key_id.hex()
    desk.get(f"/khoa/{officer}").press(f"/khoa/{officer}", reason="lộ mật khẩu", until="0")
    desk.press("/huy", password=PASSWORDS["admin"])
    assert playing(province, other) is not None, "it has not heard yet"
    other.sync()
    assert playing(province, other) is None, "nothing that this key approved stays"


def playing(province: Province, box: Box) -> object:
    from hub_house import DAY, EVENING

    return due(box.facts, box.unit, at(DAY, EVENING), done=set())


def over(province: Province) -> Browser:
    from hub.web import create_app

    app = create_app(province.hub)
    app.testing = True
    return Browser(app.test_client())
