"""A whole station with a real mpv in real seconds, from the signed order to the acknowledgment."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from hashlib import sha256

import pytest
from station_world import APPROVER, DAY, World
from test_mpv import tone
from test_mpv_failures import Radio

from ledger.facts import (
    Acknowledged,
    Detail,
    EmergencyOrdered,
    Evidence,
    Manifest,
    Outcome,
    Rendition,
    at,
    stream_list,
)
from node.sound.mpv import MpvPlayer

pytestmark = pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed")

MINUTE = 360
DROP, RESUME, RESTART = 0, 1, 2


class LiveWorld(World):
    """Its clock follows the machine's."""

    def sound_by(self, player: MpvPlayer) -> None:
        self.player = player
        self.speaker = player  # type: ignore[assignment]
        self.boot()

    def live(self, seconds: float, *acked: int) -> None:
        """Real seconds; fewer when all these series have been acknowledged to the hub."""
        last_s = time.monotonic()
        end_s = self.clock.mono_s + seconds
        while self.clock.mono_s < end_s:
            if acked and set(acked) <= {ack.series for ack in self.hub.acks()}:
                return
            time.sleep(min(self.station.tick(), 0.05))
            now_s = time.monotonic()
            self.clock.pass_s(now_s - last_s)
            last_s = now_s

    def put(self, *renditions: tuple[str, str, bytes, float]) -> bytes:
        made = [
            Rendition.of(kind, media, data, duration_ms=int(seconds * 1000))
            for kind, media, data, seconds in renditions
        ]
        manifest = Manifest(tuple(made))
        for data in (manifest.encode(), *(one[2] for one in renditions)):
            self.hub.blobs.put(data)
        return manifest.sha256

    def ack_of(self, series: int) -> Acknowledged:
        (ack,) = [one for one in self.hub.acks() if one.series == series]
        return ack


@pytest.fixture
def world() -> Iterator[LiveWorld]:
    """Three seconds before the minute of its slot."""
    made = LiveWorld(
        utc_s=at(DAY) + MINUTE * 60 - 3, sync_period_s=1, ack_delay_s=0, boot_spread_s=0, chime=False
    )
    made.sound_by(MpvPlayer(ao="null", bench=True))
    yield made
    made.player.close()


def ordered(
    world: LiveWorld, manifest: bytes, length_s: int, *, klass: int = 2, on_interrupt: int = 0
) -> int:
    bulletin = sha256(manifest).digest()[:16]
    world.hub.approve(manifest, bulletin=bulletin)
    return world.hub.schedule(
        manifest, MINUTE, bulletin=bulletin, length_s=length_s, klass=klass, on_interrupt=on_interrupt
    )


@pytest.mark.parametrize(
    ("on_interrupt", "outcome", "least_ds", "most_ds"),
    [
        (DROP, Outcome.INTERRUPTED, 5, 45),
        (RESUME, Outcome.PLAYED, 45, 62),
        (RESTART, Outcome.PLAYED, 50, 60),
    ],
    ids=["drop", "resume", "restart"],
)
def test_an_emergency_breaks_an_item_off_and_its_order_says_what_becomes_of_it(
    world: LiveWorld, on_interrupt: int, outcome: Outcome, least_ds: int, most_ds: int
) -> None:
    series = ordered(world, world.put(("audio", "audio/wav", tone(6.0), 6.0)), 6, on_interrupt=on_interrupt)
    world.live(6.5)
    running = world.station.plays.unfinished()
    assert [row.series for row in running] == [series]
    warning = world.hub.series = world.hub.series + 1
    manifest = world.put(("audio", "audio/wav", tone(1.5, loudness=0.5), 1.5))
    world.hub.sign(
        APPROVER,
        EmergencyOrdered(
            world.hub.ts, warning, "flood", 2, False, manifest, "Lũ quét", "vn.yb", world.hub.ts,
            world.hub.ts + 600, 1,
        ),
    )  # fmt: skip
    world.live(30.0, warning, series)
    emergency, ack = world.ack_of(warning), world.ack_of(series)
    assert (Outcome(emergency.outcome), Evidence(emergency.evidence)) == (
        Outcome.PLAYED, Evidence.SIGNAL_PRESENT,
    )  # fmt: skip
    assert emergency.played_ds <= 15  # without its chime
    assert Outcome(ack.outcome) is outcome
    assert least_ds <= ack.played_ds <= most_ds
    assert Evidence(ack.evidence) is Evidence.SIGNAL_PRESENT
    assert (Detail(ack.detail) is Detail.BY_EMERGENCY) == (on_interrupt == DROP)


def test_a_relay_from_the_approved_address_reaches_the_hub_as_played(world: LiveWorld) -> None:
    radio = Radio(30.0)
    try:
        relayed = ("stream", "text/uri-list", stream_list(radio.url), 4.0)
        series = ordered(world, world.put(relayed), 4, klass=1)
        world.live(20.0, series)
    finally:
        radio.close()
    ack = world.ack_of(series)
    assert (Outcome(ack.outcome), Evidence(ack.evidence)) == (Outcome.PLAYED, Evidence.SIGNAL_PRESENT)
    assert 25 <= ack.played_ds <= 40


def test_a_relay_that_does_not_come_is_filled_in_and_the_hub_is_told_that_it_was(world: LiveWorld) -> None:
    radio = Radio(0.0)
    radio.close()
    relayed = ("stream", "text/uri-list", stream_list(radio.url), 6.0)
    series = ordered(world, world.put(relayed, ("audio", "audio/wav", tone(20.0), 20.0)), 6, klass=1)
    world.live(30.0, series)
    ack = world.ack_of(series)
    assert (Outcome(ack.outcome), Detail(ack.detail)) == (Outcome.PARTIAL, Detail.NOT_DELIVERED)
    assert 10 <= ack.played_ds <= 60
