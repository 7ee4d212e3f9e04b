"""The plan under any mix of decisions, rightful or not: what must always hold, by a slower second opinion."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

from facts_desk import (
    LAW_DAY,
    NOW,
    OFFICER,
    PROVINCE,
    TU_LE,
    XUAN_AI,
    Desk,
    approved,
    arrive,
    bulletin,
    granted,
    key,
    manifest,
    scheduled,
    share_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import (
    Answer,
    Approved,
    Cancelled,
    EmergencyOrdered,
    Facts,
    OfferAnswered,
    Outcome,
    ProgrammeArranged,
    QuietHoursSet,
    Right,
    Scheduled,
    Slot,
    Target,
    arranged,
    at,
    audience_of,
    covers,
    due,
    expected,
    explain,
    local_day,
    minute_of_day,
    slots,
    verdict,
    withdrawals,
)
from ledger.facts.fields import Kind
from ledger.log.segment import Segment
from ledger.log.store import Stored

History: TypeAlias = list[tuple[str, Kind]]

RIGHTS: dict[str, tuple[int, str]] = {
    "root": (2047, "vn"),
    "approver": (
        Right.APPROVE | Right.SCHEDULE | Right.EMERGENCY | Right.CANCEL | Right.ADMIN | Right.PROGRAMME,
        PROVINCE,
    ),
    "editor": (Right.SCHEDULE, PROVINCE),
    "tu-le": (OFFICER | Right.PROGRAMME, TU_LE),
    "xuan-ai": (OFFICER | Right.PROGRAMME, XUAN_AI),
    "stranger": (Right.ACK, TU_LE),
}
NAMES = {key(name).key_id: name for name in RIGHTS}
GRANTS = [granted(name, classes, unit) for name, (classes, unit) in RIGHTS.items() if name != "root"]

DAYS = st.integers(LAW_DAY, LAW_DAY + 2)
MINUTES = st.sampled_from([0, 299, 300, 1019, 1020, 1025, 1285, 1290, 1435])
TERRITORIES = st.sampled_from([PROVINCE, PROVINCE, TU_LE, XUAN_AI])
NUMBERS = st.integers(1, 3)
SERIES = st.integers(1, 4)
TS = st.integers(NOW, NOW + 3)
MANIFESTS = st.integers(1, 2).map(manifest)


def _approved(number: int, content: bytes, unit: str, klass: int, first: int, last: int, ts: int) -> Approved:
    return approved(
        number, manifest=content, territory=unit, klass=klass, ts=ts, version=content[0] + 1,
        valid_from_day=min(first, last), valid_until_day=max(first, last),
    )  # fmt: skip


def _scheduled(
    series: int, number: int, content: bytes, unit: str, days: list[int], **fields: Any
) -> Scheduled:
    return scheduled(series, number, manifest=content, territory=unit, days=days, **fields)


def _emergency(series: int, level: int, unit: str, day: int, minute: int, life_min: int) -> EmergencyOrdered:
    begin = at(day, minute)
    return EmergencyOrdered(
        NOW, series, "lũ", level, False, manifest(9), "", unit, begin, begin + life_min * 60, 1
    )


def _cancel_bulletin(ts: int, number: int, unit: str) -> Cancelled:
    return Cancelled(ts, Target.BULLETIN, bulletin(number), None, unit, "")


def _cancel_series(ts: int, series: int, unit: str) -> Cancelled:
    return Cancelled(ts, Target.SERIES, None, series, unit, "")


def _answer(ts: int, series: int, day: int | None, answer: Answer, minute: int, unit: str) -> OfferAnswered:
    return OfferAnswered(ts, series, day, answer, minute if answer is Answer.MOVED else None, unit, "")


def _arrangement(ts: int, unit: str, day: int, order: list[int]) -> ProgrammeArranged:
    return ProgrammeArranged(ts, unit, day, b"".join(series.to_bytes(4, "big") for series in order))


# Given the evening before, or in the middle of a day: too late for what has begun.
ANSWERED_AT = TS | st.builds(at, DAYS, st.sampled_from([300, 1019, 1020, 1022]))
ANSWERS: st.SearchStrategy[Kind] = st.one_of(
    st.builds(
        _answer,
        ANSWERED_AT,
        SERIES,
        st.none() | DAYS,
        st.sampled_from([Answer.MOVED, *Answer]),
        MINUTES,
        TERRITORIES,
    ),
    st.builds(
        _arrangement, ANSWERED_AT, TERRITORIES, DAYS, st.permutations([1, 2, 3, 4]).map(lambda some: some[:3])
    ),
)
DECISIONS: st.SearchStrategy[Kind] = st.one_of(
    ANSWERS,
    st.builds(_approved, NUMBERS, MANIFESTS, TERRITORIES, st.integers(2, 3), DAYS, DAYS, TS),
    st.builds(
        _scheduled, SERIES, NUMBERS, MANIFESTS, TERRITORIES, st.lists(DAYS, min_size=1, max_size=3),
        minute=MINUTES, klass=st.integers(1, 3), late_s=st.sampled_from([0, 600, 7200]), ts=TS,
        length_s=st.sampled_from([60, 600]),
    ),
    st.builds(_emergency, SERIES, st.integers(1, 3), TERRITORIES, DAYS, MINUTES, st.sampled_from([5, 120])),
    st.builds(_cancel_bulletin, TS, NUMBERS, TERRITORIES),
    st.builds(_cancel_series, TS, SERIES, TERRITORIES),
    st.builds(QuietHoursSet, TS, TERRITORIES, MINUTES, MINUTES),
)  # fmt: skip
SIGNERS = st.sampled_from(["root", "approver", "approver", "editor", "tu-le", "xuan-ai", "stranger"])
HISTORIES = st.lists(st.tuples(SIGNERS, DECISIONS), max_size=12)
INSTANTS = st.builds(
    lambda day, minute, offset: at(day, minute) + offset,
    DAYS,
    MINUTES,
    st.sampled_from([-1, 0, 29, 299, 3600]),
)
UNITS = st.sampled_from([TU_LE, XUAN_AI])


@dataclass
class World:
    grants: list[Segment]
    decisions: list[Segment]
    history: History

    @classmethod
    def of(cls, history: History) -> World:
        desk = Desk()
        grants = [desk.sign("root", grant) for grant in GRANTS]
        return cls(grants, [desk.sign(name, fact) for name, fact in history], history)

    @property
    def segments(self) -> list[Segment]:
        return [*self.grants, *self.decisions]

    def mixed(self, rng: Any) -> list[Segment]:
        """The decisions in their order, the grants anywhere among them."""
        mixed = list(self.decisions)
        for grant in self.grants:
            mixed.insert(rng.randint(0, len(mixed)), grant)
        return mixed


def may(name: str, right: int, unit: str) -> bool:
    classes, territory = RIGHTS[name]
    return bool(classes & right) and covers(territory, unit)


def second_opinion(history: History, slot: Slot, at_s: float) -> bool:
    """May this scheduled slot sound now? By walking the whole history again for this one question."""
    approvals: list[tuple[int, str, Approved]] = []
    ordered = False
    seen: set[tuple[str, bytes]] = set()
    for place, (name, fact) in enumerate(history):
        if (name, fact.encode()) in seen:
            continue
        seen.add((name, fact.encode()))
        if isinstance(fact, Approved) and may(name, Right.APPROVE, fact.territory):
            approvals.append((place, name, fact))
        ordered |= (
            isinstance(fact, Scheduled)
            and may(name, Right.SCHEDULE, fact.territory)
            and covers(fact.territory, slot.unit)
            and (fact.series, fact.manifest) == (slot.series, slot.manifest)
        )
    if not ordered:
        return False

    def taken_back(place: int, territory: str, target: bytes | int) -> bool:
        return any(
            isinstance(fact, Cancelled)
            and target in (fact.bulletin, fact.series)
            and covers(fact.territory, slot.unit)
            and may(name, Right.CANCEL, fact.territory)
            and may(name, Right.CANCEL, territory)
            for name, fact in history[place + 1 :]
        )

    return any(
        fact.bulletin == slot.bulletin
        and fact.manifest == slot.manifest
        and covers(fact.territory, slot.unit)
        and fact.klass >= slot.klass
        and fact.valid_from_day <= slot.day
        and local_day(at_s) <= fact.valid_until_day
        and not taken_back(place, fact.territory, fact.bulletin)
        for place, _, fact in approvals
    )


def answered_start(history: History, slot: Slot) -> int | None:
    """When a commune's answers let an ordered slot begin, None when they decline it; by the page's words."""
    order = next(fact for _, fact in history if sha256(fact.encode()).digest()[:16] == slot.decision)
    assert isinstance(order, Scheduled)
    start_s, declined, by_day = at(slot.day, order.minute), False, False
    given = [
        (fact.ts, sha256(fact.encode()).digest(), fact)
        for name, fact in history
        if isinstance(fact, OfferAnswered)
        and fact.series == slot.series
        and fact.territory == slot.unit
        and RIGHTS[name][1] == slot.unit
        and RIGHTS[name][0] & Right.PROGRAMME
        and fact.day in (None, slot.day)
    ]
    for ts, _, said in sorted(given, key=lambda one: one[:2]):
        if order.klass > 2 or ts < order.ts or ts >= start_s or (by_day and said.day is None):
            continue
        named_s = {
            Answer.DECLINED: start_s, Answer.ACCEPTED: at(slot.day, order.minute),
            Answer.MOVED: at(slot.day, said.minute or 0),
        }[Answer(said.answer)]  # fmt: skip
        if ts < named_s:
            start_s, declined, by_day = named_s, said.answer == Answer.DECLINED, said.day is not None
    return None if declined else start_s


def quiet_minutes(history: History, unit: str) -> set[int]:
    hours = (1290, 300)
    nearest = 0
    for name, fact in history:
        if not isinstance(fact, QuietHoursSet) or not covers(fact.territory, unit):
            continue
        if may(name, Right.ADMIN, fact.territory) and len(fact.territory) >= nearest:
            nearest = len(fact.territory)
            hours = (fact.from_minute, fact.until_minute)
    begin, end = hours
    return {minute % 1440 for minute in range(begin, end if begin <= end else end + 1440)}


@settings(deadline=None, max_examples=120)
@given(HISTORIES, UNITS, INSTANTS)
def test_only_what_is_rightly_approved_in_force_and_outside_quiet_hours_is_ever_due(
    history: History, unit: str, now_s: int
) -> None:
    facts = arrive(World.of(history).segments)
    done: set[tuple[int, int]] = set()
    while (slot := due(facts, unit, now_s, done)) is not None:
        assert slot.start_s <= now_s < slot.begin_until_s
        assert slot.key not in done
        if slot.emergency:
            assert any(
                isinstance(fact, EmergencyOrdered)
                and fact.series == slot.series
                and covers(fact.territory, unit)
                and fact.not_before <= now_s < fact.expires_at
                and may(name, Right.EMERGENCY, fact.territory)
                for name, fact in history
            )
        else:
            assert second_opinion(history, slot, now_s)
            assert answered_start(history, slot) == slot.start_s
            quiet = quiet_minutes(history, unit)
            for begin_s in (slot.start_s, now_s if slot.is_late(now_s) else slot.start_s):
                assert not quiet & {minute_of_day(begin_s + second) for second in range(0, slot.length_s, 30)}
        done.add(slot.key)


@settings(deadline=None, max_examples=80)
@given(HISTORIES, UNITS, INSTANTS, st.sets(st.tuples(SERIES, DAYS), max_size=4))
def test_the_winner_never_loses_to_a_loser_and_due_is_the_winner(
    history: History, unit: str, now_s: int, done: set[tuple[int, int]]
) -> None:
    facts = arrive(World.of(history).segments)
    planned, now = explain(facts, unit, now_s), explain(facts, unit, now_s, done)
    for story in (planned, now):
        winner = story.winner
        if winner is not None:
            begins_s = winner.start_s if story is planned and not winner.emergency else now_s
            assert verdict(facts, winner, begins_s) is None
        for loser, why in story.losers:
            assert loser != winner
            assert why.outcome in (
                Outcome.SUPPRESSED, Outcome.WITHDRAWN, Outcome.MISSED, Outcome.DECLINED,
            )  # fmt: skip
            if why.detail.name.startswith("BY_"):
                assert winner is not None
                assert loser.klass <= winner.klass
                if loser.klass == winner.klass:
                    assert loser.level <= winner.level
                    wished = arranged(facts, unit, winner.day, now_s)
                    first = winner.series in wished
                    assert loser.emergency or first or loser.start_s >= winner.start_s
    assert due(facts, unit, now_s, done) == explain(facts, unit, now_s, done).winner


@settings(deadline=None, max_examples=80)
@given(HISTORIES, UNITS)
def test_hub_and_station_give_the_same_answers_for_the_station(history: History, unit: str) -> None:
    segments = World.of(history).segments
    hub, station = arrive(segments), arrive(share_of(segments, unit))
    assert tell(hub, unit) == tell(station, unit)


@settings(deadline=None, max_examples=80)
@given(HISTORIES, UNITS, st.randoms(use_true_random=False))
def test_grants_may_arrive_anywhere_among_the_decisions(history: History, unit: str, rng: Any) -> None:
    world = World.of(history)
    assert tell(arrive(world.mixed(rng)), unit) == tell(arrive(world.segments), unit)


@settings(deadline=None, max_examples=80)
@given(HISTORIES, UNITS, st.randoms(use_true_random=False), st.lists(INSTANTS, max_size=4))
def test_an_index_that_followed_every_change_equals_one_made_at_the_end(
    history: History, unit: str, rng: Any, instants: list[int]
) -> None:
    segments = World.of(history).mixed(rng)
    followed = Facts([key("root").verify_key])
    for position, segment in enumerate(segments, start=1):
        followed.admit(Stored(position, segment, audience_of(segment.events)))
        slots(followed, unit, at(LAW_DAY - 1), at(LAW_DAY + 3))
        for now_s in instants:
            due(followed, unit, now_s, ())
        fresh = arrive(segments[:position])
        assert [due(followed, unit, s, ()) for s in instants] == [due(fresh, unit, s, ()) for s in instants]
    assert tell(followed, unit) == tell(arrive(segments), unit)


@settings(deadline=None, max_examples=80)
@given(HISTORIES, UNITS)
def test_a_slot_is_named_once_a_day_and_owed_only_if_planned(history: History, unit: str) -> None:
    facts = arrive(World.of(history).segments)
    for day in range(LAW_DAY, LAW_DAY + 3):
        planned = slots(facts, unit, at(day), at(day + 1))
        names = [slot.key for slot in planned]
        assert len(set(names)) == len(names)
        owed = expected(facts, [unit], day)
        assert set(owed) <= set(planned)
        for slot in set(planned) - set(owed):
            since_s = facts.authority.answers_from(unit)
            closed = since_s is not None and slot.begin_until_s <= since_s
            assert closed or verdict(facts, slot, slot.start_s) is not None


def tell(facts: Facts, unit: str) -> list[object]:
    """Everything the plan says of a unit, as far as these histories reach."""
    told: list[object] = [slots(facts, unit, at(LAW_DAY - 1), at(LAW_DAY + 4)), facts.quiet_hours(unit)]
    told += [expected(facts, [unit], day) for day in range(LAW_DAY, LAW_DAY + 3)]
    told += [(one.cancel.signed.id, one.series) for one in withdrawals(facts, unit)]
    for day in range(LAW_DAY, LAW_DAY + 3):
        for minute in (0, 4, 300, 1020, 1025, 1030, 1290, 1436):
            for done in (None, set[tuple[int, int]](), {(1, day)}):
                told.append(explain(facts, unit, at(day, minute), done))
    return told
