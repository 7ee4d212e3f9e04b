"""Files on their way in: received piece by piece, kept until a form takes them, thrown away when none does.

Over 256 kbit/s a recording of an hour takes a quarter of an hour, and lines break. So a file comes in pieces;
each is on the disk before it is answered, and whoever was cut off asks how far he got and goes on from there,
also after the hub was restarted. A file that came whole with its form goes the same way, so that a form that
is refused for another reason need not send it again.

Nothing of this is a decision: a file counts when a form saves it into a signed version. Until then it belongs
to one officer, and goes when nobody touched it for a day.

Bound: bytes in, bytes out, and how many. What a file must be is asked by `hub.web.handing`.
"""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from typing import Final

from ledger.log import NotAllowed, Store

FOLDER: Final = "intake"
ID_BYTES: Final = 12
PIECE_BYTES_MAX: Final = 512 << 10  # one request; a page sends less
FILES_MAX: Final = 24  # of one officer at a time: a bulletin in several languages, and one half-finished
LIFE_S: Final = 86_400  # since the last piece
SWEEP_EVERY_S: Final = 600
FREE_BYTES_MIN: Final = 256 << 20  # the ledger's room on the disk comes first
NAME_CHARS_MAX: Final = 120
MARK_CHARS_MAX: Final = 200
_ID: Final = re.compile(r"[0-9a-f]{24}", re.ASCII)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS intake (
  id TEXT PRIMARY KEY, account TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, mark TEXT NOT NULL,
  size INTEGER NOT NULL, got INTEGER NOT NULL, media_type TEXT NOT NULL, duration_ms INTEGER NOT NULL,
  gain_db REAL, at INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True)
class Parcel:
    """One file. mark: how its sender knows it again. got: bytes here of `size`. media_type: "" until it was
    looked at and found good; then size and got are those of what will be stored. gain_db: by how much its
    sound was changed; None when nobody could.
    """

    id: str
    account: str
    kind: str
    name: str
    mark: str
    size: int
    got: int
    media_type: str
    duration_ms: int
    gain_db: float | None
    at: int

    @property
    def is_ready(self) -> bool:
        return bool(self.media_type)


class Intake:
    """db: autocommit connection to writing.db. room_bytes: what one officer may have lying here together."""

    def __init__(
        self, db: sqlite3.Connection, store: Store, *, entropy: Callable[[int], bytes], room_bytes: int
    ) -> None:
        db.execute(_SCHEMA)
        self._db: Final = db
        self._store: Final = store
        self._entropy: Final = entropy
        self._room_bytes: Final = room_bytes
        self._lock: Final = RLock()
        self._swept_at: int | None = None

    # -- coming in -------------------------------------------------------------------------------------------

    def begin(
        self, account: str, kind: str, name: str, size: int, mark: str, *, bytes_max: int, now: int
    ) -> Parcel:
        """A file announced; the one already begun when it is the same (kind, mark, size).

        NotAllowed: upload-empty, upload-large, upload-room (this officer's or the disk's), upload-many.
        """
        with self._lock:
            self.sweep(now)
            known = self._of(account)
            for one in known:
                if mark and not one.is_ready and (one.kind, one.mark, one.size) == (kind, mark, size):
                    return one
            if size <= 0:
                raise _no("empty", "the file is empty", "choose another")
            if size > bytes_max:
                raise _no("large", f"the file has {size} bytes", f"at most {bytes_max}")
            if len(known) >= FILES_MAX:
                raise _no("many", f"{len(known)} files wait already", "save or close the other forms")
            lying = sum(max(one.size, one.got) for one in known)
            if lying + size > self._room_bytes or self._store.free_bytes() < size + FREE_BYTES_MIN:
                raise _no("room", f"{lying} bytes lie here already", "save or close the other forms")
            made = Parcel(
                self._entropy(ID_BYTES).hex(), account, kind, name[:NAME_CHARS_MAX], mark[:MARK_CHARS_MAX],
                size, 0, "", 0, None, now,
            )  # fmt: skip
            self._db.execute(
                "INSERT INTO intake VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", list(vars(made).values())
            )
            return made

    def add(self, account: str, id_: str, offset: int, data: bytes, *, now: int) -> Parcel:
        """The next piece. One that does not begin where the last one ended changes nothing: the answer says
        how far it is. NotAllowed: upload-unknown, upload-piece.
        """
        if not 0 < len(data) <= PIECE_BYTES_MAX:
            raise _no("piece", f"a piece of {len(data)} bytes", f"1 to {PIECE_BYTES_MAX}")
        with self._lock:
            found = self.find(account, id_)
            if found.is_ready or offset != found.got or found.got + len(data) > found.size:
                return found
            self._store.append(_file(id_), data, found.got)
            self._db.execute(
                "UPDATE intake SET got = ?, at = ? WHERE id = ?", [found.got + len(data), now, id_]
            )
            return self.find(account, id_)

    def whole(self, account: str, id_: str, crc: int | None = None) -> bytes:
        """All of a file that has arrived. crc: CRC-32 as its sender counted it.

        NotAllowed: upload-unknown, upload-short; upload-mixed when it is not what was sent: it is dropped.
        """
        with self._lock:
            found = self.find(account, id_)
            if found.got < found.size:
                raise _no("short", f"{found.got} of {found.size} bytes are here", "send the rest")
            data = self._store.read(_file(id_)) or b""
            if len(data) != found.got or (crc is not None and zlib.crc32(data) != crc):
                self.drop(account, id_)
                raise _no("mixed", "what arrived is not what was sent", "send it again from its beginning")
            return data

    def settle(
        self, account: str, id_: str, data: bytes, media_type: str, *, duration_ms: int = 0,
        gain_db: float | None = None, now: int,
    ) -> Parcel:  # fmt: skip
        """The file as it will be stored, in place of what was sent; it is ready then."""
        with self._lock:
            self.find(account, id_)
            self._store.write(_file(id_), data)
            self._db.execute(
                "UPDATE intake SET size = ?1, got = ?1, media_type = ?2, duration_ms = ?3, gain_db = ?4, "
                "at = ?5 WHERE id = ?6",
                [len(data), media_type, duration_ms, gain_db, now, id_],
            )
            return self.find(account, id_)

    # -- being taken -----------------------------------------------------------------------------------------

    def find(self, account: str, id_: str) -> Parcel:
        """NotAllowed("upload-unknown"): never begun, thrown away, or somebody else's."""
        if _ID.fullmatch(id_):
            with self._lock:
                row = self._db.execute(
                    "SELECT * FROM intake WHERE id = ? AND account = ?", [id_, account]
                ).fetchone()
            if row is not None:
                return Parcel(*row)
        raise _no("unknown", "no such file waits here", "choose the file again")

    def read(self, account: str, id_: str) -> tuple[Parcel, bytes]:
        """A ready file and its bytes. NotAllowed: upload-unknown, upload-short."""
        with self._lock:
            found = self.find(account, id_)
            if not found.is_ready:
                raise _no("short", "the file is not all here yet", "wait until it is")
            data = self._store.read(_file(id_))
        if data is None or len(data) != found.size:
            raise _no("unknown", "the file was lost", "choose the file again")
        return found, data

    def drop(self, account: str, id_: str) -> None:
        """Throws one away; nothing happens when it is not there."""
        with self._lock:
            gone = self._db.execute("DELETE FROM intake WHERE id = ? AND account = ?", [id_, account])
            if gone.rowcount:
                self._store.delete(_file(id_))

    def sweep(self, now: int) -> int:
        """Throws away what nobody touched for a day, and files that no row names; returns how many. Looks at
        most every ten minutes.
        """
        with self._lock:
            if self._swept_at is not None and 0 <= now - self._swept_at < SWEEP_EVERY_S:
                return 0
            self._swept_at = now
            self._db.execute("DELETE FROM intake WHERE at < ?", [now - LIFE_S])
            known = {_file(str(row[0])) for row in self._db.execute("SELECT id FROM intake")}
            left = [name for name in self._store.names(FOLDER + "/") if name not in known]
            for name in left:
                self._store.delete(name)
            return len(left)

    def _of(self, account: str) -> list[Parcel]:
        return [
            Parcel(*row)
            for row in self._db.execute("SELECT * FROM intake WHERE account = ? ORDER BY at, id", [account])
        ]


def _file(id_: str) -> str:
    return f"{FOLDER}/{id_}"


def _no(why: str, told: str, hint: str) -> NotAllowed:
    return NotAllowed(f"upload-{why}", told, where="file", hint=hint)
