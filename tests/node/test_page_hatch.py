"""The hatch between the page's threads and the loop, and people entered at the box itself."""

from __future__ import annotations

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from page_world import QUICK, Page
from station_world import World
from test_desk import at_once

from ledger.log import DiskStore, NotAllowed, StoreError
from node import save_config
from node.cli import plain_errors
from node.page.hatch import SERVED_MAX, Hatch
from node.page.office import Office
from node.page.page_server import split_address
from node.page.people import is_code
from node.page.person_cli import add_person
from node.page.person_desk import manage
from node.stick.desk import Desk
from node.stick.usb_cli import Machine


def test_a_question_is_answered_on_the_loops_thread_and_its_error_comes_back() -> None:
    page = Page()
    woken = threading.Event()
    hatch = Hatch(woken.set)
    answers: list[object] = []

    def ask() -> None:
        answers.append(hatch.ask(lambda office: (office.unit, threading.current_thread().name)))
        with pytest.raises(NotAllowed, match="person-unknown"):
            hatch.ask(lambda office: office.give_code(9, None, "console"))

    asked = threading.Thread(target=ask, name="page")
    asked.start()
    while asked.is_alive():
        woken.wait(5)
        woken.clear()
        hatch.serve(page.office)
        asked.join(0.01)
    assert answers == [("vn.yb.04630", threading.current_thread().name)]


def test_the_loop_answers_a_few_questions_and_then_looks_after_the_station() -> None:
    page = Page()
    hatch = Hatch(lambda: None)
    with ThreadPoolExecutor(SERVED_MAX + 3) as pool:
        waiting = [pool.submit(hatch.ask, lambda office: office.unit) for _ in range(SERVED_MAX + 3)]
        while hatch._asked.qsize() < SERVED_MAX + 3:
            pass
        assert hatch.serve(page.office)
        assert sum(one.done() for one in waiting) <= SERVED_MAX
        assert not hatch.serve(page.office)
        assert {one.result(5) for one in waiting} == {page.office.unit}


def test_who_asked_and_was_not_answered_is_told_that_the_station_is_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.page.hatch.PATIENCE_S", 0.01)
    hatch = Hatch(lambda: None)
    with pytest.raises(StoreError, match="station-busy"):
        hatch.ask(lambda office: office.unit)
    page = Page()
    assert not hatch.serve(page.office)  # and the late question is not answered to nobody


def test_a_mistake_in_a_screen_is_an_error_page_and_the_loop_goes_on() -> None:
    page = Page()
    hatch = Hatch(lambda: None)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(hatch.ask, lambda office: 1 // 0)
        while not hatch._asked.qsize():
            pass
        hatch.serve(page.office)
        assert isinstance(waiting.exception(5), ZeroDivisionError)
    page.app.config["PROPAGATE_EXCEPTIONS"] = False
    page.office.people.rows = lambda: [][1]  # type: ignore[method-assign, misc, return-value]
    browser = page.visitor().get("/dang-nhap")
    assert browser.status == 500
    assert browser.says("Loa vẫn phát như thường")


@pytest.mark.parametrize("text", ["8080", "host:", ":80", "0.0.0.0:0", "0.0.0.0:70000", "a b:80", "x:80/y"])
def test_an_address_that_is_none_is_refused_before_anything_starts(text: str) -> None:
    with pytest.raises(StoreError, match="config-range"):
        split_address(text)
    assert split_address("[::1]:8080") == ("::1", 8080)


class Box:
    """A real folder with a station in it, and the command beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = DiskStore(folder)
        self.world = World(store=self.store)  # type: ignore[arg-type]
        save_config(self.store, self.world.config)
        self.office = Office(self.world.station, cost=QUICK)
        self.desk: Desk | None = Desk(
            self.world.station, at_once, lambda request: manage(self.office, request)
        )
        self.drawn = random.Random(5).randbytes

    def live(self, seconds: float) -> None:
        if self.desk is not None:
            self.desk.look()
            self.world.station.tick()
        self.world.clock.pass_s(seconds)

    def stop(self) -> None:
        self.world.station.close()
        self.store.close()
        self.desk = None

    def run(self, *words: str) -> tuple[int, str]:
        group = click.Group()
        add_person(group, plain_errors, Machine(lambda: self.world.clock, self.drawn, self.live))
        done = CliRunner().invoke(group, ["person", *words, "--dir", str(self.folder)])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output


@pytest.fixture(params=["running", "stopped"])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Box:
    found = Box(tmp_path / "box")
    if request.param == "stopped":
        found.stop()
    return found


def test_people_are_entered_at_the_box_whether_the_station_runs_or_not(box: Box) -> None:
    code, out = box.run("add", "Lò Thị Mai", "--role", "officer")
    assert code == 0, out
    given = out.splitlines()[0].removeprefix("CODE ").split("(")[0].strip()
    assert len(given.replace(" ", "")) == 10
    assert box.run("add", "Lò Thị Mai", "--role", "officer")[0] == 20
    assert "no PIN yet" in box.run("list")[1]
    again = box.run("code", "Lò Thị Mai")[1].splitlines()[0].removeprefix("CODE ").split("(")[0].strip()
    assert box.run("off", "Lò Thị Mai")[0] == 0
    assert box.run("off", "Ai đó")[0] == 20
    people = json.loads(box.run("list", "--json")[1])["people"]
    assert [(one["name"], one["enabled"], one["pin"]) for one in people] == [("Lò Thị Mai", False, False)]
    assert box.run("on", "Lò Thị Mai")[0] == 0
    if box.desk is None:
        box.store = DiskStore(box.folder)
        box.office = Office(World(store=box.store).station, cost=QUICK)  # type: ignore[arg-type]
    row = box.office.people.rows()[0]
    now = box.office.now().ts
    assert is_code(row, again, now)
    assert not is_code(row, given, now)
    box.store.close()


def test_no_file_of_the_box_holds_the_code(tmp_path: Path) -> None:
    box = Box(tmp_path / "box")
    seen = b""
    live = box.live

    def watched(seconds: float) -> None:
        nonlocal seen
        for path in box.folder.rglob("*"):
            if path.is_file() and path.suffix in (".json", ".db", ".db-wal"):
                seen += path.read_bytes()
        live(seconds)

    box.live = watched  # type: ignore[method-assign]
    _, out = box.run("add", "Lò Thị Mai", "--role", "officer")
    given = out.splitlines()[0].removeprefix("CODE ").split("(")[0].strip()
    watched(0)
    assert b"L\\u00f2" in seen or "Lò".encode() in seen
    assert given.encode() not in seen
    assert given.replace(" ", "").encode() not in seen
    box.stop()
