"""Every version of a bulletin as it was signed, and what one changed of another.

Versions are read from the log itself: each is a signed `Drafted`, and its content is what its manifest names.
The content of an old draft may be gone from this machine (only texts are kept for ever); what is not here is
said to be not here, and the words are compared with what is.

Bound: reads. Words are compared by `hub.textdiff`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.accounts import Person
from hub.basis import read_basis
from hub.lookups import Lookups, id_bytes
from hub.media import read_manifest
from hub.textdiff import Run, compared, has_changed
from hub.voices import File, Voice, voices_of
from ledger.facts import AUDIO, BOARD_IMAGE, DOCUMENT, Basis, Drafted, parse
from ledger.log import BlobError, CodecError


@dataclass(frozen=True)
class Version:
    """One signed version. voices: None when its list of content is not here."""

    number: int
    at: int
    by: Person
    manifest: str
    title: str
    category: str
    klass: int
    territory: str
    valid_from_day: int
    valid_until_day: int
    stream: str
    basis: Basis | None
    voices: tuple[Voice, ...] | None


@dataclass(frozen=True)
class WordsChanged:
    """The words of one language. runs: from the older to the newer."""

    language: str
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class FileChanged:
    """A file that came, went or is another one."""

    language: str
    kind: str
    old: File | None
    new: File | None


@dataclass(frozen=True)
class Difference:
    """fields: names of those that differ, of title, category, klass, territory, validity, stream, basis."""

    fields: tuple[str, ...]
    title: tuple[Run, ...]
    words: tuple[WordsChanged, ...]
    files: tuple[FileChanged, ...]

    @property
    def is_empty(self) -> bool:
        return not self.fields and not self.words and not self.files


class VersionQueries(Lookups):
    """Asked under the hub's lock."""

    def versions(self, bulletin: str) -> tuple[Version, ...]:
        """The oldest first; of a bulletin that was made elsewhere there may be none."""
        key = id_bytes(bulletin)
        with self._lock:
            rows = self._rows(
                "SELECT DISTINCT position, seq FROM deeds WHERE bulletin = ? ORDER BY position, seq", [key]
            )
            found: dict[int, Version] = {}
            for row in rows:
                read = self._drafted(int(row["position"]), int(row["seq"]))
                if read is not None and read[0].bulletin == key:
                    found[read[0].version] = self._version(*read)
            return tuple(found[number] for number in sorted(found))

    def _drafted(self, position: int, seq: int) -> tuple[Drafted, bytes] | None:
        """(fact, its signer's key id) when a version stands there in the log."""
        for stored in self._ledger.since(position - 1, limit=1):
            head = stored.segment.head
            if stored.position == position and head.first_seq <= seq < head.next_seq:
                fact = parse(stored.segment.events[seq - head.first_seq])
                return (fact, head.key_id) if isinstance(fact, Drafted) else None
        return None

    def _version(self, fact: Drafted, key_id: bytes) -> Version:
        stream, voices = "", None
        try:
            manifest = read_manifest(self._blobs, fact.manifest)
        except (BlobError, CodecError):
            pass
        else:
            relayed = manifest.stream()
            stream = "" if relayed is None else f"{relayed.sha256.hex()} {relayed.duration_ms}"
            voices = voices_of(self._blobs, manifest)
        return Version(
            fact.version, fact.ts, self.person(key_id), fact.manifest.hex(), fact.title, fact.category,
            fact.klass, fact.territory, fact.valid_from_day, fact.valid_until_day, stream,
            read_basis(self._blobs, fact.manifest), voices,
        )  # fmt: skip


def difference(old: Version, new: Version) -> Difference:
    """What `new` changed of `old`."""
    fields = [name for name in ("category", "klass", "territory") if getattr(old, name) != getattr(new, name)]
    if (old.valid_from_day, old.valid_until_day) != (new.valid_from_day, new.valid_until_day):
        fields.append("validity")
    if old.stream != new.stream:
        fields.append("stream")
    if old.basis != new.basis:
        fields.append("basis")
    title = compared(old.title, new.title)
    if has_changed(title):
        fields.insert(0, "title")
    before, after = _by_language(old.voices), _by_language(new.voices)
    words, files = [], []
    for language in dict.fromkeys((*before, *after)):
        was, now = before.get(language), after.get(language)
        runs = compared("" if was is None else was.text, "" if now is None else now.text)
        if has_changed(runs):
            words.append(WordsChanged(language, runs))
        for kind in (AUDIO, BOARD_IMAGE, DOCUMENT):
            had, has = None if was is None else was.file(kind), None if now is None else now.file(kind)
            if (had and had.sha256) != (has and has.sha256):
                files.append(FileChanged(language, kind, had, has))
    return Difference(tuple(fields), title, tuple(words), tuple(files))


def _by_language(voices: Iterable[Voice] | None) -> dict[str, Voice]:
    return {one.language: one for one in voices or ()}
