"""What a station does around its sound: relays, interruptions, volume, its turn, chimes, words."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from station_world import APPROVER, DAY, Loudspeaker, World

from ledger.facts import (
    Detail,
    EmergencyOrdered,
    Manifest,
    Outcome,
    QuietHoursSet,
    Rendition,
    at,
    stream_list,
)
from ledger.log import StoreError
from node import PlayItem, StationConfig
from node.config import START_OFFSET_MAX_S
from node.items import Items
from node.sound.chime import Chime
from node.sound.glossary import read_glossary
from node.sound.volume import Volumes

DROP, RESUME, RESTART = 0, 1, 2


class Watched(Loudspeaker):
    """The timed player; keeps every item it was given."""

    def __init__(self, world: World, *, can_speak: bool = False, chimes: bool = False) -> None:
        super().__init__(world.clock)
        self.can_speak = can_speak
        self.chimes = chimes
        self.items: list[PlayItem] = []

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        self.items.append(item)
        super().start(item, now_mono_s)


def world_with(*, can_speak: bool = False, chimes: bool = False, **config: object) -> tuple[World, Watched]:
    world = World(sync_period_s=60, **config)
    speaker = Watched(world, can_speak=can_speak, chimes=chimes)
    world.speaker = speaker
    world.boot()
    return world, speaker


def put(world: World, *renditions: tuple[str, str, bytes, float]) -> bytes:
    """A manifest of (kind, media type, bytes, seconds)."""
    made = [
        Rendition.of(kind, media, data, duration_ms=int(seconds * 1000))
        for kind, media, data, seconds in renditions
    ]
    manifest = Manifest(tuple(made))
    for data in (manifest.encode(), *(one[2] for one in renditions)):
        world.hub.blobs.put(data)
    return manifest.sha256


def order(world: World, manifest: bytes, minute: int, *, length_s: int, **more: object) -> int:
    bulletin = sha256(manifest).digest()[:16]
    world.hub.approve(manifest, bulletin=bulletin)
    return world.hub.schedule(
        manifest,
        minute,
        bulletin=bulletin,
        length_s=length_s,
        **more,  # type: ignore[arg-type]
    )


RELAYED = ("stream", "text/uri-list", stream_list("https://str.example/vov1"), 1_800.0)
FILLER = ("audio", "audio/ogg", b"music" * 500, 120.0)


# -- live relay ----------------------------------------------------------------------------------------------


def test_a_relay_plays_from_the_approved_address_for_its_planned_length() -> None:
    world, speaker = world_with()
    series = order(world, put(world, RELAYED), 360, length_s=1_800, klass=1)
    world.run_to(400)
    (item,) = speaker.items
    assert (item.stream, item.duration_ms, item.fallback_ms) == ("https://str.example/vov1", 1_800_000, 0)
    (ack,) = world.hub.acks()
    assert (ack.series, Outcome(ack.outcome), ack.played_ds) == (series, Outcome.PLAYED, 18_000)


def test_the_recording_beside_a_relay_is_handed_along_to_fill_in_for_it() -> None:
    world, speaker = world_with()
    order(world, put(world, RELAYED, FILLER), 360, length_s=1_800, klass=1)
    world.run_to(362)
    (item,) = speaker.items
    assert (item.stream != "", item.duration_ms, item.fallback_ms) == (True, 1_800_000, 120_000)
    assert item.read() == FILLER[2]


def test_a_relay_is_ready_when_its_list_and_its_recording_are_here() -> None:
    world, speaker = world_with()
    manifest = put(world, RELAYED, FILLER)
    world.hub.blobs.delete(sha256(FILLER[2]).digest())
    order(world, manifest, 360, length_s=1_800, klass=1, late_s=3_600)
    world.run_to(365)
    assert speaker.items == []
    world.hub.blobs.put(FILLER[2])
    world.run_to(415)
    assert len(speaker.items) == 1


@pytest.mark.parametrize(
    "data",
    [b"file:///etc/passwd\r\n", b"https://user:word@str.example/\r\n", b"# none\r\n", b"https://a b/\r\n"],
)
def test_a_relay_from_what_is_no_public_address_is_refused_as_wrong_content(data: bytes) -> None:
    world, speaker = world_with()
    bad = ("stream", "text/uri-list", data, 600.0)
    series = order(world, put(world, bad, FILLER), 360, length_s=600, klass=1)
    world.run_to(400)
    assert speaker.items == []
    assert world.outcomes() == {(series, DAY): ("MISSED", "WRONG_CONTENT")}


def test_an_interrupted_relay_goes_on_at_its_own_now_and_ends_by_the_plan() -> None:
    world, speaker = world_with()
    order(world, put(world, RELAYED), 360, length_s=1_800, klass=1, on_interrupt=RESUME)
    world.run_to(365)
    world.hub.emergency(seconds=240)
    world.run_to(400)
    relay, _, rest = speaker.items
    assert relay.offset_ds == 0
    began_s, back_s = speaker.sounds[0].utc_s, speaker.sounds[2].utc_s
    assert rest.offset_ds == pytest.approx((back_s - began_s) * 10, abs=1)
    ack = next(one for one in world.hub.acks() if one.played_ds > 2_400)
    assert Outcome(ack.outcome) is Outcome.PLAYED
    assert ack.played_ds == pytest.approx(18_000 - 2_400, abs=5)


def test_a_relay_whose_time_is_over_when_the_emergency_ends_does_not_go_on() -> None:
    world, speaker = world_with()
    short = (*RELAYED[:3], 120.0)
    series = order(world, put(world, short), 360, length_s=120, klass=1, on_interrupt=RESUME, late_s=3_600)
    world.run_to(361.5)
    world.hub.emergency(seconds=120)
    world.run_to(400)
    assert len(speaker.items) == 2
    assert world.outcomes()[(series, DAY)] == ("INTERRUPTED", "BY_EMERGENCY")


# -- interruptions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_interrupt", "offsets", "outcome", "played_ds"),
    [
        (DROP, [0, 0], Outcome.INTERRUPTED, None),
        (RESUME, [0, 0, -1], Outcome.PLAYED, 6_000),
        (RESTART, [0, 0, 0], Outcome.PLAYED, 6_000),
    ],
    ids=["drop", "resume", "restart"],
)
def test_an_interrupted_item_does_what_its_order_says_and_is_acknowledged_once(
    on_interrupt: int, offsets: list[int], outcome: Outcome, played_ds: int | None
) -> None:
    world, speaker = world_with()
    series = world.hub.programme(360, seconds=600, on_interrupt=on_interrupt)
    world.run_to(362)
    world.hub.emergency(seconds=30)
    world.run_to(400)
    began_at = [-1 if sound.offset_ds else 0 for sound in speaker.sounds]
    assert began_at == offsets
    (ack,) = [one for one in world.hub.acks() if one.series == series]
    assert Outcome(ack.outcome) is outcome
    if played_ds is not None:
        assert ack.played_ds == played_ds
    if outcome is Outcome.INTERRUPTED:
        assert Detail(ack.detail) is Detail.BY_EMERGENCY
        assert 0 < ack.played_ds < 6_000


def test_a_power_cut_never_begins_a_slot_again_whatever_its_order_says_of_interruptions() -> None:
    world, speaker = world_with()
    series = world.hub.programme(360, seconds=600, on_interrupt=RESTART, late_s=3_600)
    world.run_to(362)
    world.off(30)
    world.run_to(400)
    assert len(speaker.items) == 1
    assert world.outcomes()[(series, DAY)] == ("PARTIAL", "POWER")


def test_a_power_cut_while_it_waits_to_begin_again_ends_it() -> None:
    world, speaker = world_with()
    series = world.hub.programme(360, seconds=600, on_interrupt=RESTART, late_s=3_600)
    world.run_to(362)
    world.hub.emergency(seconds=600)
    world.run_to(364)
    world.off(30)
    world.run_to(400)
    assert [item.series for item in speaker.items].count(series) == 1
    assert world.outcomes()[(series, DAY)] == ("PARTIAL", "POWER")


def test_of_an_item_that_began_again_the_longest_run_is_counted() -> None:
    """Interrupted after five minutes, begun again, and dropped by a withdrawal after one."""
    world, _ = world_with()
    series = world.hub.programme(360, seconds=600, on_interrupt=RESTART, late_s=3_600)
    world.run_to(365)
    world.hub.emergency(seconds=30)
    world.run_to(367)
    heard_ds = [row.played_ds for row in world.station.plays.rows() if row.series == series]
    world.hub.cancel(series)
    world.run_to(400)
    (ack,) = [one for one in world.hub.acks() if one.series == series]
    assert ack.played_ds == heard_ds[0] > 2_000


def test_an_item_is_not_begun_again_when_it_would_not_end_before_quiet_hours() -> None:
    world, speaker = world_with()
    world.hub.sign(APPROVER, QuietHoursSet(world.hub.ts, "vn.yb", 372, 400))
    series = world.hub.programme(360, seconds=600, on_interrupt=RESTART, late_s=3_600)
    world.run_to(365)
    world.hub.emergency(seconds=30)
    world.run_to(410)
    assert [item.series for item in speaker.items].count(series) == 1
    assert world.outcomes()[(series, DAY)] == ("INTERRUPTED", "QUIET")


# -- volume --------------------------------------------------------------------------------------------------


def test_the_acknowledgment_says_the_volume_that_was_used() -> None:
    world, speaker = world_with(volume=80, evening_volume=40, evening_from="06:10", evening_until="07:00")
    day = world.hub.programme(360, seconds=60)
    crossing = world.hub.programme(369, seconds=120)
    evening = world.hub.programme(380, seconds=60)
    after = world.hub.programme(420, seconds=60)
    world.run_to(385)
    warning = world.hub.emergency(seconds=30)
    world.run_to(430)
    used = {ack.series: ack.volume for ack in world.hub.acks()}
    assert used == {day: 80, crossing: 40, evening: 40, warning: 80, after: 80}
    assert {item.series: item.volume for item in speaker.items} == used


def test_an_emergency_has_its_own_volume_when_one_is_set() -> None:
    world, _ = world_with(
        volume=60, evening_volume=20, evening_from="05:00", evening_until="07:00",
        emergency_volume=95,
    )  # fmt: skip
    plain = world.hub.programme(360, seconds=30)
    world.run_to(362)
    warning = world.hub.emergency(seconds=30)
    world.run_to(365)
    assert {ack.series: ack.volume for ack in world.hub.acks()} == {plain: 20, warning: 95}


@given(
    st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 1_439),
    st.integers(0, 1_439), st.integers(0, 10**9), st.integers(0, 14_400),
)  # fmt: skip
def test_the_evening_only_ever_lowers_and_never_an_emergency(
    percent: int, evening: int, emergency: int, first: int, last: int, begin_s: int, length_s: int
) -> None:
    volumes = Volumes(percent, evening, (first, last), emergency)
    assert volumes.at(begin_s, length_s, emergency=True) == (emergency or percent)
    used = volumes.at(begin_s, length_s, emergency=False)
    assert used in (percent, min(percent, evening))
    if first == last:
        assert used == percent


@pytest.mark.parametrize("text", ["6:30", "24:00", "18.30", "18:60", "", "1830", "１８:30"])
def test_an_evening_that_begins_at_no_time_of_day_is_refused(text: str) -> None:
    world = World()
    with pytest.raises(StoreError) as refused:
        replace(world.config, evening_from=text)
    assert refused.value.code == "config-range"


def test_the_settings_of_sound_come_back_from_their_file_as_they_were() -> None:
    config = replace(
        World().config, chime=False, start_offset_s=7, evening_volume=40, evening_from="19:00",
        emergency_volume=90,
    )  # fmt: skip
    assert StationConfig.from_toml(config.to_toml()) == config
    assert "chime = false" in config.to_toml()
    with pytest.raises(StoreError):
        StationConfig.from_toml(config.to_toml().replace("chime = false", "chime = 0"))


# -- taking turns with neighbours ----------------------------------------------------------------------------


@pytest.mark.parametrize("offset_s", [0, 7, START_OFFSET_MAX_S])
def test_a_station_begins_exactly_its_offset_after_the_minute_and_still_on_time(offset_s: int) -> None:
    world, speaker = world_with(start_offset_s=offset_s)
    series = world.hub.programme(360, seconds=60)
    world.run_to(365)
    (sound,) = speaker.sounds
    assert sound.utc_s - (at(DAY) + 360 * 60) == pytest.approx(offset_s, abs=0.06)
    (ack,) = [one for one in world.hub.acks() if one.series == series]
    assert Outcome(ack.outcome) is Outcome.PLAYED
    assert ack.jitter_cs == pytest.approx(offset_s * 100, abs=6)


@pytest.mark.parametrize("early_s", [0.001, 0.02, 0.049, 0.06])
def test_a_look_for_something_else_just_before_a_slot_does_not_make_it_late(early_s: float) -> None:
    world, speaker = world_with()
    start_s = at(DAY) + 360 * 60
    world.hub.programme(360, seconds=60)
    world.run(start_s - early_s - world.clock.utc_s)
    world.station.look_soon()
    world.run_to(362)
    assert speaker.sounds[0].utc_s - start_s == pytest.approx(0, abs=2e-3)


def test_an_emergency_takes_no_turn() -> None:
    world, speaker = world_with(start_offset_s=20)
    start_s = at(DAY) + 360 * 60
    world.hub.emergency(seconds=30, not_before=start_s)
    world.run_to(362)
    assert speaker.sounds[0].utc_s - start_s == pytest.approx(0, abs=0.06)


def test_a_lesser_slot_does_not_begin_in_the_seconds_before_a_higher_ones_turn() -> None:
    world, speaker = world_with(start_offset_s=15)
    world.line.down = False
    high = world.hub.programme(360, seconds=60, klass=3)
    world.hub.programme(359, seconds=50, klass=3)
    low = world.hub.programme(359, seconds=60, klass=2, late_s=900)
    world.run_to(370)
    begun = [sound.series for sound in speaker.sounds]
    assert begun.index(high) < begun.index(low)
    assert begun.count(low) == 1


def test_an_offset_beyond_what_counts_as_on_time_is_refused() -> None:
    with pytest.raises(StoreError):
        replace(World().config, start_offset_s=START_OFFSET_MAX_S + 1)


# -- chimes --------------------------------------------------------------------------------------------------


def chimes_of(speaker: Watched) -> list[Chime]:
    return [item.chime for item in speaker.items]


def test_every_kind_of_item_is_announced_by_its_own_chime() -> None:
    world, speaker = world_with(chimes=True)
    world.hub.programme(360, seconds=60)
    world.run_to(362)
    world.hub.emergency(seconds=30)
    world.run_to(364)
    drill(world)
    world.run_to(366)
    assert chimes_of(speaker) == [Chime.ORDINARY, Chime.EMERGENCY, Chime.DRILL]


def test_the_ordinary_chime_can_be_switched_off_and_the_others_cannot() -> None:
    world, speaker = world_with(chimes=True, chime=False)
    world.hub.programme(360, seconds=60)
    world.run_to(362)
    drill(world)
    world.run_to(364)
    assert chimes_of(speaker) == [Chime.NONE, Chime.DRILL]


def test_an_item_that_goes_on_is_not_announced_again_and_one_that_begins_again_is() -> None:
    for on_interrupt, last in ((RESUME, Chime.NONE), (RESTART, Chime.ORDINARY)):
        world, speaker = world_with(chimes=True)
        world.hub.programme(360, seconds=600, on_interrupt=on_interrupt)
        world.run_to(362)
        world.hub.emergency(seconds=30)
        world.run_to(364)
        assert chimes_of(speaker) == [Chime.ORDINARY, Chime.EMERGENCY, last]


def test_a_player_that_makes_no_sound_makes_no_chime_and_keeps_the_contents_length() -> None:
    world, speaker = world_with()
    world.hub.programme(360, seconds=60)
    world.run_to(362)
    assert chimes_of(speaker) == [Chime.NONE]
    (ack,) = world.hub.acks()
    assert ack.played_ds == 600


def drill(world: World) -> int:
    world.hub.series += 1
    manifest = world.hub.content(20, text=f"Diễn tập {world.hub.series}")
    world.hub.sign(
        APPROVER,
        EmergencyOrdered(
            world.hub.ts, world.hub.series, "flood", 2, True, manifest, "Diễn tập", "vn.yb", world.hub.ts,
            world.hub.ts + 3_600, 1,
        ),
    )  # fmt: skip
    return world.hub.series


# -- words ---------------------------------------------------------------------------------------------------


def lose_sounds(world: World) -> list[bytes]:
    """The hub has lists and orders, and no recording any more."""
    lost = []
    for name in world.hub.blobs.held():
        if len(world.hub.blobs.read(name)) == 3_000:
            lost.append(world.hub.blobs.read(name))
            world.hub.blobs.delete(name)
    return lost


def test_an_emergencys_recording_is_preferred_when_it_has_arrived() -> None:
    world, speaker = world_with(can_speak=True)
    world.hub.emergency(seconds=30)
    world.run_to(335)
    (item,) = speaker.items
    assert item.sha256 is not None


def test_an_emergency_whose_recording_does_not_come_is_read_out_by_the_words_of_its_order() -> None:
    world, speaker = world_with(can_speak=True)
    world.run_to(331)
    warning = world.hub.emergency(seconds=30)
    known_s = world.clock.utc_s
    lose_sounds(world)
    world.run_to(340)
    (item,) = speaker.items
    assert (item.sha256, item.text) == (None, "Lũ quét")
    assert item.words is not None
    assert item.words() == "Lũ quét"
    assert 30 <= speaker.sounds[0].utc_s - known_s < 95
    (ack,) = [one for one in world.hub.acks() if one.series == warning]
    assert Outcome(ack.outcome) is Outcome.PLAYED_LATE


def test_a_station_without_a_voice_waits_for_the_recording() -> None:
    world, speaker = world_with()
    world.run_to(331)
    world.hub.emergency(seconds=30)
    lost = lose_sounds(world)
    world.run_to(340)
    assert speaker.items == []
    for data in lost:
        world.hub.blobs.put(data)
    world.run_to(350)
    assert len(speaker.items) == 1


def test_a_bulletins_recording_is_preferred_to_its_text_and_a_text_alone_is_read_out() -> None:
    world, speaker = world_with(can_speak=True)
    text = ("board-text", "text/plain", "UBND xã họp lúc 17h30".encode(), 0.0)
    order(world, put(world, FILLER, text), 360, length_s=120)
    order(world, put(world, text), 370, length_s=60)
    world.run_to(380)
    recorded, read_out = speaker.items
    assert recorded.sha256 == sha256(FILLER[2]).digest()
    assert read_out.sha256 is None
    assert read_out.words is not None
    assert read_out.words() == "Ủy ban nhân dân xã họp lúc mười bảy giờ ba mươi phút"


def test_the_words_of_a_text_are_made_before_its_minute_and_only_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    say = Items._said

    def counted(self: Items, text: str, language: str) -> str:
        if (language, text) not in self._words:
            made.append(text)
        return say(self, text, language)

    monkeypatch.setattr(Items, "_said", counted)
    world, speaker = world_with(can_speak=True)
    order(world, put(world, ("board-text", "text/plain", b"a text", 0.0)), 400, length_s=60)
    world.run_to(390)
    assert made == ["a text"]
    world.run_to(405)
    assert speaker.items[0].words is not None
    assert speaker.items[0].words() == "a text"
    assert made == ["a text"]


def test_words_of_the_place_win_over_ours_in_what_the_voice_is_given() -> None:
    words = b'NVH = "nh\xc3\xa0 v\xc4\x83n h\xc3\xb3a"\nUBND = "\xe1\xbb\xa7y ban x\xc3\xa3"\n'
    assert read_glossary(words) == {"NVH": "nhà văn hóa", "UBND": "ủy ban xã"}
    for data, said in ((words, "ủy ban xã họp ở nhà văn hóa"), (b"NVH = 3", None)):
        world, speaker = world_with()
        world.store.write("glossary.toml", data)
        speaker.can_speak = True
        world.boot()
        order(
            world, put(world, ("board-text", "text/plain", "UBND họp ở NVH".encode(), 0.0)), 360, length_s=60
        )
        world.run_to(362)
        (item,) = speaker.items
        assert item.words is not None
        if said is not None:
            assert item.words() == said
        else:  # a slip in the list silences nobody
            assert item.words().startswith("Ủy ban nhân dân họp ở")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"NVH = nha", "glossary-format"),
        (b"\xff", "glossary-format"),
        (b"NVH = 3", "glossary-entry"),
        (b'NVH = ""', "glossary-entry"),
        (b'[a]\nb = "c"', "glossary-entry"),
        (b'"" = "c"', "glossary-entry"),
        (b'NVH = "a\\u202Eb"', "glossary-entry"),
        (("a" * 61 + ' = "b"').encode(), "glossary-entry"),
        (b"#" + b"x" * 65_536, "glossary-format"),
        ("\n".join(f'a{n} = "b"' for n in range(501)).encode(), "glossary-format"),
    ],
)
def test_a_glossary_that_is_no_list_of_words_is_refused_whole(data: bytes, code: str) -> None:
    with pytest.raises(StoreError) as refused:
        read_glossary(data)
    assert refused.value.code == code
