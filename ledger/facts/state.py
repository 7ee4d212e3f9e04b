"""The decisions that count: every admitted decision, checked against its signer's authority.

`Facts` is fed with stored segments in their order of arrival, or with the whole ledger again. It keeps each
decision with its position; nothing is overwritten. What replaces, withdraws or revives what follows from
positions alone, so a decision that is allowed only later (its grant arrived after it) takes its place as if
it had been allowed at once: within one ledger the order of arrival of grants does not matter.

A decision counts when it was sealed alone, is well formed, and its signer may sign it for its territory at
the `ts` it states. An approval counts only when its signer is not known to have drafted that version (four
eyes; stations never see drafts, the hub does). Whatever does not count is remembered with its reason; what
lacks only authority is tried again after every accepted grant. Equal bytes from one key count once: a
restored author who seals an old approval again must not revive what was withdrawn since.

A revocation, a rotation and a root set take away from what counted before. They are rare, so what they may
touch is judged again from the beginning, in memory: the result is that of a reader who knew them all along.

Bound: no clock, no I/O, no opinion on what plays; that is `plan.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from ledger.facts.authority import Authority
from ledger.facts.decisions import (
    Approved,
    Cancelled,
    Drafted,
    EmergencyOrdered,
    Granted,
    Scheduled,
)
from ledger.facts.docket import REFUSED_PER_KEY_MAX, Docket, identity_of
from ledger.facts.endings import Revoked, RootsSet, Rotated
from ledger.facts.events import peek_type
from ledger.facts.fields import Malformed
from ledger.facts.lineage import Lineages
from ledger.facts.merging import UnitMerged
from ledger.facts.rights import Right
from ledger.facts.shelves import Shelves
from ledger.facts.signed import Signed, read
from ledger.facts.standing import (
    DECISION_TYPES,
    KEY_ENDED,
    NO_AUTHORITY,
    NOT_SEALED_ALONE,
    SELF_APPROVED,
    SERIES_TAKEN,
    Order,
    Standing,
    Withdrawable,
    asks,
    audience_of,
    order_right,
    taken_of,
)
from ledger.log.errors import NotAllowed
from ledger.log.keys import VerifyKey

__all__ = ["QUIET_DEFAULT", "REFUSED_PER_KEY_MAX", "Decisions", "Facts", "audience_of"]

if TYPE_CHECKING:
    from ledger.facts.index import UnitIndex
    from ledger.log.store import Stored

QUIET_DEFAULT: Final = (21 * 60 + 30, 5 * 60)  # minutes of the local day, when no decision says otherwise


class Addressed(Protocol):
    """A decision that speaks for a territory. ts: UTC s."""

    @property
    def territory(self) -> str: ...
    @property
    def ts(self) -> int: ...


class Decisions(Protocol):
    """What `Facts.load` needs of a ledger."""

    def since(self, position: int, *, decisions_only: bool = False) -> Iterable[Stored]: ...


class Facts(Shelves):
    """The fold of all decisions, on their shelves. roots: the keys whose authority nobody granted.

    `version` grows with every change.
    """

    def __init__(self, roots: Iterable[VerifyKey]) -> None:
        super().__init__()
        self._roots = tuple(roots)
        self.version = 0
        self.epoch = 0
        self._loading = False
        self._stale = False  # while loading: something came that makes everything be judged again
        self._clear()

    def _clear(self) -> None:
        self.lineages = Lineages()
        self.authority = Authority(self._roots, self.lineages)
        self._docket = Docket()
        self._refused_view: tuple[int, list[tuple[Signed, str]]] = (-1, [])
        self.touched: list[tuple[str, bytes | int]] = []
        self.indexes: dict[str, UnitIndex] = {}
        self.clear_shelves()

    # --- taking in -----------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Forgets everything but the roots (before `load`, after a transaction was rolled back)."""
        self._clear()
        self._changed(all_views=True)

    def load(self, ledger: Decisions) -> list[VerifyKey]:
        """Forgets everything and replays the ledger's decisions; returns the keys they introduce."""
        self.reset()
        self._loading, self._stale = True, False
        introduced: list[VerifyKey] = []
        position = 0
        try:
            while True:
                before = position
                for stored in ledger.since(position, decisions_only=True):
                    introduced += self.admit(stored)
                    position = stored.position
                if position == before:
                    break
        finally:
            self._loading = False
        return introduced + self._judge_again() if self._stale else introduced

    def admit(self, stored: Stored) -> list[VerifyKey]:
        """Takes in one verified segment, in order of position; returns the keys it introduces."""
        events = stored.segment.events
        if len(events) != 1:
            if any(peek_type(event) in DECISION_TYPES for event in events):
                for signed in read(stored):
                    if peek_type(signed.event) in DECISION_TYPES:
                        self._refuse(signed, NOT_SEALED_ALONE)
            return []
        if peek_type(events[0]) not in DECISION_TYPES:
            return []
        (signed,) = read(stored)
        if not self._docket.is_new(signed):
            return self._at_another_place(signed)
        fact = signed.fact
        if isinstance(fact, Malformed):
            self._refuse(signed, fact.reason)
        elif isinstance(fact, Granted):
            self._docket.grants[identity_of(signed)] = signed
            return self._grant(signed)
        elif isinstance(fact, Rotated | Revoked):
            self._docket.endings[identity_of(signed)] = signed
            return self._end(signed)
        elif isinstance(fact, RootsSet):
            return self._follow(signed)
        else:
            self._docket.others[identity_of(signed)] = signed
            if isinstance(fact, UnitMerged):
                return self._merge(signed)
            self._decide(signed)
        return []

    def _merge(self, signed: Signed) -> list[VerifyKey]:
        """A merger changes whom everything else concerns: all is judged again when it counts."""
        self._decide(signed)
        return [] if self._docket.refusal_of(signed)[1] is not None else self._judge_again()

    def _at_another_place(self, copy: Signed) -> list[VerifyKey]:
        """The same bytes again: they may stand where an ending lets them stay, and the first did not."""
        first, reason = self._docket.refusal_of(copy)
        if reason is None or not reason.endswith(KEY_ENDED):
            return []
        if isinstance(first.fact, Granted):
            return self._grant(first)
        if isinstance(first.fact, Rotated | Revoked):
            return self._judge_again() if self.authority.could_end(copy) else []
        if isinstance(first.fact, UnitMerged):
            return self._merge(first)
        self._decide(first)
        return []

    def _grant(self, signed: Signed) -> list[VerifyKey]:
        """One accepted grant may make others, and then decisions, acceptable: repeat until nothing moves."""
        introduced: list[VerifyKey] = []
        stirred = False
        waiting = [signed]
        while waiting:
            moved = False
            for grant in waiting:
                try:
                    copies = [copy.place for copy in self._docket.all_of(grant)[1:]]
                    subject = self.authority.apply(grant, copies)
                except NotAllowed as refusal:
                    self._refuse(grant, refusal.code)
                else:
                    introduced.append(subject)
                    stirred = stirred or self.authority.stirs(subject.key_id)
                    self._docket.allow(grant)
                    moved = True
            if not moved:
                break
            waiting = [held for held, _ in self._docket.refused.values() if isinstance(held.fact, Granted)]
        if stirred:
            return introduced + self._judge_again()
        if introduced:
            waits = [one for one, why in self._docket.refused.values() if why in (NO_AUTHORITY, KEY_ENDED)]
            for held in waits:
                self._decide(held)
            self._changed(all_views=True)
            if any(isinstance(one.fact, UnitMerged) and self.refusal_of(one) is None for one in waits):
                return introduced + self._judge_again()
        return introduced

    def _end(self, signed: Signed) -> list[VerifyKey]:
        if self.authority.could_end(signed):
            return self._judge_again()
        self.authority.hear(signed)
        self._refuse(signed, self.authority.refusal(signed) or KEY_ENDED)
        return []

    def _follow(self, signed: Signed) -> list[VerifyKey]:
        """One root set may be what a later one waited for; each makes everything be judged again."""
        before = self.authority.roots.now
        introduced: list[VerifyKey] = []
        waiting = [signed]
        while waiting:
            version = self.authority.roots.now.version
            for held in waiting:
                assert isinstance(held.fact, RootsSet), "only root sets wait here"
                try:
                    introduced += self.authority.follow(held.fact)
                except NotAllowed as refusal:
                    self._refuse(held, refusal.code)
                else:
                    self._docket.allow(held)
            if version == self.authority.roots.now.version:
                break
            waiting = [held for held, _ in self._docket.refused.values() if isinstance(held.fact, RootsSet)]
        return introduced + self._judge_again() if self.authority.roots.now is not before else []

    def _judge_again(self) -> list[VerifyKey]:
        """Everything anew, as if it had been known from the beginning; returns the keys known only now."""
        if self._loading:
            self._stale = True
            return []
        docket = self._docket
        before = set(self.authority.keys())
        refused = self.authority.again(docket.with_places(docket.endings), docket.with_places(docket.grants))
        for signed in (*docket.grants.values(), *docket.endings.values(), *docket.others.values()):
            docket.allow(signed)
        for signed, code in refused:
            self._refuse(signed, code)
        for signed in list(docket.endings.values()):
            code_or_none = self.authority.refusal(signed)
            if code_or_none is not None:
                self._refuse(signed, code_or_none)
        self.clear_shelves()
        self.lineages.clear()
        others = list(docket.others.values())
        for merger in (True, False):  # who may do what, and whom it concerns, follows from the mergers
            for signed in others:
                if isinstance(signed.fact, UnitMerged) is merger:
                    self._decide(signed)
        self._changed(all_views=True)
        after = self.authority.keys()
        return [key for key in after if key not in before]

    def _decide(self, signed: Signed) -> None:
        fact = signed.fact
        right, territory, ts = asks(signed)
        if isinstance(fact, Drafted):
            self._note_draft(signed, fact)
        may = self.authority.may
        allowed = [
            one for one in self._docket.all_of(signed) if may(one.key_id, right, territory, ts, one.place)
        ]
        where = [territory]
        if isinstance(fact, UnitMerged) and (into := fact.into) is not None:
            # By path: a station below is told of the mergers of its own unit, not of those of the other.
            allowed = [one for one in allowed if may(one.key_id, right, into, ts, one.place, by_path=True)]
            where.append(into)
        if not allowed:
            ended = all(self.authority.ended(signed.key_id, right, unit, ts) for unit in where)
            self._refuse(signed, KEY_ENDED if ended else NO_AUTHORITY)
            return
        if isinstance(fact, Approved) and signed.key_id in self.drafts.get((fact.bulletin, fact.version), ()):
            self._refuse(signed, SELF_APPROVED)
            return
        self._docket.allow(signed)
        self._accept(allowed[0])

    def _note_draft(self, signed: Signed, fact: Drafted) -> None:
        """Whoever drafted a version cannot have approved it, in whichever order the two arrived."""
        self.drafts.setdefault((fact.bulletin, fact.version), set()).add(signed.key_id)
        approvals = self.approvals.get(fact.bulletin, [])
        for approval in list(approvals):
            if approval.fact.version == fact.version and approval.key_id == signed.key_id:
                approvals.remove(approval)
                self._refuse(approval.signed, SELF_APPROVED)
                self._touch(approval.fact.territory, fact.bulletin)

    def _accept(self, signed: Signed) -> None:
        if isinstance(signed.fact, UnitMerged):
            self.lineages.take(Standing(signed.fact, signed))
        self.shelve(signed)
        self._changed()

    def _refuse(self, signed: Signed, reason: str) -> None:
        self._docket.refuse(signed, reason)
        self._changed()

    def _touch(self, territory: str, subject: bytes | int) -> None:
        self.touched.append((territory, subject))

    def _changed(self, *, all_views: bool = False) -> None:
        self.version += 1
        if all_views:
            self.epoch += 1

    # --- asking --------------------------------------------------------------------------------------------

    @property
    def refused(self) -> list[tuple[Signed, str]]:
        """Decisions that do not count, in order of position, each with its reason."""
        version, view = self._refused_view
        if version != self.version:
            taken = (one for orders in self.orders.values() for one in taken_of(orders, self.may_replace))
            rows = [*self._docket.refused.values(), *((one.signed, SERIES_TAKEN) for one in taken)]
            view = sorted(rows, key=lambda row: row[0].position)
            self._refused_view = (self.version, view)
        return view

    def refusal_of(self, signed: Signed) -> str | None:
        """Why this decision does not count; None when it does, or was never heard of. Looks at it alone."""
        reason = self._docket.refusal_of(signed)[1]
        if reason is None and isinstance(signed.fact, Scheduled | EmergencyOrdered):
            taken = taken_of(self.orders.get(signed.fact.series, ()), self.may_replace)
            if any(identity_of(one.signed) == identity_of(signed) for one in taken):
                return SERIES_TAKEN
        return reason

    def may_replace(self, later: Standing[Order], earlier: Sequence[Standing[Order]]) -> bool:
        """True when `later` may stand in for all these: the same key, or one with the right to them."""
        return all(
            later.key_id == one.key_id
            or self.authority.may(
                later.key_id, order_right(one.fact), one.fact.territory, later.fact.ts, later.signed.place
            )
            for one in earlier
        )

    def withdrawal_of(self, decision: Withdrawable, unit: str) -> Standing[Cancelled] | None:
        """The first cancellation that takes this decision back at `unit`, or None."""
        fact = decision.fact
        target = fact.bulletin if isinstance(fact, Approved) else fact.series
        return next((c for c in self.cancels.get(target, ()) if self.withdraws(c, decision, unit)), None)

    def withdraws(self, cancel: Standing[Cancelled], decision: Withdrawable, unit: str) -> bool:
        """True when `cancel`, which names the decision's bulletin or series, takes it back at `unit`.

        It must have been admitted after the decision, speak for a territory that holds the unit, and be
        signed by a key that may CANCEL over the decision's whole territory: a commune does not cancel what
        the province ordered. What concerns the unit by a merger only may have been told here long after it
        was decided: then the times that both state say which came first.
        """
        later = cancel.position > decision.position
        if self.lineages and self.lineages.since(unit, decision.fact.territory):
            later = cancel.fact.ts >= decision.fact.ts
        return (
            later
            and self.lineages.hears(unit, cancel.fact.territory, cancel.fact.ts)
            and self.authority.may(
                cancel.key_id, Right.CANCEL, decision.fact.territory, cancel.fact.ts, cancel.signed.place
            )
        )

    def quiet_hours(self, unit: str, day: int | None = None) -> tuple[int, int]:
        """(from, until) in minutes of the local day: the nearest unit's latest word, else 21:30–05:00.

        day: by the mergers of that local day; None: by all that are known.
        """
        for territory in self.lineages.names(unit):
            for one in reversed(self.quiet.get(territory, ())):
                if self.hears(unit, one.fact, day):
                    return one.fact.from_minute, one.fact.until_minute
        return QUIET_DEFAULT

    def hears(self, unit: str, fact: Addressed, day: int | None = None) -> bool:
        """True when a decision for a territory concerns `unit`, on a local day or (None) at all."""
        return self.lineages.hears(unit, fact.territory, fact.ts, day)

    def refused_approvals(self, bulletin: bytes) -> list[tuple[Approved, str]]:
        """Approvals of this bulletin that do not count, each with its reason."""
        return self._docket.refused_approvals(bulletin)
