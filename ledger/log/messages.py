"""The bytes of one sync round: a request of a node, a reply of a hub.

    request   D7 4C 51 01 ‖ node key id 8 ‖ signature 64 over "loa-req/v1" 00 ‖ body                    ‖ body
    reply     D7 4C 41 01 ‖ hub key id 8  ‖ signature 64 over "loa-rep/v1" 00 ‖ sha256(request) ‖ body  ‖ body

A reply is signed over the request it answers, so an old reply, another node's, a proxy's cached one or a
captive portal's page is no reply at all. Bodies are canonical trees (`codec.pack`); every list has a bound.
Read in the order of cost and trust: length, magic, key, signature, and only then the body.

Only shape is judged here; what a message means and does is in `sync`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NoReturn

from ledger.log.codec import INT_MIN, Unpacked, pack, unpack
from ledger.log.errors import CodecError, LoaError, ProtocolError, SignatureError, UnknownKeyError
from ledger.log.keys import REPLY, REQUEST, SigningKey, VerifyKey
from ledger.log.receipts import RECEIPT_BYTES

VERSION: Final = 1
REQUEST_MAGIC: Final = b"\xd7\x4c\x51\x01"
REPLY_MAGIC: Final = b"\xd7\x4c\x41\x01"
FRAME_BYTES: Final = 4 + 8 + 64  # before the body, in both directions

REQUEST_BYTES_MAX: Final = 1 << 20  # what a hub reads into memory for one station
REPLY_EXTRA_BYTES: Final = 65536  # a reply's bytes besides the room its reader gave for segments
ROOM_BYTES_MAX: Final = 1 << 20  # segments in one reply
SEND_BYTES_MAX: Final = (
    700_000  # segments in one request: with one more segment and all lists still under 1 MiB
)
STATUS_BYTES_MAX: Final = 256  # opaque to the log; a line for the hub's wall
CLAIMS_MAX: Final = 192  # logs named in one request: their receipts are 32 KiB of the reply
SEGMENTS_MAX: Final = 256  # in one request or reply: bounds the list of refusals
CODE_CHARS_MAX: Final = 32  # an error's code on the wire
ITEMS_MAX: Final = 8192  # values in one body, all lists together
SHORT_HASH_BYTES: Final = 8  # enough to tell one honest history from another; nothing is proven by it
SEQ_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Claim:
    """A log as the node holds it. hash: 32 B asks for a receipt; 8 B only asks whether the hub holds less."""

    log_id: bytes
    next_seq: int
    hash: bytes

    @property
    def wants_receipt(self) -> bool:
        return len(self.hash) == 32


@dataclass(frozen=True, slots=True)
class Request:
    """sent_at: UTC s by the node's clock; cursor, cursor_hash: how far the feed was read; room: bytes."""

    nonce: bytes
    sent_at: int
    claims: tuple[Claim, ...]
    cursor: int
    cursor_hash: bytes
    room: int
    status: bytes
    segments: tuple[bytes, ...]

    def sign(self, key: SigningKey) -> bytes:
        """The request's bytes. Raises ProtocolError when it is larger than a hub reads."""
        body = pack(
            (
                VERSION, self.nonce, self.sent_at, [(c.log_id, c.next_seq, c.hash) for c in self.claims],
                self.cursor, self.cursor_hash, self.room, self.status, self.segments,
            )
        )  # fmt: skip
        raw = b"".join((REQUEST_MAGIC, key.key_id, key.sign(REQUEST, body), body))
        if len(raw) > REQUEST_BYTES_MAX:
            raise ProtocolError("request-size", f"{len(raw)} bytes, at most {REQUEST_BYTES_MAX}", status=413)
        return raw

    @classmethod
    def open(cls, raw: bytes, key_of: Callable[[bytes], VerifyKey | None]) -> tuple[bytes, Request]:
        """(node's key id, verified request). Raises ProtocolError, UnknownKeyError, SignatureError."""
        key_id, signature, body = _frame(raw, REQUEST_MAGIC, REQUEST_BYTES_MAX, "request")
        key = key_of(key_id)
        if key is None:
            raise UnknownKeyError("key-unknown", "nobody introduced this key here", where=key_id.hex())
        key.verify(REQUEST, body, signature)
        return key_id, cls.parse(body)

    @classmethod
    def parse(cls, body: bytes) -> Request:
        """Raises ProtocolError."""
        r = _Body(body, "request", REQUEST_BYTES_MAX, 9)
        request = cls(
            nonce=r.blob(8),
            sent_at=r.number(low=INT_MIN),
            claims=tuple(_claim(row) for row in r.rows(CLAIMS_MAX, 3)),
            cursor=r.number(),
            cursor_hash=r.blob(SHORT_HASH_BYTES, 0),
            room=r.number(high=ROOM_BYTES_MAX),
            status=r.blob_up_to(STATUS_BYTES_MAX),
            segments=r.blobs(SEGMENTS_MAX),
        )
        if (request.cursor == 0) != (request.cursor_hash == b""):
            r.refuse("a cursor and its hash go together")
        if len({claim.log_id for claim in request.claims}) != len(request.claims):
            r.refuse("a log is named twice")
        return request


@dataclass(frozen=True, slots=True)
class Refusal:
    """A segment the hub would not take, and the stable name of the reason."""

    log_id: bytes
    first_seq: int
    code: str


@dataclass(frozen=True, slots=True)
class Reply:
    """hub_time: UTC s; hub_log: the log this hub process writes; less: (log id, next_seq the hub holds)."""

    hub_time: int
    hub_log: bytes
    receipts: tuple[bytes, ...]
    less: tuple[tuple[bytes, int], ...]
    refused: tuple[Refusal, ...]
    cursor: int
    cursor_hash: bytes
    more: bool
    segments: tuple[bytes, ...]

    def sign(self, key: SigningKey, request: bytes) -> bytes:
        """The reply's bytes, bound to the request's."""
        body = pack(
            (
                VERSION, self.hub_time, self.hub_log, self.receipts, self.less,
                [(r.log_id, r.first_seq, r.code) for r in self.refused],
                self.cursor, self.cursor_hash, self.more, self.segments,
            )
        )  # fmt: skip
        signature = key.sign(REPLY, sha256(request).digest() + body)
        return b"".join((REPLY_MAGIC, key.key_id, signature, body))

    @classmethod
    def open(cls, raw: bytes, request: bytes, hub: VerifyKey, bytes_max: int) -> Reply:
        """The reply of this hub to exactly this request. Raises ProtocolError for anything else."""
        key_id, signature, body = _frame(raw, REPLY_MAGIC, bytes_max, "reply")
        if key_id != hub.key_id:
            raise ProtocolError("reply-hub", "the reply comes from another hub", where=key_id.hex())
        try:
            hub.verify(REPLY, sha256(request).digest() + body, signature)
        except SignatureError as error:
            raise ProtocolError("reply-signature", "not this hub's answer to this request") from error
        return cls.parse(body, bytes_max)

    @classmethod
    def parse(cls, body: bytes, bytes_max: int) -> Reply:
        """Raises ProtocolError."""
        r = _Body(body, "reply", bytes_max, 10)
        reply = cls(
            hub_time=r.number(),
            hub_log=r.blob(8, 0),
            receipts=r.blobs(CLAIMS_MAX, RECEIPT_BYTES),
            less=tuple(_less(row) for row in r.rows(CLAIMS_MAX, 2)),
            refused=tuple(_refusal(row) for row in r.rows(SEGMENTS_MAX, 3)),
            cursor=r.number(),
            cursor_hash=r.blob(SHORT_HASH_BYTES, 0),
            more=r.flag(),
            segments=r.blobs(SEGMENTS_MAX),
        )
        if (reply.cursor == 0) != (reply.cursor_hash == b""):
            r.refuse("a cursor and its hash go together")
        return reply


def _frame(raw: bytes, magic: bytes, bytes_max: int, noun: str) -> tuple[bytes, bytes, bytes]:
    """(key id, signature, body)."""
    if len(raw) > bytes_max:
        raise ProtocolError(f"{noun}-size", f"{len(raw)} bytes, at most {bytes_max}", status=413)
    if len(raw) <= FRAME_BYTES or not raw.startswith(magic):
        raise ProtocolError(f"{noun}-magic", f"these bytes are not a {noun} of version 1")
    return raw[4:12], raw[12:FRAME_BYTES], raw[FRAME_BYTES:]


def _claim(row: tuple[Unpacked, ...]) -> Claim:
    log_id, next_seq, hash_ = row
    if not (
        _is_blob(log_id, 8)
        and _is_seq(next_seq)
        and (_is_blob(hash_, 32) or _is_blob(hash_, SHORT_HASH_BYTES))
    ):
        _refuse("request", "a head is log id, next_seq, hash")
    assert isinstance(log_id, bytes)
    assert isinstance(next_seq, int)
    assert isinstance(hash_, bytes)
    return Claim(log_id, next_seq, hash_)


def _less(row: tuple[Unpacked, ...]) -> tuple[bytes, int]:
    log_id, next_seq = row
    if not (_is_blob(log_id, 8) and _is_seq(next_seq, low=0)):
        _refuse("reply", "a shortage is log id, next_seq")
    assert isinstance(log_id, bytes)
    assert isinstance(next_seq, int)
    return log_id, next_seq


def _refusal(row: tuple[Unpacked, ...]) -> Refusal:
    log_id, first_seq, code = row
    if not (
        _is_blob(log_id, 8)
        and _is_seq(first_seq, low=0)
        and type(code) is str
        and len(code) <= CODE_CHARS_MAX
    ):
        _refuse("reply", "a refusal is log id, first_seq, code")
    assert isinstance(log_id, bytes)
    assert isinstance(first_seq, int)
    assert isinstance(code, str)
    return Refusal(log_id, first_seq, code)


def _is_blob(value: Unpacked, size: int) -> bool:
    return type(value) is bytes and len(value) == size


def _is_seq(value: Unpacked, low: int = 1) -> bool:
    return type(value) is int and low <= value <= SEQ_MAX


def _refuse(noun: str, what: str) -> NoReturn:
    raise ProtocolError(f"{noun}-shape", what)


class _Body:
    """Takes the fields of a body one after the other; whatever does not fit is a ProtocolError."""

    def __init__(self, body: bytes, noun: str, bytes_max: int, arity: int) -> None:
        self.noun = noun
        try:
            tree = unpack(body, bytes_max=bytes_max, depth_max=3, items_max=ITEMS_MAX)
        except CodecError as error:
            raise ProtocolError(f"{noun}-codec", str(error)) from error
        if type(tree) is not tuple or not tree:
            self.refuse("the body is not an array")
        if type(tree[0]) is not int or tree[0] != VERSION:
            raise ProtocolError(f"{noun}-version", "a version this program does not speak")
        if len(tree) != arity:
            self.refuse(f"{arity} fields, not {len(tree)}")
        self._fields = iter(tree[1:])

    def refuse(self, what: str) -> NoReturn:
        _refuse(self.noun, what)

    def number(self, low: int = 0, high: int = SEQ_MAX) -> int:
        value = next(self._fields)
        if type(value) is not int or not low <= value <= high:
            self.refuse(f"not a number from {low} to {high}")
        return value

    def flag(self) -> bool:
        value = next(self._fields)
        if type(value) is not bool:
            self.refuse("not true or false")
        return value

    def blob(self, *sizes: int) -> bytes:
        value = next(self._fields)
        if type(value) is not bytes or len(value) not in sizes:
            self.refuse(f"not bytes of length {' or '.join(map(str, sizes))}")
        return value

    def blob_up_to(self, size: int) -> bytes:
        value = next(self._fields)
        if type(value) is not bytes or len(value) > size:
            self.refuse(f"not up to {size} bytes")
        return value

    def blobs(self, count_max: int, size: int | None = None) -> tuple[bytes, ...]:
        found: list[bytes] = []
        for value in self._list(count_max):
            if type(value) is not bytes or (size is not None and len(value) != size):
                self.refuse("a list of bytes holds something else")
            found.append(value)
        return tuple(found)

    def rows(self, count_max: int, arity: int) -> list[tuple[Unpacked, ...]]:
        found: list[tuple[Unpacked, ...]] = []
        for value in self._list(count_max):
            if type(value) is not tuple or len(value) != arity:
                self.refuse(f"a row has {arity} fields")
            found.append(value)
        return found

    def _list(self, count_max: int) -> tuple[Unpacked, ...]:
        value = next(self._fields)
        if type(value) is not tuple or len(value) > count_max:
            self.refuse(f"not a list of at most {count_max}")
        return value


def wire_code(error: LoaError) -> str:
    """An error's stable name as it travels."""
    return error.code[:CODE_CHARS_MAX]
