"""`loa hub status` and `loa hub verify`: what the hub's ledger holds, and whether all of it is sound.

They only look, also while the hub serves.

Bound: a shell's words.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, TypeAlias

import click

from hub.clock import HubClock, newest_signed, said
from hub.config import HUB_KEY_NAME, load_config, load_key
from hub.shells import Option
from ledger.log import DiskStore, Ledger

WORST_EXIT: Final = 1

LookedAt: TypeAlias = Callable[[Path], AbstractContextManager[tuple[DiskStore, Ledger]]]


def add_looks(
    group: click.Group, looked_at: LookedAt, clock_of: Callable[[], HubClock], directory: Option,
    as_json: Option,
) -> None:  # fmt: skip
    """Hangs both commands into `group`. directory: --dir; as_json: --json."""

    @group.command()
    @directory
    @as_json
    def status(folder: Path, plain_json: bool) -> None:
        """What the hub's ledger holds, and how its clock stands. Only looks, also while the hub serves."""
        with looked_at(folder) as (store, ledger):
            config = load_config(store)
            clock, signed_s = clock_of(), newest_signed(ledger, load_key(store, HUB_KEY_NAME).key_id)
            shown: dict[str, object] = {
                "province": config.province,
                "name": config.name,
                "position": ledger.position(),
                "logs": len(ledger.frontier()),
                "events": sum(head.next_seq for head in ledger.frontier().values()),
                "forks": len(ledger.forks()),
            }
        clock.follow(signed_s)
        doubts = clock.doubts()
        shown["clock"] = {True: "synchronised", False: "not synchronised", None: "not asked"}[clock.is_synced]
        if plain_json:
            whole = shown | {"signed_s": signed_s, "warnings": doubts}
            click.echo(json.dumps(whole, ensure_ascii=False))
            return
        shown["signed"] = said(signed_s) if signed_s else "nothing yet"
        for name, value in shown.items():
            click.echo(f"{name:10} {value}")
        for doubt in doubts:
            click.echo(f"WARNING {doubt}", err=True)

    @group.command()
    @directory
    def verify(folder: Path) -> None:
        """Opens every stored segment again and walks every chain. Only looks, also while the hub serves."""
        with looked_at(folder) as (_, ledger):
            audit = ledger.verify()
        click.echo(f"{audit.verified} signatures verified, {audit.failed} failed.")
        for problem in audit.problems:
            click.echo(f"  {problem}", err=True)
        if audit.failed or audit.problems:
            sys.exit(WORST_EXIT)
