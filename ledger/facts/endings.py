"""How keys end and roots change hands: rotation, revocation, the root set. Types 65–67.

A key ends with a list of what stays. `exceptions` are pairs (log 8 ‖ last number 8): what the key signed in
that log up to that number stays, everything else of it is void, wherever and whenever it turns up. So every
reader comes to the same answer from the signed bytes alone, in whatever order they reached it: a station that
was sent only its own share, a hub, an auditor. For reports, which a station seals into a new log at every
start and which no other station reads, the list would grow without end; for them, and for them only, the
hub's signed journal speaks too: what it recorded at or before the position (`hub_key`, `hub_log`, `hub_seq`).

`territory` says which grants end, and thereby whom the news is sent to: every station that could know such a
grant lies within it.

Bound: form only. Who may end what is `authority.py`, who may change the roots `roots.py`.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple, TypeAlias

from ledger.facts.fields import Check, Kind, chars, exactly, octets, unit_path, whole
from ledger.log.keys import ROTATION, SigningKey

PAIR_BYTES: Final = 16
EXCEPTIONS_MAX: Final = 448  # logs; with everything else the event still fits 8 KiB
SEQ_MAX: Final = (1 << 63) - 1
REVOCATION_REASON_CHARS_MAX: Final = 120
STATEMENT_BYTES_MAX: Final = 5_632  # together with its signatures it fits an event
SIGNATURE_ROW_BYTES: Final = 72  # key id 8 ‖ signature 64
SIGNATURES_MAX: Final = 32  # two full sets of sixteen keys

_PAIR = struct.Struct(">8sQ")


class Place(NamedTuple):
    """Where an event stands in its author's logs."""

    log_id: bytes
    seq: int


Kept: TypeAlias = Mapping[bytes, int]
"""Log → the last number in it that stays."""


class Cut(NamedTuple):
    """A position in a hub's journal: the event `seq` of its log `log_id`."""

    hub_key: bytes
    log_id: bytes
    seq: int


def pack_pairs(kept: Kept) -> bytes:
    """The canonical bytes of a list of exceptions: ascending log ids."""
    return b"".join(_PAIR.pack(log_id, last) for log_id, last in sorted(kept.items()))


def read_pairs(data: bytes) -> dict[bytes, int] | None:
    """The pairs, or None when they are not canonical: whole pairs, log ids ascending, none of them zero."""
    if len(data) % PAIR_BYTES:
        return None
    pairs = [_PAIR.unpack_from(data, at) for at in range(0, len(data), PAIR_BYTES)]
    logs = [bytes(8), *(log_id for log_id, _ in pairs)]
    if any(one >= other for one, other in itertools.pairwise(logs)):
        return None
    return dict(pairs) if all(last <= SEQ_MAX for _, last in pairs) else None


def _exceptions(value: object) -> bool:
    return (
        type(value) is bytes and len(value) <= EXCEPTIONS_MAX * PAIR_BYTES and read_pairs(value) is not None
    )


_id = exactly(8)


@dataclass(frozen=True)
class Rotated(Kind):
    """The last event of a key: from now on its owner has another one, to which somebody must grant anew.

    possession: the new key's signature, purpose "rotation", over the old and the new public key.
    """

    TYPE: ClassVar[int] = 65

    territory: str
    new_pub: bytes
    possession: bytes
    hub_key: bytes
    hub_log: bytes
    hub_seq: int
    exceptions: bytes

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "territory": unit_path,
        "new_pub": exactly(32),
        "possession": exactly(64),
        "hub_key": _id,
        "hub_log": _id,
        "hub_seq": whole(0, SEQ_MAX),
        "exceptions": _exceptions,
    }

    @property
    def cut(self) -> Cut:
        return Cut(self.hub_key, self.hub_log, self.hub_seq)


@dataclass(frozen=True)
class Revoked(Kind):
    """Whoever stands above a key ends it. subject: its key id."""

    TYPE: ClassVar[int] = 66

    subject: bytes
    territory: str
    hub_key: bytes
    hub_log: bytes
    hub_seq: int
    exceptions: bytes
    reason: str

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "subject": _id,
        "territory": unit_path,
        "hub_key": _id,
        "hub_log": _id,
        "hub_seq": whole(0, SEQ_MAX),
        "exceptions": _exceptions,
        "reason": chars(0, REVOCATION_REASON_CHARS_MAX),
    }

    @property
    def cut(self) -> Cut:
        return Cut(self.hub_key, self.hub_log, self.hub_seq)


@dataclass(frozen=True)
class RootsSet(Kind):
    """Carries a root set with its signatures: whoever seals it adds nothing to its weight.

    territory: whom it is sent to. statement: `roots.RootStatement`. signatures: rows of 72 bytes.
    """

    TYPE: ClassVar[int] = 67

    territory: str
    statement: bytes
    signatures: bytes

    CHECKS: ClassVar[Mapping[str, Check]] = {
        "territory": unit_path,
        "statement": octets(1, STATEMENT_BYTES_MAX),
        "signatures": octets(SIGNATURE_ROW_BYTES, SIGNATURES_MAX * SIGNATURE_ROW_BYTES),
    }

    def problem(self) -> str | None:
        return "bad-signatures" if len(self.signatures) % SIGNATURE_ROW_BYTES else None


def possession_of(new: SigningKey, old_pub: bytes) -> bytes:
    """The new key's signature that its owner holds it and takes over from the old one."""
    return new.sign(ROTATION, possession_message(old_pub, new.verify_key.raw))


def possession_message(old_pub: bytes, new_pub: bytes) -> bytes:
    """What the new key signs, without the purpose's prefix."""
    return old_pub + new_pub
