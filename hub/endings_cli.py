"""`loa hub revoke` and `loa hub admit`: end a key, and take in what was signed away from the hub.

Both want the hub stopped, as all commands do that write.

Bound: a shell's words; the acts are `hub.endings`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import click

from hub.endings import take_in
from hub.hub import Hub
from hub.shells import Desk, Option

Opened: TypeAlias = Callable[[Path], AbstractContextManager[Hub]]


def add_commands(
    group: click.Group, opened: Opened, desk: Desk, options: tuple[Option, Option, Option]
) -> None:
    """Hangs both commands into `group`. options: --dir, --as, --password."""
    directory, as_account, with_password = options

    @group.command()
    @directory
    @as_account
    @with_password
    @click.argument("key")
    @click.option("--reason", required=True, help="Why; everybody who reads the ledger sees it.")
    @click.option(
        "--at", "until", type=int, help="The last position that was still honest; now when left out."
    )
    def revoke(folder: Path, account: str, password: str, key: str, reason: str, until: int | None) -> None:
        """Ends a key for ever (16 hex digits of its id): a lost box, a stolen password."""
        with desk(folder, account, password) as (house, officer):
            fact = house.commands.revoke_key(
                officer, key, reason=reason, until=until, hub=house.key, now=house.now()
            )
        click.echo(f"{key} is revoked in {fact.territory}. {len(fact.exceptions) // 16} logs of it stay.")
        click.echo("Stations hear of it with their next sync. A new key needs a new token, or a new grant.")

    @group.command()
    @directory
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def admit(folder: Path, file: Path) -> None:
        """Takes in a FILE of signed segments: grants, revocations, root sets signed away from the hub."""
        with opened(folder) as house:
            found = take_in(house, file.read_bytes())
        for one in found:
            what = f"{one.kind} by {one.key_id}" if one.kind else "a segment"
            click.echo(f"{one.outcome}: {what}" + (f", does not count: {one.why}" if one.why else ""))
        if any(one.why or one.outcome == "refused" for one in found):
            raise SystemExit(20)
