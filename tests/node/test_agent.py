"""When a station calls: spread, patient, and at once when it matters."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from station_world import HUB, ROOT, UNIT

from node import StationConfig
from node.link.agent import JITTER, PAUSE_S, SyncAgent


def config(**more: object) -> StationConfig:
    return StationConfig(
        unit=UNIT, name="Tú Lệ", hub_url="http://hub", hub_key=HUB.verify_key.raw,
        roots=(ROOT.verify_key.raw,), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def agent(seed: int = 1, **more: object) -> SyncAgent:
    return SyncAgent(config(**more), random.Random(seed), 0.0)


def test_the_first_call_comes_soon_and_not_in_step_with_the_neighbours() -> None:
    firsts = [agent(seed).due_in(0.0) for seed in range(100)]
    assert 0 <= min(firsts) < 1 < 4 < max(firsts) <= 5


def test_calls_repeat_every_period_with_jitter() -> None:
    one = agent(sync_period_s=900)
    waits = []
    for at_s in range(0, 100_000, 1_000):
        one.succeeded(float(at_s), more=False)
        waits.append(one.due_in(float(at_s)))
    assert 900 * (1 - JITTER) <= min(waits) < max(waits) <= 900 * (1 + JITTER)
    assert max(waits) - min(waits) > 100


def test_more_to_fetch_means_at_once() -> None:
    one = agent()
    one.succeeded(10.0, more=True)
    assert one.due_in(10.0) == 0


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_failures_are_answered_by_a_full_jitter_under_a_growing_cap(failures: int, seed: int) -> None:
    one = agent(seed, backoff_base_s=2.0, backoff_cap_s=900.0)
    for _ in range(failures):
        one.failed(0.0)
    assert PAUSE_S <= one.due_in(0.0) <= PAUSE_S + min(900.0, 2.0 * 2**failures)


def test_a_province_that_lost_its_hub_comes_back_spread_over_the_whole_cap() -> None:
    waits = []
    for seed in range(300):
        one = agent(seed)
        for _ in range(12):
            one.failed(0.0)
        waits.append(one.due_in(0.0))
    quarters = [sum(225 * q <= wait < 225 * (q + 1) for wait in waits) for q in range(4)]
    assert min(quarters) > 40


def test_the_hubs_wish_for_silence_goes_before_everything_urgent() -> None:
    one = agent()
    one.failed(0.0, retry_after_s=120.0)
    one.hurry(1.0, 0.0)
    assert 119 <= one.due_in(1.0) <= 132
    assert one.open_in(1.0) == one.due_in(1.0)


def test_something_to_say_is_said_soon_and_together() -> None:
    one = agent()
    one.succeeded(0.0, more=False)
    one.hurry(100.0, 20.0)
    assert 10 <= one.due_in(100.0) <= 20
    one.hurry(105.0, 20.0)
    assert one.due_in(105.0) <= 15, "a second report must not push the first one back"


def test_a_failure_is_not_forgotten_by_hurrying() -> None:
    one = agent(seed=3)
    for _ in range(9):
        one.failed(0.0)
    wait_s = one.due_in(0.0)
    one.hurry(0.0, 0.0)
    assert one.due_in(0.0) == wait_s


def test_a_plan_is_stale_after_a_period() -> None:
    one = agent(sync_period_s=600)
    assert one.stale(0.0)
    one.succeeded(0.0, more=False)
    assert not one.stale(600.0)
    assert one.stale(601.0)


def test_content_that_fails_waits_by_itself_and_leaves_the_next_exchange_where_it_was() -> None:
    one = agent(sync_period_s=900)
    one.succeeded(0.0, more=False)
    due_s = one.due_in(0.0)
    waits = []
    for _ in range(12):
        one.fetch_failed(0.0)
        waits.append(one.fetch_in(0.0))
    assert one.due_in(0.0) == due_s
    assert one.open_in(0.0) == 0
    assert waits[0] >= PAUSE_S
    assert max(waits) > 60
    one.succeeded(10.0, more=False)
    assert one.fetch_in(10.0) == 0, "after a good exchange it may be tried once more"
    one.fetch_failed(10.0)
    one.fetched()
    one.fetch_failed(10.0)
    assert one.fetch_in(10.0) <= PAUSE_S + 4.0, "what came through is forgiven"
