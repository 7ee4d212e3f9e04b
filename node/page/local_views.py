"""What the pages ask of the commune's own bulletins: the list, one bulletin, what waits for approval.

Read from what is signed, for this answer; nothing is kept. The approver sees the difference to the version
before, word by word, because a correction of one date is easily read over.

Bound: reads, on the station's loop; lists are bounded. Acts are `bulletins.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from ledger.facts import (
    Approved,
    Cancelled,
    Drafted,
    Returned,
    Submitted,
    days_of,
    iso,
    local_day,
)
from node.page.bulletins import Bulletins
from node.page.drafts import Step, Told, life_of
from node.page.office import Office

ROWS_MAX: Final = 50
QUEUE_MAX: Final = 100  # waiting ones that a page shows; whoever waits longest is first
DIFF_WORDS_MAX: Final = 4_000  # a longer text is shown whole, both versions
_WORDS: Final = re.compile(r"(\w+|[^\w\s]|^(?=\s))(\s*)")


@dataclass(frozen=True)
class Series:
    """A bulletin on the plan. days: local, all of them. state: active, cancelled or over."""

    series: int
    days: tuple[int, ...]
    minute: int
    length_s: int
    state: str
    by: str


@dataclass(frozen=True)
class Row:
    """One bulletin in its current version. here: all its content is on the card. wrote: its authors' keys."""

    id: str
    version: int
    state: str
    title: str
    category: str
    from_day: int
    until_day: int
    manifest: str
    author: str
    wrote: tuple[bytes, ...]
    at: int
    has_sound: bool
    here: bool
    reason: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Deed:
    """One signed word. what: drafted, submitted, returned, approved, withdrawn."""

    what: str
    at: int
    who: str
    version: int
    detail: str


@dataclass(frozen=True)
class Page:
    """All about one bulletin. sound: hex of the recording, "" for none. former: the version before, 0: none;
    was, now: what a person compares of it and of this one.
    """

    row: Row
    text: str
    spoken: str
    sound: str
    media_type: str
    length_s: int
    deeds: tuple[Deed, ...]
    former: int
    was: str
    now: str
    sound_changed: bool

    @property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """As `changes`; made when it is read, which is beside the station's loop."""
        return changes(self.was, self.now) if self.former else ()


def rows(office: Office, *, limit: int = ROWS_MAX, offset: int = 0) -> list[Row]:
    """The newest act first."""
    desk, plan = Bulletins(office), _plan(Bulletins(office))
    return [_row(desk, name, plan) for name in desk.drafts.newest(min(limit, ROWS_MAX), offset)]


def queue(office: Office) -> list[Row]:
    """What waits for approval, the longest waiting first."""
    desk = Bulletins(office)
    return [_row(desk, name, {}) for name in desk.drafts.waiting()[:QUEUE_MAX]]


def waiting(office: Office, key_id: bytes) -> int:
    """How many bulletins wait that this key has not written."""
    drafts = Bulletins(office).drafts
    return sum(key_id not in life_of(drafts.steps(name)).authors for name in drafts.waiting()[:QUEUE_MAX])


def page(office: Office, bulletin: bytes) -> Page:
    """NotAllowed("bulletin-unknown")."""
    desk = Bulletins(office)
    steps = desk.drafts.steps(bulletin)
    content = desk.life(bulletin).content
    text = desk.text(content.manifest)
    manifest = desk.contents.manifest(content.manifest)
    sound = None if manifest is None else manifest.audio(desk.language)
    former = [step.fact for step in steps if isinstance(step.fact, Drafted)][-2:-1]
    before = None if not former else desk.contents.manifest(former[0].manifest)
    had = None if before is None else before.audio(desk.language)
    return Page(
        _row(desk, bulletin, _plan(desk)),
        text,
        desk.spoken(text) if text else "",
        "" if sound is None else sound.sha256.hex(),
        "" if sound is None else sound.media_type,
        0 if manifest is None else desk.length_s(content.manifest),
        tuple(_deed(office, step) for step in steps),
        former[0].version if former else 0,
        _shown(former[0], desk) if former else "",
        _shown(content, desk),
        bool(former) and (None if sound is None else sound.sha256) != (None if had is None else had.sha256),
    )


def changes(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """(kind, words) in order: same, gone, new. Joined, same and new are `after`; same and gone are the words
    of `before`. Spaces alone are no difference. May take a second for long texts.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) + len(new) > DIFF_WORDS_MAX:
        return (("gone", before), ("new", after)) if before != after else (("same", after),)
    found: list[tuple[str, str]] = []
    matcher = SequenceMatcher(None, [word for word, _ in old], [word for word, _ in new], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            found.append(("same", _joined(new[c:d])))
            continue
        if b > a:
            found.append(("gone", _joined(old[a:b])))
        if d > c:
            found.append(("new", _joined(new[c:d])))
    return tuple(found)


def _joined(words: list[tuple[str, str]]) -> str:
    return "".join(word + space for word, space in words)


def _shown(fact: Drafted, desk: Bulletins) -> str:
    """What an approver compares: the title, the days and the words."""
    days = f"{_dmy(fact.valid_from_day)} – {_dmy(fact.valid_until_day)}"
    return f"{fact.title}\n{days}\n{desk.text(fact.manifest)}"


def _row(desk: Bulletins, bulletin: bytes, plan: dict[bytes, list[Series]]) -> Row:
    steps = desk.drafts.steps(bulletin)
    life = life_of(steps)
    content, last = life.content, steps[-1]
    written = next(step for step in reversed(steps) if step.fact is content)
    said = [step.fact.reason for step in steps if isinstance(step.fact, Returned | Cancelled)]
    manifest = desk.contents.manifest(content.manifest)
    return Row(
        bulletin.hex(),
        content.version,
        life.state,
        content.title,
        content.category,
        content.valid_from_day,
        content.valid_until_day,
        content.manifest.hex(),
        name_of(desk.office, written.key_id, written.person),
        life.authors,
        last.fact.ts,
        manifest is not None and manifest.audio(desk.language) is not None,
        desk.contents.is_whole(content.manifest),
        said[-1] if said and life.state in ("returned", "withdrawn") else "",
        tuple(plan.get(bulletin, ())),
    )


def _plan(desk: Bulletins) -> dict[bytes, list[Series]]:
    """This commune's own places on its plan by bulletin, the latest order first."""
    facts, today = desk.office.station.facts, local_day(desk.office.now().utc_s)
    orders = [
        facts.schedules[series][-1]
        for series in facts.series_of.get(desk.unit, ())
        if series in facts.schedules and facts.schedules[series][-1].fact.territory == desk.unit
    ]
    found: dict[bytes, list[Series]] = {}
    for order in sorted(orders, key=lambda one: -one.position):
        fact = order.fact
        days = tuple(days_of(fact.first_day, fact.days))
        over = "over" if days and days[-1] < today else "active"
        state = "cancelled" if facts.withdrawal_of(order, desk.unit) is not None else over
        by = name_of(desk.office, order.key_id)
        one = Series(fact.series, days, fact.minute, fact.length_s, state, by)
        found.setdefault(fact.bulletin, []).append(one)
    return found


def name_of(office: Office, key_id: bytes, person: int = 0) -> str:
    """The person's name here, else what the grant of the key says, else the beginning of the key."""
    row = office.people.row(person) if person else office.people.holder(key_id)
    return (
        row.name if row is not None else office.station.facts.authority.label_of(key_id) or key_id.hex()[:8]
    )


def _deed(office: Office, step: Step) -> Deed:
    who = name_of(office, step.key_id, step.person)
    return Deed(_what(step.fact), step.fact.ts, who, getattr(step.fact, "version", 0), _detail(step.fact))


def _what(fact: Told) -> str:
    names = {Drafted: "drafted", Submitted: "submitted", Returned: "returned", Approved: "approved"}
    return names.get(type(fact), "withdrawn")


def _detail(fact: Told) -> str:
    return fact.reason if isinstance(fact, Returned | Cancelled) else ""


def _dmy(day: int) -> str:
    year, month, date = iso(day).split("-")
    return f"{date}/{month}/{year}"
