"""From a slot to what the player needs: the verified content, its length, how often, how loud.

The bytes are read and checked against the approved hash here, just before they are needed; what is handed to
the player are exactly these bytes. Content that the disk damaged is dropped and fetched again.

What is heard of a slot, the first of these that it has:

    a live relay     the address in its list; a recording beside it fills in when the relay fails
    a recording      also of an emergency, as soon as it is here
    words            of the manifest, or the text that an emergency's order carries, read out by a voice
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from ledger.facts import Klass, Rendition, Slot, voice_of
from ledger.log import BlobError
from node.contents import Contents
from node.fetch import Fetcher
from node.presence import Moment
from node.sound.chime import Chime
from node.sound.player import DURATION_MAX_MS, Player, PlayItem
from node.sound.speech import as_spoken
from node.sound.volume import Volumes

# Texts of a day's programme that has no recordings; each is some kilobytes.
WORDS_KEPT_MAX: Final = 64


class Items:
    """Prepares items for one output. glossary: words of the place. chime: before ordinary items too."""

    def __init__(
        self, contents: Contents, fetcher: Fetcher, player: Player, *, volumes: Volumes, language: str,
        glossary: Mapping[str, str], chime: bool,
    ) -> None:  # fmt: skip
        self._contents = contents
        self._fetcher = fetcher
        self._volumes = volumes
        self._voice = voice_of(language)  # of an order's own words
        self._glossary = glossary
        self._chime = chime
        self._chimes = player.chimes
        self._speaks = player.can_speak
        self._words: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._prepared: set[bytes] = set()  # ids of orders whose words were made, or that have none

    def of(
        self, slot: Slot, moment: Moment, *, offset_ds: int, began_s: float | None = None
    ) -> PlayItem | None:
        """The item; None when its content is not (or no longer) what was approved.

        began_s: of a slot that goes on, UTC s of its first sound. A relay goes on at its own now and ends by
        the plan: None as well when its time is over.
        """
        manifest = self._contents.manifest(slot.manifest)
        if manifest is None:
            return self._spoken(slot, moment, offset_ds) if self.speaks_for(slot) else None
        relayed, heard = self._contents.relayed(manifest), self._contents.heard(manifest)
        if heard is not None and not self._contents.has(heard.sha256) and self.speaks_for(slot):
            return self._spoken(slot, moment, offset_ds)
        words = self._contents.read_out(manifest) if heard is None and relayed is None else None
        sound, script = self._read(heard, slot), self._read(words, slot)
        if sound is None or script is None:
            return None
        stream = self._contents.address(relayed) if relayed is not None else ""
        if stream is None:
            return None
        length_ms, fallback_ms = 0 if heard is None else heard.duration_ms, 0
        if relayed is not None:
            length_ms, fallback_ms = relayed.duration_ms or slot.length_s * 1000, length_ms
            if began_s is not None:
                offset_ds = max(0, int((moment.utc_s - began_s) * 10))
                if offset_ds * 100 >= length_ms:
                    return None
        text, language = slot.text, self._voice
        if words is not None:
            text, language = script.decode("utf-8", "replace"), words.language
        return PlayItem(
            slot.series,
            slot.day,
            slot.manifest,
            None if heard is None else heard.sha256,
            "text/plain" if heard is None else heard.media_type,
            length_ms,
            self.volume(slot, moment.utc_s),
            text,
            language,
            offset_ds=offset_ds,
            repeat=1 if stream else _rounds(slot, heard, moment),
            klass=slot.klass,
            stream=stream,
            fallback_ms=fallback_ms,
            chime=self._chime_of(slot, offset_ds),
            words=lambda: self._said(text, language),
            read=lambda: sound,
        )

    def speaks_for(self, slot: Slot) -> bool:
        """True when the signed order itself says what to say, and somebody here can say it."""
        return slot.emergency and bool(slot.text) and self._speaks

    def prepare(self, slot: Slot) -> bool:
        """Puts a text that will be read out into a speaker's words; True when that took time."""
        if not self._speaks or slot.decision in self._prepared:
            return False
        manifest = self._contents.manifest(slot.manifest)
        text, language = slot.text if self.speaks_for(slot) else "", self._voice
        if not text:
            words = None if manifest is None else self._contents.read_out(manifest)
            if manifest is None or (words is not None and not self._contents.has(words.sha256)):
                return False  # not here yet
            spoken = self._contents.heard(manifest) is None and self._contents.relayed(manifest) is None
            script = self._read(words, slot) if spoken else b""
            text = "" if script is None else script.decode("utf-8", "replace")
            language = language if words is None else words.language
        if len(self._prepared) >= WORDS_KEPT_MAX:
            self._prepared.clear()
        self._prepared.add(slot.decision)
        if not text or (language, text) in self._words:
            return False
        self._said(text, language)
        return True

    def volume(self, slot: Slot, begin_s: float) -> int:
        """Percent, for this slot's sound when it begins at `begin_s`."""
        return self._volumes.at(begin_s, slot.length_s, emergency=slot.emergency)

    def volume_of(self, klass: int, begin_s: float, length_s: float) -> int:
        """Percent, when the slot itself is not known any more."""
        return self._volumes.at(begin_s, length_s, emergency=klass == Klass.EMERGENCY)

    def lead_s(self, klass: int) -> float:
        """Seconds of chime before the content of such an item, when it cannot be asked any more."""
        if not self._chimes:
            return 0.0
        if klass == Klass.EMERGENCY:
            return Chime.EMERGENCY.length_s
        return Chime.ORDINARY.length_s if self._chime else 0.0

    def longest_ds(self, content: bytes, rounds: int) -> int:
        """More than this is never heard of so many rounds of a manifest; deciseconds."""
        manifest = self._contents.manifest(content)
        if manifest is None:
            return DURATION_MAX_MS // 100
        heard = self._contents.relayed(manifest) or self._contents.heard(manifest)
        if heard is None or heard.duration_ms <= 0:
            return DURATION_MAX_MS // 100
        return min(heard.duration_ms * rounds, DURATION_MAX_MS) // 100

    def _spoken(self, slot: Slot, moment: Moment, offset_ds: int) -> PlayItem:
        """An emergency by the words of its order: its recording is not here."""
        return PlayItem(
            slot.series, slot.day, slot.manifest, None, "text/plain", 0, self.volume(slot, moment.utc_s),
            slot.text, self._voice, offset_ds=offset_ds, klass=slot.klass,
            chime=self._chime_of(slot, offset_ds), words=lambda: self._said(slot.text, self._voice),
        )  # fmt: skip

    def _chime_of(self, slot: Slot, offset_ds: int) -> Chime:
        """What announces it: an ordinary item that goes on is not announced again."""
        if not self._chimes:
            return Chime.NONE
        if slot.emergency:
            return Chime.DRILL if slot.drill else Chime.EMERGENCY
        return Chime.ORDINARY if self._chime and offset_ds == 0 else Chime.NONE

    def _said(self, text: str, language: str) -> str:
        """The words for a text; made once."""
        words = self._words.get((language, text))
        if words is None:
            words = self._words[language, text] = as_spoken(text, language, self._glossary)
            if len(self._words) > WORDS_KEPT_MAX:
                self._words.popitem(last=False)
        return words

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
