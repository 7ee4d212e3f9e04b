"""Rule 17 on the glass: a board's page in a real browser, with the network there and with the network gone.

Needs Chromium at /usr/bin/chromium and Playwright; without them every test here is skipped and says so. The
browser's clock is turned by the test, so an hour without a network takes no hour.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from board_screen import Screened, post
from station_world import APPROVER, DAY, World
from test_board import reports

from ledger.facts import Cancelled, EmergencyOrdered, Outcome, at

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (group `e2e`)")

CHROMIUM = Path("/usr/bin/chromium")
# Where to leave pictures for a person to look at; none are taken when it is not set.
SHOTS = Path(os.environ["LOA_SHOTS"]) if "LOA_SHOTS" in os.environ else None
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
WALL = {"width": 1920, "height": 1080}
PANEL = {"width": 192, "height": 96}
NOTICE = "Trạm y tế xã Tú Lệ tiêm vắc-xin sởi cho trẻ từ 9 tháng tuổi.\nThời gian: 7 giờ 30, thứ Sáu 11/11."
LONG = "\n".join(
    f"Thôn {n}: họp dân lúc {7 + n % 12} giờ tại nhà văn hóa, mang theo căn cước." for n in range(1, 22)
)

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def screen() -> Iterator[Screened]:
    found = Screened()
    yield found
    found.stop()


def picture(width: int = 64, height: int = 32) -> bytes:
    """A real PNG: two halves."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + b"\xff\xd9\x4a" * (width // 2) + b"\x10\x40\x90" * (width - width // 2)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(row * height)), chunk(b"IEND", b""))
    )


class Glass:
    """One page on one screen."""

    def __init__(self, chromium: Any, screen: Screened, size: dict[str, int] = WALL, **options: Any) -> None:
        self.context = chromium.new_context(viewport=size, **options)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        if options.get("java_script_enabled", True):
            self.page.clock.install(time=screen.world.clock.utc_s)
        self.url = f"http://127.0.0.1:{screen.port}/board/km5"
        self.page.goto(self.url)

    def words(self) -> str:
        found = self.page.locator("#words p")
        return "\n".join(found.all_text_contents())

    def wait(self, condition: Callable[[], bool], tries: int = 200) -> None:
        """Lets the page's clock go on until this holds."""
        for _ in range(tries):
            if condition():
                return
            self.page.clock.run_for(500)
            self.page.wait_for_timeout(20)
        raise AssertionError(f"never came true; on the glass: {self.words()!r} {self.errors}")

    def wait_for_words(self, words: str) -> None:
        self.wait(lambda: self.words() == words)

    def seen_in(self, seconds: float) -> set[str]:
        """Everything that stands on the glass at any moment of the next so many seconds."""
        found = set()
        for _ in range(int(seconds * 2)):
            self.page.clock.run_for(500)
            found.add(self.words())
        return found

    def overflow(self) -> tuple[bool, bool]:
        """(wider than the screen, higher)."""
        return tuple(  # type: ignore[return-value]
            self.page.evaluate(
                "() => { const b = document.getElementById('box'), w = document.getElementById('words');"
                " return [w.scrollWidth > w.clientWidth, b.scrollHeight > b.clientHeight]; }"
            )
        )

    def shot(self, name: str) -> None:
        if SHOTS is not None:
            self.page.screenshot(path=str(SHOTS / f"board-{name}.png"))


@pytest.fixture
def look(chromium: Any, screen: Screened) -> Iterator[Callable[..., Glass]]:
    opened: list[Glass] = []

    def at_it(size: dict[str, int] = WALL, **options: Any) -> Glass:
        opened.append(Glass(chromium, screen, size, **options))
        return opened[-1]

    yield at_it
    for glass in opened:
        assert glass.errors == []
        glass.context.close()


def begin(screen: Screened) -> None:
    screen.run(120)
    screen.serve()


def order(screen: Screened, *, drill: bool, life_s: int = 3_600) -> None:
    world = screen.world
    with screen.lock:
        world.hub.series += 1
        start = world.hub.ts
        world.hub.sign(
            APPROVER,
            EmergencyOrdered(
                start, world.hub.series, "lu-quet", 3, drill, world.hub.content(20),
                "Lũ quét trên suối Ngòi Hút. Người dân thôn 3 và thôn 5 lên nhà văn hóa ngay.",
                "vn.yb", start,
                start + life_s, 1,
            ),
        )  # fmt: skip
    screen.run(90)


# -- shown and told ------------------------------------------------------------------------------------------


def test_an_approved_text_stands_on_the_glass_and_its_hash_comes_back(
    screen: Screened, look: Callable[..., Glass]
) -> None:
    post(screen.world, NOTICE)
    begin(screen)
    glass = look()
    glass.wait_for_words(NOTICE)
    glass.wait(lambda: screen.ask(lambda o: o.station.boards.shown_today_s("km5", o.now())) >= 1)
    glass.shot("notice-1920")
    screen.run(120)
    (told,) = reports(screen.world)
    assert (told.shown, Outcome(told.outcome)) == (sha256(NOTICE.encode()).digest(), Outcome.PLAYED)


@pytest.mark.parametrize("length", [1, 54, 55, 56, 63, 64, 65, 119, 120, 128, 1_000])
def test_the_pages_own_hash_is_sha256_at_every_edge_of_a_block(
    screen: Screened, look: Callable[..., Glass], length: int
) -> None:
    words = "đ" * (length // 2) + "a" * (length % 2)
    assert len(words.encode()) == length
    post(screen.world, words)
    begin(screen)
    glass = look()
    glass.wait_for_words(words)


def test_an_image_is_hashed_as_the_file_it_is(screen: Screened, look: Callable[..., Glass]) -> None:
    image = picture()
    post(screen.world, NOTICE, image=image)
    begin(screen)
    glass = look()
    glass.wait(lambda: glass.page.locator("#picture").count() == 1)
    assert glass.page.evaluate("() => document.getElementById('picture').naturalWidth") == 64
    glass.wait(lambda: glass.page.locator("#words").count() == 1)
    glass.wait(lambda: glass.page.locator("#picture").count() == 1)
    glass.shot("image-1920")
    screen.run(30)
    glass.page.clock.run_for(20_000)
    glass.page.wait_for_timeout(300)
    screen.run(120)
    assert {one.shown for one in reports(screen.world)} == {
        sha256(image).digest(), sha256(NOTICE.encode()).digest()
    }  # fmt: skip


def test_words_that_are_not_what_was_approved_are_never_put_up(
    screen: Screened, look: Callable[..., Glass]
) -> None:
    post(screen.world, NOTICE)
    begin(screen)
    glass = look()
    glass.wait_for_words(NOTICE)
    glass.page.route(
        "**/now", lambda route: route.fulfill(
            response=(answer := route.fetch()), body=answer.text().replace("9 th", "6 th")
        ),
    )  # fmt: skip
    glass.page.reload()
    assert NOTICE.replace("9 th", "6 th") not in glass.seen_in(10)
    assert glass.words() == ""


def test_a_station_that_started_again_is_told_again(screen: Screened, look: Callable[..., Glass]) -> None:
    post(screen.world, NOTICE)
    begin(screen)
    glass = look()
    glass.wait(lambda: screen.ask(lambda o: o.station.boards.shown_today_s("km5", o.now())) >= 1)
    screen.stop()
    screen.app = screen.make_app()  # another secret: the token of before is worth nothing
    before = screen.ask(lambda o: o.station.boards.shown_today_s("km5", o.now()))
    screen.serve()
    screen.run(60)
    glass.wait(lambda: screen.ask(lambda o: o.station.boards.shown_today_s("km5", o.now())) > before)


# -- an emergency --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("drill", "head"), [(False, "KHẨN CẤP"), (True, "DIỄN TẬP")])
def test_an_emergency_takes_the_glass_at_once_and_says_whether_it_is_real(
    screen: Screened, look: Callable[..., Glass], drill: bool, head: str
) -> None:
    post(screen.world, NOTICE)
    begin(screen)
    glass = look()
    glass.wait_for_words(NOTICE)
    order(screen, drill=drill)
    glass.wait(lambda: glass.words().startswith(head + "\n"))
    assert glass.page.evaluate("() => document.body.className") == ("drill" if drill else "alarm")
    assert all(words.startswith(head) for words in glass.seen_in(30))
    assert glass.overflow() == (False, False)
    glass.shot(f"{'drill' if drill else 'alarm'}-1920")
    small = look(PANEL)
    small.wait(lambda: small.words().startswith(head))
    small.shot(f"{'drill' if drill else 'alarm'}-192")


# -- the network goes ----------------------------------------------------------------------------------------


def test_with_the_network_gone_what_is_valid_stays_and_what_expires_is_taken_down(
    chromium: Any,
) -> None:
    screen = Screened(World(boards=("km5",), sync_period_s=60, utc_s=at(DAY, 23 * 60 + 55)))
    post(screen.world, "Hết hôm nay", bulletin=b"1" * 16, days=0)
    post(screen.world, NOTICE, bulletin=b"2" * 16, days=1)
    begin(screen)  # two minutes later: three are left of the day
    glass = Glass(chromium, screen)
    assert {"Hết hôm nay", NOTICE} <= glass.seen_in(60)
    screen.stop()
    assert "Hết hôm nay" in glass.seen_in(60), "still valid, and nobody answers"
    glass.page.clock.run_for(121_000)  # and now the three minutes are over
    assert glass.seen_in(60) == {NOTICE}
    assert glass.page.locator("#link").is_visible()
    glass.shot("network-gone-1920")
    glass.page.clock.fast_forward(86_400_000)  # a day, or a computer that slept for one
    assert glass.seen_in(10) == {""}
    assert glass.page.evaluate("() => document.body.className") == "empty"
    glass.shot("network-gone-expired-1920")
    assert glass.errors == []
    screen.serve()
    glass.wait_for_words("Hết hôm nay")
    screen.stop()
    glass.context.close()


def test_an_emergency_ends_by_itself_with_the_network_gone(
    screen: Screened, look: Callable[..., Glass]
) -> None:
    begin(screen)
    order(screen, drill=False, life_s=600)
    glass = look()
    glass.wait(lambda: glass.words().startswith("KHẨN CẤP"))
    screen.stop()
    left_s = 600 - 90
    glass.page.clock.run_for((left_s - 60) * 1000)
    assert glass.words().startswith("KHẨN CẤP")
    glass.page.clock.run_for(61_000)
    assert glass.words() == ""
    screen.serve()


def test_a_withdrawn_notice_leaves_the_glass_with_the_next_question(
    screen: Screened, look: Callable[..., Glass]
) -> None:
    post(screen.world, NOTICE)
    begin(screen)
    glass = look()
    glass.wait_for_words(NOTICE)
    with screen.lock:
        screen.world.hub.sign(APPROVER, Cancelled(screen.world.hub.ts, 0, b"B" * 16, None, "vn.yb", "sai"))
    screen.run(90)
    glass.wait_for_words("")
    glass.shot("empty-1920")


def test_a_clock_that_jumps_takes_down_too_early_rather_than_too_late(
    screen: Screened, look: Callable[..., Glass]
) -> None:
    begin(screen)
    order(screen, drill=False, life_s=3_600)
    glass = look()
    glass.wait(lambda: glass.words().startswith("KHẨN CẤP"))
    screen.stop()
    glass.page.clock.set_system_time(screen.world.clock.utc_s + 7_200)  # the wall clock alone
    glass.wait_for_words("")
    screen.serve()


# -- it fits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "name"), [(WALL, "1920"), (PANEL, "192"), ({"width": 360, "height": 640}, "360")]
)
def test_words_are_as_large_as_the_screen_allows(
    screen: Screened, look: Callable[..., Glass], size: dict[str, int], name: str
) -> None:
    post(screen.world, "Họp dân 19 giờ")
    begin(screen)
    glass = look(size)
    glass.wait_for_words("Họp dân 19 giờ")
    assert glass.overflow() == (False, False)
    used = glass.page.evaluate(
        "() => { const w = document.getElementById('words'), b = document.getElementById('box');"
        " const high = [...w.children].reduce((sum, p) => sum + p.getBoundingClientRect().height, 0);"
        " w.style.fontSize = (parseFloat(w.style.fontSize) + 2) + 'px';"
        " const over = w.scrollWidth > w.clientWidth || b.scrollHeight > b.clientHeight;"
        " w.style.fontSize = (parseFloat(w.style.fontSize) - 2) + 'px';"
        " return [high / b.clientHeight, over]; }"
    )
    assert used[1], "two pixels more would not fit"
    glass.shot(f"short-{name}")


def test_what_is_too_long_for_a_small_panel_is_turned_page_by_page_to_its_end(
    screen: Screened, look: Callable[..., Glass]
) -> None:
    post(screen.world, LONG)
    begin(screen)
    wall = look()
    wall.wait_for_words(LONG)
    assert wall.overflow() == (False, False)
    wall.shot("long-1920")
    panel = look(PANEL)
    panel.wait_for_words(LONG)
    assert panel.overflow() == (False, True)
    panel.shot("long-192")
    at_end = (
        "() => { const b = document.getElementById('box');"
        " return b.scrollTop + b.clientHeight >= b.scrollHeight - 1; }"
    )
    panel.wait(lambda: bool(panel.page.evaluate(at_end)), tries=1_000)
    panel.shot("long-192-end")


# -- without scripts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "name"), [(WALL, "1920"), (PANEL, "192")])
def test_without_javascript_the_words_stand_there_and_the_page_comes_anew(
    screen: Screened, look: Callable[..., Glass], size: dict[str, int], name: str
) -> None:
    post(screen.world, NOTICE)
    begin(screen)
    glass = look(size, java_script_enabled=False)
    assert glass.words() == NOTICE
    assert glass.page.locator('noscript meta[http-equiv="refresh"], meta[http-equiv="refresh"]').count() == 1
    glass.shot(f"noscript-{name}")
    screen.run(60)
    assert reports(screen.world) == [], "a page that computes nothing proves nothing"
