"""`loa sim demo`: the command. Chooses the screen and the directory, prints the summary, sets the exit code.

Bound: options and printing. The day itself is `conductor`.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click

from ledger.log import StoreError

STATIONS_MIN, STATIONS_MAX = 3, 70
WIDTH_MAX = 100
"""Columns: longer lines are hard to read, whatever the terminal."""


@click.command()
@click.option("--seed", default=1, show_default=True, help="Chooses every fault of the day.")
@click.option(
    "--stations", default=STATIONS_MAX, show_default=True, type=click.IntRange(STATIONS_MIN, STATIONS_MAX),
    help="IT stations; three of them are processes of their own.",
)  # fmt: skip
@click.option("--headless", is_flag=True, help="End after the summary instead of keeping the hub up.")
@click.option(
    "--json", "as_json", is_flag=True, help="The last line is one JSON object; the rest goes to stderr."
)
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Keep everything here (must be empty)."
)
@click.option("--port", default=0, show_default=True, help="Port of the hub; 0 takes a free one.")
@click.option("--lang", type=click.Choice(["en", "vi"]), default="en", show_default=True)
def demo(
    seed: int, stations: int, headless: bool, as_json: bool, folder: Path | None, port: int, lang: str
) -> None:
    """One broadcast day of Yên Bái with real processes: a hub, three nodes, faults, kill -9, an emergency.

    Ends with 0 only if every station converged, nothing unapproved was played, nothing was played twice and
    every signature verifies.
    """
    from sim.demo.conductor import Demo, Options, held
    from sim.demo.site import Folder
    from sim.demo.view import Lines, Screen, Table

    signal.signal(signal.SIGTERM, _as_interrupt)
    with ExitStack() as stack:
        root = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loa-demo-")))
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise StoreError("folder-not-empty", f"{root} is not empty", hint="name a new directory")
        live = sys.stdout.isatty() and not as_json
        screen: Screen = Table(lang) if live else Lines(sys.stderr if as_json else sys.stdout, lang)
        try:
            running = stack.enter_context(
                Demo(Folder(root.resolve()), Options(seed, stations, port, lang), screen)
            )
            try:
                said = running.day()
            finally:
                screen.close()
            _print_words(said, lang, err=as_json)
            if not headless:
                _print_address(said, lang, err=as_json)
            if as_json:
                click.echo(json.dumps(said, ensure_ascii=False))
            if not headless:
                running.wait()
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one must not leave processes behind
            if headless:
                raise
            sys.exit(0)
    sys.exit(0 if held(said) else 1)


def _print_words(said: dict[str, object], lang: str, *, err: bool) -> None:
    from sim.demo.news import summary_lines

    for head, lines in summary_lines(said, lang):
        click.echo(f"\n{head}", err=err)
        for line in lines:
            click.echo(click.wrap_text(line, _width(), initial_indent="  ", subsequent_indent="  "), err=err)


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDTH_MAX)


def _print_address(said: dict[str, object], lang: str, *, err: bool) -> None:
    from sim.demo.site import ADMIN, APPROVER, EDITOR

    words = {
        "vi": ("Hub còn chạy ở", "tài khoản", "Ctrl-C để dừng; các tiến trình ở"),
        "en": ("The hub stays up at", "accounts", "Ctrl-C ends everything; process ids are in"),
    }[lang]
    accounts = ", ".join(f"{name} / {password}" for name, password in (EDITOR, APPROVER, ADMIN))
    click.echo(f"\n{words[0]} {said['url']}\n  {words[1]}: {accounts}", err=err)
    click.echo(f"  {words[2]} {said['folder']}/pids.json", err=err)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
