"""What a board (bảng thông tin điện tử) shows here at this instant. One answer, at hub and station.

Every approved bulletin that has a form for boards is shown while its approval counts for the unit, from the
first to the last valid day. A running emergency is shown alone: its words, under a word that says whether it
is real. Which notices, and in which order, follows from signed content only, never from the order in which
decisions arrived: what a commune approved itself comes there first and to the hub last.

Bound: a pure function of facts, a unit and an instant. Whether the content is here and the clock is trusted
is the station's question; what a screen really showed is a report (`BoardShown`).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger.facts.calendar import at, local_day
from ledger.facts.decisions import Approved, EmergencyOrdered, Klass
from ledger.facts.index import UnitIndex, index_of
from ledger.facts.judge import judge
from ledger.facts.manifest import BOARD_IMAGE, BOARD_TEXT, Manifest, Rendition
from ledger.facts.plan import rank
from ledger.facts.slot import Slot
from ledger.facts.standing import Standing
from ledger.facts.state import Facts
from ledger.facts.tongues import MAIN, preferred

NOTICES_MAX: Final = 32  # at ten seconds each the last one is seen once in five minutes
TEXT_BYTES_MAX: Final = 8_192  # nobody reads more from a board
IMAGE_BYTES_MAX: Final = 4 << 20  # a full screen as PNG; more would hold up what is heard on 2G
FACES_MAX: Final = 4  # of one bulletin
IMAGE_TYPES: Final = ("image/png", "image/jpeg", "image/webp", "image/gif")
TEXT_TYPE: Final = "text/plain"
# The first line of every emergency on a board. A drill must never be taken for the real thing.
REAL: Final = "KHẨN CẤP"
DRILL: Final = "DIỄN TẬP"


@dataclass(frozen=True)
class Post:
    """One thing to show. bulletin: 16 bytes, of an emergency the id of its order's event.

    day: of an emergency the local day of its beginning, else the day asked for. until_s: UTC s, the first
    instant at which it must not be seen. text: the whole words of an emergency; "" for a bulletin, whose
    words are its content.
    """

    bulletin: bytes
    manifest: bytes
    title: str
    klass: int
    day: int
    until_s: int
    decision: bytes
    emergency: bool = False
    drill: bool = False
    text: str = ""

    @property
    def content(self) -> bytes:
        """What a report names of the manifest: the first half of its hash."""
        return self.manifest[:16]


@dataclass(frozen=True)
class Board:
    """The answer for `unit`, good from the instant asked for until `until_s`, unless a decision comes."""

    unit: str
    alarms: tuple[Post, ...]
    notices: tuple[Post, ...]
    until_s: int

    @property
    def posts(self) -> tuple[Post, ...]:
        """What is shown, first first: while there is an alarm, nothing else."""
        return self.alarms or self.notices


def board_of(facts: Facts, unit: str, at_s: float) -> Board:
    """What every board of this unit shows at `at_s` (UTC s)."""
    day = local_day(at_s)
    index = index_of(facts, unit)
    rows = [row for row in index.window(day) if row.slot.emergency]
    edges = {at(day + 1)}.union(*((row.start_s, row.end_s) for row in rows))
    # An emergency also ends when a newer one of its series comes into force, and that one need not have a
    # slot here: a third may have taken its day.
    edges |= {
        order.fact.not_before
        for row in rows
        for order in index.line(row.slot.series).standing
        if isinstance(order.fact, EmergencyOrdered)
    }
    return Board(
        unit,
        _alarms(facts, index, [row.slot for row in rows if row.start_s <= at_s < row.end_s], at_s),
        _notices(facts, unit, day),
        min(edge for edge in edges if edge > at_s),
    )


def board_manifests(facts: Facts, unit: str, from_s: float, until_s: float) -> list[bytes]:
    """The manifests a board of this unit may need for notices between two instants, the first ones first."""
    wanted = [
        approval
        for approvals in facts.approvals.values()
        for approval in approvals
        if facts.hears(unit, approval.fact)
        and at(approval.fact.valid_from_day) < until_s
        and at(approval.fact.valid_until_day + 1) > from_s
        and facts.withdrawal_of(approval, unit) is None
    ]
    wanted.sort(key=_order)
    return list(dict.fromkeys(one.fact.manifest for one in wanted))


def faces(manifest: Manifest, language: str = MAIN) -> tuple[Rendition, ...]:
    """The forms of a bulletin that a board shows, in their author's order: texts and images it can carry.

    Those in the station's language; in Vietnamese when there is none.
    """
    for spoken in preferred(language):
        found = tuple(one for one in manifest.renditions if one.language == spoken and _is_face(one))
        if found:
            return found[:FACES_MAX]
    return ()


def shown_hash(text: str) -> bytes:
    """What a report calls `shown`, of words: the SHA-256 of their UTF-8. Of an image: that of its file."""
    return sha256(text.encode()).digest()


def alarm_words(text: str, *, drill: bool) -> str:
    """All that a board shows of an emergency: one word by itself, then the order's own words."""
    head = DRILL if drill else REAL
    return f"{head}\n{text}" if text else head


def _is_face(one: Rendition) -> bool:
    if one.kind == BOARD_TEXT:
        return _is_text(one.media_type) and one.size <= TEXT_BYTES_MAX
    return one.kind == BOARD_IMAGE and one.media_type in IMAGE_TYPES and one.size <= IMAGE_BYTES_MAX


def _is_text(media_type: str) -> bool:
    return media_type.partition(";")[0].strip() == TEXT_TYPE


def _alarms(facts: Facts, index: UnitIndex, running: list[Slot], at_s: float) -> tuple[Post, ...]:
    judged = [judge(facts, index, slot, at_s) for slot in running]
    found = sorted((one for one in judged if one.verdict is None), key=rank)
    return tuple(
        Post(
            one.slot.decision,
            one.slot.manifest,
            one.slot.title,
            int(Klass.EMERGENCY),
            one.slot.day,
            one.slot.end_s,
            one.slot.decision,
            emergency=True,
            drill=one.slot.drill,
            text=alarm_words(one.slot.text, drill=one.slot.drill),
        )
        for one in found
    )


def _notices(facts: Facts, unit: str, day: int) -> tuple[Post, ...]:
    standing = [
        approval
        for approvals in facts.approvals.values()
        if (approval := _speaking(facts, approvals, unit, day)) is not None
    ]
    standing.sort(key=_order)
    return tuple(_notice(approval, day) for approval in standing[:NOTICES_MAX])


def _order(approval: Standing[Approved]) -> tuple[int, int, bytes]:
    return -approval.fact.klass, -approval.fact.ts, approval.signed.id


def _speaking(
    facts: Facts, approvals: list[Standing[Approved]], unit: str, day: int
) -> Standing[Approved] | None:
    """The approval that says what the bulletin is today: its newest version that has begun, while it lasts.

    When the newest has ended the bulletin is over: an older version that was to last longer does not return.
    """
    begun = [
        one
        for one in approvals
        if one.fact.valid_from_day <= day
        and facts.hears(unit, one.fact, day)
        and facts.withdrawal_of(one, unit) is None
    ]
    newest = max(begun, key=lambda one: (one.fact.version, one.fact.ts, one.signed.id), default=None)
    return newest if newest is not None and day <= newest.fact.valid_until_day else None


def _notice(approval: Standing[Approved], day: int) -> Post:
    fact = approval.fact
    return Post(
        fact.bulletin,
        fact.manifest,
        fact.title,
        fact.klass,
        day,
        at(fact.valid_until_day + 1),
        approval.signed.id,
    )
