"""Writing in a real browser: with JavaScript files go in pieces over a line that breaks, without it the form
does the same; small and large screens, axe, the keyboard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_intake import PDF, png
from test_ui_browser import CHROMIUM, SCREENS, SHOTS, SMALL_TARGETS, TIGHT_LINES, axe, chromium, sign_in
from test_web_house import House, build, tone
from test_web_machine import served
from test_web_writing import TEXT, in_three, sample

from hub.web import create_app
from ledger.content import voice

__all__ = ["chromium"]

SAVED = re.compile(r"/ban-tin/[0-9a-f]{32}(#.*)?$")  # a browser keeps the place on the page over a redirect

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")


@pytest.fixture(scope="module")
def written() -> House:
    """A hub with a bulletin in three languages and two versions, and a sample."""
    house = build("ui-writing")
    house.app = create_app(house.hub, voice=voice())
    house.app.testing = True
    bulletin = in_three(house)
    editor = house.browser("bientap").get(f"/ban-tin/{bulletin}/sua")
    editor.press("", "draft", text=TEXT.replace("17h30", "18h"), _until="20/11/2022", keep_audio_tyz=[])
    sample(house)
    (row,) = house.hub.samples.rows()
    house.shelf.update(bulletin=bulletin, sample=row.id)
    return house


@pytest.fixture(scope="module")
def site(written: House) -> Iterator[str]:
    with served(written) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, data in (
        ("hop.wav", tone(20)),
        ("apphich.png", png()),
        ("torroi.pdf", PDF),
        ("hong.png", b"?"),
    ):
        (tmp_path / name).write_bytes(data)
    return tmp_path


def pages(house: House) -> list[str]:
    s = house.shelf
    return [
        "/ban-tin/moi", f"/ban-tin/moi?nhu={s['bulletin']}", f"/ban-tin/{s['bulletin']}",
        f"/ban-tin/{s['bulletin']}/sua", f"/ban-tin/{s['bulletin']}/ban", "/ban-tin/mau", "/ban-tin/mau/moi",
        f"/ban-tin/mau/{s['sample']}",
    ]  # fmt: skip


def looked_at(page: Any, name: str) -> None:
    """Nothing wide, small, tight, or that axe has something to say about."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert page.evaluate(SMALL_TARGETS) == [], name
    assert page.evaluate(TIGHT_LINES) == [], name
    found = axe.Axe().run(page)
    assert found.violations_count == 0, (name, found.generate_report())
    if SHOTS is not None:
        page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_of_writing_fits_and_axe_has_nothing_to_say(
    chromium: Any, written: House, site: str, screen: str
) -> None:
    width, height = SCREENS[screen]
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="vi-VN")
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    sign_in(page, site, "bientap")
    for n, path in enumerate(pages(written)):
        page.goto(site + path)
        looked_at(page, f"writing-{screen}-{n}")
    assert problems == []
    context.close()


def fill(page: Any, title: str) -> None:
    page.get_by_label("Tiêu đề").fill(title)
    page.get_by_label("Văn bản", exact=True).fill(TEXT)


def test_without_javascript_a_bulletin_in_two_languages_is_tried_out_and_saved(
    chromium: Any, written: House, site: str, files: Path
) -> None:
    context = chromium.new_context(
        viewport={"width": 360, "height": 740}, locale="vi-VN", java_script_enabled=False
    )
    page = context.new_page()
    sign_in(page, site, "bientap")
    page.goto(site + "/ban-tin/moi")
    fill(page, "Không cần JavaScript")
    page.get_by_label("Tệp âm thanh", exact=True).set_input_files(files / "hop.wav")
    page.get_by_label("Thêm một thứ tiếng").select_option("tyz")
    page.get_by_role("button", name="Thêm tiếng này").click()
    page.get_by_text("hop.wav").wait_for()
    page.get_by_label("Văn bản (tiếng Tày)").fill("Chăng chin kin khẩu.")
    page.get_by_label("Nghe máy đọc và xem bảng tin").select_option("16x2")
    page.get_by_role("button", name="Nghe thử, xem thử").click()
    page.get_by_text("Đọc thành:").wait_for()
    assert page.locator("pre.panel").count() > 2
    if SHOTS is not None:
        page.screenshot(path=str(SHOTS / "writing-tried-phone.png"), full_page=True)
    page.get_by_role("button", name="Lưu nháp").click()
    page.wait_for_url(SAVED)
    found = written.hub.queries.bulletin(page.url.rsplit("/", 1)[1][:32])
    assert [(one.kind, one.language) for one in found.renditions] == [
        ("audio", "vi"), ("board-text", "vi"), ("board-text", "tyz"),
    ]  # fmt: skip
    context.close()


def test_with_javascript_a_cut_line_costs_one_piece_and_what_is_saved_is_the_file(
    chromium: Any, written: House, site: str, files: Path
) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="vi-VN")
    page = context.new_page()
    sign_in(page, site, "bientap")
    page.goto(site + "/ban-tin/moi")
    cuts: list[str] = []
    sent: list[str] = []

    def line(route: Any) -> None:
        url = route.request.url
        if url.endswith("/131072") and len(cuts) < 2:
            cuts.append(url)
            route.abort("connectionreset")
        else:
            sent.append(f"{route.request.method} {url.rsplit('/', 1)[1]}")
            route.continue_()

    page.route("**/tep-gui/**", line)
    fill(page, "Từng mẩu một")
    page.get_by_label("Tệp âm thanh", exact=True).set_input_files(files / "hop.wav")
    page.get_by_role("button", name="Lưu nháp").click()  # while it is under way: it is saved when it is there
    page.wait_for_url(SAVED)
    assert len(cuts) == 2
    assert sent.count("POST 0") == 1  # nothing that had arrived was sent again
    assert sent[-1] == "POST xong"
    found = written.hub.queries.bulletin(page.url.rsplit("/", 1)[1][:32])
    assert written.hub.blobs.read(bytes.fromhex(found.audio_sha256)) == tone(20)
    context.close()


def test_with_javascript_a_file_that_cannot_be_used_is_said_so_at_its_field_at_once(
    chromium: Any, site: str, files: Path
) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="vi-VN")
    page = context.new_page()
    sign_in(page, site, "bientap")
    page.goto(site + "/ban-tin/moi")
    page.get_by_text("Ảnh cho bảng tin, tài liệu kèm").click()
    page.get_by_label("Ảnh hiện trên bảng tin").set_input_files(files / "hong.png")
    page.get_by_text("Đây không phải ảnh PNG, JPEG hay WebP.").wait_for()
    page.get_by_label("Ảnh hiện trên bảng tin").set_input_files(files / "apphich.png")
    page.get_by_text("✓ Đã nhận apphich.png").wait_for()
    page.get_by_label("Tài liệu kèm", exact=True).set_input_files(files / "torroi.pdf")
    page.get_by_text("✓ Đã nhận torroi.pdf").wait_for()
    looked_at(page, "writing-phone-handed")
    assert page.locator("[name=up_picture]").count() == 1
    context.close()


def test_by_keyboard_alone_the_machine_is_heard_and_the_bulletin_sent_on(
    chromium: Any, written: House, site: str
) -> None:
    if voice() is None:
        pytest.skip("espeak-ng is not installed")
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, locale="vi-VN")
    page = context.new_page()
    sign_in(page, site, "bientap")
    page.goto(site + "/ban-tin/moi")
    fill(page, "Bằng bàn phím")
    page.get_by_role("button", name="Lưu và gửi duyệt").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Đã lưu nháp nhưng").wait_for()
    looked_at(page, "writing-unheard")
    bulletin = page.url.rsplit("/", 1)[1][:32]
    sound = page.locator("audio")
    with page.expect_response(lambda told: told.url.endswith("/doc") and told.ok):
        sound.focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Gửi duyệt", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_text("Đã gửi duyệt.").wait_for()
    assert written.hub.queries.bulletin(bulletin).row.state == "submitted"
    context.close()
