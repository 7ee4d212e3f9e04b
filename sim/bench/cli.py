"""`loa sim bench TOPIC`: measures, prints a table or one JSON object. Never fails because a figure is low.

Bound: options and printing.
"""

from __future__ import annotations

import json
from importlib import import_module

import click

from sim.bench.peer_table import lines as peer_lines
from sim.bench.table import TARGETS, lines

SEED = 20261101


@click.command()
@click.argument("topic", type=click.Choice([*TARGETS, "all", "peers"]))
@click.option("--seed", default=SEED, show_default=True, help="Draws another workload of the same kind.")
@click.option("--stations", type=click.IntRange(min=1), help="Of 1,000 each (ingest 100, reports 173, or 20)")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, last line.")
def bench(topic: str, seed: int, stations: int | None, as_json: bool) -> None:
    """Measure bytes and speed on the workloads of `sim/bench/workload.py`."""
    if topic == "peers":  # others' programs, so never part of `all`
        peers = import_module("sim.bench.peers").measure(seed, **({"stations": stations} if stations else {}))
        click.echo(json.dumps(peers) if as_json else "\n".join(peer_lines(peers)))
        return
    topics = list(TARGETS) if topic == "all" else [topic]
    found = {}
    for name in topics:
        more = {"stations": stations} if stations and name in ("ingest", "sync", "sim", "reports") else {}
        found[name] = import_module(f"sim.bench.{name}").measure(seed, **more)
        if not as_json:
            _print(name, lines(name, found[name]))
    if as_json:
        click.echo(json.dumps(found if topic == "all" else found[topic]))


def _print(name: str, rows: list[tuple[str, str, str, str]]) -> None:
    click.echo(f"\n{name}")
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for what, figure, wanted, met in rows:
        line = f"  {what:<{widths[0]}}  {figure:>{widths[1]}}  {wanted:<{widths[2]}}  {met}"
        click.echo(line.rstrip())
