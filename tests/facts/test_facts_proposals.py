"""A second person for an emergency, as the log has it: who proposed, who ordered, who did not wait."""

from __future__ import annotations

from dataclasses import replace

import pytest
from facts_desk import NOW, PROVINCE, TU_LE, Room, granted, manifest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import (
    HUB_ONLY,
    Consent,
    EmergencyOrdered,
    EmergencyProposed,
    Right,
    Step,
    consent_of,
    due,
    open_proposal,
    proposed_content,
)
from ledger.facts.standing import Standing

OPEN_S = 600


def proposed(step: Step = Step.ASKED, reason: str = "", **other: object) -> EmergencyProposed:
    fact = EmergencyProposed(
        NOW, 41, "lu-quet", 3, False, manifest(1), "Lên chỗ cao.", PROVINCE, NOW + 7200, 1, int(step),
        NOW + OPEN_S, reason,
    )  # fmt: skip
    return replace(fact, **other)  # type: ignore[arg-type]


@pytest.fixture
def room() -> Room:
    made = Room()
    for who in ("a", "b"):
        made.say("root", granted(who, int(Right.EMERGENCY | Right.CANCEL), PROVINCE))
    return made


def standing(room: Room) -> tuple[Standing[EmergencyOrdered], list[Standing[EmergencyProposed]]]:
    (order,) = room.facts.emergencies[41]
    return order, room.facts.proposals.get(41, [])


def consent(room: Room) -> Consent:
    return consent_of(*standing(room))


def test_a_proposal_is_in_no_stations_share_and_orders_nothing(room: Room) -> None:
    room.say("a", proposed())
    assert room.arrived[-1].audience == HUB_ONLY
    assert len(room.facts.proposals[41]) == 1
    assert not room.facts.orders
    for at_s in (NOW, NOW + OPEN_S, NOW + 7200):
        assert due(room.facts, TU_LE, at_s, frozenset()) is None


def test_a_proposal_by_a_key_without_the_right_does_not_count(room: Room) -> None:
    room.say("root", granted("c", int(Right.APPROVE), PROVINCE))
    room.say("root", granted("d", int(Right.EMERGENCY), TU_LE))
    room.say("c", proposed())
    room.say("d", proposed())
    assert not room.facts.proposals
    assert room.reasons() == ["no-authority", "no-authority"]


def test_two_people_stand_for_an_order_only_when_another_key_proposed_exactly_this_in_time(
    room: Room,
) -> None:
    room.say("a", proposed())
    room.say("b", proposed().order(NOW + 30))
    assert consent(room).second
    asked = consent(room).proposed
    assert asked is not None
    assert asked.key_id == room.facts.proposals[41][0].key_id

    own = Room()
    own.say("root", granted("a", int(Right.EMERGENCY), PROVINCE))
    own.say("a", proposed())
    own.say("a", proposed().order(NOW + 30))
    assert consent(own) == Consent()

    for other in (
        replace(proposed(), text="Lên chỗ thấp."),
        replace(proposed(), territory=TU_LE),
        replace(proposed(), expires_at=NOW + 7201),
        replace(proposed(), manifest=manifest(2)),
        replace(proposed(), drill=True),
        replace(proposed(), level=2),
    ):
        changed = Room()
        for who in ("a", "b"):
            changed.say("root", granted(who, int(Right.EMERGENCY), PROVINCE))
        changed.say("a", other)
        changed.say("b", proposed().order(NOW + 30))
        assert consent(changed) == Consent()

    late = Room()
    for who in ("a", "b"):
        late.say("root", granted(who, int(Right.EMERGENCY), PROVINCE))
    late.say("a", proposed())
    late.say("b", proposed().order(NOW + OPEN_S + 1))
    assert consent(late) == Consent()


def test_a_proposal_that_comes_after_the_order_makes_no_second_person(room: Room) -> None:
    room.say("b", proposed().order(NOW + 30))
    room.say("a", proposed())
    assert consent(room) == Consent()


def test_a_reason_for_not_waiting_counts_only_beside_the_own_proposal(room: Room) -> None:
    room.say("a", proposed())
    room.say("a", proposed(Step.ALONE, "Chờ 30 giây, không ai ký."))
    room.say("a", proposed().order(NOW + 31))
    found = consent(room)
    assert not found.second
    assert found.alone is not None
    assert found.alone.fact.reason == "Chờ 30 giây, không ai ký."

    alien = Room()
    for who in ("a", "b"):
        alien.say("root", granted(who, int(Right.EMERGENCY), PROVINCE))
    alien.say("b", proposed(Step.ALONE, "tôi"))
    alien.say("a", proposed().order(NOW + 31))
    assert consent(alien) == Consent()


def test_a_proposal_is_open_until_it_is_ordered_dropped_or_runs_out(room: Room) -> None:
    room.say("a", proposed())
    shelf = room.facts.proposals[41]
    assert open_proposal(shelf, ordered=False, now=NOW + OPEN_S) == shelf[0]
    assert open_proposal(shelf, ordered=False, now=NOW + OPEN_S + 1) is None
    assert open_proposal(shelf, ordered=True, now=NOW) is None
    room.say("b", proposed(Step.DROPPED))
    assert open_proposal(shelf, ordered=False, now=NOW) == shelf[0], "nobody drops another's proposal"
    room.say("a", proposed(Step.DROPPED))
    assert open_proposal(shelf, ordered=False, now=NOW) is None
    assert open_proposal([], ordered=False, now=NOW) is None


@given(
    st.integers(1, (1 << 31) - 1), st.integers(1, 3), st.booleans(), st.text("abđ ", max_size=20),
    st.integers(0, 86_400),
)  # fmt: skip
def test_an_order_made_from_a_proposal_says_exactly_what_was_proposed(
    series: int, level: int, drill: bool, text: str, after_s: int
) -> None:
    asked = proposed(series=series, level=level, drill=drill, text=text)
    order = asked.order(NOW + min(after_s, 7199))
    order.encode()
    assert proposed_content(order) == proposed_content(asked)
    assert proposed_content(replace(order, text=text + "!")) != proposed_content(asked)
