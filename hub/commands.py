"""Every human act at the hub: load, ask, decide, sign. One method per act. (Administrators': `hub.registry`.)

A command checks what concerns the desk (clean text, the role's and the key's right for the territory, a
fresh password where it must be), lets the aggregate apply its rules, and saves: the save is the signature.
When somebody else was faster the whole command runs again on what stands now. Right after it the
projections catch up, so an officer sees the own act at once.

Bound: no SQL and no rule that belongs to an aggregate; scheduling's rules that need the plan are in
`hub.planning`.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from hub.accounts import Officer
from hub.bulletins import Bulletin
from hub.desk import act, clean_reason, from_hex, within
from hub.duty import Duty
from hub.elsewhere import TakenBack, approved_elsewhere, scheduled_elsewhere, taken_back_id
from hub.endings import Endings
from hub.media import (
    Composed,
    Relay,
    Upload,
    accept_line,
    accept_text,
    attention_signal,
    read_manifest,
    read_text,
)
from hub.papers import Papers
from hub.planning import emergency_window
from hub.registry import Registry
from hub.schedules import EMERGENCY_CODES, Series, series_id
from ledger.facts import (
    CATEGORY_CHARS_MAX,
    REASON_CHARS_MAX,
    TEXT_CHARS_MAX,
    TITLE_CHARS_MAX,
    Cancelled,
    Drafted,
    EmergencyOrdered,
    Klass,
    OnInterrupt,
    Right,
    Scheduled,
    Target,
    calendar,
    check_slot,
    decisions,
    draw_series,
    pack_days,
)
from ledger.log import NotAllowed
from ledger.spoken import read_aloud, reading_s


class Commands(Registry, Endings, Papers, Duty):
    """All of them refuse with NotAllowed and a stable code; `now` is UTC s."""

    # -- bulletins -------------------------------------------------------------------------------------------

    @act
    def draft_bulletin(
        self,
        officer: Officer,
        *,
        title: str,
        category: str,
        klass: int,
        territory: str,
        valid_from_day: int,
        valid_until_day: int,
        text: str,
        audio: Upload | bytes | None = None,
        relay: Relay | None = None,
        now: int,
    ) -> str:
        """A new bulletin, version 1; returns its id (32 hex digits). relay: a live programme; class relay."""
        self._may(officer, Right.DRAFT, territory, now)
        composed = self._compose(text, audio, None, relay)
        bulletin = self._entropy(16)
        fact = self._drafted(
            bulletin, 1, composed, title, category, klass, territory, valid_from_day, valid_until_day, now
        )
        self._decisions.sign(Bulletin.begin(fact, officer.key.key_id), officer.key)
        return bulletin.hex()

    @act
    def revise_bulletin(
        self,
        officer: Officer,
        bulletin: str,
        *,
        version: int,
        title: str,
        category: str,
        klass: int,
        territory: str,
        valid_from_day: int,
        valid_until_day: int,
        text: str,
        audio: Upload | bytes | None = None,
        keep_audio: bool = True,
        relay: Relay | None = None,
        now: int,
    ) -> int:
        """The next version over `version`, which the officer saw; returns its number. A draft again."""
        found = self._bulletin(bulletin)
        self._may(officer, Right.DRAFT, found.content.territory, now)
        self._may(officer, Right.DRAFT, territory, now)
        kept = read_manifest(self._blobs, found.content.manifest).audio() if keep_audio else None
        composed = self._compose(text, audio, kept, relay)
        fact = self._drafted(
            found.content.bulletin,
            found.content.version + 1,
            composed,
            title,
            category,
            klass,
            territory,
            valid_from_day,
            valid_until_day,
            now,
        )
        found.revise(fact, officer.key.key_id, seen_version=version)
        self._decisions.sign(found, officer.key)
        return fact.version

    @act
    def submit(self, officer: Officer, bulletin: str, *, now: int) -> None:
        """Hands the current version to the approvers."""
        found = self._bulletin(bulletin)
        self._may(officer, Right.DRAFT, found.content.territory, now)
        found.submit(now, officer.key.key_id)
        self._decisions.sign(found, officer.key)

    @act
    def approve(
        self, officer: Officer, bulletin: str, *, version: int, manifest: bytes | str, now: int
    ) -> None:
        """Approves exactly this version with exactly this manifest (32 bytes or 64 hex digits)."""
        found = self._bulletin(bulletin)
        self._may(officer, Right.APPROVE, found.content.territory, now)
        self._proven(officer, now)
        found.approve(
            now,
            officer.key.key_id,
            officer.account,
            version=version,
            manifest=manifest if isinstance(manifest, bytes) else from_hex(manifest),
            account_of=lambda key_id: self._accounts.holder(key_id).account,
        )
        self._decisions.sign(found, officer.key)

    @act
    def return_bulletin(self, officer: Officer, bulletin: str, *, reason: str, now: int) -> None:
        """Sends a submitted version back to its author."""
        found = self._bulletin(bulletin)
        self._may(officer, Right.APPROVE, found.content.territory, now)
        found.send_back(now, officer.key.key_id, clean_reason(reason))
        self._decisions.sign(found, officer.key)

    @act
    def withdraw(self, officer: Officer, bulletin: str, *, reason: str, now: int) -> None:
        """Takes the bulletin back for ever, in all its territory; also one that a commune approved itself."""
        elsewhere = approved_elsewhere(self._facts, from_hex(bulletin))
        if elsewhere is not None and not self._is_ours(bulletin):
            target = int(Target.BULLETIN)
            self._take_back(
                officer,
                Cancelled(now, target, elsewhere.bulletin, None, elsewhere.territory, clean_reason(reason)),
                "withdrawn",
            )
            return
        found = self._bulletin(bulletin)
        self._may(officer, Right.CANCEL, found.content.territory, now)
        found.withdraw(now, officer.key.key_id, clean_reason(reason))
        self._decisions.sign(found, officer.key)

    # -- plan ------------------------------------------------------------------------------------------------

    @act
    def schedule(
        self,
        officer: Officer,
        bulletin: str,
        *,
        territory: str,
        days: Iterable[int],
        minute: int,
        length_s: int | None = None,
        late_s: int = 900,
        on_interrupt: int = int(OnInterrupt.DROP),
        reason: str | None = None,
        now: int,
    ) -> int:
        """Puts an approved bulletin on the plan; returns the series. days: local days; minute: 0–1439.

        length_s: of the slot; when None, of the recording or of the words read out. late_s: how long after it
        a start still counts.
        """
        found = self._bulletin(bulletin)
        self._may(officer, Right.SCHEDULE, territory, now)
        manifest = read_manifest(self._blobs, found.content.manifest)
        sound = manifest.stream() or manifest.audio()
        words = "" if sound is not None else read_text(self._blobs, manifest)
        if sound is None and not words:
            raise NotAllowed(
                "nothing-to-hear", "the bulletin has nothing to hear", hint="revise it with words or sound"
            )
        if length_s is None and sound is not None:
            length_s = max(1, -(-sound.duration_ms // 1000))
        elif length_s is None:
            length_s = reading_s(read_aloud(words))  # stations read it out
        wanted = sorted(set(days))
        check_slot(
            self._facts,
            found.state,
            found.content,
            territory=territory,
            days=wanted,
            minute=minute,
            length_s=length_s,
            late_s=late_s,
            now=now,
        )
        fact = Scheduled(
            ts=now,
            series=self._next_series(),
            bulletin=found.content.bulletin,
            manifest=found.content.manifest,
            first_day=wanted[0],
            days=pack_days(wanted[0], wanted),
            minute=minute,
            length_s=length_s,
            territory=territory,
            klass=found.content.klass,
            late_s=late_s,
            on_interrupt=within(
                on_interrupt, OnInterrupt.DROP, OnInterrupt.RESTART, "kind-unknown", "on_interrupt"
            ),
            reason=None if not reason else accept_line(reason, what="reason", chars_max=REASON_CHARS_MAX),
        )
        return self._order(Series.plan(fact, officer.key.key_id), officer)

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
        now: int,
    ) -> int:
        """Everything under `territory` plays this at once, over anything else; returns the series.

        level: 1–3, the higher goes first. expires_at: UTC s, two hours from the start when None, at most a
        day. Without a recording an attention signal is made, another one for a drill.
        """
        self._may(officer, Right.EMERGENCY, territory, now)
        self._proven(officer, now)
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
        fact = EmergencyOrdered(
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
        return self._order(Series.command(fact, officer.key.key_id), officer)

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

    @act
    def cancel_emergency(self, officer: Officer, series: int, *, reason: str, now: int) -> None:
        """All-clear. NotAllowed("not-an-emergency") for a schedule."""
        if not self._series(series).is_emergency:
            raise NotAllowed("not-an-emergency", f"series {series} is a schedule", hint="cancel the schedule")
        self._cancel(officer, series, reason, now)

    # -- deciding --------------------------------------------------------------------------------------------

    def _drafted(
        self,
        bulletin: bytes,
        version: int,
        composed: Composed,
        title: str,
        category: str,
        klass: int,
        territory: str,
        valid_from_day: int,
        valid_until_day: int,
        now: int,
    ) -> Drafted:
        within(klass, Klass.FILLER, Klass.PRIORITY, "klass-range", "klass")
        if composed.manifest.stream() is not None and klass > Klass.RELAY:
            raise NotAllowed(
                "relay-class", "a live relay gives way to every bulletin", where="klass", hint="choose relay"
            )
        within(valid_from_day, 0, calendar.DAY_MAX, "days-range", "first day")
        within(valid_until_day, valid_from_day, calendar.DAY_MAX, "days-range", "last day")
        return Drafted(
            ts=now,
            bulletin=bulletin,
            version=version,
            manifest=composed.sha256,
            title=accept_line(title, what="title", chars_max=TITLE_CHARS_MAX),
            category=accept_line(category, what="category", chars_max=CATEGORY_CHARS_MAX),
            klass=klass,
            territory=territory,
            valid_from_day=valid_from_day,
            valid_until_day=valid_until_day,
        )

    def _is_ours(self, bulletin: str) -> bool:
        return self._decisions.find(Bulletin, UUID(bytes=from_hex(bulletin))) is not None

    def _take_back(self, officer: Officer, fact: Cancelled, done_already: str) -> None:
        """What a commune decided is taken back by who may cancel there."""
        self._may(officer, Right.CANCEL, fact.territory, fact.ts)
        if self._decisions.find(TakenBack, taken_back_id(fact)) is not None:
            raise NotAllowed(done_already, "it was taken back already", hint="nothing to do")
        self._decisions.sign(TakenBack.take_back(fact, officer.key.key_id), officer.key)

    def _next_series(self) -> int:
        return draw_series(self._facts, self._entropy, commune=False)

    def _order(self, aggregate: Series, officer: Officer) -> int:
        self._decisions.sign(aggregate, officer.key)
        return aggregate.ordered.series

    def _cancel(self, officer: Officer, series: int, reason: str, now: int) -> None:
        found = self._series(series)
        self._may(officer, Right.CANCEL, found.ordered.territory, now)
        found.cancel(now, officer.key.key_id, clean_reason(reason))
        self._decisions.sign(found, officer.key)
