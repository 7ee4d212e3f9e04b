"""What a station makes of a player's claims: no more than the ceiling, nor than a slot's weakest part."""

from __future__ import annotations

from dataclasses import replace

import pytest
from station_world import DAY, Loudspeaker, World

from ledger.facts import Evidence, Outcome
from node import PlayItem, PlayReport


class Claiming(Loudspeaker):
    """The timed player, with claims as told; it notes each call in order."""

    def __init__(self, world: World, *claims: Evidence) -> None:
        super().__init__(world.clock)
        self.claims = list(claims)
        self.calls: list[tuple[str, int]] = []
        self.items: list[PlayItem] = []
        self._world = world

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        super().start(item, now_mono_s)
        self.items.append(item)
        self.calls.append(("start", self._world.ticks))

    def poll(self, now_mono_s: float) -> PlayReport | None:
        report = super().poll(now_mono_s)
        return None if report is None else replace(report, evidence=self.claims.pop(0))

    def stop(self, now_mono_s: float) -> PlayReport:
        self.calls.append(("stop", self._world.ticks))
        return replace(super().stop(now_mono_s), evidence=self.claims.pop(0))


class CountedWorld(World):
    """A world that counts the turns of the station's loop."""

    ticks = 0

    def sounds_by(self, *claims: Evidence, ceiling: Evidence = Evidence.SIGNAL_PRESENT) -> Claiming:
        speaker = Claiming(self, *claims)
        speaker.ceiling = ceiling
        self.speaker = speaker
        station = self.boot()
        tick = station.tick

        def counted() -> float:
            self.ticks += 1
            return tick()

        station.tick = counted  # type: ignore[method-assign]
        return speaker


@pytest.mark.parametrize("ceiling", [Evidence.DELIVERED, Evidence.DEVICE_ACCEPTED, Evidence.SIGNAL_PRESENT])
def test_no_acknowledgment_claims_more_than_the_ceiling_that_status_tells(ceiling: Evidence) -> None:
    world = CountedWorld(sync_period_s=60)
    world.sounds_by(Evidence.SIGNAL_PRESENT, ceiling=ceiling)
    world.hub.programme(360, seconds=60)
    world.run_to(370)
    (ack,) = world.hub.acks()
    assert (Outcome(ack.outcome), Evidence(ack.evidence)) == (Outcome.PLAYED, ceiling)
    live = world.station.status().live
    assert live is not None
    assert live.ceiling is ceiling


def test_an_item_heard_in_two_parts_is_known_as_well_as_the_worse_of_them() -> None:
    world = CountedWorld(sync_period_s=60)
    world.sounds_by(Evidence.DEVICE_ACCEPTED, Evidence.SIGNAL_PRESENT, Evidence.SIGNAL_PRESENT)
    series = world.hub.programme(360, seconds=600, on_interrupt=1)
    world.run_to(362)
    warning = world.hub.emergency(seconds=30)
    world.run_to(380)
    known = {ack.series: Evidence(ack.evidence) for ack in world.hub.acks()}
    assert known == {warning: Evidence.SIGNAL_PRESENT, series: Evidence.DEVICE_ACCEPTED}


@pytest.mark.parametrize(("on_interrupt", "goes_on"), [(0, False), (1, True)], ids=["drop", "resume"])
def test_the_order_says_whether_an_item_goes_on_after_its_device_was_lost(
    on_interrupt: int, goes_on: bool
) -> None:
    world = CountedWorld(sync_period_s=60)
    speaker = world.sounds_by(*[Evidence.SIGNAL_PRESENT] * 3)
    world.hub.programme(360, seconds=60, on_interrupt=on_interrupt)
    world.run_to(362)
    world.hub.emergency(seconds=30)
    world.run_to(370)
    assert [item.goes_on for item in speaker.items] == [goes_on, True]


def test_an_emergency_that_is_known_stops_the_running_item_and_starts_within_the_same_turn() -> None:
    world = CountedWorld(sync_period_s=60)
    speaker = world.sounds_by(*[Evidence.SIGNAL_PRESENT] * 3)
    world.hub.programme(360, seconds=600)
    world.run_to(362)
    world.hub.emergency(seconds=30)
    world.run_to(365)
    kinds = [kind for kind, _ in speaker.calls]
    turns = [turn for _, turn in speaker.calls]
    assert kinds == ["start", "stop", "start"]
    assert turns[1] == turns[2]
    assert world.station.plays.of_day(DAY)
