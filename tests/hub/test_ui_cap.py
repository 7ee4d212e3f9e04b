"""A warning handed in as a file, in a real browser: with the keyboard alone, without scripts, at two widths.

Needs Chromium at /usr/bin/chromium, Playwright and axe; skipped without them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from test_web_cap import KEY, SENDER
from test_web_house import PASSWORDS, House, build
from test_web_machine import served

from hub.cap import senders
from ledger.log import CAP

sys.path.append(str(Path(__file__).parent.parent / "vectors"))
from vector_cap import WARNING, WORDS, changed

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (group `e2e`)")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe is not installed (group `e2e`)"
)

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")
FLAGS = ["--no-sandbox", "--disable-gpu"]


def files(folder: Path) -> tuple[Path, Path, Path]:
    """A warning, the signature beside it, and a file that is refused."""
    good, beside, bad = folder / "canh-bao.xml", folder / "canh-bao.xml.sig", folder / "hong.xml"
    good.write_text(WARNING, "utf-8")
    beside.write_text(KEY.sign(CAP, WARNING.encode()).hex() + "\n", "ascii")
    bad.write_text(changed(("<severity>Severe", "<severity>Very high")), "utf-8")
    return good, beside, bad


def signed_in(page: Any, port: int) -> None:
    page.goto(f"http://127.0.0.1:{port}/dang-nhap?tiep=/khan-cap")
    page.fill("input[name=account]", "lanhdao")
    page.fill("input[name=password]", PASSWORDS["lanhdao"])
    page.click("main button")
    page.click("text=Nhập cảnh báo CAP")


def wrong(page: Any) -> list[str]:
    """All findings of axe, and whether something sticks out of the screen."""
    response = axe.Axe().run(page).response
    assert len(response["passes"]) > 10, "axe did not look at the page"
    found = [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("the page is wider than the screen")
    return found


def look(page: Any, name: str, shots: Path | None) -> None:
    if shots is not None:
        page.screenshot(path=shots / f"{name}.png", full_page=True)


@pytest.mark.parametrize("width", [360, 1366])
def test_a_warning_is_read_and_carried_over_on_any_screen(tmp_path: Path, width: int) -> None:
    walk(build(f"ui-cap-{width}"), tmp_path, width, None)


def walk(house: House, folder: Path, width: int, shots: Path | None) -> None:
    good, beside, bad = files(folder)
    senders.trust(house.store, SENDER, "Đài Khí tượng Thủy văn Yên Bái", KEY.verify_key.raw)
    with served(house) as port, playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            page = browser.new_context(viewport={"width": width, "height": 740}).new_page()
            signed_in(page, port)
            problems = {"empty": wrong(page)}
            look(page, f"cap-empty-{width}", shots)
            page.set_input_files("input[name=file]", bad)
            page.click("main button:has-text('Đọc tệp')")
            problems["refused"] = wrong(page)
            look(page, f"cap-refused-{width}", shots)
            assert "alert/info/severity" in page.inner_text("main")
            page.set_input_files("input[name=file]", good)
            page.set_input_files("input[name=signature]", beside)
            page.click("main button:has-text('Đọc tệp')")
            problems["read"] = wrong(page)
            look(page, f"cap-read-{width}", shots)
            page.click("main button:has-text('Đưa vào mẫu lệnh khẩn cấp')")
            assert page.input_value("textarea[name=text]") == WORDS
            assert page.is_checked("input[name=mode][value=real]")
            look(page, f"cap-form-{width}", shots)
        finally:
            browser.close()
    assert {name: found for name, found in problems.items() if found} == {}


def test_without_scripts_and_without_a_mouse_the_form_is_filled_in_all_the_same(tmp_path: Path) -> None:
    house = build("ui-cap-keys")
    good, _, _ = files(tmp_path)
    with served(house) as port, playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        try:
            page = browser.new_context(java_script_enabled=False).new_page()
            signed_in(page, port)
            page.focus("input[name=file]")
            page.set_input_files("input[name=file]", good)
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.wait_for_selector("text=Đề nghị: lệnh thật")
            page.focus("select[name=territory]")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.wait_for_selector("textarea[name=text]")
            assert page.input_value("textarea[name=text]") == WORDS
        finally:
            browser.close()
    assert not house.hub.facts.emergencies


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    for wide in (360, 1366):
        with TemporaryDirectory() as folder:
            walk(build(f"ui-cap-{wide}"), Path(folder), wide, Path(sys.argv[1]))
