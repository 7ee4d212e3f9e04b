"""`loa node usb export` and `loa node usb import`: the post of a station without a network.

The station must stand still meanwhile: one process owns its folder.

Bound: a shell's words and the stick's folder; the acts are `node.usb`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

if TYPE_CHECKING:
    from node.usb import Received, Visit

Plain: TypeAlias = Callable[[], AbstractContextManager[None]]

FOLDER = click.Path(file_okay=False, exists=True, path_type=Path)
INCOMPLETE_EXIT = 20


def add_usb(
    group: click.Group, plain_errors: Plain, now: Callable[[], int], entropy: Callable[[int], bytes]
) -> None:
    """Hangs the group `usb` into `group`. now: UTC s of the machine's clock."""

    @contextmanager
    def visit_of(folder: Path) -> Iterator[Visit]:
        from ledger.log import DiskStore
        from node.usb import Visit

        store = DiskStore(folder)
        try:
            yield Visit(store, now=now, entropy=entropy)
        finally:
            store.close()

    @group.group()
    def usb() -> None:
        """Carries reports and decisions on a USB stick, with the station stopped."""

    @usb.command("export")
    @click.option("--dir", "folder", type=FOLDER, required=True, help="The folder made by `loa node init`.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object.")
    @click.argument("path", type=click.Path(path_type=Path))
    def put_out(folder: Path, as_json: bool, path: Path) -> None:
        """Writes this station's reports and a request into a folder, or into one .loa file."""
        from ledger.log import stick

        with plain_errors(), visit_of(folder) as visit:
            root, only = stick.split_path(path, path.is_dir())
            target = stick.open_stick(root, readonly=False)
            try:
                sent = visit.send(target, only or "")
            finally:
                target.close()
            if as_json:
                click.echo(json.dumps(vars(sent)))
                return
            click.echo(
                f"{sent.name}: {sent.segments} segments, {sent.bytes} bytes. It may be pulled out now."
            )

    @usb.command("import")
    @click.option("--dir", "folder", type=FOLDER, required=True, help="The folder made by `loa node init`.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object.")
    @click.argument("path", type=click.Path(exists=True, path_type=Path))
    def take_in(folder: Path, as_json: bool, path: Path) -> None:
        """Takes in the hub's answer from a folder, or from one .loa file."""
        from ledger.log import stick

        with plain_errors(), visit_of(folder) as visit:
            root, only = stick.split_path(path, path.is_dir())
            source = stick.open_stick(root, readonly=True)
            try:
                done = visit.receive(source, only)
            finally:
                source.close()
        if as_json:
            said = vars(done) | {"receipts": len(done.receipts)}
            click.echo(json.dumps(said))
        else:
            for line in _lines(done):
                click.echo(line)
        if not done.is_clean:
            raise SystemExit(INCOMPLETE_EXIT)


def _lines(done: Received) -> list[str]:
    lines = [
        f"{done.decisions} decisions, {len(done.receipts)} receipts, {done.contents} contents; "
        f"{done.wanting} of the plan's contents are not whole yet."
    ]
    if done.refused == "stick-no-answer":
        lines.append("There is no answer of the hub on this stick.")
    elif done.refused:
        lines.append(
            f"The answer on this stick was not taken ({done.refused}): it is not this hub's, not for this "
            "station, or for a request that was answered already. Carry a fresh request to the hub."
        )
    if done.damages or done.cut:
        lines.append(f"{done.damages} damaged places, {done.cut} of {done.files} files not complete.")
    if done.missing or done.unread:
        lines.append(f"{done.missing + done.unread} decisions could not be read; the next stick brings them.")
    if done.no_room:
        lines.append("The card is full: content was left on the stick.")
    return lines
