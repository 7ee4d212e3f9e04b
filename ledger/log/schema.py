"""How the ledger's tables look, and their rows as values.

    keys      public keys that were introduced here
    logs      one row per log: its end, whether it is ours, sparse or frozen, and what the hub holds of it
    segments  the segments as received, in order of arrival (`position`), never changed or deleted
    journal   which event of our own log recorded the arrival of a segment
    pending   events appended and not sealed yet
    parked    segments that wait for what is before them, or for their key
    forks     evidence
    named     small values by name

`trail` is a running hash over the heads in arrival order: it names a whole history of arrivals, so that a
reader's cursor can be recognised as belonging to another history (a hub restored from an old image). The hash
of the one segment at the cursor would not do: the same segment may come back to the same position with others
before it. The file is shared: tables of other parts live beside these (`ledger_` is ours).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from ledger.log.chain import Head, LogRef
from ledger.log.segment import SIGNED_BYTES, SegmentHead, read_head

SCHEMA_VERSION: Final = 1
NO_TRAIL: Final = bytes(32)  # the trail before the first arrival

SCHEMA: Final = (
    "CREATE TABLE ledger_keys (key_id BLOB PRIMARY KEY, raw BLOB NOT NULL) STRICT, WITHOUT ROWID",
    """CREATE TABLE ledger_logs (
        n INTEGER PRIMARY KEY, key_id BLOB NOT NULL, log_id BLOB NOT NULL,
        next_seq INTEGER NOT NULL, hash BLOB NOT NULL,
        own INTEGER NOT NULL, sparse INTEGER NOT NULL, frozen INTEGER NOT NULL,
        held INTEGER NOT NULL, refused TEXT, receipt BLOB,
        UNIQUE (key_id, log_id)) STRICT""",
    """CREATE INDEX ledger_logs_due ON ledger_logs (key_id, n)
        WHERE own AND held < next_seq AND refused IS NULL""",
    """CREATE TABLE ledger_segments (
        position INTEGER PRIMARY KEY, log INTEGER NOT NULL REFERENCES ledger_logs (n),
        first_seq INTEGER NOT NULL, next_seq INTEGER NOT NULL, hash BLOB NOT NULL,
        audience TEXT, trail BLOB NOT NULL, raw BLOB NOT NULL) STRICT""",
    "CREATE UNIQUE INDEX ledger_segments_log ON ledger_segments (log, first_seq)",
    "CREATE INDEX ledger_segments_told ON ledger_segments (position) WHERE audience IS NOT NULL",
    "CREATE INDEX ledger_segments_for ON ledger_segments (audience, position) WHERE audience IS NOT NULL",
    """CREATE TABLE ledger_journal (
        position INTEGER PRIMARY KEY REFERENCES ledger_segments (position),
        log INTEGER NOT NULL REFERENCES ledger_logs (n), seq INTEGER NOT NULL) STRICT""",
    "CREATE TABLE ledger_pending (n INTEGER PRIMARY KEY, key_id BLOB NOT NULL, event BLOB NOT NULL) STRICT",
    "CREATE INDEX ledger_pending_key ON ledger_pending (key_id, n)",
    """CREATE TABLE ledger_parked (
        n INTEGER PRIMARY KEY, key_id BLOB NOT NULL, log_id BLOB NOT NULL, first_seq INTEGER NOT NULL,
        hash BLOB NOT NULL, stranger INTEGER NOT NULL, raw BLOB NOT NULL, source TEXT NOT NULL,
        at INTEGER NOT NULL, UNIQUE (key_id, log_id, first_seq, hash)) STRICT""",
    """CREATE TABLE ledger_forks (
        n INTEGER PRIMARY KEY, log INTEGER NOT NULL REFERENCES ledger_logs (n), code TEXT NOT NULL,
        held BLOB NOT NULL, other BLOB NOT NULL, received BLOB NOT NULL, source TEXT NOT NULL,
        at INTEGER NOT NULL) STRICT""",
    "CREATE TABLE ledger_named (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID",
    f"INSERT INTO ledger_named VALUES ('ledger.schema', {SCHEMA_VERSION})",  # noqa: S608
)


@dataclass(slots=True)
class LogRow:
    """A log as it stands in the table. held: the hub is known to hold everything below this number."""

    n: int
    ref: LogRef
    next_seq: int
    hash: bytes
    own: bool
    sparse: bool
    frozen: bool
    held: int
    refused: str | None

    @property
    def head(self) -> Head:
        return Head(self.ref, self.next_seq, self.hash)


class SegmentRow(NamedTuple):
    position: int
    first_seq: int
    next_seq: int
    hash: bytes
    raw: bytes

    @property
    def head(self) -> SegmentHead:
        return read_head(self.raw)[0]

    @property
    def signed(self) -> bytes:
        """Head and signature, 168 bytes."""
        return self.raw[:SIGNED_BYTES]


class ParkedRow(NamedTuple):
    n: int
    raw: bytes
    source: str


def next_trail(trail: bytes, hash_: bytes) -> bytes:
    """The trail after one more arrival."""
    return sha256(b"loa-trail/v1\0" + trail + hash_).digest()


def log_row(row: tuple[int, bytes, bytes, int, bytes, int, int, int, int, str | None]) -> LogRow:
    n, key_id, log_id, next_seq, hash_, own, sparse, frozen, held, refused = row
    return LogRow(
        n, LogRef(key_id, log_id), next_seq, hash_, bool(own), bool(sparse), bool(frozen), held, refused
    )
