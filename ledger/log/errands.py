"""A sync round by hand: the request goes away on a stick, the reply comes back weeks and restarts later.

    station: make_errand ──▶ stick ──▶ hub: answer_errand ──▶ stick ──▶ station: accept_errand

It is the round of `sync` with two differences of form. Segments travel beside the messages, each by itself,
so that damage costs the damaged one: a request has none inside, a reply names its own by their SHA-256. And a
reply may have pages: each further one answers the page before it as that one answers the request, so that
none can be left out or put first.

What a station must not forget meanwhile is kept in its ledger: its last errands, and how it stood towards the
hub when it made them. A reply is good for one of these alone, and only while it stands so still: once any
reply was taken in, by network or by stick, all errands of before are void. So a stick that comes late, or
twice, or from a copy, says nothing any more.

Decisions are taken in the hub's order up to the first one that is missing, never beyond: later ones speak
about earlier ones (a withdrawal counts only for what came before it). The rest comes with the next stick,
because the cursor moved no further either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from ledger.log import companions
from ledger.log.answering import answer
from ledger.log.chain import LogRef
from ledger.log.codec import pack, unpack
from ledger.log.errors import ProtocolError
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.messages import (
    FRAME_BYTES,
    REPLY_EXTRA_BYTES,
    ROOM_BYTES_MAX,
    SHORT_HASH_BYTES,
    Reply,
    Request,
)
from ledger.log.store import Ledger
from ledger.log.sync import CURSOR, HUB_LOG, Accepted, Awaited, accept_said, make_request

ERRANDS: Final = "sync.errands"  # pack([[request, offered, offers all, cursor, hub log], …]), oldest first
ERRAND_AT: Final = "sync.errand_at"  # `sent_at` of the last one: the next is later, whatever the clock says
ERRANDS_MAX: Final = 4  # sticks on the road at once; the oldest is forgotten
PAGES_MAX: Final = 64  # of one reply: some 16,000 decisions
NAME_BYTES: Final = 32  # a segment's SHA-256, where a reply names it
_KEPT_BYTES_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a reply on a stick. missing: decisions it names from the first that was not there on."""

    accepted: Accepted
    missing: int


@dataclass(frozen=True, slots=True)
class _Errand:
    request: bytes
    offered: int
    offers_all: bool
    cursor: bytes
    hub_log: bytes


# -- the station ---------------------------------------------------------------------------------------------


def make_errand(ledger: Ledger, key: SigningKey, *, nonce: bytes, now: int, status: bytes = b"") -> bytes:
    """A request to be carried away; remembered durably. nonce: 8 fresh random bytes; now: UTC s.

    What the hub is not known to hold is `to_carry`.
    """
    before = ledger.awaiting
    try:
        with ledger.transaction():
            last = ledger.get(ERRAND_AT, 0)
            assert isinstance(last, int)
            sent_at = max(now, last + 1)
            request = make_request(ledger, key, nonce=nonce, now=sent_at, room=0, status=status, beside=True)
            awaited = ledger.awaiting
            assert isinstance(awaited, Awaited)
            errand = _Errand(request, awaited.offered, awaited.offers_all, *_standing(ledger))
            _keep(ledger, [*_kept(ledger), errand][-ERRANDS_MAX:])
            ledger.put(ERRAND_AT, sent_at)
    finally:
        ledger.awaiting = before
    return request


def to_carry(ledger: Ledger, key_id: bytes) -> Iterable[bytes]:
    """Segments of this author and of the people here that the hub is not known to hold, self-contained."""
    for log in ledger.tables.unreceipted(key_id):
        for stored in ledger.segments_of(log.ref, log.held):
            yield stored.segment.raw
    yield from companions.to_carry(ledger, key_id)


def accept_errand(
    ledger: Ledger,
    key: SigningKey,
    hub: VerifyKey,
    replies: Sequence[bytes],
    segment_of: Callable[[bytes], bytes | None],
) -> Carried:
    """Take in the hub's reply to an errand that is still good; durable on return.

    replies: everything on the stick that may be one, in any order; segment_of: SHA-256 → the segment's bytes.
    Raises ProtocolError, and then nothing changed: `reply-unawaited` when none is this hub's answer to an
    errand of this station that is still good, else what is wrong with the one that is.
    """
    with ledger.transaction():
        standing = _standing(ledger)
        for errand in reversed(_kept(ledger)):
            if (errand.cursor, errand.hub_log) != standing:
                continue
            pages = _pages(replies, errand.request, hub)
            if pages:
                said, missing = _joined(pages, errand, segment_of)
                accepted = accept_said(ledger, key, hub, said, _awaited(errand, key.key_id))
                _keep(ledger, [])
                return Carried(accepted, missing)
        raise ProtocolError(
            "reply-unawaited", "nothing here answers a request that this station waits for",
            hint="carry a fresh request to the hub: an answer counts once, and only for the last standing",
        )  # fmt: skip


def _pages(replies: Sequence[bytes], request: bytes, hub: VerifyKey) -> list[Reply]:
    """The reply to this request and its further pages, in order."""
    pages: list[Reply] = []
    asked: bytes | None = request
    while asked is not None and len(pages) < PAGES_MAX:
        answered, asked = asked, None
        for raw in replies:
            try:
                pages.append(Reply.open(raw, answered, hub, ROOM_BYTES_MAX + REPLY_EXTRA_BYTES))
            except ProtocolError as error:
                if error.code not in ("reply-signature", "reply-hub", "reply-magic", "reply-size"):
                    raise
            else:
                asked = raw
                break
    return pages


def _joined(
    pages: Sequence[Reply], errand: _Errand, segment_of: Callable[[bytes], bytes | None]
) -> tuple[Reply, int]:
    """The pages as one reply with its segments inside, as far as they are here; and how many are not."""
    named = [(page, name) for page in pages for name in page.segments]
    found: list[bytes] = []
    for _, name in named:
        raw = segment_of(name) if len(name) == NAME_BYTES else None
        if raw is None or sha256(raw).digest() != name:
            break
        found.append(raw)
    missing = len(named) - len(found)
    cursor, cursor_hash = int.from_bytes(errand.cursor[:8], "big"), errand.cursor[8:]
    left = len(found)
    for page in pages:
        if len(page.segments) > left:
            break
        left -= len(page.segments)
        cursor, cursor_hash = page.cursor, page.cursor_hash
    more = bool(missing) or pages[-1].more
    return replace(
        pages[0], segments=tuple(found), cursor=cursor, cursor_hash=cursor_hash, more=more
    ), missing


def _awaited(errand: _Errand, key_id: bytes) -> Awaited:
    asked = Request.parse(errand.request[FRAME_BYTES:])
    claims = {LogRef(key_id, claim.log_id): claim for claim in asked.claims}
    digest = sha256(errand.request).digest()
    return Awaited(digest, asked.nonce, asked.room, claims, errand.offered, errand.offers_all)


def _standing(ledger: Ledger) -> tuple[bytes, bytes]:
    """How far this station got with the hub: cursor, and the hub's log of the last reply."""
    cursor, hub_log = ledger.get(CURSOR, b""), ledger.get(HUB_LOG, b"")
    assert isinstance(cursor, bytes)
    assert isinstance(hub_log, bytes)
    return cursor, hub_log


def _kept(ledger: Ledger) -> list[_Errand]:
    kept = ledger.get(ERRANDS)
    if kept is None:
        return []
    assert isinstance(kept, bytes)
    rows = unpack(kept, bytes_max=_KEPT_BYTES_MAX)
    assert isinstance(rows, tuple)
    return [_Errand(*row) for row in rows]  # type: ignore[misc]  # written by `_keep` alone


def _keep(ledger: Ledger, errands: Sequence[_Errand]) -> None:
    rows = [(e.request, e.offered, e.offers_all, e.cursor, e.hub_log) for e in errands]
    ledger.put(ERRANDS, pack(rows))


# -- the hub -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Errand:
    """A hub's answer to be carried back. positions: of the segments that travel beside it, in order."""

    replies: tuple[bytes, ...]
    positions: tuple[int, ...]


def read_errand(ledger: Ledger, request: bytes) -> tuple[bytes, Request]:
    """(key id of its author, what a carried request says), verified.

    Raises ProtocolError, UnknownKeyError, SignatureError; `errand-segments` when it has segments inside.
    """
    key_id, asked = Request.open(request, ledger.key_of)
    if asked.segments or asked.room:
        raise ProtocolError("errand-segments", "this request was made for a network, not for a stick")
    return key_id, asked


def answer_errand(
    ledger: Ledger,
    hub_key: SigningKey,
    request: bytes,
    *,
    now: int,
    audiences_of: Callable[[bytes], Sequence[str] | None],
) -> Errand:
    """The reply to a carried request, in pages. May be asked again: a newer answer knows more.

    Segments that came beside the request are to be taken in before. Raises as `answer` does.
    """
    told = answer(ledger, hub_key, request, now=now, audiences_of=audiences_of)
    audiences = audiences_of(told.key_id)
    assert audiences is not None, "answer refuses strangers"
    said = Reply.parse(told.reply[FRAME_BYTES:], len(told.reply))
    replies: list[bytes] = []
    carried: list[int] = []
    asked, since = request, told.cursor
    while len(replies) < PAGES_MAX:
        positions, since, more = ledger.feed(audiences, since, ROOM_BYTES_MAX)
        page = replace(
            said, cursor=since, cursor_hash=_short_trail(ledger, since), more=more,
            segments=tuple(sha256(ledger.tables.segment_at(at)[1]).digest() for at in positions),
        )  # fmt: skip
        asked = page.sign(hub_key, asked)
        replies.append(asked)
        carried += positions
        if not more:
            break
        said = replace(said, receipts=(), less=(), refused=())
    return Errand(tuple(replies), tuple(carried))


def _short_trail(ledger: Ledger, position: int) -> bytes:
    trail = ledger.hash_at(position)
    assert trail is not None
    return trail[:SHORT_HASH_BYTES] if position else b""
