"""`loa hub page-url`: the address under which telephones reach this hub's pages, for symbols on run sheets.

A setting of this hub, in `hub.json`, written by an administrator while the hub is stopped. It cannot know
that by itself: it may stand behind a proxy, and what one browser typed is not what another can reach.

Bound: a shell's words; what is printed is `ledger.sheet`.
"""

from __future__ import annotations

from pathlib import Path

import click

from hub.settings import ask_administrator, set_limits
from hub.shells import Desk, Option
from ledger.log import NotAllowed
from ledger.sheet import is_base


def add_address(group: click.Group, desk: Desk, options: tuple[Option, Option, Option]) -> None:
    """Hangs the command into `group`. options: --dir, --as, --password."""
    directory, as_account, with_password = options

    @group.command("page-url")
    @directory
    @as_account
    @with_password
    @click.argument("address", required=False)
    def page_url(folder: Path, account: str, password: str, address: str | None) -> None:
        """Shows or sets ("" for none) where telephones reach this hub's pages, as https://loa.example."""
        with desk(folder, account, password) as (house, officer):
            if address is None:
                click.echo(house.config.page_url or "none: the symbols on run sheets hold the codes alone")
                return
            ask_administrator(house, officer)
            if address and not is_base(address):
                raise NotAllowed(
                    "address-format", f"{address!r} is no address of a page", where="ADDRESS",
                    hint="as https://loa.example or http://192.168.1.5:8080",
                )  # fmt: skip
            set_limits(house, page_url=address)
        click.echo(f"{address or 'none'}: sheets that are printed from now on say so.")
