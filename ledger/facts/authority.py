"""Who may sign what, where and when: chains of grants from the root keys.

A root may do everything everywhere. Whoever holds GRANT may pass on part of what they hold: fewer rights,
the same territory or one below it, a window inside their own, a smaller depth. One grant of the issuer must
carry the whole new grant; two halves do not add up to a right. Depth falls with each link and a root stands
at four, so no chain is longer than four links.

A key is introduced only when it lies in the group of prime order: verifiers of Ed25519 judge the signatures
of any other key differently. That proof is dear, so it is asked last, of those who may grant at all.

Grants only ever add, so the order in which they arrive does not matter: one that comes before its issuer's is
refused here, remembered by `state.py` and tried again. Windows are judged at the instant the caller names;
which instant is sound (an author's own clock, a receipt's time) is the caller's choice.

Bound: revocation and rotation are numbers reserved in the vocabulary and not yet part of these rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from ledger.facts.decisions import DEPTH_MAX, Granted
from ledger.facts.signed import Signed
from ledger.facts.units import covers
from ledger.log.errors import KeyRefused, NotAllowed
from ledger.log.keys import VerifyKey

ROOT_DEPTH: Final = DEPTH_MAX  # a grant's depth is smaller than its issuer's: at most four links
ROOT_LABEL: Final = "root"


class Right(IntFlag):
    """What a key may sign. Bits without a name here belong to newer versions and are carried along."""

    DRAFT = 1
    APPROVE = 2
    SCHEDULE = 4
    EMERGENCY = 8
    CANCEL = 16
    ACK = 32
    RECEIPT = 64
    INGEST = 128
    GRANT = 256
    ADMIN = 512  # the register of stations, quiet hours

    def say(self, lang: str = "vi") -> str:
        """The rights in Vietnamese (`vi`) or English (anything else), joined by commas."""
        return ", ".join(_WORDS[right][lang != "vi"] for right in Right if right in self)


_WORDS: dict[Right, tuple[str, str]] = {
    Right.DRAFT: ("soạn tin", "draft"),
    Right.APPROVE: ("duyệt tin", "approve"),
    Right.SCHEDULE: ("lên lịch phát", "schedule"),
    Right.EMERGENCY: ("phát lệnh khẩn cấp", "order emergencies"),
    Right.CANCEL: ("thu hồi", "cancel"),
    Right.ACK: ("báo kết quả phát", "acknowledge"),
    Right.RECEIPT: ("cấp biên nhận", "issue receipts"),
    Right.INGEST: ("ghi sổ tiếp nhận", "journal arrivals"),
    Right.GRANT: ("cấp quyền", "grant"),
    Right.ADMIN: ("quản trị trạm", "administer stations"),
}


@dataclass(frozen=True)
class Grant:
    """One accepted link: what the subject holds, from whom, and when (`ts`, the issuer's clock)."""

    issuer: bytes
    subject: VerifyKey
    classes: int
    territory: str
    not_before: int
    not_after: int
    depth: int
    label: str
    ts: int

    def carries(self, right: int, territory: str, at_s: float) -> bool:
        """True when this grant alone gives all bits of `right` over `territory` at that instant."""
        return (
            self.classes & right == right
            and covers(self.territory, territory)
            and self.not_before <= at_s <= self.not_after
        )


class Authority:
    """The accepted grants. roots: the keys that need none."""

    def __init__(self, roots: Iterable[VerifyKey]) -> None:
        self._roots = {key.key_id: key for key in roots}
        self._grants: dict[bytes, list[Grant]] = {}
        self._answers_from: dict[str, int] = {}

    def apply(self, signed: Signed) -> VerifyKey:
        """Accepts a Granted and returns the key it introduces.

        Raises NotAllowed: `grant-not-a-grant`, `grant-key-refused`, `grant-key-id-taken`, `grant-to-itself`,
        `grant-unknown-issuer`, `grant-without-right`, `grant-wider-classes`, `grant-wider-territory`,
        `grant-wider-window`, `grant-too-deep`. The last six may be cured by a grant that is still to come.
        A refused call changes nothing.
        """
        fact = signed.fact
        if not isinstance(fact, Granted):
            raise NotAllowed("grant-not-a-grant", f"{type(fact).__name__} grants nothing")
        try:
            subject = VerifyKey(fact.subject_pub)
        except KeyRefused as refused:
            raise NotAllowed("grant-key-refused", refused.what) from refused
        known = self.key(subject.key_id)
        if known is not None and known != subject:
            raise NotAllowed("grant-key-id-taken", "another key has this key id", where=subject.key_id.hex())
        if subject.key_id == signed.key_id:
            raise NotAllowed("grant-to-itself", "a key cannot grant to itself", where=subject.key_id.hex())
        refusal = self._refusal(signed.key_id, fact)
        if refusal is not None:
            raise NotAllowed(refusal, "the issuer does not hold what is granted", where=signed.key_id.hex())
        try:
            subject.prove_order()
        except KeyRefused as refused:
            raise NotAllowed("grant-key-refused", refused.what) from refused
        grant = Grant(
            signed.key_id,
            subject,
            fact.classes,
            fact.territory,
            fact.not_before,
            fact.not_after,
            fact.depth,
            fact.label,
            fact.ts,
        )
        held = self._grants.setdefault(subject.key_id, [])
        if grant not in held:
            held.append(grant)
        if grant.classes & Right.ACK:
            known_s = self._answers_from.get(grant.territory, grant.ts)
            self._answers_from[grant.territory] = min(known_s, grant.ts)
        return subject

    def _refusal(self, issuer: bytes, fact: Granted) -> str | None:
        """None when one grant of the issuer carries the new one, else the reason of the nearest one."""
        if issuer in self._roots:
            return None if fact.depth < ROOT_DEPTH else "grant-too-deep"
        furthest = -1
        for held in self._grants.get(issuer, ()):
            passed = next((step for step, wide in enumerate(_widenings(held, fact)) if wide), None)
            if passed is None:
                return None
            furthest = max(furthest, passed)
        return "grant-unknown-issuer" if furthest < 0 else _REFUSALS[furthest]

    def may(self, key_id: bytes, right: int, territory: str, at_s: float) -> bool:
        """True when the key is a root, or one grant of it gives all of `right` over `territory` at `at_s`."""
        if key_id in self._roots:
            return True
        return any(grant.carries(right, territory, at_s) for grant in self._grants.get(key_id, ()))

    def key(self, key_id: bytes) -> VerifyKey | None:
        """The public key a root or a grant introduced under this id."""
        root = self._roots.get(key_id)
        if root is not None:
            return root
        grants = self._grants.get(key_id)
        return grants[0].subject if grants else None

    def keys(self) -> tuple[VerifyKey, ...]:
        """Every key introduced by a grant, in the order of their first grants; roots not included."""
        return tuple(grants[0].subject for grants in self._grants.values())

    def is_root(self, key_id: bytes) -> bool:
        """True for a key that needs no grant."""
        return key_id in self._roots

    def grants_of(self, key_id: bytes) -> tuple[Grant, ...]:
        """The accepted grants to this key, in order of arrival. None for a root: it needs none."""
        return tuple(self._grants.get(key_id, ()))

    def units_of(self, key_id: bytes, right: int = 0) -> tuple[str, ...]:
        """The territories granted to this key (with `right`, when given), sorted, each once."""
        grants = self._grants.get(key_id, ())
        return tuple(sorted({grant.territory for grant in grants if grant.classes & right == right}))

    def answers_from(self, unit: str) -> int | None:
        """When a key was first given ACK for exactly this unit (UTC s): since then a station answers."""
        return self._answers_from.get(unit)

    def label_of(self, key_id: bytes) -> str:
        """The label of the key's latest grant, `root` for a root, else the empty string."""
        if key_id in self._roots:
            return ROOT_LABEL
        grants = self._grants.get(key_id)
        return grants[-1].label if grants else ""


_REFUSALS = (
    "grant-without-right",
    "grant-wider-classes",
    "grant-wider-territory",
    "grant-wider-window",
    "grant-too-deep",
)


def _widenings(held: Grant, fact: Granted) -> tuple[bool, ...]:
    """In the order of `_REFUSALS`: where the new grant goes beyond the one held."""
    return (
        not held.classes & Right.GRANT,
        fact.classes & ~held.classes != 0,
        not covers(held.territory, fact.territory),
        fact.not_before < held.not_before or fact.not_after > held.not_after,
        fact.depth >= held.depth,
    )
