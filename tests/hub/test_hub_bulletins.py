"""The rules of one bulletin, driven without any hub: whatever people try, approval means what it says."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.bulletins import APPROVED, DRAFT, RETURNED, SUBMITTED, WITHDRAWN, Bulletin
from ledger.facts import Drafted, at, local_day
from ledger.log import NotAllowed, SigningKey

DAY = 19_305
NOW = at(DAY, 480)
PEOPLE = {
    name: SigningKey.from_seed(name.encode().ljust(32, b".")).key_id
    for name in ("lan", "pao", "minh", "pao2")
}
ACCOUNT = {PEOPLE["lan"]: "lan", PEOPLE["pao"]: "pao", PEOPLE["minh"]: "minh", PEOPLE["pao2"]: "pao"}


def a_draft(version: int = 1, manifest: bytes = b"m" * 32, until: int = DAY + 7) -> Drafted:
    return Drafted(NOW, b"b" * 16, version, manifest, "Tiêm phòng sởi", "y-te", 2, "vn.yb", DAY, until)


def account_of(key_id: bytes) -> str:
    return ACCOUNT[key_id]


def begun(author: str = "lan", **more: Any) -> Bulletin:
    return Bulletin.begin(a_draft(**more), PEOPLE[author])


def approve(bulletin: Bulletin, person: str, *, ts: int = NOW, **more: Any) -> None:
    seen = {"version": bulletin.content.version, "manifest": bulletin.content.manifest} | more
    key = PEOPLE[person]
    bulletin.approve(ts, key, account_of(key), account_of=account_of, **seen)


def code_of(act: Any, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(NotAllowed) as refused:
        act(*args, **kwargs)
    assert refused.value.hint, "a refusal says what to do next"
    return refused.value.code


def submitted(author: str = "lan", **more: Any) -> Bulletin:
    bulletin = begun(author, **more)
    bulletin.submit(NOW, PEOPLE[author])
    return bulletin


def test_what_another_person_approves_is_approved() -> None:
    bulletin = submitted()
    approve(bulletin, "pao")
    assert bulletin.state == APPROVED
    (_, _, event) = bulletin.pending_events
    assert event.fact.manifest == bulletin.content.manifest
    assert event.signer == PEOPLE["pao"]


def test_nobody_approves_what_they_wrote_with_the_same_key() -> None:
    assert code_of(approve, submitted("pao"), "pao") == "four-eyes-key"


def test_nobody_approves_what_they_wrote_under_an_earlier_key_of_the_same_account() -> None:
    assert code_of(approve, submitted("pao2"), "pao") == "four-eyes-account"


def test_who_wrote_any_version_does_not_approve_a_later_one() -> None:
    bulletin = begun("pao")
    bulletin.revise(a_draft(2), PEOPLE["lan"], seen_version=1)
    bulletin.submit(NOW, PEOPLE["lan"])
    assert code_of(approve, bulletin, "pao") == "four-eyes-key"
    approve(bulletin, "minh")
    assert bulletin.state == APPROVED


def test_a_draft_is_not_approved_before_it_is_submitted() -> None:
    assert code_of(approve, begun(), "pao") == "not-submitted"


def test_an_approval_of_other_content_than_stands_there_is_refused() -> None:
    assert code_of(approve, submitted(), "pao", manifest=b"x" * 32) == "content-changed"


def test_an_approval_of_an_older_version_is_refused() -> None:
    bulletin = submitted()
    bulletin.revise(a_draft(2), PEOPLE["lan"], seen_version=1)
    bulletin.submit(NOW, PEOPLE["lan"])
    assert code_of(approve, bulletin, "pao", version=1) == "version-changed"


def test_an_edit_reopens_what_was_approved() -> None:
    bulletin = submitted()
    approve(bulletin, "pao")
    bulletin.revise(a_draft(2, b"n" * 32), PEOPLE["lan"], seen_version=1)
    assert bulletin.state == DRAFT
    assert code_of(approve, bulletin, "pao") == "not-submitted"


def test_an_edit_over_a_version_the_author_has_not_seen_is_refused() -> None:
    bulletin = begun()
    bulletin.revise(a_draft(2), PEOPLE["minh"], seen_version=1)
    assert code_of(bulletin.revise, a_draft(3), PEOPLE["lan"], seen_version=1) == "version-changed"


def test_what_was_returned_comes_back_only_as_a_new_version() -> None:
    bulletin = submitted()
    bulletin.send_back(NOW, PEOPLE["pao"], "Sửa ngày")
    assert bulletin.state == RETURNED
    assert code_of(bulletin.submit, NOW, PEOPLE["lan"]) == "not-draft"
    bulletin.revise(a_draft(2), PEOPLE["lan"], seen_version=1)
    bulletin.submit(NOW, PEOPLE["lan"])
    assert bulletin.state == SUBMITTED


def test_what_is_not_submitted_cannot_be_returned() -> None:
    assert code_of(begun().send_back, NOW, PEOPLE["pao"], "x") == "not-submitted"


def test_what_was_withdrawn_stays_withdrawn() -> None:
    bulletin = submitted()
    bulletin.withdraw(NOW, PEOPLE["pao"], "Hủy")
    assert code_of(approve, bulletin, "pao") == "withdrawn"
    assert code_of(bulletin.submit, NOW, PEOPLE["lan"]) == "withdrawn"
    assert code_of(bulletin.revise, a_draft(2), PEOPLE["lan"], seen_version=1) == "withdrawn"
    assert code_of(bulletin.send_back, NOW, PEOPLE["pao"], "x") == "withdrawn"
    assert code_of(bulletin.withdraw, NOW, PEOPLE["pao"], "x") == "withdrawn"
    assert bulletin.state == WITHDRAWN


def test_an_approval_twice_is_refused() -> None:
    bulletin = submitted()
    approve(bulletin, "pao")
    assert code_of(approve, bulletin, "minh") == "already-approved"


def test_what_has_expired_is_not_approved() -> None:
    assert code_of(approve, submitted(until=DAY), "pao", ts=at(DAY + 1)) == "expired"
    bulletin = submitted(until=DAY)
    approve(bulletin, "pao", ts=at(DAY + 1) - 1)
    assert bulletin.state == APPROVED


class Desk(RuleBasedStateMachine):
    """Three people (one with two keys) do anything in any order, for any length of time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW

    @initialize(author=st.sampled_from(sorted(PEOPLE)))
    def begin(self, author: str) -> None:
        self.bulletin = begun(author, until=DAY + 400)
        self.wrote = {author}
        self.submitted: tuple[int, bytes] | None = None
        self.withdrawn = False

    def attempt(self, act: Any) -> bool:
        before = (self.bulletin.state, self.bulletin.version, self.bulletin.content)
        try:
            act()
        except NotAllowed:
            assert (self.bulletin.state, self.bulletin.version, self.bulletin.content) == before
            return False
        return True

    @rule(
        person=st.sampled_from(sorted(PEOPLE)),
        seen=st.integers(1, 4),
        manifest=st.binary(min_size=32, max_size=32),
    )
    def revise(self, person: str, seen: int, manifest: bytes) -> None:
        draft = a_draft(self.bulletin.content.version + 1, manifest, DAY + 400)
        if self.attempt(lambda: self.bulletin.revise(draft, PEOPLE[person], seen_version=seen)):
            self.wrote.add(person)
            self.submitted = None

    @rule(person=st.sampled_from(sorted(PEOPLE)))
    def submit(self, person: str) -> None:
        if self.attempt(lambda: self.bulletin.submit(self.now, PEOPLE[person])):
            self.submitted = (self.bulletin.content.version, self.bulletin.content.manifest)

    @rule(person=st.sampled_from(sorted(PEOPLE)), right=st.booleans(), version=st.integers(1, 4))
    def approve(self, person: str, right: bool, version: int) -> None:
        seen = self.bulletin.content
        manifest = seen.manifest if right else bytes(32)
        if self.attempt(
            lambda: approve(self.bulletin, person, ts=self.now, version=version, manifest=manifest)
        ):
            assert self.submitted == (version, manifest), "only what was submitted, exactly, is approved"
            accounts = {account_of(PEOPLE[who]) for who in self.wrote}
            assert account_of(PEOPLE[person]) not in accounts, "four eyes"

    @rule(person=st.sampled_from(sorted(PEOPLE)))
    def send_back(self, person: str) -> None:
        if self.attempt(lambda: self.bulletin.send_back(self.now, PEOPLE[person], "x")):
            self.submitted = None

    @rule(person=st.sampled_from(sorted(PEOPLE)))
    def withdraw(self, person: str) -> None:
        if self.attempt(lambda: self.bulletin.withdraw(self.now, PEOPLE[person], "x")):
            self.withdrawn = True

    @rule(days=st.integers(1, 100))
    def wait(self, days: int) -> None:
        state = self.bulletin.state
        self.now += days * 86_400
        assert self.bulletin.state == state, "no time, no silence approves anything"

    @invariant()
    def withdrawn_is_for_ever(self) -> None:
        if hasattr(self, "bulletin"):
            assert (self.bulletin.state == WITHDRAWN) == self.withdrawn

    @invariant()
    def approved_means_submitted_and_unchanged(self) -> None:
        if hasattr(self, "bulletin") and self.bulletin.state == APPROVED:
            assert self.submitted == (self.bulletin.content.version, self.bulletin.content.manifest)

    @invariant()
    def its_history_gives_the_same_bulletin(self) -> None:
        if hasattr(self, "bulletin"):
            copy: Any = None
            for event in self.bulletin.pending_events:
                copy = event.mutate(copy)
            assert (copy.state, copy.content, copy.authors, copy.version) == (
                self.bulletin.state,
                self.bulletin.content,
                self.bulletin.authors,
                self.bulletin.version,
            )


Desk.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestDesk = Desk.TestCase


def test_the_day_of_the_tests_is_the_day_they_speak_of() -> None:
    assert local_day(NOW) == DAY
