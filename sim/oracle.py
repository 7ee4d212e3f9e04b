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
    Acknowledged,
    Approved,
    Cancelled,
    EmergencyOrdered,
    Right,
    Scheduled,
    at,
    covers,
    local_day,
    read,
)
from ledger.log import Ledger, LogRef, Receipt, Stored, open_segment, read_head

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
    schedules: dict[int, Scheduled] = field(default_factory=dict)
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
                self.schedules[fact.series] = fact
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
        fact = self.schedules.get(series)
        return None if fact is None else float(at(day, fact.minute) + fact.late_s)


@dataclass
class Card:
    """What one station's card holds and has held, and what its loudspeaker did.

    `sounds` follows the card: an old image forgets the sounds made after it. `all_sounds` forgets nothing.
    """

    unit: str
    key_id: bytes
    written: set[bytes] = field(default_factory=set)
    sounds: list[Sound] = field(default_factory=list)
    all_sounds: list[Sound] = field(default_factory=list)
    known: set[bytes] = field(default_factory=set)
    images_restored: int = 0
    forked: bool = False
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
                elif audience is not None:
                    decisions.take(next(ledger.since(position - 1, limit=1)))
        return fresh

    def open_rows(self, ledger: Ledger) -> None:
        """Fills in the events of the rows noted so far, and the slots they acknowledge."""
        for card, row, raw in self._unopened:
            segment = open_segment(raw, ledger.key_of)
            row.events = tuple(sha256(event).digest() for event in segment.events)
            for signed in read(Stored(0, segment, None)):
                if isinstance(signed.fact, Acknowledged):
                    self.acks[card.unit].add((signed.fact.series, signed.fact.day))
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


def day_of(true_s: float) -> int:
    return local_day(true_s)


def holds(rows: Sequence[Row], next_seq: int, hash_: bytes) -> bool:
    return any(row.next_seq == next_seq and row.hash == hash_ for row in reversed(rows))
