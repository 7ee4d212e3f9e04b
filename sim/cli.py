"""`loa sim …`: run a province in virtual time, watch it, and replay a failure from its seed.

Exit codes of `run`: 0 everything held, 1 a promise was broken, 2 not everything arrived, 3 it crashed.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import click

from sim.faults import Dice
from sim.mishaps import HUB_RESTORED
from sim.planted import PLANTED
from sim.report import in_words
from sim.run import CRASHED, VIOLATED, Report, Setting, local_time, run
from sim.scenarios import NAMES
from sim.world import Hour

# Other people's commands of this group, loaded only when somebody asks for them: name → module:object.
LATER = {
    "bench": "sim.bench.cli:bench",
    "clusters": "sim.clusters_cli:clusters",
    "demo": "sim.demo.cli:demo",
    "offline": "sim.offline_cli:offline",
}


class LazyGroup(click.Group):
    """A group whose heavier commands are imported when they are called, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *LATER})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands and cmd_name in LATER:
            module, name = LATER[cmd_name].split(":")
            self.add_command(getattr(import_module(module), name), cmd_name)
        return super().get_command(ctx, cmd_name)


@click.group(cls=LazyGroup)
def sim() -> None:
    """The province in one process: real hub, real stations, virtual time, and every fault from one seed."""


@sim.command("run")
@click.option(
    "--stations", type=click.IntRange(min=1), help="how many IT stations (default: all of the scenario)"
)
@click.option("--days", type=click.IntRange(min=1), default=1, show_default=True, help="broadcast days")
@click.option(
    "--seed", type=int, default=1, show_default=True, help="the same seed gives the same run, bit for bit"
)
@click.option("--scenario", type=click.Choice(NAMES), default="yen-bai-2022", show_default=True)
@click.option(
    "--faults", type=click.FloatRange(min=0), default=1.0, show_default=True, help="scales every fault rate"
)
@click.option("--no-swarm", is_flag=True, help="base fault rates instead of this seed's own")
@click.option("--sync-period", type=click.IntRange(min=60), default=3600, show_default=True, help="seconds")
@click.option(
    "--clusters", type=click.IntRange(0, 102), default=0, show_default=True, help="receivers at each station"
)
@click.option(
    "--plant",
    type=click.Choice(sorted(PLANTED)),
    help="break the product on purpose; the checkers must see it",
)
@click.option(
    "--only",
    multiple=True,
    metavar="UNIT",
    help="keep only this station (repeat); the others' rolls stay as they were",
)
@click.option(
    "--without", multiple=True, metavar="FAULT", help="take out KIND, UNIT:KIND or UNIT:KIND:K (repeat)"
)
@click.option(
    "--twice",
    is_flag=True,
    help="run again in another process with another PYTHONHASHSEED; traces must agree",
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object on standard output, nothing else")
def run_command(
    stations: int | None,
    days: int,
    seed: int,
    scenario: str,
    faults: float,
    no_swarm: bool,
    sync_period: int,
    clusters: int,
    plant: str | None,
    only: tuple[str, ...],
    without: tuple[str, ...],
    twice: bool,
    as_json: bool,
) -> None:
    """Run STATIONS for DAYS virtual days and say what came of it."""
    setting = Setting(
        seed=seed,
        stations=stations,
        days=days,
        scenario=scenario,
        planted=plant or "",
        only=only,
        without=without,
        faults=faults,
        swarm=not no_swarm,
        sync_period_s=sync_period,
        clusters=clusters,
    )
    logging.getLogger("loa").addHandler(logging.NullHandler())  # what stations log is not the tester's
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    live = Live(enabled=not as_json and sys.stderr.isatty())
    with crash_code(setting):
        report = run(setting, tell=live.tell)
    cpu_s = time.process_time() - began_cpu_s
    agree = same_elsewhere(setting, report) if twice else None
    if as_json:
        click.echo(json.dumps(with_replay(report, agree), ensure_ascii=False, indent=2))
    else:
        for line in words(report, agree, cpu_s, time.monotonic() - began_s):
            click.echo(line)
    sys.exit(VIOLATED if agree is False else report.exit_code)


@contextmanager
def crash_code(setting: Setting) -> Iterator[None]:
    """A bug, ours or the product's, ends with its whole story and a stable exit code of its own."""
    finished = False
    try:
        yield
        finished = True
    except ValueError as error:
        if getattr(error, "__notes__", None):
            raise  # it came out of the running world, not out of reading the setting
        raise click.UsageError(str(error)) from None
    finally:
        if not finished and not isinstance(sys.exc_info()[1], click.ClickException | KeyboardInterrupt):
            traceback.print_exc()
            click.echo(f"sim: the run crashed. Replay: {setting.command()}", err=True)
            sys.exit(CRASHED)


class Live:
    """One line per virtual hour on standard error, when somebody is looking."""

    def __init__(self, *, enabled: bool) -> None:
        self._console = None
        self._began_s = time.monotonic()
        if enabled:
            from rich.console import Console

            self._console = Console(stderr=True, highlight=False)

    def tell(self, hour: Hour) -> None:
        if self._console is None:
            return
        hub = "hub up" if hour.hub_up else "[red]hub down[/red]"
        columns = (
            f"[bold]{local_time(hour.virtual_s)[:16]}[/bold]",
            hub,
            f"on {hour.powered}/{hour.stations}",
            f"sounds {hour.sounds:,}",
            f"segments {hour.segments:,}",
            f"up {hour.up / 1000:,.0f} kB",
            f"down {hour.down / 1000:,.0f} kB",
            f"faults {hour.faults:,}",
            f"[dim]{time.monotonic() - self._began_s:.1f} s[/dim]",
        )
        self._console.print("  ".join(columns), soft_wrap=True)


def same_elsewhere(setting: Setting, report: Report) -> bool:
    """I18: the same setting, in another process with another hash of strings, leaves the same trace."""
    code = "import sys; from sim.cli import trace_of; print(trace_of(sys.stdin.read()))"
    hash_seed = str(1 + Dice(setting.seed).below(4_000_000, "", "hash-seed", 0))
    other = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(vars(setting)),
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return other.stdout.split()[-1] == report.trace


def trace_of(setting: str) -> str:
    """The trace of a setting given as JSON; what `same_elsewhere` runs in its child."""
    told = json.loads(setting)
    told |= {"only": tuple(told["only"]), "without": tuple(told["without"])}
    return run(Setting(**told)).trace


def with_replay(report: Report, agree: bool | None) -> dict[str, object]:
    said = dict(report.summary)
    if agree is not None:
        invariants = dict(_table(said, "invariants"))
        invariants["checks"] = {**_table(invariants, "checks"), "I18": 1}
        if not agree:
            violations = invariants["violations"]
            assert isinstance(violations, list)
            broken = {
                "invariant": "I18",
                "what": "another trace from the same seed",
                "where": "",
                "virtual": "",
            }
            invariants["violations"] = [*violations, broken]
        said["invariants"] = invariants
    return said


def words(report: Report, agree: bool | None, cpu_s: float, wall_s: float) -> list[str]:
    """The report for a person."""
    lines = in_words(report.summary) if "slots" in report.summary else []
    if report.sometimes[HUB_RESTORED] and report.summary.get("unapproved_played"):
        lines.append(
            '(What was played "without approval" had one: it was lost with the hub\'s disk, see below.)'
        )
    faults = ", ".join(f"{name} {count:,}" for name, count in report.sometimes.items())
    checks = ", ".join(f"{name} {count:,}" for name, count in report.checks.items())
    lines += ["", f"What happened on the way: {faults}.", f"Promises checked: {checks}."]
    if agree is not None:
        lines.append(
            "I18: the same seed gave the same trace in another process."
            if agree
            else "I18 BROKEN: another trace."
        )
    if report.broken is None:
        lines.append("Every promise held.")
    else:
        broken = report.broken
        where = f" at {broken.where}" if broken.where else ""
        lines += [
            "",
            f"BROKEN {broken.invariant}: {broken.what}{where}",
            f"  seed {report.setting.seed}, virtual time {broken.virtual}",
        ]
    lines += [
        f"  replay: {report.setting.command()}",
        f"  trace {report.trace}",
        f"  {report.station_days} station-days in {cpu_s:.1f} s of CPU"
        f" ({report.station_days / max(cpu_s, 1e-9):.1f} a second), {wall_s:.1f} s by the wall",
    ]
    return lines


def _table(said: dict[str, object], name: str) -> dict[str, object]:
    value = said[name]
    assert isinstance(value, dict)
    return value
