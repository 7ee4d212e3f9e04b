"""The door of the `eventsourcing` library: saving an aggregate *is* signing, in one transaction.

The library gives what it is good at: aggregates whose rules stand in one place, replay, optimistic
concurrency by (aggregate, version). What it stores is ours: the state of a row is the canonical event bytes
of one ledger fact, the topic a short word. `Decisions.save(aggregate, signer=key)` writes the rows and, in
the very same transaction on the ledger's own connection, seals each fact alone under the signer's key. So
there is no aggregate event that is not a signed fact, no signed decision without its row, and a failed save
leaves neither, nor a used sequence number.

Why below the mapper and not in it: a save that fails on a conflict has already mapped its events; only the
recorder's `_insert_events` runs inside the transaction that decides. Why not the library's own SQLite
connections: a second connection could not share the ledger's transaction, and two writing connections on
one WAL file are a known way to lose data. Topics are looked up in a register filled by our own classes; the
library's default would import whatever module a stored topic names.

Bound: knows aggregates and facts, not what they mean. Rules live in `hub`, meaning in `ledger.facts`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    InfrastructureFactory,
    IntegrityError,
    InterfaceError,
    InternalError,
    JSONTranscoder,
    Mapper,
    NotSupportedError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
    Recording,
    StoredEvent,
)
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore
from eventsourcing.utils import Environment, EnvType

from ledger.aggregates import DecisionAggregate, FactMapper, SealedEvent
from ledger.log.errors import NotAllowed
from ledger.log.keys import SigningKey
from ledger.log.store import Ledger

TRIES = 3  # a command that lost a race runs again; more than twice means something else is wrong

T = TypeVar("T", bound=DecisionAggregate)
R = TypeVar("R")


class LedgerDatastore(SQLiteDatastore):
    """Hands out the ledger's connection; inside an open transaction of the ledger it never commits."""

    def __init__(self, ledger: Ledger, db: sqlite3.Connection) -> None:
        # No pool: super().__init__ would open files of its own.
        self._ledger = ledger
        self._db = db
        self.single_row_tracking = True
        self.originator_id_type = "uuid"

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        cursor = self._db.cursor()
        cursor.row_factory = sqlite3.Row  # the library reads columns by name
        try:
            if commit:
                with self._ledger.transaction():
                    yield SQLiteCursor(cursor)
            else:
                yield SQLiteCursor(cursor)  # one connection: a read sees what the open transaction wrote
        except sqlite3.Error as error:
            raise _translated(error) from error
        finally:
            cursor.close()

    def close(self) -> None:
        """The connection is the ledger's; nothing of ours is open."""


_TRANSLATION: tuple[tuple[type[sqlite3.Error], type[PersistenceError]], ...] = (
    (sqlite3.IntegrityError, IntegrityError),
    (sqlite3.DataError, DataError),
    (sqlite3.OperationalError, OperationalError),
    (sqlite3.InternalError, InternalError),
    (sqlite3.ProgrammingError, ProgrammingError),
    (sqlite3.NotSupportedError, NotSupportedError),
    (sqlite3.DatabaseError, DatabaseError),
    (sqlite3.InterfaceError, InterfaceError),
)


def _translated(error: sqlite3.Error) -> PersistenceError:
    for theirs, librarys in _TRANSLATION:
        if isinstance(error, theirs):
            return librarys(error)
    return PersistenceError(error)


class LedgerRecorder(SQLiteApplicationRecorder):
    """Rows and sealed segments together; `sealed_decisions` says where each row's signature stands."""

    def __init__(self, datastore: LedgerDatastore, ledger: Ledger) -> None:
        super().__init__(datastore)
        self._ledger = ledger

    def construct_create_table_statements(self) -> list[str]:
        return [
            *super().construct_create_table_statements(),
            "CREATE TABLE IF NOT EXISTS sealed_decisions (originator_id TEXT, originator_version INTEGER, "
            "key_id BLOB NOT NULL, log_id BLOB NOT NULL, seq INTEGER NOT NULL, position INTEGER NOT NULL, "
            "PRIMARY KEY (originator_id, originator_version)) WITHOUT ROWID",
        ]

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Rows first: a lost race ends in IntegrityError before anything is signed."""
        returning = super()._insert_events(c, stored_events, **kwargs)
        signer: SigningKey | None = kwargs.get("signer")
        for stored in stored_events:
            assert isinstance(stored, SealedEvent)
            if signer is None or signer.key_id != stored.signer:
                raise NotAllowed(
                    "signer-mismatch",
                    "a decision must be saved by the key it names",
                    where=stored.topic,
                    hint="call save(aggregate, signer=key) with the key that decided",
                )
            sealed = self._ledger.append_sealed(signer, stored.state)
            head = sealed.segment.head
            c.execute(
                "INSERT INTO sealed_decisions VALUES (?,?,?,?,?,?)",
                (
                    cast(UUID, stored.originator_id).hex,
                    stored.originator_version,
                    head.key_id,
                    head.log_id,
                    head.first_seq + head.count - 1,
                    sealed.position,
                ),
            )
        return returning

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        rows = super().select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT originator_version, key_id FROM sealed_decisions WHERE originator_id=?",
                (cast(UUID, originator_id).hex,),
            )
            signers = {int(version): bytes(key) for version, key in c.fetchall()}
        return [
            SealedEvent(
                originator_id=row.originator_id,
                originator_version=row.originator_version,
                topic=row.topic,
                state=bytes(row.state),
                signer=signers[row.originator_version],
            )
            for row in rows
        ]


class _LedgerFactory(InfrastructureFactory[Any]):
    """The one recorder. No snapshots, trackers or subscriptions: projections read the ledger."""

    def __init__(self, ledger: Ledger, db: sqlite3.Connection) -> None:
        super().__init__(Environment("", {}))
        self.datastore = LedgerDatastore(ledger, db)
        self._ledger = ledger

    def application_recorder(self) -> LedgerRecorder:
        recorder = LedgerRecorder(self.datastore, self._ledger)
        recorder.create_table()
        return recorder

    def aggregate_recorder(self, purpose: str = "events") -> Any:
        raise NotImplementedError(f"no {purpose}: an aggregate here has tens of events, not thousands")

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> Any:
        raise NotImplementedError("projections keep their cursor in views.db")

    def process_recorder(self) -> Any:
        raise NotImplementedError("projections keep their cursor in views.db")


class Decisions(Application[UUID]):
    """The application: `get` an aggregate, `save` it under a key, `again` for a command that lost a race.

    ledger and db belong together (the ledger was built on db). aggregates: whose events may be stored.
    """

    def __init__(
        self, ledger: Ledger, db: sqlite3.Connection, aggregates: Iterable[type[DecisionAggregate]]
    ) -> None:
        self._ledger = ledger
        self._db = db
        self._classes = tuple(aggregates)
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Nothing from the process environment: a stray COMPRESSOR_TOPIC would change what is stored."""
        return Environment(name, {})

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        return _LedgerFactory(self._ledger, self._db)

    def construct_mapper(self) -> Mapper[UUID]:
        return FactMapper(JSONTranscoder(), self._classes)

    def find(self, kind: type[T], aggregate_id: UUID) -> T | None:
        """The aggregate, rebuilt from its signed facts; None when there is none of this kind."""
        try:
            found = self.repository.get(aggregate_id, projector_func=_project)
        except AggregateNotFoundError:
            return None
        return found if isinstance(found, kind) else None

    def sign(self, aggregate: DecisionAggregate, signer: SigningKey) -> list[Recording[UUID]]:
        """Stores and seals what the aggregate decided. IntegrityError: somebody was faster, use `again`."""
        return self.save(aggregate, signer=signer)


def _project(aggregate: Any, decided: Iterable[Any]) -> Any:
    """The library's own loop checks each event against a runtime protocol: that costs more than the event."""
    for event in decided:
        aggregate = event.mutate(aggregate)
    return aggregate


def again(command: Callable[[], R]) -> R:
    """Runs a command; when it lost a race (IntegrityError) runs it again from fresh state, at most TRIES
    times.

    The whole command runs again, never only the save: a failed save has already drained the aggregate's
    events, so a second save would store nothing and look like success.
    """
    for _ in range(TRIES):
        try:
            return command()
        except IntegrityError:
            continue
    raise NotAllowed(
        "try-again", "somebody else changes the same thing right now", hint="look again, then repeat"
    )


__all__ = [
    "DecisionAggregate",
    "Decisions",
    "IntegrityError",
    "again",
]
