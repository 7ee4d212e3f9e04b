"""One run of the simulator: a `Setting` in, a `Report` out; the same setting gives the same report.

A broken promise is part of the report (with the command that replays it); any other exception is a bug of
ours or of the product and rises with the seed and the virtual time noted on it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from ledger.facts import UTC_OFFSET_S, iso, local_day, minute_of_day
from sim.checkers import WITHIN_A_RUN, Violation
from sim.faults import Dice, Rates, swarm
from sim.mishaps import HUB_RESTORED
from sim.planted import PLANTED, plant
from sim.report import figures, summary
from sim.scenarios import load
from sim.workload import MustBeRefused
from sim.world import Hour, World

HELD, VIOLATED, NOT_CONVERGED, CRASHED = 0, 1, 2, 3
SYNC_PERIOD_S = 3600
# Broken only at the end, when what should have arrived has not.
LIVENESS = frozenset({"I3"})


# What a run of some size should have met; one that never did proves less than it seems to.
SOMETIMES = (
    "captive portal refused",
    "fork seen",
    HUB_RESTORED,
    "hub: power cut inside a request",
    "machine resumed from a snapshot",
    "new log after an old image",
    "power cut inside a tick",
    "power cut while playing",
    "reply lost",
)


@dataclass(frozen=True)
class Setting:
    """Everything a run depends on. stations None: all of the scenario. faults: scales every rate."""

    seed: int = 1
    stations: int | None = None
    days: int = 1
    scenario: str = "yen-bai-2022"
    planted: str = ""
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    faults: float = 1.0
    swarm: bool = True
    sync_period_s: int = SYNC_PERIOD_S
    clusters: int = 0

    def command(self) -> str:
        """The command line that runs exactly this."""
        words = [
            "loa",
            "sim",
            "run",
            "--seed",
            str(self.seed),
            "--days",
            str(self.days),
            "--scenario",
            self.scenario,
        ]
        if self.stations is not None:
            words += ["--stations", str(self.stations)]
        if self.planted:
            words += ["--plant", self.planted]
        for unit in self.only:
            words += ["--only", unit]
        for name in self.without:
            words += ["--without", name]
        if self.faults != 1.0:
            words += ["--faults", f"{self.faults:g}"]
        if not self.swarm:
            words.append("--no-swarm")
        if self.sync_period_s != SYNC_PERIOD_S:
            words += ["--sync-period", str(self.sync_period_s)]
        if self.clusters:
            words += ["--clusters", str(self.clusters)]
        return shlex.join(words)


@dataclass(frozen=True)
class Broken:
    """The promise that was broken, when (virtual, local) and where."""

    invariant: str
    what: str
    where: str
    virtual: str


@dataclass(frozen=True)
class Report:
    """What a run came to. `summary` is the JSON object."""

    setting: Setting
    broken: Broken | None
    trace: str
    checks: dict[str, int]
    sometimes: dict[str, int]
    station_days: int
    summary: dict[str, object] = field(repr=False)

    @property
    def exit_code(self) -> int:
        if self.broken is None:
            return HELD
        return NOT_CONVERGED if self.broken.invariant in LIVENESS else VIOLATED


def run(setting: Setting, *, tell: Callable[[Hour], None] = lambda hour: None) -> Report:
    """Plays one setting to its end or to the first broken promise."""
    scenario = load(setting.scenario, setting.stations)
    if setting.only:
        scenario = scenario.only(setting.only)
    base = Rates().scaled(setting.faults)
    rates = swarm(Dice(setting.seed), base) if setting.swarm else base
    without = setting.without
    if setting.planted:
        bug = PLANTED[setting.planted]
        rates, without = replace(rates, **bug.rates), (*without, *bug.without)
    broken: Broken | None = None
    with plant(setting.planted) if setting.planted else nullcontext():
        world = World(
            setting.seed,
            scenario,
            setting.days,
            rates=rates,
            without=without,
            sync_period_s=setting.sync_period_s,
            clusters=setting.clusters,
            tell=tell,
        )
        try:
            world.run()
        except Violation as violation:
            broken = Broken(
                violation.invariant, violation.what, violation.where, local_time(world.agenda.now)
            )
        except MustBeRefused as allowed:
            broken = Broken("I4", str(allowed), "hub", local_time(world.agenda.now))
        except Exception as error:
            error.add_note(f"virtual time {local_time(world.agenda.now)}; replay: {setting.command()}")
            raise
    return _report(setting, world, broken)


def _report(setting: Setting, world: World, broken: Broken | None) -> Report:
    checks = {name: world.checkers.checks[name] for name in (*WITHIN_A_RUN, "I17")}
    idle = [name for name in WITHIN_A_RUN if not checks[name]]
    if broken is None and idle:
        broken = Broken(idle[0], "this promise was never put to the test", "", local_time(world.agenda.now))
    said: dict[str, object] = {"seed": setting.seed}
    hub = world.headquarters.hub
    if hub is not None:
        found = figures(
            hub.ledger,
            roots=world.headquarters.roots,
            first_day=world.scenario.first_day,
            days=world.days,
            until_s=min(world.agenda.now, world.faults_until_s),
        )
        up, down = world.bytes_moved()
        said = summary(found, seed=setting.seed, converged=broken is None, up=up, down=down)
        # A hub put back from an old image may have lost the approval of what was rightly played; I4 itself is
        # asked at every sound, of what officers really signed.
        lost = world.sometimes[HUB_RESTORED] > 0
        if broken is None and (found.failed or (found.unapproved_played and not lost)):
            number, what = (
                ("I2", "segments do not verify") if found.failed else ("I4", "unapproved was played")
            )
            broken = Broken(number, f"the hub's ledger says that {what}", "", local_time(world.agenda.now))
    sometimes = {name: world.sometimes[name] for name in sorted({*SOMETIMES, *world.sometimes})}
    said |= {
        "days": setting.days,
        "scenario": setting.scenario,
        "invariants": {"checks": checks, "violations": [] if broken is None else [vars(broken)]},
        "sometimes": sometimes,
        "refused_acts": dict(sorted(world.office.refused.items())),
        "trace": world.trace,
        "replay": setting.command(),
    }
    return Report(
        setting,
        broken,
        world.trace,
        checks,
        sometimes,
        len(world.sites) * world.days,
        said,
    )


def local_time(utc_s: float) -> str:
    """`2022-11-09 14:20:05 +07`"""
    minute = minute_of_day(utc_s)
    second = int((utc_s + UTC_OFFSET_S) % 60)
    return f"{iso(local_day(utc_s))} {minute // 60:02d}:{minute % 60:02d}:{second:02d} +07"
