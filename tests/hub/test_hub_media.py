"""Words and sounds on their way in, and the manifest that an approval names."""

from __future__ import annotations

import contextlib
import hashlib
import io
import struct
import unicodedata
import wave

import pytest
from hub_house import DAY, House
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.keeping import KEEP_S, Keeper
from hub.media import (
    Upload,
    accept_line,
    accept_text,
    attention_signal,
    compose,
    folded,
    read_manifest,
    read_text,
    sound_kind,
)
from ledger.facts import at
from ledger.log import CHUNK, BlobError, Blobs, MemoryStore, NotAllowed


def a_wav(seconds: float, rate: int = 8_000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", n % 999) for n in range(round(seconds * rate))))
    return out.getvalue()


def an_mp3(frames: int = 200) -> bytes:
    """MPEG-1 layer III, 64 kbit/s, 44.1 kHz, silent: 208 or 209 bytes and 26.1 ms a frame."""
    return (b"\xff\xfb\x50\xc0" + bytes(204)) * frames


@pytest.fixture
def blobs() -> Blobs:
    return Blobs(MemoryStore())


def code_of(data: bytes) -> str:
    with pytest.raises(NotAllowed) as refused:
        sound_kind(data)
    return refused.value.code


def test_a_manifest_names_text_and_sound_by_hash_whole_and_in_chunks(blobs: Blobs) -> None:
    sound = a_wav(10)
    composed = compose(blobs, text="Xin chào", audio=sound, audio_bytes_max=1 << 20)
    manifest = read_manifest(blobs, composed.sha256)
    assert manifest == composed.manifest
    audio = manifest.audio()
    assert audio is not None
    assert audio.sha256 == hashlib.sha256(sound).digest()
    assert len(audio.chunk_hashes) == -(-len(sound) // CHUNK) == 3
    assert audio.chunk_hashes[1] == hashlib.sha256(sound[CHUNK : 2 * CHUNK]).digest()
    assert (audio.media_type, audio.duration_ms, composed.duration_ms) == ("audio/wav", 10_000, 10_000)
    assert read_text(blobs, manifest) == "Xin chào"
    assert blobs.read(audio.sha256) == sound


def test_the_same_content_is_the_same_manifest_and_any_change_is_another(blobs: Blobs) -> None:
    one = compose(blobs, text="A", audio=a_wav(1), audio_bytes_max=1 << 20)
    assert compose(blobs, text="A", audio=a_wav(1), audio_bytes_max=1 << 20).sha256 == one.sha256
    assert compose(blobs, text="B", audio=a_wav(1), audio_bytes_max=1 << 20).sha256 != one.sha256
    assert compose(blobs, text="A", audio=a_wav(2), audio_bytes_max=1 << 20).sha256 != one.sha256
    assert compose(blobs, text="A", audio=None, audio_bytes_max=1 << 20).sha256 != one.sha256


def test_a_missing_manifest_is_named_as_missing(blobs: Blobs) -> None:
    with pytest.raises(BlobError):
        read_manifest(blobs, bytes(32))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (a_wav(1), "audio/wav"),
        (an_mp3(), "audio/mpeg"),
        (b"ID3\x03\x00\x00\x00\x00\x00\x00" + an_mp3(), "audio/mpeg"),
    ],
)
def test_a_recording_is_known_by_its_bytes(data: bytes, kind: str) -> None:
    media_type, duration_ms = sound_kind(data)
    assert media_type == kind
    assert 900 <= duration_ms <= 6_000


def test_what_only_pretends_to_be_a_sound_is_refused() -> None:
    assert code_of(b"GIF89a;<script>alert(1)</script>") == "audio-type"
    assert code_of(b"%PDF-1.7 not a sound") == "audio-type"
    assert code_of(a_wav(0.1)) == "audio-empty"
    assert code_of(b"RIFF") == "audio-type"
    assert code_of(b"OggS" + bytes(100)) in ("audio-type", "audio-empty")
    assert code_of(b"fLaC") in ("audio-type", "audio-empty")
    assert code_of(b"\x00\x00\x00\x18ftypM4A ") in ("audio-type", "audio-empty")


@settings(deadline=None)
@given(
    st.sampled_from([b"RIFF....WAVE", b"ID3", b"\xff\xfb", b"OggS", b"fLaC", b"....ftyp", b""]),
    st.binary(max_size=300),
)
def test_no_bytes_bring_the_reader_of_recordings_down(begin: bytes, rest: bytes) -> None:
    with contextlib.suppress(NotAllowed):
        assert sound_kind(begin + rest)[1] >= 200


def test_a_wav_that_lies_about_its_length_is_bounded() -> None:
    lying = bytearray(a_wav(1))
    lying[40:44] = struct.pack("<I", 0xFFFFFFF0)
    with contextlib.suppress(NotAllowed):
        assert sound_kind(bytes(lying))[1] <= 4 * 3_600_000


def test_a_recording_too_large_is_refused_before_it_is_read(blobs: Blobs) -> None:
    with pytest.raises(NotAllowed) as refused:
        compose(blobs, text="", audio=Upload(a_wav(1), "x.wav"), audio_bytes_max=100)
    assert refused.value.code == "audio-too-large"


def test_the_signal_of_a_drill_differs_and_both_are_sounds() -> None:
    real, drill = attention_signal(drill=False).data, attention_signal(drill=True).data
    assert real != drill
    assert sound_kind(real) == sound_kind(drill) == ("audio/wav", 4_000)
    loud = [max(abs(s) for (s,) in struct.iter_unpack("<h", data[44:])) for data in (real, drill)]
    assert loud[0] > loud[1] > 5_000


# -- words
# -------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.text(max_size=60))
def test_an_accepted_line_is_nfc_one_line_and_accepted_again(text: str) -> None:
    try:
        line = accept_line(text, what="title", chars_max=200)
    except NotAllowed:
        return
    assert unicodedata.is_normalized("NFC", line)
    assert line == line.strip()
    assert "\n" not in line
    assert accept_line(line, what="title", chars_max=200) == line


@settings(deadline=None)
@given(st.text(max_size=60))
def test_an_accepted_text_is_accepted_again(text: str) -> None:
    try:
        clean = accept_text(text, what="text", chars_max=200)
    except NotAllowed:
        return
    assert accept_text(clean, what="text", chars_max=200) == clean


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("dong phuong", "Đông Phương"),
        ("DUONG", "đường"),
        ("phong chong chay rung", "Phòng chống cháy rừng"),
        ("tu le", "Xã Tú Lệ"),
        ("yen bai", unicodedata.normalize("NFD", "Yên Bái")),
    ],
)
def test_searching_ignores_diacritics_and_takes_d_for_đ(typed: str, stored: str) -> None:
    assert all(word in folded(stored) for word in folded(typed).split())


@settings(deadline=None)
@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


# -- keeping
# -------------------------------------------------------------------------------------------------------

DAY_S = 86_400


def keeper(house: House, *, keep_days: int = 400) -> Keeper:
    hub = house.hub
    return Keeper(hub.blobs, hub.facts, hub.projections, keep_s=keep_days * DAY_S)


def sound_of(house: House, bulletin: str) -> bytes:
    return bytes.fromhex(house.hub.queries.bulletin(bulletin).audio_sha256)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_a_sweep_at_the_hub_takes_what_no_plan_needs_and_nothing_that_one_does(data: st.DataObject) -> None:
    house = House()
    made = []
    for number in range(data.draw(st.integers(1, 4))):
        valid_days = data.draw(st.integers(0, 300))
        bulletin = house.approved(
            text=f"Số {number}", audio=a_wav(0.5 + number / 10), valid_until_day=DAY + valid_days
        )
        last = DAY
        if data.draw(st.booleans()):
            last = DAY + data.draw(st.integers(0, valid_days))
            series = house.scheduled(bulletin, days=sorted({DAY, last}))
            if data.draw(st.booleans()):
                house.hub.commands.cancel(house.approver, series, reason="thu hồi", now=house.now)
        made.append((bulletin, sound_of(house, bulletin), valid_days))
    fresh = house.draft(text="Bản thảo", audio=a_wav(3))
    made.append((fresh, sound_of(house, fresh), -1))
    stray = house.hub.blobs.put(b"an upload whose draft was never saved")
    keep_days = data.draw(st.sampled_from([30, 400]))
    passed_days = data.draw(st.integers(0, 900))
    # A hub in use: something is decided on the day of the sweep, so its clock is to be believed.
    house.later(passed_days * DAY_S)
    today = DAY + passed_days
    house.draft(text="Mới", audio=a_wav(4), valid_from_day=today, valid_until_day=today)
    from_s = house.now - keep_days * DAY_S
    keeper(house, keep_days=keep_days).sweep(house.now)
    blobs = house.hub.blobs
    for bulletin, sound, valid_days in made:
        used_until_s = max(at(DAY + valid_days + 1) if valid_days >= 0 else 0, at(DAY, 9 * 60))
        if used_until_s > from_s + DAY_S:
            assert blobs.has(sound), (valid_days, passed_days)
        elif used_until_s < from_s - DAY_S:
            assert not blobs.has(sound), (valid_days, passed_days)
        assert house.hub.queries.bulletin(bulletin).text, "its page works for ever"
    assert not blobs.has(stray)


def test_a_hub_whose_clock_runs_ahead_throws_nothing_of_its_plan_away() -> None:
    house = House()
    bulletin = house.approved(audio=a_wav(1))
    house.scheduled(bulletin)
    held = house.hub.blobs.held()
    assert keeper(house).sweep(house.now + 20 * 365 * DAY_S) == []
    assert house.hub.blobs.held() == held


def test_a_hub_sweeps_once_a_day_and_not_while_a_list_is_damaged() -> None:
    house = House()
    bulletin = house.approved(audio=a_wav(1))
    row = house.hub.queries.bulletin(bulletin).row
    one = keeper(house)
    strays = [house.hub.blobs.put(b"1")]
    assert one.tick(house.now) == strays
    strays = [house.hub.blobs.put(b"2")]
    assert one.tick(house.now + 3_600) == []
    assert one.tick(house.now + DAY_S) == strays
    house.store.write(f"blobs/{row.manifest[:2]}/{row.manifest}", b"rot")
    house.hub.blobs.put(b"3")
    assert one.tick(house.now + 2 * DAY_S) == []
    assert KEEP_S >= 366 * DAY_S, "a year's repeat finds its recording"
