"""Receiver clusters at the hub: rows by the listing in force, and the same after a rebuild."""

from __future__ import annotations

import pytest
from hub_house import DAY, EVENING, TU_LE, XUAN_AI, Box, House, dump

from hub.rows import AsRunRow
from ledger.facts import Cluster, ClustersListed, Outcome, at, pack_clusters

NAMES = tuple(f"Bản {nth + 1}" for nth in range(20))


@pytest.fixture
def house() -> House:
    return House()


def listing(box: Box, *names: str) -> None:
    box.report(ClustersListed(box.house.now, "\n".join(names)).encode())


def two_dead() -> bytes:
    states = [Cluster.PLAYING] * 20
    states[6] = states[19] = Cluster.NOT_REACHED
    vector = pack_clusters(states)
    assert vector is not None
    return vector


def row_of(house: House, series: int, day: int = DAY) -> AsRunRow:
    house.hub.tick()
    (row,) = house.hub.queries.as_run(unit=TU_LE, series=series, day=day)
    return row


def test_a_row_says_which_clusters_did_not_play(house: House) -> None:
    box, series = house.station(), house.scheduled()
    listing(box, *NAMES)
    box.ack(series, clusters=two_dead())
    box.sync()
    row = row_of(house, series)
    assert row.clusters is not None
    assert row.clusters.say() == "18/20 cụm loa đã phát; không trả lời: Bản 7, Bản 20"
    assert row.outcome == Outcome.PLAYED
    assert house.hub.queries.clusters(TU_LE) == NAMES
    assert house.hub.queries.clusters(XUAN_AI) == ()


def test_nil_means_all_that_were_listed_and_without_a_listing_nothing(house: House) -> None:
    box = house.station()
    before, after, silent = (house.scheduled() for _ in range(3))
    box.ack(before)
    box.sync()
    listing(box, *NAMES)
    box.ack(after)
    box.ack(silent, outcome=int(Outcome.MISSED), detail=1, played_ds=0)
    box.sync()
    assert row_of(house, before).clusters is None
    assert row_of(house, silent).clusters is None
    said = row_of(house, after).clusters
    assert said is not None
    assert said.say() == "20/20 cụm loa đã phát"


def test_a_vector_is_read_by_the_latest_listing_before_it(house: House) -> None:
    box = house.station()
    first, second, third = (house.scheduled() for _ in range(3))
    listing(box, "Bản Xa", "Bản Lủ")
    box.ack(first, clusters=b"\xb0\x90")
    listing(box, "Bản Lủ", "Trụ sở")  # within one segment
    box.ack(second, clusters=b"\xb0\x90")
    box.sync()
    listing(box)
    box.ack(third, clusters=b"\xb0\x90")
    box.sync()
    assert [row_of(house, series).clusters.say() for series in (first, second, third)] == [  # type: ignore[union-attr]
        "1/2 cụm loa đã phát; không trả lời: Bản Lủ",
        "1/2 cụm loa đã phát; không trả lời: Trụ sở",
        "1/2 cụm loa đã phát; không trả lời: #2",
    ]


def test_a_vector_that_cannot_be_read_leaves_the_row_as_it_is(house: House) -> None:
    box, series = house.station(), house.scheduled()
    listing(box, *NAMES)
    box.ack(series, clusters=b"\xff")
    box.sync()
    row = row_of(house, series)
    assert (row.outcome, row.played_ds, row.planned_at) == (Outcome.PLAYED, 40, at(DAY, EVENING))
    assert row.clusters is not None
    assert not row.clusters.readable


def test_a_listing_counts_only_for_the_station_that_signed_it(house: House) -> None:
    box, other, series = house.station(), house.station(XUAN_AI), house.scheduled()
    listing(other, "Bản Xa")
    other.sync()
    box.ack(series)
    box.sync()
    assert row_of(house, series).clusters is None


def test_rows_with_clusters_are_rebuilt_alike(house: House) -> None:
    box, other = house.station(), house.station(XUAN_AI)
    for nth in range(4):
        listing(box, *NAMES[nth:])
        series = house.scheduled()
        box.ack(series, clusters=two_dead() if nth % 2 else None)
        listing(other, "Bản Xa")
        other.ack(series, clusters=b"\x90")
        (box if nth < 2 else other).sync()
    box.sync()
    other.sync()
    house.hub.tick()
    before, asked = dump(house.hub), house.hub.queries.as_run(unit=TU_LE)
    house.hub.projections.rebuild()
    assert dump(house.hub) == before
    assert house.hub.queries.as_run(unit=TU_LE) == asked
