"""A database from its two files: as SQLite itself would open them, whatever was torn, without writing."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log.disk import DiskStore
from ledger.log.errors import StoreError
from ledger.log.image import image_of, merged, opened, pour, taken
from ledger.log.memory_disk import MemoryStore


def rows(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 't'").fetchone() is None:
        return []
    return db.execute("SELECT a, b FROM t ORDER BY a").fetchall()


def by_sqlite(folder: Path, data: bytes, wal: bytes) -> list[tuple[object, ...]]:
    folder.mkdir(parents=True, exist_ok=True)
    for stray in folder.iterdir():
        stray.unlink()
    (folder / "x.db").write_bytes(data)
    (folder / "x.db-wal").write_bytes(wal)
    db = sqlite3.connect(folder / "x.db")
    try:
        return rows(db)
    finally:
        db.close()


def pair(folder: Path, seed: int, commits: int) -> tuple[bytes, bytes]:
    """The two files as a power cut leaves them: nothing was closed."""
    dice = random.Random(seed)
    store = DiskStore(folder)
    db = store.open_db("x.db")
    db.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b BLOB)")
    for n in range(commits):
        db.execute("BEGIN IMMEDIATE")
        for _ in range(dice.randrange(1, 6)):
            db.execute("INSERT OR REPLACE INTO t VALUES (?, ?)", (dice.randrange(40), dice.randbytes(700)))
        if dice.random() < 0.2:
            db.execute("DELETE FROM t WHERE a > ?", (dice.randrange(40),))
        db.execute("COMMIT")
        if n == commits // 3:
            db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
    found = (folder / "x.db").read_bytes(), (folder / "x.db-wal").read_bytes()
    store.close()
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1 << 30), st.integers(1, 25), st.data())
def test_the_two_files_become_what_sqlite_makes_of_them_wherever_the_log_is_torn_or_damaged(
    tmp_path_factory: pytest.TempPathFactory, seed: int, commits: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("pair")
    main, wal = pair(folder / "a", seed, commits)
    cut = data.draw(st.integers(0, len(wal)))
    torn = wal[:cut]
    if torn and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(torn) - 1))
        torn = torn[:at] + bytes([torn[at] ^ (1 << data.draw(st.integers(0, 7)))]) + torn[at + 1 :]
    assert rows(opened(merged(main, torn))) == by_sqlite(folder / "b", main, torn)


def test_nothing_is_written_where_the_image_is_taken(tmp_path: Path) -> None:
    main, wal = pair(tmp_path / "a", 3, 12)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.db").write_bytes(main)
    (tmp_path / "b" / "x.db-wal").write_bytes(wal)
    image = image_of(DiskStore(tmp_path / "b", readonly=True), "x.db")
    assert image is not None
    assert rows(opened(image)) == by_sqlite(tmp_path / "c", main, wal) != []
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["x.db", "x.db-wal"]
    assert image_of(MemoryStore(), "x.db") is None


def test_a_database_is_poured_whole_or_not_at_all(tmp_path: Path) -> None:
    main, wal = pair(tmp_path / "a", 5, 9)
    source = opened(merged(main, wal))
    store = DiskStore(tmp_path / "b")
    target = store.open_db("x.db")
    target.execute("CREATE TABLE other (a)")
    pour(source, target)
    assert rows(target) == rows(source)
    assert target.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]
    assert rows(opened(taken(target))) == rows(source)
    assert target.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    target.execute("PRAGMA max_page_count=2")
    with pytest.raises(StoreError) as refused:
        pour(opened(taken(target)), sqlite3.connect(f"file:{tmp_path / 'b' / 'x.db'}?mode=ro", uri=True))
    assert refused.value.code == "db-failed"
    assert rows(target) == rows(source)
    store.close()


@pytest.mark.parametrize("data", [b"x" * 5_000, b"SQLite format 3\0" + b"\xff" * 5_000])
def test_bytes_that_are_no_database_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(StoreError) as refused:
        opened(data).execute("SELECT * FROM sqlite_master").fetchall()
    assert refused.value.code == "db-damaged"
