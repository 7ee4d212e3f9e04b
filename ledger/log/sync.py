"""One sync round, bytes in and bytes out: what a node asks, what a hub answers, what the node makes of it.

    node: make_request ──▶ hub: answer ──▶ node: accept_reply        again while `more`

The node says how each of its logs stands and sends what the hub is not known to hold; the hub takes it in,
writes each arrival into its own log, commits, and only then signs receipts; downward go the decisions for the
node's territory since its cursor. Any message may be lost, doubled, delayed or forged: a round either changes
everything it says or nothing, and the next round starts from what both really hold.

A hub that was restored from an old image writes a new log, as every process does, and its replies name that
log: a node that sees a new name offers *all* its logs again, closed ones too, in a short form that costs 24
bytes each, and sends again whatever the hub says it holds less of. Its cursor into the hub's feed carries a
hash over the whole history of arrivals, so a cursor into the lost history is recognised and starts anew.

An idle round writes nothing to either database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from ledger.log import companions
from ledger.log.answering import Answer, answer, record_arrivals
from ledger.log.chain import LogRef
from ledger.log.errors import LoaError, ProtocolError, SignatureError
from ledger.log.forks import tell
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.messages import (
    CLAIMS_MAX,
    REPLY_EXTRA_BYTES,
    ROOM_BYTES_MAX,
    SEGMENTS_MAX,
    SEND_BYTES_MAX,
    SHORT_HASH_BYTES,
    STATUS_BYTES_MAX,
    Claim,
    Reply,
    Request,
)
from ledger.log.receipts import Receipt
from ledger.log.schema import LogRow
from ledger.log.segment import read_own
from ledger.log.store import Ledger, strange_name
from ledger.log.transit import RAW_TOTAL_MAX, Coder, fold

__all__ = ["Accepted", "Answer", "accept_reply", "answer", "make_request", "record_arrivals"]

# Small values in the ledger. The cursor is one value, so that it cannot be half written.
CURSOR: Final = "sync.cursor"  # position 8 ‖ hash 8
HUB_LOG: Final = "sync.hub_log"  # the hub's log named in the last reply
OFFERED: Final = "sync.offered"  # while offering all logs again: the last table row offered
OFFERED_ALL: Final = -1

SEND_BATCH: Final = 16  # segments read at once while filling a request; at most 4 MiB

# Refusals that may pass by themselves; any other is final until the hub changes.
PASSING: Final = frozenset({"parked-full", "key-unknown", "forward-missing"})

# Refusals of a transit form: the segment goes as it is with the next request, and so do all of its log.
TRANSIT: Final = "transit-"

# Refusals that say the hub holds another history of this log.
FORKED: Final = frozenset({"fork-overlap", "fork-broken-link", "log-frozen"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a node made of a reply. hub_time: signed UTC s for this very request. more: sync again at once.

    refused: our segments the hub would not take. strange: logs of which the hub holds another history (a sign
    of a cloned or restored device); one that it refuses as forked is abandoned and its events carried over.
    unread: segments of the feed that could not be taken, already stepped over.
    """

    hub_time: int
    admitted: int
    receipts: tuple[Receipt, ...]
    refused: list[tuple[LogRef, int, str]]
    more: bool
    strange: tuple[LogRef, ...] = ()
    unread: tuple[LoaError, ...] = ()


@dataclass(frozen=True, slots=True)
class Awaited:
    """The request this process waits for an answer to."""

    digest: bytes
    nonce: bytes
    room: int
    claims: dict[LogRef, Claim]
    offered: int  # what OFFERED becomes when the reply is accepted
    offers_all: bool  # every log of the key is in this request
    brought: Mapping[LogRef, int] = field(default_factory=dict)  # of people's logs (`companions`)
    people: bool = False  # people sign here, and their logs go up beside ours


# (ledger, logs to send from, bytes at most, coder) → the segments of a request
Fill = Callable[[Ledger, Sequence[LogRow], int, Coder | None], tuple[bytes, ...]]


# -- asking --------------------------------------------------------------------------------------------------


def make_request(
    ledger: Ledger,
    key: SigningKey,
    *,
    nonce: bytes,
    now: int,
    room: int = 65536,
    send_max: int = 262_144,
    status: bytes = b"",
    coder: Coder | None = None,
    beside: bool = False,
    fill: Fill | None = None,
) -> bytes:
    """The next request. nonce: 8 fresh random bytes; now: UTC s; room, send_max: bytes of segments down, up.

    coder: packs our events by their meaning; the hub has one that knows the same. beside: our segments
    travel beside the request (`errands`), none inside. fill: chooses the segments instead (`forwarding`).
    Seals what is pending first. Raises ValueError for arguments no hub would accept. The reply to any earlier
    request is void.
    """
    if len(nonce) != 8 or len(status) > STATUS_BYTES_MAX or not 0 <= room <= ROOM_BYTES_MAX:
        raise ValueError("nonce of 8 bytes, status of at most 256 and room of at most 1 MiB")
    tell(ledger, key, now)
    ledger.seal(key)
    wanted = ledger.tables.unreceipted(key.key_id, CLAIMS_MAX)
    claims = [Claim(log.ref.log_id, log.next_seq, log.hash) for log in wanted]
    again, offered = _offer_again(ledger, key.key_id, CLAIMS_MAX - len(wanted))
    claims += [Claim(log.ref.log_id, log.next_seq, log.hash[:SHORT_HASH_BYTES]) for log in again]
    cursor, cursor_hash = _cursor(ledger)
    send_max = min(send_max, SEND_BYTES_MAX)
    people = companions.Load() if beside or fill else companions.load(ledger, key.key_id, send_max)
    segments = people.segments
    if not beside and not segments:
        segments = (fill or _segments_to_send)(ledger, wanted, send_max, coder)
    request = Request(nonce, now, tuple(claims), cursor, cursor_hash, room, status, segments)
    raw = request.sign(key)
    ledger.awaiting = Awaited(
        sha256(raw).digest(), nonce, room, {LogRef(key.key_id, c.log_id): c for c in claims}, offered,
        not ledger.tables.owns_more_logs_than(key.key_id, len(claims)), people.upto, not (beside or fill),
    )  # fmt: skip
    return raw


def _offer_again(ledger: Ledger, key_id: bytes, room: int) -> tuple[list[LogRow], int]:
    """Logs to name in short form because the hub is another process now, and how far that brings us."""
    offered = _offered(ledger)
    if offered == OFFERED_ALL:
        return [], OFFERED_ALL
    page = ledger.tables.own_logs(key_id, offered, max(room, 0) + 1)
    rest = page[room:] if room > 0 else page
    page = page[: max(room, 0)]
    logs = [log for log in page if log.held >= log.next_seq or log.refused]
    return logs, (page[-1].n if page else offered) if rest else OFFERED_ALL


def _segments_to_send(
    ledger: Ledger, logs: Sequence[LogRow], send_max: int, coder: Coder | None
) -> tuple[bytes, ...]:
    """Segments the hub is not known to hold, oldest log first; at least one, or a low limit would wedge.

    In transit form, but for logs of which the hub could not follow one; those go as they are.
    """
    found: list[bytes] = []
    left = send_max
    room = RAW_TOTAL_MAX
    for number, log in enumerate(logs):
        seq = log.held
        while seq < log.next_seq:
            for segment in ledger.tables.segments_of(log, seq, SEND_BATCH):
                item = segment.raw
                if log.ref not in ledger.sent_plain:
                    own = read_own(segment.raw)
                    room -= own.head.raw_len
                    item = min(fold(own, number, coder), item, key=len)
                if len(found) == SEGMENTS_MAX or (found and (len(item) > left or room < 0)):
                    return tuple(found)
                found.append(item)
                left -= len(item)
                seq = segment.next_seq
    return tuple(found)


def _offered(ledger: Ledger) -> int:
    offered = ledger.get(OFFERED, OFFERED_ALL)
    assert isinstance(offered, int)
    return offered


def _cursor(ledger: Ledger) -> tuple[int, bytes]:
    kept = ledger.get(CURSOR)
    if kept is None:
        return 0, b""
    assert isinstance(kept, bytes)
    return int.from_bytes(kept[:8], "big"), kept[8:]


def read_again(ledger: Ledger) -> None:
    """The next request asks for the hub's feed from its beginning: more of it concerns this reader now.

    What is here already is not stored twice. The reply to a request that is out is void.
    """
    ledger.awaiting = None
    ledger.put(CURSOR, b"")


# -- accepting -----------------------------------------------------------------------------------------------


def accept_reply(ledger: Ledger, key: SigningKey, hub: VerifyKey, request: bytes, reply: bytes) -> Accepted:
    """Take in the hub's reply to the last request made; durable on return.

    Raises ProtocolError, and then nothing changed, for anything that is not this hub's signed answer to
    exactly this request: another's or an older reply, a cut or changed one, a proxy's page; also for the same
    one twice.
    """
    awaited = ledger.awaiting
    if not isinstance(awaited, Awaited) or awaited.digest != sha256(request).digest():
        raise ProtocolError("reply-unawaited", "no answer to this request is awaited")
    said = Reply.open(reply, request, hub, awaited.room + REPLY_EXTRA_BYTES)
    return accept_said(ledger, key, hub, said, awaited)


def accept_said(ledger: Ledger, key: SigningKey, hub: VerifyKey, said: Reply, awaited: Awaited) -> Accepted:
    """Take in what an opened reply says, whichever way it came. Raises ProtocolError for its receipts."""
    receipts = _verified_receipts(said, hub, awaited)
    opened = ledger.open_all(said.segments)
    told = opened or receipts or said.less or said.refused or awaited.brought
    if not (told or _moves(ledger, said, awaited)):
        ledger.awaiting = None
        return Accepted(said.hub_time, 0, (), [], more=False)
    with ledger.transaction():
        progress = _moves(ledger, said, awaited)
        admissions = ledger.admit_all(opened, source="feed", feed=True)
        _move(ledger, key.key_id, said, awaited)
        noted, strange, changed = _note_standing(ledger, key.key_id, said, receipts, awaited)
        changed |= companions.note(ledger, awaited.brought, receipts, said.refused, PASSING)
        left = (
            bool(ledger.tables.unreceipted(key.key_id, 1))
            or (awaited.people and bool(ledger.tables.companions(key.key_id, waiting=True)))
            or bool(ledger.pending_count(key.key_id))
            or _offered(ledger) != OFFERED_ALL
        )
    ledger.awaiting = None
    return Accepted(
        hub_time=said.hub_time,
        admitted=sum(len(admission.stored) for admission in admissions),
        receipts=noted,
        refused=[(LogRef(key.key_id, r.log_id), r.first_seq, r.code) for r in said.refused],
        more=(progress or changed) and (said.more or left),
        strange=strange,
        unread=tuple(admission.error for admission in admissions if admission.error is not None),
    )


def _verified_receipts(said: Reply, hub: VerifyKey, awaited: Awaited) -> list[Receipt]:
    found: list[Receipt] = []
    for raw in said.receipts:
        receipt = Receipt.decode(raw)
        try:
            receipt.verify(hub)
        except SignatureError as error:
            raise ProtocolError("receipt-signature", "a receipt that this hub did not sign") from error
        if receipt.nonce != awaited.nonce:
            raise ProtocolError("receipt-nonce", "a receipt for another request")
        found.append(receipt)
    return found


def _note_standing(
    ledger: Ledger, key_id: bytes, said: Reply, receipts: Sequence[Receipt], awaited: Awaited
) -> tuple[tuple[Receipt, ...], tuple[LogRef, ...], bool]:
    """(receipts of our history, logs with a receipt of another history, whether anything is known anew)."""
    before = {
        ref: (row.held, row.refused) for ref in awaited.claims if (row := ledger.tables.log(ref)) is not None
    }
    noted: list[Receipt] = []
    strange: list[LogRef] = []
    contradicted: list[tuple[LogRef, int]] = []
    missed = False
    for receipt in receipts:
        if receipt.log in awaited.brought:
            continue  # `companions` notes it
        if ledger.note_receipt(receipt):
            noted.append(receipt)
        elif receipt.log in awaited.claims:
            strange.append(receipt.log)
            contradicted.append((receipt.log, receipt.next_seq))
    for log_id, next_seq in said.less:
        ref = LogRef(key_id, log_id)
        row = ledger.tables.log(ref)
        # A number without a hash may only lower: another history could stand under the same number.
        # What the hub holds beyond it is raised by a receipt, whose hash is compared.
        if row is not None and ref in awaited.claims and next_seq < row.held:
            ledger.tables.set_held(row, next_seq)
    for refusal in said.refused:
        row = ledger.tables.log(LogRef(key_id, refusal.log_id))
        if row is not None and row.ref in awaited.claims and refusal.code.startswith(TRANSIT):
            missed = missed or row.ref not in ledger.sent_plain
            ledger.sent_plain.add(row.ref)
        elif row is not None and row.ref in awaited.claims and refusal.code not in PASSING:
            ledger.tables.set_refused(row, refusal.code)
            if refusal.code in FORKED:
                strange.append(row.ref)
                ledger.abandon(row.ref)
    for ref, next_seq in contradicted:
        row = ledger.tables.log(ref)
        if row is not None and row.refused is None:
            # The hub holds another history of this log, and did not see ours where it differs: it was
            # restored, and somebody with our key came first. Show it, so that it finds the fork.
            ledger.tables.set_held(row, min(row.next_seq, next_seq) - 1)
            ledger.put(strange_name(ref), next_seq)
    after = {ref: (row.held, row.refused) for ref in before if (row := ledger.tables.log(ref)) is not None}
    return tuple(noted), tuple(dict.fromkeys(strange)), missed or before != after


def _moves(ledger: Ledger, said: Reply, awaited: Awaited) -> bool:
    """Would this reply move the cursor, the known hub log, or how far all logs were offered again?"""
    return (
        _cursor(ledger) != (said.cursor, said.cursor_hash)
        or ledger.get(HUB_LOG) != said.hub_log
        or _offered(ledger) != awaited.offered
    )


def _move(ledger: Ledger, key_id: bytes, said: Reply, awaited: Awaited) -> None:
    if _cursor(ledger) != (said.cursor, said.cursor_hash):
        ledger.put(CURSOR, said.cursor.to_bytes(8, "big") + said.cursor_hash)
    offered = awaited.offered
    if ledger.get(HUB_LOG) != said.hub_log:
        # Another process answers, perhaps on an older disk: it is to see every log, and may judge anew.
        ledger.put(HUB_LOG, said.hub_log)
        ledger.tables.forgive(key_id)
        if awaited.people:
            companions.show_again(ledger, key_id)
        offered = OFFERED_ALL if awaited.offers_all else 0
    if _offered(ledger) != offered:
        ledger.put(OFFERED, offered)
