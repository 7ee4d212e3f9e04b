"""Rule 17 at the hub: what boards showed, beside what was approved; the same rows however often built."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import permutations
from typing import Any

import pytest
from hub_house import DAY, TU_LE, XUAN_AI, Box, House, dump

from ledger.facts import BoardShown, Outcome, alarm_words, event_id, shown_hash

TEXT = "Không đốt nương khi có gió to."


@pytest.fixture
def house() -> House:
    return House("boards")


def shown(house: House, bulletin: str, **more: Any) -> BoardShown:
    page = house.hub.queries.bulletin(bulletin)
    fact = BoardShown(
        ts=house.now,
        board="km5",
        bulletin=bytes.fromhex(bulletin),
        content=bytes.fromhex(page.row.manifest)[:16],
        shown=sha256(TEXT.encode()).digest(),
        day=DAY,
        shown_s=15,
        outcome=int(Outcome.PLAYED),
        detail=0,
    )
    return replace(fact, **more)


def tell(box: Box, *facts: BoardShown) -> None:
    for fact in facts:
        box.report(fact.encode())
        box.sync()
    box.house.hub.tick()


def test_a_bulletin_says_on_which_board_it_stood_for_how_long_and_that_it_was_what_was_approved(
    house: House,
) -> None:
    bulletin = house.approved()
    tell(house.station(), shown(house, bulletin), shown(house, bulletin, shown_s=21_600))
    (row,) = house.hub.queries.boards_of_bulletin(bulletin)
    assert (row.unit, row.station, row.board, row.day, row.shown_s) == (TU_LE, "Xã Tú Lệ", "km5", DAY, 21_600)
    assert row.as_approved is True
    assert Outcome(row.outcome) is Outcome.PLAYED


def test_what_is_not_the_approved_content_is_shown_as_such(house: House) -> None:
    bulletin = house.approved()
    other = shown(house, bulletin, shown=sha256(b"something else").digest())
    nobody = shown(house, bulletin, board="km6", content=b"?" * 16)
    tell(house.station(), other, nobody)
    assert [row.as_approved for row in house.hub.queries.boards_of_bulletin(bulletin)] == [False, False]


def test_a_board_nobody_looked_after_is_unknown_until_somebody_did(house: House) -> None:
    bulletin = house.approved()
    box = house.station()
    tell(box, shown(house, bulletin, shown_s=0, outcome=int(Outcome.UNKNOWN)))
    (row,) = house.hub.queries.boards_of_bulletin(bulletin)
    assert (Outcome(row.outcome), row.shown_s) == (Outcome.UNKNOWN, 0)
    tell(box, shown(house, bulletin, shown_s=3))
    (row,) = house.hub.queries.boards_of_bulletin(bulletin)
    assert (Outcome(row.outcome), row.shown_s) == (Outcome.PLAYED, 3)


def test_of_two_reports_the_one_with_more_seconds_holds_in_either_order() -> None:
    found = set()
    for order in permutations(range(3)):
        house = House("boards-order")
        bulletin = house.approved()
        facts = (
            shown(house, bulletin, shown_s=15),
            shown(house, bulletin, shown_s=900, ts=house.now + 5),
            shown(house, bulletin, shown_s=0, outcome=int(Outcome.UNKNOWN), ts=house.now + 9),
        )
        tell(house.station(), *(facts[nth] for nth in order))
        (row,) = house.hub.queries.boards_of_bulletin(bulletin)
        found.add((row.shown_s, row.outcome, row.at - house.now))
    assert found == {(900, int(Outcome.PLAYED), 5)}


def test_an_emergency_says_on_which_boards_its_words_stood(house: House) -> None:
    series = house.hub.commands.order_emergency(
        house.approver, kind="lu-quet", level=3, text="Lên nhà văn hóa ngay.", territory="vn.yb", drill=True,
        now=house.now,
    )  # fmt: skip
    order = house.hub.facts.emergencies[series][0]
    fact = BoardShown(
        house.now, "km5", event_id(order.signed.event), order.fact.manifest[:16],
        shown_hash(alarm_words(order.fact.text, drill=True)), DAY, 60, int(Outcome.PLAYED), 0,
    )  # fmt: skip
    as_real = replace(fact, board="km6", shown=shown_hash(alarm_words(order.fact.text, drill=False)))
    tell(house.station(), fact, as_real)
    assert [(row.board, row.as_approved) for row in house.hub.queries.boards_of_order(series)] == [
        ("km5", True),
        ("km6", False),
    ]


def test_a_report_counts_for_the_station_that_signed_it_and_a_strangers_for_none(house: House) -> None:
    bulletin = house.approved()
    here, there = house.station(TU_LE), house.station(XUAN_AI)
    tell(here, shown(house, bulletin, shown_s=10))
    tell(there, shown(house, bulletin, shown_s=20))
    assert [(row.unit, row.shown_s) for row in house.hub.queries.boards_of_bulletin(bulletin)] == [
        (XUAN_AI, 20),
        (TU_LE, 10),
    ]
    house.hub.ledger.append(house.hub.key, shown(house, bulletin, shown_s=99).encode())
    house.hub.ledger.seal(house.hub.key)
    house.hub.tick()
    assert len(house.hub.queries.boards_of_bulletin(bulletin)) == 2


def test_the_rows_of_boards_are_the_same_when_built_again(house: House) -> None:
    bulletin = house.approved()
    for unit in (TU_LE, XUAN_AI):
        box = house.station(unit)
        tell(
            box, *(shown(house, bulletin, day=DAY + n, shown_s=s) for n in range(3) for s in (15, 7_000, 40))
        )
    before = dump(house.hub)
    house.hub.projections.rebuild()
    assert dump(house.hub) == before
    assert before.count('INSERT INTO "board_shown"') == 6
