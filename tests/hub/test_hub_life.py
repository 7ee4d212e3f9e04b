"""The life of a hub: founded once, killed at any moment, started again, and nothing promised is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hub_house import DAY, MORNING, OFFICERS, PASSWORDS, PROVINCE, TU_LE, House, dump, entropy_from

from hub import DEMO_ACCOUNTS, KDF_CHEAP, Hub, HubConfig, found, load_config, seed_demo_accounts
from ledger.facts import Cancelled, Drafted, parse
from ledger.log import LoaError, MemoryStore, Store, StoreError
from sim.power import PowerCut, PoweredStore

FOUND: dict[str, Any] = {"now": MORNING, "password": PASSWORDS["admin"], "kdf": KDF_CHEAP}


def a_hub(store: Store, config: HubConfig, seed: str = "life") -> Hub:
    return Hub(store, config=config, clock_now=lambda: MORNING, entropy=entropy_from(seed))


# -- founding
# ----------------------------------------------------------------------------------------------------


def test_a_hub_is_founded_with_a_root_a_key_an_administrator_and_two_grants() -> None:
    store = MemoryStore()
    config = found(store, entropy=entropy_from("f"), **FOUND)
    assert load_config(store) == config
    assert {"hub.json", "hub.key", "root.key"} <= set(store.names(""))
    hub = a_hub(store, config)
    admin = hub.accounts.login("admin", PASSWORDS["admin"], now=MORNING)
    assert admin is not None
    authority = hub.facts.authority
    assert authority.label_of(hub.key.key_id) == "Yên Bái (hub)"
    assert authority.units_of(admin.key.key_id) == (PROVINCE,)
    assert hub.facts.refused == []
    assert hub.ledger.verify().failed == 0


def test_a_second_founding_is_refused() -> None:
    store = MemoryStore()
    found(store, entropy=entropy_from("f"), **FOUND)
    with pytest.raises(StoreError) as refused:
        found(store, entropy=entropy_from("g"), **FOUND)
    assert refused.value.code == "already-founded"


def test_a_founding_cut_short_anywhere_is_simply_repeated() -> None:
    for operation in range(1, 500, 3):
        store = PoweredStore()
        store.fuse.arm(operation)
        try:
            found(store, entropy=entropy_from("f"), **FOUND)
        except PowerCut:
            cut = True
        else:
            cut = False
        store.fuse.reset()
        store.crash()
        if cut:
            found(store, entropy=entropy_from("g"), **FOUND)
        hub = a_hub(store, load_config(store))
        assert hub.accounts.login("admin", PASSWORDS["admin"], now=MORNING) is not None
        seed_demo_accounts(hub, now=MORNING)
        assert hub.facts.refused == []
        if not cut:
            return
    raise AssertionError("the sweep never reached the end of the founding")


def test_the_demo_accounts_are_those_that_are_printed() -> None:
    store = MemoryStore()
    hub = a_hub(store, found(store, entropy=entropy_from("f"), **FOUND))
    seed_demo_accounts(hub, now=MORNING)
    seed_demo_accounts(hub, now=MORNING)
    for account, name, role, password in DEMO_ACCOUNTS:
        officer = hub.accounts.login(account, password, now=MORNING)
        assert officer is not None
        assert (officer.name, officer.role) == (name, role)


def test_a_store_without_its_keys_or_its_configuration_says_what_is_missing() -> None:
    store = MemoryStore()
    config = found(store, entropy=entropy_from("f"), **FOUND)
    store.delete("hub.key")
    with pytest.raises(StoreError) as refused:
        a_hub(store, config)
    assert refused.value.code == "key-missing"
    store.delete("root.key")


def test_a_hub_runs_without_its_root_key() -> None:
    """It belongs on a stick in a safe."""
    house = House()
    house.store.delete("root.key")
    house.restart()
    assert house.scheduled()
    assert house.station().sync().hub_time == house.now


# -- restarts
# ----------------------------------------------------------------------------------------------------


def test_a_restart_changes_no_row_and_knows_everybody() -> None:
    house = House()
    box = house.station()
    series = house.scheduled()
    box.ack(series)
    box.sync()
    house.hub.tick()
    before = dump(house.hub)
    house.restart()
    assert dump(house.hub) == before
    assert house.hub.facts.orders.keys() == {series}
    box.ack(series, DAY + 1)
    box.sync()
    house.hub.tick()
    assert len(house.hub.queries.as_run(series=series)) == 2
    assert house.hub.ledger.verify().failed == 0


def test_every_life_of_a_hub_writes_logs_of_its_own() -> None:
    house = House()
    house.draft()
    first = set(house.hub.ledger.frontier(house.editor.key.key_id))
    house.restart()
    house.draft()
    assert len(set(house.hub.ledger.frontier(house.editor.key.key_id)) - first) == 1


ACTS: dict[str, Callable[[House], Any]] = {
    "draft": lambda house: house.draft(),
    "approve": lambda house: house.approve(house.hub.queries.queue()[0].id),
    "schedule": lambda house: house.scheduled(house.hub.queries.bulletins(state="approved")[0].id),
    "emergency": lambda house: house.hub.commands.order_emergency(
        house.approver, kind="lu-quet", level=2, text="Lũ quét", territory=PROVINCE, now=house.now
    ),
    "alone": lambda house: house.hub.commands.order_alone(
        house.approver, next(iter(house.hub.facts.proposals)), reason="Không ai.", present=(), now=house.now
    ),
    "stations": lambda house: house.hub.commands.register_stations(
        house.admin, [(f"vn.yb.{n}", f"Xã {n}", "it") for n in range(5)], now=house.now
    ),
}


@pytest.mark.parametrize("act", sorted(ACTS))
def test_a_power_cut_at_any_operation_of_an_act_leaves_all_of_it_or_nothing(act: str) -> None:
    """Aggregate rows, sealed segments and views agree after every cut; and no number of a log is used
    twice.
    """
    reached = False
    for step in range(1, 10_000):
        operation = 1 + (step - 1) * 4
        store = PoweredStore()
        house = House(store=store)
        house.approved(title="Đã duyệt")
        house.submitted(title="Chờ duyệt")
        if act == "alone":
            house.hub.commands.propose_emergency(
                house.approver, kind="lu-quet", level=2, text="Lũ quét", territory=PROVINCE, now=house.now
            )
        before = decisions_of(house)
        store.fuse.arm(operation)
        try:
            ACTS[act](house)
        except PowerCut:
            cut = True
        else:
            cut = False
        store.fuse.reset()
        store.crash()
        house.restart()
        after = decisions_of(house)
        assert after[: len(before)] == before
        added = len(after) - len(before)
        assert added in (0, {"stations": 5, "alone": 2}.get(act, 1))
        assert rows_of(house) == len(after), "an aggregate row for each decision, and no other"
        assert house.hub.ledger.verify().failed == 0
        assert house.hub.queries.counts()["cursor"] == house.segments()
        house.draft(title="Vẫn làm việc")
        if not cut:
            reached = True
            assert added
            break
    assert reached


def decisions_of(house: House) -> list[bytes]:
    """Every decision in the ledger that an aggregate made, in order."""
    officers = {house.hub.accounts.row(name).key_id for name in OFFICERS}  # type: ignore[union-attr]
    return [
        event
        for stored in house.hub.ledger.since(0)
        if stored.segment.head.key_id.hex() in officers
        for event in stored.segment.events
        if type(parse(event)).__name__ not in ("LogOpened", "Granted")
    ]


def rows_of(house: House) -> int:
    return int(house.hub.ledger.db.execute("SELECT count(*) FROM stored_events").fetchone()[0])


# -- trouble
# -----------------------------------------------------------------------------------------------------


def test_a_damaged_decision_stops_that_bulletin_and_no_other() -> None:
    house = House()
    good, bad = house.draft(), house.draft()
    house.hub.ledger.db.execute("UPDATE stored_events SET state = X'C1' WHERE originator_id = ?", [bad])
    with pytest.raises(LoaError) as refused:
        house.hub.commands.submit(house.editor, bad, now=house.now)
    assert refused.value.code == "decision-malformed"
    house.hub.commands.submit(house.editor, good, now=house.now)


def test_after_a_rollback_the_facts_are_what_the_ledger_says() -> None:
    house = House()
    series = house.scheduled()
    version = {name: list(orders) for name, orders in house.hub.facts.orders.items()}

    def fail() -> None:
        with house.hub.ledger.transaction():
            fact = Cancelled(house.now, 1, None, series, PROVINCE, "x")
            house.hub.ledger.append_sealed(house.approver.key, fact.encode())
            assert house.hub.facts.cancels
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not house.hub.facts.cancels
    assert {name: list(orders) for name, orders in house.hub.facts.orders.items()} == version
    house.hub.commands.cancel(house.approver, series, reason="x", now=house.now)
    assert house.hub.queries.series(series).state == "cancelled"


def test_an_old_image_of_the_whole_hub_goes_on_without_repeating_a_number() -> None:
    house = House()
    store = house.store
    assert isinstance(store, MemoryStore)
    box = house.station(TU_LE)
    box.sync()
    image = store.snapshot()
    lost = house.scheduled()
    box.sync()
    store.restore(image)
    house.restart()
    again = house.scheduled()
    assert again != lost
    assert set(house.hub.facts.orders) == {again}
    box.sync()
    assert {lost, again} <= set(box.facts.orders), "the station keeps what was signed"
    assert box.ledger.verify().failed == 0


def test_every_decision_of_people_stands_alone_in_its_segment() -> None:
    house = House()
    house.scheduled()
    for stored in house.hub.ledger.since(0):
        kinds = [parse(event) for event in stored.segment.events]
        if any(isinstance(fact, Drafted | Cancelled) for fact in kinds):
            assert len(kinds) == 1
