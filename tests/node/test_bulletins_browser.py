"""The commune's bulletins in a real browser: recording with a microphone, and every page at both widths.

Chromium stands in a beep for the microphone (`--use-fake-device-for-media-stream`); everything after it is
real: MediaRecorder, the form, the station's store. Needs Chromium and Playwright; else skipped, and says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from page_world import PIN, Browser, Page
from station_world import DAY
from test_page_bulletins import a_wav
from werkzeug.serving import make_server

from ledger.content import sound_kind
from ledger.facts import calendar
from ledger.log import Blobs
from node.page import local_views
from node.page.bulletins import Bulletins
from node.web.bulletins import levels

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (group `e2e`)")

CHROMIUM = Path("/usr/bin/chromium")
# Where to leave pictures for a person to look at; none are taken when it is not set.
SHOTS = Path(os.environ["LOA_SHOTS"]) if "LOA_SHOTS" in os.environ else None
LAN_NAME = "tram.xa"  # no loopback name, so no secure context for a browser
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    f"--host-resolver-rules=MAP {LAN_NAME} 127.0.0.1",
]  # fmt: skip
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1366, "height": 768}
RECORDED_S = 3
FIRST_LOAD_BYTES_MAX = 60_000

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")


class Served:
    """A page of two people over HTTP at this machine, one request at a time."""

    def __init__(self) -> None:
        self.page = Page()
        self.page.world.run(60)
        self.lan = self.page.join("Nguyễn Thị Lan", "officer")
        self.pao = self.page.join("Giàng A Páo", "approver")
        for one in (self.lan, self.pao):
            self.page.grant(one.name)
        self.page.world.line.down = True
        self._server = make_server("127.0.0.1", 0, self.page.app, threaded=False)
        self.port = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()

    def sit(
        self, chromium: Any, who: Browser, size: dict[str, int], host: str = "127.0.0.1", **more: Any
    ) -> Any:
        """A browser in which somebody has signed in. host: the box itself, or as a telephone names it."""
        context = chromium.new_context(viewport=size, locale="vi-VN", **more)
        view = context.new_page()
        row = self.page.office.people.named(who.name)
        assert row is not None
        view.goto(f"http://{host}:{self.port}/dang-nhap?nguoi={row.id}")
        view.fill("#f-pin", PIN)
        if view.locator(f"input[name=person][value='{row.id}']").count():
            view.locator(f"input[name=person][value='{row.id}']").check()
        elif view.locator("select[name=person]").count():
            view.select_option("select[name=person]", str(row.id))
        view.locator("main button.btn").first.click()
        return view


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    found = Served()
    yield found
    found.stop()


def compose(view: Any, title: str, text: str = "") -> None:
    view.fill("#f-title", title)
    view.fill("#f-text", text)
    view.fill("#f-from", calendar.iso(DAY))
    view.fill("#f-until", calendar.iso(DAY + 9))


def test_what_is_recorded_in_the_browser_lies_on_the_card_and_is_heard_before_it_is_submitted(
    chromium: Any, served: Served
) -> None:
    view = served.sit(chromium, served.lan, PHONE)
    view.goto(f"http://127.0.0.1:{served.port}/ban-tin/moi")
    compose(view, "Ghi âm tại trạm")
    assert not view.locator("#rec-stop").is_visible()
    view.click("#rec-start")
    view.locator(f"#rec-told:has-text('0:0{RECORDED_S}')").wait_for()
    shot(view, "ban-tin-dang-ghi-360")
    view.click("#rec-stop")
    view.wait_for_selector("#rec-heard:visible")
    view.locator("form.f button.btn:has-text('Lưu bản nháp')").click()
    view.wait_for_selector("text=Đã lưu và ký bản nháp")
    (row,) = [one for one in local_views.rows(served.page.office) if one.title == "Ghi âm tại trạm"]
    page = local_views.page(served.page.office, bytes.fromhex(row.id))
    data = Blobs(served.page.world.station.store).read(bytes.fromhex(page.sound))
    media_type, duration_ms = sound_kind(data)
    assert media_type == page.media_type == ("audio/ogg" if levels() else "audio/webm")
    assert (RECORDED_S - 1) * 1000 < duration_ms < 60_000
    heard = view.evaluate(
        "() => new Promise((done, fail) => { const a = document.querySelector('main audio');"
        " a.muted = true; a.onerror = () => fail('no sound'); a.ontimeupdate = () => a.currentTime > 0.5"
        " && done(a.currentTime); a.play(); })"
    )
    assert heard > 0.5
    view.context.close()


def test_a_page_on_plain_http_over_the_network_offers_the_telephones_recorder_and_no_dead_button(
    chromium: Any, served: Served
) -> None:
    """A browser gives no microphone there; the box's own address, as in the test above, is the exception."""
    view = served.sit(chromium, served.lan, PHONE, host=LAN_NAME)
    view.goto(f"http://{LAN_NAME}:{served.port}/ban-tin/moi")
    assert not view.evaluate("window.isSecureContext")
    assert not view.locator("#recorder").is_visible()
    assert view.locator("#f-recorded[capture][accept='audio/*']").is_visible()
    view.context.close()


def test_everything_works_without_javascript(chromium: Any, served: Served) -> None:
    lan = served.sit(chromium, served.lan, PHONE, java_script_enabled=False)
    lan.goto(f"http://127.0.0.1:{served.port}/ban-tin/moi")
    assert not lan.locator("#recorder").is_visible()
    compose(lan, "Không có JavaScript", "UBND xã mời 45 hộ họp lúc 7h30 ngày 12/11 tại nhà văn hóa thôn 3.")
    lan.set_input_files("#f-sound", {"name": "tin.wav", "mimeType": "audio/wav", "buffer": a_wav(3)})
    lan.locator("form.f button.btn:has-text('Lưu bản nháp')").click()
    shot(lan, "ban-tin-nhap-360")
    lan.locator("button.btn:has-text('Gửi duyệt')").click()
    pao = served.sit(chromium, served.pao, DESK, java_script_enabled=False)
    pao.goto(f"http://127.0.0.1:{served.port}/duyet")
    shot(pao, "duyet-1366")
    pao.click("text=Không có JavaScript")
    shot(pao, "duyet-mot-1366")
    pao.locator("button.btn:has-text('Duyệt và ký')").click()
    pao.locator("text=Đã duyệt và ký").first.wait_for()
    lan.reload()
    lan.locator("input[name=day]").nth(1).check()
    lan.fill("#f-at", "17:00")
    shot(lan, "ban-tin-xep-lich-360")
    lan.locator("button.btn:has-text('Ký lịch phát')").click()
    lan.locator("text=Đã ký lịch phát").first.wait_for()
    (row,) = [one for one in local_views.rows(served.page.office) if one.title == "Không có JavaScript"]
    assert [one.state for one in row.series] == ["active"]
    lan.context.close()
    pao.context.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["360", "1366"])
def test_no_page_is_wider_than_the_screen_and_every_control_is_large_enough_for_a_thumb(
    chromium: Any, served: Served, size: dict[str, int]
) -> None:
    lan = served.sit(chromium, served.lan, size)
    name = a_returned_bulletin(served)
    sizes: dict[str, int] = {}
    lan.on("response", lambda answer: sizes.__setitem__(answer.url, len(answer.body())))
    errors: list[str] = []
    lan.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    for path in (
        "/ban-tin",
        "/ban-tin/moi",
        f"/ban-tin/{name}",
        f"/ban-tin/{name}/sua",
        "/duyet",
        f"/duyet/{name}",
    ):
        lan.goto(f"http://127.0.0.1:{served.port}{path}")
        shot(lan, f"{path.strip('/').replace('/', '-').replace(name, 'mot')}-{size['width']}")
        assert lan.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        small = lan.evaluate(
            "() => [...document.querySelectorAll('main button, main input:not([type=hidden])"
            ":not([type=checkbox]), main select, main textarea, main summary')]"
            ".filter((e) => e.offsetParent && e.offsetHeight < 44)"
            ".map((e) => e.outerHTML.slice(0, 80))"
        )
        assert small == [], path
    assert errors == []
    assert sum(sizes.values()) < 6 * FIRST_LOAD_BYTES_MAX
    assert max(sizes.values()) < FIRST_LOAD_BYTES_MAX
    lan.context.close()


def a_returned_bulletin(served: Served) -> str:
    """One with two versions, the second submitted, so that a difference is there to be seen."""
    found = [one for one in local_views.rows(served.page.office) if one.title.startswith("Lịch cắt điện")]
    if found:
        return found[0].id
    office = served.page.office
    people = {}
    for one in (served.lan, served.pao):
        row = office.people.named(one.name)
        assert row is not None
        person = office.person(office.login(row.id, PIN))
        assert person is not None
        people[one.name] = person
    lan, pao = people[served.lan.name], people[served.pao.name]
    desk = Bulletins(office)
    words = {"category": "thong-bao", "from_day": DAY, "until_day": DAY + 9}
    title = "Lịch cắt điện để sửa đường dây ở các thôn Nà Lóng, Búng Xổm, Pom Ban và khu trung tâm xã"
    name = desk.draft(
        lan, title=title, text="Cắt điện từ 7h00 đến 11h30 ngày 14/11. Mời bà con chú ý.", **words
    )  # type: ignore[arg-type]
    desk.submit(lan, name)
    desk.send_back(pao, name, "Giờ cắt điện sai: điện lực báo 8h00.")
    desk.revise(
        lan, name, version=1, title=title,
        text="Cắt điện từ 8h00 đến 11h30 ngày 14/11. Mời bà con chú ý an toàn.", **words,  # type: ignore[arg-type]
    )  # fmt: skip
    desk.submit(lan, name)
    return name.hex()


def shot(view: Any, name: str) -> None:
    if SHOTS is not None:
        view.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)
