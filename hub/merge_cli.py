"""`loa hub merge`: units that became part of others, from a table.

Bound: a shell's words; the act is `hub.mergers`.
"""

from __future__ import annotations

import csv
from pathlib import Path

import click

from hub.mergers import Merger, Moved
from hub.shells import Desk, Option
from ledger.facts import day_from_iso, iso
from ledger.log import NotAllowed


def add_merge(group: click.Group, desk: Desk, options: tuple[Option, Option, Option]) -> None:
    """Hangs the command into `group`. options: --dir, --as, --password."""
    directory, as_account, with_password = options

    @group.command("merge")
    @directory
    @as_account
    @with_password
    @click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--check", is_flag=True, help="Only say what would happen.")
    def merge(folder: Path, account: str, password: str, table: Path, check: bool) -> None:
        """Units become part of others: a CSV file with the columns unit, into, name, from (2025-07-01)."""
        mergers = _read(table)
        with desk(folder, account, password) as (house, officer):
            acted = house.commands.foresee_mergers if check else house.commands.merge_units
            moved = acted(officer, mergers, now=house.now())
        for one in moved:
            click.echo(_said(one))
        new = sum(not one.known for one in moved)
        stations = len({unit for one in moved for unit in one.stations})
        verb = "would be signed" if check else "signed"
        click.echo(f"{new} mergers {verb}, {len(moved) - new} known before; {stations} stations concerned.")
        click.echo("Keys and rights stay as they are: end those of people who no longer hold office.")


def _read(table: Path) -> list[Merger]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            return [
                Merger(row["unit"], row["into"], day_from_iso(row["from"]), row["name"])
                for row in csv.DictReader(lines)
            ]
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise NotAllowed(
            "table-form",
            f"{table} is no such table: {error}",
            hint="UTF-8 CSV with the columns unit, into, name, from",
        ) from error


def _said(one: Moved) -> str:
    row = one.merger
    known = "  (signed before)" if one.known else ""
    said = f"{row.unit} -> {row.into}  {row.name}, from {iso(row.from_day)}"
    return f"{said}, {len(one.stations)} stations{known}"
