"""`loa node …`: enrol a station, run it, ask how it is. Every refusal is two lines and a stable exit code.

What a command needs is imported when it runs, so that `--help` and `status` stay quick on a small box.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.log import LoaError, StoreError
from node.clusters.cli import add_clusters
from node.disk.ground_cli import add_ground
from node.page.person_cli import add_person
from node.page.sheet_cli import add_sheet
from node.sound.say_cli import add_say
from node.stick.usb_cli import Machine, add_usb

if TYPE_CHECKING:
    from ledger.log import DiskStore
    from node.clock import Clock
    from node.means import Means
    from node.status import Status, Traffic

FOLDER = click.Path(file_okay=False, path_type=Path)
PLAYERS = click.Choice(["null", "mpv"])


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns every error on purpose, and the disk's, into two lines and an exit code."""
    try:
        yield
    except LoaError as error:
        click.echo(error.explain(), err=True)
        raise SystemExit(error.exit_code) from None
    except (sqlite3.Error, OSError) as error:
        failed = StoreError("disk-failed", f"{type(error).__name__}: {error}")
        click.echo(failed.explain(), err=True)
        raise SystemExit(failed.exit_code) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def node() -> None:
    """A commune's station: enrol it, run it, ask how it is."""


@node.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="Where the station keeps everything.")
@click.option("--hub", required=True, help="The hub's address, e.g. http://hub.example:8080.")
@click.option("--token", required=True, help="The one-time token printed for this station.")
@click.option("--unit", default="", help="Refuse unless the token is for this unit.")
def init(folder: Path, hub: str, token: str, unit: str) -> None:
    """Enrols this machine as a station, with a one-time token.

    The private key is made here and stays here.
    """
    with plain_errors():
        from ledger.log import DiskStore, six_words
        from node.enrol import begin, finish
        from node.link.transport import HttpTransport

        os.umask(0o077)  # a folder that is made here is nobody else's
        store = DiskStore(folder)
        try:
            request = begin(store, token, entropy=os.urandom, unit=unit)
            transport = HttpTransport(hub, mono=time.monotonic)
            reply = transport.enrol(request)
            transport.close()
            config = finish(store, request, reply, token=token, hub_url=hub)
        finally:
            store.close()
        click.echo(f"ENROLLED {config.unit} {config.name} at {hub}")
        click.echo(f"Six words, the same as on the station's page at the hub: {six_words(request, reply)}")


@node.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The folder made by `loa node init`.")
@click.option(
    "--player", type=PLAYERS, default=None, help="mpv sounds, null is timed silence. Default: mpv if present."
)
@click.option("--ao", default="alsa", show_default=True, help="mpv's audio output.")
@click.option("--page", default="", metavar="HOST:PORT", help="Serve the commune's page there.")
@click.option("--verbose", is_flag=True, help="Say what happens on the link.")
def run(folder: Path, player: str | None, ao: str, page: str, verbose: bool) -> None:
    """Runs the station until it is told to stop (SIGTERM).

    It may be killed at any moment and loses nothing.
    """
    with plain_errors():
        import logging

        from node.shell import Wishes
        from node.shell import run as run_station

        logging.basicConfig(
            level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
        )
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # what matters on the link is said by us
        wishes = Wishes(player or "", ao, os.environ.get("LOA_TEMPO", ""), page)
        run_station(folder, wishes, click.echo)


@node.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The folder made by `loa node init`.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(folder: Path, as_json: bool) -> None:
    """Says how the station stands. Only looks: it may run beside `loa node run`."""
    with plain_errors():
        found = _status(folder)
        if as_json:
            click.echo(json.dumps(found.to_json_dict(), ensure_ascii=False))
            return
        for line in _lines(found):
            click.echo(line)


@node.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="The folder made by `loa node init`.")
@click.option("--user", default="loa", show_default=True, help="Who runs it: never root.")
@click.option("--player", type=PLAYERS, default=None, help="As for `loa node run`.")
@click.option("--ao", default=None, help="As for `loa node run`.")
def unit(folder: Path, user: str, player: str | None, ao: str | None) -> None:
    """Prints the systemd unit that keeps this station running."""
    with plain_errors():
        from ledger.log import DiskStore
        from ledger.service import version_here
        from node.config import load_config
        from node.service import unit_text

        store = DiskStore(folder, readonly=True)
        try:
            config = load_config(store)
        finally:
            store.close()
        whole = str(folder.resolve())
        wishes = [*(("--player", player) if player else ()), *(("--ao", ao) if ao else ())]
        command = [*_program(), "node", "run", "--dir", whole, *wishes]
        name = f"{config.name} ({config.unit})"
        text = unit_text(folder=whole, command=command, user=user, name=name, systemd=version_here())
        click.echo(text, nl=False)
        try:
            owner = folder.owner()
        except KeyError:
            owner = "nobody this machine knows"
        if owner != user:
            click.echo(f"note: {whole} belongs to {owner}, before a start: chown -R {user} {whole}", err=True)


def _program() -> list[str]:
    """How this installation is called by a service."""
    from ledger.service import program_of

    return program_of(sys.argv[0], sys.executable, lambda path: Path(path).is_file())


def _status(folder: Path) -> Status:
    from ledger.log import DiskStore, Ledger
    from node.config import load_config, load_key
    from node.station import DB_NAME
    from node.status import status_of

    def nothing(count: int) -> bytes:
        raise AssertionError("a look signs nothing")

    store = DiskStore(folder, readonly=True)
    try:
        config = load_config(store)
        if store.size(DB_NAME) is None:
            raise StoreError(
                "never-ran", "this station was enrolled and has not run yet", hint="loa node run"
            )
        memory = _memory(folder)
        try:
            ledger = Ledger((memory or store).open_db(DB_NAME), entropy=nothing, now=lambda: 0)
            found = status_of(ledger, config, load_key(store).key_id)
        finally:
            if memory is not None:
                memory.close()
        return replace(found, in_memory=memory is not None)
    finally:
        store.close()


def _memory(folder: Path) -> DiskStore | None:
    """Where the station of this folder lives while its disk takes no writes; None when it does not."""
    if not (Path("/run/loa").is_dir() or Path(f"/dev/shm/loa-{os.getuid()}").is_dir()):  # noqa: S108
        return None
    from ledger.log import DiskStore
    from node.disk.refuge import is_begun
    from node.shell import refuge_folder

    above = refuge_folder(folder)
    if not above.is_dir():
        return None
    memory = DiskStore(above, readonly=True)
    if is_begun(memory):
        return memory
    memory.close()
    return None


def _lines(found: Status) -> list[str]:
    from node.status import local_time

    outcomes = ", ".join(f"{count} {name}" for name, count in sorted(found.outcomes.items())) or "nothing yet"
    memory = ["the disk is full or cannot be written: everything new is kept in memory, do not cut the power"]
    return [
        *(memory if found.in_memory else ()),
        f"{found.name} ({found.unit}), key {found.key_id}",
        f"hub {found.hub_url}, last good exchange {local_time(found.sync_ok_s)}",
        f"last sign of life {local_time(found.alive_s)}",
        f"{found.day if found.alive_s else 'today'}: {outcomes}; {found.unfinished} under way",
        f"{found.pending} reports not sealed yet, {found.unreceipted_logs} logs not receipted yet",
        f"last copy of the database {local_time(found.kept_s)}",
        *(() if found.means is None else _means_lines(found.means)),
        *(() if found.traffic is None else (_traffic_line(found.traffic),)),
    ]


def _traffic_line(traffic: Traffic) -> str:
    return (
        f"data of {traffic.day}: {traffic.up} bytes up, {traffic.down} down with the hub; "
        f"live relays {traffic.relay}"
    )


def _means_lines(means: Means) -> list[str]:
    """As of the last sign of life."""
    voice = "" if means.speaks else "; texts without a recording cannot be spoken"
    proof = [f"player {means.player}: can prove at most {means.say_proof('en')}{voice}"]
    if means.ear:
        proof.append(means.ear)
    if not means.clusters:
        return proof
    if means.answering is None:
        return [*proof, f"{means.clusters} clusters listed, not asked yet"]
    away = f"; silent: {', '.join(means.silent)}" if means.silent else ""
    return [*proof, f"{means.answering} of {means.clusters} clusters answer{away}"]


def _refuge(folder: Path) -> Path:
    from node.shell import refuge_folder

    return refuge_folder(folder)


def _clock() -> Clock:
    """The machine's clock, or the tempo of a demonstration when LOA_TEMPO names its file."""
    from node.shell import make_clock

    return make_clock(os.environ.get("LOA_TEMPO", ""))


add_usb(node, plain_errors, Machine(_clock, os.urandom, time.sleep))
add_clusters(node, plain_errors, Machine(_clock, os.urandom, time.sleep))
add_say(node, plain_errors, time.monotonic, time.sleep)
add_sheet(node, plain_errors, time.time)
add_ground(node, plain_errors, os.urandom, _refuge)
add_person(node, plain_errors, Machine(_clock, os.urandom, time.sleep))
