"""The one door to files: databases and plain files of one owner, under one root.

Everything durable in Loa goes through a `Store`, so that a test can put the whole disk into memory, cut the
power between two statements, or put back yesterday's image. `DiskStore` is the real one. Its promises: when
`write`, `append`, `move` or a commit on `open_db` returns, the bytes are on the medium (file and directory
synced); a file is seen whole or not at all; one process owns a root (`owner.lock`). It promises nothing on a
medium that lies about sync: the second copy at the hub is the answer to that.

SQLite settings are measured ones: `psow=0` (power-safe overwrite not assumed) with WAL and synchronous=FULL
is the combination that lost nothing over all cut points; synchronous=NORMAL may take back a commit whose
bytes have already left. One connection per database, which also checkpoints: the library's WAL-reset bug
needs two. Never retry a failed sync: the caller stops, reopens and lets the store verify itself.

This is the only module of the ledger that opens files or connections; in-memory twin: `memory_disk.py`.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from ledger.log.errors import NotAllowed, StoreError

NAME_BYTES_MAX = 200  # longest file name of ours is a blob's: well below; a bound for callers' mistakes
WAL_PAGES_MAX = 200  # checkpoint at 0.8 MiB: a small WAL is a short recovery after a power cut
JOURNAL_BYTES_MAX = 4 * 1024 * 1024  # a WAL that grew once is cut back, so that a card is not filled by it
BUSY_MS = 5000  # only an auditor reading beside the owner can make us wait

# A leading dot marks a half-written file of ours, so no caller's name may begin with one.
_LOCK = "owner.lock"
_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps next to a database
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,3}")

SETTINGS = (
    ("journal_mode", "WAL"),
    ("synchronous", "FULL"),
    ("wal_autocheckpoint", WAL_PAGES_MAX),
    ("journal_size_limit", JOURNAL_BYTES_MAX),
    ("mmap_size", 0),  # a mapped page that fails to read is a SIGBUS, a read that fails is an error
    ("cell_size_check", "ON"),
    ("trusted_schema", "OFF"),
    ("foreign_keys", "ON"),
    ("busy_timeout", BUSY_MS),
)
READ_SETTINGS = tuple(
    s for s in SETTINGS if s[0] not in {"journal_mode", "wal_autocheckpoint", "journal_size_limit"}
)


class Store(Protocol):
    """Files and databases of one owner. Names are relative paths of `[A-Za-z0-9._-]`, at most four deep."""

    def open_db(self, name: str) -> sqlite3.Connection:
        """The one connection to this database: autocommit (`isolation_level=None`), made when not there.

        Asking again gives the same connection, with a transaction that somebody abandoned rolled back.
        """
        ...

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, data: bytes, *, private: bool = False) -> None:
        """Whole file, atomically and durably. `private`: readable by the owner alone (mode 600)."""
        ...

    def append(self, name: str, data: bytes, at: int) -> None:
        """Put `data` at offset `at` and end the file there; what a torn earlier write left behind is cut off.

        Raises StoreError("hole") when the file is shorter than `at`.
        """
        ...

    def move(self, name: str, to: str) -> None:
        """Rename durably, replacing `to`. Raises StoreError("no-file") when there is no such file."""
        ...

    def size(self, name: str) -> int | None: ...

    def read_at(self, name: str, offset: int, length: int) -> bytes: ...

    def delete(self, name: str) -> None: ...

    def names(self, prefix: str) -> list[str]: ...

    def free_bytes(self) -> int: ...


def checked_name(name: str) -> str:
    """A name that stays inside the root. Raises StoreError("name")."""
    if len(name) > NAME_BYTES_MAX or not _NAME.fullmatch(name):
        raise StoreError("name", f"not a file name of a store: {name[:80]!r}")
    return name


def connect(address: str, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """A bare connection: autocommit, transactions opened by name, one thread at a time inside."""
    return sqlite3.connect(
        address,
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        factory=factory,
    )


def configure(db: sqlite3.Connection, settings: tuple[tuple[str, str | int], ...]) -> None:
    for name, value in settings:
        db.execute(f"PRAGMA {name}={value}").fetchall()


def is_open(db: sqlite3.Connection) -> bool:
    try:
        db.total_changes  # noqa: B018 — raises on a closed connection
    except sqlite3.ProgrammingError:
        return False
    return True


@contextmanager
def told(name: str) -> Iterator[None]:
    """What the system says of a file becomes StoreError("disk-failed") with its `errno` kept."""
    try:
        yield
    except OSError as error:
        failed = StoreError("disk-failed", f"{type(error).__name__}: {error.strerror}", where=name)
        failed.errno = error.errno
        raise failed from error


class DiskStore:
    """A folder on a real disk. Raises StoreError("store-busy") when another process owns it.

    `readonly=True` is for auditors: no lock, no change, and a database must already be there. Root changes
    nothing in a folder of somebody else, NotAllowed("store-owner"), unless it is `anyones`, as a stick is.
    """

    def __init__(self, root: Path, *, readonly: bool = False, anyones: bool = False) -> None:
        self.root = Path(root)
        self.readonly = readonly
        self._open: dict[str, sqlite3.Connection] = {}
        self._lock: int | None = None
        if readonly:
            if not self.root.is_dir():
                raise StoreError("no-store", f"no such folder: {self.root}")
            return
        self.root.mkdir(parents=True, exist_ok=True)
        if not anyones:
            refuse_root(self.root.stat().st_uid, os.geteuid(), self.root)
        self._lock = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            self._lock = None
            raise StoreError(
                "store-busy",
                f"another process owns {self.root}",
                hint="stop the process that runs on this folder, or look with a read-only command",
            ) from error

    def close(self) -> None:
        """Close every database and give the folder free. Safe to call twice."""
        for db in self._open.values():
            db.close()
        self._open.clear()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # -- databases ---------------------------------------------------------------------------------------

    def open_db(self, name: str) -> sqlite3.Connection:
        path = self._path(name)
        db = self._open.get(name)
        if db is not None and is_open(db):
            if db.in_transaction:
                db.rollback()
            return db
        try:
            db = self._connect(path)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the library quotes what a damaged file holds
            raise StoreError("db-open", f"cannot open {path}: {error}") from error
        self._open[name] = db
        return db

    def _connect(self, path: Path) -> sqlite3.Connection:
        if self.readonly:
            db = connect(f"file:{quote(str(path))}?mode=ro")
            configure(db, (*READ_SETTINGS, ("query_only", "ON")))
            return db
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        db = connect(f"file:{quote(str(path))}?psow=0")
        configure(db, SETTINGS)
        mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        if mode != "wal":
            db.close()
            raise StoreError(
                "no-wal", f"{path} runs in journal mode {mode!r}, not WAL; is this a network disk?"
            )
        if fresh:
            self._sync_folder(path.parent)
        return db

    # -- files -------------------------------------------------------------------------------------------
    # StoreError("disk-failed") with the system's `errno` wherever the disk says no.

    def read(self, name: str) -> bytes | None:
        with told(name):
            try:
                return self._path(name).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes, *, private: bool = False) -> None:
        path = self._own(name)
        with told(name):
            made = self._ready_folder(path.parent)
            half = path.with_name(f".{path.name}.half")
            mode = 0o600 if private else 0o644
            handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
            try:
                os.fchmod(handle, mode)  # a half-written file of an earlier try may carry another mode
                _write_all(handle, data)
                os.fsync(handle)
            except OSError:
                half.unlink(missing_ok=True)  # on a full disk nobody else would give its room back
                raise
            finally:
                os.close(handle)
            os.replace(half, path)
            self._sync_folder(path.parent)
            if made:
                self._sync_folder(path.parent.parent)

    def append(self, name: str, data: bytes, at: int) -> None:
        path = self._own(name)
        with told(name):
            made = self._ready_folder(path.parent)
            fresh = not path.exists()
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                size = os.fstat(handle).st_size
                if size < at:
                    raise StoreError("hole", f"{name} has {size} bytes, cannot go on at {at}")
                if size > at:
                    os.ftruncate(handle, at)
                os.lseek(handle, at, os.SEEK_SET)
                _write_all(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
            if fresh:
                self._sync_folder(path.parent)
            if made:
                self._sync_folder(path.parent.parent)

    def move(self, name: str, to: str) -> None:
        source, target = self._own(name), self._own(to)
        with told(name):
            made = self._ready_folder(target.parent)
            try:
                os.replace(source, target)
            except FileNotFoundError as error:
                raise StoreError("no-file", f"no such file: {name}") from error
            self._sync_folder(target.parent)
            if made:
                self._sync_folder(target.parent.parent)
            if source.parent != target.parent:
                self._sync_folder(source.parent)

    def size(self, name: str) -> int | None:
        with told(name):
            try:
                return self._path(name).stat().st_size
            except FileNotFoundError:
                return None

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        with told(name):
            try:
                with self._path(name).open("rb") as file:
                    file.seek(offset)
                    return file.read(length)
            except FileNotFoundError as error:
                raise StoreError("no-file", f"no such file: {name}") from error

    def delete(self, name: str) -> None:
        path = self._own(name)
        with told(name):
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                self._sync_folder(path.parent)

    def names(self, prefix: str) -> list[str]:
        """Names beginning with `prefix`, sorted; databases too, not what SQLite keeps beside them."""
        with told(prefix):
            found = [p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file()]
        return sorted(
            name
            for name in found
            if name.startswith(prefix)
            and name != _LOCK
            and not name.endswith(_BESIDE)
            and _NAME.fullmatch(name)
        )

    def free_bytes(self) -> int:
        with told(""):
            stat = os.statvfs(self.root)
        return stat.f_bavail * stat.f_frsize

    def _path(self, name: str) -> Path:
        return self.root / checked_name(name)

    def _own(self, name: str) -> Path:
        if self.readonly:
            raise StoreError("read-only", f"this store was opened to look, not to change: {name}")
        return self._path(name)

    def _ready_folder(self, folder: Path) -> bool:
        if folder.is_dir():
            return False
        folder.mkdir(parents=True, exist_ok=True)
        return True

    @staticmethod
    def _sync_folder(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def refuse_root(owner: int, us: int, root: Path) -> None:
    """Raises NotAllowed("store-owner") when root is about to write where another user must read. Numbers."""
    if us != 0 or owner == 0:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    raise NotAllowed(
        "store-owner", f"{root} belongs to {name}, who could not read what root writes there",
        hint=f"the same command as that user: sudo -u {name} …",
    )  # fmt: skip
