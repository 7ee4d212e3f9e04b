"""The station's bookcase: documents sent down, found without typing a diacritic, and who has read them.

A directive asks for a receipt: the person signs, with their own key, that they have read this version
(`DirectiveRead`). A document that only stands in the bookcase asks nothing. All of it works without a
network, as far as the files are here; what is still on its way says so.

Searching looks at number, title, issuer, category and summary, and at the words inside the files: those are
read elsewhere, once (`reading`), and searched before the loop is asked (`found`).

Bound: on the station's loop, short calls. Files go out in pieces; whoever serves them asks for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from ledger.content import PDF, PLAIN, folded
from ledger.facts import DirectiveRead, Paper, Rendition, Right, local_day, paper_of, papers, receipts
from ledger.log import BlobError, Blobs, NotAllowed, Stored
from node.contents import Contents
from node.page.office import Office, Person

ROWS_MAX: Final = 100
TEXT_SHOWN_BYTES_MAX: Final = 200_000  # of a plain text; a law is about half of that
WORDED: Final = (PLAIN, PDF)  # files that may have words in them


@dataclass(frozen=True)
class File:
    """One attachment. sha256: hex; here: its bytes are on the card."""

    sha256: str
    media_type: str
    size: int
    here: bool


@dataclass(frozen=True)
class Row:
    """One document. id: hex; versions > 1: it was replaced; read_by: names, in order; mine: I have read it.

    late: it asked for a receipt by a day that has passed, and nobody here has read it.
    """

    id: str
    kind: str
    number: str
    issuer: str
    issued_day: int
    title: str
    summary: str
    category: str
    due_day: int | None
    versions: int
    arrived_ts: int
    files: tuple[File, ...]
    here: bool
    read_by: tuple[tuple[str, int], ...]
    mine: bool
    late: bool


class Library:
    """Over one office."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._blobs = Blobs(office.station.store)
        self._contents = Contents(self._blobs, office.station.config.language)

    # -- asking ----------------------------------------------------------------------------------------------

    def rows(
        self, person: Person | None, *, words: str = "", only: str = "",
        found: Mapping[str, AbstractSet[bytes]] | None = None,
    ) -> list[Row]:  # fmt: skip
        """Newest first. words: every one of them, diacritics ignored. only: unread, directive or document.

        found: for each folded word, the files that have it inside.
        """
        wanted, inside = folded(words).split(), found or {}
        rows = []
        for paper in papers(self._office.station.facts, self._office.unit):
            if only in ("directive", "document") and paper.fact.kind != only:
                continue
            if wanted and not self._has(paper, wanted, inside):
                continue
            row = self._row(paper, person)
            if only == "unread" and (row.mine or not paper.asks_receipt):
                continue
            rows.append(row)
            if len(rows) == ROWS_MAX:
                break
        return rows

    def one(self, name: str, person: Person | None) -> Row | None:
        """One document by its hex id; None when it does not stand here."""
        paper = self._paper(name)
        return None if paper is None else self._row(paper, person)

    def unread(self, person: Person) -> int:
        """Directives that this person has not read."""
        facts, unit = self._office.station.facts, self._office.unit
        return sum(
            paper.asks_receipt and all(one.key_id != person.key_id for one in receipts(facts, unit, paper))
            for paper in papers(facts, unit)
        )

    def body(self, name: str) -> str:
        """The words of a plain text that is here; "" for anything else."""
        paper = self._paper(name)
        return "" if paper is None else self._plain(paper)

    def file(self, name: str, sha256: str) -> tuple[Row, File]:
        """An attachment of a document. NotAllowed("paper-unknown" | "paper-not-here")."""
        row = self.one(name, None)
        file = next((one for one in row.files if one.sha256 == sha256), None) if row else None
        if row is None or file is None:
            raise NotAllowed("paper-unknown", "there is no such document here", hint="look at the list")
        if not file.here:
            raise NotAllowed("paper-not-here", "this file has not arrived yet", hint="it comes by itself")
        return row, file

    def worded(self) -> list[File]:
        """The files that are here and may have words in them, those of the newest document first."""
        found: dict[str, File] = {}
        for paper in papers(self._office.station.facts, self._office.unit):
            for one in self._renditions(paper):
                if one.media_type in WORDED and self._blobs.has(one.sha256):
                    name = one.sha256.hex()
                    found.setdefault(name, File(name, one.media_type, one.size, here=True))
        return list(found.values())

    def piece(self, sha256: str, offset: int, length: int) -> bytes:
        """Bytes of a file that is here; none at its end. Raises BlobError when the disk lost it."""
        return self._blobs.read_range(bytes.fromhex(sha256), offset, length)

    # -- acting ----------------------------------------------------------------------------------------------

    def confirm(self, person: Person, name: str, manifest: str) -> Stored | None:
        """Signs that this person has read this version; None when they had already.

        NotAllowed: paper-unknown, paper-changed (a newer version came meanwhile), paper-not-here, and what
        `office.sign` refuses.
        """
        paper = self._paper(name)
        if paper is None:
            raise NotAllowed("paper-unknown", "there is no such document here", hint="look at the list")
        if paper.manifest.hex() != manifest:
            raise NotAllowed("paper-changed", "a newer version has arrived", hint="read that one")
        if not self._row(paper, person).here:
            raise NotAllowed("paper-not-here", "this file has not arrived yet", hint="it comes by itself")
        office = self._office
        if any(one.key_id == person.key_id for one in receipts(office.station.facts, office.unit, paper)):
            return None
        fact = DirectiveRead(office.now().ts, paper.fact.directive, paper.manifest, office.unit)
        return office.sign(person, fact)

    def may_confirm(self, person: Person) -> bool:
        return self._office.may(person, Right.CORRESPOND)

    def manifest(self, name: str) -> str:
        """The version that stands, as hex; "" without one."""
        paper = self._paper(name)
        return "" if paper is None else paper.manifest.hex()

    # -- inside ----------------------------------------------------------------------------------------------

    def _paper(self, name: str) -> Paper | None:
        try:
            raw = bytes.fromhex(name)
        except ValueError:
            return None
        return paper_of(self._office.station.facts, self._office.unit, raw)

    def _row(self, paper: Paper, person: Person | None) -> Row:
        fact, office = paper.fact, self._office
        authority = office.station.facts.authority
        read = receipts(office.station.facts, office.unit, paper)
        files = tuple(
            File(one.sha256.hex(), one.media_type, one.size, self._blobs.has(one.sha256))
            for one in self._renditions(paper)
        )
        today = local_day(office.now().utc_s)
        return Row(
            id=fact.directive.hex(), kind=fact.kind, number=fact.number, issuer=fact.issuer,
            issued_day=fact.issued_day, title=fact.title, summary=fact.summary, category=fact.category,
            due_day=fact.due_day, versions=paper.versions, arrived_ts=fact.ts, files=files,
            here=bool(files) and all(one.here for one in files),
            read_by=tuple((authority.label_of(one.key_id), one.fact.ts) for one in read),
            mine=person is not None and any(one.key_id == person.key_id for one in read),
            late=paper.asks_receipt and not read and fact.due_day is not None and fact.due_day < today,
        )  # fmt: skip

    def _renditions(self, paper: Paper) -> tuple[Rendition, ...]:
        manifest = self._contents.manifest(paper.manifest)
        return () if manifest is None else manifest.renditions

    def _has(self, paper: Paper, wanted: list[str], inside: Mapping[str, AbstractSet[bytes]]) -> bool:
        fact = paper.fact
        head = folded(" ".join((fact.number, fact.title, fact.issuer, fact.category, fact.summary)))
        files = {one.sha256 for one in self._renditions(paper)}
        return all(word in head or not files.isdisjoint(inside.get(word, ())) for word in wanted)

    def _plain(self, paper: Paper) -> str:
        parts = []
        for one in self._renditions(paper):
            small = one.media_type == PLAIN and one.size <= TEXT_SHOWN_BYTES_MAX
            if small and self._blobs.has(one.sha256):
                try:
                    parts.append(self._blobs.read(one.sha256).decode("utf-8", "replace"))
                except BlobError:
                    continue
        return "\n".join(parts)
