"""The root keys: which they are now, which they were, and how one set hands over to the next.

A reader is given set 0 when it is founded or enrolled: some keys, and as threshold more than half of them.
Every later set is a statement signed by the threshold of the set before *and* by its own, with the version
exactly one higher. A station that was away for years follows the sets one by one; therefore they are kept
for ever. A key that leaves is named in the new set together with what stays of its signatures, so that a root
key can be lost, or even stolen, without the whole tree of grants beneath it falling: what is not named is
void. A key that left never comes back.

The threshold guards the sets. For a grant or a revocation one root's signature is enough, since the next set
can end that root; therefore root keys rest in safes and not on hubs.

Of two sets that follow the same one the first to arrive counts; the other is refused and shown. Nobody but a
threshold of roots can make two.

Bound: which keys are roots. What a root may do is `authority.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from ledger.facts.endings import (
    EXCEPTIONS_MAX,
    PAIR_BYTES,
    SIGNATURE_ROW_BYTES,
    STATEMENT_BYTES_MAX,
    Kept,
    Place,
    RootsSet,
    read_pairs,
)
from ledger.log.codec import pack, unpack
from ledger.log.errors import CodecError, KeyRefused, NotAllowed, SignatureError
from ledger.log.keys import ROOTS, SigningKey, VerifyKey

ROOTS_MAX: Final = 16
VERSION_MAX: Final = (1 << 31) - 1


@dataclass(frozen=True)
class RootStatement:
    """One root set. keys: raw public keys, ascending. retired: who leaves, as (key id, exceptions)."""

    version: int
    threshold: int
    keys: tuple[bytes, ...]
    retired: tuple[tuple[bytes, bytes], ...] = ()

    def encode(self) -> bytes:
        return pack(
            [self.version, self.threshold, list(self.keys), [[key, kept] for key, kept in self.retired]]
        )

    @classmethod
    def decode(cls, data: bytes) -> RootStatement:
        """Raises NotAllowed: `roots-form`, `roots-threshold-range`, `roots-key-twice`."""
        try:
            tree = unpack(data, bytes_max=STATEMENT_BYTES_MAX)
        except CodecError as error:
            raise _refused("roots-form", f"not a canonical message: {error.what}") from error
        if not (isinstance(tree, tuple) and len(tree) == 4):
            raise _refused("roots-form", "a root set has four items")
        version, threshold, keys, retired = tree
        if not (
            type(version) is int
            and 1 <= version <= VERSION_MAX
            and type(threshold) is int
            and isinstance(keys, tuple)
            and 1 <= len(keys) <= ROOTS_MAX
            and isinstance(retired, tuple)
            and len(retired) <= ROOTS_MAX
        ):
            raise _refused("roots-form", "an item of the root set has the wrong type or range")
        raws: list[bytes] = []
        for raw in keys:
            if not (isinstance(raw, bytes) and len(raw) == 32):
                raise _refused("roots-form", "a key of the root set is not 32 bytes")
            raws.append(raw)
        rows: list[tuple[bytes, bytes]] = []
        for row in retired:
            if not (isinstance(row, tuple) and len(row) == 2):
                raise _refused("roots-form", "a retired key is not a pair")
            key_id, kept = row
            if not (
                isinstance(key_id, bytes)
                and len(key_id) == 8
                and isinstance(kept, bytes)
                and len(kept) <= EXCEPTIONS_MAX * PAIR_BYTES
                and read_pairs(kept) is not None
            ):
                raise _refused("roots-form", "a retired key is not a key id with its exceptions")
            rows.append((key_id, kept))
        if len(set(raws)) != len(raws) or len({key_id for key_id, _ in rows}) != len(rows):
            raise _refused("roots-key-twice", "each key counts once")
        if raws != sorted(raws) or rows != sorted(rows):
            raise _refused("roots-form", "keys stand in ascending order")
        if not len(raws) // 2 < threshold <= len(raws):
            raise _refused("roots-threshold-range", f"a threshold of {threshold} for {len(raws)} keys")
        return cls(version, threshold, tuple(raws), tuple(rows))


def sign_roots(key: SigningKey, statement: bytes) -> bytes:
    """A row of `RootsSet.signatures`: key id 8 ‖ signature 64."""
    return key.key_id + key.sign(ROOTS, statement)


@dataclass(frozen=True)
class RootSet:
    """The roots of one version. threshold: how many of them must sign the next set."""

    version: int
    threshold: int
    keys: tuple[VerifyKey, ...]
    statement: bytes = b""

    @classmethod
    def given(cls, keys: Iterable[VerifyKey]) -> RootSet:
        """Set 0, as a reader is given it: more than half must sign the next one."""
        given = tuple(dict.fromkeys(keys))
        return cls(0, len(given) // 2 + 1, given)


class Roots:
    """All sets known, in order, beginning with the one that was given."""

    def __init__(self, given: Iterable[VerifyKey]) -> None:
        self.sets = [RootSet.given(given)]
        self._keys: dict[bytes, VerifyKey] = {key.key_id: key for key in self.now.keys}
        self._retired: dict[bytes, Kept] = {}

    @property
    def now(self) -> RootSet:
        """The latest set."""
        return self.sets[-1]

    def key(self, key_id: bytes) -> VerifyKey | None:
        """The key of this id that is or was a root."""
        return self._keys.get(key_id)

    @property
    def has_changed(self) -> bool:
        """True when some root left the set: what it signed may be void."""
        return bool(self._retired)

    def known(self, key_id: bytes) -> bool:
        """True for a key that is or was a root."""
        return key_id in self._keys

    def is_root(self, key_id: bytes, place: Place | None = None) -> bool:
        """True when what this key signed at `place` (None: what it would sign now) is a root's word."""
        if key_id not in self._keys:
            return False
        kept = self._retired.get(key_id)
        return kept is None or (place is not None and kept.get(place.log_id, -1) >= place.seq)

    def follow(
        self, fact: RootsSet, known: Callable[[bytes], VerifyKey | None] = lambda key_id: None
    ) -> tuple[VerifyKey, ...]:
        """Takes the next set; returns the keys that are new in it. The same set again changes nothing.

        known: the key that has this id already, roots or not.

        Raises NotAllowed: `roots-form`, `roots-threshold-range`, `roots-key-twice`, `roots-version`,
        `roots-other`, `roots-retired`, `roots-key-returns`, `roots-key-refused`, `roots-key-id-taken`,
        `roots-signature-twice`, `roots-signature-foreign`, `roots-signature-bad`, `roots-threshold-old`,
        `roots-threshold-new`. Only `roots-version` may be cured by a set that is still to come.
        """
        said = RootStatement.decode(fact.statement)
        if said.version <= self.now.version:
            if said.version == 0 or self.sets[said.version].statement != fact.statement:
                raise _refused("roots-other", f"another set {said.version} is known here")
            return ()
        if said.version != self.now.version + 1:
            raise _refused("roots-version", f"set {said.version} does not follow set {self.now.version}")
        keys, new = self._checked_keys(said, known)
        self._check_signatures(fact, keys)
        # Dear, and therefore only for what a threshold has signed.
        for key in new:
            try:
                key.prove_order()
            except KeyRefused as refused:
                raise _refused("roots-key-refused", refused.what) from refused
        for key_id, pairs in said.retired:
            self._retired[key_id] = read_pairs(pairs) or {}
        self._keys.update((key.key_id, key) for key in new)
        self.sets.append(RootSet(said.version, said.threshold, keys, fact.statement))
        return new

    def _checked_keys(
        self, said: RootStatement, known: Callable[[bytes], VerifyKey | None]
    ) -> tuple[tuple[VerifyKey, ...], tuple[VerifyKey, ...]]:
        """(all keys of the set, those that were in none before)."""
        leaving = {key.key_id for key in self.now.keys if key.raw not in said.keys}
        if {key_id for key_id, _ in said.retired} != leaving:
            raise _refused("roots-retired", "exactly the keys that leave must be named with what stays")
        keys: list[VerifyKey] = []
        for raw in said.keys:
            try:
                key = VerifyKey(raw)
            except KeyRefused as refused:
                raise _refused("roots-key-refused", refused.what) from refused
            if key.key_id in self._retired:
                raise _refused("roots-key-returns", "a root that left does not come back", key.key_id)
            others = [
                self._keys.get(key.key_id),
                known(key.key_id),
                *(k for k in keys if k.key_id == key.key_id),
            ]
            if any(other is not None and other != key for other in others):
                raise _refused("roots-key-id-taken", "another key has this key id", key.key_id)
            keys.append(key)
        return tuple(keys), tuple(key for key in keys if key.key_id not in self._keys)

    def _check_signatures(self, fact: RootsSet, keys: tuple[VerifyKey, ...]) -> None:
        before = {key.key_id: key for key in self.now.keys}
        after = {key.key_id: key for key in keys}
        rows = [
            fact.signatures[at : at + SIGNATURE_ROW_BYTES]
            for at in range(0, len(fact.signatures), SIGNATURE_ROW_BYTES)
        ]
        signers = [row[:8] for row in rows]
        if len(set(signers)) != len(signers):
            raise _refused("roots-signature-twice", "each key signs once")
        for row in rows:
            signer = before.get(row[:8]) or after.get(row[:8])
            if signer is None:
                raise _refused("roots-signature-foreign", "a signer is in neither set", row[:8])
            try:
                signer.verify(ROOTS, fact.statement, row[8:])
            except SignatureError as error:
                raise _refused("roots-signature-bad", error.what, row[:8]) from error
        if sum(signer in before for signer in signers) < self.now.threshold:
            raise _refused("roots-threshold-old", f"fewer than {self.now.threshold} roots of the set before")
        threshold = RootStatement.decode(fact.statement).threshold
        if sum(signer in after for signer in signers) < threshold:
            raise _refused("roots-threshold-new", f"fewer than {threshold} roots of the new set")


def _refused(code: str, what: str, key_id: bytes = b"") -> NotAllowed:
    return NotAllowed(code, what, where=key_id.hex(), hint="docs/spec/authority.md names every refusal")
