"""A bundle: what a stick carries between a station and a hub, as bytes that survive damage piece by piece.

    frame   89 4C 4F 41 0D 0A 1A 0A ‖ version 1 ‖ kind 1 ‖ length 4 ‖ check 8 ‖ body
    check   the first 8 bytes of H("loa-bundle/v1" 00 ‖ version ‖ kind ‖ length ‖ body)

A bundle is frames one after the other, from `manifest` to `end`. Each can be found and checked without the
others: a reader that meets anything else looks for the next magic, so damage costs the frames it touches and
no more. The magic is chosen as PNG's is: a copy that rewrites line ends or clears the eighth bit breaks it.

The check keeps accidents out and nothing else. A frame proves nothing: whoever takes its body verifies it as
if it had come over a network (`sync`, `errands`, `blobs`). Names of files, the manifest and the order of
frames are never believed either.

Bound: framing and finding. What the bodies mean is `errands`; files are `stick`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

from ledger.log.blobs import BLOB_BYTES_MAX, CHUNK
from ledger.log.codec import pack, unpack
from ledger.log.errors import CodecError, ProtocolError
from ledger.log.messages import REPLY_EXTRA_BYTES, REQUEST_BYTES_MAX, ROOM_BYTES_MAX
from ledger.log.segment import SEGMENT_BYTES_MAX

MAGIC: Final = b"\x89LOA\r\n\x1a\n"
VERSION: Final = 1
HEAD_BYTES: Final = len(MAGIC) + 1 + 1 + 4 + 8
CHECK_BYTES: Final = 8
HELD_MAX: Final = 4096  # contents a station names as held: 32 KiB; what is beyond is merely carried again
HELD_BYTES: Final = 8  # of each content's hash; a false match costs one content one trip
MARK_BYTES: Final = 16  # of the hash of such a list, in the request that it belongs to
PIECE_HEAD_BYTES: Final = 32 + 8  # content's SHA-256, offset
WINDOW_BYTES: Final = 1 << 20  # read from the stick at once
TRY_BYTES_MIN: Final = 512  # a frame that fails counts for at least so many bytes of the work allowed


class Kind(IntEnum):
    """What a frame's body is."""

    MANIFEST = 1  # pack([1, key id of the writer 8, UTC s]): for people
    REQUEST = 2  # a sync request without segments
    REPLY = 3  # a sync reply whose segments are named by their SHA-256
    SEGMENT = 4  # a segment in its self-contained form
    HELD = 5  # the first 8 bytes of the hash of each content that the station holds, sorted
    PIECE = 6  # SHA-256 of a content 32 ‖ offset 8 ‖ its bytes there, at most one chunk
    END = 7  # SHA-256 of everything from the manifest's frame up to here


BODY_BYTES_MAX: Final[dict[int, int]] = {
    Kind.MANIFEST: 64,
    Kind.REQUEST: REQUEST_BYTES_MAX,
    Kind.REPLY: ROOM_BYTES_MAX + REPLY_EXTRA_BYTES,
    Kind.SEGMENT: SEGMENT_BYTES_MAX,
    Kind.HELD: HELD_MAX * HELD_BYTES,
    Kind.PIECE: PIECE_HEAD_BYTES + CHUNK,
    Kind.END: 32,
}
UNKNOWN_BYTES_MAX: Final = 1 << 20  # of a kind that a later version may add; such frames are stepped over


class Source(Protocol):
    """Something with bytes that can be read again. Raises StoreError when it is gone."""

    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Frame:
    """An undamaged frame. at: where its body begins in the source."""

    kind: int
    body: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes from `at` to `until` that are no frame, and why the first of them is none."""

    at: int
    until: int
    code: str


class Manifest(NamedTuple):
    """What a bundle says of itself; nothing is decided by it. made_at: UTC s."""

    key_id: bytes
    made_at: int


# -- writing -------------------------------------------------------------------------------------------------


def frame(kind: int, body: bytes) -> bytes:
    """One frame. Raises ProtocolError("bundle-length") for a body no reader would take."""
    if len(body) > BODY_BYTES_MAX.get(kind, UNKNOWN_BYTES_MAX):
        raise ProtocolError("bundle-length", f"{len(body)} bytes in a frame of kind {kind}", status=413)
    head = bytes((VERSION, kind)) + len(body).to_bytes(4, "big")
    return b"".join((MAGIC, head, _check(head, body), body))


def piece(sha: bytes, offset: int, data: bytes) -> bytes:
    """A frame with part of a content. offset: a multiple of the chunk's size."""
    return frame(Kind.PIECE, sha + offset.to_bytes(8, "big") + data)


class Writer:
    """Makes one bundle, frame by frame."""

    def __init__(self, key_id: bytes, made_at: int) -> None:
        self._hash = sha256()
        self.begin = self.add(frame(Kind.MANIFEST, pack([VERSION, key_id, made_at])))

    def add(self, framed: bytes) -> bytes:
        """Counts a frame in, and returns it to be written."""
        self._hash.update(framed)
        return framed

    def end(self) -> bytes:
        """The last frame."""
        return frame(Kind.END, self._hash.digest())


def _check(head: bytes, body: bytes) -> bytes:
    return sha256(b"loa-bundle/v1\0" + head + body).digest()[:CHECK_BYTES]


# -- reading -------------------------------------------------------------------------------------------------


def read_manifest(body: bytes) -> Manifest:
    """Raises ProtocolError("bundle-manifest")."""
    try:
        tree = unpack(body, bytes_max=BODY_BYTES_MAX[Kind.MANIFEST])
    except CodecError as error:
        raise ProtocolError("bundle-manifest", str(error)) from None
    if type(tree) is tuple and len(tree) == 3 and tree[0] is not True:
        version, key_id, made_at = tree
        if version == VERSION and type(key_id) is bytes and len(key_id) == 8 and type(made_at) is int:
            return Manifest(key_id, made_at)
    raise ProtocolError("bundle-manifest", "a manifest is version, key id, time")


def read_piece(body: bytes) -> tuple[bytes, int]:
    """(SHA-256 of the content, offset) of a piece. Raises ProtocolError("bundle-piece")."""
    offset = int.from_bytes(body[32:PIECE_HEAD_BYTES], "big")
    if len(body) <= PIECE_HEAD_BYTES or offset % CHUNK or offset >= BLOB_BYTES_MAX:
        raise ProtocolError("bundle-piece", "a piece is hash, offset of a chunk, bytes")
    return body[:32], offset


def read_held(body: bytes) -> frozenset[bytes]:
    """The beginnings of hashes in a list of what is held. Raises ProtocolError("bundle-held")."""
    found = [body[at : at + HELD_BYTES] for at in range(0, len(body), HELD_BYTES)]
    if len(body) % HELD_BYTES or any(a >= b for a, b in pairwise(found)):
        raise ProtocolError("bundle-held", "not a sorted list of 8 bytes each")
    return frozenset(found)


def held_list(hashes: list[bytes]) -> bytes:
    """The list of what is held, at most 4096 of it."""
    return b"".join(sorted({sha[:HELD_BYTES] for sha in hashes})[:HELD_MAX])


def mark_of(held: bytes) -> bytes:
    """By what a request names the list that travels beside it."""
    return sha256(held).digest()[:MARK_BYTES]


class Scan:
    """Reads a source once, from frame to frame over whatever is damaged.

    damages: what was stepped over so far. whole: after the end, true when every bundle in the source is
    complete and undamaged. Work is bounded: bytes hashed in vain cost at most what the source has; who made a
    file of nothing but beginnings of frames is left with `bundle-work`.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._size = source.size()
        self._left = self._size + WINDOW_BYTES  # bytes that may still be hashed in vain
        self._start = 0  # of the window
        self._window = b""
        self._hash = sha256()
        self._inside = False  # between a manifest and its end
        self._complete = True
        self._ends = 0
        self.damages: list[Damage] = []

    @property
    def whole(self) -> bool:
        return self._complete and not self._inside and self._ends > 0 and not self.damages

    @property
    def fault(self) -> str:
        """After the end: the code of the first damage, `bundle-incomplete`, or "" when all is whole."""
        if self.damages:
            return self.damages[0].code
        return "" if self.whole else "bundle-incomplete"

    def frames(self) -> Iterator[Frame]:
        """Every undamaged frame of a known kind, in order."""
        pos, bad = 0, None
        while pos < self._size:
            found = self._frame_at(pos)
            if isinstance(found, str):
                bad = bad or (pos, found)
                if self._left < 0:
                    bad = (bad[0], "bundle-work")
                    break
                pos = self._next_magic(pos + 1)
                continue
            if bad is not None:
                self.damages.append(Damage(bad[0], pos, bad[1]))
                bad = None
            self._note(found, pos)
            pos = found.at + len(found.body)
            if found.kind in BODY_BYTES_MAX:
                yield found
        if bad is not None:
            self.damages.append(Damage(bad[0], self._size, bad[1]))

    def _frame_at(self, pos: int) -> Frame | str:
        """The frame that begins here, or why there is none."""
        head = self._bytes(pos, HEAD_BYTES)
        if not head.startswith(MAGIC):
            return "bundle-magic" if len(head) >= len(MAGIC) else "bundle-cut"
        if len(head) < HEAD_BYTES:
            return "bundle-cut"
        version, kind = head[8], head[9]
        length = int.from_bytes(head[10:14], "big")
        if version != VERSION:
            return "bundle-version"
        if length > BODY_BYTES_MAX.get(kind, UNKNOWN_BYTES_MAX):
            return "bundle-length"
        body = self._bytes(pos + HEAD_BYTES, length)
        if len(body) < length:
            return "bundle-cut"
        if _check(head[8:14], body) != head[14:]:
            self._left -= max(length, TRY_BYTES_MIN)
            return "bundle-check"
        return Frame(kind, body, pos + HEAD_BYTES)

    def _next_magic(self, pos: int) -> int:
        while pos < self._size:
            window = self._bytes(pos, len(MAGIC))  # moves the window here when need be
            found = self._window.find(MAGIC, pos - self._start)
            if found >= 0:
                return self._start + found
            pos = max(pos + 1, self._start + len(self._window) - len(MAGIC) + 1)
            if len(window) < len(MAGIC):
                break
        return self._size

    def _bytes(self, pos: int, length: int) -> bytes:
        if not self._start <= pos or pos + length > self._start + len(self._window):
            self._start = pos
            self._window = self._source.read(pos, max(length, WINDOW_BYTES))
        at = pos - self._start
        return self._window[at : at + length]

    def _note(self, found: Frame, pos: int) -> None:
        """Follows from a manifest to its end, to know whether anything between is missing."""
        if found.kind == Kind.MANIFEST:
            self._complete = self._complete and not self._inside
            self._inside = True
            self._hash = sha256()
        elif not self._inside:
            self._complete = False
        elif found.kind == Kind.END:
            self._complete = self._complete and found.body == self._hash.digest()
            self._inside = False
            self._ends += 1
        if self._inside:
            self._hash.update(self._bytes(pos, HEAD_BYTES))
            self._hash.update(found.body)
