"""A recording on its way onto the card: checked whole beside the station's loop, stored a stretch at a time.

An upload of ten megabytes takes seconds to hash and to write on a worn card, and the loudspeaker waits for
every question that the loop answers. So the page's own thread does the reading and hashing, and hands the
loop one stretch after the other. What was begun and never finished goes with the next sweep.

Bound: one recording. What is taken as one is `ledger.content.sounds`.
"""

from __future__ import annotations

from typing import Final

from ledger.content import Leveller, sound_kind
from ledger.facts import AUDIO, Rendition
from ledger.log import BlobError, Blobs, NotAllowed
from node.page.hatch import Ask
from node.page.office import Office
from node.room import RESERVE_BYTES

AUDIO_BYTES_MAX: Final = 16 << 20  # half an hour at 64 kbit/s, four minutes of uncompressed WAV
STRETCH_BYTES: Final = 512 << 10  # eight chunks: some tens of milliseconds on a slow card


def take_recording(
    ask: Ask, data: bytes, *, language: str = "vi", level: Leveller | None = None
) -> Rendition:
    """Checks a recording and puts it on the card. Beside the loop: takes as long as it takes.

    level: makes it as loud as all others, before anybody hears and approves it; None takes it as it came.
    NotAllowed: audio-empty, audio-too-large, audio-type, disk-full, and what `level` refuses with.
    """
    if not data:
        raise NotAllowed("audio-empty", "the recording is an empty file", where="audio", hint="record again")
    if len(data) > AUDIO_BYTES_MAX:
        raise NotAllowed(
            "audio-too-large",
            f"the recording has {len(data)} bytes",
            where="audio",
            hint=f"at most {AUDIO_BYTES_MAX}; save it as MP3 or Opus",
        )
    if level is not None:
        data = level(data).data
    media_type, duration_ms = sound_kind(data)
    sound = Rendition.of(AUDIO, media_type, data, duration_ms=duration_ms, language=language)
    if ask(lambda office: _has(office, sound)):
        return sound
    for at in range(0, len(data), STRETCH_BYTES):
        stretch = data[at : at + STRETCH_BYTES]
        ask(lambda office, at=at, stretch=stretch: _store(office, sound, at, stretch))  # type: ignore[misc]
    ask(lambda office: Blobs(office.station.store).finish(sound.sha256, sound.chunk_hashes))
    return sound


def _has(office: Office, sound: Rendition) -> bool:
    store = office.station.store
    if Blobs(store).has(sound.sha256):
        return True
    if store.free_bytes() - sound.size < RESERVE_BYTES:
        raise NotAllowed(
            "disk-full", "the card has no room for this recording", where="audio",
            hint="shorten it; old bulletins leave the card a month after their last day",
        )  # fmt: skip
    return False


def _store(office: Office, sound: Rendition, at: int, stretch: bytes) -> int:
    return Blobs(office.station.store).add(sound.sha256, at, stretch, sound.chunk_hashes, sound.size)


def stored_recording(ask: Ask, sha: bytes, *, language: str = "vi") -> Rendition:
    """A recording that came before and lies on the card. NotAllowed("audio-missing") when it does not."""
    try:
        data = ask(lambda office: Blobs(office.station.store).read(sha))
    except BlobError as error:
        raise NotAllowed("audio-missing", "the recording is not here", hint="upload it again") from error
    media_type, duration_ms = sound_kind(data)
    return Rendition.of(AUDIO, media_type, data, duration_ms=duration_ms, language=language)
