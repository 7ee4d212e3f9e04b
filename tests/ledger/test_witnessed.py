"""A hub's journal knows what was signed at the hub itself, in the same transaction or not at all."""

from __future__ import annotations

from contextlib import suppress

import pytest
from helpers import HUB_KEY, NODE_KEY, OFFICER_KEY, OTHER_KEY

from ledger.log import Ingested, LogRef, MemoryStore, Stored, StoreError, WitnessedLedger, decode, encode

NOON_S = 1_667_969_100


class Desk:
    """A hub's ledger on memory; `boot` is another process on the same file."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.now = NOON_S
        self.lives = 0
        self.undone = 0
        self.ledger = self.boot()

    def boot(self) -> WitnessedLedger:
        self.lives += 1
        drawn = iter(range(1, 1_000))
        self.ledger = WitnessedLedger(
            self.store.open_db("ledger.db"),
            hub_key=HUB_KEY,
            entropy=lambda size: (self.lives * 1_000 + next(drawn)).to_bytes(size, "big"),
            now=lambda: self.now,
            on_rollback=self._undone,
        )
        return self.ledger

    def _undone(self) -> None:
        self.undone += 1

    def journal(self) -> list[Ingested]:
        return [
            Ingested.decode(event)
            for stored in self.ledger.since(0)
            for event in stored.segment.events
            if decode(event)[0] == Ingested.TYPE
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def decision(n: int) -> bytes:
    return encode([5, NOON_S + n, "vn.yb", n, n + 1])


def undone(desk: Desk) -> None:
    """A decision in a transaction that fails."""
    with desk.ledger.transaction():
        desk.ledger.append_sealed(OFFICER_KEY, decision(1))
        raise ZeroDivisionError


def named(stored: Stored) -> tuple[LogRef, int, int, bytes]:
    head = stored.segment.head
    return LogRef(head.key_id, head.log_id), head.first_seq, head.count, head.hash


def test_a_decision_signed_at_the_hub_stands_in_its_journal_with_the_hubs_time(desk: Desk) -> None:
    desk.now += 5
    stored = desk.ledger.append_sealed(OFFICER_KEY, decision(1))
    opening, entry = desk.journal()
    assert (opening.log, opening.first_seq, opening.count) == (entry.log, 0, 1)
    assert (entry.ts, entry.log, entry.first_seq, entry.count, entry.head_hash) == (
        NOON_S + 5,
        *named(stored),
    )
    place = desk.ledger.tables.journal(stored.position)
    assert place is not None
    last = list(desk.ledger.since(0))[-1].segment.head
    assert place == (last.log_id, last.next_seq - 1)
    assert last.key_id == HUB_KEY.key_id


def test_many_decisions_of_one_transaction_cost_one_segment_of_the_journal(desk: Desk) -> None:
    desk.ledger.append_sealed(OFFICER_KEY, decision(0))
    desk.ledger.append_sealed(NODE_KEY, decision(0))
    before = desk.ledger.position()
    with desk.ledger.transaction():
        made = [
            desk.ledger.append_sealed(key, decision(n)) for n in (1, 2, 3) for key in (OFFICER_KEY, NODE_KEY)
        ]
    after = list(desk.ledger.since(before))
    assert [stored.segment.head.key_id for stored in after].count(HUB_KEY.key_id) == 1
    assert after[-1].segment.head.count == 6
    entries = desk.journal()[4:]
    assert [(e.log, e.first_seq, e.count, e.head_hash) for e in entries] == [named(stored) for stored in made]
    for index, stored in enumerate(made):
        head = after[-1].segment.head
        assert desk.ledger.tables.journal(stored.position) == (head.log_id, head.first_seq + index)


def test_what_the_hub_signs_itself_is_not_recorded_so_the_journal_does_not_feed_on_itself(desk: Desk) -> None:
    desk.ledger.append_sealed(HUB_KEY, decision(1))
    desk.ledger.append(HUB_KEY, decision(2))
    desk.ledger.seal(HUB_KEY)
    assert desk.journal() == []


def test_no_feed_carries_the_journal(desk: Desk) -> None:
    desk.ledger.append_sealed(OFFICER_KEY, decision(1))
    assert [s.audience for s in desk.ledger.since(0) if s.segment.head.key_id == HUB_KEY.key_id] == [
        None,
    ]


def test_what_is_appended_and_sealed_later_is_recorded_when_it_is_signed(desk: Desk) -> None:
    desk.ledger.append(OFFICER_KEY, decision(1))
    assert desk.journal() == []
    (sealed,) = desk.ledger.seal(OFFICER_KEY)
    (entry,) = desk.journal()
    assert (entry.head_hash, entry.count) == (sealed.head.hash, 2)


def test_an_undone_decision_leaves_no_word_in_the_journal_and_the_next_one_does(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError):
        undone(desk)
    assert (desk.ledger.position(), desk.undone) == (0, 1)
    with (
        pytest.raises(StoreError, match="transaction-doomed"),
        desk.ledger.transaction(),
        suppress(ZeroDivisionError),
    ):
        undone(desk)
    assert desk.journal() == []
    stored = desk.ledger.append_sealed(OTHER_KEY, decision(2))
    entry = desk.journal()[-1]
    assert entry.head_hash == stored.segment.head.hash
    assert desk.ledger.verify().failed == 0


def test_an_entry_that_cannot_be_written_undoes_the_decision(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(desk.ledger.tables, "add_journal", full)
        with pytest.raises(ZeroDivisionError):
            desk.ledger.append_sealed(OFFICER_KEY, decision(1))
    assert desk.ledger.position() == 0
    assert list(desk.ledger.since(0)) == []


def test_a_restarted_hub_goes_on_in_another_log_of_its_journal(desk: Desk) -> None:
    first = desk.ledger.append_sealed(OFFICER_KEY, decision(1))
    second = desk.boot().append_sealed(OFFICER_KEY, decision(2))
    places = [desk.ledger.tables.journal(stored.position) for stored in (first, second)]
    assert None not in places
    assert len({place[0] for place in places if place is not None}) == 2
    wanted = [stored.segment.head.hash for stored in (first, second)]
    assert [entry.head_hash for entry in desk.journal()][1::2] == wanted
