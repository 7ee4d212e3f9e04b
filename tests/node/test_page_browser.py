"""The commune's page in a real browser: a small telephone and an office's screen, axe, and no scripts at all.

Needs Chromium at /usr/bin/chromium and Playwright; without them every test here is skipped and says so. The
browser speaks to waitress on loopback; the page's content policy refuses everything else.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from page_world import PIN, Page
from station_world import DAY
from waitress import create_server

from node.page.people import APPROVER, OFFICER

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (group `e2e`)")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe is not installed (group `e2e`)"
)

CHROMIUM = Path("/usr/bin/chromium")
SHOTS = Path(os.environ["LOA_SHOTS"]) if "LOA_SHOTS" in os.environ else None  # where to leave pictures
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SCREENS = {"phone": (360, 740), "office": (1366, 768)}
FIRST_LOAD_BYTES_MAX = 60_000
LAN = "Lò Thị Mai"

# Run in the page; each gives the beginning of the elements that break the rule.
SMALL_TARGETS = """() => [...document.querySelectorAll(
    'button, input:not([type=hidden]), select, textarea, summary, nav a, .btn, .tomenu')]
  .filter(e => e.offsetParent)
  .map(e => e.matches('[type=radio], [type=checkbox]') ? e.closest('label') : e)
  .filter(e => e.getBoundingClientRect().height < 43.5)
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


@contextmanager
def served(page: Page) -> Iterator[str]:
    """The page's address. One question at a time, as on the loop."""
    lock = threading.RLock()

    def ask(question: Any) -> Any:
        with lock:
            return question(page.office)

    page.app.extensions["loa_ask"] = ask
    server = create_server(page.app, host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(5)


@pytest.fixture(scope="module")
def lived_in() -> Page:
    """A morning at a commune: something was played, something lost, somebody waits for the province."""
    page = Page()
    world = page.world
    world.run(60)
    world.hub.programme(5 * 60 + 40)
    for _ in range(2):
        world.hub.programme(17 * 60, days=(DAY, DAY + 1))
    world.hub.programme(22 * 60)
    page.sync()
    world.run_to(6 * 60)
    page.join(LAN, OFFICER)
    page.grant(LAN)
    page.join("Giàng A Páo", APPROVER)
    page.office.add("Nguyễn Thị Lan", OFFICER, None, "console")
    return page


@pytest.fixture(scope="module")
def site(lived_in: Page) -> Iterator[str]:
    with served(lived_in) as address:
        yield address


def sign_in(tab: Any, site: str, name: str = LAN) -> None:
    tab.goto(site + "/dang-nhap")
    tab.get_by_label(name).check()
    tab.get_by_label("Mã PIN").fill(PIN)
    tab.get_by_role("button", name="Đăng nhập", exact=True).click()
    tab.wait_for_url(site + "/")


def wrong(tab: Any) -> list[str]:
    """Serious and critical findings of axe on the page as it stands."""
    response = axe.Axe().run(tab).response
    assert len(response["passes"]) > 10, "axe did not look at the page"
    return [
        f"{tab.url} {v['id']}: {v['nodes'][0]['html'][:120]}"
        for v in response["violations"]
        if v["impact"] in ("serious", "critical")
    ]


def looked_at(tab: Any, name: str) -> list[str]:
    """Everything that is wrong with what the tab shows."""
    if SHOTS is not None:
        tab.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    problems = wrong(tab)
    if tab.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        problems.append(f"{tab.url} is wider than its screen")
    if tab.evaluate("document.querySelectorAll('h1').length") != 1:
        problems.append(f"{tab.url} has not one heading")
    problems += [f"{tab.url} too small for a thumb: {one}" for one in tab.evaluate(SMALL_TARGETS)]
    problems += [f"{tab.url} lines too tight: {one}" for one in tab.evaluate(TIGHT_LINES)]
    return problems


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_every_screen_is_accessible_fits_and_has_room_for_a_thumb(
    chromium: Any, site: str, lived_in: Page, screen: str
) -> None:
    width, height = SCREENS[screen]
    context = chromium.new_context(viewport={"width": width, "height": height})
    tab = context.new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    problems = []
    for path in ("/dang-nhap", "/lan-dau"):
        tab.goto(site + path)
        problems += looked_at(tab, f"{path[1:]}-{screen}")
    sign_in(tab, site)
    series = lived_in.world.hub.series
    for name, path in {
        "hom-nay": "/", "ngay-mai": "/?ngay=1", "vi-sao": f"/phat/{DAY}/{series - 1}", "usb": "/usb",
        "tinh-trang": "/tinh-trang", "nguoi-dung": "/nguoi-dung", "toi": "/toi", "nhat-ky": "/nhat-ky",
        "khong-co": "/khong-co",
    }.items():  # fmt: skip
        tab.goto(site + path)
        problems += looked_at(tab, f"{name}-{screen}")
    assert not problems, "\n".join(problems)
    assert not [text for text in said if "404" not in text]
    context.close()


def test_the_menu_opens_on_a_telephone_without_scripts_and_leads_everywhere(chromium: Any, site: str) -> None:
    tab = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740}).new_page()
    sign_in(tab, site)
    menu = tab.get_by_role("navigation")
    assert not menu.is_visible()
    tab.get_by_role("link", name="Các trang").click()
    menu.wait_for()
    if SHOTS is not None:
        tab.screenshot(path=SHOTS / "menu-phone.png")
    names = [link.inner_text() for link in menu.get_by_role("link").all()]
    assert {"Hôm nay phát gì", "USB", "Tình trạng", "Người dùng", "Nhật ký"} <= {
        name.split("\n")[0].strip() for name in names
    }
    menu.get_by_role("link", name="Tình trạng").click()
    tab.get_by_role("heading", name="Tình trạng").wait_for()


def test_a_person_comes_from_a_code_to_a_signature_with_scripts_switched_off(chromium: Any) -> None:
    page = Page()
    page.world.run(60)
    page.join(LAN, OFFICER)
    page.grant(LAN)
    with served(page) as site:
        boss = chromium.new_context(java_script_enabled=False).new_page()
        sign_in(boss, site)
        boss.goto(site + "/nguoi-dung")
        boss.get_by_label("Họ và tên").fill("Giàng A Páo")
        boss.get_by_label("lãnh đạo xã").check()
        boss.get_by_role("button", name="Thêm và tạo mã").click()
        code = boss.locator(".code").inner_text()
        if SHOTS is not None:
            boss.screenshot(path=SHOTS / "ma.png", full_page=True)

        tab = chromium.new_context(
            java_script_enabled=False, viewport={"width": 360, "height": 740}
        ).new_page()
        tab.goto(site + "/dang-nhap")
        tab.get_by_role("link", name="Lần đầu").click()
        tab.get_by_label("Giàng A Páo").check()
        tab.get_by_label("Mã dùng một lần").fill(code)
        tab.get_by_label("Mã PIN của riêng bạn").fill("123456")
        tab.get_by_label("Nhập lại mã PIN").fill("123456")
        tab.get_by_role("button", name="Đặt mã PIN").click()
        tab.wait_for_load_state()
        assert "quá ngắn hoặc dễ đoán" in tab.inner_text("main")
        tab.get_by_label("Mã dùng một lần").fill(code)
        tab.get_by_label("Mã PIN của riêng bạn").fill(PIN)
        tab.get_by_label("Nhập lại mã PIN").fill(PIN)
        tab.get_by_role("button", name="Đặt mã PIN").click()
        tab.wait_for_load_state()
        assert "Sáu từ của khóa" in tab.inner_text("main")
        page.world.clock.pass_s(601)
        tab.get_by_role("button", name="Gửi lại lời xin quyền").click()
        tab.wait_for_load_state()
        assert "Nhập mã PIN để ký" in tab.inner_text("main")
        if SHOTS is not None:
            tab.screenshot(path=SHOTS / "pin-phone.png", full_page=True)
        tab.get_by_label("Mã PIN của Giàng A Páo").fill(PIN)
        tab.get_by_role("button", name="Ký và gửi").click()
        tab.wait_for_load_state()
        assert "Đã gửi lại lời xin quyền" in tab.inner_text("main")


def test_the_first_load_is_small_and_comes_from_here_alone(chromium: Any, site: str) -> None:
    tab = chromium.new_context().new_page()
    sign_in(tab, site)
    got: list[Any] = []
    fresh = chromium.new_context(storage_state=tab.context.storage_state()).new_page()
    fresh.on("response", lambda answer: got.append(answer))
    fresh.goto(site + "/", wait_until="networkidle")
    assert got
    assert all(answer.url.startswith(site) for answer in got)
    assert sum(len(answer.body()) for answer in got) < FIRST_LOAD_BYTES_MAX
