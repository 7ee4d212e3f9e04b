"""A real station with its clusters on a link in virtual time: what it acknowledges, lists and survives."""

from __future__ import annotations

import random
from collections.abc import Sequence

from station_world import World

from ledger.facts import (
    Acknowledged,
    Cluster,
    ClustersListed,
    Detail,
    Outcome,
    cluster_report,
    listed_names,
    unpack_clusters,
)
from ledger.log import MemoryStore
from node import ClusterEntry, InlineCourier, LineDriver, Station, clusters_toml
from node.clusters.listing import CLUSTERS_NAME
from sim.clusters import Bank, BankLine, Ill, of_address
from sim.faults import Dice


class Village(World):
    """A station with `count` clusters. `text`: another clusters.toml than that of the bank."""

    def __init__(
        self, count: int = 20, ills: dict[int, Ill] | None = None, *, text: str | None = None
    ) -> None:
        self.bank = Bank(count, Dice(7), ills=ills)
        self.line_to_bank: BankLine | None = None
        entries = self.bank.entries(of_address("192.0.2.1", 4_210))
        store = MemoryStore()
        self.text = clusters_toml(entries) if text is None else text
        store.write(CLUSTERS_NAME, self.text.encode())
        super().__init__(store=store)

    def boot(self) -> Station:
        self.starts += 1
        drawn = random.Random(self.starts)

        def driver(entries: Sequence[ClusterEntry]) -> LineDriver:
            self.line_to_bank = BankLine(self.bank, lambda: self.clock.utc_s)
            return LineDriver(entries, self.line_to_bank, entropy=drawn.randbytes)

        self.station = Station(
            self.config, self.store, self.clock, InlineCourier(self.line), self.speaker,
            entropy=drawn.randbytes, rng=random.Random(self.starts + 100), clusters=driver,
        )  # fmt: skip
        return self.station

    def listings(self) -> list[tuple[str, ...]]:
        facts = [signed.fact for signed in self.hub.facts_of(ClustersListed)]
        return [listed_names(fact.names) for fact in facts if isinstance(fact, ClustersListed)]


def states_of(ack: Acknowledged, count: int = 20) -> tuple[Cluster, ...]:
    return (Cluster.PLAYING,) * count if ack.clusters is None else unpack_clusters(ack.clusters)


def test_one_acknowledgment_per_slot_carries_the_vector_of_all_clusters() -> None:
    world = Village(ills={6: Ill(dead=True), 19: Ill(muted=True)})
    first = world.hub.programme(360, seconds=300)
    second = world.hub.programme(420, seconds=300)
    world.run_to(415)
    world.bank.fall_ill(6, dead=False)
    world.bank.fall_ill(19, muted=False)
    world.run_to(450)
    acks = world.hub.acks()
    assert [(ack.series, Outcome(ack.outcome)) for ack in acks] == [
        (first, Outcome.PLAYED),
        (second, Outcome.PLAYED),
    ]
    states = states_of(acks[0])
    assert len(states) == 20
    assert states[6] is Cluster.NOT_REACHED
    assert states[19] is Cluster.SILENT
    assert states.count(Cluster.PLAYING) == 18
    assert acks[1].clusters is None  # all agree
    assert world.listings() == [tuple(f"Cụm loa {n + 1}" for n in range(20))]
    said = cluster_report(acks[0].clusters, acks[0].outcome, world.listings()[-1])
    assert said is not None
    assert said.say() == "18/20 cụm loa đã phát; không trả lời: Cụm loa 7; có điện nhưng im tiếng: Cụm loa 20"


def test_the_outcome_stays_the_stations_own_whatever_the_clusters_say() -> None:
    world = Village(count=3, ills={nth: Ill(dead=True) for nth in range(3)})
    world.hub.programme(360, seconds=60)
    world.run_to(370)
    (ack,) = world.hub.acks()
    assert ack.outcome == Outcome.PLAYED
    assert ack.played_ds == 600
    assert states_of(ack, 3) == (Cluster.NOT_REACHED,) * 3


def test_a_slot_that_did_not_sound_carries_no_vector() -> None:
    world = Village(count=3)
    world.hub.programme(360, seconds=60)
    world.speaker.broken = True
    world.run_to(370)
    (ack,) = world.hub.acks()
    assert (ack.outcome, ack.detail) == (Outcome.MISSED, Detail.DEVICE)
    assert ack.clusters is None


def test_clusters_sound_the_item_while_it_plays_and_nothing_afterwards() -> None:
    world = Village(count=2)
    world.hub.programme(360, seconds=300)
    world.run_to(361)
    item = world.bank.sounding(world.clock.utc_s)
    run = world.station._onair.running
    assert run is not None
    assert item == [run.slot.manifest[:16]] * 2
    world.run_to(367)
    assert world.bank.sounding(world.clock.utc_s) == [None, None]


def test_amplifiers_are_on_when_the_slot_begins() -> None:
    world = Village(count=2)
    world.hub.programme(360, seconds=60)
    world.run_to(360 - 10 / 60)
    assert [one.powered for one in world.bank.receivers] == [True, True]


def test_an_emergency_takes_the_clusters_and_gives_them_back() -> None:
    world = Village(count=2)
    world.hub.programme(360, seconds=600, on_interrupt=1)
    world.run_to(362)
    world.hub.emergency(seconds=30)
    world.station.agent.hurry(world.clock.mono_s, 0.0)
    world.station.look_soon()
    world.run(10)
    run = world.station._onair.running
    assert run is not None
    assert run.slot.emergency
    assert world.bank.sounding(world.clock.utc_s) == [run.slot.manifest[:16]] * 2
    world.run_to(375)
    outcomes = {ack.series: (Outcome(ack.outcome), states_of(ack, 2)) for ack in world.hub.acks()}
    assert outcomes == {
        1: (Outcome.PLAYED, (Cluster.PLAYING, Cluster.PLAYING)),
        2: (Outcome.PLAYED, (Cluster.PLAYING, Cluster.PLAYING)),
    }


def test_after_a_power_cut_in_a_slot_its_clusters_are_unknown() -> None:
    world = Village(count=20)
    world.hub.programme(360, seconds=600)
    world.run_to(362)
    world.off(120.0)
    world.run_to(380)
    (ack,) = world.hub.acks()
    assert (ack.outcome, ack.detail) == (Outcome.PARTIAL, Detail.POWER)
    assert states_of(ack) == (Cluster.UNKNOWN,) * 20


def test_a_list_is_reported_once_and_again_when_it_changed() -> None:
    world = Village(count=2)
    world.run(3_600)
    world.off(60.0)
    world.run(3_600)
    assert world.listings() == [("Cụm loa 1", "Cụm loa 2")]
    world.store.write(CLUSTERS_NAME, world.text.replace("Cụm loa 2", "Bản Lủ").encode())
    world.off(60.0)
    world.run(3_600)
    world.store.write(CLUSTERS_NAME, b"")
    world.off(60.0)
    world.run(3_600)
    assert world.listings() == [("Cụm loa 1", "Cụm loa 2"), ("Cụm loa 1", "Bản Lủ"), ()]


def test_a_station_that_never_had_clusters_reports_no_list() -> None:
    world = Village(text="")
    world.hub.programme(360, seconds=60)
    world.run_to(370)
    assert world.listings() == []
    assert world.hub.acks()[0].clusters is None


def test_a_list_that_cannot_be_read_silences_nobody_and_claims_nothing() -> None:
    world = Village(count=2)
    world.run(3_600)
    world.store.write(CLUSTERS_NAME, b"[[cluster]]\nnumbr = 1\n")
    world.off(60.0)
    assert world.station.watch.problem is not None
    world.hub.programme(420, seconds=60)
    world.run_to(440)
    (ack,) = world.hub.acks()
    assert ack.outcome == Outcome.PLAYED
    assert states_of(ack, 2) == (Cluster.UNKNOWN,) * 2
    assert world.listings() == [("Cụm loa 1", "Cụm loa 2")]


def test_a_station_enrolled_anew_on_the_same_card_lists_its_clusters_again() -> None:
    world = Village(count=2)
    world.run(600)
    kept = world.station.ledger.get("node.clusters.slots")
    assert isinstance(kept, str)
    with world.station.ledger.transaction():
        world.station.ledger.put("node.clusters.slots", kept.replace(kept.split("\n")[0], "00" * 8))
    world.off(60.0)
    world.run(3_600)
    assert world.listings() == [("Cụm loa 1", "Cụm loa 2")] * 2


def test_a_tick_with_clusters_never_waits_and_asks_to_be_called_in_time() -> None:
    world = Village(count=20, ills={nth: Ill(dead=True) for nth in range(20)})
    world.run(60.0)
    assert world.line_to_bank is not None
    idle = world.line_to_bank.messages
    assert idle == 20 * 4
    world.run(600.0)
    assert world.line_to_bank.messages == idle  # nothing sounds: they are left in peace
