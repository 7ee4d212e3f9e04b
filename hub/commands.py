"""Every human act at the hub: load, ask, decide, sign. One method per act. (Administrators': `hub.registry`.)

A command checks what concerns the desk (clean text, the role's and the key's right for the territory, a
fresh password where it must be), lets the aggregate apply its rules, and saves: the save is the signature.
When somebody else was faster the whole command runs again on what stands now. Right after it the
projections catch up, so an officer sees the own act at once.

Bound: no SQL and no rule that belongs to an aggregate; the plan is `hub.timetable`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from hub.accounts import Officer
from hub.bulletins import Bulletin
from hub.desk import act, clean_reason, from_hex, within
from hub.duty import Duty
from hub.elsewhere import approved_elsewhere
from hub.endings import Endings
from hub.media import (
    Composed,
    Part,
    Relay,
    Upload,
    accept_line,
    read_manifest,
)
from hub.mergers import Mergers
from hub.papers import Papers
from hub.registry import Registry
from hub.timetable import Timetable
from ledger.facts import (
    CATEGORY_CHARS_MAX,
    TITLE_CHARS_MAX,
    Cancelled,
    Drafted,
    Klass,
    Right,
    Target,
    calendar,
)
from ledger.log import NotAllowed


class Commands(Registry, Mergers, Endings, Papers, Duty, Timetable):
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
        more: Sequence[Part] = (),
        like: str = "",
        keep_audio: bool = True,
        now: int,
    ) -> str:
        """A new bulletin, version 1; returns its id (32 hex digits). relay: a live programme; class relay.

        more: other languages, pictures, documents. like: the bulletin whose sound and parts are taken over
        where none is given.
        """
        self._may(officer, Right.DRAFT, territory, now)
        source = read_manifest(self._blobs, self._bulletin(like).content.manifest) if like else None
        kept = source.audio() if source is not None and keep_audio else None
        composed = self._compose(text, audio, kept, relay, more, source)
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
        more: Sequence[Part] = (),
        now: int,
    ) -> int:
        """The next version over `version`, which the officer saw; returns its number. A draft again."""
        found = self._bulletin(bulletin)
        self._may(officer, Right.DRAFT, found.content.territory, now)
        self._may(officer, Right.DRAFT, territory, now)
        source = read_manifest(self._blobs, found.content.manifest)
        kept = source.audio() if keep_audio else None
        composed = self._compose(text, audio, kept, relay, more, source)
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
