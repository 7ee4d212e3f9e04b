"""Ordering for groups, looking ahead, and calling off: what the log holds, and what each station is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hub_house import DAY, EVENING, PROVINCE, TU_LE, VIET_THANH, XUAN_AI, YEN_THINH, House
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.groups import DAY_S, Group, GroupRule, Member, members
from hub.wanted import Wanted
from ledger.facts import Detail, Outcome, Scheduled, at, covers, foresee, foresight, pack_days, plan
from ledger.facts import standing as standing_of
from ledger.log import NotAllowed

PAIR = (TU_LE, XUAN_AI)


@pytest.fixture
def house() -> House:
    return House("timetable")


def planned(house: House, unit: str, day: int = DAY) -> list[int]:
    return [slot.series for slot in plan.slots(house.hub.facts, unit, at(day), at(day + 1))]


def signed(house: House) -> int:
    """Decisions in the log."""
    return sum(1 for _ in house.hub.ledger.since(0, decisions_only=True))


def test_a_group_is_ordered_unit_by_unit_under_one_number_in_one_transaction(house: House) -> None:
    bulletin = house.approved()
    before = signed(house)
    series = house.scheduled(bulletin, territory=PAIR)
    assert signed(house) == before + 2, "each its own signed event"
    assert planned(house, TU_LE) == planned(house, XUAN_AI) == [series]
    assert planned(house, VIET_THANH) == planned(house, YEN_THINH) == []
    deeds = [deed for deed in house.hub.queries.bulletin(bulletin).deeds if deed.what == "scheduled"]
    assert [(deed.applied, deed.territory) for deed in deeds] == [(True, XUAN_AI), (True, TU_LE)]


def test_one_approval_serves_every_unit_of_the_group(house: House) -> None:
    series = house.scheduled(territory=PAIR)
    for unit in PAIR:
        winner = plan.explain(house.hub.facts, unit, at(DAY, EVENING)).winner
        assert winner is not None
        assert winner.series == series


def test_a_station_is_sent_its_own_order_of_a_group_and_no_other(house: House) -> None:
    house.scheduled(territory=PAIR)
    for unit, ordered in ((TU_LE, 1), (VIET_THANH, 0)):
        box = house.station(unit)
        box.sync()
        found = [one.fact.territory for orders in box.facts.orders.values() for one in orders]
        assert found == [unit] * ordered


def test_one_cancellation_takes_the_whole_group_back(house: House) -> None:
    series = house.scheduled(territory=PAIR)
    house.later(60)
    before = signed(house)
    house.hub.commands.cancel_schedule(house.approver, series, reason="dời sang tuần sau", now=house.now)
    assert signed(house) == before + 1
    for unit in PAIR:
        said = plan.explain(house.hub.facts, unit, at(DAY, EVENING))
        assert said.winner is None
        assert [why.outcome for _, why in said.losers] == [Outcome.WITHDRAWN]
    assert {row.state for row in house.hub.queries.all_series()} == {"cancelled"}
    with pytest.raises(NotAllowed, match="called off already"):
        house.hub.commands.cancel_schedule(house.approver, series, reason="lần nữa", now=house.now)


def test_a_restarted_hub_knows_the_group_as_it_was_signed(house: House) -> None:
    series = house.scheduled(territory=PAIR)
    rows = house.hub.queries.all_series()
    house.restart()
    house.hub.rebuild()
    assert house.hub.queries.all_series() == rows
    house.hub.commands.cancel_schedule(house.approver, series, reason="thôi", now=house.now)


def test_nobody_orders_for_a_unit_outside_their_own(house: House) -> None:
    house.hub.commands.create_account(
        house.admin, account="xa", name="Văn hóa xã", role="editor", territory=TU_LE, password="van-hoa-2022",
        now=house.now,
    )  # fmt: skip
    officer = house.hub.accounts.login("xa", "van-hoa-2022", now=house.now)
    assert officer is not None
    bulletin = house.approved()
    before = house.segments()
    for units in (PAIR, (XUAN_AI,), PROVINCE):
        with pytest.raises(NotAllowed) as refused:
            house.hub.commands.schedule(
                officer, bulletin, territory=units, days=[DAY], minute=EVENING, now=house.now
            )
        assert refused.value.code == "no-right"
    assert house.segments() == before, "a refused group signs nothing, not even its first unit"
    house.hub.commands.schedule(officer, bulletin, territory=TU_LE, days=[DAY], minute=EVENING, now=house.now)


# -- looking ahead -------------------------------------------------------------------------------------------


def ahead(house: House, bulletin: str, **more: object) -> object:
    fields: dict[str, object] = {"units": (PROVINCE,), "days": (DAY, DAY + 1), "minute": EVENING} | more
    return house.hub.commands.foresee(house.editor, bulletin, Wanted(**fields), now=house.now)  # type: ignore[arg-type]


def test_a_free_hour_meets_nothing_and_says_how_much_was_looked_at(house: House) -> None:
    found = ahead(house, house.approved())
    assert found.outlook.meetings == ()
    assert (found.outlook.units, found.outlook.plans) == (4, 1), "four stations with one plan: asked once"
    assert found.outlook.days == found.outlook.days_looked == 2
    assert found.stations == tuple(sorted((TU_LE, XUAN_AI, VIET_THANH, YEN_THINH)))


def test_a_priority_item_in_the_way_is_named_with_day_and_stations(house: House) -> None:
    first = house.scheduled(house.approved(title="Tiêm phòng", klass=3), territory=TU_LE)
    found = ahead(house, house.approved()).outlook
    assert found.plans == 2, "one commune has an order of its own"
    (met,) = found.meetings
    assert (met.units, met.day, met.other.series, met.wins) == ((TU_LE,), DAY, first, False)
    assert met.why.detail == Detail.BY_HIGHER


def test_what_a_priority_item_would_displace_is_named(house: House) -> None:
    first = house.scheduled(territory=PAIR)
    found = ahead(house, house.approved(klass=3)).outlook
    assert {(met.other.series, met.wins) for met in found.meetings} == {(first, True)}
    assert sorted(unit for met in found.meetings for unit in met.units) == sorted(PAIR)


def test_of_equals_the_one_planned_earlier_goes_first_whichever_was_signed_first(house: House) -> None:
    house.scheduled(minute=EVENING)
    late = ahead(house, house.approved(), days=(DAY,)).outlook
    assert [met.wins for met in late.meetings] == [False], "the same minute: approval came later"


def test_quiet_hours_of_one_commune_are_told_apart_from_the_others(house: House) -> None:
    house.hub.commands.set_quiet_hours(
        house.admin, TU_LE, from_minute=16 * 60, until_minute=18 * 60, now=house.now
    )
    bulletin = house.approved()
    with pytest.raises(NotAllowed) as refused:
        ahead(house, bulletin)
    assert refused.value.code == "quiet-hours"
    assert ahead(house, bulletin, units=(XUAN_AI, VIET_THANH)).outlook.silent == ()


def test_looking_ahead_changes_nothing_and_signs_nothing(house: House) -> None:
    house.scheduled()
    bulletin = house.submitted()
    before, version = house.segments(), house.hub.facts.version
    found = ahead(house, bulletin)
    assert found.outlook.meetings, "a bulletin that waits is asked about as if it were approved"
    assert (house.segments(), house.hub.facts.version) == (before, version)
    assert planned(house, TU_LE) == [row.series for row in house.hub.queries.all_series()]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([PROVINCE, TU_LE, XUAN_AI]), st.sampled_from([2, 3]), st.integers(-3, 3),
            st.sets(st.integers(0, 2), min_size=1),
        ),
        max_size=3,
    ),
    st.sampled_from([PROVINCE, TU_LE]),
    st.sampled_from([2, 3]),
)  # fmt: skip
def test_what_was_foretold_is_what_the_plan_says_once_it_is_signed(
    others: list[tuple[str, int, int, set[int]]], territory: str, klass: int
) -> None:
    """Sign it after having looked, and ask every station at the instants that were named."""
    house = House("foretold")
    for unit, of_class, shift, days in others:
        house.scheduled(
            house.approved(klass=of_class), territory=unit, minute=EVENING + shift,
            days=[DAY + n for n in days], length_s=180,
        )  # fmt: skip
    bulletin = house.approved(klass=klass)
    wanted = Wanted((territory,), (DAY, DAY + 1, DAY + 2), EVENING)
    told = house.hub.commands.foresee(house.editor, bulletin, wanted, now=house.now).outlook
    winners = {
        (unit, met.at_s): met.other.series if not met.wins else None
        for met in told.meetings
        for unit in met.units
    }
    series = house.scheduled(bulletin, territory=territory, days=list(wanted.days))
    facts = house.hub.facts
    for (unit, at_s), other in winners.items():
        said = plan.explain(facts, unit, at_s)
        assert said.winner is not None
        assert said.winner.series == (series if other is None else other)
    for unit in sorted(facts.stations):
        for day in wanted.days:
            if not plan.slots(facts, unit, at(day, EVENING), at(day, EVENING) + 1):
                continue
            said = plan.explain(facts, unit, at(day, EVENING))
            met = (unit, at(day, EVENING)) in winners
            own = [slot for slot in plan.slots(facts, unit, at(day), at(day + 1)) if slot.series == series]
            if own and not met and said.winner is not None:
                assert said.winner.series == series, "nothing was foretold, and something is in the way"


# -- groups --------------------------------------------------------------------------------------------------

stations = st.lists(
    st.builds(
        Member,
        st.integers(1, 30).map(lambda n: f"vn.yb.{n:05d}"),
        st.sampled_from(["it", "fm"]),
        st.none() | st.integers(0, 100 * DAY_S),
        st.booleans(),
    ),
    unique_by=lambda one: one.unit,
)


@given(stations, st.sampled_from(["", "it", "fm"]), st.booleans(), st.integers(0, 60))
def test_a_rule_holds_exactly_the_stations_it_asks_for(
    all_of_them: list[Member], kind: str, boards: bool, silent_days: int
) -> None:
    now = 100 * DAY_S
    rule = GroupRule(kind, boards, silent_days)
    found = members(Group(1, "g", "vn.yb", (), rule, "", 0), all_of_them, now)
    for one in all_of_them:
        silent = one.heard_at is None or one.heard_at <= now - silent_days * DAY_S
        wanted = kind in ("", one.kind) and (one.boards or not boards) and (silent or silent_days == 0)
        assert (one.unit in found) == wanted


def test_a_list_forgets_a_station_that_is_no_longer_registered() -> None:
    group = Group(1, "g", "vn.yb", ("vn.yb.00001", "vn.yb.00002"), None, "", 0)
    assert members(group, [Member("vn.yb.00002", "it", None, False)], 0) == ("vn.yb.00002",)


def test_a_group_never_reaches_outside_the_place_it_was_made_for(house: House) -> None:
    groups = house.hub.choices.groups
    with pytest.raises(NotAllowed, match="below"):
        groups.keep("Lạ", territory=TU_LE, units=[XUAN_AI], account="lanhdao", now=house.now)
    rule = Group(1, "g", TU_LE, (), GroupRule(), "", 0)
    assert members(rule, [Member(XUAN_AI, "it", None, True), Member(TU_LE, "it", None, True)], 0) == (TU_LE,)


def test_groups_are_kept_over_a_restart_and_renamed_in_place(house: House) -> None:
    number = house.hub.choices.groups.keep(
        "Vùng cao", territory=PROVINCE, units=PAIR, account="lanhdao", now=house.now
    )
    hub = house.restart()
    hub.choices.groups.keep(
        "Vùng cao phía tây",
        territory=PROVINCE,
        units=[TU_LE],
        number=number,
        account="lanhdao",
        now=house.now,
    )
    (kept,) = hub.choices.groups.all(PROVINCE)
    assert (kept.id, kept.name, kept.units) == (number, "Vùng cao phía tây", (TU_LE,))
    with pytest.raises(NotAllowed, match="there is a group"):
        hub.choices.groups.keep(
            "Vùng cao phía tây", territory=PROVINCE, rule=GroupRule("fm"), account="x", now=1
        )
    assert hub.choices.groups.all(XUAN_AI) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([PROVINCE, TU_LE, XUAN_AI]), st.integers(10 * 60, 23 * 60 + 59),
            st.integers(1, 14_400), st.sets(st.integers(0, 4), min_size=1),
        ),
        max_size=5,
    ),
    st.integers(10 * 60, 23 * 60 + 59),
    st.integers(1, 14_400),
    st.booleans(),
)  # fmt: skip
def test_days_that_are_passed_over_have_nothing_to_tell(
    others: list[tuple[str, int, int, set[int]]], minute: int, length_s: int, alarm: bool
) -> None:
    """Slots over midnight and emergencies included: the same answer as when every day is looked at."""
    house = House("shortcut")
    house.hub.commands.set_quiet_hours(house.admin, PROVINCE, from_minute=0, until_minute=0, now=house.now)
    bulletin = house.approved()
    for unit, start, length, days in others:
        house.scheduled(bulletin, territory=unit, minute=start, length_s=length, days=[DAY + n for n in days])
    if alarm:
        house.hub.commands.order_emergency(
            house.approver, kind="lu-quet", level=2, text="Lũ.", territory=TU_LE,
            expires_at=house.now + 86_400, now=house.now,
        )  # fmt: skip
    fact = house.hub.facts.orders
    content = house.hub.queries.bulletin(bulletin).row
    days = [DAY + n for n in range(5)]
    order = Scheduled(
        house.now, next(n for n in range(1, 99) if n not in fact), bytes.fromhex(bulletin),
        bytes.fromhex(content.manifest), DAY, pack_days(DAY, days), minute, length_s, PROVINCE, 2, 900, 0,
        None,
    )  # fmt: skip
    units = sorted(house.hub.facts.stations)
    quick = foresee(house.hub.facts, [order], units, house.editor.key.key_id)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foresight._Busy, "on", lambda *_: True)
        slow = foresee(house.hub.facts, [order], units, house.editor.key.key_id)
    assert quick == slow


def test_a_long_answer_ends_with_whole_days_and_says_how_many(house: House) -> None:
    for unit in PAIR:
        house.scheduled(territory=unit, days=[DAY + n for n in range(20)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foresight, "LOOKS_MAX", 7)
        found = ahead(house, house.approved(), days=tuple(DAY + n for n in range(20))).outlook
    assert (found.days_looked, found.days) == (3, 20), (
        "two plans a day: the fourth day would be the eighth look"
    )
    assert {met.day for met in found.meetings} == {DAY, DAY + 1, DAY + 2}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["vn", "vn.yb", "vn.yb.1", "vn.yb.2", "vn.yb.1.3", "vn.ybx"]), st.integers(0, 2)
        ),
        max_size=12,
    )
)
def test_a_number_taken_above_is_taken_below_whoever_asks_and_beside_it_never(
    orders: list[tuple[str, int]],
) -> None:
    """Against the plain reading: refused when one that stands covers it, and it may not replace that one."""
    told = [
        SimpleNamespace(fact=SimpleNamespace(territory=territory), key_id=bytes([key]))
        for territory, key in orders
    ]

    def may(later: SimpleNamespace, above: list[SimpleNamespace]) -> bool:
        return all(later.key_id >= one.key_id for one in above)

    standing: list[SimpleNamespace] = []
    taken = []
    for order in told:
        above = [one for one in standing if covers(one.fact.territory, order.fact.territory)]
        (standing if may(order, above) else taken).append(order)
    assert standing_of.taken_of(told, may) == taken  # type: ignore[arg-type]


def test_a_group_signed_by_a_key_that_was_ended_before_counts_nowhere(house: House) -> None:
    """Every order of the group falls, not only the first."""
    bulletin = house.approved()
    until = house.segments()
    house.later(60)
    series = house.scheduled(bulletin, territory=PAIR)
    key = house.hub.accounts.row("bientap")
    assert key is not None
    house.later(60)
    house.hub.commands.revoke_key(
        house.admin, key.key_id, reason="mất máy", until=until, hub=house.hub.key, now=house.now
    )
    house.hub.rebuild()
    ordered = [deed for deed in house.hub.queries.deeds() if deed.what == "scheduled"]
    assert [(deed.applied, deed.series) for deed in ordered] == [(False, series)] * 2
    assert planned(house, TU_LE) == planned(house, XUAN_AI) == []
