"""A desk at which keys end: several logs for one key, revocations, rotations, and signed root sets."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from facts_desk import NOW, PROVINCE, Room, key

from ledger.facts import (
    Facts,
    Revoked,
    RootsSet,
    RootStatement,
    Rotated,
    pack_pairs,
    possession_of,
    sign_roots,
)
from ledger.facts.fields import Kind
from ledger.log.segment import Segment, seal

HUB = sha256(b"the hub").digest()[:8]


def log_of(name: str, number: int = 0) -> bytes:
    """The id of the log that `name` writes after the `number`th start."""
    return sha256(name.encode() + bytes([number]) * (number > 0)).digest()[:8]


class Office(Room):
    """A room whose people start their machines anew: `sign(…, log=1)` stands in another log of the key."""

    def __init__(self, roots: Iterable[str] = ("root",)) -> None:
        super().__init__()
        self.facts = Facts([key(name).verify_key for name in roots])
        self._logs: dict[tuple[str, int], tuple[int, bytes]] = {}

    def seal(self, name: str, *events: bytes, log: int = 0) -> Segment:
        first_seq, prev = self._logs.get((name, log), (0, bytes(32)))
        segment = seal(key(name), log_of(name, log), first_seq, prev, events)
        self._logs[name, log] = (segment.head.next_seq, segment.head.hash)
        return segment

    def sign(self, name: str, fact: Kind, log: int = 0) -> Segment:
        return self.seal(name, fact.encode(), log=log)

    def say(self, name: str, fact: Kind, log: int = 0) -> list[bytes]:
        return self.take(self.sign(name, fact, log))

    def revoke(
        self, signer: str, subject: str, kept: dict[int, int] | None = None, **fields: Any
    ) -> list[bytes]:
        return self.say(signer, revoked(subject, kept, **fields))

    def may(self, name: str, right: int, territory: str = PROVINCE) -> bool:
        """Whether `name` may still sign something new."""
        return self.facts.authority.may(key(name).key_id, right, territory, NOW)


def revoked(subject: str, kept: dict[int, int] | None = None, **fields: Any) -> Revoked:
    """kept: number of the log → last number in it that stays."""
    pairs = pack_pairs({log_of(subject, log): last for log, last in (kept or {}).items()})
    values: dict[str, Any] = {
        "ts": NOW,
        "subject": key(subject).key_id,
        "territory": PROVINCE,
        "hub_key": HUB,
        "hub_log": log_of("hub"),
        "hub_seq": 0,
        "exceptions": pairs,
        "reason": "mất máy",
    }
    return Revoked(**values | fields)


def rotated(old: str, new: str, kept: dict[int, int] | None = None, **fields: Any) -> Rotated:
    pairs = pack_pairs({log_of(old, log): last for log, last in (kept or {}).items()})
    values: dict[str, Any] = {
        "ts": NOW,
        "territory": PROVINCE,
        "new_pub": key(new).verify_key.raw,
        "possession": possession_of(key(new), key(old).verify_key.raw),
        "hub_key": HUB,
        "hub_log": log_of("hub"),
        "hub_seq": 0,
        "exceptions": pairs,
    }
    return Rotated(**values | fields)


def statement(version: int, threshold: int, names: Iterable[str], retired: Any = ()) -> bytes:
    """retired: name → {log: last}."""
    return RootStatement(
        version,
        threshold,
        tuple(sorted(key(name).verify_key.raw for name in names)),
        tuple(
            sorted(
                (key(name).key_id, pack_pairs({log_of(name, log): last for log, last in kept.items()}))
                for name, kept in dict(retired).items()
            )
        ),
    ).encode()


def root_set(said: bytes, signers: Iterable[str], territory: str = "vn") -> RootsSet:
    return RootsSet(NOW, territory, said, b"".join(sign_roots(key(name), said) for name in signers))
