"""`loa hub usb import` and `loa hub usb export`: the post for stations without a network.

Both want the hub stopped, as all commands do that write.

Bound: a shell's words and the stick's folder; the acts are `hub.usb`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import click

from hub.hub import Hub
from hub.shells import Option
from hub.usb import DAYS_AHEAD, receive, send
from ledger.log import stick

Opened: TypeAlias = Callable[[Path], AbstractContextManager[Hub]]


def add_usb(group: click.Group, opened: Opened, directory: Option, as_json: Option) -> None:
    """Hangs the group `usb` into `group`. directory: --dir; as_json: --json."""

    @group.group()
    def usb() -> None:
        """Carries stations' reports and decisions on a USB stick."""

    @usb.command("import")
    @directory
    @as_json
    @click.argument("path", type=click.Path(exists=True, path_type=Path))
    def take_in(folder: Path, plain_json: bool, path: Path) -> None:
        """Takes in a stick's folder, or one .loa file: reports, and the stations' requests."""
        root, only = stick.split_path(path, path.is_dir())
        with opened(folder) as house:
            source = stick.open_stick(root, readonly=True)
            try:
                done = receive(house, source, only)
            finally:
                source.close()
        if plain_json:
            click.echo(json.dumps(vars(done), ensure_ascii=False))
            return
        click.echo(
            f"{done.segments} segments taken in, {done.known} known, {done.parked} wait for earlier ones."
        )
        for unit in done.requests:
            click.echo(f"{unit} asks: answer it with loa hub usb export --station {unit}")
        if done.stale:
            click.echo(f"{done.stale} requests were here already, or are older than what is here.")
        if done.damages or done.cut:
            click.echo(
                f"{done.damages} damaged places, {done.cut} of {done.files} files not complete.", err=True
            )
        for code, count in sorted(done.refused.items()):
            click.echo(f"refused: {count} × {code}", err=True)

    @usb.command("export")
    @directory
    @as_json
    @click.option("--station", "units", multiple=True, required=True, help="A unit; repeat for more.")
    @click.option(
        "--days", type=click.IntRange(1, 366), default=DAYS_AHEAD, show_default=True,
        help="How far ahead the content goes along.",
    )  # fmt: skip
    @click.argument("path", type=click.Path(path_type=Path))
    def put_out(folder: Path, plain_json: bool, units: tuple[str, ...], days: int, path: Path) -> None:
        """Writes decisions, receipts and content for stations into a folder, or into one .loa file."""
        root, only = stick.split_path(path, path.is_dir())
        with opened(folder) as house:
            target = stick.open_stick(root, readonly=False)
            try:
                done = send(house, units, target, only or "", days=days)
            finally:
                target.close()
        if plain_json:
            click.echo(json.dumps(vars(done), ensure_ascii=False))
            return
        click.echo(
            f"{done.name}: {done.stations} stations, {done.decisions} decisions, {done.contents} contents, "
            f"{done.bytes} bytes. It may be pulled out now."
        )
        if done.absent:
            click.echo(f"{done.absent} contents of the plan are not at this hub.", err=True)
