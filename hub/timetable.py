"""The plan as people at this desk order it: putting a bulletin on the air, looking ahead, calling it off.

A series is one number and one rule of time. Ordered for a unit it is one signed event; ordered for a group it
is one event for each unit, under the same number and in one transaction: each station is sent its own and no
other's, an acknowledgment names the same series everywhere, and one cancellation (for the nearest unit above
them all) takes it back.

Bound: what an order must answer is `ledger.facts.booking`, what it would meet `ledger.facts.foresight`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.accounts import Officer
from hub.bulletins import Bulletin
from hub.desk import act, clean_reason, within
from hub.elsewhere import TakenBack, scheduled_elsewhere, taken_back_id
from hub.emergencies import Emergencies
from hub.groups import UNITS_MAX
from hub.media import accept_line, read_manifest, sounding_s
from hub.schedules import Series, series_id
from hub.wanted import Wanted
from ledger.facts import (
    APPROVED,
    REASON_CHARS_MAX,
    Approved,
    Cancelled,
    OnInterrupt,
    Outlook,
    Right,
    Scheduled,
    Target,
    check_slot,
    foresee,
    pack_days,
)
from ledger.log import NotAllowed


@dataclass(frozen=True)
class Ahead:
    """What an order would do. stations: the registered units that it is for; length_s: of its slot."""

    outlook: Outlook
    stations: tuple[str, ...]
    length_s: int


class Timetable(Emergencies):
    """Refusals are NotAllowed with a stable code; `now` is UTC s."""

    @act
    def schedule(
        self,
        officer: Officer,
        bulletin: str,
        *,
        territory: str | Sequence[str],
        days: Iterable[int],
        minute: int,
        length_s: int | None = None,
        late_s: int = 900,
        on_interrupt: int = int(OnInterrupt.DROP),
        reason: str | None = None,
        now: int,
    ) -> int:
        """Puts an approved bulletin on the plan; returns the series. days: local days; minute: 0–1439.

        territory: one unit, or several that are ordered one by one under the same series. length_s: of the
        slot; when None, of the recording or of the words read out. late_s: how long after it a start still
        counts.
        """
        found = self._bulletin(bulletin)
        units = (territory,) if isinstance(territory, str) else tuple(territory)
        wanted = Wanted(units, tuple(sorted(set(days))), minute, late_s, on_interrupt)
        orders = self._orders(
            officer, found, wanted, state=found.state, length_s=length_s, reason=reason, now=now
        )
        aggregate = Series.plan(orders, officer.key.key_id)
        self._decisions.sign(aggregate, officer.key)
        return aggregate.ordered.series

    def foresee(self, officer: Officer, bulletin: str, wanted: Wanted, *, now: int) -> Ahead:
        """What this order would meet at the stations it is for, as if the bulletin's current version were
        approved. Signs nothing. NotAllowed for what could not be ordered then.
        """
        with self._lock:
            found = self._bulletin(bulletin)
            orders = self._orders(officer, found, wanted, state=APPROVED, now=now)
            content, names = found.content, self._facts.lineages.names
            stations = tuple(
                unit for unit in sorted(self._facts.stations) if not set(wanted.units).isdisjoint(names(unit))
            )
            approval = None
            if found.state != APPROVED:
                approval = Approved(
                    now, content.bulletin, content.version, content.manifest, content.title, content.category,
                    content.klass, content.territory, content.valid_from_day, content.valid_until_day,
                )  # fmt: skip
            outlook = foresee(self._facts, orders, stations, officer.key.key_id, approval)
            return Ahead(outlook, stations, orders[0].length_s)

    def slot_s(self, bulletin: str) -> int:
        """Seconds this bulletin would be on the air. NotAllowed: bulletin-unknown, nothing-to-hear."""
        with self._lock:
            return self._length_s(self._bulletin(bulletin))

    @act
    def cancel(self, officer: Officer, series: int, *, reason: str, now: int) -> None:
        """Calls a series off: a schedule, or an emergency (all-clear)."""
        self._cancel(officer, series, reason, now)

    @act
    def cancel_schedule(
        self, officer: Officer, series: int, *, reason: str, territory: str = "", now: int
    ) -> None:
        """Calls a schedule off; also one that a commune ordered itself. NotAllowed("not-a-schedule") for an
        emergency. territory: the commune's, when several have a series of this number.
        """
        if self._decisions.find(Series, series_id(series)) is None:
            order = scheduled_elsewhere(self._facts, series, territory).fact
            target = int(Target.SERIES)
            self._take_back(
                officer,
                Cancelled(now, target, None, series, order.territory, clean_reason(reason)),
                "already-cancelled",
            )
            return
        if self._series(series).is_emergency:
            raise NotAllowed("not-a-schedule", f"series {series} is an emergency", hint="use the all-clear")
        self._cancel(officer, series, reason, now)

    # -- deciding --------------------------------------------------------------------------------------------

    def _orders(
        self,
        officer: Officer,
        found: Bulletin,
        wanted: Wanted,
        *,
        state: str,
        length_s: int | None = None,
        reason: str | None = None,
        now: int,
    ) -> list[Scheduled]:
        """What would be signed, one for each unit; every question asked. NotAllowed."""
        if not 1 <= len(set(wanted.units)) <= UNITS_MAX:
            raise NotAllowed(
                "territory-unknown",
                f"{len(set(wanted.units))} units in one order, from 1 to {UNITS_MAX}",
                hint="choose the unit above them, or a smaller group",
            )
        for unit in wanted.units:
            self._may(officer, Right.SCHEDULE, unit, now)
        if length_s is None:
            length_s = self._length_s(found)
        for unit in wanted.units:
            check_slot(
                self._facts,
                state,
                found.content,
                territory=unit,
                days=wanted.days,
                minute=wanted.minute,
                length_s=length_s,
                late_s=wanted.late_s,
                now=now,
            )
        on_interrupt = within(
            wanted.on_interrupt, OnInterrupt.DROP, OnInterrupt.RESTART, "kind-unknown", "on_interrupt"
        )
        why = None if not reason else accept_line(reason, what="reason", chars_max=REASON_CHARS_MAX)
        series, content = self._next_series(), found.content
        return [
            Scheduled(
                ts=now,
                series=series,
                bulletin=content.bulletin,
                manifest=content.manifest,
                first_day=wanted.days[0],
                days=pack_days(wanted.days[0], wanted.days),
                minute=wanted.minute,
                length_s=length_s,
                territory=unit,
                klass=content.klass,
                late_s=wanted.late_s,
                on_interrupt=on_interrupt,
                reason=why,
            )
            for unit in sorted(set(wanted.units))
        ]

    def _length_s(self, found: Bulletin) -> int:
        """Seconds on the air. NotAllowed("nothing-to-hear")."""
        manifest = read_manifest(self._blobs, found.content.manifest)
        heard_s = sounding_s(self._blobs, manifest)
        if not heard_s:
            raise NotAllowed(
                "nothing-to-hear", "the bulletin has nothing to hear", hint="revise it with words or sound"
            )
        return heard_s

    def _take_back(self, officer: Officer, fact: Cancelled, done_already: str) -> None:
        """What a commune decided is taken back by who may cancel there."""
        self._may(officer, Right.CANCEL, fact.territory, fact.ts)
        if self._decisions.find(TakenBack, taken_back_id(fact)) is not None:
            raise NotAllowed(done_already, "it was taken back already", hint="nothing to do")
        self._decisions.sign(TakenBack.take_back(fact, officer.key.key_id), officer.key)
