"""Who may sign what, where and when: chains of grants from the root keys, and where they end.

A root may do everything everywhere. Whoever holds GRANT may pass on part of what they hold: fewer rights,
the same territory or one below it, a window inside their own, a smaller depth. One grant of the issuer must
carry the whole new grant; two halves do not add up to a right. Depth falls with each link and a root stands
at four, so no chain is longer than four links.

A grant ends when somebody above it revokes its subject, or when the subject rotates to another key. It does
not vanish: it still carries what stands at a *place* (log and number) that the ending lets stay, and nothing
else. So an answer is a function of the statements known, not of their order: grants are judged from the
greatest depth down, and what ends a grant comes from above it. An ending that arrives makes all grants be
judged again (`again`); a grant that comes late is refused, remembered by `state.py` and tried again.

A key is introduced only when it lies in the group of prime order: verifiers of Ed25519 judge the signatures
of any other key differently. That proof is dear, so it is asked last, of those who may grant at all.

Bound: windows are judged at the instant the caller names; which instant is sound (an author's own clock, a
receipt's time) is the caller's choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ledger.facts.decisions import DEPTH_MAX, Granted
from ledger.facts.endings import Cut, Place, RootsSet, Rotated
from ledger.facts.lineage import Lineages
from ledger.facts.links import (
    REFUSALS,
    Ending,
    Grant,
    Held,
    chains_above,
    depth_of,
    ending_of,
    on_path,
    widenings,
)  # fmt: skip
from ledger.facts.rights import Right
from ledger.facts.roots import Roots
from ledger.facts.signed import Signed
from ledger.facts.units import covers
from ledger.log.errors import KeyRefused, NotAllowed
from ledger.log.keys import VerifyKey

__all__ = ["ROOT_DEPTH", "ROOT_LABEL", "Authority", "Ending", "Grant", "Right"]

ROOT_DEPTH: Final = DEPTH_MAX  # a grant's depth is smaller than its issuer's: at most four links
ROOT_LABEL: Final = "root"


class Authority:
    """The accepted grants. roots: the keys that a reader was founded or enrolled with.

    lineages: the mergers of units. `may` follows them; what a grant may give, and who may end it, does not.
    """

    def __init__(self, roots: Iterable[VerifyKey], lineages: Lineages | None = None) -> None:
        self.roots = Roots(roots)
        self._lineages = Lineages() if lineages is None else lineages
        self._endings: dict[bytes, list[Ending]] = {}
        self._enders: set[bytes] = set()
        self._forget_grants()

    def _forget_grants(self) -> None:
        self._grants: dict[bytes, list[Held]] = {}
        self._issuers: set[bytes] = set()
        self._answers_from: dict[str, int] = {}

    # -- grants ----------------------------------------------------------------------------------------------

    def apply(self, signed: Signed, copies: Sequence[Place] = ()) -> VerifyKey:
        """Accepts a Granted and returns the key it introduces. copies: where else the same bytes stand.

        Raises NotAllowed: `grant-not-a-grant`, `grant-key-refused`, `grant-key-id-taken`, `grant-to-itself`,
        `grant-unknown-issuer`, `grant-without-right`, `grant-wider-classes`, `grant-wider-territory`,
        `grant-wider-window`, `grant-too-deep`, `grant-key-ended`. The last seven may be cured by a statement
        that is still to come. A refused call changes nothing.
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
        refusal, above = self._carriers(signed.key_id, fact, (signed.place, *copies))
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
        held = Held(grant, above, (), (signed.place, *copies))
        held.ends = self._ends(held)
        self._grants.setdefault(subject.key_id, []).append(held)
        self._issuers.add(signed.key_id)
        if grant.classes & Right.ACK:
            known_s = self._answers_from.get(grant.territory, grant.ts)
            self._answers_from[grant.territory] = min(known_s, grant.ts)
        return subject

    def _carriers(
        self, issuer: bytes, fact: Granted, places: Sequence[Place]
    ) -> tuple[str | None, tuple[Held, ...]]:
        """(None, the issuer's grants that carry the new one), or the reason of the nearest and none.

        A root's word is carried by nothing: (None, ()).
        """
        if any(self.roots.is_root(issuer, place) for place in places):
            return (None if fact.depth < ROOT_DEPTH else "grant-too-deep"), ()
        furthest = len(REFUSALS) - 1 if self.roots.known(issuer) else -1
        above: list[Held] = []
        for held in self._grants.get(issuer, ()):
            ended = not any(held.carries_at(place) for place in places)
            tests = (*widenings(held.grant, fact), ended)
            failed = next((step for step, wide in enumerate(tests) if wide), None)
            if failed is None:
                above.append(held)
            else:
                furthest = max(furthest, failed)
        if above:
            return None, tuple(above)
        return ("grant-unknown-issuer" if furthest < 0 else REFUSALS[furthest]), ()

    # -- endings ---------------------------------------------------------------------------------------------

    def follow(self, fact: RootsSet) -> tuple[VerifyKey, ...]:
        """Takes the next root set; returns the new roots. Raises NotAllowed as `Roots.follow` does.

        When it took one, the grants must be judged `again`.
        """
        return self.roots.follow(fact, self.key)

    def hear(self, signed: Signed, copies: Sequence[Place] = ()) -> None:
        """Remembers a Revoked or Rotated for grants still to come; those known must be judged `again`."""
        ending = ending_of(signed, (signed.place, *copies))
        self._endings.setdefault(ending.subject, []).append(ending)
        self._enders.add(ending.signer)

    def refusal(self, signed: Signed) -> str | None:
        """Why a Revoked or Rotated ends nothing here, None when it ends something.

        `revocation-of-itself`, `revocation-of-root`, `revocation-unknown-key`, `revocation-not-above`,
        `revocation-key-ended`; `rotation-by-root`, `rotation-unknown-key`, `rotation-key-refused`,
        `rotation-to-itself`, `rotation-possession`, `rotation-key-ended`.
        """
        ending = ending_of(signed, (signed.place,))
        ended = self._within(ending)
        if isinstance(signed.fact, Rotated):
            if not ended:
                return "rotation-by-root" if self.roots.known(signed.key_id) else "rotation-unknown-key"
            refusal = ending.proves(ended[0].grant.subject.raw)
            key_ended = "rotation-key-ended"
        else:
            if ending.subject == ending.signer:
                return "revocation-of-itself"
            if not ended:
                return "revocation-of-root" if self.roots.known(ending.subject) else "revocation-unknown-key"
            refusal = None if self._stands_above(ending.signer, ended) else "revocation-not-above"
            key_ended = "revocation-key-ended"
        if refusal is not None:
            return refusal
        place = ending.places[0]
        in_force = any(place in end.places for held in ended for end in held.ends)
        return None if in_force else key_ended

    def _within(self, ending: Ending) -> list[Held]:
        """The grants to the ending's subject that lie within its territory."""
        held = self._grants.get(ending.subject, ())
        return [one for one in held if covers(ending.territory, one.grant.territory)]

    def _stands_above(self, signer: bytes, ended: Iterable[Held]) -> bool:
        return self.roots.known(signer) or any(
            one.grant.subject.key_id == signer for held in ended for one in chains_above(held)
        )

    def could_end(self, signed: Signed) -> bool:
        """True when this Revoked or Rotated ends something: then the grants are to be judged `again`."""
        ending = ending_of(signed, (signed.place,))
        for held in self._within(ending):
            if not ending.is_rotation:
                if self._comes_from_above(ending, held):
                    return True
            elif ending.proves(held.grant.subject.raw) is None and all(
                not ending.after(end) if end.is_rotation else end.keeps(signed.place) for end in held.ends
            ):
                return True
        return False

    def may_end(self, signer: bytes, subject: bytes) -> bool:
        """True when `signer` stands above a grant to `subject` and could sign its end now."""
        held = self._grants.get(subject, ())
        above = [one for each in held for one in chains_above(each) if one.grant.subject.key_id == signer]
        return bool(held) and (self.is_root(signer) or any(one.carries_at(None) for one in above))

    def stirs(self, subject: bytes) -> bool:
        """True when a grant to this key that has just been accepted may change what others' grants are."""
        return bool(self._endings) and (
            subject in self._endings or subject in self._issuers or subject in self._enders
        )

    def again(
        self,
        endings: Iterable[tuple[Signed, Sequence[Place]]],
        grants: Iterable[tuple[Signed, Sequence[Place]]],
    ) -> list[tuple[Signed, str]]:
        """Judges all grants anew, from the greatest depth down; returns those refused, with their reasons."""
        self._endings.clear()
        self._enders.clear()
        for signed, copies in endings:
            self.hear(signed, copies)
        self._forget_grants()
        told = list(grants)
        rows = sorted(told, key=lambda row: depth_of(row[0]), reverse=True)
        refused = [row for row in rows if self._refused(*row)]
        self._put_in_order({(signed.key_id, signed.place): n for n, (signed, _) in enumerate(told)})
        # A reason speaks of all that is held, and what is held was complete only now.
        return [(signed, self._refused(signed, copies) or "") for signed, copies in refused]

    def _put_in_order(self, order: Mapping[tuple[bytes, Place], int]) -> None:
        """Held in the order of arrival again: the depth is nobody's question from here on."""

        def nth(held: Held) -> int:
            return order[held.grant.issuer, held.places[0]]

        for grants in self._grants.values():
            grants.sort(key=nth)
            for held in grants:
                held.above = tuple(sorted(held.above, key=nth))
        self._grants = dict(sorted(self._grants.items(), key=lambda row: nth(row[1][0])))

    def _refused(self, signed: Signed, copies: Sequence[Place]) -> str | None:
        try:
            self.apply(signed, copies)
        except NotAllowed as refusal:
            return refusal.code
        return None

    def _ends(self, held: Held) -> tuple[Ending, ...]:
        """What ends this grant: first what comes from above, then its subject's own word."""
        subject = held.grant.subject.key_id
        endings = [
            one for one in self._endings.get(subject, ()) if covers(one.territory, held.grant.territory)
        ]
        if not endings:
            return ()
        ends = [one for one in endings if not one.is_rotation and self._comes_from_above(one, held)]
        own = [
            ending
            for ending in endings
            if ending.is_rotation
            and any(all(end.keeps(place) for end in ends) for place in ending.places)
            and ending.proves(held.grant.subject.raw) is None
        ]
        return (*ends, *(one for one in own if not any(one.after(other) for other in own)))

    def _comes_from_above(self, ending: Ending, held: Held) -> bool:
        """True when its signer is a root or in a chain that leads to the grant, and was so at its place."""
        above = [one for one in chains_above(held) if one.grant.subject.key_id == ending.signer]
        return any(
            self.roots.is_root(ending.signer, place) or any(one.carries_at(place) for one in above)
            for place in ending.places
        )

    # -- asking ----------------------------------------------------------------------------------------------

    def may(
        self, key_id: bytes, right: int, territory: str, at_s: float, place: Place | None = None,
        *, by_path: bool = False) -> bool:  # fmt: skip
        """True when the key is a root, or one grant of it gives all of `right` over `territory` at `at_s`.

        place: where what is asked about stands in the key's logs; None: it would be signed from now on. With
        PROGRAMME only `may_exactly` counts: a superior inserts, and never arranges a commune's own programme.
        by_path: by the names of units alone, without mergers.
        """
        if right & Right.PROGRAMME:
            return self.may_exactly(key_id, right, territory, at_s, place)
        if self.roots.is_root(key_id, place):
            return True
        holds = on_path if by_path else self._lineages.holds
        return any(
            held.grant.carries(right, territory, at_s, holds) and held.carries_at(place)
            for held in self._grants.get(key_id, ())
        )

    def may_exactly(
        self, key_id: bytes, right: int, territory: str, at_s: float, place: Place | None = None
    ) -> bool:
        """As `may`, by a grant for exactly this territory: neither a root nor a superior may."""
        return any(
            held.grant.territory == territory
            and held.grant.carries(right, territory, at_s)
            and held.carries_at(place)
            for held in self._grants.get(key_id, ())
        )

    def ended(self, key_id: bytes, right: int, territory: str, at_s: float) -> bool:
        """True when the key held this right, and only an ending can have taken it away."""
        exactly = bool(right & Right.PROGRAMME)
        if self.roots.known(key_id) and not exactly:
            return True
        return any(
            held.grant.carries(right, territory, at_s, self._lineages.holds)
            and (not exactly or held.grant.territory == territory)
            for held in self._grants.get(key_id, ())
        )

    def may_report(
        self, key_id: bytes, right: int, unit: str, place: Place, recorded: Callable[[Cut], bool]
    ) -> bool:
        """True when a report at `place` counts for `unit`.

        recorded: whether the journal that a cut names had recorded the report's segment at or before the cut.
        """
        return any(
            held.grant.classes & right == right
            and held.grant.territory == unit
            and all(ending.keeps(place) or recorded(ending.cut) for ending in held.ends)
            for held in self._grants.get(key_id, ())
        )

    def key(self, key_id: bytes) -> VerifyKey | None:
        """The public key a root set or a grant introduced under this id; also when it has ended."""
        root = self.roots.key(key_id)
        if root is not None:
            return root
        grants = self._grants.get(key_id)
        return grants[0].grant.subject if grants else None

    def keys(self) -> tuple[VerifyKey, ...]:
        """Every key introduced by a grant, in the order of their first grants; roots not included."""
        return tuple(grants[0].grant.subject for grants in self._grants.values())

    def is_root(self, key_id: bytes) -> bool:
        """True for a key that needs no grant now."""
        return self.roots.is_root(key_id)

    def grants_of(self, key_id: bytes) -> tuple[Grant, ...]:
        """The grants to this key that nothing ended, in order of arrival. None for a root: it needs none."""
        return tuple(held.grant for held in self._grants.get(key_id, ()) if held.carries_at(None))

    @property
    def has_endings(self) -> bool:
        """True when some key was ended, or a root set changed: only then may anything signed be void."""
        return bool(self._endings) or self.roots.has_changed

    def endings_of(self, key_id: bytes) -> tuple[Ending, ...]:
        """What ended grants to this key, each once."""
        found = [end for held in self._grants.get(key_id, ()) for end in held.ends]
        return tuple({id(end): end for end in found}.values())

    def held(self, key_id: bytes) -> tuple[Held, ...]:
        """All accepted grants to this key, ended ones too, with what carries and what ends each."""
        return tuple(self._grants.get(key_id, ()))

    def units_held(self, key_id: bytes, right: int = Right.ACK) -> tuple[str, ...]:
        """The territories ever granted to this key with `right`, ended or not, sorted, each once."""
        held = self._grants.get(key_id, ())
        return tuple(sorted({one.grant.territory for one in held if one.grant.classes & right == right}))

    def units_of(self, key_id: bytes, right: int = 0, place: Place | None = None) -> tuple[str, ...]:
        """The territories granted to this key (with `right`, when given), sorted, each once.

        place: where what is asked about stands; None: it would be signed from now on.
        """
        units = {
            held.grant.territory
            for held in self._grants.get(key_id, ())
            if held.grant.classes & right == right and held.carries_at(place)
        }
        return tuple(sorted(units))

    def answers_from(self, unit: str) -> int | None:
        """When a key was first given ACK for exactly this unit (UTC s): since then a station answers."""
        return self._answers_from.get(unit)

    def label_of(self, key_id: bytes) -> str:
        """The label of the key's latest grant, `root` for a root, else the empty string."""
        if self.roots.known(key_id):
            return ROOT_LABEL
        grants = self._grants.get(key_id)
        return grants[-1].grant.label if grants else ""
