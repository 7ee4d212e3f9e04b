"""`loa hub second-person`: whether a real emergency asks for a second person's signature.

A setting of this hub, in `hub.json`, written by an administrator while the hub is stopped. It is no event: an
order counts at a station either way, and whether two people stand for an order is in the log with the order.

Bound: a shell's words; what the policy does is `hub.emergencies`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

import click

from hub.accounts import Officer
from hub.config import SECOND_PERSON, save_config
from hub.emergencies import WAIT_S
from hub.hub import Hub
from ledger.facts import Right
from ledger.log import NotAllowed

Desk: TypeAlias = Callable[[Path, str, str], AbstractContextManager[tuple[Hub, Officer]]]
Option: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


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
            may = house.facts.authority.may(
                officer.key.key_id, Right.ADMIN, house.config.province, house.now()
            )
            if officer.role != "admin" or not may:
                raise NotAllowed(
                    "no-right", "this is an administrator's setting", hint="--as an administrator"
                )
            save_config(house.store, house.config.with_limits(second_person=policy))
        click.echo(f"{policy}: {_said(policy)}")


def _said(policy: str) -> str:
    if policy == "never":
        return "one person orders an emergency."
    when = "always" if policy == "always" else "when another approver is at work"
    wait_s = WAIT_S[policy]
    return f"a second person is asked {when}; after {wait_s} s the first may order alone, with a reason."
