"""The figures come from the ledger's bytes: they agree with what sounded, and see what was tampered with."""

from __future__ import annotations

import pytest

from ledger.facts import Acknowledged, Detail, Evidence, Outcome
from ledger.log import Ledger
from sim.faults import Rates
from sim.report import SLOT_NAMES, Figures, figures, in_words, summary
from sim.scenarios import load
from sim.world import World


@pytest.fixture(scope="module")
def world() -> World:
    world = World(3, load("yen-bai-2022", 3), 1, rates=Rates(), sync_period_s=3600)
    world.run()
    return world


def count(world: World) -> Figures:
    hub = world.headquarters.hub
    assert hub is not None
    return figures(
        hub.ledger,
        roots=world.headquarters.roots,
        first_day=world.scenario.first_day,
        days=1,
        until_s=world.faults_until_s,
    )


def test_slots_add_up_and_what_sounded_is_what_the_loudspeakers_did(world: World) -> None:
    found = count(world)
    assert found.slots["planned"] == sum(found.slots[name] for name in SLOT_NAMES) > 0
    heard = {(card.unit, s.series, s.day) for card in world.checkers.cards.values() for s in card.all_sounds}
    # a device that fails after its start is a sound begun, and a MISSED slot when it never opened
    told = sum(found.slots[name] for name in ("played", "played_late", "partial", "interrupted"))
    assert told == len(heard)


def test_every_station_is_counted_by_its_kind_and_every_segment_verified(world: World) -> None:
    found = count(world)
    assert (found.stations, found.it, found.fm) == (106, 3, 103)
    assert found.verified == found.segments > 0
    assert found.failed == 0
    assert (found.unapproved_played, found.unplanned) == (0, 0)


def test_the_same_ledger_read_without_the_hub_gives_the_same_figures(world: World) -> None:
    def never(*_: object) -> bytes:
        raise AssertionError("an auditor draws no randomness")

    db = world.headquarters.store.open_db("ledger.db")
    alone = Ledger(db, entropy=never, now=lambda: 0)
    found = figures(
        alone,
        roots=world.headquarters.roots,
        first_day=world.scenario.first_day,
        days=1,
        until_s=world.faults_until_s,
    )
    assert found == count(world)


def test_a_flipped_bit_in_the_stored_bytes_is_a_failed_signature_and_without_roots_nothing_verifies(
    world: World,
) -> None:
    hub = world.headquarters.hub
    assert hub is not None
    db = world.headquarters.store.open_db("ledger.db")
    position, raw = db.execute(
        "SELECT position, raw FROM ledger_segments ORDER BY position DESC LIMIT 1"
    ).fetchone()
    flipped = raw[:120] + bytes([raw[120] ^ 1]) + raw[121:]
    before = count(world)
    db.execute("UPDATE ledger_segments SET raw = ? WHERE position = ?", (flipped, position))
    try:
        found = count(world)
    finally:
        db.execute("UPDATE ledger_segments SET raw = ? WHERE position = ?", (raw, position))
    assert (found.verified, found.failed) == (before.verified - 1, 1)
    strangers = figures(
        hub.ledger, roots=(), first_day=world.scenario.first_day, days=1, until_s=world.faults_until_s
    )
    assert strangers.verified == 0
    assert strangers.failed == strangers.segments


def test_an_acknowledgment_of_unapproved_content_and_a_second_playing_are_counted() -> None:
    """A station that really did it would say so in its own signed log; the figures must not overlook it."""
    world = World(4, load("plain", 2), 1, rates=Rates().scaled(0.0), sync_period_s=3600)
    world.run()
    before = count(world)
    assert (before.unapproved_played, before.played_twice) == (0, 0)
    hub, site = world.headquarters.hub, next(iter(world.sites.values()))
    assert hub is not None
    assert site.station is not None
    done = next(s for s in world.checkers.cards[site.station.key.key_id].all_sounds)
    order = hub.facts.orders[done.series][0].fact
    for content, series, ts in (
        (b"\x99" * 16, 77, 1_667_990_000),
        (order.manifest[:16], done.series, 1_667_990_500),
    ):
        ack = Acknowledged(
            ts, series, done.day, content, 0, 100,
            int(Outcome.PLAYED), int(Detail.NONE), int(Evidence.DELIVERED), 80, None,
        )  # fmt: skip
        site.station.ledger.append(site.station.key, ack.encode())
    for segment in site.station.ledger.seal(site.station.key):
        hub.ledger.ingest(segment.raw, source="test")
    found = count(world)
    assert (found.unapproved_played, found.played_twice, found.unplanned) == (1, 1, 1)


def test_the_words_name_every_figure_that_matters(world: World) -> None:
    found = count(world)
    said = summary(found, seed=3, converged=True, up=10, down=2_000)
    assert list(said)[:5] == ["seed", "stations", "it", "fm", "converged"]
    text = "\n".join(in_words(said))
    assert f"Of {found.slots['planned']:,} planned slots" in text
    assert "2,000 bytes down" in text
    assert "Everything the stations wrote is at the hub." in text
    assert "NOT everything" in "\n".join(in_words({**said, "converged": False}))
