"""`loa node sheet`: the run sheet of this station, to print, from what the station knows itself.

For a commune with an FM transmitter whose box plays nothing: the plan comes by network or stick, and somebody
plays it by hand. Only looks: it may run beside `loa node run`.

Bound: a shell's words; rows are `ledger.facts.sheet`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click


def add_sheet(
    group: click.Group, plain_errors: Callable[[], AbstractContextManager[None]], now_s: Callable[[], float]
) -> None:
    """Hangs the command `sheet` into `group`."""

    @group.command()
    @click.option(
        "--dir", "folder", type=click.Path(file_okay=False, path_type=Path), required=True,
        help="The folder made by `loa node init`.",
    )  # fmt: skip
    @click.option("--week", default="", help="Any day of the week wanted, as 2022-11-09; this week.")
    @click.option("--days", type=click.IntRange(1, 31), default=7, show_default=True)
    @click.option("--telephone", default="", help="The number to call afterwards; stands on the sheet.")
    def sheet(folder: Path, week: str, days: int, telephone: str) -> None:
        """Prints the run sheet of this station as an HTML page, e.g. into a file."""
        with plain_errors():
            from ledger.facts import Facts, day_from_iso, local_day, sheet_of
            from ledger.log import DiskStore, Ledger, NotAllowed, VerifyKey
            from ledger.sheet import sheet_html
            from node.config import load_config
            from node.station import DB_NAME

            def nothing(count: int) -> bytes:
                raise AssertionError("a look signs nothing")

            store = DiskStore(folder, readonly=True)
            try:
                config = load_config(store)
                ledger = Ledger(store.open_db(DB_NAME), entropy=nothing, now=lambda: 0)
                facts = Facts([VerifyKey(root) for root in config.roots])
                facts.load(ledger)
            finally:
                store.close()
            try:
                day = day_from_iso(week) if week else local_day(now_s())
            except ValueError as error:
                raise NotAllowed(
                    "days-range", f"{week!r} is no day", where="--week", hint="as 2022-11-09"
                ) from error
            first = max(0, day - (day + 3) % 7)
            lines = sheet_of(facts, config.unit, first, days)
            click.echo(
                sheet_html(
                    config.name, config.unit, first, days, lines, made_s=now_s(), telephone=telephone,
                    base=config.page_url,
                ),
                nl=False,
            )
