"""Sự cố by hand: the list, one alert, and somebody who says that they know."""

from __future__ import annotations

import re

import pytest
from test_web_house import PASSWORDS, House, build
from test_web_machine import Field, enrol

from ledger.facts import Outcome, at, local_day

PLACES = (
    *((f"vn.yb.{4000 + n:05d}", f"Xã Số {n}", "it") for n in range(5)),
    ("vn.yb.04249", "Phường Yên Thịnh", "fm"),
)


def outage(seed: str, stations: int = 4, *, places: tuple[tuple[str, str, str], ...] = PLACES) -> House:
    """A programme that some stations missed for want of power, and one played."""
    house = build(seed, stations=places)
    boxes: list[Field] = [enrol(house, unit) for unit, _, kind in places if kind == "it"][: stations + 1]
    house.shelf["boxes"] = boxes
    bulletin = house.browser("bientap").draft("Tiêm phòng sởi cho trẻ")
    house.browser("lanhdao").get(f"/cho-duyet/{bulletin}").press("/duyet", password=PASSWORDS["lanhdao"])
    officer = house.hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=house.clock[0])
    assert officer is not None
    today = local_day(house.clock[0])
    series = house.hub.commands.schedule(
        officer, bulletin, territory="vn.yb", days=[today], minute=17 * 60, now=house.clock[0]
    )
    house.clock[0] = at(today, 18 * 60)
    for number, box in enumerate(boxes):
        box.sync()
        box.acknowledge(series, Outcome.MISSED if number < stations else Outcome.PLAYED)
        box.sync()
    house.hub.tick()
    house.hub.alarms.look(house.clock[0])
    return house


def alert_path(html: str) -> str:
    found = re.search(r'href="(/su-co/[0-9a-f]+)"', html)
    assert found is not None
    return found[1]


def test_an_outage_is_one_line_on_the_list_and_on_the_first_page() -> None:
    house = outage("list")
    boss = house.browser("lanhdao").get("/")
    assert "1 sự cố chưa ai ghi nhận" in boss.words
    boss.get("/su-co")
    assert "Lỡ buổi phát: mất điện" in boss.words
    assert "4 trạm 4 lượt phát" in boss.words
    assert "chưa ai ghi nhận" in boss.words
    boss.get(alert_path(boss.html))
    assert boss.words.count("Tiêm phòng sởi cho trẻ") == 4
    assert "Xã Số 0" in boss.words
    assert "Phường Yên Thịnh" not in boss.words


def test_whoever_acknowledges_is_named_with_their_note_and_the_first_page_is_quiet() -> None:
    house = outage("ack")
    editor = house.browser("bientap").get("/su-co")
    path = alert_path(editor.html)
    editor.get(path).press(path, note="EVN cắt điện tới 20:00 <b>")
    assert editor.path == "/su-co"
    assert "Nguyễn Thị Lan đã biết" in editor.words
    boss = house.browser("lanhdao").get(path)
    assert "EVN cắt điện tới 20:00 &lt;b&gt;" in boss.html
    assert "sự cố chưa ai ghi nhận" not in boss.get("/").words
    assert house.hub.ledger.position() == house.hub.projections.cursor, "and nothing was signed for it"
    house.hub.alarms.look(house.clock[0] + 3_600)
    assert not house.hub.alarms.letters()


def test_a_note_that_is_too_long_or_an_alert_that_is_over_changes_nothing() -> None:
    house = outage("refused")
    boss = house.browser("lanhdao").get("/su-co")
    path = alert_path(boss.html)
    assert boss.get(path).press(path, note="x" * 301).status == 422
    assert "hãy rút gọn" in boss.words
    boss.get(path)
    for day in range(1, 10):
        house.hub.alarms.look(house.clock[0] + day * 86_400)
    assert [one.kind for one in house.hub.alarms.open()] == ["late"], "nobody has called for nine days"
    assert boss.press(path, note="").status == 422
    assert "Sự cố này đã hết" in boss.words
    assert boss.get("/su-co").words.count("Lỡ buổi phát: mất điện") == 1, (
        "it stands among those that are over"
    )
    assert boss.get("/su-co/000000000000").status == 404
    assert boss.get("/su-co/..%2f").status == 404


def test_an_officer_of_a_commune_sees_its_own_alerts_and_cannot_acknowledge_those_of_others() -> None:
    house = outage("commune")
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    for account, territory in (("xa0", "vn.yb.04000"), ("xa4", "vn.yb.04004")):
        house.hub.commands.create_account(
            admin, account=account, name="Hà Văn Xã", role="editor", territory=territory,
            password="mat-khau-2022", now=house.clock[0],
        )  # fmt: skip
    path = alert_path(house.browser("lanhdao").get("/su-co").html)
    own = house.browser()
    own.sign_in("xa0", "mat-khau-2022")
    assert "Xã Số 0" in own.get(path).words
    assert "Xã Số 1" not in own.words, "the others of the same outage are not its business"
    assert not own.has_form(path)
    other = house.browser()
    other.sign_in("xa4", "mat-khau-2022")
    assert "Không có sự cố nào." in other.get("/su-co").words
    assert other.get(path).status == 404


def test_a_silent_station_is_late_by_its_own_rhythm_and_an_fm_station_never() -> None:
    house = outage("late", stations=0)
    (box,) = house.shelf["boxes"]
    for _ in range(8):
        house.clock[0] += 900
        box.sync()
        house.hub.alarms.look(house.clock[0])
    house.hub.alarms.look(house.clock[0] + 1_800)
    assert not house.hub.alarms.open()
    house.clock[0] += 3_000
    house.hub.alarms.look(house.clock[0])
    boss = house.browser("lanhdao")
    assert "Mất liên lạc" in boss.get("/su-co").words
    assert "Yên Thịnh" not in boss.words
    box.sync()
    house.hub.alarms.look(house.clock[0] + 60)
    assert "vừa hết, đang theo dõi" in boss.get("/su-co").words
    house.hub.alarms.look(house.clock[0] + 1_000)
    assert "Không có sự cố nào." in boss.get("/su-co").words


def test_a_real_order_that_has_not_arrived_is_told_within_minutes_and_a_drill_is_not() -> None:
    house = outage("order", stations=0)
    officer = house.hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=house.clock[0])
    assert officer is not None
    for drill in (True, False):
        series = house.hub.commands.order_emergency(
            officer, kind="lu-quet", level=3, text="Lũ quét.", territory="vn.yb", drill=drill,
            now=house.clock[0],
        )  # fmt: skip
    house.hub.alarms.look(house.clock[0] + 200)
    assert not house.hub.alarms.open()
    house.hub.alarms.ways = ("hook",)
    house.hub.alarms.look(house.clock[0] + 301)
    (alert,) = house.hub.alarms.open()
    assert (alert.kind, alert.cause, len(alert.units)) == ("emergency", str(series), 5)
    assert [one.body["title"] for one in house.hub.alarms.letters()] == [
        "Sự cố: lệnh khẩn cấp chưa tới trạm – 5 trạm"
    ]
    house.shelf["boxes"][0].sync()
    house.hub.alarms.look(house.clock[0] + 400)
    house.shelf["boxes"][0].sync()  # its next request confirms that it holds the order
    house.hub.alarms.look(house.clock[0] + 500)
    (alert,) = house.hub.alarms.open()
    assert "vn.yb.04000" not in alert.units
    house.hub.commands.cancel_emergency(officer, series, reason="Báo yên", now=house.clock[0])
    house.hub.alarms.look(house.clock[0] + 520)
    assert not house.hub.alarms.open(), "what was taken back need not arrive"


def test_stations_of_one_listed_group_are_rolled_up_under_its_name() -> None:
    house = outage("group", stations=3)
    house.hub.choices.groups.keep(
        "Mạng A", territory="vn.yb", units=[f"vn.yb.{4000 + n:05d}" for n in range(3)], account="admin",
        now=house.clock[0],
    )  # fmt: skip
    fresh = outage("group-2", stations=0)
    assert fresh.hub.alarms.open() == []
    house.hub.alarms._state = type(house.hub.alarms._state)()
    house.hub.alarms.look(house.clock[0] + 60)
    assert "3 trạm, Mạng A" in house.browser("lanhdao").get("/su-co").words


@pytest.mark.parametrize("account", ["admin", "bientap"])
def test_letters_and_their_errors_are_the_administrators_to_see(account: str) -> None:
    house = outage(f"letters-{account}")
    house.hub.alarms.ways = ("mail",)
    house.hub.alarms.look(house.clock[0] + 700)
    (letter,) = house.hub.alarms.letters()
    house.hub.alarms.tried(
        letter, error="mail-unreachable: x", next_at=house.clock[0] + 900, now=house.clock[0]
    )
    words = house.browser(account).get("/su-co").words
    assert ("mail-unreachable" in words) == (account == "admin")


def test_looking_asks_the_views_a_bounded_number_of_questions() -> None:
    counts = []
    for stations in (1, 4):
        house = outage(f"bound-{stations}", stations=stations)
        asked: list[str] = []
        house.hub.projections.db.conn.set_trace_callback(asked.append)
        house.hub.alarms.look(house.clock[0] + 60)
        house.hub.projections.db.conn.set_trace_callback(None)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 8
