"""Bundles as files on a stick: found, read again as often as needed, and written whole or not at all.

A stick is a `Store`, as every disk is. Its file names are a convenience for people: whatever ends in `.loa`
is looked at, and what it is shows in its frames. A stick may be pulled out at any moment: reading then ends
in `stick-lost`, writing leaves a `.half` file that nobody reads.

Bound: files, free space, and what lies where. Frames are `bundle`, what they mean `errands`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

from ledger.log.bundle import HEAD_BYTES, PIECE_HEAD_BYTES, Damage, Frame, Kind, Scan, read_piece
from ledger.log.disk import DiskStore, Store
from ledger.log.errors import ProtocolError, StoreError

SUFFIX: Final = ".loa"
HALF: Final = ".half"
FILES_MAX: Final = 64  # bundles looked at on one stick
FILE_BYTES_MAX: Final = 4 << 30  # what FAT32 holds; nothing larger was written by us
SPARE_BYTES: Final = 1 << 20  # stays free on a stick: its own tables grow too
WRITE_BYTES: Final = 1 << 20  # written and synced at once
MESSAGES_MAX: Final = 1024  # different requests on one stick; the same for replies and lists of what is held
MESSAGE_BYTES_MAX: Final = 32 << 20  # of all of them together: they are kept in memory
SEGMENTS_MAX: Final = 1 << 18  # on one stick
PIECES_MAX: Final = 1 << 17  # of content, on one stick: 8 GiB
COPIES_MAX: Final = 4  # of one piece: more are a waste, or somebody's trick

_T = TypeVar("_T")
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


class StickFile:
    """One file of a stick as a `bundle.Source`."""

    def __init__(self, store: Store, name: str) -> None:
        self.name = name
        self._store = store
        self._size = min(_asked(lambda: store.size(name)) or 0, FILE_BYTES_MAX)

    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Raises StoreError("stick-lost") when the stick is gone."""
        return _asked(lambda: self._store.read_at(self.name, offset, length))


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes lie on a stick."""

    file: StickFile
    at: int
    length: int

    def read(self) -> bytes:
        return self.file.read(self.at, self.length)


@dataclass
class Cargo:
    """What lies on a stick, none of it believed. left_out: undamaged frames beyond the limits.

    damages: (file, what was stepped over). cut: files in which a bundle is not complete. segments: SHA-256 →
    place, in order. pieces: (content, offset) → places.
    """

    files: int = 0
    requests: list[bytes] = field(default_factory=list)
    replies: list[bytes] = field(default_factory=list)
    held: list[bytes] = field(default_factory=list)
    segments: dict[bytes, Place] = field(default_factory=dict)
    pieces: dict[tuple[bytes, int], list[Place]] = field(default_factory=dict)
    damages: list[tuple[str, Damage]] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    left_out: int = 0
    _message_bytes: int = 0

    def segment(self, sha: bytes) -> bytes | None:
        """The segment of this SHA-256, read again; None when it is not here, or not any more."""
        place = self.segments.get(sha)
        raw = None if place is None else place.read()
        return raw if raw is not None and sha256(raw).digest() == sha else None

    def take(self, file: StickFile, found: Frame) -> None:
        """Notes where a frame lies; messages are kept."""
        messages = {Kind.REQUEST: self.requests, Kind.REPLY: self.replies, Kind.HELD: self.held}.get(
            Kind(found.kind)
        )
        if messages is not None:
            self._keep(messages, found.body)
        elif found.kind == Kind.SEGMENT:
            if len(self.segments) < SEGMENTS_MAX:
                place = Place(file, found.at, len(found.body))
                self.segments.setdefault(sha256(found.body).digest(), place)
            else:
                self.left_out += 1
        elif found.kind == Kind.PIECE:
            self._note_piece(file, found)

    def _keep(self, messages: list[bytes], body: bytes) -> None:
        if body in messages:
            return
        if len(messages) >= MESSAGES_MAX or self._message_bytes + len(body) > MESSAGE_BYTES_MAX:
            self.left_out += 1
            return
        messages.append(body)
        self._message_bytes += len(body)

    def _note_piece(self, file: StickFile, found: Frame) -> None:
        try:
            sha, offset = read_piece(found.body)
        except ProtocolError:
            self.left_out += 1
            return
        places = self.pieces.get((sha, offset))
        if places is None and len(self.pieces) < PIECES_MAX:
            places = self.pieces[sha, offset] = []
        if places is None or len(places) >= COPIES_MAX:
            self.left_out += 1
            return
        places.append(Place(file, found.at + PIECE_HEAD_BYTES, len(found.body) - PIECE_HEAD_BYTES))


def look(store: Store, only: str | None = None) -> Cargo:
    """Everything on a stick, or in one file of it. Changes nothing.

    Raises StoreError: `stick-empty` when there is no bundle, `stick-files`, `stick-lost`.
    """
    names = [only] if only is not None else _asked(lambda: store.names(""))
    names = [name for name in names if name == only or (name.endswith(SUFFIX) and "/" not in name)]
    if not names or (only is not None and _asked(lambda: store.size(only)) is None):
        raise StoreError(
            "stick-empty", f"no bundle here{f' named {only}' if only else ''}",
            hint="give the folder on the stick that holds the .loa files, or one of these files",
        )  # fmt: skip
    if len(names) > FILES_MAX:
        raise StoreError(
            "stick-files", f"{len(names)} bundles here, at most {FILES_MAX}", hint="name one of them"
        )
    cargo = Cargo(files=len(names))
    for name in names:
        file = StickFile(store, name)
        scan = Scan(file)
        for found in scan.frames():
            cargo.take(file, found)
        cargo.damages += [(name, damage) for damage in scan.damages]
        if not scan.whole:
            cargo.cut.append(name)
    return cargo


def write(store: Store, name: str, frames: Iterable[bytes], bytes_needed: int) -> int:
    """Writes a bundle whole, in place of an older one of this name; returns its bytes. Durable on return.

    bytes_needed: an upper bound. Raises StoreError("stick-full") before anything is written.
    """
    free = _asked(store.free_bytes)
    if bytes_needed + SPARE_BYTES > free:
        raise StoreError(
            "stick-full", f"{bytes_needed} bytes are needed, {free} are free",
            hint="delete what is not needed from the stick, take a larger one, or fewer days or stations",
        )  # fmt: skip
    half = name + HALF
    size, waiting = 0, bytearray()
    for framed in frames:
        waiting += framed
        if len(waiting) >= WRITE_BYTES:
            size = _append(store, half, bytes(waiting), size)
            waiting.clear()
    size = _append(store, half, bytes(waiting), size)
    _asked(lambda: store.move(half, name))
    return size


def split_path(path: Path, is_folder: bool) -> tuple[Path, str | None]:
    """(folder on the stick, name of the one file or None) of what a person typed.

    Raises StoreError("stick-name").
    """
    if is_folder or not path.name.endswith(SUFFIX):
        return path, None
    if not _NAME.fullmatch(path.name):
        raise StoreError(
            "stick-name", f"{path.name!r}: a bundle's name has letters, digits, dots, - and _",
            hint="name the folder it lies in",
        )  # fmt: skip
    return path.parent, path.name


def open_stick(root: Path, *, readonly: bool) -> DiskStore:
    """The folder on a stick as a store. Raises StoreError: `stick-lost`, `store-busy`, `no-store`."""
    return _asked(lambda: DiskStore(root, readonly=readonly, anyones=True))


def framed_bytes(body_bytes: int, count: int = 1) -> int:
    """What `count` frames with so many bytes of bodies take."""
    return body_bytes + count * HEAD_BYTES


def _append(store: Store, name: str, data: bytes, at: int) -> int:
    _asked(lambda: store.append(name, data, at))
    return at + len(data)


def _asked(act: Callable[[], _T]) -> _T:
    try:
        return act()
    except OSError as error:
        raise StoreError(
            "stick-lost", f"the stick failed: {error}", hint="put it in again and repeat; nothing is lost"
        ) from error
