"""One commune in the simulator: its card, its clock, its line, and the lives its real `Station` has on them.

A life begins with `boot` and ends with a power cut (or an old card, or a resumed snapshot); the card, the
meter and the numbering of requests and sounds go on through all lives. The real code runs unchanged:
`Station` on a `MemoryStore`, `HttpTransport` on an `httpx2.Client`; only the client's transport, the
courier's timing and the clock are ours.

Two stranger faults: `put_back` is an old card image under a new process. `resume` is a machine revived from a
snapshot: the same process goes on writing the same log from an earlier point, the one way an honest station
contradicts itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx2

from ledger.log import Image
from node import (
    ClusterEntry,
    Confidence,
    Done,
    FetchJob,
    HttpTransport,
    LineDriver,
    PlayItem,
    Station,
    StationConfig,
    SyncJob,
    begin,
    clusters_toml,
    finish,
    load_config,
    load_key,
    save_config,
)
from sim.clock import StationClock
from sim.clusters import BankLine, of_address, village
from sim.courier import VirtualCourier
from sim.link import FaultyLink
from sim.players import WatchedPlayer
from sim.power import PowerCut, PoweredStore
from sim.scenarios import Place

if TYPE_CHECKING:
    from sim.world import World

HUB_URL = "http://hub.loa.invalid"
IDLE_CAP_S = 3_600.0
# A box without a battery clock hears from a time server between so and so long after its boot.
NTP_AFTER_S = (20.0, 1800.0)


@dataclass(frozen=True)
class Kept:
    """An image of the card and when it was taken. live: the log that the process of then was writing."""

    image: Image
    at_s: float
    live: bytes | None


class Site:
    """A station's place in the world. `station` is None while it has no power."""

    def __init__(self, world: World, place: Place) -> None:
        self.world = world
        self.place = place
        self.unit = place.unit
        self.store = PoweredStore()
        self.clock = StationClock(world.agenda)
        self.link = FaultyLink(
            place.unit,
            world.dice,
            world.rates,
            now=lambda: world.agenda.now,
            deliver=world.serve,
            partly=world.partly,
            later=world.agenda.after,
            start_s=world.faults_from_s,
            end_s=world.faults_until_s,
        )
        client = httpx2.Client(transport=self.link, trust_env=False)
        self.transport = HttpTransport(HUB_URL, mono=lambda: world.agenda.now, client=client)
        self.bank = village(world.clusters, world.dice, place.unit) if world.clusters else None
        self.station: Station | None = None
        self.life = 0
        self.sounds = 0
        self._courier: VirtualCourier | None = None
        self._player: WatchedPlayer | None = None
        self._due: int | None = None

    # -- once ------------------------------------------------------------------------------------------------

    def enrol(self, token: str) -> None:
        """The commune types the token in; the station asks the hub and writes down who it is."""
        entropy = self.world.dice.entropy(f"{self.unit}/enrol")
        request = begin(self.store, token, entropy=entropy, unit=self.unit)
        reply = self.transport.enrol(request)
        config = finish(self.store, request, reply, token=token, hub_url=HUB_URL)
        # In virtual time nobody wakes a station late, so it need not look up every minute for nothing.
        save_config(
            self.store, replace(config, sync_period_s=self.world.sync_period_s, idle_cap_s=IDLE_CAP_S)
        )
        if self.bank is not None:
            entries = self.bank.entries(of_address("192.0.2.1", 4_210))
            self.store.write("clusters.toml", clusters_toml(entries).encode())

    def key_id(self) -> bytes:
        return load_key(self.store).key_id

    def config(self) -> StationConfig:
        return load_config(self.store)

    # -- lives -----------------------------------------------------------------------------------------------

    def boot(self, *, confidence: Confidence = Confidence.NTP) -> None:
        """Power is back: a new process on whatever the card holds."""
        assert self.station is None
        self.life += 1
        life = self.life
        dice, name = self.world.dice, f"{self.unit}/{life}"
        self.clock.boot(
            confidence=confidence,
            skew_s=dice.between(-2.0, 2.0, self.unit, "skew", life),
            drift=dice.between(-5e-5, 5e-5, self.unit, "drift", life),
        )
        if confidence is Confidence.UNKNOWN:
            after_s = dice.between(*NTP_AFTER_S, self.unit, "ntp", life)
            self.world.agenda.after(after_s, lambda: self._ntp(life))
        courier = VirtualCourier(
            self.world.agenda,
            self.transport,
            self.link,
            wake=self._wake,
            leaves=self._leaves,
            sees=self._sees,
        )
        player = WatchedPlayer(self.unit, dice, self._device_rate, watch=self._heard, first_start=self.sounds)
        self._courier, self._player = courier, player
        try:
            self.station = Station(
                self.config(),
                self.store,
                self.clock,
                courier,
                player,
                entropy=dice.entropy(name),
                rng=dice.rng(name),
                clusters=self._drive,
            )
        except PowerCut:
            self._died("power cut at boot")
            return
        self.world.note(self.unit, "boot", f"{life} {confidence.name}")
        self._schedule(0.0)

    def tick(self) -> None:
        station, courier = self.station, self._courier
        assert station is not None
        assert courier is not None
        self._due = None
        courier.false_reply, before = False, station.agent.ok_count
        try:
            wait_s = station.tick()
        except PowerCut:
            self._died("power cut inside a tick")
            return
        if courier.false_reply:
            self.world.checkers.false_reply(self.unit, accepted=station.agent.ok_count > before)
        self._schedule(wait_s)

    def cut_power(self, why: str) -> None:
        """The power goes now, between two ticks. Coming back is the caller's business."""
        if self.station is not None:
            self._died(why)

    def put_back(self, kept: Kept) -> None:
        """Somebody puts an old image of the card into the (dead) station."""
        assert self.station is None
        self.store.restore(kept.image)
        self.world.checkers.card_of(self.unit).forget(kept.at_s)

    def resume(self, kept: Kept) -> None:
        """A machine continues from a snapshot: old card, old memory of the log it was writing."""
        self.put_back(kept)
        self.boot()
        if self.station is not None and kept.live is not None:
            self.station.ledger._live[self.station.key.key_id] = kept.live

    def keep(self) -> Kept:
        live = None
        if self.station is not None:
            with self.store.fuse.looking():
                live = self.station.ledger.live_log(self.station.key.key_id)
        return Kept(self.store.snapshot(), self.world.agenda.now, live)

    def close(self) -> None:
        if self._due is not None:
            self.world.agenda.drop(self._due)
            self._due = None

    def _died(self, why: str) -> None:
        sounding = self._player is not None and self._player.sounding
        self.world.sometimes["power cut while playing" if sounding else why] += 1
        self.world.note(self.unit, "dark", why)
        self.close()
        if self._courier is not None:
            self._courier.lose_power()
        self.station = None
        self.store.fuse.reset()
        self.store.crash()
        self.world.mishaps.went_dark(self)

    def _schedule(self, wait_s: float) -> None:
        self.close()
        self._due = self.world.agenda.after(wait_s, self.tick)

    def _wake(self) -> None:
        if self.station is not None:
            self._schedule(0.0)

    def _ntp(self, life: int) -> None:
        if self.station is not None and self.life == life and self.clock.confidence is Confidence.UNKNOWN:
            self.clock.discipline(self.world.dice.between(-0.05, 0.05, self.unit, "ntp/skew", life))
            self._wake()

    def _drive(self, clusters: Sequence[ClusterEntry]) -> LineDriver:
        """The station's own driver on a link to its bank."""
        assert self.bank is not None, "no list, no driver"
        line = BankLine(self.bank, lambda: self.world.agenda.now)
        return LineDriver(
            clusters, line, entropy=self.world.dice.entropy(f"{self.unit}/{self.life}/clusters")
        )

    # -- watching --------------------------------------------------------------------------------------------

    def _device_rate(self) -> float:
        return self.world.rates.device if self.world.faulty() else 0.0

    def _heard(self, item: PlayItem) -> None:
        assert self._player is not None
        self.sounds = self._player.starts
        self.world.heard(self, item)

    def _leaves(self, job: SyncJob | FetchJob) -> None:
        """Bytes are about to leave the station: whatever they hold was sealed by now."""
        if self.station is not None and isinstance(job, SyncJob):
            with self.store.fuse.looking():
                marks = self.world.checkers.card_of(self.unit).look(self.station.ledger)
            self.world.sealed(self, marks)

    def _sees(self, job: SyncJob | FetchJob, done: Done, fate: str) -> None:
        self.world.exchanged(self, job, done, fate)
