"""What a station stands on: its disk, or memory while the disk takes no writes; and how it is mended.

A process's life is one `Station` on one store. When the disk fails, that life ends and `failed` says whether
another may begin; `start` gives the next one its store:

    the disk takes a write             the disk; what was lived in memory meanwhile goes home first
    it is full, or read-only           a refuge in memory, begun from what the disk still gives to read
    its database is damaged            the station's own copy takes its place, and takes over from the damaged
                                       one whatever can still be verified; without a copy, an empty database

Whatever the way, the next process writes a log of its own, so no history is ever signed twice. What may have
been played in a life that is lost is in doubt (`presence.py`): it is not begun again.

Bound: three ways to a store are handed in. No clock but a monotonic one; no loop: that is `shell.py`.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from ledger.facts import Facts, audience_of
from ledger.log import Ledger, LoaError, Store, StoreError, VerifyKey, image_of, opened, pour, taken
from node.config import load_config, load_key
from node.disk.carry import Carried, carry_over
from node.disk.keeper import KEYS, check_file, kept
from node.disk.refuge import (
    DB_NAME,
    ORIGIN,
    Refuge,
    begin,
    clear,
    fingerprint,
    is_begun,
    mark_doubtful,
    origin_of,
)
from node.plays import prepare
from node.presence import ALIVE

logger = logging.getLogger("loa.node")

PROBE: Final = "probe"
PROBE_BYTES: Final = 65_536  # a commit and its checkpoint need more than one block
FLOOR_BYTES: Final = 1024 * 1024  # with less than that, a disk counts as full
HOME_EVERY_S: Final = 60.0  # how often a disk is asked whether it takes a write again
IN_A_ROW_S: Final = 120.0  # a second failure within this, and the disk is left alone for a while
AWAY_S: Final = 600.0
DAMAGED: Final = "damaged/ledger.db"
RESTORED: Final = "restored.db"
_BESIDE: Final = ("-wal", "-shm")

# Errors after which another life may help; anything else is not the disk's doing.
_OF_THE_DISK: Final = frozenset(
    {
        "db-failed", "store-stopped", "disk-failed", "db-open", "db-damaged", "segment-damaged", "no-wal",
        "transaction-doomed",
    }
)  # fmt: skip
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Footing(IntEnum):
    """What a station stands on now."""

    DISK = 0
    FULL = 1  # in memory: the disk has no room
    BROKEN = 2  # in memory: the disk cannot be written


class Ground:
    """disk: opens the folder to write, and owns it. look: opens it to read. above: a folder in memory.

    boot: names this life of the machine; "" when it cannot be told. Each of the three makes a new store.
    """

    def __init__(
        self, *, disk: Callable[[], Store], look: Callable[[], Store], above: Callable[[], Store], boot: str,
        entropy: Callable[[int], bytes], mono: Callable[[], float],
    ) -> None:  # fmt: skip
        self._disk, self._look, self._above = disk, look, above
        self._boot = boot
        self._entropy = entropy
        self._mono = mono
        self._open: list[Store] = []
        self._half: Store | None = None  # a full disk that we own
        self._damaged = False
        self._failed_s = float("-inf")
        self._away_until_s = float("-inf")
        self._asked_s = float("-inf")
        self.footing = Footing.DISK
        self.told = ""
        """What a person should know of how this life began; "" when there is nothing to say."""

    # -- the lives -------------------------------------------------------------------------------------------

    def start(self) -> Store:
        """The store for the next life. Raises StoreError when there is none, OSError never."""
        self.close()
        self.told = ""
        disk, self.footing = self._writable()
        if disk is None:
            return self._refuge()
        try:
            _finish_restoring(disk)
            if self._damaged:
                self._mend(disk)
            self._come_home(disk)
        except (StoreError, sqlite3.Error, UnicodeDecodeError) as error:
            if isinstance(error, StoreError) and error.code in ("not-enrolled", "image-size"):
                raise
            logger.warning("the disk takes no more than a look: %s", error)
            self.close()
            self.footing = Footing.FULL if _is_full(error) else Footing.BROKEN
            return self._refuge()
        return disk

    def failed(self, error: Exception) -> None:
        """A life ended by this error. Raises it when another would not help, or the disk is not to blame."""
        if isinstance(error, StoreError):
            if error.code not in _OF_THE_DISK:
                raise error
        elif not isinstance(error, sqlite3.Error | UnicodeDecodeError):
            raise error
        now_s = self._mono()
        logger.error("this life ends: %s", error)
        self._damaged = self._damaged or _is_damage(error)
        if now_s - self._failed_s < IN_A_ROW_S:
            if self.footing is not Footing.DISK:
                raise error  # not even memory helps
            self._away_until_s = now_s + AWAY_S
        self._failed_s = now_s
        self.close()

    def wants_home(self) -> bool:
        """True when the station lives in memory and its disk takes writes again; asked each minute."""
        now_s = self._mono()
        if self.footing is Footing.DISK or now_s - self._asked_s < HOME_EVERY_S:
            return False
        self._asked_s = now_s
        if now_s < self._away_until_s:
            return False
        if self._half is not None:  # the full disk, which is ours already
            return _refusal(self._half) is None and self._half.free_bytes() >= FLOOR_BYTES
        held, self._open = self._open, []
        disk, _ = self._writable()
        self.close()
        self._open = held
        return disk is not None

    def close(self) -> None:
        """Gives every store free. Safe to call twice."""
        for store in self._open:
            getattr(store, "close", lambda: None)()
        self._open.clear()
        self._half = None

    # -- the disk --------------------------------------------------------------------------------------------

    def _writable(self) -> tuple[Store | None, Footing]:
        """The disk, when it takes a write; and what it is otherwise."""
        if self._mono() < self._away_until_s:
            return None, Footing.BROKEN
        try:
            disk = self._disk()
        except OSError as error:
            return None, Footing.FULL if error.errno in _FULL else Footing.BROKEN
        self._open.append(disk)
        refused = _refusal(disk)
        if refused is None and disk.free_bytes() >= FLOOR_BYTES:
            return disk, Footing.DISK
        self.close()
        return None, Footing.FULL if refused is None or refused.errno in _FULL else Footing.BROKEN

    def _come_home(self, disk: Store) -> None:
        """What was lived in memory is put on the disk; a refuge of another time gives only what is new."""
        above = self._above_or_none()
        if above is None or not is_begun(above):
            return
        untouched = origin_of(above) == fingerprint(image_of(disk, DB_NAME))
        db = disk.open_db(DB_NAME)
        if untouched:
            pour(above.open_db(DB_NAME), db)
            done = Carried()
        else:
            done = self._carry(above.open_db(DB_NAME), disk, db)
        for name in above.names(""):
            if name not in (DB_NAME, ORIGIN) and not name.startswith("partial/"):
                disk.write(name, above.read(name) or b"", private=name == KEYS[0][0])
        clear(above)
        self.told = "what was kept in memory is on the disk"
        logger.warning("%s (%d reports carried over)", self.told, done.events)

    # -- memory ----------------------------------------------------------------------------------------------

    def _refuge(self) -> Refuge:
        """Raises StoreError when there is nothing to begin from, or no memory to begin in."""
        above = self._above_or_none()
        if above is None:
            raise StoreError("no-refuge", "the disk cannot be written and there is no memory to go on in")
        base = self._base()
        try:
            image = None if self._damaged else image_of(base, DB_NAME)
            if image is not None:
                check_file(opened(image))
        except StoreError as error:
            if error.code == "image-size":
                raise
            self._damaged, image = True, None
        if is_begun(above):
            if self._damaged or origin_of(above) == fingerprint(image):
                return Refuge(base, above)
        elif self._damaged:
            image = _good(kept(base))
        refuge = begin(base, above, "" if self._damaged else self._boot, image)
        why = "has no room" if self.footing is Footing.FULL else "cannot be written"
        self.told = f"the disk {why}: the station goes on in memory"
        logger.warning("%s", self.told)
        return refuge

    def _base(self) -> Store:
        """The disk to read and, when it is only full, to delete from."""
        if self.footing is Footing.FULL:
            try:
                disk = self._disk()
            except (OSError, StoreError):
                pass
            else:
                self._open.append(disk)
                self._half = disk
                return disk
        look = self._look()
        self._open.append(look)
        return look

    def _above_or_none(self) -> Store | None:
        try:
            above = self._above()
        except (OSError, StoreError) as error:
            logger.warning("no memory to go on in: %s", error)
            return None
        self._open.append(above)
        return above

    # -- damage ----------------------------------------------------------------------------------------------

    def _mend(self, disk: Store) -> None:
        """Puts the copy in the place of the damaged database, with what the damaged one still proves."""
        done = restore(disk, entropy=self._entropy)
        self._damaged = False
        self.told = f"the database was damaged and is restored: {done}"
        logger.warning("%s", self.told)

    def _carry(self, source: sqlite3.Connection, disk: Store, db: sqlite3.Connection) -> Carried:
        ledger = ledger_of(disk, db, self._entropy)
        with ledger.transaction():
            return carry_over(source, ledger, load_key(disk), volume=load_config(disk).volume)


def ledger_of(store: Store, db: sqlite3.Connection, entropy: Callable[[int], bytes]) -> Ledger:
    """The ledger of a station that does not run, on a database that may be new. StoreError."""
    config, key = load_config(store), load_key(store)
    roots = [VerifyKey(root) for root in config.roots]
    facts = Facts(roots)
    ledger = Ledger(
        db, entropy=entropy, now=lambda: _alive_s(ledger), audience_of=audience_of, on_admit=facts.admit,
        on_rollback=lambda: _again(facts, ledger),
    )  # fmt: skip
    for trusted in (*roots, VerifyKey(config.hub_key), key.verify_key):
        ledger.trust(trusted)
    prepare(ledger)
    facts.load(ledger)
    return ledger


def _refusal(disk: Store) -> StoreError | None:
    """What this disk says to a write; None when it takes it."""
    try:
        disk.write(PROBE, bytes(PROBE_BYTES))
        disk.delete(PROBE)
    except StoreError as error:
        return error
    return None


def restore(disk: Store, *, entropy: Callable[[int], bytes]) -> str:
    """Replaces the database by the station's copy, or an empty one; what was there lies in `damaged/`.

    Everything is put together in memory and becomes the database by one rename. Returns what was done, in
    words. Raises StoreError.
    """
    restore_keys(disk)
    key, volume = load_key(disk), load_config(disk).volume
    copy_ = _good(kept(disk))
    target = opened(copy_ or b"")
    left = _left_behind(disk)
    ledger = ledger_of(disk, target, entropy)
    with ledger.transaction():
        mark_doubtful(target)
        done = Carried() if left is None else carry_over(left, ledger, key, volume=volume)
    if left is not None:
        left.close()
    disk.write(RESTORED, taken(target))
    target.close()
    if disk.size(DB_NAME) is not None:
        disk.move(DB_NAME, DAMAGED)
    _finish_restoring(disk)
    began = "from its own copy" if copy_ is not None else "anew, for there was no good copy"
    return (
        f"{began}; {done.segments} segments, {done.events} reports and {done.plays} slots taken over from "
        "what was damaged"
    )


def restore_keys(disk: Store) -> list[str]:
    """Puts copies of the key and the settings in the place of those that cannot be read; their names."""
    mended = []
    for name, copy in KEYS:
        if _unreadable(disk, name) and (data := disk.read(copy)) is not None:
            disk.write(name, data, private=True)
            mended.append(name)
    return mended


def _finish_restoring(disk: Store) -> None:
    """A power cut may have come between putting the old away and the new in its place."""
    if disk.size(RESTORED) is None:
        return
    if disk.size(DB_NAME) is not None:
        disk.delete(RESTORED)
        return
    for end in _BESIDE:
        disk.delete(DB_NAME + end)
    disk.move(RESTORED, DB_NAME)


def _left_behind(disk: Store) -> sqlite3.Connection | None:
    try:
        image = image_of(disk, DB_NAME)
        return None if image is None else opened(image)
    except StoreError:
        return None


def _good(image: bytes | None) -> bytes | None:
    """This copy, when it passes every check of a file."""
    if image is None:
        return None
    try:
        db = opened(image)
        check_file(db)
        db.close()
    except StoreError:
        return None
    return image


def _unreadable(store: Store, name: str) -> bool:
    try:
        (load_key if name == KEYS[0][0] else load_config)(store)
    except LoaError:
        return True
    return False


def _again(facts: Facts, ledger: Ledger) -> None:
    facts.load(ledger)


def _alive_s(ledger: Ledger) -> int:
    value = ledger.get(ALIVE, 0)
    return value if isinstance(value, int) else 0


def _is_full(error: Exception) -> bool:
    cause = error.__cause__ if isinstance(error, StoreError) else error
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) in _FULL


def _is_damage(error: Exception) -> bool:
    if isinstance(error, StoreError) and error.code in ("db-damaged", "segment-damaged"):
        return True
    cause = error.__cause__ if isinstance(error, StoreError) else error
    if isinstance(cause, UnicodeDecodeError):
        return True  # text that nobody wrote
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
