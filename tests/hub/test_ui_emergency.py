"""An emergency in a real browser: from the first page to the air by keyboard alone, with and without scripts.

Key presses are counted, not seconds: what is typed is a password (and, for the real thing, two words); every
other press is counted here, so that a change that costs the person on duty more of them is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from test_ui_browser import CHROMIUM, FLAGS, SCREENS, SHOTS, playwright, sign_in, wrong
from test_web_emergency import WORD, with_two
from test_web_house import PASSWORDS, House
from test_web_machine import enrol, served

from hub.emergencies import WAIT_S
from ledger.facts import Outcome

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")

KEYS_DRILL = 4  # Alt+K, Alt+1, Alt+T, then the password and Enter: nothing else
KEYS_REAL = 6  # Alt+R for the real thing, and Tab from the typed word to the password


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


class Hands:
    """A person with a keyboard and no mouse; `pressed` counts presses, `typed` what was written."""

    def __init__(self, page: Any) -> None:
        self.page, self.pressed, self.typed = page, 0, 0

    def press(self, keys: str) -> None:
        """One press; `Alt+x` as a keyboard sends it, with the letter that an access key is looked up by."""
        self.pressed += 1
        self.page.bring_to_front()  # a keyboard is one window's: a press never goes to the one behind
        if not keys.startswith("Alt+"):
            self.page.keyboard.press(keys)
            return
        letter = keys[-1]
        wire = self.page.context.new_cdp_session(self.page)
        code = ord(letter.upper())
        said = {"key": letter, "modifiers": 1, "unmodifiedText": letter, "windowsVirtualKeyCode": code}
        wire.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **said})
        wire.send("Input.dispatchKeyEvent", {"type": "char", "text": letter, **said})

    def go(self, keys: str, to: str) -> None:
        """A press that leads to another page."""
        with self.page.expect_navigation(url=to):
            self.press(keys)

    def write(self, words: str) -> None:
        self.page.keyboard.type(words)
        self.typed += len(words)

    @property
    def at(self) -> str:
        """The name of the control that has the focus."""
        return str(self.page.evaluate("document.activeElement.name || document.activeElement.id"))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_drill_is_on_the_air_by_keyboard_alone(chromium: Any, scripts: bool) -> None:
    house = with_two(f"keys-drill-{scripts}")
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        page = chromium.new_context(java_script_enabled=scripts).new_page()
        sign_in(page, site, "lanhdao")
        hands = Hands(page)
        hands.go("Alt+k", "**/khan-cap")
        hands.go("Alt+1", "**/khan-cap?mau=*")
        hands.go("Alt+t", "**/khan-cap")
        if scripts:
            assert hands.at == "password", "the cursor stands where one types"
        hands.write(PASSWORDS["lanhdao"])
        hands.go("Enter", "**/khan-cap/*")
        assert "đang hiệu lực" in page.inner_text("main")
    (row,) = house.hub.queries.all_series()
    assert row.drill
    assert hands.pressed <= KEYS_DRILL


def test_the_real_thing_takes_two_typed_words_and_two_more_presses(chromium: Any) -> None:
    house = with_two("keys-real")
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        page = chromium.new_context(java_script_enabled=False).new_page()
        sign_in(page, site, "lanhdao")
        hands = Hands(page)
        hands.go("Alt+k", "**/khan-cap")
        hands.go("Alt+1", "**/khan-cap?mau=*")
        hands.press("Alt+r")
        hands.go("Alt+t", "**/khan-cap")
        hands.write(WORD)
        hands.press("Tab")
        hands.write(PASSWORDS["lanhdao"])
        hands.go("Enter", "**/khan-cap/*")
        assert "đang hiệu lực" in page.inner_text("main")
    (row,) = house.hub.queries.all_series()
    assert not row.drill
    assert hands.pressed <= KEYS_REAL


def test_two_people_by_keyboard_and_the_call_comes_by_itself(chromium: Any) -> None:
    """The second one writes something else: the strip appears above it, and no word is lost."""
    house = with_two("keys-two")
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        boss = chromium.new_context().new_page()
        second = chromium.new_context().new_page()
        sign_in(boss, site, "lanhdao")
        sign_in(second, site, "pho")
        second.goto(site + "/van-ban/moi")
        second.get_by_label("Tên văn bản", exact=False).first.fill("Đang viết dở")
        hands = Hands(boss)
        boss.goto(site + "/khan-cap?mau=lu-quet")
        boss.get_by_label("Thật:").check()
        hands.go("Alt+t", "**/khan-cap")
        hands.write(WORD)
        hands.press("Tab")
        hands.write(PASSWORDS["lanhdao"])
        hands.go("Enter", "**/khan-cap/de-nghi/*")
        second.wait_for_selector(".strip .call")
        assert second.get_by_label("Tên văn bản", exact=False).first.input_value() == "Đang viết dở"
        second.on("dialog", lambda dialog: dialog.accept())
        answer = Hands(second)
        answer.go("Alt+g", "**/khan-cap/de-nghi/*")
        assert answer.at == "password"
        answer.write(PASSWORDS["pho"])
        answer.go("Enter", "**/khan-cap/*")
        assert answer.pressed == 2
        boss.wait_for_selector("#go-board")
        hands.go("Alt+b", "**/khan-cap/*")
        assert "Người đề nghị" in boss.inner_text("main")


def test_without_scripts_the_call_comes_in_a_frame_above_the_form(chromium: Any) -> None:
    house = with_two("frame")
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        second = chromium.new_context(java_script_enabled=False).new_page()
        sign_in(second, site, "pho")
        second.goto(site + "/van-ban/moi")
        frame = second.frame_locator("iframe.strip")
        assert "Không có lệnh khẩn cấp nào chờ bạn ký." in frame.locator("body").inner_text()
        boss = house.hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=house.clock[0])
        assert boss is not None
        series = house.hub.commands.propose_emergency(
            boss, kind="lu-quet", level=3, text="Lũ quét.", territory="vn.yb", now=house.clock[0]
        )
        frame.get_by_role("link", name="Cần bạn ký cùng").wait_for(timeout=60_000)
        frame.get_by_role("link", name="Cần bạn ký cùng").click()
        second.wait_for_url(f"**/khan-cap/de-nghi/{series}")
        second.get_by_label("Mật khẩu của bạn").fill(PASSWORDS["pho"])
        second.get_by_role("button", name="Ký và phát thật").click()
        assert "đang hiệu lực" in second.inner_text("main")


def test_the_roll_fills_by_itself_and_what_was_opened_stays_open(chromium: Any) -> None:
    house = with_two("live")
    station = enrol(house, "vn.yb.04630")
    station.sync()
    boss = house.hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=house.clock[0])
    assert boss is not None
    series = house.hub.commands.order_emergency(
        boss, kind="lu-quet", level=3, text="Lũ quét.", territory="vn.yb", drill=True, now=house.clock[0]
    )
    with served(house) as port:
        site = f"http://127.0.0.1:{port}"
        page = chromium.new_context().new_page()
        sign_in(page, site, "lanhdao")
        page.goto(f"{site}/khan-cap/{series}")
        page.locator("details#fm summary").click()
        page.locator("h1").click()
        station.sync()
        station.acknowledge(series)
        station.sync()
        house.hub.tick()
        page.wait_for_selector("details#done")
        assert page.locator("details#fm").get_attribute("open") is not None


def pages(house: House) -> dict[str, list[str]]:
    s = house.shelf
    return {
        "lanhdao": [
            "/khan-cap", "/khan-cap?mau=lu-quet", f"/khan-cap/{s['drill']}",
            f"/khan-cap/{s['drill']}/goi-dien",
            f"/khan-cap/{s['drill']}/bao-yen", f"/khan-cap/{s['over']}", f"/khan-cap/de-nghi/{s['asked']}",
            "/danh-ba", "/danh-ba/vn.yb.04630", "/ban-tin",
        ],
        "pho": ["/ban-tin", f"/khan-cap/de-nghi/{s['asked']}", "/khan-cap/khung"],
        "bientap": ["/ban-tin", f"/khan-cap/{s['drill']}"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def lived_in() -> House:
    """A drill with every kind of answer, one that is over, and a proposal that waits."""
    house = with_two("emergency-pages")
    hub, now = house.hub, house.clock[0]
    boss = hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=now)
    assert boss is not None
    stations = [enrol(house, unit) for unit in ("vn.yb.04630", "vn.yb.04441")]
    for station in stations:
        station.sync()
    hub.phonebook.put(
        "vn.yb.04510", [("Hà Văn Tú", "Phó Chủ tịch xã", "0912 345 678"), ("Lò Thị Bun", "", "0216 3871 234")]
    )
    order = {"kind": "lu-quet", "level": 3, "territory": "vn.yb", "now": now}
    over = hub.commands.order_emergency(boss, **order, text="Diễn tập cháy.", drill=True)
    for station in stations:
        station.sync()
        station.acknowledge(over)
        station.sync()
    hub.commands.cancel_emergency(boss, over, reason="Xong", now=now)
    drill = hub.commands.order_emergency(boss, **order, text="Diễn tập lũ quét. Lên chỗ cao.", drill=True)
    for station, outcome in zip(stations, (Outcome.PLAYED, Outcome.PARTIAL), strict=True):
        station.sync()
        station.acknowledge(drill, outcome)
        station.sync()
    asked = hub.commands.propose_emergency(boss, **order, text="Lũ quét ở Tú Lệ. Rời bờ suối ngay.")
    hub.tick()
    house.shelf.update(over=over, drill=drill, asked=asked)
    return house


@pytest.mark.parametrize("screen", sorted(SCREENS))
@pytest.mark.parametrize("tongue", ["vi", "en"])
def test_every_page_of_an_emergency_is_accessible_and_fits_the_screen(
    chromium: Any, lived_in: House, screen: str, tongue: str
) -> None:
    width, height = SCREENS[screen]
    problems: list[str] = []
    with served(lived_in) as port:
        site = f"http://127.0.0.1:{port}"
        for account, paths in pages(lived_in).items():
            context = chromium.new_context(viewport={"width": width, "height": height})
            page = context.new_page()
            sign_in(page, site, account)
            context.add_cookies([{"name": "loa_lang", "value": tongue, "url": site}])
            for path in paths:
                page.goto(site + path)
                if path != "/khan-cap/khung":  # it stands in a frame of a page without scripts
                    problems += wrong(page)
                if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                    problems.append(f"{path} is wider than {width} px")
                if SHOTS is not None:
                    name = path.strip("/").replace("/", "-").replace("?", "-") or "hom-nay"
                    page.screenshot(
                        path=str(SHOTS / f"em-{tongue}-{screen}-{account}-{name}.png"), full_page=True
                    )
            context.close()
    assert not problems, "\n".join(problems)


def test_the_wait_of_the_policy_is_what_the_page_counts(chromium: Any, lived_in: House) -> None:
    with served(lived_in) as port:
        site = f"http://127.0.0.1:{port}"
        page = chromium.new_context().new_page()
        sign_in(page, site, "lanhdao")
        sign_in(chromium.new_context().new_page(), site, "pho")
        page.goto(f"{site}/khan-cap/de-nghi/{lived_in.shelf['asked']}")
        assert f"Còn {WAIT_S['when-available']} giây nữa" in page.inner_text("main")
        assert page.locator("noscript").count() >= 1
