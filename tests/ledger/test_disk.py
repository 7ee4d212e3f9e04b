"""Stores: the same promises on a real disk and in memory, and what only a real disk can show."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.log.disk import DiskStore, Store, refuse_root
from ledger.log.errors import NotAllowed, StoreError
from ledger.log.memory_disk import MemoryStore

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: DiskStore | MemoryStore = DiskStore(tmp_path) if request.param == "disk" else MemoryStore()
    yield made
    made.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[DiskStore]:
    made = DiskStore(tmp_path / "station")
    yield made
    made.close()


def test_a_file_is_read_back_as_written_and_replaced_whole(store: Store) -> None:
    assert store.read("a/b.bin") is None
    store.write("a/b.bin", b"first, and long")
    store.write("a/b.bin", b"second")
    assert store.read("a/b.bin") == b"second"
    assert store.size("a/b.bin") == 6
    assert store.read_at("a/b.bin", 2, 3) == b"con"
    assert store.names("a/") == ["a/b.bin"]


def test_an_append_goes_on_where_it_is_told_and_cuts_what_was_torn(store: Store) -> None:
    store.append("part", b"aaaa", 0)
    store.append("part", b"bbXX", 4)
    store.append("part", b"cc", 6)
    assert store.read("part") == b"aaaabbcc"


def test_an_append_leaves_no_hole(store: Store) -> None:
    store.append("part", b"aaaa", 0)
    with pytest.raises(StoreError) as refused:
        store.append("part", b"bb", 5)
    assert refused.value.code == "hole"
    assert store.read("part") == b"aaaa"


def test_a_moved_file_is_at_its_new_name_only(store: Store) -> None:
    store.write("partial/x", b"data")
    store.write("blobs/ab/x", b"old")
    store.move("partial/x", "blobs/ab/x")
    assert store.read("partial/x") is None
    assert store.read("blobs/ab/x") == b"data"
    with pytest.raises(StoreError) as refused:
        store.move("partial/x", "blobs/ab/x")
    assert refused.value.code == "no-file"


def test_deleting_twice_is_no_error(store: Store) -> None:
    store.write("x", b"1")
    store.delete("x")
    store.delete("x")
    assert store.read("x") is None
    assert store.size("x") is None
    with pytest.raises(StoreError):
        store.read_at("x", 0, 1)


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".hidden", "a/.b", "a\0b", "x" * 201]
)
def test_a_name_cannot_leave_the_store(store: Store, name: str) -> None:
    for act in (store.read, store.delete, store.open_db, lambda n: store.write(n, b"")):
        with pytest.raises(StoreError) as refused:
            act(name)
        assert refused.value.code == "name"


def test_a_database_is_one_connection_and_an_abandoned_transaction_is_rolled_back(store: Store) -> None:
    db = store.open_db("x.db")
    db.execute("CREATE TABLE t (a)")
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO t VALUES (1)")
    again = store.open_db("x.db")
    assert again is db
    assert again.execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert "x.db" in store.names("")


def test_a_database_outlives_the_one_who_closes_it(store: Store) -> None:
    db = store.open_db("x.db")
    db.execute("CREATE TABLE t (a)")
    db.close()
    assert store.open_db("x.db").execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_the_disk_says_how_much_is_free(store: Store) -> None:
    assert store.free_bytes() > 0


# -- a real disk ---------------------------------------------------------------------------------------------


def test_the_connection_has_the_settings_that_lost_nothing(disk: DiskStore) -> None:
    db = disk.open_db("ledger.db")
    wanted = {
        "journal_mode": "wal", "synchronous": 2, "wal_autocheckpoint": 200,
        "journal_size_limit": 4 * 1024 * 1024,
        "mmap_size": 0, "cell_size_check": 1, "trusted_schema": 0, "foreign_keys": 1, "busy_timeout": 5000,
    }  # fmt: skip
    found = {name: db.execute(f"PRAGMA {name}").fetchone() for name in wanted}
    assert {name: row[0] if row else 0 for name, row in found.items()} == wanted
    assert db.isolation_level is None


def test_power_safe_overwrite_is_not_assumed(tmp_path: Path) -> None:
    """With psow=0 a commit of one page pads the log to a whole sector: the WAL grows by more."""
    grown = {}
    for psow in (0, 1):
        db = sqlite3.connect(f"file:{tmp_path}/{psow}.db?psow={psow}", uri=True, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE t (a)")
        before = os.path.getsize(f"{tmp_path}/{psow}.db-wal")
        db.execute("INSERT INTO t VALUES (1)")
        grown[psow] = os.path.getsize(f"{tmp_path}/{psow}.db-wal") - before
        db.close()
    store = DiskStore(tmp_path / "station")
    db = store.open_db("x.db")
    db.execute("CREATE TABLE t (a)")
    before = os.path.getsize(tmp_path / "station" / "x.db-wal")
    db.execute("INSERT INTO t VALUES (1)")
    ours = os.path.getsize(tmp_path / "station" / "x.db-wal") - before
    store.close()
    assert ours == grown[0] >= grown[1]


def test_a_folder_has_one_owner_process(disk: DiskStore) -> None:
    with pytest.raises(StoreError) as refused:
        DiskStore(disk.root)
    assert refused.value.code == "store-busy"
    disk.close()
    DiskStore(disk.root).close()


def test_root_writes_nothing_where_another_user_must_read_it(tmp_path: Path) -> None:
    with pytest.raises(NotAllowed) as refused:
        refuse_root(4_000_000_001, 0, tmp_path)
    assert (refused.value.code, "sudo -u #4000000001" in refused.value.hint) == ("store-owner", True)
    for owner, us in ((0, 0), (7, 7), (7, 8)):  # (7, 8): what one may write there the kernel decides
        refuse_root(owner, us, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_root_may_look_at_anothers_folder_and_write_on_anybodys_stick(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    with pytest.raises(NotAllowed) as refused:
        DiskStore(folder)
    assert refused.value.code == "store-owner"
    assert list(folder.iterdir()) == []
    DiskStore(folder, readonly=True).close()
    DiskStore(folder, anyones=True).close()


def test_an_auditor_looks_beside_the_owner_and_changes_nothing(disk: DiskStore) -> None:
    db = disk.open_db("x.db")
    db.execute("CREATE TABLE t (a)")
    disk.write("f", b"1")
    looker = DiskStore(disk.root, readonly=True)
    seen = looker.open_db("x.db")
    db.execute("INSERT INTO t VALUES (1)")
    assert seen.execute("SELECT count(*) FROM t").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError):
        seen.execute("INSERT INTO t VALUES (2)")
    assert looker.read("f") == b"1"
    for act in (
        lambda: looker.write("f", b"2"),
        lambda: looker.delete("f"),
        lambda: looker.append("f", b"", 0),
    ):
        with pytest.raises(StoreError) as refused:
            act()
        assert refused.value.code == "read-only"
    with pytest.raises(StoreError):
        looker.open_db("missing.db")
    with pytest.raises(StoreError):
        DiskStore(disk.root / "missing", readonly=True)
    looker.close()


def test_a_private_file_is_for_its_owner_alone(disk: DiskStore) -> None:
    disk.write("open.key", b"seed")
    disk.write("station.key", b"seed", private=True)
    disk.write("station.key", b"seed2", private=True)
    assert stat.S_IMODE(os.stat(disk.root / "station.key").st_mode) == 0o600
    assert stat.S_IMODE(os.stat(disk.root / "open.key").st_mode) == 0o644


def test_a_half_written_file_is_never_seen(disk: DiskStore) -> None:
    disk.write("a", b"whole")
    (disk.root / ".a.half").write_bytes(b"ha")
    assert disk.names("") == ["a"]
    disk.write("a", b"whole again")
    assert disk.read("a") == b"whole again"


WRITER = """
import itertools, sys
from pathlib import Path
from ledger.log.codec import encode
from ledger.log.disk import DiskStore
from ledger.log.keys import SigningKey
from ledger.log.store import Ledger
import os
key = SigningKey.from_seed(b"station Tu Le, a key for tests..")
ledger = Ledger(DiskStore(Path(sys.argv[1])).open_db("ledger.db"), entropy=os.urandom, now=lambda: 7)
for n in itertools.count(int(sys.argv[2])):
    ledger.append(key, encode((16, 7, n)))
    print(n, flush=True)
    if n % 5 == 0:
        ledger.seal(key)
"""


def test_a_killed_process_has_kept_everything_it_said_it_kept(tmp_path: Path) -> None:
    from ledger.log.codec import decode
    from ledger.log.keys import SigningKey
    from ledger.log.store import Ledger

    key = SigningKey.from_seed(b"station Tu Le, a key for tests..")
    said: set[int] = set()
    for turn in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(turn * 10_000)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout is not None
        for _ in range(17 + 6 * turn):
            said.add(int(child.stdout.readline()))
        child.send_signal(signal.SIGKILL)
        said |= {int(line) for line in child.stdout.read().split("\n")[:-1]}
        child.stdout.close()
        child.wait()
    store = DiskStore(tmp_path)
    ledger = Ledger(store.open_db("ledger.db"), entropy=os.urandom, now=lambda: 8)
    ledger.seal(key)
    found = [decode(e) for stored in ledger.since(0) for e in stored.segment.events]
    numbers = [values[2] for values in found if values[0] == 16]
    assert len(numbers) == len(set(numbers))
    assert said <= set(numbers)
    assert ledger.verify().problems == []
    assert len(ledger.frontier(key.key_id)) == 5  # one log per process
    store.close()


# -- a disk in memory ----------------------------------------------------------------------------------------


def test_a_power_cut_takes_back_what_was_not_committed_and_kills_old_connections() -> None:
    store = MemoryStore()
    db = store.open_db("x.db")
    db.execute("CREATE TABLE t (a)")
    db.execute("INSERT INTO t VALUES (1)")
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO t VALUES (2)")
    store.crash()
    with pytest.raises(sqlite3.ProgrammingError):
        db.execute("SELECT 1")
    assert store.open_db("x.db").execute("SELECT a FROM t").fetchall() == [(1,)]


def test_an_old_image_brings_back_files_and_databases_as_they_were() -> None:
    store = MemoryStore()
    store.open_db("empty.db")
    db = store.open_db("x.db")
    db.execute("CREATE TABLE t (a)")
    store.write("f", b"old")
    image = store.snapshot()
    db.execute("INSERT INTO t VALUES (1)")
    store.write("f", b"new")
    store.write("g", b"new")
    store.restore(image)
    assert store.open_db("x.db").execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert store.read("f") == b"old"
    assert store.read("g") is None
    store.open_db("x.db").execute("INSERT INTO t VALUES (7)")
    store.restore(image)  # the same image again: it was not changed by what came after
    assert store.open_db("x.db").execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_an_image_is_not_taken_inside_a_transaction() -> None:
    store = MemoryStore()
    store.open_db("x.db").execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError) as refused:
        store.snapshot()
    assert refused.value.code == "in-transaction"
