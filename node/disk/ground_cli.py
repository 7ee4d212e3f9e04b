"""`loa node doctor` and `loa node restore`: is the station's database whole, and what to do when it is not.

A station that runs mends itself; these are for a person who stands before a box that does not start, or who
wants to know beforehand. `doctor` only looks and may run beside the station.

Bound: what is said to a person. How a database is mended is `ground.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ledger.log import Store

FOLDER = click.Path(file_okay=False, path_type=Path)


def add_ground(
    group: click.Group, plain_errors: Callable[[], AbstractContextManager[None]],
    entropy: Callable[[int], bytes], refuge_of: Callable[[Path], Path],
) -> None:  # fmt: skip
    """refuge_of: where in memory the station of a folder goes on when its disk fails."""

    @group.command()
    @click.option("--dir", "folder", type=FOLDER, required=True, help="The folder made by `loa node init`.")
    def doctor(folder: Path) -> None:
        """Looks whether the station's files are whole. Changes nothing; exit code 21 when they are not."""
        with plain_errors():
            from ledger.log import DiskStore, StoreError

            store = DiskStore(folder, readonly=True)
            try:
                found = list(_looked(store, folder, refuge_of(folder)))
            finally:
                store.close()
            for good, line in found:
                click.echo(f"{'ok ' if good else 'BAD'} {line}")
            if not all(good for good, _ in found):
                raise StoreError(
                    "db-damaged", "something is not whole",
                    hint="a running station mends its database by itself; else stop it: loa node restore",
                )  # fmt: skip

    @group.command()
    @click.option("--dir", "folder", type=FOLDER, required=True, help="The folder made by `loa node init`.")
    @click.option("--force", is_flag=True, help="Also when nothing is wrong with the database.")
    def restore(folder: Path, force: bool) -> None:
        """Puts the station's own copy in the place of a damaged database. The station must be stopped.

        Reports, decisions and slots that the damaged one still proves are taken over.
        """
        with plain_errors():
            from ledger.log import DiskStore, NotAllowed
            from node.disk import ground

            store = DiskStore(folder)
            try:
                mended = ground.restore_keys(store)
                for name in mended:
                    click.echo(f"RESTORED {name} from its copy")
                problem = _database(store)
                if problem is None and not force:
                    if mended:
                        return
                    raise NotAllowed(
                        "nothing-damaged", "the database is whole: an older copy would only forget",
                        hint="`loa node doctor` says how everything stands",
                    )  # fmt: skip
                click.echo(f"RESTORED {ground.restore(store, entropy=entropy)}")
                click.echo(f"What was damaged lies in {folder / ground.DAMAGED} until the next time.")
            finally:
                store.close()


def _looked(store: Store, folder: Path, above: Path) -> list[tuple[bool, str]]:
    """(is it as it should be, what was looked at)."""
    from ledger.log import DiskStore, LoaError
    from node.config import load_config, load_key
    from node.disk.keeper import check_file, kept
    from node.disk.refuge import is_begun

    found: list[tuple[bool, str]] = []
    for name, load in (("station.toml", load_config), ("station.key", load_key)):
        try:
            load(store)
            found.append((True, name))
        except LoaError as error:
            found.append((False, f"{name}: {error.what}"))
    problem = _database(store)
    found.append((problem is None, f"database{'' if problem is None else ': ' + problem}"))
    image = kept(store)
    if image is None:
        found.append((problem is None, "copy: none yet, or none that is whole"))
    else:
        from ledger.log import opened

        try:
            check_file(opened(image))
            found.append((True, f"copy of {len(image)} bytes"))
        except LoaError as error:
            found.append((False, f"copy: {error.what}"))
    if above.is_dir():
        memory = DiskStore(above, readonly=True)
        if is_begun(memory):
            found.append(
                (False, f"the disk is full or cannot be written: what is new lies in memory ({above})")
            )
        memory.close()
    return found


def _database(store: Store) -> str | None:
    """What is wrong with the database; None when every check passes."""
    from ledger.log import Ledger, StoreError, image_of, opened
    from node.disk.keeper import check_file
    from node.disk.refuge import DB_NAME

    def nothing(count: int) -> bytes:
        raise AssertionError("a look signs nothing")

    try:
        image = image_of(store, DB_NAME)
        if image is None:
            return "there is none; the station has not run yet, or it was lost"
        db = opened(image)
        try:
            check_file(db)
            audit = Ledger(db, entropy=nothing, now=lambda: 0).verify()
        finally:
            db.close()
    except StoreError as error:
        return error.what
    except sqlite3.Error as error:
        return str(error)
    return audit.problems[0] if audit.problems else None
