"""Approving many and scheduling in a real browser: scripts off, keyboard alone, both screens; axe has nothing
to say on the steps that only a press leads to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from test_ui_browser import CHROMIUM, SCREENS, SHOTS, SMALL_TARGETS, TIGHT_LINES, chromium, sign_in, wrong
from test_web_house import PASSWORDS, House, approve, build
from test_web_machine import enrol, served

__all__ = ["chromium"]

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")


@pytest.fixture
def waiting() -> House:
    """Three bulletins wait, two of them with a time; one plays at that time already."""
    house = build("ui-plan")
    enrol(house, "vn.yb.04630").sync()
    house.hub.tick()
    editor = house.browser("bientap")
    first = editor.draft("Họp dân", _until="2022-12-31")
    approve(house, first).plan(first, _from="09/11/2022", _until="30/11/2022", at="17:00")
    for title, clock in (("Tiêm phòng", "17:00"), ("Cắt điện", "17:20"), ("Thu phí", "")):
        made = editor.draft(title)
        if clock:
            editor.get(f"/ban-tin/{made}/xep-lich").press("/xep-lich", at=clock).press("/de-nghi")
    house.shelf["approved"] = first
    return house


@pytest.fixture
def site(waiting: House) -> Iterator[str]:
    with served(waiting) as port:
        yield f"http://127.0.0.1:{port}"


def looked_at(page: Any, name: str, screen: str) -> None:
    if SHOTS is not None:
        page.screenshot(path=SHOTS / f"{name}-{screen}.png", full_page=True)
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), name
    assert not page.evaluate(SMALL_TARGETS), name
    assert not page.evaluate(TIGHT_LINES), name
    assert not wrong(page), name


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_each_step_of_approving_many_and_of_scheduling_fits_and_is_accessible(
    chromium: Any, site: str, waiting: House, screen: str
) -> None:
    width, height = SCREENS[screen]
    page = chromium.new_context(viewport={"width": width, "height": height}).new_page()
    sign_in(page, site, "lanhdao")
    page.goto(site + "/cho-duyet")
    looked_at(page, "queue", screen)
    page.get_by_role("button", name="Chọn cả 3 bản").click()
    assert "3 bản tin, 0 phút 6 giây, 4 trạm" in page.inner_text("main")
    looked_at(page, "queue-confirm", screen)
    page.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["lanhdao"])
    page.get_by_role("button", name="Duyệt 3 bản tin").click()
    assert "Đã duyệt và ký 3 trong 3 bản tin; 2 lịch phát đã ký." in page.inner_text("main")
    looked_at(page, "queue-done", screen)
    page.goto(f"{site}/ban-tin/{waiting.shelf['approved']}/xep-lich")
    looked_at(page, "plan-form", screen)
    page.get_by_role("button", name="Tiếp: xem trạm nào nghe").click()
    looked_at(page, "plan-check", screen)


def test_many_are_approved_with_scripts_switched_off(chromium: Any, site: str, waiting: House) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    sign_in(page, site, "lanhdao")
    page.goto(site + "/cho-duyet")
    page.get_by_label("Chọn Tiêm phòng").check()
    page.get_by_label("Chọn Thu phí").check()
    page.get_by_role("button", name="Xem lại những bản đã đánh dấu").click()
    page.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["lanhdao"])
    page.get_by_role("button", name="Duyệt 2 bản tin").click()
    assert "Đã duyệt và ký 2 trong 2 bản tin" in page.inner_text("main")
    left = [row.title for row in waiting.hub.queries.queue()]
    assert left == ["Cắt điện"]


def test_a_rule_is_filled_in_and_signed_by_keyboard_alone(chromium: Any, site: str, waiting: House) -> None:
    """From the first field to the signature with Tab, Space and Enter."""
    page = chromium.new_context().new_page()
    sign_in(page, site, "lanhdao")
    page.goto(f"{site}/ban-tin/{waiting.shelf['approved']}/xep-lich")
    keyboard = page.keyboard

    def reach(selector: str) -> None:
        for _ in range(80):
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            keyboard.press("Tab")
        raise AssertionError(f"{selector} is not reached by Tab")

    for day in range(5):
        reach(f"input[name=weekdays][value='{day}']")
        keyboard.press("Space")
    reach("#f-at")
    keyboard.press("Control+a")
    keyboard.type("06:30")
    reach("main button.btn")
    keyboard.press("Enter")
    page.wait_for_selector("#f-password")
    assert "Thứ Bảy 12/11/2022" in page.inner_text("ol.dates")
    reach("#f-password")
    keyboard.type(PASSWORDS["lanhdao"])
    keyboard.press("Enter")
    page.wait_for_url("**/lich/*")
    days = waiting.hub.queries.all_series()[0].days
    assert {(day + 3) % 7 for day in days} == {5, 6}
