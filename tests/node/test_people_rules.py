"""Rules about people that hold whatever happens: how many guesses anybody gets, and which names there are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import Right
from ledger.log import Ledger, MemoryStore, NotAllowed
from node.page.people import (
    AUDIT_ROWS_MAX,
    FREE_TRIES,
    PEOPLE_MAX,
    ROLES,
    WAIT_ADDRESS_MAX_S,
    WAIT_PERSON_MAX_S,
    Note,
    People,
    code_hash,
    new_code,
    tidy_name,
    wait_after,
)


def people_of(store: MemoryStore) -> People:
    return People(Ledger(store.open_db("ledger.db"), entropy=lambda n: bytes(n), now=lambda: 0))


def refusal(people: People, address: str, now: int) -> NotAllowed | None:
    """What a try at this moment is answered; None when it may be made."""
    try:
        people.try_now(1, address, now)
    except NotAllowed as error:
        return error
    return None


steps = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["10.0.0.1", "10.0.0.2"]), st.booleans()), max_size=80
)


@settings(max_examples=60)
@given(steps)
def test_nobody_guesses_more_often_than_the_waits_allow_over_restarts_and_addresses(
    moves: list[tuple[int, str, bool]],
) -> None:
    """Between two guesses that were let through lies the wait that the guesses before them had earned."""
    store, now, made = MemoryStore(), 1_000_000, list[int]()
    people = people_of(store)
    for pause, address, restart in moves:
        now += pause
        if restart:
            store.crash()
            people = people_of(store)
        if refusal(people, address, now) is None:
            made.append(now)
    for count, (before, after) in enumerate(pairwise(made), start=1):
        assert after - before >= wait_after(count, WAIT_PERSON_MAX_S)


@given(st.integers(0, 10_000), st.sampled_from([WAIT_PERSON_MAX_S, WAIT_ADDRESS_MAX_S]))
def test_a_wait_grows_and_is_bounded(failures: int, most_s: int) -> None:
    assert wait_after(failures, most_s) <= wait_after(failures + 1, most_s) <= most_s
    assert (wait_after(failures, most_s) == 0) == (failures < FREE_TRIES)


@given(st.integers(0, 2_000_000), st.integers(-3_000_000, 3_000_000))
def test_a_clock_that_jumps_makes_no_wait_longer_than_it_was(now: int, jump: int) -> None:
    people = people_of(MemoryStore())
    for _ in range(FREE_TRIES):
        people.try_now(1, "10.0.0.1", now)
    with pytest.raises(NotAllowed):
        people.try_now(1, "10.0.0.1", now)
    later = max(0, now + jump)
    refused = refusal(people, "10.0.0.1", later)
    if refused is not None:
        assert refused.code == "login-delayed"
        assert 1 <= int(refused.hint.split()[1]) <= wait_after(FREE_TRIES, WAIT_ADDRESS_MAX_S)


@given(st.text(max_size=80))
def test_a_name_is_tidied_once_and_for_all_or_refused(text: str) -> None:
    try:
        name = tidy_name(text)
    except NotAllowed:
        with pytest.raises(NotAllowed, match="person-name"):
            tidy_name(text)
        return
    assert tidy_name(name) == name
    assert "\n" not in name


@given(st.binary(min_size=8, max_size=8))
def test_a_code_is_read_with_or_without_its_blank(drawn: bytes) -> None:
    code = new_code(lambda n: drawn[:n])
    assert len(code) == 11
    assert code_hash(code) == code_hash(code.replace(" ", "")) == code_hash(code.replace(" ", "-"))


def test_no_role_asks_for_both_sides_of_the_four_eyes_nor_for_more_than_a_commune_has() -> None:
    for role, rights in ROLES.items():
        assert not (rights & Right.DRAFT and rights & Right.APPROVE), role
        assert not rights & (Right.GRANT | Right.ADMIN | Right.EMERGENCY | Right.ACK | Right.INGEST), role


def test_the_record_and_the_list_of_people_are_bounded() -> None:
    people = people_of(MemoryStore())
    for n in range(PEOPLE_MAX):
        people.add(f"Người {n}", "officer", 0)
    with pytest.raises(NotAllowed, match="people-full"):
        people.add("Thêm một người", "officer", 0)
    for n in range(200):
        people.note(Note(n, True, 1, "x" * 500, "login", "y" * 500))
    assert len(people.notes(AUDIT_ROWS_MAX)) == 200
    assert all(len(note.address) <= 64 and len(note.detail) <= 200 for note in people.notes(10))
