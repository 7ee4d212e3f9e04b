"""When and where a bulletin is to be heard, before anybody signs it; and the times an author asks for.

An author who submits a bulletin may say when it should play. The approver then reads the bulletin with its
time, sees what it would meet, and signs both: the approval and the schedule, two events. Until then the time
is a wish of this desk, bound to one version of the bulletin: an edit leaves it behind.

Bound: values and one table. Whether it may be ordered is `hub.timetable`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from threading import RLock

from sqlite_utils import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS wanted (bulletin TEXT PRIMARY KEY, version INTEGER NOT NULL, asked TEXT NOT NULL,
  account TEXT NOT NULL, at INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Wanted:
    """units: exact territories, each ordered by itself under one series. days: local days, ascending.

    minute: 0–1439. late_s: how long after it a start still counts.
    """

    units: tuple[str, ...]
    days: tuple[int, ...]
    minute: int
    late_s: int = 900
    on_interrupt: int = 0


@dataclass(frozen=True)
class Asked:
    """A time somebody asked for. version: of the bulletin it was asked for."""

    bulletin: str
    version: int
    wanted: Wanted
    account: str
    at: int


class WantedTimes:
    """db: of the desk's choices. lock: around it."""

    def __init__(self, db: Database, lock: RLock) -> None:
        self._db = db
        self._lock = lock

    def ask(self, bulletin: str, version: int, wanted: Wanted, *, account: str, now: int) -> None:
        """Keeps the time asked for this version; one bulletin has one."""
        row = {
            "bulletin": bulletin, "version": version, "asked": json.dumps(asdict(wanted)), "account": account,
            "at": now,
        }  # fmt: skip
        with self._lock, self._db.atomic():
            self._db.table("wanted").upsert(row, pk="bulletin")

    def asked(self, bulletin: str, version: int) -> Asked | None:
        """What was asked for exactly this version."""
        with self._lock:
            rows = list(self._db.query("SELECT * FROM wanted WHERE bulletin = ?", [bulletin]))
        if not rows or rows[0]["version"] != version:
            return None
        said = json.loads(rows[0]["asked"])
        wanted = Wanted(
            tuple(said["units"]), tuple(said["days"]), said["minute"], said["late_s"], said["on_interrupt"]
        )
        return Asked(bulletin, version, wanted, rows[0]["account"], rows[0]["at"])

    def forget(self, bulletin: str) -> None:
        """It was signed, or is not wanted any more."""
        with self._lock, self._db.atomic():
            self._db.execute("DELETE FROM wanted WHERE bulletin = ?", [bulletin])
