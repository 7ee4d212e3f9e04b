"""How human decisions become rows: bulletins, series, stations, and the list of deeds itself.

Every decision is listed, also one that does not count, with the reason: an operator asks for exactly these.
Only what counts moves a row. A bulletin of a level above has no drafts here; its approval makes the row.

Bound: one decision at a time inside the transaction of `hub.projections`, judged by the fold that stands at
it.
"""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from hub.bulletins import APPROVED, CATEGORIES, DRAFT, RETURNED, SUBMITTED, WITHDRAWN
from hub.media import folded
from hub.phrases import about_of, detail_of, what_of
from ledger.facts import (
    CIVIC,
    SELF_APPROVED,
    Approved,
    Cancelled,
    Decision,
    Drafted,
    EmergencyOrdered,
    EmergencyProposed,
    Facts,
    Granted,
    Klass,
    QuietHoursSet,
    Returned,
    Revoked,
    Right,
    RootsSet,
    Rotated,
    Scheduled,
    Signed,
    StationRegistered,
    Submitted,
    Target,
    UnitMerged,
    asks,
    covers,
)

_CATEGORY_WORDS = dict(CATEGORIES)


class Deeds:
    """facts: the fold of the projection, already at this decision. whole: that of all that the hub holds."""

    def __init__(self, db: Database, facts: Facts, whole: Facts) -> None:
        self._db = db
        self._facts = facts
        self._whole = whole

    def take(self, signed: Signed, fact: Decision) -> bool:
        """Lists the decision and moves what it moves. False when it does not count."""
        why = self._why_not(signed)
        bulletin, series, territory = about_of(fact)
        self._db.table("deeds").insert(
            {
                "position": signed.position,
                "seq": signed.seq,
                "key_id": signed.key_id,
                "at": fact.ts,
                "log_id": signed.log_id,
                "event_id": signed.id,
                "what": what_of(fact),
                "bulletin": bulletin,
                "series": series,
                "territory": territory,
                "detail": detail_of(fact),
                "applied": int(not why),
                "why": why,
            }
        )
        if why:
            return False
        self._apply(signed, fact)
        return True

    def _apply(self, signed: Signed, fact: Decision) -> None:
        if isinstance(fact, Drafted):
            self._drafted(signed, fact)
        elif isinstance(fact, Submitted):
            self._move(signed, fact, SUBMITTED, DRAFT)
        elif isinstance(fact, Returned):
            self._move(signed, fact, RETURNED, SUBMITTED)
        elif isinstance(fact, Approved):
            self._approved(signed, fact)
        elif isinstance(fact, Scheduled | EmergencyOrdered):
            self._ordered(signed, fact)
        elif isinstance(fact, Cancelled):
            self._cancelled(signed, fact)
        elif isinstance(fact, StationRegistered):
            self._db.table("stations").upsert(
                {
                    "unit": fact.unit,
                    "name": fact.name,
                    "kind": fact.kind,
                    "search": folded(f"{fact.name} {fact.unit}"),
                },
                pk="unit",
            )

    def _why_not(self, signed: Signed) -> str:
        """Why this decision does not count, "" when it does. Submitting and returning are judged here: no
        station needs them, so the common fold passes them by.
        """
        fact = signed.fact
        if isinstance(fact, Submitted | Returned):
            row = self._db.execute("SELECT territory FROM bulletins WHERE id = ?", [fact.bulletin]).fetchone()
            right = Right.DRAFT if isinstance(fact, Submitted) else Right.APPROVE
            folds = (self._facts, self._whole) if self._whole.authority.has_endings else (self._facts,)
            if row is None or not all(
                fold.authority.may(signed.key_id, right, str(row[0]), fact.ts, signed.place) for fold in folds
            ):
                return "no-authority"
            return ""
        if _stands(self._facts, signed):
            void = self._whole.authority.has_endings and _is_void(self._whole, signed)
            return "no-authority" if void else ""
        return self._facts.refusal_of(signed) or ""

    def _drafted(self, signed: Signed, fact: Drafted) -> None:
        row = self._db.execute(
            "SELECT version, state, manifest FROM bulletins WHERE id = ?", [fact.bulletin]
        ).fetchone()
        if row is None or (row[1] != WITHDRAWN and int(row[0]) < fact.version):
            self._content(signed, fact, DRAFT)
        elif int(row[0]) == fact.version and bytes(row[2]) == fact.manifest:
            # Logs of a commune's people may come one by one: here the approval came first and made the row.
            self._db.execute("UPDATE bulletins SET author = ? WHERE id = ?", [signed.key_id, fact.bulletin])
            self._self_approved(signed, fact)

    def _self_approved(self, signed: Signed, fact: Drafted) -> None:
        """The approval that is listed as one that counts turns out to be the author's own."""
        refused = self._facts.refused_approvals(fact.bulletin)
        if any(one.version == fact.version and why == SELF_APPROVED for one, why in refused):
            self._db.execute(
                "UPDATE deeds SET applied = 0, why = ? WHERE bulletin = ? AND key_id = ? AND what = ?"
                " AND detail LIKE ? AND applied = 1",
                [SELF_APPROVED, fact.bulletin, signed.key_id, "approved", f"v{fact.version} %"],
            )
            self._set(signed, fact.ts, fact.bulletin, DRAFT)

    def _approved(self, signed: Signed, fact: Approved) -> None:
        row = self._db.execute(
            "SELECT version, state, manifest FROM bulletins WHERE id = ?", [fact.bulletin]
        ).fetchone()
        if row is None:  # a bulletin of a level above: its drafts never left that hub
            self._content(signed, fact, APPROVED)
        elif row[1] != WITHDRAWN and int(row[0]) == fact.version and bytes(row[2]) == fact.manifest:
            self._set(signed, fact.ts, fact.bulletin, APPROVED)

    def _content(self, signed: Signed, fact: Drafted | Approved, state: str) -> None:
        words = f"{fact.title} {fact.category} {_CATEGORY_WORDS.get(fact.category, '')}"
        self._db.table("bulletins").upsert(
            {
                "id": fact.bulletin,
                "version": fact.version,
                "state": state,
                "manifest": fact.manifest,
                "title": fact.title,
                "category": fact.category,
                "klass": fact.klass,
                "territory": fact.territory,
                "valid_from_day": fact.valid_from_day,
                "valid_until_day": fact.valid_until_day,
                "author": signed.key_id,
                "updated_at": fact.ts,
                "position": signed.position,
                "search": folded(words),
            },
            pk="id",
        )

    def _move(self, signed: Signed, fact: Submitted | Returned, state: str, come_from: str) -> None:
        row = self._db.execute(
            "SELECT version, state FROM bulletins WHERE id = ?", [fact.bulletin]
        ).fetchone()
        if row is not None and int(row[0]) == fact.version and row[1] == come_from:
            self._set(signed, fact.ts, fact.bulletin, state)

    def _set(self, signed: Signed, at_s: int, bulletin: bytes, state: str) -> None:
        self._db.execute(
            "UPDATE bulletins SET state = ?, updated_at = ?, position = ? WHERE id = ?",
            [
                state,
                at_s,
                signed.position,
                bulletin,
            ],
        )

    def _ordered(self, signed: Signed, fact: Scheduled | EmergencyOrdered) -> None:
        emergency = isinstance(fact, EmergencyOrdered)
        row: dict[str, Any] = {
            "series": fact.series,
            "kind": "emergency" if emergency else "schedule",
            "state": "active",
            "manifest": fact.manifest,
            "territory": fact.territory,
            "key_id": signed.key_id,
            "at": fact.ts,
            "position": signed.position,
        }
        if isinstance(fact, EmergencyOrdered):
            row |= {
                "bulletin": b"",
                "title": fact.kind,
                "klass": int(Klass.EMERGENCY),
                "first_day": 0,
                "days": b"",
                "minute": 0,
                "length_s": fact.expires_at - fact.not_before,
                "late_s": 0,
                "level": fact.level,
                "drill": int(fact.drill),
                "not_before": fact.not_before,
                "expires_at": fact.expires_at,
                "text": fact.text,
            }
        else:
            found = self._db.execute(
                "SELECT title, state FROM bulletins WHERE id = ?", [fact.bulletin]
            ).fetchone()
            row |= {
                "bulletin": fact.bulletin,
                # ordered by somebody who had not heard of the withdrawal yet: no station plays it
                "state": WITHDRAWN if found is not None and found[1] == WITHDRAWN else "active",
                "title": "" if found is None else found[0],
                "klass": fact.klass,
                "first_day": fact.first_day,
                "days": fact.days,
                "minute": fact.minute,
                "length_s": fact.length_s,
                "late_s": fact.late_s,
                "level": 0,
                "drill": 0,
                "not_before": 0,
                "expires_at": 0,
                "text": fact.reason or "",
            }
        self._db.table("series").upsert(row, pk=("series", "territory"))

    def _cancelled(self, signed: Signed, fact: Cancelled) -> None:
        """Only what covers the whole territory changes the state; a smaller one is a deed like others."""
        if fact.target == Target.SERIES:
            sql = "SELECT territory FROM series WHERE series = ?"
            for (territory,) in self._db.execute(sql, [fact.series]).fetchall():
                if covers(fact.territory, str(territory)):
                    self._db.execute(
                        "UPDATE series SET state = 'cancelled' WHERE series = ? AND territory = ?",
                        [fact.series, territory],
                    )
            return
        assert fact.bulletin is not None, "parse names exactly one target"
        orders = self._db.execute(
            "SELECT series, territory FROM series WHERE bulletin = ? AND state = 'active'", [fact.bulletin]
        ).fetchall()
        for series, territory in orders:
            if covers(fact.territory, str(territory)):
                self._db.execute(
                    "UPDATE series SET state = ? WHERE series = ? AND territory = ?",
                    [WITHDRAWN, series, territory],
                )
        row = self._db.execute("SELECT territory FROM bulletins WHERE id = ?", [fact.bulletin]).fetchone()
        if row is not None and covers(fact.territory, str(row[0])):
            self._set(signed, fact.ts, fact.bulletin, WITHDRAWN)


def _stands(facts: Facts, signed: Signed) -> bool:
    """True when the fold took this decision in."""
    fact = signed.fact
    if isinstance(fact, Approved):
        return any(one.signed.id == signed.id for one in facts.approvals.get(fact.bulletin, ()))
    if isinstance(fact, Scheduled | EmergencyOrdered):
        # Of a group's orders under one number, those for other units have no say over this one.
        orders = facts.orders.get(fact.series, ())
        here = [one for one in orders if covers(one.fact.territory, fact.territory)]
        return len(here) == 1 and here[0].signed.id == signed.id
    if isinstance(fact, Cancelled):
        target = fact.series if fact.series is not None else fact.bulletin
        return target is not None and any(one.signed.id == signed.id for one in facts.cancels.get(target, ()))
    if isinstance(fact, QuietHoursSet):
        return any(one.signed.id == signed.id for one in facts.quiet.get(fact.territory, ()))
    if isinstance(fact, StationRegistered):
        return fact.unit in facts.stations and facts.stations[fact.unit].signed.id == signed.id
    if type(fact) in CIVIC or isinstance(fact, EmergencyProposed | UnitMerged):
        return facts.refusal_of(signed) is None
    if isinstance(fact, Drafted):
        return facts.authority.may(signed.key_id, Right.DRAFT, fact.territory, fact.ts, signed.place)
    return False


def _is_void(whole: Facts, signed: Signed) -> bool:
    """True when an ending of a key took this decision's weight away, whenever it came."""
    if isinstance(signed.fact, Granted | Rotated | Revoked | RootsSet):
        return False  # the chain of grants says so itself: what hangs below an ended key is judged there
    asked = asks(signed)
    may = whole.authority.may(signed.key_id, *asked, signed.place)
    return whole.authority.ended(signed.key_id, *asked) and not may
