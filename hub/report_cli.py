"""`loa hub report`: the figures of a period as a file, now or as they stood at a position of the ledger.

Wants the hub stopped, or a restored backup of it. With `--at` all is built again from the ledger as far
as the position in the foot of a report that was handed in, and must come to the same digest.

Bound: a shell's words; the figures are `hub.reporting`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, TypeAlias

import click

from hub.hub import Hub
from hub.report_rows import Report
from hub.reporting import ask_for, report, report_at
from hub.shells import Option
from ledger.facts import day_from_iso
from ledger.log import NotAllowed

Opened: TypeAlias = Callable[[Path], AbstractContextManager[Hub]]


def add_report(group: click.Group, opened: Opened, directory: Option) -> None:
    """Hangs the command into `group`. directory: --dir."""

    @group.command("report")
    @directory
    @click.argument("first")
    @click.argument("last")
    @click.option("--territory", default="", help="A unit; the whole province when left out.")
    @click.option("--category", default="", help="A category by its slug; all when left out.")
    @click.option("--at", "position", type=int, help="As it stood at this position of the ledger.")
    @click.option(
        "--format", "form", type=click.Choice(["txt", "csv", "xlsx"]), default="txt", show_default=True
    )
    @click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
    @click.argument("out", type=click.File("wb"))
    def make(
        folder: Path, first: str, last: str, territory: str, category: str, position: int | None, form: str,
        lang: str, out: BinaryIO,
    ) -> None:  # fmt: skip
        """Writes the report of the days FIRST to LAST (2022-10-01) to OUT, and prints its digest."""
        with opened(folder) as house:
            ask = ask_for(
                house, first_day=_day(first), last_day=_day(last), now=house.now(),
                territory=territory or house.config.province, category=category,
            )  # fmt: skip
            found = report(house, ask) if position is None else report_at(house, ask, position)
            out.write(found.canonical() if form == "txt" else _spelt(house, found, form, lang))
        click.echo(f"{found.digest}  position {found.position}, {found.trail.hex()}")

    def _spelt(house: Hub, found: Report, form: str, lang: str) -> bytes:
        from hub.web import create_app
        from hub.web.report_files import csv_bytes, xlsx_bytes

        with create_app(house).test_request_context("/", headers={"Cookie": f"loa_lang={lang}"}):
            return csv_bytes(found) if form == "csv" else xlsx_bytes(found)


def _day(text: str) -> int:
    try:
        return day_from_iso(text)
    except ValueError as error:
        raise NotAllowed("period-range", f"{text!r} is no day", hint="such as 2022-10-01") from error
