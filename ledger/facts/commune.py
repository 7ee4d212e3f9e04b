"""What a commune's people decide and report: answers to offers, their order, what they read and were told.

A person's word is a decision: sealed alone at the moment of the act, with the person's own key, like those
of the province. What the station passes on for others (a citizen's words, a wish for rights, what a board
showed, which clusters hang on the amplifier) is a report, sealed in batches with the station's key.

    decisions   10 OfferAnswered  11 ProgrammeArranged  12 DirectiveIssued  13 Attested
                14 FeedbackAnswered  15 DirectiveRead
    reports     17 FeedbackReceived  22 KeyOffered  23 BoardShown  24 ClustersListed

Bound: form only. Who may sign which is `standing.py`; what an answer changes in the plan is `plan.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from ledger.facts.calendar import DAY_MAX, DAY_MINUTES
from ledger.facts.fields import (
    SERIES_MAX,
    TS_MAX,
    Check,
    Kind,
    chars,
    exactly,
    octets,
    or_nil,
    unit_path,
    whole,
)
from ledger.facts.outcome import Outcome

SERIES_BYTES: Final = 4
ARRANGED_MAX: Final = 64  # series a commune puts in order for one day
CLUSTERS_MAX: Final = 102
CLUSTER_NAMES_CHARS_MAX: Final = 6_000
FEEDBACK_CHARS_MAX: Final = 2_000
SAID_BY_CHARS_MAX: Final = 120

_id = exactly(16)
_hash = exactly(32)
_day = whole(0, DAY_MAX)
_minute = whole(0, DAY_MINUTES - 1)
_instant = whole(0, TS_MAX)
_series = whole(1, SERIES_MAX)


class Answer(IntEnum):
    """What a commune says to an offer."""

    DECLINED = 0
    ACCEPTED = 1
    MOVED = 2


class Means(IntEnum):
    """How an attestation came to the one who signed it."""

    SELF = 0
    TELEPHONE = 1
    PAPER = 2


@dataclass(frozen=True)
class OfferAnswered(Kind):
    """A commune accepts, declines or moves what was offered to it. day nil: all days of the series.

    minute: of the local day, exactly when the offer is moved. territory: the commune, exactly.
    """

    TYPE: ClassVar[int] = 10

    series: int
    day: int | None
    answer: int
    minute: int | None
    territory: str
    reason: str

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "series": _series,
        "day": or_nil(_day),
        "answer": whole(Answer.DECLINED, Answer.MOVED),
        "minute": or_nil(_minute),
        "territory": unit_path,
        "reason": chars(0, 500),
    }

    def problem(self) -> str | None:
        return None if (self.answer == Answer.MOVED) == (self.minute is not None) else "bad-minute"


@dataclass(frozen=True)
class ProgrammeArranged(Kind):
    """How a commune orders what falls on the same time. order: 1–64 series, 4 bytes each, high first."""

    TYPE: ClassVar[int] = 11

    territory: str
    day: int
    order: bytes

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "territory": unit_path,
        "day": _day,
        "order": octets(SERIES_BYTES, SERIES_BYTES * ARRANGED_MAX),
    }

    def problem(self) -> str | None:
        numbers = self.series() if len(self.order) % SERIES_BYTES == 0 else ()
        whole_list = len(set(numbers)) * SERIES_BYTES == len(self.order)
        return None if whole_list and all(1 <= one <= SERIES_MAX for one in numbers) else "bad-order"

    def series(self) -> tuple[int, ...]:
        """The series, first first."""
        step = SERIES_BYTES
        return tuple(
            int.from_bytes(self.order[at : at + step], "big") for at in range(0, len(self.order), step)
        )


@dataclass(frozen=True)
class DirectiveIssued(Kind):
    """A document sent down: a dispatch, a plan, a leaflet, a law.

    number, issuer, issued_day: as printed on it. kind `directive` asks for a read receipt (until due_day, if
    set); `document` is for the bookcase. A newer one of the same `directive` replaces it; manifest nil takes
    it back.
    """

    TYPE: ClassVar[int] = 12

    directive: bytes
    kind: str
    number: str
    issuer: str
    issued_day: int
    title: str
    summary: str
    category: str
    manifest: bytes | None
    territory: str
    due_day: int | None

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "directive": _id,
        "kind": lambda value: type(value) is str and value in ("directive", "document"),
        "number": chars(0, 64),
        "issuer": chars(1, 120),
        "issued_day": _day,
        "title": chars(1, 200),
        "summary": chars(0, 1_000),
        "category": chars(0, 64),
        "manifest": or_nil(_hash),
        "territory": unit_path,
        "due_day": or_nil(_day),
    }


@dataclass(frozen=True)
class Attested(Kind):
    """A person says what became of a slot at a station that cannot say it itself.

    said_by: who saw or heard it, when it was not the signer. began_at: UTC s of the start; nil when nothing
    played or nobody knows. territory: the station's unit.
    """

    TYPE: ClassVar[int] = 13

    territory: str
    series: int
    day: int
    content: bytes
    outcome: int
    detail: int
    began_at: int | None
    played_ds: int
    means: int
    said_by: str

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "territory": unit_path,
        "series": _series,
        "day": _day,
        "content": _id,
        "outcome": whole(Outcome.UNKNOWN, Outcome.SILENT),
        "detail": whole(0, 255),
        "began_at": or_nil(_instant),
        "played_ds": whole(0, 864_000),
        "means": whole(Means.SELF, Means.PAPER),
        "said_by": chars(0, SAID_BY_CHARS_MAX),
    }


@dataclass(frozen=True)
class FeedbackAnswered(Kind):
    """A reply to a citizen's words. state 0 answered, 1 closed without one. bulletin: broadcast as that."""

    TYPE: ClassVar[int] = 14

    feedback: bytes
    territory: str
    state: int
    text: str
    bulletin: bytes | None

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "feedback": _id,
        "territory": unit_path,
        "state": whole(0, 1),
        "text": chars(0, FEEDBACK_CHARS_MAX),
        "bulletin": or_nil(_id),
    }


@dataclass(frozen=True)
class DirectiveRead(Kind):
    """The person who signs has read this document. territory: the commune they read it for."""

    TYPE: ClassVar[int] = 15

    directive: bytes
    manifest: bytes
    territory: str

    CHECKS: ClassVar[Mapping[str, Check]] = {"directive": _id, "manifest": _hash, "territory": unit_path}


@dataclass(frozen=True)
class FeedbackReceived(Kind):
    """A citizen's words, as given to the commune. sender: how to answer, only if they wished; else ""."""

    TYPE: ClassVar[int] = 17

    feedback: bytes
    category: str
    text: str
    sender: str

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "feedback": _id,
        "category": chars(0, 64),
        "text": chars(1, FEEDBACK_CHARS_MAX),
        "sender": chars(0, 120),
    }


@dataclass(frozen=True)
class KeyOffered(Kind):
    """A key made at this station for a person, and the rights they ask for: a wish, it gives nothing.

    possession: the key's signature, purpose "offer", over station key id ‖ subject_pub.
    """

    TYPE: ClassVar[int] = 22

    subject_pub: bytes
    possession: bytes
    label: str
    classes: int

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "subject_pub": _hash,
        "possession": exactly(64),
        "label": chars(1, 120),
        "classes": whole(1, (1 << 31) - 1),
    }


@dataclass(frozen=True)
class BoardShown(Kind):
    """What a board (bảng thông tin điện tử) showed. board: its id here. shown: SHA-256 of what was shown.

    content: first half of the manifest's hash. shown_s: seconds it was on, so far. last: no more will come.
    """

    TYPE: ClassVar[int] = 23

    board: str
    bulletin: bytes
    content: bytes
    shown: bytes
    day: int
    shown_s: int
    outcome: int
    detail: int

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "board": chars(1, 32),
        "bulletin": _id,
        "content": _id,
        "shown": _hash,
        "day": _day,
        "shown_s": whole(0, 86_400),
        "outcome": whole(Outcome.UNKNOWN, Outcome.SILENT),
        "detail": whole(0, 255),
    }


@dataclass(frozen=True)
class ClustersListed(Kind):
    """The receiver clusters of this station, one name a line; a cluster's number is its line, from 0."""

    TYPE: ClassVar[int] = 24

    names: str

    CHECKS: ClassVar[Mapping[str, Check]] = {"names": chars(0, CLUSTER_NAMES_CHARS_MAX)}

    def problem(self) -> str | None:
        lines = self.names.split("\n") if self.names else []
        return None if len(lines) <= CLUSTERS_MAX and all(lines) else "bad-names"
