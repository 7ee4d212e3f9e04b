"""Sự cố in a real browser, scripts switched off: seen on the first page, read, acknowledged; both screens."""

from __future__ import annotations

from typing import Any

import pytest
from test_ui_browser import SCREENS, SHOTS, SMALL_TARGETS, TIGHT_LINES, chromium, pytestmark, sign_in, wrong
from test_web_alerts import outage
from test_web_machine import served

__all__ = ["chromium", "pytestmark"]


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_an_outage_is_found_from_the_first_page_and_acknowledged_with_scripts_off(
    chromium: Any, screen: str
) -> None:
    house = outage(f"ui-alerts-{screen}")
    house.hub.alarms.ways = ("mail",)
    house.hub.alarms.look(house.clock[0] + 700)
    width, height = SCREENS[screen]
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        plain = chromium.new_context(java_script_enabled=False, viewport={"width": width, "height": height})
        desk = plain.new_page()
        sign_in(desk, site, "lanhdao")
        seen = chromium.new_context(viewport={"width": width, "height": height}).new_page()
        sign_in(seen, site, "admin")

        def look(name: str) -> None:
            seen.goto(desk.url)
            assert not wrong(seen)
            assert not seen.evaluate(SMALL_TARGETS)
            assert not seen.evaluate(TIGHT_LINES)
            assert not seen.evaluate("document.documentElement.scrollWidth > window.innerWidth")
            if SHOTS is not None:
                seen.screenshot(path=SHOTS / f"{name}-{screen}.png", full_page=True)

        desk.get_by_role("link", name="1 sự cố chưa ai ghi nhận").click()
        desk.wait_for_load_state()
        look("alerts")
        desk.get_by_role("link", name="Lỡ buổi phát: mất điện").click()
        desk.wait_for_load_state()
        look("alert")
        desk.get_by_label("Ghi chú cho người khác").fill("EVN cắt điện tới 20:00")
        desk.get_by_role("button", name="Tôi đã biết").click()
        desk.wait_for_load_state()
        assert "Giàng A Páo đã biết" in desk.inner_text("main")
        look("alerts-known")
