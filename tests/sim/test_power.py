"""A power cut between any two operations, and virtual time."""

from __future__ import annotations

import pytest

from node import Confidence
from sim.clock import FACTORY_WALL_S, Agenda, StationClock
from sim.power import PowerCut, PoweredStore


def test_what_was_not_committed_when_the_power_went_is_gone() -> None:
    for cut_at in range(1, 12):
        store = PoweredStore()
        db = store.open_db("a.db")
        db.execute("CREATE TABLE t (n INTEGER)")
        store.fuse.arm(cut_at)
        done = 0
        try:
            for n in range(3):
                db.execute("BEGIN IMMEDIATE")
                db.execute("INSERT INTO t VALUES (?)", (n,))
                db.execute("COMMIT")
                done = n + 1
        except PowerCut:
            with pytest.raises(PowerCut):
                db.execute("ROLLBACK")
        store.fuse.reset()
        store.crash()
        rows = [row[0] for row in store.open_db("a.db").execute("SELECT n FROM t ORDER BY n")]
        assert rows == list(range(done)), f"cut before operation {cut_at}"


def test_files_are_operations_too_and_looking_is_none() -> None:
    store = PoweredStore()
    store.write("a", b"one")
    store.fuse.arm(1)
    with store.fuse.looking():
        store.write("b", b"seen by the simulator")
    store.snapshot()
    with pytest.raises(PowerCut):
        store.write("a", b"two")
    store.fuse.reset()
    assert store.read("a") == b"one"


def test_a_query_through_a_cursor_is_an_operation() -> None:
    store = PoweredStore()
    cursor = store.open_db("a.db").cursor()
    store.fuse.arm(2)
    cursor.execute("SELECT 1")
    with pytest.raises(PowerCut):
        cursor.execute("SELECT 2")


def test_acts_of_one_instant_run_in_the_order_they_were_entered() -> None:
    agenda = Agenda(100.0)
    seen: list[str] = []
    agenda.at(120.0, lambda: seen.append("b"))
    agenda.at(110.0, lambda: seen.append("a"))
    agenda.at(120.0, lambda: seen.append("c"))
    dropped = agenda.at(115.0, lambda: seen.append("never"))
    agenda.drop(dropped)
    agenda.at(50.0, lambda: seen.append("late is now"))
    agenda.run_until(120.0)
    assert seen == ["late is now", "a", "b", "c"]
    assert agenda.now == 120.0
    assert len(agenda) == 0


def test_a_clock_without_battery_wakes_up_years_off_and_ntp_mends_it() -> None:
    agenda = Agenda(1_667_900_000.0)
    clock = StationClock(agenda)
    clock.boot(confidence=Confidence.UNKNOWN, skew_s=0.0, drift=0.0)
    agenda.run_until(agenda.now + 60.0)
    now = clock.now()
    assert (now.wall_s, now.mono_s, now.confidence) == (FACTORY_WALL_S + 60.0, 60.0, Confidence.UNKNOWN)
    clock.discipline(0.25)
    now = clock.now()
    assert (now.wall_s, now.mono_s, now.confidence) == (agenda.now + 0.25, 60.0, Confidence.NTP)
