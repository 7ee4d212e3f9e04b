"""The one table of the many: narrow rows, every question by its key, and the same answers as ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hub_house import DAY, EVENING, MORNING, PROVINCE, TU_LE, XUAN_AI, House, dump

from hub.rows import AsRunRow
from ledger.facts import Outcome, at
from ledger.log import encode

ROW_BYTES_MAX = 64  # of a station's month, indexes and pages' slack counted; 55 when this was written


@pytest.fixture
def house() -> House:
    return House()


QUESTIONS: dict[str, Callable[[House, int, str], object]] = {
    "station": lambda house, series, bulletin: house.hub.queries.as_run(unit=TU_LE, limit=50),
    "slot": lambda house, series, bulletin: house.hub.queries.as_run(unit=TU_LE, series=series, day=DAY),
    "series": lambda house, series, bulletin: house.hub.queries.as_run(series=series),
    "series and day": lambda house, series, bulletin: house.hub.queries.as_run(series=series, day=DAY),
    "day": lambda house, series, bulletin: house.hub.queries.as_run(day=DAY),
    "bulletin": lambda house, series, bulletin: house.hub.queries.as_run(bulletin=bulletin),
    "its page": lambda house, series, bulletin: house.hub.queries.bulletin(bulletin),
    "summary": lambda house, series, bulletin: house.hub.queries.summary(DAY),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_walks_the_whole_table(house: House, question: str) -> None:
    bulletin = house.approved()
    series = house.scheduled(bulletin)
    house.station().sync()
    house.hub.tick()
    db = house.hub.projections.db.conn
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    QUESTIONS[question](house, series, bulletin)
    db.set_trace_callback(None)
    about = [sql for sql in asked if "as_run" in sql]
    assert about
    for sql in about:
        plan = [str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert any(step.startswith("SEARCH a ") for step in plan), plan
        assert not any(step.startswith("SCAN a") for step in plan), plan


def test_a_months_rows_stay_narrow(house: House) -> None:
    box = house.station()
    box.sync()
    house.hub.tick()
    db = house.hub.projections.db
    before = int(db.execute("PRAGMA page_count").fetchone()[0])
    for day in range(30):
        for slot in range(34):
            ts = at(DAY + day, 300 + slot * 28) + slot % 5
            box.ack(1_000_000_000 + 7919 * (slot * 30 + day), DAY + day, ts=ts, jitter_cs=100 * (slot % 5))
    box.sync()
    house.hub.tick()
    assert house.hub.queries.counts()["acks"] == 30 * 34
    pages = int(db.execute("PRAGMA page_count").fetchone()[0]) - before
    size = int(db.execute("PRAGMA page_size").fetchone()[0])
    assert pages * size / (30 * 34) < ROW_BYTES_MAX


def rows(house: House, **of: object) -> list[AsRunRow]:
    house.hub.tick()
    return house.hub.queries.as_run(**of)  # type: ignore[arg-type]


def test_a_row_says_who_where_and_when_as_the_event_did(house: House) -> None:
    box = house.station()
    series = house.scheduled()
    box.sync()
    box.ack(series, ts=at(DAY, EVENING) + 3, jitter_cs=340, outcome=2, detail=4, evidence=1, played_ds=17)
    box.sync()
    (row,) = rows(house, unit=TU_LE)
    assert (row.unit, row.station, row.series, row.day) == (TU_LE, "Xã Tú Lệ", series, DAY)
    assert (row.planned_at, row.started_at) == (at(DAY, EVENING), at(DAY, EVENING) + 3)
    assert (row.outcome, row.detail, row.evidence, row.played_ds, row.volume) == (2, 4, 1, 17, 80)
    (stored,) = house.hub.ledger.since(row.position - 1, limit=1)
    head = stored.segment.head
    assert (row.key_id, row.log_id) == (head.key_id.hex(), head.log_id.hex())
    event = stored.segment.events[row.seq - head.first_seq]
    assert event == encode(
        [16, at(DAY, EVENING) + 3, series, DAY, event_content(event), 340, 17, 2, 4, 1, 80, None]
    )


def event_content(event: bytes) -> bytes:
    at_ = event.index(b"\xc4\x10") + 2
    return event[at_ : at_ + 16]


def test_an_emergency_is_planned_when_it_was_ordered_for(house: House) -> None:
    box = house.station()
    series = house.hub.commands.order_emergency(
        house.approver, kind="lu-quet", level=2, text="Lũ quét", territory=PROVINCE, now=house.now
    )
    box.sync()
    box.ack(series, ts=house.now + 7)
    box.sync()
    (row,) = rows(house, series=series)
    assert (row.planned_at, row.started_at) == (MORNING, MORNING + 7)


def test_an_order_that_comes_between_two_reports_is_used_for_the_second(house: House) -> None:
    """The plan is remembered while a batch is read, and asked again after a decision."""
    box = house.station()
    series = house.scheduled(days=[DAY])
    box.sync()
    box.ack(series, DAY + 1, ts=at(DAY + 1, EVENING) + 5, jitter_cs=100)
    box.sync()
    bulletin = house.approved(title="Bài mới")
    later = house.scheduled(bulletin, minute=EVENING + 60, days=[DAY + 1])
    box.sync()
    box.ack(later, DAY + 1, ts=at(DAY + 1, EVENING + 60) + 5, jitter_cs=-700)
    box.sync()
    found = {row.series: row.planned_at for row in rows(house, unit=TU_LE)}
    assert found == {series: at(DAY + 1, EVENING), later: at(DAY + 1, EVENING + 60)}
    before = dump(house.hub)
    house.hub.rebuild()
    assert dump(house.hub) == before


def test_the_latest_day_comes_first_and_in_it_the_latest_planned(house: House) -> None:
    box = house.station()
    for day, minute in ((DAY, 600), (DAY + 1, 300), (DAY, 1200), (DAY + 1, 900)):
        box.ack(day * 10_000 + minute, day, ts=at(day, minute), jitter_cs=0)
    box.sync()
    found = [(row.day, row.planned_at) for row in rows(house, unit=TU_LE)]
    assert found == sorted(found, reverse=True)
    assert [row.day for row in rows(house, unit=TU_LE, limit=2, offset=1)] == [DAY + 1, DAY]


def test_reports_among_other_events_keep_their_own_numbers(house: House) -> None:
    box = house.station()
    box.ack(1)
    box.report(encode([99, house.now, "from a newer version"]))
    box.ack(2)
    box.ack(2, outcome=int(Outcome.MISSED))
    box.sync()
    found = {row.series: row for row in rows(house, unit=TU_LE)}
    assert found[2].seq == found[1].seq + 2
    assert found[2].outcome == Outcome.PLAYED
    counts = house.hub.queries.counts()
    assert (counts["acks"], counts["acks_repeated"], counts["malformed"]) == (2, 1, 1)


def test_rows_in_the_shape_of_an_earlier_version_are_built_again(house: House) -> None:
    boxes = house.station(TU_LE), house.station(XUAN_AI)
    series = house.scheduled()
    for box in boxes:
        box.sync()
        box.ack(series)
        box.sync()
    asked = rows(house, series=series)
    after = dump(house.hub)
    db = house.hub.projections.db
    for name in ("as_run", "places", "arrivals"):
        db.execute(f"DROP TABLE {name}")
    db.execute(
        "CREATE TABLE as_run (unit TEXT, series INTEGER, day INTEGER, started_at INTEGER NOT NULL, "
        "PRIMARY KEY (unit, series, day)) WITHOUT ROWID"
    )
    db.execute("INSERT INTO as_run VALUES ('vn.yb.04630', 1, 2, 3)")
    db.execute("PRAGMA user_version = 3")
    house.restart()
    assert dump(house.hub) == after
    assert house.hub.queries.as_run(series=series) == asked
    assert [row.unit for row in asked] == [XUAN_AI, TU_LE]
