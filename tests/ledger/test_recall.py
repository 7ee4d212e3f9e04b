"""What a ledger remembers instead of asking the disk, and what it never takes from memory."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from helpers import NODE_KEY, OTHER_KEY, Desk, LedgerPair, ack
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.log import keys
from ledger.log.chain import Head, LogRef
from ledger.log.errors import SegmentError, SignatureError, StoreError
from ledger.log.keys import PROVEN_HEADS_MAX, SigningKey, forget_heads
from ledger.log.memory_disk import MemoryStore
from ledger.log.recall import REMEMBERED_MAX, RecallingTables
from ledger.log.schema import LogRow
from ledger.log.segment import SIGNED_BYTES, open_segment, seal
from ledger.log.tables import Tables

NAMES = ("sync.cursor", "node.alive_s", "node.boot")
AUTHORS = (b"author-1", b"author-2")
LOG = b"some-log"


class TheSameAnswers(RuleBasedStateMachine):
    """Whatever is written, kept or undone, memory says what a fresh look at the tables says."""

    @initialize()
    def begin(self) -> None:
        self.db = MemoryStore().open_db("ledger.db")
        self.tables = RecallingTables(self.db)
        self.tables.prepare()
        self.logs: list[LogRow] = []
        self.kept: list[LogRow] = []

    def write(self, act: Any, *, undone: bool) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        act()
        if undone:
            self.db.execute("ROLLBACK")
            self.tables.forget()
            fresh = [self.tables.log(row.ref) for row in self.kept]
            self.logs = [row for row in fresh if row is not None]
            assert len(self.logs) == len(self.kept)
        else:
            self.db.execute("COMMIT")
        self.kept = list(self.logs)

    @rule(
        name=st.sampled_from(NAMES),
        value=st.one_of(st.integers(0, 2), st.sampled_from(["", "1"]), st.just(b"")),
        undone=st.booleans(),
    )
    def keep(self, name: str, value: bytes | int | str, undone: bool) -> None:
        self.write(lambda: self.tables.set_named(name, value), undone=undone)

    @rule(author=st.sampled_from(AUTHORS), undone=st.booleans())
    def append(self, author: bytes, undone: bool) -> None:
        self.write(lambda: self.tables.add_pending(author, b"event"), undone=undone)

    @rule(author=st.sampled_from(AUTHORS), undone=st.booleans())
    def clear(self, author: bytes, undone: bool) -> None:
        self.write(lambda: self.tables.clear_pending(author), undone=undone)

    @rule(author=st.sampled_from(AUTHORS), own=st.booleans(), undone=st.booleans())
    def open_log(self, author: bytes, own: bool, undone: bool) -> None:
        ref = LogRef(author, len(self.logs).to_bytes(8, "big"))
        self.write(
            lambda: self.logs.append(self.tables.add_log(Head(ref, 1, bytes(32)), own=own, sparse=False)),
            undone=undone,
        )

    @rule(data=st.data(), undone=st.booleans())
    def change_a_log(self, data: st.DataObject, undone: bool) -> None:
        if not self.logs:
            return
        row = data.draw(st.sampled_from(self.logs))
        acts = {
            "held": lambda: self.tables.set_held(row, row.next_seq),
            "longer": lambda: self.tables.extend_log(row, Head(row.ref, row.next_seq + 1, bytes(32))),
            "refused": lambda: self.tables.set_refused(row, "log-frozen"),
            "forgiven": lambda: self.tables.forgive(row.ref.key_id),
            "own": lambda: self.tables.mark_own(row),
        }
        self.write(acts[data.draw(st.sampled_from(sorted(acts)))], undone=undone)

    @rule(data=st.data(), audience=st.sampled_from([None, "vn.yb"]), undone=st.booleans())
    def store(self, data: st.DataObject, audience: str | None, undone: bool) -> None:
        if not self.logs:
            return
        row = data.draw(st.sampled_from(self.logs))

        def act() -> None:
            at = self.tables.end()[0]
            self.tables.add_segment(row, at, at + 1, bytes(32), audience, b"raw")

        self.write(act, undone=undone)

    @rule(data=st.data(), undone=st.booleans())
    def find_a_fork(self, data: st.DataObject, undone: bool) -> None:
        if self.logs:
            row = data.draw(st.sampled_from(self.logs))
            self.write(
                lambda: self.tables.add_fork(
                    row, code="fork-overlap", held=b"a", other=b"b", received=b"", source="", at=0
                ),
                undone=undone,
            )

    @invariant()
    def memory_and_disk_agree(self) -> None:
        if not hasattr(self, "tables"):
            return
        disk = Tables(self.db)
        for name in NAMES:
            assert repr(self.tables.named(name)) == repr(disk.named(name))
        end = disk.end()[0]
        for position in range(end + 2):
            assert self.tables.cursor_trail(position) == disk.trail_at(position)
            assert self.tables.told_after(["vn.yb"], position, 9) == disk.told_after(["vn.yb"], position, 9)
        for after in range(len(disk.forks()) + 1):
            assert self.tables.forks(after) == disk.forks(after)
        for author in AUTHORS:
            assert self.tables.pending_count(author) == disk.pending_count(author)
            assert self.tables.unreceipted(author) == disk.unreceipted(author)
            for count in range(3):
                assert self.tables.owns_more_logs_than(author, count) == disk.owns_more_logs_than(
                    author, count
                )
            for waiting in (False, True):
                found = self.tables.companions(author, waiting=waiting)
                assert found == disk.companions(author, waiting=waiting)


test_memory_and_disk_give_the_same_answers = TheSameAnswers.TestCase
TheSameAnswers.TestCase.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)


@pytest.fixture
def desk() -> Desk:
    return LedgerPair().node


def statements(db: sqlite3.Connection, act: Any) -> list[str]:
    said: list[str] = []
    db.set_trace_callback(said.append)
    try:
        act()
    finally:
        db.set_trace_callback(None)
    return said


def test_what_is_asked_again_costs_the_disk_nothing(desk: Desk) -> None:
    desk.ledger.get("sync.cursor")
    assert statements(desk.ledger.db, lambda: desk.ledger.get("sync.cursor")) == []


def test_a_small_value_that_is_kept_already_is_not_written_again(desk: Desk) -> None:
    desk.ledger.put("node.floor_s", 7)
    assert statements(desk.ledger.db, lambda: desk.ledger.put("node.floor_s", 7)) == []
    assert statements(desk.ledger.db, lambda: desk.ledger.put("node.floor_s", 8)) != []
    assert desk.ledger.get("node.floor_s") == 8


def test_one_and_true_and_text_are_different_values(desk: Desk) -> None:
    desk.ledger.put("node.boot", 1)
    desk.ledger.put("node.boot", "1")
    assert desk.ledger.get("node.boot") == "1"


def test_a_value_of_an_undone_transaction_was_never_kept(desk: Desk) -> None:
    desk.ledger.put("node.alive_s", 1)

    def cut() -> None:
        with desk.ledger.transaction():
            desk.ledger.put("node.alive_s", 2)
            assert desk.ledger.get("node.alive_s") == 2
            raise RuntimeError("the power")

    with pytest.raises(RuntimeError, match="the power"):
        cut()
    assert desk.ledger.get("node.alive_s") == 1
    desk.ledger.put("node.alive_s", 2)
    assert desk.ledger.tables.db.execute(
        "SELECT value FROM ledger_named WHERE name = 'node.alive_s'"
    ).fetchone() == (2,)


def test_an_inner_block_that_fails_dooms_the_whole_though_somebody_caught_it(desk: Desk) -> None:
    def caught() -> None:
        try:
            with desk.ledger.transaction():
                raise RuntimeError("inside")
        except RuntimeError:
            pass

    def outer() -> None:
        with desk.ledger.transaction():
            desk.ledger.put("node.alive_s", 2)
            caught()

    with pytest.raises(StoreError) as refused:
        outer()
    assert refused.value.code == "transaction-doomed"
    assert desk.ledger.get("node.alive_s") is None
    assert not desk.ledger.in_transaction


def test_an_auditor_remembers_nothing_while_the_owner_writes_on() -> None:
    store = MemoryStore()
    db = store.open_db("ledger.db")
    owner = RecallingTables(db)
    owner.prepare()
    db.execute("PRAGMA query_only = ON")
    auditor = RecallingTables(db)
    db.execute("PRAGMA query_only = OFF")
    assert auditor.readonly
    assert auditor.named("node.alive_s") is None
    assert auditor.pending_count(AUTHORS[0]) == 0
    assert auditor.forks() == []
    assert auditor.told_after(["vn.yb"], 0, 9) == []
    owner.set_named("node.alive_s", 5)
    owner.add_pending(AUTHORS[0], b"event")
    row = owner.add_log(Head(LogRef(AUTHORS[0], bytes(8)), 1, bytes(32)), own=True, sparse=False)
    owner.add_segment(row, 0, 1, bytes(32), "vn.yb", b"raw")
    owner.add_fork(row, code="fork-overlap", held=b"a", other=b"b", received=b"", source="", at=0)
    assert auditor.named("node.alive_s") == 5
    assert auditor.pending_count(AUTHORS[0]) == 1
    assert [log.ref for log in auditor.unreceipted(AUTHORS[0])] == [row.ref]
    assert auditor.told_after(["vn.yb"], 0, 9) == [(1, 3)]
    assert len(auditor.forks()) == 1


def test_a_memory_that_is_full_is_emptied(desk: Desk) -> None:
    tables = desk.ledger.tables
    for number in range(REMEMBERED_MAX + 1):
        tables.named(f"name {number}")
    assert 0 < len(tables._named) <= REMEMBERED_MAX


def test_the_planner_looks_only_at_logs_that_are_due(desk: Desk) -> None:
    said = statements(
        desk.ledger.db, lambda: Tables.companions(desk.ledger.tables, b"nobody!!", waiting=True)
    )
    plan = desk.ledger.db.execute("EXPLAIN QUERY PLAN " + said[0]).fetchall()
    assert any("ledger_logs_due" in row[3] for row in plan)


# -- heads that were verified once -----------------------------------------------------------------------


def test_a_head_that_was_good_once_is_not_computed_again_and_a_bad_one_every_time() -> None:
    forget_heads()
    raw = seal(NODE_KEY, LOG, 0, bytes(32), [ack(1)]).raw
    for _ in range(3):
        open_segment(raw, {NODE_KEY.key_id: NODE_KEY.verify_key}.get)
    assert keys._verify_head.cache_info()[:2] == (2, 1)
    bad = raw[: SIGNED_BYTES - 1] + bytes([raw[SIGNED_BYTES - 1] ^ 1]) + raw[SIGNED_BYTES:]
    for misses in (2, 3):
        with pytest.raises(SignatureError):
            open_segment(bad, {NODE_KEY.key_id: NODE_KEY.verify_key}.get)
        assert keys._verify_head.cache_info()[:2] == (2, misses)


def test_every_byte_of_a_segment_that_changes_is_found_though_it_was_good_a_moment_ago() -> None:
    raw = seal(NODE_KEY, LOG, 0, bytes(32), [ack(1), ack(2)]).raw
    known = {NODE_KEY.key_id: NODE_KEY.verify_key}.get
    open_segment(raw, known)
    for at in range(len(raw)):
        with pytest.raises(SegmentError):
            open_segment(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :], known)
    open_segment(raw, known)


def test_one_keys_good_head_says_nothing_for_another_key() -> None:
    segment = seal(NODE_KEY, LOG, 0, bytes(32), [ack(1)])
    NODE_KEY.verify_key.verify(keys.SEGMENT, segment.head.encode(), segment.signature)
    with pytest.raises(SignatureError):
        OTHER_KEY.verify_key.verify(keys.SEGMENT, segment.head.encode(), segment.signature)


def test_the_memory_of_heads_has_a_bound() -> None:
    assert keys._verify_head.cache_info().maxsize == PROVEN_HEADS_MAX
    key = SigningKey.from_seed(bytes(32))
    forget_heads()
    for number in range(3):
        segment = seal(key, (1 + number).to_bytes(8, "big"), 0, bytes(32), [ack(1)])
        open_segment(segment.raw, {key.key_id: key.verify_key}.get)
    assert keys._verify_head.cache_info().currsize == 3
    forget_heads()
    assert keys._verify_head.cache_info().currsize == 0
