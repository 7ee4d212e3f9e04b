"""What bulletins were made for: their campaigns and documents, read from what was approved.

A manifest never changes under its hash, so what was read once is remembered; a list of thousands of bulletins
is read from the disk once in a process's life.

Bound: reads. What a basis is, is `ledger.facts.basis`.
"""

from __future__ import annotations

from collections import Counter

from hub.lookups import Lookups
from hub.media import read_manifest
from ledger.facts import BASIS, Basis
from ledger.log import BlobError, Blobs, CodecError

NOTED_MAX = 50_000


class BasisQueries(Lookups):
    """Asked under the hub's lock."""

    _known: dict[bytes, Basis | None] | None = None

    def basis_of(self, manifest: bytes) -> Basis | None:
        """Of the content with this hash; None when it names none, or is not here."""
        if self._known is None:
            self._known = {}
        if manifest not in self._known:
            with self._lock:
                found = read_basis(self._blobs, manifest)
            if found is None and not self._blobs.has(manifest):
                return None  # it may still come
            if len(self._known) >= NOTED_MAX:
                self._known.clear()
            self._known[manifest] = found
        return self._known[manifest]

    def campaigns(self) -> list[tuple[str, int]]:
        """(campaign, bulletins whose current version names it), those with most first."""
        counted = Counter(self._campaigns().values())
        return sorted(counted.items(), key=lambda one: (-one[1], one[0]))

    def of_campaign(self, campaign: str) -> frozenset[str]:
        """Ids of the bulletins whose current version names it."""
        return frozenset(bulletin for bulletin, named in self._campaigns().items() if named == campaign)

    def _campaigns(self) -> dict[str, str]:
        with self._lock:
            rows = self._rows("SELECT id, manifest FROM bulletins")
            found = {}
            for row in rows:
                basis = self.basis_of(bytes(row["manifest"]))
                if basis is not None and basis.campaign:
                    found[bytes(row["id"]).hex()] = basis.campaign
            return found


def read_basis(blobs: Blobs, manifest: bytes) -> Basis | None:
    """None when the content names none, is not here, or names nothing that can be read."""
    try:
        for one in read_manifest(blobs, manifest).renditions:
            if one.kind == BASIS:
                return Basis.decode(blobs.read(one.sha256))
    except (BlobError, CodecError):
        pass
    return None
