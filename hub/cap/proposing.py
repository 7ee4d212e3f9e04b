"""What an alert proposes to an officer: the emergency form's values, and everything they should know first.

A proposal is not an order. Nothing here signs, and whatever is guessed is said (`notes`). An alert that no
loudspeaker should repeat is refused with its reason: tests, drafts, what is not public, what has no end or a
far one, what is over, what is no emergency.

Territories: those of ours that the alert names by code and that the officer may order for; where it names
more, the officer's own part of it, never more. When none is named here the officer chooses, inside their own
territory. Refusals are ProtocolError (the sender's fault).

Bound: pure; `now` is UTC s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hub.cap.mapping import COMMUNE_CODE, NOT_NOW, UNIT_CODE, is_loas, kind_of, level_of
from hub.cap.reading import refused
from hub.cap.values import Alert, Area, Info
from hub.media import accept_text
from ledger.facts import EMERGENCY_LIFE_MAX_S, TEXT_CHARS_MAX, covers, is_unit, label
from ledger.log import NotAllowed

HOUR_S: Final = 3600
AHEAD_S: Final = 900  # how far a sender's clock may be before ours
CANCEL: Final = "Cancel"
UPDATE: Final = "Update"


@dataclass(frozen=True)
class Proposal:
    """The form's values. hours: until it expires. territories: the officer's choice; empty: all of theirs.

    notes: slugs of what the officer should know, in the order in which they are said. ends: the alert's own
    end, UTC s.
    """

    kind: str
    level: int
    drill: bool
    text: str
    hours: int
    ends: int
    territories: tuple[str, ...]
    info: Info
    notes: tuple[str, ...]


def heard(alert: Alert, *, now: int) -> None:
    """Returns when this message may be acted on at all, whatever it says."""
    if alert.status not in ("Actual", "Exercise"):
        raise refused(
            "cap-status", f"the status is {alert.status}", "alert/status",
            "tests and drafts never reach loudspeakers; wait for the real warning, or order a drill by hand",
        )  # fmt: skip
    if alert.msg_type not in ("Alert", UPDATE, CANCEL):
        raise refused(
            "cap-type", f"the message is an {alert.msg_type}, not a warning", "alert/msgType",
            "ask the sender for the warning itself",
        )  # fmt: skip
    if alert.scope != "Public":
        raise refused(
            "cap-scope", f"the scope is {alert.scope}", "alert/scope",
            "it is not for everybody's ears; a person who may know it decides what is said aloud",
        )  # fmt: skip
    if alert.sent > now + AHEAD_S:
        raise refused(
            "cap-sent",
            "it says it was sent in the future",
            "alert/sent",
            "compare the clocks with the sender",
        )
    if alert.msg_type in (UPDATE, CANCEL) and not alert.references:
        raise refused(
            "cap-references", f"an {alert.msg_type} must say which message it is about", "alert/references",
            "ask the sender; an order of your own is ended on its page",
        )  # fmt: skip


def propose(alert: Alert, *, territory: str, units: Collection[str], now: int) -> Proposal:
    """What an Alert or an Update fills the form with, for an officer of `territory`. units: known here."""
    heard(alert, now=now)
    info, notes = chosen(alert)
    if "AllClear" in info.responses:
        raise refused(
            "cap-all-clear", "it says that the danger is over", "alert/info/responseType",
            "end the order on its own page; a sender ends a warning with a Cancel",
        )  # fmt: skip
    if info.urgency in NOT_NOW or info.severity == "Minor" or info.certainty == "Unlikely":
        raise refused(
            "cap-no-emergency",
            f"urgency {info.urgency}, severity {info.severity}, certainty {info.certainty}", "alert/info",
            "this is no emergency: write a bulletin instead",
        )  # fmt: skip
    ends, hours = _life(info, now, notes)
    begins = max(info.effective or 0, info.onset or 0)
    if begins > now:
        notes.append("begins-later")
    if info.severity == "Unknown" and not is_loas(info):
        notes.append("level-guessed")
    if info.resources:
        notes.append("resources-left")
    if alert.enveloped:
        notes.append("envelope-unread")
    text = _words(info, notes)
    return Proposal(
        kind=kind_of(info),
        level=level_of(info),
        drill=alert.status == "Exercise",
        text=text,
        hours=hours,
        ends=ends,
        territories=_territories(info.areas, territory, units, notes),
        info=info,
        notes=tuple(notes),
    )


def chosen(alert: Alert) -> tuple[Info, list[str]]:
    """The one description that counts: in Vietnamese, or the only one there is; and what to say about it."""
    ours = [one for one in alert.infos if one.language.split("-")[0].lower() == "vi"]
    if len(ours) > 1 or (not ours and len(alert.infos) > 1):
        raise refused(
            "cap-infos", f"{len(alert.infos)} descriptions; which one is meant is not clear", "alert/info",
            "ask the sender for one warning a file",
        )  # fmt: skip
    if not alert.infos:
        raise refused(
            "cap-infos", "there is no description", "alert", "ask the sender for a complete warning"
        )
    notes = [] if ours else ["language-other"]
    if len(alert.infos) > 1:
        notes.append("languages-left")
    return (ours or list(alert.infos))[0], notes


def _life(info: Info, now: int, notes: list[str]) -> tuple[int, int]:
    """(the alert's end, whole hours for the form): not beyond it, but at least the form's one hour."""
    where = "alert/info/expires"
    if info.expires is None:
        raise refused("cap-no-end", "the warning has no end", where, "ask the sender when it ends")
    if info.expires <= now:
        raise refused("cap-over", "the warning is over", where, "ask the sender for the one that holds now")
    if info.expires > now + EMERGENCY_LIFE_MAX_S:
        raise refused(
            "cap-far-end", "the warning goes on for more than 24 hours", where,
            "an order lives a day at most: write it by hand, and order again tomorrow if it still holds",
        )  # fmt: skip
    left = info.expires - now
    if left < HOUR_S:
        notes.append("hour-longer")
    return info.expires, max(1, left // HOUR_S)


def _words(info: Info, notes: list[str]) -> str:
    """What is read out: of a hub of Loa exactly its words, of others headline, description, instruction."""
    where = "alert/info/description"
    if is_loas(info):
        parts = [info.description] + ([info.instruction] if info.instruction else [])
    else:
        parts = [part for part in (info.headline, info.description.strip(), info.instruction.strip()) if part]
        if len("\n".join(parts)) > TEXT_CHARS_MAX and info.description.strip():
            parts.remove(info.description.strip())
            notes.append("description-left")
    try:
        said = accept_text("\n".join(parts), what="text", chars_max=TEXT_CHARS_MAX)
    except NotAllowed as refusal:
        code = "cap-long" if refusal.code == "text-too-long" else "cap-letters"
        raise refused(code, refusal.what, where, refusal.hint) from None
    if not said:
        raise refused(
            "cap-no-words", "there are no words to read out", where, "ask the sender for a complete warning"
        )
    return said


def _territories(
    areas: Iterable[Area], own: str, units: Collection[str], notes: list[str]
) -> tuple[str, ...]:
    named: set[str] = set()
    outside = drawn = False
    labels = Counter(label(unit) for unit in units)
    communes = {label(unit): unit for unit in units if labels[label(unit)] == 1}
    for area in areas:
        found = {unit for code in area.geocodes for unit in _units_of(*code, own, units, communes)}
        drawn = drawn or (not found and area.shapes > 0)
        for unit in found:
            if covers(own, unit):
                named.add(unit)
            elif covers(unit, own):
                named.add(own)
                notes.extend(["area-wider"] if "area-wider" not in notes else [])
            else:
                outside = True
    if outside:
        notes.append("area-elsewhere")
    if drawn:
        notes.append("area-drawn")
    if not named:
        notes.append("area-open")
    # a unit below another that is named anyway adds nothing
    return tuple(sorted(u for u in named if not any(covers(o, u) and o != u for o in named)))


def _units_of(
    name: str, value: str, own: str, units: Collection[str], communes: Mapping[str, str]
) -> tuple[str, ...]:
    """Units that a geocode means here. A unit below us that nobody registered is not known."""
    if name == UNIT_CODE and is_unit(value):
        return (value,) if value in units or not covers(own, value) or value == own else ()
    if name == COMMUNE_CODE and value in communes:
        return (communes[value],)
    return ()
