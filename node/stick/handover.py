"""Carrying a stick's bundle to the desk of a station, running or not, and the answer back.

`Alone` owns the store because the station stands still, and does everything itself. `Beside` copies to and
from the desk of a running one (`desk`), and waits for its answer. Both do the same four things, so a person
types the same command either way.

Bound: this end; no words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from ledger.log import DiskStore, LoaError, NotAllowed, Store, StoreError, stick
from node.room import RESERVE_BYTES
from node.stick.desk import BACK, FOLDER, IN, OUT, REQUEST, plain_question, read_answer
from node.stick.usb import FILE_END, Visit
from node.stick.vouch import Word

ASK_EVERY_S: Final = 0.2
# Without any sign of life for so long nobody is there: a station looks every two seconds, and answers while
# it works. Generous, because the sync of a worn card may take seconds.
PATIENCE_S: Final = 60.0
COPY_BYTES: Final = 1 << 20


class Counter(Protocol):
    """Where a stick is handed in. Reports are plain values, as JSON has them. All raise StoreError."""

    def put_out(self, path: Path) -> dict[str, Any]:
        """Writes reports and a request onto the stick: {"name", "segments", "bytes"}."""
        ...

    def take_in(self, path: Path) -> dict[str, Any]:
        """Takes the hub's answer: {"received", "question"}."""
        ...

    def ask(self) -> dict[str, Any] | None:
        """The question that a person must answer before an emergency from a stick begins, if there is one."""
        ...

    def say(self, question: dict[str, Any], *, yes: bool) -> bool:
        """The person's answer; True when the orders may begin now."""
        ...


class Alone:
    """visit: of a stopped station."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def put_out(self, path: Path) -> dict[str, Any]:
        root, only = stick.split_path(path, path.is_dir())
        target = stick.open_stick(root, readonly=False)
        try:
            return vars(self._visit.send(target, only or ""))
        finally:
            target.close()

    def take_in(self, path: Path) -> dict[str, Any]:
        root, only = stick.split_path(path, path.is_dir())
        source = stick.open_stick(root, readonly=True)
        try:
            received = self._visit.receive(source, only).plain()
        finally:
            source.close()
        return {"received": received, "question": self.ask()}

    def ask(self) -> dict[str, Any] | None:
        return plain_question(self._visit.question())

    def say(self, question: dict[str, Any], *, yes: bool) -> bool:
        if not yes:
            self._visit.deny()
            return False
        word = Word.decode(bytes.fromhex(question["word"]))
        return word is not None and self._visit.take_word(word)


class Beside:
    """folder: a running station's. sleep: waits so many seconds. Raises StoreError, `store-busy` when another
    command is at the desk. Close it.
    """

    def __init__(
        self, folder: Path, *, entropy: Callable[[int], bytes], sleep: Callable[[float], None]
    ) -> None:
        self._entropy = entropy
        self._sleep = sleep
        self._desk = DiskStore(folder / FOLDER)
        self._station = DiskStore(folder, readonly=True)
        self._clear()

    def close(self) -> None:
        """Leaves the desk clean."""
        try:
            self._clear()
        finally:
            self._desk.close()

    def put_out(self, path: Path) -> dict[str, Any]:
        root, only = stick.split_path(path, path.is_dir())
        target = stick.open_stick(root, readonly=False)
        try:
            said = self._asked("export")
            name = only or f"{said['unit']}{FILE_END}"
            size = stick.write(target, name, _read(self._station, f"{BACK}/{OUT}"), said["bytes"])
        finally:
            target.close()
        return {"name": name, "segments": said["segments"], "bytes": size}

    def take_in(self, path: Path) -> dict[str, Any]:
        root, only = stick.split_path(path, path.is_dir())
        source = stick.open_stick(root, readonly=True)
        try:
            self._copy_in(source, only)
        finally:
            source.close()
        said = self._asked("import")
        return {"received": said["received"], "question": said["question"]}

    def ask(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._asked("ask")["question"]
        return found

    def say(self, question: dict[str, Any], *, yes: bool) -> bool:
        return bool(self._asked("yes" if yes else "no", word=question["word"])["counts"])

    def people(self, request: dict[str, Any]) -> dict[str, Any]:
        """About the people of the station (`person_desk`). NotAllowed as there."""
        try:
            return self._asked("person", **request)
        except StoreError as error:
            if error.code.startswith(("desk-", "store-")):
                raise
            raise NotAllowed(error.code, error.what, hint=error.hint) from None

    # -- inside ----------------------------------------------------------------------------------------------

    def _copy_in(self, source: DiskStore, only: str | None) -> None:
        names = [only] if only is not None else [n for n in source.names("") if _is_bundle(n)]
        sizes = {name: source.size(name) for name in names}
        if not names or None in sizes.values():
            raise StoreError(
                "stick-empty", f"no bundle here{f' named {only}' if only else ''}",
                hint="give the folder on the stick that holds the .loa files, or one of these files",
            )  # fmt: skip
        if len(names) > stick.FILES_MAX:
            raise StoreError(
                "stick-files", f"{len(names)} bundles here, at most {stick.FILES_MAX}",
                hint="name one of them",
            )  # fmt: skip
        needed, free = sum(size or 0 for size in sizes.values()), self._desk.free_bytes() - RESERVE_BYTES
        if needed > free:
            raise StoreError(
                "desk-full", f"the stick holds {needed} bytes, and {max(0, free)} are free on the card",
                hint="name one file of the stick, or stop the station and repeat: then nothing is copied",
            )  # fmt: skip
        for name in names:
            at = 0
            for data in _read(source, name):
                self._desk.append(f"{IN}/{name}", data, at)
                at += len(data)

    def _asked(self, deed: str, **more: object) -> dict[str, Any]:
        """Leaves a request and waits for its answer."""
        name = self._entropy(8).hex()
        self._desk.write(REQUEST, json.dumps({"id": name, "do": deed, **more}).encode())
        waited_s, heard = 0.0, ""
        while waited_s < PATIENCE_S:
            self._sleep(ASK_EVERY_S)
            waited_s += ASK_EVERY_S
            said = read_answer(self._station)
            if said is None or said["id"] != name:
                continue
            if said["state"] == "done":
                return said
            if said["state"] == "refused":
                raise _refusal(said)
            if str(said.get("beat")) != heard:
                heard, waited_s = str(said.get("beat")), 0.0
        raise StoreError(
            "desk-silent", f"the process that owns this folder did not answer within {PATIENCE_S:.0f} s",
            hint="is it a running station? Else stop it, and repeat",
        )  # fmt: skip

    def _clear(self) -> None:
        for name in self._desk.names(""):
            self._desk.delete(name)


def _is_bundle(name: str) -> bool:
    return name.endswith(stick.SUFFIX) and "/" not in name


def _read(store: Store, name: str) -> Iterator[bytes]:
    """A file, a portion at a time. Raises StoreError("stick-lost")."""
    at = 0
    while True:
        try:
            data = store.read_at(name, at, COPY_BYTES)
        except StoreError as error:
            raise StoreError(
                "stick-lost", f"{name}: {error.what}", hint="put it in again, and repeat"
            ) from error
        if not data:
            return
        yield data
        at += len(data)


def _refusal(said: dict[str, Any]) -> LoaError:
    code, what, hint = (str(said.get(part, "")) for part in ("code", "what", "hint"))
    return StoreError(code or "desk-refused", what, hint=hint)

