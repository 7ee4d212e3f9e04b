"""`loa hub sheet` and `loa hub usb fm`: the run sheet of a station to print, and the stick that goes with it.

Both only read the hub. Bound: a shell's words; rows are `ledger.facts.sheet`, files `hub.fm_stick`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import click

from hub.fm_stick import write_fm
from hub.hub import Hub
from hub.shells import Option
from ledger.facts import SHEET_DAYS, SHEET_DAYS_MAX, day_from_iso, local_day, sheet_of
from ledger.log import NotAllowed, stick
from ledger.sheet import sheet_html

Opened: TypeAlias = Callable[[Path], AbstractContextManager[Hub]]

a_week = click.option("--week", default="", help="Any day of the week wanted, as 2022-11-09; this week.")
some_days = click.option(
    "--days", type=click.IntRange(1, SHEET_DAYS_MAX), default=SHEET_DAYS, show_default=True,
    help="From that week's Monday on.",
)  # fmt: skip


def add_sheet(group: click.Group, opened: Opened, directory: Option, as_json: Option) -> None:
    """Hangs `sheet` into `group` and `fm` into its group `usb`."""
    usb = group.commands["usb"]
    assert isinstance(usb, click.Group)

    @group.command()
    @directory
    @a_week
    @some_days
    @click.option("--telephone", default="", help="The number to call afterwards; stands on the sheet.")
    @click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; else the screen.")
    @click.argument("unit")
    def sheet(folder: Path, week: str, days: int, telephone: str, out: Path | None, unit: str) -> None:
        """The run sheet of a station, as a page to print."""
        with opened(folder) as house:
            first = first_day(week, house.now())
            station = house.facts.stations.get(unit)
            if station is None:
                raise NotAllowed(
                    "station-unknown", f"{unit!r} is no registered station", hint="see the list of stations"
                )
            lines = sheet_of(house.facts, unit, first, days)
            text = sheet_html(
                station.fact.name, unit, first, days, lines, made_s=house.now(), telephone=telephone,
                base=house.config.page_url,
            )
        put(text, out)

    @usb.command("fm")
    @directory
    @as_json
    @a_week
    @some_days
    @click.option("--station", "unit", required=True, help="The station's unit.")
    @click.argument("path", type=click.Path(file_okay=False, path_type=Path))
    def fm(folder: Path, plain_json: bool, week: str, days: int, unit: str, path: Path) -> None:
        """Writes a week's recordings for an FM station: plain files in order of play, and the run sheet."""
        with opened(folder) as house:
            target = stick.open_stick(path, readonly=False)
            try:
                done = write_fm(house, unit, target, first_day(week, house.now()), days=days)
            finally:
                target.close()
        if plain_json:
            click.echo(json.dumps(vars(done), ensure_ascii=False))
            return
        click.echo(
            f"{done.folder}: {done.lines} slots, {done.files} files, {done.bytes} bytes, read back and sound."
            " It may be pulled out now."
        )
        for number in done.absent:
            click.echo(f"line {number:03d}: its content is not at this hub", err=True)


def first_day(week: str, now: int) -> int:
    """The Monday of the week that holds this day (ISO), or the day at hand. NotAllowed("days-range")."""
    try:
        day = day_from_iso(week) if week else local_day(now)
    except ValueError as error:
        raise NotAllowed("days-range", f"{week!r} is no day", where="--week", hint="as 2022-11-09") from error
    return max(0, day - (day + 3) % 7)


def put(text: str, out: Path | None) -> None:
    """Onto the screen, or into a file."""
    if out is None:
        click.echo(text, nl=False)
        return
    with click.open_file(str(out), "w", encoding="utf-8") as file:
        file.write(text)
    click.echo(f"{out}: print it from any browser.")
