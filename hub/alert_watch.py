"""What is wrong at stations now, read for the alerts: missed broadcasts, silence, and what devices say.

An FM station has no return path: it is never late and never missed anything here. A station that is silent
has not missed what it was to play: that is unknown until it says so, and the silence is the trouble.

Bound: reads, under the hub's lock. What becomes of troubles is `alerts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from hub.alerts import Trouble
from hub.report_tables import detail_slug
from hub.rhythm import Rhythm, is_late
from ledger.facts import at, covers, local_day

if TYPE_CHECKING:
    from hub.hub import Hub
    from hub.rows import StationRow

MISSED_DAYS: Final = 7  # how far back a missed broadcast is anybody's business
UNREACHED_S: Final = 300  # an emergency that has not arrived by then is told
FRESH_S: Final = 3_600  # what a device said of itself longer ago says nothing of now

# `outcome IN (6, 9)`: missed, silent; the words of the index as_run_failed.
_FAILED: Final = (
    "SELECT p.n, p.unit, a.series, a.day, a.planned, a.detail, a.outcome FROM as_run a "
    "JOIN places p ON p.n = a.place WHERE a.outcome IN (6, 9) AND a.day >= ? AND a.nth >= 0"
)
_PLAYED: Final = (
    "SELECT a.place, max(a.day * 86400 + a.planned) FROM json_each(?) AS one "
    "CROSS JOIN as_run a ON a.place = one.value "
    "WHERE a.day >= ? AND a.outcome IN (1, 2) AND a.nth >= 0 GROUP BY a.place"
)


def watched(hub: Hub, now: int) -> list[StationRow]:
    """The stations that can report: IT stations with a key."""
    return [row for row in hub.queries.stations(kind="it", now=now) if row.enrolled]


def troubles(hub: Hub, rows: list[StationRow], rhythms: Mapping[str, Rhythm], now: int) -> list[Trouble]:
    """What is wrong at these stations. rhythms: with the contacts that the rows speak of."""
    with hub.lock:
        found = _missed(hub, {row.unit for row in rows}, now)
        for row in rows:
            found += _of_device(row, rhythms.get(row.unit), now)
        return found + _unreached(hub, rows, now)


def _missed(hub: Hub, units: set[str], now: int) -> list[Trouble]:
    since_day = local_day(now) - MISSED_DAYS
    db = hub.projections.db
    failed = [row for row in db.execute(_FAILED, [since_day]).fetchall() if row[1] in units]
    if not failed:
        return []
    places = sorted({row[0] for row in failed})
    played = dict(db.execute(_PLAYED, [str(places), since_day]).fetchall())
    return [
        Trouble(
            "missed",
            detail_slug(detail) if outcome == _MISSED else "silent",
            unit,
            f"{series}/{day}",
            at(day) + planned,
            over=played.get(place, -1) > day * 86_400 + planned,
        )
        for place, unit, series, day, planned, detail, outcome in failed
    ]


_MISSED: Final = 6


def _of_device(row: StationRow, rhythm: Rhythm | None, now: int) -> list[Trouble]:
    found = []
    if row.forked:
        found.append(Trouble("forked", "", row.unit, since=row.last_contact_at or 0))
    if row.last_contact_at is None:
        return found  # never commissioned: no alarm before its first word
    if rhythm is not None and is_late(rhythm, now):
        found.append(Trouble("late", "", row.unit, since=row.last_contact_at))
    elif now - row.last_contact_at <= FRESH_S:
        if row.clock == 0:
            found.append(Trouble("clock", "", row.unit, since=row.last_contact_at))
        if row.storage in (1, 2):
            cause = "full" if row.storage == 1 else "broken"
            found.append(Trouble("storage", cause, row.unit, since=row.last_contact_at))
    return found


def _unreached(hub: Hub, rows: list[StationRow], now: int) -> list[Trouble]:
    """Stations that do not hold a real order in force, some minutes after it was given."""
    found = []
    for series, orders in hub.facts.emergencies.items():
        order = orders[-1]
        fact = order.fact
        if fact.drill or not fact.not_before + UNREACHED_S <= now < fact.expires_at:
            continue
        found += [
            Trouble("emergency", str(series), row.unit, since=fact.not_before)
            for row in rows
            if covers(fact.territory, row.unit)
            and row.cursor < order.position
            and hub.facts.withdrawal_of(order, row.unit) is None
        ]
    return found
