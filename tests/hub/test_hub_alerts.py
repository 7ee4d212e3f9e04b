"""Alerts: few, in time, and about what a person can do something about."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.alerts import (
    ALERTS_MAX,
    ANEW_S,
    FLAP_S,
    HOLD_S,
    KEEP_S,
    MANY,
    SETTLE_S,
    Alert,
    Notice,
    State,
    Trouble,
    acknowledged,
    step,
)

WHOLE = "vn.yb"
NOW = 1_668_000_000
STATIONS = [f"vn.yb.{number:05d}" for number in range(70)]


def area_of(unit: str) -> str:
    """Three carriers, by the last digit; the third is everybody else's."""
    return {"0": "mang-a", "1": "mang-b"}.get(unit[-1], WHOLE)


class Watch:
    """The machine at work: what is seen at an instant, and what was told so far."""

    def __init__(self) -> None:
        self.state = State()
        self.now = NOW
        self.told: list[Notice] = []

    def look(self, *seen: Trouble, after: int = 60) -> tuple[Alert, ...]:
        self.now += after
        self.state, notices = step(self.state, seen, self.now, area_of=area_of, whole=WHOLE)
        self.told += notices
        return self.state.open


def late(unit: str) -> Trouble:
    return Trouble("late", "", unit)


def missed(unit: str, item: str = "1/100", *, over: bool = False, cause: str = "power") -> Trouble:
    return Trouble("missed", cause, unit, item, over=over)


def test_a_power_cut_of_the_province_is_one_alert_with_counts() -> None:
    watch = Watch()
    (alert,) = watch.look(*(missed(unit, f"{series}/100") for unit in STATIONS for series in (1, 2, 3)))
    assert (alert.scope, alert.cause, len(alert.units), len(alert.members)) == (WHOLE, "power", 70, 210)
    watch.look(*(missed(unit, f"{series}/100") for unit in STATIONS for series in (1, 2, 3)), after=600)
    assert [(one.what, len(one.alert.units)) for one in watch.told] == [("opened", 70)]


def test_an_outage_that_grows_station_by_station_is_never_an_alarm_for_each() -> None:
    watch = Watch()
    for count in range(1, len(STATIONS) + 1):
        opened = watch.look(*map(late, STATIONS[:count]), after=1_000)
        assert len(opened) <= ALERTS_MAX
    (alert,) = opened
    assert (alert.scope, len(alert.units)) == (WHOLE, 70)
    assert len(watch.told) <= 10, "told again only when it has doubled"


def test_a_carrier_that_fails_is_the_carriers_alert() -> None:
    watch = Watch()
    carrier = [unit for unit in STATIONS if area_of(unit) == "mang-a"]
    (alert,) = watch.look(*map(late, carrier))
    assert (alert.scope, alert.rolled) == ("mang-a", True)
    other = STATIONS[1]
    assert sorted(one.scope for one in watch.look(*map(late, [*carrier, other]))) == ["mang-a", other]


def test_what_one_alert_takes_over_from_others_is_closed_there_without_a_word() -> None:
    watch = Watch()
    watch.look(late(STATIONS[2]), late(STATIONS[3]))
    watch.look(late(STATIONS[2]), late(STATIONS[3]), after=SETTLE_S["late"])
    assert [one.what for one in watch.told] == ["opened", "opened"]
    (rolled,) = watch.look(*map(late, STATIONS[2:6]))
    closed = [one for one in watch.state.alerts if not one.is_open]
    assert {one.into for one in closed} == {rolled.id}
    assert len(watch.told) == 2


def test_an_alert_is_told_only_when_it_has_stood_for_a_while_and_ends_by_itself() -> None:
    watch = Watch()
    watch.look(late(STATIONS[5]))
    watch.look(late(STATIONS[5]), after=SETTLE_S["late"] - 1)
    assert not watch.told
    watch.look(late(STATIONS[5]), after=1)
    assert [one.what for one in watch.told] == ["opened"]
    watch.look()
    assert watch.state.open, "gone, but it may come back"
    watch.look(after=HOLD_S["late"])
    assert not watch.state.open
    assert [one.what for one in watch.told] == ["opened", "resolved"]


def test_what_is_over_before_it_was_told_is_never_told() -> None:
    watch = Watch()
    watch.look(late(STATIONS[5]))
    watch.look(after=60)
    watch.look(after=HOLD_S["late"])
    assert not watch.told
    assert not watch.state.open


def test_a_station_that_comes_and_goes_does_not_cry_each_time() -> None:
    watch = Watch()
    for _ in range(48):  # a day: twenty minutes gone, ten minutes back
        for _ in range(20):
            watch.look(late(STATIONS[5]))
        for _ in range(10):
            watch.look()
    assert len(watch.told) <= 2
    for _ in range(48):  # half an hour gone, half an hour back: it closes and reopens
        for _ in range(30):
            watch.look(late(STATIONS[5]))
        for _ in range(30):
            watch.look()
    assert len(watch.told) <= 6
    told = len(watch.told)
    for _ in range(48 * 60):
        watch.look(late(STATIONS[5]))
    assert [one.what for one in watch.told[told:]] == ["opened"], "a real outage is told all the same"


def test_who_acknowledged_is_not_told_again_unless_it_doubles() -> None:
    watch = Watch()
    (alert,) = watch.look(*map(late, STATIONS[:4]))
    watch.state = acknowledged(watch.state, alert.id, by="lanhdao", note="EVN cắt điện", now=watch.now)
    for _ in range(100):
        (alert,) = watch.look(*map(late, STATIONS[:4]))
    assert not watch.told
    assert (alert.acked_by, alert.note) == ("lanhdao", "EVN cắt điện")
    watch.look(*map(late, STATIONS[:20]))
    assert [(one.what, one.alert.told) for one in watch.told] == [("grown", 20)]
    with pytest.raises(KeyError):
        acknowledged(watch.state, "000000000000", by="x", note="", now=watch.now)


def test_a_missed_broadcast_stays_for_a_day_after_the_station_played_again() -> None:
    watch = Watch()
    watch.look(missed(STATIONS[5]))
    assert watch.look(missed(STATIONS[5], over=True))
    assert watch.look(missed(STATIONS[5], over=True), after=KEEP_S - 1_000)
    assert not watch.look(missed(STATIONS[5], over=True), after=1_000)
    assert not watch.look(missed(STATIONS[5], over=True)), "and does not come back though it is still seen"


def test_a_missed_broadcast_that_somebody_acknowledged_ends_when_the_station_plays_again() -> None:
    watch = Watch()
    (alert,) = watch.look(missed(STATIONS[5]))
    watch.state = acknowledged(watch.state, alert.id, by="bientap", note="", now=watch.now)
    assert watch.look(missed(STATIONS[5])), "it has not played since"
    assert not watch.look(missed(STATIONS[5], over=True))


def test_a_broadcast_missed_after_an_acknowledgment_wants_another_after_a_day() -> None:
    watch = Watch()
    (alert,) = watch.look(missed(STATIONS[5]))
    watch.state = acknowledged(watch.state, alert.id, by="bientap", note="", now=watch.now)
    (alert,) = watch.look(missed(STATIONS[5]), missed(STATIONS[5], "1/101"), after=ANEW_S - 100)
    assert alert.acked_by
    (alert,) = watch.look(missed(STATIONS[5]), missed(STATIONS[5], "1/101"), after=200)
    assert alert.acked_by == ""
    watch.look(missed(STATIONS[5]), missed(STATIONS[5], "1/101"), after=SETTLE_S["missed"])
    assert [one.what for one in watch.told] == ["opened"]


def test_an_emergency_that_has_not_arrived_is_one_alert_told_at_once() -> None:
    watch = Watch()
    watch.look(Trouble("emergency", "77", STATIONS[5]), Trouble("emergency", "78", STATIONS[6]))
    assert [(one.alert.cause, one.alert.scope) for one in watch.told] == [("77", WHOLE), ("78", WHOLE)]


TROUBLES = st.builds(
    Trouble,
    st.sampled_from(["missed", "late", "clock"]),
    st.sampled_from(["", "power"]),
    st.sampled_from(STATIONS[:24]),
    st.sampled_from(["", "1/100", "2/100"]),
    st.just(0),
    st.booleans(),
)
LOOKS = st.lists(
    st.tuples(st.lists(TROUBLES, max_size=30), st.integers(30, 40_000), st.booleans()), max_size=14
)


@given(looks=LOOKS)
@settings(max_examples=150, deadline=None)
def test_every_trouble_is_in_exactly_one_open_alert_and_alerts_are_few(
    looks: list[tuple[list[Trouble], int, bool]],
) -> None:
    watch = Watch()
    for seen, after, acknowledge in looks:
        distinct = {one.key: one for one in seen}
        opened = watch.look(*distinct.values(), after=after)
        held = Counter(
            (alert.kind, alert.cause, member.unit, member.item)
            for alert in opened
            for member in alert.members
        )
        assert set(held.values()) <= {1}
        assert held.keys() | watch.state.done >= distinct.keys()
        assert not held.keys() & watch.state.done
        assert {key for key, one in distinct.items() if not one.over} <= held.keys() | watch.state.done
        standing = Counter((one.kind, one.cause) for one in opened if one.members)
        assert max(standing.values(), default=0) <= ALERTS_MAX
        ending = Counter((one.kind, one.cause) for one in opened)
        assert max(ending.values(), default=0) <= 2 * ALERTS_MAX
        assert len({one.id for one in watch.state.alerts}) == len(watch.state.alerts)
        for alert in opened:
            assert alert.rolled == (alert.scope not in STATIONS)
            if alert.members and not alert.rolled:
                assert alert.units == (alert.scope,)
        if acknowledge and opened:
            watch.state = acknowledged(watch.state, opened[0].id, by="x", note="", now=watch.now)
    assert len({one.key for one in watch.told}) == len(watch.told), "each telling has its own key"


@given(fail=st.lists(st.sets(st.sampled_from(STATIONS), min_size=MANY), min_size=1, max_size=10))
@settings(max_examples=60, deadline=None)
def test_a_mass_outage_is_never_one_alarm_for_each_station(fail: list[set[str]]) -> None:
    watch = Watch()
    for units in fail:
        watch.look(*map(late, sorted(units)), after=SETTLE_S["late"])
        watch.look(*map(late, sorted(units)), after=FLAP_S // 4)
    # at most what is open, what doubled (2^6 > 70), and its end, for each area and the whole
    assert len(watch.told) <= 4 * ALERTS_MAX + 8
