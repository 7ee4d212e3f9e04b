"""Desks at which the tests' officers sit: real keys, real segments, and a ledger's order of arrival."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from ledger.facts import (
    Approved,
    Facts,
    Granted,
    Klass,
    Right,
    Scheduled,
    ancestors,
    audience_of,
    day_from_iso,
    pack_days,
)
from ledger.facts.fields import Kind
from ledger.log.keys import SigningKey
from ledger.log.segment import Segment, seal
from ledger.log.store import Stored

PROVINCE, TU_LE, XUAN_AI = "vn.yb", "vn.yb.04630", "vn.yb.04402"
LAW_DAY = day_from_iso("2022-11-09")
NOW = 1_667_900_000  # the evening before
WINDOW = (NOW - 86_400 * 30, NOW + 86_400 * 365)
OFFICER = Right.APPROVE | Right.SCHEDULE | Right.EMERGENCY | Right.CANCEL | Right.ADMIN | Right.DRAFT

_KEYS: dict[str, SigningKey] = {}


def key(name: str) -> SigningKey:
    """The key of a person, the same in every run."""
    if name not in _KEYS:
        _KEYS[name] = SigningKey.from_seed(sha256(b"test key " + name.encode()).digest())
    return _KEYS[name]


def bulletin(number: int) -> bytes:
    return sha256(b"bulletin %d" % number).digest()[:16]


def manifest(number: int) -> bytes:
    return sha256(b"manifest %d" % number).digest()


class Desk:
    """Signs events, each alone in its own segment of its signer's log."""

    def __init__(self) -> None:
        self._ends: dict[str, tuple[int, bytes]] = {}

    def seal(self, name: str, *events: bytes) -> Segment:
        first_seq, prev = self._ends.get(name, (0, bytes(32)))
        segment = seal(key(name), sha256(name.encode()).digest()[:8], first_seq, prev, events)
        self._ends[name] = (segment.head.next_seq, segment.head.hash)
        return segment

    def sign(self, name: str, fact: Kind) -> Segment:
        return self.seal(name, fact.encode())


class Room(Desk):
    """A desk and the facts of a ledger that receives what is signed there, in that order."""

    def __init__(self) -> None:
        super().__init__()
        self.facts = Facts([key("root").verify_key])
        self.arrived: list[Stored] = []

    def take(self, segment: Segment) -> list[bytes]:
        """Admits a segment; returns the key ids it introduces."""
        self.arrived.append(Stored(len(self.arrived) + 1, segment, audience_of(segment.events)))
        return [introduced.key_id for introduced in self.facts.admit(self.arrived[-1])]

    def say(self, name: str, fact: Kind) -> list[bytes]:
        return self.take(self.sign(name, fact))

    def grant(self, issuer: str, subject: str, classes: int, territory: str, **fields: Any) -> list[bytes]:
        return self.say(issuer, granted(subject, classes, territory, **fields))

    def reasons(self) -> list[str]:
        for signed, reason in self.facts.refused:
            assert self.facts.refusal_of(signed) == reason, "asked for one or for all, the answer is the same"
        return [reason for _, reason in self.facts.refused]


def arrive(segments: Iterable[Segment]) -> Facts:
    """Fresh facts that took in these segments in this order."""
    facts = Facts([key("root").verify_key])
    for position, segment in enumerate(segments, start=1):
        facts.admit(Stored(position, segment, audience_of(segment.events)))
    return facts


def share_of(segments: Iterable[Segment], unit: str) -> list[Segment]:
    """What a hub sends the station of `unit`: decisions for it and for the units above, in the same order."""
    above = ancestors(unit)
    return [segment for segment in segments if audience_of(segment.events) in above]


def granted(subject: str, classes: int, territory: str, **fields: Any) -> Granted:
    values: dict[str, Any] = {
        "not_before": WINDOW[0],
        "not_after": WINDOW[1],
        "depth": 0,
        "label": subject,
    } | fields
    return Granted(values.pop("ts", NOW), key(subject).verify_key.raw, classes, territory, **values)


def approved(number: int = 1, **fields: Any) -> Approved:
    """Law Day's bulletin `number`, approved for the province, valid for a month."""
    values: dict[str, Any] = {
        "ts": NOW,
        "bulletin": bulletin(number),
        "version": 1,
        "manifest": manifest(number),
        "title": f"Ngày Pháp luật Việt Nam, bản tin {number}",
        "category": "pháp luật",
        "klass": Klass.PRIORITY,
        "territory": PROVINCE,
        "valid_from_day": LAW_DAY,
        "valid_until_day": LAW_DAY + 30,
    }
    return Approved(**values | fields)


def scheduled(
    series: int = 1, number: int = 1, *, days: Iterable[int] = (LAW_DAY,), **fields: Any
) -> Scheduled:
    """Bulletin `number` at 17:00 on `days`, ten minutes long, up to ten minutes late."""
    chosen = list(days)
    first_day = fields.pop("first_day", min(chosen, default=LAW_DAY))
    values: dict[str, Any] = {
        "ts": NOW,
        "series": series,
        "bulletin": bulletin(number),
        "manifest": manifest(number),
        "first_day": first_day,
        "days": pack_days(first_day, chosen),
        "minute": 17 * 60,
        "length_s": 600,
        "territory": PROVINCE,
        "klass": Klass.PRIORITY,
        "late_s": 600,
        "on_interrupt": 0,
        "reason": None,
    }
    return Scheduled(**values | fields)
