"""Questions about stations: the wall, one station, and how many a territory has.

Every answer carries `as_of`: a wall that looks live and is not misleads the person on duty. A station
counts as holding a decision when its own cursor, confirmed by its next request, has passed it; not when it
was sent.

Bound: what stations played is `day_queries`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from hub import rows
from hub.ingest import Contact
from hub.lookups import Lookups, Where
from ledger.facts import (
    Right,
    listed_names,
    read_condition,
)
from ledger.log import Branch, Evidence, NotAllowed

# One statement however many stations: most of them share their cursor and all but one of their audiences.
_AFTER = """SELECT mark.value ->> 0 AS audience, mark.value ->> 1 AS cursor,
  (SELECT count(*) FROM told WHERE audience = mark.value ->> 0 AND position > mark.value ->> 1) AS n
  FROM json_each(?) AS mark"""


# How long the wall speaks of a restored or cloned device. The station's own page never forgets.
NOTICE_S: Final = 14 * 86_400


@dataclass(frozen=True)
class Histories:
    """What a station's keys have shown besides one straight history: evidence of forks, and branches."""

    forks: tuple[Evidence, ...]
    branches: tuple[Branch, ...]


class StationQueries(Lookups):
    """Asked under the hub's lock."""

    _keys_at: tuple[int, dict[str, list[bytes]]] = (-1, {})

    def stations(self, *, text: str = "", kind: str = "", now: int | None = None) -> list[rows.StationRow]:
        """The wall, by unit. text: words of name or unit, diacritics ignored. kind: it or fm."""
        where = Where().words("search", text).equal("kind", kind)
        with self._lock:
            return self._station_rows(self._select("* FROM stations", where, "unit"), now)

    def station(self, unit: str, *, now: int | None = None) -> rows.StationRow:
        """One station. NotAllowed("station-unknown")."""
        with self._lock:
            found = self._select("* FROM stations", Where().add("unit = ?", unit), "unit")
            for row in self._station_rows(found, now):
                return row
        raise NotAllowed("station-unknown", f"no station is registered at {unit}", hint="look at the list")

    def clusters(self, unit: str) -> tuple[str, ...]:
        """The receiver clusters that this station listed last, by name; () when it never listed any."""
        sql = (
            "SELECT names FROM listings WHERE place = (SELECT n FROM places WHERE unit = ?) "
            "ORDER BY position DESC, nth DESC LIMIT 1"
        )
        with self._lock:
            found = self._rows(sql, [unit])
        return listed_names(found[0]["names"]) if found else ()

    def targets(self, territory: str) -> rows.Delivery:
        """How many stations a territory has: the count before an emergency is confirmed."""
        with self._lock:
            return self._delivery(territory, None)

    def histories(self, unit: str) -> Histories:
        """Evidence against the keys this station has or had, and where their history goes on twice."""
        with self._lock:
            keys = set(self._keys(unit))
            forks = tuple(kept for kept in self._ledger.forks() if kept.log.key_id in keys) if keys else ()
            branches = tuple(one for one in self._ledger.branches() if one.log.key_id in keys) if keys else ()
            return Histories(forks, branches)

    def noticed(self, now: int | None = None) -> dict[str, str]:
        """Unit → "cloned" or "branched", of stations that showed it lately: for the wall."""
        with self._lock:
            since = (self._now() if now is None else now) - NOTICE_S
            words = {
                one.log.key_id: "cloned" if (one.clone_at or 0) >= since else "branched"
                for one in sorted(self._ledger.branches(), key=lambda one: one.clone_at or 0)
                if max(one.at, one.clone_at or 0) >= since
            }
            found = {
                unit: [words[k] for k in self._keys(unit) if k in words] for unit in self._facts.stations
            }
            return {unit: "cloned" if "cloned" in said else said[0] for unit, said in found.items() if said}

    def _forked(self) -> set[bytes]:
        return {evidence.log.key_id for evidence in self._ledger.forks()}

    def _keys(self, unit: str) -> list[bytes]:
        """The keys granted ACK for exactly this unit, oldest first."""
        version, found = self._keys_at
        if version != self._facts.version:
            found = {}
            authority = self._facts.authority
            for key in authority.keys():  # noqa: SIM118 — not a mapping
                for held in authority.units_of(key.key_id, Right.ACK):
                    found.setdefault(held, []).append(key.key_id)
            self._keys_at = (self._facts.version, found)
        return found.get(unit, [])

    def _contact(self, unit: str) -> Contact | None:
        """The latest contact of whichever key the station has now or had before."""
        contacts = [c for key in self._keys(unit) if (c := self._ingest.contact(key)) is not None]
        return max(contacts, key=lambda contact: contact.at, default=None)

    def _behind(self, cursors: dict[str, int]) -> dict[str, int]:
        """Unit → how many decisions for it or a unit above came after its cursor."""
        names = self._facts.lineages.names
        marks = {(above, cursor) for unit, cursor in cursors.items() for above in names(unit)}
        counted = {
            (str(row["audience"]), int(row["cursor"])): int(row["n"])
            for row in self._rows(_AFTER, [json.dumps(sorted(marks))])
        }
        return {
            unit: sum(counted[above, cursor] for above in names(unit)) for unit, cursor in cursors.items()
        }

    def _station_rows(self, found: Iterable[dict[str, Any]], now: int | None) -> list[rows.StationRow]:
        as_of, forked = self._now() if now is None else now, self._forked()
        come = [(row, self._keys(row["unit"]), self._contact(row["unit"])) for row in found]
        behind = self._behind(
            {row["unit"]: 0 if contact is None else contact.cursor for row, keys, contact in come if keys}
        )
        return [
            self._station_row(row, keys, contact, behind.get(row["unit"], 0), forked, as_of)
            for row, keys, contact in come
        ]

    def _station_row(
        self,
        row: dict[str, Any],
        keys: list[bytes],
        contact: Contact | None,
        behind: int,
        forked: set[bytes],
        as_of: int,
    ) -> rows.StationRow:
        status = read_condition(b"" if contact is None else contact.status)
        head = contact is not None and contact.head_log
        return rows.StationRow(
            unit=row["unit"],
            name=row["name"],
            kind=row["kind"],
            enrolled=bool(keys),
            last_contact_at=None if contact is None else contact.at,
            head=f"{contact.head_log.hex()}:{contact.head_seq}" if contact is not None and head else "",
            cursor=0 if contact is None else contact.cursor,
            behind=behind,
            pending=status.pending,
            clock=status.clock,
            software=status.software,
            player=status.player,
            ceiling=status.ceiling,
            playing=status.playing,
            blobs_missing=status.blobs_missing,
            volume=status.volume,
            storage=status.storage,
            boot_at=status.boot_at,
            forked=any(key in forked for key in keys),
            refused="" if contact is None else contact.refused,
            as_of=as_of,
        )

    def _delivery(self, territory: str, position: int | None) -> rows.Delivery:
        """position: of the decision whose delivery is asked; None when there is none yet."""
        targets = delivered = never = fm = 0
        for unit, station in self._facts.stations.items():
            if territory not in self._facts.lineages.names(unit):
                continue
            if station.fact.kind != "it":
                fm += 1
                continue
            targets += 1
            contact = self._contact(unit)
            if contact is None:
                never += 1
            elif position is not None and contact.cursor >= position:
                delivered += 1
        return rows.Delivery(targets, delivered, targets - delivered, never, fm)
