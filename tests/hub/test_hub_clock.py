"""The hub's own clock: what it signs never goes back; a clock that contradicts it is a person's matter."""

from __future__ import annotations

import itertools
import json
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hub_house import House
from hypothesis import given
from hypothesis import strategies as st

from hub import cli
from hub.clock import AHEAD_MAX_S, BEHIND_MAX_S, HubClock, newest_signed, said
from hub.serving import _upkeep
from ledger.facts import ClockStepped, parse
from ledger.kernel import synchronised
from ledger.log import Ledger, MemoryStore, SigningKey, StoreError, encode

KEY = SigningKey.from_seed(b"k" * 32)
NOW = 1_667_955_600


class Turned:
    """A machine's clock in the test's hands."""

    def __init__(self, at: int = NOW) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at


def hub_clock(turned: Turned, *, synced: bool | None = True) -> HubClock:
    made = HubClock(turned, None if synced is None else lambda: bool(synced))
    made.follow(NOW)
    return made


@given(st.lists(st.integers(-10 * 86_400, 10 * AHEAD_MAX_S), min_size=1, max_size=30))
def test_whatever_the_machine_says_no_time_is_given_out_before_one_of_before(turns: list[int]) -> None:
    turned = Turned()
    clock = hub_clock(turned)
    given_out = [NOW]
    for turn in turns:
        turned.at = NOW + turn
        given_out.append(clock())
    assert given_out == sorted(given_out)
    for before, after in itertools.pairwise(given_out):
        assert after - before <= AHEAD_MAX_S, "nobody is told a time that lies years ahead at once"


def test_a_little_behind_it_waits_and_far_behind_it_stops() -> None:
    turned = Turned()
    clock = hub_clock(turned)
    turned.at = NOW - BEHIND_MAX_S
    clock.check()
    assert clock() == NOW
    turned.at -= 1
    with pytest.raises(StoreError, match="clock-behind"):
        clock.check()
    assert clock() == NOW, "and even then nothing earlier is signed"
    turned.at = NOW + 5
    clock.check()
    assert clock() == NOW + 5


def test_far_ahead_of_what_was_signed_it_stops_also_while_it_serves() -> None:
    turned = Turned(NOW + AHEAD_MAX_S)
    clock = hub_clock(turned)
    clock.check()
    assert clock() == NOW + AHEAD_MAX_S
    turned.at = NOW + 2 * AHEAD_MAX_S + 1
    assert clock() == NOW + AHEAD_MAX_S, "a clock that leaps by years is not followed"
    with pytest.raises(StoreError, match="clock-ahead"):
        clock.check()


def test_a_hub_that_signed_nothing_yet_follows_its_clock() -> None:
    turned = Turned()
    clock = HubClock(turned, lambda: True)
    clock.follow(0)
    clock.check()
    assert (clock(), clock.doubts()) == (NOW, [])


def test_every_doubt_is_said_with_what_to_do() -> None:
    turned = Turned()
    (doubt,) = hub_clock(turned, synced=False).doubts()
    assert doubt.startswith("clock-unsynchronised")
    assert "timedatectl" in doubt
    assert hub_clock(turned, synced=None).doubts() == []
    turned.at -= 86_400
    (doubt,) = hub_clock(turned).doubts()
    assert doubt.startswith("clock-behind")
    assert said(NOW) in doubt
    assert said(turned.at) in doubt


def test_the_newest_signed_time_is_that_of_the_last_event_of_the_hub_s_last_log() -> None:
    store = MemoryStore()
    drawn = iter(range(1, 100))

    def ledger() -> Ledger:
        return Ledger(store.open_db("l.db"), entropy=lambda n: bytes([next(drawn)]) * n, now=lambda: NOW)

    assert newest_signed(ledger(), KEY.key_id) == 0
    for n in range(3):
        one = ledger()
        for more in range(n + 1):
            one.append(KEY, encode((4096, NOW + 100 * n + more, "x")))
        one.seal(KEY)
        assert newest_signed(one, KEY.key_id) == NOW + 100 * n + n
    other = SigningKey.from_seed(b"o" * 32)
    one.append(other, encode((4096, NOW + 9_999, "x")))
    one.seal(other)
    assert newest_signed(ledger(), KEY.key_id) == NOW + 202


def test_what_an_officer_signs_moves_the_hub_s_newest_time_too() -> None:
    house = House()
    before = newest_signed(house.hub.ledger, house.hub.key.key_id)
    house.now += 3_600
    house.hub.commands.set_quiet_hours(house.admin, "vn.yb", 1_290, 300, now=house.now)
    assert newest_signed(house.hub.ledger, house.hub.key.key_id) >= max(before, house.now)


def test_a_person_s_word_lets_it_go_on_and_stands_in_the_log_with_both_times() -> None:
    store = MemoryStore()
    ledger = Ledger(store.open_db("l.db"), entropy=lambda n: b"e" * n, now=lambda: NOW)
    turned = Turned(NOW - 86_400)
    clock = hub_clock(turned)
    assert clock.accept(ledger, KEY)
    clock.check()
    assert clock() == turned.at
    (stored,) = ledger.segments_of(next(iter(ledger.frontier())), 1)
    step = parse(stored.segment.events[-1])
    assert step == ClockStepped(turned.at, NOW, turned.at, "person")
    assert newest_signed(ledger, KEY.key_id) == turned.at
    position = ledger.position()
    assert not clock.accept(ledger, KEY), "nothing contradicts it now"
    assert ledger.position() == position


# -- the commands --------------------------------------------------------------------------------------------


def loa(*words: str | Path) -> Result:
    env = {"LOA_PASSWORD": "quantri-2022"}
    result = CliRunner().invoke(cli.hub, [str(word) for word in words], env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert loa("init", "--dir", tmp_path / "hub", "--demo-accounts", "--cheap-kdf").exit_code == 0
    assert loa("quiet", "--dir", tmp_path / "hub", "vn.yb", "21:30", "05:00").exit_code == 0
    return tmp_path / "hub"


def turn(monkeypatch: pytest.MonkeyPatch, seconds: int, *, synced: bool = True) -> None:
    now = int(time.time()) + seconds
    monkeypatch.setattr(cli, "_clock", lambda: lambda: now)
    monkeypatch.setattr(cli, "synchronised", lambda: lambda: synced)


def test_status_tells_how_the_clock_stands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turn(monkeypatch, 0, synced=False)
    status = json.loads(loa("status", "--dir", folder, "--json").output)
    assert status["clock"] == "not synchronised"
    assert abs(status["signed_s"] - time.time()) < 300
    assert [one.split(":")[0] for one in status["warnings"]] == ["clock-unsynchronised"]
    turn(monkeypatch, -86_400)
    result = loa("status", "--dir", folder)
    assert result.exit_code == 0, "it only looks"
    assert "clock      synchronised" in result.output
    assert "WARNING clock-behind" in result.output


@pytest.mark.parametrize(("seconds", "code"), [(-3_600, "clock-behind"), (500 * 86_400, "clock-ahead")])
def test_a_hub_whose_clock_contradicts_its_log_signs_nothing_until_a_person_has_looked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, code: str
) -> None:
    served: list[int] = []
    monkeypatch.setattr("hub.serving.run", lambda house, **_: served.append(house.now()))
    turn(monkeypatch, seconds)
    before = json.loads(loa("status", "--dir", folder, "--json").output)["position"]
    here = ("--dir", folder)
    for words in (
        ("serve", *here), ("quiet", *here, "vn.yb", "21:00", "05:00"), ("usb", "import", *here, folder),
    ):  # fmt: skip
        result = loa(*words)
        assert result.exit_code == 21, result.output
        assert code in result.output
        assert "--clock-checked" in result.output
    assert json.loads(loa("status", "--dir", folder, "--json").output)["position"] == before
    assert served == []
    result = loa("serve", "--dir", folder, "--clock-checked")
    assert (result.exit_code, "CLOCK accepted by a person" in result.output) == (0, True), result.output
    assert abs(served[0] - time.time() - seconds) < 300
    assert loa("quiet", "--dir", folder, "vn.yb", "21:00", "05:00").exit_code == 0, "the log says so"


def test_a_clock_without_ntp_is_told_at_the_start_and_does_not_stop_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.serving.run", lambda house, **_: None)
    turn(monkeypatch, 60, synced=False)
    result = loa("serve", "--dir", folder)
    assert (result.exit_code, "WARNING clock-unsynchronised" in result.output) == (0, True)
    turn(monkeypatch, 60)
    assert "WARNING" not in loa("serve", "--dir", folder).output


def test_a_clock_that_leaps_while_it_serves_ends_it_with_the_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [int(time.time())]
    monkeypatch.setattr(cli, "_clock", lambda: lambda: now[0])
    monkeypatch.setattr("hub.serving.TICK_S", 0.01)
    ended: list[int] = []
    monkeypatch.setattr("hub.serving.signal.raise_signal", ended.append)
    with cli._opened(folder) as house:
        clock = house._clock_now
        assert isinstance(clock, HubClock)
        now[0] -= 7_200
        _upkeep(house, threading.Event(), clock.check)
        assert house.failed is not None
        assert (house.failed.code, house.failed.exit_code, len(ended)) == ("clock-behind", 21, 1)


def test_the_kernel_is_asked_and_answers_yes_or_no() -> None:
    asked = synchronised()
    assert asked is None or asked() in (True, False)
