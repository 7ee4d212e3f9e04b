"""What an approver asks beside the queue itself: what was approved before, why something came back, who knows
of a withdrawal.

Bound: reads, under the hub's lock; the queue's rows are `queries.queue`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.lookups import Lookups, id_bytes
from hub.media import read_manifest, read_text
from ledger.facts import WithdrawalState


@dataclass(frozen=True)
class Earlier:
    """The version approved last. still: its schedules, which stations play until they are cancelled."""

    version: int
    title: str
    at: int
    still: tuple[int, ...]


@dataclass(frozen=True)
class TakenAway:
    """Stations that owe a withdrawal its word, by unit: it was removed in time, had played, or is not known
    there yet.
    """

    removed: tuple[str, ...]
    played: tuple[str, ...]
    not_yet: tuple[str, ...]


class QueueQueries(Lookups):
    """Asked under the hub's lock."""

    def earlier(self, bulletin: str, version: int) -> Earlier | None:
        """The newest approval that counts of a version before this one; None when there is none."""
        key = id_bytes(bulletin)
        approvals = [one.fact for one in self._facts.approvals.get(key, ()) if one.fact.version < version]
        if not approvals:
            return None
        fact = max(approvals, key=lambda one: one.version)
        with self._lock:
            rows = self._rows(
                "SELECT DISTINCT series FROM series WHERE bulletin = ? AND state = 'active' AND manifest = ?",
                [key, fact.manifest],
            )
        return Earlier(fact.version, fact.title, fact.ts, tuple(int(row["series"]) for row in rows))

    def words_of(self, manifest: str) -> str:
        """What stands on the board and is read out, of content that is here; "" when there is none."""
        with self._lock:
            key = id_bytes(manifest)
            return read_text(self._blobs, read_manifest(self._blobs, key)) if self._blobs.has(key) else ""

    def reason_of(self, bulletin: str) -> str:
        """Why this bulletin was returned last; "" when it never was."""
        sql = (
            "SELECT detail FROM deeds WHERE bulletin = ? AND what = 'returned' AND applied = 1 "
            "ORDER BY position DESC LIMIT 1"
        )
        with self._lock:
            rows = self._rows(sql, [id_bytes(bulletin)])
        return str(rows[0]["detail"]) if rows else ""

    def taken_away(self, *, bulletin: str = "", series: int = 0) -> TakenAway:
        """Who acknowledged that a bulletin, or one series, was taken back; only stations it was meant for."""
        where, value = ("bulletin = ?", id_bytes(bulletin)) if bulletin else ("series = ?", series)
        with self._lock:
            ordered = self._rows(f"SELECT DISTINCT territory FROM series WHERE {where}", [value])  # noqa: S608
            said = self._rows(f"SELECT unit, state FROM withdrawals_seen WHERE {where}", [value])  # noqa: S608
            approved = [one.fact.territory for one in self._facts.approvals.get(id_bytes(bulletin), ())]
        meant = {str(row["territory"]) for row in ordered} | set(approved if bulletin else ())
        names = self._facts.lineages.names
        it = [unit for unit, one in list(self._facts.stations.items()) if one.fact.kind == "it"]
        units = {unit for unit in it if not meant.isdisjoint(names(unit))}
        states = {str(row["unit"]): int(row["state"]) for row in said if row["unit"] in units}
        return TakenAway(
            tuple(sorted(unit for unit, state in states.items() if state == WithdrawalState.REMOVED)),
            tuple(sorted(unit for unit, state in states.items() if state == WithdrawalState.ALREADY_PLAYED)),
            tuple(sorted(units - states.keys())),
        )
