"""A station whose disk fails: the lives that `node/shell.py` gives it, with the clock in the test's hands.

`Failing` is a disk that from its n-th write on is full, or read-only, until the test mends it; it is read.
The machine's memory (`above`) outlives the process and not the power.
"""

from __future__ import annotations

import errno
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from station_world import World

from ledger.log import DiskStore, KeptConnection, LoaError, MemoryStore, Store, StoreError
from node import InlineCourier, Station
from node.config import save_config
from node.disk.ground import Ground

WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "REPLAC", "BEGIN ", "COMMIT")


class Failing(MemoryStore):
    """at: the write from which on the disk says no. how: "full" or "ro"."""

    def __init__(self) -> None:
        store = self

        class Connection(KeptConnection):
            def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
                if sql.lstrip()[:6].upper() in WRITES:
                    store.spend(_full if store.how == "full" else _readonly)
                return super().execute(sql, parameters)

        super().__init__(connection=Connection)
        self.count = 0
        self.at: int | None = None
        self.how = "full"
        self.deleted: list[str] = []

    @property
    def bad(self) -> bool:
        return self.at is not None and self.count >= self.at

    def spend(self, error: Callable[[], BaseException]) -> None:
        self.count += 1
        if self.bad:
            raise error()

    def mend(self) -> None:
        self.at = None

    def write(self, name: str, data: bytes, *, private: bool = False) -> None:
        self.spend(lambda: self._refused(name))
        super().write(name, data, private=private)

    def append(self, name: str, data: bytes, at: int) -> None:
        self.spend(lambda: self._refused(name))
        super().append(name, data, at)

    def move(self, name: str, to: str) -> None:
        if self.how == "ro":
            self.spend(lambda: self._refused(name))
        super().move(name, to)

    def delete(self, name: str) -> None:
        if self.bad and self.how == "ro":
            raise self._refused(name)
        self.deleted.append(name)
        super().delete(name)

    def _refused(self, name: str) -> StoreError:
        refused = StoreError("disk-failed", "OSError: the disk says no", where=name)
        refused.errno = errno.ENOSPC if self.how == "full" else errno.EROFS
        return refused


def _full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def _readonly() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY
    return error


class GroundWorld(World):
    """A station on a `Ground`. disk: a `Failing`, or a folder with a real `DiskStore`."""

    def __init__(self, disk: Failing | Path, **config: Any) -> None:
        self.disk = disk
        self.above = MemoryStore()
        self.ground: Ground | None = None
        self.told: list[str] = []
        self.lives: list[int] = []
        self.failures = 0
        self._made = 0
        first: Any = disk if isinstance(disk, MemoryStore) else DiskStore(disk)
        super().__init__(store=first, **config)

    def boot(self) -> Station:
        if self.ground is None:
            save_config(self.store, self.config)
            if isinstance(self.store, DiskStore):
                self.store.close()
            self.ground = self._ground()
        while True:
            self.starts += 1
            drawn = random.Random(self.starts)
            try:
                store = self.ground.start()
                self.store = store  # type: ignore[assignment]
                self.station = Station(
                    self.config, store, self.clock, InlineCourier(self.line), self.speaker,
                    entropy=drawn.randbytes, rng=random.Random(self.starts + 100),
                    storage=int(self.ground.footing),
                )  # fmt: skip
            except (LoaError, sqlite3.Error, UnicodeDecodeError) as error:
                self.ground.failed(error)
                continue
            self.lives.append(int(self.ground.footing))
            self.told.append(self.ground.told)
            return self.station

    def _ground(self) -> Ground:
        def disk() -> Store:
            if isinstance(self.disk, Path):
                return DiskStore(self.disk)
            if self.disk.bad and self.disk.how == "ro":
                raise OSError(errno.EROFS, "Read-only file system")
            return _Lent(self.disk)

        def look() -> Store:
            return DiskStore(self.disk, readonly=True) if isinstance(self.disk, Path) else _Lent(self.disk)

        return Ground(
            disk=disk, look=look, above=lambda: _Lent(self.above), boot=f"boot {self.clock.boots}",
            entropy=random.Random(self.starts + 5_000).randbytes, mono=lambda: self.clock.mono_s,
        )  # fmt: skip

    def run(self, seconds: float, *, step_max_s: float = 1e9) -> None:
        """As the shell's loop: a life that ends is followed by another."""
        assert self.ground is not None
        end_s = self.clock.utc_s + seconds
        for _ in range(200_000):
            try:
                wait_s = min(self.station.tick(), step_max_s)
                left_s = end_s - self.clock.utc_s
                if left_s <= 0:
                    return
                if self.station.is_quiet(60) and self.ground.wants_home():
                    self.station.close()
                    self.ground.close()
                    self.boot()
                    continue
            except (LoaError, sqlite3.Error, UnicodeDecodeError) as error:
                self.failures += 1
                self.speaker.power_cut()
                self.ground.failed(error)
                self.boot()
                continue
            self.clock.pass_s(min(wait_s, left_s))
        raise AssertionError("the station asks to be called without end")

    def cut(self) -> None:
        """The power goes: what lay in memory is gone."""
        assert self.ground is not None
        self.ground.close()
        self.ground = None
        self.above = MemoryStore()
        if isinstance(self.disk, MemoryStore):
            self.disk.crash()
        self.speaker.power_cut()

    def off(self, seconds: float) -> None:
        self.cut()
        self.clock.pass_s(seconds)
        self.clock.reboot()
        self.ground = self._ground()
        self.boot()


class _Lent:
    """A store that another process opens again: closing it closes nothing."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        if name == "close":
            raise AttributeError(name)
        return getattr(self._store, name)
