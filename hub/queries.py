"""Questions the pages ask. Each is one look into the views or the plan, and answers with frozen rows
(`hub.rows`).

Signatures shown as verified were verified for this answer: the segment is read from the disk and opened
again.

Bound: reads only, under the hub's lock. Stations: `station_queries`; plan and as-run: `day_queries`.
"""

from __future__ import annotations

from typing import Any

from hub.basis import BasisQueries
from hub.board_queries import BoardQueries
from hub.bulletins import CATEGORIES, SUBMITTED
from hub.day_queries import DayQueries
from hub.lookups import ROWS_MAX, Where, id_bytes
from hub.media import read_manifest, read_relay, read_text
from hub.offer_queries import OfferQueries
from hub.queue_queries import QueueQueries
from hub.roll import RollQueries
from hub.rows import (
    AsRunRow,
    BulletinPage,
    BulletinRow,
    Deed,
    Delivery,
    ExplainRow,
    PlanSlot,
    RefusalRow,
    RenditionRow,
    SeriesRow,
    StationRow,
    Summary,
    WeekCell,
)
from hub.series_rows import together
from hub.station_queries import StationQueries
from hub.versions import VersionQueries
from hub.voices import voices_of
from ledger.facts import Right, WithdrawalState, parent
from ledger.log import NotAllowed

__all__ = [
    "AsRunRow",
    "BulletinPage",
    "BulletinRow",
    "Deed",
    "Delivery",
    "ExplainRow",
    "PlanSlot",
    "Queries",
    "RefusalRow",
    "RenditionRow",
    "SeriesRow",
    "StationRow",
    "Summary",
    "WeekCell",
]

_COUNTS = {
    "bulletins": "SELECT count(*) AS n FROM bulletins",
    "queue": "SELECT count(*) AS n FROM bulletins WHERE state = 'submitted'",
    "stations": "SELECT count(*) AS n FROM stations",
    "series": "SELECT count(*) AS n FROM series",
}


class Queries(
    RollQueries, StationQueries, DayQueries, BoardQueries, OfferQueries, VersionQueries, BasisQueries,
    QueueQueries,
):
    """Every question of the hub's pages."""

    def bulletins(
        self,
        *,
        text: str = "",
        state: str = "",
        category: str = "",
        territory: str = "",
        limit: int = 200,
        offset: int = 0,
    ) -> list[BulletinRow]:
        """Newest act first. text: every word, diacritics ignored, đ = d. territory: at or below it."""
        where = Where().words("search", text).equal("state", state).equal("category", category)
        where.below("territory", territory)
        with self._lock:
            order = "position DESC LIMIT ? OFFSET ?"
            found = self._select("* FROM bulletins", where, order, min(limit, ROWS_MAX), offset)
            return [self._bulletin_row(row) for row in found]

    def queue(self) -> list[BulletinRow]:
        """What waits for approval at this desk, longest waiting first; a commune's own waits there."""
        with self._lock:
            found = self._select("* FROM bulletins", Where().equal("state", SUBMITTED), "position")
            rows = [self._bulletin_row(row) for row in found]
        return [row for row in rows if not row.origin]

    def bulletin(self, bulletin: str) -> BulletinPage:
        """All about one bulletin. NotAllowed("bulletin-unknown").

        BlobError: content of this desk is missing. What was made elsewhere is shown without its content.
        """
        key = id_bytes(bulletin)
        with self._lock:
            found = self._rows("SELECT * FROM bulletins WHERE id = ?", [key])
            if not found:
                raise NotAllowed(
                    "bulletin-unknown", "there is no such bulletin", where=bulletin, hint="look at the list"
                )
            row = self._bulletin_row(found[0])
            absent = row.origin and not row.here
            manifest = None if absent else read_manifest(self._blobs, bytes.fromhex(row.manifest))
            sound = None if manifest is None else manifest.audio()
            series = self._rows("SELECT * FROM series WHERE bulletin = ? ORDER BY series", [key])
            deeds = self._rows(
                "SELECT * FROM deeds d WHERE bulletin = ?1 "
                "OR (series > 0 AND EXISTS (SELECT 1 FROM series s WHERE s.series = d.series "
                "AND s.bulletin = ?1 "
                "AND (substr(s.territory || '.', 1, length(d.territory) + 1) = d.territory || '.' "
                "OR substr(d.territory || '.', 1, length(s.territory) + 1) = s.territory || '.'))) "
                "ORDER BY position, seq",
                [key],
            )
            approvals = [
                int(one["position"]) for one in deeds if one["what"] == "approved" and one["applied"]
            ]
            seen = self._withdrawals_seen(key)
            return BulletinPage(
                row=row,
                text="" if manifest is None else read_text(self._blobs, manifest),
                audio_sha256="" if sound is None else sound.sha256.hex(),
                audio_media_type="" if sound is None else sound.media_type,
                relay=None if manifest is None else read_relay(self._blobs, manifest),
                voices=() if manifest is None else voices_of(self._blobs, manifest),
                basis=self.basis_of(bytes.fromhex(row.manifest)),
                renditions=tuple(
                    RenditionRow(r.kind, r.language, r.media_type, r.size, r.duration_ms, r.sha256.hex())
                    for r in (() if manifest is None else manifest.renditions)
                ),
                deeds=tuple(self._deed(one) for one in deeds),
                delivery=self._delivery(row.territory, approvals[-1] if approvals else None),
                series=tuple(self._series_row(one) for one in together(series)),
                as_run=tuple(self._as_run_of(key, [int(one["series"]) for one in series])),
                refusals=self._refusals(key),
                removed=seen.get(WithdrawalState.REMOVED, 0),
                already_played=seen.get(WithdrawalState.ALREADY_PLAYED, 0),
            )

    def deeds(self, *, limit: int = 100, offset: int = 0) -> list[Deed]:
        """All human decisions, newest first."""
        with self._lock:
            order = "position DESC, seq LIMIT ? OFFSET ?"
            return [
                self._deed(row)
                for row in self._select("* FROM deeds", Where(), order, min(limit, ROWS_MAX), offset)
            ]

    def counts(self) -> dict[str, int]:
        """bulletins, queue, stations, series, events, segments, acks, acks_repeated, malformed, strays
        (reports of keys without the right), refused (decisions), forks; position of the ledger, cursor of
        these views.
        """
        with self._lock:
            found = {str(row["name"]): int(row["n"]) for row in self._rows("SELECT * FROM counts")}
            for name, sql in _COUNTS.items():
                found[name] = int(self._rows(sql)[0]["n"])
            found["position"] = self._ledger.position()
            found["cursor"] = self._projections.cursor
            return found

    def categories(self) -> tuple[tuple[str, str], ...]:
        """(code, Vietnamese words) in the order of a list to choose from."""
        return CATEGORIES

    def _bulletin_row(self, row: dict[str, Any]) -> BulletinRow:
        manifest = bytes(row["manifest"])
        # Content of a level above may still be on its way: the row is shown all the same.
        here = self._blobs.has(manifest)
        listed = read_manifest(self._blobs, manifest) if here else None
        sound = None if listed is None else listed.stream() or listed.audio()
        author = self.person(bytes(row["author"]))
        return BulletinRow(
            id=bytes(row["id"]).hex(),
            title=row["title"],
            category=row["category"],
            klass=row["klass"],
            territory=row["territory"],
            version=row["version"],
            state=row["state"],
            manifest=manifest.hex(),
            valid_from_day=row["valid_from_day"],
            valid_until_day=row["valid_until_day"],
            author=author,
            has_audio=sound is not None,
            duration_ms=0 if sound is None else sound.duration_ms,
            updated_at=row["updated_at"],
            origin="" if author.account else self._origin(bytes(row["author"]), row["territory"]),
            here=here,
        )

    def _origin(self, key_id: bytes, territory: str) -> str:
        """Whose desk it was, when not ours: a key that could write for more than this unit is from above."""
        above, now = parent(territory), self._now()
        wide = above is not None and any(
            self._facts.authority.may(key_id, right, above, now) for right in (Right.DRAFT, Right.APPROVE)
        )
        return "above" if wide or above is None or territory not in self._facts.stations else "commune"

    def _deed(self, row: dict[str, Any]) -> Deed:
        key_id, position, seq = bytes(row["key_id"]), int(row["position"]), int(row["seq"])
        return Deed(
            at=row["at"],
            what=row["what"],
            who=self.person(key_id),
            role_hint=self._facts.authority.label_of(key_id),
            log_id=bytes(row["log_id"]).hex(),
            seq=seq,
            event_id=bytes(row["event_id"]).hex(),
            position=position,
            verified=self._verified(position, key_id, seq),
            applied=bool(row["applied"]),
            why=row["why"],
            detail=row["detail"],
            series=row["series"],
            territory=row["territory"],
        )

    def _withdrawals_seen(self, bulletin: bytes) -> dict[int, int]:
        found = self._rows(
            "SELECT state, count(*) AS n FROM withdrawals_seen WHERE bulletin = ? GROUP BY state", [bulletin]
        )
        return {int(row["state"]): int(row["n"]) for row in found}

    def _refusals(self, bulletin: bytes) -> tuple[RefusalRow, ...]:
        found = self._rows(
            "SELECT r.unit, r.event_id, r.reason FROM refusals r JOIN deeds d ON d.event_id = r.event_id "
            "WHERE d.bulletin = ? ORDER BY r.position, r.seq",
            [bulletin],
        )
        return tuple(RefusalRow(row["unit"], bytes(row["event_id"]).hex(), row["reason"]) for row in found)
