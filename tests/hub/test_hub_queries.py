"""What the pages are told, and that it is what the ledger says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hub_house import DAY, EVENING, PROVINCE, SOUND, TU_LE, XUAN_AI, YEN_THINH, House, dump

from ledger.facts import Outcome, Refused, WithdrawalSeen, ancestors, at
from ledger.log import NotAllowed


@pytest.fixture
def house() -> House:
    return House()


# -- bulletins
# ---------------------------------------------------------------------------------------------------


def test_bulletins_are_found_without_diacritics_and_by_every_word(house: House) -> None:
    house.draft(title="Đường giao thông thôn Đông Cuông")
    house.draft(title="Phòng chống đuối nước", category="giao-thong")
    find = house.hub.queries.bulletins
    assert [row.title for row in find(text="duong DONG cuong")] == ["Đường giao thông thôn Đông Cuông"]
    assert len(find(text="giao thong")) == 2, "the words of the category count too"
    assert find(text="dong khong-co") == []
    assert find(text="100%") == find(text="_") == []
    assert len(find()) == 2


def test_bulletins_are_filtered_by_state_category_and_territory(house: House) -> None:
    house.draft(category="y-te", territory=TU_LE)
    waiting = house.submitted(category="y-te")
    find = house.hub.queries.bulletins
    assert [row.id for row in find(state="submitted")] == [waiting]
    assert len(find(category="y-te")) == 2
    assert [row.territory for row in find(territory=TU_LE)] == [TU_LE]
    assert len(find(territory=PROVINCE)) == 2
    assert find(territory="vn.y") == []
    assert [len(find(limit=1)), len(find(limit=5, offset=1))] == [1, 1]


def test_the_queue_is_in_the_order_of_waiting(house: House) -> None:
    first, second = house.submitted(title="Một"), house.submitted(title="Hai")
    assert [row.id for row in house.hub.queries.queue()] == [first, second]
    house.approve(first)
    assert [row.id for row in house.hub.queries.queue()] == [second]


def test_a_bulletins_page_tells_its_whole_signed_story(house: House) -> None:
    box = house.station(TU_LE)
    bulletin = house.approved()
    series = house.scheduled(bulletin)
    box.sync()
    box.ack(series)
    box.sync()
    house.later(60)
    house.hub.commands.cancel(house.approver, series, reason="Đổi giờ", now=house.now)
    house.hub.commands.withdraw(house.approver, bulletin, reason="Đính chính", now=house.now)
    box.sync()
    page = house.hub.queries.bulletin(bulletin)
    box.report(WithdrawalSeen(house.now, 0, bytes.fromhex(bulletin), 1).encode())
    approval = next(deed for deed in page.deeds if deed.what == "approved")
    box.report(Refused(house.now, bytes.fromhex(approval.event_id), "withdrawn").encode())
    box.sync()
    house.hub.tick()
    page = house.hub.queries.bulletin(bulletin)
    assert [deed.what for deed in page.deeds] == [
        "drafted",
        "submitted",
        "approved",
        "scheduled",
        "cancelled",
        "withdrawn",
    ]
    assert all(deed.verified and deed.applied for deed in page.deeds)
    assert [deed.who.name for deed in page.deeds[:3]] == ["Nguyễn Thị Lan", "Nguyễn Thị Lan", "Giàng A Páo"]
    assert page.deeds[2].who.account == "lanhdao"
    assert page.deeds[-1].detail == "Đính chính"
    assert (page.row.state, page.row.has_audio, page.row.duration_ms) == ("withdrawn", True, 4_000)
    assert page.text == "Không đốt nương khi có gió to."
    assert house.hub.blobs.read(bytes.fromhex(page.audio_sha256)) == SOUND
    assert {one.kind for one in page.renditions} == {"audio", "board-text"}
    assert [one.state for one in page.series] == ["cancelled"]
    assert [(one.unit, one.station) for one in page.as_run] == [(TU_LE, "Xã Tú Lệ")]
    assert [(one.unit, one.reason) for one in page.refusals] == [(TU_LE, "withdrawn")]
    assert (page.removed, page.already_played) == (0, 1)


def test_a_deed_whose_bytes_were_changed_on_the_disk_is_not_shown_as_verified(house: House) -> None:
    bulletin = house.approved()
    (approval,) = [deed for deed in house.hub.queries.bulletin(bulletin).deeds if deed.what == "approved"]
    assert approval.verified
    db = house.hub.ledger.db
    raw = bytearray(
        db.execute("SELECT raw FROM ledger_segments WHERE position = ?", [approval.position]).fetchone()[0]
    )
    raw[-1] ^= 1
    db.execute("UPDATE ledger_segments SET raw = ? WHERE position = ?", [bytes(raw), approval.position])
    changed = [deed.verified for deed in house.hub.queries.bulletin(bulletin).deeds]
    assert changed == [True, True, False]


def test_the_journal_lists_every_human_decision_newest_first(house: House) -> None:
    house.scheduled()
    listed = house.hub.queries.deeds(limit=1_000)
    assert [deed.what for deed in listed[:4]] == ["scheduled", "approved", "submitted", "drafted"]
    assert {"granted", "registered"} <= {deed.what for deed in listed}
    assert [deed.position for deed in listed] == sorted((deed.position for deed in listed), reverse=True)
    assert house.hub.queries.deeds(limit=2, offset=1) == listed[1:3]
    root = next(deed for deed in listed if deed.what == "granted" and deed.role_hint == "root")
    assert root.who.account == ""
    assert root.who.name == "root"


@pytest.mark.parametrize("name", ["", "x", "00" * 16])
def test_what_is_not_there_is_named_as_unknown(house: House, name: str) -> None:
    for ask in (lambda: house.hub.queries.bulletin(name), lambda: house.hub.queries.station(name)):
        with pytest.raises(NotAllowed):
            ask()
    with pytest.raises(NotAllowed):
        house.hub.queries.series(12)


# -- stations
# ----------------------------------------------------------------------------------------------------


def test_a_station_is_behind_by_exactly_what_its_next_feed_would_bring(house: House) -> None:
    boxes = {unit: house.station(unit) for unit in (TU_LE, XUAN_AI)}
    boxes[TU_LE].sync()
    boxes[TU_LE].sync()
    bulletin = house.approved()
    house.scheduled(bulletin)
    house.scheduled(bulletin, territory=XUAN_AI, minute=EVENING - 60)
    house.approved(territory=TU_LE)
    house.hub.tick()
    wall = {row.unit: row for row in house.hub.queries.stations() if row.enrolled}
    fed = {
        unit: len(house.hub.ledger.feed(ancestors(unit), row.cursor, 1 << 20)[0])
        for unit, row in wall.items()
    }
    assert {unit: row.behind for unit, row in wall.items()} == fed
    assert fed[TU_LE] == 3, "two for all, one of its own"
    assert fed[XUAN_AI] > 3, "it never came: everything since the founding"
    assert house.hub.queries.station(TU_LE).behind == 3
    boxes[TU_LE].sync()
    boxes[TU_LE].sync()
    assert house.hub.queries.station(TU_LE).behind == 0


# -- plan
# --------------------------------------------------------------------------------------------------------


def test_a_week_shows_each_slot_on_its_days(house: House) -> None:
    bulletin = house.approved()
    whole = house.scheduled(bulletin, days=[DAY, DAY + 2, DAY + 9])
    here = house.scheduled(bulletin, territory=TU_LE, days=[DAY], minute=EVENING - 60)
    week = house.hub.queries.week
    assert [(c.day, c.minute, c.series) for c in week(DAY)] == [
        (DAY, EVENING - 60, here),
        (DAY, EVENING, whole),
        (DAY + 2, EVENING, whole),
    ]
    assert [c.day for c in week(DAY + 7)] == [DAY + 9]
    assert week(DAY + 20) == []
    assert {c.series for c in week(DAY, territory=TU_LE)} == {here}
    assert {c.series for c in week(DAY, unit=XUAN_AI)} == {whole}
    house.hub.commands.cancel(house.approver, here, reason="x", now=house.now)
    assert [c.state for c in week(DAY)] == ["cancelled", "active", "active"]


def test_a_withdrawn_bulletin_takes_its_schedules_with_it(house: House) -> None:
    bulletin, other = house.approved(), house.approved(title="Cắt điện")
    taken = [house.scheduled(bulletin), house.scheduled(bulletin, territory=TU_LE, minute=EVENING - 60)]
    stays = house.scheduled(other)
    house.hub.commands.withdraw(house.approver, bulletin, reason="Sai ngày", now=house.now)
    states = {row.series: row.state for row in house.hub.queries.all_series()}
    assert states == {taken[0]: "withdrawn", taken[1]: "withdrawn", stays: "active"}
    assert {row.series for row in house.hub.queries.all_series(active_only=True)} == {stays}
    assert {cell.series for cell in house.hub.queries.week(DAY) if cell.state == "active"} == {stays}
    before = dump(house.hub)
    house.hub.rebuild()
    assert dump(house.hub) == before


def test_a_schedule_by_somebody_who_missed_the_withdrawal_is_no_promise(house: House) -> None:
    """Signed in another place, it arrives after the withdrawal: valid in itself, and no station plays it."""
    bulletin = house.approved()
    known = house.scheduled(bulletin)
    house.hub.commands.withdraw(house.approver, bulletin, reason="Sai ngày", now=house.now)
    (order,) = house.hub.facts.orders[known]
    late = replace(order.fact, ts=house.now, series=known + 1)
    house.hub.ledger.append_sealed(house.approver.key, late.encode())
    house.hub.tick()
    assert house.hub.queries.series(known + 1).state == "withdrawn"
    assert house.hub.queries.explain(TU_LE, at(DAY, EVENING)).winner is None


def test_what_plays_at_five_and_why_the_others_do_not(house: House) -> None:
    bulletin = house.approved()
    low = house.scheduled(bulletin, length_s=300)
    high = house.scheduled(house.approved(klass=3), length_s=300)
    withdrawn = house.approved()
    gone = house.scheduled(withdrawn, length_s=300)
    house.hub.commands.withdraw(house.approver, withdrawn, reason="x", now=house.now)
    said = house.hub.queries.explain(TU_LE, at(DAY, EVENING) + 10)
    assert said.winner is not None
    assert said.winner.series == high
    assert {slot.series: words for slot, _, _, words in said.losers} == {
        low: "không được phép phát (nhường tin ưu tiên hơn)",
        gone: "đã thu hồi",
    }
    assert house.hub.queries.explain(TU_LE, at(DAY, 600)).winner is None


def test_series_are_listed_with_who_ordered_them(house: House) -> None:
    series = house.scheduled()
    emergency = house.hub.commands.order_emergency(
        house.approver,
        kind="lu-quet",
        level=3,
        text="Lũ quét",
        territory=TU_LE,
        drill=True,
        now=house.now,
    )
    listed = house.hub.queries.all_series()
    assert [row.series for row in listed] == [emergency, series]
    assert (listed[0].kind, listed[0].level, listed[0].drill, listed[0].bulletin) == (
        "emergency",
        3,
        True,
        "",
    )
    assert (listed[0].first_day, listed[0].days, listed[0].not_before) == (DAY, (), house.now)
    assert listed[1].by.account == "bientap"
    house.hub.commands.cancel(house.approver, emergency, reason="Đã an toàn", now=house.now)
    assert [row.series for row in house.hub.queries.all_series(active_only=True)] == [series]


# -- stations and days
# -------------------------------------------------------------------------------------------


def test_stations_are_found_without_diacritics_and_by_kind(house: House) -> None:
    find = house.hub.queries.stations
    assert [row.unit for row in find(text="tu le")] == [TU_LE]
    assert [row.unit for row in find(text="04441")] == [XUAN_AI]
    assert [row.unit for row in find(kind="fm")] == [YEN_THINH]
    assert len(find()) == 4
    assert find()[0].as_of == house.now


def test_targets_are_counted_before_an_emergency_is_confirmed(house: House) -> None:
    assert house.hub.queries.targets(PROVINCE).targets == 3
    assert house.hub.queries.targets(PROVINCE).fm == 1
    assert house.hub.queries.targets(TU_LE).targets == 1
    assert house.hub.queries.targets("vn.la").targets == 0


def test_a_days_figures_come_from_the_ledger_and_silence_is_not_playing(house: House) -> None:
    here, there = house.station(TU_LE), house.station(XUAN_AI)
    series = house.scheduled()
    emergency = house.hub.commands.order_emergency(
        house.approver, kind="lu-quet", level=2, text="Lũ quét", territory=PROVINCE, now=house.now
    )
    summary = house.hub.queries.summary(DAY)
    assert (summary.stations, summary.it, summary.fm) == (4, 3, 1)
    assert (summary.planned, summary.unreported, summary.outcomes) == (6, 6, {})
    assert (summary.emergency_targets, summary.emergency_reached) == (3, 0)
    here.ack(series)
    here.ack(emergency)
    there.ack(series, outcome=int(Outcome.MISSED), detail=2)
    there.ack(emergency, outcome=int(Outcome.MISSED), detail=200)
    for box in (here, there):
        box.sync()
    house.hub.tick()
    summary = house.hub.queries.summary(DAY)
    assert summary.outcomes == {"missed": 2, "played": 2}
    assert summary.missed_by == {"detail_200": 1, "not_delivered": 1}
    assert (summary.planned, summary.unreported, summary.acks) == (6, 2, 4)
    assert (summary.emergency_targets, summary.emergency_reached) == (3, 1)
    assert house.hub.queries.summary(DAY + 1).planned == 0


def test_what_was_called_off_before_its_time_is_not_owed(house: House) -> None:
    series = house.scheduled()
    assert house.hub.queries.summary(DAY).planned == 3
    house.hub.commands.cancel(house.approver, series, reason="x", now=house.now)
    assert house.hub.queries.summary(DAY).planned == 0


def test_as_run_is_asked_by_station_series_day_and_bulletin(house: House) -> None:
    boxes = [house.station(TU_LE), house.station(XUAN_AI)]
    bulletin = house.approved()
    one, two = house.scheduled(bulletin), house.scheduled(bulletin, minute=EVENING + 30)
    other = house.scheduled(house.approved(title="Tin khác"), minute=EVENING + 60)
    for box in boxes:
        for series in (one, two, other):
            box.ack(series)
        box.sync()
    house.hub.tick()
    ask = house.hub.queries.as_run
    assert len(ask()) == 6
    assert len(ask(unit=TU_LE)) == 3
    assert len(ask(series=one)) == 2
    assert len(ask(bulletin=bulletin)) == 4
    assert len(ask(day=DAY, unit=TU_LE, bulletin=bulletin)) == 2
    assert ask(day=DAY + 1) == ask(bulletin="zz") == []
    assert len(ask(limit=4)) == 4
    assert ask(limit=2, offset=4) == ask()[4:]
    row = ask(series=other, unit=TU_LE)[0]
    assert (row.title, row.station, row.evidence) == ("Tin khác", "Xã Tú Lệ", 1)


def test_counts_say_how_far_the_views_are_behind_the_ledger(house: House) -> None:
    box = house.station()
    box.ack(house.scheduled())
    box.sync()
    counts = house.hub.queries.counts()
    assert counts["position"] > counts["cursor"]
    house.hub.tick()
    counts = house.hub.queries.counts()
    assert counts["position"] == counts["cursor"] == counts["segments"]
    assert (counts["stations"], counts["bulletins"], counts["series"], counts["queue"]) == (4, 1, 1, 0)
    assert dict(house.hub.queries.categories())["phap-luat"] == "Phổ biến pháp luật"
