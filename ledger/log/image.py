"""A whole database as bytes: taken from files that may only be read, opened in memory, put into another.

A card that turned read-only holds its newest commits in the write-ahead log, and SQLite cannot open that pair
where it may write neither of them nor the index beside them. `merged` does by itself what opening would do:
it puts the committed frames of the log into the file, checked frame by frame as SQLite checks them, up to the
last commit whose bytes are whole. What was torn behind it was never acknowledged.

`taken` and `pour` move a database between connections; `pour` is one transaction at its destination, so that
it happens wholly or not at all.

Bound: bytes and pages. Whether what lies in them is right is the audit's business.
"""

from __future__ import annotations

import sqlite3
import struct
from typing import Final

from ledger.log.disk import Store, connect
from ledger.log.errors import StoreError

IMAGE_BYTES_MAX: Final = 64 * 1024 * 1024  # a station's database after many years; it must fit into memory
_MAGIC: Final = b"SQLite format 3\0"
_WAL_MAGICS: Final = {0x377F0682: "<", 0x377F0683: ">"}  # whose words the checksums add up
_WAL_HEAD: Final = 32
_FRAME_HEAD: Final = 24
_ROLLBACK_MODE: Final = b"\x01\x01"  # bytes 18 and 19: a database in memory has no write-ahead log


def image_of(store: Store, name: str) -> bytes | None:
    """The database of this name as its last commit left it, from its two files; None when there is none.

    Nobody may write to it meanwhile. Raises StoreError("image-size") when it is too large for memory.
    """
    size = store.size(name)
    if size is None:
        # A disk in memory keeps its databases open, not in files.
        return taken(store.open_db(name)) if name in store.names(name) else None
    # The log beside it is no file of the store's own names: it is read, never written.
    log_size = store.size(f"{name}-wal") or 0
    if size + log_size > IMAGE_BYTES_MAX:
        raise StoreError("image-size", f"{name} has {size + log_size} bytes, too many for memory")
    data = store.read(name) or b""
    return merged(data, (store.read(f"{name}-wal") or b"") if log_size else b"")


def merged(data: bytes, wal: bytes) -> bytes:
    """The file with the committed frames of its write-ahead log in it."""
    head = wal[:_WAL_HEAD]
    order = _WAL_MAGICS.get(int.from_bytes(head[:4], "big")) if len(head) == _WAL_HEAD else None
    if order is None:
        return data
    _, _, page, _, salts, *sums = struct.unpack(">IIII8sII", head)
    if page < 512 or page > 65_536 or page & (page - 1):
        return data
    state = _add((0, 0), head[:24], order)
    if state != tuple(sums):
        return data
    found, waiting, pages = bytearray(data), {}, 0
    for at in range(_WAL_HEAD, len(wal) - _FRAME_HEAD - page + 1, _FRAME_HEAD + page):
        frame = wal[at : at + _FRAME_HEAD]
        number, total, frame_salts, *frame_sums = struct.unpack(">II8sII", frame)
        body = wal[at + _FRAME_HEAD : at + _FRAME_HEAD + page]
        state = _add(_add(state, frame[:8], order), body, order)
        if frame_salts != salts or state != tuple(frame_sums) or not number:
            break
        waiting[number] = body
        if total:  # a commit: the database has so many pages now
            for one, bytes_ in waiting.items():
                end = one * page
                if len(found) < end:
                    found.extend(bytes(end - len(found)))
                found[end - page : end] = bytes_
            waiting.clear()
            pages = total
    return bytes(found[: pages * page]) if pages else data


def _add(state: tuple[int, int], data: bytes, order: str) -> tuple[int, int]:
    """SQLite's running checksum over pairs of 32-bit words."""
    one, two = state
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


def opened(image: bytes) -> sqlite3.Connection:
    """A database in memory with this content. Raises StoreError("db-damaged") for what is no database."""
    if image and not image.startswith(_MAGIC):
        raise StoreError("db-damaged", "these bytes are no database")
    db = connect(":memory:")
    if image:
        try:
            db.deserialize(image[:18] + _ROLLBACK_MODE + image[20:])
            db.execute("PRAGMA schema_version").fetchone()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            db.close()
            raise StoreError("db-damaged", f"these bytes are no database: {error}") from error
    return db


def taken(db: sqlite3.Connection) -> bytes:
    """The content of an open database at this moment. Raises StoreError("image-size"), ("db-failed")."""
    try:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        size = pages * db.execute("PRAGMA page_size").fetchone()[0]
        if size > IMAGE_BYTES_MAX:
            raise StoreError("image-size", f"the database has {size} bytes, too many for memory")
        return db.serialize() if pages else b""
    except sqlite3.Error as error:
        raise StoreError("db-failed", f"the database cannot be read: {error}") from error


def pour(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Make `target` what `source` is, in one transaction; else it is as before. StoreError("db-failed")."""
    try:
        source.backup(target)
    except sqlite3.Error as error:
        raise StoreError("db-failed", f"the database could not be put in its place: {error}") from error
