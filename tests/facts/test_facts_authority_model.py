"""Any sequence of grants, revocations and rotations, beside a model that asks the specification's words.

The model has no order, no memory and no shortcuts: it asks for every statement anew whether it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from endings_desk import Office, revoked, rotated
from facts_desk import NOW, PROVINCE, TU_LE, WINDOW, XUAN_AI, approved, arrive, granted, key, share_of
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import Facts, Granted, Place, Revoked, Right, Rotated, ancestors, covers, parse, read_pairs
from ledger.log.segment import Segment

PEOPLE = ["root", "a", "b", "c", "d"]
RIGHTS = [Right.APPROVE | Right.GRANT, Right.APPROVE | Right.ACK | Right.GRANT, Right.APPROVE]
UNITS = [PROVINCE, TU_LE, XUAN_AI]
WINDOWS = [WINDOW, (WINDOW[0], NOW), (NOW, WINDOW[1])]
LOGS = (0, 1)

KEPT = st.dictionaries(st.sampled_from(LOGS), st.integers(0, 4), max_size=2)
GRANT = st.tuples(
    st.just("grant"), st.sampled_from(PEOPLE), st.sampled_from(LOGS), st.sampled_from(PEOPLE[1:]),
    st.sampled_from(RIGHTS), st.sampled_from(UNITS), st.integers(0, 3), st.sampled_from(WINDOWS),
)  # fmt: skip
REVOKE = st.tuples(
    st.just("revoke"), st.sampled_from(PEOPLE), st.sampled_from(LOGS), st.sampled_from(PEOPLE[1:]),
    st.sampled_from(UNITS), KEPT,
)  # fmt: skip
ROTATE = st.tuples(
    st.just("rotate"), st.sampled_from(PEOPLE[1:]), st.sampled_from(LOGS), st.sampled_from(UNITS), KEPT
)
APPROVE = st.tuples(
    st.just("approve"), st.sampled_from(PEOPLE), st.sampled_from(LOGS), st.sampled_from(UNITS)
)
STEPS = st.lists(st.one_of(GRANT, GRANT, REVOKE, ROTATE, APPROVE), max_size=14)


def signed(steps: Sequence[Any]) -> list[Segment]:
    """The steps as segments, each alone, in its signer's log."""
    office = Office()
    made: list[Segment] = []
    for number, (what, signer, log, *rest) in enumerate(steps):
        if what == "grant":
            subject, rights, unit, depth, window = rest
            fact: Any = granted(
                subject,
                rights,
                unit,
                depth=depth,
                not_before=window[0],
                not_after=window[1],
                label=f"{number}",
            )
        elif what == "revoke":
            fact = revoked(rest[0], rest[2], territory=rest[1], reason=f"{number}")
        elif what == "rotate":
            fact = rotated(signer, f"{signer}-{number}", rest[1], territory=rest[0])
        else:
            fact = approved(number, territory=rest[0])
        made.append(office.sign(signer, fact, log))
    return made


class Model:
    """docs/spec/authority.md, clause by clause."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.said = []
        for one in segments:
            place = Place(one.head.log_id, one.head.first_seq)
            self.said.append((one.head.key_id, place, parse(one.events[0])))
        self.grants = [row for row in self.said if isinstance(row[2], Granted)]
        self._carriers: dict[int, list[int] | None] = {}

    def root(self, key_id: bytes) -> bool:
        return key_id == key("root").key_id

    def subject(self, g: int) -> bytes:
        raw = self.grants[g][2].subject_pub
        return next(key(name).key_id for name in PEOPLE if key(name).verify_key.raw == raw)

    def carriers(self, g: int) -> list[int] | None:
        """The grants that carry this one; [] for a root's; None when it is not accepted."""
        if g not in self._carriers:
            self._carriers[g] = self._find_carriers(g)
        return self._carriers[g]

    def _find_carriers(self, g: int) -> list[int] | None:
        issuer, place, fact = self.grants[g]
        if self.subject(g) == issuer:
            return None
        if self.root(issuer):
            return []
        found = [
            h
            for h, (_, _, held) in enumerate(self.grants)
            if held.depth > fact.depth
            and self.subject(h) == issuer
            and held.classes & Right.GRANT
            and not fact.classes & ~held.classes
            and covers(held.territory, fact.territory)
            and held.not_before <= fact.not_before
            and fact.not_after <= held.not_after
            and self.supports(h, place)
        ]
        return found or None

    def above(self, g: int) -> set[int]:
        found = set(self.carriers(g) or [])
        return found.union(*(self.above(h) for h in found))

    def supports(self, g: int, place: Place) -> bool:
        return self.carriers(g) is not None and all(
            kept.get(place.log_id, -1) >= place.seq for kept in (*self.revoked(g), *self.rotated(g))
        )

    def revoked(self, g: int) -> list[dict[bytes, int]]:
        return [
            read_pairs(fact.exceptions) or {}
            for signer, place, fact in self.said
            if isinstance(fact, Revoked)
            and fact.subject == self.subject(g) != signer
            and covers(fact.territory, self.grants[g][2].territory)
            and (
                self.root(signer)
                or any(self.subject(h) == signer and self.supports(h, place) for h in self.above(g))
            )
        ]

    def rotated(self, g: int) -> list[dict[bytes, int]]:
        mine = [
            (place, fact)
            for signer, place, fact in self.said
            if isinstance(fact, Rotated)
            and signer == self.subject(g)
            and covers(fact.territory, self.grants[g][2].territory)
            and all(kept.get(place.log_id, -1) >= place.seq for kept in self.revoked(g))
        ]
        return [
            {**(read_pairs(fact.exceptions) or {}), place.log_id: place.seq}
            for place, fact in mine
            if not any(p.log_id == place.log_id and p.seq < place.seq for p, _ in mine)
        ]

    def may(self, key_id: bytes, right: int, unit: str, at_s: int, place: Place) -> bool:
        return self.root(key_id) or any(
            self.subject(g) == key_id
            and fact.classes & right == right
            and covers(fact.territory, unit)
            and fact.not_before <= at_s <= fact.not_after
            and self.supports(g, place)
            for g, (_, _, fact) in enumerate(self.grants)
        )


def answers(facts: Facts, segments: Sequence[Segment]) -> list[bool]:
    """Whether each statement's signer could have signed an approval in its place."""
    return [
        facts.authority.may(
            one.head.key_id, Right.APPROVE, unit, NOW, Place(one.head.log_id, one.head.first_seq)
        )
        for one in segments
        for unit in UNITS
    ]


@settings(deadline=None, max_examples=150)
@given(STEPS, st.randoms(use_true_random=False))
def test_every_order_of_arrival_gives_the_answers_of_the_specification(steps: list[Any], rng: Any) -> None:
    segments = signed(steps)
    model = Model(segments)
    wanted = [
        model.may(one.head.key_id, Right.APPROVE, unit, NOW, Place(one.head.log_id, one.head.first_seq))
        for one in segments
        for unit in UNITS
    ]
    shuffled = list(segments)
    rng.shuffle(shuffled)
    for order in (segments, shuffled):
        facts = arrive(order)
        assert answers(facts, segments) == wanted
        standing = {one.signed.event for ones in facts.approvals.values() for one in ones}
        assert standing == {
            one.events[0]
            for one in segments
            for fact in [parse(one.events[0])]
            if fact.TYPE == 1
            and model.may(
                one.head.key_id,
                Right.APPROVE,
                fact.territory,
                NOW,
                Place(one.head.log_id, one.head.first_seq),
            )
        }


@settings(deadline=None, max_examples=150)
@given(STEPS)
def test_nobody_ever_holds_more_than_somebody_above_them_held_there(steps: list[Any]) -> None:
    facts = Office().facts
    office = Office()
    for segment in signed(steps):
        office.take(segment)
        facts = office.facts
        for name in PEOPLE[1:]:
            for held in facts.authority.held(key(name).key_id):
                grant = held.grant
                assert facts.authority.is_root(grant.issuer) or held.above
                for above in held.above:
                    assert grant.classes & ~above.grant.classes == 0
                    assert above.grant.classes & Right.GRANT
                    assert covers(above.grant.territory, grant.territory)
                    assert above.grant.not_before <= grant.not_before
                    assert grant.not_after <= above.grant.not_after
                    assert grant.depth < above.grant.depth
                    assert above.grant.subject.key_id == grant.issuer


@settings(deadline=None, max_examples=150)
@given(STEPS, st.sampled_from([TU_LE, XUAN_AI]), st.randoms(use_true_random=False))
def test_a_station_with_its_share_and_the_hub_agree_on_what_stands_there(
    steps: list[Any], unit: str, rng: Any
) -> None:
    segments = signed(steps)
    share = share_of(segments, unit)
    rng.shuffle(share)
    above = ancestors(unit)

    def standing(facts: Facts) -> set[bytes]:
        return {
            one.signed.event
            for ones in facts.approvals.values()
            for one in ones
            if one.fact.territory in above
        }

    assert standing(arrive(share)) == standing(arrive(segments))


@settings(deadline=None, max_examples=100)
@given(STEPS)
def test_facts_loaded_at_once_equal_facts_that_followed(steps: list[Any]) -> None:
    office = Office()
    segments = signed(steps)
    for segment in segments:
        office.take(segment)

    class Shelf:
        def since(self, position: int, *, decisions_only: bool = False) -> Any:
            return iter(office.arrived[position:])

    again = Facts([key("root").verify_key])
    again.load(Shelf())
    assert answers(again, segments) == answers(office.facts, segments)
    assert again.approvals == office.facts.approvals
    assert again.refused == office.facts.refused
