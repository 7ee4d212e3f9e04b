"""The USB page in a real browser with scripts switched off: a file goes in, the answer is downloaded.

Needs Chromium at /usr/bin/chromium and Playwright; skipped without them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from test_web_house import PASSWORDS, build
from test_web_machine import served
from test_web_usb import TU_LE, afar, away

from ledger.log import MemoryStore

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (group `e2e`)")

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")


@pytest.mark.parametrize("width", [360, 1366])
def test_a_stick_is_handed_in_and_answered_without_scripts(tmp_path: Path, width: int) -> None:
    house = build(f"ui-usb-{width}")
    station = afar(house)
    station.report(1)
    (tmp_path / "tram.loa").write_bytes(away(station))
    (tmp_path / "anh.loa").write_bytes(b"\x89PNG" + bytes(2_000))
    with served(house) as port, playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        try:
            context = browser.new_context(viewport={"width": width, "height": 740}, java_script_enabled=False)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{port}/dang-nhap?tiep=/tram")
            page.fill("input[name=account]", "bientap")
            page.fill("input[name=password]", PASSWORDS["bientap"])
            page.click("main button")
            page.click("text=Chuyển bằng USB")
            page.set_input_files("input[type=file]", tmp_path / "anh.loa")
            page.click("main button:has-text('Nhận')")
            assert "không có gói nào của Loa" in page.inner_text("main")
            page.set_input_files("input[type=file]", tmp_path / "tram.loa")
            page.click("main button:has-text('Nhận')")
            said = page.inner_text("main")
            assert "Có thư yêu cầu của Xã Tú Lệ" in " ".join(said.split())
            assert page.is_checked(f"input[value='{TU_LE}']")
            with page.expect_download() as fetched:
                page.click("main button:has-text('Tải thư trả lời')")
            assert fetched.value.suggested_filename == f"{TU_LE}.from-hub.loa"
            back = MemoryStore()
            back.write("back.loa", Path(fetched.value.path()).read_bytes())
        finally:
            browser.close()
    got = station.visit().receive(back)
    assert got.is_clean
    assert got.receipts
