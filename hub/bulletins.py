"""The bulletin: its states and the rules of approval. The rules stand here and nowhere else.

    draft ──submit──► submitted ──approve──► approved
      ▲                  │                      │
      └──── revise ◄── return (returned)  ◄─────┘ revise     any of them ──withdraw──► withdrawn, for ever

Four eyes: whoever wrote any version of a bulletin never approves any version of it, judged by key and by
account, because an account may be given a new key. An approval names version and manifest exactly as the
approver saw them; when either has changed meanwhile, it is refused. Every edit makes a new version that
needs its own approval; what was approved before stays approved as those exact bytes until it is withdrawn,
but is not scheduled anew. Nothing here looks at a clock except to refuse: no method approves because time
has passed.

Bound: rules only; who may sign in which territory is asked by `hub.commands`, what follows is `ledger.facts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from ledger.facts import (
    decisions,
    local_day,
)
from ledger.log import NotAllowed
from ledger.recorder import DecisionAggregate

DRAFT = "draft"
SUBMITTED = "submitted"
APPROVED = "approved"
RETURNED = "returned"
WITHDRAWN = "withdrawn"
STATES = (DRAFT, SUBMITTED, APPROVED, RETURNED, WITHDRAWN)

# The topics a commune hears about, after the province's own programme. Codes travel, words are for people.
CATEGORIES: tuple[tuple[str, str], ...] = (
    ("chinh-sach", "Chủ trương, chính sách"),
    ("phap-luat", "Phổ biến pháp luật"),
    ("an-ninh", "An ninh, trật tự"),
    ("thien-tai", "Phòng, chống thiên tai"),
    ("chay-no", "Phòng cháy, chữa cháy"),
    ("giao-thong", "An toàn giao thông"),
    ("y-te", "Y tế, dịch bệnh"),
    ("thuc-pham", "An toàn thực phẩm"),
    ("ma-tuy", "Phòng, chống ma túy, mại dâm, cờ bạc"),
    ("moi-truong", "Môi trường"),
    ("nong-nghiep", "Nông nghiệp, thời vụ"),
    ("van-hoa", "Văn hóa, xã hội, giáo dục"),
    ("guong-tot", "Người tốt, việc tốt"),
    ("thong-bao", "Thông báo của địa phương"),
    ("khac", "Khác"),
)


class Bulletin(DecisionAggregate):
    """One notice through all its versions. Its id is the 16 bytes that stand in every fact about it."""

    class Drafted(DecisionAggregate.Opened):
        TOPIC: ClassVar[str] = "bulletin.drafted"

    class Revised(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.revised"

    class Submitted(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.submitted"

    class Approved(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.approved"

    class Returned(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.returned"

    class Withdrawn(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "bulletin.withdrawn"

    def __init__(self) -> None:
        self.state = DRAFT
        self.authors: tuple[bytes, ...] = ()
        self.draft: decisions.Drafted | None = None

    @classmethod
    def begin(cls, fact: decisions.Drafted, signer: bytes) -> Bulletin:
        """A new bulletin with its first version."""
        assert fact.version == 1, "a bulletin begins with version 1"
        return cls.opened(cls.Drafted, UUID(bytes=fact.bulletin), fact, signer)

    @property
    def content(self) -> decisions.Drafted:
        """The current version."""
        assert self.draft is not None, "a bulletin begins with a draft"
        return self.draft

    def when(self, fact: Any, signer: bytes) -> None:
        if isinstance(fact, decisions.Drafted):
            self.draft = fact
            self.authors = tuple(sorted({*self.authors, signer}))
            self.state = DRAFT
        elif isinstance(fact, decisions.Submitted):
            self.state = SUBMITTED
        elif isinstance(fact, decisions.Approved):
            self.state = APPROVED
        elif isinstance(fact, decisions.Returned):
            self.state = RETURNED
        else:
            assert isinstance(fact, decisions.Cancelled)
            self.state = WITHDRAWN

    # -- acts ------------------------------------------------------------------------------------------------

    def revise(self, fact: decisions.Drafted, signer: bytes, *, seen_version: int) -> None:
        """A new version; it is a draft again. NotAllowed("withdrawn" | "version-changed")."""
        self._not_withdrawn()
        self._same_version(seen_version)
        assert fact.version == self.content.version + 1, "versions have no holes"
        self.decide(self.Revised, fact, signer)

    def submit(self, ts: int, signer: bytes) -> None:
        """Hands the current version to the approvers. NotAllowed("withdrawn" | "not-draft")."""
        self._not_withdrawn()
        if self.state != DRAFT:
            raise NotAllowed(
                "not-draft",
                f"the bulletin is {self.state}, not a draft",
                hint="change it first: what was returned comes back only as a new version",
            )
        now = self.content
        self.decide(self.Submitted, decisions.Submitted(ts, now.bulletin, now.version, now.manifest), signer)

    def approve(
        self,
        ts: int,
        signer: bytes,
        account: str,
        *,
        version: int,
        manifest: bytes,
        account_of: Callable[[bytes], str],
    ) -> None:
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
        self.decide(self.Approved, _approval_of(now, ts), signer)

    def send_back(self, ts: int, signer: bytes, reason: str) -> None:
        """Back to its author with the reason. NotAllowed("withdrawn" | "not-submitted")."""
        self._not_withdrawn()
        if self.state != SUBMITTED:
            raise NotAllowed(
                "not-submitted", f"the bulletin is {self.state}", hint="only what is submitted comes back"
            )
        self.decide(
            self.Returned, decisions.Returned(ts, self.content.bulletin, self.content.version, reason), signer
        )

    def withdraw(self, ts: int, signer: bytes, reason: str) -> None:
        """Takes every version back, for ever. NotAllowed("withdrawn")."""
        self._not_withdrawn()
        now = self.content
        fact = decisions.Cancelled(
            ts, int(decisions.Target.BULLETIN), now.bulletin, None, now.territory, reason
        )
        self.decide(self.Withdrawn, fact, signer)

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


def _approval_of(draft: decisions.Drafted, ts: int) -> decisions.Approved:
    return decisions.Approved(
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
