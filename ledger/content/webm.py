"""How long a WebM recording lasts: a browser records it without a length, so its blocks are walked through.

WebM is a tree of elements, each with an id and a size (RFC 8794, RFC 9559). A recorder that writes as it
goes leaves the sizes of the big ones open and the duration out. So this walks the elements flatly: into
those that hold blocks, past all others, and takes the time of the last block and one step more.

Bound: one pass, at most `ELEMENTS_MAX` elements, nothing decoded. One track of sound, no picture.
"""

from __future__ import annotations

from typing import Final

from ledger.log import NotAllowed

MAGIC: Final = b"\x1a\x45\xdf\xa3"
# Four hours in blocks of 20 ms, and what stands around them.
ELEMENTS_MAX: Final = 1_500_000
TRACKS_MAX: Final = 1
SCALE_NS: Final = 1_000_000  # of one tick of a block's time, when the file does not say

_SEGMENT, _INFO, _SCALE, _DURATION = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489
_TRACKS, _TRACK, _TRACK_TYPE, _CODEC = 0x1654AE6B, 0xAE, 0x83, 0x86
_CLUSTER, _CLUSTER_TIME, _SIMPLE_BLOCK, _GROUP, _BLOCK = 0x1F43B675, 0xE7, 0xA3, 0xA0, 0xA1
_HOLDERS: Final = frozenset({_SEGMENT, _INFO, _TRACKS, _TRACK, _CLUSTER, _GROUP})
_SOUND_TRACK: Final = 2
_CODECS: Final = frozenset({b"A_OPUS", b"A_VORBIS"})


def webm_duration_ms(data: bytes) -> int:
    """Milliseconds of sound; 0 when it holds no block. NotAllowed("audio-type") when it is no such file."""
    at, scale_ns, cluster, last, before = 0, SCALE_NS, 0, -1, -1
    tracks = 0
    for _ in range(ELEMENTS_MAX):
        if at >= len(data):
            break
        name, at = _number(data, at, keep_marker=True)
        size, at = _number(data, at, keep_marker=False)
        if name in _HOLDERS:
            continue  # its size may be open; what follows its children is met in its turn
        if size is None:
            raise _no("an element without an end")
        body = data[at : at + min(size, 8)]
        at += size
        if at > len(data):
            raise _no("it is cut short")
        if name == _SCALE:
            scale_ns = int.from_bytes(body, "big")
        elif name == _TRACK_TYPE:
            tracks += 1
            if int.from_bytes(body, "big") != _SOUND_TRACK or tracks > TRACKS_MAX:
                raise _no("it holds something besides one track of sound")
        elif name == _CODEC and body.rstrip(b"\0") not in _CODECS:
            raise _no("its sound is neither Opus nor Vorbis")
        elif name == _CLUSTER_TIME:
            cluster = int.from_bytes(body, "big")
        elif name in (_SIMPLE_BLOCK, _BLOCK):
            if len(body) < 4:
                raise _no("a block is cut short")
            _, after = _number(body, 0, keep_marker=False)
            time = cluster + int.from_bytes(body[after : after + 2], "big", signed=True)
            if time > last:
                before, last = last, time
    else:
        raise _no("it has too many parts")
    if not tracks:
        raise _no("it holds no sound")
    step = last - before if before >= 0 else 0
    return (last + step) * scale_ns // 1_000_000 if last >= 0 else 0


def _number(data: bytes, at: int, *, keep_marker: bool) -> tuple[int | None, int]:
    """A number of 1–8 bytes whose first bits say how many; and what comes after. None: a size left open."""
    first = data[at] if at < len(data) else 0
    length = 9 - first.bit_length()
    if length > 8 or at + length > len(data):
        raise _no("it is cut short")
    value = int.from_bytes(data[at : at + length], "big")
    if keep_marker:
        return value, at + length
    value &= (1 << 7 * length) - 1
    return None if value == (1 << 7 * length) - 1 else value, at + length


def _no(why: str) -> NotAllowed:
    return NotAllowed(
        "audio-type",
        f"the recording cannot be read: {why}",
        where="audio",
        hint="record it again, or upload MP3 or WAV",
    )
