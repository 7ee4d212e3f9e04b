"""What a process did to its files, and every disk that a power cut could have left of it.

The model is that of a card that keeps its promises and nothing more. What was synced is there. Of what was
written since, any sectors may be there and any not, also parts of one write; a name that was made, moved or
taken away counts when its folder was synced, and before that the changes of a folder happened up to some
point. `images` gives, for a cut before each operation, the disk with nothing of what hung, with all of it,
and with a part drawn by chance.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

SECTOR = 512


@dataclass(frozen=True)
class Op:
    """kind: W rite, T runcate, S ync, D irectory synced, R ename, U nlink, C reate."""

    kind: str
    path: str
    at: int
    data: bytes


def read_trace(trace: Path, root: str) -> list[Op]:
    """Operations on files below root, paths relative to it."""
    data, found, at = trace.read_bytes(), [], 0
    while at < len(data):
        kind, length = chr(data[at]), struct.unpack_from("<H", data, at + 1)[0]
        path = data[at + 3 : at + 3 + length].decode()
        at += 3 + length
        offset, size = struct.unpack_from("<QI", data, at)
        body = data[at + 12 : at + 12 + size]
        at += 12 + size
        if kind == "R":
            body = body.decode().removeprefix(root).lstrip("/").encode()
        found.append(Op(kind, path.removeprefix(root).lstrip("/"), offset, body))
    return found


@dataclass
class File:
    durable: bytes = b""
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)

    def now(self) -> bytes:
        return self.with_(self.pending)

    def with_(self, writes: list[tuple[str, int, bytes]]) -> bytes:
        data = bytearray(self.durable)
        for kind, at, body in writes:
            if kind == "T":
                del data[at:]
                data.extend(bytes(at - len(data)))
            else:
                data.extend(bytes(max(0, at - len(data))))
                data[at : at + len(body)] = body
        return bytes(data)

    def torn(self, dice: random.Random) -> bytes:
        """Some sectors of what hangs, in any order; sizes as a file system keeps them, in order."""
        kept: list[tuple[str, int, bytes]] = []
        for kind, at, body in self.pending:
            if kind == "T":
                if dice.random() < 0.5:
                    kept.append((kind, at, body))
                continue
            for start in range(0, len(body), SECTOR):
                if dice.random() < 0.5:
                    kept.append((kind, at + start, body[start : start + SECTOR]))
        return self.with_(kept)


class Disk:
    """Files by name as of now, and as a folder's last sync left them."""

    def __init__(self) -> None:
        self.names: dict[str, File] = {}
        self.durable: dict[str, File] = {}
        self.hanging: dict[str, list[dict[str, File | None]]] = {}

    def apply(self, op: Op) -> None:
        if op.kind == "D":
            folder = op.path
            kept = {name: file for name, file in self.durable.items() if _folder(name) != folder}
            kept |= {name: file for name, file in self.names.items() if _folder(name) == folder}
            self.durable = kept
            self.hanging.pop(folder, None)
        elif op.kind == "C":
            self._change({op.path: self.names.setdefault(op.path, File())})
        elif op.kind == "U":
            self._change({op.path: None})
        elif op.kind == "R":
            to = op.data.decode()
            self._change({op.path: None, to: self.names[op.path]})
        elif op.kind == "S":
            file = self.names.setdefault(op.path, File())
            file.durable, file.pending = file.now(), []
        else:
            self.names.setdefault(op.path, File()).pending.append((op.kind, op.at, op.data))

    def _change(self, change: dict[str, File | None]) -> None:
        _put(self.names, change)
        for folder in {_folder(name) for name in change}:
            self.hanging.setdefault(folder, []).append(
                {name: file for name, file in change.items() if _folder(name) == folder}
            )

    def image(self, how: str, dice: random.Random) -> dict[str, bytes]:
        """how: "none" of what hangs, "all" of it, or "some"."""
        if how == "all":
            return {name: file.now() for name, file in self.names.items()}
        names = dict(self.durable)
        if how == "some":
            for changes in self.hanging.values():
                for change in changes[: dice.randint(0, len(changes))]:
                    _put(names, change)
        return {name: file.durable if how == "none" else file.torn(dice) for name, file in names.items()}


def images(ops: list[Op], seed: int, every: int = 1) -> Iterator[tuple[int, str, dict[str, bytes]]]:
    """(operations done, how, files) for a cut before every so-manieth operation."""
    disk, dice = Disk(), random.Random(seed)
    for number, op in enumerate(ops):
        if number % every == seed % every:
            for how in ("none", "all", "some"):
                yield number, how, disk.image(how, dice)
        disk.apply(op)


def _folder(name: str) -> str:
    parent = PurePosixPath(name).parent.as_posix()
    return "" if parent == "." else parent


def _put(names: dict[str, File], change: dict[str, File | None]) -> None:
    for name, file in change.items():
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file
