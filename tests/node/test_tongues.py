"""A station of another language: what it plays of a bulletin in several languages, and in which it speaks."""

from __future__ import annotations

from hashlib import sha256

from commune_office import Commune
from station_world import DAY, World
from test_sound_station import Watched, lose_sounds, order, world_with

from ledger.facts import Manifest, Rendition


def put(world: World, *renditions: tuple[str, str, bytes, float]) -> bytes:
    """A manifest of (kind, language, bytes, seconds)."""
    media = {"audio": "audio/ogg", "board-text": "text/plain; charset=utf-8"}
    manifest = Manifest(
        tuple(
            Rendition.of(kind, media[kind], data, duration_ms=int(seconds * 1000), language=language)
            for kind, language, data, seconds in renditions
        )
    )
    for data in (manifest.encode(), *(one[2] for one in renditions)):
        world.hub.blobs.put(data)
    return manifest.sha256


VI, TYZ = ("audio", "vi", b"tieng Viet" * 300, 40.0), ("audio", "tyz", b"tieng Tay" * 300, 55.0)
VI_TEXT, TYZ_TEXT = (
    ("board-text", "vi", "Họp lúc 17h30.".encode(), 0.0),
    ("board-text", "tyz", b"Chin kin", 0.0),
)


def played(language: str, *renditions: tuple[str, str, bytes, float]) -> Watched:
    world, speaker = world_with(language=language, can_speak=True)
    order(world, put(world, *renditions), 360, length_s=60)
    world.run_to(363)
    return speaker


def test_a_station_plays_the_recording_in_its_own_language() -> None:
    (item,) = played("tyz", VI, TYZ, VI_TEXT).items
    assert (item.read(), item.duration_ms) == (TYZ[2], 55_000)


def test_a_station_whose_language_the_bulletin_has_not_plays_vietnamese() -> None:
    (item,) = played("hmn", VI, TYZ, VI_TEXT).items
    assert (item.read(), item.duration_ms) == (VI[2], 40_000)


def test_a_station_reads_out_vietnamese_with_a_vietnamese_voice_when_its_own_has_none() -> None:
    (item,) = played("tyz", VI_TEXT, TYZ_TEXT).items
    assert (item.sha256, item.language, item.text) == (None, "vi", "Họp lúc 17h30.")
    assert item.words is not None
    assert item.words() == "Họp lúc mười bảy giờ ba mươi phút."


def test_a_station_of_another_language_needs_only_what_it_plays_before_it_begins() -> None:
    world, speaker = world_with(language="tyz", can_speak=True)
    manifest = put(world, VI, TYZ)
    world.hub.blobs.delete(sha256(VI[2]).digest())
    order(world, manifest, 360, length_s=60)
    world.run_to(363)
    assert [item.read() for item in speaker.items] == [TYZ[2]]


def test_an_emergency_is_read_by_a_vietnamese_voice_where_none_knows_the_stations_language() -> None:
    world, speaker = world_with(language="hmn", can_speak=True)
    world.run_to(331)
    world.hub.emergency(seconds=30)
    lose_sounds(world)
    world.run_to(340)
    (item,) = speaker.items
    assert (item.sha256, item.language, item.text) == (None, "vi", "Lũ quét")


def test_words_that_a_commune_of_another_language_writes_itself_are_read_in_vietnamese() -> None:
    world, speaker = world_with(language="hmn", can_speak=True)
    commune = Commune(world)
    bulletin = commune.approved()
    manifest = commune.desk.manifest(commune.desk.life(bulletin).content.manifest)
    assert [(one.kind, one.language) for one in manifest.renditions] == [("board-text", "vi")]
    commune.desk.schedule(commune.lan, bulletin, days=[DAY + 1], minute=540)
    world.run_to(545, DAY + 1)
    assert [(item.sha256, item.language) for item in speaker.items] == [(None, "vi")]
