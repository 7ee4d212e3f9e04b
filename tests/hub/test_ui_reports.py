"""Reports in a real browser, scripts switched off: asked, read, printed; accessible on both screens."""

from __future__ import annotations

from typing import Any

import pytest
from test_ui_browser import SCREENS, SHOTS, SMALL_TARGETS, TIGHT_LINES, chromium, pytestmark, sign_in, wrong
from test_web_machine import served
from test_web_reports import lively

__all__ = ["chromium", "pytestmark"]


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_a_quarter_is_asked_for_read_and_downloaded_with_scripts_off(chromium: Any, screen: str) -> None:
    house = lively(f"ui-reports-{screen}")
    width, height = SCREENS[screen]
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        plain = chromium.new_context(java_script_enabled=False, viewport={"width": width, "height": height})
        desk = plain.new_page()
        sign_in(desk, site, "lanhdao")
        desk.get_by_role("link", name="Báo cáo").click()
        desk.get_by_label("Kỳ báo cáo").select_option("2022-q4")
        desk.get_by_role("button", name="Lập báo cáo").click()
        desk.wait_for_load_state()
        assert "01/10/2022 – 31/12/2022" in desk.inner_text("main")
        with desk.expect_download() as started:
            desk.get_by_role("link", name="Tải XLSX").click()
        assert started.value.suggested_filename.endswith(".xlsx")
        seen = chromium.new_context(viewport={"width": width, "height": height}).new_page()
        sign_in(seen, site, "lanhdao")
        for name, path in (
            ("report", "/bao-cao?ky=2022-q4"),
            ("report-print", "/bao-cao?ky=2022-q4&in=1"),
            ("report-ask", "/bao-cao"),
            ("report-wrong", "/bao-cao?ky=&tu=31/02/2022&den=x"),
        ):
            seen.goto(site + path)
            assert not wrong(seen)
            assert not seen.evaluate(SMALL_TARGETS)
            assert not seen.evaluate(TIGHT_LINES)
            assert not seen.evaluate("document.documentElement.scrollWidth > window.innerWidth")
            if SHOTS is not None:
                seen.screenshot(path=SHOTS / f"{name}-{screen}.png", full_page=True)
        if SHOTS is not None and screen == "office":
            seen.goto(site + "/bao-cao?ky=2022-q4&in=1")
            seen.pdf(path=SHOTS / "report.pdf", format="A4")
