"""Emergencies: ordered by one person, or by a second one after the first proposed it; and the all-clear.

The policy (`HubConfig.second_person`) asks for a second person before a real emergency is on the air, never
before a drill. It can delay and never forbid: whoever proposed may order alone, with a reason that is signed,
after `WAIT_S` or as soon as nobody else is at work. Nobody's silence signs anything: going alone is a press
with a password like every other order, and a proposal that nobody takes up expires.

Bound: acts of people at this desk. `present` are the accounts at work, which the pages know; what an order
does is `ledger.facts.plan`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from hub.accounts import Officer, Person
from hub.desk import RIGHTS, Desk, act, clean_reason, within
from hub.media import Upload, accept_text, attention_signal
from hub.planning import emergency_window
from hub.proposals import Proposal, proposal_id
from hub.schedules import EMERGENCY_CODES, Series, series_id
from ledger.facts import (
    TEXT_CHARS_MAX,
    Consent,
    EmergencyOrdered,
    EmergencyProposed,
    Facts,
    Right,
    Standing,
    Step,
    consent_of,
    decisions,
    draw_series,
    open_proposal,
    proposed_content,
)
from ledger.log import NotAllowed

WAIT_S: Final = {"never": 0, "when-available": 30, "always": 120}
"""Seconds after which whoever proposed may order alone, by policy. Under `when-available` that, with the time
to type, keeps the way to the air below a minute; under `always` a second person may first have to sign in."""

OPEN_S: Final = 600  # how long a proposal may be taken up: a danger that is ten minutes old is described anew


@dataclass(frozen=True)
class Waiting:
    """A proposal that may be taken up now. content: the hash whoever seconds it must have seen."""

    series: int
    fact: EmergencyProposed
    key_id: bytes
    position: int
    content: bytes


class Emergencies(Desk):
    """Refusals are NotAllowed with a stable code; `now` is UTC s."""

    # -- who ------------------------------------------------------------------------------------------------

    def seconds(self, officer: Officer, territory: str, *, now: int) -> list[Person]:
        """Who else at this hub may order an emergency over this whole territory, by name."""
        found = []
        for row in self._accounts.rows():
            key_id = bytes.fromhex(row.key_id)
            if (
                row.enabled
                and row.account != officer.account
                and key_id != officer.key.key_id
                and RIGHTS.get(row.role, Right(0)) & Right.EMERGENCY
                and self._facts.authority.may(key_id, Right.EMERGENCY, territory, now)
            ):
                found.append(Person(row.key_id, row.account, row.name))
        return sorted(found, key=lambda person: person.name)

    def may_second(self, officer: Officer, one: Waiting, *, now: int) -> bool:
        """True when this proposal is for this officer to take up."""
        return (
            one.key_id != officer.key.key_id
            and self._accounts.holder(one.key_id).account != officer.account
            and bool(RIGHTS.get(officer.role, Right(0)) & Right.EMERGENCY)
            and self._facts.authority.may(officer.key.key_id, Right.EMERGENCY, one.fact.territory, now)
        )

    def asks_a_second(
        self, officer: Officer, territory: str, *, drill: bool, present: Collection[str], now: int
    ) -> bool:
        """True when the policy wants a proposal before the order. present: accounts at work now."""
        policy = self._config.second_person
        if drill or policy == "never":
            return False
        if policy == "always":
            return True
        return any(one.account in present for one in self.seconds(officer, territory, now=now))

    def alone_at(
        self, officer: Officer, asked: EmergencyProposed, *, present: Collection[str], now: int
    ) -> int:
        """From when (UTC s) the author of a proposal may order it alone."""
        policy = self._config.second_person
        others = self.seconds(officer, asked.territory, now=now)
        if policy != "always" and not any(one.account in present for one in others):
            return asked.ts
        return asked.ts + WAIT_S[policy]

    # -- acts -----------------------------------------------------------------------------------------------

    @act
    def order_emergency(
        self,
        officer: Officer,
        *,
        kind: str,
        level: int,
        text: str,
        audio: Upload | bytes | None = None,
        territory: str,
        expires_at: int | None = None,
        drill: bool = False,
        max_plays: int = 1,
        not_before: int | None = None,
        present: Collection[str] = (),
        now: int,
    ) -> int:
        """Everything under `territory` plays this at once, over anything else; returns the series.

        level: 1–3, the higher goes first. expires_at: UTC s, two hours from the start when None, at most a
        day. Without a recording an attention signal is made, another one for a drill.
        NotAllowed("second-person") when the policy wants it proposed first.
        """
        self._may_order(officer, territory, now)
        if self.asks_a_second(officer, territory, drill=drill, present=present, now=now):
            raise NotAllowed(
                "second-person", "a second person is asked first", hint="propose it; another one signs"
            )
        fact = self._written(
            kind, level, text, audio, territory, expires_at, drill, max_plays, not_before, now
        )
        return self._on_air(fact, officer)

    @act
    def propose_emergency(
        self,
        officer: Officer,
        *,
        kind: str,
        level: int,
        text: str,
        audio: Upload | bytes | None = None,
        territory: str,
        expires_at: int | None = None,
        drill: bool = False,
        max_plays: int = 1,
        now: int,
    ) -> int:
        """Asks a second person to order this; nothing is on the air. Returns the series it will have.

        What this officer had proposed before and is still open is dropped: one person asks for one thing.
        """
        self._may_order(officer, territory, now)
        order = self._written(kind, level, text, audio, territory, expires_at, drill, max_plays, None, now)
        fact = EmergencyProposed(
            now, order.series, order.kind, order.level, order.drill, order.manifest, order.text,
            order.territory, order.expires_at, order.max_plays, int(Step.ASKED),
            min(now + OPEN_S, order.expires_at), "",
        )  # fmt: skip
        with self._ledger.transaction():
            for one in waiting(self._facts, now):
                if one.key_id == officer.key.key_id:
                    self._drop(officer, one.series, now)
            self._decisions.sign(Proposal.ask(fact, officer.key.key_id), officer.key)
        return fact.series

    @act
    def second_emergency(self, officer: Officer, series: int, *, content: bytes, now: int) -> int:
        """The second person orders exactly what was proposed. content: of what was on the page.

        NotAllowed: proposal-unknown, proposal-closed, second-self, content-changed.
        """
        found = self._proposal(series)
        self._may_order(officer, found.asked.territory, now)
        if self._accounts.holder(found.by).account == officer.account:
            raise NotAllowed(
                "second-self", "who proposes is not the second person", hint="somebody else signs"
            )
        self._counts(series, now)
        return self._on_air(found.taken_up(now, officer.key.key_id, content), officer)

    @act
    def order_alone(
        self, officer: Officer, series: int, *, reason: str, present: Collection[str], now: int
    ) -> int:
        """Whoever proposed orders it without a second person, and signs why.

        NotAllowed: second-person before `alone_at`; proposal-unknown, proposal-closed, not-yours.
        """
        found = self._proposal(series)
        self._may_order(officer, found.asked.territory, now)
        said = clean_reason(reason)
        self._counts(series, now)
        order = found.alone(now, officer.key.key_id, said)
        from_s = self.alone_at(officer, found.asked, present=present, now=now)
        if now < from_s:
            raise NotAllowed(
                "second-person", f"somebody else is at work: {from_s - now} s more", hint="wait that long"
            )
        with self._ledger.transaction():
            self._decisions.sign(found, officer.key)
            return self._on_air(order, officer)

    @act
    def drop_proposal(self, officer: Officer, series: int, *, now: int) -> None:
        """Whoever proposed takes it back. NotAllowed: proposal-unknown, proposal-closed, not-yours."""
        self._counts(series, now)
        self._drop(officer, series, now)

    @act
    def cancel_emergency(self, officer: Officer, series: int, *, reason: str, now: int) -> None:
        """All-clear. NotAllowed("not-an-emergency") for a schedule."""
        if not self._series(series).is_emergency:
            raise NotAllowed("not-an-emergency", f"series {series} is a schedule", hint="cancel the schedule")
        self._cancel(officer, series, reason, now)

    # -- deciding -------------------------------------------------------------------------------------------

    def _may_order(self, officer: Officer, territory: str, now: int) -> None:
        self._may(officer, Right.EMERGENCY, territory, now)
        self._proven(officer, now)

    def _written(
        self,
        kind: str,
        level: int,
        text: str,
        audio: Upload | bytes | None,
        territory: str,
        expires_at: int | None,
        drill: bool,
        max_plays: int,
        not_before: int | None,
        now: int,
    ) -> EmergencyOrdered:
        """What the form says, checked and composed. Nobody has signed it yet."""
        if kind not in EMERGENCY_CODES:
            raise NotAllowed(
                "kind-unknown", f"there is no emergency kind {kind!r}", hint="choose one of the list"
            )
        within(level, 1, 3, "level-range", "level")
        within(max_plays, 1, decisions.EMERGENCY_PLAYS_MAX, "level-range", "max_plays")
        begins, ends = emergency_window(not_before, expires_at, now)
        said = accept_text(text, what="text", chars_max=TEXT_CHARS_MAX)
        if not said:
            raise NotAllowed("text-empty", "an emergency needs words", where="text", hint="say what to do")
        composed = self._compose(said, attention_signal(drill=drill) if audio is None else audio, None)
        return EmergencyOrdered(
            ts=now,
            series=self._next_series(),
            kind=kind,
            level=level,
            drill=drill,
            manifest=composed.sha256,
            text=said,
            territory=territory,
            not_before=begins,
            expires_at=ends,
            max_plays=max_plays,
        )

    def _proposal(self, series: int) -> Proposal:
        found = self._decisions.find(Proposal, proposal_id(series))
        if found is None:
            raise NotAllowed("proposal-unknown", f"nothing was proposed as {series}", hint="look at the list")
        return found

    def _counts(self, series: int, now: int) -> None:
        """What was proposed by a key that has ended since, or stands on the air already, is not taken up."""
        if (
            open_proposal(self._facts.proposals.get(series, ()), ordered=self._is_ordered(series), now=now)
            is None
        ):
            raise NotAllowed(
                "proposal-closed", "this proposal is not open any more", hint="write the order anew"
            )

    def _is_ordered(self, series: int) -> bool:
        return self._decisions.find(Series, series_id(series)) is not None

    def _drop(self, officer: Officer, series: int, now: int) -> None:
        found = self._proposal(series)
        found.drop(now, officer.key.key_id)
        self._decisions.sign(found, officer.key)

    def _next_series(self) -> int:
        while True:
            series = draw_series(self._facts, self._entropy, commune=False)
            if series not in self._facts.proposals:
                return series

    def _on_air(self, fact: EmergencyOrdered, officer: Officer) -> int:
        self._decisions.sign(Series.command(fact, officer.key.key_id), officer.key)
        return fact.series

    def _cancel(self, officer: Officer, series: int, reason: str, now: int) -> None:
        found = self._series(series)
        self._may(officer, Right.CANCEL, found.territory, now)
        if found.is_emergency:
            self._proven(officer, now)
        found.cancel(now, officer.key.key_id, clean_reason(reason))
        self._decisions.sign(found, officer.key)


# -- asking --------------------------------------------------------------------------------------------------


def waiting(facts: Facts, now: int) -> list[Waiting]:
    """Every proposal that may be taken up at `now`, the oldest first."""
    found = []
    for series, said in facts.proposals.items():
        if said[0].fact.open_until < now:
            continue
        asked = open_proposal(said, ordered=series in facts.orders, now=now)
        if asked is not None:
            content = proposed_content(asked.fact)
            found.append(Waiting(series, asked.fact, asked.key_id, asked.position, content))
    return sorted(found, key=lambda one: one.position)


def in_force(facts: Facts, now: int) -> list[Standing[EmergencyOrdered]]:
    """Orders that have not expired and were not called off in all their territory, real ones first."""
    found = [
        order
        for orders in facts.emergencies.values()
        for order in orders
        if order.fact.expires_at > now and facts.withdrawal_of(order, order.fact.territory) is None
    ]
    return sorted(found, key=lambda one: (one.fact.drill, -one.fact.level, -one.position))


def how_ordered(facts: Facts, series: int) -> Consent:
    """Whether two people stand for an order, one alone with a reason, or nobody was asked."""
    orders = facts.emergencies.get(series, ())
    return consent_of(orders[-1], facts.proposals.get(series, ())) if orders else Consent()
