"""Keyed chance: a decision depends on its own name and nothing else."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sim.faults import DAY_S, Dice, Rates, moments, swarm

NAMES = st.text("abcdefgh.0123", min_size=1, max_size=12)


@given(st.integers(0, 2**31), NAMES, NAMES, st.integers(0, 10_000))
def test_a_roll_depends_only_on_seed_station_kind_and_number(
    seed: int, station: str, kind: str, k: int
) -> None:
    dice = Dice(seed)
    before = dice.roll(station, kind, k)
    for other in range(5):
        dice.hit("another", kind, other, 0.5)
    assert dice.roll(station, kind, k) == Dice(seed).roll(station, kind, k) == before
    assert 0.0 <= before < 1.0


def test_another_seed_station_kind_or_number_is_another_roll() -> None:
    rolls = {Dice(seed).roll(s, kind, k) for seed in (1, 2) for s in "ab" for kind in "xy" for k in range(50)}
    assert len(rolls) == 2 * 2 * 2 * 50


def test_hits_come_as_often_as_their_rate_and_are_counted() -> None:
    dice = Dice(7)
    hits = sum(dice.hit("s", "drop", k, 0.2) for k in range(5_000))
    assert 900 < hits < 1_100
    assert dice.fired["drop"] == hits
    assert not dice.hit("s", "drop", 1, 0.0)


def test_a_fault_can_be_taken_out_everywhere_at_one_station_or_once() -> None:
    struck = [k for k in range(200) if Dice(3).hit("s", "drop", k, 0.5)]
    one = struck[4]
    assert not any(Dice(3, without=["drop"]).hit("s", "drop", k, 0.5) for k in struck)
    assert not any(Dice(3, without=["s:drop"]).hit("s", "drop", k, 0.5) for k in struck)
    assert all(Dice(3, without=["t:drop"]).hit("s", "drop", k, 0.5) for k in struck)
    left = [k for k in struck if Dice(3, without=[f"s:drop:{one}"]).hit("s", "drop", k, 0.5)]
    assert left == [k for k in struck if k != one]


def test_removing_a_station_or_prolonging_the_run_moves_no_fault_of_another() -> None:
    alone = moments(Dice(5), "a", "cut", 3.0, 1000.0, 1000.0 + 3 * DAY_S)
    dice = Dice(5)
    moments(dice, "b", "cut", 9.0, 1000.0, 1000.0 + 3 * DAY_S)
    longer = moments(dice, "a", "cut", 3.0, 1000.0, 1000.0 + 9 * DAY_S)
    assert alone
    assert longer[: len(alone)] == alone
    assert all(earlier[1] < later[1] for earlier, later in pairwise(longer))


def test_moments_come_about_as_often_as_asked() -> None:
    found = sum(len(moments(Dice(seed), "a", "cut", 2.0, 0.0, 10 * DAY_S)) for seed in range(40))
    assert 700 < found < 900


def test_each_seed_has_its_own_rates_and_none_exceeds_its_bound() -> None:
    seen = {swarm(Dice(seed), Rates()) for seed in range(30)}
    assert len(seen) == 30
    assert any(rates.drop_reply == 0.0 for rates in seen)
    assert swarm(Dice(1), Rates().scaled(0.0)) == Rates().scaled(0.0)


def test_entropy_and_jitter_repeat_for_one_name_and_differ_between_names() -> None:
    one, again, other = (Dice(9).entropy(name) for name in ("a/1", "a/1", "a/2"))
    first = [one(8), one(32)]
    assert first == [again(8), again(32)]
    assert other(8) != first[0]
    assert [len(part) for part in first] == [8, 32]
    assert Dice(9).rng("a/1").random() == Dice(9).rng("a/1").random()
