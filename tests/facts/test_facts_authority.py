"""Chains of grants: each link narrows, nothing widens, and the order of arrival does not matter."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from facts_desk import NOW, PROVINCE, TU_LE, WINDOW, XUAN_AI, Desk, Room, arrive, granted, key
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import Authority, Granted, Right, Signed, covers
from ledger.log.errors import NotAllowed
from ledger.log.keys import SMALL_ORDER

HELD = Right.APPROVE | Right.SCHEDULE | Right.GRANT


@pytest.fixture
def province() -> Room:
    """root → admin (approve, schedule, grant; the province; depth 2)."""
    room = Room()
    room.grant("root", "admin", HELD, PROVINCE, depth=2)
    return room


def test_a_grant_introduces_its_subjects_key(province: Room) -> None:
    assert province.grant("admin", "officer", Right.APPROVE, TU_LE) == [key("officer").key_id]
    authority = province.facts.authority
    assert authority.key(key("officer").key_id) == key("officer").verify_key
    assert authority.units_of(key("officer").key_id) == (TU_LE,)
    assert authority.label_of(key("officer").key_id) == "officer"
    assert authority.may(key("officer").key_id, Right.APPROVE, TU_LE, NOW)
    assert authority.may(key("officer").key_id, Right.APPROVE, TU_LE + ".c1", NOW)


def test_a_right_holds_for_its_class_territory_and_window_only(province: Room) -> None:
    province.grant("admin", "officer", Right.APPROVE, TU_LE)
    may = province.facts.authority.may
    officer = key("officer").key_id
    assert not may(officer, Right.SCHEDULE, TU_LE, NOW)
    assert not may(officer, Right.APPROVE | Right.SCHEDULE, TU_LE, NOW)
    assert not may(officer, Right.APPROVE, XUAN_AI, NOW)
    assert not may(officer, Right.APPROVE, PROVINCE, NOW)
    assert may(officer, Right.APPROVE, TU_LE, WINDOW[0])
    assert may(officer, Right.APPROVE, TU_LE, WINDOW[1])
    assert not may(officer, Right.APPROVE, TU_LE, WINDOW[0] - 1)
    assert not may(officer, Right.APPROVE, TU_LE, WINDOW[1] + 1)
    assert not may(key("stranger").key_id, Right.APPROVE, TU_LE, NOW)


def test_a_root_may_do_everything_everywhere() -> None:
    authority = Authority([key("root").verify_key])
    assert authority.may(key("root").key_id, Right.APPROVE | Right.GRANT, "vn", 0)
    assert authority.is_root(key("root").key_id)
    assert authority.label_of(key("root").key_id) == "root"


EARLIER, LONGER = {"not_before": WINDOW[0] - 1}, {"not_after": WINDOW[1] + 1}
WIDENINGS: dict[str, tuple[str, int, str, dict[str, Any], str]] = {
    "a right the issuer does not hold": ("admin", Right.EMERGENCY, PROVINCE, {}, "grant-wider-classes"),
    "one right held, one not": ("admin", HELD | Right.CANCEL, PROVINCE, {}, "grant-wider-classes"),
    "a bit of a newer version": ("admin", Right.APPROVE | 1 << 20, PROVINCE, {}, "grant-wider-classes"),
    "the level above": ("admin", Right.APPROVE, "vn", {}, "grant-wider-territory"),
    "the neighbour": ("admin", Right.APPROVE, "vn.lc", {}, "grant-wider-territory"),
    "a label that merely begins alike": ("admin", Right.APPROVE, "vn.yba", {}, "grant-wider-territory"),
    "a second earlier": ("admin", Right.APPROVE, TU_LE, EARLIER, "grant-wider-window"),
    "a second longer": ("admin", Right.APPROVE, TU_LE, LONGER, "grant-wider-window"),
    "the same depth": ("admin", Right.APPROVE, TU_LE, {"depth": 2}, "grant-too-deep"),
    "a greater depth": ("admin", Right.APPROVE, TU_LE, {"depth": 3}, "grant-too-deep"),
    "a root's depth": ("root", Right.APPROVE, "vn", {"depth": 4}, "grant-too-deep"),
    "by one without GRANT": ("officer", Right.APPROVE, TU_LE, {}, "grant-without-right"),
    "by one of depth 0": ("clerk", Right.APPROVE, TU_LE, {}, "grant-too-deep"),
    "by a stranger": ("stranger", Right.APPROVE, TU_LE, {}, "grant-unknown-issuer"),
    "by a commune to its province": ("clerk", Right.APPROVE, PROVINCE, {}, "grant-wider-territory"),
}


@pytest.mark.parametrize(
    ("issuer", "classes", "territory", "fields", "reason"),
    WIDENINGS.values(),
    ids=WIDENINGS.keys(),
)
def test_no_grant_widens(
    province: Room, issuer: str, classes: int, territory: str, fields: dict[str, Any], reason: str
) -> None:
    province.grant("admin", "officer", Right.APPROVE, PROVINCE, depth=1)
    province.grant("admin", "clerk", Right.APPROVE | Right.GRANT, TU_LE)
    assert province.reasons() == []
    assert province.grant(issuer, "friend", classes, territory, **fields) == []
    assert province.reasons() == [reason]
    friend = key("friend").key_id
    assert province.facts.authority.key(friend) is None
    for right in Right:
        assert not province.facts.authority.may(friend, right, territory, NOW)


def test_a_key_cannot_grant_to_itself(province: Room) -> None:
    province.grant("admin", "admin", HELD, PROVINCE, depth=1)
    assert province.reasons() == ["grant-to-itself"]


@pytest.mark.parametrize("raw", sorted(SMALL_ORDER)[:3])
def test_a_key_under_which_everything_verifies_is_never_introduced(province: Room, raw: bytes) -> None:
    fact = Granted(NOW, raw, Right.APPROVE, PROVINCE, *WINDOW, 0, "")
    assert province.say("admin", fact) == []
    assert province.reasons() == ["grant-key-refused"]


def test_two_halves_do_not_add_up_to_a_right(province: Room) -> None:
    province.grant("admin", "half", Right.APPROVE | Right.GRANT, TU_LE, depth=1)
    province.grant("admin", "half", Right.SCHEDULE | Right.GRANT, XUAN_AI, depth=1)
    province.grant("half", "friend", Right.APPROVE | Right.SCHEDULE, TU_LE)
    assert province.reasons() == ["grant-wider-classes"]
    assert not province.facts.authority.may(key("half").key_id, Right.APPROVE | Right.SCHEDULE, TU_LE, NOW)


def test_a_chain_has_at_most_four_links() -> None:
    room = Room()
    people = ["root", "one", "two", "three", "four", "five"]
    for depth, (issuer, subject) in zip((3, 2, 1, 0, 0), itertools.pairwise(people), strict=True):
        room.grant(issuer, subject, HELD, PROVINCE, depth=depth)
    may = room.facts.authority.may
    assert [may(key(name).key_id, HELD, PROVINCE, NOW) for name in people] == [True] * 5 + [False]
    assert room.reasons() == ["grant-too-deep"]


def test_apply_refuses_what_is_not_a_grant() -> None:
    authority = Authority([key("root").verify_key])
    fact = granted("a", 1, "vn")
    other = Signed(fact.encode(), fact.encode(), key("root").key_id, bytes(8), 0, 1)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed) as refused:
        authority.apply(other)
    assert refused.value.code == "grant-not-a-grant"


def test_a_grant_before_its_issuers_is_refused_remembered_and_accepted_later() -> None:
    room = Room()
    assert room.grant("admin", "officer", Right.APPROVE, TU_LE) == []
    assert room.grant("officer", "friend", Right.APPROVE, TU_LE) == []
    assert room.reasons() == ["grant-unknown-issuer"] * 2
    assert room.grant("root", "admin", HELD, PROVINCE, depth=2) == [
        key("admin").key_id,
        key("officer").key_id,
    ]
    assert room.facts.authority.may(key("officer").key_id, Right.APPROVE, TU_LE, NOW)
    assert room.reasons() == ["grant-without-right"]


PEOPLE = ["root", "a", "b", "c", "d"]
GRANTS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(PEOPLE[1:]),
        st.sampled_from([HELD, HELD | Right.ACK, Right.APPROVE | Right.GRANT, Right.APPROVE]),
        st.sampled_from(["vn", PROVINCE, TU_LE]),
        st.integers(0, 3),
        st.sampled_from([WINDOW, (WINDOW[0], NOW), (NOW, WINDOW[1])]),
    ),
    max_size=7,
)


def matrix(authority: Authority) -> list[bool]:
    """Everything anybody may do, as far as these tests can ask."""
    return [
        authority.may(key(name).key_id, right, unit, at_s)
        for name in PEOPLE
        for right in (Right.APPROVE, Right.SCHEDULE, Right.ACK, Right.GRANT)
        for unit in ("vn", PROVINCE, TU_LE)
        for at_s in (WINDOW[0], NOW, WINDOW[1])
    ]


@settings(deadline=None, max_examples=80)
@given(GRANTS, st.randoms(use_true_random=False))
def test_the_order_in_which_grants_arrive_changes_nothing(rows: list[Any], rng: Any) -> None:
    desk = Desk()
    segments = [
        desk.sign(
            issuer, granted(subject, classes, unit, depth=depth, not_before=window[0], not_after=window[1])
        )
        for issuer, subject, classes, unit, depth, window in rows
    ]
    shuffled = list(segments)
    rng.shuffle(shuffled)
    one, other = arrive(segments), arrive(shuffled)
    assert matrix(one.authority) == matrix(other.authority)
    assert {signed.id for signed, _ in one.refused} == {signed.id for signed, _ in other.refused}


@settings(deadline=None, max_examples=80)
@given(GRANTS)
def test_nobody_holds_more_than_somebody_above_them(rows: list[Any]) -> None:
    room = Room()
    for issuer, subject, classes, unit, depth, window in rows:
        room.grant(issuer, subject, classes, unit, depth=depth, not_before=window[0], not_after=window[1])
    authority = room.facts.authority
    for name in PEOPLE:
        for grant in authority.grants_of(key(name).key_id):
            if authority.is_root(grant.issuer):
                continue
            assert any(
                grant.classes & ~above.classes == 0
                and above.classes & Right.GRANT
                and covers(above.territory, grant.territory)
                and above.not_before <= grant.not_before
                and grant.not_after <= above.not_after
                and grant.depth < above.depth
                for above in authority.grants_of(grant.issuer)
            )
