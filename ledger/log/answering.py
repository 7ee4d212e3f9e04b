"""The hub's half of a sync round: take in, record, commit, and only then promise.

One transaction per request: admit the segments, write an `Ingested` event per arrival and a `ForkFound` per
new evidence into the hub's own log, seal that log, COMMIT. The first evidence against a key is sealed alone,
so that every station's feed carries it. Receipts are signed after it, from what
lies in the tables, so a repeated request gets the same promises and an interrupted one gets none. What cannot
be admitted is told by a stable code, segment by segment; one author's trouble is nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.log.admission import Admission, Stored
from ledger.log.arrivals import Arrival, unfold_all
from ledger.log.chain import Head, LogRef
from ledger.log.errors import LoaError, StoreError, UnknownKeyError
from ledger.log.forks import FORKS_TOLD, is_first
from ledger.log.journal import ForkFound, Ingested
from ledger.log.keys import SigningKey
from ledger.log.messages import CLAIMS_MAX, SHORT_HASH_BYTES, Claim, Refusal, Reply, Request, wire_code
from ledger.log.receipts import Receipt
from ledger.log.store import Ledger
from ledger.log.transit import Coder


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub made of a request. cursor: position up to which the node holds the feed; heads: as claimed.

    reply: bytes to send. admitted: segments stored because of it. refused: why others were not. A head that
    asks for no receipt carries 8 bytes of its hash.
    """

    reply: bytes
    key_id: bytes
    sent_at: int
    status: bytes
    admitted: int
    cursor: int
    heads: tuple[Head, ...]
    refused: list[LoaError]


def answer(
    ledger: Ledger,
    hub_key: SigningKey,
    request: bytes,
    *,
    now: int,
    audiences_of: Callable[[bytes], Sequence[str] | None],
    coder_of: Callable[[bytes], Coder | None] = lambda key_id: None,
    forwards: Callable[[bytes], bool] = lambda key_id: False,
) -> Answer:
    """Take in a request and sign the reply. audiences_of: key id → units whose decisions it gets, or None.

    coder_of: key id → what unpacks this station's events by their meaning, or None. forwards: key id → is it
    a hub that passes on others' segments (`forwarding`)?

    When it returns, everything the reply promises is durable. Raises ProtocolError, UnknownKeyError,
    SignatureError for the request as a whole, and then nothing changed; what a single segment lacks is told
    in the reply. Must not be called inside a transaction, for receipts leave only after the commit.
    """
    if ledger.in_transaction:
        raise StoreError("answer-in-transaction", "a receipt must not leave before the commit")
    key_id, asked = Request.open(request, ledger.key_of)
    audiences = audiences_of(key_id)
    if audiences is None:
        raise UnknownKeyError("key-no-station", "this key is no station's", where=key_id.hex())
    arrivals = unfold_all(ledger, key_id, asked, coder_of(key_id) if asked.segments else None)
    passed_on = forwards(key_id)
    admissions = _take_in(ledger, hub_key, key_id, arrivals, now, passed_on=passed_on)
    claimed = {LogRef(key_id, claim.log_id): claim for claim in asked.claims}
    touched = [] if passed_on else _touched(arrivals)  # a hub's own log speaks for all that it names
    receipts, less = _account(ledger, hub_key, claimed, touched, asked.nonce, now)
    since = asked.cursor if _is_ours(ledger, asked.cursor, asked.cursor_hash) else 0
    positions, cursor, more = ledger.feed(audiences, since, asked.room)
    cursor_hash = _short_hash_at(ledger, cursor)
    assert cursor_hash is not None
    reply = Reply(
        hub_time=now,
        hub_log=ledger.live_log(hub_key.key_id),
        receipts=receipts,
        less=less,
        refused=_refusals(arrivals, admissions),
        cursor=cursor,
        cursor_hash=cursor_hash,
        more=more,
        segments=tuple(ledger.tables.segment_at(position)[1] for position in positions),
    )
    return Answer(
        reply=reply.sign(hub_key, request),
        key_id=key_id,
        sent_at=asked.sent_at,
        status=asked.status,
        admitted=sum(len(admission.stored) for admission in admissions),
        cursor=since,
        heads=tuple(Head(ref, claim.next_seq, claim.hash) for ref, claim in claimed.items()),
        refused=[admission.error for admission in admissions if admission.error is not None],
    )


def _take_in(
    ledger: Ledger, hub_key: SigningKey, key_id: bytes, arrivals: Sequence[Arrival], now: int,
    *, passed_on: bool,
) -> list[Admission]:  # fmt: skip
    """Admit, write into the hub's own log what came and which forks showed, commit: one transaction."""
    told = ledger.get(FORKS_TOLD, 0)
    assert isinstance(told, int)
    if not arrivals and not ledger.tables.forks(told):
        return []
    with ledger.transaction():
        source, admissions = f"sync {key_id.hex()}", []
        for arrival in arrivals:
            # What a hub passes on may have holes at that hub; its own log may not.
            feed = passed_on and arrival.log is not None and arrival.log.key_id != key_id
            admissions += ledger.admit_all([(arrival.raw, arrival.opened)], source=source, feed=feed)
        record_arrivals(ledger, hub_key, admissions, now=now)
    return admissions


def record_arrivals(
    ledger: Ledger, hub_key: SigningKey, admissions: Sequence[Admission], *, now: int
) -> None:
    """Write an `Ingested` per stored segment and a `ForkFound` per new evidence into the hub's log.

    Also for segments that came on a stick. Must be called in the transaction that admitted them.
    """
    assert ledger.in_transaction
    told = ledger.get(FORKS_TOLD, 0)
    assert isinstance(told, int)
    evidence = ledger.tables.forks(told)
    arrivals = [stored for admission in admissions for stored in admission.stored]
    alone = [found.pair for found in evidence if is_first(ledger.tables, found.pair)]
    told_here = [ForkFound(now, found.pair).encode() for found in evidence if found.pair not in alone]
    _record(ledger, hub_key, arrivals, told_here, now)
    for pair in alone:
        ledger.append_sealed(hub_key, ForkFound(now, pair).encode())
    if evidence:
        ledger.put(FORKS_TOLD, evidence[-1].number)


def record_signed(ledger: Ledger, hub_key: SigningKey, signed: Sequence[Stored], *, now: int) -> None:
    """Write an `Ingested` per segment that somebody else signed at this hub itself.

    Must be called in the transaction that sealed them.
    """
    assert ledger.in_transaction
    _record(ledger, hub_key, signed, [], now)


def _record(
    ledger: Ledger, hub_key: SigningKey, arrivals: Sequence[Stored], also: Sequence[bytes], now: int
) -> None:
    """An `Ingested` per segment and then `also`, sealed at once into the hub's log; where each stands."""
    events = [
        Ingested(now, LogRef(h.key_id, h.log_id), h.first_seq, h.count, h.hash).encode()
        for h in (stored.segment.head for stored in arrivals)
    ]
    events += also
    sealed = ledger.seal(hub_key, events) if events else []
    places = [(s.head, seq) for s in sealed for seq in range(s.head.first_seq, s.head.next_seq)]
    for stored, (head, seq) in zip(arrivals, places[len(places) - len(events) :], strict=False):
        row = ledger.tables.log(LogRef(head.key_id, head.log_id))
        assert row is not None
        ledger.tables.add_journal(stored.position, row, seq)


def _touched(arrivals: Sequence[Arrival]) -> list[LogRef]:
    """The logs of the segments in a request, each once, in order."""
    return list(dict.fromkeys(arrival.log for arrival in arrivals if arrival.log is not None))


def _account(
    ledger: Ledger,
    hub_key: SigningKey,
    claimed: dict[LogRef, Claim],
    touched: Sequence[LogRef],
    nonce: bytes,
    now: int,
) -> tuple[tuple[bytes, ...], tuple[tuple[bytes, int], ...]]:
    """(receipts for what the hub holds, what it holds less than claimed)."""
    receipts: list[bytes] = []
    less: list[tuple[bytes, int]] = []
    for ref in dict.fromkeys([*claimed, *touched]):
        claim = claimed.get(ref)
        row = ledger.tables.log(ref)
        if claim is not None and (row is None or row.next_seq < claim.next_seq):
            less.append((ref.log_id, 0 if row is None else row.next_seq))
        if row is None or len(receipts) >= CLAIMS_MAX:
            continue
        end = row.head
        position = ledger.tables.holds_head(row, end.next_seq, end.hash)
        if claim is not None and claim.next_seq <= end.next_seq:
            mine = ledger.tables.holds_head(row, claim.next_seq, claim.hash)
            if mine is not None:
                if not claim.wants_receipt:
                    continue
                end, position = Head(ref, claim.next_seq, claim.hash), mine
        place = None if position is None else ledger.tables.journal(position)
        if place is not None:
            receipts.append(
                Receipt.sign(
                    hub_key, log=ref, next_seq=end.next_seq, head_hash=end.hash,
                    hub_time=now, hub_log=place[0], hub_seq=place[1], nonce=nonce,
                ).encode()
            )  # fmt: skip
    return tuple(receipts), tuple(less)


def _refusals(arrivals: Sequence[Arrival], admissions: Sequence[Admission]) -> tuple[Refusal, ...]:
    found: list[Refusal] = []
    for arrival, admission in zip(arrivals, admissions, strict=False):
        if admission.error is not None:
            # One without even a head to name is refused under zeros.
            log_id = bytes(8) if arrival.log is None else arrival.log.log_id
            found.append(Refusal(log_id, arrival.first_seq, wire_code(admission.error)))
    return tuple(found)


def _is_ours(ledger: Ledger, position: int, short: bytes) -> bool:
    """Is this a cursor into our own history of arrivals?"""
    return (position == 0) == (short == b"") and _short_hash_at(ledger, position) == short


def _short_hash_at(ledger: Ledger, position: int) -> bytes | None:
    if position == 0:
        return b""
    trail = ledger.hash_at(position)
    return None if trail is None else trail[:SHORT_HASH_BYTES]
