"""Mergers of units, hub to station: the communes of Yên Bái in 2022 as those of 2025."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner
from hub_house import PASSWORDS, House
from test_web_house import approve
from two_ends import TU_LE, Pair

from hub.cli import hub as hub_command
from hub.mergers import Merger
from ledger.facts import UnitMerged, at, day_from_iso, explain, iso, local_day, parse, slots
from ledger.log import NotAllowed

# 168 of the 173 communes of 2022 with what they became on 1 July 2025, by the national list of units.
# Codes of the state are given again to others, so a new commune gets a label of its own.
TABLE = Path(__file__).parent / "data" / "yen-bai-2025.csv"
MERGED_DAY = day_from_iso("2025-07-01")


def resolution() -> list[Merger]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [
            Merger(f"vn.yb.{row['old_code']}", f"vn.yb.2025-{row['new_code']}", MERGED_DAY, row["new_name"])
            for row in csv.DictReader(lines)
        ]


@pytest.fixture
def house() -> House:
    """A hub with all 168 communes of the table as FM stations, nothing merged yet."""
    made = House("mergers")
    made.hub.commands.register_stations(
        made.admin, [(row.unit, row.unit[-5:], "fm") for row in resolution()], now=made.now
    )
    return made


def test_the_communes_of_yen_bai_become_those_of_2025_and_no_history_moves(house: House) -> None:
    facts = house.hub.facts
    before = {unit: standing.signed.id for unit, standing in facts.stations.items()}
    told = [stored.segment.raw for stored in house.hub.ledger.since(0)]
    moved = house.hub.commands.merge_units(house.admin, resolution(), now=house.now)
    assert (len(moved), len({one.merger.into for one in moved})) == (168, 51)
    assert all(one.stations == (one.merger.unit,) for one in moved)
    assert {unit: standing.signed.id for unit, standing in facts.stations.items()} == before
    assert [stored.segment.raw for stored in house.hub.ledger.since(0)][: len(told)] == told
    for row in resolution():
        assert facts.lineages.seat(row.unit, MERGED_DAY - 1) == row.unit
        assert facts.lineages.seat(row.unit, MERGED_DAY) == row.into
        assert facts.lineages.hears(row.unit, "vn.yb", house.now, MERGED_DAY)


def test_a_table_given_twice_signs_nothing_twice(house: House) -> None:
    house.hub.commands.merge_units(house.admin, resolution(), now=house.now)
    end = house.hub.ledger.position()
    again = house.hub.commands.merge_units(house.admin, resolution(), now=house.now)
    assert all(one.known for one in again)
    assert house.hub.ledger.position() == end


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("04630", "2025-04630"), ("04630", "2025-x")], "merge-twice"),
        ([("04630", "04630.ban")], "merge-within"),
        ([("04630", "04402"), ("04402", "04630")], "merge-circle"),
        ([("nowhere", "2025-04630")], "unit-unknown"),
        ([("04630", "Tú Lệ")], "unit-unknown"),
    ],
)
def test_a_slip_anywhere_in_the_table_signs_nothing(
    house: House, rows: list[tuple[str, str]], code: str
) -> None:
    end = house.hub.ledger.position()
    good = Merger("vn.yb.04252", "vn.yb.2025-04252", MERGED_DAY, "Xã Mới")
    bad = [Merger(f"vn.yb.{unit}", f"vn.yb.{into}", MERGED_DAY, "Xã Mới") for unit, into in rows]
    with pytest.raises(NotAllowed) as caught:
        house.hub.commands.merge_units(house.admin, [good, *bad], now=house.now)
    assert caught.value.code == code
    assert house.hub.ledger.position() == end


def test_only_an_administrator_merges(house: House) -> None:
    for account in ("lanhdao", "bientap"):
        with pytest.raises(NotAllowed) as caught:
            house.hub.commands.merge_units(house.officer(account), resolution(), now=house.now)
        assert caught.value.code == "no-right"


def test_the_command_says_what_it_would_do_and_does_it(tmp_path: Path) -> None:
    folder, table, register = tmp_path / "hub", tmp_path / "merge.csv", tmp_path / "stations.csv"
    register.write_text(f"unit,name,kind\n{TU_LE},Xã Tú Lệ cũ,it\n", encoding="utf-8")
    table.write_text(
        f"unit,into,name,from\n{TU_LE},vn.yb.2025-04630,Xã Tú Lệ,2025-07-01\n", encoding="utf-8-sig"
    )

    def loa(*words: str | Path) -> str:
        env = {"LOA_PASSWORD": PASSWORDS["admin"]}
        result = CliRunner().invoke(hub_command, [str(word) for word in words], env=env)
        assert result.exit_code == 0, result.output
        return result.output

    at_desk = ("--dir", folder, "--as", "admin")
    loa("init", "--dir", folder, "--cheap-kdf")
    loa("stations", "import", *at_desk, register)
    assert "1 mergers would be signed, 0 known before; 1 stations concerned" in loa(
        "merge", *at_desk, "--check", table
    )
    said = loa("merge", *at_desk, table)
    assert f"{TU_LE} -> vn.yb.2025-04630  Xã Tú Lệ, from 2025-07-01, 1 stations" in said
    assert "1 mergers signed, 0 known before" in said
    assert "0 mergers signed, 1 known before" in loa("merge", *at_desk, table)


# --- both ends ----------------------------------------------------------------------------------------------


def ordered(pair: Pair, title: str, territory: str) -> int:
    """A bulletin for this territory, approved and on today's and tomorrow's plan: its series."""
    bulletin = pair.house.browser("bientap").draft(title, territory=territory)
    approve(pair.house, bulletin)
    desk = pair.house.browser("lanhdao")
    desk.plan(bulletin, _from="2022-11-09", _until="2022-11-10", at="17:00", territory=territory)
    assert "Đã ký lịch phát" in desk.words, desk.words
    return int(desk.path.rsplit("/", 1)[1])


def test_a_station_asks_again_for_what_was_decided_under_its_new_names() -> None:
    """The neighbour's programme is ordered and read past before the two communes become one."""
    pair = Pair("mergers")
    hub, neighbour = pair.house.hub, "vn.yb.04441"
    series = ordered(pair, "Họp thôn", neighbour)
    pair.sync()
    tomorrow = local_day(pair.house.clock[0]) + 1
    window = (TU_LE, at(tomorrow), at(tomorrow + 1))
    assert slots(pair.station.facts, *window) == []
    cursor = pair.station.cursor

    admin = hub.accounts.login("admin", PASSWORDS["admin"], now=hub.now())
    assert admin is not None
    row = Merger(TU_LE, neighbour, tomorrow, "Xã Xuân Ái")
    hub.commands.merge_units(admin, [row], now=hub.now())
    pair.sync()
    pair.sync()
    assert pair.station.cursor >= cursor
    assert [one.series for one in slots(pair.station.facts, *window)] == [series]
    assert slots(pair.station.facts, *window) == slots(hub.facts, *window)
    assert slots(pair.station.facts, TU_LE, at(tomorrow - 1), at(tomorrow)) == [], "not before its day"
    told = [explain(side.facts, TU_LE, at(tomorrow, 17 * 60)) for side in (pair.station, hub)]
    assert told[0] == told[1]
    assert told[0].winner is not None
    words = [parse(event) for one in pair.station.ledger.since(0) for event in one.segment.events]
    assert [one.into for one in words if isinstance(one, UnitMerged)] == [neighbour]

    before = pair.station.cursor
    pair.sync()
    assert pair.station.cursor >= before, "read once more, and then no more"
    assert iso(tomorrow) == "2022-11-10"
