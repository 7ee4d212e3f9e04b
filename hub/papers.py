"""Documents sent down to communes with their read receipts, and citizens' words that came up.

A document (a dispatch, a leaflet, a law) is one file under a signed word of somebody who may ISSUE; who read
it at each commune is signed there. A citizen's words are a station's report; an answer is a decision of
somebody who may CORRESPOND, here or at the commune, and the first of either closes nothing: the thread stays.

Bound: acts (`Papers`, asked at the desk) and what the pages show (functions below). Which word about a
document stands is `ledger.facts.library`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hub.accounts import Officer, Person
from hub.desk import Desk, act, from_hex, within
from hub.media import Upload, accept_line, accept_text, folded, read_manifest
from ledger.facts import (
    CATEGORY_CHARS_MAX,
    DOCUMENT,
    FEEDBACK_CHARS_MAX,
    TITLE_CHARS_MAX,
    DirectiveIssued,
    FeedbackAnswered,
    Manifest,
    Rendition,
    Right,
    calendar,
    covers,
    paper_of,
    receipts,
)
from ledger.log import BlobError, CodecError, NotAllowed

if TYPE_CHECKING:
    from hub.hub import Hub

KINDS: Final = ("directive", "document")
FILE_BYTES_MAX: Final = 8 << 20  # over 2G a leaflet of a megabyte takes minutes; what is larger is printed
NUMBER_CHARS_MAX: Final = 64
ISSUER_CHARS_MAX: Final = 120
SUMMARY_CHARS_MAX: Final = 1_000
ANSWER_CHARS_MAX: Final = FEEDBACK_CHARS_MAX
ROWS_MAX: Final = 500
_MAGIC: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)


class Papers(Desk):
    """Acts on documents and feedback. Refusals are NotAllowed with a stable code; `now` is UTC s."""

    @act
    def issue_document(
        self, officer: Officer, *, kind: str, number: str, issuer: str, issued_day: int, title: str,
        summary: str, category: str, file: Upload | None, territory: str, due_day: int | None, now: int,
        replaces: str = "",
    ) -> str:  # fmt: skip
        """Signs a document, or the next version of one (replaces: its hex id); returns the id."""
        self._may(officer, Right.ISSUE, territory, now)
        if kind not in KINDS:
            raise NotAllowed(
                "kind-unknown", f"{kind!r} is no kind of document", where="kind", hint="choose one"
            )
        name, before = self._entropy(16), None
        if replaces:
            name, before = self._standing(officer, replaces, now)
        manifest = before.manifest if file is None and before is not None else self._stored(file)
        fact = DirectiveIssued(
            now, name, kind, _line(number, "number", NUMBER_CHARS_MAX),
            accept_line(issuer, what="issuer", chars_max=ISSUER_CHARS_MAX),
            within(issued_day, 0, calendar.DAY_MAX, "day-range", "issued_day"),
            accept_line(title, what="title", chars_max=TITLE_CHARS_MAX),
            accept_text(summary, what="summary", chars_max=SUMMARY_CHARS_MAX),
            _line(category, "category", CATEGORY_CHARS_MAX), manifest, territory, due_day,
        )  # fmt: skip
        self._ledger.append_sealed(officer.key, fact.encode())
        return name.hex()

    @act
    def withdraw_document(self, officer: Officer, document: str, *, now: int) -> None:
        """Takes it back everywhere it went: stations drop it from their bookcases."""
        name, before = self._standing(officer, document, now)
        fact = DirectiveIssued(
            now, name, before.kind, before.number, before.issuer, before.issued_day, before.title,
            before.summary, before.category, None, before.territory, before.due_day,
        )  # fmt: skip
        self._ledger.append_sealed(officer.key, fact.encode())

    @act
    def answer_feedback(
        self, officer: Officer, feedback: str, unit: str, text: str, *, closed: bool, now: int
    ) -> None:
        """A reply to a citizen of `unit`, or (closed, no text) that there will be none."""
        self._may(officer, Right.CORRESPOND, unit, now)
        raw = from_hex(feedback)
        if len(raw) != 16:
            raise NotAllowed("feedback-unknown", "there is nothing of this id", hint="look at the list")
        said = accept_text(text, what="text", chars_max=ANSWER_CHARS_MAX)
        if not said and not closed:
            raise NotAllowed("text-empty", "the answer is empty", where="text", hint="write it")
        fact = FeedbackAnswered(now, raw, unit, int(closed), said, None)
        self._ledger.append_sealed(officer.key, fact.encode())

    def _standing(self, officer: Officer, document: str, now: int) -> tuple[bytes, DirectiveIssued]:
        """(id, its latest word), when this officer may speak about it."""
        name = from_hex(document)
        words = self._facts.directives.get(name, [])
        found = paper_of(self._facts, words[0].fact.territory, name) if words else None
        if found is None:
            raise NotAllowed("document-unknown", "no such document stands", hint="look at the list")
        self._may(officer, Right.ISSUE, found.fact.territory, now)
        return name, found.fact

    def _stored(self, file: Upload | None) -> bytes:
        if file is None or not file.data:
            raise NotAllowed("document-empty", "no file was chosen", where="file", hint="choose one")
        if len(file.data) > FILE_BYTES_MAX:
            raise NotAllowed(
                "document-large", f"the file has {len(file.data)} bytes", where="file",
                hint=f"at most {FILE_BYTES_MAX}: stations fetch it over 2G",
            )  # fmt: skip
        manifest = Manifest((Rendition.of(DOCUMENT, media_type_of(file.data), file.data),))
        self._blobs.put(file.data)
        return self._blobs.put(manifest.encode())


def media_type_of(data: bytes) -> str:
    """By the bytes, never by the name. NotAllowed("document-type")."""
    for magic, media_type in _MAGIC:
        if data.startswith(magic):
            return media_type
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise NotAllowed(
            "document-type", "this is no PDF, no picture and no plain text", where="file",
            hint="save it as PDF",
        )  # fmt: skip
    return "text/plain"


def _line(text: str, what: str, chars_max: int) -> str:
    """A line that may be empty."""
    return accept_line(text, what=what, chars_max=chars_max) if text.strip() else ""


# -- what the pages show -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PaperRow:
    """One document. units: communes of its territory; read: of them those where somebody has read it.

    file: the SHA-256 of what was sent, b"" when it is not here.
    """

    id: str
    fact: DirectiveIssued
    versions: int
    by: Person
    units: int
    read: int
    file: bytes = b""


@dataclass(frozen=True)
class ReceiptRow:
    """One commune and who has read the document there, as (name on the grant, UTC s)."""

    unit: str
    names: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Words:
    """A citizen's words as they came up, and the answers. replies: (by, UTC s, closed, text)."""

    id: str
    unit: str
    at: int
    category: str
    text: str
    sender: str
    replies: tuple[tuple[Person, int, bool, str], ...]


def paper_rows(
    hub: Hub, territory: str, *, words: str = "", found_in: Mapping[str, Collection[bytes]] | None = None
) -> list[PaperRow]:
    """Newest first; what was taken back is left out.

    words: every one of them, in number, title, issuer or summary, or in the file; found_in: for each folded
    word, the files that have it inside.
    """
    inside = found_in or {}
    with hub.lock:
        wanted = folded(words).split()
        found = [row for name in hub.facts.directives if (row := _row(hub, name, territory)) is not None]
        found.sort(key=lambda row: (-row.fact.ts, row.id))
        return [
            row for row in found
            if all(word in _head(row.fact) or row.file in inside.get(word, ()) for word in wanted)
        ][:ROWS_MAX]  # fmt: skip


def _head(fact: DirectiveIssued) -> str:
    return folded(f"{fact.number} {fact.title} {fact.issuer} {fact.summary}")


def paper_page(hub: Hub, document: str, territory: str) -> tuple[PaperRow, list[ReceiptRow], str, int] | None:
    """(row, receipts by commune, media type, bytes) of a standing document; None for any other."""
    with hub.lock:
        name = from_hex(document)
        row = _row(hub, name, territory) if name in hub.facts.directives else None
        if row is None or row.fact.manifest is None:
            return None
        units = [unit for unit in sorted(hub.facts.stations) if covers(row.fact.territory, unit)]
        listed = [ReceiptRow(unit, _names(hub, name, unit)) for unit in units if covers(territory, unit)]
        try:
            file = read_manifest(hub.blobs, row.fact.manifest).renditions[0]
        except (BlobError, CodecError):
            return row, listed, "", 0  # of a level above, and not here
        return row, listed, file.media_type, file.size


def paper_file(hub: Hub, document: str) -> tuple[bytes, str] | None:
    """(bytes, media type) of a standing document's file; None when it is not here."""
    with hub.lock:
        words = hub.facts.directives.get(from_hex(document), [])
        manifest = words[-1].fact.manifest if words else None
        if manifest is None:
            return None
        try:
            one = read_manifest(hub.blobs, manifest).renditions[0]
            return hub.blobs.read(one.sha256), one.media_type
        except (BlobError, CodecError):
            return None


def feedback_rows(hub: Hub, territory: str, *, words: str = "", open_only: bool = False) -> list[Words]:
    """Newest first."""
    with hub.lock:
        wanted = folded(words).split()
        found = []
        for row in hub.projections.db.query("SELECT * FROM feedback ORDER BY position DESC, seq DESC"):
            one = _words(hub, row)
            if not covers(territory, one.unit) or (open_only and one.replies):
                continue
            if all(word in folded(f"{one.text} {one.category}") for word in wanted):
                found.append(one)
            if len(found) == ROWS_MAX:
                break
        return found


def feedback_one(hub: Hub, name: str) -> Words | None:
    """One citizen's words by hex id."""
    with hub.lock:
        rows = list(hub.projections.db.query("SELECT * FROM feedback WHERE id = ?", [from_hex(name)]))
        return _words(hub, rows[0]) if rows else None


def _row(hub: Hub, name: bytes, territory: str) -> PaperRow | None:
    first = hub.facts.directives[name][0].fact.territory
    paper = paper_of(hub.facts, first, name)
    if paper is None:
        return None
    if not (covers(territory, paper.fact.territory) or covers(paper.fact.territory, territory)):
        return None
    units = [unit for unit in hub.facts.stations if covers(paper.fact.territory, unit)]
    read = sum(bool(_names(hub, name, unit)) for unit in units)
    by = hub.queries.person(paper.latest.key_id)
    try:
        file = read_manifest(hub.blobs, paper.manifest).renditions[0].sha256
    except (BlobError, CodecError):
        file = b""  # of a level above, and not here
    return PaperRow(name.hex(), paper.fact, paper.versions, by, len(units), read, file)


def _names(hub: Hub, name: bytes, unit: str) -> tuple[tuple[str, int], ...]:
    paper = paper_of(hub.facts, unit, name)
    if paper is None:
        return ()
    label_of = hub.facts.authority.label_of
    return tuple((label_of(one.key_id), one.fact.ts) for one in receipts(hub.facts, unit, paper))


def _words(hub: Hub, row: dict[str, object]) -> Words:
    raw = row["id"]
    assert isinstance(raw, bytes)
    replies = tuple(
        (hub.queries.person(one.key_id), one.fact.ts, one.fact.state == 1, one.fact.text)
        for one in hub.facts.replies.get(raw, ())
    )
    return Words(
        raw.hex(), str(row["unit"]), int(str(row["at"])), str(row["category"]), str(row["text"]),
        str(row["sender"]), replies,
    )  # fmt: skip
