"""Read models: what the pages show, folded from the ledger and disposable.

`catch_up` walks the ledger from the cursor in order of arrival, a batch of segments a transaction; the rows
and the cursor move together, so a crash between two batches costs nothing and repeats nothing. `rebuild`
drops everything and walks again, and must come to the same rows byte for byte: therefore nothing here looks
at a clock, at an account, at content that may arrive later, or at authority granted later than the event it
judges. The projection folds its own `Facts` in step with its cursor for that.

One thing does look ahead: a key that was ended makes void what it signed before it was found out. So the rows
are judged by the fold of the whole ledger in that, and an ending builds all of them again.

An acknowledgment counts when its key was granted ACK for exactly one registered station; the first one for
(station, series, day) stands, later ones are counted as repeats. What is signed and cannot be read is
listed as malformed and stops nothing.

Bound: rows only; questions about them are `hub.queries`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlite_utils import Database

from hub import views
from hub.as_run import AsRun
from hub.attested import Attestations
from hub.boards import take_board
from hub.deeds import Deeds
from hub.endings import units_reported, why_not
from hub.wishes import WISHES_PER_STATION, proves_itself
from ledger.facts import (
    NAME_CHARS_MAX,
    Acks,
    Attested,
    BoardShown,
    ClustersListed,
    Decision,
    EmergencyOrdered,
    Facts,
    FeedbackReceived,
    KeyOffered,
    Malformed,
    OfferAnswered,
    Refused,
    Revoked,
    Right,
    RootsSet,
    Rotated,
    Scheduled,
    Signed,
    WithdrawalSeen,
    acceptable_text,
    acknowledgments,
    parse,
)
from ledger.log import (
    ForkFound,
    Ledger,
    Stored,
)

ENDINGS = (Rotated, Revoked, RootsSet)
BATCH_SEGMENTS = 200  # a transaction: enough to make the commit cheap, few enough to keep pages answering

FRESH_MAX = 2_000  # segments kept in memory between two ticks; beyond that they are read from the disk


class Projections:
    """views_db: autocommit connection to views.db. new_facts: an empty fold with the hub's roots.

    whole: the fold of everything the ledger holds now.
    """

    def __init__(
        self,
        ledger: Ledger,
        views_db: sqlite3.Connection,
        new_facts: Callable[[], Facts],
        whole: Callable[[], Facts],
    ) -> None:
        self._ledger = ledger
        self._whole = whole
        self._new_facts = new_facts
        self._facts: Facts | None = None
        self._fresh: list[Stored] = []
        self.db = Database(views_db, recursive_triggers=False, execute_plugins=False)
        if not views.is_current(self.db) or not self._fits():
            views.create(self.db)

    @property
    def cursor(self) -> int:
        """The position up to which the rows speak."""
        return views.cursor(self.db)[0]

    def _fits(self) -> bool:
        """False when the rows speak of another history: a ledger restored from a backup without them."""
        position, trail = views.cursor(self.db)
        return position == 0 or self._ledger.hash_at(position) == trail

    def offer(self, stored: Stored) -> None:
        """A segment this process has just verified and admitted: it need not be read once more."""
        if len(self._fresh) >= FRESH_MAX:
            self._fresh.clear()
        self._fresh.append(stored)

    def forget(self) -> None:
        """A transaction was undone: what was offered in it does not exist."""
        self._fresh.clear()

    def catch_up(self) -> int:
        """Takes in what arrived since; returns how many segments. Raises StoreError for a damaged ledger."""
        return self._walk(anew=False)

    def _walk(self, *, anew: bool) -> int:
        """anew: the rows were dropped, so that endings on the way are known already."""
        facts = self._facts if self._facts is not None else self._facts_at(self.cursor)
        self._facts = None  # until a batch is committed: a fold ahead of its cursor would be wrong
        done = 0
        while True:
            batch = self._next(self.cursor)
            if not batch:
                self._facts = facts
                return done
            if not anew and any(self._ends_something(stored) for stored in batch):
                return self.rebuild()
            with self.db.atomic():
                _Batch(self.db, facts, self._whole(), self._ledger).take(batch)
                position = batch[-1].position
                views.set_cursor(self.db, position, self._ledger.hash_at(position) or b"")
            done += len(batch)

    def _next(self, cursor: int) -> list[Stored]:
        """The segments after the cursor: those just admitted when they follow on, else from the disk."""
        if self._fresh and self._fresh[0].position == cursor + 1:
            batch, self._fresh = self._fresh[:BATCH_SEGMENTS], self._fresh[BATCH_SEGMENTS:]
            return batch
        self._fresh.clear()
        return list(self._ledger.since(cursor, limit=BATCH_SEGMENTS))

    def rebuild(self) -> int:
        """Drops every row and folds the whole ledger again; returns how many segments."""
        self._facts = None
        views.create(self.db)
        return self._walk(anew=True)

    def _ends_something(self, stored: Stored) -> bool:
        """True for an ending that counts; one that nobody had the right to say moves nothing."""
        if stored.audience is None or len(stored.segment.events) != 1:
            return False
        fact = parse(stored.segment.events[0])
        return isinstance(fact, ENDINGS) and not why_not(self._whole(), stored)

    def _facts_at(self, cursor: int) -> Facts:
        facts = self._new_facts()
        for stored in self._ledger.since(0, decisions_only=True):
            if stored.position > cursor:
                break
            facts.admit(stored)
        return facts


class _Batch:
    """One transaction's worth. Acknowledgments are gathered; decisions are few and written as they come."""

    def __init__(self, db: Database, facts: Facts, whole: Facts, ledger: Ledger) -> None:
        self._db = db
        self._facts = facts
        self._whole = whole
        self._ledger = ledger
        self._deeds = Deeds(db, facts, whole)
        self._as_run = AsRun(db, facts)
        self._strays: list[tuple[int, int, bytes, int, int]] = []
        self._counted: Counter[str] = Counter()
        self._attestations = Attestations(db, facts, self._as_run, self._counted)

    def take(self, batch: list[Stored]) -> None:
        for stored in batch:
            self._segment(stored)
        new, repeated = self._as_run.write()
        self._counted["acks"] += new
        self._counted["acks_repeated"] += repeated
        if self._strays:
            self._db.conn.executemany("INSERT INTO strays VALUES (?, ?, ?, ?, ?)", self._strays)
            self._counted["strays"] += len(self._strays)
        assert self._counted.keys() <= set(views.COUNTED), "every count has its row"
        for name, count in self._counted.items():
            self._db.execute("UPDATE counts SET n = n + ? WHERE name = ?", [count, name])

    def _segment(self, stored: Stored) -> None:
        events = stored.segment.events
        acks = acknowledgments(events)
        self._counted["segments"] += 1
        self._counted["events"] += len(events)
        if stored.audience is not None:
            self._db.execute("INSERT INTO told VALUES (?, ?)", [stored.audience, stored.position])
        if len(acks.nth) < len(events):
            version = self._facts.version
            self._facts.admit(stored)  # it looks at no acknowledgment
            if version != self._facts.version:
                self._as_run.plan_changed()
            for nth in sorted(set(range(len(events))).difference(acks.nth)):
                self._event(_signed(stored, nth), nth)
        if acks.nth:
            self._acks(stored, acks)

    def _event(self, signed: Signed, nth: int) -> None:
        fact = signed.fact
        if isinstance(fact, Malformed):
            self._counted["malformed"] += 1
            self._insert("malformed", signed, reason=fact.reason, event=signed.event)
        elif isinstance(fact, Decision):
            counts = self._deeds.take(signed, fact)
            self._counted["refused"] += not counts
            if counts and isinstance(fact, Attested):
                self._attestations.take(signed, fact)
            elif counts and isinstance(fact, Scheduled | EmergencyOrdered | OfferAnswered):
                self._attestations.planned(fact.series)
        elif isinstance(fact, Refused):
            self._insert(
                "refusals", signed, unit=self._unit(signed) or "", event_id=fact.event_id, reason=fact.reason
            )
        elif isinstance(fact, WithdrawalSeen):
            self._withdrawal_seen(signed, fact)
        elif isinstance(fact, ClustersListed):
            if (unit := self._unit(signed)) is not None:
                self._as_run.listed(unit, signed.position, nth, fact)
        elif isinstance(fact, BoardShown):
            if (unit := self._unit(signed)) is not None:
                take_board(self._db, unit, signed, fact)
        elif isinstance(fact, KeyOffered):
            self._wish(signed, fact)
        elif isinstance(fact, FeedbackReceived):
            if (unit := self._unit(signed)) is not None:
                row = [fact.feedback, unit, fact.ts, fact.category, fact.text, fact.sender]
                self._db.execute(
                    "INSERT OR IGNORE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [*row, signed.position, signed.seq],
                )
        elif isinstance(fact, ForkFound):
            self._counted["forks"] += 1

    def _insert(self, table: str, signed: Signed, **more: Any) -> None:
        self._db.table(table).insert(
            {"position": signed.position, "seq": signed.seq, "key_id": signed.key_id, **more}
        )

    # -- reports ---------------------------------------------------------------------------------------------

    def _unit(self, signed: Signed) -> str | None:
        """The station this key acknowledges for, or None when it is no station's or more than one's."""
        units: Sequence[str] = self._facts.authority.units_of(signed.key_id, Right.ACK, signed.place)
        if self._whole.authority.has_endings:
            counting = units_reported(self._ledger, self._whole, signed)
            units = [unit for unit in self._facts.authority.units_held(signed.key_id) if unit in counting]
        return units[0] if len(units) == 1 and units[0] in self._facts.stations else None

    def _acks(self, stored: Stored, acks: Acks) -> None:
        """The acknowledgments of one segment; those of a key that is no station's are strays."""
        if not self._whole.authority.has_endings:
            unit = self._unit(_signed(stored, acks.nth[0]))
            if unit is not None:
                self._as_run.take(stored, unit, acks)
                return
            units: dict[int, str | None] = dict.fromkeys(acks.nth)
        else:  # each place by itself: part of a segment may stay
            units = {nth: self._unit(_signed(stored, nth)) for nth in acks.nth}
        head = stored.segment.head
        for unit in dict.fromkeys(units.values()):
            said = acks.among({nth for nth in units if units[nth] == unit})
            if unit is not None:
                self._as_run.take(stored, unit, said)
            else:
                self._strays += [
                    (stored.position, head.first_seq + nth, head.key_id, items[2], items[3])
                    for nth, items in zip(said.nth, said.items, strict=True)
                ]

    def _wish(self, signed: Signed, fact: KeyOffered) -> None:
        """A key that asks for rights at the station that reports it; it proves that its owner holds it."""
        unit = self._unit(signed)
        named = acceptable_text(fact.label, NAME_CHARS_MAX) is None
        if unit is None or not named or not proves_itself(fact, signed.key_id):
            return  # a label that reads otherwise than it is written is nobody's name
        self._db.execute(
            "INSERT OR REPLACE INTO wishes VALUES (?, ?, ?, ?, ?, ?, ?)",
            [unit, fact.subject_pub, signed.key_id, fact.label, fact.classes, fact.ts, signed.position],
        )
        self._db.execute(
            "DELETE FROM wishes WHERE unit = ? AND pub IN "
            "(SELECT pub FROM wishes WHERE unit = ? ORDER BY position DESC, pub LIMIT -1 OFFSET ?)",
            [unit, unit, WISHES_PER_STATION],
        )

    def _withdrawal_seen(self, signed: Signed, fact: WithdrawalSeen) -> None:
        unit = self._unit(signed)
        if unit is not None:
            self._db.execute(
                "INSERT OR IGNORE INTO withdrawals_seen VALUES (?, ?, ?, ?, ?, ?)",
                [unit, fact.series, fact.bulletin or b"", fact.state, fact.ts, signed.position],
            )


def _signed(stored: Stored, nth: int) -> Signed:
    """One event of a stored segment with its fact."""
    head, event = stored.segment.head, stored.segment.events[nth]
    return Signed(parse(event), event, head.key_id, head.log_id, head.first_seq + nth, stored.position)
