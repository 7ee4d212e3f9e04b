"""When the power goes, cards are put back and hubs restored: the faults of the world, planned and struck.

All moments are rolled before the run begins (`plan`), each keyed by station, kind and number. A power cut
falls between two ticks, or inside one at the n-th operation on the card; the hub's inside a sync request,
inside whatever it does next, or between two things. Old images are taken some time before they are put back.
When faults end (`end`), everything is powered again.

Bound: the line's faults are in `link`, the device's in `players`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ledger.log import Image
from node import Confidence
from sim.faults import moments
from sim.site import Kept, Site

if TYPE_CHECKING:
    from sim.world import World

HOUR_S = 3600.0
HUB_RESTORED = "hub restored from an old image"  # as the report counts it
FUSE_S = 1800.0  # a station that did nothing for so long loses its power all the same
# A cut falls before any of so many operations: about as many as there are in half an hour of a station and in
# one request, or it would hardly ever fall inside.
OPERATIONS = 60
REQUEST_OPERATIONS = 16


class Mishaps:
    """Strikes a world's stations and its hub, and brings them back."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._dice = world.dice
        self._agenda = world.agenda
        self._backups: dict[int, tuple[Image, float]] = {}
        self._lost_since_s = 0.0
        self._hub_back: int | None = None

    def plan(self) -> None:
        """Enters every fault of the run at its moment; an old image also at the moment it is taken."""
        world, at_ = self._world, self._agenda.at
        rates, start_s, end_s = world.rates, world.faults_from_s, world.faults_until_s

        def strikes(station: str, kind: str, per_day: float) -> list[tuple[int, float]]:
            return moments(self._dice, station, kind, per_day, start_s, end_s)

        for site in world.sites.values():
            for k, when_s in strikes(site.unit, "power_cut", rates.power_cut_per_day):
                at_(when_s, partial(self._cut_power, site, k))
            for kind, per_day, use in (
                ("old_image", rates.old_image_per_day, self._put_back),
                ("resumed", rates.resumed_per_day, self._resume),
            ):
                for k, when_s in strikes(site.unit, kind, per_day):
                    age_s = 600.0 * 72.0 ** self._dice.roll(site.unit, f"{kind}/age", k)
                    kept: list[Kept] = []
                    at_(max(start_s, when_s - age_s), partial(self._keep, site, kept))
                    at_(when_s, partial(use, site, kept))
        for k, when_s in strikes("hub", "hub_crash", rates.hub_crash_per_day):
            at_(when_s, partial(self._crash_hub, k))
        for k, when_s in strikes("hub", "hub_restore", rates.hub_restore_per_day):
            age_s = self._dice.between(600.0, 6 * HOUR_S, "hub", "hub_restore/age", k)
            at_(max(start_s, when_s - age_s), partial(self._back_up_hub, k))
            at_(when_s, partial(self._restore_hub, k))

    def _keep(self, site: Site, kept: list[Kept]) -> None:
        kept.append(site.keep())

    def _cut_power(self, site: Site, k: int) -> None:
        """Half the cuts fall inside a tick, at the n-th operation on the card; the others between two."""
        if site.station is None:
            return
        if self._dice.roll(site.unit, "power_cut/how", k) < 0.5:
            site.store.fuse.arm(1 + self._dice.below(OPERATIONS, site.unit, "power_cut/operation", k))
            self._agenda.after(FUSE_S, lambda: self._fuse_late(site))
        else:
            site.cut_power("power cut")

    def _fuse_late(self, site: Site) -> None:
        if site.store.fuse.armed:
            site.cut_power("power cut")

    def went_dark(self, site: Site) -> None:
        """A station lost its power: it comes back after 20 seconds to 4 hours, its clock perhaps lost."""
        k = site.life
        off_s = 20.0 * 720.0 ** self._dice.roll(site.unit, "off", k)
        lost = self._world.faulty() and self._dice.hit(
            site.unit, "clock_lost", k, self._world.rates.clock_lost
        )
        confidence = Confidence.UNKNOWN if lost else Confidence.RTC
        self._agenda.at(
            min(self._agenda.now + off_s, self._latest_boot()), lambda: self._power_back(site, confidence)
        )

    def _latest_boot(self) -> float:
        return max(self._world.faults_until_s, self._agenda.now + 1.0)

    def _power_back(self, site: Site, confidence: Confidence) -> None:
        if site.station is None:
            site.boot(confidence=confidence)

    def _put_back(self, site: Site, kept: list[Kept]) -> None:
        """Somebody puts the card's image of yesterday into the station; it starts when the power is back."""
        site.cut_power("card taken out")
        if site.station is None:
            site.put_back(kept[0])
            self._world.restored.add(site.unit)
            self._world.sometimes["old card image restored"] += 1
            self._world.note(site.unit, "old image", f"{kept[0].at_s:.0f}")

    def _resume(self, site: Site, kept: list[Kept]) -> None:
        """Somebody runs the station on a virtual machine and goes back to a snapshot of memory and disk."""
        if kept[0].live is None:
            return
        site.cut_power("snapshot resumed")
        site.resume(kept[0])
        self._world.sometimes["machine resumed from a snapshot"] += 1
        self._world.note(site.unit, "resumed", f"{kept[0].at_s:.0f}")

    def _crash_hub(self, k: int) -> None:
        """The hub's power goes inside a sync request, inside whatever it does next, or between two things."""
        house = self._world.headquarters
        if house.hub is None:
            return
        how = self._dice.roll("hub", "hub_crash/how", k)
        if how < 0.5:
            house.cut_in_request(1 + self._dice.below(REQUEST_OPERATIONS, "hub", "hub_crash/operation", k))
        elif how < 0.7:
            house.store.fuse.arm(1 + self._dice.below(400, "hub", "hub_crash/operation", k))
        else:
            house.die("power cut")

    def hub_died(self, why: str) -> None:
        """The hub lost its power or its process: it is started again after 15 seconds to 20 minutes."""
        self._world.sometimes[f"hub: {why}"] += 1
        self._world.note("hub", "dark", why)
        off_s = 15.0 * 80.0 ** self._dice.roll("hub", "off", self._world.headquarters.life)
        self._hub_back = self._agenda.at(min(self._agenda.now + off_s, self._latest_boot()), self._boot_hub)

    def _boot_hub(self) -> None:
        self._hub_back = None
        if self._world.headquarters.hub is None:
            self._world.headquarters.boot()

    def _back_up_hub(self, k: int) -> None:
        self._backups[k] = (self._world.headquarters.store.snapshot(), self._agenda.now)

    def _restore_hub(self, k: int) -> None:
        house = self._world.headquarters
        if house.hub is not None:
            house.die("stopped for a restore")
        if self._hub_back is not None:
            self._agenda.drop(self._hub_back)
        image, self._lost_since_s = self._backups.pop(k)
        house.put_back(image)
        self._world.sometimes[HUB_RESTORED] += 1
        self._world.note("hub", "restored")
        self._hub_back = self._agenda.after(120.0, self._boot_restored_hub)

    def _boot_restored_hub(self) -> None:
        """What officers decided since the backup is gone with the disk: they look after it again."""
        self._hub_back = None
        self._world.headquarters.boot(rolled_back=True)
        self._world.office.again(self._lost_since_s)

    def end(self) -> None:
        """Power and lines are good from now on."""
        self._world.headquarters.spare()
        for site in self._world.sites.values():
            site.store.fuse.reset()
            if site.station is None:
                site.boot()
        if self._world.headquarters.hub is None and self._hub_back is None:
            self._world.headquarters.boot()
