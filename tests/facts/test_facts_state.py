"""Which decisions count: authority, four eyes, sealed alone, once; and what is remembered of the rest."""

from __future__ import annotations

import pytest
from facts_desk import (
    LAW_DAY,
    NOW,
    OFFICER,
    PROVINCE,
    TU_LE,
    WINDOW,
    XUAN_AI,
    Desk,
    Room,
    approved,
    bulletin,
    granted,
    key,
    manifest,
    scheduled,
    share_of,
)
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import (
    HUB_ONLY,
    Acknowledged,
    Approved,
    Cancelled,
    Drafted,
    EmergencyOrdered,
    Facts,
    QuietHoursSet,
    Right,
    StationRegistered,
    Submitted,
    Target,
    audience_of,
    read,
)
from ledger.facts.fields import Kind
from ledger.facts.state import REFUSED_PER_KEY_MAX
from ledger.log import Ledger, MemoryStore, codec
from ledger.log.store import Stored


def drafted(number: int = 1, version: int = 1) -> Drafted:
    return Drafted(
        NOW, bulletin(number), version, manifest(number), "Bản nháp", "", 3, PROVINCE, LAW_DAY, LAW_DAY + 30
    )


def emergency(series: int = 9, territory: str = PROVINCE) -> EmergencyOrdered:
    return EmergencyOrdered(NOW, series, "lũ", 2, False, manifest(5), "Sơ tán", territory, NOW, NOW + 3600, 2)


def cancel_bulletin(territory: str = PROVINCE, number: int = 1) -> Cancelled:
    return Cancelled(NOW, Target.BULLETIN, bulletin(number), None, territory, "sai nội dung")


def cancel_series(series: int, territory: str = PROVINCE) -> Cancelled:
    return Cancelled(NOW, Target.SERIES, None, series, territory, "hủy lịch")


NEEDS: list[tuple[Kind, Right]] = [
    (approved(), Right.APPROVE),
    (scheduled(), Right.SCHEDULE),
    (emergency(), Right.EMERGENCY),
    (cancel_series(1), Right.CANCEL),
    (QuietHoursSet(NOW, PROVINCE, 0, 60), Right.ADMIN),
    (StationRegistered(NOW, TU_LE, "Tú Lệ", "it"), Right.ADMIN),
    (drafted(), Right.DRAFT),
]


@pytest.mark.parametrize(("fact", "right"), NEEDS, ids=lambda value: type(value).__name__)
def test_a_decision_needs_its_own_right_and_no_other_will_do(fact: Kind, right: Right) -> None:
    room = Room()
    room.grant("root", "with", right, PROVINCE)
    room.grant("root", "without", ~right & 1023, PROVINCE)
    room.grant("root", "below", 1023, XUAN_AI)
    room.grant("root", "late", 1023, PROVINCE, not_before=NOW + 1)
    room.grant("root", "over", 1023, PROVINCE, not_after=NOW - 1)
    room.say("with", fact)
    assert room.reasons() == []
    for name in ("without", "below", "late", "over"):
        room.say(name, fact)
    assert room.reasons() == ["no-authority"] * 4


def test_decisions_are_kept_by_what_they_are_about(room: Room) -> None:
    room.say("approver", approved())
    room.say("editor", scheduled(series=4))
    room.say("approver", emergency(series=9))
    room.say("approver", cancel_series(4))
    room.say("admin", QuietHoursSet(NOW, PROVINCE, 1320, 240))
    room.say("admin", StationRegistered(NOW, TU_LE, "Tú Lệ", "it"))
    facts = room.facts
    assert [one.fact.title for one in facts.approvals[bulletin(1)]] == ["Ngày Pháp luật Việt Nam, bản tin 1"]
    assert facts.schedules[4][0].key_id == key("editor").key_id
    assert facts.emergencies[9][0].fact.kind == "lũ"
    assert facts.cancels[4][0].fact.reason == "hủy lịch"
    assert facts.quiet_hours(TU_LE) == (1320, 240)
    assert facts.stations[TU_LE].fact.name == "Tú Lệ"
    assert facts.refused == []


def test_a_decision_whose_grant_comes_later_takes_its_place_in_the_order_of_arrival() -> None:
    room = Room()
    room.say("officer", approved(title="trước"))
    room.say("root", approved(title="sau"))
    assert room.reasons() == ["no-authority"]
    room.grant("root", "officer", Right.APPROVE, PROVINCE)
    assert room.reasons() == []
    assert [one.fact.title for one in room.facts.approvals[bulletin(1)]] == ["trước", "sau"]


def test_whoever_drafted_a_version_cannot_approve_it_in_whichever_order_they_arrive() -> None:
    for draft_first in (True, False):
        room = Room()
        room.grant("root", "both", Right.DRAFT | Right.APPROVE, PROVINCE)
        for fact in (drafted(), approved())[:: 1 if draft_first else -1]:
            room.say("both", fact)
        assert room.reasons() == ["self-approved"]
        assert not room.facts.approvals.get(bulletin(1))


def test_four_eyes_look_at_the_version_and_not_at_the_bulletin() -> None:
    room = Room()
    room.grant("root", "both", Right.DRAFT | Right.APPROVE, PROVINCE)
    room.say("both", drafted(version=1))
    room.say("editor", drafted(version=2))
    room.say("both", approved(version=2))
    assert [one.fact.version for one in room.facts.approvals[bulletin(1)]] == [2]


def test_a_draft_without_the_right_to_draft_still_bars_its_author_from_approving() -> None:
    room = Room()
    room.grant("root", "both", Right.APPROVE, PROVINCE)
    room.say("both", drafted())
    room.say("both", approved())
    assert room.reasons() == ["no-authority", "self-approved"]


def test_a_decision_hidden_in_a_batch_does_not_count(room: Room) -> None:
    ack = Acknowledged(NOW, 1, LAW_DAY, bytes(16), 0, 100, 1, 0, 1, 80, None)
    room.take(room.seal("approver", ack.encode(), approved().encode()))
    assert room.reasons() == ["not-sealed-alone"]
    assert not room.facts.approvals


def test_machine_events_are_none_of_its_business(room: Room) -> None:
    before = room.facts.version
    ack = Acknowledged(NOW, 1, LAW_DAY, bytes(16), 0, 100, 1, 0, 1, 80, None)
    room.say("station", ack)
    room.take(room.seal("station", ack.encode(), ack.encode()))
    assert room.facts.version == before


def test_a_malformed_decision_is_refused_with_its_reason_and_blocks_nothing(room: Room) -> None:
    room.take(room.seal("approver", codec.encode((1, NOW))))
    room.take(room.seal("approver", codec.encode((77, NOW, "mới"))))
    assert room.reasons() == ["bad-arity"]
    room.say("approver", approved())
    assert room.facts.approvals[bulletin(1)]


def test_an_old_approval_sealed_again_does_not_revive_what_was_withdrawn(room: Room) -> None:
    room.say("approver", approved())
    room.say("approver", cancel_bulletin())
    room.say("approver", approved())
    (only,) = room.facts.approvals[bulletin(1)]
    assert room.facts.withdrawal_of(only, TU_LE) is not None


def test_a_cancellation_speaks_of_what_came_before_it_and_for_its_own_territory(room: Room) -> None:
    room.say("approver", approved())
    room.say("approver", cancel_bulletin(TU_LE))
    room.say("approver", approved(version=2))
    first, second = room.facts.approvals[bulletin(1)]
    assert room.facts.withdrawal_of(first, TU_LE) is not None
    assert room.facts.withdrawal_of(first, XUAN_AI) is None
    assert room.facts.withdrawal_of(second, TU_LE) is None


def test_a_commune_does_not_cancel_what_the_province_ordered(room: Room) -> None:
    room.say("approver", emergency(9, PROVINCE))
    room.say("approver", emergency(10, TU_LE))
    for series in (9, 10):
        room.say("tu-le", cancel_series(series, TU_LE))
    assert room.facts.withdrawal_of(room.facts.emergencies[9][0], TU_LE) is None
    assert room.facts.withdrawal_of(room.facts.emergencies[10][0], TU_LE) is not None
    assert room.reasons() == []


def test_a_series_is_not_taken_over_from_below(room: Room) -> None:
    room.say("editor", scheduled(series=1))
    room.say("tu-le", scheduled(series=1, territory=TU_LE, minute=8 * 60))
    assert room.reasons() == ["series-taken"]
    room.say("approver", scheduled(series=1, territory=TU_LE, minute=9 * 60))
    assert room.reasons() == ["series-taken"]


def test_quiet_hours_are_the_nearest_units_latest_word(room: Room) -> None:
    facts = room.facts
    assert facts.quiet_hours(TU_LE) == (21 * 60 + 30, 5 * 60)
    room.say("admin", QuietHoursSet(NOW, PROVINCE, 22 * 60, 4 * 60))
    room.say("tu-le", QuietHoursSet(NOW, TU_LE, 20 * 60, 6 * 60))
    room.say("tu-le", QuietHoursSet(NOW, TU_LE, 20 * 60, 7 * 60))
    assert facts.quiet_hours(TU_LE) == (20 * 60, 7 * 60)
    assert facts.quiet_hours(XUAN_AI) == (22 * 60, 4 * 60)


def test_one_signers_nonsense_does_not_push_out_anothers_waiting_decision() -> None:
    room = Room()
    room.grant("root", "noisy", Right.ACK, TU_LE)
    for minute in range(REFUSED_PER_KEY_MAX + 5):
        room.say("noisy", QuietHoursSet(NOW, PROVINCE, minute, 0))
    room.say("officer", approved())
    assert len(room.facts.refused) == REFUSED_PER_KEY_MAX + 1
    room.grant("root", "officer", Right.APPROVE, PROVINCE)
    assert room.facts.approvals[bulletin(1)]


def test_what_was_waiting_and_now_counts_makes_room_for_more() -> None:
    room = Room()
    room.grant("root", "officer", Right.ACK, PROVINCE)
    for minute in range(REFUSED_PER_KEY_MAX):
        room.say("officer", QuietHoursSet(NOW, PROVINCE, minute, 0))
    room.grant("root", "officer", Right.ADMIN, PROVINCE)
    assert room.reasons() == []
    room.say("officer", approved())
    assert room.reasons() == ["no-authority"]


AUDIENCES: list[tuple[Kind, str | None]] = [
    (approved(territory=TU_LE), TU_LE),
    (scheduled(), PROVINCE),
    (emergency(), PROVINCE),
    (cancel_series(1, TU_LE), TU_LE),
    (QuietHoursSet(NOW, "vn", 0, 60), "vn"),
    (StationRegistered(NOW, TU_LE, "Tú Lệ", "it"), TU_LE),
    (granted("a", 1, PROVINCE), PROVINCE),
    (drafted(), HUB_ONLY),
    (Submitted(NOW, bulletin(1), 1, manifest(1)), None),
    (Acknowledged(NOW, 1, LAW_DAY, bytes(16), 0, 100, 1, 0, 1, 80, None), None),
]


@pytest.mark.parametrize(("fact", "audience"), AUDIENCES, ids=lambda value: type(value).__name__)
def test_each_lone_decision_goes_to_the_territory_it_speaks_for(fact: Kind, audience: str | None) -> None:
    assert audience_of([fact.encode()]) == audience
    assert audience_of([fact.encode(), fact.encode()]) is None


@given(st.lists(st.binary(max_size=60), max_size=3))
def test_any_events_have_an_audience_or_none(events: list[bytes]) -> None:
    assert audience_of(events) is None or len(events) == 1


def test_a_draft_is_in_no_stations_share(room: Room) -> None:
    room.say("editor", drafted())
    assert room.arrived[-1].audience == HUB_ONLY
    assert share_of([stored.segment for stored in room.arrived[-1:]], TU_LE) == []


def test_reading_keeps_every_event_of_a_segment_in_its_place(room: Room) -> None:
    segment = room.seal("station", codec.encode((77, 1)), approved().encode())
    first, second = read(Stored(40, segment, None))
    assert (first.seq, second.seq) == (0, 1)
    assert second.fact == approved()
    assert second.position == 40
    assert second.key_id == key("station").key_id
    assert len(second.id) == 16


def ledger_of(store: MemoryStore, facts: Facts) -> Ledger:
    seeds = iter(range(1, 1000))
    return Ledger(
        store.open_db("ledger.db"),
        entropy=lambda size: next(seeds).to_bytes(size, "big"),
        now=lambda: NOW,
        audience_of=audience_of,
        on_admit=facts.admit,
        on_rollback=facts.reset,
    )


def test_facts_loaded_from_a_ledger_equal_facts_that_followed_it() -> None:
    facts = Facts([key("root").verify_key])
    ledger = ledger_of(MemoryStore(), facts)
    ledger.trust(key("root").verify_key)
    both = granted("both", OFFICER, PROVINCE)
    for name, fact in (
        ("root", both),
        ("both", drafted()),
        ("both", approved()),
        ("both", scheduled()),
        ("root", approved(version=2)),
        ("root", cancel_series(1)),
        ("root", QuietHoursSet(NOW, "vn", 60, 120)),
    ):
        ledger.append_sealed(key(name), fact.encode())
    again = Facts([key("root").verify_key])
    assert again.load(ledger) == [key("both").verify_key]
    for one, other in ((facts, again), (again, facts)):
        assert one.approvals == other.approvals
        assert one.orders == other.orders
        assert one.cancels == other.cancels
        assert one.quiet == other.quiet
        assert one.refused == other.refused
    assert [reason for _, reason in again.refused] == ["self-approved"]
    for decision in (one.signed for ones in again.approvals.values() for one in ones):
        assert again.refusal_of(decision) is None, "what counts is refused for nothing"


def test_a_rolled_back_transaction_leaves_nothing_behind() -> None:
    facts = Facts([key("root").verify_key])
    ledger = ledger_of(MemoryStore(), facts)
    ledger.trust(key("root").verify_key)
    ledger.append_sealed(key("root"), approved().encode())
    before = facts.version

    class Stop(RuntimeError):
        pass

    def approve_and_stop() -> None:
        with ledger.transaction():
            ledger.append_sealed(key("root"), approved(version=2).encode())
            assert len(facts.approvals[bulletin(1)]) == 2
            raise Stop

    with pytest.raises(Stop):
        approve_and_stop()
    facts.load(ledger)
    assert [one.fact.version for one in facts.approvals[bulletin(1)]] == [1]
    assert facts.version > before


def test_a_grant_inside_a_ledger_lets_its_subject_speak_at_once() -> None:
    facts = Facts([key("root").verify_key])
    ledger = ledger_of(MemoryStore(), facts)
    ledger.trust(key("root").verify_key)
    desk = Desk()
    ledger.ingest(desk.sign("root", granted("officer", Right.APPROVE, PROVINCE)).raw, source="test")
    ledger.ingest(desk.sign("officer", approved()).raw, source="test")
    (approval,) = facts.approvals[bulletin(1)]
    assert isinstance(approval.fact, Approved)
    assert WINDOW[0] <= approval.fact.ts <= WINDOW[1]
