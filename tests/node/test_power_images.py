"""Every disk that a power cut could leave of a station's morning: databases, content, copies, keys.

The station runs on a real disk while every operation on its files is written down; then the power is cut
before each of them, three ways. Nothing that the station had relied on may be gone, and every file must open.
By default each fifth operation is cut; LOA_EVERY_CUT=1 cuts all.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from file_trace import Op, images, read_trace
from station_world import NODE

from ledger.facts import Acknowledged, read
from ledger.log import Blobs, DiskStore, Ledger, StoreError
from node.disk.keeper import BACKUP, check_file, kept
from node.disk.refuge import DB_NAME

HERE = Path(__file__).parent
COMPILER = shutil.which("cc")
EVERY = 1 if os.environ.get("LOA_EVERY_CUT") else 5


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> list[Op]:
    if COMPILER is None or sys.platform != "linux":
        pytest.skip("no C compiler here to trace with")
    made = tmp_path_factory.mktemp("trace")
    library, trace, folder = made / "trace.so", made / "trace", made / "station"
    source = str(HERE / "file_trace.c")
    subprocess.run(
        [COMPILER, "-shared", "-fPIC", "-O1", "-w", "-o", str(library), source, "-ldl"], check=True
    )
    done = subprocess.run(
        [sys.executable, str(HERE / "traced_node.py"), str(folder)], capture_output=True, text=True,
        check=False, timeout=120, env={
            **os.environ, "LD_PRELOAD": str(library), "LOA_TRACE": str(trace), "LOA_ROOT": str(folder),
            "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)]),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = read_trace(trace, str(folder))
    kinds = {op.kind for op in found}
    assert kinds == set("WTSDRUC") or kinds >= set("WSDRC"), kinds
    for name in ("ledger.db-wal", "station.key", BACKUP):
        assert any(
            op.path.endswith(name.split("/")[-1]) or op.data.decode("latin-1").endswith(name) for op in found
        ), name
    last = promised(found, len(found))
    assert len(last["done"]) == 3
    assert len(last["held"]) >= 9
    return found


def promised(ops: list[Op], until: int) -> dict[str, list[object]]:
    """What the station had relied on before this operation."""
    lines = b"".join(op.data for op in ops[:until] if op.path == "marks").splitlines()
    return json.loads(lines[-1]) if lines else {"done": [], "begun": [], "held": []}


def lay_out(files: dict[str, bytes], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        if name == "marks" or name.endswith("-shm"):
            continue  # the index in memory is made anew by whoever opens first
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def check(folder: Path, before: dict[str, list[object]], where: str) -> None:
    store = DiskStore(folder)
    try:
        if not before["held"] and not before["begun"] and store.size(DB_NAME) in (None, 0):
            return  # before the first thing was promised
        db = store.open_db(DB_NAME)
        check_file(db)
        ledger = Ledger(db, entropy=lambda n: bytes(range(n)), now=lambda: 0)
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        rows = {(s, d): state for s, d, state in db.execute("SELECT series, day, state FROM node_plays")} if (
            "node_plays" in tables) else {}  # fmt: skip
        for key in before["begun"]:
            assert tuple(key) in rows, f"{where}: {key} had begun"  # type: ignore[arg-type]
        for key in before["done"]:
            assert rows[tuple(key)] == "done", f"{where}: {key} was answered for"  # type: ignore[index,arg-type]
        said = [event for (event,) in db.execute("SELECT event FROM ledger_pending")]
        sealed = [
            signed for stored in ledger.since(0) for signed in read(stored) if signed.key_id == NODE.key_id
        ]
        acks = [one.fact for one in sealed if isinstance(one.fact, Acknowledged)]
        from ledger.facts import parse

        acks += [fact for fact in map(parse, said) if isinstance(fact, Acknowledged)]
        keys = [(ack.series, ack.day) for ack in acks]
        assert len(keys) == len(set(keys)), where
        assert {key for key, state in rows.items() if state == "done"} == set(keys), (
            f"{where}: rows and reports differ"
        )
        assert ledger.verify().problems == [], where
        blobs = Blobs(store)
        for name in blobs.held():
            blobs.read(name)
        assert set(before["held"]) <= {name.hex() for name in blobs.held()}, f"{where}: content is gone"
        if store.size(BACKUP) is not None:
            assert kept(store) is not None, f"{where}: a copy that is no copy"
    except StoreError as error:
        raise AssertionError(f"{where}: {error}") from error
    finally:
        store.close()


@pytest.mark.parametrize("share", range(4))
def test_no_power_cut_takes_back_what_the_station_had_relied_on(
    ops: list[Op], tmp_path: Path, share: int
) -> None:
    count = 0
    for number, how, files in images(ops, share, EVERY * 4 if EVERY > 1 else 4):
        lay_out(files, tmp_path / "box")
        check(tmp_path / "box", promised(ops, number), f"cut before operation {number} of {len(ops)}, {how}")
        count += 1
    assert count >= (100 if EVERY > 1 else 500), count
    print(f"{count} disks of {len(ops)} operations")  # `pytest -s` shows it


def test_a_card_that_lies_about_what_it_kept_is_found_out(ops: list[Op], tmp_path: Path) -> None:
    """The check sees something: with syncs that do nothing, the same cuts lose what was relied on."""
    lying = [op for op in ops if op.kind not in "SD" or "station." in op.path]
    found = 0
    for number, how, files in images(lying, 0, max(1, len(lying) // 12)):
        lay_out(files, tmp_path / "box")
        try:
            check(tmp_path / "box", promised(lying, number), how)
        except (AssertionError, KeyError):
            found += how != "all"
    assert found > 10
