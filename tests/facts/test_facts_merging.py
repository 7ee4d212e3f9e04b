"""Mergers of units: what goes on, what is heard in addition, who may speak, whatever order things come in."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from endings_desk import Office
from facts_desk import LAW_DAY, NOW, OFFICER, PROVINCE, Room, approved, arrive, scheduled
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import (
    Cancelled,
    Facts,
    Lineages,
    QuietHoursSet,
    Right,
    UnitMerged,
    at,
    audience_of,
    covers,
    due,
    explain,
    slots,
)
from ledger.facts.index import index_of
from ledger.facts.standing import Standing
from ledger.log.segment import Segment

OLD, OTHER, NEW = "vn.yb.old", "vn.yb.other", "vn.yb.new"
MERGED_DAY = LAW_DAY + 10
AFTER = LAW_DAY + 12
MANAGE = Right.ADMIN | Right.GRANT


def merged(unit: str = OLD, into: str | None = NEW, day: int = MERGED_DAY, **fields: Any) -> UnitMerged:
    return UnitMerged(fields.get("ts", NOW), unit, into, day, None if into is None else "Xã Mới")


@pytest.fixture
def room() -> Room:
    """An administrator who may merge; officers of the old commune, of the new one, of the province."""
    room = Room()
    room.grant("root", "admin", MANAGE, PROVINCE, depth=2)
    room.grant("root", "province", OFFICER, PROVINCE)
    room.grant("root", "old", OFFICER, OLD)
    room.grant("root", "new", OFFICER, NEW)
    return room


def heard(facts: Facts, unit: str, day: int) -> list[int]:
    """The series whose slots may play at `unit` on `day`."""
    found = slots(facts, unit, at(day), at(day + 1))
    return [one.series for one in found if explain(facts, unit, one.start_s).winner == one]


def test_orders_for_the_new_unit_reach_the_old_station_from_the_day_of_the_merger_on(room: Room) -> None:
    room.say("admin", merged())
    room.say("new", approved(1, territory=NEW))
    room.say("new", scheduled(1, 1, territory=NEW, days=[MERGED_DAY - 1, MERGED_DAY, AFTER]))
    assert [heard(room.facts, OLD, day) for day in (MERGED_DAY - 1, MERGED_DAY, AFTER)] == [[], [1], [1]]
    assert heard(room.facts, OTHER, AFTER) == []


def test_what_was_ordered_for_the_old_unit_goes_on_under_its_own_number(room: Room) -> None:
    room.say("old", approved(1, territory=OLD))
    room.say("old", scheduled(1, 1, territory=OLD, days=[LAW_DAY, AFTER]))
    before = slots(room.facts, OLD, at(AFTER), at(AFTER + 1))
    room.say("admin", merged())
    assert slots(room.facts, OLD, at(AFTER), at(AFTER + 1)) == before
    assert heard(room.facts, OLD, AFTER) == [1]


def test_the_successor_may_take_back_what_the_old_unit_had_ordered_and_not_before_the_day(room: Room) -> None:
    room.say("old", approved(1, territory=OLD))
    room.say("old", scheduled(1, 1, territory=OLD, days=[AFTER]))
    room.say("admin", merged())
    room.say("new", Cancelled(at(MERGED_DAY) - 1, 1, None, 1, NEW, "sáp nhập"))
    assert heard(room.facts, OLD, AFTER) == [1]
    room.say("new", Cancelled(at(MERGED_DAY), 1, None, 1, NEW, "sáp nhập"))
    assert heard(room.facts, OLD, AFTER) == []


def test_a_superior_that_a_unit_left_keeps_what_it_had_ordered_and_orders_nothing_more(room: Room) -> None:
    room.grant("root", "central", MANAGE, "vn", depth=2)
    room.grant("root", "neighbour", OFFICER, "vn.lc")
    room.say("province", approved(1))
    room.say("province", scheduled(1, 1, days=[AFTER]))
    room.say("central", merged(OLD, "vn.lc.new"))
    room.say("province", approved(2, ts=at(MERGED_DAY)))
    room.say("province", scheduled(2, 2, ts=at(MERGED_DAY), minute=600, days=[AFTER]))
    room.say("province", scheduled(3, 2, ts=at(MERGED_DAY), minute=660, days=[AFTER], territory=OLD))
    room.say("neighbour", approved(4, territory="vn.lc"))
    room.say("neighbour", scheduled(4, 4, territory="vn.lc", minute=720, days=[AFTER]))
    assert heard(room.facts, OLD, AFTER) == [4, 1]
    assert heard(room.facts, OTHER, AFTER) == [2, 1]
    assert room.reasons() == ["no-authority"], "it has no right over the unit any more, by whatever name"


def test_quiet_hours_of_the_new_unit_hold_from_the_day_of_the_merger_on(room: Room) -> None:
    room.grant("root", "new-admin", Right.ADMIN, NEW)
    room.say("admin", QuietHoursSet(NOW, PROVINCE, 20 * 60, 6 * 60))
    room.say("new-admin", QuietHoursSet(NOW, NEW, 19 * 60, 7 * 60))
    room.say("admin", merged())
    assert room.facts.quiet_hours(OLD, MERGED_DAY - 1) == (20 * 60, 6 * 60)
    assert room.facts.quiet_hours(OLD, MERGED_DAY) == (19 * 60, 7 * 60)


@pytest.mark.parametrize(
    ("signer", "into"), [("old", NEW), ("new", NEW), ("province", NEW), ("admin", "vn.lc.x")]
)
def test_a_merger_takes_the_right_to_administer_and_to_grant_over_both_units(
    room: Room, signer: str, into: str
) -> None:
    room.say(signer, merged(OLD, into))
    assert room.reasons() == ["no-authority"]
    assert not room.facts.lineages


def test_a_merger_counts_once_its_signer_is_known_to_have_the_right(room: Room) -> None:
    room.say("late", merged())
    assert not room.facts.lineages
    room.grant("root", "late", MANAGE, PROVINCE)
    assert room.facts.lineages.seat(OLD, MERGED_DAY) == NEW
    assert room.reasons() == []


def test_a_merger_ends_with_its_signers_key_when_nothing_excepts_it() -> None:
    office = Office()
    office.grant("root", "admin", MANAGE, PROVINCE, depth=2)
    office.say("admin", merged())
    assert office.facts.lineages.seat(OLD, MERGED_DAY) == NEW
    office.revoke("root", "admin")
    assert office.facts.lineages.seat(OLD, MERGED_DAY) == OLD


def test_a_later_word_replaces_a_merger_from_its_own_day_on_and_takes_one_back(room: Room) -> None:
    room.say("admin", merged(day=MERGED_DAY))
    room.say("admin", merged(into=OTHER, day=MERGED_DAY + 5))
    lineages = room.facts.lineages
    assert [lineages.seat(OLD, day) for day in (MERGED_DAY, MERGED_DAY + 5)] == [NEW, OTHER]
    assert lineages.names(OLD)[NEW].until_s == at(MERGED_DAY + 5)
    room.say("admin", merged(into=None, day=MERGED_DAY))
    assert not room.facts.lineages
    assert dict(room.facts.lineages.names(OLD)) == dict.fromkeys((OLD, PROVINCE, "vn"), (0, inf))


def test_a_unit_and_all_below_it_go_together(room: Room) -> None:
    room.grant("root", "central", MANAGE, "vn", depth=2)
    room.say("central", merged(PROVINCE, "vn.lc"))
    names = room.facts.lineages.names(OLD)
    assert list(names) == [OLD, PROVINCE, "vn.lc", "vn"]
    assert names["vn.lc"].from_day == MERGED_DAY
    assert names["vn"] == (0, inf)


def test_two_units_merged_into_one_another_are_one_and_nothing_hangs(room: Room) -> None:
    room.say("admin", merged(OLD, OTHER))
    room.say("admin", merged(OTHER, OLD))
    assert set(room.facts.lineages.names(OLD)) == {OLD, OTHER, PROVINCE, "vn"}
    assert room.facts.lineages.seat(OLD, AFTER) in {OLD, OTHER}


def test_what_was_withdrawn_for_the_new_unit_stays_so_for_a_station_that_is_told_later(room: Room) -> None:
    order, cancel = (
        scheduled(1, 1, territory=NEW, days=[AFTER]),
        Cancelled(NOW + 1, 1, None, 1, PROVINCE, "thôi"),
    )
    room.say("new", approved(1, territory=NEW))
    room.say("new", order)
    room.say("province", cancel)
    room.say("admin", merged())
    told = told_to(room, OLD)
    assert heard(told, OLD, AFTER) == heard(room.facts, OLD, AFTER) == []


# --- the station of a unit and the hub of all ---------------------------------------------------------------


def told_to(room: Room, unit: str) -> Facts:
    """A station's facts: what it was sent at first, then the feed again each time it has further names."""
    segments = [stored.segment for stored in room.arrived]
    names: set[str] = set()
    told: list[Segment] = []
    facts = Facts([])
    while (wider := names | ({unit} if not names else set(facts.lineages.names(unit)))) != names:
        names = wider | {above for name in wider for above in _above(name)}
        told += [one for one in segments if audience_of(one.events) in names and one not in told]
        facts = arrive(told)
    return facts


def _above(unit: str) -> list[str]:
    labels = unit.split(".")
    return [".".join(labels[:end]) for end in range(1, len(labels) + 1)]


UNITS = [OLD, OTHER, NEW, "vn.yb.far"]
STEPS = st.one_of(
    st.tuples(st.just("merge"), st.sampled_from(UNITS), st.sampled_from(UNITS), st.integers(0, 3)),
    st.tuples(st.just("order"), st.sampled_from([*UNITS, PROVINCE]), st.integers(1, 3), st.integers(0, 3)),
    st.tuples(st.just("cancel"), st.sampled_from([*UNITS, PROVINCE]), st.integers(1, 3), st.integers(0, 3)),
)


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=12), st.sampled_from(UNITS))
def test_names_are_the_same_for_a_station_that_is_told_only_its_own_share(
    steps: list[Any], unit: str
) -> None:
    room = Room()
    room.grant("root", "admin", MANAGE | OFFICER, PROVINCE, depth=2)
    for n, (what, where, other, day) in enumerate(steps):
        ts = NOW + n
        if what == "merge" and where != other:
            room.say("admin", merged(where, other, LAW_DAY + day, ts=ts))
        elif what == "order":
            room.say("admin", approved(other, territory=where, ts=ts, version=n + 1))
            room.say(
                "admin",
                scheduled(
                    other, other, territory=where, ts=ts, minute=480 + 20 * n, days=[LAW_DAY, LAW_DAY + day]
                ),
            )
        elif what == "cancel":
            room.say("admin", Cancelled(ts, 1, None, other, where, ""))
    told = told_to(room, unit)
    assert dict(told.lineages.names(unit)) == dict(room.facts.lineages.names(unit))
    for day in range(LAW_DAY, LAW_DAY + 4):
        assert told.lineages.seat(unit, day) == room.facts.lineages.seat(unit, day)
        assert {s.series for s in slots(told, unit, at(day), at(day + 1))} == {
            s.series for s in slots(room.facts, unit, at(day), at(day + 1))
        }


@settings(max_examples=150)
@given(st.lists(STEPS, max_size=12))
def test_the_shared_index_finds_what_looking_at_every_order_finds(steps: list[Any]) -> None:
    room = Room()
    room.grant("root", "admin", MANAGE | OFFICER, PROVINCE, depth=2)
    for n, (what, where, other, day) in enumerate(steps):
        for unit in UNITS:
            due(room.facts, unit, at(LAW_DAY + 1), ())  # an index that has to follow what comes after
        if what == "merge" and where != other:
            room.say("admin", merged(where, other, LAW_DAY + day, ts=NOW + n))
        elif what == "order":
            room.say(
                "admin", scheduled(n + 1, other, territory=where, ts=NOW + n, days=[LAW_DAY, LAW_DAY + day])
            )
    facts = room.facts
    for unit in UNITS:
        for day in range(LAW_DAY, LAW_DAY + 4):
            found = {one.series for one in index_of(facts, unit).day(day)}
            sought = {
                series
                for series, orders in facts.orders.items()
                for order in orders
                if facts.hears(unit, order.fact, day) and day in (LAW_DAY, LAW_DAY + _offset(order.fact))
            }
            assert found == sought
            assert {one.series for one in index_of(facts, unit).outlines(day)} == found


def _offset(fact: Any) -> int:
    return int(int.from_bytes(fact.days, "little").bit_length() - 1)


@given(
    st.sampled_from([*UNITS, PROVINCE, "vn"]),
    st.sampled_from([*UNITS, PROVINCE, "vn"]),
    st.integers(0, 1 << 39),
)
def test_without_mergers_a_name_is_an_ancestor(outer: str, inner: str, ts: int) -> None:
    lineages = Lineages()
    assert lineages.hears(inner, outer, ts) == lineages.holds(outer, inner, ts) == covers(outer, inner)
    assert (outer in lineages.names(inner)) == covers(outer, inner)


def test_any_mergers_are_followed_in_time(room: Room) -> None:
    """A ladder of units, each merged twice into the next: the ways up double, the steps do not."""
    lineages = Lineages()
    for n in range(40):
        for day in (1, 2):
            fact = UnitMerged(NOW, f"vn.yb.l{n}", f"vn.yb.l{n + 1}", day, "Xã")
            lineages.take(Standing(fact, None))  # type: ignore[arg-type]
    assert len(lineages.names("vn.yb.l0")) == 43
