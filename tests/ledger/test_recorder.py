"""The door of the aggregates: a save is a signature, all of it or nothing of it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

import pytest
from eventsourcing.persistence import OperationalError

from ledger.facts import QuietHoursSet, StationRegistered, parse
from ledger.log import Ledger, LogRef, MemoryStore, NotAllowed, SigningKey, Store, StoreError
from ledger.recorder import DecisionAggregate, Decisions, IntegrityError, again
from sim.power import PowerCut, PoweredStore

OFFICER = SigningKey.from_seed(b"o" * 32)
OTHER = SigningKey.from_seed(b"x" * 32)
RECORD = UUID(int=7)
UNIT = "vn.yb.04630"
NOW = 1_667_926_800


class Record(DecisionAggregate):
    """A small aggregate: a station's name, and who changed it."""

    class Registered(DecisionAggregate.Opened):
        TOPIC: ClassVar[str] = "record.registered"

    class Renamed(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "record.renamed"

    def __init__(self) -> None:
        self.names: list[str] = []
        self.signers: list[bytes] = []

    def when(self, fact: Any, signer: bytes) -> None:
        self.names.append(fact.name)
        self.signers.append(signer)


class House:
    """A ledger with its door. Dropping it and making another on the same store is a restart."""

    def __init__(self, store: Store, seed: str = "house") -> None:
        self.db = store.open_db("ledger.db")
        self.ledger = Ledger(self.db, entropy=entropy_from(seed), now=lambda: NOW)
        self.decisions = Decisions(self.ledger, self.db, [Record])

    def register(self, key: SigningKey = OFFICER, name: str = "Xã Tú Lệ", unit: str = UNIT) -> None:
        fact = StationRegistered(NOW, unit, name, "it")
        self.decisions.sign(Record.opened(Record.Registered, record_id(unit), fact, key.key_id), key)

    def rename(self, name: str, key: SigningKey = OFFICER, unit: str = UNIT) -> None:
        record = self.decisions.find(Record, record_id(unit))
        assert record is not None
        record.decide(Record.Renamed, StationRegistered(NOW, unit, name, "it"), key.key_id)
        self.decisions.sign(record, key)

    def rows(self) -> list[tuple[str, bytes]]:
        """(topic, state) of every stored aggregate event, in order."""
        sql = "SELECT topic, state FROM stored_events ORDER BY rowid"
        return [(str(topic), bytes(state)) for topic, state in self.db.execute(sql)]

    def decisions_in_logs(self) -> list[bytes]:
        """Every sealed event that is no log.open, in order of arrival."""
        events = [e for stored in self.ledger.since(0) for e in stored.segment.events]
        return [event for event in events if isinstance(parse(event), StationRegistered | QuietHoursSet)]

    def agree(self) -> bool:
        states = [state for _, state in self.rows()]
        places = self.db.execute("SELECT count(*) FROM sealed_decisions").fetchone()[0]
        return states == self.decisions_in_logs() and places == len(states)


def record_id(unit: str) -> UUID:
    return UUID(bytes=hashlib.sha256(unit.encode()).digest()[:16])


def entropy_from(seed: str) -> Callable[[int], bytes]:
    count = 0

    def entropy(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed}/{count}".encode()).digest(size)

    return entropy


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(store: MemoryStore) -> House:
    return House(store)


def test_a_save_stores_the_canonical_event_and_seals_it_alone_under_the_officers_key(house: House) -> None:
    house.register()
    house.rename("Xã Tú Lệ mới")
    assert [topic for topic, _ in house.rows()] == ["record.registered", "record.renamed"]
    assert house.agree()
    lone = [
        s.segment for s in house.ledger.since(0) if isinstance(parse(s.segment.events[0]), StationRegistered)
    ]
    assert [len(segment.events) for segment in lone] == [1, 1]
    assert {segment.head.key_id for segment in lone} == {OFFICER.key_id}
    assert house.ledger.verify().failed == 0


def test_an_aggregate_is_rebuilt_from_its_signed_facts_with_the_signers_of_the_signatures(
    store: MemoryStore,
) -> None:
    first = House(store)
    first.register()
    first.rename("B", OTHER)
    again_ = House(store, "restarted").decisions.find(Record, record_id(UNIT))
    assert again_ is not None
    assert again_.names == ["Xã Tú Lệ", "B"]
    assert again_.signers == [OFFICER.key_id, OTHER.key_id]
    assert again_.version == 2
    assert int(again_.modified_on.timestamp()) == NOW


def test_the_place_of_each_signature_is_kept_beside_its_row(house: House) -> None:
    house.register()
    house.rename("B")
    rows = house.db.execute(
        "SELECT key_id, log_id, seq, position FROM sealed_decisions ORDER BY originator_version"
    ).fetchall()
    for key_id, log_id, seq, position in rows:
        (stored,) = house.ledger.since(position - 1, limit=1)
        assert stored.segment.head.key_id == key_id
        assert stored.segment.head.first_seq == seq
        assert LogRef(key_id, log_id) in house.ledger.frontier()
    assert [row[2] for row in rows] == [1, 2]


def test_a_lost_race_leaves_neither_row_nor_segment_nor_a_used_number(house: House) -> None:
    house.register()
    mine = house.decisions.find(Record, record_id(UNIT))
    theirs = house.decisions.find(Record, record_id(UNIT))
    assert mine is not None
    assert theirs is not None
    theirs.decide(Record.Renamed, StationRegistered(NOW, UNIT, "theirs", "it"), OTHER.key_id)
    house.decisions.sign(theirs, OTHER)
    before, position = house.rows(), house.ledger.position()
    mine.decide(Record.Renamed, StationRegistered(NOW, UNIT, "mine", "it"), OFFICER.key_id)
    with pytest.raises(IntegrityError):
        house.decisions.sign(mine, OFFICER)
    assert house.rows() == before
    assert house.ledger.position() == position
    house.rename("mine, again")
    assert house.agree()
    officers = [s.segment.head for s in house.ledger.since(0) if s.segment.head.key_id == OFFICER.key_id]
    assert len({head.log_id for head in officers}) == 1, "the log went on"
    assert [head.first_seq for head in officers] == [0, 1, 2], "no number was used by the lost save"


def test_a_save_of_several_decisions_is_one_transaction(house: House) -> None:
    house.register()
    record = house.decisions.find(Record, record_id(UNIT))
    assert record is not None
    for name in ("B", "C", "D"):
        record.decide(Record.Renamed, StationRegistered(NOW, UNIT, name, "it"), OFFICER.key_id)
    house.rename("taken meanwhile")
    before = house.rows()
    with pytest.raises(IntegrityError):
        house.decisions.sign(record, OFFICER)
    assert house.rows() == before
    assert house.agree()


def test_saves_inside_an_outer_transaction_stand_or_fall_together(house: House) -> None:

    def two_and_fail() -> None:
        with house.ledger.transaction():
            house.register(unit="vn.yb.1")
            house.register(unit="vn.yb.2")
            raise KeyError("the outer block failed")

    with pytest.raises(KeyError):
        two_and_fail()
    assert house.rows() == []
    assert house.decisions_in_logs() == []
    with house.ledger.transaction():
        house.register(unit="vn.yb.1")
        house.register(unit="vn.yb.2")
    assert len(house.rows()) == 2
    assert house.agree()


def test_a_power_cut_at_any_operation_of_a_save_leaves_both_or_none() -> None:
    survived = 0
    for operation in range(1, 200):
        store = PoweredStore()
        house = House(store)
        house.register()
        store.fuse.arm(operation)
        try:
            house.rename("after the cut")
        except PowerCut:
            cut = True
        else:
            cut = False
        store.fuse.reset()
        store.crash()
        back = House(store, "restarted")
        assert back.agree(), f"rows and segments differ after a cut at operation {operation}"
        assert len(back.rows()) in (1, 2)
        assert back.ledger.verify().failed == 0
        if not cut:
            assert len(back.rows()) == 2
            survived = operation
            break
    assert survived > 5, "the sweep must have cut somewhere inside"


def test_a_command_that_lost_a_race_runs_again_from_fresh_state(house: House) -> None:
    house.register()
    tries = 0

    def command() -> None:
        nonlocal tries
        tries += 1
        record = house.decisions.find(Record, record_id(UNIT))
        assert record is not None
        if tries == 1:  # somebody else gets in between load and save
            house.rename("theirs", OTHER)
        record.decide(Record.Renamed, StationRegistered(NOW, UNIT, "mine", "it"), OFFICER.key_id)
        house.decisions.sign(record, OFFICER)

    again(command)
    assert tries == 2
    record = house.decisions.find(Record, record_id(UNIT))
    assert record is not None
    assert record.names == ["Xã Tú Lệ", "theirs", "mine"]


def test_a_command_that_always_loses_is_told_to_try_later(house: House) -> None:
    house.register()

    def command() -> None:
        house.register()

    with pytest.raises(NotAllowed) as refused:
        again(command)
    assert refused.value.code == "try-again"
    assert len(house.rows()) == 1


def test_a_decision_is_saved_by_the_key_it_names_and_by_no_other(house: House) -> None:
    fact = StationRegistered(NOW, UNIT, "X", "it")
    record = Record.opened(Record.Registered, record_id(UNIT), fact, OFFICER.key_id)
    with pytest.raises(NotAllowed) as refused:
        house.decisions.sign(record, OTHER)
    assert refused.value.code == "signer-mismatch"
    with pytest.raises(NotAllowed):
        house.decisions.save(Record.opened(Record.Registered, record_id(UNIT), fact, OFFICER.key_id))
    assert house.rows() == []
    assert house.decisions_in_logs() == []


def test_a_stored_topic_is_looked_up_and_never_imported(house: House) -> None:
    house.register()
    house.db.execute("UPDATE stored_events SET topic = 'this:Evil'")
    with pytest.raises(StoreError) as refused:
        house.decisions.find(Record, record_id(UNIT))
    assert refused.value.code == "topic-unknown"


def test_a_damaged_row_is_refused_and_says_which(house: House) -> None:
    house.register()
    house.db.execute("UPDATE stored_events SET state = X'C1'")
    with pytest.raises(StoreError) as refused:
        house.decisions.find(Record, record_id(UNIT))
    assert refused.value.code == "decision-malformed"
    assert "version 1" in refused.value.where


def test_the_process_environment_does_not_change_what_is_stored(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPRESSOR_TOPIC", "zlib")
    monkeypatch.setenv("IS_SNAPSHOTTING_ENABLED", "y")
    house = House(store)
    house.register()
    assert house.agree()
    assert house.decisions.snapshots is None


def test_errors_of_the_database_reach_the_caller_as_the_librarys(house: House) -> None:
    house.register()
    house.db.execute("DROP TABLE sealed_decisions")
    with pytest.raises(OperationalError):
        house.decisions.find(Record, record_id(UNIT))
    with pytest.raises((OperationalError, StoreError)):
        house.rename("no table to note the place in")
    assert len(house.rows()) == 1
    assert len(house.decisions_in_logs()) == 1


def test_nothing_is_left_open_when_a_read_fails(house: House) -> None:
    house.register()
    house.db.execute("UPDATE stored_events SET topic = 'nothing'")
    with pytest.raises(StoreError):
        house.decisions.find(Record, record_id(UNIT))
    assert not house.db.in_transaction
    house.register(unit="vn.yb.9")
    assert len(house.rows()) == 2


def test_the_door_uses_the_ledgers_own_connection(house: House) -> None:
    with house.ledger.transaction() as db:
        assert db is house.db
        house.register()
        assert db.in_transaction, "a save inside does not commit"
    assert isinstance(house.db, sqlite3.Connection)
    assert house.agree()
