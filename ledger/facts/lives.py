"""The life of one bulletin: its states and the rules of approval, the same at a hub and at a station.

    draft ──submit──► submitted ──approve──► approved
      ▲                  │                      │
      └──── revise ◄── return (returned)  ◄─────┘ revise     any of them ──withdraw──► withdrawn, for ever

Four eyes: whoever wrote any version of a bulletin never approves any version of it, judged by key and by
account, because an account may be given a new key. An approval names version and manifest exactly as the
approver saw them; when either has changed meanwhile, it is refused. Every edit makes a new version that
needs its own approval; what was approved before stays approved as those exact bytes until it is withdrawn,
but is not scheduled anew. Nothing here looks at a clock except to refuse: no method approves because time
has passed.

Bound: rules only, on values. Each act returns the fact to be signed, and changes nothing; who may sign in
which territory, and signing itself, is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ledger.facts.calendar import local_day
from ledger.facts.decisions import Approved, Cancelled, Drafted, Returned, Submitted, Target
from ledger.log.errors import NotAllowed

DRAFT: Final = "draft"
SUBMITTED: Final = "submitted"
APPROVED: Final = "approved"
RETURNED: Final = "returned"
WITHDRAWN: Final = "withdrawn"

Stage: TypeAlias = Drafted | Submitted | Returned | Approved | Cancelled


@dataclass(frozen=True)
class Life:
    """authors: the keys that wrote any version, sorted. draft: the current version."""

    state: str = DRAFT
    authors: tuple[bytes, ...] = ()
    draft: Drafted | None = None

    @property
    def content(self) -> Drafted:
        """The current version."""
        assert self.draft is not None, "a bulletin begins with a draft"
        return self.draft

    def then(self, fact: Stage, signer: bytes) -> Life:
        """After one decision. Holds no rule: it also reads what was signed long ago."""
        if isinstance(fact, Drafted):
            return Life(DRAFT, tuple(sorted({*self.authors, signer})), fact)
        if isinstance(fact, Submitted):
            return replace(self, state=SUBMITTED)
        if isinstance(fact, Approved):
            return replace(self, state=APPROVED)
        if isinstance(fact, Returned):
            return replace(self, state=RETURNED)
        return replace(self, state=WITHDRAWN)

    # -- acts ------------------------------------------------------------------------------------------------

    def check_revise(self, seen_version: int) -> None:
        """May a next version be written over this one? NotAllowed("withdrawn" | "version-changed")."""
        self._not_withdrawn()
        self._same_version(seen_version)

    def submit(self, ts: int) -> Submitted:
        """Hands the current version to the approvers. NotAllowed("withdrawn" | "not-draft")."""
        self._not_withdrawn()
        if self.state != DRAFT:
            raise NotAllowed(
                "not-draft",
                f"the bulletin is {self.state}, not a draft",
                hint="change it first: what was returned comes back only as a new version",
            )
        now = self.content
        return Submitted(ts, now.bulletin, now.version, now.manifest)

    def approve(
        self,
        ts: int,
        signer: bytes,
        account: str,
        *,
        version: int,
        manifest: bytes,
        account_of: Callable[[bytes], str],
    ) -> Approved:
        """One person, who wrote none of it, says yes to exactly this. account_of: who holds a key (""
        unknown).

        NotAllowed("withdrawn" | "already-approved" | "not-submitted" | "version-changed" |
        "content-changed" | "four-eyes-key" | "four-eyes-account" | "expired").
        """
        self._not_withdrawn()
        if self.state == APPROVED:
            raise NotAllowed("already-approved", "this version is approved already", hint="nothing to do")
        if self.state != SUBMITTED:
            raise NotAllowed(
                "not-submitted", f"the bulletin is {self.state}", hint="its author must submit it first"
            )
        self._same_version(version)
        now = self.content
        if manifest != now.manifest:
            raise NotAllowed(
                "content-changed", "what you looked at is not what stands here now", hint="look at it again"
            )
        if signer in self.authors:
            raise NotAllowed(
                "four-eyes-key",
                "nobody approves what they wrote",
                hint="another person with the right must approve",
            )
        if account in {account_of(author) for author in self.authors}:
            raise NotAllowed(
                "four-eyes-account",
                "this account wrote a version of it, under another key",
                hint="another person with the right must approve",
            )
        if now.valid_until_day < local_day(ts):
            raise NotAllowed(
                "expired", "its last day has passed", hint="revise its days, then submit it again"
            )
        return _approval_of(now, ts)

    def send_back(self, ts: int, reason: str) -> Returned:
        """Back to its author with the reason. NotAllowed("withdrawn" | "not-submitted")."""
        self._not_withdrawn()
        if self.state != SUBMITTED:
            raise NotAllowed(
                "not-submitted", f"the bulletin is {self.state}", hint="only what is submitted comes back"
            )
        return Returned(ts, self.content.bulletin, self.content.version, reason)

    def withdraw(self, ts: int, reason: str) -> Cancelled:
        """Takes every version back, for ever. NotAllowed("withdrawn")."""
        self._not_withdrawn()
        now = self.content
        return Cancelled(ts, int(Target.BULLETIN), now.bulletin, None, now.territory, reason)

    # -- rules -----------------------------------------------------------------------------------------------

    def _not_withdrawn(self) -> None:
        if self.state == WITHDRAWN:
            raise NotAllowed("withdrawn", "the bulletin was withdrawn for good", hint="write a new one")

    def _same_version(self, version: int) -> None:
        if version != self.content.version:
            raise NotAllowed(
                "version-changed",
                f"you looked at version {version}, now it is {self.content.version}",
                hint="look at the new version first",
            )


def _approval_of(draft: Drafted, ts: int) -> Approved:
    return Approved(
        ts=ts,
        bulletin=draft.bulletin,
        version=draft.version,
        manifest=draft.manifest,
        title=draft.title,
        category=draft.category,
        klass=draft.klass,
        territory=draft.territory,
        valid_from_day=draft.valid_from_day,
        valid_until_day=draft.valid_until_day,
    )
