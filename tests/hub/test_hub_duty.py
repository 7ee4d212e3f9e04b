"""Rule 16 at the hub: what operators of FM stations say, entered, signed and shown as what it is."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hub_house import DAY, EVENING, PROVINCE, TU_LE, YEN_THINH, House, dump

from hub.duty import by_code, unsaid
from ledger.facts import (
    Attested,
    Detail,
    Evidence,
    Means,
    Outcome,
    Slot,
    at,
    slot_at,
    slot_code,
)
from ledger.log import NotAllowed

NIGHT = at(DAY, 20 * 60)


@pytest.fixture
def house() -> House:
    """Law Day's bulletin at 17:00 in the whole province; Yên Thịnh has a transmitter and no way back."""
    house = House("duty")
    house.scheduled()
    house.now = NIGHT
    return house


def slot_of(house: House, unit: str = YEN_THINH) -> Slot:
    (series,) = house.hub.facts.orders
    found = slot_at(house.hub.facts, unit, series, DAY)
    assert found is not None
    return found


def say(house: House, slot: Slot, **more: Any) -> bytes:
    fields: dict[str, Any] = {
        "series": slot.series, "day": slot.day, "content": slot.manifest[:16], "outcome": Outcome.PLAYED,
        "began_at": slot.start_s + 20, "played_ds": 40, "said_by": "Bà Mỷ", "now": house.now,
    }  # fmt: skip
    fields |= more
    officer = fields.pop("officer", None) or house.editor
    return house.hub.commands.attest(officer, fields.pop("unit", slot.unit), **fields)


def row_of(house: House, unit: str = YEN_THINH) -> Any:
    (row,) = house.hub.queries.as_run(unit=unit)
    return row


def test_a_word_by_telephone_becomes_an_as_run_row_of_its_own_lower_level(house: House) -> None:
    slot = slot_of(house)
    say(house, slot)
    row = row_of(house)
    assert (row.day, row.series, row.outcome, row.played_ds) == (DAY, slot.series, Outcome.PLAYED, 40)
    assert (row.planned_at, row.started_at) == (slot.start_s, slot.start_s + 20)
    assert Evidence(row.evidence) is Evidence.OPERATOR_ATTESTED
    assert Evidence(row.evidence).say("vi") == "người trực xác nhận"
    assert (row.said_by, row.means) == ("Bà Mỷ", Means.TELEPHONE)
    deed = house.hub.queries.deeds(limit=1)[0]
    assert (deed.what, deed.applied, deed.who.account, deed.verified) == ("attested", True, "bientap", True)
    assert (row.key_id, row.seq, row.position) == (house.editor.key.key_id.hex(), deed.seq, deed.position)


def test_a_word_is_counted_apart_from_what_stations_proved(house: House) -> None:
    before = house.hub.queries.summary(DAY)
    assert (before.fm_planned, before.fm_attested) == (1, 0)
    say(house, slot_of(house))
    say(house, slot_of(house, TU_LE))  # of an IT station that has not reported: it stays unreported
    after = house.hub.queries.summary(DAY)
    assert (after.fm_planned, after.fm_attested) == (1, 1)
    assert (after.outcomes, after.unreported, after.unplanned, after.acks) == (
        before.outcomes, before.unreported, before.unplanned, before.acks
    )  # fmt: skip


@pytest.mark.parametrize("first", ["word", "station"])
def test_a_stations_own_acknowledgment_outranks_every_word(first: str) -> None:
    house = House("outranks")
    box = house.station(TU_LE)
    series = house.scheduled()
    house.now = NIGHT
    box.sync()

    def station() -> None:
        box.ack(series, outcome=int(Outcome.MISSED), detail=int(Detail.DEVICE), played_ds=0, evidence=1)
        box.sync()
        house.hub.tick()

    acts = [lambda: say(house, slot_of(house, TU_LE)), station]
    for act in acts if first == "word" else reversed(acts):
        act()
    row = row_of(house, TU_LE)
    assert (row.outcome, row.detail, row.evidence) == (Outcome.MISSED, Detail.DEVICE, Evidence.DELIVERED)
    assert (row.said_by, row.means) == ("", -1)
    assert house.hub.queries.summary(DAY).outcomes == {"missed": 1}


def test_of_several_words_the_latest_by_its_own_time_stands_whoever_comes_first() -> None:
    shown = set()
    for order in permutations((0, 60, 120)):
        house = House("several")
        house.scheduled()
        for later in order:
            house.now = NIGHT + later
            say(house, slot_of(house), played_ds=10 + later)
        shown.add(row_of(house).played_ds)
    assert shown == {130}


def test_a_word_on_a_slot_that_does_not_exist_is_refused_at_the_desk_and_in_the_ledger(house: House) -> None:
    slot = slot_of(house)
    with pytest.raises(NotAllowed) as refused:
        say(house, slot, day=DAY + 1)
    assert refused.value.code == "slot-unknown"
    # signed all the same, elsewhere, by somebody who may: kept, listed with its reason, and no row
    fact = Attested(
        NIGHT, YEN_THINH, slot.series, DAY + 1, slot.manifest[:16], int(Outcome.PLAYED), 0, None, 40, 1, "Mỷ"
    )
    house.hub.ledger.append_sealed(house.editor.key, fact.encode())
    house.hub.tick()
    assert house.hub.queries.as_run(unit=YEN_THINH) == []
    deed = house.hub.queries.deeds(limit=1)[0]
    assert (deed.applied, deed.why) == (False, "slot-unknown")


def test_a_word_that_arrives_before_its_order_stands_when_the_order_is_here() -> None:
    """As on a stick on which one officer's log comes before another's."""
    ahead, house = House("ahead"), House("ahead")
    series = ahead.scheduled()
    slot = slot_at(ahead.hub.facts, YEN_THINH, series, DAY)
    assert slot is not None
    fact = Attested(
        NIGHT, YEN_THINH, series, DAY, slot.manifest[:16], int(Outcome.PLAYED), 0, None, 40, 1, "Mỷ"
    )
    house.hub.ledger.append_sealed(house.approver.key, fact.encode())
    house.hub.tick()
    assert house.hub.queries.deeds(limit=1)[0].why == "slot-unknown"
    for stored in ahead.hub.ledger.since(0):
        if stored.segment.head.key_id == ahead.editor.key.key_id:
            house.hub.ledger.ingest(stored.segment.raw, source="test")
    house.hub.tick()
    assert row_of(house).played_ds == 40
    assert [one.applied for one in house.hub.queries.deeds(limit=50) if one.what == "attested"] == [True]
    before = dump(house.hub)
    house.hub.projections.rebuild()
    assert dump(house.hub) == before


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"unit": "vn.yb.99999"}, "station-unknown"),
        ({"unit": "nowhere!"}, "territory-unknown"),
        ({"content": bytes(16)}, "slot-changed"),
        ({"outcome": Outcome.SILENT}, "outcome-unknown"),
        ({"detail": Detail.QUIET}, "outcome-unknown"),
        ({"played_ds": 0}, "length-range"),
        ({"outcome": Outcome.MISSED, "began_at": None}, "length-range"),
        ({"began_at": NIGHT + 1}, "begin-range"),
        ({"means": Means.SELF}, "kind-unknown"),
        ({"said_by": "  "}, "text-empty"),
        ({"said_by": "M" * 121}, "text-too-long"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(house: House, more: dict[str, Any], code: str) -> None:
    before = house.segments()
    with pytest.raises(NotAllowed) as refused:
        say(house, slot_of(house), **more)
    assert refused.value.code == code
    assert house.segments() == before


def test_nobody_attests_what_has_not_begun(house: House) -> None:
    house.now = at(DAY, EVENING - 61)
    with pytest.raises(NotAllowed) as refused:
        say(house, slot_of(house), began_at=None)
    assert refused.value.code == "slot-ahead"


def test_an_administrator_does_not_attest(house: House) -> None:
    with pytest.raises(NotAllowed) as refused:
        say(house, slot_of(house), officer=house.admin)
    assert refused.value.code == "no-right"


def test_what_nobody_said_is_listed_for_fm_stations_only_and_leaves_the_list_with_a_word(
    house: House,
) -> None:
    (missing,) = unsaid(house.hub, PROVINCE, house.now)
    assert (missing.unit, missing.station) == (YEN_THINH, "Phường Yên Thịnh")
    assert missing.code == slot_code(slot_of(house))
    assert unsaid(house.hub, TU_LE, house.now) == []
    say(house, slot_of(house), outcome=Outcome.MISSED, detail=Detail.POWER, began_at=None, played_ds=0)
    assert unsaid(house.hub, PROVINCE, house.now) == []


def test_a_silent_fm_station_is_never_out_of_touch(house: House) -> None:
    house.later(30 * 86_400)
    row = house.hub.queries.station(YEN_THINH, now=house.now)
    assert (row.kind, row.last_contact_at) == ("fm", None)
    assert YEN_THINH not in str(house.hub.queries.noticed(house.now))


def test_a_code_names_the_slot_of_one_station_and_a_wrong_digit_names_none(house: House) -> None:
    slot = slot_of(house)
    code = slot_code(slot)
    assert by_code(house.hub, YEN_THINH, code, house.now) == [slot]
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    for unit, text, reason in (
        (YEN_THINH, wrong, "code-check"),
        (YEN_THINH, "123", "code-length"),
        (TU_LE, code, "slot-unknown"),
    ):
        with pytest.raises(NotAllowed) as refused:
            by_code(house.hub, unit, text, house.now)
        assert refused.value.code == reason


def test_attested_rows_are_the_same_when_built_again(house: House) -> None:
    box = house.station(TU_LE)
    for n in range(3):
        house.later(60)
        say(house, slot_of(house), played_ds=40 + n)
        say(house, slot_of(house, TU_LE), outcome=Outcome.PARTIAL, played_ds=10 + n)
    box.sync()
    box.ack(slot_of(house).series)
    box.sync()
    house.hub.tick()
    before = dump(house.hub)
    house.hub.projections.rebuild()
    assert dump(house.hub) == before
    assert row_of(house, TU_LE).evidence != Evidence.OPERATOR_ATTESTED
