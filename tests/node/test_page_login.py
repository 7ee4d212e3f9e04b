"""Signing in at the commune's page: codes, PINs, waits, seats, and what is shut to whom."""

from __future__ import annotations

import pytest
from page_world import PIN, Page, _Public
from station_world import DAY, ROOT, UNIT

from ledger.facts import Approved, KeyOffered, OfferAnswered, Right
from ledger.log import OFFER, NotAllowed, VerifyKey
from node.page.office import Challenge
from node.page.people import asked_rights, check_pin, wait_after
from node.page.sessions import IDLE_S, LIFE_S, OPEN_S

LAN = "Nguyễn Thị Lan"


@pytest.fixture
def page() -> Page:
    found = Page()
    found.world.run(60)
    return found


def answered(page: Page) -> OfferAnswered:
    return OfferAnswered(page.office.now().ts, 7, DAY, 1, None, UNIT, "")


def test_nobody_has_a_pin_to_begin_with_and_a_code_works_once(page: Page) -> None:
    row, code = page.office.add(LAN, "officer", None, "console")
    with pytest.raises(NotAllowed, match="no-pin-yet"):
        page.office.login(row.id, "")
    browser = page.visitor()
    browser.get("/lan-dau").press("/lan-dau", person=str(row.id), code="00000 00000", pin=PIN, again=PIN)
    assert browser.says("Mã dùng một lần không đúng")
    browser.press("/lan-dau", person=str(row.id), code=code, pin=PIN, again=PIN)
    assert browser.path == "/toi"
    other = page.visitor()
    other.get("/lan-dau")
    assert other.says("không có mã dùng một lần nào")
    other.post(
        "/lan-dau",
        {"csrf": other.csrf, "person": str(row.id), "code": code, "pin": "another 1", "again": "another 1"},
    )
    assert other.get("/").path == "/dang-nhap"


def test_a_guessed_code_costs_this_box_no_work_and_is_waited_for(page: Page) -> None:
    row, _ = page.office.add(LAN, "officer", None, "console")
    worked: list[int] = []
    fresh = page.office.fresh

    def counted(person: int) -> Challenge:
        worked.append(person)
        return fresh(person)

    page.office.fresh = counted  # type: ignore[method-assign]
    browser = page.visitor()
    for n in range(4):
        browser.get("/lan-dau").press("/lan-dau", person=str(row.id), code=f"{n:010d}", pin=PIN, again=PIN)
    assert browser.says("Hãy chờ 2 giây")
    assert worked == []


def test_a_code_is_too_old_after_a_week(page: Page) -> None:
    row, code = page.office.add(LAN, "officer", None, "console")
    page.world.clock.pass_s(7 * 86_400 + 1)
    fresh = page.office.fresh(row.id)
    with pytest.raises(NotAllowed, match="wrong-code"):
        page.office.begin(row.id, code, fresh, fresh.wrap(PIN), "console")


def test_a_stored_code_does_not_tell_the_code(page: Page) -> None:
    _, code = page.office.add(LAN, "officer", None, "console")
    rows = page.world.station.ledger.db.execute("SELECT * FROM node_people").fetchall()
    assert code.replace(" ", "").encode() not in repr(rows).encode()


@pytest.mark.parametrize("pin", ["", "12345", "111111", "123456", "987654", "121212", "abcdef", "nguyễn"])
def test_a_pin_that_anybody_tries_first_is_refused(pin: str) -> None:
    with pytest.raises(NotAllowed, match="pin-weak"):
        check_pin(pin, LAN)


def test_every_page_is_shut_to_who_is_not_signed_in(page: Page) -> None:
    browser = page.visitor()
    shut = [
        rule
        for rule in page.app.url_map.iter_rules()
        if rule.endpoint != "static"
        and "GET" in (rule.methods or ())
        and not rule.arguments
        and not getattr(page.app.view_functions[rule.endpoint], "is_public", False)
    ]
    assert shut
    for rule in shut:
        assert browser.get(rule.rule).path == "/dang-nhap", rule.rule


def test_a_form_from_elsewhere_does_nothing(page: Page) -> None:
    lan = page.join(LAN, "officer")
    assert lan.post("/dang-xuat", {}).status == 400
    assert lan.post("/dang-xuat", {"csrf": "0" * 32}).status == 400
    answer = lan._client.post(
        "/dang-xuat", data={"csrf": lan.get("/").csrf}, headers={"Origin": "http://elsewhere.example"}
    )
    assert answer.status_code == 400
    assert lan.get("/").path == "/"


def test_the_cookie_is_for_this_page_alone_and_tells_no_key(page: Page) -> None:
    lan = page.join(LAN, "officer")
    lan.get("/").press("/dang-xuat")
    lan.get("/dang-nhap").press("/dang-nhap", person="1", pin=PIN)
    lan._client.get("/")
    cookie = lan._client.get_cookie("loa_page")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert lan.answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert lan.answer.headers["Cache-Control"] == "no-store"


def test_wrong_pins_wait_longer_and_longer_and_a_right_one_ends_it(page: Page) -> None:
    assert [wait_after(n, 300) for n in range(12)] == [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    lan = page.join(LAN, "officer")
    lan.get("/").press("/dang-xuat")
    for _ in range(3):
        lan.get("/dang-nhap").press("/dang-nhap", person="1", pin="not this 1")
        assert lan.says("Mã PIN không đúng")
    lan.press("/dang-nhap", person="1", pin=PIN)
    assert lan.says("Hãy chờ 2 giây")
    assert lan.path == "/dang-nhap"
    page.world.clock.pass_s(2)
    lan.press("/dang-nhap", person="1", pin=PIN)
    assert lan.path == "/"
    page.office.login(1, PIN)


def test_a_wait_survives_a_restart_and_is_no_longer_than_it_was_when_the_clock_goes_back(page: Page) -> None:
    page.join(LAN, "officer")
    for _ in range(5):
        page.world.clock.pass_s(16)
        with pytest.raises(NotAllowed, match="wrong-pin"):
            page.office.login(1, "not this 1", "192.168.1.66")
    page.restart()
    with pytest.raises(NotAllowed, match="login-delayed") as refused:
        page.office.login(1, PIN, "192.168.1.20")
    assert "wait 8 s" in refused.value.hint
    page.world.clock.pass_s(-86_400)
    with pytest.raises(NotAllowed, match="login-delayed") as refused:
        page.office.login(1, PIN, "192.168.1.20")
    assert "wait 8 s" in refused.value.hint


def test_an_address_that_tries_everybody_has_to_wait_too(page: Page) -> None:
    for name in ("Một", "Hai", "Ba", "Bốn"):
        page.join(name, "officer", address="192.168.1.9")
    for person in (1, 2, 3):
        with pytest.raises(NotAllowed, match="wrong-pin"):
            page.office.login(person, "not this 1", "192.168.1.66")
    with pytest.raises(NotAllowed, match="login-delayed"):
        page.office.login(4, PIN, "192.168.1.66")
    page.office.login(4, PIN, "192.168.1.20")


def test_tries_side_by_side_are_counted_before_any_of_them_is_made(page: Page) -> None:
    page.join(LAN, "officer")
    for _ in range(3):
        page.office.challenge(1, "192.168.1.66")
    with pytest.raises(NotAllowed, match="login-delayed"):
        page.office.challenge(1, "192.168.1.66")


def test_who_tries_from_outside_keeps_nobody_from_signing_who_sits_at_work(page: Page) -> None:
    page.join(LAN, "officer")
    page.grant(LAN)
    lan = page.visitor()
    lan.get("/dang-nhap").press("/dang-nhap", person="1", pin=PIN)
    page.world.clock.pass_s(OPEN_S + 1)
    for _ in range(3):
        with pytest.raises(NotAllowed, match="wrong-pin"):
            page.office.login(1, "not this 1", "192.168.1.66")
    with pytest.raises(NotAllowed, match="login-delayed"):
        page.office.challenge(1, "192.168.1.20")
    lan.get("/toi").press("/toi/pin", old=PIN, new="bún chả 45", again="bún chả 45")
    assert lan.says("Đã đổi mã PIN")


def test_a_page_says_that_the_station_is_busy_instead_of_breaking(page: Page) -> None:
    from ledger.log import StoreError

    lan = page.join(LAN, "officer").get("/")

    def busy(question: object) -> object:
        raise StoreError("station-busy", "the station did not answer")

    page.app.extensions["loa_ask"] = busy
    lan.get("/")
    assert lan.status == 503
    assert lan.says("Trạm đang bận")


def test_a_seat_ends_when_idle_when_old_and_at_a_restart(page: Page) -> None:
    page.join(LAN, "officer")
    clock = page.world.clock
    token = page.office.login(1, PIN)
    clock.pass_s(IDLE_S)
    assert page.office.person(token) is not None
    clock.pass_s(IDLE_S + 1)
    assert page.office.person(token) is None
    token = page.office.login(1, PIN)
    for _ in range(int(LIFE_S / IDLE_S)):
        clock.pass_s(IDLE_S)
        assert page.office.person(token) is not None
    clock.pass_s(1)
    assert page.office.person(token) is None
    token = page.office.login(1, PIN)
    page.restart()
    assert page.office.person(token) is None


def test_who_is_turned_off_is_out_at_once(page: Page) -> None:
    lan = page.join(LAN, "officer")
    page.office.set_enabled(1, False, None, "console")
    assert lan.get("/").path == "/dang-nhap"
    with pytest.raises(NotAllowed, match="person-off"):
        page.office.login(1, PIN)


def test_a_changed_pin_keeps_the_key_and_ends_the_other_seats(page: Page) -> None:
    lan = page.join(LAN, "officer")
    key_id = page.office.people.rows()[0].key_id
    other = page.office.login(1, PIN)
    lan.get("/toi").press("/toi/pin", old=PIN, new="bún chả 45", again="bún chả 45")
    assert lan.says("Đã đổi mã PIN")
    assert page.office.person(other) is None
    assert page.office.people.rows()[0].key_id == key_id
    with pytest.raises(NotAllowed, match="wrong-pin"):
        page.office.login(1, PIN)
    page.office.login(1, "bún chả 45")


def test_a_new_code_brings_a_new_key_and_the_old_pin_is_gone(page: Page) -> None:
    page.join(LAN, "officer")
    before = page.office.people.rows()[0].key_id
    code = page.office.give_code(1, None, "console")
    page.office.login(
        1, PIN
    )  # until the code is used nothing changes: a code given in error locks nobody out
    fresh = page.office.fresh(1)
    page.office.begin(1, code, fresh, fresh.wrap("bún chả 45"), "console")
    assert page.office.people.rows()[0].key_id != before
    with pytest.raises(NotAllowed, match="wrong-pin"):
        page.office.login(1, PIN)


def test_an_offered_key_proves_that_its_owner_holds_it_and_asks_for_the_roles_rights(page: Page) -> None:
    page.join(LAN, "officer")
    page.sync()
    (wish,) = (one.fact for one in page.world.hub.facts_of(KeyOffered))
    assert isinstance(wish, KeyOffered)
    assert wish.label == LAN
    assert Right(wish.classes) & Right.PROGRAMME
    assert not Right(wish.classes) & Right.APPROVE
    key = VerifyKey(wish.subject_pub)
    key.verify(OFFER, page.world.station.key.key_id + wish.subject_pub, wish.possession)


def test_without_a_grant_nothing_is_signed_and_with_one_it_is_at_once(page: Page) -> None:
    page.join(LAN, "officer")
    who = page.office.person(page.office.login(1, PIN))
    assert who is not None
    with pytest.raises(NotAllowed, match="no-authority"):
        page.office.sign(who, answered(page))
    page.grant(LAN)
    assert page.office.may(who, Right.PROGRAMME)
    stored = page.office.sign(who, answered(page))
    page.sync()
    (kept,) = page.world.hub.ledger.frontier(who.key_id)
    assert kept.key_id == who.key_id == stored.segment.head.key_id


def test_a_grant_comes_while_the_person_waits_at_the_page(page: Page) -> None:
    lan = page.join(LAN, "officer")
    page.sync()
    row = page.office.people.named(LAN)
    assert row is not None
    assert row.pub is not None
    world = page.world
    granted = world.hub.grant(_Public(VerifyKey(row.pub)), int(asked_rights(row.role)), UNIT)  # type: ignore[arg-type]
    world.run(60)
    world.hub.sign(ROOT, granted)
    assert not page.office.rights(row.key_id)
    for _ in range(5):
        lan.get("/toi")  # they look again and again
    calls = len(world.hub.answered)
    world.run(30)
    assert page.office.rights(row.key_id), "it did not wait for the quarter of an hour"
    assert len(world.hub.answered) - calls <= 3


def test_a_right_that_the_role_has_not_is_refused(page: Page) -> None:
    page.join(LAN, "officer")
    page.grant(LAN)
    who = page.office.person(page.office.login(1, PIN))
    assert who is not None
    now = page.office.now().ts
    with pytest.raises(NotAllowed, match="no-authority"):
        page.office.sign(who, Approved(now, b"B" * 16, 1, b"M" * 32, "Tin", "law", 2, UNIT, DAY, DAY + 1))


def test_a_locked_key_signs_nothing_until_the_pin_is_typed_again(page: Page) -> None:
    page.join(LAN, "officer")
    page.grant(LAN)
    token = page.office.login(1, PIN)
    page.world.clock.pass_s(OPEN_S)
    who = page.office.person(token)
    assert who is not None
    assert not who.unlocked
    with pytest.raises(NotAllowed, match="key-locked"):
        page.office.sign(who, answered(page))
    challenge = page.office.challenge(1, "console")
    page.office.unlock(token, challenge, challenge.wrap(PIN), "console")
    page.office.sign(who, answered(page))


def test_a_form_that_meets_a_locked_key_asks_for_the_pin_and_goes_on_by_itself(page: Page) -> None:
    lan = page.join(LAN, "officer")
    lan.get("/toi")
    page.world.clock.pass_s(OPEN_S + 1)
    lan.press("/toi/xin-quyen")  # the page was drawn while the key was open: no field for the PIN
    assert lan.says("Nhập mã PIN để ký")
    lan.press("/toi/xin-quyen", unlock_pin="not this 1")
    assert lan.says("Mã PIN không đúng")
    lan.press("/toi/xin-quyen", unlock_pin=PIN)
    assert lan.says("Đã gửi lại lời xin quyền")
    page.sync()
    assert len(page.world.hub.facts_of(KeyOffered)) == 2


def test_nothing_is_signed_while_nobody_knows_the_time() -> None:
    from node.clock import Confidence

    page = Page(enrolled=False)
    page.world.line.down = True
    page.world.clock.confidence = Confidence.UNKNOWN
    page.world.run(10)
    page.join(LAN, "officer")
    who = page.office.person(page.office.login(1, PIN))
    assert who is not None
    with pytest.raises(NotAllowed, match="clock-unknown"):
        page.office.sign(who, answered(page))
