"""`loa hub second-person`: whether a real emergency asks for a second person's signature.

A setting of this hub, in `hub.json`, written by an administrator while the hub is stopped. It is no event: an
order counts at a station either way, and whether two people stand for an order is in the log with the order.

Bound: a shell's words; what the policy does is `hub.emergencies`.
"""

from __future__ import annotations

from pathlib import Path

import click

from hub.config import SECOND_PERSON
from hub.emergencies import WAIT_S
from hub.settings import ask_administrator, set_limits
from hub.shells import Desk, Option


def add_policy(group: click.Group, desk: Desk, options: tuple[Option, Option, Option]) -> None:
    """Hangs the command into `group`. options: --dir, --as, --password."""
    directory, as_account, with_password = options

    @group.command("second-person")
    @directory
    @as_account
    @with_password
    @click.argument("policy", required=False, type=click.Choice(SECOND_PERSON))
    def second_person(folder: Path, account: str, password: str, policy: str | None) -> None:
        """Shows or sets whether a real emergency is first proposed to a second person. Drills never are."""
        with desk(folder, account, password) as (house, officer):
            if policy is None:
                click.echo(house.config.second_person)
                return
            ask_administrator(house, officer)
            set_limits(house, second_person=policy)
        click.echo(f"{policy}: {_said(policy)}")


def _said(policy: str) -> str:
    if policy == "never":
        return "one person orders an emergency."
    when = "always" if policy == "always" else "when another approver is at work"
    wait_s = WAIT_S[policy]
    return f"a second person is asked {when}; after {wait_s} s the first may order alone, with a reason."
