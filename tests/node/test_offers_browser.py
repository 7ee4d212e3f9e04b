"""The screens of offers and their order in a real browser, on a small telephone and an office's screen.

A person moves an offer, declines one and puts two items in order with scripts switched off; every screen on
the way is looked at by axe and measured. Skipped, and says so, where Chromium or Playwright are not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from page_world import Page
from station_world import DAY
from test_page_browser import CHROMIUM, SCREENS, chromium, looked_at, served, sign_in

from ledger.facts import at, slots

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: no browser tests")
__all__ = ["chromium"]

MAI = "Lò Thị Mai"


class Offered:
    """A commune with three offers, one of them for a week, and two priority items at one time."""

    def __init__(self) -> None:
        self.page = Page()
        world = self.page.world
        world.run(60)
        week = tuple(range(DAY, DAY + 7))
        self.weekly = world.hub.programme(17 * 60, klass=2, days=week, seconds=300)
        self.second = world.hub.programme(17 * 60 + 30, klass=2)
        self.third = world.hub.programme(17 * 60 + 40, klass=1, seconds=1_200)
        self.ties = [
            world.hub.programme(11 * 60, klass=3, seconds=seconds, late_s=900) for seconds in (1_200, 180)
        ]
        self.page.sync()
        self.page.join(MAI, "officer")
        self.page.grant(MAI)


@pytest.fixture
def offered() -> Offered:
    return Offered()


@pytest.fixture
def site(offered: Offered) -> Iterator[str]:
    with served(offered.page) as address:
        yield address


@pytest.mark.parametrize("screen", sorted(SCREENS))
def test_an_officer_answers_and_orders_without_scripts_on_any_screen(
    chromium: Any, offered: Offered, site: str, screen: str
) -> None:
    width, height = SCREENS[screen]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, locale="vi-VN", java_script_enabled=False
    )
    watcher = chromium.new_context(viewport={"width": width, "height": height}, locale="vi-VN")
    try:
        tab, other = context.new_page(), watcher.new_page()
        sign_in(tab, site, MAI)
        sign_in(other, site, MAI)

        def look(path: str, name: str) -> list[str]:
            other.goto(site + path)
            return looked_at(other, f"offers-{screen}-{name}")

        problems = look("/de-nghi", "list")
        tab.goto(f"{site}/de-nghi/{offered.weekly}")
        tab.get_by_label("Trả lời cho").first.select_option(str(DAY))
        tab.get_by_label("Dời sang giờ").fill("17:45")
        tab.get_by_role("button", name="Xem trước giờ này").click()
        tab.wait_for_load_state()
        assert "trùng với" not in tab.content()  # a relay is of a lower class: it gives way
        problems += look(f"/de-nghi/{offered.weekly}?ngay={DAY}&gio=17:45", "move")
        tab.get_by_role("button", name="Ký: dời sang 17:45").click()
        tab.wait_for_load_state()
        assert "Đã ký: dời sang 17:45" in tab.content()
        problems += look(f"/de-nghi/{offered.third}?gio=17:40", "clash")
        assert "trùng với" in other.content()
        problems += look(f"/de-nghi/{offered.third}?gio=22:00", "quiet")
        tab.goto(f"{site}/de-nghi/{offered.second}")
        tab.get_by_label("Lý do nếu không nhận").fill("Xã họp dân lúc ấy")
        tab.get_by_role("button", name="Ký: không nhận").click()
        tab.wait_for_load_state()
        assert "Đã ký: xã không nhận" in tab.content()
        problems += look(f"/de-nghi/{offered.second}", "declined")
        problems += look("/de-nghi", "answered")

        tab.goto(site + "/thu-tu")
        problems += look("/thu-tu", "order")
        assert "không kịp phát" in tab.content()
        tab.get_by_role("link", name="Lên trên").click()
        tab.wait_for_load_state()
        assert "chưa được ký" in tab.content()
        problems += look(f"/thu-tu?thu_tu={offered.ties[1]}.{offered.ties[0]}", "reorder")
        tab.get_by_role("button", name="Ký thứ tự này").click()
        tab.wait_for_load_state()
        assert "Đã ký thứ tự của ngày này" in tab.content()
        assert "không kịp phát" not in tab.content()
        problems += look("/thu-tu", "ordered")
        assert not problems, "\n".join(problems)
    finally:
        context.close()
        watcher.close()
    facts = offered.page.world.station.facts
    found = {s.key: s for s in slots(facts, offered.page.world.config.unit, at(DAY), at(DAY + 1))}
    assert found[offered.weekly, DAY].start_s == at(DAY, 17 * 60 + 45)
    assert found[offered.second, DAY].declined
