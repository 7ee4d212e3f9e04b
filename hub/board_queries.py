"""What boards showed, asked for by bulletin, by order or by station.

What was shown is compared with what was approved: the hash of a notice is that of a rendition in the approved
manifest, the words of an emergency are in its order.

Bound: reads. The rows come from `boards`; what a board should show is `ledger.facts.board`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.lookups import Lookups, id_bytes
from hub.media import read_manifest
from ledger.facts import alarm_words, event_id, shown_hash
from ledger.log import BlobError, CodecError


@dataclass(frozen=True)
class BoardRow:
    """What one board showed of one thing on one day. shown_s: 0 when nobody knows (`outcome` unknown).

    as_approved: the hash is that of what was approved; None when the approved content is not at this hub.
    """

    unit: str
    station: str
    board: str
    day: int
    shown_s: int
    outcome: int
    shown: str
    as_approved: bool | None
    at: int
    position: int
    seq: int


class BoardQueries(Lookups):
    """Asked under the hub's lock."""

    def units_with_boards(self) -> set[str]:
        """Units from which a board has ever reported."""
        with self._lock:
            return {str(row["unit"]) for row in self._rows("SELECT DISTINCT unit FROM board_shown")}

    def boards_of_bulletin(self, bulletin: str) -> tuple[BoardRow, ...]:
        """What boards showed of this bulletin, the latest day first."""
        key = id_bytes(bulletin)
        with self._lock:
            known: dict[bytes, set[bytes] | None] = {}
            for approval in self._facts.approvals.get(key, ()):
                known[approval.fact.manifest[:16]] = self._forms(approval.fact.manifest)
            return self._board_rows([key], known)

    def boards_of_order(self, series: int) -> tuple[BoardRow, ...]:
        """What boards showed of this emergency."""
        with self._lock:
            orders = self._facts.emergencies.get(series, ())
            known: dict[bytes, set[bytes] | None] = {}
            for order in orders:
                words = alarm_words(order.fact.text, drill=order.fact.drill)
                known.setdefault(order.fact.manifest[:16], set())
                approved = known[order.fact.manifest[:16]]
                assert approved is not None
                approved.add(shown_hash(words))
            return self._board_rows([event_id(order.signed.event) for order in orders], known)

    def _board_rows(
        self, ids: Iterable[bytes], known: Mapping[bytes, set[bytes] | None]
    ) -> tuple[BoardRow, ...]:
        rows = [
            row
            for one in ids
            for row in self._rows(
                "SELECT b.*, t.name AS station FROM board_shown b LEFT JOIN stations t ON t.unit = b.unit "
                "WHERE b.bulletin = ?",
                [one],
            )
        ]
        rows.sort(key=lambda row: (-row["day"], row["unit"], row["board"], row["shown"]))
        return tuple(_row(row, _agrees(row, known)) for row in rows)

    def _forms(self, manifest: bytes) -> set[bytes] | None:
        """The hashes of everything in a manifest; None when it is not here."""
        try:
            return {one.sha256 for one in read_manifest(self._blobs, manifest).renditions}
        except (BlobError, CodecError):
            return None


def _agrees(row: Mapping[str, Any], known: Mapping[bytes, set[bytes] | None]) -> bool | None:
    content = bytes(row["content"])
    if content not in known:
        return False  # no approval here names such content
    approved = known[content]
    return None if approved is None else bytes(row["shown"]) in approved


def _row(row: Mapping[str, Any], as_approved: bool | None) -> BoardRow:
    return BoardRow(
        row["unit"], row["station"] or row["unit"], row["board"], row["day"], row["shown_s"], row["outcome"],
        bytes(row["shown"]).hex(), as_approved, row["at"], row["position"], row["seq"],
    )  # fmt: skip
