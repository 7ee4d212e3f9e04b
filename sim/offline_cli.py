"""`loa sim offline`: months without a line and with power cuts, from seeds, each judged.

Exit codes: 0 everything held, 1 something did not.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

import click

from sim.offline import Month
from sim.offline_truth import Told


@click.command()
@click.option("--seed", default=1, show_default=True, help="The first seed.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 45), help="Without a line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a seed.")
def offline(seed: int, seeds: int, days: int, as_json: bool) -> None:
    """Runs one station for a month without a line, with power cuts, and judges every slot.

    About eight seconds of processor time a seed.
    """
    failed = 0
    for one in range(seed, seed + seeds):
        told = _quietly(Month(one, days))
        failed += bool(told.problems)
        if as_json:
            click.echo(json.dumps(asdict(told), ensure_ascii=False))
            continue
        for line in _lines(told, days):
            click.echo(line)
    if failed:
        raise SystemExit(1)


def _quietly(month: Month) -> Told:
    """A line that is gone for a month is no news."""
    logger = logging.getLogger("loa.node")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        return month.run()
    finally:
        logger.setLevel(before)


def _lines(told: Told, days: int) -> list[str]:
    said = ", ".join(f"{count} {name}" for name, count in told.outcomes.items())
    lines = [
        f"seed {told.seed}: {days} days, {told.cuts} power cuts ({told.cuts_inside} inside a write), clock: "
        f"{told.clock}",
        f"  {told.slots} slots: {said}",
    ]
    lines += [f"  BROKEN {problem}" for problem in told.problems]
    if told.problems:
        lines.append(f"  again: loa sim offline --seed {told.seed} --seeds 1 --days {days}")
    return lines
