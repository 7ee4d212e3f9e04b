"""The hub's door for stations: admit few at a time, answer each as a function of bytes, remember who came.

Admission is bounded. When a province's power comes back, a thousand stations knock within seconds; an
unbounded queue would make all of them time out and knock again, for ever. Here whoever finds the room full
is sent away at once with the second at which coming back is worth it, before any signature is checked. A
station that lacks an emergency for its territory, and a station that enrols, find a larger room: they are
turned away last.

A request is one transaction of the ledger: segments admitted, arrivals journalled and sealed, and only then
receipts leave. Contacts are notes about that (who came when, with what cursor) and therefore disposable:
they are kept in memory and written by `flush`, not once a request.

Bound: bytes in, (status, bytes) out. Segments, chains and receipts are `ledger.log.sync`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

from sqlite_utils import Database

from hub.config import Overload
from ledger.facts import (
    AckCoder,
    Facts,
    Right,
    covers,
)
from ledger.log import (
    Answer,
    Ledger,
    LoaError,
    SigningKey,
    answer,
    audiences_here,
    pack,
)

KEY_AT = slice(4, 12)  # where a request names its author; unverified, good enough to choose a queue
CONTACTS_MAX = 20_000  # stations a hub remembers; beyond that the longest silent one is forgotten

_SCHEMA = """
CREATE TABLE IF NOT EXISTS contacts (key_id BLOB PRIMARY KEY, at INTEGER NOT NULL, sent_at INTEGER NOT NULL,
  cursor INTEGER NOT NULL, head_log BLOB NOT NULL, head_seq INTEGER NOT NULL, status BLOB NOT NULL,
  syncs INTEGER NOT NULL, refused TEXT NOT NULL)
"""
_KEEP = (
    "INSERT OR REPLACE INTO contacts VALUES "
    "(:key_id, :at, :sent_at, :cursor, :head_log, :head_seq, :status, :syncs, :refused)"
)


@dataclass(frozen=True)
class Contact:
    """The last time a station came. at: UTC s here; sent_at: by its own clock. refused: a code or ""."""

    key_id: bytes
    at: int
    sent_at: int
    cursor: int
    head_log: bytes
    head_seq: int
    status: bytes
    syncs: int
    refused: str


@dataclass(frozen=True)
class Urgent:
    """A running emergency: stations under `territory` with a cursor before `position` lack it."""

    territory: str
    position: int
    expires_at: int


class Door:
    """Counts who is inside. Its own small lock: it is asked before the hub's big one."""

    def __init__(self, limits: Overload, mono: Callable[[], float]) -> None:
        self._limits = limits
        self._mono = mono
        self._lock = Lock()
        self._inside = 0
        self._service_s = limits.service_ms / 1000

    def enter(self, *, urgent: bool) -> float | None:
        """When the caller entered (monotonic s), or None when the room is full."""
        with self._lock:
            if self._inside >= (self._limits.urgent_max if urgent else self._limits.waiting_max):
                return None
            self._inside += 1
        return self._mono()

    def leave(self, entered: float) -> None:
        took_s = max(0.0, self._mono() - entered)
        with self._lock:
            # What was measured includes the wait in the queue; divided by the queue it is the service time.
            if took_s > 0:
                self._service_s += 0.1 * (took_s / max(1, self._inside) - self._service_s)
            self._inside -= 1

    def retry_after_s(self) -> int:
        """When it is worth coming back: twice the time the room needs to empty, within bounds."""
        with self._lock:
            wait_s = 2 * self._inside * self._service_s
        return round(min(self._limits.retry_max_s, max(self._limits.retry_min_s, wait_s)))


class Ingest:
    """The sync door. contacts_db: autocommit connection to contacts.db."""

    def __init__(
        self, ledger: Ledger, facts: Facts, key: SigningKey, contacts_db: sqlite3.Connection
    ) -> None:
        contacts_db.execute(_SCHEMA)
        self._db = Database(contacts_db, recursive_triggers=False, execute_plugins=False)
        self._ledger = ledger
        self._facts = facts
        self._key = key
        self._dirty: set[bytes] = set()
        self._contacts: dict[bytes, Contact] = {
            bytes(row["key_id"]): Contact(**row) for row in self._db.query("SELECT * FROM contacts")
        }
        self._urgent: tuple[Urgent, ...] = ()

    # -- syncing ---------------------------------------------------------------------------------------------

    def exchange(self, request: bytes, *, now: int) -> bytes:
        """One round with one station. LoaError when the request as a whole is refused."""
        answered = answer(
            self._ledger, self._key, request,
            now=now, audiences_of=self.audiences_of, coder_of=self.coder_of, forwards=self.forwards,
        )  # fmt: skip
        self._note(answered, now)
        return answered.reply

    def audiences_of(self, key_id: bytes) -> Sequence[str] | None:
        """The units whose decisions this key is sent: its own and those above; a hub's those within it too.

        None when it has none.
        """
        authority = self._facts.authority
        territories = authority.units_of(key_id, Right.INGEST)
        units = {*authority.units_of(key_id, Right.ACK), *territories}
        found = {above for unit in units for above in self._facts.lineages.names(unit)}
        if territories:
            held = audiences_here(self._ledger)
            found |= {unit for unit in held if any(covers(outer, unit) for outer in territories)}
        return sorted(found) or None

    def forwards(self, key_id: bytes) -> bool:
        """Whether this key passes on what others signed: it may keep a journal somewhere."""
        return bool(self._facts.authority.units_of(key_id, Right.INGEST))

    def coder_of(self, key_id: bytes) -> AckCoder | None:
        """What unpacks this station's acknowledgments; None for a key of several units or of none."""
        units = self._facts.authority.units_of(key_id, Right.ACK)
        return AckCoder(self._facts, units[0]) if len(units) == 1 else None

    def _note(self, answered: Answer, now: int) -> None:
        before = self._contacts.get(answered.key_id)
        # short ones are old logs offered again
        live = [head for head in answered.heads if len(head.hash) == 32]
        last = live[-1] if live else None
        contact = Contact(
            key_id=answered.key_id,
            at=now,
            sent_at=answered.sent_at,
            cursor=answered.cursor,
            head_log=last.log.log_id if last else before.head_log if before else b"",
            head_seq=last.next_seq if last else before.head_seq if before else 0,
            status=answered.status,
            syncs=1 if before is None else before.syncs + 1,
            refused=answered.refused[-1].code if answered.refused else "",
        )
        if before is None and len(self._contacts) >= CONTACTS_MAX:
            del self._contacts[min(self._contacts, key=lambda key: (self._contacts[key].at, key))]
        self._contacts[answered.key_id] = contact
        self._dirty.add(answered.key_id)

    # -- who came --------------------------------------------------------------------------------------------

    def contact(self, key_id: bytes) -> Contact | None:
        return self._contacts.get(key_id)

    def heard_from(self, key_id: bytes) -> bool:
        return key_id in self._contacts

    def flush(self) -> None:
        """Writes the notes that changed."""
        rows = [vars(self._contacts[key]) for key in sorted(self._dirty) if key in self._contacts]
        if rows:
            with self._db.atomic():
                self._db.conn.executemany(_KEEP, rows)  # one statement: a province comes every few minutes
        self._dirty.clear()

    # -- urgency ---------------------------------------------------------------------------------------------

    def set_urgent(self, running: Iterable[Urgent]) -> None:
        self._urgent = tuple(running)

    def is_urgent(self, request: bytes, *, now: int) -> bool:
        """True when the station this request names may lack a running emergency. Believes nobody."""
        if not any(one.expires_at > now for one in self._urgent):
            return False
        key_id = request[KEY_AT]
        contact = self._contacts.get(key_id)
        cursor = 0 if contact is None else contact.cursor
        units = self._facts.authority.units_of(key_id, Right.ACK)
        return any(
            one.expires_at > now
            and cursor < one.position
            and any(one.territory in self._facts.lineages.names(unit) for unit in units)
            for one in self._urgent
        )


def error_body(error: LoaError) -> bytes:
    """What goes over the wire for a refusal: `["error", code, what, hint]`."""
    return pack(["error", error.code, error.what, error.hint])
