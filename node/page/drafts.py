"""What people of this commune wrote, submitted and returned: the part of a bulletin's life that the common
fold passes by, because no other station needs it.

Each row is one signed event, copied in the very transaction that signs it, so the rows never speak of what
was not signed. They can be built again from the signed logs (`rebuild`), all but the number of the person
beside each: a key may be replaced, a person stays one person, and four eyes count persons.

What was approved and withdrawn is not here: that is asked of `Facts`, which also hears of it from above.

Bound: rows and the life they tell. Who may add to them, and what, is `bulletins.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from ledger.facts import (
    Approved,
    Cancelled,
    Drafted,
    Facts,
    Life,
    Returned,
    Submitted,
    local_day,
    parse,
    read,
)
from ledger.log import Ledger, Stored

Told: TypeAlias = Drafted | Submitted | Returned | Approved | Cancelled

MADE: Final = "drafts.made"  # the version of the rows, when they are there
VERSION: Final = 1
_TABLE: Final = """CREATE TABLE IF NOT EXISTS node_drafts (
    bulletin BLOB NOT NULL, position INTEGER NOT NULL, step INTEGER NOT NULL, version INTEGER NOT NULL,
    key_id BLOB NOT NULL, person INTEGER NOT NULL, event BLOB NOT NULL,
    PRIMARY KEY (bulletin, position)) STRICT, WITHOUT ROWID"""
_NEWEST: Final = """SELECT bulletin FROM node_drafts GROUP BY bulletin
    ORDER BY max(position) DESC LIMIT ? OFFSET ?"""
# The bare columns are those of the row with the greatest position: SQLite says so of a lone max().
_SUBMITTED: Final = """SELECT bulletin, version, max(position), step FROM node_drafts GROUP BY bulletin
    HAVING step = ? ORDER BY max(position)"""


@dataclass(frozen=True)
class Step:
    """One signed word about a bulletin. person: 0 when not of this station, or not known any more."""

    fact: Told
    key_id: bytes
    person: int
    position: int


class Drafts:
    """Over the ledger of one station. people: the person by key, for rows that are built again."""

    def __init__(self, ledger: Ledger, facts: Facts, unit: str, people: Mapping[bytes, int]) -> None:
        self._ledger = ledger
        self._facts = facts
        self._unit = unit
        self._people = people
        if ledger.get(MADE) != VERSION:
            self.rebuild()

    def note(self, stored: Stored, person: int) -> None:
        """Keeps what was just signed, when it is such a step. In the transaction that signed it."""
        for signed in read(stored):
            if isinstance(signed.fact, Drafted | Submitted | Returned):
                self._ledger.db.execute(
                    "INSERT OR IGNORE INTO node_drafts VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        signed.fact.bulletin,
                        stored.position,
                        signed.fact.TYPE,
                        signed.fact.version,
                        signed.key_id,
                        person,
                        signed.event,
                    ),
                )

    def rebuild(self) -> None:
        """Makes the rows anew from every log that is held here."""
        with self._ledger.transaction() as db:
            db.execute("DROP TABLE IF EXISTS node_drafts")
            db.execute(_TABLE)
            for log in self._ledger.frontier():
                if log.key_id in self._people:
                    for stored in self._ledger.segments_of(log, 0):
                        self.note(stored, self._people[log.key_id])
            self._ledger.put(MADE, VERSION)

    # -- asking ----------------------------------------------------------------------------------------------

    def newest(self, limit: int, offset: int = 0) -> list[bytes]:
        """Bulletins, the one somebody touched last first."""
        return [bytes(row[0]) for row in self._ledger.db.execute(_NEWEST, (limit, offset))]

    def waiting(self) -> list[bytes]:
        """Bulletins whose current version was submitted and neither returned, approved nor withdrawn since,
        the longest waiting first. Asked at every page, so nothing is parsed.
        """
        facts = self._facts
        return [
            bytes(bulletin)
            for bulletin, version, _, _ in self._ledger.db.execute(_SUBMITTED, (Submitted.TYPE,))
            if all(one.fact.version != version for one in facts.approvals.get(bytes(bulletin), ()))
            and not any(facts.hears(self._unit, c.fact) for c in facts.cancels.get(bytes(bulletin), ()))
        ]

    def steps(self, bulletin: bytes) -> list[Step]:
        """Everything signed about a bulletin of this commune, oldest first; empty when there is none."""
        found: list[Step] = []
        rows = self._ledger.db.execute(
            "SELECT position, key_id, person, event FROM node_drafts WHERE bulletin = ?", (bulletin,)
        )
        for position, key_id, person, event in rows:
            fact = parse(bytes(event))
            assert isinstance(fact, Drafted | Submitted | Returned), "only these are kept"
            found.append(Step(fact, bytes(key_id), int(person), int(position)))
        if not found:
            return []
        for approval in self._facts.approvals.get(bulletin, ()):
            found.append(self._heard(approval.fact, approval.key_id, approval.position))
        for cancel in self._facts.cancels.get(bulletin, ()):
            if self._facts.hears(self._unit, cancel.fact):
                found.append(self._heard(cancel.fact, cancel.key_id, cancel.position))
        return sorted(found, key=lambda one: one.position)

    def _heard(self, fact: Approved | Cancelled, key_id: bytes, position: int) -> Step:
        return Step(fact, key_id, self._people.get(key_id, 0), position)


def life_of(steps: list[Step]) -> Life:
    """The bulletin as it stands. A word about a version that is not the current one moves nothing."""
    life = Life()
    for step in steps:
        fact = step.fact
        if isinstance(fact, Drafted):
            fits = life.draft is None or fact.version == life.draft.version + 1
        elif isinstance(fact, Cancelled):
            fits = life.draft is not None
        else:
            fits = life.draft is not None and fact.version == life.draft.version
        if fits:
            life = life.then(fact, step.key_id)
    return life


def draft_manifests(ledger: Ledger, from_s: float) -> set[bytes]:
    """What the versions written here name whose last day was not over at `from_s`: it stays on the card while
    people may still listen, approve and compare, though no order names it yet.
    """
    if ledger.get(MADE) != VERSION:
        return set()
    found = set()
    for (event,) in ledger.db.execute("SELECT event FROM node_drafts WHERE step = ?", (Drafted.TYPE,)):
        fact = parse(bytes(event))
        if isinstance(fact, Drafted) and fact.valid_until_day >= local_day(from_s):
            found.add(fact.manifest)
    return found
