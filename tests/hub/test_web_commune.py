"""What the province's pages show of a commune's own bulletin: signatures and results, not the content."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest
from hub_house import DAY, PASSWORDS, TU_LE, House
from test_commune_bulletins import NINE, Commune
from test_web_house import Browser
from werkzeug.serving import make_server

from hub.web import create_app

SHOTS = Path(os.environ["LOA_SHOTS"]) if "LOA_SHOTS" in os.environ else None
CHROMIUM = Path("/usr/bin/chromium")
HERE = "Nội dung ở trạm"


class Seen:
    """A hub with one approved and played bulletin of Tú Lệ, and one that waits there."""

    def __init__(self) -> None:
        self.house = House()
        self.commune = commune = Commune(self.house)
        self.bulletin = commune.approved("Lịch tiêm phòng của xã")
        lan = commune.who("Lan")
        self.series = commune.desk.schedule(lan, self.bulletin, days=[DAY, DAY + 1], minute=NINE)
        self.waiting = commune.desk.draft(
            lan, title="Họp thôn", category="thong-bao", text="Tối mai.", from_day=DAY, until_day=DAY
        )
        commune.desk.submit(lan, self.waiting)
        commune.run_to(NINE + 40, DAY)
        self.app = create_app(self.house.hub)
        self.app.testing = True

    def browser(self, account: str) -> Browser:
        return Browser(self.app.test_client()).sign_in(account, PASSWORDS[account])


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


def test_a_communes_bulletin_is_listed_as_such_and_its_content_is_said_to_be_at_the_station(
    seen: Seen,
) -> None:
    editor = seen.browser("bientap").get("/ban-tin")
    assert "bản tin của xã" in editor.words
    assert "nội dung ở trạm" in editor.words
    editor.get(f"/ban-tin/{seen.bulletin.hex()}")
    assert editor.status == 200
    assert HERE in editor.words
    assert "xã tự soạn, tự duyệt" in editor.words
    assert f"Pao {TU_LE}" in editor.words
    for action in ("/gui", "/sua"):
        assert not editor.has_form(action)
    assert "Xếp lịch phát" not in editor.words
    assert "Sửa thành bản mới" not in editor.words


def test_what_waits_at_a_commune_is_in_no_queue_of_the_province_and_shows_no_approval(seen: Seen) -> None:
    approver = seen.browser("lanhdao").get("/cho-duyet")
    assert "Họp thôn" not in approver.words
    approver.get(f"/ban-tin/{seen.waiting.hex()}")
    assert "Đọc và duyệt" not in approver.words
    approver.get(f"/cho-duyet/{seen.waiting.hex()}")
    assert approver.path == f"/ban-tin/{seen.waiting.hex()}"


def test_the_week_and_the_as_run_show_it_with_its_title(seen: Seen) -> None:
    editor = seen.browser("bientap").get(f"/lich/{seen.series}?xa={TU_LE}")
    assert "Lịch tiêm phòng của xã" in editor.words
    editor.get(f"/tram/{TU_LE}")
    assert "Lịch tiêm phòng của xã" in editor.words


@pytest.mark.skipif(SHOTS is None or not CHROMIUM.exists(), reason="pictures are taken when LOA_SHOTS is set")
def test_pictures_of_it(seen: Seen) -> None:
    from playwright.sync_api import sync_playwright

    server = make_server("127.0.0.1", 0, seen.app, threaded=False)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for width in (360, 1366):
            view = chromium.new_page(viewport={"width": width, "height": 740}, locale="vi-VN")
            view.goto(f"http://127.0.0.1:{server.server_port}/dang-nhap")
            view.fill("[name=account]", "lanhdao")
            view.fill("[name=password]", PASSWORDS["lanhdao"])
            view.locator("main form button").first.click()
            for name, path in (("danh-sach", "/ban-tin"), ("mot", f"/ban-tin/{seen.bulletin.hex()}")):
                view.goto(f"http://127.0.0.1:{server.server_port}{path}")
                assert view.evaluate("document.documentElement.scrollWidth") <= width
                view.screenshot(path=str(SHOTS / f"tinh-{name}-{width}.png"), full_page=True)  # type: ignore[operator]
        chromium.close()
    server.shutdown()
    thread.join()


def test_the_province_withdraws_it_on_its_page(seen: Seen) -> None:
    approver = seen.browser("lanhdao").get(f"/ban-tin/{seen.bulletin.hex()}")
    approver.press("/thu-hoi", reason="Sai ngày")
    assert "Đã thu hồi" in approver.words or "thu hồi" in approver.words
    assert seen.house.hub.queries.bulletin(seen.bulletin.hex()).row.state == "withdrawn"
    seen.commune.run(3_600)
    assert seen.commune.desk.life(seen.bulletin).state == "withdrawn"
