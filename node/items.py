"""From a slot to what the player needs: the verified content, its length, how often, how loud.

The bytes are read and checked against the approved hash here, just before they are needed; what is handed to
the player are exactly these bytes. Content that the disk damaged is dropped and fetched again.
"""

from __future__ import annotations

from ledger.facts import Rendition, Slot
from ledger.log import BlobError
from node.contents import Contents
from node.fetch import Fetcher
from node.player import DURATION_MAX_MS, PlayItem
from node.presence import Moment


class Items:
    """Prepares items for one output. volume: percent."""

    def __init__(self, contents: Contents, fetcher: Fetcher, *, volume: int, language: str) -> None:
        self._contents = contents
        self._fetcher = fetcher
        self._volume = volume
        self._language = language

    def of(self, slot: Slot, moment: Moment, *, offset_ds: int) -> PlayItem | None:
        """The item; None when its content is not (or no longer) what was approved."""
        manifest = self._contents.manifest(slot.manifest)
        if manifest is None:
            return None
        heard = self._contents.heard(manifest)
        words = self._contents.read_out(manifest) if heard is None else None
        sound = self._read(heard, slot)
        script = self._read(words, slot)
        if sound is None or script is None:
            return None
        return PlayItem(
            slot.series,
            slot.day,
            slot.manifest,
            None if heard is None else heard.sha256,
            "text/plain" if heard is None else heard.media_type,
            0 if heard is None else heard.duration_ms,
            self._volume,
            script.decode("utf-8", "replace") if words is not None else slot.text,
            self._language,
            offset_ds=offset_ds,
            repeat=_rounds(slot, heard, moment),
            klass=slot.klass,
            read=lambda: sound,
        )

    def longest_ds(self, content: bytes, rounds: int) -> int:
        """More than this is never heard of so many rounds of a manifest; deciseconds."""
        manifest = self._contents.manifest(content)
        heard = None if manifest is None else self._contents.heard(manifest)
        if heard is None or heard.duration_ms <= 0:
            return DURATION_MAX_MS // 100
        return min(heard.duration_ms * rounds, DURATION_MAX_MS) // 100

    def _read(self, rendition: Rendition | None, slot: Slot) -> bytes | None:
        """The bytes, empty for none; None when the disk lost them."""
        if rendition is None:
            return b""
        try:
            return self._contents.read(rendition)
        except BlobError:
            self._fetcher.lost(rendition.sha256, slot.manifest)
            return None


def _rounds(slot: Slot, heard: Rendition | None, moment: Moment) -> int:
    """An emergency is repeated as often as ordered, as far as it ends before it expires."""
    if not slot.emergency or heard is None or heard.duration_ms <= 0:
        return 1
    left_s = max(0.0, slot.begin_until_s - moment.utc_s)
    return max(1, min(slot.plays_max, int(left_s * 1000 // heard.duration_ms)))
