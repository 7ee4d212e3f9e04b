"""`loa`: the one command. Its sub-commands live with the parts they speak for and are imported when asked.

A commune box installs the node without Flask, the hub without rich; so nothing is imported before it is
named, and a part whose extra is missing says which one to install instead of showing a traceback. Every
refusal on purpose (`LoaError`) is printed in two lines and ends with the exit code its kind has; anything
else is a bug and shows itself.

Bound: the door and its sign. What happens behind a name is the business of the module it names.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import click

from ledger.log import LoaError

OURS = ("ledger", "node", "hub", "sim")


@dataclass(frozen=True)
class Door:
    """module:attribute of a click command, the extra that brings what it imports, one line of help."""

    module: str
    attribute: str
    extra: str
    help: str


DOORS = {
    "hub": Door("hub.cli", "hub", "hub", "The provincial hub: found it, serve it, look after it."),
    "node": Door("node.cli", "node", "node", "A commune's station: enrol it, run it, ask how it is."),
    "sim": Door("sim.cli", "sim", "sim", "The simulator: a province in virtual time, and the demo day."),
    "ledger": Door("ledger.cli", "ledger", "", "The auditor: show, verify and prove what the logs hold."),
    "doctor": Door("sim.doctor", "doctor", "", "Which optional programs are here, and what is lost without."),
}


class Doors(click.Group):
    """A group that imports a sub-command only when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(DOORS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        door = DOORS.get(cmd_name)
        if door is None:
            return None
        try:
            command = getattr(importlib.import_module(door.module), door.attribute)
        except ModuleNotFoundError as error:
            if not door.extra or (error.name or "").split(".")[0] in OURS:
                raise
            raise click.ClickException(
                f"`loa {cmd_name}` needs {error.name}, which is not installed here.\n"
                f"  → pip install 'loa[{door.extra}]'"
            ) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, door.help) for name, door in DOORS.items()])


@click.command(cls=Doors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loa", prog_name="loa")
def loa() -> None:
    """Loa: the record and the delivery of Vietnam's commune radio."""


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and ends the process: 0, 1–2 by click, or the code of the LoaError's kind."""
    try:
        loa.main(args=None if args is None else list(args), prog_name="loa")
    except LoaError as error:
        click.echo(error.explain(), err=True)
        sys.exit(error.exit_code)
    sys.exit(0)


if __name__ == "__main__":
    main()
