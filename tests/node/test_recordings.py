"""A recording on its way onto the card: whole or not at all, and never in the loudspeaker's way."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Callable
from typing import TypeVar

import pytest
from commune_office import Commune

from ledger.log import Blobs, NotAllowed, StoreError
from node.page.office import Office
from node.page.recordings import AUDIO_BYTES_MAX, STRETCH_BYTES, stored_recording, take_recording
from node.room import RESERVE_BYTES

T = TypeVar("T")


def a_wav(seconds: float) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(b"".join(struct.pack("<h", n % 9_973) for n in range(round(seconds * 16_000))))
    return out.getvalue()


LONG = a_wav(40)


@pytest.fixture
def commune() -> Commune:
    return Commune(granted=False)


def test_a_recording_comes_to_the_loop_in_short_stretches_and_is_whole_afterwards(commune: Commune) -> None:
    asked = 0

    def ask(question: Callable[[Office], T], /) -> T:
        nonlocal asked
        asked += 1
        return question(commune.office)

    sound = take_recording(ask, LONG)
    assert (sound.media_type, sound.duration_ms, sound.size) == ("audio/wav", 40_000, len(LONG))
    assert Blobs(commune.world.store).read(sound.sha256) == LONG
    assert asked == 2 + -(-len(LONG) // STRETCH_BYTES)
    assert stored_recording(ask, sound.sha256) == sound
    asked = 0
    assert take_recording(ask, LONG) == sound
    assert asked == 1, "what is here already is written again"


def test_an_upload_that_broke_off_leaves_no_recording_and_goes_on_where_it_was(commune: Commune) -> None:
    left = 2

    def ask(question: Callable[[Office], T], /) -> T:
        nonlocal left
        left -= 1
        if left < 0:
            raise StoreError("station-busy", "the station did not answer")
        return question(commune.office)

    with pytest.raises(StoreError):
        take_recording(ask, LONG)
    assert Blobs(commune.world.store).held() == []
    sound = take_recording(commune.ask, LONG)
    assert Blobs(commune.world.store).read(sound.sha256) == LONG


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "audio-empty"), (b"\0" * (AUDIO_BYTES_MAX + 1), "audio-too-large"), (b"<html>", "audio-type")],
)
def test_what_is_no_recording_never_reaches_the_loop(commune: Commune, data: bytes, code: str) -> None:
    def ask(question: Callable[[Office], T], /) -> T:
        raise AssertionError("asked")

    with pytest.raises(NotAllowed) as refused:
        take_recording(ask, data)
    assert refused.value.code == code


def test_a_full_card_keeps_its_reserve_for_the_log(commune: Commune, monkeypatch: pytest.MonkeyPatch) -> None:
    store = commune.world.store
    monkeypatch.setattr(store, "free_bytes", lambda: RESERVE_BYTES + len(LONG) - 1)
    with pytest.raises(NotAllowed) as refused:
        take_recording(commune.ask, LONG)
    assert refused.value.code == "disk-full"
    assert Blobs(store).held() == []
    monkeypatch.setattr(store, "free_bytes", lambda: RESERVE_BYTES + len(LONG))
    take_recording(commune.ask, LONG)


def test_a_recording_that_is_not_here_is_not_named(commune: Commune) -> None:
    with pytest.raises(NotAllowed) as refused:
        stored_recording(commune.ask, b"\x07" * 32)
    assert refused.value.code == "audio-missing"
