"""Offers at a commune's station: taken, moved, declined and put in order, and played as its people said."""

from __future__ import annotations

import pytest
from page_world import PIN, Browser, Page
from station_world import DAY, NODE, ROOT, UNIT, World

from ledger.facts import (
    AckCoder,
    Answer,
    OfferAnswered,
    Outcome,
    ProgrammeArranged,
    QuietHoursSet,
    Right,
    Slot,
    at,
    slots,
)
from ledger.log import NotAllowed, VerifyKey
from node.page import offers, ordering
from node.page.office import Person

FIVE, SIX = 17 * 60, 18 * 60


class Desk:
    """A station whose officer Lan may arrange its programme, at 05:30 of Law Day."""

    def __init__(self) -> None:
        self.page = Page()
        self.world.run(60)
        self._lan = self.page.join("Lan", "officer")
        self.page.grant("Lan")

    @property
    def world(self) -> World:
        return self.page.world

    @property
    def lan(self) -> Browser:
        """Lan's browser, signed in (a seat is left when nobody touches it for a while)."""
        if self._lan.get("/").path == "/dang-nhap":
            row = self.page.office.people.named("Lan")
            assert row is not None
            self._lan.press("/dang-nhap", person=str(row.id), pin=PIN)
        assert self._lan.path == "/"
        return self._lan

    def sync(self) -> None:
        for _ in range(2):
            self.world.station.agent.hurry(self.world.clock.mono_s, 0.0)
            self.page.sync()

    @property
    def who(self) -> Person:
        row = self.page.office.people.named("Lan")
        assert row is not None
        found = self.page.office.person(self.page.office.login(row.id, PIN))
        assert found is not None
        return found

    def offer(self, minute: int = FIVE, **more: object) -> int:
        """A series of the province on offer, known here, with its content."""
        series = self.world.hub.programme(minute, **{"klass": 2, **more})
        self.sync()
        return series

    def slot(self, series: int, day: int = DAY) -> Slot:
        found = slots(self.world.station.facts, UNIT, at(day), at(day + 1))
        return next(slot for slot in found if slot.series == series)

    def sounds(self) -> list[tuple[int, int, int]]:
        """(series, day, minute of that day) of what sounded."""
        return [
            (one.series, one.day, int(one.utc_s - at(one.day)) // 60) for one in self.world.speaker.sounds
        ]

    def told(self) -> dict[tuple[int, int], tuple[str, int]]:
        """(series, day) → outcome and planned start by the acknowledgment, as the hub received them."""
        self.sync()
        acks = self.world.hub.acks()
        return {(a.series, a.day): (Outcome(a.outcome).name, a.ts - a.jitter_cs // 100) for a in acks}


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- what the station does ----------------------------------------------------------------------------------


def test_an_offer_nobody_answers_plays_when_it_was_ordered(desk: Desk) -> None:
    series = desk.offer()
    desk.world.run_to(SIX)
    assert desk.sounds() == [(series, DAY, FIVE)]


def test_a_declined_offer_is_silent_and_acknowledged_as_declined_when_its_time_has_come(desk: Desk) -> None:
    series = desk.offer(days=(DAY, DAY + 1))
    offers.decline(desk.page.office, desk.who, series, DAY, "họp thôn tại nhà văn hóa")
    desk.world.run_to(FIVE - 1)
    assert desk.world.outcomes() == {}
    desk.world.run_to(FIVE + 1)
    assert desk.world.outcomes() == {(series, DAY): ("DECLINED", "NONE")}
    desk.world.run_to(FIVE + 30)
    assert desk.told() == {(series, DAY): ("DECLINED", at(DAY, FIVE))}
    desk.world.run_to(SIX, DAY + 1)
    assert desk.sounds() == [(series, DAY + 1, FIVE)]


@pytest.mark.parametrize("minute", [9 * 60, 17 * 60 + 30])
def test_a_moved_offer_plays_once_at_its_new_time_and_says_so(desk: Desk, minute: int) -> None:
    series = desk.offer()
    offers.move(desk.page.office, desk.who, series, None, minute)
    desk.world.run_to(19 * 60)
    assert desk.sounds() == [(series, DAY, minute)]
    assert desk.told() == {(series, DAY): ("PLAYED", at(DAY, minute))}


def test_a_move_is_kept_over_a_power_cut(desk: Desk) -> None:
    series = desk.offer()
    offers.move(desk.page.office, desk.who, series, DAY, SIX)
    desk.world.off(600)
    desk.world.run_to(SIX + 30)
    assert desk.sounds() == [(series, DAY, SIX)]


def test_a_power_cut_over_the_new_time_is_missed_at_the_new_time(desk: Desk) -> None:
    series = desk.offer()
    offers.move(desk.page.office, desk.who, series, DAY, SIX)
    desk.world.run_to(SIX - 5)
    desk.world.off(3_600)
    desk.world.run(900)
    assert desk.told()[series, DAY] == ("MISSED", at(DAY, SIX))


def test_an_answer_to_what_is_on_air_is_refused_and_changes_nothing(desk: Desk) -> None:
    series = desk.offer(seconds=300)
    desk.world.run_to(FIVE + 1)
    with pytest.raises(NotAllowed, match="offer-unknown"):
        offers.decline(desk.page.office, desk.who, series, DAY, "muộn rồi")
    # Past the form: signed all the same, it has no effect.
    office = desk.page.office
    office.sign(desk.who, OfferAnswered(office.now().ts, series, DAY, Answer.DECLINED, None, UNIT, ""))
    desk.world.run_to(SIX)
    assert desk.world.outcomes() == {(series, DAY): ("PLAYED", "NONE")}


def test_a_priority_item_is_no_offer_and_plays_whatever_is_signed(desk: Desk) -> None:
    series = desk.offer(klass=3)
    assert offers.offers_of(desk.page.office) == []
    with pytest.raises(NotAllowed, match="offer-unknown"):
        offers.decline(desk.page.office, desk.who, series, DAY, "không phát")
    office = desk.page.office
    office.sign(desk.who, OfferAnswered(office.now().ts, series, DAY, Answer.DECLINED, None, UNIT, ""))
    desk.world.run_to(SIX)
    assert desk.sounds() == [(series, DAY, FIVE)]


def test_the_hub_and_the_station_have_one_plan_after_an_answer(desk: Desk) -> None:
    first, second = desk.offer(days=(DAY, DAY + 1)), desk.offer(FIVE + 5)
    offers.move(desk.page.office, desk.who, first, DAY, SIX)
    offers.decline(desk.page.office, desk.who, second, None, "trùng giờ chợ phiên")
    desk.sync()
    window = (UNIT, at(DAY), at(DAY + 2))
    here, there = slots(desk.world.station.facts, *window), slots(desk.world.hub.facts, *window)
    assert here == there
    assert [(one.series, one.day, one.start_s, one.declined) for one in there] == [
        (second, DAY, at(DAY, FIVE + 5), True), (first, DAY, at(DAY, SIX), False),
        (first, DAY + 1, at(DAY + 1, FIVE), False),
    ]  # fmt: skip


def test_acknowledgments_of_moved_slots_travel_in_the_plans_words(desk: Desk) -> None:
    series = desk.offer()
    offers.move(desk.page.office, desk.who, series, None, SIX)
    desk.sync()
    desk.world.run_to(SIX + 5)
    desk.sync()
    (ack,) = [one.event for one in desk.world.hub.facts_of(type(desk.world.hub.acks()[0]), NODE)]
    coders = [AckCoder(side.facts, UNIT) for side in (desk.world.station, desk.world.hub)]
    packed = [coder.pack([ack]) for coder in coders]
    assert packed[0] is not None
    assert packed[0] == packed[1]
    assert len(packed[0]) < len(ack) // 2


# --- what is refused before it is signed --------------------------------------------------------------------


def test_a_move_into_quiet_hours_is_refused_before_it_is_signed(desk: Desk) -> None:
    series = desk.offer(seconds=600)
    for minute in (21 * 60 + 25, 22 * 60, 5 * 60 - 1):
        with pytest.raises(NotAllowed):
            offers.move(desk.page.office, desk.who, series, None, minute)
    assert desk.slot(series).moved_from_s is None
    check = offers.check_move(desk.page.office, desk.slot(series), 22 * 60)
    assert check.refused is not None
    assert check.refused.code == "quiet-hours"
    assert offers.check_move(desk.page.office, desk.slot(series), 21 * 60 + 20).refused is None


def test_quiet_hours_that_come_over_a_moved_offer_let_it_be_moved_again(desk: Desk) -> None:
    series = desk.offer()
    offers.move(desk.page.office, desk.who, series, None, 20 * 60)
    desk.sync()
    desk.world.hub.sign(ROOT, QuietHoursSet(desk.world.hub.ts, UNIT, 19 * 60, 5 * 60))
    desk.sync()
    (offer,) = offers.offers_of(desk.page.office)
    assert offer.days[0].problem is not None
    offers.move(desk.page.office, desk.who, series, None, SIX)
    desk.world.run_to(SIX + 5)
    assert desk.sounds() == [(series, DAY, SIX)]


def test_a_move_to_a_minute_that_has_passed_is_refused_and_for_all_days_moves_the_coming_ones(
    desk: Desk,
) -> None:
    series = desk.offer(days=(DAY, DAY + 1))
    desk.world.run_to(12 * 60)
    with pytest.raises(NotAllowed, match="move-past"):
        offers.move(desk.page.office, desk.who, series, DAY, 8 * 60)
    offers.move(desk.page.office, desk.who, series, None, 8 * 60)
    assert (desk.slot(series).start_s, desk.slot(series, DAY + 1).start_s) == (
        at(DAY, FIVE),
        at(DAY + 1, 8 * 60),
    )


def test_of_two_answers_within_one_second_the_later_act_decides(desk: Desk) -> None:
    series = desk.offer()
    for minute in (SIX, SIX + 5, SIX + 1, SIX + 9):
        offers.move(desk.page.office, desk.who, series, DAY, minute)
        assert desk.slot(series).start_s == at(DAY, minute)
    offers.accept(desk.page.office, desk.who, series, DAY)
    assert desk.slot(series).start_s == at(DAY, FIVE)


def test_who_has_no_right_to_the_programme_answers_nothing(desk: Desk) -> None:
    series = desk.offer()
    desk.page.join("Pao", "approver")
    desk.page.grant("Pao")
    row = desk.page.office.people.named("Pao")
    assert row is not None
    pao = desk.page.office.person(desk.page.office.login(row.id, PIN))
    assert pao is not None
    with pytest.raises(NotAllowed, match="no-authority"):
        offers.accept(desk.page.office, pao, series, None)
    with pytest.raises(NotAllowed, match="offer-unknown"):
        offers.accept(desk.page.office, desk.who, series + 99, None)


def test_what_cannot_play_is_not_on_offer_and_what_the_commune_said_stands_beside_it(desk: Desk) -> None:
    series = desk.offer(days=(DAY, DAY + 1))
    assert offers.waiting(desk.page.office) == 1
    offers.decline(desk.page.office, desk.who, series, DAY, "mất loa cụm 3")
    offers.accept(desk.page.office, desk.who, series, DAY + 1)
    assert offers.waiting(desk.page.office) == 0
    (offer,) = offers.offers_of(desk.page.office)
    said = [(day.decided.answer, day.decided.by, day.decided.reason) for day in offer.days if day.decided]
    assert said == [(Answer.DECLINED, "Lan", "mất loa cụm 3"), (Answer.ACCEPTED, "Lan", "")]
    desk.world.hub.cancel(series)
    desk.sync()
    assert offers.offers_of(desk.page.office) == []


# --- order --------------------------------------------------------------------------------------------------


def test_a_commune_orders_its_priority_items_and_they_play_so(desk: Desk) -> None:
    first, second = (desk.offer(klass=3, seconds=300, late_s=1_200) for _ in range(2))
    other = desk.offer(SIX, klass=3)
    ties = ordering.ties_of(desk.page.office, DAY)
    assert [tie.klass for tie in ties.ties] == [3]
    assert (ties.order, ties.alone, ties.changed) == ((first, second), 1, False)
    wished = ordering.swapped(ties, second, down=False)
    assert ordering.ties_of(desk.page.office, DAY, wished).changed
    ordering.arrange(desk.page.office, desk.who, DAY, wished)
    found = ordering.ties_of(desk.page.office, DAY)
    assert (found.order, found.signed_by, found.changed) == ((second, first), "Lan", False)
    assert [item.begins_s for item in found.ties[0].items] == [at(DAY, FIVE), at(DAY, FIVE + 5)]
    desk.world.run_to(SIX + 30)
    assert desk.sounds() == [(second, DAY, FIVE), (first, DAY, FIVE + 5), (other, DAY, SIX)]


def test_the_page_says_beforehand_what_an_order_would_lose(desk: Desk) -> None:
    long = desk.offer(klass=3, seconds=900, late_s=300)
    short = desk.offer(klass=3, seconds=120, late_s=300)
    begins = {
        wished: [
            (item.slot.series, item.begins_s)
            for item in ordering.ties_of(desk.page.office, DAY, wished).ties[0].items
        ]
        for wished in ((long, short), (short, long))
    }
    assert begins[long, short] == [(long, at(DAY, FIVE)), (short, None)]
    assert begins[short, long] == [(short, at(DAY, FIVE)), (long, at(DAY, FIVE + 2))]
    ordering.arrange(desk.page.office, desk.who, DAY, (short, long))
    desk.world.run_to(SIX)
    assert desk.sounds() == [(short, DAY, FIVE), (long, DAY, FIVE + 2)]


def test_an_order_of_items_that_are_not_those_shown_is_refused(desk: Desk) -> None:
    first, second = (desk.offer(klass=3, seconds=300) for _ in range(2))
    for order in ((first,), (first, second, 99), (first, first)):
        with pytest.raises(NotAllowed, match="order-changed"):
            ordering.arrange(desk.page.office, desk.who, DAY, order)
    offers_, priority = desk.offer(FIVE, klass=2), (second, first)
    ordering.arrange(desk.page.office, desk.who, DAY, priority)
    assert ordering.ties_of(desk.page.office, DAY).order == priority, "one offer alone is no tie"
    assert offers_ not in priority


def test_of_two_orders_within_one_second_the_later_act_decides(desk: Desk) -> None:
    first, second = (desk.offer(klass=3, seconds=300) for _ in range(2))
    for order in ((second, first), (first, second), (second, first)):
        ordering.arrange(desk.page.office, desk.who, DAY, order)
        assert ordering.ties_of(desk.page.office, DAY).order == order


# --- the page -----------------------------------------------------------------------------------------------


def test_an_officer_accepts_moves_and_declines_on_the_page(desk: Desk) -> None:
    one, two, three = desk.offer(), desk.offer(FIVE + 10), desk.offer(FIVE + 20)
    lan = desk.lan
    assert lan.get("/de-nghi").says("Chờ xã trả lời (3)")
    assert lan.get("/").says("Đề nghị 3")
    lan.get(f"/de-nghi/{one}").press(f"/de-nghi/{one}", tra_loi="nhan", ngay=str(DAY), unlock_pin=PIN)
    assert lan.says("Đã ký: xã nhận")
    lan.get(f"/de-nghi/{two}?gio=18:30")
    assert lan.says("Phát được, không trùng mục nào")
    lan.post(f"/de-nghi/{two}", {"csrf": lan.csrf, "tra_loi": "doi", "gio": "18:30", "ngay": ""})
    assert lan.says("Đã ký: dời sang 18:30")
    lan.get(f"/de-nghi/{three}").press(f"/de-nghi/{three}", tra_loi="khong", ly_do="Họp dân", ngay="")
    assert lan.says("Đã ký: xã không nhận")
    assert lan.says("Đã trả lời (3)")
    assert lan.get("/").says("sẽ phát xã đã dời từ 17:10")
    desk.world.run_to(19 * 60)
    assert desk.sounds() == [(one, DAY, FIVE), (two, DAY, 18 * 60 + 30)]


def test_the_page_shows_what_would_come_of_a_move_before_it_is_signed(desk: Desk) -> None:
    one = desk.offer(seconds=300, late_s=600)
    desk.offer(SIX, klass=3, seconds=300)
    lan = desk.lan
    assert lan.get(f"/de-nghi/{one}?gio=22:00").says("chạm giờ yên tĩnh")
    assert 'value="doi"' not in lan.text
    assert lan.get(f"/de-nghi/{one}?gio=05:31").says("Giờ ấy đã qua")
    assert lan.get(f"/de-nghi/{one}?gio=18:02").says("trùng với")
    assert lan.says("phát lúc khoảng 18:05")
    assert lan.get(f"/de-nghi/{one}?gio=17:58").says("Nó bị ngắt lúc 18:00")
    desk.offer(19 * 60, klass=3, seconds=900)
    assert lan.get(f"/de-nghi/{one}?gio=19:01").says("sẽ không kịp phát")
    desk.offer(20 * 60 + 2)
    assert lan.get(f"/de-nghi/{one}?gio=20:00").says("Mục này phát trước, mục kia chờ")
    assert lan.get(f"/de-nghi/{one}?gio=abc").says("Hãy chọn một giờ")
    lan.post(f"/de-nghi/{one}", {"csrf": lan.csrf, "tra_loi": "doi", "gio": "22:00", "ngay": ""})
    assert lan.says("chạm giờ yên tĩnh")
    assert desk.slot(one).moved_from_s is None


def test_declining_needs_a_reason_and_anything_else_is_refused(desk: Desk) -> None:
    one = desk.offer()
    lan = desk.lan
    lan.get(f"/de-nghi/{one}").press(f"/de-nghi/{one}", tra_loi="khong", ly_do=" ", ngay="")
    assert not desk.slot(one).declined
    assert lan.get("/de-nghi/99").status == 404
    for values in ({"tra_loi": "nao"}, {"tra_loi": "doi", "gio": "25:00"}, {}):
        lan.get(f"/de-nghi/{one}")
        assert lan.post(f"/de-nghi/{one}", {"csrf": lan.csrf, **values}).status == 400


def test_the_order_is_tried_out_with_links_and_signed_once(desk: Desk) -> None:
    first, second = (desk.offer(klass=3, seconds=300) for _ in range(2))
    lan = desk.lan
    before = len(desk.world.station.facts.arrangements)
    assert not lan.get("/thu-tu").says("chưa được ký")
    lan.get(f"/thu-tu?thu_tu={second}.{first}")
    assert lan.says("chưa được ký")
    assert len(desk.world.station.facts.arrangements) == before
    lan.press("/thu-tu", unlock_pin=PIN)
    assert lan.says("Đã ký thứ tự của ngày này")
    assert lan.says("thứ tự đã ký")
    (wish,) = desk.world.station.facts.arrangements[UNIT, DAY]
    assert isinstance(wish.fact, ProgrammeArranged)
    assert wish.fact.series() == (second, first)
    for bad in ("-1", "8", "x"):
        assert lan.get(f"/thu-tu?ngay={bad}").status == 404


def test_an_offer_is_heard_and_read_before_it_is_answered(desk: Desk) -> None:
    one = desk.offer()
    lan = desk.lan
    assert lan.get(f"/de-nghi/{one}").says("bulletin 1020")
    client = lan._client
    whole = client.get(f"/de-nghi/{one}/nghe")
    assert (whole.status_code, whole.mimetype, len(whole.data)) == (200, "audio/ogg", 3_000)
    part = client.get(f"/de-nghi/{one}/nghe", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, whole.data[100:200])
    assert part.headers["Content-Range"] == "bytes 100-199/3000"
    assert client.get(f"/de-nghi/{one}/nghe", headers={"Range": "bytes=-5"}).data == whole.data[-5:]
    assert client.get(f"/de-nghi/{one}/nghe", headers={"Range": "bytes=3000-"}).status_code == 416
    assert client.get(f"/de-nghi/{one}/nghe", headers={"Range": "bytes=9-3"}).status_code == 200
    assert client.get("/de-nghi/99/nghe").status_code == 404
    assert desk.page.visitor().get(f"/de-nghi/{one}/nghe").path == "/dang-nhap"


def test_the_right_is_the_communes_alone(desk: Desk) -> None:
    """A grant for the province does not reach into a commune's programme, also at its own page."""
    series = desk.offer()
    desk.page.join("Tỉnh", "officer")
    row = desk.page.office.people.named("Tỉnh")
    assert row is not None
    assert row.pub is not None
    world = desk.world
    granted = world.hub.grant(_Key(row.pub), int(Right.PROGRAMME), "vn.yb")  # type: ignore[arg-type]
    world.hub.sign(ROOT, granted)
    desk.sync()
    someone = desk.page.office.person(desk.page.office.login(row.id, PIN))
    assert someone is not None
    with pytest.raises(NotAllowed, match="no-authority"):
        offers.accept(desk.page.office, someone, series, None)


class _Key:
    def __init__(self, raw: bytes) -> None:
        self.verify_key = VerifyKey(raw)
