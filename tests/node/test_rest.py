"""How long a station may be left alone, for what it is woken, and that the alive mark costs no look."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from station_world import World

from node.clock import Confidence, Now
from node.presence import ALIVE_EVERY_S, Moment
from node.rest import EDGE_MIN_S, SHIFT_S, WAIT_MIN_S, Rest
from node.station import Station

WALL_S = 1_667_955_600.0
waits = st.floats(0, 4_000, allow_nan=False)


def now(mono_s: float, offset_s: float = WALL_S, confidence: Confidence = Confidence.NTP) -> Now:
    return Now(mono_s + offset_s, mono_s, confidence)


def test_a_new_life_looks_at_everything_at_once() -> None:
    rest = Rest(5.0)
    assert rest.left_s(now(5.0)) is None
    assert not rest.is_for_the_mark(now(5.0))


@given(least_s=waits, mark_s=waits, edge_s=waits)
@example(least_s=0.0, mark_s=0.0, edge_s=0.0625)
def test_it_ends_for_whatever_comes_first_and_never_a_moment_before_a_slot(
    least_s: float, mark_s: float, edge_s: float
) -> None:
    rest = Rest(0.0)
    wait_s = rest.begin(now(0.0), least_s, mark_s, edge_s)
    first_s = min(least_s, mark_s, edge_s)
    assert max(EDGE_MIN_S, first_s) <= wait_s <= max(WAIT_MIN_S, first_s) + WAIT_MIN_S
    assert not edge_s - WAIT_MIN_S < wait_s < edge_s, "a slot would begin late"
    assert rest.left_s(now(wait_s)) is None


@given(least_s=waits, mark_s=waits, edge_s=waits)
def test_what_is_due_besides_the_mark_is_never_taken_for_the_mark(
    least_s: float, mark_s: float, edge_s: float
) -> None:
    rest = Rest(0.0)
    wait_s = rest.begin(now(0.0), least_s, mark_s, edge_s)
    if rest.is_for_the_mark(now(wait_s)):
        assert mark_s < least_s
        assert wait_s < max(EDGE_MIN_S, edge_s)


def test_a_clock_that_was_set_ends_it_and_is_no_mark() -> None:
    rest = Rest(0.0)
    rest.begin(now(0.0), 900.0, 600.0, float("inf"))
    assert rest.left_s(now(10.0)) == 590.0
    for later in (now(10.0, WALL_S + 2 * SHIFT_S), now(10.0, confidence=Confidence.RTC)):
        assert rest.left_s(later) is None
        assert not rest.is_for_the_mark(later)


def test_a_change_from_outside_ends_it_and_is_no_mark() -> None:
    rest = Rest(0.0)
    rest.begin(now(0.0), 900.0, 600.0, float("inf"))
    assert rest.is_for_the_mark(now(600.0))
    rest.end()
    assert rest.left_s(now(10.0)) is None
    assert not rest.is_for_the_mark(now(600.0))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When stations looked at everything, monotonic seconds."""
    found: list[float] = []
    real = Station._live

    def looked(self: Station, moment: Moment) -> None:
        found.append(moment.mono_s)
        real(self, moment)

    monkeypatch.setattr(Station, "_live", looked)
    return found


def marked(world: World) -> int:
    """The alive mark on the disk."""
    found = world.store.open_db("ledger.db").execute(
        "SELECT value FROM ledger_named WHERE name = 'node.alive_s'"
    )
    return int(found.fetchone()[0])


def test_a_station_woken_for_its_mark_writes_it_and_looks_at_nothing_else(looks: list[float]) -> None:
    world = World(idle_cap_s=3_600.0, sync_period_s=3_600)
    world.run(7_200)
    looks.clear()
    for _ in range(18):
        world.run(ALIVE_EVERY_S)
        assert world.clock.utc_s - marked(world) <= ALIVE_EVERY_S + 1
    assert len(looks) <= 12, "three calls, their answers, and the cap"


@pytest.mark.parametrize("cap_s", [60.0, 900.0])
def test_a_station_looks_at_everything_as_often_as_its_cap_says(cap_s: float, looks: list[float]) -> None:
    world = World(idle_cap_s=cap_s, sync_period_s=86_400)
    world.run(7_200)
    looks.clear()
    world.run(4 * 3_600)
    gaps = [later - before for before, later in pairwise(looks)]
    assert max(gaps) <= cap_s + WAIT_MIN_S
    assert len(looks) >= 4 * 3_600 / cap_s - 1


def test_a_clock_that_lost_its_time_is_looked_at_when_the_mark_is_due(looks: list[float]) -> None:
    world = World(idle_cap_s=3_600.0, sync_period_s=3_600)
    world.run(7_200)
    world.run(ALIVE_EVERY_S / 2)
    looks.clear()
    world.clock.confidence = Confidence.UNKNOWN
    world.station.tick()
    assert looks == [world.clock.mono_s]
