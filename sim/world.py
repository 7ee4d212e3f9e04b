"""One province in one process: the hub, its officers, its stations, and what goes wrong, all on one agenda.

Three phases. Warm-up (no faults): the hub is founded, accounts made, stations registered and enrolled over
their real lines. Faults: from the evening before the first broadcast day until late on the last. Calm:
everything is powered and connected again, and the promises of convergence are called in. Everything that
happens is noted in a running hash, the trace: the same seed gives the same trace.

Bound: this file says when; how a fault works is in `link`, `power`, `players`, `site` and `headquarters`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256

import httpx2

from hub import Hub
from ledger.facts import Right, at
from node import Done, FetchJob, PlayItem, SyncJob
from sim.checkers import Checkers, Violation
from sim.clock import Agenda
from sim.cluster_truth import judge
from sim.debts import Debt, debt_of, told_by
from sim.faults import Dice, Rates
from sim.headquarters import Headquarters
from sim.link import FATES, Answer
from sim.mishaps import Mishaps
from sim.oracle import Card
from sim.scenarios import Scenario
from sim.site import Site
from sim.workload import ADMIN, APPROVER, COMMUNE, EDITOR, PASSWORDS, MustBeRefused, Office

HOUR_S = 3600.0
OPENS_MINUTE = 17 * 60  # of the day before the first broadcast day
FAULTS_MINUTE = 19 * 60
CALM_MINUTE = 23 * 60  # of the last broadcast day
CALM_PERIODS = 4  # sync periods within which everything must have arrived
# Refusals of the hub that a healthy line may show: content not there yet, too many at once.
HEALTHY_REFUSALS = frozenset({"hub-busy", "blob-absent"})


@dataclass(frozen=True)
class Hour:
    """One line of a live run."""

    virtual_s: float
    powered: int
    stations: int
    hub_up: bool
    up: int
    down: int
    sounds: int
    faults: int
    segments: int


class World:
    """`run()` plays the whole thing; it returns after calm or raises the first Violation."""

    def __init__(
        self,
        seed: int,
        scenario: Scenario,
        days: int,
        *,
        rates: Rates,
        without: Collection[str] = (),
        sync_period_s: int,
        clusters: int = 0,
        tell: Callable[[Hour], None] = lambda hour: None,
    ) -> None:
        first = scenario.first_day
        self.scenario = scenario
        self.days = days
        self.rates = rates
        self.sync_period_s = sync_period_s
        self.clusters = clusters  # receivers at each station
        self.dice = Dice(seed, without=without)
        self.agenda = Agenda(float(at(first - 1, OPENS_MINUTE)))
        self.faults_from_s = float(at(first - 1, FAULTS_MINUTE))
        self.faults_until_s = float(at(first + days - 1, CALM_MINUTE))
        self.end_s = self.faults_until_s + CALM_PERIODS * sync_period_s
        self.sometimes: Counter[str] = Counter()
        self._tell = tell
        self._trace = sha256()
        self._debts: dict[bytes, Debt] = {}
        self._forks_seen = 0
        self.restored: set[str] = set()  # stations whose old card image has not spoken yet
        self.headquarters = Headquarters(
            self.agenda,
            self.dice,
            province=scenario.province,
            password=PASSWORDS[ADMIN],
            replied=self._replied,
            started=self._hub_started,
            died=lambda why: self.mishaps.hub_died(why),
        )
        self.office = Office(
            scenario,
            self.dice,
            hub=lambda: self.headquarters.hub,
            act=self._act,
            later=self.agenda.at,
            now=lambda: self.agenda.now,
        )
        self.sites = {place.unit: Site(self, place) for place in scenario.it}
        self.mishaps = Mishaps(self)
        self.checkers = Checkers()

    # -- the course of things --------------------------------------------------------------------------------

    def run(self) -> None:
        self._found()
        self.office.plan(self.days)
        self.mishaps.plan()
        for hour in range(1, int((self.end_s - self.agenda.now) // HOUR_S) + 1):
            self.agenda.at(self.agenda.now + hour * HOUR_S, self._hourly)
        self.agenda.run_until(self.faults_until_s)
        self.mishaps.end()
        self.agenda.run_until(self.end_s - self.sync_period_s)
        self._call_in()
        self.agenda.run_until(self.end_s)
        self._judge()

    @property
    def trace(self) -> str:
        return self._trace.hexdigest()

    def note(self, station: str, kind: str, detail: str = "") -> None:
        self._trace.update(f"{self.agenda.now:.3f}|{station}|{kind}|{detail}\n".encode())

    def faulty(self) -> bool:
        return self.faults_from_s <= self.agenda.now < self.faults_until_s

    def bytes_moved(self) -> tuple[int, int]:
        meters = [site.transport.meter for site in self.sites.values()]
        return sum(meter.up for meter in meters), sum(meter.down for meter in meters)

    # -- warm-up ---------------------------------------------------------------------------------------------

    def _found(self) -> None:
        house, now = self.headquarters, int(self.agenda.now)
        house.boot()
        hub = house.hub
        assert hub is not None
        self.office.staff(hub)
        admin = self.office.officer(hub, ADMIN)
        hub.commands.register_stations(
            admin, [(place.unit, place.name, place.kind) for place in self.scenario.places], now=now
        )
        province, first = self.scenario.province, self.scenario.it[0].unit
        for account, rights, territory in (
            (EDITOR, Right.DRAFT | Right.SCHEDULE, province),
            (APPROVER, Right.APPROVE | Right.SCHEDULE | Right.EMERGENCY | Right.CANCEL, province),
            (COMMUNE, Right.APPROVE | Right.SCHEDULE | Right.EMERGENCY | Right.CANCEL, first),
        ):
            key_id = self.office.officer(hub, account).key.key_id
            self.checkers.decisions.trust(key_id, rights, territory)
        tokens = hub.commands.new_station_tokens(admin, list(self.sites), now=now)
        for site, token in zip(self.sites.values(), tokens, strict=True):
            assert site.unit == token.unit
            site.enrol(token.text)
            self.checkers.add(Card(site.unit, site.key_id()))
            self.agenda.after(self.dice.between(0.0, 1800.0, site.unit, "first-boot", 0), site.boot)

    # -- what is seen on the way -----------------------------------------------------------------------------

    def _act(self, what: str, act: Callable[[], None]) -> bool:
        """An officer's act; False when the power went in the middle."""
        done = self.headquarters.act(act)
        self.note("office", what, str(done))
        hub = self.headquarters.hub
        if hub is not None:
            with self.headquarters.store.fuse.looking():
                self.checkers.saw_hub(hub.ledger)
        return done

    def serve(self, request: httpx2.Request) -> Answer:
        return self.headquarters.serve(request)

    def partly(self, request: httpx2.Request, part: bytes) -> None:
        self.sometimes["request broke off on the way"] += 1
        self.headquarters.partly(request, part)

    def _replied(self, hub: Hub, reply: bytes) -> None:
        for receipt in self.checkers.replied(hub.ledger, reply):
            self.note("hub", "receipt", f"{receipt.log} {receipt.next_seq} {receipt.head_hash.hex()}")

    def _hub_started(self, hub: Hub, rolled_back: bool) -> None:
        self.note("hub", "boot")
        self.checkers.hub_started(hub.ledger, rolled_back=rolled_back)

    def exchanged(self, site: Site, job: SyncJob | FetchJob, done: Done, fate: str) -> None:
        self.note(
            site.unit, "exchange", f"{type(job).__name__} {fate} {done.error.code if done.error else 'ok'}"
        )
        if fate:
            self.sometimes[fate] += 1
            if fate == FATES["portal"] and done.error is not None:
                self.sometimes["captive portal refused"] += 1
        elif done.error is not None and done.error.code not in HEALTHY_REFUSALS:
            raise Violation("link", f"refused on a healthy line: {done.error}", site.unit)

    def sealed(self, site: Site, marks: list[bytes]) -> None:
        for mark in marks:
            self.note(site.unit, "sealed", mark.hex())
        if marks and site.unit in self.restored:
            self.restored.discard(site.unit)
            self.sometimes["new log after an old image"] += 1

    def heard(self, site: Site, item: PlayItem) -> None:
        station = site.station
        assert station is not None
        self.note(site.unit, "sound", f"{item.series} {item.day} {item.offset_ds}")
        with site.store.fuse.looking():
            self.checkers.heard(self.checkers.card_of(site.unit), station.ledger, item, self.agenda.now)
        k = site.sounds
        if self.faulty() and self.dice.hit(site.unit, "cut_in_play", k, self.rates.cut_in_play):
            after_s = self.dice.between(0.0, item.planned_ds / 10, site.unit, "cut_in_play/when", k)
            self.agenda.after(after_s, lambda: site.cut_power("power cut"))

    def _hourly(self) -> None:
        hub = self.headquarters.hub
        hour = int(self.agenda.now // HOUR_S)
        if hub is not None:
            units = list(self.sites)
            unit = units[hour % len(units)]
            with self.headquarters.store.fuse.looking():
                self.checkers.view(hub, unit)
                forks = len(hub.ledger.forks())
            self.sometimes["fork seen"] += max(0, forks - self._forks_seen)
            self._forks_seen = max(self._forks_seen, forks)
        up, down = self.bytes_moved()
        self._tell(
            Hour(
                virtual_s=self.agenda.now,
                powered=sum(site.station is not None for site in self.sites.values()),
                stations=len(self.sites),
                hub_up=hub is not None,
                up=up,
                down=down,
                sounds=sum(len(card.all_sounds) for card in self.checkers.cards.values()),
                faults=self.sometimes.total(),
                segments=self.checkers.hub.position,
            )
        )

    # -- calm ------------------------------------------------------------------------------------------------

    def _call_in(self) -> None:
        """What must have arrived when calm ends: what there is one sync period before."""
        hub = self.headquarters.hub
        assert hub is not None, "the hub is up in calm"
        told = told_by(hub.ledger, self.checkers.decisions.smuggled)
        accused = {evidence.log for evidence in hub.ledger.forks()}
        for card in self.checkers.cards.values():
            station = self.sites[card.unit].station
            assert station is not None, "stations are up in calm"
            self._debts[card.key_id] = debt_of(card, station.ledger, told, accused & card.contradicted)

    def _judge(self) -> None:
        hub = self.headquarters.hub
        assert hub is not None
        for card in self.checkers.cards.values():
            station = self.sites[card.unit].station
            assert station is not None
            card.refresh_known(station.ledger)
            self.checkers.view(hub, card.unit)
            debt = self._debts[card.key_id]
            self.checkers.converged(card, debt)
            self.checkers.accounted(card, debt)
            self.checkers.answered(card, self.faults_until_s)
            bank = self.sites[card.unit].bank
            if bank is not None:
                self.sometimes["cluster vector judged"] += judge(hub, card.unit, bank)


__all__ = ["Hour", "MustBeRefused", "World"]
