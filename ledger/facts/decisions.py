"""The decisions of people: what may be heard, when, by whose authority. Types 1–9 and 64.

Each is sealed alone at the moment of the act, so that the signature *is* the decision and each station can be
sent just the decisions that concern it. Field order is the order on the wire and never changes; a changed
meaning takes a new number.

Bound: these classes check what a field may hold. Who may sign which of them is `authority.py` and `state.py`;
what follows from them is `plan.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from ledger.facts.calendar import BITMAP_BYTES_MAX, DAY_MAX, DAY_MINUTES, DAY_S
from ledger.facts.fields import (
    SERIES_MAX,
    TS_MAX,
    Check,
    Kind,
    chars,
    exactly,
    flag,
    octets,
    one_of,
    or_nil,
    unit_path,
    whole,
)

TITLE_CHARS_MAX = 200
CATEGORY_CHARS_MAX = 64
REASON_CHARS_MAX = 500
TEXT_CHARS_MAX = 2_000  # of an emergency: with three bytes a letter it still fits an 8 KiB event
NAME_CHARS_MAX = 120
VERSION_MAX = 65_535
EMERGENCY_LIFE_MAX_S = DAY_S  # an emergency without an end is a false alarm tomorrow
EMERGENCY_LIFE_DEFAULT_S = 7_200
EMERGENCY_PLAYS_MAX = 100
SLOT_LENGTH_MAX_S = 14_400  # four hours: the longest live relay
LATE_MAX_S = DAY_S  # the plan looks one local day back, never further
DEPTH_MAX = 4


class Klass(IntEnum):
    """The classes of Circular 39/2020, with relay and filler below them."""

    FILLER = 0
    RELAY = 1
    NORMAL = 2
    PRIORITY = 3
    EMERGENCY = 4


class Target(IntEnum):
    """What a Cancelled names."""

    BULLETIN = 0
    SERIES = 1


class OnInterrupt(IntEnum):
    """What becomes of a slot that something higher broke off."""

    DROP = 0
    RESUME = 1
    RESTART = 2


_bulletin = exactly(16)
_hash = exactly(32)
_version = whole(1, VERSION_MAX)
_day = whole(0, DAY_MAX)
_minute = whole(0, DAY_MINUTES - 1)
_series = whole(1, SERIES_MAX)
_instant = whole(0, TS_MAX)
_klass = whole(Klass.FILLER, Klass.EMERGENCY)
_reason = chars(0, REASON_CHARS_MAX)


@dataclass(frozen=True)
class _Content(Kind):
    """What Approved and Drafted both say of one version of a bulletin."""

    bulletin: bytes
    version: int
    manifest: bytes
    title: str
    category: str
    klass: int
    territory: str
    valid_from_day: int
    valid_until_day: int

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "bulletin": _bulletin,
        "version": _version,
        "manifest": _hash,
        "title": chars(1, TITLE_CHARS_MAX),
        "category": chars(0, CATEGORY_CHARS_MAX),
        "klass": _klass,
        "territory": unit_path,
        "valid_from_day": _day,
        "valid_until_day": _day,
    }

    def problem(self) -> str | None:
        return "backward-validity" if self.valid_until_day < self.valid_from_day else None


@dataclass(frozen=True)
class Approved(_Content):
    """A person who may approve says: exactly this content, for these units, on these days (both included)."""

    TYPE: ClassVar[int] = 1


@dataclass(frozen=True)
class Drafted(_Content):
    """A version of a bulletin as its author left it. Every edit is a new Drafted with the next version."""

    TYPE: ClassVar[int] = 6


@dataclass(frozen=True)
class Scheduled(Kind):
    """Play this approved content at `minute` on the days of the bitmap.

    first_day is also the day from which this order replaces earlier ones of its series. late_s: how long
    after the minute the slot may still begin. Class emergency is not schedulable: it has its own event.
    """

    TYPE: ClassVar[int] = 2

    series: int
    bulletin: bytes
    manifest: bytes
    first_day: int
    days: bytes
    minute: int
    length_s: int
    territory: str
    klass: int
    late_s: int
    on_interrupt: int
    reason: str | None

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "series": _series,
        "bulletin": _bulletin,
        "manifest": _hash,
        "first_day": _day,
        "days": octets(1, BITMAP_BYTES_MAX),
        "minute": _minute,
        "length_s": whole(1, SLOT_LENGTH_MAX_S),
        "territory": unit_path,
        "klass": whole(Klass.FILLER, Klass.PRIORITY),
        "late_s": whole(0, LATE_MAX_S),
        "on_interrupt": whole(OnInterrupt.DROP, OnInterrupt.RESTART),
        "reason": or_nil(_reason),
    }


@dataclass(frozen=True)
class EmergencyOrdered(Kind):
    """Play at once, over everything, until `expires_at` (UTC s, at most 24 h after `not_before`)."""

    TYPE: ClassVar[int] = 3

    series: int
    kind: str
    level: int
    drill: bool
    manifest: bytes
    text: str
    territory: str
    not_before: int
    expires_at: int
    max_plays: int

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "series": _series,
        "kind": chars(1, 32),
        "level": whole(1, 3),
        "drill": flag,
        "manifest": _hash,
        "text": chars(0, TEXT_CHARS_MAX),
        "territory": unit_path,
        "not_before": _instant,
        "expires_at": _instant,
        "max_plays": whole(1, EMERGENCY_PLAYS_MAX),
    }

    def problem(self) -> str | None:
        life_s = self.expires_at - self.not_before
        if life_s <= 0:
            return "backward-validity"
        return "too-long-validity" if life_s > EMERGENCY_LIFE_MAX_S else None


@dataclass(frozen=True)
class Cancelled(Kind):
    """Takes back what was admitted before it: every approval of a bulletin, or every order of a series."""

    TYPE: ClassVar[int] = 4

    target: int
    bulletin: bytes | None
    series: int | None
    territory: str
    reason: str

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "target": whole(Target.BULLETIN, Target.SERIES),
        "bulletin": or_nil(_bulletin),
        "series": or_nil(_series),
        "territory": unit_path,
        "reason": _reason,
    }

    def problem(self) -> str | None:
        named = (self.bulletin is not None, self.series is not None)
        meant = (self.target == Target.BULLETIN, self.target == Target.SERIES)
        return None if named == meant else "bad-target"


@dataclass(frozen=True)
class QuietHoursSet(Kind):
    """From one minute of the day until another (past midnight when smaller; none at all when equal)."""

    TYPE: ClassVar[int] = 5

    territory: str
    from_minute: int
    until_minute: int

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "territory": unit_path,
        "from_minute": _minute,
        "until_minute": _minute,
    }


@dataclass(frozen=True)
class Submitted(Kind):
    """The author hands one version to the approvers."""

    TYPE: ClassVar[int] = 7

    bulletin: bytes
    version: int
    manifest: bytes

    CHECKS: ClassVar[Mapping[str, Check]] = {"bulletin": _bulletin, "version": _version, "manifest": _hash}


@dataclass(frozen=True)
class Returned(Kind):
    """An approver hands one version back, with the reason."""

    TYPE: ClassVar[int] = 8

    bulletin: bytes
    version: int
    reason: str

    CHECKS: ClassVar[Mapping[str, Check]] = {"bulletin": _bulletin, "version": _version, "reason": _reason}


@dataclass(frozen=True)
class StationRegistered(Kind):
    """A commune's station: `it` has a return path, `fm` has none."""

    TYPE: ClassVar[int] = 9

    unit: str
    name: str
    kind: str

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "unit": unit_path,
        "name": chars(1, NAME_CHARS_MAX),
        "kind": one_of("it", "fm"),
    }


@dataclass(frozen=True)
class Granted(Kind):
    """The signer gives the subject part of the signer's own authority.

    classes: bits of `authority.Right`. not_before, not_after: UTC s, both included. depth: how many further
    links may hang below (0 = may not pass anything on).
    """

    TYPE: ClassVar[int] = 64

    subject_pub: bytes
    classes: int
    territory: str
    not_before: int
    not_after: int
    depth: int
    label: str

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "subject_pub": _hash,
        "classes": whole(1, (1 << 31) - 1),
        "territory": unit_path,
        "not_before": _instant,
        "not_after": _instant,
        "depth": whole(0, DEPTH_MAX),
        "label": chars(0, NAME_CHARS_MAX),
    }

    def problem(self) -> str | None:
        return "backward-validity" if self.not_after < self.not_before else None
