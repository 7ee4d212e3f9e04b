"""The views: folded in step with the ledger, disposable, the same however they were built."""

from __future__ import annotations

import pytest
from hub_house import DAY, EVENING, PROVINCE, TU_LE, XUAN_AI, Box, House, dump

from hub import projections
from hub.views import create
from ledger.facts import (
    Acknowledged,
    Approved,
    EmergencyOrdered,
    Granted,
    Outcome,
    Refused,
    Right,
    Scheduled,
    StationRegistered,
    WithdrawalSeen,
    at,
)
from ledger.log import ForkError, MemoryStore, SigningKey, encode, seal
from sim.power import PowerCut, PoweredStore


@pytest.fixture
def house() -> House:
    return House()


def a_busy_day(house: House) -> None:
    """One of everything: bulletins in every state, plans, an emergency, reports good, late, bad and
    forbidden.
    """
    commands = house.hub.commands
    here, there = house.station(TU_LE), house.station(XUAN_AI)
    approved = house.approved()
    series = house.scheduled(approved, days=[DAY, DAY + 1])
    house.submitted(title="Chờ duyệt")
    returned = house.submitted(title="Trả lại")
    commands.return_bulletin(house.approver, returned, reason="Sửa ngày", now=house.now)
    gone = house.approved(title="Thu hồi")
    called_off = house.scheduled(gone, minute=EVENING + 30)
    commands.cancel(house.approver, called_off, reason="Đổi lịch", now=house.now)
    commands.withdraw(house.approver, gone, reason="Sai nội dung", now=house.now)
    emergency = commands.order_emergency(
        house.approver, kind="lu-quet", level=2, text="Lũ quét", territory=PROVINCE, now=house.now
    )
    commands.set_quiet_hours(house.admin, TU_LE, 0, 0, now=house.now)
    for box in (here, there):
        box.sync()
        box.ack(series)
        box.ack(series, DAY + 1, outcome=int(Outcome.MISSED), detail=2, evidence=0, played_ds=0)
        box.ack(emergency, ts=house.now + 3)
        box.report(WithdrawalSeen(house.now, 0, bytes.fromhex(gone), 0).encode())
        box.report(Refused(house.now, bytes(16), "unapproved").encode())
        box.report(encode([99, house.now, "from a newer version"]))
        box.sync()
    forged = Approved(house.now, bytes.fromhex(approved), 1, bytes(32), "Giả", "khac", 3, PROVINCE, DAY, DAY)
    house.hub.ledger.append_sealed(here.key, forged.encode())
    house.hub.tick()


def test_building_again_gives_the_same_rows_byte_for_byte(house: House) -> None:
    a_busy_day(house)
    before = dump(house.hub)
    assert house.hub.rebuild() == house.segments()
    assert dump(house.hub) == before
    assert "Sai nội dung" in before


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
def test_the_size_of_the_batches_does_not_show_in_the_rows(
    house: House, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    a_busy_day(house)
    before = dump(house.hub)
    monkeypatch.setattr(projections, "BATCH_SEGMENTS", size)
    house.hub.rebuild()
    assert dump(house.hub) == before


def test_a_restart_between_any_two_segments_does_not_show_in_the_rows(house: House) -> None:
    a_busy_day(house)
    whole = dump(house.hub)
    hub = house.hub
    views = hub.projections
    # Fold one segment per life: each life begins with an empty fold and must catch up by itself.
    create(views.db)
    size, projections.BATCH_SEGMENTS = projections.BATCH_SEGMENTS, 1
    try:
        while True:
            views._facts = None
            if views.catch_up() == 0:
                break
    finally:
        projections.BATCH_SEGMENTS = size
    assert dump(house.hub) == whole


def test_a_power_cut_while_catching_up_is_repaired_by_the_next_start() -> None:
    for operation in range(1, 2_000, 17):
        store = PoweredStore()
        house = House(store=store)
        box = house.station()
        series = house.scheduled()
        for day in range(5):
            box.ack(series, DAY + day)
        box.sync()
        store.fuse.arm(operation)
        try:
            house.hub.tick()
        except PowerCut:
            cut = True
        else:
            cut = False
        store.fuse.reset()
        store.crash()
        house.restart()
        house.hub.tick()
        after = dump(house.hub)
        house.hub.rebuild()
        assert dump(house.hub) == after
        assert len(house.hub.queries.as_run(series=series)) == 5
        if not cut:
            assert operation > 10
            return
    raise AssertionError("the sweep never reached the end of a tick")


def test_a_ledger_restored_from_a_backup_drops_views_of_the_lost_history(house: House) -> None:
    store = house.store
    assert isinstance(store, MemoryStore)
    house.submitted(title="Trước khi sao lưu")
    backup = store.snapshot()
    house.submitted(title="Mất theo đĩa cũ")
    newest = store.snapshot()
    mixed = type(backup)(
        dict(newest.files), dict(newest.databases) | {"ledger.db": backup.databases["ledger.db"]}
    )
    store.restore(mixed)
    house.restart()
    titles = [row.title for row in house.hub.queries.bulletins()]
    assert titles == ["Trước khi sao lưu"]
    assert house.hub.queries.counts()["cursor"] == house.segments()


def test_tables_of_another_version_are_built_again(house: House) -> None:
    a_busy_day(house)
    before = dump(house.hub)
    house.hub.projections.db.execute("DROP TABLE as_run")
    house.hub.projections.db.execute("PRAGMA user_version = 99")
    house.restart()
    assert dump(house.hub) == before


# -- acknowledgments
# ---------------------------------------------------------------------------------------------


def test_a_thousand_acknowledgments_of_a_hundred_stations_verify_and_land_in_the_as_run_view() -> None:
    places = [(f"vn.yb.{n:05d}", f"Xã {n}", "it") for n in range(100)]
    house = House(places=places)
    bulletin = house.approved()
    series = [house.scheduled(bulletin, minute=480 + 60 + n * 30) for n in range(10)]
    tokens = house.hub.commands.new_station_tokens(
        house.admin, [unit for unit, _, _ in places], now=house.now
    )
    for token in tokens:
        box = Box(house, token.text)
        for one in series:
            box.ack(one)
        assert house.hub.sync(box.ask())[0] == 200
    house.hub.tick()
    rows = house.hub.queries.as_run(day=DAY, limit=5_000)
    assert len(rows) == 1_000
    assert len({(row.unit, row.series) for row in rows}) == 1_000
    assert {row.outcome for row in rows} == {int(Outcome.PLAYED)}
    audit = house.hub.ledger.verify()
    assert audit.failed == 0
    summary = house.hub.queries.summary(DAY)
    assert (summary.planned, summary.outcomes, summary.unreported) == (1_000, {"played": 1_000}, 0)
    assert house.hub.queries.counts()["strays"] == 0


def test_the_first_acknowledgment_of_a_slot_stands(house: House) -> None:
    box = house.station()
    series = house.scheduled()
    box.ack(series, outcome=int(Outcome.MISSED), detail=1)
    box.sync()
    box.ack(series, outcome=int(Outcome.PLAYED))
    box.ack(series, outcome=int(Outcome.PLAYED_LATE))
    box.sync()
    house.hub.tick()
    (row,) = house.hub.queries.as_run(series=series)
    assert row.outcome == Outcome.MISSED
    counts = house.hub.queries.counts()
    assert (counts["acks"], counts["acks_repeated"]) == (1, 2)


def test_a_lone_repeated_acknowledgment_does_not_disturb_the_batch(house: House) -> None:
    box = house.station()
    series = house.scheduled()
    for _ in range(2):
        box.ack(series)
        box.sync()
        house.hub.tick()
    assert house.hub.queries.counts()["acks_repeated"] == 1


def test_an_acknowledgment_counts_only_from_a_key_that_may_acknowledge_there(house: House) -> None:
    series = house.scheduled()
    ack = Acknowledged(house.now, series, DAY, bytes(16), 0, 10, 1, 0, 1, 80, None).encode()
    for author in (house.editor.key, house.hub.key):  # the hub's key may, but for no station
        house.hub.ledger.append(author, ack)
        house.hub.ledger.seal(author)
    wide = SigningKey.from_seed(b"w" * 32)
    for unit in (TU_LE, XUAN_AI):  # a key of two stations does not say for which it speaks
        grant = Granted(
            house.now, wide.verify_key.raw, int(Right.ACK), unit, 0, house.now + 1_000, 0, "hai nơi"
        )
        house.hub.ledger.append_sealed(house.hub.key, grant.encode())
    house.hub.ledger.append(wide, ack)
    house.hub.ledger.seal(wide)
    house.hub.tick()
    assert house.hub.queries.as_run(series=series) == []
    assert house.hub.queries.counts()["strays"] == 3


def test_a_station_speaks_for_itself_whatever_slot_it_names(house: House) -> None:
    box = house.station(TU_LE)
    elsewhere = house.scheduled(territory=XUAN_AI)
    box.ack(elsewhere)
    box.ack(777_777, ts=at(DAY) + 100, jitter_cs=500)
    box.sync()
    house.hub.tick()
    rows = {row.series: row for row in house.hub.queries.as_run(unit=TU_LE)}
    assert rows[elsewhere].unit == TU_LE
    assert rows[777_777].planned_at == at(DAY) + 95, "an order unknown here: from the station's own jitter"
    summary = house.hub.queries.summary(DAY)
    assert (summary.unplanned, summary.unreported) == (2, 1)


def test_when_a_slot_was_planned_comes_from_its_order(house: House) -> None:
    box = house.station()
    series = house.scheduled()
    box.ack(series, jitter_cs=-99_999)
    box.sync()
    house.hub.tick()
    (row,) = house.hub.queries.as_run(series=series)
    assert (row.planned_at, row.started_at) == (at(DAY, EVENING), at(DAY, EVENING) + 1)


# -- decisions
# ---------------------------------------------------------------------------------------------------


def test_decisions_without_the_right_are_listed_with_the_reason_and_move_nothing(house: House) -> None:
    bulletin = house.submitted()
    row = house.hub.queries.bulletin(bulletin).row
    thief = house.station().key
    manifest = bytes.fromhex(row.manifest)
    raw = bytes.fromhex(bulletin)
    forged = [
        Approved(house.now, raw, 1, manifest, "Giả", "khac", 2, PROVINCE, DAY, DAY + 1),
        Scheduled(house.now, 5, raw, manifest, DAY, b"\x01", EVENING, 60, PROVINCE, 2, 900, 0, None),
        EmergencyOrdered(
            house.now, 6, "x", 3, False, manifest, "Giả", PROVINCE, house.now, house.now + 60, 1
        ),
        StationRegistered(house.now, TU_LE, "Tên giả", "fm"),
    ]
    for fact in forged:
        house.hub.ledger.append_sealed(thief, fact.encode())
    house.hub.tick()
    listed = house.hub.queries.deeds(limit=4)
    assert [(deed.applied, deed.why) for deed in listed] == [(False, "no-authority")] * 4
    assert house.hub.queries.bulletin(bulletin).row.state == "submitted"
    assert house.hub.queries.all_series() == []
    assert house.hub.queries.station(TU_LE).name == "Xã Tú Lệ"
    assert house.hub.queries.counts()["refused"] == 4


def test_a_bulletin_of_a_level_above_appears_with_its_approval(house: House) -> None:
    """Its drafts never left the other hub, and its content may still be on its way."""
    root = SigningKey.from_seed(bytes.fromhex((house.store.read("root.key") or b"").decode().strip()))
    fact = Approved(house.now, b"c" * 16, 3, b"m" * 32, "Tin trung ương", "chinh-sach", 3, "vn", DAY, DAY)
    house.hub.ledger.append_sealed(root, fact.encode())
    house.hub.tick()
    (row,) = house.hub.queries.bulletins(text="trung uong")
    assert (row.state, row.version, row.territory, row.has_audio) == ("approved", 3, "vn", False)


def test_a_fork_is_counted_and_shown_on_the_wall(house: House) -> None:
    box = house.station()
    one = seal(box.key, b"forklog1", 0, bytes(32), [encode([99, 1])])
    two = seal(box.key, b"forklog1", 0, bytes(32), [encode([99, 2])])
    house.hub.ledger.ingest(one.raw, source="a")
    box.sync()
    with pytest.raises(ForkError):
        house.hub.ledger.ingest(two.raw, source="b")
    box.sync()
    house.hub.tick()
    assert house.hub.queries.station(TU_LE).forked
    assert house.hub.queries.counts()["forks"] == 1
