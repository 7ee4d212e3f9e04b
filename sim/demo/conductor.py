"""One broadcast day with real processes: the conductor of `loa sim demo`.

It sets the stage (`site`), lets officers work (`staff`), turns the clock (`tempo`), breaks what
the plan of faults says (`faults`, `proxy`, `processes`), and asks at the end, from the ledger files
alone, whether everybody has everything (`watch`) and what was played (`report`). The main thread
conducts; the stations without a process live in a thread of theirs (`crowd`), as do the proxy, the
supervisor, and the officers.

Bound: order and timing. Each part's work is in its own room.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from ledger.log import DiskStore, LoaError
from ledger.tempo import Tempo
from sim.demo import site
from sim.demo.crowd import Crowd
from sim.demo.day import AFTER_SPEED, NAMED, VIET_THANH, Stage, script
from sim.demo.faults import Faults, plan
from sim.demo.news import NEWS
from sim.demo.pace import Pacer
from sim.demo.site import Folder
from sim.demo.sound import speaker
from sim.demo.staff import Staff
from sim.demo.view import Picture, Screen
from sim.demo.watch import HubState, HubWatch, open_ledger
from sim.processes import Supervisor
from sim.proxy import FaultProxy, SeededWeather
from sim.report import figures, summary
from sim.scenarios import Scenario, load
from sim.tempo import Beat, Metronome, planned

STEP_S = 0.05
"""The conductor looks at the clock so often (real seconds); within a lens that is 3 s of the story."""
SHOW_S = 0.2
NIGHT_S = 0.5
"""From the eve to 04:30; then the clock goes at the speed of the wall until the boxes are up."""
HUB_DOWN_S = 0.3
NODE_DOWN_S = 0.5
CHECK_S = 0.25
CALM_WAIT_S = 20.0
"""Real seconds after the story's deadline before giving up; the clock then runs at the speed of the wall."""


@dataclass
class Options:
    seed: int = 1
    stations: int = 70
    port: int = 0
    lang: str = "en"


class Demo:
    """One run. Use as a context manager; `day()` plays it, `wait()` keeps it up until Ctrl-C."""

    def __init__(self, folder: Folder, options: Options, screen: Screen) -> None:
        self.folder, self.options, self.screen = folder, options, screen
        self.stage, self.script = Stage(), script()
        self.places: Scenario = load("yen-bai-2022").take(options.stations)
        self.named = [place for place in self.places.it if place.unit in NAMED]
        self.simulated = [place.unit for place in self.places.it if place.unit not in NAMED]
        self.url = ""
        self._started = time.monotonic()
        self._kills = 0
        self._words = NEWS[options.lang]
        self._stack = ExitStack()
        self._faults = Faults()
        self._stormy = False

    def __enter__(self) -> Demo:
        with ExitStack() as stack:
            tempo = Tempo(((time.monotonic(), self.stage.eve_s),))
            self.metronome = Metronome(self.folder.tempo, tempo)
            self.proxy = stack.enter_context(FaultProxy())
            self.family = stack.enter_context(Supervisor(self.folder.pids))
            self.crowd = Crowd(self.metronome, self.options.seed)
            stack.callback(self.crowd.stop)
            self.pacer = Pacer(
                self.metronome, self.crowd, self.family, self.stage, lambda: self.tell("slower")
            )
            self.office = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="office"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def tell(self, what: str, **values: object) -> None:
        self.screen.tell(self.metronome.now(), self._words[what].format(**values))

    # ---- the day ----

    def day(self) -> dict[str, object]:
        """Plays it all; the summary. Raises LoaError when the stage cannot be set."""
        self._set_stage()
        self._power_on()
        watch = HubWatch(self.folder.hub, self._roots)
        try:
            self._play(watch)
            lacking = self._converge(watch)
            self._show(watch)
        finally:
            watch.close()
        self.metronome.settle()
        self.tell("not_converged", why=_first(lacking)) if lacking else self.tell("converged")
        return self._account(watch, lacking)

    def wait(self) -> None:
        """Until Ctrl-C; everything runs on, at the speed of the wall."""
        while True:
            time.sleep(1.0)
            self.crowd.check()

    def _set_stage(self) -> None:
        self.tell("founding", it=len(self.places.it), fm=len(self.places.fm))
        tokens = site.found_hub(self.folder, self.places.places)
        port = site.start_hub(self.folder, self.family, self.options.port)
        self.url = f"http://127.0.0.1:{port}"
        self.proxy.upstream = ("127.0.0.1", port)
        self.pacer.hub_port = port
        self.tell("hub_up", url=self.url, pid=self.family.state(site.HUB).pid)
        ports = {place.unit: self.proxy.open(place.unit) for place in self.places.it}
        self.staff = Staff(lambda: self.url, self.script, [p.unit for p in self.named], self.tell)
        self._stack.callback(self.staff.close)
        self.tell("sound_speech" if speaker() else "sound_chime")
        written = self.office.submit(self.staff.write_eve)
        with ThreadPoolExecutor(len(self.named) or 1) as pool:
            commands = [
                pool.submit(site.enrol_process, self.folder, p.unit, tokens[p.unit], ports[p.unit])
                for p in self.named
            ]
            self._faults = plan(self.options.seed, self.simulated, self.stage)
            boxes = site.enrol_simulated(self.simulated, tokens, ports)
            for command in commands:
                command.result()
        for config, store in boxes:
            self.crowd.add(config, store, self._faults.cuts.get(config.unit, ()))
        self._roots = site.roots_of(self.folder, self.named[0].unit)
        written.result()
        self.tell("enrolled", count=len(self.places.it))

    def _power_on(self) -> None:
        """Turns the clock to the morning, starts the boxes, and lets the day begin when they are up."""
        stage, metronome = self.stage, self.metronome
        night = [Beat(stage.power_on_s, NIGHT_S)]
        metronome.set(planned(time.monotonic(), metronome.now(), night))
        for place in self.named:
            site.start_node(self.folder, self.family, place.unit)
        self.proxy.weather = SeededWeather(
            self.options.seed, self._faults.windows, now=metronome.now, is_stormy=lambda: self._stormy
        )
        for place in self.named:
            self.family.wait_line(place.unit, "READY ", timeout_s=site.READY_TIMEOUT_S)
        while (left_s := metronome.real_until(stage.power_on_s)) > 0:
            time.sleep(min(left_s, STEP_S))
        starts = [b.clock for b in self.script.bulletins if b.fate == "approved"]
        now = metronome.now()
        beats = list(stage.beats(now, starts))
        beats.append(Beat(stage.deadline_s, (stage.deadline_s - stage.end_s) / AFTER_SPEED))
        metronome.set(planned(time.monotonic(), now, beats))
        self._stormy = True
        self.crowd.start()
        self.tell("day", named=", ".join(short(p.name) for p in self.named), simulated=len(self.simulated))

    def _play(self, watch: HubWatch) -> None:
        """From 04:30 to 20:30: acts at their times, the picture in between."""
        acts = self._acts()
        shown = 0.0
        under_way: list[Future[None]] = []
        deaths = self._deaths()
        while self.metronome.now() < self.stage.end_s:
            while acts and self.metronome.now() >= acts[0][0]:
                under_way.append(acts.pop(0)[1]())
            for done in [act for act in under_way if act.done()]:
                under_way.remove(done)
                done.result()
            now = time.monotonic()
            if now - shown >= SHOW_S:
                shown = now
                self.crowd.check()
                self._show(watch)
                deaths = self._note_restarts(deaths)
            self.pacer.step(writing=bool(under_way))
            time.sleep(STEP_S)
        for act in under_way:
            act.result()

    def _acts(self) -> list[tuple[float, Callable[[], Future[None]]]]:
        """(story time, what to start then): officers' acts in the office, kills and the calm at once."""
        stage = self.stage

        def later(act: Callable[[], None]) -> Callable[[], Future[None]]:
            return lambda: self.office.submit(act)

        def at_once(act: Callable[[], None]) -> Callable[[], Future[None]]:
            def run() -> Future[None]:
                act()
                done: Future[None] = Future()
                done.set_result(None)
                return done

            return run

        acts = [
            (stage.at("07:30"), later(self.staff.write_day)),
            (stage.at("09:30"), later(self.staff.withdraw)),
            (stage.at("11:00"), at_once(self._kill_hub)),
            (stage.at("13:59:32"), later(self.staff.order_emergency)),
            (stage.at("17:03:08"), at_once(self._kill_node)),
            (stage.calm_s, at_once(self._calm)),
        ]
        return sorted(acts, key=lambda act: act[0])

    def _kill_hub(self) -> None:
        self._kills += 1
        self.tell("hub_kill", pid=self.family.kill(site.HUB, down_s=HUB_DOWN_S))

    def _kill_node(self) -> None:
        for place in self.named:
            if place.unit == VIET_THANH:
                self._kills += 1
                self.tell(
                    "node_kill", name=short(place.name), pid=self.family.kill(place.unit, down_s=NODE_DOWN_S)
                )

    def _calm(self) -> None:
        self._stormy = False
        self.tell("calm")

    # ---- looking ----

    def _show(self, watch: HubWatch) -> None:
        now, total = self.metronome.now(), self.proxy.totals()
        pids = {child.name: child.pid for child in self.family.states()}
        dark = set(self.simulated) - self.crowd.powered()
        dark |= {place.unit for place in self.named if not pids.get(place.unit)}
        picture = Picture(
            clock_s=now,
            speed=self.metronome.speed(),
            hub_pid=pids.get(site.HUB, 0),
            named=[(place.unit, short(place.name), pids.get(place.unit, 0)) for place in self.named],
            simulated=self.simulated,
            dark=dark,
            offline=self._faults.lines_down(now),
            reading=watch.poll(),
            fm=len(self.places.fm),
            up=total.up,
            down=total.down,
            faults=sum(total.faults.values()),
        )
        self.screen.show(picture)

    def _deaths(self) -> dict[str, int]:
        return {child.name: child.deaths for child in self.family.states() if child.pid}

    def _note_restarts(self, before: dict[str, int]) -> dict[str, int]:
        """Tells of every child that is back after a death, whoever killed it."""
        now = self._deaths()
        names = {place.unit: short(place.name) for place in self.named}
        for name, deaths in now.items():
            if deaths > before.get(name, 0):
                self.tell("restarted", name=names.get(name, name), pid=self.family.state(name).pid)
        return {**before, **now}

    def _converge(self, watch: HubWatch) -> dict[str, str]:
        """Waits until everybody has everything; station → what it lacks when time is up."""
        until: float | None = None
        while True:
            lacking = self._lacking(watch)
            if not lacking:
                return {}
            if self.metronome.now() >= self.stage.deadline_s:
                until = until or time.monotonic() + CALM_WAIT_S
                if time.monotonic() > until:
                    return lacking
            self.crowd.check()
            self.pacer.step()
            self._show(watch)
            time.sleep(CHECK_S)

    def _lacking(self, watch: HubWatch) -> dict[str, str]:
        watch.poll()
        units = [place.unit for place in self.places.it]
        try:
            state = HubState.of(watch.ledger, units)
            found = {p.unit: state.process_lacks(p.unit, self.folder.node(p.unit)) for p in self.named}
        except LoaError as error:
            return {"hub": str(error)}
        found.update(self.crowd.ask(state.member_lacks))
        return {unit: why for unit, why in found.items() if why}

    # ---- the end ----

    def _account(self, watch: HubWatch, lacking: dict[str, str]) -> dict[str, object]:
        """The auditor's turn: the hub's ledger from its first byte, with nothing but the roots."""
        store = DiskStore(self.folder.hub, readonly=True)
        try:
            found = figures(
                open_ledger(store),
                roots=self._roots,
                first_day=self.stage.day,
                days=1,
                until_s=self.stage.end_s,
            )
        finally:
            store.close()
        total, seen = self.proxy.totals(), watch.reading
        cpu = {child.name: round(child.cpu_s, 2) for child in self.family.states()}
        own = resource.getrusage(resource.RUSAGE_SELF)
        cpu["conductor"] = round(own.ru_utime + own.ru_stime, 2)
        return summary(
            found,
            seed=self.options.seed,
            converged=not lacking,
            up=total.up,
            down=total.down,
            not_converged=_first(lacking),
            evidence={level.name.lower(): count for level, count in seen.evidence.items()},
            withdrawals_seen=seen.withdrawals_seen,
            exchanges=total.exchanges,
            faults=dict(sorted(total.faults.items())),
            power_cuts=sum(len(cuts) for cuts in self._faults.cuts.values()),
            kills=self._kills,
            starts={child.name: child.starts for child in self.family.states()},
            stretched=round(self.pacer.stretched, 2),
            waited_s=round(self.pacer.waited_s, 1),
            wall_s=round(time.monotonic() - self._started, 1),
            cpu_s=cpu,
            url=self.url,
            folder=str(self.folder.root),
        )


def held(said: dict[str, object]) -> bool:
    """Whether the day kept every promise: all arrived, nothing unapproved or twice played, all verifies."""
    signatures = said["signatures"]
    assert isinstance(signatures, dict)
    return bool(
        said["converged"]
        and not said["unapproved_played"]
        and not said["played_twice"]
        and not signatures["failed"]
    )


def short(name: str) -> str:
    """ "Xã Tú Lệ" → "Tú Lệ": on the screen everybody is a commune."""
    return name.removeprefix("Xã ")


def _first(lacking: dict[str, str]) -> str:
    return "; ".join(f"{unit}: {why}" for unit, why in list(lacking.items())[:4])
