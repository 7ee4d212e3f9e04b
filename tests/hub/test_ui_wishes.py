"""Granting a commune's key in a real browser, scripts switched off; accessible on both screens."""

from __future__ import annotations

from typing import Any

import pytest
from test_ui_browser import SCREENS, SHOTS, SMALL_TARGETS, TIGHT_LINES, chromium, pytestmark, sign_in, wrong
from test_web_house import PASSWORDS
from test_web_machine import served
from two_ends import Pair

__all__ = ["chromium", "pytestmark"]

MAI = "Lò Thị Mai"


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_an_administrator_compares_six_words_and_grants_with_one_button(chromium: Any, screen: str) -> None:
    pair = Pair(f"ui-wishes-{screen}")
    mai = pair.join(MAI, "officer")
    words = mai.text.split('class="words">')[1].split("<")[0]
    pair.sync()
    width, height = SCREENS[screen]
    with served(pair.house) as port:
        site = f"http://127.0.0.1:{port}"
        plain = chromium.new_context(java_script_enabled=False, viewport={"width": width, "height": height})
        desk = plain.new_page()
        sign_in(desk, site, "admin")
        desk.get_by_role("link", name="1 khóa ở xã chờ trao quyền").click()
        seen = chromium.new_context(viewport={"width": width, "height": height}).new_page()
        sign_in(seen, site, "admin")
        for step in ("list", "one"):
            if step == "one":
                desk.get_by_role("link", name=MAI).click()
                desk.wait_for_load_state()
                assert words in desk.inner_text("main")
            seen.goto(desk.url)
            assert not wrong(seen)
            assert not seen.evaluate(SMALL_TARGETS)
            assert not seen.evaluate(TIGHT_LINES)
            assert not seen.evaluate("document.documentElement.scrollWidth > window.innerWidth")
            if SHOTS is not None:
                desk.screenshot(path=SHOTS / f"wish-{step}-{screen}.png", full_page=True)
        desk.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["admin"])
        desk.get_by_role("button", name="Sáu từ khớp: trao quyền").click()
        desk.wait_for_load_state()
        assert f"Đã trao quyền cho {MAI}" in desk.inner_text("main")
    pair.sync()
    assert mai.get("/toi").says("xếp chương trình của xã")
