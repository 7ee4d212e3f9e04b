"""What a desk keeps for its own convenience: groups of stations, the table of holidays, proposed times.

None of it is a decision. Decisions are signed and in the log, and name exact units and exact days; this file
may be lost, and what was ordered stands. So it is a database of its own, in the backup like the accounts, and
never travels.

Bound: the door to `desk.db`. What each table means is its own module's.
"""

from __future__ import annotations

import sqlite3
from threading import RLock

from sqlite_utils import Database

from hub import groups, holidays, wanted


class Choices:
    """db: the connection to desk.db (autocommit)."""

    def __init__(self, db: sqlite3.Connection) -> None:
        db.executescript(groups.SCHEMA + holidays.SCHEMA + wanted.SCHEMA)
        lock = RLock()
        kept = Database(db, recursive_triggers=False, execute_plugins=False)
        self.groups = groups.Groups(kept, lock)
        self.holidays = holidays.Holidays(kept, lock)
        self.wanted = wanted.WantedTimes(kept, lock)
