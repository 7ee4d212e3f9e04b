"""What people hand in: a browser's recording, whose length stands nowhere, and bytes that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.content import DURATION_MS_MAX, sound_kind
from ledger.log import NotAllowed

UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"


def size(length: int) -> bytes:
    return (length | 1 << 56).to_bytes(8, "big")


def element(name: bytes, body: bytes) -> bytes:
    return name + size(len(body)) + body


def a_webm(
    clusters: list[tuple[int, list[int]]], *, codec: bytes = b"A_OPUS", kind: int = 2, tracks: int = 1,
    scale_ns: int = 1_000_000, whole: bool = False, grouped: bool = False,
) -> bytes:  # fmt: skip
    """Clusters of (time, times of blocks after it), as a recorder writes them; whole: with all sizes."""

    def holder(name: bytes, body: bytes) -> bytes:
        return element(name, body) if whole else name + UNKNOWN + body

    def block(time: int) -> bytes:
        body = b"\x81" + time.to_bytes(2, "big", signed=True) + b"\x80" + b"sound"
        return holder(b"\xa0", element(b"\xa1", body)) if grouped else element(b"\xa3", body)

    head = element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"webm"))
    info = element(b"\x15\x49\xa9\x66", element(b"\x2a\xd7\xb1", scale_ns.to_bytes(4, "big")))
    track = element(b"\xae", element(b"\x83", bytes([kind])) + element(b"\x86", codec))
    parts = [
        holder(b"\x1f\x43\xb6\x75", element(b"\xe7", time.to_bytes(6, "big")) + b"".join(map(block, blocks)))
        for time, blocks in clusters
    ]
    return head + holder(
        b"\x18\x53\x80\x67", info + element(b"\x16\x54\xae\x6b", track * tracks) + b"".join(parts)
    )


def refusal_of(data: bytes) -> str:
    """The code, "" for a recording whose length can be scheduled."""
    try:
        media_type, duration_ms = sound_kind(data)
    except NotAllowed as refusal:
        return refusal.code
    return "" if media_type == "audio/webm" and 0 < duration_ms <= DURATION_MS_MAX else "out of bounds"


REFUSED = ("", "audio-type", "audio-empty", "audio-too-large")


def code_of(data: bytes) -> str:
    with pytest.raises(NotAllowed) as refused:
        sound_kind(data)
    return refused.value.code


@given(
    times=st.lists(st.integers(0, 30_000), min_size=2, max_size=20, unique=True),
    cluster=st.integers(0, DURATION_MS_MAX - 80_000),
    whole=st.booleans(),
    grouped=st.booleans(),
)
def test_a_browsers_recording_lasts_until_its_last_block_and_one_step_more(
    times: list[int], cluster: int, whole: bool, grouped: bool
) -> None:
    times = sorted(times)
    data = a_webm([(0, [0, 60]), (200 + cluster, times)], whole=whole, grouped=grouped)
    last = 200 + cluster + times[-1]
    assert sound_kind(data) == ("audio/webm", last + times[-1] - times[-2])


def test_the_scale_of_the_file_is_heeded() -> None:
    assert sound_kind(a_webm([(0, [0, 1_000, 2_000])], scale_ns=500_000)) == ("audio/webm", 1_500)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (a_webm([(0, [0, 1_000])], kind=1), "audio-type"),
        (a_webm([(0, [0, 1_000])], tracks=2), "audio-type"),
        (a_webm([(0, [0, 1_000])], tracks=0), "audio-type"),
        (a_webm([(0, [0, 1_000])], codec=b"A_AAC"), "audio-type"),
        (a_webm([]), "audio-empty"),
        (a_webm([(0, [0, 20])]), "audio-empty"),
        (a_webm([(1 << 40, [0, 20])]), "audio-too-large"),
        (a_webm([(0, [0, 1_000])])[:-3], "audio-type"),
        (b"\x1a\x45\xdf\xa3", "audio-type"),
    ],
    ids=["picture", "two-tracks", "no-track", "codec", "no-block", "short", "for-ever", "cut", "head-alone"],
)
def test_what_is_no_recording_of_one_track_of_sound_is_refused(data: bytes, code: str) -> None:
    assert code_of(data) == code


@given(st.binary(max_size=400))
def test_any_bytes_behind_a_webm_beginning_are_a_recording_or_refused(rest: bytes) -> None:
    assert refusal_of(b"\x1a\x45\xdf\xa3" + rest) in REFUSED


@given(st.data())
def test_a_recording_with_one_byte_changed_is_a_recording_or_refused(data: st.DataObject) -> None:
    whole = bytearray(a_webm([(0, [0, 500, 1_000]), (1_500, [0, 500])]))
    whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    assert refusal_of(bytes(whole)) in REFUSED
