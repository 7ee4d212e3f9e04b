"""`loa sim clusters`: simulated receivers on this machine's own sockets, to be driven by a real station.

Bound: a shell. Everything it opens listens on 127.0.0.1 alone, and the keys follow from the seed: never use
them for receivers of steel.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

import click

from node import clusters_toml
from sim.cluster_server import BankServer
from sim.clusters import Bank, Ill
from sim.faults import Dice

NUMBERS = "numbers of receivers, comma-separated"


@click.command()
@click.option("--count", type=click.IntRange(1, 102), default=20, show_default=True)
@click.option(
    "--port", type=click.IntRange(1024, 65_000), default=4210, show_default=True, help="of the first"
)
@click.option("--driver", type=click.Choice(["udp", "http", "both"]), default="udp", show_default=True)
@click.option("--dead", default="", help=f"without power: {NUMBERS}")
@click.option("--muted", default="", help=f"switched off: {NUMBERS}")
@click.option("--lying", default="", help=f"sounding something else: {NUMBERS}")
@click.option("--flapping", default="", help=f"dark every other 30 seconds: {NUMBERS}")
@click.option("--seed", type=int, default=1, show_default=True, help="the keys follow from it")
@click.option(
    "--write", type=click.Path(dir_okay=False, path_type=Path), help="write the clusters.toml for it"
)
def clusters(
    count: int, port: int, driver: str, dead: str, muted: str, lying: str, flapping: str, seed: int,
    write: Path | None,
) -> None:  # fmt: skip
    """Answer as COUNT receiver clusters until SIGTERM or Ctrl-C."""
    ills: dict[int, Ill] = {}
    for said, ill in (
        (dead, Ill(dead=True)),
        (muted, Ill(muted=True)),
        (lying, Ill(lying=True)),
        (flapping, Ill(flaps_s=30.0)),
    ):
        for number in _numbers(said, count):
            ills[number - 1] = ill
    drivers = ("udp", "http") if driver == "both" else (driver,)
    server = BankServer(
        Bank(count, Dice(seed), ills=ills, now_s=time.monotonic()), time.monotonic, drivers=drivers, port=port
    )
    if write is not None:
        write.write_text(clusters_toml(server.entries()), "utf-8")
        write.chmod(0o600)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.wake())
    last = port + count - 1
    click.echo(f"READY {count} receivers on 127.0.0.1:{port}–{last} ({driver}), {len(ills)} of them ill")
    server.serve()
    server.stop()
    click.echo("STOPPED")


def _numbers(text: str, count: int) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= count for part in parts):
        raise click.UsageError(f"{text!r}: {NUMBERS}, from 1 to {count}")
    return [int(part) for part in parts]
