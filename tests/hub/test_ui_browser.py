"""The pages in a real browser: the whole flow with scripts switched off, accessibility, small and large
screens.

Needs Chromium at /usr/bin/chromium and Playwright; without them every test here is skipped and says so. The
browser speaks to waitress on loopback, as people do; nothing is fetched from anywhere else (the content
policy would refuse).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_web_house import PASSWORDS, House, build, tone
from test_web_machine import enrol, served

from ledger.facts import ClustersListed, Outcome, at

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (group `e2e`)")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe is not installed (group `e2e`)"
)

CHROMIUM = Path("/usr/bin/chromium")
# Where to leave pictures for a person to look at; none are taken when it is not set.
SHOTS = Path(os.environ["LOA_SHOTS"]) if "LOA_SHOTS" in os.environ else None
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SCREENS = {"phone": (360, 740), "office": (1366, 768)}
OFFICE_ONLY = (
    "/lich",
    "/tram",
    "/ban-tin/",
    "/khan-cap",
    "/khoa",
)  # laid out otherwise on a wide screen: axe looks again

# Run in the page; each gives the beginning of the elements that break the rule.
SMALL_TARGETS = """() => [...document.querySelectorAll(
    'button, input:not([type=hidden]), select, textarea, nav a, .btn')]
  .filter(e => e.offsetParent)
  .filter(e => (e.matches('[type=radio], [type=checkbox]') ? e.closest('label') : e)
    .getBoundingClientRect().height < 24)
  .map(e => e.outerHTML.slice(0, 90))"""
TIGHT_LINES = """() => [...document.querySelectorAll('main *')]
  .filter(e => !e.children.length && e.textContent.trim() && !e.closest('svg, option, select'))
  .map(e => [e, getComputedStyle(e)])
  .filter(([e, s]) => parseFloat(s.lineHeight) / parseFloat(s.fontSize) < 1.49)
  .map(([e]) => e.outerHTML.slice(0, 90))"""

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lived_in() -> House:
    """A hub with a day behind it: every page has something to show."""
    house = build("ui")
    editor, boss = house.browser("bientap"), house.browser("lanhdao")
    titles = (
        "Tuyên truyền Ngày Pháp luật 9/11",
        "Tiêm phòng sởi cho trẻ",
        "Phòng cháy, chữa cháy rừng",
        "Cắt điện",
    )
    ids = [editor.draft(title, klass=str(2 + n % 2)) for n, title in enumerate(titles)]
    for bulletin in ids[:2]:
        boss.get(f"/cho-duyet/{bulletin}").press("/duyet", password=PASSWORDS["lanhdao"])
        boss.plan(bulletin, _from="09/11/2022", _until="15/11/2022", at="17:00")
        house.shelf["series"] = int(boss.path.rsplit("/", 1)[1])
    boss.get(f"/cho-duyet/{ids[2]}").press("/tra-lai", reason="Thiếu số điện thoại.")
    stations = [enrol(house, unit) for unit in ("vn.yb.04630", "vn.yb.04441")]
    for station in stations:
        station.sync()
    house.clock[0] = at(house.clock[0] // 86400, 17 * 60 + 20)
    names = "\n".join(f"Bản {n + 1}, cột trước nhà văn hoá" for n in range(20))
    stations[0].ledger.append(stations[0].key, ClustersListed(house.clock[0], names).encode())
    stations[0].acknowledge(house.shelf["series"], clusters=bytes.fromhex("b52bb990"))
    for station, outcome in zip(stations, (Outcome.PLAYED, Outcome.MISSED), strict=True):
        station.acknowledge(house.shelf["series"], outcome)
        station.sync()
    house.hub.tick()
    boss.sign_in("lanhdao")
    boss.get("/khan-cap").press(
        "/khan-cap", text="Diễn tập lũ quét.", kind="lu-quet", mode="drill", hours="1"
    )
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"])
    house.shelf.update(order=int(boss.path.rsplit("/", 1)[1]), approved=ids[1], waiting=ids[3])
    approver = house.hub.accounts.row("lanhdao")
    assert approver is not None
    house.shelf["key"] = approver.key_id
    return house


@pytest.fixture(scope="module")
def site(lived_in: House) -> Iterator[str]:
    with served(lived_in) as port:
        yield f"http://127.0.0.1:{port}"


def pages(house: House) -> dict[str, list[str]]:
    """Who looks at what."""
    s = house.shelf
    return {
        "lanhdao": [
            "/", "/ban-tin", f"/ban-tin/{s['approved']}", "/cho-duyet", f"/cho-duyet/{s['waiting']}",
            "/lich?tuan=09/11/2022", f"/lich/{s['series']}", f"/ban-tin/{s['approved']}/xep-lich",
            "/nhom", "/nhom/moi", "/ngay-le?nam=2027",
            "/vi-sao?tram=vn.yb.04630&ngay=09/11/2022&luc=17:00", "/khan-cap", f"/khan-cap/{s['order']}",
            "/tram", "/tram/vn.yb.04630", "/tram/vn.yb.04249", "/usb", "/khong-co",
        ],
        "bientap": ["/", "/ban-tin/moi", f"/ban-tin/{s['approved']}/sua", f"/cho-duyet/{s['waiting']}"],
        "admin": ["/tram/vn.yb.04510", "/tram/moi", "/tram/vn.yb.04630", "/khoa", f"/khoa/{s['key']}"],
    }  # fmt: skip


def sign_in(page: Any, site: str, account: str) -> None:
    page.goto(site + "/dang-nhap")
    page.get_by_label("Tên đăng nhập").fill(account)
    page.get_by_label("Mật khẩu").fill(PASSWORDS[account])
    page.locator("main button").click()
    page.wait_for_url(site + "/")


def wrong(page: Any) -> list[str]:
    """Serious and critical findings of axe on the page as it stands."""
    response = axe.Axe().run(page).response
    assert len(response["passes"]) > 10, "axe did not look at the page"
    return [
        f"{page.url} {v['id']}: {v['nodes'][0]['html'][:120]}"
        for v in response["violations"]
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_every_page_is_accessible_and_fits_the_screen(
    chromium: Any, site: str, lived_in: House, screen: str
) -> None:
    width, height = SCREENS[screen]
    problems: list[str] = []
    for account, paths in pages(lived_in).items():
        context = chromium.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        said: list[str] = []
        page.on(
            "console",
            lambda message, said=said: said.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.goto(site + "/dang-nhap")
        problems += wrong(page)
        sign_in(page, site, account)
        for path in paths:
            page.goto(site + path)
            if screen == "phone" or path.startswith(OFFICE_ONLY):
                problems += wrong(page)
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                problems.append(f"{path} is wider than {width} px")
            if page.evaluate("document.querySelectorAll('h1').length") != 1:
                problems.append(f"{path} has not one heading")
        problems += [text for text in said if "404" not in text]
        context.close()
    assert not problems, "\n".join(problems)


def test_the_whole_flow_works_with_scripts_switched_off(chromium: Any, tmp_path: Path) -> None:
    """Draft with a recording → submit → approve → schedule → it stands in the week; then an emergency
    drill.
    """
    house = build("noscript")
    recording = tmp_path / "ngay-phap-luat.wav"
    recording.write_bytes(tone())
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        desk = chromium.new_context(java_script_enabled=False).new_page()
        sign_in(desk, site, "bientap")
        desk.get_by_role("link", name="Soạn bản tin").first.click()
        desk.get_by_label("Tiêu đề").fill("Tuyên truyền Ngày Pháp luật 9/11")
        desk.get_by_label("Lĩnh vực").select_option("phap-luat")
        desk.get_by_label("Ưu tiên: xã phải phát").check()
        desk.get_by_label("Văn bản").fill("Ngày 9 tháng 11 là Ngày Pháp luật.")
        desk.get_by_label("Tệp âm thanh").set_input_files(recording)
        desk.get_by_role("button", name="Lưu và gửi duyệt").click()
        assert "Đã lưu và gửi duyệt." in desk.inner_text("main")

        boss = chromium.new_context(java_script_enabled=False).new_page()
        sign_in(boss, site, "lanhdao")
        boss.get_by_role("link", name=re.compile("1 bản tin chờ duyệt")).click()
        boss.get_by_role("link", name="Tuyên truyền Ngày Pháp luật 9/11", exact=True).click()
        assert "Ngày 9 tháng 11 là Ngày Pháp luật." in boss.inner_text("main")
        assert boss.locator("audio[controls]").count() == 1
        boss.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["lanhdao"])
        boss.get_by_role("button", name="Duyệt bản này").click()
        boss.get_by_role("link", name="Xếp lịch phát").click()
        boss.get_by_label("Lúc (giờ:phút").fill("22:30")
        boss.get_by_role("button", name="Tiếp: xem trạm nào nghe").click()
        assert "giờ yên tĩnh" in boss.inner_text("main [role=alert]")
        boss.get_by_label("Lúc (giờ:phút").fill("17:00")
        boss.get_by_role("button", name="Tiếp: xem trạm nào nghe").click()
        assert "5 ngày tới" in boss.inner_text("main")
        assert "Không vướng mục nào khác." in boss.inner_text("main")
        boss.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["lanhdao"])
        boss.get_by_role("button", name="Ký lịch phát").click()
        assert "Đã ký lịch phát 8 ngày" in boss.inner_text("main")
        boss.get_by_role("link", name="Lịch", exact=True).click()
        assert "Tuyên truyền Ngày Pháp luật 9/11" in boss.inner_text("table.week")

        boss.get_by_role("navigation").get_by_role("link", name="Khẩn cấp").click()
        boss.get_by_label("Nội dung lệnh").fill("Diễn tập lũ quét. Bà con lên chỗ cao.")
        boss.get_by_role("button", name="Tiếp: xem lệnh tới được đâu").click()
        assert "FM: sẽ KHÔNG nhận" in boss.inner_text("main")
        boss.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["lanhdao"])
        boss.get_by_role("button", name="Ký và phát diễn tập").click()
        assert "đang hiệu lực" in boss.inner_text("main")
        boss.get_by_role("link", name="Báo yên").click()
        boss.get_by_label("Lý do").fill("Xong diễn tập")
        boss.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["lanhdao"])
        boss.get_by_role("button", name="Ký lệnh báo yên").click()
        assert "đã báo yên" in boss.inner_text("main")
    rows = house.hub.queries.all_series()
    assert [(row.kind, row.state) for row in rows] == [("emergency", "cancelled"), ("schedule", "active")]


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_a_key_is_ended_in_two_steps_with_scripts_switched_off(chromium: Any, screen: str) -> None:
    """From the list of keys: why, since when, what falls, the password; each step accessible and fitting."""
    house = build(f"keys-{screen}")
    editor, boss = house.browser("bientap"), house.browser("lanhdao")
    for title in ("Tin thật", "Tin giả"):
        boss.get(f"/cho-duyet/{editor.draft(title)}").press("/duyet", password=PASSWORDS["lanhdao"])
        house.later(1800)
    width, height = SCREENS[screen]
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        quiet = chromium.new_context(java_script_enabled=False, viewport={"width": width, "height": height})
        desk = quiet.new_page()
        sign_in(desk, site, "admin")
        desk.get_by_role("navigation").get_by_role("link", name="Khóa", exact=True).click()
        row = desk.get_by_role("row").filter(has_text="Giàng A Páo")
        row.get_by_role("link").click()
        first = desk.url
        desk.get_by_label("Lý do").fill("mất điện thoại")
        desk.get_by_role("radio", name=re.compile("Từ việc này trở đi.*v1 Tin giả")).check()
        desk.get_by_role("button", name="Tiếp: xem những gì mất hiệu lực").click()
        shown = desk.inner_text("main")
        assert "Tin giả" in shown
        assert "Tin thật" not in shown
        if SHOTS is not None:
            desk.screenshot(path=SHOTS / f"key-confirm-{screen}.png", full_page=True)
        desk.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["admin"])
        seen = chromium.new_context(viewport={"width": width, "height": height}).new_page()
        sign_in(seen, site, "admin")
        seen.goto(first)
        if SHOTS is not None:
            seen.screenshot(path=SHOTS / f"key-{screen}.png", full_page=True)
        assert not wrong(seen)
        assert not seen.evaluate(SMALL_TARGETS)
        seen.get_by_label("Lý do").fill("mất điện thoại")
        seen.get_by_role("button", name="Tiếp: xem những gì mất hiệu lực").click()
        assert not wrong(seen), "the second step"
        assert not seen.evaluate(TIGHT_LINES)
        assert not seen.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        desk.get_by_role("button", name="Ký lệnh hủy khóa").click()
        assert "Đã ký lệnh hủy khóa" in desk.inner_text("main")
        if SHOTS is not None:
            desk.screenshot(path=SHOTS / f"key-ended-{screen}.png", full_page=True)
    approvals = [one for one in house.hub.queries.deeds() if one.what == "approved"]
    assert [one.applied for one in approvals] == [False, True], "newest first"


def test_a_keyboard_reaches_the_content_first_and_sees_where_it_is(chromium: Any, site: str) -> None:
    page = chromium.new_context().new_page()
    sign_in(page, site, "lanhdao")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_every_press_target_is_large_enough_for_a_thumb(chromium: Any, site: str, lived_in: House) -> None:
    """WCAG 2.5.8: buttons, fields and the links that stand alone are at least 24 px high."""
    page = chromium.new_context(viewport={"width": 360, "height": 740}).new_page()
    sign_in(page, site, "lanhdao")
    for path in pages(lived_in)["lanhdao"]:
        page.goto(site + path)
        small = page.evaluate(SMALL_TARGETS)
        assert not small, (path, small)


def test_the_live_list_fills_by_itself_when_a_station_answers(chromium: Any, tmp_path: Path) -> None:
    house = build("live")
    station = enrol(house, "vn.yb.04630")
    station.sync()
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        page = chromium.new_context().new_page()
        sign_in(page, site, "lanhdao")
        page.goto(site + "/khan-cap")
        page.get_by_label("Nội dung lệnh").fill("Diễn tập.")
        page.get_by_role("button", name="Tiếp: xem lệnh tới được đâu").click()
        page.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["lanhdao"])
        page.get_by_role("button", name="Ký và phát diễn tập").click()
        station.sync()
        station.acknowledge(house.hub.queries.all_series()[0].series)
        station.sync()
        house.hub.tick()
        page.wait_for_selector("main [data-live] >> text=1 trạm đã phát", timeout=15_000)
        page.locator("main [data-live] summary", has_text="1 trạm đã phát").click()
        assert "Xã Tú Lệ" in page.inner_text("main [data-live] #done")


def test_unsaved_text_is_not_lost_without_a_question(chromium: Any, site: str) -> None:
    page = chromium.new_context().new_page()
    sign_in(page, site, "bientap")
    page.goto(site + "/ban-tin/moi")
    page.get_by_label("Tiêu đề").fill("Chưa lưu")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("link", name="Hôm nay").click()
    page.wait_for_url(site + "/")
    assert asked == ["beforeunload"]


def test_lines_are_high_enough_for_stacked_marks(chromium: Any, site: str, lived_in: House) -> None:
    page = chromium.new_context().new_page()
    sign_in(page, site, "lanhdao")
    for path in pages(lived_in)["lanhdao"]:
        page.goto(site + path)
        tight = page.evaluate(TIGHT_LINES)
        assert not tight, (path, tight[:3])
