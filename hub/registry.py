"""What an administrator decides: stations, quiet hours, tokens, people.

The other half of `hub.commands`, with the same ways: one method per act, asked at the desk, signed by saving.

Bound: no SQL, no rule that belongs to an aggregate or to the register of tokens.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.accounts import AccountRow, Officer
from hub.desk import ALL_RIGHTS, RIGHTS, Desk, act, within
from hub.endings import why_not
from hub.enrolment import Token, window_of
from hub.media import accept_line
from hub.stations import KINDS, QuietHours, StationRecord, quiet_id, station_id
from hub.wishes import BEFORE_S, TERMS_YEARS, YEAR_S, Wish, note_refusal
from ledger.facts import (
    NAME_CHARS_MAX,
    Granted,
    QuietHoursSet,
    Right,
    StationRegistered,
    calendar,
)
from ledger.log import NotAllowed


class Registry(Desk):
    """Acts of administrators. Refusals are NotAllowed with a stable code; `now` is UTC s."""

    # -- stations --------------------------------------------------------------------------------------------

    @act
    def register_station(self, officer: Officer, unit: str, name: str, kind: str, *, now: int) -> None:
        """Registers a station, or changes its name or kind."""
        self._register(officer, unit, name, kind, now)

    @act
    def register_stations(
        self, officer: Officer, stations: Iterable[tuple[str, str, str]], *, now: int
    ) -> int:
        """All of (unit, name, kind) or none; returns how many were new or changed."""
        listed = list(stations)
        with self._ledger.transaction():
            return sum(self._register(officer, unit, name, kind, now) for unit, name, kind in listed)

    @act
    def set_quiet_hours(
        self, officer: Officer, territory: str, from_minute: int, until_minute: int, *, now: int
    ) -> None:
        """Silence from one minute of the day until another; equal minutes mean none."""
        self._may(officer, Right.ADMIN, territory, now)
        for minute in (from_minute, until_minute):
            within(minute, 0, calendar.DAY_MINUTES - 1, "minute-range", "minute")
        fact = QuietHoursSet(now, territory, from_minute, until_minute)
        found = self._decisions.find(QuietHours, quiet_id(territory))
        if found is None:
            self._decisions.sign(QuietHours.begin(fact, officer.key.key_id), officer.key)
        elif found.move(fact, officer.key.key_id):
            self._decisions.sign(found, officer.key)

    @act
    def new_station_token(self, officer: Officer, unit: str, *, now: int) -> Token:
        """A one-time token for the station's device. Shown once; the hub cannot show it again."""
        return self._token(officer, unit, now)

    @act
    def new_station_tokens(self, officer: Officer, units: Iterable[str], *, now: int) -> list[Token]:
        listed = list(units)
        with self._ledger.transaction():
            return [self._token(officer, unit, now) for unit in listed]

    # -- accounts --------------------------------------------------------------------------------------------

    @act
    def create_account(
        self, officer: Officer, *, account: str, name: str, role: str, territory: str, password: str, now: int
    ) -> AccountRow:
        """A person with a key, and the grant that says what the key may sign.

        The account comes first: an account whose grant was never sealed can do nothing, while a grant to a
        key that nobody holds would stand in the ledger for ever.
        """
        self._may(officer, Right.GRANT, territory, now)
        key = self._accounts.add(
            account, name=name, role=role, territory=territory, password=password, now=now
        )
        row = self._accounts.row(account.strip().lower())
        assert row is not None, "it was just added"
        not_before, not_after = window_of(self._facts, officer.key.key_id, now)
        fact = Granted(
            ts=now,
            subject_pub=key.verify_key.raw,
            classes=int(ALL_RIGHTS if role == "admin" else RIGHTS[role]),
            territory=territory,
            not_before=not_before,
            not_after=not_after,
            depth=self._depth_below(officer) if role == "admin" else 0,
            label=row.name,
        )
        self._ledger.append_sealed(officer.key, fact.encode())
        return row

    @act
    def disable_account(self, officer: Officer, account: str, *, now: int) -> None:
        """Nobody logs in with it any more. What its key signed stays signed."""
        row = self._accounts.row(account)
        if row is None:
            raise NotAllowed(
                "account-unknown", f"there is no account {account!r}", hint="look at the list of accounts"
            )
        self._may(officer, Right.GRANT, row.territory, now)
        self._accounts.set_enabled(account, False)

    # -- people of communes ----------------------------------------------------------------------------------

    @act
    def grant_wish(self, officer: Officer, wish: Wish, *, years: int, now: int) -> Granted:
        """Gives a commune's person the rights that their key asks for, for exactly that commune.

        NotAllowed: no-right, proof-needed, nothing-to-give, years-range, grant-… when it would not count.
        """
        self._may(officer, Right.GRANT, wish.unit, now)
        self._proven(officer, now)
        within(years, min(TERMS_YEARS), max(TERMS_YEARS), "years-range", "years")
        if not wish.givable:
            raise NotAllowed(
                "nothing-to-give", "your own key holds none of what this one asks for", where=wish.label,
                hint="a root, or an administrator with these rights, has to grant it",
            )  # fmt: skip
        not_before, not_after = window_of(self._facts, officer.key.key_id, now)
        fact = Granted(
            ts=now,
            subject_pub=wish.pub,
            classes=int(wish.givable),
            territory=wish.unit,
            not_before=max(not_before, now - BEFORE_S),
            not_after=min(not_after, now + years * YEAR_S),
            depth=0,
            label=wish.label,
        )
        with self._ledger.transaction():
            stored = self._ledger.append_sealed(officer.key, fact.encode())
            refusal = why_not(self._facts, stored)
            if refusal:
                raise NotAllowed(
                    refusal, "this grant would not count", where=wish.label,
                    hint="a root, or an administrator with these rights, has to grant it",
                )  # fmt: skip
        return fact

    @act
    def refuse_wish(self, officer: Officer, wish: Wish, *, now: int) -> None:
        """Answers no; the key stays without rights. Asked again, it is shown again."""
        self._may(officer, Right.GRANT, wish.unit, now)
        note_refusal(self._ledger, wish, officer.account, now)

    def _register(self, officer: Officer, unit: str, name: str, kind: str, now: int) -> bool:
        self._may(officer, Right.ADMIN, unit, now)
        if kind not in KINDS:
            raise NotAllowed(
                "kind-unknown", f"a station is it or fm, not {kind!r}", where=unit, hint="correct it"
            )
        fact = StationRegistered(now, unit, accept_line(name, what="name", chars_max=NAME_CHARS_MAX), kind)
        found = self._decisions.find(StationRecord, station_id(unit))
        if found is None:
            self._decisions.sign(StationRecord.register(fact, officer.key.key_id), officer.key)
            return True
        if found.change(fact, officer.key.key_id):
            self._decisions.sign(found, officer.key)
            return True
        return False

    def _token(self, officer: Officer, unit: str, now: int) -> Token:
        self._may(officer, Right.ADMIN, unit, now)
        if unit not in self._facts.stations:
            raise NotAllowed(
                "station-unknown", f"no station is registered at {unit}", hint="register it first"
            )
        # An FM commune may have a box too: it plays nothing, and its people read the plan and answer there.
        return self._enrolment.new_token(unit, now=now)

    def _depth_below(self, officer: Officer) -> int:
        depths = [
            g.depth for g in self._facts.authority.grants_of(officer.key.key_id) if g.classes & Right.GRANT
        ]
        return max(0, max(depths, default=1) - 1)
