"""The queue: filter, take many, exact totals, one password, an answer for each; never one's own, alone."""

from __future__ import annotations

import pytest
from hub_house import DAY, EVENING, PROVINCE, SOUND, TU_LE, VIET_THANH, XUAN_AI
from hub_house import House as Desk
from hypothesis import given, settings
from hypothesis import strategies as st
from test_web_house import PASSWORDS, Browser, House, approve, build
from test_web_machine import enrol

from hub import Officer
from hub.approving import BULK_MAX, Ask, approve_each
from hub.wanted import Wanted
from ledger.facts import Granted, Right
from ledger.log import NotAllowed


@pytest.fixture
def house() -> House:
    return build("queue")


def three(house: House) -> list[str]:
    editor = house.browser("bientap")
    return [editor.draft(title, klass=klass) for title, klass in (("Một", "3"), ("Hai", "2"), ("Ba", "2"))]


def states(house: House) -> dict[str, str]:
    return {row.title: row.state for row in house.hub.queries.bulletins()}


def boss(house: House) -> Browser:
    return house.browser("lanhdao").get("/cho-duyet")


def test_ticked_ones_are_listed_with_exact_totals_and_signed_one_by_one(house: House) -> None:
    ids = three(house)
    desk = boss(house).press("/nhieu", chon=ids[:2])
    assert "2 bản tin, 0 phút 4 giây, 4 trạm" in desk.words
    assert "Ba" not in desk.words.split("Sẽ duyệt và ký")[1]
    before = sum(1 for _ in house.hub.ledger.since(0, decisions_only=True))
    desk.press("/nhieu/duyet", password=PASSWORDS["lanhdao"])
    assert "Đã duyệt và ký 2 trong 2 bản tin" in desk.words
    assert sum(1 for _ in house.hub.ledger.since(0, decisions_only=True)) == before + 2
    assert states(house) == {"Một": "approved", "Hai": "approved", "Ba": "submitted"}


def test_all_that_match_is_a_step_of_its_own_with_its_number(house: House) -> None:
    three(house)
    desk = house.browser("lanhdao").get("/cho-duyet?lop=2")
    assert "Chọn cả 2 bản khớp bộ lọc" in desk.words
    desk.press("/nhieu", "all", chon=[])
    assert "2 bản tin" in desk.words
    desk.press("/nhieu/duyet", password=PASSWORDS["lanhdao"])
    assert states(house) == {"Một": "submitted", "Hai": "approved", "Ba": "approved"}


def test_nothing_ticked_approves_nothing(house: House) -> None:
    three(house)
    desk = boss(house).press("/nhieu", chon=[])
    assert desk.status == 422
    assert "Chưa chọn bản tin nào" in desk.words


def test_a_wrong_password_approves_none_and_keeps_the_list(house: House) -> None:
    ids = three(house)
    desk = boss(house).press("/nhieu", chon=ids).press("/nhieu/duyet", password="sai")
    assert desk.status == 422
    assert "Mật khẩu không đúng. Chưa có gì được ký." in desk.words
    assert "3 bản tin" in desk.words
    assert set(states(house).values()) == {"submitted"}


def test_what_changed_or_went_since_is_told_and_the_others_are_signed(house: House) -> None:
    ids = three(house)
    desk = boss(house).press("/nhieu", chon=ids)
    stale = desk.page
    house.browser("bientap").get(f"/ban-tin/{ids[0]}/sua").press("", "submit", text="Lời đã đổi.")
    house.browser("lanhdao").get(f"/cho-duyet/{ids[1]}").press("/tra-lai", reason="Thiếu địa điểm.")
    desk.page = stale
    desk.press("/nhieu/duyet", password=PASSWORDS["lanhdao"])
    assert "Đã duyệt và ký 1 trong 3 bản tin" in desk.words
    assert "2 việc không làm được" in desk.words
    failed = desk.words.split("Chưa làm được")[1].split("Đã duyệt")[0]
    assert "Một" in failed
    assert "Hai" in failed
    assert states(house) == {"Một": "submitted", "Hai": "returned", "Ba": "approved"}


def test_the_same_press_twice_approves_nothing_twice_and_says_so(house: House) -> None:
    ids = three(house)
    desk = boss(house).press("/nhieu", chon=ids[:1])
    page = desk.page
    desk.press("/nhieu/duyet", password=PASSWORDS["lanhdao"])
    desk.page = page
    before = house.hub.ledger.position()
    desk.press("/nhieu/duyet", password=PASSWORDS["lanhdao"])
    assert "Đã duyệt và ký 0 trong 1 bản tin" in desk.words
    assert house.hub.ledger.position() == before


def test_asked_times_are_signed_with_the_approvals_that_they_belong_to(house: House) -> None:
    ids = three(house)
    editor = house.browser("bientap")
    for bulletin, clock in zip(ids[:2], ("17:30", "17:40"), strict=True):
        editor.get(f"/ban-tin/{bulletin}/xep-lich").press("/xep-lich", at=clock, _until="11/11/2022").press(
            "/de-nghi"
        )
    desk = house.browser("lanhdao").get("/cho-duyet?co-lich=1").press("/nhieu", "all", chon=[])
    assert "Kèm lịch phát: 6 lượt ngày" in desk.words
    desk.press("/nhieu/duyet", password=PASSWORDS["lanhdao"])
    assert "Đã duyệt và ký 2 trong 2 bản tin; 2 lịch phát đã ký." in desk.words
    assert sorted(row.minute for row in house.hub.queries.all_series()) == [17 * 60 + 30, 17 * 60 + 40]


def test_an_asked_time_that_has_passed_is_told_and_the_approval_stands(house: House) -> None:
    (first, *_) = three(house)
    house.browser("bientap").get(f"/ban-tin/{first}/xep-lich").press(
        "/xep-lich", _until="09/11/2022", at="08:05", late="0"
    ).press("/de-nghi")
    desk = boss(house).press("/nhieu", chon=[first])
    page = desk.page
    house.later(600)
    desk.page = page
    desk.press("/nhieu/duyet", password=PASSWORDS["lanhdao"])
    assert "đã duyệt, chưa ký lịch" in desk.words
    assert states(house)["Một"] == "approved"
    assert house.hub.queries.all_series() == []


def test_the_queue_is_filtered_by_words_without_their_marks(house: House) -> None:
    three(house)
    assert "1 trong 3 bản tin khớp bộ lọc" in house.browser("lanhdao").get("/cho-duyet?chu=mot").words
    assert "Không bản tin nào khớp bộ lọc." in house.browser("lanhdao").get("/cho-duyet?chu=bon").words


def test_a_reason_reaches_its_author_on_the_first_page_and_on_the_bulletin(house: House) -> None:
    (first, *_) = three(house)
    house.browser("lanhdao").get(f"/cho-duyet/{first}").press("/tra-lai", reason="Thiếu số điện thoại.")
    editor = house.browser("bientap")
    assert "Thiếu số điện thoại." in editor.get("/").words
    assert "Thiếu số điện thoại." in editor.get(f"/ban-tin/{first}").words


def test_a_new_version_is_read_against_the_one_that_was_approved(house: House) -> None:
    editor = house.browser("bientap")
    made = editor.draft("Tiêm phòng")
    approve(house, made).plan(made, _from="10/11/2022", _until="12/11/2022", at="17:00")
    editor.get(f"/ban-tin/{made}/sua").press(
        "", "submit", text="Sáng mai trạm y tế xã tiêm phòng sởi cho trẻ."
    )
    words = house.browser("lanhdao").get(f"/cho-duyet/{made}").words
    assert "So với bản 1 đã duyệt" in words
    assert "Lịch đang chạy vẫn phát bản 1 cho tới khi hủy" in words


def test_a_withdrawal_names_who_removed_it_who_had_played_and_who_has_not_heard(house: House) -> None:
    stations = [enrol(house, unit) for unit in (TU_LE, XUAN_AI)]
    made = house.browser("bientap").draft("Tiêm phòng")
    desk = approve(house, made)
    desk.plan(made, _from="09/11/2022", _until="12/11/2022", at="17:00")
    for station in stations:
        station.sync()
    desk.get(f"/ban-tin/{made}").press("/thu-hoi", reason="Sai ngày tiêm.")
    words = desk.get(f"/ban-tin/{made}").words
    assert "chưa nhận lệnh: 3 trạm" in words
    assert "đã gỡ trước khi phát: 0 trạm" in words


# -- rights --------------------------------------------------------------------------------------------------

places = st.sampled_from([PROVINCE, TU_LE, XUAN_AI, VIET_THANH])


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(places, st.booleans(), places), min_size=1, max_size=5),
    places,
)
def test_nobody_approves_or_schedules_outside_their_territory_or_their_own_in_bulk(
    bulletins: list[tuple[str, bool, str]], approver_of: str
) -> None:
    """Each bulletin: its territory, whether the approver wrote it, and where a time is asked for."""
    house = Desk("bulk")
    commands = house.hub.commands
    commands.create_account(
        house.admin, account="duyet", name="Duyệt", role="approver", territory=approver_of,
        password="mat-khau-2022", now=house.now,
    )  # fmt: skip

    def boss() -> Officer:
        found = house.hub.accounts.login("duyet", "mat-khau-2022", now=house.now)
        assert found is not None
        return found

    # The same person wrote some of them when still an editor.
    grant = Granted(
        house.now, boss().key.verify_key.raw, int(Right.DRAFT), PROVINCE, 0, house.now + 10**7, 0, "Duyệt"
    )
    house.hub.ledger.append_sealed(house.admin.key, grant.encode())
    accounts = house.store.open_db("accounts.db")
    asks, own = [], set()
    for territory, by_approver, place in bulletins:
        if by_approver:
            accounts.execute("UPDATE accounts SET role = 'editor' WHERE account = 'duyet'")
        author = boss() if by_approver else house.editor
        made = commands.draft_bulletin(
            author, title="Tin", category="y-te", klass=2, territory=territory, valid_from_day=DAY,
            valid_until_day=DAY + 9, text="Lời.", audio=SOUND, now=house.now,
        )  # fmt: skip
        commands.submit(author, made, now=house.now)
        accounts.execute("UPDATE accounts SET role = 'approver' WHERE account = 'duyet'")
        row = house.hub.queries.bulletin(made).row
        asks.append(
            (Ask(made, row.version, row.manifest, Wanted((place,), (DAY + 1,), EVENING)), territory, place)
        )
        if by_approver:
            own.add(made)
    answers = approve_each(commands, boss(), [ask for ask, _, _ in asks], now=house.now)

    def below(outer: str, inner: str) -> bool:
        return inner == outer or inner.startswith(outer + ".")

    for answer, (ask, territory, place) in zip(answers, asks, strict=True):
        mine = ask.bulletin in own
        may = below(approver_of, territory) and not mine
        assert answer.approved == may
        assert (house.hub.queries.bulletin(ask.bulletin).row.state == "approved") == may
        may_plan = may and below(approver_of, place) and below(territory, place)
        assert bool(answer.series) == may_plan
        assert (answer.refusal is None) == (may and may_plan)


def test_more_than_one_press_may_hold_are_refused_before_the_first(house: House) -> None:
    made = three(house)[0]
    row = house.hub.queries.bulletin(made).row
    officer = house.hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=house.clock[0])
    assert officer is not None
    asks = [Ask(made, row.version, row.manifest)] * (BULK_MAX + 1)
    with pytest.raises(NotAllowed, match="at once"):
        approve_each(house.hub.commands, officer, asks, now=house.clock[0])
    assert states(house)["Một"] == "submitted"
