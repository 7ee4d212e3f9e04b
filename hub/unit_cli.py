"""`loa hub unit`: the systemd unit of this hub, as this installation is called.

Bound: a shell's words.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import click

from hub.config import load_config
from hub.service import unit_text
from hub.shells import Option
from ledger.log import DiskStore, Ledger
from ledger.service import program_of, version_here

LookedAt: TypeAlias = Callable[[Path], AbstractContextManager[tuple[DiskStore, Ledger]]]


def add_unit(group: click.Group, looked_at: LookedAt, directory: Option) -> None:
    """Hangs the command into `group`. directory: --dir."""

    @group.command()
    @directory
    @click.option("--user", default="loa-hub", show_default=True, help="Who runs it: never root.")
    @click.option("--host", default=None, help="As for `loa hub serve`.")
    @click.option("--port", type=int, default=None, help="As for `loa hub serve`.")
    @click.option("--secure", is_flag=True, help="As for `loa hub serve`.")
    @click.option("--doorbell-port", type=int, default=None, help="As for `loa hub serve`.")
    def unit(
        folder: Path, user: str, host: str | None, port: int | None, secure: bool, doorbell_port: int | None
    ) -> None:
        """Prints the systemd unit that keeps this hub running."""
        with looked_at(folder) as (store, _):
            config = load_config(store)
        whole = folder.resolve()
        wishes = [("--host", host), ("--port", port), ("--doorbell-port", doorbell_port)]
        given = [word for name, value in wishes if value is not None for word in (name, str(value))]
        program = program_of(sys.argv[0], sys.executable, lambda path: Path(path).is_file())
        command = [*program, "hub", "serve", "--dir", str(whole), *given, *(["--secure"] if secure else [])]
        name = f"{config.name} ({config.province})"
        text = unit_text(
            folder=str(whole), command=command, user=user, name=name, systemd=version_here()
        )  # fmt: skip
        click.echo(text, nl=False)
        try:
            owner = whole.owner()
        except KeyError:
            owner = "nobody this machine knows"
        if owner != user:
            click.echo(f"note: {whole} belongs to {owner}, before a start: chown -R {user} {whole}", err=True)
