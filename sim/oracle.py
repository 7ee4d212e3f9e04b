"""What the simulator itself knows, gathered beside the product and never from its conclusions.

The checkers judge by this record: which segments stations really sealed, which decisions officers with the
right really signed (told by a list of keys written down when the accounts were made, not by the product's
fold of grants), which sounds each loudspeaker made, which receipts left the hub, what the hub's ledger held
row by row. Decisions are recognised inside a station by the hash of their segment's head.

Bound: a record. What must hold between its parts is said in `checkers`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from ledger.facts import (
    ON_TIME_S,
    Acknowledged,
    Approved,
    Cancelled,
    EmergencyOrdered,
    Right,
    Scheduled,
    at,
    covers,
    days_of,
    local_day,
    read,
)
from ledger.log import Ledger, LogRef, Receipt, Segment, Stored, open_segment, read_head

BATCH = 500  # rows read at once
_RIGHTS: dict[type, Right] = {
    Approved: Right.APPROVE,
    Scheduled: Right.SCHEDULE,
    EmergencyOrdered: Right.EMERGENCY,
    Cancelled: Right.CANCEL,
}


@dataclass(frozen=True)
class Approval:
    """An approval by somebody who may. `mark` is the head hash of its segment."""

    mark: bytes
    fact: Approved


@dataclass
class Row:
    """One segment of a station as the hub holds it. events: their hashes in order, once opened."""

    first_seq: int
    next_seq: int
    hash: bytes
    prev: bytes
    events: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Sound:
    """A start of the loudspeaker: which slot, at which true time."""

    series: int
    day: int
    at_s: float


@dataclass
class Decisions:
    """Rightful human decisions, by what they are about.

    `smuggled`: marks of decisions that their signers had no right to. Where the signer is a stranger, a
    station may well leave such a segment outside for ever.
    """

    rights: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    approvals: dict[bytes, list[Approval]] = field(default_factory=lambda: defaultdict(list))
    emergencies: dict[int, tuple[bytes, EmergencyOrdered]] = field(default_factory=dict)
    schedules: dict[int, list[tuple[bytes, Scheduled]]] = field(default_factory=lambda: defaultdict(list))
    cancels: list[tuple[bytes, Cancelled]] = field(default_factory=list)
    smuggled: set[bytes] = field(default_factory=set)
    seen: set[bytes] = field(default_factory=set)

    def trust(self, key_id: bytes, right: int, territory: str) -> None:
        self.rights[key_id] = (int(right), territory)

    def take(self, stored: Stored) -> None:
        """Notes the decision in a segment of the hub's ledger, once, when its signer may sign it."""
        mark = stored.segment.head.hash
        if mark in self.seen:
            return
        self.seen.add(mark)
        for signed in read(stored):
            fact = signed.fact
            right = _RIGHTS.get(type(fact))
            if right is None or not isinstance(fact, Approved | Scheduled | EmergencyOrdered | Cancelled):
                continue
            if not self._may(signed.key_id, right, fact.territory):
                self.smuggled.add(mark)
            elif isinstance(fact, Approved):
                self.approvals[fact.manifest].append(Approval(mark, fact))
            elif isinstance(fact, Scheduled):
                self.schedules[fact.series].append((mark, fact))
            elif isinstance(fact, EmergencyOrdered):
                self.emergencies[fact.series] = (mark, fact)
            else:
                self.cancels.append((mark, fact))

    def _may(self, key_id: bytes, right: int, territory: str) -> bool:
        held = self.rights.get(key_id)
        return held is not None and bool(held[0] & right) and covers(held[1], territory)

    def latest_start(self, series: int, day: int) -> float | None:
        """The last true second at which this slot may still begin; None when nobody planned it."""
        if series in self.emergencies:
            return float(self.emergencies[series][1].expires_at)
        ends = [window(fact, day)[1] for _, fact in self.schedules.get(series, ())]
        return max(ends, default=None)

    def owed_by(self, card: Card, until_s: float) -> set[tuple[int, int]]:
        """(series, day) of every slot this station was told of whose time was over by then, and stayed over.

        Nothing that anybody cancelled: then the withdrawal is acknowledged, and the slot perhaps as well.
        """
        cancelled = {fact.series for _, fact in self.cancels} | {fact.bulletin for _, fact in self.cancels}
        owed: set[tuple[int, int]] = set()
        for series, orders in self.schedules.items():
            for mark, fact in orders:
                told = mark in card.known and covers(fact.territory, card.unit)
                if told and fact.bulletin not in cancelled:
                    days = days_of(fact.first_day, fact.days)
                    owed |= {(series, day) for day in days if window(fact, day)[1] < until_s}
        for series, (mark, order) in self.emergencies.items():
            if mark in card.known and covers(order.territory, card.unit) and order.expires_at < until_s:
                owed.add((series, local_day(order.not_before)))
        return {key for key in owed if key[0] not in cancelled}


@dataclass
class Card:
    """What one station's card holds and has held, and what its loudspeaker did.

    `sounds` follows the card: an old image forgets the sounds made after it. `all_sounds` forgets nothing.
    `contradicted`: logs of which two different segments for one place were seen to leave the station.
    """

    unit: str
    key_id: bytes
    written: set[bytes] = field(default_factory=set)
    sounds: list[Sound] = field(default_factory=list)
    all_sounds: list[Sound] = field(default_factory=list)
    known: set[bytes] = field(default_factory=set)
    images_restored: int = 0
    contradicted: set[LogRef] = field(default_factory=set)
    _places: dict[tuple[LogRef, int], bytes] = field(default_factory=dict)
    _position: int = 0
    _told: int = 0

    def look(self, ledger: Ledger) -> list[bytes]:
        """Head hashes of own segments sealed since the last look: written, from now on."""
        fresh = []
        while self._position < ledger.position():
            for position, _, raw in ledger.tables.segments_after(self._position, BATCH, told_only=False):
                self._position = position
                head = read_head(raw)[0]
                if head.key_id == self.key_id:
                    self.written.add(head.hash)
                    fresh.append(head.hash)
                    # Two histories part at one place: what both begin there has the same number.
                    log = LogRef(head.key_id, head.log_id)
                    if self._places.setdefault((log, head.first_seq), head.hash) != head.hash:
                        self.contradicted.add(log)
        return fresh

    def refresh_known(self, ledger: Ledger) -> None:
        """The decisions this station holds by now."""
        while rows := ledger.tables.segments_after(self._told, BATCH, told_only=True):
            for position, _, raw in rows:
                self._told = position
                self.known.add(read_head(raw)[0].hash)

    def forget(self, image_at_s: float) -> None:
        """An old image was put back: the card knows nothing later than it."""
        self.images_restored += 1
        self.sounds = [sound for sound in self.sounds if sound.at_s <= image_at_s]
        self.known.clear()
        self._position = self._told = 0


@dataclass
class HubRecord:
    """The hub's ledger as it showed itself, row by row, and the receipts that left it.

    Rows are noted by their heads alone, which is cheap enough for every reply; their events are opened when a
    checker asks for them (`open_rows`).
    """

    rows: dict[LogRef, list[Row]] = field(default_factory=lambda: defaultdict(list))
    receipts: dict[LogRef, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    owed: dict[LogRef, dict[int, bytes]] = field(default_factory=lambda: defaultdict(dict))
    acks: dict[str, set[tuple[int, int]]] = field(default_factory=lambda: defaultdict(set))
    position: int = 0
    _unopened: list[tuple[Card, Row, bytes]] = field(default_factory=list)
    # By the bytes themselves: each of the hub's lives shows them again.
    _opened: dict[bytes, tuple[tuple[bytes, ...], frozenset[tuple[int, int]]]] = field(default_factory=dict)

    def look(
        self, ledger: Ledger, cards: dict[bytes, Card], decisions: Decisions
    ) -> list[tuple[Card, Row, Row | None]]:
        """Stations' rows that came since the last look, each with the one before it in its log.

        Decisions are noted on the way.
        """
        fresh: list[tuple[Card, Row, Row | None]] = []
        while self.position < ledger.position():
            for position, audience, raw in ledger.tables.segments_after(
                self.position, BATCH, told_only=False
            ):
                self.position = position
                head = read_head(raw)[0]
                card = cards.get(head.key_id)
                if card is not None:
                    row = Row(head.first_seq, head.next_seq, head.hash, head.prev)
                    rows = self.rows[LogRef(head.key_id, head.log_id)]
                    fresh.append((card, row, rows[-1] if rows else None))
                    rows.append(row)
                    self._unopened.append((card, row, raw))
                elif audience is not None and head.hash not in decisions.seen:
                    decisions.take(next(ledger.since(position - 1, limit=1)))
        return fresh

    def open_rows(self, ledger: Ledger) -> None:
        """Fills in the events of the rows noted so far, and the slots they acknowledge."""
        for card, row, raw in self._unopened:
            opened = self._opened.get(raw)
            if opened is None:
                opened = self._opened[raw] = _opened(open_segment(raw, ledger.key_of))
            row.events, slots = opened
            self.acks[card.unit].update(slots)
        self._unopened.clear()

    def read_again(
        self, ledger: Ledger, cards: dict[bytes, Card], decisions: Decisions
    ) -> list[tuple[Card, Row, Row | None]]:
        """Forgets what was seen of the hub and reads it whole, as after each of its starts."""
        self.rows.clear()
        self.acks.clear()
        self._unopened.clear()
        self.position = 0
        return self.look(ledger, cards, decisions)

    def note(self, receipt: Receipt) -> None:
        self.receipts[receipt.log][receipt.next_seq] = receipt.head_hash

    def rolled_back(self) -> None:
        """The hub came back from an old image: what it receipted since, stations owe it again."""
        for log, heads in self.receipts.items():
            held = {row.next_seq: row.hash for row in self.rows.get(log, ())}
            for next_seq, hash_ in list(heads.items()):
                if held.get(next_seq) != hash_:
                    self.owed[log][next_seq] = heads.pop(next_seq)


def _opened(segment: Segment) -> tuple[tuple[bytes, ...], frozenset[tuple[int, int]]]:
    """(hashes of its events, slots they acknowledge)."""
    facts = [signed.fact for signed in read(Stored(0, segment, None))]
    return (
        tuple(sha256(event).digest() for event in segment.events),
        frozenset((fact.series, fact.day) for fact in facts if isinstance(fact, Acknowledged)),
    )


def window(fact: Scheduled, day: int) -> tuple[float, float]:
    """When the slot of that day may begin: from its minute until it is too late (UTC s)."""
    start_s = float(at(day, fact.minute))
    return start_s, start_s + max(fact.late_s, ON_TIME_S)


def holds(rows: Sequence[Row], next_seq: int, hash_: bytes) -> bool:
    return any(row.next_seq == next_seq and row.hash == hash_ for row in reversed(rows))
