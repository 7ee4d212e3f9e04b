"""People survive the loss of a database: who was entered after the last copy finds the door as it was."""

from __future__ import annotations

import sqlite3

import pytest
from page_world import PIN, QUICK, Page
from station_world import NODE, World

from ledger.log import MemoryStore, NotAllowed
from node.disk.carry import carry_over
from node.page.office import Office


def lost_and_restored() -> tuple[sqlite3.Connection, Office]:
    """A database with people in it that is left behind, and the office of an older copy with one of them."""
    page = Page()
    page.world.run(60)
    page.join("Lò Thị Mai", "officer")
    page.grant("Lò Thị Mai")
    copy = MemoryStore()
    image = page.world.station.ledger.db.serialize()
    db = copy.open_db("ledger.db")
    db.deserialize(image)
    row = page.office.people.rows()[0]
    code = page.office.give_code(row.id, None, "console")
    fresh = page.office.fresh(row.id)
    page.office.begin(row.id, code, fresh, fresh.wrap("bún chả 45"), "console")
    page.join("Giàng A Páo", "approver")
    older = World(store=copy)
    return page.world.station.ledger.db, Office(older.station, cost=QUICK)


def test_a_pin_that_was_changed_after_the_last_copy_is_the_one_that_opens() -> None:
    source, office = lost_and_restored()
    office.login(1, PIN)
    with office.station.ledger.transaction():
        carry_over(source, office.station.ledger, NODE, volume=80)
    assert [row.name for row in office.people.rows()] == ["Lò Thị Mai", "Giàng A Páo"]
    office.login(1, "bún chả 45")
    office.login(2, PIN)
    with pytest.raises(NotAllowed, match="wrong-pin"):
        office.login(1, PIN)
    assert len(office.people.every_key()) == 3, "the key of before the change is still somebody's"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE node_people SET name = name || char(8238)",
        "UPDATE node_people SET role = 'root'",
        "UPDATE node_people SET enabled = -1",
        "UPDATE node_people SET salt = x'00'",
        "UPDATE node_people SET sealed = NULL",
        "UPDATE node_people SET pub = zeroblob(32)",
        "UPDATE node_people SET n = 1073741824",
        "UPDATE node_people SET n = 16383",
        "UPDATE node_people SET p = 1000",
        "UPDATE node_people SET code = x'00'",
        "UPDATE node_people SET code_until_s = -5",
        "UPDATE node_people SET id = id + 100",
        "DROP TABLE node_people",
    ],
)
def test_a_row_that_this_program_did_not_write_changes_nobody(damage: str) -> None:
    source, office = lost_and_restored()
    source.execute(damage)
    before = office.people.rows()
    with office.station.ledger.transaction():
        carry_over(source, office.station.ledger, NODE, volume=80)
    after = office.people.rows()
    assert after[0] == before[0]
    office.login(1, PIN)
