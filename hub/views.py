"""The tables of views.db: disposable, versioned, made by name.

Every primary key follows from the ledger, and rows are written in the ledger's order, so that building the
tables again in other batches gives the same bytes. (No WITHOUT ROWID where sqlite-utils looks rows up by
rowid.)

`as_run` is the table of the many, so its rows are narrow: a station is its number in `places` (in the order
in which stations were first heard), the signed place is a segment's position in `arrivals` and the event's
number in that segment, times are differences. `planned` is seconds after the local midnight of `day`, `begun`
seconds after that. A series is named by its number and its territory: two communes may come to one number.
`clusters` is the vector of the receiver clusters as it was signed, NULL when they agreed; their names are in
the station's latest row of `listings` before it. What was played stays in the event, which its place names.
A person's word (`attested` says whose) has `nth` −1 there, and a station's own takes its place.
"""

from __future__ import annotations

from sqlite_utils import Database

VERSION = 11  # another shape is another number: the views are dropped and built again at the next start

# What is counted; each has its row from the beginning, in this order.
COUNTED = ("segments", "events", "acks", "acks_repeated", "malformed", "strays", "refused", "forks")

_SCHEMA = """
CREATE TABLE cursor (name TEXT PRIMARY KEY, position INTEGER NOT NULL, trail BLOB NOT NULL);
CREATE TABLE counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE bulletins (id BLOB PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL,
  manifest BLOB NOT NULL, title TEXT NOT NULL, category TEXT NOT NULL, klass INTEGER NOT NULL,
  territory TEXT NOT NULL, valid_from_day INTEGER NOT NULL, valid_until_day INTEGER NOT NULL,
  author BLOB NOT NULL, updated_at INTEGER NOT NULL, position INTEGER NOT NULL, search TEXT NOT NULL);
CREATE INDEX bulletins_state ON bulletins (state, position);
CREATE TABLE series (series INTEGER, kind TEXT NOT NULL, state TEXT NOT NULL,
  manifest BLOB NOT NULL, territory TEXT NOT NULL, key_id BLOB NOT NULL, at INTEGER NOT NULL,
  position INTEGER NOT NULL, bulletin BLOB NOT NULL, title TEXT NOT NULL, klass INTEGER NOT NULL,
  first_day INTEGER NOT NULL, days BLOB NOT NULL, minute INTEGER NOT NULL, length_s INTEGER NOT NULL,
  late_s INTEGER NOT NULL, level INTEGER NOT NULL, drill INTEGER NOT NULL, not_before INTEGER NOT NULL,
  expires_at INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (series, territory));
CREATE INDEX series_bulletin ON series (bulletin);
CREATE TABLE deeds (position INTEGER, seq INTEGER, key_id BLOB NOT NULL, at INTEGER NOT NULL,
  log_id BLOB NOT NULL, event_id BLOB NOT NULL, what TEXT NOT NULL, bulletin BLOB NOT NULL,
  series INTEGER NOT NULL, territory TEXT NOT NULL, detail TEXT NOT NULL, applied INTEGER NOT NULL,
  why TEXT NOT NULL, PRIMARY KEY (position, seq));
CREATE INDEX deeds_bulletin ON deeds (bulletin, position);
CREATE INDEX deeds_series ON deeds (series, position);
CREATE INDEX deeds_event ON deeds (event_id);
CREATE TABLE feedback (id BLOB PRIMARY KEY, unit TEXT NOT NULL, at INTEGER NOT NULL, category TEXT NOT NULL,
  text TEXT NOT NULL, sender TEXT NOT NULL, position INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE told (audience TEXT, position INTEGER, PRIMARY KEY (audience, position));
CREATE TABLE stations (unit TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, search TEXT NOT NULL);
CREATE TABLE places (n INTEGER PRIMARY KEY, unit TEXT NOT NULL UNIQUE);
CREATE TABLE arrivals (position INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, key_id BLOB NOT NULL,
  log_id BLOB NOT NULL);
CREATE TABLE as_run (place INTEGER, day INTEGER, series INTEGER, planned INTEGER NOT NULL,
  begun INTEGER NOT NULL, played_ds INTEGER NOT NULL, outcome INTEGER NOT NULL, detail INTEGER NOT NULL,
  evidence INTEGER NOT NULL, volume INTEGER NOT NULL, position INTEGER NOT NULL, nth INTEGER NOT NULL,
  clusters BLOB, PRIMARY KEY (place, day, series)) WITHOUT ROWID;
CREATE TABLE listings (place INTEGER, position INTEGER, nth INTEGER, at INTEGER NOT NULL, names TEXT NOT NULL,
  PRIMARY KEY (place, position, nth)) WITHOUT ROWID;
CREATE INDEX as_run_series ON as_run (series, day);
CREATE INDEX as_run_failed ON as_run (day) WHERE outcome IN (6, 9);
CREATE TABLE malformed (position INTEGER, seq INTEGER, key_id BLOB NOT NULL, reason TEXT NOT NULL,
  event BLOB NOT NULL, PRIMARY KEY (position, seq));
CREATE TABLE strays (position INTEGER, seq INTEGER, key_id BLOB NOT NULL, series INTEGER NOT NULL,
  day INTEGER NOT NULL, PRIMARY KEY (position, seq));
CREATE TABLE refusals (position INTEGER, seq INTEGER, key_id BLOB NOT NULL, unit TEXT NOT NULL,
  event_id BLOB NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (position, seq));
CREATE INDEX refusals_event ON refusals (event_id);
CREATE TABLE wishes (unit TEXT, pub BLOB, station BLOB NOT NULL, label TEXT NOT NULL,
  classes INTEGER NOT NULL, at INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (unit, pub));
CREATE TABLE attested (position INTEGER PRIMARY KEY, seq INTEGER NOT NULL, key_id BLOB NOT NULL,
  log_id BLOB NOT NULL, unit TEXT NOT NULL, series INTEGER NOT NULL, day INTEGER NOT NULL,
  content BLOB NOT NULL, outcome INTEGER NOT NULL, detail INTEGER NOT NULL, began_at INTEGER,
  played_ds INTEGER NOT NULL, means INTEGER NOT NULL, said_by TEXT NOT NULL, at INTEGER NOT NULL,
  event_id BLOB NOT NULL, stands INTEGER NOT NULL);
CREATE INDEX attested_slot ON attested (series, day, unit);
CREATE TABLE board_shown (unit TEXT, board TEXT, bulletin BLOB, shown BLOB, day INTEGER,
  content BLOB NOT NULL, shown_s INTEGER NOT NULL, outcome INTEGER NOT NULL, detail INTEGER NOT NULL,
  at INTEGER NOT NULL, position INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (unit, board, bulletin, shown, day));
CREATE INDEX board_shown_bulletin ON board_shown (bulletin, day);
CREATE TABLE withdrawals_seen (unit TEXT, series INTEGER, bulletin BLOB, state INTEGER NOT NULL,
  at INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (unit, series, bulletin));
CREATE INDEX withdrawals_seen_of ON withdrawals_seen (bulletin, series);
"""


def is_current(db: Database) -> bool:
    """True when the tables are there in this version's shape."""
    return int(db.execute("PRAGMA user_version").fetchone()[0]) == VERSION


def create(db: Database) -> None:
    """Drops whatever is there and makes the tables empty, in one transaction."""
    with db.atomic():
        for name in db.table_names():
            db.execute(f"DROP TABLE [{name}]")
        for statement in _SCHEMA.split(";"):
            if statement.strip():
                db.execute(statement)
        for name in COUNTED:
            db.execute("INSERT INTO counts VALUES (?, 0)", [name])
        db.execute("INSERT INTO cursor VALUES ('ledger', 0, x'')")
        db.execute(f"PRAGMA user_version = {VERSION}")


def cursor(db: Database) -> tuple[int, bytes]:
    """The position up to which the rows speak, and the hash over all arrivals up to there (b"" for none)."""
    position, trail = db.execute("SELECT position, trail FROM cursor WHERE name = 'ledger'").fetchone()
    return int(position), bytes(trail)


def set_cursor(db: Database, position: int, trail: bytes) -> None:
    db.execute("UPDATE cursor SET position = ?, trail = ? WHERE name = 'ledger'", [position, trail])
