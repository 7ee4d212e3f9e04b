"""What a decision is called and says, in a word and a phrase: for views, timeline and journal page.

Bound: words of the views, not of the pages; those are translated in `hub.web.names`.
"""

from __future__ import annotations

from typing import Any

from ledger.facts import (
    Answer,
    Approved,
    Attested,
    Cancelled,
    Decision,
    DirectiveIssued,
    DirectiveRead,
    Drafted,
    EmergencyOrdered,
    EmergencyProposed,
    FeedbackAnswered,
    Granted,
    OfferAnswered,
    ProgrammeArranged,
    QuietHoursSet,
    Returned,
    Revoked,
    RootsSet,
    Rotated,
    Scheduled,
    StationRegistered,
    Step,
    Submitted,
    Target,
    UnitMerged,
)

_WHAT: dict[type, str] = {
    Drafted: "drafted",
    Submitted: "submitted",
    Approved: "approved",
    Returned: "returned",
    Scheduled: "scheduled",
    EmergencyOrdered: "emergency",
    EmergencyProposed: "proposed",
    Cancelled: "cancelled",
    QuietHoursSet: "quiet-hours",
    StationRegistered: "registered",
    Granted: "granted",
    Rotated: "rotated",
    Revoked: "revoked",
    RootsSet: "roots-set",
    UnitMerged: "merged",
    OfferAnswered: "offer-answered",
    ProgrammeArranged: "arranged",
    DirectiveIssued: "issued",
    Attested: "attested",
    FeedbackAnswered: "replied",
    DirectiveRead: "read",
}


def what_of(fact: Decision) -> str:
    """The deed's name, as the views and the pages know it."""
    if isinstance(fact, Drafted) and fact.version > 1:
        return "revised"
    if isinstance(fact, Cancelled) and fact.target == Target.BULLETIN:
        return "withdrawn"
    if isinstance(fact, EmergencyProposed) and fact.step != Step.ASKED:
        return "alone" if fact.step == Step.ALONE else "dropped"
    return _WHAT[type(fact)]


def about_of(fact: Any) -> tuple[bytes, int, str]:
    """(bulletin or b"", series or 0, territory or "") a decision is about."""
    return (
        getattr(fact, "bulletin", None) or b"",
        _number(getattr(fact, "series", None)),
        getattr(fact, "territory", None) or getattr(fact, "unit", None) or "",
    )


def detail_of(fact: Any) -> str:
    """One phrase for the timeline: the reason, the title, the words, the name."""
    if isinstance(fact, Drafted | Approved):
        return f"v{fact.version} {fact.title}"
    if isinstance(fact, Submitted):
        return f"v{fact.version}"
    if isinstance(fact, Returned | Cancelled):
        return fact.reason
    if isinstance(fact, EmergencyOrdered):
        return fact.text
    if isinstance(fact, EmergencyProposed):
        return fact.reason or fact.text
    if isinstance(fact, StationRegistered):
        return f"{fact.name} ({fact.kind})"
    if isinstance(fact, UnitMerged):
        return "" if fact.into is None else f"{fact.name} ({fact.into})"
    if isinstance(fact, QuietHoursSet):
        return f"{fact.from_minute}–{fact.until_minute}"
    if isinstance(fact, Granted):
        return fact.label
    if isinstance(fact, DirectiveIssued):
        return f"{fact.number} {fact.title}".strip()
    if isinstance(fact, Attested):
        return fact.said_by
    if isinstance(fact, FeedbackAnswered):
        return fact.text
    if isinstance(fact, OfferAnswered):
        minute = "" if fact.minute is None else f"{fact.minute // 60:02d}:{fact.minute % 60:02d}"
        return f"{Answer(fact.answer).name.lower()}|{minute}|{fact.reason}"
    if isinstance(fact, ProgrammeArranged):
        return " ".join(str(series) for series in fact.series())
    return getattr(fact, "reason", None) or ""


def _number(series: object) -> int:
    """Of an arrangement `series` is a list to be asked for: it is about a day, not about one of them."""
    return series if isinstance(series, int) else 0
