"""An offer from the province's desk to the commune's page and back: a real hub, station and rounds."""

from __future__ import annotations

import pytest
from test_web_house import approve
from test_web_wishes import grant
from two_ends import Browser, Pair

from hub.offer_queries import AnswerRow
from ledger.facts import Answer, Outcome, at, explain, local_day, slots
from node.page.bulletins import Bulletins

MAI = "Lò Thị Mai"
FIVE, HALF_PAST, SIX = 17 * 60, 17 * 60 + 30, 18 * 60
PIN = "phở bò 27"


@pytest.fixture
def pair() -> Pair:
    """At 8:00 of Law Day; Mai of Tú Lệ may arrange its programme."""
    found = Pair("offers")
    found.join(MAI, "officer")
    found.sync()
    grant(found, MAI)
    found.sync()
    return found


def offer(pair: Pair, title: str, clock: str = "17:00", klass: str = "2") -> tuple[str, int]:
    """A bulletin of the province, approved, on today's and tomorrow's plan: (id, series)."""
    bulletin = pair.house.browser("bientap").draft(title, klass=klass)
    approve(pair.house, bulletin)
    desk = pair.house.browser("lanhdao")
    desk.plan(bulletin, _from="2022-11-09", _until="2022-11-10", at=clock)
    assert "Đã ký lịch phát" in desk.words, desk.words
    pair.sync()
    return bulletin, int(desk.path.rsplit("/", 1)[1])


def mai(pair: Pair) -> Browser:
    """Mai's browser, signed in."""
    row = pair.office.people.named(MAI)
    assert row is not None
    return pair.visitor().get("/dang-nhap").press("/dang-nhap", person=str(row.id), pin=PIN)


def run_to(pair: Pair, minute: int, day: int) -> None:
    """Lets the station live until this minute, called as it asks to be."""
    end_s = at(day, minute)
    while pair.house.clock[0] < end_s:
        wait_s = pair.station.tick()
        pair.house.clock[0] = min(end_s, pair.house.clock[0] + max(1, int(wait_s)))
    pair.station.tick()


def dump(pair: Pair) -> list[str]:
    return list(pair.house.hub.projections.db.conn.iterdump())


def test_what_a_commune_answers_is_played_reported_and_shown_at_the_hub(pair: Pair) -> None:
    today = local_day(pair.house.clock[0])
    (bulletin, moved), (_, declined), (_, taken) = (
        offer(pair, title, clock)
        for title, clock in (("Tiêm phòng", "17:00"), ("Chợ phiên", "17:10"), ("Nước sạch", "17:20"))
    )
    page = mai(pair).get("/de-nghi")
    assert page.says("Chờ xã trả lời (3)")
    page.get(f"/de-nghi/{moved}?gio=17:40&ngay={today}")
    assert page.says("Phát được, không trùng mục nào")
    page.post(
        f"/de-nghi/{moved}",
        {"csrf": page.csrf, "tra_loi": "doi", "gio": "17:40", "ngay": str(today)},
    )
    assert page.says("Đã ký: dời sang 17:40")
    page.get(f"/de-nghi/{declined}").press(
        f"/de-nghi/{declined}", tra_loi="khong", ngay=str(today), ly_do="Xã họp dân lúc ấy"
    )
    assert page.says("Đã ký: xã không nhận")
    page.get(f"/de-nghi/{taken}").press(f"/de-nghi/{taken}", tra_loi="nhan", ngay="")
    pair.sync()

    hub = pair.house.hub
    window = (pair.unit, at(today), at(today + 2))
    here, there = slots(pair.station.facts, *window), slots(hub.facts, *window)
    assert here == there
    for minute in (FIVE, FIVE + 10, FIVE + 20, FIVE + 40):
        told = [explain(side.facts, pair.unit, at(today, minute)) for side in (pair.station, hub)]
        assert told[0] == told[1]

    run_to(pair, SIX, today)
    pair.sync()
    rows = {row.series: row for row in hub.queries.as_run(unit=pair.unit, day=today)}
    assert {series: (row.outcome, row.planned_at) for series, row in rows.items()} == {
        moved: (Outcome.PLAYED, at(today, FIVE + 40)),
        declined: (Outcome.DECLINED, at(today, FIVE + 10)),
        taken: (Outcome.PLAYED, at(today, FIVE + 20)),
    }
    assert 0 <= rows[moved].started_at - at(today, FIVE + 40) < 30
    summary = hub.queries.summary(today)
    assert (summary.outcomes["declined"], summary.outcomes["played"]) == (1, 2)

    desk = pair.house.browser("bientap")
    assert "xã dời sang 17:40" in desk.get(f"/lich/{moved}?ngay=09/11/2022").words
    desk.get(f"/lich/{declined}?ngay=09/11/2022")
    assert "xã không nhận : “Xã họp dân lúc ấy”" in desk.words
    assert MAI in desk.words
    assert "xã nhận 0 xã dời giờ 1 xã không nhận 0" in desk.get(f"/ban-tin/{bulletin}").words
    assert "xã dời sang 17:40" in desk.words, "the timeline says it too"
    assert "xã dời từ 17:00" in desk.get(f"/lich?tram={pair.unit}&tuan=09/11/2022").words
    assert "xã không nhận" in desk.words
    assert "xã dời từ 17:00" in desk.get(f"/vi-sao?tram={pair.unit}&ngay=09/11/2022&luc=17:40").words
    assert "xã không nhận" in desk.get(f"/vi-sao?tram={pair.unit}&ngay=09/11/2022&luc=17:10").words


def test_the_views_come_to_the_same_rows_when_they_are_built_again(pair: Pair) -> None:
    today = local_day(pair.house.clock[0])
    _, series = offer(pair, "Tiêm phòng")
    page = mai(pair)
    page.get(f"/de-nghi/{series}?gio=18:00")
    page.post(
        f"/de-nghi/{series}",
        {"csrf": page.csrf, "tra_loi": "doi", "gio": "18:00", "ngay": ""},
    )
    pair.sync()
    run_to(pair, SIX + 20, today)
    pair.sync()
    before = dump(pair)
    pair.house.hub.projections.rebuild()
    assert dump(pair) == before
    (row,) = pair.house.hub.queries.as_run(unit=pair.unit, day=today)
    assert row.planned_at == at(today, SIX)


def test_answers_are_counted_by_commune_and_silence_is_counted_as_silence(pair: Pair) -> None:
    today = local_day(pair.house.clock[0])
    _, series = offer(pair, "Tiêm phòng")
    queries = pair.house.hub.queries
    stations = len(pair.house.hub.facts.stations)
    tally = queries.offer(series, today, territory="vn.yb")
    assert tally is not None
    assert (tally.answered, tally.silent) == (0, stations)
    page = mai(pair).get(f"/de-nghi/{series}")
    page.press(f"/de-nghi/{series}", tra_loi="nhan", ngay="")
    page.get(f"/de-nghi/{series}")
    page.press(f"/de-nghi/{series}", tra_loi="khong", ngay=str(today), ly_do="mất điện")
    pair.sync()
    tally, tomorrow = (queries.offer(series, day, territory="vn.yb") for day in (today, today + 1))
    assert tally is not None
    assert tomorrow is not None
    assert (tally.accepted, tally.declined, tally.silent) == (0, 1, stations - 1)
    assert (tomorrow.accepted, tomorrow.declined, tomorrow.silent) == (1, 0, stations - 1)
    said: list[tuple[int, str]] = [(row.answer, row.worth) for row in tally.answers]
    assert said == [(Answer.DECLINED, ""), (Answer.ACCEPTED, "overruled")]
    decides = tally.answers[0]
    assert isinstance(decides, AnswerRow)
    assert (decides.reason, decides.by.name) == ("mất điện", MAI)
    assert queries.offer(series + 1, today, territory="vn.yb") is None
    assert queries.offer(series, today, territory="vn.lc") is None


def test_a_priority_item_of_the_province_is_no_offer_at_either_end(pair: Pair) -> None:
    today = local_day(pair.house.clock[0])
    _, series = offer(pair, "Phòng cháy rừng", klass="3")
    assert not mai(pair).get("/de-nghi").says("Phòng cháy rừng")
    assert pair.house.hub.queries.offer(series, today, territory="vn.yb") is None
    assert "Xã trả lời" not in pair.house.browser("bientap").get(f"/lich/{series}").words


def test_a_moved_offer_that_is_not_over_yet_is_no_missing_report(pair: Pair) -> None:
    today = local_day(pair.house.clock[0])
    _, series = offer(pair, "Tiêm phòng")
    page = mai(pair)
    page.get(f"/de-nghi/{series}?gio=19:00")
    page.post(
        f"/de-nghi/{series}",
        {"csrf": page.csrf, "tra_loi": "doi", "gio": "19:00", "ngay": ""},
    )
    pair.sync()
    run_to(pair, SIX, today)
    desk = pair.house.browser("bientap").get(f"/lich/{series}?ngay=09/11/2022")
    assert "Xã Tú Lệ" not in desk.html.split("trạm chưa báo về")[1].split("</details>")[0]


def test_an_officer_hears_the_very_recording_that_the_province_approved(pair: Pair) -> None:
    _, series = offer(pair, "Tiêm phòng")
    page = mai(pair)
    answer = page._client.get(f"/de-nghi/{series}/nghe")
    assert answer.status_code == 200
    (order,) = pair.station.facts.orders[series]
    found = Bulletins(pair.office).contents.manifest(order.fact.manifest)
    assert found is not None
    heard = found.audio("vi")
    assert heard is not None
    assert answer.data == Bulletins(pair.office).blobs.read(heard.sha256)
