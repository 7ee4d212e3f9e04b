"""The alerts of a running hub: looks at the stations now and then, remembers, and puts into the outbox what
is to be told.

`alerts.db` is this hub's own and disposable: an alert follows from what stations reported and when they were
heard, and without the file it follows again, only unacknowledged. What somebody acknowledged is a note of the
desk and no decision, so it is signed nowhere (decision 0041).

The alerts and what they put into the outbox are written in one transaction: nothing is told twice under two
names, and nothing is forgotten by a crash between the two.

Bound: rows. When to tell: `alerts`; what is wrong: `alert_watch`; the words: `notices`; telling: `posting`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from sqlite_utils import Database

from hub.alert_watch import troubles, watched
from hub.alerts import GROUP, KINDS, Alert, Member, Notice, State, acknowledged, step
from hub.media import accept_text
from hub.rhythm import Rhythm, heard
from ledger.facts import covers
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.accounts import Officer
    from hub.hub import Hub

ALERTS_DB: Final = "alerts.db"
LOOK_EVERY_S: Final = 30
NOTE_CHARS_MAX: Final = 300
OUTBOX_MAX: Final = 1_000  # unsent; beyond that the oldest are given up, and the page says so
SENT_KEPT: Final = 200

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, opened_at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rhythms (unit TEXT PRIMARY KEY, last_at INTEGER NOT NULL, gaps TEXT NOT NULL,
  days TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS done (body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
  way TEXT NOT NULL, made_at INTEGER NOT NULL, next_at INTEGER NOT NULL, tries INTEGER NOT NULL,
  ended_at INTEGER, error TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Letter:
    """One thing to be told one way ("mail", "hook"). key: the same for each try, so that a receiver knows a
    second copy. error: of the last try, "" when there was none. ended_at: sent (error ""), or given up.
    """

    id: int
    key: str
    way: str
    body: dict[str, Any]
    made_at: int
    next_at: int
    tries: int
    ended_at: int | None
    error: str


class Alarms:
    """hub: whose stations are watched. describe: a notice as the body of a letter."""

    def __init__(self, hub: Hub, describe: Callable[[Hub, Notice], dict[str, Any]]) -> None:
        self._hub = hub
        self._describe = describe
        self._lock = RLock()
        self._looked_at = 0
        self.ways: tuple[str, ...] = ()  # what is set up to be told by
        self._db = Database(hub.store.open_db(ALERTS_DB), recursive_triggers=False, execute_plugins=False)
        for statement in filter(str.strip, _SCHEMA.split(";")):
            self._db.execute(statement)
        self._state = State(
            tuple(
                _alert(row["body"])
                for row in self._db.query("SELECT body FROM alerts ORDER BY opened_at, id")
            ),
            frozenset(
                tuple(key)
                for row in self._db.query("SELECT body FROM done")
                for key in json.loads(row["body"])
            ),
        )
        self._rhythms = {
            row["unit"]: Rhythm(
                row["last_at"], tuple(json.loads(row["gaps"])), tuple(map(tuple, json.loads(row["days"])))
            )
            for row in self._db.query("SELECT * FROM rhythms")
        }

    # -- watching --------------------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Looks when it is time. Cheap otherwise."""
        if not 0 <= now - self._looked_at < LOOK_EVERY_S:
            self.look(now)

    def look(self, now: int) -> list[Notice]:
        """Looks at the stations now; returns what was put into the outbox."""
        self._looked_at = now
        rows = watched(self._hub, now)
        changed = {}
        for row in rows:
            before = self._rhythms.get(row.unit)
            if row.last_contact_at is not None:
                after = heard(before, row.last_contact_at)
                if after != before:
                    changed[row.unit] = after
        rhythms = self._rhythms | changed
        seen = troubles(self._hub, rows, rhythms, now)
        areas = self._areas()
        with self._lock:
            whole = self._hub.config.province
            state, notices = step(
                self._state, seen, now, area_of=lambda unit: areas.get(unit, whole), whole=whole
            )
            with self._db.atomic():
                self._keep(state)
                self._db.table("rhythms").upsert_all(
                    [
                        {"unit": unit, "last_at": one.last_at, "gaps": json.dumps(one.gaps),
                         "days": json.dumps(one.days)}
                        for unit, one in changed.items()
                    ],
                    pk="unit",
                )  # fmt: skip
                for notice in notices:
                    self._put(notice, now)
            self._state = state
            self._rhythms = rhythms
        return notices

    def _areas(self) -> dict[str, str]:
        """Unit → the smallest group somebody listed it in: a carrier's stations fail together."""
        groups = self._hub.choices.groups
        listed = [one for one in groups.all(self._hub.config.province) if one.rule is None]
        found: dict[str, str] = {}
        for group in sorted(listed, key=lambda one: (-len(one.units), one.id)):
            found |= dict.fromkeys(group.units, f"{GROUP}{group.id}")
        return found

    def _keep(self, state: State) -> None:
        before = {one.id: one for one in self._state.alerts}
        moved = [one for one in state.alerts if before.get(one.id) != one]
        gone = before.keys() - {one.id for one in state.alerts}
        self._db.table("alerts").upsert_all(
            [{"id": one.id, "opened_at": one.opened_at, "body": json.dumps(asdict(one))} for one in moved],
            pk="id",
        )
        for alert_id in gone:
            self._db.execute("DELETE FROM alerts WHERE id = ?", [alert_id])
        if state.done != self._state.done:
            self._db.execute("DELETE FROM done")
            self._db.execute("INSERT INTO done VALUES (?)", [json.dumps(sorted(state.done))])

    # -- people ----------------------------------------------------------------------------------------------

    def open(self, territory: str = "") -> list[Alert]:
        """Open alerts that touch a territory, in the order of `KINDS`, the newest first."""
        with self._lock:
            found = [one for one in self._state.open if self._touches(one, territory)]
        return sorted(found, key=lambda one: (KINDS.index(one.kind), -one.opened_at, one.id))

    def closed(self, territory: str = "", *, limit: int = 50) -> list[Alert]:
        """Those that are over, the latest first; what another alert took over is left out."""
        with self._lock:
            found = [
                one for one in self._state.alerts
                if not one.is_open and not one.into and self._touches(one, territory)
            ]  # fmt: skip
        return sorted(found, key=lambda one: (-(one.closed_at or 0), one.id))[:limit]

    def one(self, alert_id: str) -> Alert:
        """NotAllowed("alert-unknown")."""
        with self._lock:
            for alert in self._state.alerts:
                if alert.id == alert_id:
                    return alert
        raise NotAllowed("alert-unknown", f"there is no alert {alert_id!r}", hint="look at the list")

    def acknowledge(self, officer: Officer, alert_id: str, note: str, *, now: int) -> None:
        """Somebody knows of it. NotAllowed: alert-unknown, alert-closed, no-right, text-…."""
        said = accept_text(note, what="note", chars_max=NOTE_CHARS_MAX)
        with self._lock:
            alert = self.one(alert_id)
            if not alert.is_open:
                raise NotAllowed("alert-closed", "this alert is over already", hint="there is nothing to do")
            if not all(covers(officer.territory, unit) for unit in alert.units):
                raise NotAllowed(
                    "no-right", "the alert is of stations outside this territory", where=alert.scope,
                    hint="ask the province",
                )  # fmt: skip
            state = acknowledged(self._state, alert_id, by=officer.name, note=said, now=now)
            with self._db.atomic():
                self._keep(state)
            self._state = state

    def _touches(self, alert: Alert, territory: str) -> bool:
        if not territory or any(covers(territory, unit) for unit in alert.units):
            return True
        return not alert.members and (covers(territory, alert.scope) or alert.scope.startswith(GROUP))

    # -- the outbox ------------------------------------------------------------------------------------------

    def _put(self, notice: Notice, now: int) -> None:
        body = json.dumps(self._describe(self._hub, notice), ensure_ascii=False)
        for way in self.ways:
            self._db.execute(
                "INSERT OR IGNORE INTO outbox (key, body, way, made_at, next_at, tries, error) "
                "VALUES (?, ?, ?, ?, ?, 0, '')",
                [f"{notice.key}-{way}", body, way, now, now],
            )
        self._db.execute(
            "UPDATE outbox SET ended_at = ?, error = 'outbox-full' WHERE ended_at IS NULL AND id NOT IN "
            "(SELECT id FROM outbox WHERE ended_at IS NULL ORDER BY id DESC LIMIT ?)",
            [now, OUTBOX_MAX],
        )
        self._db.execute(
            "DELETE FROM outbox WHERE ended_at IS NOT NULL AND id NOT IN "
            "(SELECT id FROM outbox WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT ?)",
            [SENT_KEPT],
        )

    def put(self, body: dict[str, Any], key: str, *, now: int) -> None:
        """A letter that is no alert's: a trial, asked for by a person."""
        with self._lock, self._db.atomic():
            for way in self.ways:
                self._db.execute(
                    "INSERT OR IGNORE INTO outbox (key, body, way, made_at, next_at, tries, error) "
                    "VALUES (?, ?, ?, ?, ?, 0, '')",
                    [f"{key}-{way}", json.dumps(body, ensure_ascii=False), way, now, now],
                )

    def due(self, now: int, *, limit: int = 10) -> list[Letter]:
        """Letters whose time it is to be tried, the oldest first."""
        with self._lock:
            return [
                _letter(row)
                for row in self._db.query(
                    "SELECT * FROM outbox WHERE ended_at IS NULL AND next_at <= ? ORDER BY id LIMIT ?",
                    [now, limit],
                )
            ]

    def letters(self, *, limit: int = 20) -> list[Letter]:
        """The latest, for the page."""
        with self._lock:
            found = self._db.query("SELECT * FROM outbox ORDER BY id DESC LIMIT ?", [limit])
            return [_letter(row) for row in found]

    def tried(self, letter: Letter, *, error: str, next_at: int | None, now: int) -> None:
        """What became of a try. next_at: None when there will be no other, since it was sent or given up."""
        with self._lock:
            self._db.execute(
                "UPDATE outbox SET tries = tries + 1, error = ?, next_at = ?, ended_at = ? WHERE id = ?",
                [error, next_at or now, now if next_at is None else None, letter.id],
            )


def _alert(body: str) -> Alert:
    plain = json.loads(body)
    plain["members"] = tuple(Member(**one) for one in plain["members"])
    return Alert(**plain)


def _letter(row: dict[str, Any]) -> Letter:
    return Letter(**(row | {"body": json.loads(row["body"])}))
